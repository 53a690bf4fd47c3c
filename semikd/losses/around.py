"""A loss around another one: what a member does not change, it passes on."""

from semikd.losses.base import DistillationLoss
from semikd.simplex import Array

__all__ = ["LossAround"]


class LossAround(DistillationLoss):
    """Everything of ``base``, for members that state only what they change.

    Examples
    --------
    >>> from semikd.losses import CrossEntropyLoss, SmoothedLoss
    >>> SmoothedLoss(CrossEntropyLoss(), share=0.1).scale
    CrossEntropyLoss(temperature=1.0, min_proba=0.001)
    """

    base: DistillationLoss

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the base loss."""
        return self.base.name

    @property
    def is_squared(self) -> bool:  # type: ignore[override]
        """Whether the base loss is a least-squares regression."""
        return self.base.is_squared

    @property
    def is_linear(self) -> bool:
        """Whether the scale of the base loss is linear in the probabilities."""
        return self.base.is_linear

    @property
    def even(self) -> float:  # type: ignore[override]
        """The score of the base loss at which two classes are equally likely."""
        return self.base.even

    @property
    def scale(self) -> DistillationLoss:
        """The scale of the scores, which is that of the base loss."""
        return self.base.scale

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of scores of the base loss."""
        return self.base.n_outputs(n_classes)

    def phi(self, p: Array) -> Array:
        """Return the scale of the base loss, shape (n, m)."""
        return self.base.phi(p)

    def jvp(self, p: Array, v: Array) -> Array:
        """Return the product of the base loss, shape (n, m)."""
        return self.base.jvp(p, v)

    def n_scores(self, target: Array) -> int:
        """Return the number of scores of the base loss."""
        return self.base.n_scores(target)

    def with_labels(self, target: Array, y: Array) -> Array:
        """Return what the base loss is fitted to."""
        return self.base.with_labels(target, y)

    def value(self, f: Array, target: Array) -> Array:
        """Return the base loss of each row, shape (n,)."""
        return self.base.value(f, target)

    def gradient(self, f: Array, target: Array) -> Array:
        """Return the derivative of the base loss, shape (n, m)."""
        return self.base.gradient(f, target)

    def curvature(self, f: Array) -> Array:
        """Return the second derivative of the base loss, shape (n, m, m)."""
        return self.base.curvature(f)

    def probabilities(self, f: Array) -> Array:
        """Return the probabilities of the base loss, shape (n, k)."""
        return self.base.probabilities(f)
