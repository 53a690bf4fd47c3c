"""The linear student against scikit-learn, statsmodels, lstsq, autograd and scipy."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import torch
from numpy.typing import NDArray
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd.losses import (
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.simplex import one_hot, softmax
from semikd.students import LinearStudent
from semikd.students import linear as linear_module

FloatArray = NDArray[np.float64]
CE = CrossEntropyLoss()


def made(
    n: int = 200, d: int = 4, k: int = 2, seed: int = 0
) -> tuple[FloatArray, FloatArray, NDArray[np.intp], FloatArray]:
    """Return columns off centre, probabilities, labels drawn from them, and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.5, 2, size=d) + rng.normal(size=d)
    p = softmax(X @ rng.normal(size=(d, k)) * 0.7 + rng.normal(size=k))
    y = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    return X, p, y, rng.uniform(0.2, 3.0, size=n)


@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks([LinearStudent()])
def test_it_is_a_scikit_learn_classifier(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("ridge", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("intercept", [True, False])
def test_two_classes_are_logistic_regression(ridge: float, intercept: bool) -> None:
    X, _, y, w = made()
    ours = LinearStudent(ridge=ridge, fit_intercept=intercept).fit(X, y, w)
    theirs = LogisticRegression(
        C=1 / ridge, fit_intercept=intercept, tol=1e-12, solver="newton-cholesky"
    ).fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-9)
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.decision_function(X), atol=1e-9
    )
    assert (ours.predict(X) == theirs.predict(X)).all()


@pytest.mark.parametrize("ridge", [0.1, 1.0])
def test_three_classes_are_multinomial_regression(ridge: float) -> None:
    X, _, y, w = made(k=3)
    ours = LinearStudent(ridge=ridge).fit(X, y, w)
    theirs = LogisticRegression(
        C=1 / ridge, tol=1e-12, max_iter=10_000, solver="newton-cg"
    ).fit(X, y, w)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(
        ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8
    )


@pytest.mark.parametrize("k", [2, 3])
def test_a_soft_target_is_one_row_for_each_class_with_its_share_as_weight(
    k: int,
) -> None:
    X, p, _, w = made(k=k)
    ours = LinearStudent().fit_target(X, CE.phi(p), loss=CE, sample_weight=w)
    labels = np.repeat(np.arange(k), len(X))
    shares = (w * p.T).ravel()
    theirs = LogisticRegression(tol=1e-12, max_iter=10_000, solver="newton-cg")
    theirs.fit(np.tile(X, (k, 1)), labels, shares)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)


def test_a_target_outside_the_unit_interval_is_a_row_of_negative_weight() -> None:
    X, p, y, w = made()
    target = p[:, 1:] + 1.5 * (one_hot(y, 2) - p)[:, 1:]
    assert target.min() < -0.1
    assert target.max() > 1.1
    ours = LinearStudent().fit_target(X, target, loss=CE, sample_weight=w)
    shares = np.concatenate([w * (1 - target[:, 0]), w * target[:, 0]])
    theirs = LogisticRegression(tol=1e-12, max_iter=10_000)
    theirs.fit(np.tile(X, (2, 1)), np.repeat([0, 1], len(X)), shares)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)


def test_without_a_penalty_it_is_a_binomial_generalised_linear_model() -> None:
    X, p, _, w = made()
    noisy = np.clip(p[:, 1] + np.random.default_rng(1).normal(0, 0.1, len(X)), 0, 1)
    ours = LinearStudent(ridge=0.0)
    ours.fit_target(X, noisy[:, None], loss=CE, sample_weight=w)
    glm = sm.GLM(noisy, sm.add_constant(X), sm.families.Binomial(), var_weights=w)
    theirs = glm.fit(tol=1e-14, maxiter=100).params
    np.testing.assert_allclose(ours.coef_[0], theirs[1:], atol=1e-8)
    np.testing.assert_allclose(ours.intercept_[0], theirs[0], atol=1e-8)


