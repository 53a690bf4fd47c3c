"""The optional hard-label term, kept apart from the scales it is added to."""

from dataclasses import dataclass
from typing import ClassVar

from semikd._validation import number, wrong_type
from semikd.losses.around import LossAround
from semikd.losses.base import DistillationLoss
from semikd.losses.cross_entropy import CrossEntropyLoss
from semikd.losses.squared import LogProbabilityLoss
from semikd.simplex import Array, last_column, namespace

_LABELS = CrossEntropyLoss()


@dataclass(frozen=True)
class HardLabelMix(LossAround):
    r"""A distillation loss plus h times the cross-entropy of the labels.

    .. math:: \ell(f; \tau) + h \, \mathrm{CE}(f, y)

    The target carries the labels in its last columns, shape (n, 2m), as
    ``with_labels`` puts them together. ``hard_weight=0`` is ``base`` itself. On
    cross-entropy at T = 1 the sum is (1 + h) times the loss at the mixed target
    :math:`(\tau + h y)/(1 + h)`.

    Parameters
    ----------
    base : DistillationLoss
        A loss whose scores are log-probabilities: 'cross_entropy' or 'log_probability'.
    hard_weight : float
        h, the weight of the hard-label term, at least 0.

    Raises
    ------
    ValueError
        If ``hard_weight`` is negative.
    TypeError
        If the scores of ``base`` are not on a log scale.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss, HardLabelMix
    >>> loss = HardLabelMix(CrossEntropyLoss(temperature=2.0), hard_weight=0.5)
    >>> y = np.array([[0.0, 1.0]])
    >>> target = loss.with_labels(loss.phi(np.array([[0.3, 0.7]])), y)
    >>> loss.value(np.array([[0.0]]), target).round(4)
    array([1.0397])
    """

    base: DistillationLoss
    hard_weight: float
    is_squared: ClassVar[bool] = False

    def __post_init__(self) -> None:
        number("hard_weight", self.hard_weight, low=0.0)
        if not isinstance(self.base.scale, CrossEntropyLoss | LogProbabilityLoss):
            raise wrong_type(
                "loss",
                "be on a log scale where hard_weight is positive",
                self.base,
                "Use 'cross_entropy' or 'log_probability', or a constant correction",
            )

    def n_scores(self, target: Array) -> int:
        """Return half the columns: the other half are labels."""
        return int(target.shape[-1]) // 2

    def with_labels(self, target: Array, y: Array) -> Array:
        """Return target and labels side by side, shape (n, 2m)."""
        labels = last_column(y, target.shape[-1])
        return namespace(target).concatenate([target, labels], axis=-1)

    def value(self, f: Array, target: Array) -> Array:
        """Return the sum of both losses for each row, shape (n,)."""
        soft, hard = self._parts(f, target)
        return self.base.value(f, soft) + self.hard_weight * _LABELS.value(f, hard)

    def gradient(self, f: Array, target: Array) -> Array:
        """Return the sum of both derivatives, shape (n, m)."""
        soft, hard = self._parts(f, target)
        return self.base.gradient(f, soft) + self.hard_weight * _LABELS.gradient(
            f, hard
        )

    def curvature(self, f: Array) -> Array:
        """Return the sum of both second derivatives, shape (n, m, m)."""
        return self.base.curvature(f) + self.hard_weight * _LABELS.curvature(f)

    def _parts(self, f: Array, target: Array) -> tuple[Array, Array]:
        """Split the columns of a target into the soft and the hard ones."""
        m = f.shape[-1]
        return target[..., :m], target[..., m:]
