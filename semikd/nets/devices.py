"""Devices and number formats by name, so that a wrong name is refused before a fit."""

import torch

from semikd._validation import choose


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
