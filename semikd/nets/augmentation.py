"""Other views of the same images, drawn from a generator that is lent."""

import torch
from torch import Tensor
from torch.nn import functional

_MARGIN = 4


def flip_and_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images mirrored at random and shifted by up to four pixels.

    The usual augmentation of small photographs: what a shift uncovers is 0, the mean
    of a standardised channel.

    Parameters
    ----------
    images : Tensor of shape (b, c, h, w)
        Standardised images.
    generator : torch.Generator
        On the device of the images.

    Returns
    -------
    Tensor of shape (b, c, h, w)

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image
       Recognition", CVPR 2016, Section 4.2.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import flip_and_crop
    >>> generator = torch.Generator().manual_seed(0)
    >>> flip_and_crop(torch.ones(2, 3, 8, 8), generator).shape
    torch.Size([2, 3, 8, 8])
    """
    b, _, h, w = images.shape
    draws = torch.rand(3, b, 1, generator=generator, device=images.device)
    top, left = (draws[:2] * (2 * _MARGIN + 1)).long()
    rows = top + torch.arange(h, device=images.device)
    columns = torch.arange(w, device=images.device).expand(b, w)
    columns = left + torch.where(draws[2] < 0.5, columns.flip(1), columns)
    wide = functional.pad(images, (_MARGIN, _MARGIN, _MARGIN, _MARGIN))
    image = torch.arange(b, device=images.device)[:, None, None]
    shown = wide[image, :, rows[:, :, None], columns[:, None, :]]
    return shown.permute(0, 3, 1, 2)
