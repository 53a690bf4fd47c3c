"""Corrections that see the label: what they do, and exactly how wrong it is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.corrections import NoCorrection, OrthogonalCorrection
from semikd.label_aware import (
    LabelAwareCorrection,
    ReferenceCorrection,
    SlowReferenceCorrection,
    TrustGate,
)
from semikd.losses import CrossEntropyLoss, LogProbabilityLoss, ProbabilityLoss

FloatArray = NDArray[np.float64]


def bias(correction: LabelAwareCorrection, second: FloatArray) -> FloatArray:
    """Return the error of the mean target when the teacher is right, shape (n,)."""
    p = np.stack([1 - second, second], axis=1)
    mean = np.zeros(len(p))
    for j, vertex in enumerate(np.eye(2)):
        y = np.broadcast_to(vertex, p.shape)
        target = correction.target(p, y, loss=ProbabilityLoss(), complexity=1.0)
        mean += p[:, j] * target[:, 0]
    return mean - second


@pytest.mark.parametrize("c", [0.001, 0.01, 0.1, 1.0])
def test_the_bias_is_the_formula_of_the_docstring(c: float) -> None:
    p = np.linspace(0.0, 1.0, 101)
    expected = c * p * (1 - p) * (1 / (c + (1 - p) ** 2) - 1 / (c + p**2))
    np.testing.assert_allclose(bias(ReferenceCorrection(c), p), expected, atol=1e-15)


@pytest.mark.parametrize(("c", "worst"), [(0.001, 0.015), (0.01, 0.044), (0.1, 0.093)])
def test_the_worst_bias_is_the_number_of_the_docstring(c: float, worst: float) -> None:
    p = np.linspace(0.0, 1.0, 100_001)
    assert np.abs(bias(ReferenceCorrection(c), p)).max() == pytest.approx(
        worst, abs=5e-4
    )


def test_the_bias_sharpens_and_spares_the_middle_and_the_ends() -> None:
    off = bias(ReferenceCorrection(0.1), np.array([0.0, 0.2, 0.5, 0.8, 1.0]))
    assert off[1] < -0.01
    assert off[3] > 0.01
    np.testing.assert_allclose(off[[0, 2, 4]], 0.0, atol=1e-15)


@pytest.mark.parametrize("k", [2, 3])
def test_the_ends_of_the_strength_are_none_and_full(k: int) -> None:
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(k), size=9), np.eye(k)[rng.integers(0, k, size=9)]
    loss = LogProbabilityLoss()
    for strength, same in ((1e-14, NoCorrection()), (1e14, OrthogonalCorrection())):
        np.testing.assert_allclose(
            ReferenceCorrection(strength).target(p, y, loss=loss, complexity=1.0),
            same.target(p, y, loss=loss, complexity=1.0),
            rtol=1e-7,
            atol=1e-7,
        )


def test_the_weight_of_a_class_is_small_where_the_teacher_was_wrong() -> None:
    p, y = np.array([[0.1, 0.3, 0.6]]), np.array([[0.0, 0.0, 1.0]])
    got = ReferenceCorrection(0.1).label_weight(p, y)
    np.testing.assert_allclose(got, [[0.1 / 0.11, 0.1 / 0.19, 0.1 / 0.26]])


def test_the_weight_changes_with_the_label() -> None:
    p = np.array([[0.2, 0.8]])
    first, second = (
        ReferenceCorrection(0.1).label_weight(p, e[None]) for e in np.eye(2)
    )
    assert (second > 5 * first).all()


@pytest.mark.parametrize("k", [2, 4])
def test_the_weight_of_a_row_is_its_mean_over_the_teacher_s_labels(k: int) -> None:
    correction = ReferenceCorrection(0.1)
    p = np.random.default_rng(0).dirichlet(np.ones(k), size=7)
    expected = [
        sum(
            p_j * np.mean(0.1 / (0.1 + (e - row) ** 2))
            for p_j, e in zip(row, np.eye(k), strict=True)
        )
        for row in p
    ]
    weight = correction.weight(p, None, CrossEntropyLoss(), 0.1)
    np.testing.assert_allclose(weight, expected)
    assert ((weight > 0) & (weight <= 1)).all()


@pytest.mark.parametrize("strength", [0.0, -0.1, np.nan, np.inf])
def test_the_strength_is_positive(strength: float) -> None:
    with pytest.raises(ValueError, match="strength must be a number above 0; got"):
        ReferenceCorrection(strength)


def test_the_strength_is_a_number() -> None:
    with pytest.raises(TypeError, match="strength must be a number above 0; got 'c'"):
        ReferenceCorrection("c")  # type: ignore[arg-type]


def test_a_rule_without_weights_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="label_weight"):
        LabelAwareCorrection()  # type: ignore[abstract]


@pytest.mark.parametrize("c", [1e-4, 0.01, 0.3, 20.0])
@pytest.mark.parametrize("relative", [False, True])
def test_the_slow_form_is_the_best_of_a_fine_grid(c: float, relative: bool) -> None:
    second = np.array([0.01, 0.2, 0.5, 0.93])
    p, grid = np.stack([1 - second, second], axis=1), np.linspace(0.0, 1.0, 1_000_001)
    for y in np.eye(2):
        labels = np.broadcast_to(y, p.shape)
        got = SlowReferenceCorrection(c, relative).label_weight(p, labels)
        for answer, weight in zip(p.ravel(), got.ravel(), strict=True):
            at = np.flatnonzero(p.ravel() == answer)[0] % 2
            # On the log scale a weight in units of 1/p: what the code minimises there.
            g, one = (grid / answer, 1 / answer) if relative else (grid, 1.0)
            risk = g**2 * (y[at] - answer) ** 2 + c * (g - one) ** 4
            assert weight == pytest.approx(grid[risk.argmin()], abs=2e-6)


def test_the_slow_form_is_the_best_of_the_whole_line_too() -> None:
    residual, c = 0.4, 0.05
    line = np.linspace(-100.0, 100.0, 4_000_001)
    best = line[(line**2 * residual**2 + c * (line - 1) ** 4).argmin()]
    p, y = np.array([[residual, 1 - residual]]), np.array([[0.0, 1.0]])
    got = SlowReferenceCorrection(c).label_weight(p, y)[0, 0]
    assert got == pytest.approx(best, abs=1e-4)


def test_only_the_quadratic_form_is_the_same_on_both_scales() -> None:
    p, y, c = np.array([[0.75, 0.25]]), np.array([[0.0, 1.0]]), 0.1
    grid = np.linspace(0.0, 1.0, 1_000_001)
    g = grid / 0.25
    on_logs = grid[(g**2 * 0.75**2 + c * (g - 4.0) ** 2).argmin()]
    quadratic = ReferenceCorrection(c).label_weight(p, y)[0, 1]
    assert quadratic == pytest.approx(on_logs, abs=2e-6)
    plain, divided = (
        SlowReferenceCorrection(c, relative).label_weight(p, y)[0, 1]
        for relative in (False, True)
    )
    same = SlowReferenceCorrection(c / 0.25**2).label_weight(p, y)[0, 1]
    assert divided == pytest.approx(same, rel=1e-12)
    assert abs(plain - divided) > 0.1


@pytest.mark.parametrize(("c", "worst"), [(0.001, 0.014), (0.01, 0.036), (0.1, 0.057)])
def test_the_bias_of_the_slow_form_is_that_of_its_docstring(
    c: float, worst: float
) -> None:
    p = np.linspace(0.0, 1.0, 10_001)
    rule = SlowReferenceCorrection(c)

    def weight(residual: FloatArray) -> FloatArray:
        pair = np.stack([1 - residual, residual], axis=1)
        zero = np.broadcast_to(np.array([1.0, 0.0]), pair.shape)
        return np.asarray(rule.label_weight(pair, zero)[:, 1])

    off = bias(rule, p)
    expected = p * (1 - p) * (weight(1 - p) - weight(p))
    np.testing.assert_allclose(off, expected, atol=1e-14)
    assert np.abs(off).max() == pytest.approx(worst, abs=5e-4)
    assert (off[(p > 0) & (p < 0.5)] < 0).all()


def test_the_slow_form_has_its_limits() -> None:
    p, y = np.array([[0.4, 0.6], [0.0, 1.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    for relative in (False, True):
        small = SlowReferenceCorrection(1e-9, relative).label_weight(p, y)
        large = SlowReferenceCorrection(1e12, relative).label_weight(p, y)
        assert (small[0] < 1e-7).all()
        np.testing.assert_array_equal(small[1], 1.0)
        np.testing.assert_allclose(large, 1.0, atol=1e-4)
    twice = SlowReferenceCorrection(1e-9).label_weight(p, y)[0]
    once = ReferenceCorrection(1e-9).label_weight(p, y)[0]
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


def test_settings_of_the_slow_form_are_checked() -> None:
    with pytest.raises(ValueError, match="strength must be a number above 0; got 0"):
        SlowReferenceCorrection(0.0)
    with pytest.raises(TypeError, match="relative must be True or False; got 'yes'"):
        SlowReferenceCorrection(0.1, relative="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(("beta", "worst"), [(0.1, 0.020), (0.5, 0.072), (1.0, 0.096)])
def test_trust_raises_what_is_unlikely_by_what_the_docstring_says(
    beta: float, worst: float
) -> None:
    p = np.linspace(0.0, 1.0, 10_001)
    both = np.column_stack([1 - p, p])
    expected = p * ((both ** (1 + beta)).sum(axis=1) - p**beta)
    found = bias(TrustGate(beta), p)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found[p < 0.5] >= -1e-12).all()
    assert np.abs(found).max() == pytest.approx(worst, abs=5e-4)


def test_no_power_is_plain_distillation_and_a_large_one_the_labels() -> None:
    p, y = np.array([[0.9, 0.1], [0.3, 0.7]]), np.eye(2)
    loss = ProbabilityLoss()
    plain = TrustGate(0.0).target(p, y, loss=loss, complexity=1.0)
    np.testing.assert_allclose(plain, loss.phi(p))
    labels = TrustGate(1e4).target(p, y, loss=loss, complexity=1.0)
    np.testing.assert_allclose(labels, loss.phi(y), atol=1e-12)
    with pytest.raises(ValueError, match="power"):
        TrustGate(-1.0)
