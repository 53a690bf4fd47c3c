"""The one function a linear student minimises, so that solvers know no loss.

Notes
-----
Letters: ``A`` columns with the intercept last, (n, c); ``theta`` coefficients, (c, r);
``F`` scores, (n, m). Scores are ``A theta B'`` for an orthonormal basis ``B`` (m, r) of
the directions that the loss feels: softmax ignores a common shift of the scores, so
k >= 3 classes have r = k - 1, and the Hessian is singular only where ``A`` is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

# Numbers in a block of rows: one megabyte stays in the processor's cache.
_BLOCK = 2**17
# A direction is felt if its curvature is above this share of the largest.
_FELT = 1e-12


@dataclass(frozen=True)
class Objective:
    """Weighted sum of losses plus half the penalised squares of the coefficients."""

    A: Any
    target: FloatArray
    weight: FloatArray
    loss: DistillationLoss
    penalty: FloatArray
    basis: FloatArray

    def scores(self, theta: FloatArray) -> FloatArray:
        """Return the scores of all rows, shape (n, m)."""
        return np.asarray(self.A @ theta) @ self.basis.T

    def value(self, theta: FloatArray, F: FloatArray) -> float:
        """Return the penalised sum of losses."""
        penalty = 0.5 * float(self.penalty @ (theta**2).sum(axis=1))
        return float(self.weight @ self.loss.value(F, self.target)) + penalty

    def gradient(self, theta: FloatArray, F: FloatArray) -> FloatArray:
        """Return the derivative in theta, shape (c, r)."""
        pointwise = self.weight[:, None] * self.loss.gradient(F, self.target)
        pulled = np.asarray(self.A.T @ (pointwise @ self.basis))
        return pulled + self.penalty[:, None] * theta

    def hessian(self, F: FloatArray) -> FloatArray:
        """Return the second derivative, shape (r c, r c), output by output."""
        c, r = self.A.shape[1], self.basis.shape[1]
        H = np.zeros((r, c, r, c))
        for rows in _blocks(len(F), c * r):
            curvature = self.basis.T @ self.loss.curvature(F[rows]) @ self.basis
            curvature *= self.weight[rows, None, None]
            for a in range(r):
                H[a, :, a:] += _products(self.A[rows], curvature[:, a, a:])
        for a in range(r):
            H[a, :, a] += np.diag(self.penalty)
            for b in range(a):
                H[a, :, b] = H[b, :, a].T
        return H.reshape(r * c, r * c)

    def slope_at_infinity(self, F: FloatArray) -> float:
        """Return the slope of the losses far along scores F, relative to their size.

        It is negative or zero exactly where going on for ever never costs anything.
        """
        size = float(np.abs(F).max())
        if size == 0.0:
            return np.inf
        unit = F / size
        far = self.loss.gradient(1e200 * unit, self.target)
        slope = float(self.weight @ (far * unit).sum(axis=1))
        return slope / float(self.weight @ np.abs(unit).max(axis=1))


def felt_directions(loss: DistillationLoss, n_outputs: int) -> FloatArray:
    """Return an orthonormal basis of the score directions with curvature, (m, r)."""
    curvature = np.asarray(loss.curvature(np.zeros((1, n_outputs))))[0]
    values, vectors = np.linalg.eigh(curvature)
    basis: FloatArray = vectors[:, values > _FELT * values[-1]]
    return basis


def gram(A: Any, h: FloatArray) -> FloatArray:
    """Return ``A' diag(h) A`` for dense or sparse columns and h >= 0, (c, c)."""
    if sparse.issparse(A):
        return np.asarray((A.T @ (sparse.diags_array(h) @ A)).toarray())
    # A matrix times itself costs half: only one triangle is computed. Rounding may
    # leave the curvature of saturated rows a hair below zero.
    root = np.sqrt(np.maximum(h, 0.0))[:, None] * A
    return np.asarray(root.T @ root)


def _products(A: Any, h: FloatArray) -> FloatArray:
    """Return ``A' diag(h_b) A`` for every column b of h, shape (c, b, c)."""
    if sparse.issparse(A):
        return np.stack([gram(A, column) for column in h.T], axis=1)
    if h.shape[1] == 1:
        return gram(A, h[:, 0])[:, None]
    weighted = (h[:, :, None] * A[:, None, :]).reshape(len(A), -1)
    return np.asarray(A.T @ weighted).reshape(A.shape[1], h.shape[1], -1)


def _blocks(n_rows: int, width: int) -> Iterator[slice]:
    """Yield slices that cover the rows and hold about as many numbers each."""
    length = max(_BLOCK // width, 64)
    for start in range(0, n_rows, length):
        yield slice(start, start + length)
