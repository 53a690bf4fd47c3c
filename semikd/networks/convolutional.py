"""Networks for images by their settings."""

from typing import TYPE_CHECKING

from semikd._validation import invalid, number
from semikd.networks.base import Architecture
from semikd.networks.shapes import InputShape

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ResNet", "SmallCNN"]

_DEPTHS = (8, 14, 20, 32, 44, 56)


class ResNet(Architecture):
    """A residual network for small images, of 8 by 8 pixels or more.

    Parameters
    ----------
    depth : {8, 14, 20, 32, 44, 56}, default=8
        Layers with weights; 75, 173, 270, 464, 659 and 853 thousand parameters for
        three channels and ten classes.

    Notes
    -----
    It normalises by the statistics of each batch while training, so that weights of
    rows act on the loss only. 'sgd' with a step size of 0.1, a weight decay of 5e-4,
    batches of 128 and a falling step size is the usual recipe.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image
       Recognition", CVPR 2016, Section 4.2.

    Examples
    --------
    >>> from semikd.networks import InputShape, ResNet
    >>> ResNet(20).n_parameters(InputShape.images(3, 32, 32), 10)
    269722
    """

    name = "resnet"
    reads_images = True

    def __init__(self, depth: int = 8) -> None:
        self.depth = depth

    def check(self) -> None:
        """Refuse a setting that no network could have."""
        if self.depth not in _DEPTHS or isinstance(self.depth, bool | float):
            raise invalid("depth", "be one of 8, 14, 20, 32, 44, 56", self.depth)

    def module(self, inputs: InputShape, n_outputs: int) -> "nn.Module":
        """Return a fresh network of default format, unchecked."""
        from semikd.nets.images import resnet

        return resnet(inputs.row[0], self.depth, n_outputs)


class SmallCNN(Architecture):
    """Three convolutions and two linear maps, for images of 8 by 8 pixels or more.

    It has no batch statistics: a row's score never depends on the rows beside it.

    Parameters
    ----------
    dropout : float, default=0.0
        Chance of a unit of the last hidden layer to be left out while training, in
        [0, 0.99].

    Examples
    --------
    >>> from semikd.networks import InputShape, SmallCNN
    >>> SmallCNN().n_parameters(InputShape.images(3, 32, 32), 10)
    188810
    """

    name = "small_cnn"
    reads_images = True

    def __init__(self, *, dropout: float = 0.0) -> None:
        self.dropout = dropout

    def check(self) -> None:
        """Refuse a setting that no network could have."""
        number("dropout", self.dropout, low=0.0, high=0.99)

    def module(self, inputs: InputShape, n_outputs: int) -> "nn.Module":
        """Return a fresh network of default format, unchecked."""
        from semikd.nets.images import small_cnn

        return small_cnn(inputs.row[0], n_outputs, dropout=self.dropout)
