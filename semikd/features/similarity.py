"""Similarity-preserving distillation: which rows activate a layer alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semikd.features.base import FeatureLoss
from semikd.features.shapes import rows

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SimilarityPreserving"]

_SMALLEST = 1e-12


@dataclass(frozen=True)
class SimilarityPreserving(FeatureLoss):
    r"""Squared distance of the similarities between the rows of a batch.

    .. math:: \frac{1}{b^2} \| G^s - G^t \|_F^2, \qquad G_{i\cdot} = \tilde G_{i\cdot}
       / \|\tilde G_{i\cdot}\|_2, \quad \tilde G_{ij} = \langle x_i, x_j \rangle

    among the b rows of one teacher in a batch; the layers are flattened, and need not
    have the same width. A rotation of either layer, another order of its units or
    another scale changes nothing: no connector is needed.

    Parameters
    ----------
    weight : float, default=10.0
        :math:`\lambda`; 3,000 in the paper, for batches of 128 images.
    teacher_layer, student_layer : str, optional
        Names of the layers; by default what goes into the last linear map.

    Notes
    -----
    The loss falls with the number of rows in a batch, as the paper's does. A row of
    weight 2 counts as two rows, also among those that it is compared with; under
    weights of mean 1, as networks are trained, the loss is that of the copies times
    their number over that of the rows. The formula is that of code which its authors
    checked, in the comparison by Tian and others.

    References
    ----------
    .. [1] F. Tung and G. Mori, "Similarity-Preserving Knowledge Distillation", ICCV
       2019.

    Examples
    --------
    >>> import torch
    >>> from semikd.features import SimilarityPreserving
    >>> t = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> turned = t @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    >>> SimilarityPreserving().value(turned, t, torch.ones(2), {})
    tensor([0., 0.])
    """

    weight: float = 10.0

    name: ClassVar[str] = "similarity"
    fewest_rows: ClassVar[int] = 2

    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return the mean square of each row's differences, shape (b,)."""
        own, wanted = (_similarities(rows(x), weight) for x in (student, teacher))
        squares: Tensor = (own - wanted).square() @ weight / weight.sum()
        return squares


def _similarities(x: "Tensor", weight: "Tensor") -> "Tensor":
    """Return inner products of rows, each row of length one, (b, b)."""
    products = x @ x.T
    length = (products * weight.sqrt()).norm(dim=1, keepdim=True)
    scaled: Tensor = products / length.clamp(min=_SMALLEST)
    return scaled
