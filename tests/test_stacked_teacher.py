"""Stacking: its weights against other solvers, and what they are good for."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from semikd import CalibratedTeacher, StackedTeacher, cross_fit, load_dataset
from semikd.simplex import log_softmax, one_hot, softmax

Floats = NDArray[np.float64]


class Column(ClassifierMixin, BaseEstimator):
    """A teacher that reads the log-odds of its classes off some columns."""

    def __init__(self, first: int = 0, k: int = 2) -> None:
        self.first = first
        self.k = k

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Column":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        scores = np.asarray(X)[:, self.first : self.first + self.k - 1]
        return np.asarray(softmax(np.column_stack([np.zeros(len(X)), scores])))


def drawn(
    n: int, weights: list[float], shift: float = 0.0, k: int = 2
) -> tuple[Floats, NDArray[np.intp]]:
    """Return scores of each teacher side by side, and labels of the pool."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, len(weights) * (k - 1)))
    scores = sum(
        w * X[:, m * (k - 1) : (m + 1) * (k - 1)] for m, w in enumerate(weights)
    )
    p = softmax(np.column_stack([np.zeros(n), scores + shift]))
    return X, (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)


def members(m: int, k: int = 2) -> list[Any]:
    """Return the teachers of these scores."""
    return [Column(at * (k - 1), k) for at in range(m)]


def answers(X: Floats, m: int, k: int = 2) -> list[Floats]:
    """Return what they say."""
    y = np.arange(len(X)) % k
    return [each.fit(X, y).predict_proba(X) for each in members(m, k)]


@pytest.mark.parametrize("weighted", [False, True])
def test_two_classes_are_the_logit_of_statsmodels_on_all_log_odds(
    weighted: bool,
) -> None:
    import statsmodels.api as sm

    X, y = drawn(800, [0.4, 0.9, 0.3], shift=0.5)
    w = np.random.default_rng(1).exponential(size=800) + 0.1 if weighted else None
    teacher = StackedTeacher(members(3), penalty=1e-9, floor=1e-12, random_state=0)
    teacher.fit(X, y, sample_weight=w)
    table = sm.add_constant(np.column_stack([logit(p[:, 1]) for p in answers(X, 3)]))
    family = sm.families.Binomial()
    oracle = sm.GLM(y, table, family=family, freq_weights=w).fit(tol=1e-14)
    assert (oracle.params[1:] > 0).all()
    np.testing.assert_allclose(teacher.weights_, oracle.params[1:], atol=1e-7)
    shifts = teacher.model_.stage.shifts
    np.testing.assert_allclose(shifts[1] - shifts[0], oracle.params[0], atol=1e-7)
    oracle_p = expit(table @ oracle.params)
    np.testing.assert_allclose(teacher.predict_proba(X)[:, 1], oracle_p, atol=1e-7)


def test_more_classes_reach_the_minimum_of_a_generic_optimiser() -> None:
    X, y = drawn(500, [0.5, 0.8], shift=0.3, k=4)
    teacher = StackedTeacher(members(2, 4), penalty=3.0, floor=1e-12, random_state=0)
    weights = teacher.fit(X, y).weights_
    logs = np.log(np.stack(answers(X, 2, 4)))

    def loss(theta: Floats) -> float:
        scores = np.einsum("m,mnk->nk", theta[:2], logs) + theta[2:]
        off = theta - np.r_[0.5, 0.5, np.zeros(4)]
        fit = -(one_hot(y, 4) * log_softmax(scores)).sum()
        return float(fit + 1.5 * off @ off)

    bounds = [(0.0, None)] * 2 + [(None, None)] * 4
    oracle = minimize(loss, np.r_[0.5, 0.5, np.zeros(4)], bounds=bounds, tol=1e-14)
    np.testing.assert_allclose(weights, oracle.x[:2], atol=1e-4)
    ours = np.r_[weights, teacher.model_.stage.shifts]
    assert loss(ours) <= oracle.fun + 1e-9


def test_the_weights_of_the_truth_are_found() -> None:
    X, y = drawn(40_000, [0.7, 0.0, 1.1], shift=-0.4)
    found = StackedTeacher(members(3), random_state=0).fit(X, y).weights_
    # Four standard errors, 1 / sqrt(0.15 n) each.
    np.testing.assert_allclose(found, [0.7, 0.0, 1.1], atol=0.055)


def test_a_teacher_that_points_the_wrong_way_gets_nothing() -> None:
    X, y = drawn(2_000, [1.0, -0.8])
    found = StackedTeacher(members(2), random_state=0).fit(X, y)
    assert found.weights_[1] == 0.0
    # The others are then as good as they are alone.
    alone = CalibratedTeacher(members(1)[0], penalty=1.0, random_state=0).fit(X, y)
    np.testing.assert_allclose(
        found.predict_proba(X), alone.predict_proba(X), atol=2e-3
    )


