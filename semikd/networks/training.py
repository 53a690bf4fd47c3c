"""How a network is trained, beyond the few settings that an estimator names itself.

The options live in one object, whose fields can be reached, and searched over, as
``training__patience`` and so on.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator

from semikd._validation import choose, count, number, wrong_type

if TYPE_CHECKING:
    from semikd.nets import Epoch

__all__ = ["EpochEnd", "Training", "print_epochs"]


@dataclass(frozen=True)
class EpochEnd:
    """What a callback is told at the end of an epoch.

    Parameters
    ----------
    member : int
        Which network of a batch; 0 for a single one.
    epoch : Epoch
        Number and losses.
    n_epochs : int
        Most epochs of this network.
    seconds_left : float
        What the epochs to come would take at the pace so far.

    Examples
    --------
    >>> from semikd.nets import Epoch
    >>> from semikd.networks import EpochEnd
    >>> EpochEnd(0, Epoch(1, 0.7, None), n_epochs=10, seconds_left=9.0).epoch.train_loss
    0.7
    """

    member: int
    epoch: "Epoch"
    n_epochs: int
    seconds_left: float


class Training(BaseEstimator):
    """Options of a training in mini-batches.

    Parameters
    ----------
    patience : int, default=10
        Epochs without improvement on the held-out rows after which training ends.
    optimizer : {'adam', 'adamw', 'sgd'}, default='adam'
        'adamw' shrinks weights beside the gradient; 'sgd' has Nesterov's momentum 0.9.
    schedule : str, default='constant'
        'constant', 'cosine', 'warm_cosine', 'steps' or 'fifths': what becomes of the
        step size up to the last epoch. 'warm_cosine' rises over the first tenth,
        'steps' falls to a tenth at 50 % and again at 75 % of the epochs, 'fifths' to a
        fifth at 40, 60 and 80 %.
    clip_norm : float, optional
        Longest gradient; longer ones are shortened to it.
    precision : {'full', 'bfloat16'}, default='full'
        'bfloat16' computes matrix products in half precision; parameters keep theirs.
    compile : {'off', 'default', 'cuda_graphs'}, default='off'
        Whether the network runs through ``torch.compile``, and whether that records
        CUDA graphs, which only a GPU has.
    deterministic : bool, default=False
        Use only operations that give the same bits each time, for the time of the fit.
    time_limit : float, optional
        Seconds after which training ends, at the next end of an epoch.
    augment : callable, optional
        Training rows (b, ...) and a ``torch.Generator`` to other rows of that shape,
        drawn anew for each batch, for instance ``semikd.nets.flip_and_crop``.
    checkpoint : str, path or semikd.nets.Checkpoint, optional
        Folder to which the state of a fit is written each minute, at the end of an
        epoch, and from which the same fit goes on after it was cut off, to the same
        model. Each fit has a folder of its own in it, which stays when the fit is
        finished and then gives the model without training. Needs a seed: that of the
        estimator, or of what copies and fits it.
    callbacks : sequence of callables, default=()
        Each is called with an ``EpochEnd``; True ends that network's training.
    warm_start : bool, default=False
        Start from the parameters of the fit before, where there is one.

    Examples
    --------
    >>> from semikd.networks import Training
    >>> Training(schedule="cosine").get_params()["patience"]
    10
    """

    def __init__(
        self,
        *,
        patience: int = 10,
        optimizer: str = "adam",
        schedule: str = "constant",
        clip_norm: float | None = None,
        precision: str = "full",
        compile: str = "off",
        deterministic: bool = False,
        time_limit: float | None = None,
        augment: Callable[[Any, Any], Any] | None = None,
        checkpoint: Any = None,
        callbacks: Any = (),
        warm_start: bool = False,
    ) -> None:
        self.patience = patience
        self.optimizer = optimizer
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.precision = precision
        self.compile = compile
        self.deterministic = deterministic
        self.time_limit = time_limit
        self.augment = augment
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.warm_start = warm_start

    def check(self) -> None:
        """Refuse an option that no fit could use.

        Raises
        ------
        ValueError
            If an option is out of its range or its name is unknown.
        TypeError
            If it is of the wrong type.
        """
        count("training.patience", self.patience)
        for name, known in _NAMES.items():
            choose(f"training.{name}", getattr(self, name), dict.fromkeys(known))
        for name in ("clip_norm", "time_limit"):
            if getattr(self, name) is not None:
                number(f"training.{name}", getattr(self, name), low=0.0, open_low=True)
        for name in ("deterministic", "warm_start"):
            if not isinstance(getattr(self, name), bool):
                raise wrong_type(
                    f"training.{name}", "be True or False", getattr(self, name)
                )
        _check_checkpoint(self.checkpoint)
        callbacks = self.callbacks
        several = isinstance(callbacks, list | tuple)
        if not several or not all(callable(each) for each in callbacks):
            constraint = "be a sequence of callables"
            raise wrong_type("training.callbacks", constraint, callbacks)


_NAMES = {
    "compile": ("off", "default", "cuda_graphs"),
    "optimizer": ("adam", "adamw", "sgd"),
    "schedule": ("constant", "cosine", "warm_cosine", "steps", "fifths"),
    "precision": ("full", "bfloat16"),
}


def _check_checkpoint(checkpoint: Any) -> None:
    """Refuse what names no folder."""
    folder = getattr(checkpoint, "folder", checkpoint)
    if checkpoint is not None and not isinstance(folder, str | os.PathLike):
        constraint = "be a folder, a semikd.nets.Checkpoint or None"
        raise wrong_type("training.checkpoint", constraint, checkpoint)


def resolved_training(training: Training | None) -> Training:
    """Return checked options, the default ones for None."""
    if training is None:
        return Training()
    if not isinstance(training, Training):
        remedy = "Use semikd.networks.Training(...)"
        raise wrong_type("training", "be a Training or None", training, remedy)
    training.check()
    return training


def print_epochs(end: EpochEnd) -> None:
    """Print a line for each epoch: losses, and the time that is left.

    A callback for ``Training(callbacks=[print_epochs])``.

    Examples
    --------
    >>> from semikd.nets import Epoch
    >>> from semikd.networks import EpochEnd, print_epochs
    >>> print_epochs(EpochEnd(0, Epoch(1, 0.7, 0.65), n_epochs=10, seconds_left=9.0))
    epoch 1 of at most 10: training 0.7, validation 0.65; 9 s left
    """
    losses = f"training {end.epoch.train_loss:.4g}"
    if end.epoch.validation_loss is not None:
        losses += f", validation {end.epoch.validation_loss:.4g}"
    network = f"network {end.member}, " if end.member else ""
    print(  # noqa: T201 - this is what it is for
        f"{network}epoch {end.epoch.epoch} of at most {end.n_epochs}: {losses}; "
        f"{end.seconds_left:.0f} s left",
        flush=True,
    )
