r"""Changes of target: what the student is told in place of the probabilities.

A change is a map g of the simplex into itself, so that the scale of the student becomes
:math:`\varphi(g(p))`: a member states g and its derivative, nothing else. Corrections,
students and searches then work on it as on any scale, and a full correction has no
first-order bias *for the changed probabilities*.

Notes
-----
The temperature is such a change too, and a parameter of the cross-entropy itself.
"""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from semikd._validation import count, number, wrong_type
from semikd.losses.around import LossAround
from semikd.losses.base import DistillationLoss
from semikd.losses.squared import IdentityLoss
from semikd.simplex import Array, namespace, row_sum

__all__ = ["ChangedLoss", "SmoothedLoss", "TopClassesLoss"]


class ChangedLoss(LossAround):
    r"""A loss whose targets are those of changed probabilities, :math:`\varphi(g(p))`.

    Its students estimate :math:`g(p_0)`, not :math:`p_0`: the estimand is named by the
    class.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import ProbabilityLoss, SmoothedLoss
    >>> SmoothedLoss(ProbabilityLoss(), share=0.2).phi(np.array([[0.0, 1.0]]))
    array([[0.9]])
    """

    def _check_base(self) -> None:
        """Refuse what is no scale of class probabilities."""
        scale = getattr(self.base, "scale", None)
        if scale is None or isinstance(scale, IdentityLoss):
            remedy = "For instance CrossEntropyLoss()"
            raise wrong_type("base", "be a scale of probabilities", self.base, remedy)

    @abstractmethod
    def change(self, p: Array) -> Array:
        """Return the changed probabilities g(p), shape (n, k)."""

    @abstractmethod
    def change_along(self, p: Array, v: Array) -> Array:
        """Return the derivative of g at p along v, rows of sum 0, shape (n, k)."""

    def phi(self, p: Array) -> Array:
        """Return the changed probabilities on the scale of the base loss."""
        return self.base.phi(self.change(p))

    def jvp(self, p: Array, v: Array) -> Array:
        """Return the derivative of both maps along v, shape (n, m)."""
        return self.base.jvp(self.change(p), self.change_along(p, v))


@dataclass(frozen=True)
class SmoothedLoss(ChangedLoss):
    r"""Probabilities mixed with the uniform ones: label smoothing.

    .. math:: g(p) = (1 - \varepsilon)\,p + \varepsilon / k

    With a full correction on a linear scale (the probability, cross-entropy at T = 1)
    its targets are smoothed labels, whatever the teacher says: what is left of a
    teacher that knows nothing of classes or rows.

    Parameters
    ----------
    base : DistillationLoss
        The scale.
    share : float, default=0.1
        :math:`\varepsilon` in [0, 1]; 0 changes nothing, 1 leaves nothing to learn.

    Raises
    ------
    ValueError
        If the share is outside [0, 1].

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       whose level of the universe this is.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss, SmoothedLoss
    >>> loss = SmoothedLoss(CrossEntropyLoss(), share=0.3)
    >>> loss.change(np.array([[1.0, 0.0, 0.0]])).round(2)
    array([[0.8, 0.1, 0.1]])
    """

    base: DistillationLoss
    share: float = 0.1

    def __post_init__(self) -> None:
        self._check_base()
        number("share", self.share, low=0.0, high=1.0)

    def change(self, p: Array) -> Array:
        """Return the smoothed probabilities."""
        return (1.0 - self.share) * p + self.share / p.shape[-1]

    def change_along(self, p: Array, v: Array) -> Array:
        """Return a multiple of v."""
        return (1.0 - self.share) * v


@dataclass(frozen=True)
class TopClassesLoss(ChangedLoss):
    r"""The most likely classes as they are, the others all alike.

    .. math:: g_j(p) = \begin{cases} p_j & j \in \text{top} \\
       \bigl(1 - \sum_{l \in \text{top}} p_l\bigr) / (k - |\text{top}|)
       & \text{otherwise}\end{cases}

    What a teacher says of classes that it all but excludes is mostly noise. Classes
    that are as likely as the last one of the top belong to it. A top of all k classes
    changes nothing; of two classes no top does.

    Parameters
    ----------
    base : DistillationLoss
        The scale.
    n_top : int, default=5
        Classes in the top, at least 1.

    Raises
    ------
    ValueError
        If ``n_top`` is not positive.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       KD-topk: reconstructed from descriptions of the paper.
    .. [2] Z. Shen and E. Xing, "A Fast Knowledge Distillation Framework for Visual
       Recognition", ECCV 2022: the same construction, in its released code.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss, TopClassesLoss
    >>> loss = TopClassesLoss(CrossEntropyLoss(), n_top=1)
    >>> loss.change(np.array([[0.6, 0.3, 0.1]])).round(2)
    array([[0.6, 0.2, 0.2]])
    """

    base: DistillationLoss
    n_top: int = 5

    def __post_init__(self) -> None:
        self._check_base()
        count("n_top", self.n_top)

    @property
    def is_linear(self) -> bool:
        """False: the top of other probabilities may be another one."""
        return False

    def change(self, p: Array) -> Array:
        """Return the probabilities with those outside the top averaged."""
        return self._evened(p, p)

    def change_along(self, p: Array, v: Array) -> Array:
        """Return v with what lies outside the top of p averaged."""
        return self._evened(p, v)

    def _evened(self, p: Array, v: Array) -> Array:
        """Return v, its entries outside the top of p replaced by their mean."""
        xp = namespace(p)
        inside = p >= _kth_largest(p, min(self.n_top, p.shape[-1]))
        others = row_sum(xp.where(inside, 0.0 * v, v))
        n_others = row_sum(xp.where(inside, 0.0 * v, 0.0 * v + 1.0))
        return xp.where(inside, v, others / xp.where(n_others > 0.0, n_others, 1.0))


def _kth_largest(p: Array, k: int) -> Array:
    """Return the k-th largest number of each row, shape (n, 1)."""
    if isinstance(p, np.ndarray):
        return np.partition(p, -k, axis=-1)[..., [-k]]
    return p.topk(k, dim=-1).values[..., -1:]
