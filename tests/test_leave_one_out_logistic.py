"""Leave-one-out labels of logistic regression, against refits without the row."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from semikd.crossfit.folds import Rows
from semikd.crossfit.rows import row_hashes
from semikd.crossfit.shortcuts import FallBack
from semikd.crossfit.shortcuts.logistic import (
    checked,
    handles,
    labels,
    refits,
    why_not,
)
from semikd.crossfit.shortcuts.logistic.learner import coefficients, likelihood
from semikd.crossfit.shortcuts.logistic.newton_step import one_step, optimum
from semikd.crossfit.shortcuts.logistic.second_order import second_order

Floats = NDArray[np.float64]


def made(
    n: int, d: int, n_classes: int = 2, seed: int = 0
) -> tuple[Floats, NDArray[Any]]:
    """Return standard normal covariates and classes that a logistic model draws."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    F = X @ rng.standard_normal((d, n_classes)) * np.sqrt(2.0 / d)
    y = np.argmax(F + rng.gumbel(size=F.shape), axis=1)
    return X, np.array(["a", "b", "c", "d"])[y]


def described(X: Any, y: NDArray[Any], weights: Any = None, groups: Any = None) -> Rows:
    """Return what cross-fitting knows of rows."""
    classes, codes = np.unique(y, return_inverse=True)
    return Rows(row_hashes(X), codes, classes, groups, weights)


def shortcut(teacher: Any, X: Any, y: NDArray[Any], weights: Any = None) -> Any:
    """Return what the shortcut makes of the rows."""
    rows = described(X, y, weights)
    assert why_not(teacher, X, rows) is None
    return labels(teacher, X, y, rows, seed=0)


def refitted(
    X: Floats,
    y: NDArray[Any],
    which: Any = None,
    weights: Floats | None = None,
    **settings: Any,
) -> Floats:
    """Return what exact fits without a row, and its copies, say of it."""
    found = []
    for i in range(len(X)) if which is None else which:
        kept = np.any(X[i] != X, axis=1)
        exact = LogisticRegression(
            solver="newton-cholesky", tol=1e-11, max_iter=1000, **settings
        )
        exact.fit(X[kept], y[kept], None if weights is None else weights[kept])
        found.append(exact.predict_proba(X[i : i + 1])[0])
    return np.array(found)


def share_off(p: Floats, inside: Floats, exact: Floats) -> float:
    """Return the share of rows off by over 1 % of what leaving the row out changes."""
    off = np.abs(p - exact).max(axis=1)
    change = np.abs(inside - exact).max(axis=1)
    return float((off > 0.01 * change + 1e-11).mean())


def matches(made: Any, X: Floats, exact: Floats, which: Any = slice(None)) -> bool:
    """Return whether at least 99 % of the rows are within 1 % of the change."""
    inside = made.teacher.predict_proba(X)[which]
    assert np.abs(inside - exact).max() > 1e-4
    return share_off(made.prediction[which], inside, exact) <= 0.01


@pytest.fixture(scope="module")
def wide() -> tuple[Floats, NDArray[Any], Floats]:
    """Return 200 rows of 50 columns with what exact refits say of them."""
    X, y = made(200, 50)
    return X, y, refitted(X, y)


def test_labels_are_those_of_exact_refits_at_200_rows_of_50_columns(wide: Any) -> None:
    X, y, exact = wide
    found = shortcut(LogisticRegression(), X, y)
    assert matches(found, X, exact)
    assert "200 rows refitted" in found.note


def test_in_sample_labels_and_a_step_with_the_full_hessian_fail(wide: Any) -> None:
    X, y, exact = wide
    teacher = shortcut(LogisticRegression(), X, y).teacher
    data = likelihood(teacher, X, described(X, y))
    best = optimum(data, coefficients(teacher, data))
    inside = data.probabilities(best.scores)
    A = next(data.leverages(best.inverse))[1][:, 0, 0]
    naive = data.probabilities(best.scores + A[:, None] * best.residual)
    assert share_off(inside, inside, exact) == 1.0
    assert share_off(naive, inside, exact) > 0.8
    one = data.probabilities(best.scores + one_step(data, best))
    # The plain step is rough at this size: refits are what meets the measure.
    assert 0.01 < share_off(one, inside, exact) < 0.5


