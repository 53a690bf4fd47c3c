"""The one form of a result: what was estimated, how well, and under which conditions.

Notes
-----
Coefficients, risks and comparisons differ in how their covariance comes about and are
the same from there on: `studentized` holds the numbers, this module the words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from semikd._validation import FloatArray, Shown, choose, invalid
from semikd.inference._inputs import checked_names
from semikd.inference.hypotheses import (
    HypothesisTest,
    asked,
    contrasts,
    matrix_of,
    wald,
)
from semikd.inference.multiplicity import Adjustment
from semikd.inference.rendering import as_frame, as_html, as_latex, as_text
from semikd.inference.studentized import StudentizedEstimates

if TYPE_CHECKING:
    import pandas as pd

IntervalClass = Literal["interval", "bound", "simultaneous"]

_KINDS = {kind: kind for kind in ("interval", "bound", "simultaneous")}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InferenceResult(StudentizedEstimates):
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
    estimand: str
    conditions: tuple[str, ...]
    interval_class: IntervalClass = "interval"

    def __post_init__(self) -> None:
        """Check the class of the intervals, and freeze the numbers."""
        super().__post_init__()
        if len(self.names) != len(self.estimate):
            shown = Shown(f"{len(self.names)} for {len(self.estimate)}")
            raise invalid("names", "name every estimate", shown)
        choose("interval_class", self.interval_class, _KINDS)

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
        return np.column_stack(self._ends(level, adjust, sign=0))

    def contrast(
        self, combinations: ArrayLike, names: Sequence[str]
    ) -> "InferenceResult":
        r"""Return linear combinations of the estimates, as estimates of their own.

        Parameters
        ----------
        combinations : array of shape (q, d)
            R, of which the result has :math:`R\hat\theta` with covariance
            :math:`R \Sigma R^\top`.
        names : sequence of str
            Name of each of the q combinations.

        Returns
        -------
        InferenceResult

        Raises
        ------
        ValueError
            If shapes do not fit, or the variance has several parts.
        """
        basis, matrix = self._in_basis(matrix_of(self, combinations))
        estimate, covariance, law, draws = contrasts(basis, matrix)
        return InferenceResult(
            names=checked_names(names, len(estimate)),
            estimate=estimate,
            covariance=covariance,
            law=law,
            estimand=f"linear combinations of: {self.estimand}",
            conditions=self.conditions,
            level=self.level,
            interval_class=self.interval_class,
            draws=draws,
        )

    def wald_test(
        self, combinations: ArrayLike | Sequence[str], value: ArrayLike = 0.0
    ) -> HypothesisTest:
        r"""Test that some estimands, or linear combinations of them, have given values.

        .. math:: F = \frac1q (R\hat\theta - v)^\top (R \Sigma R^\top)^{-1}
           (R\hat\theta - v)

        Parameters
        ----------
        combinations : sequence of str or array of shape (q, d)
            Names of estimates, or R.
        value : float or array of shape (q,), default=0.0
            v.

        Returns
        -------
        HypothesisTest
            By Fisher's law with q and the degrees of freedom of the result.

        Raises
        ------
        ValueError
            If a name is unknown, combinations depend on one another, or the variance
            has several parts.
        """
        given = matrix_of(self, combinations)
        basis, matrix = self._in_basis(given)
        test = wald(basis, matrix, value)
        return replace(test, estimand=asked(self, given, value))

    def to_frame(self, level: float | None = None) -> "pd.DataFrame":
        """Return one row for each estimate, as a data frame.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.

        Returns
        -------
        pandas.DataFrame
            Estimate, standard error, intervals (alone and simultaneous) or bounds, and
            p-values of 0 (alone and adjusted) where that is worth a test.
        """
        return as_frame(self, level)

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
        return as_text(self, level)

    def to_html(self, level: float | None = None) -> str:
        """Return the estimand, the conditions and the table as a piece of HTML.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.

        Returns
        -------
        str
            Words escaped, without style.
        """
        return as_html(self, level)

    def to_latex(self, level: float | None = None) -> str:
        """Return the table as LaTeX (package booktabs), the words in its caption.

        Parameters
        ----------
        level : float, optional
            Confidence level; default the level of the result.

        Returns
        -------
        str
            Several lines.
        """
        return as_latex(self, level)

    def _in_basis(self, matrix: FloatArray) -> "tuple[InferenceResult, FloatArray]":
        """Return combinations (q, d) with the result that they are computed of."""
        return self, matrix

    @property
    def _has_null(self) -> bool:
        """Whether 0 is worth a test."""
        return True

    def _notes(self) -> tuple[str, ...]:
        """Return the sentences that stand below the table."""
        return ()

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return self.to_html()

    def __repr__(self) -> str:
        """Return the estimates in one line."""
        pairs = zip(self.names, self.estimate, self.std_error, strict=True)
        shown = ", ".join(
            f"{name}: {value:.4g} ({se:.2g})" for name, value, se in pairs
        )
        return f"{type(self).__name__}({shown})"
