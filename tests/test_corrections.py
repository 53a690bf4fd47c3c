"""One contract for every correction; the formula against the paper's by autograd."""

import copy
import pickle
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from semikd.corrections import (
    ConstantCorrection,
    Correction,
    EstimatedCorrection,
    MinimaxCorrection,
    NoCorrection,
    OrthogonalCorrection,
    ReliabilityCorrection,
    RowwiseCorrection,
    ShrinkageCorrection,
    corrected_target,
    label_noise,
)
from semikd.corrections.base import UnfittedCorrection
from semikd.label_aware import (
    AdaptiveAlpha,
    AdaptiveMargin,
    ClassTable,
    ConfidenceTarget,
    LabelAwareCorrection,
    LogitAdjustment,
    ReferenceCorrection,
    SlowReferenceCorrection,
    TrustGate,
)
from semikd.losses import (
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.simplex import one_hot

FloatArray = NDArray[np.float64]

# A floor that some of the random probabilities fall below.
FLOOR = 0.05
LOSSES: list[DistillationLoss] = [
    ProbabilityLoss(),
    LogProbabilityLoss(min_proba=FLOOR),
    LogProbabilityLoss(centered=False, min_proba=FLOOR),
    CrossEntropyLoss(),
    CrossEntropyLoss(temperature=0.4),
    CrossEntropyLoss(temperature=3.0, min_proba=FLOOR),
    HardLabelMix(CrossEntropyLoss(temperature=3.0, min_proba=FLOOR), 0.7),
]
FIXED: list[Correction] = [
    NoCorrection(),
    OrthogonalCorrection(),
    ConstantCorrection(0.3),
    ShrinkageCorrection(squared_error=0.05),
    ShrinkageCorrection(squared_error=0.0),
    MinimaxCorrection("relative", size=1.0),
    MinimaxCorrection("absolute", size=0.1),
    MinimaxCorrection("power", size=2.0),
    RowwiseCorrection(np.linspace(0.0, 1.0, 10), np.ones(10), np.arange(10.0)),
]
LABEL_AWARE: list[Correction] = [
    ReferenceCorrection(strength=0.1),
    SlowReferenceCorrection(strength=0.1),
    SlowReferenceCorrection(strength=0.1, relative=True),
    ConfidenceTarget(),
    TrustGate(),
    ClassTable(np.eye(3)),
]
# Fitted to rows before they are a rule for them.
FITTED: list[Correction] = [
    EstimatedCorrection(),
    ReliabilityCorrection(),
    AdaptiveAlpha(),
    AdaptiveMargin(),
    LogitAdjustment(),
]
VALUES = [c for c in FIXED if not isinstance(c, RowwiseCorrection)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=repr)
fixed = pytest.mark.parametrize("correction", FIXED, ids=lambda c: repr(c)[:40])
classes = pytest.mark.parametrize("k", [2, 3, 5])


def drawn(k: int, n: int = 10) -> tuple[FloatArray, FloatArray]:
    """Return probabilities, some near zero, and one-hot labels."""
    rng = np.random.default_rng(k)
    p = rng.dirichlet(np.full(k, 0.5), size=n)
    return p, one_hot(rng.integers(0, k, size=n), k)


def concrete(family: type[Correction]) -> Iterator[type[Correction]]:
    """Yield every subclass that can be made."""
    for child in family.__subclasses__():
        yield from concrete(child)
        if not getattr(child, "__abstractmethods__", None):
            yield child


def mean_target(
    correction: Correction, loss: DistillationLoss, p: FloatArray, truth: FloatArray
) -> FloatArray:
    """Return the mean of the target over labels drawn from the truth."""
    total = np.zeros_like(np.asarray(loss.phi(p)))
    for j, vertex in enumerate(np.eye(p.shape[1])):
        y = np.broadcast_to(vertex, p.shape)
        target = correction.target(p, y, loss=loss, complexity=0.1)
        total += truth[:, j : j + 1] * target
    return total


def test_every_correction_of_the_library_is_under_a_contract() -> None:
    ours = {c for c in concrete(Correction) if c.__module__.startswith("semikd")}
    public = {c for c in ours if not c.__name__.startswith("_")}
    # That it is to be fitted is all that it says.
    public -= {UnfittedCorrection}
    assert {type(c) for c in FIXED + LABEL_AWARE + FITTED} == public
    assert not any(isinstance(c, LabelAwareCorrection) for c in FIXED)


@fixed
@every_loss
@classes
def test_weights_are_one_number_a_row_between_zero_and_one(
    correction: Correction, loss: DistillationLoss, k: int
) -> None:
    p, _ = drawn(k)
    for complexity in (1e-6, 0.1, 1.0):
        weight = correction.weight(p, None, loss, complexity)
        assert weight.shape == (len(p),)
        assert ((weight >= 0) & (weight <= 1)).all()


@fixed
@every_loss
def test_the_weight_does_not_look_at_the_label(
    correction: Correction, loss: DistillationLoss
) -> None:
    p, y = drawn(3)
    weight = correction.weight(p, None, loss, 0.1)
    for labels in (y, np.roll(y, 1, axis=1)):
        got = correction.target(p, labels, loss=loss, complexity=0.1)
        expected = loss.phi(p) + weight[:, None] * loss.jvp(p, labels - p)
        np.testing.assert_allclose(got, expected, atol=1e-12)


@fixed
@every_loss
@classes
def test_with_a_perfect_teacher_the_mean_target_is_the_teacher_s(
    correction: Correction, loss: DistillationLoss, k: int
) -> None:
    p, _ = drawn(k)
    got = mean_target(correction, loss, p, p)
    np.testing.assert_allclose(got, loss.phi(p), atol=1e-11)


@every_loss
@classes
def test_only_the_full_correction_is_flat_in_the_teacher(
    loss: DistillationLoss, k: int
) -> None:
    truth = np.random.default_rng(k).dirichlet(np.full(k, 8.0), size=6)
    rng = np.random.default_rng(0)
    move = rng.normal(size=truth.shape)
    move -= move.mean(axis=1, keepdims=True)
    step, size = 1e-5, np.abs(loss.jvp(truth, move)).max()

    def slope(correction: Correction) -> float:
        up, down = (
            mean_target(correction, loss, truth + s * move, truth)
            for s in (step, -step)
        )
        return float(np.abs(up - down).max() / (2 * step) / size)

    assert slope(OrthogonalCorrection()) < 1e-6
    assert slope(ConstantCorrection(0.9)) == pytest.approx(0.1, rel=1e-3)
    assert slope(NoCorrection()) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("weight", [0.0, 0.4, 1.0])
@every_loss
@classes
def test_the_moved_target_has_the_gradient_of_the_paper_s_added_term(
    loss: DistillationLoss, k: int, weight: float
) -> None:
    p, y = drawn(k)
    scores = np.random.default_rng(k).normal(size=(len(p), loss.n_outputs(k)))
    q = torch.tensor(p, requires_grad=True)
    f = torch.tensor(scores, requires_grad=True)
    labels = torch.tensor(y)
    plain = loss.value(f, loss.with_labels(loss.phi(q), labels)).sum()
    (in_p,) = torch.autograd.grad(plain, q, create_graph=True)
    paper = plain + weight * ((labels - q.detach()) * in_p).sum()
    (expected,) = torch.autograd.grad(paper, f)
    target = corrected_target(loss, p, y, np.full(len(p), weight))
    got = loss.gradient(scores, loss.with_labels(target, y))
    np.testing.assert_allclose(got, expected.numpy(), rtol=1e-9, atol=1e-10)


@every_loss
@classes
def test_the_noise_is_the_trace_over_the_jacobian(
    loss: DistillationLoss, k: int
) -> None:
    p, _ = drawn(k)
    expected = []
    for row in torch.tensor(p):
        J = torch.autograd.functional.jacobian(lambda q: loss.phi(q[None])[0], row)
        spread = torch.diag(row) - torch.outer(row, row)
        expected.append(float(torch.trace(J @ spread @ J.T)))
    np.testing.assert_allclose(label_noise(loss, p), expected, rtol=1e-9)


def test_the_noise_has_the_closed_forms_of_its_docstring() -> None:
    two, three = (
        np.random.default_rng(0).dirichlet(np.full(k, 9.0), 8) for k in (2, 3)
    )
    product = two.prod(axis=1)
    for loss, p, expected in (
        (ProbabilityLoss(), three, 1 - (three**2).sum(axis=1)),
        (ProbabilityLoss(), two, product),
        (CrossEntropyLoss(), two, product),
        (LogProbabilityLoss(), two, 1 / product),
    ):
        np.testing.assert_allclose(label_noise(loss, p), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", [ProbabilityLoss(), CrossEntropyLoss()], ids=repr)
@classes
def test_a_full_correction_at_temperature_one_is_the_label_and_a_part_is_a_mix(
    loss: DistillationLoss, k: int
) -> None:
    p, y = drawn(k)
    full = OrthogonalCorrection().target(p, y, loss=loss, complexity=1.0)
    np.testing.assert_allclose(full, loss.phi(y), atol=1e-14)
    mix = ConstantCorrection(0.3).target(p, y, loss=loss, complexity=1.0)
    np.testing.assert_allclose(mix, loss.phi(0.7 * p + 0.3 * y), atol=1e-14)


@every_loss
def test_the_ends_of_a_constant_are_none_and_full(loss: DistillationLoss) -> None:
    p, y = drawn(3)
    for value, same in ((0.0, NoCorrection()), (1.0, OrthogonalCorrection())):
        np.testing.assert_array_equal(
            ConstantCorrection(value).target(p, y, loss=loss, complexity=0.1),
            same.target(p, y, loss=loss, complexity=0.1),
        )
    plain = NoCorrection().target(p, y, loss=loss, complexity=0.1)
    np.testing.assert_array_equal(plain, loss.phi(p))


@pytest.mark.parametrize("complexity", [0.01, 0.3, 1.0])
@every_loss
def test_shrinkage_balances_bias_and_noise(
    loss: DistillationLoss, complexity: float
) -> None:
    p, _ = drawn(3)
    rho2 = 0.05
    weight = ShrinkageCorrection(rho2).weight(p, None, loss, complexity)
    grid = np.linspace(0.0, 1.0, 20_001)[:, None]
    risk = (1 - grid) ** 2 * rho2 + grid**2 * complexity * label_noise(loss, p)
    np.testing.assert_allclose(weight, grid[risk.argmin(axis=0), 0], atol=3e-5)


def test_shrinkage_has_the_limits_it_states() -> None:
    p, loss = np.array([[0.5, 0.5], [1e-9, 1.0], [0.0, 1.0]]), ProbabilityLoss()

    def weight(rho2: float, complexity: float = 0.1) -> FloatArray:
        return ShrinkageCorrection(rho2).weight(p, None, loss, complexity)

    np.testing.assert_array_equal(weight(0.0), 0.0)
    np.testing.assert_allclose(weight(1e12), 1.0)
    np.testing.assert_allclose(weight(0.01, complexity=1e-12), 1.0)
    assert np.isfinite(weight(1e-300)).all()
    sure = ShrinkageCorrection(0.05).weight(
        np.array([[0.5, 0.5], [0.001, 0.999]]), None, LogProbabilityLoss(), 0.1
    )
    assert sure[1] < 0.01
    assert sure[0] > 0.1


def test_shrinkage_of_a_regression_uses_the_variance_it_is_given() -> None:
    means, outcomes = np.array([[1.0], [2.0]]), np.array([[3.0], [2.5]])
    correction = ShrinkageCorrection(0.2, noise_variance=2.0)
    weight = correction.weight(means, None, IdentityLoss(), 0.1)
    np.testing.assert_allclose(weight, 0.5)
    target = correction.target(means, outcomes, loss=IdentityLoss(), complexity=0.1)
    np.testing.assert_allclose(target, (means + outcomes) / 2)


@pytest.mark.parametrize("correction", VALUES + LABEL_AWARE + FITTED, ids=repr)
def test_corrections_are_values(correction: Correction) -> None:
    assert copy.deepcopy(correction) == correction
    assert pickle.loads(pickle.dumps(correction)) == correction  # noqa: S301
    with pytest.raises((AttributeError, TypeError)):
        correction.value = 0.5  # type: ignore[attr-defined]
