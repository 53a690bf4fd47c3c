"""Parts of the held-out rows by one column, to see on whom the small model is worse.

Parts are made without a look at any answer: the values of a column, or quarters of its
numbers. What has too few rows, or too few of one class, to be judged is put together.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._text import visible
from semikd._validation import Shown, counted
from semikd.evaluation import Table
from semikd.job._refusals import not_a_column, refusal
from semikd.job.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Parts", "held_out_parts"]

# Numbers of more different values are cut into quarters.
_MOST_VALUES = 6
# The fewest rows (groups) by which a part is judged, the fewest rows outside its most
# frequent class, and the most parts: with fewer the interval of a mean loss is none.
LEAST, LEAST_GROUPS, LEAST_RARE, _MOST_PARTS = 30, 40, 10, 12
_MISSING, _OTHERS = "(missing)", "(all others)"
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Parts:
    """The part of each held-out row.

    Parameters
    ----------
    column : str
        The column that parts them.
    names : tuple of str
        The parts, in the order of their values.
    code : ndarray of int of shape (n_test,)
        Position of each row's part; -1 for rows that are in none.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.job.parts import Parts
    >>> Parts("sex", ("men", "women"), np.array([0, 1, 1])).names
    ('men', 'women')
    """

    column: str
    names: tuple[str, ...]
    code: Codes

    @property
    def masks(self) -> list[NDArray[np.bool_]]:
        """The rows of each part, each of shape (n_test,)."""
        return [self.code == at for at in range(len(self.names))]

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of rows that are in no part."""
        left = int((self.code < 0).sum())
        if not left:
            return ()
        return (
            f"{counted(left, 'held-out row')} with rare values of {self.column!r}, or "
            "too few of one class, stand in no part of the comparison by it.",
        )


def held_out_parts(train: Table, test: Table, settings: Settings) -> Parts | None:
    """Return the parts of held-out rows by the column that was asked for.

    Parameters
    ----------
    train, test : Table
        Both sides with raw frames; quarters are those of the training rows.
    settings : Settings
        Its ``by`` is a column that is learned from, or the target, or several between
        commas, whose values are crossed.

    Returns
    -------
    Parts or None
        At least two, of 30 held-out rows or more (40 groups, where there are groups),
        10 of them outside the most frequent class; but for the target itself. Values
        with fewer are put together; where that is not enough, their rows are in no
        part. None where no column was asked for.

    Raises
    ------
    UsageError
        If there is no such column, it has another role or holds dates, or no two parts
        are large enough.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from semikd.evaluation import Table
    >>> from semikd.job import Settings
    >>> from semikd.job.parts import held_out_parts
    >>> frame = pd.DataFrame({"site": ["a", "a", "b", "b"] * 20})
    >>> side = Table(frame, np.array([0, 1] * 40), None, None)
    >>> held_out_parts(side, side, Settings("y", by="site")).names
    ('a', 'b')
    """
    if settings.parted_by is None:
        return None
    columns = _columns(settings.parted_by, test, settings.target)
    names, code = [""], np.zeros(len(test.y), dtype=np.intp)
    for column in columns:
        own, which = _parted(train, test, column, settings)
        names = [f"{a}, {b}" if a else b for a in names for b in own]
        code = code * len(own) + which
    enough = _judge_of(test, is_class=settings.target in columns)
    return _judged(" and ".join(columns), names, code, enough, test)


def _columns(by: str, test: Table, target: str) -> list[str]:
    """Return the columns that are named: one, or several between commas."""
    if by == target or by in test.X.columns or "," not in by:
        return [by]
    return list(dict.fromkeys(name.strip() for name in by.split(",")))


def _parted(
    train: Table, test: Table, column: str, settings: Settings
) -> tuple[list[str], Codes]:
    """Return the parts by one column, and that of each held-out row."""
    known, own = (_read(side, column, settings) for side in (train, test))
    if "M" in {known.dtype.kind, own.dtype.kind}:
        shown = Shown(f"dates in column {column!r}")
        remedy = "Turn them into a number, such as the year"
        raise refusal("--by", "hold numbers or categories", shown, remedy)
    cut = known.dtype.kind in "iuf" and known.nunique() > _MOST_VALUES
    return _quarters(known, own) if cut else _values(own)


