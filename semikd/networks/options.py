"""The settings of a network estimator, checked before anything is built."""

from dataclasses import dataclass
from typing import Any

from semikd._random import RandomState
from semikd._validation import choose, count, invalid, number
from semikd.networks.architectures import as_architecture
from semikd.networks.base import Architecture
from semikd.networks.training import Training, resolved_training


@dataclass(frozen=True)
class NetworkOptions:
    """The parameters of a network estimator, checked.

    Examples
    --------
    >>> from semikd import TorchStudent
    >>> from semikd.networks import NetworkOptions
    >>> NetworkOptions.of(TorchStudent((8,))).architecture
    MLP(hidden_layer_sizes=(8,))
    """

    architecture: Architecture
    solver: str
    learning_rate: float
    weight_decay: float
    batch_size: int | None
    max_epochs: int
    validation_fraction: float
    training: Training
    device: str
    dtype: str
    random_state: RandomState

    def in_a_batch_with(self, other: "NetworkOptions") -> bool:
        """Return whether two networks agree in what a batch has in common."""
        mine, theirs = (
            (o.solver, o.batch_size, o.device, o.dtype, str(o.training))
            for o in (self, other)
        )
        return self.solver == "adam" and mine == theirs

    @classmethod
    def of(cls, estimator: Any) -> "NetworkOptions":
        """Return the checked options of an estimator.

        Raises
        ------
        ValueError
            If a parameter is out of its range, or a device is not at hand.
        TypeError
            If a parameter is of the wrong type.
        """
        from semikd import nets

        architecture = as_architecture(estimator.module)
        architecture.check()
        choose("solver", estimator.solver, dict.fromkeys(("adam", "lbfgs")))
        number("learning_rate", estimator.learning_rate, low=0.0, open_low=True)
        number("weight_decay", estimator.weight_decay, low=0.0)
        if estimator.batch_size is not None:
            remedy = "None takes all rows at once"
            count("batch_size", estimator.batch_size, remedy=remedy)
        count("max_epochs", estimator.max_epochs)
        number("validation_fraction", estimator.validation_fraction, low=0.0, high=0.9)
        training = resolved_training(estimator.training)
        device = nets.find_device(estimator.device)
        nets.find_precision(training.precision, device)
        nets.find_compiler(training.compile, device)
        nets.find_dtype(estimator.dtype)
        dropout = getattr(architecture, "dropout", 0.0)
        if estimator.solver == "lbfgs" and dropout:
            remedy = "Its steps need an objective that is not random; use 'adam'"
            raise invalid("dropout", "be 0 for solver='lbfgs'", dropout, remedy)
        return cls(
            architecture,
            estimator.solver,
            estimator.learning_rate,
            estimator.weight_decay,
            estimator.batch_size,
            estimator.max_epochs,
            estimator.validation_fraction,
            training,
            estimator.device,
            estimator.dtype,
            estimator.random_state,
        )
