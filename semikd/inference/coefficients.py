"""Coefficients and their scores become a result, which says what they mean of rows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.inference._inputs import checked_level
from semikd.inference.bootstrap import gaussian_draws
from semikd.inference.comparison import independence
from semikd.inference.designs import Design
from semikd.inference.estimating import EstimatingEquation
from semikd.inference.fitted import average_effects, fitted_probabilities
from semikd.inference.result import InferenceResult, IntervalClass
from semikd.inference.sandwiches import sandwich_of
from semikd.inference.student_law import StudentLaw

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Coefficients", "coefficient_result"]

# Of normal errors, for what holds together: the 95 % quantile to about 0.01.
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
    columns : tuple of str
        The columns; 'intercept', if there is one, is the last.

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
    columns: tuple[str, ...]

    def fitted(
        self, X: Any, level: float | None = None, kind: IntervalClass = "interval"
    ) -> "pd.DataFrame":
        """Return the probabilities that the coefficients give, with bands.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Rows, in the columns of the coefficients.
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
            If the columns are others, or the level or kind is none.
        """
        return fitted_probabilities(self, X, level, kind)

    def marginal_effects(
        self, X: Any, sample_weight: ArrayLike | None = None
    ) -> InferenceResult:
        r"""Return how much the fitted probability changes by a unit of each column.

        .. math:: \sum_i w_i\, \frac{\partial \pi_j(x_i)}{\partial x_{il}}
           \Big/ \sum_i w_i

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
            If the columns are others.
        """
        return average_effects(self, X, sample_weight)


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
    **more: Any,
) -> Any:
    """Return coefficients with their sandwich, and draws for what holds together.

    Parameters
    ----------
    equation : EstimatingEquation
        The coefficients, with the scores of all rows.
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
    **more
        What that kind holds besides.

    Returns
    -------
    Coefficients
        Of that kind.
    """
    checked_level(level)
    found, df = sandwich_of(equation, rows.clusters, covariance)
    sizes = np.ones(len(rows.rows)) if rows.weights is None else rows.weights
    independent = [
        independence(len(rows.rows), units, sizes, "rows")
        for units in rows.clusters or (None,)
    ]
    return form(
        names=rows.coefficient_names,
        classes=rows.classes,
        columns=rows.names,
        estimate=equation.estimate.ravel(),
        covariance=found,
        law=StudentLaw(np.array([df]), np.ones((equation.estimate.size, 1))),
        estimand=estimand,
        conditions=(*conditions, *independent),
        level=level,
        draws=gaussian_draws(_root(found), _N_DRAWS, random_state),
        **more,
    )


def _root(covariance: FloatArray) -> FloatArray:
    """Return R with R'R the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))).T)
