"""What every architecture can say and do before any network is built.

Nothing here imports torch before it is needed.
"""

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from sklearn.base import BaseEstimator

from semikd._validation import (
    Shown,
    count,
    invalid,
)
from semikd.networks.shapes import InputShape

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["Architecture"]

_SMALLEST_IMAGE = 8


class Architecture(BaseEstimator):
    """What a network is to be built like, without its weights.

    Examples
    --------
    >>> from semikd.networks import MLP, Architecture, InputShape
    >>> spec = MLP((8,))
    >>> isinstance(spec, Architecture), spec.n_parameters(InputShape.table(3), 1)
    (True, 41)
    """

    name: ClassVar[str]
    """The word by which a file names the architecture."""

    reads_images: ClassVar[bool | None]
    """Whether it reads images, and not tables; None if that is not known."""

    @abstractmethod
    def check(self) -> None:
        """Refuse a setting that no network could have."""

    @abstractmethod
    def module(self, inputs: InputShape, n_outputs: int) -> "nn.Module":
        """Return a fresh network of default format, unchecked."""

    @property
    def is_linear(self) -> bool:
        """Whether scores are linear in the parameters, so that losses stay convex."""
        return False

    def build(
        self,
        inputs: InputShape,
        n_outputs: int,
        dtype: "torch.dtype | None" = None,
    ) -> "nn.Module":
        """Return a fresh network for such rows.

        Parameters
        ----------
        inputs : InputShape
            What it is given.
        n_outputs : int
            Scores m of each row.
        dtype : torch.dtype, optional
            Format of its parameters; float32 by default.

        Returns
        -------
        torch.nn.Module
            Its first weights are drawn from torch's global generator of the processor;
            ``semikd.nets.seeded`` gives it a seed and leaves the generator alone.

        Raises
        ------
        ValueError
            If a setting is out of its range, or such rows cannot be read.
        TypeError
            If a setting is of the wrong type.
        """
        import torch

        from semikd import nets

        self.check()
        count("n_outputs", n_outputs)
        self.check_inputs(inputs)
        module = nets.with_own_dropout(self.module(inputs, n_outputs))
        return module.to(dtype or torch.float32)

    def check_inputs(self, inputs: InputShape) -> None:
        """Refuse rows that such a network cannot read."""
        is_image = inputs.image is not None
        if self.reads_images is not None and is_image != self.reads_images:
            kinds = {False: "rows of a table", True: "images"}
            constraint = f"read {kinds[is_image]}"
            remedy = "Use an architecture for them, such as "
            remedy += "ResNet" if is_image else "MLP"
            raise invalid("module", constraint, Shown(f"{self}"), remedy)
        if self.reads_images and min(inputs.row[1:]) < _SMALLEST_IMAGE:
            side = _SMALLEST_IMAGE
            constraint = f"be given images of at least {side} by {side} pixels"
            raise invalid(str(self), constraint, Shown(f"{inputs.row}"))

    def n_parameters(self, inputs: InputShape, n_outputs: int) -> int:
        """Return the number of trained numbers of such a network."""
        from semikd import nets

        return nets.n_parameters(self.outline(inputs, n_outputs))

    def outline(
        self,
        inputs: InputShape,
        n_outputs: int,
        dtype: "torch.dtype | None" = None,
    ) -> "nn.Module":
        """Return a network that has shapes but takes no memory."""
        import torch

        with torch.device("meta"):
            return self.build(inputs, n_outputs, dtype)
