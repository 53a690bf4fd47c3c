"""The one loop that trains a network in mini-batches, for students and teachers alike.

It knows a module, tensors that stay on their device, and an objective; a batch is an
index gather. What is minimised is the objective plus an L2 penalty on the weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from semikd._random import spawn_seeds
from semikd._validation import Shown, invalid
from semikd.nets.modules import drawing_from

Objective: TypeAlias = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class TrainingOptions:
    r"""How a network is trained by Adam.

    Parameters
    ----------
    learning_rate : float, default=1e-3
        Step size of Adam.
    weight_decay : float, default=1e-4
        :math:`\lambda` of the penalty :math:`\tfrac\lambda2 \|W\|^2` on all weights;
        biases are free. Its gradient goes through Adam, so that the minimum is that of
        the penalised objective (decoupled decay has no such minimum).
    batch_size : int or None, default=256
        Most rows of a batch; an epoch is cut into batches of nearly equal length. None
        takes all rows at once, in their order.
    max_epochs : int, default=100
        Passes over the training rows.
    patience : int, default=10
        With validation rows, training ends after so many epochs without improvement.
    seed : int, default=0
        Seed of the order of the rows and of dropout.

    Examples
    --------
    >>> from semikd.nets import TrainingOptions
    >>> TrainingOptions(batch_size=None).max_epochs
    100
    """

    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int | None = 256
    max_epochs: int = 100
    patience: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Epoch:
    """The losses after one pass over the training rows, without the penalty.

    Parameters
    ----------
    epoch : int
        Its number, from 1.
    train_loss : float
        Mean of the objective over the batches, each before its step.
    validation_loss : float or None
        The objective on the validation rows after the last step, if there are any.

    Examples
    --------
    >>> from semikd.nets import Epoch
    >>> Epoch(epoch=1, train_loss=0.7, validation_loss=None).train_loss
    0.7
    """

    epoch: int
    train_loss: float
    validation_loss: float | None


def train(
    module: nn.Module,
    inputs: Tensor,
    objective: Objective,
    *,
    training: Tensor,
    validation: Tensor | None = None,
    options: TrainingOptions,
) -> tuple[Epoch, ...]:
    """Train a module in place and return what happened.

    With validation rows the module ends at its best epoch, else at its last.

    Parameters
    ----------
    module : torch.nn.Module
        The network, on the device of the inputs.
    inputs : Tensor of shape (n, ...)
        All rows, training and validation.
    objective : callable
        Scores (b, m) and rows (b,) of a batch to the scalar to be minimised.
    training : Tensor of int of shape (t,)
        Rows to train on.
    validation : Tensor of int of shape (v,), optional
        Rows that decide when to stop.
    options : TrainingOptions
        Step size, penalty, batches and seeds.

    Returns
    -------
    tuple of Epoch

    Raises
    ------
    ValueError
        If the loss or a parameter is no longer finite.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import TrainingOptions, mlp, train
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> history = train(
    ...     mlp(1, (), 1),
    ...     x,
    ...     lambda f, rows: ((f - 2 * x[rows]) ** 2).mean(),
    ...     training=torch.arange(20),
    ...     options=TrainingOptions(learning_rate=0.1, batch_size=None),
    ... )
    >>> history[-1].train_loss < 0.01
    True
    """
    optimizer = _adam(module, options)
    order_seed, dropout_seed = spawn_seeds(options.seed, 2)
    # The order is drawn on the processor, so that it is the same on every device.
    order = torch.Generator().manual_seed(order_seed)
    dropout = torch.Generator(inputs.device).manual_seed(dropout_seed)
    history: list[Epoch] = []
    best = _Best(module, options.patience)
    with drawing_from(module, dropout):
        for epoch in range(1, options.max_epochs + 1):
            batches = _batches(training, options.batch_size, order)
            train_loss = _pass(module, inputs, objective, batches, optimizer)
            validation_loss = _evaluate(module, inputs, objective, validation)
            _check_finite(epoch, train_loss, validation_loss)
            history.append(Epoch(epoch, train_loss, validation_loss))
            if validation_loss is not None and best.is_over(epoch, validation_loss):
                break
    best.restore()
    _check_parameters(module, len(history))
    module.eval()
    return tuple(history)


def decayed(module: nn.Module) -> list[nn.Parameter]:
    """Return the parameters under the penalty: weights, which have two axes or more."""
    return [parameter for parameter in module.parameters() if parameter.ndim > 1]


class _Best:
    """The parameters of the epoch with the smallest validation loss."""

    def __init__(self, module: nn.Module, patience: int) -> None:
        self.module, self.patience = module, patience
        self.epoch, self.loss = 0, float("inf")
        self.state: dict[str, Tensor] = {}

    def is_over(self, epoch: int, loss: float) -> bool:
        """Note an epoch; return whether the last improvement is too long ago."""
        if loss < self.loss:
            self.epoch, self.loss = epoch, loss
            state = self.module.state_dict()
            self.state = {name: value.clone() for name, value in state.items()}
        return epoch - self.epoch >= self.patience

    def restore(self) -> None:
        """Return to the best epoch, if any was noted."""
        if self.state:
            self.module.load_state_dict(self.state)


def _adam(module: nn.Module, options: TrainingOptions) -> torch.optim.Adam:
    """Return Adam with the penalty on the weights alone."""
    free = [parameter for parameter in module.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": decayed(module), "weight_decay": options.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=options.learning_rate, fused=True)


def _batches(
    rows: Tensor, batch_size: int | None, generator: torch.Generator
) -> Sequence[Tensor]:
    """Return the rows of an epoch in nearly equal batches, in a new order."""
    if batch_size is None:
        return [rows]
    order = torch.randperm(len(rows), generator=generator).to(rows.device)
    # Equal lengths: a short last batch would take a step as long on far fewer rows.
    return rows[order].tensor_split(-(-len(rows) // batch_size))


def _pass(
    module: nn.Module,
    inputs: Tensor,
    objective: Objective,
    batches: Sequence[Tensor],
    optimizer: torch.optim.Optimizer,
) -> float:
    """Take one step on each batch; return the mean loss over all their rows."""
    module.train()
    total = torch.zeros((), dtype=torch.float64, device=inputs.device)
    for rows in batches:
        optimizer.zero_grad()
        loss = objective(module(inputs[rows]), rows)
        loss.backward()
        optimizer.step()
        # Summed on the device: reading each loss would wait for it.
        total += loss.detach() * len(rows)
    return total.item() / sum(len(rows) for rows in batches)


def _evaluate(
    module: nn.Module, inputs: Tensor, objective: Objective, rows: Tensor | None
) -> float | None:
    """Return the objective on these rows without dropout, if there are any."""
    if rows is None:
        return None
    module.eval()
    with torch.no_grad():
        return objective(module(inputs[rows]), rows).item()


def _check_finite(epoch: int, *losses: float | None) -> None:
    """Stop a fit that has diverged, naming the epoch."""
    for loss in losses:
        if loss is not None and not abs(loss) < float("inf"):
            raise diverged(f"{loss} in epoch {epoch}")


def _check_parameters(module: nn.Module, epoch: int) -> None:
    """Stop if the very last step, which no loss has seen, has diverged."""
    if not all(bool(p.isfinite().all()) for p in module.parameters()):
        raise diverged(f"parameters that are not finite after epoch {epoch}")


def diverged(what: str) -> ValueError:
    """Return the refusal of a fit that left the finite numbers."""
    remedy = "Lower learning_rate, raise weight_decay or check the size of the targets"
    return invalid("training loss", "stay finite", Shown(what), remedy)
