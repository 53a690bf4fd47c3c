"""scikit-learn's logistic regression read as a penalised likelihood, and written back.

Its solvers differ in what they penalise and stop early; the likelihood is what they all
aim at.
"""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

from semikd.crossfit.folds import Rows
from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood, plane_basis
from semikd.simplex import FloatArray

__all__ = ["coefficients", "likelihood", "unsuited", "write_back"]


def unsuited(learner: Any) -> str | None:
    """Return why the loss of a learner is no smooth sum over rows, or None if it is.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression, Perceptron
    >>> from semikd.crossfit.shortcuts.logistic.learner import unsuited
    >>> unsuited(LogisticRegression()) is None
    True
    >>> unsuited(Perceptron())
    "Perceptron is not scikit-learn's LogisticRegression"
    """
    if isinstance(learner, LogisticRegressionCV):
        return "LogisticRegressionCV chooses its penalty by folds of its own"
    if type(learner) is not LogisticRegression:
        return f"{type(learner).__name__} is not scikit-learn's LogisticRegression"
    plain = learner.penalty == "deprecated"
    if learner.l1_ratio if plain else learner.penalty in ("l1", "elasticnet"):
        return "an L1 penalty has no curvature where coefficients are zero"
    if learner.class_weight == "balanced":
        return "class_weight='balanced' lets each label change the weight of every row"
    return None


def likelihood(learner: Any, X: Any, rows: Rows) -> Likelihood:
    """Return what a fitted learner has minimised.

    Parameters
    ----------
    learner : LogisticRegression
        Fitted to the rows that count, with their weights.
    X : array-like or sparse matrix of shape (n_active, d)
        Those rows, as the learner saw them.
    rows : Rows
        Class and weight of each row.

    Returns
    -------
    Likelihood

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.logistic.learner import likelihood
    >>> X, codes = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> rows = Rows(np.arange(2, dtype=np.uint64), codes, codes, None, None)
    >>> likelihood(LogisticRegression(C=0.5).fit(X, codes), X, rows).penalty
    array([2., 0.])
    """
    table = X.tocsr() if sparse.issparse(X) else np.asarray(X)
    table = table.astype(np.float64, copy=False)
    # liblinear alone sees the intercept as a coefficient like others.
    as_column = learner.solver == "liblinear"
    constant = learner.intercept_scaling if as_column else 1.0
    constant = float(constant) if learner.fit_intercept else 0.0
    ridge = 0.0 if learner.penalty is None else 1.0 / learner.C
    penalty = np.full(table.shape[1] + bool(constant), ridge)
    if constant and not as_column:
        penalty[-1] = 0.0
    active, classes = rows.active, learner.classes_.tolist()
    factors = learner.class_weight or {}
    weight = np.array([float(factors.get(label, 1.0)) for label in classes])
    weight = weight[rows.codes[active]]
    if rows.weights is not None:
        weight = weight * rows.weights[active]
    basis = plane_basis(len(classes))
    return Likelihood(table, constant, rows.codes[active], weight, penalty, basis)


def coefficients(learner: Any, data: Likelihood) -> FloatArray:
    """Return a fitted learner's coefficients of the scores, shape (p, m).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.logistic.learner import coefficients, likelihood
    >>> X, codes = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> rows = Rows(np.arange(2, dtype=np.uint64), codes, codes, None, None)
    >>> learner = LogisticRegression().fit(X, codes)
    >>> coefficients(learner, likelihood(learner, X, rows)).shape
    (2, 1)
    """
    theta = np.asarray(learner.coef_.T, dtype=np.float64)
    if data.constant:
        theta = np.vstack([theta, learner.intercept_ / data.constant])
    return theta if data.basis is None else np.asarray(theta @ data.basis)


def write_back(learner: Any, data: Likelihood, theta: FloatArray) -> None:
    """Give a fitted learner other coefficients of the scores, shape (p, m).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.logistic.learner import likelihood, write_back
    >>> X, codes = np.array([[0.0], [1.0]]), np.array([0, 1])
    >>> rows = Rows(np.arange(2, dtype=np.uint64), codes, codes, None, None)
    >>> learner = LogisticRegression().fit(X, codes)
    >>> write_back(learner, likelihood(learner, X, rows), np.array([[0.5], [0.25]]))
    >>> learner.coef_, learner.intercept_
    (array([[0.5]]), array([0.25]))
    """
    full = theta if data.basis is None else theta @ data.basis.T
    if data.constant:
        learner.intercept_ = data.constant * full[-1]
        full = full[:-1]
    learner.coef_ = np.ascontiguousarray(full.T)