def test_without_a_penalty_three_classes_are_centred_and_differ_as_mnlogit_says() -> (
    None
):
    X, _, y, _ = made(k=3)
    ours = LinearStudent(ridge=0.0).fit(X, y)
    theirs = sm.MNLogit(y, sm.add_constant(X)).fit(method="newton", disp=0, tol=1e-14)
    np.testing.assert_allclose(ours.coef_.sum(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_.sum(), 0.0, atol=1e-12)
    difference = (ours.coef_ - ours.coef_[0])[1:].T
    np.testing.assert_allclose(difference, theirs.params[1:], atol=1e-8)


@pytest.mark.parametrize("k", [2, 3])
def test_dependent_columns_get_the_coefficients_of_minimum_norm(k: int) -> None:
    X, _, y, _ = made(k=k)
    twice = np.column_stack([X, 1e3 * X[:, 0] + 5.0, np.ones(len(X))])
    ours = LinearStudent(ridge=0.0).fit(twice, y)
    plain = LinearStudent(ridge=0.0).fit(X, y)
    np.testing.assert_allclose(ours.scores(twice), plain.scores(X), atol=1e-8)
    centred = twice - twice.mean(axis=0)
    shifted = plain.scores(X) - plain.scores(X).mean(axis=0)
    least = np.linalg.pinv(centred, rcond=1e-12) @ shifted
    np.testing.assert_allclose(ours.coef_, least.T, atol=1e-8)


@pytest.mark.parametrize(
    "loss",
    [ProbabilityLoss(), LogProbabilityLoss(), LogProbabilityLoss(centered=False)],
)
@pytest.mark.parametrize("k", [2, 3])
def test_squared_losses_are_least_squares(loss: DistillationLoss, k: int) -> None:
    X, p, _, w = made(k=k)
    target = loss.phi(p)
    ours = LinearStudent(ridge=0.0).fit_target(X, target, loss=loss, sample_weight=w)
    root = np.sqrt(w)[:, None]
    columns = np.column_stack([X, np.ones(len(X))])
    theirs = np.linalg.lstsq(root * columns, root * target)[0]
    np.testing.assert_allclose(ours.coef_, theirs[:-1].T, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, theirs[-1], atol=1e-12)


@pytest.mark.parametrize(
    ("loss", "factor"),
    [(IdentityLoss(), 1.0), (ProbabilityLoss(), 2.0), (LogProbabilityLoss(), 0.5)],
)
def test_under_a_penalty_two_classes_on_one_number_count_their_factor(
    loss: DistillationLoss, factor: float
) -> None:
    X, p, _, w = made()
    target = loss.phi(p)[:, -1:]
    ours = LinearStudent(ridge=3.0).fit_target(X, target, loss=loss, sample_weight=w)
    theirs = Ridge(alpha=3.0 / factor, solver="svd").fit(X, target[:, 0], w)
    np.testing.assert_allclose(ours.coef_[0], theirs.coef_, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_[0], theirs.intercept_, atol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e-9])
def test_least_squares_of_dependent_columns_has_minimum_norm(scale: float) -> None:
    X, p, _, _ = made()
    X = np.column_stack([X, X[:, 0] + X[:, 1], X[:, 0] + scale * p[:, 0]])
    target = LogProbabilityLoss().phi(p)
    ours = LinearStudent(ridge=0.0).fit_target(X, target, loss=LogProbabilityLoss())
    centred = X - X.mean(axis=0)
    theirs = np.linalg.lstsq(centred, target - target.mean(axis=0))[0]
    np.testing.assert_allclose(ours.coef_, theirs.T, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "base",
    [
        CrossEntropyLoss(temperature=3.0),
        LogProbabilityLoss(),
        LogProbabilityLoss(centered=False),
    ],
)
@pytest.mark.parametrize("hard", [0.0, 0.7])
def test_autograd_finds_no_slope_at_the_solution(
    base: DistillationLoss, k: int, hard: float
) -> None:
    X, p, y, w = made(k=k)
    loss = HardLabelMix(base, hard)
    target = loss.with_labels(loss.phi(p), one_hot(y, k))
    student = LinearStudent(ridge=0.3)
    student.fit_target(X, target, loss=loss, sample_weight=w)
    coef = torch.tensor(student.coef_, requires_grad=True)
    intercept = torch.tensor(student.intercept_, requires_grad=True)
    f = torch.tensor(X) @ coef.T + intercept
    value = (torch.tensor(w) * loss.value(f, torch.tensor(target))).sum()
    (value + 0.15 * (coef**2).sum()).backward()
    assert coef.grad is not None
    assert intercept.grad is not None
    assert coef.grad.abs().max() < 1e-9
    assert intercept.grad.abs().max() < 1e-9


