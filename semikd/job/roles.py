"""What single columns of a table stand for, besides the target: groups and weights."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown
from semikd.job._cells import an_entry, column_values, first_bad
from semikd.job._refusals import not_a_column, refusal

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]

# From here on whole numbers are too far apart to count anything.
_NO_COUNT = 2.0**53
# Nobody has tables in which every row stands for so many equal ones.
_MANY_COPIES = 100.0


def read_groups(frame: "pd.DataFrame", column: str) -> NDArray[Any]:
    """Return the group of each row, for rows that must not be parted.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    column : str
        Name of the column of groups: numbers, words, dates, anything with equality.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    UsageError
        If there is no such column, cells are missing, or all rows are one group.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.job import read_groups
    >>> read_groups(pd.DataFrame({"site": [1, 1, 2]}), "site")
    array([1, 1, 2])
    """
    values = column_values(frame, column, "--groups")
    if len(np.unique(values)) < 2:
        shown = Shown(f"one group in column {column!r}")
        raise refusal("--groups", "have at least two groups", shown, "Leave it out")
    return values


def read_weights(frame: "pd.DataFrame", column: str) -> FloatArray:
    """Return the weight of each row.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    column : str
        Name of the column of weights.

    Returns
    -------
    ndarray of float64 of shape (n,)
        Not negative, with a positive sum.

    Raises
    ------
    UsageError
        If there is no such column, or it is not made of such numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.job import read_weights
    >>> read_weights(pd.DataFrame({"w": [1, 2, 0]}), "w")
    array([1., 2., 0.])
    """
    values = column_values(frame, column, "--weight")
    if values.dtype.kind not in "iuf":
        raise refusal("--weight", "be a column of numbers", an_entry(values, column))
    weights = values.astype(np.float64)
    negative = weights < 0
    if negative.any():
        shown = first_bad(negative, weights, column)
        remedy = "Remove the rows, or give them weight 0"
        raise refusal("--weight", "be a column without negative weights", shown, remedy)
    if not weights.any():
        shown, remedy = Shown(f"only zeros in column {column!r}"), "Leave it out"
        raise refusal("--weight", "have a positive sum", shown, remedy)
    return weights


def weights_of_rows(weights: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
    """Return weights of which 1 is one row, and what was done for that, if anything.

    Whole numbers are counts of equal rows and stay. Others are known up to a factor
    only, but the least weight of a leaf and the penalties of a teacher are not.
    """
    largest = float(weights.max())
    if (weights % 1 == 0).all() and largest < _NO_COUNT:
        mean = float(weights[weights > 0].mean())
        if mean < _MANY_COPIES:
            return weights, ()
        return weights, (
            f"Weights are whole numbers with a mean of {mean:,.0f}: every row counts "
            "as that many equal rows. Divide survey weights by their mean.",
        )
    scaled = weights / largest
    scaled = scaled / scaled[scaled > 0].mean()
    return scaled, (
        "Weights are scaled to a mean of 1, as they are no counts of rows.",
    )


def check_roles(columns: Iterable[str], roles: Mapping[str, str | None]) -> list[str]:
    """Return the columns without a role; each role has a column of its own."""
    known = [str(column) for column in columns]
    taken: dict[str, str] = {}
    for role, column in roles.items():
        if column is None:
            continue
        if column not in known:
            raise not_a_column(role, column, known)
        if column in taken:
            shown = Shown(f"{column!r} for both {taken[column]} and {role}")
            raise refusal(role, "name a column that has no other role", shown)
        taken[column] = role
    free = [column for column in known if column not in taken]
    if not free:
        shown = Shown(f"no other columns than {', '.join(map(repr, taken))}")
        raise refusal("TABLE", "have columns to predict from", shown)
    return free


def refuse_infinite(frame: "pd.DataFrame", *, name: str = "TABLE") -> None:
    """Refuse a table with infinite numbers, naming the first."""
    for column in frame.select_dtypes("number").columns:
        values = frame[column].to_numpy()
        bad = np.isinf(values) if values.dtype.kind == "f" else np.zeros(0, bool)
        if bad.any():
            shown = first_bad(bad, values, column)
            remedy = "Leave a cell empty where the value is not known"
            raise refusal(name, "hold finite numbers", shown, remedy)
