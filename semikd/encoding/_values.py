"""Cells of a column as plain arrays, whichever table library holds them.

Frames of pandas and polars are recognised by what they offer and never imported, so
that predicting needs neither.

Notes
-----
A cell is missing when it is ``None``, NaN, NaT or pandas' NA; a text is missing when it
is blank or one of :data:`NULL_WORDS`, the list that skrub uses.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted, invalid, wrong_type

Table = Any

_WORDS = (
    "null,NULL,nan,NaN,-nan,-NaN,<NA>,NA,N/A,n/a,#NA,#N/A,#N/A N/A,none,None,?,...,"
    "1.#QNAN,-1.#QNAN,1.#IND,-1.#IND,"
)
NULL_WORDS = frozenset(_WORDS.split(","))

_MISSING_TYPES = frozenset({"NAType", "NaTType"})
_PLAIN = frozenset({int, float, bool, type(None)})
_TRUTH = {"true": 1.0, "false": 0.0}
_SHOWN_NAMES = 3
# Up to here, taking the cells one by one is faster than any conversion of a column.
_FEW_ROWS = 8


class Coded(NamedTuple):
    """A column of categories: a code per row (-1: missing) and the distinct cells."""

    codes: NDArray[Any]
    cells: NDArray[Any]

    def decoded(self) -> NDArray[Any]:
        """Return the cells of all rows as objects."""
        lookup = np.append(self.cells, np.array([None], dtype=object))
        cells: NDArray[Any] = lookup[self.codes]
        return cells


def find_columns(table: Table, names: Sequence[str]) -> list[Any]:
    """Return the columns of a table by name, as its library has them.

    What is no table is refused, and a table in which a column is not to be found.
    """
    frame = hasattr(table, "__getitem__") and hasattr(table, "__len__")
    if not isinstance(table, Mapping) and not (frame and hasattr(table, "columns")):
        raise wrong_type(
            "table",
            "be a pandas or polars frame, or a mapping of column names to values",
            Shown(type(table).__name__),
            "A single row is a mapping of lists of length one",
        )
    labels: Any = table.columns if hasattr(table, "columns") else table
    labels = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    position = {label: at for at, label in enumerate(labels)}
    missing = [name for name in names if name not in position]
    if missing:
        raise _not_there(missing, labels)
    # Taking columns out of a frame one by one costs more than reading a row of them;
    # this method has no public equal, and where it is absent the slow way serves.
    take = getattr(table, "_get_column_array", None)
    if take is not None and len(position) == len(labels):
        return [take(position[name]) for name in names]
    if _library(table) == "polars" and 0 < len(table) <= _FEW_ROWS:
        columns = list(zip(*table.rows(), strict=True))
        return [columns[position[name]] for name in names]
    return [table[name] for name in names]


def _not_there(missing: list[str], labels: list[Any]) -> ValueError:
    """Return the refusal of a table without some columns, with the nearest name."""
    near = difflib.get_close_matches(missing[0], map(str, labels), n=1)
    shown = ", ".join(_quoted(name) for name in missing[:_SHOWN_NAMES])
    return invalid(
        "table",
        "have the columns of the training table",
        Shown(f"a table without {shown} ({counted(len(missing), 'missing column')})"),
        f"Did you mean {_quoted(near[0])}" if near else "Rename or add them",
    )


def _library(thing: object) -> str:
    """Return the name of the package that an object's class is from."""
    return type(thing).__module__.partition(".")[0]


def _quoted(name: str) -> str:
    """Return a name from the data in quotation marks, on one line and not too long."""
    return repr(name if len(name) <= 60 else name[:57] + "...")


def read_column(column: Any, name: str) -> NDArray[Any] | Coded:
    """Return the cells of a column: an array of one axis, or categories with codes."""
    if isinstance(column, list | tuple):
        return _from_list(column)
    axes = getattr(column, "ndim", 1)
    if axes != 1:
        shown = Shown(f"an array of {axes} axes")
        raise invalid(f"column {_quoted(name)}", "be there once, with one axis", shown)
    if isinstance(column, np.ndarray):
        return _from_array(column)
    if _library(column) == "pandas":
        return _from_pandas(getattr(column, "array", column))
    if _library(column) == "polars":
        return _from_polars(column)
    raise invalid(
        f"column {_quoted(name)}",
        "be a one-dimensional array or a list",
        Shown(type(column).__name__),
        "A single row is a list of length one",
    )


