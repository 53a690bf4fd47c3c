"""Boosted students against their libraries' own objectives, and by brute force."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from semikd.distillation import kept_noise, noise_pair
from semikd.losses import (
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.simplex import one_hot, softmax
from semikd.students import PipelineStudent, RegressorStudent, Student, as_student
from semikd.students._slopes import (
    Slopes,
    best_constant,
    score_curvature,
    slope_at_infinity,
)
from semikd.students.boosters import LightGBMStudent, XGBoostStudent

lgb = pytest.importorskip("lightgbm", reason="LightGBM is not installed")
xgb = pytest.importorskip("xgboost", reason="XGBoost is not installed")

FloatArray = NDArray[np.float64]
CE = CrossEntropyLoss()
LIBRARIES = ["lightgbm", "xgboost"]
# LightGBM computes in float64 from slopes in float32, XGBoost in float32 throughout.
CLOSE = {"lightgbm": 1e-6, "xgboost": 5e-6}


def classifier(library: str, **settings: Any) -> Any:
    """Return a small single-threaded classifier; leaf minima bind by curvature only."""
    common = {"n_estimators": 15, "learning_rate": 0.2, "n_jobs": 1, "random_state": 0}
    if library == "lightgbm":
        own = {"num_leaves": 6, "min_child_samples": 1, "verbosity": -1}
        return lgb.LGBMClassifier(**(common | own | settings))
    return xgb.XGBClassifier(**(common | {"max_depth": 3, "verbosity": 0} | settings))


def fitted(
    library: str,
    X: Any,
    target: FloatArray,
    loss: DistillationLoss = CE,
    weight: FloatArray | None = None,
    **settings: Any,
) -> Student:
    """Return the student of these settings, fitted."""
    student = as_student(classifier(library, **settings))
    return student.fit_target(X, target, loss=loss, sample_weight=weight)


def raw(learner: Any, X: Any) -> FloatArray:
    """Return the raw scores of a classifier of either library."""
    key = "raw_score" if hasattr(learner, "booster_") else "output_margin"
    scores = np.asarray(learner.predict(X, **{key: True}), dtype=np.float64)
    return scores[:, None] if scores.ndim == 1 else scores


def made(
    n: int = 400, k: int = 2, seed: int = 0
) -> tuple[FloatArray, FloatArray, NDArray[np.intp], FloatArray]:
    """Return columns, probabilities, labels drawn from them, and weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    p = softmax(X @ rng.normal(size=(3, k)) + rng.normal(size=k))
    y = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    return X, p, y, rng.uniform(0.2, 3.0, size=n)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("settings", [{}, {"reg_lambda": 3.0}, {"subsample": 0.7}])
def test_labels_of_two_classes_give_the_librarys_own_classifier(
    library: str, weighted: bool, settings: dict[str, Any]
) -> None:
    # Columns of few values: only XGBoost's own training cuts bins by weight, and there
    # is nothing to cut where each value has a bin.
    X, _, y, w = made()
    X, weight = np.round(X, 1), w if weighted else None
    ours = fitted(library, X, one_hot(y, 2)[:, 1:], weight=weight, **settings)
    theirs = classifier(library, **settings).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.scores(X), raw(theirs, X), atol=CLOSE[library])
    np.testing.assert_allclose(
        ours.learner.predict_proba(X), theirs.predict_proba(X), atol=CLOSE[library]
    )
    assert (ours.learner.predict(X) == theirs.predict(X)).all()


def test_soft_targets_give_lightgbms_cross_entropy() -> None:
    X, p, _, w = made()
    ours = fitted("lightgbm", X, p[:, 1:], weight=w)
    settings = classifier("lightgbm").get_params() | {"objective": "cross_entropy"}
    theirs = lgb.LGBMRegressor(**settings).fit(X, p[:, 1], sample_weight=w)
    np.testing.assert_allclose(ours.scores(X), raw(theirs, X), atol=1e-6)


def test_soft_targets_give_xgboosts_logistic_objective() -> None:
    X, p, _, w = made()
    X = np.round(X, 1)
    ours = fitted("xgboost", X, p[:, 1:], weight=w)
    settings = classifier("xgboost").get_xgb_params()
    table = xgb.DMatrix(X, p[:, 1], weight=w)
    theirs = xgb.train(settings, table, 15).predict(table, output_margin=True)
    np.testing.assert_allclose(ours.scores(X)[:, 0], theirs, atol=5e-6)


