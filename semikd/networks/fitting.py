"""Where targets on a scale meet the torch engine, so that neither knows the other."""

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from semikd import nets
from semikd._progress import Reporter, silent
from semikd._random import spawn_seeds
from semikd.losses import DistillationLoss
from semikd.networks.adversary import Against, contest_of, opponent_of
from semikd.networks.comparing import Compared
from semikd.networks.engine import engine_options, listener
from semikd.networks.hidden import FeatureTerm
from semikd.networks.objectives import objective_of, weighing_of
from semikd.networks.online import OnlineTargets
from semikd.networks.options import NetworkOptions
from semikd.networks.prepared import MappedTable
from semikd.networks.resuming import own_checkpoint
from semikd.networks.robust import Attacked
from semikd.networks.shapes import InputShape
from semikd.simplex import FloatArray


@dataclass(frozen=True, eq=False)
class Task:
    """One network to be fitted to some rows of a table.

    Parameters
    ----------
    rows : ndarray of int of shape (t,)
        Its rows, in an order that only their content decides.
    held_out : ndarray of bool of shape (t,)
        Which of them only watch the loss.
    target : ndarray of shape (n, m)
        Targets of all rows of the table; those of other rows are not read.
    weight : ndarray of shape (n,)
        Weights of all rows, positive for these.
    options : NetworkOptions
        How it is built and trained.
    seed : int
        Seed of its first parameters, the order of the rows and dropout.
    start : torch.nn.Module, optional
        Where to start from, in place of fresh parameters.
    online : OnlineTargets, optional
        Makes the targets of rows as they are shown, in place of ``target``.
    encoding : TableEncoding or ImageEncoding, optional
        That of the inputs, for ``online`` and ``features``.
    features : FeatureTerm, optional
        Losses of hidden layers, beside that of the scores; for a network that is fitted
        alone.
    against : Against, optional
        The attribute that an opponent guesses; all tasks have one, or none.
    attacked : Attacked, optional
        How rows are moved against a network that is fitted alone.
    """

    rows: NDArray[np.intp]
    held_out: NDArray[np.bool_]
    target: FloatArray
    weight: FloatArray
    options: NetworkOptions
    seed: int
    start: nn.Module | None = None
    online: OnlineTargets | None = None
    encoding: Any = None
    features: FeatureTerm | None = None
    against: Against | None = None
    attacked: Attacked | None = None


@dataclass(frozen=True)
class FittedNetwork:
    """A network on the processor, with what happened in its training."""

    module: nn.Module
    history: tuple[nets.Epoch, ...] = field(repr=False)
    mode: str


def fit_networks(
    inputs: Any,
    shape: InputShape,
    tasks: Sequence[Task],
    loss: DistillationLoss,
    progress: Reporter = silent,
) -> list[FittedNetwork]:
    """Fit networks to rows of one table, as one batch where they can be.

    Parameters
    ----------
    inputs : ndarray of shape (n, ...) or MappedTable
        What networks read of each row.
    shape : InputShape
        Its kind.
    tasks : sequence of Task
        The networks; device, format and batches are those of the first.
    loss : DistillationLoss
        The scale of all targets.
    progress : callable
        Called with a step as each epoch starts.
    """
    common = tasks[0].options
    device, dtype = nets.find_device(common.device), nets.find_dtype(common.dtype)
    rows = _read(inputs, device, dtype)
    # Members that read the same rows are given the same tensor, so that the engine
    # sees it and reads them once.
    shared: dict[bytes, Tensor] = {}

    def positions(rows: NDArray[np.intp]) -> Tensor:
        at = torch.from_numpy(np.ascontiguousarray(rows)).to(device)
        return shared.setdefault(rows.tobytes(), at)

    members = []
    for task in tasks:
        module_seed, seed, connector_seed = spawn_seeds(task.seed, 3)
        network = _network(task, shape, loss, module_seed, dtype).to(device)
        view = _compared(network, task, rows, connector_seed)
        watching = task.rows[task.held_out]
        members.append(
            nets.Member(
                network if view is None else view.module,
                training=positions(task.rows[~task.held_out]),
                validation=positions(watching) if len(watching) else None,
                seed=seed,
                learning_rate=task.options.learning_rate,
                weight_decay=task.options.weight_decay,
                max_epochs=task.options.max_epochs,
                **_opposed(task, loss, device, dtype),
            )
        )
    engine, weigh = engine_options(common), weighing_of(tasks, device, dtype)
    found = nets.train(
        members,
        rows,
        objective_of(tasks, loss, device, dtype, view),
        options=engine,
        listen=listener(common, tasks),
        progress=progress,
        checkpoint=own_checkpoint(tasks, loss, members, rows, engine),
        contest=contest_of(tasks, loss, weigh, device, dtype),
    )
    return [
        FittedNetwork(_alone(one.module).cpu(), one.history, one.mode) for one in found
    ]


