"""The identity of a row, so that labels follow rows and copies of a row stay together.

A row is what its covariates are: the same content has the same 64-bit hash in a numpy
array, a sparse matrix, a pandas or a polars frame, whatever its position, and the label
plays no part.
"""

import math
from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import _safe_indexing

from semikd._random import RandomState, generator
from semikd._tables import refuse_equal_names
from semikd._validation import number, wrong_type

__all__ = ["content_split", "hash_values", "n_rows", "row_hashes", "take_rows"]

# From here on floats skip integers.
_WIDE = 2.0**53
# Numbers that are hashed together: 256 KB, which stay in the processor's cache.
_CELLS = 32_768

Hashes = NDArray[np.uint64]
Indices = NDArray[np.intp]


def row_hashes(X: Any) -> Hashes:
    """Return the hash of each row's content.

    Zeros contribute nothing, so that sparse and dense forms of a table agree; -0.0 is
    0.0, any NaN or missing value is one value, and a category is what it stands for.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame of shape (n, d), (n,) or (n, ...)
        Covariates, numeric or not; also documents or images, one for each row.

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
    if isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
        return _block_hashes(np.asarray(X))
    total = np.zeros(n_rows(X), dtype=np.uint64)
    for position, column in enumerate(_columns(X)):
        total += hash_values(column) * _keys(np.array([position]))
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
        Share of distinct rows to hold out, in (0, 1].
    random_state : int, generator or None
        Seed.
    groups : array-like of shape (n,), optional
        Rows of a group fall on one side.
    strata : ndarray of int of shape (n,), optional
        The share is held out of each stratum (of a distinct row's first in order).

    Returns
    -------
    ndarray of bool of shape (n,)

    Raises
    ------
    ValueError
        If ``fraction`` is outside (0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit import content_split
    >>> X = np.arange(10.0)[:, None]
    >>> int(content_split(X, fraction=0.3, random_state=0).sum())
    3
    """
    number("fraction", fraction, low=0.0, high=1.0, open_low=True)
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
    # The product of 100 and 0.29 falls just short of 29.
    shares = np.floor(np.arange(n_units + 1) * fraction + 1e-9)
    held_out[order] = np.diff(shares) > 0
    return held_out[unit]


def n_rows(X: Any) -> int:
    """Return the number of rows of a table of any kind.

    Raises
    ------
    TypeError
        If it is no table.

    Examples
    --------
    >>> from semikd.crossfit import n_rows
    >>> n_rows([[1.0], [2.0]])
    2
    """
    shape = getattr(X, "shape", None)
    if shape is None and hasattr(X, "__len__") and not isinstance(X, str):
        return len(X)
    if not shape:
        raise wrong_type("X", "be a table of rows", X)
    return int(shape[0])


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
        table = np.asarray(X)
        if table.dtype.kind in "US" and not hasattr(X, "dtype"):
            # A list of numbers and words: numpy would make words of the numbers.
            table = np.asarray(X, dtype=object)
        yield from table.reshape(len(table), math.prod(table.shape[1:])).T
        return
    refuse_equal_names(X)
    for column in nw.from_native(X, eager_only=True).iter_columns():
        yield column.to_numpy()


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
    values = np.asarray(column)
    kind = values.dtype.kind
    if kind in "mM":
        # Libraries differ in the unit of time, and in how they print it.
        ticks = values.astype(f"{kind}8[us]").astype(np.float64)
        return _number_hashes(np.where(np.isnat(values), np.nan, ticks))
    return _number_hashes(values) if kind in "biuf" else _object_hashes(values)


def _block_hashes(table: NDArray[Any]) -> Hashes:
    """Return the hashes of the rows of an array of numbers, a cacheful at a time."""
    rows = table.reshape(len(table), math.prod(table.shape[1:]))
    keys = _keys(np.arange(rows.shape[1]))
    total = np.empty(len(rows), dtype=np.uint64)
    step = max(1, _CELLS // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        block = _number_hashes(rows[start : start + step])
        total[start : start + step] = block @ keys
    return total


def _number_hashes(values: NDArray[Any]) -> Hashes:
    """Return the hashes of numbers, the same for integers, floats and booleans."""
    # The sum makes -0.0 and 0.0 the same bits, which are zeros and stay so.
    floats = np.ascontiguousarray(values, dtype=np.float64) + 0.0
    if not floats.size or (floats.max() < _WIDE and floats.min() > -_WIDE):
        return _mix(floats.view(np.uint64))
    floats[np.isnan(floats)] = np.nan
    bits = floats.view(np.uint64)
    wide = np.abs(floats) >= _WIDE
    if values.dtype.kind == "f":
        wide &= np.abs(floats) < 2.0**63
    if wide.any():
        # Integers that a float cannot tell apart, such as long identifiers.
        exact = np.where(wide, values, 0)
        whole = exact.astype(np.uint64 if values.dtype.kind == "u" else np.int64)
        bits = np.where(wide, whole.view(np.uint64), bits)
    return _mix(bits)


def _object_hashes(values: NDArray[Any]) -> Hashes:
    """Return the hashes of values of any kind: numbers as numbers, the rest as text."""
    # Imported here because numeric tables never need it.
    from pandas import factorize
    from pandas.util import hash_array

    # Missing values have the code -1, which finds the last entry.
    codes, distinct = factorize(values.astype(object))
    text = np.array([*(str(value) for value in distinct), ""], dtype=object)
    hashes = np.array(hash_array(text))
    real = np.array([isinstance(v, Real | Decimal) for v in distinct], dtype=bool)
    numbers = np.asarray(distinct[real].tolist())
    if numbers.dtype.kind not in "biuf":
        numbers = numbers.astype(np.float64)
    hashes[:-1][real] = _number_hashes(numbers)
    hashes[-1] = _number_hashes(np.array([np.nan]))[0]
    return np.asarray(hashes[codes])


def _sparse_hashes(X: Any) -> Hashes:
    """Return the hashes of the rows of a CSR matrix, over its non-zero entries."""
    if not X.has_canonical_format:
        # An entry that is stored in parts is their sum.
        X = X.copy()
        X.sum_duplicates()
    entries = hash_values(X.data)
    keyed = entries * _keys(X.indices)
    total = np.zeros(X.shape[0], dtype=np.uint64)
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    np.add.at(total, rows, keyed)
    return total


def _keys(positions: NDArray[Any]) -> Hashes:
    """Return an odd, random-looking factor for each column position.

    Odd factors are bijections: rows that differ in one column differ in their sum.
    """
    places = positions.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    return _mix(places) | np.uint64(1)


def _mix(bits: Hashes) -> Hashes:
    """Return the finaliser of splitmix64, a bijection that spreads bits."""
    mixed = np.asarray(bits ^ (bits >> np.uint64(30)))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
