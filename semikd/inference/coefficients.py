"""From coefficients and their scores to a result."""

from typing import Any

import numpy as np

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.inference._inputs import checked_level
from semikd.inference.bootstrap import gaussian_draws
from semikd.inference.comparison import independence
from semikd.inference.designs import Design
from semikd.inference.estimating import EstimatingEquation
from semikd.inference.result import InferenceResult
from semikd.inference.sandwiches import sandwich_of
from semikd.inference.student_law import StudentLaw

__all__ = ["coefficient_result"]

# Of normal errors, for what holds together: the 95 % quantile to about 0.01.
_N_DRAWS = 10_000


def coefficient_result(
    equation: EstimatingEquation,
    rows: Design,
    *,
    estimand: str,
    conditions: tuple[str, ...],
    covariance: str | None,
    level: float,
    random_state: RandomState,
    form: type[InferenceResult] = InferenceResult,
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
    form : type, default=InferenceResult
        The kind of result.
    **more
        What that kind holds besides.

    Returns
    -------
    InferenceResult
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
