"""Leave-one-out labels of least squares and kernels, against refits without the row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    LinearRegression,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from semikd.crossfit.folds import Rows
from semikd.crossfit.indicators import fits_indicators, indicator_probabilities
from semikd.crossfit.rows import row_hashes
from semikd.crossfit.shortcuts import FallBack
from semikd.crossfit.shortcuts.exact import EXACT
from semikd.crossfit.shortcuts.kernel import KERNEL
from semikd.crossfit.shortcuts.left_out import _solve
from semikd.crossfit.shortcuts.ridge import RIDGE
from semikd.crossfit.shortcuts.smoother import SMOOTHER

Floats = NDArray[np.float64]


def described(X: Any, y: Any = None, groups: Any = None, weights: Any = None) -> Rows:
    """Return what cross-fitting knows of rows; with labels, also their classes."""
    codes, classes = np.zeros(X.shape[0], dtype=int), None
    if y is not None:
        classes, codes = np.unique(y, return_inverse=True)
    return Rows(row_hashes(X), codes, classes, groups, weights)


def left_out(teacher: Any, X: Any, y: Any, rows: Rows) -> Floats:
    """Return the labels of the one shortcut that serves this teacher."""
    (serves,) = [one for one in EXACT if one.handles(teacher)]
    assert serves.why_not(teacher, X, rows) is None
    return serves.labels(teacher, X, y, rows, seed=0, n_jobs=None).prediction


def refits(teacher: Any, X: Any, y: Any, rows: Rows, answer: str = "predict") -> Floats:
    """Return what refits without each unit, row by row, say of it."""
    said: dict[int, Floats] = {}
    counts = np.ones(X.shape[0]) if rows.weights is None else rows.weights
    for unit in np.unique(rows.units[rows.active]):
        own = np.flatnonzero((rows.units == unit) & (counts > 0))
        rest = np.flatnonzero((rows.units != unit) & (counts > 0))
        weights = {} if rows.weights is None else {"sample_weight": counts[rest]}
        fitted = clone(teacher).fit(X[rest], y[rest], **weights)
        values = getattr(fitted, answer)(X[own])
        said |= dict(zip(own.tolist(), values, strict=True))
    width = np.size(next(iter(said.values())))
    table = np.full((X.shape[0], width), np.nan)
    for row, values in said.items():
        table[row] = values
    return table


def made(n: int, d: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return rows with copies, off the origin, and two outcomes that follow them."""
    rng = np.random.default_rng(seed)
    X = 3.0 + rng.normal(size=(n, d))
    X = np.concatenate([X, X[:7], X[:3]])
    y = X[:, :1] + X[:, 1:2] ** 2 * [0.5, -1.0] + rng.normal(size=(len(X), 2))
    return X, y


def some_weights(n: int, seed: int = 0) -> Floats:
    """Return uneven weights, a fifth of them zero."""
    rng = np.random.default_rng(seed)
    return rng.random(n) * (rng.random(n) < 0.8)


