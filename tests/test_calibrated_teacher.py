"""Calibration: its four maps against other software, and what they leave alone."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from semikd import CalibratedTeacher
from semikd.simplex import log_softmax, one_hot, softmax
from semikd.teachers._pool import PoolProblem, tied_basis

Floats = NDArray[np.float64]
METHODS = ["temperature", "sigmoid", "beta", "isotonic"]
# A belief that weighs nothing beside the rows.
FREE = 1e-9


class Said(ClassifierMixin, BaseEstimator):
    """A teacher whose probabilities stand in the table, whatever it is fitted to."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Said":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        return np.asarray(X)


def drawn(
    n: int, k: int = 2, slope: float = 1.0, shift: float = 0.0, seed: int = 0
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return what a teacher says, the truth, and labels; the truth has that slope."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, k)) * 1.5
    z[:, 0] = 0.0 if k == 2 else z[:, 0]
    truth = softmax(slope * z + shift * np.eye(k)[-1])
    y = (truth.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return softmax(z), truth, y


def stage(
    p: Floats, y: NDArray[np.intp], method: str, w: Floats | None = None, **more: Any
) -> Any:
    """Return the fitted map of these labels."""
    teacher = CalibratedTeacher(Said(), method=method, **{"penalty": FREE, **more})
    outcome = one_hot(y, p.shape[1])
    return teacher.second_stage([p], None, outcome, sample_weight=w)


def weights(n: int) -> Floats:
    """Return uneven weights of mean about one."""
    return np.random.default_rng(9).exponential(size=n) + 0.1


@pytest.mark.parametrize("weighted", [False, True])
def test_sigmoid_is_the_logit_of_statsmodels_on_log_odds(weighted: bool) -> None:
    import statsmodels.api as sm

    p, _, y = drawn(600, slope=0.6, shift=0.4)
    w = weights(600) if weighted else None
    found = stage(p, y, "sigmoid", w, floor=1e-12)
    table = sm.add_constant(logit(p[:, 1]))
    oracle = sm.GLM(y, table, family=sm.families.Binomial(), freq_weights=w).fit(
        tol=1e-14
    )
    shift = found.shifts[1] - found.shifts[0]
    np.testing.assert_allclose([shift, found.slopes[0, 0]], oracle.params, atol=1e-7)


def test_sigmoid_is_that_of_scikit_learn_but_for_the_targets_of_platt() -> None:
    p, _, y = drawn(20_000, slope=0.6, shift=0.4)
    found = stage(p, y, "sigmoid", floor=1e-12)
    oracle = _SigmoidCalibration().fit(logit(p[:, 1]), y)
    # Their targets are 1 / (n + 2) off 0 and 1.
    assert abs(found.slopes[0, 0] + oracle.a_) < 2e-3
    assert abs(found.shifts[1] - found.shifts[0] + oracle.b_) < 2e-3


@pytest.mark.parametrize("weighted", [False, True])
def test_beta_is_the_logit_of_statsmodels_on_both_logarithms(weighted: bool) -> None:
    import statsmodels.api as sm

    p, _, y = drawn(600, slope=0.6, shift=0.4)
    w = weights(600) if weighted else None
    found = stage(p, y, "beta", w, floor=1e-12)
    table = np.column_stack([np.ones(600), np.log(p[:, 1]), -np.log(p[:, 0])])
    oracle = sm.GLM(y, table, family=sm.families.Binomial(), freq_weights=w).fit(
        tol=1e-14
    )
    assert (oracle.params[1:] > 0).all()
    shift = found.shifts[1] - found.shifts[0]
    ours = [shift, found.slopes[0, 1], found.slopes[0, 0]]
    np.testing.assert_allclose(ours, oracle.params, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_isotonic_is_that_of_scikit_learn(weighted: bool) -> None:
    p, _, y = drawn(600, slope=0.6, shift=0.4)
    w = weights(600) if weighted else None
    found = stage(p, y, "isotonic", w)([p], None)[:, 1]
    oracle = IsotonicRegression().fit(p[:, 1], y, w).predict(p[:, 1])
    inside = (oracle > 0) & (oracle < 1)
    assert inside.sum() > 500
    np.testing.assert_allclose(found[inside], oracle[inside], atol=2e-6)


def test_isotonic_of_three_classes_is_normalised() -> None:
    p, _, y = drawn(600, k=3, slope=0.6)
    found = stage(p, y, "isotonic")([p], None)
    alone = [
        IsotonicRegression().fit(p[:, j], y == j).predict(p[:, j]) for j in (0, 1, 2)
    ]
    table = np.column_stack(alone)
    inside = ((table > 0) & (table < 1)).all(axis=1)
    oracle = table / table.sum(axis=1, keepdims=True)
    assert inside.sum() > 300
    np.testing.assert_allclose(found[inside], oracle[inside], atol=5e-6)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("method", ["temperature", "sigmoid", "beta"])
def test_joint_maps_reach_the_minimum_of_a_generic_optimiser(
    method: str, k: int
) -> None:
    p, _, y = drawn(400, k=k, slope=0.5, shift=0.7)
    w, outcome, penalty = weights(400), one_hot(y, k), 2.0
    found = stage(p, y, method, w, penalty=penalty, floor=1e-12)
    n_slopes, n_shifts = (k if method == "beta" else 1), (method != "temperature") * k

    def loss(theta: Floats) -> float:
        a, b = theta[:n_slopes], theta[n_slopes:]
        scores = a * np.log(p) + (b if n_shifts else 0.0)
        prior = ((a - 1) ** 2).sum() + (b**2).sum()
        terms = (outcome * log_softmax(scores)).sum(axis=1)
        return float(-(w @ terms) + 0.5 * penalty * prior)

    bounds = [(0.0, None)] * n_slopes + [(None, None)] * n_shifts
    start = np.r_[np.ones(n_slopes), np.zeros(n_shifts)]
    oracle = minimize(loss, start, bounds=bounds, method="L-BFGS-B", tol=1e-15)
    ours = np.r_[found.slopes[0][:n_slopes], found.shifts[:n_shifts]]
    np.testing.assert_allclose(ours, oracle.x, atol=2e-4)
    assert loss(ours) <= oracle.fun + 1e-9


def test_derivatives_are_those_of_differences() -> None:
    rng = np.random.default_rng(0)
    basis = tied_basis(2, 3, slopes="each", shifts=True)
    logs = np.concatenate(
        [np.log(rng.dirichlet(np.ones(3), (2, 30))), np.ones((1, 30, 3))]
    )
    outcome, start = one_hot(rng.integers(0, 3, 30), 3), rng.random(basis.shape[1])
    problem = PoolProblem(logs, outcome, weights(30), basis, start, 0.7)
    theta, step = rng.random(len(start)), 1e-5
    gradient, hessian = problem.derivatives(theta)
    moves = step * np.eye(len(theta))
    slopes = [
        (problem.value(theta + m) - problem.value(theta - m)) / (2 * step)
        for m in moves
    ]
    curves = [
        (problem.derivatives(theta + m)[0] - problem.derivatives(theta - m)[0])
        / (2 * step)
        for m in moves
    ]
    np.testing.assert_allclose(gradient, slopes, atol=1e-5)
    np.testing.assert_allclose(hessian, curves, atol=1e-5)


def test_temperature_is_the_best_on_a_fine_grid() -> None:
    p, _, y = drawn(500, k=3, slope=0.4)
    found = stage(p, y, "temperature").slopes[0, 0]
    grid = np.linspace(0.01, 2, 2000)
    losses = [log_loss(y, softmax(a * np.log(p))) for a in grid]
    assert abs(found - grid[int(np.argmin(losses))]) <= 1e-3


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, 0.8), (1.7, -0.5)])
@pytest.mark.parametrize("k", [2, 3])
def test_slope_and_shift_of_the_truth_are_found(
    k: int, slope: float, shift: float
) -> None:
    p, truth, y = drawn(40_000, k=k, slope=slope, shift=shift)
    found = stage(p, y, "sigmoid", penalty=1.0)
    # Four standard errors: a slope has about 1 / sqrt(n p (1 - p) z²) here.
    assert abs(found.slopes[0, 0] - slope) < 0.06
    assert abs(found.shifts[-1] - found.shifts[0] - shift) < 0.08
    off = np.abs(found([p], None) - truth).max()
    assert off < 0.02


