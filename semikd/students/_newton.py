"""Solvers of a linear student, tight enough that a weight equals a repetition.

Newton's method with exact blocks of the Hessian where it fits, L-BFGS where it does
not, and weighted least squares where one step is the answer.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, optimize, sparse

from semikd._validation import Shown, invalid
from semikd.simplex import FloatArray
from semikd.students._objective import Objective, gram

_EPS = float(np.finfo(np.float64).eps)
# Below this reciprocal condition number (of a unit diagonal) Cholesky is not trusted.
_TRUSTED = 1e-12
# Slopes at infinity below this count as zero: quasi-separation is only approached.
_FLAT = 1e-9
# Newton's method needs tens of steps where L-BFGS needs hundreds.
_LBFGS_STEPS = 10


@dataclass(frozen=True)
class Solution:
    """Where a solver stopped, and by how much its last step moved the scores."""

    theta: FloatArray
    n_iter: int
    converged: bool
    last_move: float


def newton(objective: Objective, *, tol: float, max_iter: int) -> Solution:
    """Minimise by damped Newton steps until none moves the scores by more than tol."""
    theta = np.zeros((objective.A.shape[1], objective.basis.shape[1]))
    F = objective.scores(theta)
    value = objective.value(theta, F)
    move = np.inf
    for n_iter in range(1, max_iter + 1):
        gradient = objective.gradient(theta, F)
        flat = solve(objective.hessian(F), -gradient.T.ravel())
        step = flat.reshape(theta.shape[::-1]).T
        moved = objective.scores(step)
        descent = -float((gradient * step).sum())
        noise = 4.0 * _EPS * abs(value)
        size = 1.0
        while size > _EPS:
            after = objective.value(theta + size * step, F + size * moved)
            if after <= value - 1e-4 * size * descent + noise:
                break
            size /= 2.0
        theta, F, value = theta + size * step, F + size * moved, after
        move = size * float(np.abs(moved).max()) / max(1.0, float(np.abs(F).max()))
        check_bounded(objective, F, moved)
        # Where no decrease can be measured, the quadratic step just taken was the last.
        if move <= tol or descent <= noise:
            return Solution(theta, n_iter, size > _EPS, move)
    return Solution(theta, max_iter, False, move)


def lbfgs(objective: Objective, *, tol: float, max_iter: int) -> Solution:
    """Minimise without a Hessian until the gradient is tol of its start."""
    shape = (objective.A.shape[1], objective.basis.shape[1])
    scale = _column_scale(objective)[:, None]

    def value_and_gradient(flat: FloatArray) -> tuple[float, FloatArray]:
        theta = scale * flat.reshape(shape)
        F = objective.scores(theta)
        gradient = scale * objective.gradient(theta, F)
        return objective.value(theta, F), gradient.ravel()

    def watch(flat: FloatArray) -> None:
        F = objective.scores(scale * flat.reshape(shape))
        check_bounded(objective, F, F)

    start = np.zeros(shape[0] * shape[1])
    goal = tol * float(np.abs(value_and_gradient(start)[1]).max())
    result = optimize.minimize(
        value_and_gradient,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=watch,
        options={
            "maxiter": _LBFGS_STEPS * max_iter,
            "maxfun": 2 * _LBFGS_STEPS * max_iter,
            "maxcor": 20,
            "maxls": 50,
            "gtol": goal,
            "ftol": 0.0,
        },
    )
    left = float(np.abs(result.jac).max())
    # At the last digits the line search gives up although nothing is left to gain.
    converged = left <= 100.0 * goal
    move = left / goal * tol if goal else 0.0
    theta = scale * result.x.reshape(shape)
    return Solution(theta, max(result.nit, 1), converged, move)


def _column_scale(objective: Objective) -> FloatArray:
    """Return units in which columns count alike; none without a penalty.

    Unscaled steps from zero stay in the row space: the minimum-norm solution.
    """
    if not objective.penalty.any():
        return np.ones(len(objective.penalty))
    A = objective.A
    squares = A.multiply(A) if sparse.issparse(A) else A**2
    total = np.asarray(squares.T @ objective.weight) + objective.penalty
    return 1.0 / np.sqrt(np.where(total > 0, total, 1.0))


def check_bounded(objective: Objective, F: FloatArray, moved: FloatArray) -> None:
    """Refuse data on which the solver only runs away, with or without a lower bound.

    Convexity makes this a proof: a loss that does not rise far along a direction has
    no minimum, whatever the starting point. A penalty always turns it upward.
    """
    if objective.penalty.any():
        return
    slope = min(objective.slope_at_infinity(scores) for scores in (F, moved))
    if slope <= _FLAT:
        raise unbounded(F)


def unbounded(F: FloatArray) -> ValueError:
    """Return the refusal of targets at which the loss has no minimum."""
    shown = Shown(f"scores that grow without bound (largest {np.abs(F).max():.3g})")
    return invalid(
        "target",
        "leave the loss a minimum: separable classes, or targets outside [0, 1], "
        "do not without a penalty",
        shown,
        "Use a ridge above 0, or a smaller correction",
    )


def solve(H: FloatArray, g: FloatArray) -> FloatArray:
    """Return the solution of ``H x = g`` for H >= 0, of minimum norm if singular."""
    scale = _diagonal_scale(H)
    scaled = H * scale * scale[:, None]
    factor = _cholesky(scaled, _TRUSTED)
    if factor is not None:
        return np.asarray(scale * linalg.cho_solve(factor, scale * g))
    values, vectors = linalg.eigh(scaled)
    kept = values > 4.0 * len(g) * _EPS * values[-1]
    inside, null = vectors[:, kept], scale[:, None] * vectors[:, ~kept]
    x = scale * (inside @ ((inside.T @ (scale * g)) / values[kept]))
    q, _ = linalg.qr(null, mode="economic")
    return np.asarray(x - q @ (q.T @ x))


def least_squares(
    A: Any, target: FloatArray, weight: FloatArray, penalty: FloatArray
) -> FloatArray:
    """Return the weighted ridge regression of every target column, shape (c, m)."""
    H = gram(A, weight) + np.diag(penalty)
    scale = _diagonal_scale(H)
    factor = _cholesky(H * scale * scale[:, None], 100.0 * _TRUSTED)
    if factor is None:
        return _least_norm(A, target, weight, penalty, H)
    theta = np.zeros((A.shape[1], target.shape[1]))
    # The second round is iterative refinement: the digits that squaring A has cost.
    for _ in range(2):
        residual = weight[:, None] * (target - np.asarray(A @ theta))
        g = np.asarray(A.T @ residual) - penalty[:, None] * theta
        theta += scale[:, None] * linalg.cho_solve(factor, scale[:, None] * g)
    return theta


def _least_norm(
    A: Any,
    target: FloatArray,
    weight: FloatArray,
    penalty: FloatArray,
    H: FloatArray,
) -> FloatArray:
    """Return the minimum-norm solution where columns depend on one another."""
    if sparse.issparse(A):
        g = np.asarray(A.T @ (weight[:, None] * target))
        return np.column_stack([solve(H, column) for column in g.T])
    root = np.sqrt(weight)[:, None]
    rows = np.vstack([root * A, np.diag(np.sqrt(penalty))[penalty > 0]])
    values = np.zeros((len(rows), target.shape[1]))
    values[: len(target)] = root * target
    return np.asarray(np.linalg.lstsq(rows, values)[0])


def _diagonal_scale(H: FloatArray) -> FloatArray:
    """Return the factors that make the diagonal one, where it is not zero."""
    diagonal = np.diag(H)
    return np.asarray(1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0)))


def _cholesky(H: FloatArray, trusted: float) -> tuple[FloatArray, bool] | None:
    """Return the factor of a well-conditioned matrix, or None."""
    if not np.isfinite(H).all():
        return None
    factor, failed = linalg.lapack.dpotrf(H)
    if failed:
        return None
    rcond, _ = linalg.lapack.dpocon(factor, float(np.abs(H).sum(axis=0).max()))
    return (factor, False) if rcond > trusted else None