@pytest.mark.parametrize(("n", "d"), [(40, 5), (20, 30)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_groups", [None, 15, 3])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("alpha", [1.0, np.array([0.1, 10.0])], ids=["one", "two"])
def test_ridge_equals_refits_without_the_row_its_copies_or_its_group(
    n: int, d: int, weighted: bool, n_groups: int | None, intercept: bool, alpha: Any
) -> None:
    X, y = made(n, d)
    groups = None
    if n_groups:
        groups = np.random.default_rng(1).integers(0, n_groups, len(X))
    weights = some_weights(len(X)) if weighted else None
    rows = described(X, groups=groups, weights=weights)
    ridge = Ridge(alpha, fit_intercept=intercept)
    expected = refits(ridge, X, y, rows)
    np.testing.assert_allclose(left_out(ridge, X, y, rows), expected, atol=1e-10)
    assert np.isnan(expected).any() == weighted


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("n_groups", [None, 6])
def test_a_tiny_penalty_loses_nothing_where_columns_outnumber_rows(
    intercept: bool, n_groups: int | None
) -> None:
    X, y = (table[:20] for table in made(20, 30))
    groups = None if n_groups is None else np.arange(len(X)) % n_groups
    rows = described(X, groups=groups)
    ridge = Ridge(1e-6, fit_intercept=intercept, solver="cholesky")
    expected = refits(ridge, X, y, rows)
    np.testing.assert_allclose(left_out(ridge, X, y, rows), expected, atol=1e-8)


def test_without_weights_groups_or_copies_the_formula_of_allen_holds() -> None:
    X, y = made(30, 4)
    X, y = X[:30], y[:30, 0]
    centred = np.column_stack([np.ones(30), X - X.mean(axis=0)])
    penalty = np.diag([0.0, *np.full(4, 2.0)])
    hat = centred @ np.linalg.solve(centred.T @ centred + penalty, centred.T)
    h = np.diag(hat)
    expected = (hat @ y - h * y) / (1 - h)
    labels = left_out(Ridge(2.0), X, y, described(X))
    np.testing.assert_allclose(labels[:, 0], expected, rtol=1e-10)


@pytest.mark.parametrize("solver", ["lsqr", "sparse_cg", "sag"])
def test_labels_are_exact_though_the_solver_stops_early(solver: str) -> None:
    X, y = made(40, 5)
    rows = described(X)
    early = Ridge(solver=solver, max_iter=2, tol=1.0, random_state=0)
    exact = refits(Ridge(), X, y, rows)
    labels = left_out(early, X, y, rows)
    np.testing.assert_allclose(labels, exact, atol=1e-10)


def test_a_weight_of_two_is_a_copy_and_the_order_plays_no_part() -> None:
    X, y = made(30, 4)
    X, y, twice = X[:30], y[:30], np.r_[np.arange(30), np.arange(10)]
    weights = np.r_[np.full(10, 2.0), np.ones(20)]
    weighted = left_out(Ridge(), X, y, described(X, weights=weights))
    repeated = left_out(Ridge(), X[twice], y[twice], described(X[twice]))
    np.testing.assert_allclose(repeated, weighted[twice], rtol=1e-10)
    order = np.random.default_rng(0).permutation(40)
    X, y = X[twice][order], y[twice][order]
    moved = left_out(Ridge(), X, y, described(X))
    np.testing.assert_allclose(moved, repeated[order], rtol=1e-10)


def test_a_large_penalty_leaves_the_mean_of_the_other_rows() -> None:
    X, y = made(10, 2)
    X, y = X[:10], y[:10, 0]
    labels = left_out(Ridge(1e12), X, y, described(X))
    np.testing.assert_allclose(labels[:, 0], (y.sum() - y) / 9, rtol=1e-8)


@pytest.mark.parametrize("teacher", [LinearRegression(), Ridge(0.0), Ridge(1e-13)])
def test_a_row_that_alone_determines_a_coefficient_gets_no_label(teacher: Any) -> None:
    X, y = made(40, 5)
    X[4, 2:] = X[5, 2:]
    X = np.column_stack([X, np.zeros(len(X))])
    X[4, 5] = 1.0
    X[44, :] = X[4, :]
    rows = described(X)
    labels = left_out(teacher, X, y, rows)
    assert np.flatnonzero(np.isnan(labels).any(axis=1)).tolist() == [4, 44]
    kept = np.isfinite(labels)
    expected = refits(LinearRegression(), X, y, rows)
    np.testing.assert_allclose(labels[kept], expected[kept], atol=1e-8)


@pytest.mark.parametrize("teacher", [LinearRegression(), Ridge(1e-13)])
def test_a_group_that_alone_determines_a_coefficient_gets_no_label(
    teacher: Any,
) -> None:
    X, y = made(40, 5)
    groups = np.arange(len(X)) // 4
    own = groups == 3
    X = np.column_stack([X, own * 1.0])
    labels = left_out(teacher, X, y, described(X, groups=groups))
    np.testing.assert_array_equal(np.isnan(labels).all(axis=1), own)
    np.testing.assert_array_equal(np.isnan(labels).any(axis=1), own)


def test_a_block_that_is_singular_however_it_is_rounded_gets_no_label() -> None:
    less = 1.0 - np.finfo(np.float64).eps
    # With a rounding error more on the diagonal the first is a matrix of ones.
    blocks = np.array([[[less, 1.0], [1.0, less]], [[2.0, 0.0], [0.0, 4.0]]])
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.inv(blocks + (1.0 - less) * np.eye(2))
    solved = _solve(blocks, np.ones((2, 2, 1)))
    assert np.isnan(solved[0]).all()
    np.testing.assert_allclose(solved[1, :, 0], [0.5, 0.25])


def test_a_penalty_gives_that_row_its_label_back() -> None:
    X, y = made(40, 5)
    X = np.column_stack([X, np.arange(len(X)) == 4])
    rows = described(X)
    expected = refits(Ridge(1e-3), X, y, rows)
    labels = left_out(Ridge(1e-3), X, y, rows)
    np.testing.assert_allclose(labels, expected, atol=1e-8)


def test_least_squares_with_redundant_columns_equals_refits() -> None:
    X, y = made(40, 3)
    levels = np.eye(4)[np.arange(len(X)) % 4]
    X = np.column_stack([X, levels, X[:, 0] + X[:, 1]])
    rows = described(X)
    expected = refits(LinearRegression(), X, y, rows)
    labels = left_out(LinearRegression(), X, y, rows)
    np.testing.assert_allclose(labels, expected, atol=1e-8)


def test_columns_of_unlike_scale_equal_refits_by_singular_values() -> None:
    X, y = made(40, 4)
    X = (X - 3.0) * [1e7, 1.0, 1e-4, 1e-7]
    rows = described(X)
    ridge = Ridge(1e-12, solver="svd")
    expected = refits(ridge, X, y, rows)
    np.testing.assert_allclose(left_out(ridge, X, y, rows), expected, atol=1e-7)


def test_where_every_row_is_needed_no_label_is_made() -> None:
    X, y = made(6, 9)
    with pytest.raises(FallBack, match="all rows determine a coefficient alone"):
        left_out(LinearRegression(), X, y, described(X))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("class_weight", [None, {0: 1.0, 1: 3.0, 2: 0.5}])
def test_a_ridge_classifier_says_the_probabilities_of_its_refits(
    k: int, class_weight: dict[int, float] | None
) -> None:
    X, outcomes = made(60, 4)
    y = (outcomes[:, 0] > 5).astype(int) + (k > 2) * (outcomes[:, 1] > -2)
    weights = some_weights(len(X))
    classes = None
    if class_weight is not None:
        classes = {label: class_weight[label] for label in range(k)}
    ridge = RidgeClassifier(class_weight=classes)
    rows = described(X, y, weights=weights)
    decision = refits(ridge, X, y, rows, "decision_function")
    expected = indicator_probabilities(decision, signed=True)
    labels = left_out(ridge, X, y, rows)
    np.testing.assert_allclose(labels, expected, atol=1e-10)
    kept = weights > 0
    np.testing.assert_allclose(labels[kept].sum(axis=1), 1.0)
    assert labels[kept].min() >= 0


@pytest.mark.parametrize("intercept", [False, True])
def test_a_sparse_table_has_the_labels_of_the_dense_one(intercept: bool) -> None:
    X, y = made(40, 5)
    X[X < 3] = 0.0
    rows = described(X)
    ridge = Ridge(fit_intercept=intercept)
    dense = left_out(ridge, X, y, rows)
    thin = left_out(ridge, sparse.csc_array(X), y, described(sparse.csc_array(X)))
    np.testing.assert_allclose(thin, dense, rtol=1e-10)


def test_a_sparse_table_too_large_to_spell_out_falls_back() -> None:
    X = sparse.random_array((20_001, 1000), density=1e-4, rng=0).tocsr()
    X.data[:] = np.arange(X.nnz)
    rows = Rows(np.arange(20_001, dtype=np.uint64), np.zeros(20_001), None, None, None)
    with pytest.raises(FallBack, match="20,001,000 cells"):
        left_out(Ridge(), X, X[:, [0]].toarray(), rows)


def test_single_precision_rows_are_left_out_in_double() -> None:
    X, y = made(40, 5)
    X = X.astype(np.float32)
    rows = described(X)
    expected = refits(Ridge(), X.astype(np.float64), y, rows)
    np.testing.assert_allclose(left_out(Ridge(), X, y, rows), expected, atol=1e-10)


def test_a_pipeline_leaves_rows_out_of_its_learner() -> None:
    X, y = made(40, 5)
    rows = described(X)
    pipeline = make_pipeline(StandardScaler(), Ridge())
    found = RIDGE.labels(pipeline, X, y, rows, seed=0, n_jobs=None)
    scaled = StandardScaler().fit_transform(X)
    expected = refits(Ridge(), scaled, y, rows)
    np.testing.assert_allclose(found.prediction, expected, atol=1e-10)
    fitted = clone(pipeline).fit(X, y)
    np.testing.assert_allclose(found.teacher.predict(X), fitted.predict(X))


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
def test_the_teacher_is_the_plain_fit_to_all_rows(
    intercept: bool, weighted: bool, outputs: int
) -> None:
    X, y = made(60, 4)
    y, alpha = (y, [0.1, 10.0]) if outputs == 2 else (y[:, 0], 3.0)
    weights = some_weights(len(X)) if weighted else None
    ridge = Ridge(np.array(alpha), fit_intercept=intercept)
    rows = described(X, weights=weights)
    found = RIDGE.labels(ridge, X, y, rows, seed=0, n_jobs=None).teacher
    plain = clone(ridge).fit(X, y, weights)
    assert found.coef_.shape == plain.coef_.shape
    np.testing.assert_allclose(found.coef_, plain.coef_, rtol=1e-10)
    np.testing.assert_allclose(found.intercept_, plain.intercept_, rtol=1e-10)
    assert set(vars(found)) == set(vars(plain))
    assert found.n_features_in_ == 4


def test_the_teacher_of_a_frame_knows_its_columns() -> None:
    X, y = made(60, 2)
    frame = pd.DataFrame(X, columns=["a", "b"])
    found = RIDGE.labels(Ridge(), frame, y, described(X), seed=0, n_jobs=None)
    assert found.teacher.feature_names_in_.tolist() == ["a", "b"]
    np.testing.assert_allclose(found.prediction, left_out(Ridge(), X, y, described(X)))


@pytest.mark.parametrize("intercept", [False, True])
def test_redundant_columns_and_unlike_units_are_no_trouble_for_ridge(
    intercept: bool,
) -> None:
    X, y = made(60, 2)
    levels = np.eye(3)[np.arange(len(X)) % 3]
    X = np.column_stack([X * [30.0, 0.01], X.sum(axis=1), levels, np.ones(len(X))])
    rows, ridge = described(X), Ridge(0.1, fit_intercept=intercept)
    found = RIDGE.labels(ridge, X, y, rows, seed=0, n_jobs=None)
    expected = refits(ridge, X, y, rows)
    np.testing.assert_allclose(found.prediction, expected, rtol=1e-8)
    plain = clone(ridge).fit(X, y)
    np.testing.assert_allclose(found.teacher.predict(X), plain.predict(X), rtol=1e-8)
    small = found.teacher.coef_[:, 1], plain.coef_[:, 1]
    np.testing.assert_allclose(*small, rtol=1e-8)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (Ridge(alpha="much"), "'alpha' parameter of Ridge"),
        (Ridge(alpha=np.ones(3)), "Number of targets and number of penalties"),
        (Ridge(), "NaN"),
    ],
    ids=["word", "three", "missing"],
)
def test_what_ridge_refuses_is_refused_in_its_own_words(
    teacher: Any, message: str
) -> None:
    X, y = made(60, 2)
    rows = described(X)
    if message == "NaN":
        X[3] = np.nan
    with pytest.raises(ValueError, match=message):
        RIDGE.labels(teacher, X, y, rows, seed=0, n_jobs=None)


