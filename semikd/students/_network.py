"""Where targets on a scale meet the torch engine, so that neither knows the other."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from semikd import nets
from semikd._random import RandomState, spawn_seeds
from semikd._validation import choose, count, invalid, number, wrong_type
from semikd.crossfit.rows import content_split
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students._rows import WeightedRows, merged, moments, normalized


@dataclass(frozen=True)
class NetworkOptions:
    """The parameters of a network student, checked."""

    hidden_layer_sizes: Sequence[int]
    solver: str
    dropout: float
    learning_rate: float
    weight_decay: float
    batch_size: int | None
    max_epochs: int
    validation_fraction: float
    device: str
    dtype: str
    random_state: RandomState

    def __post_init__(self) -> None:
        _check_widths(self.hidden_layer_sizes)
        choose("solver", self.solver, _SOLVERS)
        dropout = number("dropout", self.dropout, low=0.0, high=0.99)
        number("learning_rate", self.learning_rate, low=0.0, open_low=True)
        number("weight_decay", self.weight_decay, low=0.0)
        if self.batch_size is not None:
            count("batch_size", self.batch_size, remedy="None takes all rows at once")
        count("max_epochs", self.max_epochs)
        number("validation_fraction", self.validation_fraction, low=0.0, high=0.9)
        nets.find_device(self.device)
        nets.find_dtype(self.dtype)
        if self.solver == "lbfgs" and dropout:
            remedy = "Its steps need an objective that is not random; use 'adam'"
            raise invalid("dropout", "be 0 for solver='lbfgs'", dropout, remedy)


@dataclass(frozen=True)
class FittedNetwork:
    """A network on the processor, for columns standardised by mean and scale."""

    module: nn.Module
    history: tuple[nets.Epoch, ...]
    mean: FloatArray
    scale: FloatArray


@dataclass(frozen=True)
class _Problem:
    """A network to be fitted, its inputs and its objective, on one device."""

    module: nn.Module
    inputs: Tensor
    objective: Callable[[Tensor, Tensor], Tensor]
    mean: FloatArray
    scale: FloatArray

    def solved(self, history: tuple[nets.Epoch, ...]) -> FittedNetwork:
        """Return the network once it is fitted."""
        return FittedNetwork(self.module.cpu(), history, self.mean, self.scale)


def fit_network(
    rows: WeightedRows, loss: DistillationLoss, options: NetworkOptions
) -> FittedNetwork:
    """Return the network of least weighted mean loss plus penalty on these rows."""
    return _SOLVERS[options.solver](rows, loss, options)


def _adam(
    rows: WeightedRows, loss: DistillationLoss, options: NetworkOptions
) -> FittedNetwork:
    """Train in mini-batches, watching the rows that are held out."""
    module_seed, split_seed, seed = spawn_seeds(options.random_state, 3)
    held_out = _validation_rows(rows.X, split_seed, options.validation_fraction)
    problem = _problem(rows, held_out, loss, options, module_seed)
    member = nets.Member(
        problem.module,
        training=_positions(~held_out, problem.inputs),
        validation=_positions(held_out, problem.inputs) if held_out.any() else None,
        seed=seed,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        max_epochs=options.max_epochs,
    )
    found = nets.train(
        [member],
        problem.inputs,
        lambda f, batch: problem.objective(f, batch.rows),
        options=nets.TrainingOptions(batch_size=options.batch_size),
    )[0]
    return replace(problem, module=found.module).solved(found.history)


def _lbfgs(
    rows: WeightedRows, loss: DistillationLoss, options: NetworkOptions
) -> FittedNetwork:
    """Minimise on all rows until the gradient vanishes, each distinct row once."""
    rows = merged(rows)
    nobody = np.zeros(len(rows.weight), dtype=bool)
    module_seed = spawn_seeds(options.random_state, 1)[0]
    problem = _problem(rows, nobody, loss, options, module_seed)
    history, gradient = nets.minimize(
        problem.module,
        problem.inputs,
        lambda f, batch: problem.objective(f, batch).mean(),
        weight_decay=options.weight_decay,
        max_iter=options.max_epochs,
    )
    tolerance = float(np.sqrt(np.finfo(options.dtype).eps))
    if gradient > tolerance:
        warnings.warn(
            f"TorchStudent: L-BFGS ended after {len(history)} iterations with a "
            f"gradient of {gradient:.1e}, above {tolerance:.1e}. Increase max_epochs "
            "or weight_decay.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return problem.solved(history)


_SOLVERS = {"adam": _adam, "lbfgs": _lbfgs}


def _problem(
    rows: WeightedRows,
    held_out: NDArray[np.bool_],
    loss: DistillationLoss,
    options: NetworkOptions,
    seed: int,
) -> _Problem:
    """Build the network and what it minimises: a mean under weights of mean 1."""
    device, dtype = nets.find_device(options.device), nets.find_dtype(options.dtype)
    module = nets.seeded(
        lambda: nets.mlp(
            rows.X.shape[1],
            options.hidden_layer_sizes,
            loss.n_scores(rows.target),
            dropout=options.dropout,
            dtype=dtype,
        ),
        seed,
    )
    if loss.is_squared:
        # The best constant, so that training starts at the right level.
        constant = np.average(rows.target, axis=0, weights=rows.weight)
        output_bias = list(module.parameters())[-1]
        with torch.no_grad():
            output_bias.copy_(torch.from_numpy(constant))
    mean, scale = moments(rows)
    weights = normalized(rows.weight, held_out)
    inputs, target, weight = (
        torch.tensor(values, device=device, dtype=dtype)
        for values in ((rows.X - mean) / scale, rows.target, weights)
    )

    def objective(f: Tensor, batch: Tensor) -> Tensor:
        losses: Tensor = weight[batch] * loss.value(f, target[batch])
        return losses

    return _Problem(module.to(device), inputs, objective, mean, scale)


def _positions(used: NDArray[np.bool_], inputs: Tensor) -> Tensor:
    """Return the positions of the rows in use, where the inputs are."""
    return torch.from_numpy(np.flatnonzero(used)).to(inputs.device)


def _validation_rows(X: FloatArray, seed: int, fraction: float) -> NDArray[np.bool_]:
    """Return which rows only watch the loss; copies of a row fall on one side."""
    if not fraction:
        return np.zeros(len(X), dtype=bool)
    return content_split(X, fraction=fraction, random_state=seed)


def _check_widths(sizes: Sequence[int]) -> None:
    """Refuse what is no sequence of positive integers."""
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        raise wrong_type(
            "hidden_layer_sizes",
            "be a sequence of integers",
            sizes,
            "Use (64,) for one hidden layer and () for a linear student",
        )
    for size in sizes:
        count("hidden_layer_sizes", size)
