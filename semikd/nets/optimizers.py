"""Optimisers for many members at once, each with a step size and penalty of its own.

Tensors have a leading axis for the members. Where all members share their settings the
step is torch's own fused one, else the same formula with one number for each member.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_BETAS = (0.9, 0.999)
_EPS = 1e-8
_MOMENTUM = 0.9


@dataclass(frozen=True)
class _Group:
    """Tensors that one call of a kernel can move: of one format, penalised or not."""

    places: list[int]
    penalised: bool
    device: torch.device


class Optimizer(ABC):
    """What moves parameters along gradients, and what it remembers between steps.

    Parameters
    ----------
    leaves : mapping of Tensor
        Trained tensors by name, each of shape (M, ...).
    learning_rate, weight_decay : Tensor of shape (M,)
        Step size and penalty of each member. The penalty acts on weights, which have
        two axes or more in a member; biases are free.
    """

    slots: tuple[str, ...]
    """Names of what is remembered beside each parameter."""

    def __init__(
        self, leaves: Mapping[str, Tensor], learning_rate: Tensor, weight_decay: Tensor
    ) -> None:
        self.leaves = list(leaves.values())
        self.n_steps = 0
        self.memory = {
            slot: [torch.zeros_like(leaf) for leaf in self.leaves]
            for slot in self.slots
        }
        self._set(learning_rate, weight_decay)

    def step(self, gradients: Sequence[Tensor], factors: Sequence[float]) -> None:
        """Take one step; ``factors`` is what a schedule makes of each step size."""
        self.n_steps += 1
        with torch.no_grad():
            if self._alike is not None and len(set(factors)) == 1:
                rate, decay = self._alike
                self._step_alike(gradients, rate * factors[0], decay)
            else:
                rates = self.learning_rate * torch.tensor(factors, dtype=torch.float64)
                self._step_each(gradients, rates)

    def select(self, leaves: Mapping[str, Tensor], members: Tensor) -> None:
        """Go on with some members, whose tensors are given."""
        self.leaves = list(leaves.values())
        at = members.cpu()
        self._set(self.learning_rate[at], self.weight_decay[at])
        for slot, tensors in self.memory.items():
            self.memory[slot] = [t.index_select(0, members) for t in tensors]

    def _set(self, learning_rate: Tensor, weight_decay: Tensor) -> None:
        """Take the settings of the members, and note whether all have the same."""
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        both = torch.stack([learning_rate, weight_decay])
        self._alike: list[float] | None = None
        if bool((both == both[:, :1]).all()):
            self._alike = both[:, 0].tolist()
        self._groups = self._grouped()

    def _step_alike(
        self, gradients: Sequence[Tensor], rate: float, decay: float
    ) -> None:
        """Move the parameters of members that share their settings."""
        self._step_each(gradients, torch.full_like(self.learning_rate, rate))

    @abstractmethod
    def _step_each(self, gradients: Sequence[Tensor], rates: Tensor) -> None:
        """Move the parameters in place, each member's at its own rate."""

    def _grouped(self) -> list[_Group]:
        """Return the tensors by what a kernel needs to have in common."""
        no_penalty = not bool(self.weight_decay.any())
        groups: dict[tuple[torch.dtype, bool], list[int]] = {}
        for i, (leaf, weight) in enumerate(
            zip(self.leaves, self._penalised(), strict=True)
        ):
            groups.setdefault((leaf.dtype, weight and not no_penalty), []).append(i)
        return [
            _Group(places, penalised, self.leaves[places[0]].device)
            for (_, penalised), places in groups.items()
        ]

    def _penalised(self) -> list[bool]:
        """Return which tensors are weights."""
        return [leaf.ndim > 2 for leaf in self.leaves]


class Adam(Optimizer):
    r"""Adam; the gradient of the penalty goes through it, or past it.

    .. math:: \theta \leftarrow \theta - \eta \hat m / (\sqrt{\hat v} + \epsilon)

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", 2015.
    .. [2] I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", 2019.
    """

    slots = ("mean", "square")
    decoupled = False
    _kernel: Any = staticmethod(torch._fused_adam_)

    def _step_alike(
        self, gradients: Sequence[Tensor], rate: float, decay: float
    ) -> None:
        """Take the step that all members share, by torch's own kernel."""
        # The kernel walks through memory, whatever the strides of a gradient are.
        gradients = [gradient.contiguous() for gradient in gradients]
        for group in self._groups:
            step = torch.full((), float(self.n_steps), device=group.device)
            self._kernel(
                [self.leaves[i] for i in group.places],
                [gradients[i] for i in group.places],
                [self.memory["mean"][i] for i in group.places],
                [self.memory["square"][i] for i in group.places],
                [],
                [step] * len(group.places),
                amsgrad=False,
                lr=rate,
                beta1=_BETAS[0],
                beta2=_BETAS[1],
                weight_decay=decay if group.penalised else 0.0,
                eps=_EPS,
                maximize=False,
            )

    def _step_each(self, gradients: Sequence[Tensor], rates: Tensor) -> None:
        """Take each member's own step."""
        first, second = (1.0 - beta**self.n_steps for beta in _BETAS)
        for i, (leaf, gradient, penalised) in enumerate(
            zip(self.leaves, gradients, self._penalised(), strict=True)
        ):
            rate, decay = (_beside(leaf, t) for t in (rates, self.weight_decay))
            if penalised and self.decoupled:
                leaf.mul_(1.0 - rate * decay)
            elif penalised:
                gradient = gradient + decay * leaf
            mean, square = self.memory["mean"][i], self.memory["square"][i]
            mean.lerp_(gradient, 1.0 - _BETAS[0])
            square.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1.0 - _BETAS[1])
            scale = square.sqrt().div_(math.sqrt(second)).add_(_EPS)
            leaf.sub_(rate / first * mean / scale)


class AdamW(Adam):
    """Adam with the penalty beside it: weights shrink by their own share."""

    decoupled = True
    _kernel: Any = staticmethod(torch._fused_adamw_)


class SGD(Optimizer):
    """Stochastic gradients with Nesterov's momentum of 0.9."""

    slots = ("velocity",)

    def _step_each(self, gradients: Sequence[Tensor], rates: Tensor) -> None:
        for i, (leaf, gradient, penalised) in enumerate(
            zip(self.leaves, gradients, self._penalised(), strict=True)
        ):
            rate, decay = (_beside(leaf, t) for t in (rates, self.weight_decay))
            if penalised:
                gradient = gradient + decay * leaf
            velocity = self.memory["velocity"][i]
            velocity.mul_(_MOMENTUM).add_(gradient)
            leaf.sub_(rate * (gradient + _MOMENTUM * velocity))


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}


def _beside(leaf: Tensor, numbers: Tensor) -> Tensor:
    """Return one number for each member, shaped to multiply its tensor."""
    shaped = numbers.to(leaf.device, leaf.dtype)
    return shaped.view(-1, *[1] * (leaf.ndim - 1))


def _constant(_: float) -> float:
    return 1.0


def _cosine(progress: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def _warm_cosine(progress: float, warm: float = 0.1) -> float:
    if progress < warm:
        return progress / warm
    return _cosine((progress - warm) / (1.0 - warm))


def _steps(progress: float) -> float:
    return 0.1 ** sum(progress >= drop for drop in (0.5, 0.75))


def _fifths(progress: float) -> float:
    return 0.2 ** sum(progress >= drop for drop in (0.4, 0.6, 0.8))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "warm_cosine": _warm_cosine,
    "steps": _steps,
    "fifths": _fifths,
}
