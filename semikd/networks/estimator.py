"""What every estimator that is a network shares: checks, fits, scores and files."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from semikd._progress import Reporter, silent
from semikd._random import RandomState, spawn_seeds
from semikd._validation import invalid
from semikd.crossfit import content_split, n_rows, take_rows
from semikd.losses import DistillationLoss
from semikd.networks.architectures import as_architecture
from semikd.networks.files import EstimatorFiles
from semikd.networks.inputs import (
    check_groups,
    check_observed,
    check_solver,
    check_start,
    check_targets,
    checked_rows,
    n_columns,
)
from semikd.networks.options import NetworkOptions
from semikd.networks.prepared import Prepared, prepare
from semikd.networks.rows import WeightedRows, merged
from semikd.networks.tables import ImageEncoding, TableEncoding
from semikd.networks.training import Training
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from torch import nn

    from semikd.nets import Epoch
    from semikd.networks.adversary import Against
    from semikd.networks.fitting import FittedNetwork, Task
    from semikd.networks.hidden import FeatureTerm
    from semikd.networks.online import OnlineTargets
    from semikd.networks.robust import Attacked

__all__ = ["NetworkEstimator"]

# Rows that are encoded at a time when scores are asked for.
_PART = 65_536


class NetworkEstimator(EstimatorFiles, BaseEstimator):
    """The parts of an estimator that know networks; members say what is fitted.

    Attributes
    ----------
    encoding_ : TableEncoding or ImageEncoding
        How rows become the numbers that the network reads.
    history_ : tuple of Epoch
        Epoch, training and validation loss, without the penalty.
    mode_ : {'native', 'vmap', 'one by one', 'all rows at once'}
        How it was run in training: beside others of its kind by known layers, by
        ``torch.vmap``, alone, or by 'lbfgs'.
    module_ : torch.nn.Module
        The fitted network, on the processor.
    n_iter_ : int
        Epochs or iterations that were run.

    Examples
    --------
    >>> from semikd import TorchStudent
    >>> from semikd.networks import NetworkEstimator
    >>> isinstance(TorchStudent(), NetworkEstimator)
    True
    """

    module: Any
    solver: str
    max_epochs: int
    validation_fraction: float
    training: Training | None
    device: str
    random_state: RandomState

    encoding_: TableEncoding | ImageEncoding
    history_: "tuple[Epoch, ...]"
    mode_: str
    module_: "nn.Module"
    n_iter_: int

    @property
    def mean_(self) -> FloatArray:
        """Weighted mean of the numeric columns, or of the channels of images."""
        return self.encoding_.mean

    @property
    def scale_(self) -> FloatArray:
        """Standard deviation of the numeric columns, or of channels; 1 if constant."""
        return self.encoding_.scale

    def set_params(self, **params: Any) -> Self:
        """Set parameters; also ``training__x`` and ``module__x`` of defaults.

        ``training=None`` and ``module=(64, 64)`` stand for objects that have settings,
        and give way to them.
        """
        nested = {name.partition("__")[0] for name in params if "__" in name}
        if "training" in nested and params.get("training", self.training) is None:
            params["training"] = Training()
        module = params.get("module", self.module)
        if "module" in nested and isinstance(module, list | tuple | str):
            params["module"] = as_architecture(module)
        found: Self = super().set_params(**params)
        return found

    def n_coefficients(self) -> int:
        """Return the number of parameters of the fitted network."""
        from semikd import nets

        check_is_fitted(self)
        return nets.n_parameters(self.module_)

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Return the table or images; their columns are noted or compared."""
        return checked_rows(self, X, reset=reset)

    def _fit_network(
        self,
        X: Any,
        target: FloatArray,
        weight: FloatArray,
        loss: DistillationLoss,
        *,
        groups: NDArray[Any] | None = None,
        strata: NDArray[np.intp] | None = None,
        go_on: bool = False,
        online: "OnlineTargets | None" = None,
        features: "FeatureTerm | None" = None,
        against: "Against | None" = None,
        attacked: "Attacked | None" = None,
    ) -> None:
        """Fit one network to targets, and remember it; ``go_on`` from the present."""
        from semikd.networks.fitting import fit_networks, solve_network

        options = NetworkOptions.of(self)
        check_targets([target], loss, n_rows(X))
        check_groups(groups, n_rows(X))
        check_solver(options, X, online)
        if features is not None:
            check_observed(options)
        if options.solver == "lbfgs" and isinstance(X, np.memmap):
            # Its steps take all rows at once.
            X = np.array(X)
        go_on = (go_on or options.training.warm_start) and hasattr(self, "module_")
        if go_on:
            check_start(self, X, target, loss)
        prepared = prepare(X, target, weight, self.encoding_ if go_on else None)
        if options.solver == "lbfgs":
            prepared, target, weight = _merged(prepared, target, weight, known=go_on)
        task = self._task(
            prepared, prepared.order, target, weight, options, groups, strata
        )
        task = replace(
            task,
            start=self.module_ if go_on else None,
            online=online,
            features=features,
            encoding=prepared.encoding,
            against=against,
            attacked=attacked,
        )
        if options.solver == "lbfgs":
            found = solve_network(prepared.inputs, prepared.shape, task, loss)
        else:
            found = fit_networks(prepared.inputs, prepared.shape, [task], loss)[0]
        self._adopt(found, prepared)

    def _fit_batch(
        self,
        prepared: Prepared,
        tasks: "list[Task]",
        loss: DistillationLoss,
        progress: Reporter = silent,
    ) -> "list[FittedNetwork]":
        """Fit many networks to rows of one table at once."""
        from semikd.networks.fitting import fit_networks

        check_targets([task.target for task in tasks], loss, len(tasks[0].weight))
        return fit_networks(prepared.inputs, prepared.shape, tasks, loss, progress)

    def _task(
        self,
        prepared: Prepared,
        rows: NDArray[np.intp],
        target: FloatArray,
        weight: FloatArray,
        options: NetworkOptions,
        groups: NDArray[Any] | None = None,
        strata: NDArray[np.intp] | None = None,
        *,
        seed: RandomState = None,
    ) -> "Task":
        """Return what is to be fitted to these rows, some held out to watch."""
        from semikd.networks.fitting import Task

        seed = options.random_state if seed is None else seed
        if seed is None and options.training.checkpoint is not None:
            remedy = "A fit that goes on has to begin as it did"
            constraint = "be given with training.checkpoint"
            raise invalid("random_state", constraint, None, remedy)
        split_seed, fit_seed = spawn_seeds(seed, 2)
        held_out = np.zeros(len(rows), dtype=bool)
        if options.validation_fraction and options.solver == "adam":
            held_out = content_split(
                take_rows(prepared.content, rows),
                fraction=options.validation_fraction,
                random_state=split_seed,
                groups=None if groups is None else groups[rows],
                strata=None if strata is None else strata[rows],
            )
        if held_out.all():
            held_out[:] = False
        return Task(rows, held_out, target, weight, options, fit_seed)

    def _adopt(self, found: "FittedNetwork", prepared: Prepared) -> None:
        """Take a fitted network as one's own."""
        self.module_, self.history_ = found.module, found.history
        self.mode_ = found.mode
        self.n_iter_ = len(found.history)
        self.encoding_ = prepared.encoding

    def _network_scores(self, X: Any) -> FloatArray:
        """Return the scores of rows in float64, shape (n, m)."""
        from semikd import nets

        X = self._checked(X, reset=False)
        if (known := n_columns(self.encoding_)) != self.n_features_in_:
            # A fit to another table was broken off after its columns were noted.
            remedy = "The fit to others did not end; fit anew"
            constraint = f"have the {known} columns of the network there is"
            raise invalid("X", constraint, self.n_features_in_, remedy)
        # A network trained on a GPU also answers where there is none.
        device = nets.devices().get(self.device, nets.find_device("cpu"))
        parts = []
        for start in range(0, max(n_rows(X), 1), _PART):
            rows = np.arange(start, min(start + _PART, n_rows(X)))
            part = self.encoding_.encode(take_rows(X, rows))
            parts.append(nets.predict(self.module_, part, device=device))
        return np.concatenate(parts)

    def __sklearn_tags__(self) -> Any:
        """Say that missing values and categorical columns are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags


def _merged(
    prepared: Prepared, target: FloatArray, weight: FloatArray, *, known: bool
) -> tuple[Prepared, FloatArray, FloatArray]:
    """Return each distinct row once, so that copies and weights are the same sums."""
    order, encoding = prepared.order, prepared.encoding
    rows = merged(WeightedRows(prepared.content[order], target[order], weight[order]))
    # Images were refused before.
    assert isinstance(encoding, TableEncoding)  # noqa: S101
    if not known:
        encoding = TableEncoding.learned(encoding.layout, rows.X, rows.weight)
    every = np.arange(len(rows.weight))
    inputs = encoding.standardised(rows.X)
    return Prepared(encoding, inputs, every, rows.X), rows.target, rows.weight
