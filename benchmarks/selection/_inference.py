"""Intervals for differences in splits that overlap, families of arms, equal arms."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FloatArray = NDArray[np.float64]
LEVEL, FLOOR, DRAWS = 0.05, 0.002, 200_000


def overlap_factor(n_splits: int, ratio: float) -> float:
    """Return the variance of a mean over splits as a multiple of that of one split.

    ``ratio`` is test over training rows; Nadeau and Bengio (2003), Section 3.
    """
    return 1.0 / n_splits + ratio


def mean_and_error(differences: FloatArray, ratio: float) -> tuple[float, float]:
    """Return the mean over splits and its standard error."""
    spread = float(np.var(differences, ddof=1))
    factor = overlap_factor(len(differences), ratio)
    return float(np.mean(differences)), math.sqrt(factor * spread)


def exchangeable_error(differences: FloatArray, ratio: float) -> tuple[float, float]:
    """Return the standard error of arms that are equal, with and without overlap."""
    square = float(np.mean(differences**2))
    n = len(differences)
    return math.sqrt(overlap_factor(n, ratio) * square), math.sqrt(square / n)


def margin_of(error: float) -> float:
    """Return the difference in AUC that counts as none."""
    return max(FLOOR, 3.0 * error)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values."""
    raw = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(raw)
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(each) for each in adjusted]


def not_better(
    differences: Mapping[str, FloatArray], margin: float, ratio: float
) -> dict[str, dict[str, float]]:
    """Return, for each arm, what says that it is ahead by less than the margin.

    ``differences`` are arm less automatic, one number for each split.
    """
    found: dict[str, dict[str, float]] = {}
    for arm, values in differences.items():
        mean, error = mean_and_error(values, ratio)
        free = len(values) - 1
        # No spread at all: the arm is the automatic one, in every split.
        if error > 0:
            p = float(stats.t.sf((margin - mean) / error, free))
        else:
            p = float(mean >= margin)
        tail = float(stats.t.isf(LEVEL / len(differences), free))
        found[arm] = {
            "mean": mean,
            "error": error,
            "bound": mean + tail * error,
            "p": p,
        }
    adjusted = holm([each["p"] for each in found.values()])
    for each, value in zip(found.values(), adjusted, strict=True):
        each["holm"] = value
    return found


def noise_of(halves: FloatArray) -> tuple[float, float]:
    """Return variances shared by the halves of the test rows, and not, of one arm.

    ``halves`` are differences of exchangeable arms in both halves, shape (r, 2).
    """
    shared = max(0.0, float(np.mean(halves[:, 0] * halves[:, 1])) / 2.0)
    total = float(np.mean(halves**2)) / 2.0
    return shared, max(0.0, total - shared)


def regret_of_equals(noise: Sequence[tuple[float, float]], n_arms: int) -> float:
    """Return the mean regret of a choice at random among equal arms, by simulation."""
    draws = np.random.default_rng(0)
    total = 0.0
    for shared, own in noise:
        u = math.sqrt(shared) * draws.normal(size=(DRAWS, n_arms, 1))
        scores = u + math.sqrt(own) * draws.normal(size=(DRAWS, n_arms, 2))
        best = scores[:, :, 0].argmax(axis=1)
        gained = scores[np.arange(DRAWS), best, 1]
        # What a choice at random has on average, exactly.
        total += float(np.mean(gained - scores[:, :, 1].mean(axis=1)))
    return total / len(noise)
