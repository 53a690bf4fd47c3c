"""What a fit is, in a few words and hashes, so that one is not taken for another."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semikd.nets.alike import module_state
from semikd.nets.lending import globals_kept
from semikd.nets.rows import Rows
from semikd.nets.training import Batch, Member, Objective, TrainingOptions

# Time may be added, and says nothing of what is fitted.
_OF_NO_MATTER = "time_limit"
_PROBED = 64


def problem_of(
    members: Sequence[Member], rows: Rows, options: TrainingOptions
) -> dict[str, str]:
    """Return the parts of a fit by name, each as text that two equal fits share."""
    shapes = [
        (str(member.module), [(n, t.shape, t.dtype) for n, t in state.items()])
        for member in members
        for state in [module_state(member.module)]
    ]
    settings = [
        (m.seed, m.learning_rate, m.weight_decay, m.max_epochs, m.strength)
        for m in members
    ]
    said: dict[str, str] = {
        "networks": _hash(str(shapes).encode()),
        "first parameters": _hash(*_state_bytes(members)),
        "rows of the members": _hash(*_row_bytes(members)),
        "settings of the members": _hash(str(settings).encode()),
        "device": members[0].training.device.type,
    }
    for field in fields(options):
        if field.name != _OF_NO_MATTER:
            said[field.name] = _in_words(getattr(options, field.name))
    fingerprint: Callable[[], str] | None = getattr(rows, "fingerprint", None)
    said["inputs"] = str(len(rows)) if fingerprint is None else fingerprint()
    return said


def first_losses(
    members: Sequence[Member], rows: Rows, objective: Objective
) -> NDArray[np.float64]:
    """Return the losses of a few rows of each member before any training."""
    found = []
    for place, member in enumerate(members):
        step = max(1, len(member.training) // _PROBED)
        index = member.training[None, ::step][:, :_PROBED]
        with torch.no_grad(), globals_kept(index.device):
            inputs = rows.take(index)
            scores: Tensor = copy.deepcopy(member.module).eval()(inputs[0])[None]
            ids = torch.tensor([place], device=index.device)
            losses = objective(scores, Batch(index, ids, inputs, watching=True))
        found.append(losses.double().cpu().reshape(-1))
    return torch.cat(found).numpy()


def _state_bytes(members: Sequence[Member]) -> list[bytes]:
    """Return the numbers that the members start from."""
    return [
        tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        for member in members
        for module in (member.module, member.opponent)
        if module is not None
        for tensor in module_state(module).values()
    ]


def _row_bytes(members: Sequence[Member]) -> list[bytes]:
    """Return the rows of the members, each list with its length before it."""
    lists = [rows for m in members for rows in (m.training, m.validation)]
    return [
        b"none" if rows is None else f"{len(rows)}:".encode() + _plain(rows)
        for rows in lists
    ]


def _plain(rows: Tensor) -> bytes:
    return rows.cpu().long().numpy().tobytes()


def _in_words(value: object) -> str:
    """Return an option as text; a function by its name, which is all that lasts."""
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__qualname__))
    return repr(value)


def _hash(*parts: bytes) -> str:
    """Return one hash of many parts."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()
