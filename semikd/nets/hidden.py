"""The hidden layers of a perceptron: plain, normalised, with skips, thinned out."""

from collections.abc import Sequence

from torch import nn

from semikd.nets.layers import Dropout, Residual

__all__ = ["hidden_layers"]


def hidden_layers(
    n_inputs: int,
    widths: Sequence[int],
    *,
    layer_norm: bool = False,
    residual: bool = False,
    dropout: float = 0.0,
) -> list[nn.Module]:
    """Return hidden layers: linear, normalised, SiLU, thinned out.

    With ``residual`` the same layers come in the same order, and a skip leads around
    each group of normalisation, unit and linear map that keeps the width; where the
    width changes there is none.

    Parameters
    ----------
    n_inputs : int
        Width of what comes in.
    widths : sequence of int
        Units of each layer.
    layer_norm : bool, default=False
        Whether units are normalised before they act.
    residual : bool, default=False
        Whether skips lead around layers of equal width.
    dropout : float, default=0.0
        Chance of a unit to be left out while training.

    Returns
    -------
    list of torch.nn.Module

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Identity Mappings in Deep Residual
       Networks", ECCV 2016, Section 4 (units before weights).

    Examples
    --------
    >>> from semikd.nets.hidden import hidden_layers
    >>> [type(layer).__name__ for layer in hidden_layers(3, (8, 8), residual=True)]
    ['Linear', 'Residual', 'SiLU']
    """

    def unit(width: int) -> list[nn.Module]:
        """Return what follows the linear map of a layer."""
        norm = [nn.LayerNorm(width)] if layer_norm else []
        return [*norm, nn.SiLU(), *([Dropout(dropout)] if dropout else [])]

    layers: list[nn.Module] = []
    before: list[nn.Module] = []
    for fan_in, width in zip((n_inputs, *widths), widths, strict=False):
        linear = nn.Linear(fan_in, width)
        if residual and before and fan_in == width:
            layers.append(Residual(nn.Sequential(*before, linear)))
        else:
            layers += [*before, linear]
        before = unit(width)
    return layers + before
