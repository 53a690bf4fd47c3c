"""Missing values are refused before any fit where a learner says it reads none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, external_labels
from semikd.students import LinearStudent

N = 40
RNG = np.random.default_rng(0)
FULL = RNG.normal(size=(N, 3))
Y = (FULL[:, 0] + RNG.normal(size=N) > 0).astype(int)
X = FULL.copy()
X[[1, 4, 4], [1, 1, 2]] = np.nan
TREE = DecisionTreeRegressor(max_depth=2)
READS = HistGradientBoostingClassifier(max_iter=3)


class Spy(LogisticRegression):
    """A teacher that must never be fitted, though it is said to read NaN."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        raise AssertionError("a teacher was fitted")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def refused(model: Any, table: Any, y: Any, match: str, **kwargs: Any) -> None:
    """Check that a fit is refused in one line."""
    with pytest.raises(ValueError, match=match) as caught:
        model.fit(table, y, **kwargs)
    assert "\n" not in str(caught.value)


FOUND = r"got NaN in 2 rows and 2 columns \(first: {}\). Put an imputer before it in a"


@pytest.mark.parametrize(
    ("table", "first"),
    [
        (X, "1"),
        (X.astype(object), "1"),
        (np.where(np.isnan(X), None, X), "1"),
        (pd.DataFrame(X, columns=list("abc")), "'b'"),
        (pd.DataFrame(X, columns=list("abc")).convert_dtypes(), "'b'"),
        (pd.DataFrame(X, columns=list("abc")).astype(object), "'b'"),
        ("polars", "'b'"),
        ("polars null", "'b'"),
        (sparse.csr_array(X), "1"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_student_that_reads_no_nan_says_so_before_the_teacher(
    table: Any, first: str
) -> None:
    if isinstance(table, str):
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame(X, schema=list("abc"))
        table = frame.fill_nan(None) if "null" in table else frame
    model = DistilledClassifier(Spy(), LinearStudent())
    match = "X must have no missing value for the student LinearStudent; "
    refused(model, table, Y, match + FOUND.format(first))


def test_a_teacher_that_reads_no_nan_says_so() -> None:
    match = "for the teacher LogisticRegression; got NaN in 2 rows"
    refused(DistilledClassifier(LogisticRegression(), TREE), X, Y, match)
    match = "for the teacher Ridge; got NaN in 1 row and 1 column "
    hole = np.where(np.arange(N)[:, None] == [3, N, N], np.nan, FULL)
    refused(DistilledRegressor(Ridge(), TREE), hole, FULL[:, 0], match)


def test_learners_that_read_nan_or_impute_it_are_fitted() -> None:
    imputing = make_pipeline(SimpleImputer(), LogisticRegression())
    for teacher, student in [
        (READS, TREE),
        (imputing, TREE),
        (READS, make_pipeline(SimpleImputer(), LinearStudent())),
        (None, None),
    ]:
        model = DistilledClassifier(teacher, student, cv=2, random_state=0)
        assert model.fit(X, Y).predict_proba(X).shape == (N, 2)


def test_rows_of_no_weight_may_have_holes_where_the_learners_never_see_them() -> None:
    weights = np.ones(N)
    weights[[1, 4]] = 0.0
    model = DistilledClassifier(LogisticRegression(), LinearStudent(), random_state=0)
    model.fit(X, Y, sample_weight=weights)
    assert np.isfinite(model.predict_proba(FULL)).all()


def test_labels_that_are_brought_need_no_teacher_that_reads_nan() -> None:
    labels = external_labels(X, np.full((N, 2), 0.5), classes=[0, 1])
    model = DistilledClassifier(LogisticRegression(), TREE, cv=labels)
    assert model.fit(X, Y).predict_proba(X).shape == (N, 2)
