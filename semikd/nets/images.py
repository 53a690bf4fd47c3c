"""Small networks for images of shape (channels, height, width).

A residual network normalises by the statistics of a batch; many of one shape run at
once by ``torch.vmap``, each member with statistics of its own.
"""

from torch import Tensor, nn
from torch.nn import functional

from semikd.nets.layers import Dropout

__all__ = ["BasicBlock", "resnet", "small_cnn"]

_WIDTHS = (16, 32, 64)


class BasicBlock(nn.Module):
    """Two convolutions and a skip around them, which has no parameters.

    Where the block halves the image the skip takes every second pixel, and channels of
    zeros make up for those that are missing.

    Parameters
    ----------
    n_in, n_out : int
        Channels that come in and go out.
    stride : int
        2 halves height and width, rounded up.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image
       Recognition", CVPR 2016, Section 4.2 (shortcuts of option A).

    Examples
    --------
    >>> import torch
    >>> from semikd.nets.images import BasicBlock
    >>> BasicBlock(16, 32, stride=2)(torch.zeros(1, 16, 9, 9)).shape
    torch.Size([1, 32, 5, 5])
    """

    def __init__(self, n_in: int, n_out: int, *, stride: int) -> None:
        super().__init__()
        self.stride, self.n_new = stride, n_out - n_in
        self.first = _convolution(n_in, n_out, stride)
        self.first_norm = nn.BatchNorm2d(n_out)
        self.second = _convolution(n_out, n_out, 1)
        self.second_norm = nn.BatchNorm2d(n_out)

    def forward(self, x: Tensor) -> Tensor:
        """Return what comes out, (b, channels, height, width)."""
        out = functional.relu(self.first_norm(self.first(x)))
        out = self.second_norm(self.second(out))
        skip = x[:, :, :: self.stride, :: self.stride]
        before = self.n_new // 2
        skip = functional.pad(skip, (0, 0, 0, 0, before, self.n_new - before))
        return functional.relu(out + skip)


def resnet(n_channels: int, depth: int, n_outputs: int) -> nn.Sequential:
    """Return a residual network for small images, such as those of CIFAR-10.

    Parameters
    ----------
    n_channels : int
        Channels of an image.
    depth : int
        Layers with weights, 6 n + 2: a convolution, three stages of n blocks with 16,
        32 and 64 channels, and a linear map of the averages over all pixels.
    n_outputs : int
        Scores m of each image.

    Returns
    -------
    torch.nn.Sequential

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image
       Recognition", CVPR 2016, Section 4.2; first weights as in their earlier "Delving
       Deep into Rectifiers", ICCV 2015, Section 2.2.

    Examples
    --------
    >>> from semikd.nets import n_parameters
    >>> from semikd.nets.images import resnet
    >>> n_parameters(resnet(3, 20, 10))
    269722
    """
    width = _WIDTHS[0]
    layers = [_convolution(n_channels, width, 1), nn.BatchNorm2d(width), nn.ReLU()]
    for n_out in _WIDTHS:
        for _ in range((depth - 2) // 6):
            stride = 1 if n_out == width else 2
            layers.append(BasicBlock(width, n_out, stride=stride))
            width = n_out
    module = nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, n_outputs)
    )
    for layer in module.modules():
        # On the device of shapes alone there is nothing to draw, and torch would load
        # its compiler to find that out.
        if isinstance(layer, nn.Conv2d | nn.Linear) and not layer.weight.is_meta:
            nn.init.kaiming_normal_(layer.weight)
    return module


def small_cnn(
    n_channels: int, n_outputs: int, *, dropout: float = 0.0
) -> nn.Sequential:
    """Return three convolutions and two linear maps, without batch statistics.

    Parameters
    ----------
    n_channels : int
        Channels of an image.
    n_outputs : int
        Scores m of each image.
    dropout : float, default=0.0
        Chance of a unit of the last hidden layer to be left out while training.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> import torch
    >>> from semikd.nets.images import small_cnn
    >>> small_cnn(1, 10)(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """
    layers: list[nn.Module] = []
    for n_in, n_out in ((n_channels, 32), (32, 64)):
        layers += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(4), nn.Flatten()]
    layers += [nn.Linear(64 * 16, 128), nn.ReLU()]
    layers += [Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(128, n_outputs))


def _convolution(n_in: int, n_out: int, stride: int) -> nn.Conv2d:
    """Return a convolution of 3 by 3 without a bias, which a norm would take away."""
    return nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
