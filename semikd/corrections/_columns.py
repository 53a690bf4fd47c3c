"""Any table as columns that a regression of residuals can read."""

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from semikd._tables import missing_values, object_numbers
from semikd._validation import Shown, invalid
from semikd.simplex import FloatArray

# Sparse tables that are wider are left unread: the teacher's answer stands for them.
_WIDEST = 1_000


def readable(X: Any, p: FloatArray) -> FloatArray:
    """Return the teacher's answer beside what can be read of a table, (n, d).

    Numbers are read as such, in columns of Python objects too; NaN is a gap. Words and
    categories become the rank of their value among those at hand, which is harmless
    here, since the rows that are learned from and asked are of one table.
    Images, documents and wide sparse tables are not read.
    """
    answers = p[:, 1:] if p.shape[1] == 2 else p
    columns = [_numbers(column) for column in _columns(X)]
    found = np.column_stack([answers, *columns]).astype(np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def codes(X: Any, column: str | int) -> NDArray[np.intp]:
    """Return a number for the value of one column in each row, shape (n,)."""
    return _ranks(values_of(X, column, "group_by"))


def values_of(X: Any, column: str | int, name: str) -> NDArray[Any]:
    """Return one column of a table as it is, shape (n,); ``name`` is who asks."""
    if nw.dependencies.is_into_dataframe(X):
        frame = nw.from_native(X, eager_only=True)
        names = list(frame.columns)
        # By their order, since a number as a name would be taken for a row.
        columns = list(frame.iter_columns())
        if isinstance(column, str) and column in names:
            return np.asarray(columns[names.index(column)].to_numpy())
        if isinstance(column, int) and 0 <= column < len(names):
            return np.asarray(columns[column].to_numpy())
        have = ", ".join(repr(known) for known in names[:10])
    else:
        values = list(_columns(X))
        if isinstance(column, int) and 0 <= column < len(values):
            return values[column]
        have = f"positions 0 to {len(values) - 1}" if values else "no columns"
    raise invalid(name, "name a column of X", column, Shown(f"X has {have}"))


def _columns(X: Any) -> Iterator[NDArray[Any]]:
    """Yield the columns of a table; nothing of images, documents and wide ones."""
    if sparse.issparse(X):
        if X.shape[1] <= _WIDEST:
            yield from X.toarray().T
        return
    if nw.dependencies.is_into_dataframe(X):
        for column in nw.from_native(X, eager_only=True).iter_columns():
            yield column.to_numpy()
        return
    table = np.asarray(X)
    if table.ndim == 2:
        yield from table.T


def _numbers(column: NDArray[Any]) -> FloatArray:
    """Return numbers and times as they are, ranks of anything else; gaps are NaN."""
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    if column.dtype.kind in "mM":
        ticks = column.astype(np.int64).astype(np.float64)
        return np.where(np.isnat(column), np.nan, ticks)
    numbers = object_numbers(column) if column.dtype.kind == "O" else None
    if numbers is not None:
        return numbers
    ranks = _ranks(column).astype(np.float64)
    return np.where(missing_values(column), np.nan, ranks)


def _ranks(column: NDArray[Any]) -> NDArray[np.intp]:
    """Return the rank of each value among the distinct ones, as text."""
    words = column if column.dtype.kind in "biufmM" else column.astype(str)
    return np.asarray(np.unique(words, return_inverse=True)[1], dtype=np.intp)
