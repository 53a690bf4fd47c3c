r"""Exact leave-one-out labels of ridge regression and least squares, from one fit.

Linear in the outcomes, they say of a row that they had not seen

.. math:: \hat f_{-i}(x_i) = \frac{\hat f(x_i) - h_i\, \bar y_i}{1 - h_i}

with :math:`h_i` its leverage.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import (
    LinearRegression,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
)
from sklearn.utils import check_array
from sklearn.utils.class_weight import compute_sample_weight

from semikd.crossfit.copies import seeded_clone
from semikd.crossfit.folds import Rows
from semikd.crossfit.indicators import indicator_probabilities
from semikd.crossfit.shortcuts.distinct import (
    Distinct,
    distinct,
    on_all_rows,
    outcomes,
)
from semikd.crossfit.shortcuts.labels import FallBack, FittedParts, Shortcut
from semikd.crossfit.shortcuts.least_squares import WeightedRows
from semikd.crossfit.shortcuts.one_fit import OneFit
from semikd.simplex import FloatArray, last_column, one_hot

__all__ = ["RIDGE", "ridge_without"]

# Classes themselves, not what is derived from them: that may fit otherwise.
_LEARNERS = (Ridge, RidgeClassifier, LinearRegression)
_TUNED = (RidgeCV, RidgeClassifierCV)
# Rows for each column from which sums of them are the cheaper thing to fit to.
_MANY = 4
# Cells of a sparse table that may be spelled out (160 MB).
_CELLS = 20_000_000


def ridge_without(parts: FittedParts, y: NDArray[Any], rows: Rows) -> FloatArray:
    r"""Return what ridge regression would say of rows that it had not seen.

    .. math:: \hat f_{-i}(x_i) = \frac{\hat f(x_i) - h_i \bar y_i}{1 - h_i},
       \qquad h_i = w_i \left(\frac{1}{\sum_j w_j}
       + (x_i - \bar x)' (X_c' W X_c + \alpha I)^{-1} (x_i - \bar x)\right)

    with the weighted mean outcome :math:`\bar y_i` and the total weight :math:`w_i` of
    all copies of the row (without an intercept :math:`\bar x` and the first term are
    zero); groups leave by blocks. RidgeClassifier fits indicators of -1 and 1, so
    :math:`p = (1 + f)/2`, projected onto the simplex.

    Parameters
    ----------
    parts : FittedParts
        Fitted Ridge, RidgeClassifier or LinearRegression, and the rows it saw.
    y : ndarray of shape (n,) or (n, m)
        Outcomes, or class labels for RidgeClassifier.
    rows : Rows
        Identity, class, group and weight of each row.

    Returns
    -------
    ndarray of shape (n, m) or (n, k)
        NaN for a row that alone determines a coefficient (leverage 1, as a column that
        is zero elsewhere where :math:`\alpha \to 0`); :math:`\alpha \to \infty` gives
        the mean of the other rows.

    Raises
    ------
    FallBack
        If a sparse table is too large to be spelled out.

    Notes
    -----
    In double precision whatever the solver and the type of the table. The cost is that
    of about two fits by Cholesky's factor.

    References
    ----------
    .. [1] D. M. Allen, "The Relationship between Variable Selection and Data
       Augmentation and a Method for Prediction", Technometrics 16 (1974).
    .. [2] G. H. Golub, M. Heath and G. Wahba, "Generalized Cross-Validation as a Method
       for Choosing a Good Ridge Parameter", Technometrics 21 (1979), Section 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.labels import FittedParts
    >>> from semikd.crossfit.shortcuts.ridge import ridge_without
    >>> rows = Rows(np.arange(3, dtype=np.uint64), np.zeros(3, int), None, None, None)
    >>> X, y = np.arange(3.0)[:, None], np.array([0.0, 1.0, 5.0])
    >>> ridge = Ridge().fit(X, y)
    >>> ridge_without(FittedParts(ridge, ridge, X), y, rows)[0].round(6)
    array([1.])
    >>> Ridge().fit(X[1:], y[1:]).predict(X[:1]).round(6)
    array([1.])
    """
    learner, weights = parts.learner, _weights(parts.learner, y, rows)
    apart = distinct(rows, weights)
    if rows.classes is None:
        Y = outcomes(y, rows)
    else:
        Y = last_column(one_hot(rows.codes[rows.active], len(rows.classes)))
        Y = 2.0 * Y - 1.0
    means = apart.mean(Y, weights)
    table = _dense(parts.X, apart)
    intercept = bool(learner.fit_intercept)
    seen = WeightedRows.of(table, means, apart.weights, intercept=intercept)
    fit = means - seen.without(_alphas(learner, Y), apart.unit)
    if rows.classes is not None:
        fit = indicator_probabilities(fit, signed=True)
    return on_all_rows(fit, apart, rows)


class _RidgeFit(OneFit):
    """The strategy, where one Gram matrix may serve both the fit and the labels."""

    def labels(
        self,
        teacher: Any,
        X: Any,
        y: NDArray[Any],
        rows: Rows,
        *,
        seed: int,
        n_jobs: int | None,
    ) -> Shortcut:
        """Fit once, and label each row as a fit to the rows that stay would.

        Ridge regression by Cholesky's factor, of many rows, knows them by their sums
        of squares and products alone: it is fitted to few rows that have the same.
        """
        if not _knows_sums(teacher, X, rows):
            return super().labels(teacher, X, y, rows, seed=seed, n_jobs=n_jobs)
        weights = None if rows.weights is None else rows.weights[rows.active]
        apart, Y = distinct(rows), outcomes(y, rows)
        means = apart.mean(Y, weights)
        table = X if len(apart.first) == len(X) else X[rows.active[apart.first]]
        intercept = bool(teacher.fit_intercept)
        seen = WeightedRows.of(table, means, apart.weights, intercept=intercept)
        few, said = seen.same_sums()
        fitted = seeded_clone(teacher, seed)
        fitted.fit(few, said if y.ndim > 1 else said[:, 0])
        fit = means - seen.without(_alphas(teacher, Y), apart.unit)
        return self._answer(on_all_rows(fit, apart, rows), fitted)


def _knows_sums(teacher: Any, X: Any, rows: Rows) -> bool:
    """Return whether a fit by Cholesky's factor sees no more than sums of the rows."""
    if type(teacher) is not Ridge or teacher.solver not in {"auto", "cholesky"}:
        return False
    table = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype == np.float64
    alpha = np.asarray(teacher.alpha)
    if not table or alpha.dtype.kind not in "iuf" or (alpha <= 0).any():
        return False
    # What is not finite is the learner's to refuse.
    finite = bool(np.isfinite(X.sum()))
    return finite and len(rows.active) > _MANY * X.shape[1]