def test_labels_of_three_classes_give_xgboosts_own_classifier() -> None:
    X, _, y, _ = made(k=3)
    ours = fitted("xgboost", X, one_hot(y, 3))
    start = best_constant(CE, one_hot(y, 3), np.ones(len(y))).tolist()
    theirs = classifier("xgboost", base_score=start).fit(X, y)
    np.testing.assert_allclose(ours.scores(X), raw(theirs, X), atol=5e-6)
    np.testing.assert_allclose(
        ours.learner.predict_proba(X), theirs.predict_proba(X), atol=5e-6
    )


def test_labels_of_three_classes_come_close_to_lightgbms_own_classifier() -> None:
    # Its curvature has the factor k/(k-1) = 1.5 where the safe one has 2.
    X, _, y, _ = made(n=2000, k=3)
    ours = fitted("lightgbm", X, one_hot(y, 3), n_estimators=40, learning_rate=0.1)
    theirs = classifier("lightgbm", n_estimators=40, learning_rate=0.1).fit(X, y)
    proba = ours.learner.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    gap = log_loss(y, proba) - log_loss(y, theirs.predict_proba(X))
    assert abs(gap) < 0.03
    constant = log_loss(y, np.tile(np.bincount(y) / len(y), (len(y), 1)))
    assert log_loss(y, proba) < constant - 0.2


def test_log_odds_by_squares_give_lightgbms_regressor() -> None:
    # Half of the squared distance counts half: penalty and leaf minimum are doubled.
    X, p, _, w = made()
    loss = LogProbabilityLoss()
    target = loss.phi(p)
    ours = fitted("lightgbm", X, target, loss, w, reg_lambda=1.0, min_child_weight=2.0)
    settings = classifier("lightgbm", reg_lambda=2.0, min_child_weight=4.0)
    theirs = lgb.LGBMRegressor(**settings.get_params())
    theirs.fit(X, target[:, 0], sample_weight=w)
    np.testing.assert_allclose(ours.scores(X), raw(theirs, X), atol=2e-6)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("k", [2, 3])
def test_a_leaf_is_the_sum_of_gradients_over_the_sum_of_curvatures(
    library: str, k: int
) -> None:
    # One column of two values: the only split is known.
    rng = np.random.default_rng(3)
    left = rng.random(200) < 0.4
    X = left[:, None].astype(float)
    _, p, y, w = made(200, k=k, seed=4)
    noisy = p + 1.6 * (one_hot(y, k) - p)
    target = noisy[:, 1:] if k == 2 else noisy
    assert target.min() < -0.1
    assert target.max() > 1.1
    lam, rate = 0.7, 0.3
    ours = fitted(
        library,
        X,
        target,
        weight=w,
        n_estimators=1,
        reg_lambda=lam,
        learning_rate=rate,
    )
    mean = np.average(target, axis=0, weights=w)
    start = logit(mean) if k == 2 else np.log(mean) - np.log(mean).mean()
    q = expit(start) if k == 2 else softmax(start[None])[0]
    beyond = np.maximum(np.maximum(target - 1.0, -target), 0.0)
    h = w[:, None] * np.maximum((1 if k == 2 else 2) * q * (1 - q), beyond)
    g = w[:, None] * (q - target)
    values = [
        start - rate * g[rows].sum(axis=0) / (h[rows].sum(axis=0) + lam)
        for rows in (left, ~left)
    ]
    expected = np.where(left[:, None], values[0], values[1])
    np.testing.assert_allclose(ours.scores(X), expected, atol=2e-6)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_leaf_fits_means_beyond_one_but_no_faster_than_a_nat_each_round(
    library: str,
) -> None:
    # Newton's own steps run away in a few rounds; then no curvature is left to split
    # on, and the other leaf stays where it is (at -1.06 and 0 instead of -1.39).
    X = np.repeat([[0.0], [1.0]], 100, axis=0)
    target = np.repeat([[1.3], [0.2]], 100, axis=0)
    ours = fitted(
        library,
        X,
        target,
        n_estimators=60,
        learning_rate=0.5,
        reg_lambda=0.0,
        min_child_weight=0.0,
    )
    high, low = ours.scores(X)[[0, -1], 0]
    assert 10.0 < high <= 60 * 0.5 + 3.0
    assert low == pytest.approx(logit(0.2), abs=1e-3)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("k", [2, 3])