@pytest.mark.parametrize("method", METHODS)
def test_a_perfect_teacher_is_left_alone_and_a_wrong_one_is_not(method: str) -> None:
    p, _, y = drawn(20_000, k=3)
    found = stage(p, y, method, penalty=1.0)
    new, new_truth, _ = drawn(5_000, k=3, seed=1)
    moved = np.mean((found([new], None) - new_truth) ** 2)
    # Up to five free numbers: about 5 p (1 - p) / (3 n), and thrice that is not noise.
    assert moved < (4e-4 if method == "isotonic" else 1e-4)
    wrong = softmax(2.5 * np.log(p))
    mended = stage(wrong, y, method, penalty=1.0)([softmax(2.5 * np.log(new))], None)
    before = np.mean((softmax(2.5 * np.log(new)) - new_truth) ** 2)
    assert before > 0.01
    assert np.mean((mended - new_truth) ** 2) < before / 10


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_repetitions(method: str) -> None:
    p, _, y = drawn(300, slope=0.5)
    w = np.random.default_rng(1).integers(0, 4, 300)
    rows = np.repeat(np.arange(300), w)
    kept = w > 0
    weighted = stage(p[kept], y[kept], method, w[kept].astype(float), penalty=1.0)
    repeated = stage(p[rows], y[rows], method, penalty=1.0)
    plain = stage(p, y, method, penalty=1.0)
    np.testing.assert_allclose(weighted([p], None), repeated([p], None), atol=1e-10)
    assert np.abs(weighted([p], None) - plain([p], None)).max() > 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [2, 3])
