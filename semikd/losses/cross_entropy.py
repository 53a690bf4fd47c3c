"""Cross-entropy at a temperature, the loss of linear students and networks."""

from dataclasses import dataclass
from typing import ClassVar

from semikd._validation import number
from semikd.losses.base import DistillationLoss, identity_like
from semikd.simplex import (
    Array,
    last_column,
    log_softmax,
    namespace,
    row_max,
    row_sum,
    softmax,
    two_scores,
)


@dataclass(frozen=True)
class CrossEntropyLoss(DistillationLoss):
    r"""Annealed cross-entropy (Hinton's distillation loss without its factor T²).

    .. math:: -\sum_j \tau_j \log \operatorname{softmax}(f / T)_j, \qquad
       \varphi(p) = p^{1/T} / \textstyle\sum_l p_l^{1/T}

    Two classes use one score, their log-odds. Scores become probabilities by the plain
    softmax: a student that meets its target has :math:`f = \log p` up to a shift.
    A corrected target may leave the simplex; the loss stays convex in f, but a student
    that can fit every row on its own then has no minimum.

    Parameters
    ----------
    temperature : float, default=1.0
        T. At 1 this is ordinary cross-entropy, :math:`\varphi(p)=p`, and a full
        correction trains on the labels. As T grows the loss approaches squared
        log-probabilities over T².
    min_proba : float, default=1e-3
        Below this probability :math:`p^{1/T}` goes on as its tangent, for T > 1 only
        (otherwise its slope is bounded).

    Raises
    ------
    ValueError
        If ``temperature`` is not positive or ``min_proba`` not in (0, 0.5].

    References
    ----------
    .. [1] G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural
       Network", 2015, Section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss
    >>> loss = CrossEntropyLoss()
    >>> loss.gradient(np.array([[0.0]]), np.array([[0.7]]))
    array([[-0.2]])
    """

    temperature: float = 1.0
    min_proba: float = 1e-3
    name: ClassVar[str] = "cross_entropy"
    is_squared: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number("temperature", self.temperature, low=0.0, open_low=True)
        number("min_proba", self.min_proba, low=0.0, high=0.5, open_low=True)

    @property
    def is_linear(self) -> bool:
        """Whether targets are probabilities: at T = 1."""
        return self.temperature == 1.0

    def n_outputs(self, n_classes: int) -> int:
        """Return 1 for the log-odds of two classes and k otherwise."""
        return 1 if n_classes == 2 else n_classes

    def phi(self, p: Array) -> Array:
        """Return the annealed probabilities, shape (n, m)."""
        raised, _ = self._power(p)
        return last_column(raised / row_sum(raised))

    def jvp(self, p: Array, v: Array) -> Array:
        """Return the derivative of annealing along v, shape (n, m)."""
        raised, slope = self._power(p)
        total, moved = row_sum(raised), slope * v
        return last_column((moved - raised / total * row_sum(moved)) / total)

    def value(self, f: Array, target: Array) -> Array:
        """Return the cross-entropy of each row in nats, shape (n,)."""
        log_q = log_softmax(two_scores(f) / self.temperature)
        return -row_sum(_both(target) * log_q)[..., 0]

    def gradient(self, f: Array, target: Array) -> Array:
        """Return predicted minus target probabilities over T, shape (n, m)."""
        # The target's own sum appears because a label-aware one need not sum to one.
        total = row_sum(_both(target))
        return (total * self._annealed(f) - target) / self.temperature

    def curvature(self, f: Array) -> Array:
        """Return diag(q) - qq' over T² for predicted probabilities q, (n, m, m).

        It is exact for targets that sum to one, as all but label-aware ones do.
        """
        q = self._annealed(f)
        outer = q[..., :, None] * q[..., None, :]
        return (q[..., None] * identity_like(f) - outer) / self.temperature**2

    def probabilities(self, f: Array) -> Array:
        """Return softmax or logistic probabilities at T = 1, shape (n, k)."""
        return softmax(two_scores(f))

    def _annealed(self, f: Array) -> Array:
        """Return softmax(f / T) in the coordinates of the scale, shape (n, m)."""
        return last_column(softmax(two_scores(f) / self.temperature), f.shape[-1])

    def _power(self, p: Array) -> tuple[Array, Array]:
        """Return p to the power 1/T, up to a factor of the row, and its slope."""
        beta = 1.0 / self.temperature
        if beta >= 1:
            # In units of the largest, or a low temperature would leave only zeros.
            unit = row_max(p)
            return (p / unit) ** beta, beta / unit * (p / unit) ** (beta - 1.0)
        # The slope is unbounded at zero, so that the power goes on as its tangent.
        above = namespace(p).clip(p, self.min_proba, None)
        slope = beta * above ** (beta - 1.0)
        return above**beta + slope * (p - above), slope


def _both(target: Array) -> Array:
    """Return one number t as the pair (1 - t, t); wider targets as they are."""
    if target.shape[-1] > 1:
        return target
    return namespace(target).concatenate([1.0 - target, target], axis=-1)
