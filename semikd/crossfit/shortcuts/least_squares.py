r"""Penalised least squares without some of its rows: the factorisations.

One factorisation of the Gram matrix of the columns, or of the rows where they are
fewer, gives the fit of every row from the others.
"""

import numpy as np
from scipy import linalg
from scipy.linalg import blas, lapack

from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.distinct import Distinct
from semikd.crossfit.shortcuts.left_out import by_factor, by_inverse, inverse_root
from semikd.simplex import FloatArray

__all__ = ["squares_without"]

# Rows whose leverages are found at once: what a cache holds is solved fastest.
_ROWS = 1000
# A Gram matrix worse conditioned than this has lost half of the digits.
_SINGULAR = 1e-8


def squares_without(
    X: FloatArray,
    y: FloatArray,
    alphas: FloatArray,
    apart: Distinct,
    *,
    intercept: bool,
) -> FloatArray:
    r"""Return what penalised least squares would say of rows that it had not seen.

    .. math:: \min_{b, b_0} \textstyle\sum_i w_i (y_i - b_0 - x_i' b)^2
       + \alpha \lVert b \rVert^2

    Parameters
    ----------
    X : ndarray of shape (m, d)
        Distinct rows.
    y : ndarray of shape (m, k)
        Their mean outcomes.
    alphas : ndarray of shape (k,)
        Penalty of each outcome; at 0 the directions that no row spans stay unused.
    apart : Distinct
        Weights, and which rows leave together.
    intercept : bool
        Whether there is one; it is not penalised.

    Returns
    -------
    ndarray of shape (m, k)

    Notes
    -----
    :math:`O(m d \min(m, d))` in a copy of the table, which is all the memory it takes
    beside a matrix of :math:`\min(m, d)^2`; each further value of alpha costs as much
    again.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.distinct import Distinct
    >>> from semikd.crossfit.shortcuts.least_squares import squares_without
    >>> apart = Distinct(*[np.arange(3)] * 3, np.ones(3))
    >>> X, y = np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [1.0], [4.0]])
    >>> squares_without(X, y, np.zeros(1), apart, intercept=True).round(6)
    array([[-0.5     ],
           [ 1.333333],
           [ 3.      ]])
    """
    root = np.sqrt(apart.weights)[:, None]
    total = apart.weights.sum() if intercept else np.inf
    design, t = X - (apart.weights @ X) / total, y - (apart.weights @ y) / total
    if (root != 1.0).any():
        design *= root
        t *= root
    v = root[:, 0] / np.sqrt(total)
    residual, different = np.empty_like(t), np.unique(alphas)
    for alpha in different:
        own = alphas == alpha
        spare = design if alpha == different[-1] else design.copy()
        residual[:, own] = _without(spare, v, t[:, own], alpha, apart.unit)
    return np.asarray(y - residual / root)


def _without(
    design: FloatArray, v: FloatArray, t: FloatArray, alpha: float, unit: Indices
) -> FloatArray:
    """Return weighted left-out residuals by the cheapest factorisation that is safe.

    The design is overwritten.
    """
    if alpha > 0 and design.shape[0] < design.shape[1]:
        R, taken = _inverse_root(design, v, alpha)
        return by_inverse(R, taken, t, unit)
    Z = _gram_factor(design, alpha) if alpha > 0 else None
    if Z is None:
        Z = _singular_factor(design, alpha)
    return by_factor(Z, v, t, unit)


def _gram_factor(design: FloatArray, alpha: float) -> FloatArray | None:
    """Return Z with H = Z Z' by Cholesky's factor of the Gram matrix, if it is safe.

    The design is overwritten if it is.
    """
    gram = design.T @ design
    gram[np.diag_indices_from(gram)] += alpha
    norm = np.abs(gram).sum(axis=0).max()
    # The transpose is the same matrix, in the order of Fortran.
    lower, failed = lapack.dpotrf(gram.T, lower=1, clean=0, overwrite_a=1)
    if failed or lapack.dpocon(lower, norm, uplo="L")[0] < _SINGULAR:
        return None
    for at in range(0, len(design), _ROWS):
        block = design[at : at + _ROWS]
        block[:] = blas.dtrsm(1.0, lower, block.T, lower=1, overwrite_b=1).T
    return design


def _singular_factor(design: FloatArray, alpha: float) -> FloatArray:
    """Return Z with H = Z Z' by singular values, leaving out those that are zero."""
    outer, small = linalg.qr(design, mode="economic", check_finite=False)
    inner, values, _ = linalg.svd(small, full_matrices=False, check_finite=False)
    # The limit of scikit-learn's own least squares.
    kept = values > max(design.shape) * np.finfo(np.float64).eps * values.max()
    values = values[kept]
    shrunk = values / np.sqrt(values**2 + alpha)
    return np.asarray(outer @ (inner[:, kept] * shrunk))


def _inverse_root(
    design: FloatArray, v: FloatArray, alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Return R and the intercept's part, for fewer rows than columns."""
    kernel = design @ design.T
    # The intercept's direction, empty in the kernel, is filled before the inversion
    # and taken away after it: at the level of the others nothing cancels.
    filled = np.trace(kernel) / len(kernel)
    kernel += filled * np.outer(v, v)
    return inverse_root(kernel, alpha), v / np.sqrt(alpha + filled)
