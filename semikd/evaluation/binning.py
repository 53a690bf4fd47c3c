"""Means in bins of equal size, by which calibration is drawn and measured."""

import numpy as np

from semikd.simplex import FloatArray

__all__ = ["N_BINS", "binned_means", "shared_by_ties"]

N_BINS = 10


def binned_means(
    x: FloatArray, y: FloatArray, weights: FloatArray, n_bins: int = N_BINS
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return means of two columns in bins of equal size of the first, and the weights.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Columns; bins are cut where x is sorted.
    weights : ndarray of shape (n,)
        Weights of the rows; bins without weight are left out.
    n_bins : int, default=10
        Bins.

    Returns
    -------
    tuple of ndarray of shape (n_bins,)
        Means of x, means of y, weights.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.binning import binned_means
    >>> binned_means(np.array([1.0, 3.0]), np.array([0.0, 1.0]), np.ones(2), 1)
    (array([2.]), array([0.5]), array([2.]))
    """
    bins = np.array_split(np.argsort(x, kind="stable"), min(n_bins, len(x)))
    kept = [rows for rows in bins if weights[rows].sum() > 0]
    return (
        np.array([np.average(x[rows], weights=weights[rows]) for rows in kept]),
        np.array([np.average(y[rows], weights=weights[rows]) for rows in kept]),
        np.array([weights[rows].sum() for rows in kept]),
    )


def shared_by_ties(
    predicted: FloatArray, observed: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return outcomes averaged over the rows of equal prediction, shape (n,)."""
    _, tie = np.unique(predicted, return_inverse=True)
    total = np.bincount(tie, weights)
    mean = np.bincount(tie, weights * observed) / np.where(total > 0, total, 1.0)
    return np.asarray(mean[tie])
