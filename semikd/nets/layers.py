"""Layers whose randomness is kept apart from torch's global generator."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Zero entries at random while training, with noise that can be lent from outside.

    The engine lends noise that each member of a batch draws from a generator of its
    own; without it the global generator serves. ``probability=0`` is the identity.

    Parameters
    ----------
    probability : float
        Chance of each entry to be zeroed, in [0, 1); the others grow to make up for it.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Dropout
    >>> Dropout(0.5).eval()(torch.ones(2))
    tensor([1., 1.])
    """

    noise: Tensor

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.register_buffer("noise", torch.empty(0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input, thinned out while training, shape unchanged."""
        if not self.training or self.probability == 0.0:
            return x
        draws = self.noise if self.noise.numel() else torch.rand_like(x)
        return x * (draws >= self.probability) / (1.0 - self.probability)


class Residual(nn.Module):
    """Add what a block makes of its input to the input: x + block(x).

    Parameters
    ----------
    block : torch.nn.Module
        Anything whose output has the shape of its input.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Residual
    >>> Residual(torch.nn.Identity())(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """Return x + block(x)."""
        out: Tensor = x + self.block(x)
        return out


def with_own_dropout(module: nn.Module) -> nn.Module:
    """Replace torch's dropout layers in place: theirs draw from the global generator.

    Only those that zero single entries; the others keep their own.
    """
    for name, child in module.named_children():
        if type(child) is nn.Dropout:
            setattr(module, name, Dropout(child.p))
        else:
            with_own_dropout(child)
    return module
