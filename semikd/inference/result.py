"""The one form of a result: what was estimated, how well, and under which conditions.

Notes
-----
Coefficients, risks and comparisons differ in how their covariance comes about and are
the same from there on: every interval, p-value and table is computed here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from semikd._validation import FloatArray, Shown, choose, invalid
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

if TYPE_CHECKING:
    import pandas as pd

IntervalClass = Literal["interval", "bound", "simultaneous"]

_KINDS = {kind: kind for kind in ("interval", "bound", "simultaneous")}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InferenceResult:
    """Estimates with covariance, reference law, and the estimand in words.

    Parameters
    ----------
    names : tuple of str
        Name of each of the d estimates.
    estimate : array of shape (d,)
        The estimates.
    covariance : array of shape (d, d)
        Covariance of the estimates.
    law : StudentLaw
        Law of estimate over standard error, one estimate at a time.
    estimand : str
        What the estimates estimate, in words.
    conditions : tuple of str
        What must hold for the intervals to cover.
    level : float, default=0.95
        Confidence level used where none is given.
    interval_class : {'interval', 'bound', 'simultaneous'}, default='interval'
        What `conf_int` returns where no kind is given: two-sided intervals one at a
        time, one-sided upper bounds one at a time, or two-sided intervals that hold
        together.
    draws : array of shape (n_draws, d), optional
        Bootstrap draws of the errors of the estimates, scaled to their standard errors.
        With draws simultaneous statements use max-T, without them Bonferroni.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import InferenceResult, StudentLaw
    >>> result = InferenceResult(
    ...     names=("slope",),
    ...     estimate=np.array([1.0]),
    ...     covariance=np.array([[0.04]]),
    ...     law=StudentLaw(df=[np.inf], share=[[1.0]]),
    ...     estimand="slope of a line",
    ...     conditions=("rows are independent",),
    ... )
    >>> result.conf_int().round(3)
    array([[0.608, 1.392]])
    """

    names: tuple[str, ...]
    estimate: FloatArray
    covariance: FloatArray
    law: StudentLaw
    estimand: str
    conditions: tuple[str, ...]
    level: float = 0.95
    interval_class: IntervalClass = "interval"
    draws: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check the level and freeze the arrays."""
        checked_level(self.level)
        choose("interval_class", self.interval_class, _KINDS)
        for name in ("estimate", "covariance", "draws"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, frozen(value))

    @property
    def std_error(self) -> FloatArray:
        """Standard errors, shape (d,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def adjustment(self) -> Adjustment:
        """How simultaneous statements are adjusted: 'max-t' or 'bonferroni'."""
        return "bonferroni" if self.draws is None else "max-t"

    def conf_int(
        self, level: float | None = None, kind: IntervalClass | None = None
    ) -> FloatArray:
        """Return the intervals, shape (d, 2).

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.
        kind : {'interval', 'bound', 'simultaneous'}, optional
            Default the class of the result. The lower end of a bound is -inf.

        Returns
        -------
        array of shape (d, 2)
            Lower and upper ends. An estimate without any variance is its own interval.

        Raises
        ------
        ValueError
            If the level or the kind is none.
        """
        chosen = choose("kind", kind or self.interval_class, _KINDS)
        if chosen == "bound":
            upper = self.upper_bound(level)
            return np.column_stack([np.full_like(upper, -np.inf), upper])
        adjust: Adjustment = "none" if chosen == "interval" else self.adjustment
        half = self._half_width(level, adjust, two_sided=True)
        return np.column_stack([self.estimate - half, self.estimate + half])

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
        return np.asarray(
            self.estimate + self._half_width(level, adjust, two_sided=False)
        )

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
            p-values. Those of 'max-t' are never below 1 / (n_draws + 1).

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

    def to_frame(self, level: float | None = None) -> "pd.DataFrame":
        """Return one row for each estimate, as a data frame.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.

        Returns
        -------
        pandas.DataFrame
            Estimate, standard error, intervals (alone and simultaneous), p-values
            (alone and adjusted).
        """
        import pandas as pd

        alone = self.conf_int(level, "interval")
        together = self.conf_int(level, "simultaneous")
        columns = {
            "estimate": self.estimate,
            "std_error": self.std_error,
            "lower": alone[:, 0],
            "upper": alone[:, 1],
            "lower_simultaneous": together[:, 0],
            "upper_simultaneous": together[:, 1],
            "p_value": self.p_values(),
            "p_adjusted": self.p_values(adjust=self.adjustment),
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="name"))

    def summary(self, level: float | None = None) -> str:
        """Return the estimand, the conditions and the table as text.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.

        Returns
        -------
        str
            Several lines.
        """
        used = checked_level(self.level if level is None else level)
        lines = [
            f"Estimand: {self.estimand}.",
            f"{100 * used:g} % intervals, alone and together ({self.adjustment}), if",
            *(f"  - {condition}" for condition in self.conditions),
            self.to_frame(used).to_string(float_format=lambda x: f"{x:.4g}"),
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        """Return the estimates in one line."""
        pairs = zip(self.names, self.estimate, self.std_error, strict=True)
        shown = ", ".join(
            f"{name}: {value:.4g} ({se:.2g})" for name, value, se in pairs
        )
        return f"{type(self).__name__}({shown})"

    def _half_width(
        self, level: float | None, adjust: str, *, two_sided: bool
    ) -> FloatArray:
        """Return the distance from estimate to the end of the interval, shape (d,)."""
        used = checked_level(self.level if level is None else level)
        choose("adjust", adjust, ADJUSTMENTS)
        # The error of an upper bound is a negative deviation of the estimate.
        sign = 0 if two_sided else -1
        draws = self._scores() if adjust == "max-t" else None
        tail = adjusted_tail(used, len(self.names), draws, sign=sign, adjust=adjust)
        return np.asarray(self.law.critical(tail) * self.std_error)

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
