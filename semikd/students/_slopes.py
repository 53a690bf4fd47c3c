"""What boosting asks of a loss: slopes of each score on its own, and where to start."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = ["Slopes", "best_constant", "score_curvature", "slope_at_infinity"]

# Start no further out than this many nats: in float32 a probability of 3e-7 is the
# last one whose complement is not 1.
_FARTHEST = 15.0
# Beyond any score, and far from overflow.
_INFINITY = 1e200
# Numbers of a block of second derivatives: 2 MiB stay in the processor's cache.
_BLOCK = 2**18


@dataclass(frozen=True, eq=False)
class Slopes:
    r"""Weighted first and second derivatives of a loss in each score, as boosters ask.

    .. math:: g_j = w \, \partial_j \ell(f; \tau), \qquad
       h_j = w \, \max\Bigl(\sum_l |\partial_{jl} \ell(f)|,
       \; [-\partial_j \ell(\pm\infty; \tau)]_\pm\Bigr)

    A booster moves all scores of a row at once as if no two were coupled, so ``h`` must
    bound the full matrix of second derivatives. Its absolute row sums do (Gershgorin):
    with one score they are the derivative itself, for cross-entropy of k >= 3 classes
    :math:`2 q_j (1 - q_j) / T^2`. The second term is zero unless a corrected target
    lies beyond what any score can reach; there the slope stays and the curvature goes,
    and it limits a step to one nat where Newton's would grow without end.

    Parameters
    ----------
    loss : DistillationLoss
        The scale.
    target : ndarray of shape (n, m)
        Targets; (n, 2m) beside labels.
    weight : ndarray of shape (n,)
        Weights of the rows.
    least : ndarray of shape (n, m)
        Floor of the second derivative, from ``slope_at_infinity``.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss
    >>> from semikd.students._slopes import Slopes
    >>> target, floor = np.array([[0.7]]), np.zeros((1, 1))
    >>> Slopes(CrossEntropyLoss(), target, np.array([2.0]), floor)(None, np.zeros(1))
    (array([-0.4]), array([0.5]))
    """

    loss: DistillationLoss
    target: FloatArray
    weight: FloatArray
    least: FloatArray

    def __call__(
        self,
        labels: NDArray[Any] | None,
        scores: NDArray[Any],
    ) -> tuple[FloatArray, FloatArray]:
        """Return both derivatives at the scores of a round, in their shape."""
        f = np.asarray(scores, dtype=np.float64).reshape(self.least.shape)
        gradient = self.weight[:, None] * self.loss.gradient(f, self.target)
        bound = np.maximum(score_curvature(self.loss, f), self.least)
        curvature = self.weight[:, None] * bound
        return gradient.reshape(scores.shape), curvature.reshape(scores.shape)


def score_curvature(loss: DistillationLoss, f: FloatArray) -> FloatArray:
    """Return the absolute row sums of the second derivative, shape (n, m)."""
    rows = max(1, _BLOCK // f.shape[1] ** 2)
    blocks = (f[start : start + rows] for start in range(0, len(f), rows))
    return np.concatenate([np.abs(loss.curvature(b)).sum(axis=-1) for b in blocks])


def slope_at_infinity(loss: DistillationLoss, target: FloatArray) -> FloatArray:
    """Return by how much the loss still falls as a score goes to infinity, (n, m).

    It is zero where the loss has a minimum in that score. For cross-entropy it is the
    distance of a target from the unit interval, over T.
    """
    width = loss.n_scores(target)
    least = np.zeros((len(target), width))
    for j in range(width):
        for sign in (1.0, -1.0):
            far = np.zeros_like(least)
            far[:, j] = sign * _INFINITY
            slope = -sign * loss.gradient(far, target)[:, j]
            least[:, j] = np.maximum(least[:, j], slope)
    return least


def best_constant(
    loss: DistillationLoss, target: FloatArray, weight: FloatArray
) -> FloatArray:
    """Return the one score, within 15 nats, that minimises the weighted loss, (m,).

    A loss is affine in its target, so this is the best score for the mean target.
    """
    mean = np.average(target, axis=0, weights=weight)[None]

    def value_and_slope(f: FloatArray) -> tuple[float, FloatArray]:
        return float(loss.value(f[None], mean)[0]), loss.gradient(f[None], mean)[0]

    width = loss.n_scores(target)
    found = minimize(
        value_and_slope,
        np.zeros(width),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_FARTHEST, _FARTHEST)] * width,
        options={"ftol": 0.0, "gtol": 1e-10, "maxiter": 1000},
    )
    return np.asarray(found.x)
