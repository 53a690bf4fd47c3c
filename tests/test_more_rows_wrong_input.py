"""Rows without outcomes that cannot be used are refused before any teacher learns."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

from semikd import (
    DistilledClassifier,
    DistilledRegressor,
    SyntheticRows,
    cross_fit,
    external_labels,
    model_labels,
)
from semikd.students import LinearStudent, TorchStudent
from semikd.teachers import TorchClassifier

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
Y = (np.arange(N) % 2).astype(int)
TREE = DecisionTreeRegressor(max_depth=2)
FRAME = pd.DataFrame(
    {
        "age": np.arange(N),
        "wage": X[:, 0],
        "kind": pd.Categorical(np.where(Y, "a", "b"), ["a", "b"]),
    }
)
ALL = SyntheticRows(labelled_by="all")


class Spy(LogisticRegression):
    """A teacher that counts its fits."""

    fits = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Spy.fits += 1
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def _nothing_is_fitted() -> Iterator[None]:
    """Fail any test of this module in which a spied teacher was fitted."""
    Spy.fits = 0
    yield
    assert Spy.fits == 0


def refused(model: Any, table: Any, error: Any, match: str, **given: Any) -> None:
    """Check that a fit is refused in one line."""
    with pytest.raises(error, match=match) as caught:
        model.fit(table, Y, **given)
    assert "\n" not in str(caught.value)
    assert not hasattr(model, "student_")


@pytest.mark.parametrize(
    ("table", "unlabelled", "error", "match"),
    [
        (
            X,
            X[:, :2],
            ValueError,
            r"have shape \(any, 3\), as X has; got \(40, 2\). Pa",
        ),
        (X, X[0], ValueError, r"have shape \(any, 3\), as X has; got \(3,\)"),
        (X, [[1.0, 2.0, 3.0], [1.0]], TypeError, "hold rows of equal length"),
        (X, 3, ValueError, r"have shape \(any, 3\), as X has; got \(\)"),
        (X, X.astype(str), ValueError, "have the type of X; got <U.* for float64. Con"),
        (
            X,
            FRAME,
            TypeError,
            "be the kind of table that X is; got DataFrame beside nd",
        ),
        (X, sparse.csr_array(X), TypeError, "kind of table .* got csr_array beside"),
        (FRAME, X, TypeError, "kind of table that X is; got ndarray beside DataFrame"),
        (FRAME, pl.from_pandas(FRAME), TypeError, "be the kind of table that X is"),
        (
            FRAME,
            FRAME[["age", "kind"]],
            ValueError,
            "have the columns of X; got 2 columns, none named 'wage'. Select the",
        ),
        (
            FRAME,
            FRAME.assign(size=1),
            ValueError,
            "have the columns of X; got 4 columns, 'size' beside them",
        ),
        (
            FRAME,
            FRAME[["wage", "age", "kind"]],
            ValueError,
            "columns of X in their order; got another order .first: 'wage'.. Select",
        ),
        (
            FRAME,
            FRAME.astype({"age": float}),
            ValueError,
            "types of X; got float64 for int64 in column 'age' .1 such column.. Cast",
        ),
        (
            FRAME,
            FRAME.assign(kind=FRAME["kind"].cat.add_categories("c")),
            ValueError,
            "types of X; got other categories in column 'kind'",
        ),
        (
            pl.from_pandas(FRAME[["age"]]),
            pl.from_pandas(FRAME[["age"]]).cast(pl.Int8),
            ValueError,
            "types of X; got Int8 for Int64 in column 'age'",
        ),
    ],
)
@pytest.mark.parametrize("regression", [False, True])
def test_unlabelled_rows_of_another_table(
    table: Any, unlabelled: Any, error: Any, match: str, regression: bool
) -> None:
    model: Any = DistilledClassifier(Spy(), TREE)
    if regression:
        model = DistilledRegressor(Ridge(), TREE)
        match = match.replace("Spy", "Ridge")
    refused(model, table, error, f"unlabelled must .*{match}", unlabelled=unlabelled)


def test_gaps_that_a_learner_cannot_read() -> None:
    model = DistilledClassifier(LogisticRegression(), TREE)
    holes = np.where(X > 0, X, np.nan)
    match = "unlabelled must have no missing value for the teacher Log.*; got NaN in .*"
    refused(model, X, ValueError, match + "Put an imputer", unlabelled=holes)


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"synthetic": "neighbors"}, ValueError, "Did you mean 'neighbours'"),
        ({"synthetic": 4}, TypeError, "synthetic must be SyntheticRows, the name of"),
        ({"synthetic": SyntheticRows(ratio=-1)}, ValueError, "ratio must be a number"),
        (
            {"student": LinearStudent(), "hard_weight": 0.5},
            ValueError,
            "hard_weight must be 0 with synthetic rows; got 0.5. They have no outcomes",
        ),
        (
            {"cv": "oob"},
            ValueError,
            "labelled_by must be 'all' with cv='oob'; got 'fol",
        ),
        (
            {"cv": "loo"},
            ValueError,
            "with cv='loo'; .* The one teacher saw every paren",
        ),
        ({"cv": "in-sample"}, ValueError, "labelled_by must be 'all' with cv='in-samp"),
        (
            {"cv": external_labels(X, np.full((N, 2), 0.5), classes=[0, 1])},
            ValueError,
            "teachers must be kept to label synthetic rows; got none .labels from else",
        ),
        (
            {"cv": model_labels(LogisticRegression().fit(X + 1, Y), X)},
            ValueError,
            "labelled_by must be 'all' for a record without the teachers of folds; got "
            "'folds' .a fitted model on rows .* new_rows='mean'",
        ),
        (
            {"cv": cross_fit(LogisticRegression(), X, Y, cv="in-sample")},
            ValueError,
            "labelled_by must be 'all' for a record",
        ),
        (
            {"cv": cross_fit(LogisticRegression(), X, Y, new_rows="refit")},
            ValueError,
            "labelled_by must be 'all' for a record",
        ),
    ],
)
def test_synthetic_rows_that_nobody_can_label(
    settings: Any, error: Any, match: str
) -> None:
    given = {"teacher": Spy(), "student": TREE, "synthetic": "columns", **settings}
    refused(DistilledClassifier(**given), X, error, match)


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        (
            {"student": LinearStudent(), "hard_weight": 0.5},
            ValueError,
            "hard_weight must be 0 with unlabelled rows; got 0.5",
        ),
        (
            {"cv": cross_fit(LogisticRegression(), X, Y, new_rows="none")},
            ValueError,
            "teachers must be kept to label unlabelled rows; got none .5-fold",
        ),
        (
            {
                "teacher": TorchClassifier((4,)),
                "student": TorchStudent((4,)),
                "online_labels": True,
            },
            ValueError,
            "online_labels must be False with unlabelled rows; got True. They are",
        ),
    ],
)
def test_unlabelled_rows_that_nobody_can_label(
    settings: Any, error: Any, match: str
) -> None:
    given = {"teacher": Spy(), "student": TREE, **settings}
    refused(DistilledClassifier(**given), X, error, match, unlabelled=X + 1)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (
            sparse.csr_array(X),
            "X must be a dense table for synthetic rows; got a sparse",
        ),
        (np.ones((N, 1, 4, 4)), "X must be a dense table .* Training.augment"),
    ],
)
def test_tables_without_columns(table: Any, match: str) -> None:
    model = DistilledClassifier(Spy(), LinearStudent(), synthetic=ALL)
    refused(model, table, TypeError, match)


def test_free_text() -> None:
    table = FRAME.assign(note=[f"customer {i} wrote" for i in range(N)])
    model = DistilledClassifier(Spy(), LinearStudent(), synthetic=ALL)
    match = (
        "X must hold categories, and no free text, .* got 40 different texts in 40 r"
    )
    refused(model, table, ValueError, match)
