"""What a first-order correction of the log-odds leaves, seen by a second teacher.

Notes
-----
The corrected target errs by a term of the second order in the teacher's error. Targets
of two teachers estimate the same log-odds, so that their difference is the one's term
less the other's: where one teacher is much the better, that is the bias of the other.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semikd._validation import FloatArray
from semikd.exceptions import SemikdWarning
from semikd.inference.coefficients import Coefficients
from semikd.inference.result import InferenceResult

__all__ = ["LogOddsCoefficients", "warn_of_remainder"]

# Biases, in standard errors of the coefficient, from which an interval is in doubt: at
# half of one a nominal 95 % interval covers 92 %.
_DOUBTFUL = 0.5
# How sure a difference must be, among all of them.
_SURE = 0.05
# Coefficients that a warning names.
_NAMED = 5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LogOddsCoefficients(Coefficients):
    """Coefficients of log-odds, and what a second teacher says of their bias.

    Everything of `Coefficients`.

    Parameters
    ----------
    remainder : InferenceResult or None
        The coefficients less those of the second teacher: their bias, if that one has
        none, and the other's with its sign changed, if the first has none. None without
        a second teacher.
    by_second : InferenceResult or None
        The coefficients by the labels of the second teacher.
    breakdown : ndarray of shape (d,) or None
        By how much labels would have to be off in log-odds, of any two classes, in
        every row and in the worst way, before the interval reaches 0 by their bias; 0
        where it does already.

    See Also
    --------
    log_odds_coefficients : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.inference import log_odds_coefficients
    >>> X, y = np.arange(8.0)[:, None], np.array([0, 1, 0, 1, 0, 1, 1, 1])
    >>> labels = external_labels(X, np.full(8, 0.6), classes=[0, 1])
    >>> log_odds_coefficients(labels, X, y).remainder is None
    True
    """

    remainder: InferenceResult | None = None
    by_second: InferenceResult | None = None
    breakdown: FloatArray | None = None

    def in_errors(self) -> FloatArray:
        """Return the remainder in standard errors of the coefficients, shape (d,)."""
        if self.remainder is None:
            return np.full(len(self.estimate), np.nan)
        error, unknown = self.std_error, np.full(len(self.estimate), np.nan)
        # Of no error there are none: that it is 0 is warned of by itself.
        ratio = np.divide(self.remainder.estimate, error, out=unknown, where=error > 0)
        return np.asarray(ratio)

    def _notes(self) -> tuple[str, ...]:
        """Return how far the teachers disagree, and how wrong they may be."""
        return (*self._of_remainder(), *self._of_breakdown())

    def _of_remainder(self) -> tuple[str, ...]:
        """Return how far the teachers disagree."""
        if self.remainder is None:
            return ("Bias of second order: not estimated (no second teacher).",)
        pairs = zip(self.names, self.remainder.estimate, self.in_errors(), strict=True)
        shown = ", ".join(f"{name} {bias:+.3g} ({r:+.2f})" for name, bias, r in pairs)
        head = "Less those of the second teacher (in standard errors)"
        return (f"{head}: {shown}.",)

    def _of_breakdown(self) -> tuple[str, ...]:
        """Return how wrong labels must be before intervals reach 0."""
        if self.breakdown is None or not self.breakdown.any():
            return ()
        shown = ", ".join(
            f"{name} {error:.2f}"
            for name, error in zip(self.names, self.breakdown, strict=True)
            if error > 0
        )
        head = "Labels must be off by so much in log-odds, all in the worst way, for"
        return (f"{head} the interval to reach 0: {shown}.",)


def warn_of_remainder(found: LogOddsCoefficients, log_losses: Sequence[float]) -> None:
    """Warn where teachers disagree by so much that one of them must be biased."""
    if found.remainder is None:
        return
    ratio = np.abs(found.in_errors())
    sure = found.remainder.p_values(adjust="holm") < _SURE
    doubtful = np.flatnonzero((ratio > _DOUBTFUL) & sure)
    if not len(doubtful):
        return
    listed = ", ".join(f"{found.names[j]} {ratio[j]:.1f}" for j in doubtful[:_NAMED])
    more = len(doubtful) - _NAMED
    warnings.warn(
        f"Intervals of {len(doubtful)} of {len(ratio)} coefficients may not cover: the "
        f"teachers disagree by so many standard errors: {listed}"
        f"{f' and {more} more' if more > 0 else ''}. Believe the better one: on these "
        f"rows the log-loss of the first is {log_losses[0]:.4g}, that of the second "
        f"(by_second) {log_losses[1]:.4g}.",
        SemikdWarning,
        stacklevel=4,
    )
