"""Parts of the held-out rows by one column, to see on whom the small model is worse.

Parts are made without a look at the target or at any answer: the values of a column, or
quarters of its numbers; what is too rare to be judged is put together.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._text import visible
from semikd._validation import Shown, counted
from semikd.evaluation import Table
from semikd.job._refusals import not_a_column, refusal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Parts", "held_out_parts"]

# Numbers of more different values are cut into quarters.
_MOST_VALUES = 6
# The fewest independent rows by which a part is judged, and the most parts.
LEAST, _MOST_PARTS = 30, 12
_MISSING, _OTHERS = "missing", "all others"
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
            f"{counted(left, 'held-out row')} with rare values of {self.column!r} "
            "stand in no part of the comparison by it.",
        )


def held_out_parts(
    train: Table, test: Table, column: str, *, target: str = ""
) -> Parts:
    """Return the parts of held-out rows by a column.

    Parameters
    ----------
    train, test : Table
        Both sides with raw frames; quarters are those of the training rows.
    column : str
        A column that is learned from, or the target.
    target : str, default=''
        What the target is called.

    Returns
    -------
    Parts
        At least two, of 30 independent held-out rows or more. Values with fewer are put
        together; where that is not enough, their rows are in no part.

    Raises
    ------
    UsageError
        If there is no such column, it holds dates, or all held-out rows are one part.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.evaluation import Table
    >>> from semikd.job.parts import held_out_parts
    >>> frame = pd.DataFrame({"site": ["a", "b"] * 40})
    >>> side = Table(frame, frame["site"].to_numpy(), None, None)
    >>> held_out_parts(side, side, "site").names
    ('a', 'b')
    """
    known, own = (_read(side, column, target) for side in (train, test))
    if known.dtype.kind in "mM":
        shown = Shown(f"dates in column {column!r}")
        remedy = "Turn them into a number, such as the year"
        raise refusal("--by", "hold numbers or categories", shown, remedy)
    if known.dtype.kind in "iuf" and known.nunique() > _MOST_VALUES:
        return _judged(column, *_quarters(known, own), test)
    return _judged(column, *_values(own), test)


def _read(side: Table, column: str, target: str) -> "pd.Series[Any]":
    """Return a column of one side."""
    import pandas as pd

    if column == target:
        return pd.Series(side.y)
    if column not in side.X.columns:
        raise not_a_column("--by", column, [*side.X.columns, target])
    found: pd.Series[Any] = side.X[column]
    return found


def _values(own: "pd.Series[Any]") -> tuple[list[str], Codes]:
    """Return the values of held-out rows, sorted, missing ones last."""
    values = sorted(own.dropna().unique().tolist())
    at = {value: position for position, value in enumerate(values)}
    code = [at.get(value, len(values)) for value in own.tolist()]
    names = [_text(value) for value in values]
    return [*names, _MISSING], np.array(code, dtype=np.intp)


def _quarters(
    known: "pd.Series[Any]", own: "pd.Series[Any]"
) -> tuple[list[str], Codes]:
    """Return quarters of the training rows' numbers, missing ones last."""
    cuts = np.unique(np.nanquantile(known.to_numpy(np.float64), [0.25, 0.5, 0.75]))
    said = [_text(cut) for cut in cuts]
    between = [f"above {low} to {high}" for low, high in itertools.pairwise(said)]
    names = [f"up to {said[0]}", *between, f"above {said[-1]}", _MISSING]
    values = own.to_numpy(np.float64)
    code = np.searchsorted(cuts, values)
    return names, np.where(np.isnan(values), len(names) - 1, code)


def _text(value: Any) -> str:
    """Return a value as people write it."""
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    return visible(value)


def _judged(column: str, names: Sequence[str], code: Codes, test: Table) -> Parts:
    """Return parts that can be judged, the rare ones put together."""
    counts = _units(code, len(names), test)
    order = np.argsort(-counts, kind="stable").tolist()
    large = sorted(at for at in order[:_MOST_PARTS] if counts[at] >= LEAST)
    rare = np.isin(code, large, invert=True)
    together = _units_of(rare, test) >= LEAST
    shown = [names[at] for at in large] + [_OTHERS] * together
    if len(shown) < 2:
        what = "row" if test.groups is None else "group"
        enough = int((counts >= LEAST).sum())
        said = Shown(f"{enough} such among {counted(int((counts > 0).sum()), 'part')}")
        constraint = f"part the held-out rows into parts of {LEAST} {what}s or more"
        remedy = f"Name another column than {column!r}, or hold out more"
        raise refusal("--by", constraint, said, remedy)
    place = np.full(len(names), len(large) if together else -1)
    place[large] = np.arange(len(large))
    return Parts(column, tuple(shown), place[code])


def _units(code: Codes, n_parts: int, test: Table) -> NDArray[np.intp]:
    """Return the independent held-out rows of each part."""
    return np.array([_units_of(code == at, test) for at in range(n_parts)])


def _units_of(mask: NDArray[np.bool_], test: Table) -> int:
    """Return how many of these rows, or of their groups, have a weight."""
    if test.weights is not None:
        mask = mask & (test.weights > 0)
    return int(mask.sum() if test.groups is None else len(np.unique(test.groups[mask])))