def test_a_temperature_scales_the_scores_and_weakens_curvature(
    library: str, k: int
) -> None:
    # In u = f / T the loss is the plain one; h is 1/T^2 and so weighs less than lambda.
    X, p, _, w = made(k=k)
    T = 4.0
    warm = CrossEntropyLoss(temperature=T)
    target = warm.phi(p)
    ours = fitted(
        library, X, target, warm, w, reg_lambda=0.5, min_child_weight=0.1
    ).scores(X)
    plain = fitted(
        library, X, target, CE, w, reg_lambda=0.5 * T**2, min_child_weight=0.1 * T**2
    ).scores(X)
    np.testing.assert_allclose(ours, T * plain, atol=4 * CLOSE[library])


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("k", [2, 3])
def test_a_hard_label_term_is_a_mixed_target_of_more_weight(
    library: str, k: int
) -> None:
    X, p, y, _ = made(k=k)
    h, labels = 0.5, one_hot(y, k)
    loss = HardLabelMix(CE, h)
    ours = fitted(library, X, loss.with_labels(CE.phi(p), labels), loss)
    mixed = (CE.phi(p) + h * CE.phi(labels)) / (1 + h)
    plain = fitted(library, X, mixed, weight=np.full(len(X), 1 + h))
    np.testing.assert_allclose(ours.scores(X), plain.scores(X), atol=CLOSE[library])


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "loss", [CE, LogProbabilityLoss(), LogProbabilityLoss(centered=False)]
)
def test_many_rounds_fit_the_mean_target_of_each_cell(
    library: str, loss: DistillationLoss
) -> None:
    cell = np.arange(300) % 3
    X = cell[:, None].astype(float)
    p = np.array([[0.2, 0.5, 0.3], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])[cell]
    ours = fitted(
        library,
        X,
        loss.phi(p),
        loss,
        n_estimators=200,
        learning_rate=0.5,
        reg_lambda=0.0,
        min_child_weight=1e-3,
    )
    np.testing.assert_allclose(loss.probabilities(ours.scores(X)), p, atol=2e-4)
    np.testing.assert_allclose(ours.learner.predict_proba(X), p, atol=2e-4)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
@pytest.mark.parametrize("k", [2, 3, 6])
def test_the_diagonal_bounds_the_whole_curvature_where_its_own_would_not(
    temperature: float, k: int
) -> None:
    loss = CrossEntropyLoss(temperature=temperature)
    f = np.random.default_rng(0).normal(0, 4, size=(200, loss.n_outputs(k)))
    full, bound = loss.curvature(f), score_curvature(loss, f)
    own = np.einsum("ijj->ij", full)

    def smallest(diagonal: FloatArray) -> float:
        gap = diagonal[..., None] * np.eye(diagonal.shape[1]) - full
        return float(np.linalg.eigvalsh(gap).min())

    assert smallest(bound) > -1e-12
    if k == 2:
        np.testing.assert_allclose(bound, own, atol=1e-15)
    else:
        np.testing.assert_allclose(bound, 2 * own, atol=1e-12)
        assert smallest(own) < -1e-3
        assert smallest(k / (k - 1) * own) < -1e-3


def test_curvature_is_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    f = np.random.default_rng(0).normal(size=(50, 3))
    whole = score_curvature(CE, f)
    monkeypatch.setattr("semikd.students._slopes._BLOCK", 63)
    np.testing.assert_array_equal(score_curvature(CE, f), whole)


