r"""How wrong a teacher must be before a conclusion about log-odds falls.

Notes
-----
The corrected log-odds of two classes err by what a first-order correction leaves. With
the label q off by :math:`\delta` in log-odds from the truth :math:`p_0`,

.. math:: R(\delta) = \frac{p_0 - q}{q (1 - q)} + \delta, \qquad
   \operatorname{logit} p_0 = \operatorname{logit} q - \delta

and a coefficient :math:`\sum_i a_i t_i` of targets t is off by at most
:math:`\sum_i \max_{|e| \le \delta} a_i R_i(e)` if no row is off by more than
:math:`\delta`. The worst of all teachers reaches it. Labels of several repeats are
averaged first, and clipped, which makes it an approximation there.
"""

import numpy as np
from scipy import sparse, special

from semikd._validation import FloatArray

__all__ = ["breakdown_error"]

# Errors that are tried: log-odds off by more than the last say nothing of a class any
# longer. Closer together where they are small.
_ERRORS = 10.0 * (np.arange(257) / 256.0) ** 2
# Log-odds of labels between which biases are interpolated: they are smooth, and rows
# are many.
_GRID = 513


def breakdown_error(
    p: FloatArray, pull: FloatArray, estimate: FloatArray, half_width: FloatArray
) -> FloatArray:
    """Return by how much labels must be off, row by row, for intervals to reach 0.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Labels of the second class, inside (0, 1).
    pull : ndarray of shape (n, d)
        What a unit of the target of each row adds to each coefficient.
    estimate, half_width : ndarray of shape (d,)
        The coefficients, and half the widths of their intervals.

    Returns
    -------
    ndarray of shape (d,)
        In log-odds, to about 0.01; 0 where the interval holds 0 already, infinite where
        errors of 10 in every row would not do.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference.breakdown import breakdown_error
    >>> p, pull = np.array([0.2, 0.5, 0.8]), np.full((3, 1), 1 / 3)
    >>> breakdown_error(p, pull, np.array([0.3]), np.array([0.1])).round(2)
    array([1.29])
    """
    toward = pull * np.sign(estimate)
    margin = np.abs(estimate) - half_width
    odds = special.logit(p)
    grid = np.linspace(odds.min(), odds.max(), _GRID if np.ptp(odds) > 0 else 1)
    near = _interpolation(odds, grid)
    up, down = _largest(special.expit(grid))
    worst = up @ (near @ np.maximum(toward, 0.0))
    worst += down @ (near @ np.maximum(-toward, 0.0))
    found = [np.interp(m, own, _ERRORS) for m, own in zip(margin, worst.T, strict=True)]
    never = worst[-1] < margin
    return np.where(margin <= 0.0, 0.0, np.where(never, np.inf, found))


def _interpolation(odds: FloatArray, grid: FloatArray) -> sparse.csr_array:
    """Return the shares of each row at the points beside it, sparse (points, n)."""
    rows, last = np.arange(len(odds)), len(grid) - 1
    step = (grid[-1] - grid[0]) / max(last, 1)
    at = (odds - grid[0]) / step if last else np.zeros(len(odds))
    left = np.clip(at.astype(np.intp), 0, max(last - 1, 0))
    share = at - left
    pairs = (
        np.concatenate([left, np.minimum(left + 1, last)]),
        np.concatenate([rows, rows]),
    )
    values = np.concatenate([1.0 - share, share])
    return sparse.csr_array((values, pairs), shape=(len(grid), len(odds)))


def _largest(p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the largest bias of a row up and down, by the largest error, (e, n).

    A bias does not grow steadily with the error: the largest of all smaller counts.
    """
    odds, slope, up, down = special.logit(p), p * (1.0 - p), 0.0, 0.0
    for sign in (1.0, -1.0):
        error = sign * _ERRORS[:, None]
        left = (special.expit(odds - error) - p) / slope + error
        up, down = np.maximum(up, left), np.maximum(down, -left)
    return np.maximum.accumulate(up), np.maximum.accumulate(down)
