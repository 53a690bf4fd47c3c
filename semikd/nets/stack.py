"""Many networks of one shape as a single tensor program.

A *stack* holds the parameters of M networks with a leading axis for the members. Layers
that are known run on that axis directly; any other module runs under ``torch.vmap``,
and one that cannot is run one by one.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from semikd.nets.alike import is_plain, module_state, refuse_shared
from semikd.nets.devices import is_out_of_memory
from semikd.nets.lending import (
    global_generator,
    globals_kept,
    lent_to_torch,
    noise_widths,
)
from semikd.nets.native import Forward, member_forward, turned_names

Mode = Literal["native", "vmap", "one by one"]


class Stack:
    """M networks of one architecture, with a leading axis for the members.

    Parameters
    ----------
    modules : sequence of torch.nn.Module
        The members, each with parameters of its own; they are copied, never changed.
    example : Tensor of shape (b, ...)
        A few rows of input, on which the way to run the members is tried out.

    Attributes
    ----------
    mode : {'native', 'vmap', 'one by one'}
        How the members are run.

    Raises
    ------
    ValueError
        If two members share a parameter.

    Examples
    --------
    >>> import torch
    >>> from semikd.nets import Stack, mlp
    >>> stack = Stack([mlp(3, (8,), 2) for _ in range(5)], torch.zeros(4, 3))
    >>> stack(torch.zeros(5, 4, 3)).shape, stack.mode
    (torch.Size([5, 4, 2]), 'native')
    """

    def __init__(self, modules: Sequence[nn.Module], example: Tensor) -> None:
        refuse_shared(modules)
        self._template = copy.deepcopy(modules[0])
        self._turned: frozenset[str] = frozenset()
        self._tensors: dict[str, Tensor] = {}
        self._widths = noise_widths(self._template, example)
        # Generators and numbers of rows of the batch, for members run one by one.
        self._lent: list[tuple[torch.Generator, int]] = []
        self._draws = False
        known = member_forward(self._template, self._tensors) is not None
        self.mode: Mode = "native" if known and is_plain(self._template) else "vmap"
        if self.mode == "native":
            self._turned = turned_names(self._template)
        self._adopt(self._stacked(modules))
        if self.mode == "vmap" and not self._can_vmap(example):
            self.mode = "one by one"
        self.forward = self._run_by(self.mode)

    def __len__(self) -> int:
        return len(next(iter(self._tensors.values())))

    def __call__(self, x: Tensor) -> Tensor:
        """Return scores (M, b, m) of inputs (M, b, ...), or (1, b, ...) for all."""
        return self.forward(x)

    @property
    def leaves(self) -> dict[str, Tensor]:
        """The trained tensors by name, each of shape (M, ...)."""
        return {k: t for k, t in self._tensors.items() if t.requires_grad}

    @property
    def state(self) -> dict[str, Tensor]:
        """All tensors of the members by name, each of shape (M, ...)."""
        return {k: t for k, t in self._tensors.items() if k not in self._widths}

    def train(self, training: bool = True) -> None:
        """Switch dropout and batch statistics on, or off."""
        self._template.train(training)

    def draw(
        self, generators: Sequence[torch.Generator], lengths: list[int], n_rows: int
    ) -> None:
        """Draw the noise of every dropout for a batch, each member from its own.

        Only rows that count are drawn, so that what a member gets does not depend on
        the length of the batches of others; the rest is 1, which zeroes nothing.
        """
        if self.mode == "one by one":
            self._lent = list(zip(generators, lengths, strict=True))
        if not self._widths:
            return
        like = next(iter(self._tensors.values()))
        for name, width in self._widths.items():
            noise = like.new_ones((len(lengths), n_rows, *width))
            for rows, generator in zip(
                (noise[m, :n] for m, n in enumerate(lengths)), generators, strict=True
            ):
                torch.rand(rows.shape, generator=generator, out=rows)
            self._tensors[name] = noise

    def member(self, index: int) -> nn.Module:
        """Return one member as a module of its own, in evaluation mode."""
        module = copy.deepcopy(self._template)
        module.load_state_dict(
            self.member_state(index),
            # A tied tensor is there once.
            strict=False,
        )
        return module.eval()

    def member_state(self, index: int) -> dict[str, Tensor]:
        """Return the tensors of one member by name, laid out as in its module."""
        return {
            name: self._laid_out(name, tensor[index].detach())
            for name, tensor in self.state.items()
        }

    def select(self, members: Tensor) -> "Stack":
        """Return a stack of some members, as copies."""
        chosen = copy.copy(self)
        chosen._tensors, chosen._lent = {}, []
        chosen._adopt(
            {
                name: tensor.detach().index_select(0, members)
                for name, tensor in self.state.items()
            }
        )
        chosen.forward = chosen._run_by(chosen.mode)
        return chosen

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Copy tensors into the members, each of shape (M, ...)."""
        with torch.no_grad():
            for name, tensor in self.state.items():
                tensor.copy_(state[name])

    def put(self, members: list[int], source: "Stack", places: list[int]) -> None:
        """Overwrite some members by those at these places of another stack."""
        with torch.no_grad():
            for name, tensor in self.state.items():
                tensor[members] = source.state[name][places]

    def is_finite(self, member: int) -> bool:
        """Return whether all numbers of a member are finite."""
        return all(bool(t[member].isfinite().all()) for t in self.state.values())

    def _adopt(self, state: Mapping[str, Tensor]) -> None:
        """Take tensors as the members' own; parameters are to be trained."""
        trained = {n for n, p in self._template.named_parameters() if p.requires_grad}
        for name, tensor in state.items():
            self._tensors[name] = tensor.requires_grad_(name in trained)

    def _stacked(self, modules: Sequence[nn.Module]) -> dict[str, Tensor]:
        """Return the states of modules, side by side."""
        states = [module_state(module) for module in modules]
        return {
            name: torch.stack([self._laid_out(name, state[name]) for state in states])
            for name in states[0]
        }

    def _laid_out(self, name: str, tensor: Tensor) -> Tensor:
        """Return a tensor of one member in the layout of the stack, or back."""
        return tensor.T if name in self._turned else tensor

    def _run_by(self, mode: Mode) -> Forward:
        """Return how the members are run."""
        if mode == "native":
            forward = member_forward(self._template, self._tensors)
            if forward is not None:
                return forward
        return self._by_vmap if mode == "vmap" else self._one_by_one

    def _by_vmap(self, x: Tensor) -> Tensor:
        """Run all members at once, whatever they are made of."""
        rows = 0 if len(x) == len(self) else None
        out: Tensor = torch.vmap(self._call, in_dims=(0, rows), randomness="different")(
            self._tensors, x if rows == 0 else x[0]
        )
        return out

    def _one_by_one(self, x: Tensor) -> Tensor:
        """Run the members in turn, where no way is known to run them at once."""
        x = x.expand(len(self), *x.shape[1:])
        training = self._template.training and len(self._lent) == len(self)
        lengths = [n for _, n in self._lent] if training else [x.shape[1]] * len(self)
        scores = [self._alone(m, x[m, :n], training) for m, n in enumerate(lengths)]
        return torch.stack([_padded(one, x.shape[1]) for one in scores])

    def _alone(self, m: int, rows: Tensor, training: bool) -> Tensor:
        """Run one member on the rows that count, with noise drawn for it alone."""
        own = {name: tensor[m] for name, tensor in self._tensors.items()}
        own |= {name: own[name][: len(rows)] for name in self._widths if name in own}
        if not self._draws:
            return self._call(own, rows)
        generator = self._lent[m][0] if training else _fresh(rows.device)
        with lent_to_torch(generator):
            return self._call(own, rows)

    def _call(self, tensors: dict[str, Tensor], x: Tensor) -> Tensor:
        """Run one member."""
        out: Tensor = functional_call(self._template, tensors, (x,))
        return out

    def _can_vmap(self, example: Tensor) -> bool:
        """Try out whether torch can run, and differentiate, all members at once."""
        before = {name: tensor.detach().clone() for name, tensor in self.state.items()}
        drawn_from = global_generator(example.device)
        self.train()
        for name, width in self._widths.items():
            self._tensors[name] = example.new_ones((len(self), len(example), *width))
        with globals_kept(example.device):
            try:
                state = drawn_from.get_state()
                self._call({k: t[0] for k, t in self._tensors.items()}, example)
                # Noise of all members at once would depend on who is among them.
                self._draws = not torch.equal(drawn_from.get_state(), state)
                if self._draws:
                    return False
                # Rows of each member's own: that of a batch may be so, and asks more.
                rows = example.expand(len(self), *example.shape)
                scores = self._by_vmap(rows)
                leaves = list(self.leaves.values())
                # Some may be of the objective, and of no score.
                torch.autograd.grad(scores.sum(), leaves, materialize_grads=True)
            # torch has many ways to say that a module cannot be run so.
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                return False
            finally:
                # The trial moved batch statistics.
                self.load(before)
        return True


def _padded(scores: Tensor, n_rows: int) -> Tensor:
    """Return scores with rows of zeros at the end."""
    missing = scores.new_zeros((n_rows - len(scores), *scores.shape[1:]))
    return torch.cat([scores, missing]) if len(missing) else scores


def _fresh(device: torch.device) -> torch.Generator:
    """Return a generator for what a module draws while nobody trains it."""
    return torch.Generator(device).manual_seed(0)