def test_centred_and_free_log_scales_predict_alike_without_a_penalty() -> None:
    X, p, _, _ = made(k=3)
    free, centred = LogProbabilityLoss(centered=False), LogProbabilityLoss()
    student = LinearStudent(ridge=0.0)
    first = student.fit_target(X, free.phi(p), loss=free).predict_proba(X)
    second = student.fit_target(X, centred.phi(p), loss=centred).predict_proba(X)
    np.testing.assert_allclose(first, second, atol=1e-12)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_the_solver_for_many_columns_agrees_with_newton(
    k: int, ridge: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, p, _, w = made(k=k)
    student = LinearStudent(ridge=ridge, tol=1e-10)
    exact = student.fit_target(X, CE.phi(p), loss=CE, sample_weight=w).coef_
    monkeypatch.setattr(linear_module, "_NEWTON_COLUMNS", 0)
    long = student.fit_target(X, CE.phi(p), loss=CE, sample_weight=w)
    assert long.n_iter_ > 10
    np.testing.assert_allclose(long.coef_, exact, atol=1e-6)


@pytest.mark.parametrize("newton_columns", [0, 500])
@pytest.mark.parametrize("loss", [CE, ProbabilityLoss()])
def test_sparse_columns_give_the_fit_of_dense_ones(
    loss: DistillationLoss, newton_columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_module, "_NEWTON_COLUMNS", newton_columns)
    X, _, y, w = made(k=3)
    X[np.abs(X) < 0.7] = 0.0
    w[:5] = 0.0
    dense = LinearStudent(loss=loss, tol=1e-10).fit(X, y, w)
    thin = LinearStudent(loss=loss, tol=1e-10).fit(sparse.csr_array(X), y, w)
    np.testing.assert_allclose(thin.coef_, dense.coef_, atol=1e-7)
    np.testing.assert_allclose(
        thin.predict_proba(sparse.csc_matrix(X)), dense.predict_proba(X), atol=1e-7
    )


def test_sparse_dependent_columns_predict_as_dense_ones() -> None:
    X, p, _, _ = made()
    X = np.column_stack([X, X[:, 0]])
    for loss in (CE, LogProbabilityLoss()):
        student = LinearStudent(ridge=0.0)
        dense = student.fit_target(X, loss.phi(p), loss=loss).scores(X)
        thin = student.fit_target(sparse.csr_array(X), loss.phi(p), loss=loss)
        np.testing.assert_allclose(thin.scores(X), dense, atol=1e-8)
        np.testing.assert_allclose(thin.coef_[0, 0], thin.coef_[0, -1], atol=1e-8)


@pytest.mark.parametrize("ridge", [0.0, 1.0])
@pytest.mark.parametrize("k", [2, 3])
def test_a_weight_of_two_is_a_repeated_row_and_zero_is_none(
    ridge: float, k: int
) -> None:
    X, p, _, _ = made(k=k)
    times = np.random.default_rng(0).integers(0, 4, size=len(X))
    student = LinearStudent(ridge=ridge)
    weighted = student.fit_target(
        X, CE.phi(p), loss=CE, sample_weight=times.astype(float)
    ).coef_
    repeated = np.repeat(np.arange(len(X)), times)[::-1]
    again = student.fit_target(X[repeated], CE.phi(p)[repeated], loss=CE).coef_
    np.testing.assert_allclose(weighted, again, rtol=0, atol=1e-11)


@pytest.mark.parametrize("exponent", [-8, 8])
def test_the_units_of_columns_and_weights_do_not_matter(exponent: int) -> None:
    X, p, _, w = made()
    factor = 10.0**exponent
    student = LinearStudent(ridge=0.0)
    plain = student.fit_target(X, CE.phi(p), loss=CE, sample_weight=w).scores(X)
    X[:, 0] *= factor
    scaled = student.fit_target(X, CE.phi(p), loss=CE, sample_weight=factor * w)
    np.testing.assert_allclose(scaled.scores(X), plain, atol=1e-7)


def test_newton_steps_are_shortened_where_full_ones_overshoot() -> None:
    X = np.array([[-1.0], [1.0], [60.0]])
    target = np.array([[0.4], [0.6], [0.0]])
    student = LinearStudent(ridge=1e-3, fit_intercept=False)
    student.fit_target(X, target, loss=CE)
    b = student.coef_[0, 0]
    q = 1 / (1 + np.exp(-X[:, 0] * b))
    assert abs(((q - target[:, 0]) * X[:, 0]).sum() + 1e-3 * b) < 1e-9


SEPARABLE = np.array([[-2.0], [-1.0], [1.0], [2.0]])
TIED = np.array([[-2.0], [0.0], [0.0], [2.0]])


@pytest.mark.parametrize("newton_columns", [0, 500])
@pytest.mark.parametrize("X", [SEPARABLE, TIED])
def test_separable_classes_have_no_minimum_without_a_penalty(
    X: FloatArray, newton_columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_module, "_NEWTON_COLUMNS", newton_columns)
    y = [0, 0, 1, 1]
    with pytest.raises(
        ValueError, match=r"target must leave the loss a minimum.*ridge"
    ):
        LinearStudent(ridge=0.0).fit(X, y)
    assert np.isfinite(LinearStudent(ridge=1e-6).fit(X, y).coef_).all()


def test_one_class_apart_from_the_others_has_no_minimum_without_a_penalty() -> None:
    X, _, y, _ = made(k=3)
    X = np.column_stack([X, (y == 2) * (1.0 + X[:, 0] ** 2)])
    with pytest.raises(ValueError, match="scores that grow without bound"):
        LinearStudent(ridge=0.0).fit(X, y)


def test_one_exception_to_separation_is_enough_for_a_minimum() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 1))
    y = (X[:, 0] > 0).astype(int)
    y[np.argmin(np.where(X[:, 0] > 0.01, X[:, 0], np.inf))] = 0
    student = LinearStudent(ridge=0.0).fit(X, y)
    residual = student.predict_proba(X)[:, 1] - y
    assert abs(residual @ X[:, 0]) < 1e-8
    assert abs(residual.sum()) < 1e-8