def _alphas(learner: Any, Y: FloatArray) -> FloatArray:
    """Return the penalty of each outcome."""
    return np.broadcast_to(getattr(learner, "alpha", 0.0), Y.shape[1])


def _handles(learner: Any) -> bool:
    """Return whether this is ridge regression or least squares, tuned or not."""
    return type(learner) in _LEARNERS or isinstance(learner, _TUNED)


def _refusal(learner: Any, _rows: Rows) -> str | None:
    """Return which setting makes the fit other than least squares of each row."""
    name, classes = type(learner).__name__, getattr(learner, "class_weight", None)
    if isinstance(learner, _TUNED):
        return f"{name} chooses alpha on the outcomes of all rows"
    reasons = {
        "positive=True makes the fit no longer linear in the outcomes": (
            learner.positive
        ),
        "copy_X=False overwrites the rows": not learner.copy_X,
        "class_weight='balanced' counts the classes of all rows": classes == "balanced",
        "class_weight leaves out a class": (
            isinstance(classes, dict) and not all(classes.values())
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _weights(learner: Any, y: NDArray[Any], rows: Rows) -> FloatArray | None:
    """Return the weights of the rows that count, with those of their classes."""
    active = rows.active
    weights = None if rows.weights is None else rows.weights[active]
    classes = getattr(learner, "class_weight", None)
    if classes is None:
        return weights
    of_class = compute_sample_weight(classes, y[active])
    return np.asarray(of_class if weights is None else weights * of_class)


def _dense(X: Any, apart: Distinct) -> FloatArray:
    """Return the distinct rows as an array."""
    shape = len(apart.first), X.shape[1]
    if sparse.issparse(X):
        if shape[0] * shape[1] > _CELLS:
            cells = f"{shape[0] * shape[1]:,}"
            raise FallBack(f"the sparse table would have {cells} cells spelled out")
        X = X.tocsr()[apart.first].toarray()
        return np.asarray(X, dtype=np.float64)
    table = np.asarray(check_array(X, dtype=np.float64))
    return table if shape[0] == len(table) else table[apart.first]


RIDGE = _RidgeFit(
    handles=_handles,
    refusal=_refusal,
    without=ridge_without,
    missing="determine a coefficient alone (leverage 1)",
)
