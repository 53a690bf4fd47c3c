"""The next term of what leaving out a row changes, where one Newton step is too rough.

It costs a product with the table for each such row, a small part of a refit.
"""

import numpy as np
from scipy.special import expit

from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
from semikd.crossfit.shortcuts.logistic.newton_step import Optimum, over_copies
from semikd.simplex import FloatArray

__all__ = ["second_order"]

# Rows that are corrected at once.
_AT_ONCE = 256


def second_order(
    data: Likelihood, best: Optimum, unit: Indices, chosen: Indices
) -> FloatArray:
    r"""Return what the third derivative adds to one Newton step, for two classes.

    .. math:: -\tfrac12 r_i^2 \sum_{j \ne i} w_j \mu''(f_j) a_{ji}^3 , \qquad
        a_{ji} = x_j' H_{-i}^{-1} x_i = \frac{x_j' H^{-1} x_i}{1 - c_i q_i}

    with :math:`\mu'' = p (1 - p) (1 - 2 p)`: the first neglected term of the expansion
    of the other rows' optimum in the residual :math:`r_i`. It vanishes where all
    :math:`p_j = 1/2`.

    Parameters
    ----------
    data : Likelihood
        Rows, outcomes and penalty, with one score.
    best : Optimum
        Its optimum, derivatives summed over copies of a row.
    unit : ndarray of int of shape (n,)
        Copies of a row share one.
    chosen : ndarray of int of shape (s,)
        Rows to leave out, each on its own.

    Returns
    -------
    ndarray of shape (s, 1)
        To add to the step.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import optimum
    >>> from semikd.crossfit.shortcuts.logistic.second_order import second_order
    >>> X, codes = np.ones((4, 1)), np.array([0, 0, 1, 1])
    >>> data = Likelihood(X, 0.0, codes, np.ones(4), np.zeros(1), None)
    >>> best = optimum(data, np.zeros((1, 1)))
    >>> bool(np.isclose(second_order(data, best, np.arange(4), codes[:1]), 0.0))
    True
    """
    bend = data.weight * _third(best.scores[:, 0])
    own = over_copies(bend[:, None], unit)[chosen, 0]
    parts = [
        _sum_of_cubes(data, best, bend, chosen[start : start + _AT_ONCE])
        for start in range(0, len(chosen), _AT_ONCE)
    ]
    cubes, itself = np.concatenate(parts, axis=1)
    residual = best.residual[chosen, 0]
    return np.asarray(-0.5 * residual**2 * (cubes - own * itself**3))[:, None]


def _sum_of_cubes(
    data: Likelihood, best: Optimum, bend: FloatArray, chosen: Indices
) -> FloatArray:
    """Return the sums over all rows, and a_ii, shape (2, s)."""
    x = data.rows(chosen)
    across = best.inverse[0, :, 0] @ x.T
    leverage = np.einsum("sp,ps->s", x, across)
    across /= 1.0 - best.curvature[chosen, 0, 0] * leverage
    cubes = np.zeros(len(chosen))
    for where, block in data.blocks():
        a = block @ across[: block.shape[1]]
        if data.constant:
            a += data.constant * across[-1]
        cubes += bend[where] @ (a * a * a)
    return np.stack([cubes, np.einsum("sp,ps->s", x, across)])


def _third(f: FloatArray) -> FloatArray:
    """Return the second derivative of the expected outcome in its log-odds."""
    p = expit(f)
    return np.asarray(p * (1.0 - p) * (1.0 - 2.0 * p))
