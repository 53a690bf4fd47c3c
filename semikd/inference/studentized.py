"""Standard errors, bounds and tests of estimates: the numbers of a result, no words."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    choose,
    finite_array,
    invalid,
)
from semikd.inference._inputs import checked_level
from semikd.inference.influence import frozen
from semikd.inference.multiplicity import (
    ADJUSTMENTS,
    DIRECTIONS,
    Adjustment,
    Alternative,
    adjusted_p_values,
    adjusted_tail,
)
from semikd.inference.student_law import StudentLaw


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudentizedEstimates:
    """Estimates with the covariance and the law of their t ratios.

    Parameters
    ----------
    estimate : array of shape (d,)
        The estimates.
    covariance : array of shape (d, d)
        Covariance of the estimates.
    law : StudentLaw
        Law of estimate over standard error, one estimate at a time.
    level : float, default=0.95
        Confidence level used where none is given.
    draws : array of shape (n_draws, d), optional
        Bootstrap draws of the errors of the estimates, scaled to their standard errors.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import StudentLaw
    >>> from semikd.inference.studentized import StudentizedEstimates
    >>> law = StudentLaw(df=np.array([np.inf]), share=np.array([[1.0]]))
    >>> numbers = StudentizedEstimates(
    ...     estimate=np.array([1.0]), covariance=np.array([[0.25]]), law=law
    ... )
    >>> numbers.statistic()
    array([2.])
    """

    estimate: FloatArray
    covariance: FloatArray
    law: StudentLaw
    level: float = 0.95
    draws: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check the level and freeze the arrays."""
        checked_level(self.level)
        estimate = finite_array("estimate", self.estimate, shape=(None,))
        d = len(estimate)
        covariance = finite_array("covariance", self.covariance, shape=(d, d))
        if (np.diag(covariance) < 0).any():
            shown = Shown(f"{np.diag(covariance).min():g}")
            raise invalid("covariance", "have no negative variance", shown)
        check_shape("law.share", self.law.share, (d, None))
        object.__setattr__(self, "estimate", frozen(estimate))
        object.__setattr__(self, "covariance", frozen(covariance))
        if self.draws is not None:
            draws = finite_array("draws", self.draws, shape=(None, d))
            object.__setattr__(self, "draws", frozen(draws))

    @property
    def std_error(self) -> FloatArray:
        """Standard errors, shape (d,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def adjustment(self) -> Adjustment:
        """How simultaneous statements are adjusted: 'max-t' or 'bonferroni'."""
        return "bonferroni" if self.draws is None else "max-t"

    def upper_bound(
        self, level: float | None = None, adjust: Adjustment = "none"
    ) -> FloatArray:
        """Return one-sided upper confidence bounds, shape (d,).

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.
        adjust : {'none', 'max-t', 'bonferroni', 'holm'}, default='none'
            'none' for bounds that hold one at a time. Holm's steps have no simple
            bounds: those of 'bonferroni' stand in, which are never shorter.

        Returns
        -------
        array of shape (d,)
            Upper bounds.

        Raises
        ------
        ValueError
            If the level or the adjustment cannot be used.
        """
        # The error of an upper bound is a negative deviation of the estimate.
        return self._ends(level, adjust, sign=-1)[1]

    def lower_bound(
        self, level: float | None = None, adjust: Adjustment = "none"
    ) -> FloatArray:
        """Return one-sided lower confidence bounds, shape (d,).

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.
        adjust : {'none', 'max-t', 'bonferroni', 'holm'}, default='none'
            As of `upper_bound`.

        Returns
        -------
        array of shape (d,)
            Lower bounds.

        Raises
        ------
        ValueError
            If the level or the adjustment cannot be used.
        """
        return self._ends(level, adjust, sign=1)[0]

    def statistic(self, null: ArrayLike = 0.0) -> FloatArray:
        """Return (estimate - null) / standard error, shape (d,); 0 / 0 is 0.

        Parameters
        ----------
        null : float or array of shape (d,), default=0.0
            Value under the null hypothesis.

        Returns
        -------
        array of shape (d,)
            Ratios; infinite where there is a difference and no variance.
        """
        difference = self.estimate - np.asarray(null, dtype=np.float64)
        certain = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
        error = self.std_error
        return np.divide(difference, error, out=certain, where=error > 0)

    def p_values(
        self,
        null: ArrayLike = 0.0,
        *,
        alternative: Alternative = "two-sided",
        adjust: Adjustment = "none",
    ) -> FloatArray:
        """Return p-values of tests that each estimand equals the null, shape (d,).

        Parameters
        ----------
        null : float or array of shape (d,), default=0.0
            Value under the null hypothesis.
        alternative : {'two-sided', 'less', 'greater'}, default='two-sided'
            Direction of the alternative.
        adjust : {'none', 'max-t', 'bonferroni', 'holm'}, default='none'
            Family-wise adjustment over the d tests.

        Returns
        -------
        array of shape (d,)
            The p-values; those of 'max-t' are never below 1 / (n_draws + 1).

        Raises
        ------
        ValueError
            If a name is unknown, or max-T is asked of a result without draws.
        """
        sign = choose("alternative", alternative, DIRECTIONS)
        choose("adjust", adjust, ADJUSTMENTS)
        scores = self.law.normal_scores(self.statistic(null))
        draws = self._scores() if adjust == "max-t" else None
        return adjusted_p_values(scores, draws, sign=sign, adjust=adjust)

    def _ends(
        self, level: float | None, adjust: str, *, sign: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return the lower and the upper ends of the intervals, each of shape (d,)."""
        half = self._critical(level, adjust, sign=sign) * self.std_error
        return self.estimate - half, self.estimate + half

    def _critical(self, level: float | None, adjust: str, *, sign: int) -> FloatArray:
        """Return how many standard errors an interval reaches, shape (d,)."""
        used = checked_level(self.level if level is None else level)
        choose("adjust", adjust, ADJUSTMENTS)
        draws = self._scores() if adjust == "max-t" else None
        tail = adjusted_tail(used, len(self.estimate), draws, sign=sign, adjust=adjust)
        return self.law.critical(tail)

    def _scores(self) -> FloatArray:
        """Return draws in standard errors, shape (n_draws, d)."""
        if self.draws is None:
            remedy = "Use 'bonferroni' or 'holm', or draw with n_draws"
            raise invalid(
                "adjust", "fit the result", Shown("'max-t' without draws"), remedy
            )
        error = self.std_error
        zeros = np.zeros_like(self.draws)
        return np.divide(self.draws, error, out=zeros, where=error > 0)
