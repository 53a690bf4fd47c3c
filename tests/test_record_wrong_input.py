"""What the record of labels refuses: other rows, lost teachers, foreign tables."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from semikd import OutOfFold, cross_fit, external_labels, model_labels
from semikd.exceptions import LeakageWarning

N = 20
X = np.arange(float(N))[:, None]
Y = np.arange(N) % 2


def changed(values: Any, row: int, value: Any) -> Any:
    """Return a copy as floats in which one entry is another."""
    result = np.array(values, dtype=float)
    result[row] = value
    return result


def record(**options: Any) -> OutOfFold:
    """Return honest labels of the table."""
    return cross_fit(LogisticRegression(), X, Y, random_state=0, **options)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            X[:-1],
            "be those of the rows of X; got 20 labels for 19 rows. Label these very",
        ),
        (
            X[::-1],
            r"got the same rows in another order \(first: row 0\). Call labels.alig",
        ),
        (
            changed(X, 3, 99.0),
            r"got other values in 1 row \(first: row 3\). Label these very",
        ),
        (pd.DataFrame(X).iloc[[1, 0, *range(2, N)]], "the same rows in another order"),
    ],
)
def test_labels_of_other_rows_are_refused(table: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        record().check_rows(table)


@pytest.mark.parametrize("table", [X[:-1], changed(X, 3, 99.0)])
def test_labels_cannot_be_aligned_with_other_rows(table: Any) -> None:
    with pytest.raises(ValueError, match="labels must be those of the rows of X; got"):
        record().align(table)


def test_new_rows_need_a_teacher_that_was_kept() -> None:
    with pytest.raises(ValueError, match="Cross-fit with new_rows='mean' or 'refit'"):
        record(new_rows="none").label(X)
    for option in ("none", "refit"):
        with pytest.raises(ValueError, match=r"Cross-fit with new_rows='mean'\."):
            record(new_rows=option).label(X, exclude=np.arange(N))


@pytest.mark.parametrize(
    ("exclude", "error", "message"),
    [
        ([0, -1], ValueError, "exclude must name rows between 0 and 19; got -1"),
        ([0, 20], ValueError, "exclude must name rows between 0 and 19; got 20"),
        ([0], ValueError, r"exclude must have shape \(2,\); got \(1,\)"),
        (
            [0.5, 1.0],
            TypeError,
            "exclude must be a vector of row positions; got float64",
        ),
    ],
)
def test_rows_to_exclude_must_be_positions(
    exclude: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        record().label(X[:2], exclude=exclude)


@pytest.mark.parametrize("cv", ["in-sample", "split"])
def test_no_teacher_excludes_a_row_that_was_never_held_out(cv: str) -> None:
    labels = record(cv=cv)
    row = int(np.argmin(labels.fold[0]))
    with pytest.raises(ValueError, match=f"held out in every repeat; got {row}"):
        labels.label(X[:1], exclude=[row])


P = np.tile([0.4, 0.6], (N, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"prediction": P[:-1]},
            r"prediction must have shape \(20, any\); got \(19, 2\)",
        ),
        (
            {"classes": ["b", "a"]},
            r"classes must be sorted and distinct; got \['b', 'a'\]",
        ),
        ({"classes": ["a", "a"]}, "classes must be sorted and distinct"),
        ({"classes": [0, 1, 2]}, "a column for each of 3 classes; got 2 columns"),
        (
            {"prediction": P + 0.1},
            r"prediction must be .*; got \[0.5, 0.7\] in row 0 \(20",
        ),
        (
            {"prediction": changed(P, 3, np.inf)},
            "prediction must be finite; got inf in row",
        ),
        ({"fold": [1, 2]}, r"fold must have shape \(20,\); got \(2,\)"),
        (
            {"fold": X[:, 0]},
            "fold must hold integers of at least -1; got .* Use -1 for",
        ),
        ({"fold": np.full(N, -2)}, "fold must hold integers of at least -1"),
    ],
)
def test_labels_from_elsewhere_are_checked(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        external_labels(X, **{"prediction": P, "classes": [0, 1], **arguments})


@pytest.mark.parametrize("classes", [None, [0, 1]])
def test_the_row_that_is_named_is_a_row_of_the_table(classes: Any) -> None:
    p = changed(changed(P, 0, np.nan), 5, np.inf)
    with pytest.raises(ValueError, match="got inf in row 5"):
        external_labels(X, p, classes=classes)


@pytest.mark.parametrize(
    "model", [LogisticRegression, RidgeClassifier().fit(X, Y), None]
)
def test_a_model_that_cannot_answer_is_refused(model: Any) -> None:
    with pytest.raises(
        TypeError, match="model must be a fitted estimator with predict"
    ):
        model_labels(model, X)


def test_rows_that_a_model_saw_are_counted() -> None:
    model = LogisticRegression().fit(X[:5], Y[:5])
    with pytest.warns(
        LeakageWarning, match="5 of 20 rows are in the model's"
    ) as caught:
        labels = model_labels(model, X, seen=pd.DataFrame(X[:5]))
    assert labels.labelled.tolist() == [False] * 5 + [True] * 15
    assert caught[0].filename == __file__
