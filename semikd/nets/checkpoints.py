"""Training that was killed goes on from where it was last written down.

A *checkpoint* is a folder with the state of a fit at the end of an epoch: parameters,
what the optimiser remembers, the members at their best, every generator, all losses.
"""

import copy
import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from semikd._files.npz import Arrays
from semikd._files.records import RecordKind, has_record, read_record, write_record
from semikd._files.signed import built
from semikd._validation import Shown, invalid
from semikd.nets.alike import module_state
from semikd.nets.loop import Loop
from semikd.nets.snapshots import (
    epochs_of,
    history_table,
    overwrite,
    packed_bytes,
    restore,
    snapshot,
)
from semikd.nets.training import Member, Trained

__all__ = ["Checkpoint", "Record", "Saver"]

_KIND = RecordKind("checkpoint", "a checkpoint of a fit", max_bytes=(1 << 31) - 1)


@dataclass(frozen=True)
class Checkpoint:
    """Where a fit is written down, so that it can go on after it was killed.

    The same fit with the same checkpoint goes on from the last state that was written,
    and ends with the same numbers as one that was never interrupted. One that is
    finished stays, and gives its networks without any training.

    Parameters
    ----------
    folder : str or path
        A folder of its own: new, empty, or with a checkpoint of the same fit.
    every_s : float, default=60.0
        Seconds between two states, which are those of ends of epochs; 0 is each epoch.
    identity : str, default=''
        What tells this fit from others beside its networks, rows, inputs and options,
        such as a hash of the targets. The losses of a few rows are compared anyhow.

    Notes
    -----
    An objective or an augmentation must have no state of its own, and a caller that
    listens is not told again of epochs that are behind. States are written whole or not
    at all; their size is four times that of all networks under way.

    Examples
    --------
    >>> from semikd.nets import Checkpoint
    >>> Checkpoint("fit-1").every_s
    60.0
    """

    folder: str | os.PathLike[str]
    every_s: float = 60.0
    identity: str = ""


class Record:
    """What is done of a fit, what is under way, and what is yet to be begun.

    Attributes
    ----------
    queue : list of list of int
        Members that are trained at once, by place; the first may be under way.
    done : dict of int to Trained
        Members that are through.
    spent : float
        Seconds of training so far.
    """

    def __init__(self, queue: list[list[int]]) -> None:
        self.queue = queue
        self.done: dict[int, Trained] = {}
        self.spent = 0.0
        self.under_way: tuple[dict[str, Any], Arrays] | None = None

    def resume(self, loop: Loop) -> None:
        """Bring a loop to where its members were, if they were under way."""
        state, self.under_way = self.under_way, None
        if state is not None:
            restore(loop, *state)


class Saver:
    """Writes the state of a fit to its folder when it is time, and reads it again.

    Parameters
    ----------
    checkpoint : Checkpoint
        Where, and how often.
    problem : dict of str to str
        What the fit is, in parts that have names.
    losses : ndarray of shape (k,)
        Those of a few rows before any training, which tell its objective.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        problem: dict[str, str],
        losses: NDArray[np.float64],
    ) -> None:
        self.checkpoint, self.losses = checkpoint, losses
        self.problem = {**problem, "identity": checkpoint.identity}
        self._path = Path(checkpoint.folder) / _KIND.file
        self._last = time.monotonic()

    def read(self, record: Record, members: Sequence[Member]) -> Record:
        """Return the record in the folder; the given one where there is none yet."""
        if not has_record(self.checkpoint.folder, _KIND):
            # What cannot be written is found out before any training.
            self.write(record, None)
            return record
        content, arrays = read_record(self.checkpoint.folder, _KIND)
        stated = built(self._path, lambda: dict(content["problem"]))
        written = built(self._path, lambda: arrays["losses"])
        self._refuse_other(stated, written)
        return built(self._path, lambda: _read(content, arrays, members))

    def resume(self, record: Record, loop: Loop) -> None:
        """Bring a loop to where its members were, if they were under way."""
        built(self._path, lambda: record.resume(loop))

    def write(self, record: Record, loop: Loop | None) -> None:
        """Write everything down; without a loop nothing is under way."""
        content: dict[str, Any] = {
            "problem": self.problem,
            "queue": record.queue,
            "spent": record.spent,
            "done": sorted(record.done),
            "modes": [record.done[m].mode for m in sorted(record.done)],
        }
        finished = [record.done[m] for m in sorted(record.done)]
        arrays: Arrays = {
            "losses": self.losses,
            "done": packed_bytes([t for one in finished for t in _tensors(one.module)]),
            "done_history": history_table([one.history for one in finished]),
        }
        if loop is not None:
            content["loop"], state = snapshot(loop)
            arrays |= state
        write_record(self.checkpoint.folder, _KIND, content, arrays)
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the last state is old enough for a new one."""
        return time.monotonic() - self._last >= self.checkpoint.every_s

    def _refuse_other(
        self, stated: dict[str, str], losses: NDArray[np.float64]
    ) -> None:
        """Refuse a checkpoint of another fit, naming what differs."""
        names = dict.fromkeys([*self.problem, *stated])
        other = [n for n in names if stated.get(n) != self.problem.get(n)]
        same = losses.shape == self.losses.shape
        # The same machine may round otherwise with another number of threads.
        if not same or not np.allclose(losses, self.losses, rtol=1e-3, equal_nan=True):
            other = other or ["objective"]
        if other:
            shown = Shown(f"one with other {', '.join(other)}")
            remedy = "Name another folder, or remove this one to start anew"
            folder = str(self.checkpoint.folder)
            raise invalid(f"checkpoint {folder!r}", "be of this fit", shown, remedy)


def _read(content: dict[str, Any], arrays: Arrays, members: Sequence[Member]) -> Record:
    """Return the record that a file holds."""
    record = Record([[int(m) for m in chunk] for chunk in content["queue"]])
    record.spent = float(content["spent"])
    done = [int(m) for m in content["done"]]
    if sorted([*done, *itertools.chain(*record.queue)]) != list(range(len(members))):
        raise invalid("members", "be done or in the queue, each once", done)
    modules = [copy.deepcopy(members[m].module).eval() for m in done]
    overwrite([t for module in modules for t in _tensors(module)], arrays["done"])
    histories = epochs_of(arrays["done_history"], len(done))
    for m, module, history, mode in zip(
        done, modules, histories, content["modes"], strict=True
    ):
        record.done[m] = Trained(module, history, str(mode))
    if "loop" in content:
        record.under_way = dict(content["loop"]), arrays
    return record


def _tensors(module: nn.Module) -> list[Tensor]:
    """Return all numbers of a module, in the order in which they are written."""
    return list(module_state(module).values())
