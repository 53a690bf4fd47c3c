"""Relational distillation: how far rows are from one another, and at what angles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semikd.features.base import FeatureLoss
from semikd.features.shapes import rows

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RelationalAngle", "RelationalDistance"]

_SMALLEST = 1e-12
# Rows closer than this part of the root mean square distance lie on top of one another.
_COINCIDENT = 1e-5


@dataclass(frozen=True)
class RelationalDistance(FeatureLoss):
    r"""Huber's loss of the distances between rows, as multiples of their mean.

    .. math:: \operatorname*{mean}_{i \ne j} \; H\bigl(\|s_i - s_j\| / \mu_s,\;
       \|t_i - t_j\| / \mu_t\bigr)

    with :math:`\mu` the mean of these distances and H quadratic up to a difference of
    1, among the rows of one teacher in a batch. No rotation, shift, order of the units
    or scale of a layer changes it: no connector is needed.

    Parameters
    ----------
    weight : float, default=1.0
        :math:`\lambda`; 25 in comparisons on images.
    teacher_layer, student_layer : str, optional
        Names of the layers; by default what goes into the last linear map.

    Notes
    -----
    The authors' code also averages over the pairs of a row with itself, which makes its
    loss (b - 1)/b of this one. A row of weight 2 counts as twice as many partners; the
    distance from its own copy, 0, is not counted.

    References
    ----------
    .. [1] W. Park, D. Kim, Y. Lu and M. Cho, "Relational Knowledge Distillation", CVPR
       2019; the authors' code.

    Examples
    --------
    >>> import torch
    >>> from semikd.features import RelationalDistance
    >>> t = torch.tensor([[0.0], [1.0], [3.0]])
    >>> RelationalDistance().value(5.0 - 2.0 * t, t, torch.ones(3), {})
    tensor([0., 0., 0.])
    """

    weight: float = 1.0

    name: ClassVar[str] = "distance"
    fewest_rows: ClassVar[int] = 2

    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return each row's share of the mean over pairs, shape (b,)."""
        from torch.nn.functional import smooth_l1_loss

        pairs = weight[:, None] * weight
        pairs = pairs - pairs.diag().diag()
        own, wanted = (_distances(rows(x), pairs) for x in (student, teacher))
        each = smooth_l1_loss(own, wanted, reduction="none")
        # The weight of the row itself multiplies this once more.
        total: Tensor = (pairs * each).sum(dim=1) / pairs.sum()
        return total * weight.sum() / weight


@dataclass(frozen=True)
class RelationalAngle(FeatureLoss):
    r"""Huber's loss of the cosines of the angles at a row between two others.

    .. math:: \operatorname*{mean}_{i \ne j \ne k} \; H\bigl(\cos\angle s_i s_j s_k,\;
       \cos\angle t_i t_j t_k\bigr)

    among rows of one teacher in a batch, at most 64 at a time, so that a batch costs 64
    squared for each row. No rotation, shift, order of the units or scale of a layer
    changes it: no connector is needed.

    Parameters
    ----------
    weight : float, default=1.0
        :math:`\lambda`; 50 in comparisons on images.
    teacher_layer, student_layer : str, optional
        Names of the layers; by default what goes into the last linear map.

    Notes
    -----
    The authors' code divides by the number of all triples, those with a row twice among
    them, which have no loss. Rows that lie on top of one another, closer than 1e-5 of
    the root mean square distance, span no angle: they count with a cosine of 0, and no
    gradient drives them apart. A row of weight 2 counts as two rows, but that it spans
    no angle with its own copy.

    References
    ----------
    .. [1] W. Park, D. Kim, Y. Lu and M. Cho, "Relational Knowledge Distillation", CVPR
       2019; the authors' code.

    Examples
    --------
    >>> import torch
    >>> from semikd.features import RelationalAngle
    >>> t = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> RelationalAngle().value(3.0 * t + 1.0, t, torch.ones(3), {}).abs().max() < 1e-6
    tensor(True)
    """

    weight: float = 1.0

    name: ClassVar[str] = "angle"
    fewest_rows: ClassVar[int] = 3
    most_rows: ClassVar[int] = 64

    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return each row's share, as the vertex, of the mean, shape (b,)."""
        from torch import einsum, ones_like
        from torch.nn.functional import smooth_l1_loss

        own, wanted = (_cosines(rows(x)) for x in (student, teacher))
        # Of a row with itself both cosines are the same: only the count leaves it out.
        each = smooth_l1_loss(own, wanted, reduction="none")
        # Positive terms alone: where one weight is large, differences of powers cancel.
        later = ones_like(each[0]).triu(1)
        triples = 6.0 * (weight * (later @ (weight * (later @ weight)))).sum()
        total: Tensor = einsum("jik,i,k->j", each, weight, weight)
        return total * weight.sum() / triples.clamp(min=_SMALLEST)


def _distances(x: "Tensor", pairs: "Tensor") -> "Tensor":
    """Return distances between rows over their weighted mean, (b, b)."""
    from torch import cdist

    # By differences: small distances are lost where products are subtracted.
    far = cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    mean = (pairs * far).sum() / pairs.sum()
    return far / mean.clamp(min=_SMALLEST)


def _cosines(x: "Tensor") -> "Tensor":
    """Return the cosine at row j between rows i and k, as (j, i, k)."""
    from torch.nn.functional import normalize

    gaps = x - x[:, None]
    # Where there is no direction its gradient has no bound.
    far = gaps.detach().square().sum(dim=2)
    on_top = far <= _COINCIDENT**2 * far.mean()
    away = normalize(gaps.masked_fill(on_top[..., None], 0.0), dim=2)
    return away @ away.transpose(1, 2)
