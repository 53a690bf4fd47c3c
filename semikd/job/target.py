"""The column to be predicted, and what kind of prediction that makes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, choose, counted
from semikd.job._cells import an_entry, column_values, first_bad
from semikd.job._refusals import cell_shown, refusal

if TYPE_CHECKING:
    import pandas as pd

TASKS = {"classification": "classification", "regression": "regression"}
# A number with more different values than these is a regression.
_MOST_WHOLE = 20
_MOST_BROKEN = 10
# Teachers read float32, and trees split by differences of sums of squares.
_LEAST_SPREAD = 1e-6
# Scores hold no probability for less than a thousandth.
_MOST_CLASSES = 1000


@dataclass(frozen=True)
class Target:
    """The column to be predicted, and what kind of prediction that makes.

    Attributes
    ----------
    name : str
        The column.
    task : {'classification', 'regression'}
        What was decided, or asked for.
    values : ndarray of shape (n,)
        Class labels as they are, or float64.
    classes : tuple of str, int, float or bool, or None
        Class labels, sorted; None for a regression.
    sentence : str
        What was decided and why, for a human.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.job import read_target
    >>> frame = pd.DataFrame({"age": [31, 40, 22, 53], "buys": ["no", "yes"] * 2})
    >>> target = read_target(frame, "buys")
    >>> target.classes, target.sentence
    (('no', 'yes'), "'buys' has 2 classes: classification")
    """

    name: str
    task: str
    values: NDArray[Any]
    classes: tuple[Any, ...] | None
    sentence: str


def read_target(
    frame: "pd.DataFrame", column: str, *, task: str | None = None
) -> Target:
    """Return the target of a table, and whether it is a regression.

    A column of numbers is a regression if it has more than 20 different values, or more
    than 10 of which any has a fraction; anything else is a classification.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    column : str
        Name of the target's column.
    task : {'classification', 'regression'}, optional
        Decides instead of the rule.

    Returns
    -------
    Target

    Raises
    ------
    UsageError
        If there is no such column, cells are missing or infinite, there are fewer than
        two different values or more than 1,000 classes, a class has a single row or is
        a number with a fraction, or the column holds dates or, for a regression,
        anything but numbers, or numbers that vary by less than a millionth of their
        size.
    ValueError
        If ``task`` is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.job import read_target
    >>> frame = pd.DataFrame({"price": [0.5 * i for i in range(30)]})
    >>> read_target(frame, "price").sentence
    "'price' is a number with 30 different values: regression"
    """
    if task is not None:
        choose("--task", task, TASKS)
    values = column_values(frame, column, "--target")
    _refuse_dates(values, column)
    is_number = values.dtype.kind in "iuf"
    distinct, counts = np.unique(values, return_counts=True)
    if task is None:
        task = "regression" if _is_measured(distinct) else "classification"
    if len(distinct) < 2:
        shown = Shown(f"only {cell_shown(distinct[0])} in column {column!r}")
        raise refusal("--target", "have at least two different values", shown)
    what = counted(len(distinct), "different value")
    if task == "regression":
        _refuse_words(values, column, is_number)
        _refuse_far(values.astype(np.float64), column)
        sentence = f"{column!r} is a number with {what}: regression"
        return Target(column, task, values.astype(np.float64), None, sentence)
    _refuse_fractions(values, column)
    _refuse_single_rows(values, distinct, counts)
    if len(distinct) > _MOST_CLASSES:
        shown = Shown(f"{what} in column {column!r}")
        remedy = "Merge some, or say --task regression where they are numbers"
        constraint = f"have at most {_MOST_CLASSES:,} classes"
        raise refusal("--target", constraint, shown, remedy)
    classes = tuple(distinct.tolist())
    sentence = f"{column!r} has {len(classes)} classes: classification"
    if is_number:
        sentence = f"{column!r} is a number with {what}: classification"
    return Target(column, task, values, classes, sentence)


def _is_measured(distinct: NDArray[Any]) -> bool:
    """Return whether different values are so many that they are no classes."""
    if distinct.dtype.kind not in "iuf":
        return False
    is_whole = distinct.dtype.kind != "f" or bool((distinct % 1 == 0).all())
    return len(distinct) > (_MOST_WHOLE if is_whole else _MOST_BROKEN)


def _refuse_dates(values: NDArray[Any], column: str) -> None:
    """Refuse dates, which are neither classes nor measured here."""
    if values.dtype.kind in "mM":
        shown = Shown(f"dates in column {column!r}")
        remedy = "Turn them into a number, such as days"
        raise refusal("--target", "hold numbers or classes", shown, remedy)


def _refuse_words(values: NDArray[Any], column: str, is_number: bool) -> None:
    """Refuse a regression on anything but numbers."""
    if not is_number:
        shown = an_entry(values, column)
        remedy = "Leave out --task to have it classified"
        raise refusal("--target", "be a number for a regression", shown, remedy)


def _refuse_far(values: NDArray[np.float64], column: str) -> None:
    """Refuse numbers whose differences drown in rounding when they are squared."""
    center = float(np.abs(values).max())
    # Divided first: squares of large numbers overflow.
    spread = center * float((values / center).std())
    if spread < _LEAST_SPREAD * center:
        shown = Shown(f"a deviation of {spread:.3g} at values of {center:.3g}")
        constraint = "vary by a millionth of its size or more"
        remedy = f"Subtract a number such as {values.mean():.6g} from column {column!r}"
        raise refusal("--target", constraint, shown, remedy)


def _refuse_fractions(values: NDArray[Any], column: str) -> None:
    """Refuse numbers with fractions as classes, which no classifier takes."""
    broken = values % 1 != 0 if values.dtype.kind == "f" else np.zeros(1, dtype=bool)
    if broken.any():
        shown = first_bad(broken, values, column)
        remedy = "Say --task regression, or write the classes as words"
        raise refusal("--target", "hold whole numbers as classes", shown, remedy)


def _refuse_single_rows(
    values: NDArray[Any], distinct: NDArray[Any], counts: NDArray[np.intp]
) -> None:
    """Refuse a class of which no row would be left to judge by."""
    alone = distinct[counts == 1].tolist()
    if not alone:
        return
    row = int(np.argmax(values == alone[0]))
    more = f" ({len(alone)} such classes)" if len(alone) > 1 else ""
    shown = Shown(f"one row, row {row}, of class {cell_shown(alone[0])}{more}")
    remedy = "Remove such rows, or merge their class with another"
    raise refusal("--target", "have at least two rows of every class", shown, remedy)
