"""The distinct rows of a table, and labels that travel from them to all rows.

Least squares sees copies of a row as one row of their total weight and mean outcome.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from semikd.crossfit.folds import Rows
from semikd.crossfit.rows import Indices
from semikd.simplex import FloatArray

__all__ = ["Distinct", "distinct", "distinct_units", "on_all_rows", "outcomes"]


@dataclass(frozen=True)
class Distinct:
    """The distinct rows of a table, each once, and who leaves together.

    Parameters
    ----------
    first : ndarray of int of shape (m,)
        Position of each among the rows that count.
    back : ndarray of int of shape (n_active,)
        Distinct row of each row that counts.
    unit : ndarray of int of shape (m,)
        What leaves together, numbered from 0.
    weights : ndarray of shape (m,)
        Total weight of each.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.distinct import distinct
    >>> hashes, codes = np.array([9, 7, 9], dtype=np.uint64), np.zeros(3, dtype=int)
    >>> rows = distinct(Rows(hashes, codes, None, None, None))
    >>> rows.first, rows.weights
    (array([0, 1]), array([2., 1.]))
    """

    first: Indices
    back: Indices
    unit: Indices
    weights: FloatArray

    @property
    def alone(self) -> bool:
        """Whether every distinct row leaves by itself."""
        return int(self.unit.max()) + 1 == len(self.unit)

    def mean(self, y: FloatArray, weights: FloatArray | None) -> FloatArray:
        """Return the weighted mean outcome of each distinct row, shape (m, k)."""
        if len(self.first) == len(self.back):
            return np.asarray(y[self.first])
        own = np.ones(len(y)) if weights is None else weights
        shape = (len(self.first), len(y))
        table = sparse.coo_array((own, (self.back, np.arange(len(y)))), shape=shape)
        return np.asarray((table.tocsr() @ y) / self.weights[:, None])


def distinct(rows: Rows, weights: FloatArray | None = None) -> Distinct:
    """Return the distinct rows, in the order of the table.

    Least squares sees copies of a row as one row of their total weight and weighted
    mean outcome.

    Parameters
    ----------
    rows : Rows
        Identity, group and weight of each row. With groups, copies of a row in two
        groups are two rows, and a group leaves whole.
    weights : ndarray of shape (n_active,), optional
        Weights of the rows that count, where they are not those of ``rows``.

    Returns
    -------
    Distinct

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.distinct import distinct
    >>> hashes, codes = np.arange(2, dtype=np.uint64), np.zeros(2, dtype=int)
    >>> distinct(Rows(hashes, codes, None, np.array([5, 5]), None)).unit
    array([0, 0])
    """
    active = rows.active
    if weights is None and rows.weights is not None:
        weights = rows.weights[active]
    if rows.groups is None:
        first, back = _in_order(*rows.apart)
        unit = np.arange(len(first))
    else:
        # An odd factor keeps different groups, and rows, apart.
        keys = rows.hashes[active] + rows.units[active] * np.uint64(0x9E3779B97F4A7C15)
        _, *found = np.unique(keys, return_index=True, return_inverse=True)
        first, back = _in_order(*found)
        _, unit = np.unique(rows.apart[1][first], return_inverse=True)
    total = np.bincount(back, weights).astype(np.float64)
    return Distinct(first, back, unit, total)


def distinct_units(rows: Rows) -> tuple[Indices, Indices]:
    """Return what leaves together: a position for each unit, and each row's unit.

    Parameters
    ----------
    rows : Rows
        Identity, group and weight of each row.

    Returns
    -------
    first : ndarray of int of shape (u,)
        Position, in the whole table, of the first row of each unit.
    unit : ndarray of int of shape (n_active,)
        Unit of each row of positive weight, in the order of ``rows.active``.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.distinct import distinct_units
    >>> hashes, codes = np.array([9, 7, 9], dtype=np.uint64), np.zeros(3, dtype=int)
    >>> distinct_units(Rows(hashes, codes, None, None, None))
    (array([1, 0]), array([1, 0, 1]))
    """
    first, unit = rows.apart
    return rows.active[first], unit


def on_all_rows(fit: FloatArray, apart: Distinct, rows: Rows) -> FloatArray:
    """Return the labels of distinct rows for all rows, NaN where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.distinct import distinct, on_all_rows
    >>> hashes, codes = np.array([9, 9], dtype=np.uint64), np.zeros(2, dtype=int)
    >>> rows = Rows(hashes, codes, None, None, None)
    >>> on_all_rows(np.array([[3.0]]), distinct(rows), rows)
    array([[3.],
           [3.]])
    """
    table = np.full((len(rows.hashes), fit.shape[1]), np.nan)
    table[rows.active] = fit[apart.back]
    return table


def outcomes(y: NDArray[Any], rows: Rows) -> FloatArray:
    """Return the outcomes of a regression of the rows that count, shape (n_active, m).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.distinct import outcomes
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> outcomes(np.array([1, 2]), rows)
    array([[1.],
           [2.]])
    """
    own = np.asarray(y, dtype=np.float64)[rows.active]
    return own[:, None] if own.ndim == 1 else own


def _in_order(first: Indices, back: Indices) -> tuple[Indices, Indices]:
    """Return the first of each distinct key, in the order they come, and which is it.

    A table of distinct rows is then used as it is.
    """
    if len(first) == len(back):
        return np.arange(len(back)), np.arange(len(back))
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[back]
