"""Where the rows of a fit are: on the device, or in a file that is larger than memory.

Data that fits stays on the device and a batch is an index gather; no row is ever
touched by Python.
"""

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Rows(Protocol):
    """Inputs of all rows, from which batches are taken."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def take(self, index: Tensor) -> Tensor:
        """Return the inputs of these rows, (M, b) to (M, b, ...), on the device."""


class ResidentRows:
    """Rows that are on the device.

    Parameters
    ----------
    inputs : Tensor of shape (n, ...)
        All rows.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import ResidentRows
    >>> ResidentRows(torch.eye(3)).take(torch.tensor([[2, 0]])).shape
    torch.Size([1, 2, 3])
    """

    def __init__(self, inputs: Tensor) -> None:
        self.inputs = inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: Tensor) -> Tensor:
        """Return the inputs of these rows, (M, b) to (M, b, ...)."""
        rows = self.inputs.index_select(0, index.view(-1))
        return rows.view(*index.shape, *self.inputs.shape[1:])


class MappedRows:
    """Rows in a file, of which only those of a batch are read into memory.

    Parameters
    ----------
    inputs : numpy.memmap of shape (n, ...)
        All rows, for instance from ``numpy.load(path, mmap_mode="r")``.
    device : torch.device
        Where batches go.
    dtype : torch.dtype
        Their number format there.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from semikd.nets import MappedRows
    >>> rows = MappedRows(np.eye(3), torch.device("cpu"), torch.float32)
    >>> rows.take(torch.tensor([[2, 0]])).dtype
    torch.float32
    """

    def __init__(
        self,
        inputs: NDArray[np.floating],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.inputs, self.device, self.dtype = inputs, device, dtype

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: Tensor) -> Tensor:
        """Read these rows, (M, b) to (M, b, ...)."""
        places = index.cpu().numpy()
        # In the order of the file: neighbours are then read together.
        distinct, where = np.unique(places, return_inverse=True)
        rows = np.asarray(self.inputs[distinct])[where.reshape(places.shape)]
        return torch.from_numpy(rows).to(self.device, self.dtype)
