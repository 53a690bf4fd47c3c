"""A loss around another one: what a member does not change, it passes on."""

from operator import attrgetter

from semikd.losses.base import DistillationLoss
from semikd.simplex import Array

__all__ = ["LossAround"]


def _of_base(name: str, doc: str) -> property:
    """Return a property that is that of the base loss."""
    return property(attrgetter(f"base.{name}"), doc=doc)


class LossAround(DistillationLoss):
    """Everything of ``base``, for members that state only what they change.

    Examples
    --------
    >>> from semikd.losses import CrossEntropyLoss, SmoothedLoss
    >>> SmoothedLoss(CrossEntropyLoss(), share=0.1).scale
    CrossEntropyLoss(temperature=1.0, min_proba=0.001)
    """

    base: DistillationLoss

    name = _of_base("name", "Name of the base loss.")
    is_squared = _of_base(
        "is_squared", "Whether the base loss is a least-squares regression."
    )
    is_linear = _of_base(
        "is_linear", "Whether the scale of the base loss is linear in probabilities."
    )
    even = _of_base(
        "even", "The score of the base loss at which two classes are equally likely."
    )
    scale = _of_base(
        "scale", "The scale of the scores, which is that of the base loss."
    )

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
