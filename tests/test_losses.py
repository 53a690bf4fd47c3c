"""One contract for every loss, judged by autograd, differences and closed forms."""

import copy
import pickle
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import special

from semikd.losses import (
    ChangedLoss,
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    LossAround,
    ProbabilityLoss,
    ShiftedLoss,
    SmoothedLoss,
    TopClassesLoss,
    get_loss,
)
from semikd.simplex import center, one_hot

FloatArray = NDArray[np.float64]

# A floor that some of the random probabilities fall below.
FLOOR = 0.05
MEMBERS: list[DistillationLoss] = [
    IdentityLoss(),
    ProbabilityLoss(),
    LogProbabilityLoss(min_proba=FLOOR),
    LogProbabilityLoss(centered=False, min_proba=FLOOR),
    CrossEntropyLoss(min_proba=FLOOR),
    CrossEntropyLoss(temperature=0.4, min_proba=FLOOR),
    CrossEntropyLoss(temperature=3.0, min_proba=FLOOR),
    HardLabelMix(CrossEntropyLoss(temperature=3.0, min_proba=FLOOR), 0.7),
    HardLabelMix(LogProbabilityLoss(min_proba=FLOOR), 0.7),
    HardLabelMix(LogProbabilityLoss(centered=False, min_proba=FLOOR), 0.7),
    SmoothedLoss(CrossEntropyLoss(temperature=3.0, min_proba=FLOOR), share=0.2),
    SmoothedLoss(ProbabilityLoss(), share=0.2),
    TopClassesLoss(CrossEntropyLoss(min_proba=FLOOR), n_top=2),
    TopClassesLoss(LogProbabilityLoss(min_proba=FLOOR), n_top=1),
]
SOFTMAX = [loss for loss in MEMBERS if loss.name == "cross_entropy"]

member = pytest.mark.parametrize("loss", MEMBERS, ids=repr)
classes = pytest.mark.parametrize("k", [2, 3, 5])


