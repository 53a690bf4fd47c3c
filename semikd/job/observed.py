"""The target in a second table, in the words of the first.

A file of new rows may hold 1.0 where the training table held 1, or text where it held
truth values; a class is known by how it reads, not by its type.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown
from semikd.job._refusals import listed, nearest, refusal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["observed_values"]


def observed_values(
    frame: "pd.DataFrame",
    name: str,
    labels: NDArray[Any] | None,
    *,
    role: str = "TABLE",
) -> NDArray[Any]:
    """Return the target of each row of a second table.

    Parameters
    ----------
    frame : pandas.DataFrame
        The second table.
    name : str
        The column of the target.
    labels : ndarray of shape (k,) or None
        Class labels of the first table; None for a regression.
    role : str, default='TABLE'
        What messages call the second table.

    Returns
    -------
    ndarray of shape (n,)
        Labels of the first table, or float64.

    Raises
    ------
    UsageError
        If the column or a value is missing, or a label is none of the first table's.
    """
    if name not in frame.columns:
        remedy = nearest(name, [str(column) for column in frame.columns])
        constraint = f"have the target, column {name!r}"
        raise refusal(role, constraint, Shown("none"), remedy)
    column = frame[name]
    if column.isna().any():
        at = int(column.isna().to_numpy().argmax())
        shown = Shown(f"{int(column.isna().sum())} without one (first: row {at})")
        constraint = f"have a value of {name!r} in every row"
        raise refusal(role, constraint, shown, "Leave those rows out")
    if labels is None:
        return _numbers(column, name, role)
    codes = {_label_text(label): at for at, label in enumerate(labels.tolist())}
    texts = [_label_text(value) for value in column.tolist()]
    strange = next((text for text in texts if text not in codes), None)
    if strange is not None:
        known = listed([str(label) for label in labels.tolist()])
        constraint = f"have only the known labels of {name!r}: {known}"
        raise refusal(role, constraint, strange, "Leave those rows out")
    return np.asarray(labels[[codes[text] for text in texts]])


def _label_text(value: Any) -> str:
    """Return how a label reads: 1 and 1.0 alike, true and True alike."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _numbers(column: "pd.Series[Any]", name: str, role: str) -> NDArray[np.float64]:
    """Return a column of finite numbers."""
    if column.dtype.kind not in "iufb":
        shown = Shown(f"text such as {str(column.iloc[0])[:40]!r}")
        raise refusal(role, f"hold numbers in {name!r}", shown)
    values = column.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        at = int((~np.isfinite(values)).argmax())
        raise refusal(
            role, f"be finite in {name!r}", Shown(f"{values[at]} in row {at}")
        )
    return values
