"""Bad input is refused in one line, before any teacher is fitted."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor
from semikd.losses import IdentityLoss, LogProbabilityLoss
from semikd.networks import MLP
from semikd.students import LinearStudent, TorchStudent

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y = (X[:, 0] + RNG.normal(size=N) > 0).astype(int)
TREE = DecisionTreeRegressor(max_depth=2)
IDS = np.arange(N)


class Spy(LogisticRegression):
    """A teacher that counts its fits."""

    fits = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Spy.fits += 1
        return super().fit(X, y, sample_weight)


class RegressorSpy(Ridge):
    """A regression teacher that counts its fits."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Spy.fits += 1
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def _nothing_is_fitted() -> Iterator[None]:
    """Fail any test of this module in which a spied teacher was fitted."""
    Spy.fits = 0
    yield
    assert Spy.fits == 0


def distil(**settings: Any) -> DistilledClassifier:
    """Return a classifier whose teacher tells."""
    return DistilledClassifier(
        **{"teacher": Spy(), "student": TREE, "random_state": 0, **settings}
    )


def refused(model: Any, *args: Any, error: Any, match: str, **kwargs: Any) -> None:
    """Check that a fit is refused in one line, and leaves no fitted model."""
    with pytest.raises(error, match=match) as caught:
        model.fit(*args, **kwargs)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_an_unfitted_classifier_says_so(method: str) -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(distil(), method)(X)


def test_an_unfitted_regressor_says_so() -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        DistilledRegressor(RegressorSpy(), TREE).predict(X)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.zeros(N, int), "at least two classes; got only the class 0"),
        (np.where(Y, "a", "a"), "at least two classes; got only the class 'a'"),
        (np.where(Y, 1.0, np.nan), "Input y contains NaN"),
        (np.where(Y, 1.0, np.inf), "Input y contains infinity"),
        (X[:, 0], "Unknown label type: continuous"),
        (Y[:-1], r"inconsistent numbers of samples: \[40, 39\]"),
        (np.c_[Y, Y], "y should be a 1d array"),
        (None, "y should be a 1d array"),
        (np.array(["a", None] * 20, object), "have no missing value; got 20 missing"),
        (np.array(["a", np.nan] * 20, object), r"20 missing \(first: row 1\)"),
        (np.array(["a", float("nan")] * 20, object), "20 missing"),
        (np.array(["a", pd.NA] * 20, object), "Leave those rows out"),
        (np.array(["a", 1] * 20, object), "labels of one kind; got int and str"),
        (np.array([0] * 39 + [1]), "at least two distinct rows"),
    ],
)
def test_labels_that_cannot_be_learned(y: Any, match: str) -> None:
    refused(distil(), X, y, error=ValueError, match=match)