@pytest.mark.parametrize("k", [2, 3])
def test_corrections_that_leave_no_minimum_are_refused_and_ridge_mends_them(
    k: int,
) -> None:
    X, _, y, _ = made(n=40, d=8, k=k)
    uniform = np.full((len(X), k), 1 / k)
    target = CE.phi(uniform + 2.0 * (one_hot(y, k) - uniform))
    with pytest.raises(
        ValueError, match="Use a ridge above 0, or a smaller correction"
    ):
        LinearStudent(ridge=0.0).fit_target(X, target, loss=CE)
    fitted = LinearStudent(ridge=1.0).fit_target(X, target, loss=CE)
    assert np.isfinite(fitted.coef_).all()


def lowest_slope(X: FloatArray, target: FloatArray) -> float:
    """Return the lowest slope at infinity within a box, by linear program."""
    columns = np.column_stack([X, np.ones(len(X))])
    n, c = columns.shape
    cost = np.concatenate([np.ones(n), -columns.T @ target[:, 0]])
    found = optimize.linprog(
        cost,
        A_ub=np.column_stack([-np.eye(n), columns]),
        b_ub=np.zeros(n),
        bounds=[(0, None)] * n + [(-1, 1)] * c,
    )
    return float(found.fun)


def test_a_minimum_is_missed_exactly_where_a_linear_program_finds_an_escape() -> None:
    refused = []
    for seed in range(100):
        X, p, y, _ = made(n=15, d=2, seed=seed)
        target = p[:, 1:] + 1.3 * (one_hot(y, 2) - p)[:, 1:]
        escapes = lowest_slope(X, target) < -1e-9
        try:
            LinearStudent(ridge=0.0).fit_target(X, target, loss=CE)
        except ValueError:
            refused.append(True)
            assert escapes, seed
        else:
            refused.append(False)
            assert not escapes, seed
    assert 10 < sum(refused) < 90


@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_a_mean_target_outside_the_simplex_has_no_finite_intercept(
    ridge: float,
) -> None:
    X, p, _, _ = made(k=3)
    target = p + np.array([0.6, 0.0, -0.6])
    with pytest.raises(ValueError, match="have a positive mean for every class"):
        LinearStudent(ridge=ridge).fit_target(X, target, loss=CE)
    free = LinearStudent(ridge=1.0, fit_intercept=False)
    assert np.isfinite(free.fit_target(X, target, loss=CE).coef_).all()


@pytest.mark.parametrize("constant", [0.0, 1.0, 1.2])
def test_a_constant_target_on_or_beyond_the_edge_is_refused(constant: float) -> None:
    X = made()[0]
    with pytest.raises(ValueError, match="have a positive mean for every class"):
        LinearStudent().fit_target(X, np.full((len(X), 1), constant), loss=CE)


def test_a_constant_target_inside_is_all_intercept() -> None:
    X = made()[0]
    student = LinearStudent(ridge=0.0)
    student.fit_target(X, np.full((len(X), 1), 0.8), loss=CE)
    np.testing.assert_allclose(student.coef_, 0.0, atol=1e-9)
    np.testing.assert_allclose(student.intercept_, np.log(4.0))


