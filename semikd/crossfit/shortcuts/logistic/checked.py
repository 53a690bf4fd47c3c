"""How far off one Newton step is, row by row, and what is done where it is too far.

Some rows are refitted. The error of the step grows with its length, since the third
derivative is what it neglects, so that they speak for all rows.
"""

from dataclasses import dataclass

import numpy as np

from semikd._validation import counted
from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.labels import FallBack
from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
from semikd.crossfit.shortcuts.logistic.newton_step import Optimum, one_step
from semikd.crossfit.shortcuts.logistic.refits import refit
from semikd.crossfit.shortcuts.logistic.second_order import second_order
from semikd.simplex import FloatArray

__all__ = ["checked_step"]

# A label may be off by 1 % of what leaving its row out changes: this part is granted to
# a Hessian that is not quite that of the optimum, and this part grows with the step.
_CONSTANT, _GROWING = 0.003, 0.004
# Share of rows that are expected to be beyond that.
_BEYOND = 0.005
# Tables of so few distinct rows are cheap enough to refit without each of them.
_FEW = 300
# Refits that cost about as much as fitting the teacher on folds: in any table, and in
# all as many rows as this over the number of rows.
_REFITS, _SMALL = 64, 500_000
# Rows that may get the second term, for each that may be refitted.
_SECOND = 64
# Smaller changes in probability are not told from rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class _Ranked:
    """Distinct rows, those of the longest step first.

    Parameters
    ----------
    rows : ndarray of int of shape (u,)
        One row of each distinct one.
    length : ndarray of shape (u,)
        Largest change of a score in one step.
    """

    rows: Indices
    length: FloatArray

    @classmethod
    def of(cls, step: FloatArray, unit: Indices) -> "_Ranked":
        """Return the rows in the order of their steps."""
        rows = np.arange(len(unit))
        if int(unit.max()) + 1 < len(unit):
            rows = np.unique(unit, return_index=True)[1]
        length = np.abs(step[rows]).max(axis=1)
        order = np.argsort(-length)
        return cls(rows[order], length[order])

    @property
    def checked(self) -> Indices:
        """Ranks of the rows that are refitted to learn the error of one step."""
        n = len(self.rows)
        if n <= _FEW:
            return np.arange(n)
        most = min(24, max(8, 160_000 // n))
        return np.unique(np.geomspace(1, n, most).astype(np.intp)) - 1

    def rough(self, error: FloatArray, order: int, *, worst: bool = False) -> int:
        """Return how many rows, from the first, need more than a step of that order.

        Of the rows after them, few are expected to be beyond the tolerance if errors
        grow with a power of the step as those of the checked rows do, or as the worst
        of those with steps of about that length.
        """
        length = np.maximum(self.length, _ROUNDING) ** order
        rates = np.maximum(error - _CONSTANT, 0.0) / length[self.checked]
        if worst:
            beyond = self._worst_nearby(rates) * length > _GROWING
        else:
            beyond = np.zeros(len(length))
            for rate in rates:
                beyond += (rate * length > _GROWING) / len(rates)
        after = np.cumsum(beyond[::-1])[::-1]
        return int(np.count_nonzero(after > _BEYOND * len(length)))

    def _worst_nearby(self, rates: FloatArray) -> FloatArray:
        """Return for each row the largest rate of the checked rows around its rank.

        A row like no other, such as the only one of a category, speaks for few.
        """
        above = np.searchsorted(self.checked, np.arange(len(self.rows)))
        around = above[:, None] + np.arange(-2, 2)
        return np.asarray(rates[around.clip(0, len(rates) - 1)].max(axis=1))


def checked_step(
    data: Likelihood, best: Optimum, unit: Indices
) -> tuple[FloatArray, str]:
    """Return how leaving out each row and its copies changes its scores.

    Rows from the longest step to the shortest, in geometric ranks, are refitted; they
    tell the error of one step, and of two terms, and so what every other row needs. Up
    to 300 distinct rows are all refitted.

    Parameters
    ----------
    data : Likelihood
        Rows, outcomes and penalty.
    best : Optimum
        Its optimum, derivatives summed over copies of a row.
    unit : ndarray of int of shape (n,)
        Copies of a row share one; numbered from 0.

    Returns
    -------
    step : ndarray of shape (n, m)
    note : str
        How it was found, as one clause.

    Raises
    ------
    FallBack
        If more rows need a refit than folds would cost.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.checked import checked_step
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import optimum
    >>> X, codes = np.ones((4, 1)), np.array([0, 0, 1, 1])
    >>> data = Likelihood(X, 0.0, codes, np.ones(4), np.zeros(1), None)
    >>> step, _ = checked_step(data, optimum(data, np.zeros((1, 1))), np.arange(4))
    >>> bool(np.allclose(np.abs(step), np.log(2), rtol=1e-3))
    True
    """
    step = one_step(data, best)
    ranked = _Ranked.of(step, unit)
    affordable = _REFITS + _SMALL // len(ranked.rows)
    checked = ranked.rows[ranked.checked]
    exact = refit(data, best, unit, checked)
    error = first = _error(data, best, checked, step, exact)
    # The second term is cheap: rows get it before they are likely to need it.
    rough = ranked.rough(error, 1, worst=data.n_scores == 1)
    if rough and data.n_scores == 1 and len(checked) < len(ranked.rows):
        _afford(rough, _SECOND * affordable, ranked)
        some = np.union1d(ranked.rows[:rough], checked)
        step[some] += second_order(data, best, unit, some)
        error = _error(data, best, checked, step, exact)
        rough = min(rough, ranked.rough(error, 2))
    more = np.setdiff1d(ranked.rows[:rough], checked)
    _afford(len(more), affordable, ranked)
    step[checked] = exact
    if len(more):
        step[more] = refit(data, best, unit, more)
    if len(ranked.rows) < len(unit):
        step = step[ranked.rows[np.argsort(unit[ranked.rows])]][unit]
    note = (
        f"one Newton step a row, {counted(len(checked) + len(more), 'row')} refitted; "
        f"one step was off by up to {100 * first.max():.2g} % of the change on "
        f"{len(checked)} of them"
    )
    return step, note


def _afford(rough: int, affordable: int, ranked: _Ranked) -> None:
    """Refuse more work than fitting the teacher on folds would be."""
    if rough > affordable:
        raise FallBack(
            f"one Newton step is too rough for {rough:,} of {len(ranked.rows):,} rows"
        )


def _error(
    data: Likelihood,
    best: Optimum,
    rows: Indices,
    step: FloatArray,
    exact: FloatArray,
) -> FloatArray:
    """Return the error of steps as a part of the change without a row, (s,)."""
    scores = best.scores[rows]
    goal = data.probabilities(scores + exact)
    error = np.abs(data.probabilities(scores + step[rows]) - goal).max(axis=1)
    change = np.abs(data.probabilities(scores) - goal).max(axis=1)
    return np.asarray(error / np.maximum(change, _ROUNDING))
