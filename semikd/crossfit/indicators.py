"""How a least-squares fit of class indicators becomes class probabilities.

The mean of an indicator given the covariates *is* the class probability, so a
regression of indicators estimates it directly; all that may be wrong with its shape is
that it leaves the simplex.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV
from sklearn.pipeline import Pipeline

from semikd.simplex import FloatArray, project

__all__ = ["fits_indicators", "indicator_probabilities"]


def fits_indicators(teacher: Any) -> bool:
    """Return whether a teacher's decision values are fits of indicators of -1 and 1.

    Examples
    --------
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from semikd.crossfit.indicators import fits_indicators
    >>> fits_indicators(RidgeClassifier())
    True
    """
    while isinstance(teacher, Pipeline):
        teacher = teacher.steps[-1][1]
    return isinstance(teacher, RidgeClassifier | RidgeClassifierCV)


def indicator_probabilities(fit: ArrayLike, *, signed: bool = False) -> FloatArray:
    r"""Return the probability rows nearest to fits of class indicators.

    .. math:: p = \operatorname{project}(f), \qquad
       f_j \approx E[\mathbf 1\{Y = j\} \mid x]

    With two classes one column will do, and is cut off at 0 and 1. A fit of all
    indicators that reproduces constants (any least squares with an intercept) already
    sums to one, and is then only moved where it is negative.

    Parameters
    ----------
    fit : array-like of shape (n, k), (n, 1) or (n,)
        Fitted indicators; a single column is that of the second class. NaN stays.
    signed : bool, default=False
        Whether the indicators were -1 and 1 instead of 0 and 1.

    Returns
    -------
    ndarray of shape (n, k)

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical
       Learning", 2nd ed., Springer 2009, Section 4.2 (regression of indicators; the
       projection is this library's).

    Examples
    --------
    >>> from semikd.crossfit.indicators import indicator_probabilities
    >>> indicator_probabilities([0.3, 1.2])
    array([[0.7, 0.3],
           [0. , 1. ]])
    """
    f = np.asarray(fit, dtype=np.float64)
    f = f[:, None] if f.ndim == 1 else f
    if signed:
        f = (1.0 + f) / 2.0
    if f.shape[1] == 1:
        f = np.concatenate([1.0 - f, f], axis=1)
    return np.asarray(project(f))