def _from_list(values: Sequence[Any]) -> NDArray[Any]:
    """Return a list as numbers where all are of one plain type, otherwise as objects.

    Texts are never gathered in one numpy array of text: its width would be that of the
    longest.
    """
    types = set(map(type, values))
    if types <= {int} or types <= {float} or types <= {bool}:
        return np.array(values)
    return np.fromiter(values, dtype=object, count=len(values))


def _from_array(column: NDArray[Any]) -> NDArray[Any]:
    """Return a numpy array with its texts and masked cells as objects."""
    if isinstance(column, np.ma.MaskedArray):
        return np.ma.filled(column.astype(object), None)
    return column if column.dtype.kind in "biufmMO" else column.astype(object)


def _from_pandas(cells: Any) -> NDArray[Any] | Coded:
    """Return the cells of a pandas array."""
    dtype = cells.dtype
    if isinstance(dtype, np.dtype):
        return _from_array(np.asarray(cells))
    if len(cells) <= _FEW_ROWS:
        return _from_list([cells[row] for row in range(len(cells))])
    if hasattr(dtype, "categories"):
        return Coded(cells.codes, np.asarray(dtype.categories, dtype=object))
    if hasattr(dtype, "tz"):
        return np.asarray(cells, dtype=f"datetime64[{dtype.unit}]")
    if getattr(dtype, "kind", "O") in "biuf":
        numbers: NDArray[Any] = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers
    return np.asarray(cells, dtype=object)


def _from_polars(column: Any) -> NDArray[Any]:
    """Return the cells of a polars series; moments with a time zone are in UTC."""
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        return _from_array(column.to_numpy())
    return _from_list(column.to_list())


def is_missing(cell: object) -> bool:
    """Return whether a cell holds nothing; texts are judged by :func:`is_null_text`."""
    if cell is None or type(cell).__name__ in _MISSING_TYPES:
        return True
    kinds = (float, np.floating, np.datetime64, np.timedelta64)
    return isinstance(cell, kinds) and bool(cell != cell)  # noqa: PLR0124 - NaN, NaT


def is_null_text(text: str) -> bool:
    """Return whether a text stands for a missing value."""
    return text in NULL_WORDS or not text.strip()


def as_numbers(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return cells as numbers, NaN where missing, and the rows that cannot be read.

    Durations are seconds, truth values 0 and 1, texts whatever number they spell.
    """
    kind = values.dtype.kind
    if kind in "biuf":
        return values, _no_rows()
    if kind == "m":
        return values / np.timedelta64(1, "s"), _no_rows()
    if kind == "M":
        return np.full(len(values), np.nan), np.flatnonzero(~np.isnat(values))
    cells = values.tolist()
    if set(map(type, cells)) <= _PLAIN:
        try:
            return np.array(cells, dtype=np.float64), _no_rows()
        except OverflowError:
            pass
    numbers = np.array([_number(cell) for cell in cells], dtype=object)
    unreadable = np.flatnonzero(numbers == None)  # noqa: E711 - elementwise
    return numbers.astype(np.float64), unreadable


def _no_rows() -> NDArray[np.intp]:
    """Return an empty list of rows."""
    return np.empty(0, dtype=np.intp)


def _number(cell: Any) -> float | None:
    """Return the number in a cell, NaN where it is missing, None where it is none."""
    if isinstance(cell, str):
        return _number_in(cell)
    if is_missing(cell):
        return float("nan")
    try:
        if hasattr(cell, "total_seconds"):
            return float(cell.total_seconds())
        return float(cell)
    except OverflowError:
        return float("inf") if cell > 0 else float("-inf")
    except (TypeError, ValueError):
        return None


def _number_in(text: str) -> float | None:
    """Return the number that a text spells, NaN for a null word, None otherwise."""
    # Python reads '1_000' and digits of other scripts; tables do not mean them so.
    if "_" not in text and text.isascii():
        try:
            return float(text)
        except ValueError:
            pass
    if is_null_text(text):
        return float("nan")
    return _TRUTH.get(text.strip().lower())


def refuse_infinite(name: str, numbers: NDArray[Any], bad: NDArray[np.bool_]) -> None:
    """Refuse a column if any of its rows is marked as too large for float32."""
    if not bad.any():
        return
    row = int(np.argmax(bad))
    finite = bool(np.isfinite(numbers[row]))
    constraint = "be at most 3.4e+38 in size" if finite else "be finite"
    rows = counted(int(bad.sum()), "such value")
    raise invalid(
        f"column {_quoted(name)}",
        constraint,
        Shown(f"{float(numbers[row]):g} in row {row} ({rows})"),
        "Leave such cells empty where the value is not known",
    )
