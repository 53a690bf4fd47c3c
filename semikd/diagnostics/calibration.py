"""Whether predicted probabilities are the frequencies that they claim to be."""

import numpy as np
from scipy import special

from semikd.diagnostics.findings import Clusters, Finding
from semikd.evaluation.recalibration import (
    fit_recalibration,
    information,
    recalibrated,
    score_rows,
)
from semikd.inference.influence import cluster_sums
from semikd.simplex import FloatArray

__all__ = ["calibration", "spiegelhalter"]

# Squared share of its own variance that a score must keep to be told from the rest.
_DEGENERATE = 1e-10


def calibration(
    p: FloatArray,
    outcome: FloatArray,
    weights: FloatArray,
    clusters: Clusters,
    names: tuple[str, ...],
) -> Finding:
    r"""Return slope and intercepts of a logistic recalibration, with score tests.

    .. math:: q = \mathrm{softmax}(b \log p + a), \qquad a_1 = 0

    The p-value is that of b = 1 and a = 0 together; that of b = 1 alone, a being free,
    is among the details.

    Parameters
    ----------
    p, outcome : ndarray of shape (n, k)
        Labels, all positive, and indicators of the classes.
    weights : ndarray of shape (n,)
        Weights of the rows.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row.
    names : tuple of str
        Names of the classes.

    Returns
    -------
    Finding

    Notes
    -----
    Without clusters the variance of the score is the one that the null hypothesis
    itself implies; with clusters it is that of their sums.

    References
    ----------
    .. [1] D. R. Cox, "Two further applications of a model for binary regression",
       Biometrika 45, 1958 (slope and intercept; the extension to several classes is
       this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.calibration import calibration
    >>> p = np.array([[0.8, 0.2]] * 5 + [[0.2, 0.8]] * 5)
    >>> y = np.eye(2)[[0, 0, 0, 0, 1, 1, 1, 1, 1, 0]]
    >>> found = calibration(p, y, np.ones(10), None, ("no", "yes"))
    >>> round(found.estimate, 6), round(found.p_value, 6)
    (1.0, 1.0)
    """
    logs = np.log(p)
    theta = fit_recalibration(logs, outcome, weights)
    q = recalibrated(logs, theta)
    error = _std_error(logs, outcome, q, weights, clusters)
    z, z_p_value = spiegelhalter(p, outcome, weights, clusters)
    intercepts = (
        {"intercept": theta[1]}
        if len(names) == 2
        else {
            f"intercept {name}": a for name, a in zip(names[1:], theta[1:], strict=True)
        }
    )
    gain = (outcome * (np.log(np.maximum(q, 1e-300)) - logs)).sum(axis=1)
    return Finding(
        "calibration",
        "slope",
        float(theta[0]),
        float(error[0]),
        _joint_p_value(logs, outcome, weights, clusters),
        {
            **{name: float(value) for name, value in intercepts.items()},
            "slope_p_value": _slope_p_value(logs, outcome, weights, clusters),
            "spiegelhalter_z": z,
            "spiegelhalter_p_value": z_p_value,
            "gain_nats": float(np.average(gain, weights=weights)),
        },
    )


