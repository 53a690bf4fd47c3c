"""Distinct rows in an order that no permutation of the table changes."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit import row_hashes
from semikd.simplex import FloatArray

__all__ = ["Units"]

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Units:
    """Distinct rows of each fold, so that copies of a row are one heavier row.

    Parameters
    ----------
    first : ndarray of int of shape (u,)
        Position of the first copy of each, fold by fold and within it by content.
    weights : ndarray of shape (u,)
        Weight of all copies.
    pools : list of ndarray of int
        Places of the distinct rows of each fold.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.units import Units
    >>> X = np.array([[1.0], [1.0], [2.0]])
    >>> units = Units.of(X, np.zeros(3, dtype=int), np.ones(3))
    >>> sorted(units.weights.tolist())
    [1.0, 2.0]
    """

    first: Indices
    weights: FloatArray
    pools: list[Indices]

    @classmethod
    def of(cls, X: Any, folds: NDArray[Any], weights: FloatArray) -> "Units":
        """Return the distinct rows that are in a fold and have a positive weight."""
        hashes, counted = row_hashes(X), (weights > 0) & (folds >= 0)
        firsts: list[NDArray[Any]] = [np.zeros(0, dtype=np.intp)]
        totals: list[NDArray[Any]] = [np.zeros(0)]
        for fold in np.unique(folds[counted]):
            rows = np.flatnonzero(counted & (folds == fold))
            _, first, unit = np.unique(
                hashes[rows], return_index=True, return_inverse=True
            )
            firsts.append(rows[first])
            totals.append(np.bincount(unit, weights[rows]))
        ends = np.cumsum([len(first) for first in firsts])
        pools = [np.arange(a, b) for a, b in pairwise(ends)]
        return cls(np.concatenate(firsts), np.concatenate(totals), pools)
