"""From whatever types a file holds to the few that everything else reads.

Numbers become int64 or, with fractions or missing cells, float64; true and false become
bool, or 1.0, 0.0 and NaN where cells are missing; dates become datetime64, without time
zone, in UTC; all other cells are text. Missing is NaN, NaT, or the NaN of text.
"""

from typing import TYPE_CHECKING, Any

from semikd._validation import Shown
from semikd.encoding._values import NULL_WORDS
from semikd.job._refusals import refusal

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def to_frame(columns: "dict[str, pa.ChunkedArray]", name: str) -> "pd.DataFrame":
    """Return the frame of arrow columns, whose mapping is emptied on the way."""
    import pandas as pd
    import pyarrow as pa

    names = list(columns)
    # The memory of a column is given back before the next one is turned.
    series = {
        column: _writable(_plain(columns.pop(column), name, column)) for column in names
    }
    frame = pd.DataFrame(series, columns=names, copy=False)
    pa.default_memory_pool().release_unused()
    return frame


def _writable(values: "pa.ChunkedArray") -> "pd.Series[Any]":
    """Return a series of its own: one that shares arrow's memory cannot be changed."""
    series: pd.Series[Any] = values.to_pandas()
    array = series.array
    flags = getattr(getattr(array, "_ndarray", None), "flags", None)
    return series.copy() if flags is not None and not flags.writeable else series


def _plain(values: "pa.ChunkedArray", name: str, column: str) -> "pa.ChunkedArray":
    """Return a column in one of the few types."""
    import pyarrow as pa

    kind = values.type
    types = pa.types
    if types.is_dictionary(kind):
        return _plain(values.cast(kind.value_type), name, column)
    if types.is_integer(kind):
        return _integers(values)
    if types.is_boolean(kind) and not values.null_count:
        return values
    if types.is_temporal(kind) and not types.is_time(kind):
        return _times(values)
    if _is_number(kind):
        return values.cast(pa.float64())
    return _texts(values, name, column)


def _is_number(kind: "pa.DataType") -> bool:
    """Return whether a type becomes float64; a column of nothing does."""
    import pyarrow as pa

    types = pa.types
    is_kind = (types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(check(kind) for check in is_kind)


def _integers(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return integers as int64, or as float64 where some are missing or too large."""
    import pyarrow as pa

    if values.null_count:
        return values.cast(pa.float64(), safe=False)
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        return values.cast(pa.float64(), safe=False)


def _times(values: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Return dates as microseconds in UTC, and durations as seconds."""
    import pyarrow as pa

    if pa.types.is_duration(values.type):
        micro = values.cast(pa.duration("us"), safe=False).cast(pa.int64())
        return pa.compute.divide(micro.cast(pa.float64(), safe=False), 1e6)
    return values.cast(pa.timestamp("us"), safe=False)


def _texts(values: "pa.ChunkedArray", name: str, column: str) -> "pa.ChunkedArray":
    """Return text, the words for a missing cell made missing."""
    import pyarrow as pa

    try:
        text = values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError):
        shown = Shown(f"{values.type} in column {column!r}")
        remedy = "Leave the column out, or write it as numbers or text"
        raise refusal(name, "hold one value in every cell", shown, remedy) from None
    words = pa.array(sorted(NULL_WORDS))
    blank = pa.compute.utf8_is_space(text)
    null = pa.compute.or_(pa.compute.is_in(text, value_set=words), blank)
    if not pa.compute.any(null).as_py():
        return text
    return pa.compute.if_else(null, pa.scalar(None, pa.string()), text)
