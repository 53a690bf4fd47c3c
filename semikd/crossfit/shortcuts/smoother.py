r"""Exact leave-one-out labels of any smoother that says its hat matrix.

A teacher whose predictions at its own rows are ``H @ y`` says so by a method

``hat_matrix(X, sample_weight=None) -> ndarray of shape (n, n)``

called on the fitted teacher with the rows, and weights, that it was fitted to.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone

from semikd._validation import finite_array
from semikd.crossfit.folds import Rows
from semikd.crossfit.learners import fit_learner
from semikd.crossfit.rows import take_rows
from semikd.crossfit.shortcuts.distinct import (
    Distinct,
    distinct,
    on_all_rows,
    outcomes,
)
from semikd.crossfit.shortcuts.labels import FallBack, FittedParts
from semikd.crossfit.shortcuts.left_out import ALONE
from semikd.crossfit.shortcuts.one_fit import OneFit
from semikd.simplex import FloatArray

__all__ = ["SMOOTHER", "smoother_without"]

# A refit that differs by more than this share of the range of the outcomes disagrees.
_AGREES = 1e-6


def smoother_without(parts: FittedParts, y: NDArray[Any], rows: Rows) -> FloatArray:
    r"""Return what a smoother would say of rows that it had not seen.

    .. math:: \hat f_{-u}(x_i) = \frac{\hat f(x_i) - \sum_{j \in u} H_{ij} y_j}
       {1 - \sum_{j \in u} H_{ij}}

    for a row i and all copies u of it. This is the fit without u where what the others
    say of :math:`x_i` is their own rows of H made to sum to one: penalised least
    squares (splines, additive models), and weighted means or local regressions whose
    bandwidth is fixed. It is *not* for a smoother whose bandwidth, knots or
    neighbourhood follow the data; two rows are refitted to see.

    Parameters
    ----------
    parts : FittedParts
        A fitted smoother with ``hat_matrix``, and the rows it saw.
    y : ndarray of shape (n,) or (n, m)
        Outcomes.
    rows : Rows
        Identity and weight of each row.

    Returns
    -------
    ndarray of shape (n, m)
        NaN for a row that is predicted by itself alone (leverage 1).

    Raises
    ------
    FallBack
        If a refit without a row says otherwise.
    ValueError
        If the hat matrix is not finite, or not n by n.

    Notes
    -----
    :math:`O(n^2)` beside the hat matrix itself, and two refits.

    References
    ----------
    .. [1] T. Hastie and R. Tibshirani, "Generalized Additive Models", Chapman and Hall
       1990, Section 3.4.3 (equation 3.20).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from semikd import cross_fit
    >>> class Gaussian(RegressorMixin, BaseEstimator):
    ...     def fit(self, X, y):
    ...         self.X_, self.y_ = np.asarray(X), np.asarray(y)
    ...         return self
    ...
    ...     def hat_matrix(self, X, sample_weight=None):
    ...         near = np.exp(-((np.asarray(X) - self.X_.T) ** 2))
    ...         return near / near.sum(axis=1, keepdims=True)
    ...
    ...     def predict(self, X):
    ...         return self.hat_matrix(X) @ self.y_
    >>> X = np.arange(4.0)[:, None]
    >>> labels = cross_fit(Gaussian(), X, X[:, 0], cv="loo")
    >>> labels.mean[0].round(3), Gaussian().fit(X[1:], X[1:, 0]).predict(X[:1]).round(3)
    (array([1.048]), array([1.048]))
    """
    apart, Y = distinct(rows), outcomes(y, rows)
    n = len(Y)
    weights = None if rows.weights is None else rows.weights[rows.active]
    settings = {} if weights is None else {"sample_weight": weights}
    hat = parts.learner.hat_matrix(parts.X, **settings)
    H = finite_array("hat_matrix", hat, shape=(n, n))
    # What each row says of its distinct row: by all copies, the row's own leverage.
    own = H[apart.first[apart.back], np.arange(n)]
    copies = sparse.coo_array((own, (apart.back, np.arange(n)))).tocsr()
    left = 1.0 - copies.sum(axis=1)
    left = np.where(left > ALONE, left, np.nan)
    fit = (H[apart.first] @ Y - copies @ Y) / left[:, None]
    _check(parts, fit, Y, weights, apart)
    return on_all_rows(fit, apart, rows)


def _check(
    parts: FittedParts,
    fit: FloatArray,
    Y: FloatArray,
    weights: FloatArray | None,
    apart: Distinct,
) -> None:
    """Refit without two of the rows, the most and the least changed."""
    change = np.abs(fit - apart.mean(Y, weights)).max(axis=1)
    known = np.flatnonzero(~np.isnan(change))
    if not len(known):
        return
    tolerance = _AGREES * max(float(np.ptp(Y)), np.finfo(np.float64).tiny)
    for row in {int(known[change[known].argmax()]), int(known[change[known].argmin()])}:
        said = _refit(parts, Y, weights, apart.back != row, apart.first[row])
        if np.abs(said - fit[row]).max() > tolerance:
            name = type(parts.learner).__name__
            raise FallBack(f"{name} refitted without a row differs from its hat matrix")


def _refit(
    parts: FittedParts,
    Y: FloatArray,
    weights: FloatArray | None,
    stay: NDArray[np.bool_],
    row: int,
) -> FloatArray:
    """Return what the smoother says of a row when fitted to the rows that stay."""
    kept = np.flatnonzero(stay)
    outcome = Y[kept, 0] if Y.shape[1] == 1 else Y[kept]
    learner = fit_learner(
        clone(parts.learner),
        take_rows(parts.X, kept),
        outcome,
        None if weights is None else weights[kept],
    )
    said = learner.predict(take_rows(parts.X, np.array([row])))
    return np.asarray(said[0], dtype=np.float64)


def _handles(learner: Any) -> bool:
    """Return whether the learner says its hat matrix."""
    return hasattr(learner, "hat_matrix")


def _refusal(_learner: Any, rows: Rows) -> str | None:
    """Return whether groups must leave, of which a hat matrix says nothing."""
    if rows.groups is not None and not distinct(rows).alone:
        return "a hat matrix does not say how a group leaves"
    return None


SMOOTHER = OneFit(
    handles=_handles,
    refusal=_refusal,
    without=smoother_without,
    missing="are predicted by themselves alone (leverage 1)",
)