def test_neither_table_nor_teacher_is_changed() -> None:
    X, y = made(40, 5)
    before, ridge = (X.copy(), y.copy()), Ridge()
    left_out(ridge, X, y, described(X, weights=some_weights(len(X))))
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert not hasattr(ridge, "coef_")


@pytest.mark.parametrize(
    ("teacher", "reason"),
    [
        (RidgeCV(), "RidgeCV chooses alpha on the outcomes of all rows"),
        (RidgeClassifierCV(), "chooses alpha on the outcomes of all rows"),
        (Ridge(positive=True), "no longer linear in the outcomes"),
        (LinearRegression(positive=True), "no longer linear"),
        (Ridge(copy_X=False), "overwrites the rows"),
        (RidgeClassifier(class_weight="balanced"), "counts the classes of all rows"),
        (RidgeClassifier(class_weight={0: 0.0, 1: 1.0}), "leaves out a class"),
        (make_pipeline(SelectKBest(), Ridge()), "SelectKBest of the Pipeline"),
        (DecisionTreeRegressor(), "DecisionTreeRegressor has other algebra"),
    ],
    ids=str,
)
def test_what_is_not_least_squares_of_each_row_is_refused(
    teacher: Any, reason: str
) -> None:
    X, _ = made(20, 3)
    assert reason in str(RIDGE.why_not(teacher, X, described(X)))


