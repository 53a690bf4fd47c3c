"""A penalised logistic likelihood as arrays: leaving rows out is linear algebra.

Scores are what no common shift can change: one log-odds for two classes, k - 1
coordinates of the plane that sums to zero for k. The penalty of scikit-learn's k
coefficient vectors is the same in both, since the basis is orthonormal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import expit

from semikd.simplex import FloatArray, softmax

__all__ = ["Likelihood", "plane_basis"]

# Entries of a block of rows that stays in a processor's cache.
_BLOCK = 2**18
# Below this reciprocal condition number (of a unit diagonal) no optimum is trusted.
_TRUSTED = 1e-12


def plane_basis(n_classes: int) -> FloatArray | None:
    """Return orthonormal columns that sum to zero, (k, k - 1); None for two classes.

    Examples
    --------
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import plane_basis
    >>> abs(plane_basis(3).sum(axis=0)).round(6)
    array([0., 0.])
    """
    return None if n_classes == 2 else np.asarray(linalg.helmert(n_classes).T)


@dataclass(frozen=True)
class Likelihood:
    """Rows, outcomes, weights and penalty; m scores a row, p coefficients a score.

    Parameters
    ----------
    X : ndarray or CSR of shape (n, d)
        Covariates.
    constant : float
        Value of one more column, the last; 0 is no such column.
    codes : ndarray of int of shape (n,)
        Class of each row.
    weight : ndarray of shape (n,)
        Weights of the rows.
    penalty : ndarray of shape (p,)
        The loss has half of this times the squared coefficients of each score.
    basis : ndarray of shape (k, m) or None
        Class scores are ``f @ basis.T``; None for two classes and one log-odds.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts.logistic.likelihood import Likelihood
    >>> X, codes = np.array([[1.0], [3.0]]), np.array([0, 1])
    >>> data = Likelihood(X, 1.0, codes, np.ones(2), np.array([1.0, 0.0]), None)
    >>> data.scores(np.array([[2.0], [-1.0]])).ravel()
    array([1., 5.])
    """

    X: Any
    constant: float
    codes: NDArray[np.intp]
    weight: FloatArray
    penalty: FloatArray
    basis: FloatArray | None

    @property
    def n_scores(self) -> int:
        """Number m of scores of a row."""
        return 1 if self.basis is None else self.basis.shape[1]

    @property
    def target(self) -> FloatArray:
        """Outcomes in the coordinates of the scores, shape (n, m)."""
        if self.basis is None:
            return self.codes[:, None].astype(np.float64)
        return np.asarray(self.basis[self.codes])

    def scores(self, theta: FloatArray) -> FloatArray:
        """Return ``A @ theta`` for s columns of coefficients, shape (n, s)."""
        if not self.constant:
            return np.asarray(self.X @ theta)
        inner = np.asarray(self.X @ theta[:-1])
        inner += self.constant * theta[-1]
        return inner

    def pull(self, residual: FloatArray) -> FloatArray:
        """Return ``A.T @ residual``, shape (p, s)."""
        inner = np.asarray(self.X.T @ residual)
        if not self.constant:
            return inner
        return np.vstack([inner, self.constant * residual.sum(axis=0)])

    def rows(self, chosen: NDArray[np.intp]) -> FloatArray:
        """Return some rows with the constant column, dense, shape (b, p)."""
        table = _dense(self.X[chosen])
        if not self.constant:
            return table
        return np.column_stack([table, np.full(len(table), self.constant)])

    def blocks(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield consecutive rows without the constant column, and where they are."""
        n, d = self.X.shape
        size = max(2 * d, _BLOCK // max(1, d))
        for start in range(0, n, size):
            where = slice(start, min(start + size, n))
            yield where, _dense(self.X[where])

    def mean(self, F: FloatArray) -> FloatArray:
        """Return expected outcomes in the coordinates of the scores, (..., m)."""
        if self.basis is None:
            return np.asarray(expit(F))
        return np.asarray(softmax(F @ self.basis.T) @ self.basis)

    def probabilities(self, F: FloatArray) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        if self.basis is None:
            return np.column_stack([expit(-F), expit(F)])
        return np.asarray(softmax(F @ self.basis.T))

    def curvature(self, F: FloatArray) -> FloatArray:
        """Return the weighted second derivatives in the row's scores, (n, m, m)."""
        if self.basis is None:
            p = expit(F)
            return np.asarray((self.weight[:, None] * p * (1.0 - p))[:, :, None])
        p, m = softmax(F @ self.basis.T), self.n_scores
        pairs = (self.basis[:, :, None] * self.basis[:, None, :]).reshape(-1, m * m)
        mean = p @ self.basis
        second = (p @ pairs).reshape(-1, m, m)
        spread = second - mean[:, :, None] * mean[:, None, :]
        return np.asarray(self.weight[:, None, None] * spread)

    def inverse_hessian(self, curvature: FloatArray) -> FloatArray | None:
        """Return the inverse of the penalised Hessian, (m, p, m, p), if it has one."""
        m, p, d = self.n_scores, len(self.penalty), self.X.shape[1]
        H = np.zeros((m, p, m, p))
        for where, block in self.blocks():
            for a in range(m):
                # Rounding may take a curvature of zero below it.
                root = np.sqrt(np.maximum(curvature[where, a, a, None], 0.0)) * block
                # A product with itself is half the work.
                H[a, :d, a, :d] += root.T @ root
                for b in range(a):
                    weighted = curvature[where, a, b, None] * block
                    H[a, :d, b, :d] += weighted.T @ block
        if self.constant:
            border = self.pull(self.constant * curvature.reshape(-1, m * m))
            border = border.reshape(p, m, m)
            H[:, :, :, -1], H[:, -1] = border.transpose(1, 0, 2), border.T
        for a in range(m):
            H[a, :, a] += np.diag(self.penalty)
        return _inverse(H.reshape(m * p, m * p), (m, p, m, p))

    def leverages(self, inverse: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
        """Yield ``A_i.T H^-1 A_i`` for the rows of each block, shape (b, m, m)."""
        m = self.n_scores
        halves = [np.asarray(np.linalg.cholesky(inverse[a, :, a])) for a in range(m)]
        for where, block in self.blocks():
            found = np.empty((len(block), m, m))
            for a in range(m):
                found[:, a, a] = self._squared_length(block, halves[a])
                for b in range(a):
                    cross = self._product(block, inverse[a, :, b])
                    found[:, a, b] = found[:, b, a] = cross
            yield where, found

    def _product(self, block: FloatArray, form: FloatArray) -> FloatArray:
        """Return a bilinear form, (p, p), of each row with itself, shape (b,)."""
        d = block.shape[1]
        seen = block @ form[:d]
        if not self.constant:
            return np.asarray(np.einsum("ij,ij->i", seen, block))
        seen += self.constant * form[-1]
        last = self.constant * seen[:, -1]
        return np.asarray(np.einsum("ij,ij->i", seen[:, :d], block) + last)

    def _squared_length(self, block: FloatArray, half: FloatArray) -> FloatArray:
        """Return the squared length of each row times a triangular factor, (b,)."""
        d = block.shape[1]
        seen = linalg.blas.dtrmm(
            1.0, half[:d, :d].T, block.T, side=0, lower=0, trans_a=0
        )
        if not self.constant:
            return np.asarray(np.einsum("ij,ij->j", seen, seen))
        seen += self.constant * half[-1, :-1, None]
        last = self.constant * half[-1, -1]
        return np.asarray(np.einsum("ij,ij->j", seen, seen) + last**2)


def _dense(part: Any) -> FloatArray:
    """Return rows as a dense array."""
    return part if isinstance(part, np.ndarray) else np.asarray(part.toarray())


def _inverse(H: FloatArray, shape: tuple[int, ...]) -> FloatArray | None:
    """Return the inverse from the lower triangle, None if it is not to be trusted."""
    diagonal = np.diag(H)
    if not (np.isfinite(diagonal).all() and (diagonal > 0).all()):
        return None
    scale = 1.0 / np.sqrt(diagonal)
    H = H * scale * scale[:, None]
    size = np.abs(np.tril(H))
    norm = float((size.sum(axis=0) + size.sum(axis=1)).max())
    factor, failed = linalg.lapack.dpotrf(H, lower=1)
    if failed or linalg.lapack.dpocon(factor, norm, uplo="L")[0] < _TRUSTED:
        return None
    lower = np.tril(linalg.lapack.dpotri(factor, lower=1)[0])
    full = lower + np.tril(lower, -1).T
    return np.asarray((full * scale * scale[:, None]).reshape(shape))
