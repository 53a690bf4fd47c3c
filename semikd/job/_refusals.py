"""How the job refuses what it cannot use: one class, one line, the nearest name."""

import difflib
from collections.abc import Iterable
from os import PathLike, fspath

from semikd._validation import Shown, message
from semikd.exceptions import UsageError

# Names that a message lists before it breaks off.
_MOST_NAMES = 8


def refusal(name: str, constraint: str, value: object, remedy: str = "") -> UsageError:
    """Return the error for something that cannot be used."""
    return UsageError(message(name, constraint, value, remedy))


def not_a_column(name: str, column: object, columns: Iterable[str]) -> UsageError:
    """Return the refusal of a column that the table does not have."""
    known = [str(known) for known in columns]
    return refusal(name, "be a column of the table", column, nearest(column, known))


def nearest(wanted: object, known: list[str]) -> str:
    """Return the remedy that names the nearest of the known names, or lists them."""
    text = str(wanted)
    lower = {name.lower(): name for name in reversed(known)}
    near = difflib.get_close_matches(text.lower(), lower, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {lower[near[0]]!r}"
    return f"There are {listed(known)}" if known else ""


def listed(names: list[str]) -> str:
    """Return names in quotation marks, the first few of many."""
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMES])
    left_out = len(names) - _MOST_NAMES
    return f"{shown} and {left_out} more" if left_out > 0 else shown


def path_shown(path: str | PathLike[str]) -> Shown:
    """Return a path for a message: in quotation marks, whole, on one line."""
    return Shown(repr(fspath(path)))


def cell_shown(value: object) -> str:
    """Return a cell for a message: on one line, in quotation marks if it is text."""
    plain = value.item() if hasattr(value, "item") else value
    return f"{plain!r:.80}"
