"""Devices and number formats by name, so that a wrong name is refused before a fit."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from semikd._validation import choose, invalid

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def devices() -> dict[str, torch.device]:
    """Return the devices at hand by name; 'auto' is a GPU where there is one.

    Devices without float64, in which scores are computed, are left out.

    Returns
    -------
    dict of torch.device

    Examples
    --------
    >>> from semikd.nets import devices
    >>> devices()["cpu"]
    device(type='cpu')
    """
    found = {"auto": torch.device("cpu"), "cpu": torch.device("cpu")}
    if torch.cuda.is_available():
        numbered = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        found |= {name: torch.device(name) for name in ["cuda", *numbered]}
        found["auto"] = torch.device("cuda")
    return found


def find_device(name: str) -> torch.device:
    """Return the device of that name.

    Parameters
    ----------
    name : {'auto', 'cpu', 'cuda', 'cuda:0', ...}
        'auto' is a CUDA device where there is one, else the processor.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If there is no such device here.

    Examples
    --------
    >>> from semikd.nets import find_device
    >>> find_device("cpu")
    device(type='cpu')
    """
    return choose("device", name, devices())


def find_dtype(name: str) -> torch.dtype:
    """Return the number format of that name.

    Parameters
    ----------
    name : {'float32', 'float64'}
        Format of the parameters while they are trained.

    Returns
    -------
    torch.dtype

    Raises
    ------
    ValueError
        If the name is neither.

    Examples
    --------
    >>> from semikd.nets import find_dtype
    >>> find_dtype("float64")
    torch.float64
    """
    return choose("dtype", name, {"float32": torch.float32, "float64": torch.float64})


def find_precision(name: str, device: torch.device) -> torch.dtype | None:
    """Return the number format of matrix products, None for that of the parameters.

    Parameters
    ----------
    name : {'full', 'bfloat16'}
        'bfloat16' has 8 bits of precision; a CPU without it is exact but not faster.
    device : torch.device
        Where products are computed.

    Returns
    -------
    torch.dtype or None

    Raises
    ------
    ValueError
        If the device has no such products.

    Examples
    --------
    >>> from semikd.nets import find_device, find_precision
    >>> find_precision("bfloat16", find_device("cpu"))
    torch.bfloat16
    """
    formats = {"full": None, "bfloat16": torch.bfloat16}
    found = choose("precision", name, formats)
    lacks = device.type == "cuda" and not torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    if found is not None and lacks:
        constraint = f"be 'full' on {device}, which has no products in half precision"
        raise invalid("precision", constraint, name)
    return found


def find_compiler(name: str, device: torch.device) -> str | None:
    """Return the mode in which torch compiles networks, None for not at all.

    Parameters
    ----------
    name : {'off', 'default', 'cuda_graphs'}
        'cuda_graphs' records the kernels of a pass once and replays them.
    device : torch.device
        Where the networks run.

    Returns
    -------
    str or None

    Raises
    ------
    ValueError
        If the device has no graphs to record.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import find_compiler
    >>> find_compiler("default", torch.device("cpu"))
    'default'
    """
    modes = {"off": None, "default": "default", "cuda_graphs": "reduce-overhead"}
    found = choose("compile", name, modes)
    if name == "cuda_graphs" and device.type != "cuda":
        constraint = f"be 'off' or 'default' on {device}, which has no CUDA graphs"
        raise invalid("compile", constraint, name)
    return found


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device or the machine is out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # On a processor torch has no error of its own for it.
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


@contextmanager
def determinism(wanted: bool, device: torch.device) -> Iterator[None]:
    """Let torch use only algorithms that always give the same numbers, for a while."""
    if not wanted:
        yield
        return
    if device.type == "cuda" and not os.environ.get(_WORKSPACE):
        remedy = f"Set the environment variable {_WORKSPACE}=:4096:8 before the start"
        constraint = "be False where products on a GPU may vary"
        raise invalid("deterministic", constraint, True, remedy)
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
