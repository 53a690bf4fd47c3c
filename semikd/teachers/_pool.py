r"""Pools of log-probabilities: the one convex problem behind calibration and stacking.

.. math:: q \propto \exp\Bigl(b + \sum_m a_m \circ \log p^{(m)}\Bigr)

One teacher with one slope is a temperature, with shifts besides the logistic
calibration of Platt, with slopes by class beta calibration; several teachers with
a slope each are a stack.

Notes
-----
Letters: ``p`` labels of M teachers, (M, n, k); ``y`` one-hot outcomes, (n, k); ``a``
slopes, (M, k); ``b`` shifts, (k,). The shifts are slopes of a teacher whose logarithms
are all one, so that slopes and shifts are one array of shape (M + 1, k). Equal ones are
tied together by a basis of shape ((M + 1) k, P): there are P free numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd.simplex import FloatArray, clip, log_softmax, softmax

__all__ = ["Pool", "PoolProblem", "fit_pool", "tied_basis"]

_STEPS = 200
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Pool:
    """A fitted pool, which is a second stage.

    Parameters
    ----------
    slopes : ndarray of shape (M, k)
        How much each teacher's log-probability of each class counts.
    shifts : ndarray of shape (k,)
        What is added to the score of each class.
    floor : float
        No probability below it is read or answered.
    """

    slopes: FloatArray
    shifts: FloatArray
    floor: float

    def __call__(self, answers: list[FloatArray], X: Any) -> FloatArray:
        """Return the pooled labels, shape (n, k)."""
        scores = np.tile(self.shifts, (len(answers[0]), 1))
        for slope, answer in zip(self.slopes, answers, strict=True):
            scores += slope * logarithms(answer, self.floor)
        return np.asarray(clip(softmax(scores), self.floor))


@dataclass(frozen=True)
class PoolProblem:
    """Penalised log-loss of a pool and its derivatives in the free numbers."""

    logs: FloatArray
    outcome: FloatArray
    weight: FloatArray
    basis: FloatArray
    start: FloatArray
    penalty: float

    def value(self, theta: FloatArray) -> float:
        """Return the weighted sum of losses, in nats, plus the penalty."""
        loss = -(self.outcome * log_softmax(self._scores(theta))).sum(axis=1)
        off = theta - self.start
        return float(self.weight @ loss + 0.5 * self.penalty * (off @ off))

    def derivatives(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the gradient, shape (P,), and the Hessian, shape (P, P)."""
        q, w = softmax(self._scores(theta)), self.weight[:, None]
        d, k = len(self.logs), q.shape[1]
        slope = np.einsum("dnk,nk->dk", self.logs, w * (q - self.outcome)).ravel()
        moved = (self.logs * q).transpose(1, 0, 2).reshape(-1, d * k)
        curve = -(moved.T @ (w * moved))
        own = np.einsum("dnk,enk,nk->dek", self.logs, self.logs, w * q)
        at = np.arange(d * k).reshape(d, k)
        curve[at[:, None, :], at[None, :, :]] += own
        gradient = self.basis.T @ slope + self.penalty * (theta - self.start)
        hessian = self.basis.T @ curve @ self.basis
        return gradient, hessian + self.penalty * np.eye(len(theta))

    def _scores(self, theta: FloatArray) -> FloatArray:
        """Return the scores of all rows, shape (n, k)."""
        slopes = (self.basis @ theta).reshape(len(self.logs), -1)
        return np.asarray(np.einsum("dnk,dk->nk", self.logs, slopes))


def logarithms(p: FloatArray, floor: float) -> FloatArray:
    """Return log-probabilities, those below the floor lifted to it."""
    return np.asarray(np.log(clip(p, floor)))


def tied_basis(n_teachers: int, k: int, *, slopes: str, shifts: bool) -> FloatArray:
    """Return which free number each slope and shift is, shape ((M + 1) k, P).

    ``slopes`` is 'each' class its own, or 'one' for all classes of a teacher.
    """
    own = np.eye(k) if slopes == "each" else np.ones((k, 1))
    tied = np.kron(np.eye(n_teachers), own)
    columns = [np.vstack([tied, np.zeros((k, tied.shape[1]))])]
    if shifts:
        columns.append(np.vstack([np.zeros((n_teachers * k, k)), np.eye(k)]))
    return np.hstack(columns)


def fit_pool(
    answers: list[FloatArray],
    outcome: FloatArray,
    weight: FloatArray,
    *,
    slopes: str,
    shifts: bool,
    penalty: float,
    floor: float,
) -> Pool:
    r"""Return the pool with the least penalised log-loss, its slopes non-negative.

    The penalty is that of a normal prior around the plain (geometric) mean of the
    teachers, in which each slope is 1 / M and each shift 0: it keeps separable answers
    from infinite slopes and is worth about a row.
    """
    m, k = len(answers), outcome.shape[1]
    basis = tied_basis(m, k, slopes=slopes, shifts=shifts)
    n_slopes = basis.shape[1] - (k if shifts else 0)
    start = np.zeros(basis.shape[1])
    start[:n_slopes] = 1.0 / m
    low = np.full(basis.shape[1], -np.inf)
    low[:n_slopes] = 0.0
    logs = np.stack(
        [*(logarithms(p, floor) for p in answers), np.ones_like(outcome)], axis=0
    )
    problem = PoolProblem(logs, outcome, weight, basis, start, penalty)
    found = (basis @ projected_newton(problem, start, low)).reshape(m + 1, k)
    return Pool(found[:m], found[m], floor)


def projected_newton(
    problem: PoolProblem, theta: FloatArray, low: FloatArray
) -> FloatArray:
    """Minimise above lower bounds by Newton steps in the numbers that are free.

    References
    ----------
    .. [1] D. P. Bertsekas, "Projected Newton Methods for Optimization Problems with
       Simple Constraints", SIAM J. Control Optim. 20 (1982), Section 2.
    """
    value = problem.value(theta)
    for _ in range(_STEPS):
        gradient, hessian = problem.derivatives(theta)
        free = ~((theta <= low) & (gradient > 0.0))
        step = np.zeros_like(theta)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], -gradient[free])
        noise = 8.0 * _EPS * (1.0 + abs(value))
        size, descent = 1.0, 0.0
        while size > _EPS:
            new = np.maximum(theta + size * step, low)
            descent = float(gradient @ (theta - new))
            after = problem.value(new)
            if after <= value - 1e-4 * descent + noise:
                break
            size /= 2.0
        theta, value = new, after
        # Where no decrease can be measured, the quadratic step just taken was the last.
        if descent <= noise:
            break
    return theta