@pytest.mark.parametrize("seed", range(2))
def test_larger_tables_need_few_refits(seed: int) -> None:
    X, y = made(600, 20, seed=seed)
    found = shortcut(LogisticRegression(), X, y)
    assert int(found.note.split("a row, ")[1].split()[0]) < 60
    which = np.random.default_rng(seed).permutation(600)[:60]
    assert matches(found, X, refitted(X, y, which), which)


@pytest.mark.parametrize("d", [3, 8])
def test_three_classes_are_as_exact(d: int) -> None:
    X, y = made(150, d, n_classes=3)
    which = np.arange(0, 150, 2)
    found = shortcut(LogisticRegression(C=2.0), X, y)
    assert matches(found, X, refitted(X, y, which, C=2.0), which)


def test_four_classes_in_a_larger_table() -> None:
    X, y = made(1200, 6, n_classes=4)
    which = np.arange(0, 1200, 40)
    found = shortcut(LogisticRegression(), X, y)
    assert "1,200 rows" not in found.note
    assert matches(found, X, refitted(X, y, which), which)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_weights_are_honoured_and_a_weight_of_zero_has_no_label(n_classes: int) -> None:
    X, y = made(150, 5, n_classes)
    weights = np.random.default_rng(1).exponential(size=150)
    weights[:5] = 0.0
    found = shortcut(LogisticRegression(), X, y, weights)
    assert np.isnan(found.prediction[:5]).all()
    kept = weights > 0
    exact = refitted(X[kept], y[kept], range(0, 145, 2), weights[kept])
    assert matches(found, X, exact, np.arange(5, 150, 2))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_weight_of_two_is_a_repeated_row(n_classes: int) -> None:
    X, y = made(120, 4, n_classes)
    weights = np.ones(120)
    weights[:30] = 2.0
    weighted = shortcut(LogisticRegression(), X, y, weights).prediction
    twice = np.r_[np.arange(120), np.arange(30)]
    repeated = shortcut(LogisticRegression(), X[twice], y[twice]).prediction
    np.testing.assert_allclose(repeated[:120], weighted, rtol=1e-6)
    np.testing.assert_allclose(repeated[120:], weighted[:30], rtol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n", [60, 400])
def test_copies_leave_together_whatever_their_labels(n: int, n_classes: int) -> None:
    X, y = made(n, 4, n_classes)
    again = np.r_[np.arange(n), np.arange(20), 0, 0, 0]
    X, y = X[again], y[again]
    y[n : n + 10] = np.roll(y[n : n + 10], 1)
    which = np.r_[:10, 18:30, n : n + 23]
    found = shortcut(LogisticRegression(), X, y)
    assert matches(found, X, refitted(X, y, which), which)
    np.testing.assert_array_equal(found.prediction[:20], found.prediction[n : n + 20])


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", "newton-cholesky", "saga"])
def test_every_solver_gives_the_labels_of_the_optimum(solver: str) -> None:
    X, y = made(70, 5)
    found = shortcut(LogisticRegression(solver=solver), X, y)
    assert matches(found, X, refitted(X, y))


def test_the_teacher_is_the_optimum_that_its_solver_stopped_short_of() -> None:
    X, y = made(300, 10, n_classes=3)
    found = shortcut(LogisticRegression(tol=1e-3), X, y)
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(X, y)
    stopped = LogisticRegression(tol=1e-3).fit(X, y).predict_proba(X)
    assert type(found.teacher) is LogisticRegression
    p = exact.predict_proba(X)
    np.testing.assert_allclose(found.teacher.predict_proba(X), p, atol=1e-8)
    assert np.abs(stopped - p).max() > 1e-4
    assert found.teacher.coef_.shape == (3, 10)
    assert found.teacher.intercept_.shape == (3,)


def test_without_an_intercept() -> None:
    X, y = made(80, 5)
    found = shortcut(LogisticRegression(fit_intercept=False), X, y)
    assert matches(found, X, refitted(X, y, fit_intercept=False))
    assert not found.teacher.intercept_.any()


def test_without_a_penalty() -> None:
    X, y = made(100, 4)
    found = shortcut(LogisticRegression(C=np.inf), X, y)
    assert matches(found, X, refitted(X, y, C=np.inf))


@pytest.mark.parametrize("scaling", [1.0, 3.0])
def test_the_penalised_intercept_of_liblinear_is_honoured(scaling: float) -> None:
    X, y = made(70, 4)
    X -= 1.0
    settings = {"C": 0.05, "intercept_scaling": scaling}
    found = shortcut(LogisticRegression(solver="liblinear", **settings), X, y)
    column = np.column_stack([X, np.full(70, scaling)])
    exact = refitted(column, y, C=0.05, fit_intercept=False)
    assert matches(found, X, exact)
    assert not matches(found, X, refitted(X, y, C=0.05))


def test_weights_of_classes_are_honoured() -> None:
    X, y = made(80, 4)
    weight = {"a": 3.0, "b": 0.5}
    found = shortcut(LogisticRegression(class_weight=weight), X, y)
    assert matches(found, X, refitted(X, y, class_weight=weight))
    assert not matches(found, X, refitted(X, y))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_sparse_table_gives_the_labels_of_a_dense_one(n_classes: int) -> None:
    X, y = made(400, 6, n_classes)
    X[np.abs(X) < 0.5] = 0.0
    dense = shortcut(LogisticRegression(), X, y).prediction
    for table in (sparse.csr_matrix(X), sparse.coo_array(X)):
        found = shortcut(LogisticRegression(), table, y).prediction
        np.testing.assert_allclose(found, dense, atol=1e-9)


def test_a_pipeline_labels_what_its_learner_saw() -> None:
    X, y = made(200, 3)
    table = pd.DataFrame(X, columns=list("uvw"))
    table["kind"] = np.where(X[:, 0] > 0.5, "high", np.where(X[:, 1] > 0, "mid", "low"))
    encoder = make_column_transformer(
        (StandardScaler(), ["u", "v", "w"]), (OneHotEncoder(), ["kind"])
    )
    pipeline = make_pipeline(encoder, LogisticRegression())
    found = shortcut(pipeline, table, y)
    seen = np.asarray(encoder.fit_transform(table))
    plain = shortcut(LogisticRegression(), seen, y)
    np.testing.assert_allclose(found.prediction, plain.prediction, atol=1e-10)
    p = found.teacher.predict_proba(table)
    np.testing.assert_allclose(p, plain.teacher.predict_proba(seen), atol=1e-8)


def test_labels_follow_the_rows_of_a_permuted_table() -> None:
    X, y = made(500, 10)
    order = np.random.default_rng(3).permutation(500)
    found = shortcut(LogisticRegression(), X, y).prediction
    permuted = shortcut(LogisticRegression(), X[order], y[order]).prediction
    np.testing.assert_allclose(permuted, found[order], atol=1e-7)


def test_single_precision_is_labelled_in_double() -> None:
    X, y = made(60, 5)
    X = X.astype(np.float32).astype(np.float64)
    found = shortcut(LogisticRegression(), X.astype(np.float32), y)
    assert matches(found, X, refitted(X, y))


def test_badly_scaled_columns_change_nothing_but_the_penalty() -> None:
    X, y = made(200, 4)
    scale = np.array([1e-2, 1.0, 1e3, 10.0])
    plain = shortcut(LogisticRegression(C=np.inf), X, y).prediction
    teacher = LogisticRegression(C=np.inf, solver="newton-cholesky")
    scaled = shortcut(teacher, X * scale + 3.0 * scale, y).prediction
    np.testing.assert_allclose(scaled, plain, rtol=1e-4)


def test_a_strong_penalty_makes_one_step_exact() -> None:
    X, y = made(400, 10)
    teacher = LogisticRegression(C=1e-3).fit(X, y)
    data = likelihood(teacher, X, described(X, y))
    best = optimum(data, coefficients(teacher, data))
    near = data.probabilities(best.scores + one_step(data, best))
    which = np.arange(40)
    exact = refitted(X, y, which, C=1e-3)
    inside = data.probabilities(best.scores)
    off = np.abs(near[which] - exact) / np.abs(inside[which] - exact)
    assert off.max() < 2e-3


@pytest.mark.parametrize("copies", [1, 3])
def test_the_second_term_takes_most_of_the_error_of_one_step(copies: int) -> None:
    X, y = made(150, 10)
    y = np.where(X[:, 0] > 1.2, "a", y)
    X, y = np.repeat(X, copies, axis=0), np.repeat(y, copies)
    teacher = LogisticRegression(C=1.0 / copies).fit(X, y)
    data = likelihood(teacher, X, described(X, y))
    unit = np.repeat(np.arange(150), copies)
    best = optimum(data, coefficients(teacher, data)).summed(unit)
    which = np.arange(0, 150 * copies, copies)
    exact = refitted(X, y, which, C=1.0 / copies)
    step = one_step(data, best)
    two = (step[which] + second_order(data, best, unit, which))[:, 0]
    goal = np.log(exact[:, 1] / exact[:, 0]) - best.scores[which, 0]
    first = np.abs(step[which, 0] - goal).mean()
    assert np.abs(two - goal).mean() < 0.2 * first


def test_rows_that_do_not_settle_get_a_hessian_of_their_own(
    monkeypatch: pytest.MonkeyPatch, wide: Any
) -> None:
    X, y, exact = wide
    monkeypatch.setattr(refits, "_STEPS", 1)
    assert matches(shortcut(LogisticRegression(), X, y), X, exact)


@pytest.mark.parametrize("n", [4, 6, 9])
def test_a_handful_of_rows_is_labelled(n: int) -> None:
    X = np.arange(float(n))[:, None]
    y = np.arange(n) % 2
    assert matches(shortcut(LogisticRegression(), X, y), X, refitted(X, y))


def test_heavy_tails_meet_the_measure() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_t(2.5, size=(1500, 12))
    y = (rng.random(1500) < expit(X[:, :5].sum(axis=1) / 2)).astype(int)
    found = shortcut(LogisticRegression(), X, y)
    far = np.argsort(-np.abs(X).max(axis=1))[:30]
    which = np.unique(np.r_[far, rng.permutation(1500)[:30]])
    assert matches(found, X, refitted(X, y, which), which)


def test_what_it_handles() -> None:
    assert handles(LogisticRegression())
    assert handles(LogisticRegressionCV())
    assert not handles(SVC())


class _Own(LogisticRegression):
    """A learner that may fit otherwise."""


@pytest.mark.parametrize(
    ("teacher", "reason"),
    [
        (LogisticRegressionCV(), "chooses its penalty by folds of its own"),
        (_Own(), "_Own is not scikit-learn's"),
        (SVC(), "SVC is not"),
        (LogisticRegression(l1_ratio=1.0, solver="saga"), "L1 penalty"),
        (LogisticRegression(l1_ratio=0.5, solver="saga"), "L1 penalty"),
        (LogisticRegression(penalty="l1", solver="saga"), "L1 penalty"),
        (LogisticRegression(class_weight="balanced"), "weight of every row"),
        (make_pipeline(SelectKBest(), LogisticRegression()), "SelectKBest"),
    ],
)
def test_what_is_no_smooth_sum_over_rows_is_refused(teacher: Any, reason: str) -> None:
    X, y = made(20, 3)
    assert reason in str(why_not(teacher, X, described(X, y)))


def test_groups_one_row_of_a_class_outcomes_and_width_are_refused() -> None:
    X, y = made(20, 3)
    learner = LogisticRegression()
    rows = described(X, y, groups=np.arange(20) % 4)
    assert "groups leave whole" in str(why_not(learner, X, rows))
    alone = np.where(np.arange(20) == 4, "z", "a")
    single = why_not(learner, X, described(X, alone))
    assert single == "without its only distinct row the class 'z' is unknown"
    copied = np.r_[np.arange(20), 4, 4]
    again = why_not(learner, X[copied], described(X[copied], alone[copied]))
    assert again == single
    rows = Rows(row_hashes(X), np.zeros(20, dtype=int), None, None, None)
    assert why_not(learner, X, rows) == "y holds no classes"
    reason = why_not(learner, np.ones((20, 5000)), described(X, y))
    assert reason == "5,001 coefficients are too many"


def test_too_many_columns_behind_an_encoder_fall_back() -> None:
    y = np.arange(6000) % 2
    X = np.arange(12000)[:, None] // 2
    y = np.arange(12000) % 2
    teacher = make_pipeline(OneHotEncoder(), LogisticRegression(max_iter=2, tol=1.0))
    with pytest.raises(FallBack, match="6,001 coefficients are too many"):
        labels(teacher, X, y, described(X, y), seed=0)


def test_separable_classes_without_a_penalty_fall_back() -> None:
    X = np.arange(20.0)[:, None]
    y = (X[:, 0] > 9).astype(int)
    with pytest.raises(FallBack, match=r"no (unique )?optimum"):
        shortcut(LogisticRegression(C=np.inf), X, y)


def test_dependent_columns_without_a_penalty_fall_back() -> None:
    X, y = made(100, 3)
    X = np.column_stack([X, X[:, 0]])
    with pytest.raises(FallBack, match="of all rows has no unique optimum"):
        shortcut(LogisticRegression(C=np.inf), X, y)
    assert shortcut(LogisticRegression(), X, y).prediction.shape == (100, 2)


def test_a_row_that_alone_determines_a_coefficient_falls_back() -> None:
    X, y = made(100, 3)
    X = np.column_stack([X, np.zeros(100)])
    X[:2] = [0.0, 0.0, 0.0, 1.0]
    y[:2] = ["a", "b"]
    with pytest.raises(FallBack, match="without some row the other rows have no uniq"):
        shortcut(LogisticRegression(C=np.inf), X, y)
    assert shortcut(LogisticRegression(), X, y).prediction.shape == (100, 2)


def test_a_solver_that_was_stopped_early_falls_back() -> None:
    X, y = made(300, 10)
    X *= np.geomspace(0.01, 100, 10)
    with (
        pytest.warns(ConvergenceWarning),
        pytest.raises(FallBack, match=r"stopped early.*raise max_iter"),
    ):
        shortcut(LogisticRegression(max_iter=3), X, y)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_more_rough_rows_than_folds_would_cost_fall_back(
    monkeypatch: pytest.MonkeyPatch, n_classes: int
) -> None:
    X, y = made(400, 60, n_classes)
    for name in ("_REFITS", "_SMALL"):
        monkeypatch.setattr(checked, name, 0)
    with pytest.raises(FallBack, match=r"too rough for \d+ of 400 rows"):
        shortcut(LogisticRegression(), X, y)


def test_many_rows_that_do_not_settle_fall_back(
    monkeypatch: pytest.MonkeyPatch, wide: Any
) -> None:
    X, y, _ = wide
    for name, value in (("_STEPS", 1), ("_OWN", 0), ("_SMALL", 0)):
        monkeypatch.setattr(refits, name, value)
    with pytest.raises(FallBack, match=r"rows of 200 .* change the teacher too much"):
        shortcut(LogisticRegression(), X, y)


def test_the_only_row_of_a_category_speaks_for_itself_alone():
    draws = np.random.default_rng(0)
    n = 3000
    X = np.column_stack([draws.normal(size=(n, 3)), np.zeros(n)])
    # Without this row its column is constant; the others hardly change without one.
    X[7, 3] = 30.0
    y = (draws.random(n) < expit(X[:, 0] - 0.5)).astype(int)
    y[7] = 1
    teacher = LogisticRegression(C=100.0, tol=1e-10, solver="newton-cholesky")
    found = shortcut(teacher, X, y)
    rows = np.array([7, 11, 500])
    inside = teacher.fit(X, y).predict_proba(X[rows])[:, 1]
    for row, fitted in zip(rows, inside, strict=True):
        rest = np.arange(n) != row
        exact = teacher.fit(X[rest], y[rest]).predict_proba(X[[row]])[0, 1]
        off = abs(found.prediction[row, 1] - exact)
        assert off <= 0.011 * abs(fitted - exact)
