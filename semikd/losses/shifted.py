"""Scores that are shifted while a student learns, and not when it answers."""

from dataclasses import dataclass, replace

from semikd._validation import Shown, finite_array, invalid, wrong_type
from semikd.losses.around import LossAround
from semikd.losses.base import DistillationLoss
from semikd.losses.cross_entropy import CrossEntropyLoss
from semikd.losses.hard_label import HardLabelMix
from semikd.simplex import Array, namespace

__all__ = ["ShiftedLoss", "with_shift"]


@dataclass(frozen=True)
class ShiftedLoss(LossAround):
    r"""The loss of scores plus a number for each class.

    .. math:: \ell(f + s; \tau), \qquad s = \log\nu

    Of cross-entropy at T = 1 this is a softmax with margins,

    .. math:: \ell_y(f) = \log\Bigl[1 + \sum_{j \ne y} \frac{\nu_j}{\nu_y}
       e^{f_j - f_y}\Bigr]:

    a class of small :math:`\nu` has to win by more. Answers are the softmax of f alone,
    so that a student which meets its target says :math:`p_j / \nu_j` up to a factor of
    the row. With :math:`\nu` the shares of classes this is logit adjustment, whose
    student answers for classes that are equally common. Equal numbers change nothing.

    Parameters
    ----------
    base : DistillationLoss
        A cross-entropy.
    shift : tuple of float
        s, one number for each class.

    Raises
    ------
    TypeError
        If ``base`` is no cross-entropy.
    ValueError
        If a number is not finite.

    References
    ----------
    .. [1] A. K. Menon et al., "Long-tail learning via logit adjustment", ICLR 2021.
    .. [2] M. Lukasik et al., "Teacher's pet: understanding and mitigating biases in
       distillation", TMLR 2022, whose AdaMargin is of this form: reconstructed from
       descriptions of the paper.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.losses import CrossEntropyLoss, ShiftedLoss
    >>> loss = ShiftedLoss(CrossEntropyLoss(), shift=(0.0, np.log(3.0)))
    >>> np.exp(-loss.value(np.array([[0.0]]), np.array([[1.0]]))).round(3)
    array([0.75])
    """

    base: DistillationLoss
    shift: tuple[float, ...]

    def __post_init__(self) -> None:
        scale = getattr(self.base, "scale", None)
        if not isinstance(scale, CrossEntropyLoss):
            constraint = "be cross-entropy where scores are shifted"
            remedy = "Use loss='cross_entropy' and a student that minimises it"
            raise wrong_type("loss", constraint, self.base, remedy)
        shift = finite_array("shift", self.shift, shape=(None,))
        # Hashed, compared and written as plain numbers.
        object.__setattr__(self, "shift", tuple(float(s) for s in shift))

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of scores, refusing a shift of other classes."""
        if len(self.shift) != n_classes:
            shown = Shown(f"{len(self.shift)} for {n_classes} classes")
            raise invalid("shift", "have a number for each class", shown)
        return self.base.n_outputs(n_classes)

    def value(self, f: Array, target: Array) -> Array:
        """Return the loss of the shifted scores, shape (n,)."""
        return self.base.value(self._shifted(f), target)

    def gradient(self, f: Array, target: Array) -> Array:
        """Return the derivative at the shifted scores, shape (n, m)."""
        return self.base.gradient(self._shifted(f), target)

    def curvature(self, f: Array) -> Array:
        """Return the second derivative at the shifted scores, shape (n, m, m)."""
        return self.base.curvature(self._shifted(f))

    def _shifted(self, f: Array) -> Array:
        """Return the scores with their shift: of two classes the difference."""
        xp, shift = namespace(f), self.shift
        if f.shape[-1] == 1:
            shift = (shift[1] - shift[0],)
        placed = {"device": f.device} if xp.__name__ == "torch" else {}
        return f + xp.asarray(shift, dtype=f.dtype, **placed)


def with_shift(loss: DistillationLoss, shift: tuple[float, ...]) -> DistillationLoss:
    """Return the loss of shifted scores; hard labels are learned without the shift.

    Parameters
    ----------
    loss : DistillationLoss
        A cross-entropy, with hard labels beside it or not.
    shift : tuple of float
        One number for each class.

    Returns
    -------
    DistillationLoss

    Raises
    ------
    TypeError
        If the loss is no cross-entropy.

    Examples
    --------
    >>> from semikd.losses import CrossEntropyLoss, HardLabelMix, with_shift
    >>> with_shift(HardLabelMix(CrossEntropyLoss(), 0.5), (0.0, 1.0)).base.shift
    (0.0, 1.0)
    """
    if isinstance(loss, HardLabelMix):
        return replace(loss, base=ShiftedLoss(loss.base, shift))
    return ShiftedLoss(loss, shift)
