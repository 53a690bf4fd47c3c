"""How wrong a teacher must be: against brute force, and a teacher that is so wrong."""

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression

from semikd import cross_fit, external_labels
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
    found = breakdown_error(p, pull, estimate, half)
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
    p, pull = np.full(10, 0.3), np.full((10, 2), 0.1)
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
    found = breakdown_error(p, pull, np.array([12.0]), np.array([1.0]))
    assert 4.0 < found[0] < 5.9


def test_of_three_classes_nothing_is_said() -> None:
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(300, 1)), np.arange(300) % 3
    labels = external_labels(X, np.full((300, 3), 1 / 3), classes=[0, 1, 2])
    found = log_odds_coefficients(labels, X, y, random_state=0)
    assert found.breakdown is None
    assert "must be off" not in found.summary()
