"""The balancing weight with an error for each row, and the noise of another truth."""

from typing import Any

import numpy as np
import pytest

from semikd.corrections import RowwiseCorrection, ShrinkageCorrection, label_noise
from semikd.losses import CrossEntropyLoss, IdentityLoss, LogProbabilityLoss
from semikd.losses import ProbabilityLoss as Probability
from semikd.simplex import one_hot

P = np.array([[0.5, 0.5], [0.1, 0.9], [0.7, 0.3]])


def test_one_error_for_all_rows_is_shrinkage() -> None:
    for loss in (Probability(), LogProbabilityLoss()):
        rows = RowwiseCorrection(np.full(3, 0.2), label_noise(loss, P))
        got = rows.weight(P, None, loss, 0.1)
        expected = ShrinkageCorrection(0.2).weight(P, None, loss, 0.1)
        np.testing.assert_allclose(got, expected, rtol=1e-14)


def test_the_weight_minimises_the_bound_of_the_docstring() -> None:
    rng = np.random.default_rng(0)
    error, noise, over = rng.uniform(0.1, 2.0, size=(3, 3))
    noise = noise + 1.0
    rule = RowwiseCorrection(error, noise, over)
    weight = rule.weight(P, None, Probability(), 0.3)
    grid = np.linspace(0.0, 1.0, 20_001)[:, None]
    risk = (1 - grid) ** 2 * error + grid**2 * (over + 0.3 * noise)
    np.testing.assert_allclose(weight, grid[risk.argmin(axis=0), 0], atol=3e-5)


def test_a_sure_answer_does_not_pass_for_a_precise_label() -> None:
    sure = np.array([[0.001, 0.999]])
    trusting = RowwiseCorrection(np.ones(1), np.zeros(1))
    told = RowwiseCorrection(np.ones(1), np.full(1, 0.2))
    for rule, noise in ((trusting, 0.000999), (told, 0.2)):
        weight = rule.weight(sure, None, Probability(), 1.0)
        assert weight[0] == pytest.approx(1 / (1 + noise))
    mean = RowwiseCorrection(np.ones(1), np.full(1, 3.0))
    assert mean.weight(np.ones((1, 1)), None, IdentityLoss(), 1.0)[0] == 0.25


def test_some_rows_keep_their_errors_and_rows_without_labels_have_no_weight() -> None:
    rule = RowwiseCorrection(np.array([0.1, np.nan, 0.3]), np.ones(3), 0.5)
    whole = rule.weight(P, None, Probability(), 0.1)
    assert np.isnan(whole).tolist() == [False, True, False]
    at = np.array([2, 0])
    part = rule.take(at).weight(P[at], None, Probability(), 0.1)
    np.testing.assert_array_equal(part, whole[at])


@pytest.mark.parametrize("loss", [Probability(), CrossEntropyLoss(2.0)], ids=repr)
@pytest.mark.parametrize("k", [2, 4])
def test_noise_under_another_truth_is_the_variance_of_full_targets(
    loss: Any, k: int
) -> None:
    rng = np.random.default_rng(k)
    p, q = rng.dirichlet(np.ones(k), size=(2, 6))
    targets = np.stack([loss.jvp(p, e - p) for e in one_hot(np.arange(k), k)])
    share = q.T[:, :, None]
    mean = (share * targets).sum(axis=0)
    expected = (share * (targets - mean) ** 2).sum(axis=(0, 2))
    np.testing.assert_allclose(label_noise(loss, p, q), expected, atol=1e-14)
    certain = one_hot(np.zeros(6, dtype=int), k)
    np.testing.assert_allclose(label_noise(loss, p, certain), 0.0, atol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RowwiseCorrection([1.0, -1], [1, 1]), "squared_error .*; got -1 in r"),
        (
            lambda: RowwiseCorrection([1.0, 1], [1, -2]),
            "noise must .*; got -2 in row 1",
        ),
        (lambda: RowwiseCorrection([1.0], [1], -0.5), "overshoot must .*; got -0.5"),
        (lambda: RowwiseCorrection([1.0], [1, 2]), r"noise must have shape \(1,\)"),
        (lambda: RowwiseCorrection([np.inf], [1]), "squared_error must be finite"),
        (
            lambda: RowwiseCorrection([1.0], [1]).weight(P, None, Probability(), 1.0),
            "p must be those of the 1 rows .*; got 3 rows. Fit it",
        ),
    ],
)
def test_errors_that_cannot_be_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
