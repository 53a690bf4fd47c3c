"""Training many networks at once: members, options, and what becomes of them.

A *member* is a network with its own rows, seed, step size and penalty. Members of one
architecture are trained as a single tensor program; the model that comes out is that of
a member trained alone.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from torch import Tensor, nn

from semikd._validation import Shown, invalid

if TYPE_CHECKING:
    from semikd.nets.live import Live

__all__ = ["Batch", "Epoch", "Member", "Objective", "Trained", "TrainingOptions"]


@dataclass(frozen=True)
class Batch:
    """What an objective may know of a batch beside the scores.

    Parameters
    ----------
    rows : Tensor of int of shape (M, b) or (1, b)
        Positions of the rows; one line where all members read the same.
    members : Tensor of int of shape (M,)
        Which members the scores are of, by their place in the call.
    inputs : Tensor of shape (M, b, ...) or (1, b, ...)
        What the members were shown, augmented if that was asked for.
    counts : Tensor of bool of shape (M, b) or (1, b), optional
        Which rows count, the others filling a short batch up; by default all.
    tensors : mapping of Tensor, optional
        Tensors of the members by name, each of shape (M, ...), for an objective with
        parameters of its own.
    watching : bool, default=False
        Whether the rows only watch the loss, and no step is taken.
    live : Live, optional
        What the members answer for other inputs, where a step is taken.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Batch
    >>> rows = torch.tensor([[0, 1]])
    >>> Batch(rows, torch.tensor([0]), torch.zeros(1, 2, 3)).rows.shape
    torch.Size([1, 2])
    """

    rows: Tensor
    members: Tensor
    inputs: Tensor
    counts: Tensor | None = None
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    watching: bool = False
    live: "Live | None" = None


Objective: TypeAlias = Callable[[Tensor, Batch], Tensor]
"""Scores (M, b, m) and their batch to the loss of each row, (M, b)."""


@dataclass(frozen=True)
class Member:
    r"""One network of a batch and how it alone is trained.

    Parameters
    ----------
    module : torch.nn.Module
        The network as it starts, with parameters of its own.
    training : Tensor of int of shape (t,)
        Rows to train on.
    validation : Tensor of int of shape (v,), optional
        Rows that decide when to stop, and which epoch is kept.
    seed : int, default=0
        Seed of the order of the rows and of dropout.
    learning_rate : float, default=1e-3
        Step size.
    weight_decay : float, default=1e-4
        :math:`\lambda` of the penalty :math:`\tfrac\lambda2 \|W\|^2` on all weights;
        biases are free. With 'adam' its gradient goes through the optimiser, so that
        the minimum is that of the penalised objective ('adamw' has no such minimum).
    max_epochs : int, default=100
        Most passes over the training rows.
    opponent : torch.nn.Module, optional
        What guesses from its scores, in a ``Contest``.
    strength : float, default=0.0
        :math:`\alpha`, how far its steps go against the opponent.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Member, mlp
    >>> Member(mlp(2, (), 1), training=torch.arange(5)).learning_rate
    0.001
    """

    module: nn.Module
    training: Tensor
    validation: Tensor | None = None
    seed: int = 0
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    max_epochs: int = 100
    opponent: nn.Module | None = None
    strength: float = 0.0


@dataclass(frozen=True)
class TrainingOptions:
    """How all members of a batch are trained.

    Parameters
    ----------
    batch_size : int or None, default=256
        Most rows of a batch; an epoch is cut into batches of nearly equal length. None
        takes all rows at once, in their order.
    patience : int, default=10
        With validation rows, training ends after so many epochs without improvement.
    optimizer : {'adam', 'adamw', 'sgd'}, default='adam'
        'sgd' has Nesterov's momentum of 0.9.
    schedule : str, default='constant'
        'constant', 'cosine', 'warm_cosine', 'steps' or 'fifths': what becomes of the
        step size on the way to the last epoch. 'warm_cosine' rises over the first
        tenth, 'steps' falls to a tenth at 50 % and again at 75 %, 'fifths' to a fifth
        at 40, 60 and 80 %.
    clip_norm : float or None, default=None
        Longest gradient of a member; longer ones are shortened.
    precision : {'full', 'bfloat16'}, default='full'
        'bfloat16' runs matrix products in half precision; parameters stay as they are.
    compile : {'off', 'default', 'cuda_graphs'}, default='off'
        Whether the members run through ``torch.compile``, and whether that records
        CUDA graphs, which only a GPU has. Each new number of members compiles anew.
    deterministic : bool, default=False
        Let torch use only algorithms that always give the same numbers, for the time of
        the fit; an operation that has none is an error of torch.
    time_limit : float or None, default=None
        Seconds after which training ends, each member's at its next end of an epoch. A
        fit that goes on from a checkpoint counts those before it.
    max_members : int or None, default=None
        Most members trained at once; None is all, and half as many each time the
        device runs out of memory.
    augment : callable, optional
        Rows (b, ...) and a generator to other rows of that shape, drawn anew in each
        batch of the training.

    Examples
    --------
    >>> from semikd.nets import TrainingOptions
    >>> TrainingOptions(batch_size=None).patience
    10
    """

    batch_size: int | None = 256
    patience: int = 10
    optimizer: str = "adam"
    schedule: str = "constant"
    clip_norm: float | None = None
    precision: str = "full"
    compile: str = "off"
    deterministic: bool = False
    time_limit: float | None = None
    max_members: int | None = None
    augment: Callable[[Tensor, "object"], Tensor] | None = None


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


@dataclass(frozen=True)
class Trained:
    """A member after its training.

    Parameters
    ----------
    module : torch.nn.Module
        The network at its best epoch (at its last without validation rows), on the
        device of the training, in evaluation mode.
    history : tuple of Epoch
        What happened.
    mode : {'native', 'vmap', 'one by one'}
        How the members were run.

    Examples
    --------
    >>> from semikd.nets import Trained, mlp
    >>> Trained(mlp(2, (), 1), (), "native").mode
    'native'
    """

    module: nn.Module
    history: tuple[Epoch, ...] = field(repr=False)
    mode: str


def diverged(what: str) -> ValueError:
    """Return the refusal of a fit that left the finite numbers."""
    remedy = "Lower learning_rate, raise weight_decay or check the size of the targets"
    return invalid("training loss", "stay finite", Shown(what), remedy)


class Deadline:
    """The time spent on a fit, and whether it is over."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    @property
    def is_over(self) -> bool:
        """Whether the limit has passed."""
        return self._limit is not None and self.spent >= self._limit

    def add(self, seconds: float) -> None:
        """Count time that was spent before."""
        self._start -= seconds
