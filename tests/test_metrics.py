"""Metrics against scikit-learn and brute force."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from semikd.evaluation import (
    calibration_error,
    pointwise_brier,
    pointwise_log_loss,
    scores,
)
from semikd.simplex import clip


@pytest.fixture(params=[2, 3])
def judged(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    p = rng.dirichlet(np.ones(request.param), size=60)
    return p, rng.integers(request.param, size=60), rng.uniform(0.1, 2.0, size=60)


def test_log_loss_is_scikit_learns_at_the_declared_floor(judged) -> None:
    p, codes, weights = judged
    ours = np.average(pointwise_log_loss(p, codes, min_proba=0.01), weights=weights)
    theirs = log_loss(codes, clip(p, 0.01), sample_weight=weights)
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_no_row_loses_more_than_the_floor_allows() -> None:
    p = np.array([[1.0, 0.0]])
    assert pointwise_log_loss(p, np.array([1]), min_proba=0.001) == -np.log(0.001)


def test_brier_is_the_squared_distance_to_the_vertex(judged) -> None:
    p, codes, _ = judged
    floored = clip(p, 0.001)
    brute = [
        sum((floored[i, j] - (codes[i] == j)) ** 2 for j in range(p.shape[1]))
        for i in range(len(p))
    ]
    np.testing.assert_allclose(pointwise_brier(p, codes), brute, rtol=1e-12)


def test_calibration_error_by_brute_force(judged) -> None:
    p, codes, weights = judged
    total = 0.0
    for j in range(p.shape[1]):
        order = np.argsort(p[:, j], kind="stable")
        for rows in np.array_split(order, 10):
            predicted = np.sum(weights[rows] * p[rows, j])
            observed = np.sum(weights[rows] * (codes[rows] == j))
            total += abs(predicted - observed) / weights.sum() / p.shape[1]
    ours = calibration_error(p, codes, sample_weight=weights)
    assert ours == pytest.approx(total, rel=1e-12)


def test_a_calibrated_model_has_the_error_of_noise_and_a_sharpened_one_more() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=20_000)
    codes = (rng.uniform(size=20_000) < p).astype(int)
    sharp = p**3 / (p**3 + (1 - p) ** 3)
    noise = calibration_error(np.stack([1 - p, p], 1), codes)
    wrong = calibration_error(np.stack([1 - sharp, sharp], 1), codes)
    assert noise < 0.01
    assert wrong > 0.1


def test_scores_are_scikit_learns(judged) -> None:
    p, codes, weights = judged
    ours = scores(p, codes, sample_weight=weights)
    column = p[:, 1] if p.shape[1] == 2 else p
    if p.shape[1] == 2:
        area = roc_auc_score(codes, column, sample_weight=weights)
    else:
        each = [
            roc_auc_score(codes == j, p[:, j], sample_weight=weights) for j in range(3)
        ]
        area = np.mean(each)
    assert ours["auc"] == pytest.approx(area)
    hits = accuracy_score(codes, p.argmax(axis=1), sample_weight=weights)
    assert ours["accuracy"] == pytest.approx(hits)


def test_an_area_without_both_classes_is_not_a_number() -> None:
    assert np.isnan(scores(np.array([[0.5, 0.5]]), np.array([0]))["auc"])


@pytest.mark.parametrize("floor", [0.0, 0.6, np.nan])
def test_a_floor_that_is_no_probability_is_refused(floor: float) -> None:
    with pytest.raises(ValueError, match="min_proba must be a number above 0"):
        pointwise_log_loss(np.array([[0.5, 0.5]]), np.array([0]), min_proba=floor)


def test_the_order_of_tied_rows_does_not_matter() -> None:
    codes = np.repeat([0, 1], 50)
    p = np.full((100, 2), 0.5)
    assert calibration_error(p, codes) == pytest.approx(0.0, abs=1e-15)
    tied = np.where(np.arange(100) % 4 == 0, 0.2, 0.6)
    p = np.stack([1 - tied, tied], axis=1)
    order = np.random.default_rng(0).permutation(100)
    shuffled = calibration_error(p[order], codes[order])
    assert calibration_error(p, codes) == pytest.approx(shuffled, rel=1e-12)


def test_the_noise_of_a_perfect_model_is_as_stated() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(200):
        second = rng.uniform(0.45, 0.55, size=1000)
        codes = (rng.uniform(size=1000) < second).astype(int)
        errors.append(calibration_error(np.stack([1 - second, second], 1), codes))
    # E|N(0, p(1 - p) B / n)| is 0.4 sqrt(B / n) at p = 1/2; the mean is within 1.5 %.
    assert np.mean(errors) == pytest.approx(0.4 * np.sqrt(10 / 1000), rel=0.06)
