"""Coefficients and their scores become a result, which says what they mean of rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.inference._inputs import checked_level
from semikd.inference.bootstrap import normal_draws
from semikd.inference.columns import Columns
from semikd.inference.designs import Design
from semikd.inference.estimating import EstimatingEquation
from semikd.inference.fitted import average_effects, fitted_probabilities
from semikd.inference.result import InferenceResult
from semikd.inference.sandwiches import sandwich_of
from semikd.inference.student_law import StudentLaw
from semikd.inference.units import (
    ROUNDING,
    independence,
    left_out_in_words,
    warn_of_spread,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Coefficients",
    "coefficient_result",
    "coefficients_of",
    "rows_in_words",
    "warn_of_no_width",
]

# Of normal errors, for what holds together.
_N_DRAWS = 10_000


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Coefficients(InferenceResult):
    """Coefficients of log-odds against a reference class.

    Everything of `InferenceResult`; `names` are the columns, class by class where there
    are more than two.

    Parameters
    ----------
    classes : tuple
        The class labels, the reference first.
    columns : Columns
        The columns, and what makes them standard.
    inner : InferenceResult
        The same for columns of mean 0 and deviation 1: what is computed further is
        computed of these, where no digit is lost.

    See Also
    --------
    log_odds_coefficients : Nearest to the Bayes log-odds.
    likelihood_coefficients : Of the largest likelihood.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import likelihood_coefficients
    >>> X, y = np.arange(8.0)[:, None], np.array([0, 1, 0, 0, 1, 0, 1, 1])
    >>> found = likelihood_coefficients(X, y, random_state=0)
    >>> found.fitted([[3.5]])["probability"].round(2).tolist()
    [0.5]
    """

    classes: tuple[Any, ...]
    columns: Columns
    inner: InferenceResult

    def fitted(
        self, X: Any, level: float | None = None, kind: str = "interval"
    ) -> "pd.DataFrame":
        """Return the probabilities that the coefficients give, with bands.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows, in the columns of the coefficients; of a frame these are taken by
            name.
        level : float, optional
            Confidence level; default the level of the result.
        kind : {'interval', 'simultaneous'}, default='interval'
            Bands row by row, or that hold for all of these rows together (class by
            class).

        Returns
        -------
        pandas.DataFrame
            Columns ``class``, ``probability``, ``lower``, ``upper``: of two classes the
            second, of more each in turn. Bands are symmetric in log-odds.

        Raises
        ------
        ValueError
            If the columns are others, there is no row, or the level or kind is none.
        """
        return fitted_probabilities(self, X, level, kind)

    def marginal_effects(
        self, X: Any, sample_weight: ArrayLike | None = None
    ) -> InferenceResult:
        r"""Return how much the fitted probability changes by a unit of each column.

        .. math:: \frac{\sum_i w_i\, \partial \pi_j(x_i) / \partial x_{il}}{\sum_i w_i}

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            The rows that are averaged over, which count as fixed.
        sample_weight : array-like of shape (n,), optional
            Their weights.

        Returns
        -------
        InferenceResult
            One estimate for each column, class by class where there are more than two.

        Raises
        ------
        ValueError
            If the columns are others, or there is no row.
        """
        return average_effects(self, X, sample_weight)

    def _in_basis(self, matrix: FloatArray) -> tuple[InferenceResult, FloatArray]:
        """Return combinations of coefficients as those of standard columns."""
        units = np.kron(np.eye(len(self.classes) - 1), self.columns.to_units())
        return self.inner, matrix @ units


def coefficient_result(
    equation: EstimatingEquation,
    rows: Design,
    *,
    estimand: str,
    conditions: tuple[str, ...],
    covariance: str | None,
    level: float,
    random_state: RandomState,
    form: type[Coefficients] = Coefficients,
    largest: float = 1.0,
) -> Any:
    """Return coefficients with their sandwich, and draws for what holds together.

    Parameters
    ----------
    equation : EstimatingEquation
        The coefficients of standard columns, with the scores of all rows.
    rows : Design
        The rows, with names, weights and clusters.
    estimand : str
        What is estimated, in words.
    conditions : tuple of str
        What must hold, besides independent rows or clusters.
    covariance : str or None
        Kind of the sandwich.
    level : float
        Confidence level.
    random_state : int, generator or None
        Seed of the draws.
    form : type, default=Coefficients
        The kind of result.
    largest : float, default=1.0
        Of the numbers that residuals were computed from, the largest.

    Returns
    -------
    Coefficients
        Of that kind; without variance where no row, or cluster, moves a coefficient,
        and 0 there where it is rounding.
    """
    found, df = sandwich_of(equation, rows.clusters, covariance, largest=largest)
    theta = equation.estimate
    alike = np.diag(found).reshape(theta.shape) == 0.0
    rounding = ROUNDING * largest * equation.reach()[1].reshape(theta.shape)
    return coefficients_of(
        np.where(alike & (np.abs(theta) <= rounding), 0.0, theta),
        found,
        df,
        rows,
        form,
        estimand=estimand,
        conditions=(*conditions, *rows_in_words(rows)),
        level=level,
        random_state=random_state,
    )


def coefficients_of(
    theta: FloatArray,
    covariance: FloatArray,
    df: float | FloatArray,
    rows: Design,
    form: Callable[..., Any],
    *,
    estimand: str,
    conditions: tuple[str, ...],
    level: float,
    random_state: RandomState,
) -> Any:
    """Return coefficients of standard columns in the user's units, with draws.

    Parameters
    ----------
    theta : ndarray of shape (k - 1, p)
        The coefficients of standard columns.
    covariance : ndarray of shape (d, d)
        Their covariance.
    df : float or ndarray of shape (d,)
        Degrees of freedom of Student's law.
    rows : Design
        The rows, with names and columns.
    form : callable
        The kind of result.
    estimand : str
        What is estimated, in words.
    conditions : tuple of str
        What must hold.
    level : float
        Confidence level.
    random_state : int, generator or None
        Seed of the draws.

    Returns
    -------
    Coefficients
        Of that kind.
    """
    names = rows.coefficient_names
    law = StudentLaw.of_each(np.broadcast_to(df, len(names)))
    common: dict[str, Any] = {
        "names": names,
        "law": law,
        "estimand": estimand,
        "conditions": conditions,
        "level": checked_level(level),
    }
    draws = normal_draws(covariance, _N_DRAWS, random_state)
    units = np.kron(np.eye(len(theta)), rows.columns.to_units())
    return form(
        estimate=units @ theta.ravel(),
        covariance=units @ covariance @ units.T,
        draws=draws @ units.T,
        classes=rows.classes,
        columns=rows.columns,
        inner=InferenceResult(
            estimate=theta.ravel(), covariance=covariance, draws=draws, **common
        ),
        **common,
    )


def warn_of_no_width(found: Coefficients, rows: Design, *, stacklevel: int) -> None:
    """Warn of coefficients that no row, or cluster, moves, or a single difference does.

    Parameters
    ----------
    found : Coefficients
        The coefficients.
    rows : Design
        Their rows.
    stacklevel : int
        Of the warning, seen from here.

    Warns
    -----
    SemikdWarning
        One line for each of the two.
    """
    warn_of_spread(
        found.names,
        found.std_error == 0.0,
        found.law.df,
        clusters=bool(rows.clusters),
        stacklevel=stacklevel + 1,
    )


def rows_in_words(rows: Design) -> list[str]:
    """Return which rows are meant, and what must be independent."""
    n = len(rows.rows)
    ways = rows.clusters or (None,)
    said = [independence(n, units, rows.weights, "rows") for units in ways]
    return [*said, *left_out_in_words(rows.left_out)]
