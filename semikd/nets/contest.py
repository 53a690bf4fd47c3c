r"""Members that are trained against opponents, which guess from their scores.

A member descends along

.. math:: g - \operatorname{proj}_h g - \alpha h, \qquad
   g = \nabla_W L, \quad h = \nabla_W L_{\text{opponent}},

tensor by tensor: what would help the opponent is taken out of its step, and the step
goes against it by :math:`\alpha` times its gradient. The product of this direction with
h is :math:`-\alpha \|h\|^2`. The opponent descends its own loss at the same time.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from semikd._validation import choose
from semikd.nets.lending import globals_kept
from semikd.nets.optimizers import OPTIMIZERS
from semikd.nets.stack import Stack
from semikd.nets.training import Batch, Member, Objective, TrainingOptions

__all__ = ["Contest", "Opponents", "steered"]


@dataclass(frozen=True)
class Contest:
    """What opponents see of members, and what it costs them to guess wrongly.

    Parameters
    ----------
    reads : callable
        Scores (M, b, m) and their batch to what opponents are shown, (M, b, q).
    losses : callable
        Answers of opponents (M, b, c) and the batch to the loss of each row, (M, b).
    learning_rate : float, default=1e-3
        Step size of the opponents, which no schedule changes.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Contest, Member, TrainingOptions, mlp, train
    >>> x = torch.tensor([[-1.0], [1.0]])
    >>> contest = Contest(
    ...     reads=lambda scores, batch: scores,
    ...     losses=lambda guesses, batch: (guesses - x[batch.rows]).square().sum(dim=2),
    ... )
    >>> member = Member(mlp(1, (), 1), torch.arange(2), opponent=mlp(1, (), 1))
    >>> (fitted,) = train(
    ...     [member],
    ...     x,
    ...     lambda f, batch: f.square().sum(dim=2),
    ...     options=TrainingOptions(batch_size=None),
    ...     contest=contest,
    ... )
    >>> len(fitted.history)
    100
    """

    reads: Callable[[Tensor, Batch], Tensor]
    losses: Objective
    learning_rate: float = 1e-3


class Opponents:
    """The opponents of members under way, as a stack and an optimiser of their own."""

    def __init__(
        self,
        contest: Contest,
        members: Sequence[Member],
        names: Sequence[int],
        example: Tensor,
        options: TrainingOptions,
    ) -> None:
        self.contest = contest
        shown = _first_shown(contest, members[0], names[0], example)
        self.stack = Stack([_opponent(member) for member in members], shown)
        n = len(members)
        rates = torch.full((n,), contest.learning_rate, dtype=torch.float64)
        self.optimizer = choose("optimizer", options.optimizer, OPTIMIZERS)(
            self.stack.leaves, rates, torch.zeros_like(rates)
        )
        self.strength = example.new_tensor([member.strength for member in members])

    @property
    def tensors(self) -> list[Tensor]:
        """All that changes from step to step."""
        memory = [t for tensors in self.optimizer.memory.values() for t in tensors]
        return [*self.stack.state.values(), *memory]

    def select(self, members: Tensor) -> None:
        """Go on with some of them."""
        self.stack = self.stack.select(members)
        self.optimizer.select(self.stack.leaves, members)
        self.strength = self.strength[members]

    def turn(
        self,
        gradients: Sequence[Tensor],
        leaves: Sequence[Tensor],
        scores: Tensor,
        batch: Batch,
        share: Tensor,
    ) -> list[Tensor]:
        """Return what members descend along, and let the opponents take their step."""
        guesses = self.stack(self.contest.reads(scores, batch))
        risk = (self.contest.losses(guesses, batch) * share).sum(dim=1)
        own = list(self.stack.leaves.values())
        found = torch.autograd.grad(
            risk, [*leaves, *own], torch.ones_like(risk), materialize_grads=True
        )
        self.optimizer.step(found[len(leaves) :], [1.0] * len(self.stack))
        return [
            steered(g, h, self.strength)
            for g, h in zip(gradients, found[: len(leaves)], strict=True)
        ]


def steered(gradient: Tensor, against: Tensor, strength: Tensor) -> Tensor:
    r"""Return g without its part along h, less strength times h, for each member.

    Parameters
    ----------
    gradient, against : Tensor of shape (M, ...)
        g and h.
    strength : Tensor of shape (M,)
        :math:`\alpha`.

    Returns
    -------
    Tensor of shape (M, ...)

    References
    ----------
    .. [1] B. H. Zhang, B. Lemoine and M. Mitchell, "Mitigating Unwanted Biases with
       Adversarial Learning", AIES 2018, Section 3; tensor by tensor as in its released
       code.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import steered
    >>> g, h = torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0, 0.0]])
    >>> steered(g, h, torch.tensor([0.5]))
    tensor([[-1.,  4.]])
    """
    g, h = (t.reshape(len(t), -1) for t in (gradient, against))
    square = h.square().sum(dim=1, keepdim=True)
    along = (g * h).sum(dim=1, keepdim=True) / square.clamp(
        min=torch.finfo(h.dtype).tiny
    )
    return (g - (along + strength[:, None]) * h).reshape(gradient.shape)


def _first_shown(
    contest: Contest, member: Member, name: int, example: Tensor
) -> Tensor:
    """Return what an opponent is shown of a few rows, before any training."""
    with torch.no_grad(), globals_kept(example.device):
        scores: Tensor = copy.deepcopy(member.module).eval()(example)[None]
        index = member.training[None, : len(example)].to(example.device)
        ids = torch.tensor([name], device=example.device)
        return contest.reads(scores, Batch(index, ids, example[None]))[0]


def _opponent(member: Member) -> nn.Module:
    """Return a member's opponent; in a contest each has one."""
    assert member.opponent is not None  # noqa: S101 - who starts a contest names them
    return member.opponent
