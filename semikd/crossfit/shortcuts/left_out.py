r"""What a linear fit would have said of rows it had not seen, from the one fit.

A fit by penalised least squares is linear in the outcomes, and leaving rows out of it
is a linear system of their number: nothing is refitted.

Notes
-----
Letters: ``w`` weights (m,) of the distinct rows and ``y`` their mean outcomes (m, k);
``t = sqrt(w) y`` (centred where there is an intercept); H the symmetric hat matrix of
the weighted fit, ``fitted t = H t``; ``e`` residuals of rows from a fit that left them
out; ``unit`` (m,) which rows leave together, numbered from 0. H is known either by a
factor Z, ``H = Z Z' + v v'``, or by a square root R of the penalised inverse,
``I - H = a (R R' - v v')``, with v the part of the intercept.

References
----------
.. [1] D. M. Allen, "The Relationship between Variable Selection and Data Augmentation
   and a Method for Prediction", Technometrics 16 (1974) (PRESS: one row).
.. [2] R. D. Cook and S. Weisberg, "Residuals and Influence in Regression", Chapman and
   Hall 1982, Section 3.4 and Appendix A.2 (leverage; several rows).
.. [3] G. H. Golub, M. Heath and G. Wahba, "Generalized Cross-Validation as a Method for
   Choosing a Good Ridge Parameter", Technometrics 21 (1979), Section 1 (ridge).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import lapack

from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.labels import FallBack
from semikd.simplex import FloatArray

__all__ = ["ALONE", "by_factor", "by_inverse", "inverse_root", "root_from_factor"]

# What is left of a row once others predict it, 1 - h, as a share: below this, fewer
# than half of the digits of its residual are right, and it gets no label.
ALONE = float(np.sqrt(np.finfo(np.float64).eps))
# A kernel matrix worse conditioned than this has few digits left to tell rows apart.
_SINGULAR = 1e-13
# Numbers held at once for the blocks of rows that leave together.
_CELLS = 4_000_000


def by_factor(Z: FloatArray, v: FloatArray, t: FloatArray, unit: Indices) -> FloatArray:
    r"""Return left-out residuals where the hat matrix is known by a factor.

    .. math:: e_G = (I - H_{GG})^{-1} (t - H t)_G, \qquad H = Z Z' + v v'

    which for one row is :math:`e_i = (t_i - (Ht)_i) / (1 - h_i)`. Where a unit has more
    rows than Z has columns, the inverse is taken in the space of the columns.

    Parameters
    ----------
    Z : ndarray of shape (m, r)
        Factor of the hat matrix.
    v : ndarray of shape (m,)
        The intercept's part; zeros where there is none.
    t : ndarray of shape (m, k)
        Weighted outcomes, orthogonal to v.
    unit : ndarray of int of shape (m,)
        Which rows leave together.

    Returns
    -------
    ndarray of shape (m, k)
        NaN for a unit that alone determines what it is fitted by (leverage 1).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.left_out import by_factor
    >>> v, t = np.full(3, 3 ** -0.5), np.array([[-1.0], [0.0], [1.0]])
    >>> by_factor(np.zeros((3, 0)), v, t, np.arange(3)).round(6)
    array([[-1.5],
           [ 0. ],
           [ 1.5]])
    """
    numerator = t - Z @ (Z.T @ t)
    left = 1.0 - np.einsum("ij,ij->i", Z, Z) - v**2
    residual = _singles(numerator, left)
    for block in _blocks(unit, Z.shape[1] + 1):
        A = np.concatenate([Z[block], v[block][:, :, None]], axis=2)
        top = numerator[block]
        if block.shape[1] <= A.shape[2]:
            solved = _solve(np.eye(block.shape[1]) - A @ A.mT, top)
        else:
            inner = _solve(np.eye(A.shape[2]) - A.mT @ A, A.mT @ top)
            solved = top + A @ inner
        residual[block] = solved
    return residual


def by_inverse(
    R: FloatArray, v: FloatArray, t: FloatArray, unit: Indices
) -> FloatArray:
    r"""Return left-out residuals where the inverse of the penalised kernel is known.

    .. math:: e_G = (P_{GG})^{-1} (P t)_G, \qquad P = R R' - v v'

    which for one row is :math:`e_i = (Pt)_i / P_{ii}`; P is the inverse of
    :math:`K + \alpha I` and v its part in the direction of an intercept, which the
    penalty must not touch. Nothing is lost to rounding where :math:`\alpha \to 0`.

    Parameters
    ----------
    R : ndarray of shape (m, m)
        Square root of the inverse.
    v : ndarray of shape (m,)
        What the intercept takes away; zeros where there is none.
    t : ndarray of shape (m, k)
        Weighted outcomes, orthogonal to v.
    unit : ndarray of int of shape (m,)
        Which rows leave together.

    Returns
    -------
    ndarray of shape (m, k)
        NaN for a unit that alone determines what it is fitted by.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.left_out import by_inverse
    >>> R, t = np.sqrt(np.diag([0.5, 0.25])), np.array([[1.0], [3.0]])
    >>> by_inverse(R, np.zeros(2), t, np.arange(2)).round(6)
    array([[1.],
           [3.]])
    """
    whole = np.einsum("ij,ij->i", R, R)
    # In units of its diagonal, so that what is left of a row is a share of it.
    scale = np.sqrt(whole)
    numerator = (R @ (R.T @ t)) / scale[:, None]
    residual = _singles(numerator, 1.0 - v**2 / whole)
    for block in _blocks(unit, R.shape[1]):
        A = R[block] / scale[block][:, :, None]
        b = (v[block] / scale[block])[:, :, None]
        residual[block] = _solve(A @ A.mT - b @ b.mT, numerator[block])
    return np.asarray(residual / scale[:, None])


def inverse_root(kernel: FloatArray, alpha: float) -> FloatArray:
    r"""Return a square root of the inverse of a penalised kernel, in its place.

    .. math:: R R' = (K + \alpha I)^{-1}

    Parameters
    ----------
    kernel : ndarray of shape (m, m)
        Symmetric; overwritten.
    alpha : float
        Penalty.

    Returns
    -------
    ndarray of shape (m, m)

    Raises
    ------
    FallBack
        If the sum is singular to working precision.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.left_out import inverse_root
    >>> inverse_root(np.zeros((1, 1)), 4.0)
    array([[0.5]])
    """
    kernel[np.diag_indices_from(kernel)] += alpha
    norm = np.abs(kernel).sum(axis=0).max()
    # The transpose is the same matrix, in the order of Fortran.
    lower, failed = lapack.dpotrf(kernel.T, lower=1, clean=1, overwrite_a=1)
    if failed or lapack.dpocon(lower, norm, uplo="L")[0] < _SINGULAR:
        raise FallBack("the kernel matrix is singular to working precision")
    return root_from_factor(lower)


def root_from_factor(lower: FloatArray) -> FloatArray:
    """Return R with R R' the inverse of L L', for a lower triangular factor L.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.left_out import root_from_factor
    >>> root_from_factor(np.array([[2.0]]))
    array([[0.5]])
    """
    inverse, failed = lapack.dtrtri(lower, lower=1)
    if failed:
        raise FallBack("the kernel matrix is singular to working precision")
    return np.asarray(inverse.T)


def _singles(numerator: FloatArray, left: FloatArray) -> FloatArray:
    """Return the residuals of rows that leave one by one, NaN where none is left."""
    left = np.where(left > ALONE, left, np.nan)
    return np.asarray(numerator / left[:, None])


def _blocks(unit: Indices, width: int) -> Iterator[Indices]:
    """Yield units of several rows, those of one size together, shape (units, size)."""
    sizes = np.bincount(unit)
    order = np.argsort(unit, kind="stable")
    start = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[sizes > 1]).tolist():
        chosen = start[sizes == size]
        step = max(1, _CELLS // (size * max(size, width)))
        for at in range(0, len(chosen), step):
            yield order[chosen[at : at + step, None] + np.arange(size)]


def _solve(block: Any, right: FloatArray) -> FloatArray:
    """Solve small systems of norm about 1, NaN where one is singular."""
    inverse = _inverse(block)
    norm = np.abs(inverse).sum(axis=2).max(axis=1)
    solved = inverse @ right
    solved[norm > 1.0 / ALONE] = np.nan
    return np.asarray(solved)


def _inverse(block: Any) -> FloatArray:
    """Return inverses of symmetric matrices, very large ones of singular matrices."""
    eps = np.finfo(np.float64).eps
    try:
        # A rounding error on the diagonal makes the exactly singular nearly so,
        return np.asarray(np.linalg.inv(block + eps * np.eye(block.shape[-1])))
    except np.linalg.LinAlgError:
        # but for those that rounding elsewhere makes singular again.
        values, vectors = np.linalg.eigh(block)
        return np.asarray((vectors / np.maximum(values, eps)[:, None, :]) @ vectors.mT)
