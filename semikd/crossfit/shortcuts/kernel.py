r"""Exact leave-one-out labels of kernel ridge and Gaussian processes, from one fit.

With :math:`C = (K + \alpha W^{-1})^{-1}` both say of a row they had not seen

.. math:: \hat f_{-i}(x_i) = \bar y_i - \frac{(C \bar y)_i}{C_{ii}}

so that inverting the factor of the one fit gives them all.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import pairwise_kernels

from semikd.crossfit.folds import Rows
from semikd.crossfit.rows import take_rows
from semikd.crossfit.shortcuts.distinct import (
    Distinct,
    distinct,
    on_all_rows,
    outcomes,
)
from semikd.crossfit.shortcuts.labels import FittedParts
from semikd.crossfit.shortcuts.left_out import (
    by_inverse,
    inverse_root,
    root_from_factor,
)
from semikd.crossfit.shortcuts.one_fit import OneFit
from semikd.simplex import FloatArray

__all__ = ["KERNEL", "kernel_without"]

# Classes themselves, not what is derived from them: that may fit otherwise.
_LEARNERS = (KernelRidge, GaussianProcessRegressor)


def kernel_without(parts: FittedParts, y: NDArray[Any], rows: Rows) -> FloatArray:
    r"""Return what a kernel method would say of rows that it had not seen.

    .. math:: \hat f_{-G} = \bar y_G - (C_{GG})^{-1} (C \bar y)_G,
       \qquad C = (K + \alpha W^{-1})^{-1}

    for the rows G that leave together, with the weighted mean outcome and the total
    weight of all copies of a row. A Gaussian process sees copies as rows of their own,
    each with its noise, and they leave together.

    Parameters
    ----------
    parts : FittedParts
        Fitted KernelRidge or GaussianProcessRegressor, and the rows it saw.
    y : ndarray of shape (n,) or (n, m)
        Outcomes.
    rows : Rows
        Identity, group and weight of each row.

    Returns
    -------
    ndarray of shape (n, m)
        :math:`\alpha \to \infty` gives 0, what a kernel method says of nothing;
        :math:`\alpha \to 0` the interpolation of the other rows.

    Raises
    ------
    FallBack
        If the kernel matrix is singular to working precision.

    Notes
    -----
    With m distinct rows: :math:`O(m^3)` time and two matrices of :math:`m^2` numbers,
    as the fit itself; each further value of alpha costs as much again.

    References
    ----------
    .. [1] C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine
       Learning", MIT Press 2006, Section 5.4.2, equation 5.12.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.kernel_ridge import KernelRidge
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.kernel import kernel_without
    >>> from semikd.crossfit.shortcuts.labels import FittedParts
    >>> rows = Rows(np.arange(3, dtype=np.uint64), np.zeros(3, int), None, None, None)
    >>> X, y = np.arange(3.0)[:, None], np.array([0.0, 1.0, 5.0])
    >>> ridge = KernelRidge(kernel="rbf").fit(X, y)
    >>> kernel_without(FittedParts(ridge, ridge, X), y, rows)[0].round(3)
    array([0.061])
    >>> KernelRidge(kernel="rbf").fit(X[1:], y[1:]).predict(X[:1]).round(3)
    array([0.061])
    """
    learner, apart, Y = parts.learner, distinct(rows), outcomes(y, rows)
    if isinstance(learner, KernelRidge):
        weights = None if rows.weights is None else rows.weights[rows.active]
        kernel = _kernel(learner, take_rows(parts.X, apart.first))
        alphas = np.broadcast_to(learner.alpha, Y.shape[1])
        fit = _ridge_without(kernel, apart.mean(Y, weights), alphas, apart)
        return on_all_rows(fit, apart, rows)
    R, unit = root_from_factor(learner.L_), apart.unit[apart.back]
    prediction = np.full((len(rows.hashes), Y.shape[1]), np.nan)
    prediction[rows.active] = Y - by_inverse(R, np.zeros(len(Y)), Y, unit)
    return prediction


def _handles(learner: Any) -> bool:
    """Return whether this is kernel ridge or a Gaussian process of scikit-learn."""
    return type(learner) in _LEARNERS


def _refusal(learner: Any, _rows: Rows) -> str | None:
    """Return which setting keeps the kernel, or the outcomes, from being fixed."""
    if isinstance(learner, KernelRidge):
        given = learner.kernel == "precomputed"
        return "kernel='precomputed' takes a kernel matrix, not rows" if given else None
    if learner.normalize_y:
        return "normalize_y=True uses the outcomes of all rows"
    # The kernel that it has by default is tuned as well.
    tunable = learner.kernel is None or learner.kernel.n_dims > 0
    if learner.optimizer is not None and tunable:
        return "the kernel is tuned on the outcomes of all rows (optimizer=None is not)"
    return None


def _kernel(learner: KernelRidge, X: Any) -> FloatArray:
    """Return the kernel matrix of the rows, as the learner has it."""
    if callable(learner.kernel):
        settings, ignore = learner.kernel_params or {}, False
    else:
        names = ("gamma", "degree", "coef0")
        settings, ignore = {name: getattr(learner, name) for name in names}, True
    matrix = pairwise_kernels(
        X, metric=learner.kernel, filter_params=ignore, **settings
    )
    return np.asarray(matrix, dtype=np.float64)


def _ridge_without(
    kernel: FloatArray, y: FloatArray, alphas: FloatArray, apart: Distinct
) -> FloatArray:
    """Return what kernel ridge would say of rows that it had not seen."""
    root = np.sqrt(apart.weights)[:, None]
    if (root != 1.0).any():
        kernel *= root
        kernel *= root.T
    residual, none = np.empty_like(y), np.zeros(len(y))
    different = np.unique(alphas)
    for alpha in different:
        own = alphas == alpha
        spare = kernel if alpha == different[-1] else kernel.copy()
        R = inverse_root(spare, alpha)
        residual[:, own] = by_inverse(R, none, (y * root)[:, own], apart.unit)
    return np.asarray(y - residual / root)


KERNEL = OneFit(
    handles=_handles,
    refusal=_refusal,
    without=kernel_without,
    missing="are predicted by no other row",
)
