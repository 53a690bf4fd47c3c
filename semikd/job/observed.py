"""The target in a second table, in the words of the first.

A file of new rows may hold 1.0 where the training table held 1, or text where it held
truth values; a class is known by how it reads, not by its type.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown
from semikd.job._refusals import listed, nearest, refusal
from semikd.job.target import Target

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["observed_values"]


def observed_values(
    frame: "pd.DataFrame", target: Target, *, role: str = "TABLE"
) -> NDArray[Any]:
    """Return the target of each row of a second table.

    Parameters
    ----------
    frame : pandas.DataFrame
        The second table.
    target : Target
        The target of the first; its values are not looked at.
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
    if target.name not in frame.columns:
        remedy = nearest(target.name, [str(column) for column in frame.columns])
        constraint = f"have the target, column {target.name!r}"
        raise refusal(role, constraint, Shown("none"), remedy)
    column = frame[target.name]
    if column.isna().any():
        at = int(column.isna().to_numpy().argmax())
        shown = Shown(f"{int(column.isna().sum())} without one (first: row {at})")
        constraint = f"have a value of {target.name!r} in every row"
        raise refusal(role, constraint, shown, "Leave those rows out")
    if target.classes is None:
        return _numbers(column, target.name, role)
    codes = {_label_text(label): at for at, label in enumerate(target.classes)}
    texts = [_label_text(value) for value in column.tolist()]
    strange = next((text for text in texts if text not in codes), None)
    if strange is not None:
        known = listed([str(label) for label in target.classes])
        constraint = f"have only the known labels of {target.name!r}: {known}"
        raise refusal(role, constraint, strange, "Leave those rows out")
    labels = np.asarray(target.classes, dtype=target.values.dtype)
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
