"""Sums of residuals in bins of probabilities, without the squares of one unit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray

__all__ = ["LEAST", "BinSums"]

# Units in a bin, and in a part of the rows.
LEAST = 5


@dataclass(frozen=True, eq=False)
class BinSums:
    """Weighted residuals and weights of each unit in each bin, and of the bins.

    Parameters
    ----------
    unit, bin : ndarray of int of shape (m,)
        The m pairs of a unit and a bin that have rows.
    residual, weight : ndarray of shape (m,)
        Their sums.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.bin_sums import BinSums
    >>> y, p, ones = np.arange(20.0) % 2, np.full(20, 0.5), np.ones(20)
    >>> round(BinSums.of(p, y, ones, np.arange(20), 1).all_units(), 3)
    -0.263
    """

    unit: NDArray[np.intp]
    bin: NDArray[np.intp]
    residual: FloatArray
    weight: FloatArray

    @classmethod
    def of(
        cls,
        predicted: FloatArray,
        observed: FloatArray,
        weights: FloatArray,
        units: NDArray[np.intp],
        n_bins: int,
    ) -> "BinSums":
        """Return the sums of one class, in bins of equal numbers of rows.

        In fewer bins where one would have too few units to tell its spread.
        """
        # Equal probabilities stand in one bin, so that the order of rows is nothing.
        rank = np.searchsorted(np.sort(predicted), predicted)
        for most in range(min(n_bins, len(np.unique(units)) // LEAST), 0, -1):
            bins = rank * most // len(rank)
            pairs = np.unique(np.column_stack([units, bins]), axis=0)
            if np.unique(pairs[:, 1], return_counts=True)[1].min() >= LEAST:
                break
        bins = np.unique(bins, return_inverse=True)[1]
        pairs, at = np.unique(
            np.column_stack([units, bins]), axis=0, return_inverse=True
        )
        at = at.ravel()
        residual = np.bincount(at, weights * (observed - predicted))
        mass = np.bincount(at, weights)
        return cls(pairs[:, 0], pairs[:, 1], np.asarray(residual), np.asarray(mass))

    def all_units(self) -> float:
        """Return the sum over bins of mass times squared mean residual, unbiased."""
        return float(_terms(*self._of_bins()).sum())

    def noise(self) -> float:
        """Return the variance of that sum where the model is calibrated."""
        _, squares, weight, spread = self._of_bins()
        fourth = np.bincount(self.bin, self.residual**4)
        pairs = weight**2 - spread
        each = 2.0 * (weight / pairs) ** 2 * (squares**2 - fourth)
        return float(np.maximum(each, 0.0).sum())

    def without(self, whole: int) -> FloatArray:
        """Return the same without each of the units, (whole,)."""
        bins = self._of_bins()
        own = self.residual, self.residual**2, self.weight, self.weight**2
        left = [each[self.bin] - less for each, less in zip(bins, own, strict=True)]
        change = _terms(*left) - _terms(*bins)[self.bin]
        return np.asarray(self.all_units() + np.bincount(self.unit, change, whole))

    def _of_bins(self) -> list[FloatArray]:
        """Return sums and sums of squares over units, of residuals and of weights."""
        values = self.residual, self.residual**2, self.weight, self.weight**2
        return [np.bincount(self.bin, each).astype(np.float64) for each in values]


def _terms(
    residual: FloatArray, squares: FloatArray, weight: FloatArray, spread: FloatArray
) -> FloatArray:
    """Return mass times squared mean residual of bins, without squares of a unit."""
    return np.asarray(weight * (residual**2 - squares) / (weight**2 - spread))
