"""Layers of different width and size: linear maps onto one another, and pooling."""

import math
from typing import TYPE_CHECKING

from semikd.features.base import Shape

if TYPE_CHECKING:
    from torch import Tensor


def linear(n_in: int, n_out: int, name: str = "") -> "dict[str, Tensor]":
    """Return the first values of a linear map, as torch draws them."""
    from torch import nn

    layer = nn.Linear(n_in, n_out)
    # As (inputs, outputs): what is multiplied from the left are rows.
    weight = layer.weight.detach().T.contiguous()
    return {f"{name}weight": weight, f"{name}bias": layer.bias.detach()}


def n_numbers(shape: Shape) -> int:
    """Return the numbers that a layer makes of a row."""
    return math.prod(shape)


def rows(x: "Tensor") -> "Tensor":
    """Return what a layer makes of rows as vectors, (b, ...) to (b, q)."""
    return x.flatten(1)


def same_pixels(student: "Tensor", teacher: "Tensor") -> "tuple[Tensor, Tensor]":
    """Return maps of one height and width: the larger is averaged over pixels."""
    from torch.nn.functional import adaptive_avg_pool2d

    height, width = map(min, student.shape[2:], teacher.shape[2:])
    size = int(height), int(width)
    own, other = (
        x if tuple(x.shape[2:]) == size else adaptive_avg_pool2d(x, size)
        for x in (student, teacher)
    )
    return own, other
