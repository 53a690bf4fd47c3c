"""What independent units of labelled and unlabelled rows add to the error of a mean."""

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray
from semikd.inference.influence import cluster_sums, mean_influence
from semikd.inference.powered.rows import PartlyLabelled

__all__ = ["more_sums", "own_sums", "ratio"]


def own_sums(rows: PartlyLabelled, moved: FloatArray, n_free: int = 1) -> FloatArray:
    """Return what each unit adds to the error of a mean over labelled rows.

    Parameters
    ----------
    rows : PartlyLabelled
        The rows.
    moved : ndarray of shape (n, d)
        What is averaged.
    n_free : int, default=1
        Numbers that are fitted to these rows.

    Returns
    -------
    ndarray of shape (all units, d)
        With the factors of HC1 and CRV1: the sum of squares is the variance.
    """
    n, units = rows.n_labelled, rows.n_units
    factor = np.sqrt(units / (units - 1) * (n - 1) / (n - n_free))
    influence = mean_influence(moved, rows.weights).influence / n
    return _by_unit(factor * influence, rows.units[:n], rows)


def more_sums(rows: PartlyLabelled, moved: FloatArray) -> FloatArray:
    """Return what each unit adds to the error of a mean over unlabelled rows.

    Parameters
    ----------
    rows : PartlyLabelled
        The rows.
    moved : ndarray of shape (n_unlabelled, d)
        What is averaged.

    Returns
    -------
    ndarray of shape (all units, d)
        With the factor of few units: the sum of squares is the variance.
    """
    units = rows.n_unlabelled_units
    influence = mean_influence(moved, rows.unlabelled_weights).influence
    factor = np.sqrt(units / (units - 1)) / rows.n_unlabelled
    return _by_unit(factor * influence, rows.units[rows.n_labelled :], rows)


def _by_unit(
    values: FloatArray, units: NDArray[np.intp], rows: PartlyLabelled
) -> FloatArray:
    """Return sums over all units, of either side or of both."""
    found = np.zeros((int(rows.units.max()) + 1, values.shape[1]))
    if not rows.has_clusters:
        found[units] = values
        return found
    sums = cluster_sums(values, units)
    found[: len(sums)] = sums
    return found


def ratio(
    part: FloatArray, whole: FloatArray, otherwise: FloatArray | float
) -> FloatArray:
    """Return parts of wholes; something else where there is no whole.

    Parameters
    ----------
    part, whole : ndarray of shape (d,)
        Not negative.
    otherwise : float
        What stands for 0 / 0.

    Returns
    -------
    ndarray of shape (d,)
    """
    found = np.full_like(whole, otherwise)
    return np.asarray(np.divide(part, whole, out=found, where=whole > 0))
