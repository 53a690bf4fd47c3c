"""All that changes in a loop from one epoch to the next, as numbers and plain words.

A fresh loop that is given them goes on as the one did that they were taken from, to the
last bit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semikd._files.npz import Arrays
from semikd._validation import Shown, invalid
from semikd.nets.loop import Loop
from semikd.nets.training import Epoch

Bytes = NDArray[np.uint8]


def snapshot(loop: Loop) -> tuple[dict[str, Any], Arrays]:
    """Return all that changes in a loop from one epoch to the next."""
    clocks = list(dict.fromkeys(loop.clocks))
    content = {
        "alive": loop.alive,
        "positions": [[clock.epoch, clock.position] for clock in clocks],
        "n_steps": loop.optimizer.n_steps,
        "watched": [loop.watch.epoch, loop.watch.improved],
    }
    memory = [t for tensors in loop.optimizer.memory.values() for t in tensors]
    arrays: Arrays = {
        "stack": packed_bytes(list(loop.stack.state.values())),
        "kept": packed_bytes(list(loop.kept.state.values())),
        "memory": packed_bytes(memory),
        "totals": packed_bytes([loop.totals]),
        "clocks": packed_bytes([clock.drawn_from for clock in clocks]),
        "noise": packed_bytes([generator.get_state() for generator in loop.noise]),
        "best": np.asarray(loop.watch.best),
        "history": history_table(loop.history),
        "opponents": packed_bytes(_of_opponents(loop)),
    }
    return content, arrays


def restore(loop: Loop, content: dict[str, Any], arrays: Arrays) -> None:
    """Bring a fresh loop to the state of a snapshot."""
    alive = [int(m) for m in content["alive"]]
    if alive != sorted(set(alive) & set(range(len(loop.members)))) or not alive:
        raise invalid("members under way", "be some of those trained", alive)
    loop.restrict(alive)
    overwrite(list(loop.stack.state.values()), arrays["stack"])
    overwrite(list(loop.kept.state.values()), arrays["kept"])
    memory = [t for tensors in loop.optimizer.memory.values() for t in tensors]
    overwrite(memory, arrays["memory"])
    overwrite([loop.totals], arrays["totals"])
    overwrite(_of_opponents(loop), arrays["opponents"])
    loop.optimizer.n_steps = int(content["n_steps"])
    if loop.opponents is not None:
        loop.opponents.optimizer.n_steps = loop.optimizer.n_steps
    clocks = list(dict.fromkeys(loop.clocks))
    states = _unpacked([clock.drawn_from for clock in clocks], arrays["clocks"])
    for clock, state, (epoch, position) in zip(
        clocks, states, content["positions"], strict=True
    ):
        clock.rewind(state, int(epoch), int(position))
    drawn = [generator.get_state() for generator in loop.noise]
    for generator, state in zip(
        loop.noise, _unpacked(drawn, arrays["noise"]), strict=True
    ):
        generator.set_state(state)
    loop.watch.best = [float(loss) for loss in arrays["best"]]
    loop.watch.epoch, loop.watch.improved = content["watched"]
    loop.history = [
        list(own) for own in epochs_of(arrays["history"], len(loop.members))
    ]


def _of_opponents(loop: Loop) -> list[Tensor]:
    """Return what changes of the opponents, where there are any."""
    return [] if loop.opponents is None else loop.opponents.tensors


def packed_bytes(tensors: Sequence[Tensor]) -> Bytes:
    """Return tensors as one row of bytes: half precision has no name in numpy."""
    parts = [t.detach().cpu().contiguous().view(-1).view(torch.uint8) for t in tensors]
    return torch.cat([torch.empty(0, dtype=torch.uint8), *parts]).numpy()


def _unpacked(like: Sequence[Tensor], packed: Bytes) -> list[Tensor]:
    """Return tensors of these shapes and formats from their bytes."""
    lengths = [tensor.numel() * tensor.element_size() for tensor in like]
    if sum(lengths) != packed.size or packed.dtype != np.uint8:
        shown = Shown(f"{packed.size:,} bytes")
        raise invalid("state", f"have {sum(lengths):,} bytes", shown)
    # A copy of each part: what is read of a file is neither aligned nor writable.
    parts = torch.from_numpy(packed.copy()).split(lengths)
    return [
        part.clone().view(tensor.dtype).view(tensor.shape)
        for part, tensor in zip(parts, like, strict=True)
    ]


def overwrite(into: Sequence[Tensor], packed: Bytes) -> None:
    """Overwrite tensors by those that were written."""
    with torch.no_grad():
        for tensor, saved in zip(into, _unpacked(into, packed), strict=True):
            tensor.copy_(saved)


def history_table(histories: Sequence[Sequence[Epoch]]) -> NDArray[np.float64]:
    """Return epochs as rows: whose, number, losses; NaN where nothing was watched."""
    lines = [
        (place, e.epoch, e.train_loss, np.nan if missing else e.validation_loss)
        for place, history in enumerate(histories)
        for e in history
        for missing in [e.validation_loss is None]
    ]
    return np.asarray(lines, dtype=np.float64).reshape(-1, 4)


def epochs_of(table: NDArray[np.float64], n: int) -> list[tuple[Epoch, ...]]:
    """Return the epochs of ``n`` histories from their rows."""
    histories: list[list[Epoch]] = [[] for _ in range(n)]
    for place, number, train, validation in table.tolist():
        watched = None if np.isnan(validation) else validation
        histories[int(place)].append(Epoch(int(number), train, watched))
    return [tuple(history) for history in histories]