def drawn(k: int, n: int = 12) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return probabilities, some near zero, one-hot labels and sum-free directions."""
    rng = np.random.default_rng(k)
    p = rng.dirichlet(np.full(k, 0.5), size=n)
    v = rng.normal(size=(n, k))
    return p, one_hot(rng.integers(0, k, size=n), k), v - v.mean(axis=1, keepdims=True)


def scored(loss: DistillationLoss, k: int) -> tuple[FloatArray, FloatArray]:
    """Return random scores and fully corrected targets, beside labels where used."""
    p, y, _ = drawn(k)
    f = np.random.default_rng(k + 1).normal(size=(len(p), loss.n_outputs(k)))
    return f, loss.with_labels(loss.phi(p) + loss.jvp(p, y - p), y)


def concrete(family: type[DistillationLoss]) -> Iterator[type[DistillationLoss]]:
    """Yield every subclass that can be made."""
    for child in family.__subclasses__():
        yield from concrete(child)
        if not getattr(child, "__abstractmethods__", None):
            yield child


def test_every_loss_of_the_library_is_under_the_contract() -> None:
    ours = {loss for loss in concrete(DistillationLoss) if "semikd" in loss.__module__}
    # One is for a given number of classes, and has tests of its own.
    assert {type(loss) for loss in MEMBERS} == ours - {LossAround, ShiftedLoss}


def test_some_probabilities_lie_below_the_floor() -> None:
    for k in (2, 3, 5):
        p = drawn(k)[0]
        assert (p < FLOOR).any()
        assert (p > FLOOR).any()


@member
@classes
def test_the_gradient_is_what_autograd_and_differences_find(
    loss: DistillationLoss, k: int
) -> None:
    f, target = scored(loss, k)
    tensor = torch.tensor(f, requires_grad=True)
    loss.value(tensor, torch.tensor(target)).sum().backward()
    assert tensor.grad is not None
    gradient = loss.gradient(f, target)
    np.testing.assert_allclose(gradient, tensor.grad.numpy(), atol=1e-12)
    for j, step in enumerate(1e-5 * np.eye(f.shape[1])):
        rise = loss.value(f + step, target) - loss.value(f - step, target)
        np.testing.assert_allclose(gradient[:, j], rise / 2e-5, atol=1e-7)


@member
@classes
def test_the_curvature_is_what_autograd_and_differences_find(
    loss: DistillationLoss, k: int
) -> None:
    f, target = scored(loss, k)
    curvature = loss.curvature(f)
    tensor = torch.tensor(f, requires_grad=True)
    value = loss.value(tensor, torch.tensor(target)).sum()
    (slope,) = torch.autograd.grad(value, tensor, create_graph=True)
    for j in range(f.shape[1]):
        (row,) = torch.autograd.grad(slope[:, j].sum(), tensor, retain_graph=True)
        np.testing.assert_allclose(curvature[:, j], row.numpy(), atol=1e-12)
    for j, step in enumerate(1e-5 * np.eye(f.shape[1])):
        rise = loss.gradient(f + step, target) - loss.gradient(f - step, target)
        np.testing.assert_allclose(curvature[:, j], rise / 2e-5, atol=1e-7)


@member
@classes
def test_the_curvature_is_never_negative(loss: DistillationLoss, k: int) -> None:
    f, _ = scored(loss, k)
    for scale in (0.0, 1.0, 100.0):
        assert np.linalg.eigvalsh(loss.curvature(scale * f)).min() >= -1e-12


@member
@classes
def test_the_product_with_a_direction_is_the_derivative_of_the_scale(
    loss: DistillationLoss, k: int
) -> None:
    p, _, v = drawn(k)
    product = loss.jvp(p, v)
    _, tangent = torch.func.jvp(loss.phi, (torch.tensor(p),), (torch.tensor(v),))
    np.testing.assert_allclose(product, tangent.numpy(), atol=1e-10)
    rise = loss.phi(p + 1e-7 * v) - loss.phi(p - 1e-7 * v)
    np.testing.assert_allclose(product, rise / 2e-7, rtol=1e-5, atol=1e-6)


@member
@classes
def test_tensors_give_what_arrays_give_in_their_own_type(
    loss: DistillationLoss, k: int
) -> None:
    p, y, v = drawn(k)
    f, target = scored(loss, k)
    calls = [
        (loss.phi, (p,)),
        (loss.jvp, (p, v)),
        (loss.with_labels, (loss.phi(p), y)),
        (loss.value, (f, target)),
        (loss.gradient, (f, target)),
        (loss.curvature, (f,)),
        (loss.probabilities, (f,)),
    ]
    for call, arrays in calls:
        expected = call(*arrays)
        double = call(*(torch.tensor(array) for array in arrays))
        np.testing.assert_allclose(double.numpy(), expected, atol=1e-12)
        assert double.dtype == torch.float64
        single = call(*(torch.tensor(array).float() for array in arrays))
        assert single.dtype == torch.float32
        assert call(*(array.astype(np.float32) for array in arrays)).dtype == np.float32


@member
@classes
def test_rows_are_independent_and_leading_axes_allowed(
    loss: DistillationLoss, k: int
) -> None:
    f, target = scored(loss, k)
    stacked = f.reshape(3, 4, -1), target.reshape(3, 4, -1)
    for call, arrays in [
        (loss.value, stacked),
        (loss.gradient, stacked),
        (loss.curvature, stacked[:1]),
        (loss.probabilities, stacked[:1]),
    ]:
        rows = call(*(array.reshape(12, -1) for array in arrays))
        np.testing.assert_array_equal(
            call(*arrays), rows.reshape(3, 4, *rows.shape[1:])
        )


@member
@classes
def test_widths_are_the_declared_ones(loss: DistillationLoss, k: int) -> None:
    p, y, v = drawn(k)
    m = loss.n_outputs(k)
    assert loss.phi(p).shape == loss.jvp(p, v).shape == (len(p), m)
    assert loss.n_scores(loss.with_labels(loss.phi(p), y)) == m
    f = np.zeros((len(p), m))
    assert loss.curvature(f).shape == (len(p), m, m)
    assert loss.probabilities(f).shape == (len(p), k)


@member
@classes
def test_the_gradient_is_affine_in_the_target(loss: DistillationLoss, k: int) -> None:
    f, first = scored(loss, k)
    second = np.random.default_rng(9).normal(size=first.shape)
    mixed = loss.gradient(f, 0.3 * first + 0.7 * second)
    parts = 0.3 * loss.gradient(f, first) + 0.7 * loss.gradient(f, second)
    np.testing.assert_allclose(mixed, parts, atol=1e-12)


@member
@classes
def test_what_is_not_affine_in_the_target_does_not_depend_on_the_scores(
    loss: DistillationLoss, k: int
) -> None:
    f, first = scored(loss, k)
    step = np.random.default_rng(9).normal(size=first.shape)

    def bend(scores: FloatArray) -> FloatArray:
        around = loss.value(scores, first + step) + loss.value(scores, first - step)
        return np.asarray(around - 2 * loss.value(scores, first))

    np.testing.assert_allclose(bend(f), bend(2 * f + 1), atol=1e-10)
    if loss.name == "cross_entropy":
        np.testing.assert_allclose(bend(f), 0.0, atol=1e-12)


@member
@classes
def test_the_minimum_is_where_the_target_says(loss: DistillationLoss, k: int) -> None:
    p = 0.3 / k + 0.7 * drawn(k)[0]
    assert p.min() > FLOOR
    best, q = loss.phi(p), loss.change(p) if isinstance(loss, ChangedLoss) else p
    if loss.name == "cross_entropy":
        best = np.log(q[:, 1:] / q[:, :1]) if k == 2 else np.log(q)
    # Labels that are the probabilities themselves leave the minimum where it is.
    target = loss.with_labels(loss.phi(p), p)
    np.testing.assert_allclose(loss.gradient(best, target), 0.0, atol=1e-12)
    np.testing.assert_allclose(loss.probabilities(best), q, atol=1e-12)
    rng = np.random.default_rng(0)
    for size in (1e-2, 1.0, 10.0):
        away = best + size * rng.normal(size=best.shape)
        assert (loss.value(away, target) >= loss.value(best, target)).all()


@member
@classes
def test_a_full_correction_removes_the_first_order_of_a_wrong_probability(
    loss: DistillationLoss, k: int
) -> None:
    p0, _, v = drawn(k)
    p0 = 0.3 / k + 0.7 * p0
    f = np.random.default_rng(3).normal(size=(len(p0), loss.n_outputs(k)))

    def expected_gradient(p: FloatArray, weight: float) -> FloatArray:
        total = np.zeros_like(f)
        for j in range(k):
            label = np.broadcast_to(np.eye(k)[j], p.shape)
            target = loss.phi(p) + weight * loss.jvp(p, label - p)
            goal = loss.with_labels(target, label)
            total += p0[:, j : j + 1] * loss.gradient(f, goal)
        return total

    def slope(weight: float) -> FloatArray:
        ahead, behind = p0 + 1e-6 * v, p0 - 1e-6 * v
        rise = expected_gradient(ahead, weight) - expected_gradient(behind, weight)
        return rise / 2e-6

    np.testing.assert_allclose(slope(1.0), 0.0, atol=1e-6)
    plain = slope(0.0)
    assert (np.abs(plain).max(axis=1) > 1e-3).all()
    np.testing.assert_allclose(slope(0.5), 0.5 * plain, atol=1e-6)


ONE_NUMBER = [loss for loss in MEMBERS if loss.n_outputs(2) == 1]


@pytest.mark.parametrize("loss", ONE_NUMBER, ids=repr)
def test_two_classes_on_one_number_are_worth_two_coordinates(
    loss: DistillationLoss,
) -> None:
    f, target = scored(loss, 2)
    soft = _two_coordinates(loss.name, target[:, :1], is_score=False)
    wide = _two_coordinates(loss.name, f, is_score=True)
    if isinstance(loss.scale, CrossEntropyLoss):
        expected = _cross_entropy(wide / loss.scale.temperature, soft)
    else:
        expected = 0.5 * ((wide - soft) ** 2).sum(axis=1)
    if isinstance(loss, HardLabelMix):
        labels = _two_coordinates("cross_entropy", target[:, 1:], is_score=False)
        expected = expected + loss.hard_weight * _cross_entropy(wide, labels)
    np.testing.assert_allclose(loss.value(f, target), expected, rtol=1e-13)


def _two_coordinates(name: str, number: FloatArray, *, is_score: bool) -> FloatArray:
    """Return one number of two classes as the two coordinates it stands for."""
    if name == "log_probability":
        return np.concatenate([-number / 2, number / 2], axis=1)
    first = 0 * number if is_score and name == "cross_entropy" else 1 - number
    return np.concatenate([first, number], axis=1)


def _cross_entropy(scores: FloatArray, target: FloatArray) -> FloatArray:
    """Return the cross-entropy of each row by scipy."""
    return np.asarray(-(target * special.log_softmax(scores, axis=1)).sum(axis=1))


@member
@pytest.mark.parametrize("k", [3, 5])
def test_the_order_of_many_classes_does_not_matter(
    loss: DistillationLoss, k: int
) -> None:
    p, _, v = drawn(k)
    f, target = scored(loss, k)
    order = np.random.default_rng(0).permutation(k)
    np.testing.assert_allclose(loss.phi(p[:, order]), loss.phi(p)[:, order])
    np.testing.assert_allclose(
        loss.jvp(p[:, order], v[:, order]), loss.jvp(p, v)[:, order], atol=1e-12
    )
    halves = np.split(target, target.shape[1] // k, axis=1)
    moved = np.concatenate([half[:, order] for half in halves], axis=1)
    np.testing.assert_allclose(loss.value(f[:, order], moved), loss.value(f, target))
    np.testing.assert_allclose(
        loss.probabilities(f[:, order]), loss.probabilities(f)[:, order], atol=1e-15
    )


@pytest.mark.parametrize("loss", ONE_NUMBER, ids=repr)
def test_the_order_of_two_classes_does_not_matter(loss: DistillationLoss) -> None:
    p, y, _ = drawn(2)
    f = np.random.default_rng(0).normal(size=(len(p), 1))
    swapped = 1 - f if loss.name == "probability" else -f
    there = loss.value(f, loss.with_labels(loss.phi(p), y))
    back = loss.value(swapped, loss.with_labels(loss.phi(p[:, ::-1]), y[:, ::-1]))
    np.testing.assert_allclose(there, back, rtol=1e-12)
    np.testing.assert_allclose(
        loss.probabilities(swapped), loss.probabilities(f)[:, ::-1], atol=1e-15
    )


@pytest.mark.parametrize("loss", SOFTMAX, ids=repr)
@pytest.mark.parametrize("k", [3, 5])
def test_softmax_losses_ignore_a_common_shift(loss: DistillationLoss, k: int) -> None:
    f, target = scored(loss, k)
    np.testing.assert_allclose(loss.value(f + 7.0, target), loss.value(f, target))
    np.testing.assert_allclose(loss.gradient(f, target).sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(loss.curvature(f).sum(axis=1), 0.0, atol=1e-12)


@classes
def test_cross_entropy_at_temperature_one_is_cross_entropy(k: int) -> None:
    p = drawn(k)[0]
    loss = CrossEntropyLoss()
    f = np.random.default_rng(0).normal(size=(len(p), loss.n_outputs(k)))
    wide = f if k > 2 else np.concatenate([0 * f, f], axis=1)
    np.testing.assert_allclose(loss.value(f, loss.phi(p)), _cross_entropy(wide, p))


@classes
@pytest.mark.parametrize("loss", [CrossEntropyLoss(), ProbabilityLoss()])
def test_a_full_correction_of_a_linear_scale_is_the_label(
    loss: DistillationLoss, k: int
) -> None:
    p, y, _ = drawn(k)
    corrected = loss.phi(p) + loss.jvp(p, y - p)
    np.testing.assert_allclose(corrected, y[:, 1:] if k == 2 else y, atol=1e-14)


@classes
def test_hot_cross_entropy_approaches_squared_log_probabilities(k: int) -> None:
    p = 0.1 / k + 0.9 * drawn(k)[0]
    squared = LogProbabilityLoss(min_proba=1e-6)
    f = np.random.default_rng(0).normal(size=(len(p), squared.n_outputs(k)))
    if k > 2:
        f = center(f)
    limit = squared.value(f, squared.phi(p))
    best = np.log(p[:, 1:] / p[:, :1]) if k == 2 else np.log(p)
    gaps = []
    for temperature in (100.0, 1000.0):
        loss = CrossEntropyLoss(temperature, min_proba=1e-6)
        above = loss.value(f, loss.phi(p)) - loss.value(best, loss.phi(p))
        # Softmax at a common score has curvature 1/k on every contrast.
        gaps.append(np.abs(k * temperature**2 * above - limit).max())
    assert gaps[0] < 0.05 * limit.max()
    assert gaps[1] < 0.15 * gaps[0]


@pytest.mark.parametrize(
    "loss",
    [
        LogProbabilityLoss(centered=False, min_proba=FLOOR),
        LogProbabilityLoss(min_proba=FLOOR),
        CrossEntropyLoss(temperature=3.0, min_proba=FLOOR),
    ],
)
def test_the_scale_and_its_slope_go_on_without_a_step_at_the_floor(
    loss: DistillationLoss,
) -> None:
    above, below = (
        np.array([[FLOOR + gap, 0.4 - gap, 0.6 - FLOOR]]) for gap in (1e-9, -1e-9)
    )
    v = np.array([[1.0, -0.5, -0.5]])
    np.testing.assert_allclose(loss.phi(above), loss.phi(below), atol=1e-6)
    np.testing.assert_allclose(loss.jvp(above, v), loss.jvp(below, v), rtol=1e-6)


def test_below_the_floor_the_logarithm_is_its_tangent() -> None:
    p = np.array([[0.01, 0.99], [0.0, 1.0]])
    expected = np.log(FLOOR) + (p[:, 0] - FLOOR) / FLOOR
    loss = LogProbabilityLoss(centered=False, min_proba=FLOOR)
    np.testing.assert_allclose(loss.phi(p)[:, 0], expected)
    np.testing.assert_allclose(
        LogProbabilityLoss(min_proba=FLOOR).phi(p)[:, 0], np.log(p[:, 1]) - expected
    )


@classes
def test_above_the_floor_the_scales_are_their_formulas(k: int) -> None:
    p = 0.3 / k + 0.7 * drawn(k)[0]
    second = slice(1, None) if k == 2 else slice(None)
    annealed = special.softmax(np.log(p) / 3.0, axis=1)
    log_p = np.log(p)
    clr = log_p - log_p.mean(axis=1, keepdims=True)
    odds = log_p[:, 1:] - log_p[:, :1]
    for loss, expected in [
        (ProbabilityLoss(), p[:, second]),
        (IdentityLoss(), p),
        (CrossEntropyLoss(temperature=3.0), annealed[:, second]),
        (LogProbabilityLoss(centered=False), log_p),
        (LogProbabilityLoss(), odds if k == 2 else clr),
    ]:
        np.testing.assert_allclose(loss.phi(p), expected, atol=1e-12)


@member
@classes
def test_vertices_and_large_scores_stay_finite(loss: DistillationLoss, k: int) -> None:
    vertex = np.eye(k)
    target = loss.with_labels(loss.phi(vertex), vertex)
    f = 1e4 * np.random.default_rng(0).normal(size=(k, loss.n_outputs(k)))
    for result in (
        target,
        loss.jvp(vertex, vertex[::-1] - vertex),
        loss.value(f, target),
        loss.gradient(f, target),
        loss.curvature(f),
        loss.probabilities(f),
    ):
        assert np.isfinite(result).all()


def test_a_cold_temperature_leaves_the_most_likely_class() -> None:
    loss = CrossEntropyLoss(temperature=1e-4)
    p = np.array([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(loss.phi(p), [[0, 0, 1]], atol=1e-12)
    assert np.isfinite(loss.jvp(p, np.array([[1.0, 0.0, -1.0]]))).all()


@pytest.mark.parametrize(
    "base", [CrossEntropyLoss(2.0), LogProbabilityLoss(), LogProbabilityLoss(False)]
)
@classes
def test_the_hard_label_term_is_added_to_the_loss(
    base: DistillationLoss, k: int
) -> None:
    p, y, _ = drawn(k)
    f = np.random.default_rng(0).normal(size=(len(p), base.n_outputs(k)))
    mix = HardLabelMix(base, 0.7)
    target = mix.with_labels(mix.phi(p), y)
    wide = f if f.shape[1] > 1 else np.concatenate([0 * f, f], axis=1)
    expected = base.value(f, base.phi(p)) + 0.7 * _cross_entropy(wide, y)
    np.testing.assert_allclose(mix.value(f, target), expected, rtol=1e-12)
    none = HardLabelMix(base, 0.0)
    np.testing.assert_allclose(none.value(f, target), base.value(f, base.phi(p)))
    assert mix.name == base.name


def test_a_hard_weight_at_temperature_one_mixes_the_targets() -> None:
    p, y, _ = drawn(3)
    f = np.random.default_rng(0).normal(size=p.shape)
    mix = HardLabelMix(CrossEntropyLoss(), 0.5)
    mixed = CrossEntropyLoss().value(f, (p + 0.5 * y) / 1.5)
    np.testing.assert_allclose(mix.value(f, mix.with_labels(p, y)), 1.5 * mixed)


def test_labels_count_only_in_the_mix() -> None:
    p, y, _ = drawn(3)
    assert CrossEntropyLoss().with_labels(p, y) is p
    assert HardLabelMix(CrossEntropyLoss(), 1.0).with_labels(p, y).shape == (len(p), 6)


@member
def test_losses_are_values(loss: DistillationLoss) -> None:
    again = pickle.loads(pickle.dumps(loss))  # noqa: S301
    assert again == loss == copy.deepcopy(loss)
    assert hash(again) == hash(loss)
    assert len({repr(other) for other in MEMBERS}) == len(MEMBERS) == len(set(MEMBERS))


def test_losses_are_found_by_name() -> None:
    assert get_loss("auto", auto="log_probability") == LogProbabilityLoss()
    assert get_loss("cross_entropy", auto="probability") == CrossEntropyLoss()
    loss = CrossEntropyLoss(temperature=2.0)
    assert get_loss(loss, auto="probability") is loss
    assert get_loss(loss, auto="probability", hard_weight=0.5) == HardLabelMix(
        loss, 0.5
    )


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'log_probability'"):
        get_loss("log_probabilities", auto="probability")
    with pytest.raises(ValueError, match="loss must be one of 'auto', 'probability'"):
        get_loss(3, auto="probability")  # type: ignore[arg-type]


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
def test_temperatures_that_are_not_positive_are_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be a number above 0; got"):
        CrossEntropyLoss(temperature=temperature)


@pytest.mark.parametrize("family", [CrossEntropyLoss, LogProbabilityLoss])
@pytest.mark.parametrize("min_proba", [0.0, -0.1, 0.6])
def test_floors_outside_their_range_are_refused(
    family: type[CrossEntropyLoss] | type[LogProbabilityLoss], min_proba: float
) -> None:
    with pytest.raises(ValueError, match="min_proba must be a number above 0 and at"):
        family(min_proba=min_proba)


def test_numbers_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(
        TypeError, match="temperature must be a number above 0; got '2'"
    ):
        CrossEntropyLoss(temperature="2")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="hard_weight must be a number at least 0"):
        HardLabelMix(CrossEntropyLoss(), True)


def test_hard_labels_are_mixed_with_log_scales_and_positive_weights_only() -> None:
    with pytest.raises(
        ValueError, match=r"hard_weight must be .* at least 0; got -0.5"
    ):
        HardLabelMix(CrossEntropyLoss(), -0.5)
    for base in (ProbabilityLoss(), IdentityLoss()):
        with pytest.raises(
            TypeError, match=r"loss must be on a log scale.*Use 'cross_"
        ):
            HardLabelMix(base, 0.5)