@pytest.mark.parametrize(
    ("y", "match"),
    [
        (np.where(IDS == 3, np.nan, X[:, 0]), "Input y contains NaN"),
        (np.where(IDS == 3, np.inf, X[:, 0]), "Input y contains infinity"),
        (X[:-1, 0], "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
        (np.array(["a"] * N), "y must hold numbers; got text. Use DistilledClassifier"),
        (np.array(["a"] * N, object), "y must hold numbers; got text"),
    ],
)
def test_outcomes_that_cannot_be_learned(y: Any, match: str) -> None:
    model = DistilledRegressor(RegressorSpy(), TREE)
    refused(model, X, y, error=ValueError, match=match)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.where(IDS == 7, -1.0, 1.0), "be non-negative; got -1 in row 7"),
        (np.zeros(N), "have a positive sum; got only zeros"),
        (np.where(IDS == 7, np.nan, 1.0), "be finite; got nan in row 7"),
        (np.ones(N - 1), r"have shape \(40,\); got \(39,\)"),
        (np.ones((N, 1)), r"have shape \(40,\); got \(40, 1\)"),
    ],
)
@pytest.mark.parametrize("regression", [False, True])
def test_weights_that_are_no_weights(
    weights: Any, match: str, regression: bool
) -> None:
    model = DistilledRegressor(RegressorSpy(), TREE) if regression else distil()
    refused(model, X, Y, sample_weight=weights, error=ValueError, match=match)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (X[:, 0], "Expected 2D array, got 1D array"),
        (X[:0], r"Found array with 0 sample\(s\)"),
        (X[:1], r"Found array with 1 sample\(s\)"),
        (X[:, :0], r"Found array with 0 feature\(s\)"),
        (pd.DataFrame(X[:0]), r"got 0 sample\(s\)"),
    ],
)
def test_tables_that_are_no_tables(table: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        distil().fit(table, Y[: len(table)])


def test_groups_of_another_length() -> None:
    match = r"groups must have shape \(40,\); got \(3,\)"
    refused(distil(), X, Y, groups=[1, 2, 3], error=ValueError, match=match)


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"loss": "probabilty"}, ValueError, "Did you mean 'probability'"),
        ({"loss": "brier"}, ValueError, "loss must be one of 'auto', 'probability'"),
        ({"correction": "orthogonl"}, ValueError, "Did you mean 'orthogonal'"),
        ({"correction": "shrinkage"}, ValueError, "Pass an object, such as Shrink"),
        ({"correction": 1.2}, ValueError, "correction must be a number at least 0"),
        ({"correction": -0.1}, ValueError, "and at most 1; got -0.1"),
        ({"correction": [1]}, TypeError, "a name, a number in"),
        ({"cv": "insample"}, ValueError, "Did you mean 'in-sample'"),
        ({"cv": 1}, ValueError, "cv must be an integer of at least 2; got 1"),
        ({"cv": 2.5}, TypeError, "cv must be an integer, a splitter"),
        ({"cv": [(IDS, IDS)]}, ValueError, "training and test rows apart; got 40"),
        ({"cv": [(IDS[1:], IDS[:1])]}, ValueError, "label every row once; got 39"),
        ({"cv": [(IDS[20:], IDS[:20])] * 2}, ValueError, "20 rows twice"),
        ({"cv": [(IDS[1:], [50])]}, ValueError, "name rows between 0 and 39; got 50"),
        ({"cv": IDS[:7] % 3}, ValueError, r"cv must have shape \(40,\)"),
        ({"n_repeats": 0}, ValueError, "n_repeats must be an integer of at least 1"),
        ({"random_state": -1}, ValueError, "random_state must be a non-negative"),
        ({"class_weight": "balance"}, ValueError, "Did you mean 'balanced'"),
        ({"class_weight": 3}, TypeError, "be a dict of class: factor"),
        ({"class_weight": {0: -1}}, ValueError, "positive for every class; got -1 for"),
        ({"class_weight": {0: 0}}, ValueError, "for class 0. Leave rows of a class"),
        ({"hard_weight": 0.5}, TypeError, "and labels beside .* use LinearStudent or"),
        (
            {"hard_weight": 0.5, "loss": "log_probability"},
            TypeError,
            "fits by squares; use LinearStudent or TorchStudent, or a constant corr",
        ),
        ({"hard_weight": None}, TypeError, "hard_weight must be a number .* got None"),
        ({"loss": "identity"}, ValueError, "loss must be one of 'auto', 'probability'"),
        ({"loss": IdentityLoss()}, ValueError, r"got IdentityLoss\(\). Use 'probabil"),
        ({"class_weight": {0: 1, "1": 2}}, ValueError, r"of y, \[0, 1\]; got '1'"),
        ({"class_weight": {0: 1, 1: 2, 2: 3}}, ValueError, "name classes of y.* got 2"),
        ({"cv": GroupKFold(2)}, ValueError, "be given for the splitter GroupKFold"),
        ({"cv": IDS % 2 + 0.0}, TypeError, "folds by integers, .* got 0.0. Number the"),
        (
            {"cv": np.where(Y, "a", "b")},
            TypeError,
            "by integers, or hold .* got '[ab]'",
        ),
        (
            {"student": DecisionTreeRegressor(max_leaf_nodes=1)},
            ValueError,
            "'max_leaf_nodes' parameter of DecisionTreeRegressor must be",
        ),
        (
            {"student": make_pipeline(StandardScaler(), Ridge(alpha=-1.0))},
            ValueError,
            "'alpha' parameter of Ridge must be",
        ),
        ({"teacher": Spy(C=-1.0)}, ValueError, "'C' parameter of Spy must be"),
        ({"student": LinearStudent(ridge=-1)}, ValueError, "ridge must be a number"),
        (
            {"student": make_pipeline(StandardScaler(), LinearStudent(tol=0))},
            ValueError,
            "tol must be a number above 0; got 0",
        ),
        (
            {"student": TorchStudent(MLP((8,), dropout=2))},
            ValueError,
            "dropout must be a number",
        ),
        (
            {"hard_weight": -1.0, "loss": "cross_entropy", "student": LinearStudent()},
            ValueError,
            "hard_weight must be a number at least 0; got -1",
        ),
        (
            {"hard_weight": 1.0, "loss": "probability", "student": LinearStudent()},
            TypeError,
            "Use 'cross_entropy' or 'log_probability'",
        ),
        (
            {"loss": "cross_entropy"},
            TypeError,
            "use loss='probability' or 'log_probability', or LinearStudent",
        ),
        (
            {"loss": "probability", "student": LogisticRegression()},
            TypeError,
            "its scores are log-odds; use loss='cross_entropy'",
        ),
        ({"student": SVC()}, TypeError, "Use KernelRidge instead"),
        ({"student": "oak"}, ValueError, "student must be one of .*; got 'oak'"),
        ({"student": DecisionTreeRegressor}, TypeError, "Pass an instance"),
        (
            {"student": make_pipeline(SelectKBest(k=1), TREE)},
            TypeError,
            r"its step 'selectkbest' \(SelectKBest\) learns from a target",
        ),
    ],
)
def test_settings_that_make_no_sense(settings: Any, error: Any, match: str) -> None:
    refused(distil(**settings), X, Y, error=error, match=match)


