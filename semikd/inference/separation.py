"""Whether columns tell classes of rows apart without error, and which rows.

Notes
-----
Columns separate classes if scores exist of which no row's own class has less than
another, and not all are equal. Its log-odds then have no bound: in all rows where every
own score is the largest, and in some of them where rows have ties, as where one level
of a factor has rows of one class (quasi-separation).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray
from semikd.inference.designs import Design, determined
from semikd.inference.fitted import class_scores
from semikd.inference.likelihood import all_but_separating, separates

__all__ = ["told_apart"]

# Rows of each class that are asked first, and of these the farthest of each column.
_FIRST, _FARTHEST = 1000, 10
# A cut nearer to 0 than this, beside the column, is 0.
_ROUNDING = 1e-12
_ENDS = (np.min, np.max)


def told_apart(rows: Design, theta: FloatArray) -> str:
    """Return which rows columns tell apart without error, in words.

    Parameters
    ----------
    rows : Design
        Columns and outcomes, a constant column among them.
    theta : ndarray of shape (k - 1, p)
        Coefficients of standard columns, which may separate.

    Returns
    -------
    str
        Empty where no combination of columns separates.

    Notes
    -----
    Where some rows that determine every coefficient have a largest likelihood, so have
    all: directions in which all have none would be ones for these. So a few thousand
    rows are fitted before all are.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference.designs import made_design
    >>> from semikd.inference.separation import told_apart
    >>> X, y = [[1.0], [1.0], [0.0], [0.0], [0.0]], [0, 0, 0, 1, 1]
    >>> told_apart(made_design(X, y), np.zeros((1, 2)))
    "all 2 rows with 'x0' above 0 are of class 0"
    """
    apart = f"X tells the classes of all {len(rows.rows):,} rows apart without error"
    if _puts_right(rows, theta):
        return apart
    by_one = _by_one_column(rows)
    if not by_one and not _separates(rows):
        return ""
    if _puts_right(rows, all_but_separating(rows)):
        return apart
    return by_one or "X tells the class of some rows, by several columns, without error"


def _puts_right(rows: Design, theta: FloatArray) -> bool:
    """Return whether every row has its largest score, by itself, in its class."""
    scores = class_scores(rows.standard, theta)
    own = rows.outcomes == 1.0
    best = np.where(own, -np.inf, scores).max(axis=1)
    return bool((scores[own] > best).all())


def _separates(rows: Design) -> bool:
    """Return whether columns separate classes, of a few rows first."""
    few = _few(rows)
    if len(few) < len(rows.rows):
        weights = None if rows.weights is None else rows.weights[few]
        if determined(rows.standard[few], None).all() and not separates(
            rows.standard[few], rows.outcomes[few], weights
        ):
            return False
    return separates(rows.standard, rows.outcomes, rows.weights)


def _few(rows: Design) -> NDArray[np.intp]:
    """Return rows of every class, spread evenly, and those far out in a column."""
    found = []
    for own in rows.outcomes.T:
        mine = np.flatnonzero(own == 1.0)
        if len(mine) > _FIRST:
            far = np.abs(rows.standard[mine, :-1])
            farthest = np.argpartition(far, -_FARTHEST, axis=0)[-_FARTHEST:]
            even = np.linspace(0, len(mine) - 1, _FIRST).astype(np.intp)
            mine = mine[np.union1d(even, farthest)]
        found.append(mine)
    return np.concatenate(found)


def _by_one_column(rows: Design) -> str:
    """Return which rows a cut of one column tells apart, in words.

    Of cuts the one that leaves the fewest classes, and of these the most rows.
    """
    found = max(_cuts(rows), key=lambda cut: cut.rank, default=None)
    return "" if found is None else found.in_words(rows)


@dataclass(frozen=True, eq=False)
class _Cut:
    """Rows beyond a value of one column, whose classes lie all on that side."""

    column: int
    side: str
    value: float
    n: int
    seen: NDArray[np.bool_]

    @property
    def rank(self) -> tuple[int, int]:
        """What is told of: few classes, then many rows."""
        return -int(self.seen.sum()), self.n

    def in_words(self, rows: Design) -> str:
        """Return which rows they are, in the units of the column."""
        center, scale = (
            float(each[self.column])
            for each in (rows.columns.center, rows.columns.scale)
        )
        at = self.value * scale + center
        at = 0.0 if abs(at) <= _ROUNDING * (abs(center) + scale) else at
        classes = [c for c, seen in zip(rows.classes, self.seen, strict=True) if seen]
        which = "the 1 row" if self.n == 1 else f"all {self.n:,} rows"
        return (
            f"{which} with {rows.columns.names[self.column]!r} {self.side} {at:.6g} "
            f"{'is' if self.n == 1 else 'are'} of class "
            f"{' or '.join(map(repr, classes))}"
        )


def _cuts(rows: Design) -> Iterator[_Cut]:
    """Yield the cuts of each column on either side of which are other classes."""
    own = rows.outcomes == 1.0
    z = rows.standard[:, : len(rows.columns.names)]
    low, high = (np.array([of(z[each], axis=0) for each in own.T]) for of in _ENDS)
    for j, column in enumerate(z.T):
        order = np.lexsort((high[:, j], low[:, j]))
        below = np.maximum.accumulate(high[order, j])[:-1]
        above = low[order, j][1:]
        for at in np.flatnonzero(below <= above):
            yield from _beyond(rows, j, "above", below[at], column > below[at])
            yield from _beyond(rows, j, "below", above[at], column < above[at])


def _beyond(
    rows: Design, column: int, side: str, value: float, beyond: NDArray[np.bool_]
) -> Iterator[_Cut]:
    """Yield the cut if a row is beyond it."""
    if n := int(beyond.sum()):
        seen = np.asarray(rows.outcomes[beyond].any(axis=0))
        yield _Cut(column, side, float(value), n, seen)
