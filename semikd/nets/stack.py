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

from semikd._validation import Shown, invalid
from semikd.nets.layers import Dropout
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
        _refuse_shared(modules)
        self._template = copy.deepcopy(modules[0])
        self._turned: frozenset[str] = frozenset()
        self._tensors: dict[str, Tensor] = {}
        self._widths = _noise_widths(self._template, example)
        known = member_forward(self._template, self._tensors) is not None
        self.mode: Mode = "native" if known and not _is_tied(self._template) else "vmap"
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

    @property
    def has_batch_statistics(self) -> bool:
        """Whether a row's score depends on the rows beside it while training."""
        return any("running_mean" in name for name in self._tensors)

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
            {
                name: self._laid_out(name, tensor[index].detach())
                for name, tensor in self.state.items()
            },
            # A tied tensor is there once.
            strict=False,
        )
        return module.eval()

    def select(self, members: Tensor) -> "Stack":
        """Return a stack of some members, as copies."""
        chosen = copy.copy(self)
        chosen._tensors = {}
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
        states = [_state(module) for module in modules]
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
        return torch.stack(
            [
                self._call({k: t[m] for k, t in self._tensors.items()}, rows)
                for m, rows in enumerate(x)
            ]
        )

    def _call(self, tensors: dict[str, Tensor], x: Tensor) -> Tensor:
        """Run one member."""
        out: Tensor = functional_call(self._template, tensors, (x,))
        return out

    def _can_vmap(self, example: Tensor) -> bool:
        """Try out whether torch can run, and differentiate, all members at once."""
        before = {name: tensor.detach().clone() for name, tensor in self.state.items()}
        self.train()
        for name, width in self._widths.items():
            self._tensors[name] = example.new_ones((len(self), len(example), *width))
        try:
            scores = self._by_vmap(example[None])
            torch.autograd.grad(scores.sum(), list(self.leaves.values()))
        # torch has many ways to say that a module cannot be run so.
        except Exception:
            return False
        finally:
            # The trial moved batch statistics.
            self.load(before)
        return True


def _state(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name, each once; without the lent noise."""
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    saved = module.state_dict()
    return {name: t.detach() for name, t in tensors.items() if name in saved}


def _is_tied(module: nn.Module) -> bool:
    """Return whether a parameter of the module has two names."""
    names = list(module.named_parameters(remove_duplicate=False))
    return len(names) > len(list(module.named_parameters()))


def _noise_widths(module: nn.Module, example: Tensor) -> dict[str, torch.Size]:
    """Return the noise that a row needs in each dropout, by the name of the buffer."""
    widths: dict[str, torch.Size] = {}
    hooks = []
    for path, layer in module.named_modules():
        if isinstance(layer, Dropout):
            name = f"{path}.noise" if path else "noise"

            def note(_: nn.Module, __: object, out: Tensor, name: str = name) -> None:
                widths[name] = out.shape[1:]

            hooks.append(layer.register_forward_hook(note))
    with torch.no_grad():
        module.eval()(example)
    for hook in hooks:
        hook.remove()
    return widths


def _refuse_shared(modules: Sequence[nn.Module]) -> None:
    """Refuse members that train the same numbers."""
    owner: dict[int, int] = {}
    for member, module in enumerate(modules):
        for name, parameter in module.named_parameters():
            first = owner.setdefault(id(parameter), member)
            if first != member:
                shown = Shown(f"{name!r} in members {first} and {member}")
                remedy = "Build new layers in each call of the factory"
                raise invalid("module", "share no parameter", shown, remedy)