def test_a_derived_class_may_fit_otherwise_and_is_not_handled() -> None:
    class Own(Ridge):
        pass

    assert not RIDGE.handles(Own())
    assert RIDGE.handles(Ridge())


def near(a: Floats, b: Floats, width: float = 1.0) -> float:
    """A kernel of two rows."""
    return float(np.exp(-np.abs(a - b).sum() / width))


KERNELS: list[dict[str, Any]] = [
    {"kernel": "rbf", "gamma": 0.1},
    {"kernel": "poly", "degree": 2, "coef0": 2.0, "gamma": 0.05},
    {"kernel": near, "kernel_params": {"width": 3.0}},
    {"kernel": "laplacian", "alpha": np.array([0.1, 3.0])},
]


@pytest.mark.parametrize("settings", KERNELS, ids=lambda s: str(s["kernel"])[:9])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_groups", [None, 8])
def test_kernel_ridge_equals_refits(
    settings: dict[str, Any], weighted: bool, n_groups: int | None
) -> None:
    X, y = made(30, 3)
    groups = None if n_groups is None else np.arange(len(X)) % n_groups
    weights = some_weights(len(X)) if weighted else None
    rows = described(X, groups=groups, weights=weights)
    teacher = KernelRidge(**settings)
    expected = refits(teacher, X, y, rows)
    np.testing.assert_allclose(left_out(teacher, X, y, rows), expected, atol=1e-8)


