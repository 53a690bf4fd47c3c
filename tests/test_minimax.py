"""The minimax weight against brute force over weights and truths."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.corrections import MinimaxCorrection
from semikd.losses import (
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)

FloatArray = NDArray[np.float64]
SETS = [("relative", 1.0), ("absolute", 0.15), ("power", 2.0), ("power", 0.5)]
every_set = pytest.mark.parametrize(("kind", "size"), SETS)


def ends(kind: str, size: float, p: float) -> tuple[float, float]:
    """Return the set of a probability by the text of the docstring."""
    pair = {
        "relative": (p / (1 + size), p * (1 + size)),
        "absolute": (p - size, p + size),
        "power": (p, p ** (1 / size)),
    }[kind]
    return max(min(pair), 0.0), min(max(pair), 1.0)


def risk_of(
    loss: DistillationLoss, p: FloatArray, q: FloatArray, kappa: float
) -> FloatArray:
    """Return squared bias plus variance of 2,001 weights, the labels drawn from q."""
    grid = np.linspace(0.0, 1.0, 2001)[:, None]
    phi, truth = np.asarray(loss.phi(p[None])), np.asarray(loss.phi(q[None]))
    targets = [phi + grid * loss.jvp(p[None], e - p[None]) for e in np.eye(len(p))]
    mean = sum(share * t for share, t in zip(q, targets, strict=True))
    noise = sum(
        share * ((t - mean) ** 2).sum(axis=1)
        for share, t in zip(q, targets, strict=True)
    )
    return np.asarray(((mean - truth) ** 2).sum(axis=1) + kappa * noise)


def brute_force(
    loss: DistillationLoss, p: FloatArray, kind: str, size: float, kappa: float
) -> tuple[float, FloatArray]:
    """Return the best weight of a grid, and the worst risk of each."""
    worst = np.full(2001, -np.inf)
    for j in range(1, 2) if len(p) == 2 else range(len(p)):
        for t in np.linspace(*ends(kind, size, p[j]), 201):
            q = p * (1 - t) / (1 - p[j])
            q[j] = t
            worst = np.maximum(worst, risk_of(loss, p, q, kappa))
    return float(worst.argmin()) / 2000, worst


@every_set
@pytest.mark.parametrize("kappa", [0.02, 1.0])
@pytest.mark.parametrize(
    "loss", [ProbabilityLoss(), CrossEntropyLoss(), LogProbabilityLoss()], ids=repr
)
def test_the_worst_risk_is_that_of_brute_force(
    kind: str, size: float, kappa: float, loss: DistillationLoss
) -> None:
    rule = MinimaxCorrection(kind, size)
    for p in (np.array([0.7, 0.3]), np.array([0.06, 0.94]), np.array([0.5, 0.2, 0.3])):
        weight = rule.weight(p[None], None, loss, kappa)[0]
        best, worst = brute_force(loss, p, kind, size, kappa)
        got = np.interp(weight, np.linspace(0, 1, 2001), worst)
        # The best weight may lie between two of the grid.
        assert got <= worst.min() * (1 + 1e-3)
        assert weight == pytest.approx(best, abs=2e-3)


def test_an_absolute_set_inside_the_simplex_has_the_solution_by_hand() -> None:
    # Symmetric about 1/2, both ends have risk (1 - w)² c² + κ w² (1/4 - c²), and the
    # middle κ w² / 4, which is the larger beyond w = 1 / (1 + √κ).
    c, kappa = 0.2, 0.1
    ends_alone = c**2 / (c**2 + kappa * (0.25 - c**2))
    crossing = 1 / (1 + np.sqrt(kappa))
    rule, p = MinimaxCorrection("absolute", c), np.array([[0.5, 0.5]])
    weight = rule.weight(p, None, ProbabilityLoss(), kappa)[0]
    assert weight == pytest.approx(min(ends_alone, crossing), abs=1e-9)


@pytest.mark.parametrize("loss", [ProbabilityLoss(), LogProbabilityLoss()], ids=repr)
@pytest.mark.parametrize("k", [2, 3])
def test_larger_sets_ask_for_more_and_no_set_for_nothing(
    loss: DistillationLoss, k: int
) -> None:
    p = np.random.default_rng(k).dirichlet(np.full(k, 3.0), size=8)
    for kind, sizes in (("relative", [0.0, 0.2, 1.0]), ("absolute", [0.0, 0.02, 0.1])):
        none, some, more = (
            MinimaxCorrection(kind, size).weight(p, None, loss, 0.2) for size in sizes
        )
        np.testing.assert_allclose(none, 0.0, atol=1e-9)
        assert (some > 0.0).all()
        assert (more >= some - 1e-9).all()
    one = MinimaxCorrection("power", 1.0).weight(p, None, loss, 0.2)
    np.testing.assert_allclose(one, 0.0, atol=1e-9)


def test_a_student_without_variance_takes_the_labels_whole() -> None:
    p = np.array([[0.6, 0.4], [0.9, 0.1]])
    rule = MinimaxCorrection("relative", 1.0)
    weight = rule.weight(p, None, ProbabilityLoss(), 1e-12)
    np.testing.assert_allclose(weight, 1.0, atol=1e-5)


def test_the_order_of_three_classes_does_not_matter() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=5)
    for loss in (ProbabilityLoss(), LogProbabilityLoss()):
        rule = MinimaxCorrection("relative", 0.5)
        turned = rule.weight(np.roll(p, 1, axis=1), None, loss, 0.3)
        np.testing.assert_allclose(rule.weight(p, None, loss, 0.3), turned, atol=1e-9)


def test_exact_and_tried_truths_agree_where_both_apply() -> None:
    p = np.random.default_rng(1).dirichlet(np.ones(2), size=40)
    rule = MinimaxCorrection("relative", 1.0)
    exact = rule.weight(p, None, CrossEntropyLoss(), 0.3)
    # Next to T = 1, where the grid takes over.
    tried = rule.weight(p, None, CrossEntropyLoss(1.0 + 1e-9), 0.3)
    np.testing.assert_allclose(exact, tried, atol=2e-2)
    mixed = HardLabelMix(CrossEntropyLoss(), 0.5)
    np.testing.assert_array_equal(rule.weight(p, None, mixed, 0.3), exact)


def test_a_set_that_reaches_the_end_of_a_log_scale_is_corrected_in_full() -> None:
    p = np.array([[0.9, 0.1], [0.7, 0.3]])
    rule = MinimaxCorrection("absolute", size=0.1)
    found = rule.weight(p, None, LogProbabilityLoss(), complexity=0.1)
    # The doc string quotes both.
    np.testing.assert_allclose(found, [1.0, 0.44], atol=0.005)


def test_certain_answers_and_rows_without_labels_are_no_obstacle() -> None:
    p = np.array([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0]])
    for loss in (ProbabilityLoss(), LogProbabilityLoss()):
        for kind, size in SETS:
            weight = MinimaxCorrection(kind, size).weight(p, None, loss, 0.1)
            assert np.isnan(weight).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: MinimaxCorrection("relativ"), ValueError, "Did you mean 'relative'"),
        (lambda: MinimaxCorrection("absolute", -1), ValueError, "size must .* least 0"),
        (lambda: MinimaxCorrection("power", 0), ValueError, "size must .* above 0"),
        (lambda: MinimaxCorrection("power", "a"), TypeError, "size must be a number"),
        (
            lambda: MinimaxCorrection().weight(np.ones((1, 1)), 0, IdentityLoss(), 1),
            ValueError,
            "loss must be one of probabilities; .* Use Shrinkage",
        ),
    ],
)
def test_sets_that_mean_nothing_are_refused(
    call: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
