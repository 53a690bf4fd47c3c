"""FitNets: a student's layer learns to foretell its teacher's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semikd._validation import Shown, invalid
from semikd.features.base import FeatureLoss, Shape
from semikd.features.shapes import linear, same_pixels

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Hint"]


@dataclass(frozen=True)
class Hint(FeatureLoss):
    r"""Squared distance from the teacher's layer to a linear map of the student's.

    .. math:: \phi_i = \frac{1}{2 q} \| t_i - (A_g s_i + a_g) \|^2

    with q the numbers of the teacher's layer and a map :math:`A_g` of their own for the
    rows of each teacher g: the units of two networks have nothing in common, not even
    where their widths agree. Of maps it is a map of the channels, the same for each
    pixel, after the larger maps were averaged to the size of the smaller.

    Parameters
    ----------
    weight : float, default=1.0
        :math:`\lambda`.
    teacher_layer, student_layer : str, optional
        Names of the layers; by default what goes into the last linear map.

    Notes
    -----
    The paper trains the lower half of the student on hints alone, and all of it on
    answers afterwards. Here both are trained together, as in most comparisons since.
    The paper's sum over units is a mean here, as in the code of later comparisons, so
    that the weight means the same for layers of any width. Reconstructed from that code
    and from descriptions of the paper.

    References
    ----------
    .. [1] A. Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.

    Examples
    --------
    >>> import torch
    >>> from semikd.features import Hint
    >>> own = {"weight": torch.eye(2), "bias": torch.zeros(2)}
    >>> s, t = torch.ones(1, 2), torch.tensor([[1.0, 3.0]])
    >>> Hint().value(s, t, torch.ones(1), own)
    tensor([1.])
    """

    weight: float = 1.0

    name: ClassVar[str] = "hint"

    def check(self, student: Shape, teacher: Shape) -> None:
        """Refuse maps beside vectors."""
        super().check(student, teacher)
        if len(student) != len(teacher) or len(student) not in (1, 3):
            shown = Shown(
                f"{tuple(student)} of student and {tuple(teacher)} of teacher"
            )
            remedy = "Name other layers by student_layer and teacher_layer"
            constraint = "give vectors of both networks, or maps of both, for a hint"
            raise invalid("the layers", constraint, shown, remedy)

    def connectors(self, student: Shape, teacher: Shape) -> "dict[str, Tensor]":
        """Return a linear map of the student's units or channels, as torch draws it."""
        return linear(student[0], teacher[0])

    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return half the mean square of each row, shape (b,)."""
        if student.ndim == 4:
            student, teacher = (
                x.permute(0, 2, 3, 1) for x in same_pixels(student, teacher)
            )
        foretold = student @ connectors["weight"] + connectors["bias"]
        return 0.5 * (foretold - teacher).square().flatten(1).mean(dim=1)
