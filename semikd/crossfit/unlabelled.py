"""Rows without outcomes, as they come in: refused unless they are rows of the table."""

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from semikd._tables import refuse_equal_names
from semikd._validation import Shown, counted, invalid, wrong_type

__all__ = ["checked_unlabelled"]

_NAME = "unlabelled"


def checked_unlabelled(unlabelled: Any, X: Any) -> Any:
    """Return rows without outcomes, refusing those that cannot stand under a table.

    Parameters
    ----------
    unlabelled : array-like, sparse matrix, data frame or None
        What a user gave.
    X : ndarray, sparse matrix or data frame of shape (n, d)
        The rows that have outcomes.

    Returns
    -------
    ndarray, sparse matrix, data frame or None

    Raises
    ------
    TypeError
        If it is another kind of table.
    ValueError
        If its columns differ in number, name, order or type.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.unlabelled import checked_unlabelled
    >>> checked_unlabelled([[1.0, 2.0]], np.zeros((5, 2)))
    array([[1., 2.]])
    """
    if unlabelled is None:
        return None
    refuse_equal_names(unlabelled, _NAME)
    unlabelled, X = (
        _as_array(t) if _kind(t) == "array" and not isinstance(t, np.ndarray) else t
        for t in (unlabelled, X)
    )
    if _kind(unlabelled) != _kind(X):
        shown = Shown(f"{type(unlabelled).__name__} beside {type(X).__name__}")
        raise wrong_type(_NAME, "be the kind of table that X is", shown, "Convert one")
    check = _check_array if _kind(X) in {"array", "sparse matrix"} else _check_frame
    check(unlabelled, X)
    return unlabelled


def _kind(table: Any) -> str:
    """Return what kind of table this is: whose frame, a sparse matrix or an array."""
    if nw.dependencies.is_into_dataframe(table):
        return str(nw.from_native(table, eager_only=True).implementation)
    return "sparse matrix" if sparse.issparse(table) else "array"


def _as_array(rows: Any) -> Any:
    """Return lists as an array."""
    try:
        table = np.asarray(rows)
    except ValueError:
        raise wrong_type(_NAME, "hold rows of equal length", rows) from None
    return table


def _check_array(unlabelled: Any, X: Any) -> None:
    """Refuse another number of columns, and text for numbers or the reverse."""
    if unlabelled.ndim != X.ndim or unlabelled.shape[1:] != X.shape[1:]:
        wanted = ", ".join(["any", *(str(length) for length in X.shape[1:])])
        shown = Shown(str(unlabelled.shape))
        remedy = "Pass the columns of X, in their order"
        raise invalid(_NAME, f"have shape ({wanted}), as X has", shown, remedy)
    kinds = ["number" if t.dtype.kind in "biuf" else "text" for t in (unlabelled, X)]
    if kinds[0] != kinds[1]:
        shown = Shown(f"{unlabelled.dtype} for {X.dtype}")
        raise invalid(_NAME, "have the type of X", shown, "Convert it first")


def _check_frame(unlabelled: Any, X: Any) -> None:
    """Refuse other columns, another order of them, and other types."""
    have, want = (nw.from_native(t, eager_only=True) for t in (unlabelled, X))
    lacking = [name for name in want.columns if name not in have.columns]
    extra = [name for name in have.columns if name not in want.columns]
    if lacking or extra:
        parts = [f"none named {lacking[0]!r}"] if lacking else []
        parts += [f"{extra[0]!r} beside them"] if extra else []
        shown = Shown(f"{counted(len(have.columns), 'column')}, {', '.join(parts)}")
        remedy = "Select the columns of X"
        raise invalid(_NAME, "have the columns of X", shown, remedy)
    if have.columns != want.columns:
        at = next(a for a, b in zip(have.columns, want.columns, strict=True) if a != b)
        shown = Shown(f"another order (first: {at!r})")
        remedy = "Select them in the order of X"
        raise invalid(_NAME, "have the columns of X in their order", shown, remedy)
    types = [
        (name, _type(have[name]), _type(want[name]))
        for name in want.columns
        if _type(have[name]) != _type(want[name])
    ]
    if types:
        name, own, wanted = types[0]
        number = counted(len(types), "such column")
        shown = Shown(f"{own} for {wanted} in column {name!r} ({number})")
        if str(own) == str(wanted):
            shown = Shown(f"other categories in column {name!r} ({number})")
        remedy = "Cast it to the types of X first"
        raise invalid(_NAME, "have the column types of X", shown, remedy)


def _type(column: Any) -> Any:
    """Return the type of a column in its own library, categories included."""
    native = column.to_native()
    return getattr(native, "dtype", getattr(native, "type", None))
