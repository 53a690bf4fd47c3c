"""Fits without one row, many at once, for the rows of which one step says too little.

They start from that step and keep the Hessian of the optimum less the row's own
curvature, so that all of them share one inverse and one product with the table.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semikd._validation import counted
from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.labels import FallBack
from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
from semikd.crossfit.shortcuts.logistic.newton_step import Optimum, optimum
from semikd.simplex import FloatArray

__all__ = ["refit"]

# Refits stop where their error is below this part of what leaving the row out changes.
_PRECISE = 1e-3
# What rounding leaves of scores.
_ROUNDING = 1e-13
# Steps of a fixed Hessian.
_STEPS = 25
# Rows that may need a Hessian of their own: in any table, and over the work of one.
_OWN, _SMALL = 32, 200_000_000
# Scores that refits hold at once.
_AT_ONCE = 2**21


def refit(
    data: Likelihood, best: Optimum, unit: Indices, chosen: Indices
) -> FloatArray:
    """Return how leaving out a row and its copies changes its own scores.

    Parameters
    ----------
    data : Likelihood
        Rows, outcomes and penalty.
    best : Optimum
        Its optimum, derivatives summed over copies of a row.
    unit : ndarray of int of shape (n,)
        Copies of a row share one.
    chosen : ndarray of int of shape (s,)
        Rows to leave out, each on its own.

    Returns
    -------
    ndarray of shape (s, m)
        To a thousandth of the change, as the Newton decrement bounds it.

    Raises
    ------
    FallBack
        If many rows do not settle, or the others have no optimum without one.

    Notes
    -----
    Rows for which a fixed Hessian does not settle, such as those of leverage near 1,
    get the optimum of the other rows by Newton's method.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
    >>> from semikd.crossfit.shortcuts.logistic.newton_step import optimum
    >>> from semikd.crossfit.shortcuts.logistic.refits import refit
    >>> X, codes = np.ones((4, 1)), np.array([0, 0, 1, 1])
    >>> data = Likelihood(X, 0.0, codes, np.ones(4), np.zeros(1), None)
    >>> best = optimum(data, np.zeros((1, 1)))
    >>> found = refit(data, best, np.arange(4), np.array([0]))
    >>> bool(np.isclose(found[0, 0], np.log(2), rtol=1e-3))
    True
    """
    size = max(1, _AT_ONCE // (len(unit) * (data.n_scores + 1)))
    parts = [
        _together(data, best, unit, chosen[start : start + size])
        for start in range(0, len(chosen), size)
    ]
    found = np.concatenate(parts)
    unsettled = np.flatnonzero(np.isnan(found).any(axis=1))
    if len(unsettled) > _OWN + _SMALL // (len(unit) * best.theta.size**2):
        raise FallBack(
            f"{counted(len(unsettled), 'row')} of {len(chosen):,} that were refitted "
            "change the teacher too much when they leave"
        )
    for place in unsettled:
        row = chosen[place]
        rest = replace(data, weight=np.where(unit == unit[row], 0.0, data.weight))
        scores = optimum(rest, best.theta).scores
        found[place] = scores[row] - best.scores[row]
    return found


def _together(
    data: Likelihood, best: Optimum, unit: Indices, chosen: Indices
) -> FloatArray:
    """Refit without each of a few rows, (s, m); NaN for those that do not settle."""
    left = _LeftOut.of(data, best, chosen)
    inside = data.mean(best.scores)
    change = left.solve(left.times(best.residual[chosen]))
    found = np.full((len(chosen), data.n_scores), np.nan)
    live, before = np.arange(len(chosen)), np.full(len(chosen), np.inf)
    for _ in range(_STEPS):
        gradient = data.penalty * change - left.times(best.residual[left.chosen])
        gradient += _pulled(data, best, inside, unit, left.chosen, change)
        step = left.solve(gradient)
        change = change - step
        own = left.own(change)
        decrement = np.maximum((gradient * step).sum(axis=(1, 2)), 0.0)
        # What is left is less than the step just taken while steps shrink by half.
        error = np.sqrt(left.reach * decrement)
        done = error <= _PRECISE * np.linalg.norm(own, axis=1) + _ROUNDING
        found[live[done]] = own[done]
        going = ~done & (error < before)
        live, change, before = live[going], change[going], error[going]
        left = left.only(going)
        if not len(live):
            break
    return found


@dataclass(frozen=True)
class _LeftOut:
    """Some rows, each taken out of the Hessian on its own; arrays are (s, ...)."""

    chosen: Indices
    x: FloatArray
    # The inverse Hessian of all rows, (m p, m p), and its product with each row.
    inverse: FloatArray
    across: FloatArray
    # (I - C A)^-1 C, and the trace of the leverage under the other rows' Hessian.
    back: FloatArray
    reach: FloatArray

    @classmethod
    def of(cls, data: Likelihood, best: Optimum, chosen: Indices) -> "_LeftOut":
        """Return what leaving out each of these rows needs."""
        x, (m, p) = data.rows(chosen), best.inverse.shape[:2]
        across = np.moveaxis(best.inverse @ x.T, -1, 0)
        A, C = np.einsum("sp,sapb->sab", x, across), best.curvature[chosen]
        kept = np.linalg.inv(np.eye(m) - C @ A)
        reach = np.trace(A @ kept, axis1=1, axis2=2)
        inverse = best.inverse.reshape(m * p, m * p)
        return cls(chosen, x, inverse, across, kept @ C, reach)

    def only(self, which: NDArray[np.bool_]) -> "_LeftOut":
        """Return some of these rows."""
        if which.all():
            return self
        return replace(
            self,
            chosen=self.chosen[which],
            x=self.x[which],
            across=self.across[which],
            back=self.back[which],
            reach=self.reach[which],
        )

    def times(self, residual: FloatArray) -> FloatArray:
        """Return each row times its residual, shape (s, m, p)."""
        return residual[:, :, None] * self.x[:, None]

    def own(self, change: FloatArray) -> FloatArray:
        """Return the change of each row's own scores, shape (s, m)."""
        return np.asarray((change @ self.x[:, :, None])[:, :, 0])

    def solve(self, gradient: FloatArray) -> FloatArray:
        """Return the other rows' inverse Hessian times each gradient, (s, m, p)."""
        plain = (gradient.reshape(len(self.x), -1) @ self.inverse).reshape(
            gradient.shape
        )
        # Woodbury's H^-1 + U (I - C A)^-1 C U', with U the product with the row.
        pushed = (self.back @ self.own(plain)[:, :, None])[:, :, 0]
        return np.asarray(plain + np.einsum("sapb,sb->sap", self.across, pushed))


def _pulled(
    data: Likelihood,
    best: Optimum,
    inside: FloatArray,
    unit: Indices,
    chosen: Indices,
    change: FloatArray,
) -> FloatArray:
    """Return what changed coefficients add to the gradient of other rows, (s, m, p)."""
    s, m, p = change.shape
    moved = data.scores(change.reshape(s * m, p).T).reshape(-1, s, m)
    moved += best.scores[:, None]
    surplus = data.mean(moved)
    surplus -= inside[:, None]
    surplus *= data.weight[:, None, None]
    if int(unit.max()) + 1 == len(unit):
        surplus[chosen, np.arange(s)] = 0.0
    else:
        for column, row in enumerate(chosen):
            surplus[unit == unit[row], column] = 0.0
    return data.pull(surplus.reshape(-1, s * m)).T.reshape(s, m, p)
