"""A table on its way into networks: encoded once, in an order of its content.

A table in memory is encoded as a whole. One in a file (a ``numpy.memmap``) stays there:
its moments are taken in parts, and each batch is standardised as it is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.networks.rows import canonical_order
from semikd.networks.shapes import InputShape
from semikd.networks.tables import ImageEncoding, TableEncoding, TableLayout
from semikd.simplex import FloatArray

# Rows of a mapped table that are in memory at a time.
_PART = 65_536


@dataclass(frozen=True, eq=False)
class MappedTable:
    """A table of numbers in a file, with the moments of its columns."""

    table: NDArray[Any]
    mean: FloatArray
    scale: FloatArray


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows as networks read them.

    Parameters
    ----------
    encoding : TableEncoding or ImageEncoding
        What turns new rows into the same numbers.
    inputs : ndarray of shape (n, ...) or MappedTable
        All rows.
    order : ndarray of int of shape (t,)
        Rows of positive weight, in an order of their content where that is cheap.
    content : array of shape (n, ...)
        What tells rows apart, for splits.
    """

    encoding: TableEncoding | ImageEncoding
    inputs: Any
    order: NDArray[np.intp]
    content: Any

    @property
    def shape(self) -> InputShape:
        """What the network is given for each row."""
        return self.encoding.shape


def prepare(
    X: Any,
    target: FloatArray,
    weight: FloatArray,
    encoding: TableEncoding | ImageEncoding | None = None,
) -> Prepared:
    """Return rows as networks read them, by an encoding that may be known already.

    Parameters
    ----------
    X : array-like, data frame, memmap of shape (n, d), or images (n, c, h, w)
        Covariates.
    target : ndarray of shape (n, m)
        Breaks ties in the order of rows with the same covariates.
    weight : ndarray of shape (n,)
        Weights; rows of weight zero take no part in anything.
    encoding : TableEncoding or ImageEncoding, optional
        That of an earlier fit.

    Returns
    -------
    Prepared

    Raises
    ------
    ValueError
        If a number is infinite, or images have another layout or range.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks import prepare
    >>> prepare(np.array([[1.0], [3.0]]), np.zeros((2, 1)), np.ones(2)).inputs
    array([[-1.],
           [ 1.]])
    """
    if isinstance(X, np.memmap) and X.ndim == 2:
        return _mapped(X, weight, encoding)
    if getattr(X, "ndim", 2) == 4:
        images = encoding or ImageEncoding.learned(X, weight)
        return Prepared(images, images.encode(X), np.flatnonzero(weight > 0), X)
    if isinstance(encoding, TableEncoding):
        raw = encoding.layout.raw(X)
        order = canonical_order(raw, target, weight)
        return Prepared(encoding, encoding.standardised(raw), order, raw)
    layout = TableLayout.learned(X, weight)
    raw = layout.raw(X)
    order = canonical_order(raw, target, weight)
    table = TableEncoding.learned(layout, raw[order], weight[order])
    return Prepared(table, table.standardised(raw), order, raw)


def _mapped(X: NDArray[Any], weight: FloatArray, encoding: Any) -> Prepared:
    """Return a mapped table, its moments taken in parts."""
    n_columns = X.shape[1]
    layout = TableLayout(tuple(range(n_columns)), (), (), ())
    # Also where an encoding is known, since gaps are found in this pass.
    found = _moments_in_parts(X, weight)
    if encoding is None:
        encoding = TableEncoding(layout, *found)
    table = MappedTable(X, encoding.mean, encoding.scale)
    return Prepared(encoding, table, np.flatnonzero(weight > 0), X)


def _moments_in_parts(
    X: NDArray[Any], weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return weighted mean and standard deviation of the columns of a mapped table."""
    total = weight.sum()
    mean = sum(w @ rows for rows, w in _used_parts(X, weight)) / total
    squares = sum(w @ (rows - mean) ** 2 for rows, w in _used_parts(X, weight)) / total
    spread = np.sqrt(squares)
    rounding = 10 * np.finfo(np.float64).eps * np.abs(mean)
    return mean, np.where(spread > rounding, spread, 1.0)


def _used_parts(
    X: NDArray[Any], weight: FloatArray
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield rows of positive weight and their weights, refusing gaps."""
    for start in range(0, len(X), _PART):
        used = weight[start : start + _PART] > 0
        rows = np.asarray(X[start : start + _PART], dtype=np.float64)[used]
        whole = np.isfinite(rows).all(axis=0)
        if not whole.all():
            remedy = "Fill the gaps, or load the table into memory"
            shown = Shown(f"NaN or infinity in column {int(np.argmin(whole))}")
            raise invalid("X", "be finite where it is memory-mapped", shown, remedy)
        yield rows, weight[start : start + _PART][used]
