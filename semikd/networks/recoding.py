"""From the numbers that one network reads to those that another does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semikd._validation import Shown, invalid
from semikd.networks.tables import ImageEncoding


def recoder(source: Any, goal: Any, device: torch.device) -> Callable[[Tensor], Tensor]:
    """Return what turns rows encoded for one network into rows for another.

    Standardised numbers are scaled and shifted; what follows them in a row of a table
    (indicators, positions of categories) is the same for both, or the two do not fit.
    """
    is_image = isinstance(source, ImageEncoding)
    alike = type(source) is type(goal) and (
        source.size == goal.size if is_image else source.layout == goal.layout
    )
    if not alike:
        constraint = "read the columns that the student reads"
        remedy = "Fit both on the same table, or use cached labels"
        raise invalid("teacher", constraint, Shown("other columns"), remedy)
    factor, shift = source.scale / goal.scale, (source.mean - goal.mean) / goal.scale
    if not is_image:
        rest = goal.shape.numeric + len(goal.shape.categories) - len(factor)
        factor = np.concatenate([factor, np.ones(rest)])
        shift = np.concatenate([shift, np.zeros(rest)])
    trailing = (-1, 1, 1) if is_image else (-1,)

    def recoded(inputs: Tensor) -> Tensor:
        scale, offset = (
            torch.from_numpy(moment).to(device, inputs.dtype).view(trailing)
            for moment in (factor, shift)
        )
        return torch.addcmul(offset, inputs, scale)

    return recoded
