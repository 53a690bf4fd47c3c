"""Logistic recalibration: the two or more numbers by which labels are mostly wrong.

Notes
-----
``logs`` are logarithms of floored probabilities, (n, k); ``theta`` holds the slope and
the intercepts of all classes but the first, (k,). With two classes this is the logistic
regression of the outcome on the log-odds of its label.
"""

import numpy as np

from semikd.simplex import FloatArray, log_softmax, softmax

__all__ = [
    "direction",
    "fit_recalibration",
    "floored",
    "information",
    "recalibrated",
    "score_rows",
]

_MAX_STEPS = 50
_HALVINGS = 30
# Gain in mean log-likelihood below which a Newton step is the last.
_TOLERANCE = 1e-12


def floored(p: FloatArray) -> FloatArray:
    r"""Return probabilities above zero, so that each has a logarithm.

    Those below :math:`1 / (10 (n + k))` are raised to it: over all n rows that adds a
    tenth of an outcome at most, and no other row is touched.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        Probabilities.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.recalibration import floored
    >>> floored(np.array([[0.0, 1.0], [0.1, 0.9]])).round(3)
    array([[0.024, 0.976],
           [0.1  , 0.9  ]])
    """
    raised = np.maximum(p, 0.1 / sum(p.shape))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def recalibrated(logs: FloatArray, theta: FloatArray) -> FloatArray:
    r"""Return :math:`\mathrm{softmax}(\theta_0 \log p + (0, \theta_1, \dots))`.

    Parameters
    ----------
    logs : ndarray of shape (n, k)
        Log-probabilities.
    theta : ndarray of shape (k,)
        Slope and intercepts; (1, 0, ..., 0) changes nothing.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.recalibration import recalibrated
    >>> recalibrated(np.log([[0.2, 0.8]]), np.array([0.5, 0.0])).round(3)
    array([[0.333, 0.667]])
    """
    return np.asarray(softmax(direction(logs, theta)))


def direction(logs: FloatArray, theta: FloatArray) -> FloatArray:
    """Return the change of the log-odds that a change of the parameters makes, (n, k).

    Parameters
    ----------
    logs : ndarray of shape (n, k)
        Log-probabilities.
    theta : ndarray of shape (k,)
        Slope and intercepts.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.recalibration import direction
    >>> direction(np.array([[-1.0, -2.0]]), np.array([1.0, 3.0]))
    array([[-1.,  1.]])
    """
    return np.asarray(theta[0] * logs + np.concatenate([[0.0], theta[1:]]))


def score_rows(logs: FloatArray, residual: FloatArray) -> FloatArray:
    """Return each row's part in the derivative of the log-likelihood, (n, k).

    Parameters
    ----------
    logs : ndarray of shape (n, k)
        Log-probabilities.
    residual : ndarray of shape (n, k)
        Outcome less probability, or anything else whose rows sum to zero.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.recalibration import score_rows
    >>> score_rows(np.array([[-1.0, -2.0]]), np.array([[-0.5, 0.5]]))
    array([[-0.5,  0.5]])
    """
    return np.column_stack([(residual * logs).sum(axis=1), residual[:, 1:]])


def information(logs: FloatArray, q: FloatArray, weights: FloatArray) -> FloatArray:
    r"""Return :math:`\sum_i w_i Z_i^\top (\mathrm{diag}\,q_i - q_i q_i^\top) Z_i`.

    Parameters
    ----------
    logs : ndarray of shape (n, k)
        Log-probabilities, the first column of every Z.
    q : ndarray of shape (n, k)
        Probabilities of the model.
    weights : ndarray of shape (n,)
        Weights of the rows; their squares give the variance of a weighted score.

    Returns
    -------
    ndarray of shape (k, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.recalibration import information
    >>> p = np.array([[0.5, 0.5]])
    >>> information(np.log(p), p, np.ones(1)).round(2)
    array([[0.  , 0.  ],
           [0.  , 0.25]])
    """
    weighted = weights[:, None] * q
    centred = logs - (q * logs).sum(axis=1, keepdims=True)
    table = np.empty((q.shape[1], q.shape[1]))
    table[0, 0] = (weighted * centred**2).sum()
    table[0, 1:] = table[1:, 0] = (weighted * centred)[:, 1:].sum(axis=0)
    table[1:, 1:] = np.diag(weighted[:, 1:].sum(axis=0)) - weighted[:, 1:].T @ q[:, 1:]
    return table


def fit_recalibration(
    logs: FloatArray,
    outcome: FloatArray,
    weights: FloatArray,
    *,
    free_slope: bool = True,
) -> FloatArray:
    """Return the slope and the intercepts of greatest likelihood, by Newton's method.

    Parameters
    ----------
    logs : ndarray of shape (n, k)
        Log-probabilities.
    outcome : ndarray of shape (n, k)
        Indicators of the classes.
    weights : ndarray of shape (n,)
        Weights of the rows.
    free_slope : bool, default=True
        Whether the slope is fitted too, rather than kept at 1.

    Returns
    -------
    ndarray of shape (k,)
        Where the labels are alike for all rows, or the likelihood has no maximum, the
        point at which Newton's method ends.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.recalibration import fit_recalibration
    >>> p = np.array([[0.8, 0.2]] * 5 + [[0.2, 0.8]] * 5)
    >>> y = np.eye(2)[[0, 0, 0, 0, 1, 1, 1, 1, 1, 0]]
    >>> fit_recalibration(np.log(p), y, np.ones(10)).round(6)
    array([1., 0.])
    """
    theta = np.zeros(logs.shape[1])
    theta[0] = 1.0
    free = np.arange(0 if free_slope else 1, logs.shape[1])
    total = weights.sum()
    height = _log_likelihood(logs, outcome, weights, theta)
    for _ in range(_MAX_STEPS):
        q = recalibrated(logs, theta)
        slope = (weights @ score_rows(logs, outcome - q))[free]
        bend = information(logs, q, weights)[np.ix_(free, free)]
        step = np.zeros_like(theta)
        step[free] = np.linalg.pinv(bend, rcond=1e-10, hermitian=True) @ slope
        if step[free] @ slope <= _TOLERANCE * total:
            break
        for halving in range(_HALVINGS):
            tried = theta + 0.5**halving * step
            reached = _log_likelihood(logs, outcome, weights, tried)
            if reached >= height:
                break
        else:
            break
        theta, height = tried, reached
    return theta


def _log_likelihood(
    logs: FloatArray, outcome: FloatArray, weights: FloatArray, theta: FloatArray
) -> float:
    """Return the weighted log-likelihood, in nats."""
    own = outcome * log_softmax(direction(logs, theta))
    return float(weights @ own.sum(axis=1))
