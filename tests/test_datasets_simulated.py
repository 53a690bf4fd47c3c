"""Processes with known probabilities follow their formulas, and their labels them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from semikd.datasets import (
    make_gaussian_mixture,
    make_multiclass_process,
    make_smooth_process,
)

PROCESSES = {
    "gaussian_mixture": make_gaussian_mixture,
    "smooth_process": make_smooth_process,
    "multiclass_process": make_multiclass_process,
}


def outside_binomial_band(y, p):
    """Whether any decile of p holds a label count beyond odds of one in 10,000.

    Given x, a count is a sum of unlike coins, whose tails are lighter than those of the
    binomial with the same mean (Hoeffding 1956), so the band errs on the wide side.
    """
    order = np.argsort(p)
    for rows in np.array_split(order, 10):
        low, high = binom.interval(1 - 1e-5, len(rows), p[rows].mean())
        if not low <= y[rows].sum() <= high:
            return True
    return False


@pytest.mark.parametrize("make", PROCESSES.values(), ids=PROCESSES)
def test_labels_are_calibrated_to_the_true_probabilities(make):
    data = make(20_000, random_state=1)
    y = data.y.to_numpy()
    p = data.true_proba
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    for label in range(p.shape[1]):
        assert not outside_binomial_band(y == label, p[:, label])


@pytest.mark.parametrize("make", PROCESSES.values(), ids=PROCESSES)
def test_probabilities_a_quarter_too_sharp_would_be_noticed(make):
    data = make(20_000, random_state=1)
    sharp = data.true_proba**1.25
    sharp /= sharp.sum(axis=1, keepdims=True)
    assert outside_binomial_band(data.y.to_numpy() == 0, sharp[:, 0])


@pytest.mark.parametrize("make", PROCESSES.values(), ids=PROCESSES)
def test_classes_are_equally_likely(make):
    data = make(20_000, random_state=2)
    k = data.true_proba.shape[1]
    low, high = binom.interval(1 - 1e-4, 20_000, 1 / k)
    counts = np.bincount(data.y, minlength=k)
    assert ((low <= counts) & (counts <= high)).all()


def test_the_mixture_has_linear_log_odds_and_the_known_accuracy():
    data = make_gaussian_mixture(50_000, 4, 0.3, random_state=3)
    log_odds = np.log(data.true_proba[:, 1] / data.true_proba[:, 0])
    np.testing.assert_allclose(log_odds, -0.6 * data.X.sum(axis=1), atol=1e-10)
    best = data.true_proba.max(axis=1)
    error = best.std() / np.sqrt(len(best))
    assert abs(best.mean() - norm.cdf(0.3 * 2)) < 4 * error


def test_the_smooth_process_follows_its_formula():
    data = make_smooth_process(50, noise=0.2, random_state=4)
    x = data.X
    log_odds = (np.sin(np.pi * x["x1"]) + x["x2"] * x["x3"]) / 0.2
    np.testing.assert_allclose(data.true_proba[:, 1], 1 / (1 + np.exp(-log_odds)))


def test_a_turn_by_one_arm_shifts_the_classes_by_one():
    data = make_multiclass_process(50, 5, random_state=5)
    x, y = data.X["x1"], data.X["x2"]
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    for j in range(5):
        ratio = np.cos(angle - radius - 2 * np.pi * j / 5) - np.cos(angle - radius)
        found = np.log(data.true_proba[:, j] / data.true_proba[:, 0])
        np.testing.assert_allclose(found, ratio / 0.5, atol=1e-10)


@pytest.mark.parametrize("make", [make_smooth_process, make_multiclass_process])
def test_noise_dials_from_certain_labels_to_fair_dice(make):
    certain = make(500, noise=1e-4, random_state=6)
    assert (certain.y == certain.true_proba.argmax(axis=1)).mean() > 0.99
    dice = make(500, noise=1e6, random_state=6).true_proba
    np.testing.assert_allclose(dice, 1 / dice.shape[1], atol=1e-5)


@pytest.mark.parametrize("make", PROCESSES.values(), ids=PROCESSES)
def test_a_seed_repeats_the_draw_and_another_does_not(make):
    first, again, other = (make(30, random_state=seed) for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(first.X, again.X)
    pd.testing.assert_series_equal(first.y, again.y)
    assert not np.array_equal(first.X, other.X)


@pytest.mark.parametrize(
    ("make", "arguments", "complaint"),
    [
        (
            make_gaussian_mixture,
            {"n_features": 0},
            "n_features must .* at least 1; got 0",
        ),
        (
            make_gaussian_mixture,
            {"distance": -1.0},
            "distance must .* at least 0; got -1.0",
        ),
        (
            make_smooth_process,
            {"n_features": 2},
            "n_features must .* at least 3; got 2",
        ),
        (make_smooth_process, {"noise": 0}, "noise must .* above 0; got 0"),
        (
            make_multiclass_process,
            {"n_classes": 1},
            "n_classes must .* at least 2; got 1",
        ),
        (
            make_multiclass_process,
            {"n_features": 1},
            "n_features must .* at least 2; got 1",
        ),
        (make_multiclass_process, {"noise": -1}, "noise must .* above 0; got -1"),
    ],
)
def test_impossible_processes_are_refused(make, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        make(10, **arguments)


@pytest.mark.parametrize("make", PROCESSES.values(), ids=PROCESSES)
def test_a_process_needs_rows(make):
    with pytest.raises(ValueError, match=r"n_samples must .* at least 1; got 0"):
        make(0)
    with pytest.raises(TypeError, match="n_samples must be an integer"):
        make(2.5)
