"""Where the states of fits are kept, so that each fit finds its own and no other.

An estimator is copied and fitted many times: for folds, for all rows, for each setting
of a search. Each of these fits has a folder of its own, named by all that it is made
of, in the one folder that the user names.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd import nets
from semikd._files.checks import digest
from semikd.losses import DistillationLoss
from semikd.nets.identity import problem_of

if TYPE_CHECKING:
    from semikd.networks.fitting import Task


def own_checkpoint(
    tasks: "Sequence[Task]",
    loss: DistillationLoss,
    members: Sequence[nets.Member],
    rows: nets.Rows,
    options: nets.TrainingOptions,
) -> nets.Checkpoint | None:
    """Return where the state of this fit is kept, if it is to be."""
    wanted = tasks[0].options.training.checkpoint
    if wanted is None:
        return None
    given = wanted if isinstance(wanted, nets.Checkpoint) else nets.Checkpoint(wanted)
    identity = f"{given.identity} {_aim(tasks, loss)}"
    said = {**problem_of(members, rows, options), "aim": identity}
    folder = Path(given.folder) / f"fit-{digest(said)[:16]}"
    return replace(given, folder=folder, identity=identity)


def _aim(tasks: "Sequence[Task]", loss: DistillationLoss) -> str:
    """Return a hash of what the networks are fitted to, and by which loss."""
    found = hashlib.sha256(repr(loss).encode())
    for task in tasks:
        how = task.options.architecture, task.online is None
        found.update(repr(how).encode())
        if task.features is not None:
            found.update(repr(task.features.losses).encode())
            found.update(task.features.shown.fold.tobytes())
        arrays: list[NDArray[Any]] = [task.target[task.rows], task.weight[task.rows]]
        if task.against is not None:
            arrays.append(task.against.protected[task.rows])
        if task.against is not None and task.against.outcome is not None:
            arrays.append(task.against.outcome[task.rows])
        if task.attacked is not None:
            found.update(task.attacked.words.encode())
            given = task.attacked.belief, task.attacked.labels
            arrays += [each[task.rows] for each in given]
        for array in arrays:
            found.update(f"{array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
