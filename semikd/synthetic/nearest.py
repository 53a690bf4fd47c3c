"""Rows that are alike, over numbers and categories together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray
from semikd.synthetic.columns import Column

__all__ = ["Mixed", "nearest_rows"]

# Rows among which neighbours are looked for: the cost stays linear in the table.
_CANDIDATES = 10_000
# Distances that are held at once.
_CELLS = 4_000_000

Indices = NDArray[np.intp]


class Mixed:
    r"""Rows with a distance between them.

    .. math:: d^2(a, b) = \sum_j (a_j - b_j)^2 / \sigma_j^2 + \sum_l [a_l \ne b_l]

    over numbers j, in standard deviations, and categories l. A missing number lies in
    the mean, and counts one more where the other is not missing.

    Parameters
    ----------
    columns : sequence of Column
        The table.
    weights : ndarray of shape (n,)
        Weights of the rows, for standard deviations.

    References
    ----------
    .. [1] D. R. Wilson and T. R. Martinez, "Improved Heterogeneous Distance Functions",
       JAIR 6, 1997, section 2.3 (there numbers are scaled by their range or by four
       standard deviations, and a missing value always counts one).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import read_columns
    >>> from semikd.synthetic.nearest import Mixed
    >>> rows = Mixed(read_columns(np.array([[0.0], [2.0]])), np.ones(2))
    >>> rows.squared(np.array([0]), np.array([0, 1]))
    array([[0., 4.]])
    """

    def __init__(self, columns: Sequence[Column], weights: FloatArray) -> None:
        numbers = [_scaled(c.values, weights) for c in columns if not c.is_category]
        codes: list[NDArray[Any]] = [c.values for c in columns if c.is_category]
        codes += [c.missing for c in columns if not c.is_category and c.missing.any()]
        n = len(weights)
        self.numbers = np.stack(numbers, axis=1) if numbers else np.zeros((n, 0))
        self.codes = [_small(code) for code in codes]

    def squared(self, rows: Indices, others: Indices) -> FloatArray:
        """Return the squared distance of each of some rows from each of others."""
        a, b = self.numbers[rows], self.numbers[others]
        inner = a @ b.T
        d2 = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2.0 * inner
        d2 = np.maximum(d2, 0.0)
        for code in self.codes:
            d2 += code[rows][:, None] != code[others][None]
        return np.asarray(d2)


def nearest_rows(
    rows: Mixed, asked: Indices, pool: Indices, k: int, rng: np.random.Generator
) -> Indices:
    """Return the k rows of a pool that are nearest to each of some of its rows.

    Parameters
    ----------
    rows : Mixed
        The table.
    asked : ndarray of int of shape (q,)
        Rows of the pool whose neighbours are wanted.
    pool : ndarray of int
        Where they are looked for: all of it, or 10,000 rows of it at random.
    k : int
        How many; fewer where the pool is smaller, and the row itself where it is alone.
    rng : numpy.random.Generator
        For the choice of rows out of a large pool.

    Returns
    -------
    ndarray of int of shape (q, k or fewer)
        Without the row itself; in no order.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import read_columns
    >>> from semikd.synthetic.nearest import Mixed, nearest_rows
    >>> rows = Mixed(read_columns(np.array([[0.0], [3.0], [4.0]])), np.ones(3))
    >>> everyone, rng = np.arange(3), np.random.default_rng(0)
    >>> nearest_rows(rows, everyone, everyone, 1, rng).ravel()
    array([1, 2, 1])
    """
    if len(pool) > _CANDIDATES:
        pool = np.sort(rng.choice(pool, _CANDIDATES, replace=False))
    k = min(k, len(pool) - 1)
    if k < 1:
        return asked[:, None]
    found = np.empty((len(asked), k), dtype=np.intp)
    step = max(1, _CELLS // len(pool))
    for start in range(0, len(asked), step):
        block = asked[start : start + step]
        d2 = rows.squared(block, pool)
        d2[block[:, None] == pool[None]] = np.inf
        found[start : start + step] = pool[np.argpartition(d2, k - 1, axis=1)[:, :k]]
    return found


def _scaled(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return numbers in standard deviations from their mean, zero where missing."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    mean = np.average(values[known], weights=weights[known])
    variance = np.average((values[known] - mean) ** 2, weights=weights[known])
    scale = np.sqrt(variance) if variance > 0 else 1.0
    return np.where(known, (np.where(known, values, mean) - mean) / scale, 0.0)


def _small(codes: NDArray[Any]) -> NDArray[Any]:
    """Return codes in the smallest type that tells them apart, to compare them fast."""
    _, places = np.unique(codes, return_inverse=True)
    return np.asarray(places, np.min_scalar_type(int(places.max(initial=0))))