def test_targets_that_do_not_sum_to_one_are_met_too() -> None:
    X, p, _, _ = made(k=3)
    target = p * np.random.default_rng(0).uniform(0.3, 2.5, size=(len(X), 1))
    student = LinearStudent().fit_target(X, target, loss=CE)
    slope = X.T @ CE.gradient(student.scores(X), target) + student.coef_.T
    np.testing.assert_allclose(slope, 0.0, atol=1e-5)


@pytest.mark.parametrize("newton_columns", [0, 500])
def test_stopping_early_warns_with_the_size_of_the_last_step(
    newton_columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_module, "_NEWTON_COLUMNS", newton_columns)
    monkeypatch.setattr("semikd.students._newton._LBFGS_STEPS", 1)
    X, _, y, _ = made()
    with pytest.warns(ConvergenceWarning, match=r"did not converge in \d+ steps.*e-"):
        LinearStudent(max_iter=2).fit(X, y)


def test_the_probability_scale_predicts_the_second_class_above_one_half() -> None:
    X, _, y, _ = made()
    student = LinearStudent(loss="probability").fit(X, y)
    assert ((student.scores(X)[:, 0] > 0.5) == (student.predict(X) == 1)).all()
    assert 0 < student.predict(X).mean() < 1


def test_it_reports_its_size_and_names_of_columns() -> None:
    X, _, y, _ = made(k=3)
    student = LinearStudent().fit(pd.DataFrame(X, columns=list("abcd")), y)
    assert list(student.feature_names_in_) == ["a", "b", "c", "d"]
    assert student.n_coefficients() == 15
    assert student.size().coefficients == 15
    assert LinearStudent(fit_intercept=False).fit(X, y).n_coefficients() == 12
    assert student.complexity(n_samples=150, n_features=4, n_outputs=3) == 5 / 150
    assert student.complexity(n_samples=2, n_features=4, n_outputs=3) == 1.0
    assert student.supports(CE, (-0.5, 1.5)) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ridge": -1.0}, "ridge must be a number at least 0; got -1.0"),
        ({"tol": 0.0}, "tol must be a number above 0; got 0.0"),
        ({"max_iter": 0}, "max_iter must be an integer of at least 1; got 0"),
        ({"loss": "cross_entropi"}, "Did you mean 'cross_entropy'"),
    ],
)
def test_settings_out_of_range_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    X, _, y, _ = made()
    with pytest.raises(ValueError, match=message):
        LinearStudent(**settings).fit(X, y)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.full((200, 1), np.nan), "target must be finite; got nan in row 0"),
        (np.full((200, 1), np.inf), "target must be finite; got inf in row 0"),
        (np.zeros((199, 1)), r"target must have shape \(200, any\); got \(199, 1\)"),
        (np.zeros(200), r"target must have shape \(200, any\); got \(200,\)"),
    ],
)
def test_targets_that_do_not_fit_the_rows_are_refused(
    target: FloatArray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        LinearStudent().fit_target(made()[0], target, loss=CE)


def test_weights_and_labels_that_leave_nothing_to_learn_are_refused() -> None:
    X, _, y, w = made()
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        LinearStudent().fit(X, y, -w)
    with pytest.raises(ValueError, match="sample_weight must have a positive sum"):
        LinearStudent().fit(X, y, 0 * w)
    with pytest.raises(ValueError, match="have at least two classes; got 1 class: 1"):
        LinearStudent().fit(X, np.ones(len(X), dtype=int))
    with pytest.raises(ValueError, match="have a positive mean for every class"):
        LinearStudent().fit(X, y, w * (y == 1))


def test_an_unfitted_student_says_so() -> None:
    for method in ("scores", "predict", "predict_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(LinearStudent(), method)(made()[0])
    with pytest.raises(NotFittedError):
        LinearStudent().n_coefficients()


def test_a_failed_refit_leaves_the_first_model_as_it_was() -> None:
    X, y = np.array([[-1.0], [1.0], [-2.0], [2.0]]), np.array([0, 1, 1, 0])
    student = LinearStudent(ridge=0.0).fit(X, y)
    before = student.predict_proba(X)
    with pytest.raises(ValueError, match="ridge"):
        student.fit(X, np.array(["a", "b", "a", "b"]))
    np.testing.assert_array_equal(student.classes_, [0, 1])
    np.testing.assert_array_equal(student.predict_proba(X), before)