def test_slopes_are_the_weighted_derivatives_in_the_shape_of_the_scores() -> None:
    _, p, _, w = made(50, k=3)
    f = np.random.default_rng(1).normal(size=(50, 3))
    slopes = Slopes(CE, p, w, np.zeros_like(f))
    gradient, curvature = slopes(None, f.astype(np.float32))
    q = softmax(f.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(gradient, w[:, None] * (q - p), atol=1e-12)
    np.testing.assert_allclose(curvature, w[:, None] * 2 * q * (1 - q), atol=1e-12)


def test_slopes_at_infinity_are_the_distance_beyond_the_unit_interval() -> None:
    target = np.array([[-0.2], [0.0], [0.4], [1.0], [1.5]])
    expected = np.array([[0.2], [0.0], [0.0], [0.0], [0.5]])
    warm = CrossEntropyLoss(temperature=2.0)
    np.testing.assert_allclose(slope_at_infinity(CE, target), expected, atol=1e-15)
    np.testing.assert_allclose(slope_at_infinity(warm, target), expected / 2)
    assert not slope_at_infinity(LogProbabilityLoss(), 50 * target).any()
    row = np.array([[1.3, -0.4, 0.1]])
    np.testing.assert_allclose(slope_at_infinity(CE, row), [[0.3, 0.4, 0.0]])


def test_the_start_is_the_closed_form_where_there_is_one() -> None:
    _, p, _, w = made(k=3)
    mean = np.average(p, axis=0, weights=w)
    centred = np.log(mean) - np.log(mean).mean()
    np.testing.assert_allclose(best_constant(CE, p, w), centred, atol=1e-7)
    warm = CrossEntropyLoss(temperature=3.0)
    np.testing.assert_allclose(best_constant(warm, p, w), 3 * centred, atol=1e-6)
    squares = LogProbabilityLoss()
    expected = np.average(squares.phi(p), axis=0, weights=w)
    np.testing.assert_allclose(
        best_constant(squares, squares.phi(p), w), expected, atol=1e-7
    )


@pytest.mark.parametrize(("target", "start"), [(1.2, 15.0), (-0.1, -15.0)])
def test_the_start_stays_within_fifteen_nats_where_nothing_bounds_it(
    target: float, start: float
) -> None:
    found = best_constant(CE, np.full((5, 1), target), np.ones(5))
    np.testing.assert_allclose(found, [start])


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("k", [2, 3])
def test_a_weight_of_two_is_a_repeated_row(library: str, k: int) -> None:
    X, p, _, _ = made(150, k=k)
    X = np.round(X, 1)
    target = CE.phi(p)
    # LightGBM counts rows in bins, and guesses those of a leaf from its curvature; a
    # guess of none forbids the split, which leaves of some curvature avoid.
    counts = {"min_data_in_bin": 1, "min_child_weight": 2.0}
    settings = counts if library == "lightgbm" else {}
    times = 1 + np.random.default_rng(0).integers(0, 2, size=len(X))
    weighted = fitted(library, X, target, weight=times.astype(float), **settings)
    repeated = fitted(
        library, X.repeat(times, axis=0), target.repeat(times, axis=0), **settings
    )
    np.testing.assert_allclose(
        weighted.scores(X), repeated.scores(X), atol=CLOSE[library]
    )


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, sparse.csr_matrix])
def test_a_row_of_weight_zero_is_absent(library: str, kind: Any) -> None:
    X, p, _, w = made(120)
    w[::3] = 0.0
    X[::3] *= 50.0
    used = w > 0
    all_rows = fitted(library, kind(X), CE.phi(p), weight=w, min_child_weight=0.1)
    without = fitted(
        library, kind(X[used]), CE.phi(p)[used], weight=w[used], min_child_weight=0.1
    )
    np.testing.assert_array_equal(all_rows.scores(kind(X)), without.scores(kind(X)))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("kind", ["plain", "dart"])
