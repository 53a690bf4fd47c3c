"""The points of curves: what a figure shows, before anything is drawn."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd.evaluation.binning import N_BINS, binned_means, shared_by_ties
from semikd.simplex import FloatArray

__all__ = ["Reliability", "error_quantiles", "reliability", "roc"]


@dataclass(frozen=True, eq=False)
class Reliability:
    """Predicted and observed frequency of one class in bins of equal size.

    Parameters
    ----------
    predicted, observed : ndarray of shape (n_bins,)
        Weighted means in each bin.
    gap : float
        Mean distance of the two, weighted by the bins.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.curves import Reliability
    >>> Reliability(np.array([0.5]), np.array([0.4]), 0.1).gap
    0.1
    """

    predicted: FloatArray
    observed: FloatArray
    gap: float


def reliability(
    p: FloatArray, hits: Any, weights: FloatArray | None, n_bins: int = N_BINS
) -> Reliability:
    """Return how often what was predicted came true.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Predicted probability of one class.
    hits : array-like of bool of shape (n,)
        Whether a row is of that class.
    weights : ndarray of shape (n,) or None
        Weights of the rows.
    n_bins : int, default=10
        Bins, of equal numbers of rows; rows of equal prediction share their outcome.

    Returns
    -------
    Reliability

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.curves import reliability
    >>> reliability(np.array([0.5, 0.5]), [True, False], None, n_bins=1).observed
    array([0.5])
    """
    weight = np.ones(len(p)) if weights is None else weights
    outcome = shared_by_ties(p, np.asarray(hits, dtype=np.float64), weight)
    predicted, observed, share = binned_means(p, outcome, weight, n_bins)
    gap = float(np.average(np.abs(predicted - observed), weights=share))
    return Reliability(predicted, observed, gap)


def roc(
    p: FloatArray, hits: Any, weights: FloatArray | None
) -> tuple[FloatArray, FloatArray, float]:
    """Return false and true positive rates, and the area under the curve.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Predicted probability of one class.
    hits : array-like of bool of shape (n,)
        Whether a row is of that class; some must be and some not.
    weights : ndarray of shape (n,) or None
        Weights of the rows.

    Returns
    -------
    tuple of (ndarray, ndarray, float)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.curves import roc
    >>> roc(np.array([0.2, 0.8]), [False, True], None)[2]
    1.0
    """
    from sklearn.metrics import auc, roc_curve

    false, true, _ = roc_curve(np.asarray(hits, dtype=bool), p, sample_weight=weights)
    return false, true, float(auc(false, true))


def error_quantiles(
    error: FloatArray, weights: FloatArray | None, shares: FloatArray
) -> FloatArray:
    """Return the absolute error that these shares of the weight do not exceed.

    Parameters
    ----------
    error : ndarray of shape (n,)
        Differences of prediction and outcome.
    weights : ndarray of shape (n,) or None
        Weights of the rows.
    shares : ndarray of shape (m,)
        In [0, 1].

    Returns
    -------
    ndarray of shape (m,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.curves import error_quantiles
    >>> error_quantiles(np.array([1.0, -2.0, 3.0]), None, np.array([0.5]))
    array([2.])
    """
    size = np.abs(error)
    order = np.argsort(size, kind="stable")
    weight = np.ones(len(size)) if weights is None else weights
    reached = np.cumsum(weight[order]) / weight.sum()
    at = np.searchsorted(reached, shares - 1e-12).clip(0, len(size) - 1)
    return np.asarray(size[order][at])
