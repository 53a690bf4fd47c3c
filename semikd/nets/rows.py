"""Where the rows of a fit are: on the device, or in a file that is larger than memory.

Data that fits stays on the device and a batch is an index gather; no row is ever
touched by Python.
"""

import hashlib
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Rows of a file by which it is recognised: reading all would cost as much as an epoch.
_HASHED = 4_096


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
        rows = self.inputs.index_select(0, index.reshape(-1))
        return rows.view(*index.shape, *self.inputs.shape[1:])

    def fingerprint(self) -> str:
        """Return a hash of all rows."""
        return _hash_of(self.inputs.cpu().contiguous().numpy())


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
    mean, scale : ndarray, optional
        Subtracted from each row, and divided by, as it is read.

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
        *,
        mean: NDArray[np.floating] | float = 0.0,
        scale: NDArray[np.floating] | float = 1.0,
    ) -> None:
        self.inputs, self.device, self.dtype = inputs, device, dtype
        self.mean, self.scale = mean, scale

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: Tensor) -> Tensor:
        """Read these rows, (M, b) to (M, b, ...)."""
        places = index.cpu().numpy()
        # In the order of the file: neighbours are then read together.
        distinct, where = np.unique(places, return_inverse=True)
        rows = (self.inputs[distinct] - self.mean) / self.scale
        read = torch.from_numpy(np.asarray(rows)).to(self.device, self.dtype)
        return read[torch.from_numpy(where.reshape(places.shape)).to(self.device)]

    def fingerprint(self) -> str:
        """Return a hash of some thousand rows, from all over the file."""
        step = max(1, len(self.inputs) // _HASHED)
        settings = [_hash_of(np.asarray(how)) for how in (self.mean, self.scale)]
        how = f"{self.inputs.shape} {self.dtype} {' '.join(settings)} "
        return _hash_of(np.ascontiguousarray(self.inputs[::step]), how)


def _hash_of(array: NDArray[np.generic], how: str = "") -> str:
    """Return a hash of numbers, with their shape and format."""
    said = f"{how}{array.shape} {array.dtype}".encode()
    return hashlib.sha256(said + array.tobytes()).hexdigest()
