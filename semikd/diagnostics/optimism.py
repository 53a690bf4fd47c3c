"""How much better a teacher looks on the rows that it learned from."""

import numpy as np
from numpy.typing import NDArray

from semikd.diagnostics.findings import Clusters, Finding, mean_finding
from semikd.evaluation import pointwise_log_loss
from semikd.simplex import FloatArray

__all__ = ["optimism"]


def optimism(
    labels: FloatArray,
    in_sample: FloatArray,
    codes: NDArray[np.intp],
    weights: FloatArray,
    clusters: Clusters,
) -> Finding:
    r"""Return out-of-fold less in-sample log-loss, with a one-sided test of > 0.

    .. math:: \hat o = \frac{\sum_i w_i (\ell_i^{-t(i)} - \ell_i^{\text{in}})}
        {\sum_i w_i}

    Parameters
    ----------
    labels : ndarray of shape (r, n, k)
        Out-of-fold labels; losses are averaged over repeats, not labels, since a mean
        of teachers is a better teacher.
    in_sample : ndarray of shape (s, n, k)
        Labels by teachers that saw the rows.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    weights : ndarray of shape (n,)
        Weights of the rows.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row.

    Returns
    -------
    Finding
        In nats; probabilities have the floor 0.001 that they have in comparisons.

    Notes
    -----
    Rows are paired, and teachers are what they are here: the test speaks of these
    fits. Fold teachers learned from (K - 1) / K of the rows, so that with few folds a
    part of the difference is what the missing rows would have taught.

    References
    ----------
    .. [1] B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", Chapman and
       Hall 1993, Chapter 17 (optimism; the test is the paired t-test).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.optimism import optimism
    >>> fair, sure = np.full((1, 2, 2), 0.5), np.array([[[0.8, 0.2], [0.2, 0.8]]])
    >>> found = optimism(fair, sure, np.array([0, 1]), np.ones(2), None)
    >>> round(found.estimate, 2)
    0.47
    """
    out, seen = (
        np.mean([pointwise_log_loss(p, codes) for p in side], axis=0)
        for side in (labels, in_sample)
    )
    estimate, error, p_value = mean_finding(out - seen, weights, clusters)
    details = {
        "out_of_fold": float(np.average(out, weights=weights)),
        "in_sample": float(np.average(seen, weights=weights)),
    }
    return Finding("optimism", "nats", estimate, error, p_value, details)
