"""The weight that is best against the worst truth near the teacher's answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd._validation import choose, invalid, number
from semikd.corrections.base import Correction
from semikd.corrections.formula import label_noise
from semikd.losses import (
    DistillationLoss,
    IdentityLoss,
)
from semikd.simplex import FloatArray

# Values of the truth that are tried on scales that bend, ends of the set included.
_GRID = 101
# Halvings of [0, 1]: the weight is exact to 1e-12.
_STEPS = 40
_ROWS = 1_024

# Answer and weight of each row -> slope of the worst risk in the weight.
_Slope = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class MinimaxCorrection(Correction):
    r"""The weight with the smallest worst risk over truths near the teacher's answer.

    .. math:: \Lambda = \arg\min_{\Lambda \in [0, 1]} \max_{p \in U(\hat p)}
       \|\varphi(\hat p) + \Lambda J_\varphi (p - \hat p) - \varphi(p)\|^2
       + \Lambda^2 \kappa \operatorname{tr}[J_\varphi (\operatorname{diag} p
       - p p^\top) J_\varphi^\top]

    Squared bias plus variance of a student of :math:`\kappa n` degrees of freedom,
    counted for linear students and measured for others, by two fits more. The
    sets, for the probability of one class, cut to [0, 1]:

    - 'relative': :math:`[\hat p / (1 + c),\; \hat p\,(1 + c)]`;
    - 'absolute': :math:`[\hat p - c,\; \hat p + c]`;
    - 'power': between :math:`\hat p` and :math:`\hat p^{1/t}`.

    With two classes the set is about the second, as published. With more, each class
    has its set in turn, while the others keep their proportions, and the worst class
    counts.

    Parameters
    ----------
    error_set : {'relative', 'absolute', 'power'}, default='relative'
        The set.
    size : float, default=1.0
        c at least 0, or t above 0. The teacher itself alone (c = 0, t = 1) gives no
        correction, and larger sets more.

    Raises
    ------
    ValueError
        If the set is unknown or the size out of range; by ``weight``, for a regression,
        which has no probabilities.

    Notes
    -----
    The risk is convex in the weight, so that halving [0, 1] by the sign of its slope
    finds the minimum to 1e-12. On linear scales (probabilities, and cross-entropy at
    T = 1) the risk is quadratic in the truth and its maximum is taken exactly, at an
    end of the set or its stationary point. On other scales the truth runs over 101
    evenly spaced values of the set, ends included; a set that reaches 0 or 1 then holds
    a truth as far away as the floor of the scale puts it, and most such rows are
    corrected in full: on log-odds, with c = 0.1 about :math:`\hat p`, an answer of 0.1
    is at :math:`\kappa = 0.1`, and one of 0.3 by 0.44.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021: the sets are those of the released code,
       which lets weights leave [0, 1], searches a coarse grid and has
       :math:`\kappa = 1`. More than two classes are this library's reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import MinimaxCorrection
    >>> from semikd.losses import ProbabilityLoss
    >>> p = np.array([[0.5, 0.5], [0.9, 0.1]])
    >>> rule = MinimaxCorrection("absolute", size=0.1)
    >>> rule.weight(p, None, ProbabilityLoss(), complexity=0.1).round(2)
    array([0.29, 0.38])
    """

    error_set: str = "relative"
    size: float = 1.0

    def __post_init__(self) -> None:
        kinds = {"relative": False, "absolute": False, "power": True}
        positive = choose("error_set", self.error_set, kinds)
        number("size", self.size, low=0.0, open_low=positive)

    def __str__(self) -> str:
        return f"minimax {self.error_set} {self.size:.4g}"

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return the minimax weight of each row."""
        if isinstance(loss, IdentityLoss):
            remedy = "Use ShrinkageCorrection(squared_error, noise_variance=...)"
            raise invalid("loss", "be one of probabilities", loss, remedy)
        weight = np.full(len(p), np.nan)
        labelled = np.flatnonzero(np.isfinite(p).all(axis=1))
        slopes = self._exact if loss.is_linear else self._tried
        for start in range(0, len(labelled), _ROWS):
            rows = labelled[start : start + _ROWS]
            weight[rows] = _root(slopes(p[rows], loss, complexity), len(rows))
        return weight

    def _ends(self, p: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the set of a class, each (n,)."""
        if self.error_set == "relative":
            low, high = p / (1.0 + self.size), p * (1.0 + self.size)
        elif self.error_set == "absolute":
            low, high = p - self.size, p + self.size
        else:
            powered = p ** (1.0 / self.size)
            low, high = np.minimum(p, powered), np.maximum(p, powered)
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)

    def _exact(self, p: FloatArray, loss: DistillationLoss, kappa: float) -> _Slope:
        """Return the slope on a scale where the risk is quadratic in the truth."""
        sets = [_Parabola.of(p, j, self._ends(p[:, j]), loss) for j in _classes(p)]

        def slope(weight: FloatArray) -> FloatArray:
            found = [each.worst(weight, kappa) for each in sets]
            return _of_largest(found)

        return slope

    def _tried(self, p: FloatArray, loss: DistillationLoss, kappa: float) -> _Slope:
        """Return the slope on a scale that bends, over a grid of truths."""
        n = len(p)
        shares = np.linspace(0.0, 1.0, _GRID)[:, None]
        answer = np.tile(p, (_GRID, 1))
        terms = []
        for j in _classes(p):
            low, high = self._ends(p[:, j])
            truth = _moved(answer, j, (low + shares * (high - low)).ravel())
            step = np.asarray(loss.jvp(answer, truth - answer))
            error = np.asarray(loss.phi(truth)) - np.asarray(loss.phi(answer))
            square = (step**2).sum(axis=1) + kappa * label_noise(loss, answer, truth)
            each = square, (step * error).sum(axis=1), (error**2).sum(axis=1)
            terms.append([term.reshape(_GRID, n) for term in each])
        a, b, c = (np.concatenate(term) for term in zip(*terms, strict=True))

        def slope(weight: FloatArray) -> FloatArray:
            risk = (a * weight - 2.0 * b) * weight + c
            worst = risk.argmax(axis=0)[None]
            here = np.take_along_axis(a, worst, 0)[0] * weight
            return np.asarray(2.0 * (here - np.take_along_axis(b, worst, 0)[0]))

        return slope


@dataclass(frozen=True, eq=False)
class _Parabola:
    """Squared error and noise as the truth t of a class runs over its set.

    Squared error is ``unit * (t - at)²``, noise ``noise @ (1, t, t²)``.
    """

    at: FloatArray
    ends: tuple[FloatArray, FloatArray]
    unit: FloatArray
    noise: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def of(
        cls,
        p: FloatArray,
        j: int,
        ends: tuple[FloatArray, FloatArray],
        loss: DistillationLoss,
    ) -> "_Parabola":
        """Measure them on a linear scale at 0, 1/2 and 1, which is enough."""
        at = [_moved(p, j, np.full(len(p), t)) for t in (0.0, 0.5, 1.0)]
        none, half, full = (label_noise(loss, p, truth) for truth in at)
        square = 2.0 * (full - 2.0 * half + none)
        unit = (np.asarray(loss.jvp(p, at[2] - at[0])) ** 2).sum(axis=1)
        return cls(p[:, j], ends, unit, (none, full - none - square, square))

    def worst(self, weight: FloatArray, kappa: float) -> tuple[FloatArray, FloatArray]:
        """Return the largest risk over the set and its slope in the weight."""
        level, tilt, square = self.noise
        bias, spread = (1.0 - weight) ** 2 * self.unit, kappa * weight**2
        bend = bias + spread * square
        top = bias * self.at - 0.5 * spread * tilt
        low, high = self.ends
        # Where the risk bends upward there is no inner maximum, and an end serves.
        inner = np.divide(top, bend, out=low.copy(), where=bend < 0)
        found = []
        for t in (low, high, np.clip(inner, low, high)):
            error = self.unit * (t - self.at) ** 2
            noise = kappa * (level + t * (tilt + t * square))
            risk = (1.0 - weight) ** 2 * error + weight**2 * noise
            found.append((risk, 2.0 * (weight * (error + noise) - error)))
        risks = np.stack([risk for risk, _ in found])
        return risks.max(axis=0), _of_largest(found)


def _of_largest(found: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Return, row by row, the slope that goes with the largest risk."""
    risks, slopes = (np.stack(each) for each in zip(*found, strict=True))
    return np.asarray(np.take_along_axis(slopes, risks.argmax(axis=0)[None], 0)[0])


def _root(slope: _Slope, n: int) -> FloatArray:
    """Return the weights in [0, 1] at which a convex risk is smallest."""
    low, high = np.zeros(n), np.ones(n)
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        falls = slope(middle) < 0
        low, high = np.where(falls, middle, low), np.where(falls, high, middle)
    # A risk that falls, or rises, all the way has its minimum at the very end.
    ends = np.where(slope(np.ones(n)) < 0, 1.0, high)
    return np.asarray(np.where(low == 0.0, 0.0, ends))


def _classes(p: FloatArray) -> range:
    """Return the classes whose probabilities have sets."""
    return range(1, 2) if p.shape[1] == 2 else range(p.shape[1])


def _moved(p: FloatArray, j: int, t: FloatArray) -> FloatArray:
    """Return p with probability t for a class, the others in their proportions."""
    others = np.delete(np.arange(p.shape[1]), j)
    rest = p[:, others]
    mass = rest.sum(axis=1, keepdims=True)
    even = np.full_like(rest, 1.0 / len(others))
    share = np.divide(rest, mass, out=even, where=mass > 0)
    moved = np.empty_like(p)
    moved[:, j], moved[:, others] = t, (1.0 - t)[:, None] * share
    return moved
