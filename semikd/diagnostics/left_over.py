r"""What a teacher leaves: how much of y - p a learner can still predict from X.

Notes
-----
The residuals are those of the *recalibrated* labels, so that miscalibration is not
mistaken for signal. Two cross-fits of a learner g to them serve two purposes.

Ordinary cross-fitting gives the size,
:math:`R^2 = 1 - \sum \|r_i - g_{-t(i)}(x_i)\|^2 / \sum \|r_i\|^2`, but no test: where
there is nothing, :math:`\sum_i \langle r_i, g_{-t(i)}(x_i) \rangle` is about
:math:`\sum_{s \ne t} r_s^\top H r_t`, in which every pair of folds stands twice, and
its row-wise standard error is too small by :math:`\sqrt 2`.

Progressive cross-fitting gives the test: the learner that predicts block t learned from
blocks 1, ..., t - 1, so that every pair stands once and the terms are martingale
differences.
"""

import numpy as np
from scipy import special

from semikd.diagnostics.findings import Clusters, Finding
from semikd.diagnostics.residuals import Predicted
from semikd.evaluation.recalibration import (
    direction,
    fit_recalibration,
    information,
    recalibrated,
    score_rows,
)
from semikd.inference.influence import cluster_sums
from semikd.simplex import FloatArray

__all__ = ["left_over"]

# Share of a prediction's variance that must remain once recalibration is taken out.
_DEGENERATE = 1e-8


def left_over(
    p: FloatArray,
    outcome: FloatArray,
    predicted: Predicted,
    weights: FloatArray,
    clusters: Clusters,
) -> Finding:
    r"""Return how much of the residuals is predictable, with a one-sided test.

    .. math:: T = \sum_t \sum_{i \in t} w_i \langle r_i, g^\perp_t(x_i) \rangle / c_t

    over blocks t, with g predicted from earlier blocks, freed within its block from
    what recalibration explains (so that estimated slopes and intercepts do not matter
    to first order), and :math:`c_t` its root mean square. T over its own standard error
    is normal where the recalibrated labels are right.

    Parameters
    ----------
    p, outcome : ndarray of shape (n, k)
        Labels, all positive, and indicators of the classes.
    predicted : Predicted
        Predictions of the residuals, for the same rows.
    weights : ndarray of shape (n,)
        Weights of the rows.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row; no block divides one.

    Returns
    -------
    Finding
        The estimate is the cross-fitted R², negative where the learner finds nothing.

    Notes
    -----
    The expectation of the R² is at most that of the best learner: what is not learned
    from n rows does not count. For labels of folds of these rows the residuals of two
    rows lean away from each other, and the test rejects too rarely, not too often.

    References
    ----------
    .. [1] A. P. Dawid, "Statistical theory: the prequential approach", JRSS A 147, 1984
       (predicting each block from earlier ones; the statistic is this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.left_over import left_over
    >>> from semikd.diagnostics.residuals import Predicted
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=200)
    >>> y = np.eye(2)[(x + rng.normal(size=200) > 0).astype(int)]
    >>> g = np.column_stack([-x, x]) / 4
    >>> said = Predicted(np.arange(200) % 5, g, g)
    >>> found = left_over(np.full((200, 2), 0.5), y, said, np.ones(200), None)
    >>> bool(found.estimate > 0.2 and found.p_value < 1e-6)
    True
    """
    logs = np.log(p)
    q = recalibrated(logs, fit_recalibration(logs, outcome, weights))
    residual = outcome - q
    terms = np.zeros(len(p))
    for t in range(1, int(predicted.block.max()) + 1):
        rows = np.flatnonzero(predicted.block == t)
        g = _freed(logs[rows], q[rows], predicted.ahead[rows], weights[rows])
        if g is not None:
            terms[rows] = weights[rows] * (residual[rows] * g).sum(axis=1)
    sums = cluster_sums(terms[:, None], clusters)[:, 0]
    error = np.sqrt((sums**2).sum())
    z = float(sums.sum() / error) if error > 0 else 0.0
    left = weights @ ((residual - predicted.crossed) ** 2).sum(axis=1)
    whole = weights @ (residual**2).sum(axis=1)
    return Finding(
        "left-over signal",
        "R2",
        float(1.0 - left / whole) if whole > 0 else 0.0,
        float("nan"),
        float(special.ndtr(-z)),
        {"z": z},
    )


def _freed(
    logs: FloatArray, q: FloatArray, g: FloatArray, weights: FloatArray
) -> FloatArray | None:
    """Return predictions without what recalibration explains, of size 1, or None."""
    if len(g) <= 2 * g.shape[1]:
        return None
    bend = np.linalg.pinv(information(logs, q, weights), rcond=1e-10, hermitian=True)
    theta = bend @ (weights @ score_rows(logs, _spread(g, q)))
    own = g - direction(logs, theta)
    size = weights @ (g * _spread(g, q)).sum(axis=1)
    left = weights @ (own * _spread(own, q)).sum(axis=1)
    if not left > _DEGENERATE * size:
        return None
    return np.asarray(own / np.sqrt(left / weights.sum()))


def _spread(g: FloatArray, q: FloatArray) -> FloatArray:
    """Return (diag q - q q') g of each row, shape (n, k)."""
    return np.asarray(q * (g - (q * g).sum(axis=1, keepdims=True)))
