r"""Penalised least squares without some of its rows: the factorisations.

One factorisation of the Gram matrix of the columns, or of the rows where they are
fewer, gives the fit of every row from the others.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy import linalg
from scipy.linalg import blas, lapack

from semikd.crossfit.rows import Indices
from semikd.crossfit.shortcuts.left_out import by_factor, by_inverse, inverse_root
from semikd.simplex import FloatArray

__all__ = ["WeightedRows"]

# Rows whose leverages are found at once: what a cache holds is solved fastest.
_ROWS = 1000
# A Gram matrix worse conditioned than this has lost half of the digits.
_SINGULAR = 1e-8


@dataclass(frozen=True)
class WeightedRows:
    r"""Distinct rows, centred and weighted: all that penalised least squares sees.

    .. math:: \min_{b, b_0} \textstyle\sum_i w_i (y_i - b_0 - x_i' b)^2
       + \alpha \lVert b \rVert^2

    Parameters
    ----------
    design : ndarray of shape (m, d)
        Rows less their mean, times the roots of their weights. ``without`` overwrites
        it.
    t : ndarray of shape (m, k)
        Mean outcomes, likewise.
    root : ndarray of shape (m, 1)
        Roots of the weights.
    mean : tuple of ndarray of shape (d,) and (k,), or None
        What was taken off; None without an intercept.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.least_squares import WeightedRows
    >>> X, y = np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [1.0], [4.0]])
    >>> rows = WeightedRows.of(X, y, np.ones(3), intercept=True)
    >>> rows.without(np.zeros(1), np.arange(3)).round(6)
    array([[ 0.5     ],
           [-0.333333],
           [ 1.      ]])
    """

    design: FloatArray
    t: FloatArray
    root: FloatArray
    mean: tuple[FloatArray, FloatArray] | None

    @classmethod
    def of(
        cls, X: FloatArray, y: FloatArray, weights: FloatArray, *, intercept: bool
    ) -> Self:
        """Return distinct rows of these total weights and mean outcomes.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Distinct rows.
        y : ndarray of shape (m, k)
            Their mean outcomes.
        weights : ndarray of shape (m,)
            Their total weights.
        intercept : bool
            Whether there is one; it is not penalised.

        Returns
        -------
        WeightedRows
        """
        root = np.sqrt(weights)[:, None]
        total = weights.sum() if intercept else np.inf
        mean = (weights @ X) / total, (weights @ y) / total
        design, t = X - mean[0], y - mean[1]
        if (root != 1.0).any():
            design *= root
            t *= root
        return cls(design, t, root, mean if intercept else None)

    @cached_property
    def gram(self) -> FloatArray:
        """The Gram matrix of the columns, shape (d, d), before any overwriting."""
        return np.asarray(self.design.T @ self.design)

    def without(self, alphas: FloatArray, unit: Indices) -> FloatArray:
        r"""Return by how much each outcome exceeds what fits without its unit say.

        Parameters
        ----------
        alphas : ndarray of shape (k,)
            Penalty of each outcome; at 0 the directions that no row spans stay unused.
        unit : ndarray of int of shape (m,)
            Which rows leave together.

        Returns
        -------
        ndarray of shape (m, k)
            NaN where a unit alone determines a coefficient.

        Notes
        -----
        :math:`O(m d \min(m, d))`, and no more memory than the design and matrices of
        :math:`\min(m, d)^2`; each further value of alpha costs as much again.
        """
        v = np.zeros(len(self.t))
        if self.mean is not None:
            v = self.root[:, 0] / np.linalg.norm(self.root)
        residual, different = np.empty_like(self.t), np.unique(alphas)
        if different.max() > 0 and self.design.shape[0] >= self.design.shape[1]:
            # Once for all penalties, and before the design is overwritten.
            _ = self.gram
        for alpha in different:
            own = alphas == alpha
            last = alpha == different[-1]
            design = self.design if last else self.design.copy()
            residual[:, own] = self._without(design, v, self.t[:, own], alpha, unit)
        return np.asarray(residual / self.root)

    def same_sums(self) -> tuple[FloatArray, FloatArray]:
        r"""Return few rows, with outcomes, to which least squares fits the same.

        With :math:`L L'` the Gram matrix and z solving :math:`L z = X' t`, the columns
        of L with outcomes z have the sums of squares and products of all rows; with an
        intercept they are put on either side of the mean.
        """
        scale = np.sqrt(np.diag(self.gram))
        scale[scale == 0.0] = 1.0
        # Pivots pass over columns that others span, whatever their units.
        c, order, rank, _ = lapack.dpstrf((self.gram / scale).T / scale, lower=1)
        lower, order = np.tril(c)[:, :rank], order - 1
        moment = (self.design.T @ self.t) / scale[:, None]
        z = linalg.solve_triangular(
            lower[:rank], moment[order[:rank]], lower=True, check_finite=False
        )
        rows = np.empty((rank, len(scale)))
        rows[:, order] = lower.T
        rows *= scale
        if self.mean is None:
            return rows, z
        half, z, both = rows / np.sqrt(2.0), z / np.sqrt(2.0), np.concatenate
        x, y = self.mean
        return both([x + half, x - half]), both([y + z, y - z])

    def _without(
        self,
        design: FloatArray,
        v: FloatArray,
        t: FloatArray,
        alpha: float,
        unit: Indices,
    ) -> FloatArray:
        """Return weighted residuals by the cheapest factorisation that is safe."""
        if alpha > 0 and design.shape[0] < design.shape[1]:
            R, taken = _inverse_root(design, v, alpha)
            return by_inverse(R, taken, t, unit)
        Z = _gram_factor(design, self.gram.copy(), alpha) if alpha > 0 else None
        if Z is None:
            Z = _singular_factor(design, alpha)
        return by_factor(Z, v, t, unit)


def _gram_factor(
    design: FloatArray, gram: FloatArray, alpha: float
) -> FloatArray | None:
    """Return Z with H = Z Z' by Cholesky's factor of the Gram matrix, if it is safe.

    Both matrices are overwritten if it is.
    """
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
