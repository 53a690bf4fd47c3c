"""Options of an estimator in the words of the engine, and who listens to its epochs."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semikd import nets
from semikd.networks.options import NetworkOptions
from semikd.networks.training import EpochEnd

if TYPE_CHECKING:
    from semikd.networks.fitting import Task


def engine_options(options: NetworkOptions) -> nets.TrainingOptions:
    """Return the engine's form of the options that all members share."""
    training = options.training
    return nets.TrainingOptions(
        batch_size=options.batch_size,
        patience=training.patience,
        optimizer=training.optimizer,
        schedule=training.schedule,
        clip_norm=training.clip_norm,
        precision=training.precision,
        compile=training.compile,
        deterministic=training.deterministic,
        time_limit=training.time_limit,
        augment=training.augment,
    )


def listener(options: NetworkOptions, tasks: "Sequence[Task]") -> Any:
    """Return what tells callbacks of epochs; any of them may end a training."""
    began = time.monotonic()
    # A fit that goes on from a checkpoint does not begin with its first epoch.
    first: dict[int, int] = {}

    def listen(member: int, epoch: nets.Epoch) -> bool:
        n_epochs = tasks[member].options.max_epochs
        done = 1 + epoch.epoch - first.setdefault(member, epoch.epoch)
        pace = (time.monotonic() - began) / done
        end = EpochEnd(member, epoch, n_epochs, pace * (n_epochs - epoch.epoch))
        # All are told, whatever the first of them says.
        answers = [callback(end) for callback in options.training.callbacks]
        return any(answers)

    return listen
