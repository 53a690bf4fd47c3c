"""How wrong a teacher must be: against brute force, and a teacher that is so wrong."""

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from semikd import cross_fit
from semikd.inference import log_odds_coefficients
from semikd.inference.breakdown import breakdown_error
from semikd.simplex import FloatArray


def bias(p: FloatArray, truth: FloatArray, pull: FloatArray) -> FloatArray:
    """Return the bias of coefficients when labels p stand for the truth."""
    target = special.logit(p) + (truth - p) / (p * (1.0 - p))
    return np.asarray(pull.T @ (target - special.logit(truth)))


def test_the_worst_teacher_of_that_error_and_no_other_gets_there() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=200), np.ones(200)])
    pull = X @ np.linalg.inv(X.T @ X)
    p = special.expit(X[:, 0] + 0.3 * rng.normal(size=200))
    estimate, half = np.array([0.9, -0.2]), np.array([0.4, 0.05])
    pair = np.column_stack([p, 1.0 - p])
    found = breakdown_error(pair, pull, estimate, half)
    for j in range(2):
        # All signs of the error, row by row, that help.
        truths = [special.expit(special.logit(p) - s * found[j]) for s in (1, -1, 0)]
        toward = pull[:, j] * np.sign(estimate[j])
        each = [toward * bias(p, t, np.eye(200)) for t in truths]
        total = np.max(each, axis=0).sum()
        assert total == pytest.approx(abs(estimate[j]) - half[j], rel=1e-3)
        for _ in range(200):
            error = found[j] * rng.uniform(-1, 1, 200)
            other = special.expit(special.logit(p) - error)
            assert np.sign(estimate[j]) * bias(p, other, pull)[j] < total


def test_intervals_that_hold_zero_need_no_error() -> None:
    p, pull = np.tile([0.3, 0.7], (10, 1)), np.full((10, 2), 0.1)
    found = breakdown_error(p, pull, np.array([0.1, 9e9]), np.array([0.2, 0.1]))
    assert found.tolist() == [0.0, np.inf]


def test_results_say_how_wrong_labels_may_be() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, 2))
    y = (rng.random(2000) < special.expit(X[:, 0])).astype(np.intp)
    labels = cross_fit(LogisticRegression(), X, y, random_state=0)
    found = log_odds_coefficients(labels, X, y, random_state=0)
    assert found.breakdown is not None
    assert found.breakdown[0] > 0.5
    assert found.breakdown[1] == 0.0
    assert f"reach 0: x0 {found.breakdown[0]:.2f}." in found.summary()
    # In other units the same teacher is as wrong.
    scaled = log_odds_coefficients(labels, X * 10, y, teacher_rows=X, random_state=0)
    np.testing.assert_allclose(scaled.breakdown, found.breakdown, rtol=1e-6)


def test_a_small_error_may_be_worse_than_a_large_one() -> None:
    """Towards even odds a bias has a largest value at twice the log-odds."""
    p, pull = np.array([0.05]), np.ones((1, 1))
    largest = max(
        bias(p, special.expit(special.logit(p) + e), pull)[0] for e in (5, 5.9)
    )
    assert largest > bias(p, special.expit(special.logit(p) + 10.0), pull)[0]
    pair = np.column_stack([p, 1.0 - p])
    found = breakdown_error(pair, pull, np.array([12.0]), np.array([1.0]))
    assert 4.0 < found[0] < 5.9


@pytest.mark.parametrize("pair", [[1, 0], [2, 0]])
def test_of_three_classes_no_truth_within_the_error_does_worse(pair: list[int]) -> None:
    rng = np.random.default_rng(0)
    n = 40
    X = np.column_stack([rng.normal(size=n), np.ones(n)])
    pull = X @ np.linalg.inv(X.T @ X)
    q = rng.dirichlet([2.0, 3.0, 4.0], size=n)
    estimate, half = np.array([0.9, -0.4]), np.array([0.3, 0.1])
    found = breakdown_error(q[:, pair], pull, estimate, half)

    def left(p: FloatArray) -> FloatArray:
        """Return what the correction leaves of the target, by its definition."""
        j, r = pair
        target = np.log(q[:, j] / q[:, r])
        target += (p[:, j] - q[:, j]) / q[:, j] - (p[:, r] - q[:, r]) / q[:, r]
        return np.asarray(target - np.log(p[:, j] / p[:, r]))

    for c in range(2):
        toward = pull[:, c] * np.sign(estimate[c])
        # All truths whose log-odds of any two classes are within the error.
        steps = np.linspace(-1.0, 1.0, 61) * found[c]
        e, f = np.meshgrid(steps, steps)
        kept = np.abs(e - f) <= found[c] + 1e-12
        errors = np.column_stack([np.zeros(kept.sum()), e[kept], f[kept]])
        best = np.full(n, -np.inf)
        for error in errors:
            p = q * np.exp(error)
            best = np.maximum(best, toward * left(p / p.sum(axis=1, keepdims=True)))
        margin = abs(estimate[c]) - half[c]
        assert best.sum() == pytest.approx(margin, rel=0.01)


def test_three_classes_with_an_empty_one_are_two() -> None:
    rng = np.random.default_rng(0)
    p, pull = rng.uniform(0.1, 0.9, size=200), rng.normal(size=(200, 3)) / 200
    estimate, half = np.array([0.2, 0.1, -0.15]), np.full(3, 0.05)
    two = breakdown_error(np.column_stack([p, 1.0 - p]), pull, estimate, half)
    three = breakdown_error(
        np.column_stack([p, 1.0 - p]) * (1.0 - 1e-7), pull, estimate, half
    )
    np.testing.assert_allclose(three, two, rtol=0.01)


def test_results_of_three_classes_say_how_wrong_labels_may_be() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(3000, 2))
    f = np.column_stack([np.zeros(3000), X[:, 0], 0.5 * X[:, 1]])
    y = (rng.random(3000)[:, None] > np.cumsum(special.softmax(f, 1), 1)).sum(axis=1)
    labels = cross_fit(LogisticRegression(), X, y, random_state=0)
    found = log_odds_coefficients(labels, X, y, random_state=0)
    assert found.breakdown is not None
    held = found.conf_int().prod(axis=1) < 0
    np.testing.assert_array_equal(found.breakdown == 0.0, held)
    assert found.breakdown[0] > found.breakdown[4] > 0.5
    assert f"1: x0 {found.breakdown[0]:.2f}" in found.summary()
