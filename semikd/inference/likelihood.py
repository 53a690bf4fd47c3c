"""Coefficients of the logistic model nearest to the Bayes probabilities in likelihood.

The Kullback-Leibler projection. It is linear in the unknown probabilities, so that
outcomes stand for them and no teacher is needed where every row has one.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._validation import FloatArray, Shown, invalid, message
from semikd.inference.coefficients import (
    Coefficients,
    coefficient_result,
    warn_of_no_width,
)
from semikd.inference.designs import Design, made_design
from semikd.inference.estimating import EstimatingEquation
from semikd.inference.fitted import class_scores
from semikd.losses import CrossEntropyLoss
from semikd.simplex import softmax
from semikd.students import LinearStudent

__all__ = [
    "likelihood_coefficients",
    "likelihood_equation",
    "most_likely",
    "nearest_model",
    "separates",
]

# Newton steps from where a solver stopped, and the step, of standard columns, below
# which the root is found.
_STEPS, _SMALL = 20, 1e-10


def likelihood_coefficients(
    X: Any,
    y: ArrayLike,
    *,
    reference: Any = None,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    covariance: str | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> Coefficients:
    r"""Infer the logistic model nearest to the Bayes probabilities in likelihood.

    .. math:: \theta = \operatorname*{argmin}_b
       E\bigl[w\, \mathrm{KL}(p_0(x) \,\|\, \operatorname{softmax}(b x))\bigr]

    On this scale the full correction is training on the outcomes, so that the teacher
    drops out: this *is* logistic regression, or multinomial, with the classical
    sandwich, which holds whether or not the model is true.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        The columns that the coefficients belong to.
    y : array-like of shape (n,)
        Class labels.
    reference : class label, optional
        The class that the log-odds are against; by default the first.
    fit_intercept : bool, default=True
        Whether a constant column is added.
    sample_weight : array-like of shape (n,), optional
        Sampling weights, in what is estimated and in its error.
    clusters : array-like of shape (n,) or (n, 2), optional
        Cluster of each row, such as a group or copies of one row, in one way or in two.
    covariance : {'HC0', 'HC1', 'HC2', 'HC3', 'CRV1', 'CRV3'}, optional
        By default HC3, and CRV3 with clusters.
    level : float, default=0.95
        Confidence level.
    random_state : int, generator or None
        Seed of the draws behind simultaneous intervals.

    Returns
    -------
    Coefficients
        Slopes and, last, the intercept; with three or more classes for each class but
        the reference.

    Raises
    ------
    ValueError, TypeError
        If the classes can be separated without error, columns depend on one another,
        there are too few rows or clusters, or a value cannot be used.

    Warns
    -----
    SemikdWarning
        If no row, or cluster, moves a coefficient, or there is one degree of freedom.

    References
    ----------
    .. [1] H. White, "Maximum likelihood estimation of misspecified models",
       Econometrica 50, 1982, Theorem 3.2.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from semikd.inference import likelihood_coefficients
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> found = likelihood_coefficients(X[["mean texture"]], y, random_state=0)
    >>> found.names
    ('mean texture', 'intercept')
    >>> found.estimate.round(2)
    array([-0.23,  5.13])
    """
    rows = made_design(
        X,
        y,
        reference=reference,
        fit_intercept=fit_intercept,
        sample_weight=sample_weight,
        clusters=clusters,
    )
    equation = most_likely(rows)
    found: Coefficients = coefficient_result(
        equation,
        rows,
        estimand=nearest_model(rows),
        conditions=(),
        covariance=covariance,
        level=level,
        random_state=random_state,
    )
    warn_of_no_width(found, rows, stacklevel=3)
    return found


def nearest_model(rows: Design) -> str:
    """Return what is estimated, in words."""
    return f"the logistic model of largest mean likelihood, {rows.log_odds}"


def most_likely(rows: Design) -> EstimatingEquation:
    """Return the scores of the likelihood at its maximum, of standard columns.

    Parameters
    ----------
    rows : Design
        Columns, outcomes and weights.

    Returns
    -------
    EstimatingEquation

    Raises
    ------
    ValueError
        If the columns separate the classes, so that no coefficient is finite.
    """
    return _polished(rows, _near_maximum(rows))


class _SeparatedError(ValueError):
    """Columns tell classes apart without error."""


def separates(rows: Design) -> bool:
    """Return whether columns tell a class from others without error."""
    try:
        _near_maximum(rows)
    except _SeparatedError:
        return True
    return False


def _near_maximum(rows: Design) -> FloatArray:
    """Return coefficients against the first class where a solver stops, (k - 1, p).

    Raises
    ------
    ValueError
        If the columns separate the classes, so that no coefficient is finite.
    """
    has_intercept = rows.columns.has_intercept
    X = rows.standard[:, :-1] if has_intercept else rows.standard
    student = LinearStudent(ridge=0.0, fit_intercept=has_intercept)
    try:
        student.fit_target(
            X, rows.outcomes, loss=CrossEntropyLoss(), sample_weight=rows.weights
        )
    except ValueError as error:
        if "minimum" not in str(error):
            raise
        constraint = "not be told apart by X without error: no coefficient is finite"
        remedy = "Use fewer columns, or score_test, which tests some of them even so"
        shown = Shown("classes that X separates")
        raise _SeparatedError(message("y", constraint, shown, remedy)) from error
    theta = student.coef_
    if has_intercept:
        theta = np.column_stack([theta, student.intercept_])
    return np.asarray(theta if len(theta) == 1 else theta[1:] - theta[:1])


def _polished(rows: Design, theta: FloatArray) -> EstimatingEquation:
    """Return the equation at its root, some Newton steps from where a solver ended."""
    for _ in range(_STEPS):
        equation = _at(rows, theta)
        step = equation.inverse @ equation.score.sum(axis=0)
        theta = theta + step.reshape(theta.shape)
        if np.abs(step).max() <= _SMALL * max(1.0, float(np.abs(theta).max())):
            return _at(rows, theta)
    shown = Shown(f"coefficients that still move by {np.abs(step).max():.2g}")
    remedy = "Use fewer columns: classes are all but separated"
    raise invalid("X", "determine the coefficients", shown, remedy)


def _at(rows: Design, theta: FloatArray) -> EstimatingEquation:
    """Return the scores of the rows of a design."""
    return likelihood_equation(rows.standard, rows.outcomes, rows.weights, theta)


def likelihood_equation(
    z: FloatArray,
    outcomes: FloatArray | None,
    weights: FloatArray | None,
    theta: FloatArray,
) -> EstimatingEquation:
    """Return the scores of the likelihood at some coefficients of standard columns.

    Parameters
    ----------
    z : ndarray of shape (n, p)
        Standard columns.
    outcomes : ndarray of shape (n, k) or None
        Indicators of the classes, the reference first; None where only the information
        is wanted.
    weights : ndarray of shape (n,) or None
        Sampling weights.
    theta : ndarray of shape (k - 1, p)
        The coefficients.

    Returns
    -------
    EstimatingEquation
    """
    p = softmax(class_scores(z, theta))[:, 1:]
    curvature = p[:, :, None] * (np.eye(len(theta)) - p[:, None, :])
    residual = np.zeros_like(p) if outcomes is None else outcomes[:, 1:] - p
    return EstimatingEquation(theta, z, residual, curvature, weights)
