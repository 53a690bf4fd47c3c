r"""Opponents that guess a protected attribute from what students say, for the engine.

Notes
-----
Letters: ``s`` sharpened probabilities of all classes but the first, (M, b, k - 1);
``y`` one-hot outcomes; ``z`` positions of the attribute's values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from semikd import nets
from semikd._random import spawn_seeds
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from semikd.networks.fitting import Task

# A student wins against a slow opponent by fooling it: answers then lean the other way.
_QUICKER = 50.0
# What no probability is below where its logarithm is taken.
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Against:
    """What a network is trained against.

    Parameters
    ----------
    protected : ndarray of int of shape (n,)
        Position of each row's value.
    outcome : ndarray of shape (n, k) or None
        One-hot outcomes, where the opponent sees them.
    strength : float
        How far steps go against the opponent.
    """

    protected: NDArray[np.intp]
    outcome: FloatArray | None
    strength: float


class Guesser(nn.Module):
    r"""A logistic guess by what is said of a row, and by its outcome if that is shown.

    .. math:: s = \operatorname{softmax}((1 + |c|) \log p), \qquad
       \hat z \propto \exp(W [s, s \otimes y] + b)
    """

    def __init__(self, n_classes: int, n_values: int, *, outcomes: bool) -> None:
        super().__init__()
        self.n_classes, self.outcomes = n_classes, outcomes
        width = (n_classes - 1) * (1 + n_classes * outcomes)
        self.sharpness = nn.Parameter(torch.ones(()))
        self.guess = nn.Linear(width, n_values - 1)

    def forward(self, shown: Tensor) -> Tensor:
        """Return log-odds against the first value, shape (..., n_values - 1)."""
        log_p, y = shown[..., : self.n_classes], shown[..., self.n_classes :]
        s = torch.softmax((1.0 + self.sharpness.abs()) * log_p, dim=-1)[..., 1:]
        if self.outcomes:
            both = (s[..., :, None] * y[..., None, :]).flatten(-2)
            s = torch.cat([s, both], dim=-1)
        guess: Tensor = self.guess(s)
        return guess


def opponent_of(
    task: "Task", loss: DistillationLoss, dtype: torch.dtype
) -> nn.Module | None:
    """Return what plays against the network of a task, if anything does."""
    if task.against is None:
        return None
    m = loss.n_scores(task.target)
    n_values = int(task.against.protected.max()) + 1
    outcomes, n_classes = task.against.outcome is not None, max(m, 2)
    seed = spawn_seeds(task.seed, 3)[2]
    build = partial(Guesser, n_classes, n_values, outcomes=outcomes)
    return nets.seeded(build, seed).to(dtype)


def contest_of(
    tasks: "Sequence[Task]",
    loss: DistillationLoss,
    weigh: nets.Objective,
    device: torch.device,
    dtype: torch.dtype,
) -> nets.Contest | None:
    """Return how the opponents of tasks play, one table being all of theirs."""
    against = tasks[0].against
    if against is None:
        return None
    z = torch.from_numpy(against.protected).to(device)
    y = None
    if against.outcome is not None:
        y = torch.from_numpy(against.outcome).to(device, dtype)

    def reads(scores: Tensor, batch: nets.Batch) -> Tensor:
        log_p: Tensor = loss.probabilities(scores).clamp(min=_LEAST).log()
        if y is None:
            return log_p
        return torch.cat([log_p, y[batch.rows].expand(len(scores), -1, -1)], dim=-1)

    def losses(guesses: Tensor, batch: nets.Batch) -> Tensor:
        odds = torch.cat([torch.zeros_like(guesses[..., :1]), guesses], dim=-1)
        own = z[batch.rows].expand(len(guesses), -1)
        said = torch.log_softmax(odds, dim=-1).gather(2, own[..., None])
        return weigh(-said[..., 0], batch)

    return nets.Contest(reads, losses, _QUICKER * tasks[0].options.learning_rate)
