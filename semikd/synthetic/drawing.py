"""Tables of made-up rows, cell by cell from rows that exist.

A cell is copied in the type it has, so that types, categories and missing values are
those of the table; only numbers that a kernel moved are written anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray

__all__ = ["DrawnRows", "assembled"]

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class DrawnRows:
    """Synthetic rows and the rows that they were made of.

    Parameters
    ----------
    X : ndarray or data frame of shape (n_new, d)
        The rows, in the kind of table they were drawn from.
    parents : ndarray of int of shape (n_new, 2)
        Positions of the two rows that each has its cells from. The first is the row it
        resembles most; of copies, the first in the table is named.
    weights : ndarray of shape (n_new,)
        Weight of each: the setting times the weight of the first parent and its copies.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic import DrawnRows
    >>> drawn = DrawnRows(np.ones((1, 2)), np.array([[0, 3]]), np.ones(1))
    >>> drawn.parents.shape
    (1, 2)
    """

    X: Any
    parents: Indices
    weights: FloatArray


def assembled(X: Any, source: Indices, moved: Mapping[int, FloatArray]) -> Any:
    """Return the table whose cell (i, j) is that of row ``source[i, j]`` of X.

    Parameters
    ----------
    X : ndarray or data frame of shape (n, d)
        Where the cells come from.
    source : ndarray of int of shape (n_new, d)
        Their rows.
    moved : mapping of int to ndarray of shape (n_new,)
        By position of the column, numbers in place of these cells; NaN leaves a cell.

    Returns
    -------
    ndarray or data frame of shape (n_new, d)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.drawing import assembled
    >>> X = np.array([[1, 2], [3, 4]])
    >>> assembled(X, np.array([[0, 1], [1, 1]]), {})
    array([[1, 4],
           [3, 4]])
    """
    if nw.dependencies.is_into_dataframe(X):
        return _frame(X, source, moved)
    table = np.take_along_axis(X, source, axis=0)
    for j, numbers in moved.items():
        known = np.isfinite(numbers)
        table[known, j] = numbers[known].astype(table.dtype)
    return table


def _frame(X: Any, source: Indices, moved: Mapping[int, FloatArray]) -> Any:
    """Return the table for a frame of any library."""
    columns = []
    for j, column in enumerate(nw.from_native(X, eager_only=True).iter_columns()):
        taken = nw.maybe_reset_index(column[source[:, j]])
        if j in moved:
            known = np.flatnonzero(np.isfinite(moved[j]))
            numbers = nw.new_series(
                column.name,
                moved[j][known],
                nw.Float64,
                backend=column.implementation,
            )
            taken = taken.scatter(known, numbers.cast(column.dtype))
        columns.append(taken.to_frame())
    return nw.concat(columns, how="horizontal").to_native()
