"""Corrections that see the label: what they do, and exactly how wrong it is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.corrections import NoCorrection, OrthogonalCorrection
from semikd.label_aware import LabelAwareCorrection, ReferenceCorrection
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