def test_the_learner_is_a_classifier_that_predicts_by_itself_also_when_pickled(
    library: str, k: int, kind: str
) -> None:
    X, p, _, _ = made(k=k)
    key = "boosting_type" if library == "lightgbm" else "booster"
    settings = {} if kind == "plain" else {key: "dart"}
    ours = fitted(library, X, CE.phi(p), **settings)
    again = pickle.loads(pickle.dumps(ours))  # noqa: S301
    np.testing.assert_array_equal(again.scores(X), ours.scores(X))
    np.testing.assert_allclose(
        again.learner.predict_proba(X), CE.probabilities(ours.scores(X)), atol=2e-7
    )
    assert again.learner.classes_.tolist() == list(range(k))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_copy_is_unfitted_has_the_settings_and_fits_alike(library: str) -> None:
    X, p, _, _ = made()
    given = classifier(library, reg_lambda=2.0)
    student = as_student(given)
    first = student.fit_target(X, CE.phi(p), loss=CE).scores(X)
    copy = student.copy()
    with pytest.raises(NotFittedError):
        copy.scores(X)
    with pytest.raises(NotFittedError):
        copy.size()
    with pytest.raises(NotFittedError):
        given.predict(X)
    assert copy.learner.reg_lambda == 2.0
    assert copy.supports(CE) is None
    np.testing.assert_array_equal(
        copy.fit_target(X, CE.phi(p), loss=CE).scores(X), first
    )
    np.testing.assert_array_equal(
        student.fit_target(X, CE.phi(p), loss=CE).scores(X), first
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_one_student_is_refitted_to_other_numbers_of_classes(library: str) -> None:
    student = as_student(classifier(library))
    for k in (3, 2, 4):
        X, p, _, _ = made(k=k)
        student.fit_target(X, CE.phi(p), loss=CE)
        fresh = fitted(library, X, CE.phi(p))
        np.testing.assert_array_equal(student.scores(X), fresh.scores(X))


@pytest.mark.parametrize("library", LIBRARIES)
def test_fit_many_sets_the_library_s_own_settings(library: str) -> None:
    X, p, _, _ = made()
    targets = [CE.phi(p)] * 2
    settings = [{"n_estimators": 1}, {"n_estimators": 7}]
    several = as_student(classifier(library)).fit_many(
        X, targets, loss=CE, settings=settings
    )
    for student, setting in zip(several, settings, strict=True):
        one = fitted(library, X, CE.phi(p), **setting)
        np.testing.assert_array_equal(student.scores(X), one.scores(X))


@pytest.mark.parametrize("library", LIBRARIES)
def test_settings_reach_the_library(library: str) -> None:
    # The target falls in the first column; the constraint says that it must not.
    X = np.random.default_rng(0).normal(size=(400, 3))
    target = expit(-X[:, :1])
    grid = np.column_stack([np.linspace(-3, 3, 200), np.zeros((200, 2))])
    rising = [1, 0, 0] if library == "lightgbm" else "(1,0,0)"
    bound = fitted(library, X, target, monotone_constraints=rising)
    free = fitted(library, X, target)
    assert (np.diff(bound.scores(grid)[:, 0]) >= 0).all()
    assert (np.diff(free.scores(grid)[:, 0]) < 0).any()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("k", [2, 3])
def test_size_counts_the_leaves_that_rows_fall_into(library: str, k: int) -> None:
    X, p, _, _ = made(k=k)
    student = fitted(library, X, CE.phi(p), n_estimators=4)
    learner = student.learner
    if library == "lightgbm":
        leaf = learner.predict(X, pred_leaf=True)
    else:
        leaf = learner.apply(X).reshape(len(X), -1)
    # Every leaf holds a row of the fit.
    assert student.size().leaves == sum(len(np.unique(column)) for column in leaf.T)
    assert student.size().bytes == len(pickle.dumps(learner))
    assert student.size().coefficients is None


def test_vector_leaves_of_xgboost_count_once() -> None:
    X, p, _, _ = made(k=3)
    student = fitted(
        "xgboost", X, CE.phi(p), n_estimators=4, multi_strategy="multi_output_tree"
    )
    leaf = student.learner.apply(X).reshape(len(X), -1)
    assert student.size().leaves == sum(len(np.unique(column)) for column in leaf.T)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_booster_keeps_of_noise_is_measured(library: str) -> None:
    X, p, y, _ = made()
    student = as_student(classifier(library))
    assert student.complexity(1000, 3, 1) is None
    loss = CrossEntropyLoss()
    pair = noise_pair(p, np.eye(2)[y], loss=loss)
    few, many = (
        kept_noise(
            as_student(classifier(library, n_estimators=rounds)), X, *pair, loss=loss
        )
        for rounds in (2, 40)
    )
    assert 0 < few < many <= 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_keep_the_names_of_their_columns(library: str) -> None:
    X, p, _, _ = made()
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    student = fitted(library, frame, CE.phi(p))
    assert student.learner.feature_names_in_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(
        student.scores(frame), fitted(library, X, CE.phi(p)).scores(X)
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_pipeline_may_end_in_a_booster(library: str) -> None:
    X, p, _, _ = made()
    student = as_student(make_pipeline(StandardScaler(), classifier(library)))
    assert isinstance(student, PipelineStudent)
    assert student.default_loss == "cross_entropy"
    student.fit_target(X, CE.phi(p), loss=CE)
    Z = StandardScaler().fit_transform(X)
    alone = fitted(library, Z, CE.phi(p))
    np.testing.assert_array_equal(student.scores(X), alone.scores(Z))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    ("library", "settings"),
    [
        ("lightgbm", {"min_child_weight": 1e9}),
        ("lightgbm", {"min_child_samples": 999}),
        ("xgboost", {"min_child_weight": 1e9}),
    ],
)
def test_without_a_split_it_is_the_best_constant(
    library: str, k: int, settings: dict[str, Any]
) -> None:
    X, p, _, w = made(30, k=k)
    student = fitted(library, X, CE.phi(p), weight=w, **settings)
    mean = np.average(p, axis=0, weights=w)
    np.testing.assert_allclose(
        student.learner.predict_proba(X), np.tile(mean, (30, 1)), atol=1e-6
    )


def test_importing_the_students_imports_neither_library() -> None:
    code = (
        "import sys, semikd.students.boosters; "
        "print({'lightgbm', 'xgboost'} & set(sys.modules))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_classifiers_are_recognised() -> None:
    assert isinstance(as_student(lgb.LGBMClassifier()), LightGBMStudent)
    assert isinstance(as_student(xgb.XGBClassifier()), XGBoostStudent)


def test_a_class_of_that_name_from_elsewhere_is_not_taken_for_one() -> None:
    impostor = type("LGBMClassifier", (LogisticRegressionCV,), {})
    with pytest.raises(TypeError, match="got LGBMClassifier"):
        as_student(impostor())


@pytest.mark.parametrize(
    ("library", "regressor"),
    [("lightgbm", "LGBMRegressor"), ("xgboost", "XGBRegressor")],
)
@pytest.mark.parametrize("loss", [ProbabilityLoss(), IdentityLoss()])
def test_probabilities_by_squares_are_left_to_the_regressor(
    library: str, regressor: str, loss: DistillationLoss
) -> None:
    X, p, _, _ = made()
    reason = as_student(classifier(library)).supports(loss)
    assert reason is not None
    assert regressor in reason
    with pytest.raises(TypeError, match=f"log-odds as scores; use {regressor}"):
        fitted(library, X, p[:, 1:], loss)


@pytest.mark.parametrize(
    ("library", "settings", "reason"),
    [
        ("lightgbm", {"objective": "poisson"}, "would replace the loss"),
        ("lightgbm", {"objective": lambda y, f: (f, f)}, "would replace the loss"),
        ("lightgbm", {"application": "binary"}, "would replace the loss"),
        ("lightgbm", {"boosting_type": "rf"}, "does not boost"),
        ("lightgbm", {"boosting": "rf"}, "does not boost"),
        ("lightgbm", {"linear_tree": True}, "no constant leaves"),
        ("lightgbm", {"class_weight": "balanced"}, "weighs labels"),
        ("lightgbm", {"class_weight": {0: 1, 1: 2}}, "weighs labels"),
        ("lightgbm", {"is_unbalance": True}, "weighs labels"),
        ("lightgbm", {"scale_pos_weight": 2.0}, "weighs labels"),
        ("lightgbm", {"early_stopping_round": 5}, "held-out labels"),
        ("xgboost", {"objective": "count:poisson"}, "would replace the loss"),
        ("xgboost", {"booster": "gblinear"}, "has no trees"),
        ("xgboost", {"base_score": 0.5}, "would replace the start"),
        ("xgboost", {"base_score": [0.1, 0.2]}, "would replace the start"),
        ("xgboost", {"scale_pos_weight": 2.0}, "weighs labels"),
        ("xgboost", {"early_stopping_rounds": 5}, "held-out labels"),
    ],
)
def test_settings_that_speak_of_labels_are_refused(
    library: str, settings: dict[str, Any], reason: str
) -> None:
    X, p, _, _ = made(40)
    name = next(iter(settings))
    with pytest.raises(TypeError, match=rf"\({name}=.*{reason}"):
        fitted(library, X, CE.phi(p), **settings)


def test_lightgbms_binary_objective_never_sees_soft_labels() -> None:
    X, p, _, _ = made()
    student = fitted("lightgbm", X, p[:, 1:], objective="binary", num_leaves=16)
    close = np.abs(student.learner.predict_proba(X) - p).mean()
    ruined = lgb.LGBMRegressor(
        **classifier("lightgbm").get_params() | {"objective": "binary"}
    ).fit(X, p[:, 1])
    assert close < 0.05
    assert ruined.predict(X).min() > 0.999


@pytest.mark.parametrize("library", LIBRARIES)
def test_targets_and_weights_are_checked(library: str) -> None:
    X, p, _, w = made(20)
    target = CE.phi(p)
    bad = target.copy()
    bad[3] = np.nan
    with pytest.raises(ValueError, match="target must be finite; got nan in row 3"):
        fitted(library, X, bad)
    with pytest.raises(ValueError, match=r"target must have shape \(20, any\)"):
        fitted(library, X, target[:-1])
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        fitted(library, X, target, weight=-w)
    with pytest.raises(ValueError, match="sample_weight must have a positive sum"):
        fitted(library, X, target, weight=0 * w)


@pytest.mark.parametrize("library", LIBRARIES)
def test_two_scores_of_two_classes_are_refused(library: str) -> None:
    X, p, _, _ = made(20)
    loss = LogProbabilityLoss(centered=False)
    with pytest.raises(ValueError, match=r"one score for two classes.*centered=True"):
        fitted(library, X, loss.phi(p), loss)


@pytest.mark.parametrize("library", LIBRARIES)
def test_fewer_rows_than_classes_are_refused(library: str) -> None:
    X, p, _, w = made(20, k=3)
    w[2:] = 0.0
    with pytest.raises(ValueError, match="at least 3 rows of positive weight; got 2"):
        fitted(library, X, CE.phi(p), weight=w)


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_unfitted_student_has_no_scores(library: str) -> None:
    with pytest.raises(NotFittedError):
        as_student(classifier(library)).scores(np.zeros((2, 3)))


def test_random_forests_of_xgboost_are_sent_to_their_regressor() -> None:
    with pytest.raises(TypeError, match="Use XGBRFRegressor instead"):
        as_student(xgb.XGBRFClassifier())


@pytest.mark.parametrize(
    "regressor",
    [
        lgb.LGBMRegressor(),
        lgb.LGBMRegressor(objective="regression"),
        lgb.LGBMRegressor(objective="mse"),
        xgb.XGBRegressor(),
        xgb.XGBRegressor(objective="reg:squarederror"),
    ],
)
def test_boosted_regressors_that_fit_means_are_students(regressor: Any) -> None:
    student = as_student(regressor)
    assert isinstance(student, RegressorStudent)
    assert student.supports(ProbabilityLoss()) is None


LIGHTGBM_AIMS = (
    "regression_l1 mae huber fair poisson quantile mape gamma tweedie binary"
)
XGBOOST_AIMS = (
    "reg:absoluteerror reg:quantileerror reg:pseudohubererror reg:squaredlogerror "
    "reg:logistic reg:gamma reg:tweedie binary:logistic count:poisson"
)


@pytest.mark.parametrize(
    ("regressor", "objectives"),
    [
        (lgb.LGBMRegressor, f"{LIGHTGBM_AIMS} cross_entropy"),
        (xgb.XGBRegressor, XGBOOST_AIMS),
    ],
)
def test_boosted_regressors_that_fit_no_means_are_refused(
    regressor: Any, objectives: str
) -> None:
    for objective in [*objectives.split(), lambda y, f: (f - y, np.ones_like(f))]:
        reason = as_student(regressor(objective=objective)).supports(ProbabilityLoss())
        assert reason is not None
        assert "does not fit means by squares" in reason


@pytest.mark.parametrize("regressor", [lgb.LGBMRegressor, xgb.XGBRegressor])
def test_boosted_regressors_average_targets(regressor: Any) -> None:
    student = as_student(
        regressor(n_estimators=200, learning_rate=0.5, n_jobs=1, verbosity=0)
    )
    cell = np.arange(300) % 3
    X, level = cell[:, None].astype(float), np.array([-0.3, 0.4, 1.2])
    noise = np.random.default_rng(0).choice([-0.2, 0.4], size=300)
    target = (level[cell] + noise)[:, None]
    student.fit_target(X, target, loss=ProbabilityLoss())
    means = np.array([target[cell == j].mean() for j in range(3)])
    np.testing.assert_allclose(student.scores(X)[:, 0], means[cell], atol=2e-4)
