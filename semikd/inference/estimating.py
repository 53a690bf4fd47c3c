"""The record that a fitted linear model hands to inference: roots of its scores.

Notes
-----
Least squares and logistic regression, of one output or several, differ in what a
residual is and in how it bends; their sandwiches are the same. Letters: n rows, p
columns of the design, m outputs, d = m p coefficients, output by output.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from semikd._validation import (
    FloatArray,
    Shown,
    finite_array,
    invalid,
    weights_or_ones,
)
from semikd.inference.influence import frozen

__all__ = ["EstimatingEquation"]


@dataclass(frozen=True, eq=False)
class EstimatingEquation:
    r"""Coefficients at which the weighted scores of all rows sum to zero.

    .. math:: \sum_i w_i\, r_i(\hat\theta) \otimes x_i = 0, \qquad
       J = \sum_i w_i\, V_i \otimes x_i x_i^\top, \quad
       V_i = -\frac{\partial r_i}{\partial (\theta x_i)}

    Parameters
    ----------
    estimate : array of shape (m, p)
        The coefficients.
    design : array of shape (n, p)
        The columns that they multiply, a constant one among them.
    residual : array of shape (n, m)
        Residuals r at the estimate.
    curvature : array of shape (n, m, m) or None
        V, symmetric and not negative: None for the identity of least squares,
        :math:`\operatorname{diag}\pi - \pi\pi^\top` for logistic regression.
    weights : array of shape (n,), optional
        Sampling weights; ones by default.

    Raises
    ------
    ValueError
        If shapes disagree, or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import EstimatingEquation
    >>> x, y = np.ones((3, 1)), np.array([[1.0], [2.0], [6.0]])
    >>> mean = EstimatingEquation([[3.0]], x, y - 3.0, None)
    >>> mean.jacobian, mean.score.sum()
    (array([[3.]]), np.float64(0.0))
    """

    estimate: FloatArray
    design: FloatArray
    residual: FloatArray
    curvature: FloatArray | None
    weights: FloatArray | None = None

    def __post_init__(self) -> None:
        """Check the arrays and freeze them."""
        estimate = finite_array("estimate", self.estimate, shape=(None, None))
        m, p = estimate.shape
        design = finite_array("design", self.design, shape=(None, p))
        n = len(design)
        checked = {
            "estimate": estimate,
            "design": design,
            "residual": finite_array("residual", self.residual, shape=(n, m)),
            "weights": weights_or_ones(self.weights, n),
        }
        if self.curvature is not None:
            shape = (n, m, m)
            checked["curvature"] = finite_array(
                "curvature", self.curvature, shape=shape
            )
        for name, value in checked.items():
            object.__setattr__(self, name, frozen(value))

    @property
    def weight(self) -> FloatArray:
        """Sampling weights, shape (n,)."""
        assert self.weights is not None  # noqa: S101 - filled in when it was made
        return self.weights

    @property
    def n_free(self) -> int:
        """Coefficients that one residual depends on: of least squares its own p."""
        m, p = self.estimate.shape
        return int(p if self.curvature is None else m * p)

    @cached_property
    def score(self) -> FloatArray:
        """Weighted scores of the rows, shape (n, d)."""
        return self.scores_of(self.residual)

    @cached_property
    def jacobian(self) -> FloatArray:
        """Derivative of minus the sum of the scores, shape (d, d)."""
        return self.jacobian_of(slice(None))

    @cached_property
    def inverse(self) -> FloatArray:
        """Inverse of the Jacobian, shape (d, d)."""
        try:
            return np.asarray(np.linalg.inv(self.jacobian))
        except np.linalg.LinAlgError:
            shown = Shown("columns that depend on one another")
            constraint = "determine every coefficient"
            raise invalid("design", constraint, shown, "Drop one of them") from None

    def scores_of(self, residual: FloatArray) -> FloatArray:
        """Return the weighted scores that residuals (n, m) give, shape (n, d)."""
        weighted = self.weight[:, None] * residual
        spread = weighted[:, :, None] * self.design[:, None, :]
        return np.asarray(spread.reshape(len(spread), -1))

    def jacobian_of(self, rows: slice | np.ndarray) -> FloatArray:
        """Return the part of the Jacobian that some rows make, shape (d, d)."""
        m, p = self.estimate.shape
        x, weight = self.design[rows], self.weight[rows]
        if self.curvature is None:
            return np.asarray(np.kron(np.eye(m), x.T @ (weight[:, None] * x)))
        bent = weight[:, None, None] * self.curvature[rows]
        found = np.empty((m, p, m, p))
        for a in range(m):
            for b in range(a, m):
                block = x.T @ (bent[:, a, b, None] * x)
                found[a, :, b, :] = found[b, :, a, :] = block
        return found.reshape(m * p, m * p)

    def root_of(self, rows: np.ndarray) -> FloatArray:
        """Return R with the part of the Jacobian as R'R, shape (rows times m, d)."""
        m = len(self.estimate)
        x = np.sqrt(self.weight[rows])[:, None] * self.design[rows]
        bent = np.eye(m)[None]
        if self.curvature is not None:
            bent = matrix_power(self.curvature[rows], 0.5)
        spread = bent[:, :, :, None] * x[:, None, None, :]
        return np.asarray(spread.reshape(len(x) * m, -1))

    def reach(self) -> tuple[FloatArray, FloatArray]:
        r"""Return how far residuals of 1 can move coefficients: of a row, and of all.

        .. math:: |J^{-1}| \max_i w_i |x_i|, \qquad |J^{-1}| \sum_i w_i |x_i|

        each of shape (d,): rounding of residuals moves them by that times its size.
        """
        spread, m = np.abs(self.weight[:, None] * self.design), len(self.estimate)
        pulled = np.abs(self.inverse)
        of_row, of_all = (
            pulled @ np.tile(each, m)
            for each in (spread.max(axis=0), spread.sum(axis=0))
        )
        return of_row, of_all

    def pull(self) -> FloatArray:
        r"""Return how a residual of each row moves its scores, (n, m, m) or (n, 1, 1).

        .. math:: M_i = w_i\, (I_m \otimes x_i)^\top J^{-1} (I_m \otimes x_i)

        of least squares a number times the identity, shape (n, 1, 1).
        """
        m = 1 if self.curvature is None else len(self.estimate)
        blocks = self.inverse.reshape(*self.estimate.shape, *self.estimate.shape)
        x, moved = self.design, np.empty((len(self.design), m, m))
        for a in range(m):
            for b in range(m):
                moved[:, a, b] = ((x @ blocks[a, :, b, :]) * x).sum(axis=1)
        return np.asarray(self.weight[:, None, None] * moved)


def matrix_power(matrices: FloatArray, power: float) -> FloatArray:
    """Return powers of symmetric matrices (n, m, m); any power of 0 is 0."""
    if matrices.shape[-1] == 1:
        return _power(matrices, power)
    values, vectors = np.linalg.eigh(matrices)
    raised = _power(values, power)
    return np.asarray((vectors * raised[..., None, :]) @ vectors.swapaxes(-1, -2))


def _power(values: FloatArray, power: float) -> FloatArray:
    """Return powers of what is positive, and 0 of what is not."""
    positive = values > 0.0
    return np.where(positive, np.where(positive, values, 1.0) ** power, 0.0)