def test_a_stack_of_one_is_sigmoid_calibration() -> None:
    X, y = drawn(400, [0.6], shift=0.3)
    one = StackedTeacher([GaussianNB()], random_state=0).fit(X, y)
    other = CalibratedTeacher(GaussianNB(), random_state=0).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_an_infinite_penalty_is_the_geometric_mean() -> None:
    X, y = drawn(400, [0.6, 0.1], k=3)
    found = StackedTeacher(members(2, 3), penalty=1e12, random_state=0).fit(X, y)
    np.testing.assert_allclose(found.weights_, 0.5, atol=1e-6)
    mean = softmax(np.log(np.stack(answers(X, 2, 3))).mean(axis=0))
    np.testing.assert_allclose(found.predict_proba(X), mean, atol=1e-5)


def test_copies_of_a_teacher_share_its_weight() -> None:
    X, y = drawn(1_000, [0.8])
    one = StackedTeacher(members(1), penalty=1e-6, random_state=0).fit(X, y)
    three = StackedTeacher(members(1) * 3, penalty=1e-6, random_state=0).fit(X, y)
    np.testing.assert_allclose(three.weights_, one.weights_[0] / 3, rtol=1e-4)


def test_honest_labels_give_a_memory_no_weight() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))
    y = (rng.random(600) < expit(X[:, 0])).astype(int)
    memory = DecisionTreeClassifier(random_state=0)
    stack = StackedTeacher([LogisticRegression(), memory], random_state=0).fit(X, y)
    assert stack.weights_[1] < 0.1 * stack.weights_[0]
    # In sample the tree is perfect: a stack of in-sample labels would trust it.
    own = [each.fit(X, y).predict_proba(X) for each in stack.teachers]
    naive = stack.second_stage(own, X, one_hot(y, 2))
    assert naive.slopes[1, 0] > naive.slopes[0, 0] / 10


def test_two_halves_of_the_truth_are_better_together() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4_000, 2))
    y = (rng.random(4_000) < expit(2 * X[:, 0] + 3 * np.sin(3 * X[:, 1]))).astype(int)
    halves = [GaussianNB(), DecisionTreeClassifier(min_samples_leaf=50, random_state=0)]
    train, test = slice(0, 2_000), slice(2_000, None)
    found = StackedTeacher(halves, random_state=0).fit(X[train], y[train])
    loss = log_loss(y[test], found.predict_proba(X[test]))
    for each in halves:
        alone = clone(each).fit(X[train], y[train]).predict_proba(X[test])
        assert loss < log_loss(y[test], np.clip(alone, 1e-6, 1)) - 0.02


def test_certain_answers_leave_all_finite() -> None:
    X = np.arange(60.0)[:, None]
    y = (X[:, 0] > 29).astype(int)
    trees = [DecisionTreeClassifier(random_state=seed) for seed in (0, 1)]
    found = StackedTeacher(trees, random_state=0).fit(X, y)
    assert np.isfinite(found.weights_).all()
    assert found.predict_proba(X).min() > 0.9e-6


@pytest.mark.parametrize(
    ("teachers", "error", "words"),
    [
        ([], TypeError, "teachers must be a list of classifiers; got none"),
        (GaussianNB(), TypeError, "teachers must be a list of classifiers; got Gauss"),
        ([GaussianNB(), Ridge()], TypeError, "teachers must offer predict_proba"),
        ([GaussianNB], TypeError, "must be an estimator with a fit method"),
    ],
)
def test_wrong_teachers_are_refused_before_any_fit(
    teachers: Any, error: type[Exception], words: str
) -> None:
    X, y = drawn(30, [1.0])
    with pytest.raises(error, match=words):
        StackedTeacher(teachers).fit(X, y)
    with pytest.raises(error, match=words):
        cross_fit(StackedTeacher(teachers), X, y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"penalty": -1.0}, "penalty must be a number above 0"),
        ({"floor": 0.2}, "floor must be a number above 0 and at most 0.01"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    X, y = drawn(30, [1.0])
    with pytest.raises(ValueError, match=words):
        StackedTeacher([GaussianNB()], **settings).fit(X, y)


def test_a_member_that_takes_no_weights_is_refused_with_them() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    X, y = drawn(60, [1.0])
    stack = StackedTeacher([GaussianNB(), KNeighborsClassifier()])
    with pytest.raises(TypeError, match="must accept sample_weight; got KNeighbors"):
        stack.fit(X, y, sample_weight=np.ones(60))


@pytest.mark.slow
def test_the_default_stack_is_at_least_its_best_member_on_real_data() -> None:
    from semikd import BoostingTeacher

    data = load_dataset("fair")
    rows = np.random.default_rng(0).permutation(len(data.y))
    y = np.unique(data.y, return_inverse=True)[1][rows]
    X = data.X.iloc[rows].reset_index(drop=True)
    train, test = np.arange(2_000), np.arange(2_000, len(y))
    parts = X.iloc[train], y[train]
    stack = StackedTeacher(random_state=0).fit(*parts)
    boosting = BoostingTeacher(random_state=0).fit(*parts)
    losses = [
        log_loss(y[test], each.predict_proba(X.iloc[test]))
        for each in (stack, boosting)
    ]
    # 4,366 rows: the paired difference has a standard error of about 0.002.
    assert losses[0] < losses[1] + 0.002
    assert stack.weights_.shape == (3,)