def _compared(
    network: nn.Module, task: Task, rows: nets.Rows, seed: int
) -> Compared | None:
    """Return what sets hidden layers beside a teacher's, if that is asked for."""
    if task.features is None:
        return None
    return Compared(network, task.features, task, rows, seed)


def _read(inputs: Any, device: torch.device, dtype: torch.dtype) -> nets.Rows:
    """Return where the rows are read from: the device, or a file."""
    if isinstance(inputs, MappedTable):
        table, mean, scale = inputs.table, inputs.mean, inputs.scale
        return nets.MappedRows(table, device, dtype, mean=mean, scale=scale)
    return nets.ResidentRows(torch.tensor(inputs, device=device, dtype=dtype))


def solve_network(
    inputs: FloatArray, shape: InputShape, task: Task, loss: DistillationLoss
) -> FittedNetwork:
    """Minimise on all rows until the gradient vanishes, by L-BFGS."""
    options = task.options
    device, dtype = nets.find_device(options.device), nets.find_dtype(options.dtype)
    module_seed = spawn_seeds(task.seed, 2)[0]
    module = _network(task, shape, loss, module_seed, dtype).to(device)
    rows_loss = objective_of([task], loss, device, dtype)
    members = torch.zeros(1, dtype=torch.long, device=device)
    rows = torch.from_numpy(task.rows).to(device)
    table = torch.tensor(inputs[task.rows], device=device, dtype=dtype)

    def objective(scores: Tensor, _: Tensor) -> Tensor:
        batch = nets.Batch(rows[None], members, table[None])
        return rows_loss(scores[None], batch).mean()

    history, gradient = nets.minimize(
        module,
        table,
        objective,
        weight_decay=options.weight_decay,
        max_iter=options.max_epochs,
    )
    tolerance = float(np.sqrt(np.finfo(options.dtype).eps))
    if gradient > tolerance:
        warnings.warn(
            f"L-BFGS ended after {len(history)} iterations with a gradient of "
            f"{gradient:.1e}, above {tolerance:.1e}. Increase max_epochs or "
            "weight_decay.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return FittedNetwork(module.cpu(), history, "all rows at once")


def _network(
    task: Task,
    shape: InputShape,
    loss: DistillationLoss,
    seed: int,
    dtype: torch.dtype,
) -> nn.Module:
    """Return the network as it starts: at the right level for a squared loss."""
    if task.start is not None:
        # A copy: whoever is interrupted keeps the network there was.
        return copy.deepcopy(task.start).to(dtype)
    m = loss.n_scores(task.target)
    architecture = task.options.architecture
    module = nets.seeded(lambda: architecture.build(shape, m, dtype), seed)
    heads = [
        layer
        for layer in module.modules()
        if isinstance(layer, nn.Linear) and layer.out_features == m
    ]
    if loss.is_squared and heads and heads[-1].bias is not None:
        constant = np.average(
            task.target[task.rows], axis=0, weights=task.weight[task.rows]
        )
        with torch.no_grad():
            heads[-1].bias.copy_(torch.from_numpy(constant))
    return module


def _alone(module: nn.Module) -> nn.Module:
    """Return a network without what was trained beside it."""
    return module.network if isinstance(module, nets.Observed) else module


def _opposed(
    task: Task, loss: DistillationLoss, device: torch.device, dtype: torch.dtype
) -> dict[str, Any]:
    """Return a member's opponent, and how far it is fought, if it is to have one."""
    opponent = opponent_of(task, loss, dtype)
    if task.against is None or opponent is None:
        return {}
    return {"opponent": opponent.to(device), "strength": task.against.strength}
