"""Which networks are one program with other numbers in it, and may run as one.

Two modules are alike if they have the same layers with the same settings; what only
shows in an attribute, such as a share of dropout, counts as much as a shape.
"""

import copy
import dataclasses
import functools
import types
from collections.abc import Hashable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from semikd._files.checks import digest
from semikd._validation import Shown, invalid
from semikd.nets.lending import globals_kept

# What every module has: its parts, which are compared as such, and its hooks.
_COMMON = frozenset(vars(nn.Module()))
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_PLAIN = (bool, int, float, complex, str, bytes, torch.dtype, torch.device)


def architecture(module: nn.Module) -> Hashable:
    """Return what modules must have in common to be run as one."""
    layers = tuple(
        (path, type(layer), _settings(layer)) for path, layer in module.named_modules()
    )
    trained = {n for n, p in module.named_parameters() if p.requires_grad}
    tensors = tuple(
        (name, tensor.shape, tensor.dtype, tensor.device, name in trained)
        for name, tensor in module_state(module).items()
    )
    return layers, tensors


def module_state(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name, each once; without the lent noise."""
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    saved = module.state_dict()
    return {name: t.detach() for name, t in tensors.items() if name in saved}


def mixes_rows(module: nn.Module, example: Tensor) -> bool:
    """Return whether a row's score depends on the rows beside it while training.

    Statistics of batches are known to; else it is tried out on a few rows.
    """
    if any(isinstance(layer, _BatchNorm) for layer in module.modules()):
        return True
    n = (len(example) - 1) // 2
    if n < 1:
        return False
    others = example[1 : n + 1], example[n + 1 : 2 * n + 1]
    quiet = copy.deepcopy(module).eval()
    with torch.no_grad(), globals_kept(example.device):
        one, two = (quiet(torch.cat([example[:1], rest]))[0] for rest in others)
    return not torch.allclose(one, two, rtol=1e-3, atol=1e-5)


def is_plain(module: nn.Module) -> bool:
    """Return whether layers are all there is: no tied parameters and no hooks."""
    names = list(module.named_parameters(remove_duplicate=False))
    tied = len(names) > len(list(module.named_parameters()))
    hooks = any(getattr(layer, h) for layer in module.modules() for h in _HOOKS)
    return not (tied or hooks)


def refuse_shared(modules: Sequence[nn.Module]) -> None:
    """Refuse members that train the same numbers."""
    owner: dict[int, int] = {}
    for member, module in enumerate(modules):
        for name, parameter in module.named_parameters():
            first = owner.setdefault(parameter.data_ptr() or id(parameter), member)
            if first != member:
                shown = Shown(f"{name!r} in members {first} and {member}")
                remedy = "Build new layers in each call of the factory"
                raise invalid("module", "share no parameter", shown, remedy)


def _settings(layer: nn.Module) -> Hashable:
    """Return what a layer is told by its attributes and by buffers beside its state."""
    own = {name: value for name, value in vars(layer).items() if name not in _COMMON}
    passing = {name: layer._buffers[name] for name in layer._non_persistent_buffers_set}
    hooks = {name: list(getattr(layer, name).values()) for name in _HOOKS}
    return _comparable([own, passing, hooks])


def _comparable(value: object) -> Hashable:
    """Return a stand-in that is equal for equal settings."""
    kind = type(value)
    if value is None or isinstance(value, _PLAIN):
        return kind, value
    if isinstance(value, Tensor | np.ndarray):
        array = np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value)
        return kind, array.shape, str(array.dtype), digest(array.tobytes())
    if isinstance(value, set | frozenset):
        return kind, frozenset(_comparable(entry) for entry in value)
    if isinstance(value, list | tuple):
        return kind, tuple(_comparable(entry) for entry in value)
    if isinstance(value, dict):
        return kind, tuple((_comparable(k), _comparable(v)) for k, v in value.items())
    return _comparable_object(value)


def _comparable_object(value: object) -> Hashable:
    """Return the stand-in of a function or a record; others stand for themselves."""
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return value.__code__, _comparable([value.__defaults__, cells])
    if isinstance(value, functools.partial):
        return "partial", _comparable([value.func, value.args, value.keywords])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [getattr(value, field.name) for field in dataclasses.fields(value)]
        return type(value), _comparable(fields)
    return value if isinstance(value, Hashable) else id(value)
