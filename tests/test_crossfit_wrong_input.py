"""What cross-fitting refuses: in one line each, and before any teacher learns."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    StratifiedGroupKFold,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from semikd import cross_fit

N = 20
X = np.arange(float(N))[:, None]
Y = np.arange(N) % 2
FIRST, SECOND = np.arange(10), np.arange(10, N)


class Unfitted(ClassifierMixin, BaseEstimator):
    """Fails the test if anything reaches its fit."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Unfitted":
        raise AssertionError("a fit started before the input was checked")

    def predict_proba(self, X: Any) -> Any:
        raise AssertionError("no labels without a fit")


class Stub(ClassifierMixin, BaseEstimator):
    """Answers with what it was given, whatever the rows."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def fit(self, X: Any, y: Any) -> "Stub":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(self.answer, (len(X), 1))


class Line(RegressorMixin, BaseEstimator):
    """Predicts a single number, however many rows there are."""

    def fit(self, X: Any, y: Any) -> "Line":
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(1)


def changed(values: Any, row: int, value: Any) -> Any:
    """Return a copy as floats in which one entry is another."""
    result = np.array(values, dtype=float)
    result[row] = value
    return result


words = np.where(Y == 1, "yes", "no").astype(object)
gap = words.copy()
gap[3] = None
mixed = words.copy()
mixed[3] = 3

# The errors, short enough for one line a case.
Bad, Wrong = ValueError, TypeError
ARGUMENTS = [
    ({"new_rows": "refitted"}, Bad, "new_rows must be one of 'mean', 'refit', 'no"),
    ({"new_rows": "refitted"}, Bad, "got 'refitted'. Did you mean 'refit'?"),
    ({"cv": "insample"}, Bad, "got 'insample'. Did you mean 'in-sample'?"),
    ({"cv": 1}, Bad, "cv must be an integer of at least 2; got 1"),
    ({"cv": True}, Wrong, "cv must be an integer of at least 2; got True"),
    ({"cv": 2.5}, Wrong, "cv must be an integer, a splitter, fold ids or .*; got 2.5"),
    ({"n_repeats": 0}, Bad, "n_repeats must be an integer of at least 1; got 0"),
    ({"n_repeats": 1.5}, Wrong, "n_repeats must be an integer of at least 1; got 1.5"),
    ({"n_repeats": 2, "cv": Y}, Bad, "n_repeats must be 1 where folds are given"),
    ({"n_jobs": 0}, Bad, "n_jobs must be an integer other than 0.*; got 0. Use -1"),
    ({"n_jobs": "2"}, Bad, "n_jobs must be an integer other than 0.*; got '2'"),
    ({"random_state": -1}, Bad, "random_state must be a non-negative .*; got -1"),
    ({"random_state": "a"}, Bad, "random_state must be .* or None; got 'a'. Pass an"),
    ({"groups": Y[:-1]}, Bad, r"groups must have shape \(20,\); got \(19,\)"),
    ({"groups": changed(Y, 3, np.nan)}, Bad, "groups must .*; got 1 missing .*row 3"),
    ({"groups": gap}, Bad, r"groups must have no .*; got 1 missing \(first: row 3"),
    ({"sample_weight": X}, Bad, r"sample_weight must have shape \(20,\); got \(20,"),
    ({"sample_weight": changed(X[:, 0], 3, -2)}, Bad, "non-negative; got -2 in row 3"),
    ({"sample_weight": np.zeros(N)}, Bad, "a positive sum; got only zeros. Leave it"),
    ({"sample_weight": changed(Y, 3, np.nan)}, Bad, "finite; got nan in row 3"),
    ({"sample_weight": words}, Wrong, "sample_weight must hold numbers in equal rows"),
    ({"X": X[:-1]}, Bad, r"y must have one entry for each of 19 rows; got \(20,\)"),
    ({"X": None}, Wrong, "X must be a table of rows; got None"),
    ({"y": None}, Bad, "y must have one entry for each of 20 rows; got None"),
    ({"y": np.zeros(N)}, Bad, "y must have at least two classes; got only the class"),
    ({"y": Y[:, None]}, Bad, r"y must have shape \(20,\); got \(20, 1\)"),
    ({"y": changed(Y, 3, np.nan)}, Bad, r"no missing value; got 1 missing .*row 3"),
    ({"y": changed(Y, 3, np.inf)}, Bad, r"no missing value; got 1 missing .*row 3"),
    ({"y": gap}, Bad, r"y must have no missing value; got 1 missing \(first: row 3"),
    ({"y": mixed}, Wrong, "y must hold labels of one type; got int, str"),
    ({"y": X[:, 0] / 7}, Bad, "class labels; got continuous values. For numbers use"),
    (
        {"teacher": Unfitted},
        Wrong,
        "an estimator with a fit method; got <class .* Pass",
    ),
    (
        {"teacher": "forest"},
        Wrong,
        "an estimator with a fit method; got 'forest'. Pass",
    ),
    ({"teacher": None}, Wrong, "teacher must be an estimator .* method; got None"),
    (
        {"teacher": LinearSVC()},
        Wrong,
        "predict_proba; got LinearSVC. Wrap it, for inst",
    ),
    (
        {"teacher": make_pipeline(LinearSVC())},
        Wrong,
        "predict_proba; got Pipelin",
    ),
    (
        {"teacher": LinearRegression(), "y": words},
        Wrong,
        "predict_proba; got LinearRegression. Use a classifier, or encode y",
    ),
    (
        {"teacher": LinearRegression(), "y": changed(Y, 3, np.nan)},
        Bad,
        r"y must be finite; got nan in row 3 \(1 such values\)",
    ),
    (
        {"teacher": LinearRegression(), "y": np.zeros((N, 1, 1))},
        Bad,
        r"y must have shape \(20, any\); got \(20, 1, 1\)",
    ),
    (
        {"teacher": KNeighborsClassifier(), "sample_weight": np.ones(N)},
        Wrong,
        "teacher must accept sample_weight; got KNeighborsClassifier. Leave",
    ),
    (
        {
            "teacher": GridSearchCV(make_pipeline(KNeighborsClassifier()), {}),
            "sample_weight": np.ones(N),
        },
        Wrong,
        "teacher must accept sample_weight; got GridSearchCV",
    ),
]
FOLDS = [
    (
        [(FIRST, SECOND), (SECOND, np.arange(9, -1, -1)), (FIRST, [12])],
        "10|1 row twice",
    ),
    ([(FIRST, SECOND)], r"cv must label every row once; got 10 rows never .*row 0\)"),
    (
        [(FIRST, SECOND), (np.arange(N), FIRST)],
        "apart; got 10 shared in fold 1 .*row 0",
    ),
    ([(FIRST, SECOND), ([], FIRST)], "positive weight to train on; got none in fold 1"),
    (
        [(FIRST, SECOND), FIRST],
        r"cv must hold \(train, test\) pairs; got ndarray in fold 1",
    ),
    (
        [(FIRST, SECOND), (SECOND, [N])],
        "fold 1 of cv must name rows between 0 and 19; got",
    ),
    (
        [(FIRST, SECOND), (SECOND, [-1])],
        "fold 1 of cv must .* between 0 and 19; got -1",
    ),
    (
        [(FIRST > 3, SECOND)],
        r"mask in fold 0 of cv must have shape \(20,\); got \(10,\)",
    ),
    ([], r"cv must have shape \(20,\); got \(0,\)"),
    (Y[:-1], r"cv must have shape \(20,\); got \(19,\)"),
    (
        np.zeros(N, int),
        "cv must leave rows of positive weight to train on; got none in f",
    ),
    (RepeatedKFold(n_splits=2), "got 20 rows twice .* For repeats pass an integer cv"),
    (
        PredefinedSplit(np.full(N, -1)),
        "cv must label at least one row; got no rows in any",
    ),
]


@pytest.mark.parametrize(("arguments", "error", "message"), ARGUMENTS)
def test_a_bad_argument_is_refused_before_any_fit(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    call = {"teacher": Unfitted(), "X": X, "y": Y, **arguments}
    with pytest.raises(error, match=message) as caught:
        cross_fit(**call)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("cv", "message"), FOLDS)
def test_bad_folds_are_refused_before_any_fit(cv: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        cross_fit(Unfitted(), X, Y, cv=cv)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [FIRST + 0.5, FIRST.astype(str), FIRST[:, None]])
def test_positions_in_folds_must_be_vectors_of_integers(part: Any) -> None:
    with pytest.raises(
        TypeError, match="fold 0 of cv must be a vector of row positions"
    ):
        cross_fit(Unfitted(), X, Y, cv=[(part, SECOND), (SECOND, FIRST)])


def test_a_teacher_that_cannot_be_copied_is_refused() -> None:
    class Bare:
        def fit(self, X: Any, y: Any) -> None:
            raise AssertionError

    with pytest.raises(TypeError, match="teacher must have get_params, to be copied"):
        cross_fit(Bare(), X, Y)


def test_a_classifier_is_no_teacher_of_several_outcomes() -> None:
    with pytest.raises(ValueError, match=r"y must have shape \(20,\); got \(20, 2\)"):
        cross_fit(Unfitted(), X, np.ones((N, 2)))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([0.5, np.nan], "teacher probabilities must be finite; got nan in row 0"),
        ([0.7, 0.7], r"and sum to one; got \[0.7, 0.7\] in row 0 \(4 such rows\)"),
        (
            [-0.1, 1.1],
            r"must be non-negative and sum to one; got \[-0.1, 1.1\] in row 0",
        ),
        ([0.5], r"teacher probabilities must have shape \(4, 2\); got \(4, 1\)"),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(
    answer: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        cross_fit(Stub(answer), X, Y)


def test_one_answer_is_not_spread_over_all_rows() -> None:
    with pytest.raises(
        ValueError, match=r"predictions must have shape \(4, any\); got"
    ):
        cross_fit(Line(), X, X[:, 0])


def test_answers_that_are_probabilities_to_a_few_digits_are_normalised() -> None:
    labels = cross_fit(Stub([-1e-9, 1.0005]), X, Y)
    np.testing.assert_array_equal(labels.mean, np.tile([0.0, 1.0], (N, 1)))


def test_a_given_fold_with_weightless_rows_only_needs_no_teacher() -> None:
    weights = np.r_[np.zeros(10), np.ones(10)]
    labels = cross_fit(
        DummyClassifier(),
        X,
        Y,
        cv=np.repeat([0, 1, 2], [10, 4, 6]),
        sample_weight=weights,
    )
    assert [len(repeat) for repeat in labels.teachers] == [2]
    assert labels.labelled.tolist() == [False] * 10 + [True] * 10


@pytest.mark.parametrize(
    "splitter", [GroupKFold(2), LeaveOneGroupOut(), StratifiedGroupKFold(2)]
)
def test_a_splitter_of_groups_is_told_to_have_them(splitter: Any) -> None:
    name = type(splitter).__name__
    match = f"groups must be given for the splitter {name}; got None"
    with pytest.raises(ValueError, match=match) as caught:
        cross_fit(Unfitted(), X, Y, cv=splitter)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("ids", "shown"),
    [
        (np.arange(N) % 2 + 0.5, "0.5"),
        (list("ab" * (N // 2)), "'a'"),
        (np.array(list("ab" * (N // 2))), "'a'"),
        (np.arange(N) % 2 == 0, "True"),
    ],
)
def test_fold_ids_are_integers(ids: Any, shown: str) -> None:
    match = f"cv must name folds by integers, or hold .* got {shown}. Number the folds"
    with pytest.raises(TypeError, match=match):
        cross_fit(Unfitted(), X, Y, cv=ids)


def test_classes_and_counts_are_shown_as_plain_words() -> None:
    lone = np.where(np.arange(N) == 3, 7, 5)
    with pytest.raises(ValueError, match=r"; got 1 in class 7\. Collect"):
        cross_fit(Unfitted(), X, lone)
    with pytest.raises(ValueError, match=r"; got only the class 5\."):
        cross_fit(Unfitted(), X, np.full(N, 5))
    rest = np.setdiff1d(np.arange(N), [3])
    with pytest.raises(ValueError, match=r"got 1 row never \(first: row 3\)"):
        cross_fit(Unfitted(), X, Y, cv=[([3], rest)])