def test_certain_and_separable_answers_stay_inside_the_simplex(
    method: str, k: int
) -> None:
    y = np.arange(60) % k
    p = one_hot(y, k)
    found = stage(p, y, method, penalty=1.0)([p], None)
    assert found.min() >= 1e-6 * 0.999
    assert np.isfinite(np.log(found)).all()
    assert (found.argmax(axis=1) == y).all()
    flipped = stage(p, (y + 1) % k, method, penalty=1.0)([p], None)
    assert flipped.min() >= 1e-6 * 0.999


@pytest.mark.parametrize("method", METHODS)
def test_no_map_turns_a_ranking_round(method: str) -> None:
    p, _, y = drawn(2_000, slope=-1.0)
    found = stage(p, y, method)([p], None)[:, 1]
    assert np.ptp(found) < 0.05
    assert abs(found.mean() - y.mean()) < (0.1 if method == "temperature" else 0.01)


def test_a_class_that_no_row_has_keeps_a_finite_map() -> None:
    p, _, y = drawn(300, k=3)
    y = np.minimum(y, 1)
    for method in METHODS:
        found = stage(p, y, method, penalty=1.0)([p], None)
        assert np.isfinite(found).all()
        assert (found > 0).all()
        if method != "temperature":
            assert found[:, 2].mean() < 0.05


def test_an_infinite_penalty_calibrates_nothing() -> None:
    p, _, y = drawn(300, slope=0.3)
    for method in ("temperature", "sigmoid", "beta"):
        found = stage(p, y, method, penalty=1e12)([p], None)
        np.testing.assert_allclose(found, p, atol=1e-5)


def test_a_fitted_teacher_says_what_its_parts_say() -> None:
    p, _, y = drawn(400, slope=0.5)
    teacher = CalibratedTeacher(Said(), random_state=0).fit(p, y)
    # The teacher learns nothing: out-of-fold labels are those of the table.
    oracle = stage(p, y, "sigmoid", penalty=1.0)
    np.testing.assert_allclose(teacher.predict_proba(p), oracle([p], None), atol=1e-12)
    assert teacher.model_.stage.slopes.shape == (1, 2)


def test_an_overconfident_teacher_loses_its_overconfidence() -> None:
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 3))
    y = (rng.random(2_000) < expit(X[:, 0])).astype(int)
    new = rng.normal(size=(2_000, 3))
    label = (rng.random(2_000) < expit(new[:, 0])).astype(int)
    grown = DecisionTreeClassifier(min_samples_leaf=3, random_state=0)
    plain = np.clip(grown.fit(X, y).predict_proba(new), 1e-6, 1 - 1e-6)
    for method in METHODS:
        teacher = CalibratedTeacher(grown, method=method, random_state=0).fit(X, y)
        assert log_loss(label, teacher.predict_proba(new)) < log_loss(label, plain) - 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "platt"}, "method must be one of 'temperature'"),
        ({"penalty": 0.0}, "penalty must be a number above 0"),
        ({"floor": 0.0}, "floor must be a number above 0"),
        ({"floor": 0.5}, "at most 0.01"),
        ({"cv": "oob"}, "cv must be folds where a second stage is fitted"),
        ({"cv": 1}, "cv must be an integer of at least 2"),
    ],
)
def test_wrong_settings_are_refused_before_any_fit(
    settings: dict[str, Any], words: str
) -> None:
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    with pytest.raises(ValueError, match=words):
        CalibratedTeacher(LogisticRegression(), **settings).fit(X, y)


def test_regressors_and_single_classes_are_refused() -> None:
    from sklearn.linear_model import Ridge

    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    with pytest.raises(TypeError, match="must offer predict_proba"):
        CalibratedTeacher(Ridge()).fit(X, y)
    with pytest.raises(ValueError, match="at least two classes"):
        CalibratedTeacher(LogisticRegression()).fit(X, 0 * y)
