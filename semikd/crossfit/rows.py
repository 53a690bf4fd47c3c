"""The identity of a row, so that labels follow rows and copies of a row stay together.

A row is what its covariates are: the same content has the same 64-bit hash in a numpy
array, a sparse matrix, a pandas or a polars frame, whatever its position, and the label
plays no part.
"""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import _safe_indexing

from semikd._random import RandomState, generator

__all__ = ["content_split", "hash_values", "n_rows", "row_hashes", "take_rows"]

Hashes = NDArray[np.uint64]
Indices = NDArray[np.intp]


def row_hashes(X: Any) -> Hashes:
    """Return the hash of each row's content.

    Zeros contribute nothing, so that sparse and dense forms of a table agree; -0.0 is
    0.0 and any NaN or missing value is one value.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n, d)
        Covariates, numeric or not.

    Returns
    -------
    ndarray of uint64 of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit import row_hashes
    >>> a, b, c = row_hashes(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]]))
    >>> bool(a == c), bool(a == b)
    (True, False)
    """
    if sparse.issparse(X):
        return _sparse_hashes(sparse.csr_array(X))
    total = np.zeros(n_rows(X), dtype=np.uint64)
    for position, column in enumerate(_columns(X)):
        total += _keyed(hash_values(column), position)
    return total


def content_split(
    X: Any,
    *,
    fraction: float,
    random_state: RandomState,
    groups: Any = None,
    strata: NDArray[np.intp] | None = None,
) -> NDArray[np.bool_]:
    """Return which rows are held out, drawn from their content and not their position.

    Copies of a row fall on one side, so that a permuted table, a repeated row and a
    weight of 2 give the same split.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Covariates.
    fraction : float
        Share of distinct rows to hold out, in (0, 1).
    random_state : int, generator or None
        Seed.
    groups : array-like of shape (n,), optional
        Rows of a group fall on one side.
    strata : ndarray of int of shape (n,), optional
        The share is held out of each stratum (of a distinct row's first in order).

    Returns
    -------
    ndarray of bool of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit import content_split
    >>> X = np.arange(10.0)[:, None]
    >>> int(content_split(X, fraction=0.3, random_state=0).sum())
    3
    """
    keys = row_hashes(X) if groups is None else hash_values(np.asarray(groups))
    _, unit = np.unique(keys, return_inverse=True)
    n_units = int(unit.max()) + 1
    stratum = np.zeros(n_units, dtype=np.intp)
    if strata is not None:
        stratum[:] = strata.max() + 1
        np.minimum.at(stratum, unit, strata)
    order = generator(random_state).permutation(n_units)
    order = order[np.argsort(stratum[order], kind="stable")]
    # Every unit whose running share crosses an integer is held out: each stratum gives
    # its share to within one unit.
    held_out = np.zeros(n_units, dtype=bool)
    held_out[order] = np.diff(np.floor(np.arange(n_units + 1) * fraction)) > 0
    return held_out[unit]


def n_rows(X: Any) -> int:
    """Return the number of rows of a table of any kind.

    Examples
    --------
    >>> from semikd.crossfit import n_rows
    >>> n_rows([[1.0], [2.0]])
    2
    """
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def take_rows(X: Any, rows: Indices) -> Any:
    """Return these rows of a table of any kind, in the kind it came.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit import take_rows
    >>> take_rows(np.array([[1.0], [2.0]]), np.array([1]))
    array([[2.]])
    """
    if sparse.issparse(X):
        # Other sparse formats cannot select rows.
        X = X.tocsr()
    return _safe_indexing(X, rows)


def _columns(X: Any) -> Any:
    """Yield the columns of a dense table as numpy arrays."""
    if not nw.dependencies.is_into_dataframe(X):
        yield from np.asarray(X).T
        return
    frame = nw.from_native(X, eager_only=True)
    for column in frame.iter_columns():
        plain = column.dtype.is_numeric() or column.dtype == nw.Boolean
        yield (column if plain else column.cast(nw.String)).to_numpy()


def hash_values(column: NDArray[Any]) -> Hashes:
    """Return the hash of each value of one column; zero, however stored, has hash 0.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit import hash_values
    >>> first, second = hash_values(np.array(["a", "a"]))
    >>> bool(first == second)
    True
    """
    if column.dtype.kind not in "biuf":
        # Imported here because numeric tables never need it.
        from pandas.util import hash_array

        text = np.asarray(["" if v is None else str(v) for v in column], dtype=object)
        return np.asarray(hash_array(text))
    values = np.asarray(column, dtype=np.float64)
    values = np.where(np.isnan(values), np.nan, values)
    bits = np.ascontiguousarray(values).view(np.uint64)
    return np.where(values == 0.0, np.uint64(0), _mix(bits))


def _sparse_hashes(X: Any) -> Hashes:
    """Return the hashes of the rows of a CSR matrix, over its non-zero entries."""
    entries = hash_values(X.data)
    keyed = np.where(entries == 0, np.uint64(0), _mix(entries ^ _key(X.indices)))
    total = np.zeros(X.shape[0], dtype=np.uint64)
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    np.add.at(total, rows, keyed)
    return total


def _keyed(hashes: Hashes, position: int) -> Hashes:
    """Return hashes that tell this column from another; 0 stays 0."""
    key = _key(np.array([position]))
    return np.where(hashes == 0, np.uint64(0), _mix(hashes ^ key))


def _key(positions: NDArray[Any]) -> Hashes:
    """Return a random-looking number for each column position."""
    return _mix(positions.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15))


def _mix(bits: Hashes) -> Hashes:
    """Return the finaliser of splitmix64, a bijection that spreads bits."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