def spiegelhalter(
    p: FloatArray, outcome: FloatArray, weights: FloatArray, clusters: Clusters
) -> tuple[float, float]:
    r"""Return Spiegelhalter's Z and its two-sided p-value.

    .. math:: Z = \frac{\sum_i w_i (\|p_i\|^2 - p_{i,y_i})}
        {\sqrt{\sum_i w_i^2 (\sum_j p_{ij}^3 - \|p_i\|^4)}}

    the excess of the Brier score over what calibrated labels would have. With two
    classes it is the statistic of the paper; it sees labels that are too sure.

    Parameters
    ----------
    p, outcome : ndarray of shape (n, k)
        Labels, all positive, and indicators of the classes.
    weights : ndarray of shape (n,)
        Weights of the rows.
    clusters : ndarray of int of shape (n,) or None
        With clusters the variance is that of their sums.

    Returns
    -------
    tuple of float
        Labels without any variance have Z = 0 if they are right.

    References
    ----------
    .. [1] D. J. Spiegelhalter, "Probabilistic prediction in patient management and
       clinical trials", Statistics in Medicine 5, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.calibration import spiegelhalter
    >>> p, y = np.array([[0.2, 0.8]] * 4), np.eye(2)[[1, 1, 1, 0]]
    >>> z, _ = spiegelhalter(p, y, np.ones(4), None)
    >>> round(z, 3)
    0.25
    """
    square = (p**2).sum(axis=1)
    excess = weights * (square - (p * outcome).sum(axis=1))
    if clusters is None:
        variance = float(weights**2 @ ((p**3).sum(axis=1) - square**2))
    else:
        variance = float((cluster_sums(excess[:, None], clusters) ** 2).sum())
    return _two_sided(float(excess.sum()), variance)


def _two_sided(total: float, variance: float) -> tuple[float, float]:
    """Return the normal ratio and its two-sided p-value; 0 / 0 is 0."""
    if variance > 0:
        z = total / np.sqrt(variance)
    else:
        z = 0.0 if total == 0 else np.copysign(np.inf, total)
    return float(z), float(2 * special.ndtr(-abs(z)))


def _variance(
    scores: FloatArray,
    logs: FloatArray,
    q: FloatArray,
    weights: FloatArray,
    clusters: Clusters,
) -> FloatArray:
    """Return the variance of the summed score, by the null or by clusters, (k, k)."""
    if clusters is None:
        return information(logs, q, weights**2)
    sums = cluster_sums(scores, clusters)
    return np.asarray(sums.T @ sums)


def _joint_p_value(
    logs: FloatArray, outcome: FloatArray, weights: FloatArray, clusters: Clusters
) -> float:
    """Return the p-value of slope 1 and intercepts 0 together."""
    q = recalibrated(logs, np.eye(logs.shape[1])[0])
    scores = weights[:, None] * score_rows(logs, outcome - q)
    variance = _variance(scores, logs, q, weights, clusters)
    # Units of each score's own deviation, so that one tolerance serves them all.
    scale = np.sqrt(np.maximum(np.diag(variance), 1e-300))
    values, vectors = np.linalg.eigh(variance / np.outer(scale, scale))
    kept = values > _DEGENERATE
    parts = vectors[:, kept].T @ (scores.sum(axis=0) / scale)
    return float(
        special.chdtrc(max(int(kept.sum()), 1), (parts**2 / values[kept]).sum())
    )


def _slope_p_value(
    logs: FloatArray, outcome: FloatArray, weights: FloatArray, clusters: Clusters
) -> float:
    """Return the p-value of slope 1 with free intercepts; 1 where there is no slope."""
    q = recalibrated(logs, fit_recalibration(logs, outcome, weights, free_slope=False))
    bend = information(logs, q, weights)
    onto = np.linalg.pinv(bend[1:, 1:], hermitian=True) @ bend[1:, 0]
    combination = np.concatenate([[1.0], -onto])
    scores = weights[:, None] * score_rows(logs, outcome - q)
    variance = _variance(scores, logs, q, weights, clusters)
    own = float(combination @ variance @ combination)
    if own <= _DEGENERATE * variance[0, 0]:
        return 1.0
    return _two_sided(float(scores.sum(axis=0) @ combination), own)[1]


def _std_error(
    logs: FloatArray,
    outcome: FloatArray,
    q: FloatArray,
    weights: FloatArray,
    clusters: Clusters,
) -> FloatArray:
    """Return sandwich standard errors of slope and intercepts, shape (k,)."""
    bread = np.linalg.pinv(information(logs, q, weights), rcond=1e-10, hermitian=True)
    sums = cluster_sums(weights[:, None] * score_rows(logs, outcome - q), clusters)
    meat = sums.T @ sums * len(sums) / max(len(sums) - 1, 1)
    return np.asarray(np.sqrt(np.diag(bread @ meat @ bread)))