@pytest.mark.parametrize(
    ("teacher", "match"),
    [
        (RegressorSpy(), "be a classifier; got RegressorSpy. Use a classifier"),
        (SVC(), "offer predict_proba; got SVC. Wrap it"),
        (LogisticRegression, "Pass an instance"),
        (StandardScaler(), "be a classifier; got StandardScaler"),
    ],
)
@pytest.mark.parametrize("labels", [Y, np.where(Y, "a", "b")])
def test_teachers_that_give_no_probabilities(
    teacher: Any, match: str, labels: Any
) -> None:
    refused(distil(teacher=teacher), X, labels, error=TypeError, match=match)


def test_a_teacher_of_no_known_name() -> None:
    match = "be one of .*'ensemble'.*; got 'forest'"
    refused(distil(teacher="forest"), X, Y, error=ValueError, match=match)


@pytest.mark.parametrize("y", [Y, X[:, 0]])
def test_a_classifier_is_no_teacher_of_a_regression(y: Any) -> None:
    match = "be a regressor; got Spy. Use DistilledClassifier"
    refused(DistilledRegressor(Spy(), TREE), X, y, error=TypeError, match=match)


def test_several_outcomes_need_a_teacher_that_predicts_them() -> None:
    class One(RegressorSpy):
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.target_tags.multi_output = False
            return tags

    match = "predict 2 outputs; got One. Wrap it in sklearn.multioutput"
    refused(DistilledRegressor(One(), TREE), X, X[:, :2], error=TypeError, match=match)


@pytest.mark.parametrize(
    "student",
    [KNeighborsRegressor(), make_pipeline(StandardScaler(), KNeighborsRegressor())],
)
def test_a_student_without_weights_is_refused_where_rows_have_some(
    student: Any,
) -> None:
    match = "student must accept sample_weight; got"
    model = distil(student=student)
    refused(model, X, Y, sample_weight=np.ones(N), error=TypeError, match=match)
    model = distil(student=student, class_weight="balanced")
    refused(model, X, Y, error=TypeError, match=match)


def test_parameters_that_a_search_replaces_are_not_judged() -> None:
    search = GridSearchCV(DecisionTreeRegressor(max_leaf_nodes=1), {"max_depth": [1]})
    search.set_params(param_grid={"max_leaf_nodes": [2, 3]})
    model = DistilledClassifier(LogisticRegression(), search, random_state=0)
    assert model.fit(X, Y).student_.best_params_["max_leaf_nodes"] in {2, 3}


@pytest.mark.parametrize("student", [LogisticRegression(), LinearStudent()])
def test_a_regression_is_no_task_for_log_odds(student: Any) -> None:
    model = DistilledRegressor(RegressorSpy(), student)
    if isinstance(student, LinearStudent):
        other = DistilledRegressor(Ridge(), student, random_state=0).fit(X, X[:, 0])
        assert other.score(X, X[:, 0]) > 0.9
    else:
        match = "its scores are log-odds"
        refused(model, X, X[:, 0], error=TypeError, match=match)


@pytest.mark.parametrize(
    "library", ["lightgbm.LGBMClassifier", "xgboost.XGBClassifier"]
)
def test_two_scores_for_two_classes_are_none_for_a_booster(library: str) -> None:
    package, name = library.split(".")
    booster = getattr(pytest.importorskip(package), name)()
    loss = LogProbabilityLoss(centered=False)
    for student in (booster, make_pipeline(StandardScaler(), booster)):
        model = distil(student=student, loss=loss)
        match = f"{name} has one score for two classes; use LogProbabilityLoss"
        refused(model, X, Y, error=TypeError, match=match)


@pytest.mark.parametrize("loss", ["identity", IdentityLoss()])
@pytest.mark.parametrize("student", [LinearStudent, TorchStudent])
def test_a_student_of_classes_has_no_identity_scale(student: Any, loss: Any) -> None:
    refused(student(loss=loss), X, Y, error=ValueError, match="loss must be")