@pytest.mark.parametrize("n_groups", [None, 8])
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel": RBF(2.0) + WhiteKernel(0.3), "optimizer": None},
        {"kernel": RBF(2.0, "fixed"), "alpha": 0.2},
        {"alpha": 0.1, "optimizer": None},
    ],
    ids=["noise", "fixed", "default"],
)
def test_a_gaussian_process_equals_refits(
    settings: dict[str, Any], n_groups: int | None
) -> None:
    X, y = made(30, 3)
    groups = None if n_groups is None else np.arange(len(X)) % n_groups
    rows = described(X, groups=groups)
    teacher = GaussianProcessRegressor(**settings)
    expected = refits(teacher, X, y, rows)
    np.testing.assert_allclose(left_out(teacher, X, y, rows), expected, atol=1e-8)


@pytest.mark.parametrize(
    ("teacher", "reason"),
    [
        (KernelRidge(kernel="precomputed"), "takes a kernel matrix, not rows"),
        (GaussianProcessRegressor(normalize_y=True), "uses the outcomes of all rows"),
        (GaussianProcessRegressor(), "tuned on the outcomes of all rows"),
        (GaussianProcessRegressor(RBF()), "tuned on the outcomes of all rows"),
        (Ridge(), "Ridge has other algebra"),
    ],
    ids=str,
)
def test_a_kernel_that_is_given_or_tuned_is_refused(teacher: Any, reason: str) -> None:
    X, _ = made(20, 3)
    assert reason in str(KERNEL.why_not(teacher, X, described(X)))


