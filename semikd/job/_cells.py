"""The cells of one column as numpy has them, and how a message points at one."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted
from semikd.job._refusals import cell_shown, not_a_column, refusal

if TYPE_CHECKING:
    import pandas as pd


def column_values(frame: "pd.DataFrame", column: str, role: str) -> NDArray[Any]:
    """Return a whole column as numpy has it, text as objects."""
    if column not in frame.columns:
        raise not_a_column(role, column, frame.columns)
    series = frame[column]
    missing = series.isna().to_numpy()
    if missing.any():
        shown = Shown(f"{_where(missing)} without a value in column {column!r}")
        remedy = "Remove or fill them; words such as NA, none and ? mean a missing cell"
        raise refusal(role, "have a value in every row", shown, remedy)
    kind = getattr(series.dtype, "kind", "O")
    plain = kind in "biufmM" and isinstance(series.dtype, np.dtype)
    values = series.to_numpy() if plain else _unpacked(series)
    if values.dtype.kind == "f" and np.isinf(values).any():
        shown = first_bad(np.isinf(values), values, column)
        raise refusal(role, "be finite", shown, "Remove or correct these rows")
    return values


def _unpacked(series: "pd.Series[Any]") -> NDArray[Any]:
    """Return a column of pandas' own types as numbers where they are, else as text."""
    values = series.to_numpy(dtype=object)
    kinds = {type(value) for value in values}
    if kinds <= {bool, np.bool_}:
        return values.astype(bool)
    if all(issubclass(kind, int | float | np.number) for kind in kinds):
        return np.asarray(values.tolist())
    return np.array([str(value) for value in values], dtype=object)


def an_entry(values: NDArray[Any], column: str) -> Shown:
    """Return an entry of a column for a message."""
    return Shown(f"{cell_shown(values[0])} in row 0 of column {column!r}")


def first_bad(bad: NDArray[np.bool_], values: NDArray[Any], column: str) -> Shown:
    """Return the first bad entry for a message, and how many there are."""
    row = int(np.argmax(bad))
    shown = f"{values[row]:g} in row {row} of column {column!r}"
    n = int(bad.sum())
    return Shown(f"{shown} ({n} such rows)" if n > 1 else shown)


def _where(bad: NDArray[np.bool_]) -> str:
    """Return how many rows there are and where the first is, counted from 0."""
    return f"{counted(int(bad.sum()), 'row')} (the first is row {int(np.argmax(bad))})"
