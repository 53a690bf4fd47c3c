"""What a teacher sees of a student's distance to the truth, and what it may not see.

Notes
-----
A teacher that is nearly always right is contradicted in few rows, each of which would
pull the bound far down. Where none, or less than their share, is among the rows, their
spread is not seen either: the bound is too high, and looks certain.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray
from semikd.exceptions import SemikdWarning
from semikd.inference.influence import cluster_sums, mean_influence, row_shares
from semikd.inference.units import without_rounding

# Skewness of a sum beyond which nominal 5 % of errors were 7 % and more: that of about
# 45 rare events. `bayes_distance` says what was simulated.
_MOST_SKEWED = 0.15


@dataclass(frozen=True, eq=False)
class Direction:
    """Root of the distance that a teacher sees, and what each row adds to its error."""

    root: float
    gap: float
    # Of each row: below 0 where its outcome speaks for the student.
    product: FloatArray
    influence: FloatArray
    # The same, had the row the outcome that speaks most for the student.
    worst: FloatArray
    n_apart: int


def direction(
    residual: FloatArray,
    f: FloatArray,
    g: FloatArray,
    weights: FloatArray | None,
    groups: NDArray[np.intp] | None,
) -> Direction:
    """Return what is seen from a student f along g, of tables (n, k)."""
    u, v = (residual * g).sum(axis=1), (g**2).sum(axis=1)
    moments = mean_influence(np.column_stack([u, v]), weights)
    product, square = moments.estimate
    n_apart = int((v > 0).sum())
    if square <= 0:
        nothing = np.zeros(len(u))
        return Direction(0.0, float(square), u, nothing, nothing, n_apart)
    slopes = np.array([1.0, -product / (2.0 * square)]) / np.sqrt(square)
    psi = moments.influence @ slopes
    size = np.abs(slopes) @ (np.abs(moments.estimate) + np.ptp(moments.influence, 0))
    psi = without_rounding(psi[:, None], groups, size)[:, 0]
    # With one column the other class is nothing of it.
    least = np.minimum(g.min(axis=1), 0.0 if g.shape[1] == 1 else np.inf)
    fall = least - (f * g).sum(axis=1) - u
    worst = psi + len(u) * row_shares(weights, len(u)) * fall / np.sqrt(square)
    root = float(product / np.sqrt(square))
    return Direction(root, float(square), u, psi, worst, n_apart)


def warn_of_few_against(
    names: Sequence[str],
    seen: Sequence[Direction],
    groups: NDArray[np.intp] | None,
    stacklevel: int,
) -> None:
    """Warn where few rows would pull a bound so far down that no error is normal."""
    for name, own in zip(names, seen, strict=True):
        alike = not own.influence.any()
        if alike or skewness_down(own, groups) <= _MOST_SKEWED:
            continue
        n_against = int((own.product < 0).sum())
        which = f" {name!r}" if len(names) > 1 else ""
        warnings.warn(
            "The bound may be too high: a few rows would pull it far down (the "
            f"outcomes of {n_against:,} of {own.n_apart:,} speak for the student "
            f"against teacher{which}), too few for a normal error. Use more rows.",
            SemikdWarning,
            stacklevel=stacklevel,
        )
        return


def skewness_down(own: Direction, groups: NDArray[np.intp] | None) -> float:
    """Return how skewed downwards a sum over units and one more against it is.

    The one more is like any of them with the same chance. Of n equal rows of which m
    speak against it is the skewness of a share of m + 1 events.
    """
    sums = cluster_sums(own.influence[:, None], groups)[:, 0]
    more = _one_more(own, sums, groups)
    middle = (sums.sum() + more.mean()) / (len(sums) + 1)
    from_it, one = sums - middle, more - middle
    square = float((from_it**2).sum() + (one**2).mean())
    if square <= 0:
        return 0.0
    return float(-((from_it**3).sum() + (one**3).mean()) / square**1.5)


def _one_more(
    own: Direction, sums: FloatArray, groups: NDArray[np.intp] | None
) -> FloatArray:
    """Return what units would add if one of their rows turned, or all rows together.

    They turn together where no cluster has rows that speak for and against.
    """
    if groups is None:
        return own.worst
    fall = own.worst - own.influence
    sides = np.column_stack([own.product < 0, own.product > 0]).astype(np.float64)
    if (cluster_sums(sides, groups).min(axis=1) == 0).all():
        return sums + cluster_sums(fall[:, None], groups)[:, 0]
    return np.asarray(sums[groups] + fall)
