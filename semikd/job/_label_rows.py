"""What a file of labels is held against before a row gets any of it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted
from semikd.crossfit import row_hashes
from semikd.job._refusals import cell_shown, listed, not_a_column, refusal

if TYPE_CHECKING:
    import pandas as pd

# How far the probabilities of a row may be from a sum of one, for each class.
_TOLERANCE = 1e-6
UNLABELLED = -1

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]


def hex_hashes(covariates: Any) -> NDArray[Any]:
    """Return the hashes of rows as text, shape (n,)."""
    hashes = row_hashes(covariates).tolist()
    return np.array([f"{code:016x}" for code in hashes], dtype=object)


def is_text(frame: "pd.DataFrame", key: str) -> bool:
    """Return whether a column of the table holds text."""
    return getattr(frame[key].dtype, "kind", "O") == "O"


def refuse_key(frame: "pd.DataFrame", key: str) -> None:
    """Refuse a column of the table that does not tell its rows apart."""
    if key not in frame.columns:
        raise not_a_column("--key", key, frame.columns)
    missing = frame[key].isna().to_numpy()
    if missing.any():
        shown = Shown(f"nothing in row {int(np.argmax(missing))} of column {key!r}")
        raise refusal("--key", "have a value in every row", shown)
    twice = frame[key].duplicated().to_numpy()
    if twice.any():
        shown = Shown(
            f"{cell_shown(frame[key].iloc[int(np.argmax(twice))])} more than once"
        )
        raise refusal("--key", "tell every row from the others", shown)


def refuse_missing_columns(given: "pd.DataFrame", wanted: list[str]) -> None:
    """Refuse a file that lacks a key, folds or classes."""
    missing = [column for column in wanted if column not in given.columns]
    if missing:
        shown = Shown(f"columns without {listed(missing)}")
        remedy = f"The columns are {listed(list(given.columns))}"
        raise refusal("--labels", f"have columns {listed(wanted)}", shown, remedy)


def rows_of_position(given: "pd.DataFrame", frame: "pd.DataFrame") -> Indices:
    """Return the rows of the table that the column ``row`` names."""
    rows = whole(given, "row", low=0)
    if (rows >= len(frame)).any():
        shown = Shown(f"row {int(rows.max())} for a table of {len(frame)} rows")
        remedy = "Give the labels of this table; its rows are counted from 0"
        raise refusal("--labels", "name rows of the table", shown, remedy)
    return rows


def rows_of_key(given: "pd.DataFrame", frame: "pd.DataFrame", key: str) -> Indices:
    """Return the rows of the table whose key is that of the labels."""
    import pandas as pd

    rows = np.asarray(pd.Index(frame[key]).get_indexer(pd.Index(given[key])))
    unknown = rows < 0
    if unknown.any():
        at = int(np.argmax(unknown))
        what = f"{counted(int(unknown.sum()), 'key')} that it does not have"
        shown = Shown(f"{what}, the first {cell_shown(given[key].iloc[at])}")
        raise refusal("--labels", "have keys of the table", shown)
    return rows.astype(np.intp)


def refuse_twice(rows: Indices, given: "pd.DataFrame", key: str) -> None:
    """Refuse two labels for one row."""
    _, first = np.unique(rows, return_index=True)
    again = np.ones(len(rows), dtype=bool)
    again[first] = False
    if again.any():
        value = given[key].iloc[int(np.argmax(again))]
        shown = Shown(f"two with {key!r} {cell_shown(value)}")
        raise refusal("--labels", "have one label for a row", shown)


def refuse_other_rows(
    given: "pd.DataFrame", rows: Indices, hashes: NDArray[Any]
) -> None:
    """Refuse labels whose rows have other covariates than the table's."""
    other = np.asarray(given["row_hash"].to_numpy(dtype=object) != hashes[rows])
    if other.any():
        n, at = int(other.sum()), int(rows[int(np.argmax(other))])
        what = f"{counted(n, 'row')} with other covariates, the first row {at}"
        remedy = "Give the table they were made with, or leave out column 'row_hash'"
        raise refusal("--labels", "belong to the table's rows", Shown(what), remedy)


def numbers(given: "pd.DataFrame", wanted: list[str]) -> FloatArray:
    """Return the labels, all of them finite numbers."""
    words = [column for column in wanted if given[column].dtype.kind not in "iuf"]
    if words:
        shown = Shown(f"words in column {words[0]!r}")
        raise refusal("--labels", "hold numbers", shown)
    labels = given[wanted].to_numpy(dtype=np.float64)
    bad = ~np.isfinite(labels)
    if bad.any():
        at, column = (int(i) for i in np.argwhere(bad)[0])
        shown = Shown(f"{labels[at, column]:g} in line {at + 2}, {wanted[column]!r}")
        remedy = "Leave out the lines of rows without a label"
        raise refusal("--labels", "hold finite numbers", shown, remedy)
    return labels


def refuse_improper(labels: FloatArray, wanted: list[str]) -> None:
    """Refuse rows that are no probabilities."""
    negative = np.asarray((labels < 0).any(axis=1))
    sums = labels.sum(axis=1)
    off = np.abs(sums - 1.0) > _TOLERANCE * len(wanted)
    bad = np.asarray(negative | off)
    if bad.any():
        at = int(np.argmax(bad))
        what = f"{labels[at].min():g}" if negative[at] else f"a sum of {sums[at]:g}"
        shown = Shown(
            f"{what} in line {at + 2} ({counted(int(bad.sum()), 'such row')})"
        )
        raise refusal("--labels", "hold probabilities that sum to one", shown)


def whole(given: "pd.DataFrame", column: str, low: int) -> Indices:
    """Return a column of integers."""
    values = given[column].to_numpy()
    is_whole = values.dtype.kind in "iu"
    if not is_whole or (values < low).any():
        value = values[values < low][0] if is_whole else values.tolist()[0]
        constraint = f"hold integers of at least {low} in column {column!r}"
        shown = Shown(
            f"{cell_shown(value)}" if is_whole else f"{given[column].dtype} values"
        )
        raise refusal("--labels", constraint, shown)
    return values.astype(np.intp)
