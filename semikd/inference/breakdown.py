r"""How wrong a teacher must be before a conclusion about log-odds falls.

Notes
-----
The corrected log-odds of class j against r err by what a first-order correction leaves.
Let every label be off in its log-odds by at most :math:`\delta`, whichever two classes
they are of: with :math:`u_l = p_{0l} / q_l` of label q and truth :math:`p_0`, all
:math:`\log(u_l / u_m)` lie within :math:`\pm\delta`. What is left is

.. math:: R = (u_j - \log u_j) - (u_r - \log u_r) = u_r (e^{\epsilon} - 1) - \epsilon,
   \qquad \epsilon = \log(u_j / u_r),

linear in :math:`u_r = 1 / (q_r + q_j e^\epsilon + \sum_l q_l e^{\epsilon_l})`, the sum
over the other classes, so that it is largest and least where these share one
:math:`\epsilon_l`, the largest or the least there may be. Of two classes there are no
others. A coefficient :math:`\sum_i a_i t_i` of targets t is off by at most
:math:`\sum_i \max a_i R_i`, and the worst of all teachers reaches it. Labels of several
repeats are averaged first, and clipped, which makes it an approximation there.
"""

import numpy as np
from scipy import sparse

from semikd._validation import FloatArray

__all__ = ["breakdown_error"]

# Errors that are tried: log-odds off by more than the last say nothing of a class any
# longer. Closer together where they are small.
_ERRORS = 10.0 * (np.arange(129) / 128.0) ** 2
# Of the pair's own log-odds, as a share of what is allowed.
_SHARES = np.linspace(-1.0, 1.0, 41)
# Labels between which biases are interpolated: they are smooth, and rows are many. By
# log-odds of the pair where it has all probability, and by its logarithm as well.
_ALONE, _AMONG = 513, (97, 25)


def breakdown_error(
    p: FloatArray, pull: FloatArray, estimate: FloatArray, half_width: FloatArray
) -> FloatArray:
    """Return by how much labels must be off, row by row, for intervals to reach 0.

    Parameters
    ----------
    p : ndarray of shape (n, 2)
        Labels of the class and of the one it is against, positive.
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
    >>> p, pull = np.array([[0.2, 0.8], [0.5, 0.5], [0.8, 0.2]]), np.full((3, 1), 1 / 3)
    >>> breakdown_error(p, pull, np.array([0.3]), np.array([0.1])).round(2)
    array([1.29])
    """
    toward = pull * np.sign(estimate)
    margin = np.abs(estimate) - half_width
    pair = p.sum(axis=1)
    odds, share = np.log(p[:, 0] / p[:, 1]), np.log(np.minimum(pair, 1.0))
    alone = bool(share.min() > -1e-9)
    sizes = (_ALONE, 1) if alone else _AMONG
    grids = [_grid(each, size) for each, size in zip((odds, share), sizes, strict=True)]
    near = _interpolation(odds, grids[0]), _interpolation(share, grids[1])
    near = _product(*near)
    q = np.exp(np.add.outer(-np.logaddexp(0.0, -grids[0]), grids[1]))
    r = np.exp(np.add.outer(-np.logaddexp(0.0, grids[0]), grids[1]))
    up, down = _largest(q.ravel(), r.ravel(), alone=alone)
    worst = up @ (near @ np.maximum(toward, 0.0))
    worst += down @ (near @ np.maximum(-toward, 0.0))
    found = [np.interp(m, own, _ERRORS) for m, own in zip(margin, worst.T, strict=True)]
    never = worst[-1] < margin
    return np.where(margin <= 0.0, 0.0, np.where(never, np.inf, found))


def _grid(values: FloatArray, size: int) -> FloatArray:
    """Return evenly spaced points from the least of some values to the largest."""
    return np.linspace(values.min(), values.max(), size if np.ptp(values) > 0 else 1)


def _interpolation(values: FloatArray, grid: FloatArray) -> sparse.csr_array:
    """Return the shares of each row at the points beside it, sparse (points, n)."""
    rows, last = np.arange(len(values)), len(grid) - 1
    step = (grid[-1] - grid[0]) / max(last, 1)
    at = (values - grid[0]) / step if last else np.zeros(len(values))
    left = np.clip(at.astype(np.intp), 0, max(last - 1, 0))
    share = at - left
    pairs = (
        np.concatenate([left, np.minimum(left + 1, last)]),
        np.concatenate([rows, rows]),
    )
    shares = np.concatenate([1.0 - share, share])
    return sparse.csr_array((shares, pairs), shape=(len(grid), len(values)))


def _product(first: sparse.csr_array, second: sparse.csr_array) -> sparse.csr_array:
    """Return the shares of each row at the pairs of points, sparse (a b, n)."""
    parts = [first.multiply(second[[b], :]) for b in range(second.shape[0])]
    stacked = sparse.vstack(parts, format="csr")
    a, b = first.shape[0], second.shape[0]
    # The last index of a pair is that of the second grid.
    order = np.arange(a * b).reshape(b, a).T.ravel()
    return sparse.csr_array(stacked[order])


def _largest(
    q: FloatArray, r: FloatArray, *, alone: bool
) -> tuple[FloatArray, FloatArray]:
    """Return the largest bias of labels q against r up and down, by error, (e, points).

    A bias does not grow steadily with the error: the largest of all smaller counts.
    """
    others = np.zeros_like(q) if alone else np.maximum(1.0 - q - r, 0.0)
    up, down = (np.zeros((len(_ERRORS), len(q))) for _ in "ud")
    for place, delta in enumerate(_ERRORS):
        for error in delta * _SHARES:
            told = r + q * np.exp(error)
            # Where the others gain as much as they may, and as little.
            most = 1.0 / (told + others * np.exp(delta + min(error, 0.0)))
            least = 1.0 / (told + others * np.exp(max(error, 0.0) - delta))
            sides = [each * np.expm1(error) - error for each in (most, least)]
            up[place] = np.maximum(up[place], np.maximum(*sides))
            down[place] = np.maximum(down[place], -np.minimum(*sides))
    return np.maximum.accumulate(up), np.maximum.accumulate(down)
