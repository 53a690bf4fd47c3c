"""How large the teacher's error is, out of products of independent residual fits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray

# With fewer distinct rows, or groups, a mean says nothing about its own error.
FEWEST = 30
# By how much regressions are believed to shrink what they estimate, at most.
_MOST_SHRUNK = 2.0


@dataclass(frozen=True)
class Level:
    """The squared error of the teacher over some rows, and how to share it out.

    ``squared_error`` is its mean. The fitted residual times ``slope`` is the best guess
    of the error of a row, and ``spread`` what that guess leaves, alike in every row.
    """

    squared_error: float = 0.0
    slope: float = 0.0
    spread: float = 0.0


def error_level(
    product: FloatArray,
    fit: FloatArray,
    match: FloatArray,
    *,
    weights: tuple[FloatArray, FloatArray],
    keys: NDArray[np.uint64],
) -> Level:
    """Return the level of some rows from the outcomes of others.

    ``product`` (n,) and ``fit`` (n, c) are those of the rows, ``match`` (l,) is
    residual times fit of the others, of which ``keys`` (l,) says which are one unit of
    evidence: copies of a row, or rows of a group.
    """
    here, there = weights
    naive = float(np.average((fit**2).sum(axis=1), weights=here))
    raw = max(float(np.average(product, weights=here)), 0.0)
    signal = raw * _evidence(match, there, keys)
    if signal <= 0.0 or naive <= 0.0:
        return Level()
    # A smooth fit is too small; how much, its match with fresh residuals tells.
    shrunk = float(np.average(match, weights=there)) / raw
    squared_error = signal * min(max(shrunk, 1.0), _MOST_SHRUNK)
    # The regression of the error on the fit, and what remains around it.
    slope = squared_error / naive
    spread = squared_error * max(0.0, 1.0 - slope)
    return Level(slope**2 * naive + spread, slope, spread)


def _evidence(
    match: FloatArray, weights: FloatArray, keys: NDArray[np.uint64]
) -> float:
    """Return max(0, 1 - (log(n) / t²)²), t the studentized mean match; 0 if t < 0.

    Each pair of rows matches twice, one way and the other, so that without any error
    the mean varies by twice what its terms show. A perfect teacher then has t near a
    standard normal, and the factor is 0 with probability towards one; any real error
    makes t grow like the root of n. What n counts, and what the mean is studentized
    by, are the units: rows of a group err together and are one of them.
    """
    total = weights.sum()
    mean = float(np.average(match, weights=weights))
    _, unit = np.unique(keys, return_inverse=True)
    sums = np.bincount(unit, weights * (match - mean))
    masses = np.bincount(unit, weights)
    variance = 2.0 * float((sums**2).sum()) / total**2
    if mean <= 0.0 or variance == 0.0:
        return 0.0
    n_units = float(total**2 / (masses**2).sum())
    needed = float(np.log(max(n_units, FEWEST))) * variance / mean**2
    return float(max(0.0, 1.0 - needed**2))