@pytest.mark.filterwarnings("ignore:Singular matrix in solving dual problem")
def test_a_singular_kernel_falls_back() -> None:
    X, y = np.linspace(0, 1, 50)[:, None], np.linspace(0, 1, 50)
    flat = KernelRidge(alpha=0.0, kernel="rbf", gamma=1e-3)
    with pytest.raises(FallBack, match="singular to working precision"):
        left_out(flat, X, y, described(X))


class LocalMean(RegressorMixin, BaseEstimator):
    """The mean of the rows near by, with a bandwidth that is fixed or follows them."""

    def __init__(self, width: float | None = 1.0) -> None:
        self.width = width

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        self.X_, self.y_ = X, y
        self.w_ = np.ones(len(X)) if sample_weight is None else sample_weight
        self.width_ = X.std() if self.width is None else self.width
        return self

    def hat_matrix(self, X: Any, sample_weight: Any = None) -> Any:
        distance = np.linalg.norm(X[:, None] - self.X_, axis=2)
        share = self.w_ * np.exp(-((distance / self.width_) ** 2))
        return share / share.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        return self.hat_matrix(X) @ self.y_


@pytest.mark.parametrize("weighted", [False, True])
def test_a_smoother_that_says_its_hat_matrix_equals_refits(weighted: bool) -> None:
    X, y = made(30, 2)
    weights = some_weights(len(X)) if weighted else None
    rows = described(X, weights=weights)
    expected = refits(LocalMean(), X, y, rows)
    np.testing.assert_allclose(left_out(LocalMean(), X, y, rows), expected, atol=1e-8)
    one = left_out(LocalMean(), X, y[:, 0], rows)
    np.testing.assert_allclose(one, expected[:, :1], atol=1e-8)


def test_a_smoother_that_follows_the_data_falls_back() -> None:
    X, y = made(30, 2)
    with pytest.raises(FallBack, match="LocalMean refitted without a row differs"):
        left_out(LocalMean(None), X, y, described(X))


def test_a_row_far_from_all_others_is_predicted_by_itself_alone() -> None:
    X, y = made(30, 2)
    X[5] = X[35] = 100.0
    labels = left_out(LocalMean(), X, y, described(X))
    assert np.flatnonzero(np.isnan(labels).any(axis=1)).tolist() == [5, 35]


def test_a_smoother_of_rows_out_of_reach_of_each_other_falls_back() -> None:
    X = np.arange(5.0)[:, None] * 1000
    with pytest.raises(FallBack, match="all rows are predicted by themselves alone"):
        left_out(LocalMean(), X, X, described(X))


def test_a_hat_matrix_does_not_say_how_groups_leave() -> None:
    X, _ = made(30, 2)
    rows = described(X, groups=np.arange(len(X)) // 2)
    reason = SMOOTHER.why_not(LocalMean(), X, rows)
    assert "does not say how a group leaves" in str(reason)
    single = described(X, groups=np.unique(X, axis=0, return_inverse=True)[1])
    assert SMOOTHER.why_not(LocalMean(), X, single) is None


def test_a_hat_matrix_of_another_shape_is_refused() -> None:
    class Wrong(LocalMean):
        def hat_matrix(self, X: Any, sample_weight: Any = None) -> Any:
            return super().hat_matrix(X)[:, 1:]

    X, y = made(30, 2)
    with pytest.raises(ValueError, match=r"hat_matrix must have shape \(40, 40\)"):
        left_out(Wrong(), X, y, described(X))


def test_fits_of_indicators_are_told_by_their_learner() -> None:
    assert fits_indicators(make_pipeline(StandardScaler(), RidgeClassifier()))
    assert fits_indicators(RidgeClassifierCV())
    assert not fits_indicators(Ridge())


def test_fits_of_indicators_become_the_nearest_probabilities() -> None:
    np.testing.assert_allclose(
        indicator_probabilities([-0.4, 0.5, 3.0], signed=True),
        [[0.7, 0.3], [0.25, 0.75], [0.0, 1.0]],
    )
    three = indicator_probabilities([[0.2, 0.3, 0.5], [1.2, 0.0, -0.2], [np.nan] * 3])
    np.testing.assert_allclose(three[:2], [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    assert np.isnan(three[2]).all()
