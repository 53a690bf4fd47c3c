"""Fitted networks on disk: a named architecture and plain arrays, nothing pickled.

A custom architecture is a function, which no file holds; it is passed again to read
one.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._files.checks import refusal
from semikd._files.npz import Arrays
from semikd._files.records import RecordKind, read_record, write_record
from semikd._files.signed import built
from semikd._validation import Shown, choose, count, invalid, wrong_type
from semikd.networks.architectures import Factory, from_spec, to_spec
from semikd.networks.base import Architecture
from semikd.networks.shapes import InputShape

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORK", "SavedNetwork", "load_network", "save_network"]

NETWORK = RecordKind("network", "a saved network")

# Largest inputs and outputs: no file makes a network of a size that nobody trained.
_MOST_INPUTS = 1 << 24
_MOST_OUTPUTS = 1 << 20
_WEIGHT, _EXTRA = "weight.", "extra."
_ENTRIES = {"about", "architecture", "dtype", "extra", "inputs", "n_outputs"}


@dataclass(frozen=True, eq=False)
class SavedNetwork:
    """A network as it was read, and what was saved beside it.

    Parameters
    ----------
    module : torch.nn.Module
        The network, on the processor, in evaluation mode.
    architecture : Architecture
        How it is built.
    inputs : InputShape
        What it is given.
    n_outputs : int
        Scores m of each row.
    extra : dict
        JSON values.
    arrays : dict of ndarray
        Plain arrays.
    about : dict
        Versions of the libraries that wrote it.

    Examples
    --------
    >>> from torch import nn
    >>> from semikd.networks import MLP, InputShape, SavedNetwork
    >>> SavedNetwork(nn.Linear(3, 1), MLP(()), InputShape.table(3), 1).n_outputs
    1
    """

    module: "nn.Module" = field(repr=False)
    architecture: Architecture
    inputs: InputShape
    n_outputs: int
    extra: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict, repr=False)
    about: dict[str, Any] = field(default_factory=dict)


def save_network(
    folder: str | os.PathLike[str],
    module: "nn.Module",
    architecture: Architecture,
    inputs: InputShape,
    n_outputs: int,
    *,
    extra: Mapping[str, Any] | None = None,
    arrays: Mapping[str, NDArray[Any]] | None = None,
) -> int:
    """Write a network into a folder, as ``load_network`` reads it.

    Parameters
    ----------
    folder : path
        A folder that is new or empty, or holds a saved network, which is replaced in
        one step: whoever is killed meanwhile leaves the older or the newer one whole.
    module : torch.nn.Module
        The network, as ``architecture`` builds it.
    architecture : Architecture
        How it is built.
    inputs : InputShape
        What it is given.
    n_outputs : int
        Scores m of each row.
    extra : mapping, optional
        JSON values to be kept beside it.
    arrays : mapping of ndarray, optional
        Plain numbers to be kept beside it.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ValueError
        If the folder holds anything else, or the network could not be read again.
    TypeError
        If the state of the network is not made of tensors.

    Notes
    -----
    ``network.json`` holds the architecture, the shape of a row, ``extra``, and the
    hashes of the arrays and of itself; ``network-<hash>.npz`` holds the arrays.

    Examples
    --------
    >>> import tempfile
    >>> from semikd.networks import MLP, InputShape, load_network, save_network
    >>> spec, inputs = MLP((4,)), InputShape.table(2)
    >>> with tempfile.TemporaryDirectory() as home:
    ...     _ = save_network(home, spec.build(inputs, 1), spec, inputs, 1)
    ...     load_network(home).architecture
    MLP(hidden_layer_sizes=(4,))
    """
    weights = _weights(module)
    expected = architecture.outline(inputs, n_outputs).state_dict()
    odd = _difference(weights, {k: tuple(v.shape) for k, v in expected.items()})
    if odd:
        raise invalid("module", f"be as {architecture} builds it", Shown(odd))
    content = {
        "about": _versions(),
        "architecture": to_spec(architecture),
        "dtype": _format(module),
        "inputs": inputs.to_dict(),
        "n_outputs": n_outputs,
        "extra": dict(extra or {}),
    }
    named = {_WEIGHT + name: array for name, array in weights.items()}
    beside = {_EXTRA + name: array for name, array in (arrays or {}).items()}
    return write_record(folder, NETWORK, content, named | beside)


def load_network(
    folder: str | os.PathLike[str], *, factory: Factory | None = None
) -> SavedNetwork:
    """Read a network that ``save_network`` wrote, or say in one line what is wrong.

    Parameters
    ----------
    folder : path
        The folder.
    factory : callable, optional
        The function that built the network, where a function did.

    Returns
    -------
    SavedNetwork

    Raises
    ------
    ArtifactError
        If the folder holds no network, a newer one, a damaged one, or one that a
        function built which is not given.

    Notes
    -----
    Nothing of the file is run, and no network is built before its shapes are known to
    be those of the arrays. A hash tells damage, not who wrote the file.

    Examples
    --------
    >>> from semikd.networks import load_network
    >>> load_network("no-such-folder")
    Traceback (most recent call last):
    semikd.exceptions.ArtifactError: no-such-folder must be a folder with a saved \
