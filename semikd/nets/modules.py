"""Networks built from seeds of their own, and what can be asked of them.

A module is built from a seed, so that a fit neither depends on what ran before it nor
changes what runs after it.
"""

import copy
import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semikd._validation import Shown, invalid
from semikd.exceptions import SemikdWarning
from semikd.nets.devices import is_out_of_memory
from semikd.nets.layers import Dropout

Built = TypeVar("Built")

# Numbers of input on the device at a time, when scores are asked for.
_MOST_NUMBERS = 4_000_000


def mlp(
    n_features: int,
    hidden_layer_sizes: Sequence[int],
    n_outputs: int,
    *,
    dropout: float = 0.0,
    dtype: torch.dtype = torch.float32,
) -> nn.Sequential:
    """Return a multilayer perceptron with SiLU units.

    The units are smooth, so that second-order solvers converge. Without hidden layers
    it is a linear map, and the objective of a convex loss has one minimum.

    Parameters
    ----------
    n_features : int
        Columns d of the input.
    hidden_layer_sizes : sequence of int
        Units of each hidden layer.
    n_outputs : int
        Scores m of each row.
    dropout : float, default=0.0
        Chance of a hidden unit to be left out while training.
    dtype : torch.dtype, default=torch.float32
        Format of the parameters.

    Returns
    -------
    torch.nn.Sequential

    Examples
    --------
    >>> from semikd.nets import mlp, n_parameters
    >>> n_parameters(mlp(3, (8,), 1))
    41
    """
    layers: list[nn.Module] = []
    width = n_features
    for hidden in hidden_layer_sizes:
        layers += [nn.Linear(width, hidden, dtype=dtype), nn.SiLU()]
        layers += [Dropout(dropout)] if dropout else []
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, n_outputs, dtype=dtype))


def seeded(build: Callable[[], Built], seed: int) -> Built:
    """Return what a factory builds from this seed; global generators stay as they are.

    Parameters
    ----------
    build : callable
        Factory without arguments that draws from torch's generator of the processor.
    seed : int
        Its seed.

    Returns
    -------
    object
        A network, or tensors.

    Examples
    --------
    >>> from semikd.nets import mlp, seeded
    >>> first, second = (seeded(lambda: mlp(2, (), 1), seed=0) for _ in range(2))
    >>> bool((first[0].weight == second[0].weight).all())
    True
    """
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would reseed every GPU as well, which is not undone here.
        torch.default_generator.manual_seed(seed)
        return build()


def n_parameters(module: nn.Module) -> int:
    """Return the number of trained numbers of a module.

    Examples
    --------
    >>> from semikd.nets import mlp, n_parameters
    >>> n_parameters(mlp(3, (), 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters())


def predict(
    module: nn.Module,
    inputs: NDArray[np.floating],
    *,
    device: torch.device,
    chunk: int | None = None,
) -> NDArray[np.float64]:
    """Return the scores of rows, computed in the number format of the inputs.

    Only float64 makes a row's score independent of the rows beside it to the accuracy
    that comparisons need, whatever the module was trained in.

    Parameters
    ----------
    module : torch.nn.Module
        Fitted network; it is left as it is.
    inputs : ndarray of float of shape (n, ...)
        Its inputs.
    device : torch.device
        Where to compute.
    chunk : int, optional
        Rows on the device at a time, which bounds the memory; by default what makes
        some four million numbers.

    Returns
    -------
    ndarray of shape (n, m)

    Raises
    ------
    ValueError
        If the device has too little memory for a single row.

    Warns
    -----
    SemikdWarning
        If the device ran out of memory and fewer rows are taken at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.nets import find_device, mlp, predict
    >>> predict(mlp(2, (), 3), np.zeros((5, 2)), device=find_device("cpu")).shape
    (5, 3)
    """
    chunk = chunk or max(1, _MOST_NUMBERS * len(inputs) // max(inputs.size, 1))
    with torch.no_grad():
        # Taken from the inputs: numpy's formats have no torch name.
        dtype = torch.from_numpy(inputs[:0]).dtype
        exact = copy.deepcopy(module).to(device, dtype).eval()
        parts: list[Tensor] = []
        start = 0
        while start < len(inputs) or not parts:
            rows = inputs[start : start + chunk]
            scores = _scores(exact, rows, device)
            if scores is None:
                chunk = _fewer(len(rows))
                continue
            parts.append(scores)
            start += chunk
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def _scores(
    module: nn.Module, rows: NDArray[np.floating], device: torch.device
) -> Tensor | None:
    """Return the scores of rows, None if the device has too little memory for them."""
    try:
        scores: Tensor = module(torch.from_numpy(rows).to(device))
        return scores.cpu()
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    return None


def _fewer(n_rows: int) -> int:
    """Return how many rows to go on with where so many have no place."""
    if n_rows <= 1:
        remedy = "Compute scores on the processor, by device='cpu'"
        constraint = "fit into the memory of the device"
        raise invalid("a row", constraint, Shown("one too large"), remedy)
    half = -(-n_rows // 2)
    warnings.warn(
        f"The device ran out of memory with {n_rows:,} rows at once; going on with "
        f"{half:,} at a time.",
        SemikdWarning,
        stacklevel=3,
    )
    return half
