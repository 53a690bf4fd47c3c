"""What networks are fitted to, row by row: the loss of their scores, and of layers."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from torch import Tensor

from semikd import nets
from semikd.losses import DistillationLoss
from semikd.networks.comparing import Compared
from semikd.networks.robust import RobustLoss
from semikd.networks.rows import normalized
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from semikd.networks.fitting import Task

# From a batch to a number, or several, of each of its rows.
_OfBatch: TypeAlias = Callable[[nets.Batch], Tensor]


def objective_of(
    tasks: "Sequence[Task]",
    loss: DistillationLoss,
    device: torch.device,
    dtype: torch.dtype,
    view: Compared | None = None,
) -> nets.Objective:
    """Return the weighted loss of rows: a mean under weights of mean 1.

    Parameters
    ----------
    tasks : sequence of Task
        The networks.
    loss : DistillationLoss
        The scale of their targets.
    device, dtype : torch.device and torch.dtype
        Where scores are, and their format.
    view : Compared, optional
        What compares hidden layers, of the one network there is.
    """
    targets = _targets(tasks, device, dtype)
    weigh = weighing_of(tasks, device, dtype)

    def taught(scores: Tensor, batch: nets.Batch) -> Tensor:
        found: Tensor = loss.value(scores, targets(batch))
        return found

    losses: nets.Objective = taught
    if tasks[0].attacked is not None:
        losses = RobustLoss(tasks[0], taught, device, dtype)

    def objective(scores: Tensor, batch: nets.Batch) -> Tensor:
        return weigh(losses(scores, batch), batch)

    if view is None:
        return objective
    return _with_layers(objective, _weights(tasks, device, dtype), view)


def weighing_of(
    tasks: "Sequence[Task]", device: torch.device, dtype: torch.dtype
) -> nets.Objective:
    """Return what multiplies the losses of rows by their weights, of mean 1."""
    weights = _weights(tasks, device, dtype)

    def weigh(losses: Tensor, batch: nets.Batch) -> Tensor:
        return weights(batch) * losses

    return weigh


def _with_layers(
    objective: nets.Objective, weights: _OfBatch, view: Compared
) -> nets.Objective:
    """Return an objective of scores, and of the hidden layers behind them."""

    def both(answers: Tensor, batch: nets.Batch) -> Tensor:
        losses = objective(view.scores(answers), batch)
        if batch.watching:
            # The layers are a means: which epoch is best, the answers say.
            return losses
        counts = weights(batch)
        return losses + counts * view.losses(answers, batch, counts)

    return both


def _weights(
    tasks: "Sequence[Task]", device: torch.device, dtype: torch.dtype
) -> _OfBatch:
    """Return how to find the weights of a batch."""
    return _lookup([_scaled(task) for task in tasks], device, dtype)


def _targets(
    tasks: "Sequence[Task]", device: torch.device, dtype: torch.dtype
) -> _OfBatch:
    """Return how to find the targets of a batch, looked up or made for its inputs."""
    first = tasks[0]
    if first.online is None:
        return _lookup([task.target for task in tasks], device, dtype)
    relabel = first.online.bound(first.encoding, device)
    return lambda batch: relabel(batch.inputs[0], batch.rows[0])[None]


def _lookup(
    arrays: Sequence[FloatArray], device: torch.device, dtype: torch.dtype
) -> _OfBatch:
    """Return how to look up the numbers of a batch, (M, b, ...)."""
    if all(a is arrays[0] or np.array_equal(a, arrays[0]) for a in arrays[1:]):
        table = torch.tensor(arrays[0], device=device, dtype=dtype)
        return lambda batch: nets.ResidentRows(table).take(batch.rows)
    many = torch.tensor(np.stack(arrays), device=device, dtype=dtype)
    return lambda batch: many[batch.members[:, None], batch.rows]


def _scaled(task: "Task") -> FloatArray:
    """Return the weights of a task, of mean 1 in training and among those held out."""
    scaled = np.zeros(len(task.weight))
    scaled[task.rows] = normalized(task.weight[task.rows], task.held_out)
    return scaled