network; got nothing of that name.
    """
    path = Path(folder) / NETWORK.file
    content, arrays = read_record(folder, NETWORK)
    if set(content) != _ENTRIES:
        shown = Shown(f"{min(set(content) ^ _ENTRIES)!r} missing or too many")
        raise refusal(path, "have the entries of a network", shown)
    weights = _beginning(_WEIGHT, arrays)
    beside = _beginning(_EXTRA, arrays)
    if len(weights) + len(beside) != len(arrays):
        raise refusal(path, "name weights and extra arrays", Shown("others"))
    return built(path, lambda: _network(content, weights, beside, factory))


def _network(
    content: Mapping[str, Any], weights: Arrays, beside: Arrays, factory: Factory | None
) -> SavedNetwork:
    """Return the network of words and arrays; ``ValueError`` if they disagree."""
    import torch

    from semikd import nets

    architecture = from_spec(content["architecture"], factory=factory)
    inputs = InputShape.from_dict(content["inputs"])
    n_outputs = count("n_outputs", content["n_outputs"])
    _check_size(inputs, n_outputs)
    dtype = nets.find_dtype(content["dtype"])
    outline = architecture.outline(inputs, n_outputs, dtype)
    shapes = {k: tuple(v.shape) for k, v in outline.state_dict().items()}
    odd = _difference(weights, shapes)
    if odd:
        raise invalid("arrays", f"be those of {architecture}", Shown(odd))
    module = nets.seeded(lambda: architecture.build(inputs, n_outputs, dtype), 0)
    state = {k: torch.from_numpy(array.copy()) for k, array in weights.items()}
    for name, tensor in module.state_dict().items():
        if tensor.dtype != state[name].dtype:
            constraint = f"be of the format {tensor.dtype}"
            raise invalid(f"array {name!r}", constraint, Shown(f"{state[name].dtype}"))
    for name, _ in module.named_parameters():
        if not bool(state[name].isfinite().all()):
            raise invalid(f"array {name!r}", "hold finite numbers", Shown("others"))
    module.load_state_dict(state)
    return SavedNetwork(
        module.eval(),
        architecture,
        inputs,
        n_outputs,
        dict(content["extra"]),
        beside,
        dict(content["about"]),
    )


def _check_size(inputs: InputShape, n_outputs: int) -> None:
    """Refuse a row or scores of a size that no network of this library has."""
    size = int(np.prod(inputs.row, dtype=np.float64))
    if size > _MOST_INPUTS or n_outputs > _MOST_OUTPUTS:
        constraint = (
            f"have at most {_MOST_INPUTS:,} inputs and {_MOST_OUTPUTS:,} scores"
        )
        raise invalid("network", constraint, Shown(f"{size:,} and {n_outputs:,}"))


def _weights(module: "nn.Module") -> Arrays:
    """Return parameters and buffers as arrays."""
    import torch

    weights = {}
    for name, tensor in module.state_dict().items():
        if not isinstance(tensor, torch.Tensor):
            shown = Shown(f"{type(tensor).__name__} in {name!r}")
            raise wrong_type("state of the module", "be made of tensors", shown)
        weights[name] = tensor.detach().cpu().numpy()
    return weights


def _difference(weights: Arrays, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return where arrays differ from the shapes that are wanted, or nothing."""
    for name in sorted(set(weights) ^ set(shapes)):
        return f"{name!r} {'too many' if name in weights else 'missing'}"
    for name, array in weights.items():
        if array.shape != shapes[name]:
            return f"{name!r} of {array.shape} instead of {shapes[name]}"
    return ""


def _beginning(prefix: str, arrays: Arrays) -> Arrays:
    """Return the arrays whose names begin so, without that."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _format(module: "nn.Module") -> str:
    """Return the number format of the parameters by name."""
    formats = {str(p.dtype).removeprefix("torch.") for p in module.parameters()}
    known = dict.fromkeys(("float32", "float64"))
    choose("dtype", next(iter(formats), "float32"), known)
    if len(formats) > 1:
        raise invalid("dtype", "be one for all parameters", sorted(formats))
    return next(iter(formats), "float32")


def _versions() -> dict[str, str]:
    """Return the versions of what wrote a file."""
    import torch

    import semikd

    return {"semikd": semikd.__version__, "torch": str(torch.__version__)}
