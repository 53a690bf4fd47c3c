"""Coefficients of the logistic model nearest to the Bayes probabilities in likelihood.

The Kullback-Leibler projection. It is linear in the unknown probabilities, so that
outcomes stand for them and no teacher is needed where every row has one.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState
from semikd._validation import FloatArray, Shown, invalid
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
    "all_but_separating",
    "likelihood_coefficients",
    "likelihood_equation",
    "most_likely",
    "nearest_model",
    "separates",
]

# Newton steps from where a solver stopped, and the step, of standard columns, below
# which the root is found.
_STEPS, _SMALL = 20, 1e-10
# A penalty that leaves separated classes finite scores, and hardly others.
_SLIGHT = 1e-4
_BY_SCORES = "Use fewer columns, or score_test, which tests some of them even so"


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


def most_likely(rows: Design, remedy: str = _BY_SCORES) -> EstimatingEquation:
    """Return the scores of the likelihood at its maximum, of standard columns.

    Parameters
    ----------
    rows : Design
        Columns, outcomes and weights.
    remedy : str, optional
        What to do where the columns separate the classes.

    Returns
    -------
    EstimatingEquation

    Raises
    ------
    ValueError
        If the columns separate the classes, so that no coefficient is finite.
    """
    start = _near_maximum(rows.standard, rows.outcomes, rows.weights)
    if start is None:
        constraint = "not be told apart by X without error: no coefficient is finite"
        raise invalid("y", constraint, Shown("classes that X separates"), remedy)
    return _polished(rows, start)


def separates(z: FloatArray, outcomes: FloatArray, weights: FloatArray | None) -> bool:
    """Return whether standard columns (n, p) tell a class from others without error."""
    return _near_maximum(z, outcomes, weights) is None


def all_but_separating(rows: Design) -> FloatArray:
    """Return coefficients that put rows right where any do by much, (k - 1, p)."""
    return _by_student(rows.standard, rows.outcomes, rows.weights, _SLIGHT)


def _near_maximum(
    z: FloatArray, outcomes: FloatArray, weights: FloatArray | None
) -> FloatArray | None:
    """Return coefficients where a solver stops, (k - 1, p), or None if separated."""
    try:
        return _by_student(z, outcomes, weights, 0.0)
    except ValueError as error:
        if "minimum" not in str(error):
            raise
        return None


def _by_student(
    z: FloatArray, outcomes: FloatArray, weights: FloatArray | None, ridge: float
) -> FloatArray:
    """Return coefficients against the first class, of all columns, (k - 1, p)."""
    # The constant column is among the standard ones, and has no penalty of its own.
    constant = bool((z[:, -1] == 1.0).all())
    student = LinearStudent(ridge=ridge, fit_intercept=constant)
    X = z[:, :-1] if constant else z
    student.fit_target(X, outcomes, loss=CrossEntropyLoss(), sample_weight=weights)
    theta = student.coef_
    if constant:
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
