"""The contract of a loss, so that students and corrections know no member."""

from abc import ABC, abstractmethod
from typing import ClassVar

from semikd.simplex import Array, namespace


class DistillationLoss(ABC):
    r"""A scale and its loss; members state only their own formula.

    ``value(f, target)`` is smallest at the score that the target names, ``gradient``
    and ``curvature`` are its derivatives in ``f``, ``phi`` is the scale and
    ``jvp(p, v)`` the product of its Jacobian with a direction.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import ProbabilityLoss
    >>> loss = ProbabilityLoss()
    >>> target = loss.phi(np.array([[0.3, 0.7]]))
    >>> loss.value(target, target)
    array([0.])
    """

    name: ClassVar[str]
    is_squared: ClassVar[bool]
    even: ClassVar[float] = 0.0
    """The single score at which two classes are equally likely."""

    @property
    def scale(self) -> "DistillationLoss":
        """The scale of the scores alone, without what only training needs."""
        return self

    @property
    def is_linear(self) -> bool:
        """Whether the scale is linear in the probabilities."""
        return False

    @abstractmethod
    def n_outputs(self, n_classes: int) -> int:
        """Return m, the number of scores a student needs for k classes."""

    @abstractmethod
    def phi(self, p: Array) -> Array:
        """Return the probabilities on this scale, shape (n, m)."""

    @abstractmethod
    def jvp(self, p: Array, v: Array) -> Array:
        """Return the Jacobian of ``phi`` at p times v, shape (n, m)."""

    @abstractmethod
    def value(self, f: Array, target: Array) -> Array:
        """Return the loss of each row, shape (n,)."""

    @abstractmethod
    def gradient(self, f: Array, target: Array) -> Array:
        """Return the derivative of the loss in f, shape (n, m)."""

    @abstractmethod
    def curvature(self, f: Array) -> Array:
        """Return the second derivative in f, which no target moves, shape (n, m, m)."""

    @abstractmethod
    def probabilities(self, f: Array) -> Array:
        """Return the class probabilities that scores stand for, shape (n, k)."""

    def n_scores(self, target: Array) -> int:
        """Return m, the number of scores that a target array asks for."""
        return int(target.shape[-1])

    def with_labels(self, target: Array, y: Array) -> Array:
        """Return what a student is fitted to: the target alone, unless labels count."""
        return target


def identity_like(f: Array) -> Array:
    """Return the identity matrix beside each row of scores, shape (n, m, m)."""
    xp, width = namespace(f), f.shape[-1]
    placed = {"device": f.device} if xp.__name__ == "torch" else {}
    eye = xp.eye(width, dtype=f.dtype, **placed)
    return xp.broadcast_to(eye, (*f.shape, width))
