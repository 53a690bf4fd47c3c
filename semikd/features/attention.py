"""Attention transfer: where in an image a layer is active."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semikd.features.base import FeatureLoss
from semikd.features.shapes import same_pixels

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AttentionTransfer"]


@dataclass(frozen=True)
class AttentionTransfer(FeatureLoss):
    r"""Squared distance of the maps of attention, each of length one.

    .. math:: \phi_i = \frac{1}{hw} \Bigl\| \frac{Q^s_i}{\|Q^s_i\|_2} -
       \frac{Q^t_i}{\|Q^t_i\|_2} \Bigr\|_2^2, \qquad Q = \sum_c A_c^2

    with :math:`A_c` the map of channel c and hw the number of pixels. The sum over
    channels knows neither their order nor their number: no connector is needed. Maps of
    two teachers speak of the same pixels, so that rows of all teachers go together;
    what differs between teachers is noise of the map.

    Parameters
    ----------
    weight : float, default=10.0
        :math:`\lambda`; 1,000 in the authors' experiments on CIFAR.
    teacher_layer, student_layer : str, optional
        Names of layers that give maps (channels, height, width); by default the last
        that gives maps of several pixels.

    Raises
    ------
    ValueError
        If the weight is negative.

    Notes
    -----
    Where the maps differ in size, the larger are averaged to the size of the smaller.
    The mean of squares, where the paper writes a norm, is that of the authors' code, as
    others quote it.

    References
    ----------
    .. [1] S. Zagoruyko and N. Komodakis, "Paying More Attention to Attention", ICLR
       2017.

    Examples
    --------
    >>> import torch
    >>> from semikd.features import AttentionTransfer
    >>> t = torch.ones(1, 3, 2, 2)
    >>> AttentionTransfer().value(2.0 * t[:, :1], t, torch.ones(1), {})
    tensor([0.])
    """

    weight: float = 10.0

    name: ClassVar[str] = "attention"
    reads_maps: ClassVar[bool] = True
    by_teacher: ClassVar[bool] = False

    def value(
        self,
        student: "Tensor",
        teacher: "Tensor",
        weight: "Tensor",
        connectors: "Mapping[str, Tensor]",
    ) -> "Tensor":
        """Return the mean square of each row's differences, shape (b,)."""
        own, wanted = map(_attention, same_pixels(student, teacher))
        return (own - wanted).square().mean(dim=1)


def _attention(maps: "Tensor") -> "Tensor":
    """Return where maps are active, as rows of length one, (b, h w)."""
    from torch.nn.functional import normalize

    return normalize(maps.square().sum(dim=1).flatten(1), dim=1)