def _read(side: Table, column: str, settings: Settings) -> "pd.Series[Any]":
    """Return a column of one side."""
    import pandas as pd

    roles = {settings.groups: "--groups", settings.weight: "--weight"}
    if column in roles:
        shown = Shown(f"{column!r}, which is that of {roles[column]}")
        remedy = "Name one that holds many rows, or groups, in every part"
        raise refusal("--by", "be another column", shown, remedy)
    if column == settings.target:
        return pd.Series(side.y)
    if column not in side.X.columns:
        raise not_a_column("--by", column, [*side.X.columns, settings.target])
    found: pd.Series[Any] = side.X[column]
    return found


def _values(own: "pd.Series[Any]") -> tuple[list[str], Codes]:
    """Return the values of held-out rows, sorted, missing ones last."""
    values = own.dropna().unique().tolist()
    values.sort(key=lambda value: (isinstance(value, str), value))
    at = {value: position for position, value in enumerate(values)}
    code = [at.get(value, len(values)) for value in own.tolist()]
    names = _number_texts(values) if own.dtype.kind == "f" else list(map(str, values))
    shown = [visible(name) for name in names]
    if len({name.strip() for name in shown}) < len(shown):
        # Values that read alike are told apart by their quotation.
        shown = [visible(repr(name)) for name in names]
    return [*shown, _MISSING], np.array(code, dtype=np.intp)


def _quarters(
    known: "pd.Series[Any]", own: "pd.Series[Any]"
) -> tuple[list[str], Codes]:
    """Return quarters of the training rows' numbers, missing ones last."""
    import pandas as pd

    cuts = np.unique(np.nanquantile(known.to_numpy(np.float64), [0.25, 0.5, 0.75]))
    said = _number_texts(cuts.tolist())
    between = [f"above {low} to {high}" for low, high in itertools.pairwise(said)]
    names = [f"up to {said[0]}", *between, f"above {said[-1]}", _MISSING]
    # What cannot be read as a number is missing, as it is to the models.
    values = pd.to_numeric(own, errors="coerce").to_numpy(np.float64)
    code = np.searchsorted(cuts, values)
    return names, np.where(np.isnan(values), len(names) - 1, code)


def _number_texts(values: list[float]) -> list[str]:
    """Return numbers in as many digits as tell them apart, whole ones in all."""
    for digits in range(6, 18):
        found = [
            f"{value:.0f}" if value == round(value) else f"{value:.{digits}g}"
            for value in values
        ]
        if len(set(found)) == len(values):
            break
    return found


def _judge_of(test: Table, *, is_class: bool) -> Callable[[NDArray[np.bool_]], bool]:
    """Return what tells whether rows are enough to be judged by."""
    weighs = np.ones(len(test.y), bool) if test.weights is None else test.weights > 0

    def enough(mask: NDArray[np.bool_]) -> bool:
        rows = mask & weighs
        if test.groups is not None and len(np.unique(test.groups[rows])) < LEAST_GROUPS:
            return False
        rare = rows.sum() - np.bincount(test.codes[rows], minlength=1).max()
        is_seen = is_class or not test.classification or rare >= LEAST_RARE
        return bool(rows.sum() >= LEAST and is_seen)

    return enough


def _judged(
    column: str,
    names: list[str],
    code: Codes,
    enough: Callable[[NDArray[np.bool_]], bool],
    test: Table,
) -> Parts:
    """Return parts that can be judged, the others put together."""
    counts = np.bincount(code, minlength=len(names))
    order = np.argsort(-counts, kind="stable").tolist()
    fit = [at for at in order if enough(code == at)]
    large = sorted(fit[:_MOST_PARTS])
    together = enough(np.isin(code, large, invert=True))
    shown = [names[at] for at in large] + [_OTHERS] * together
    if len(shown) < 2:
        least = f"{LEAST} rows" if test.groups is None else f"{LEAST_GROUPS} groups"
        rare = f", {LEAST_RARE} of them outside its most frequent class"
        constraint = (
            f"part the held-out rows into parts of {least} or more"
            f"{rare if test.classification else ''}"
        )
        n_parts = counted(int((counts > 0).sum()), "part")
        said = Shown(f"{len(large)} such among {n_parts} by {column!r}")
        remedy = "Name another column, or hold out more"
        raise refusal("--by", constraint, said, remedy)
    place = np.full(len(names), len(large) if together else -1)
    place[large] = np.arange(len(large))
    return Parts(column, tuple(shown), place[code])
