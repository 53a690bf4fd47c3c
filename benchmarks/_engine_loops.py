"""Other ways to train the same network: by hand, with a DataLoader, with skorch."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from _engine_fits import PENALTY, RATE, Shape, Table, n_steps, network
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

Loop = Callable[[int], nn.Module]
"""Trains with a seed, and returns the network."""


@dataclass(frozen=True)
class Work:
    """What all arms of a comparison do."""

    table: Table
    shape: Shape
    epochs: int

    @property
    def device(self) -> torch.device:
        """Where it is done."""
        return self.table.x.device


def optimizer_of(net: nn.Module, capturable: bool = False) -> torch.optim.Adam:
    """Return the optimiser of all arms: fused, with a penalty on weights alone."""
    parameters = list(net.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": PENALTY},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.Adam(groups, lr=RATE, fused=True, capturable=capturable)


def step(net: nn.Module, optimizer: torch.optim.Adam, x: Tensor, y: Tensor) -> None:
    """Take one step on a batch."""
    f = net(x).squeeze(1)
    loss = functional.binary_cross_entropy_with_logits(f, y)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def by_hand(work: Work, seed: int) -> nn.Module:
    """Train on tensors that stay on the device, with as little around as can be."""
    x, y, n = work.table.x, work.table.y, len(work.table.x)
    net = network(work.shape.hidden, seed, work.device)
    optimizer = optimizer_of(net)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(work.epochs):
        order = torch.randperm(n, generator=generator).to(work.device)
        for index in order.tensor_split(n_steps(n, work.shape)):
            step(net, optimizer, x.index_select(0, index), y.index_select(0, index))
    return net


def by_graph(work: Work, seed: int) -> nn.Module:
    """Train by replaying one captured step; rows that fill no batch are left out."""
    x, y, n = work.table.x, work.table.y, len(work.table.x)
    net = network(work.shape.hidden, seed, work.device)
    optimizer = optimizer_of(net, capturable=True)
    steps = n_steps(n, work.shape)
    length = n // steps
    index = torch.arange(length, device=work.device)

    def one() -> None:
        step(net, optimizer, x.index_select(0, index), y.index_select(0, index))

    # Memory and state must be there before a capture, as torch's manual has it.
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            one()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        one()
    generator = torch.Generator().manual_seed(seed)
    for _ in range(work.epochs):
        order = torch.randperm(n, generator=generator)[: steps * length]
        for rows in order.to(work.device).view(steps, length):
            index.copy_(rows)
            graph.replay()
    return net


def by_loader(work: Work, batches: Iterable[Any]) -> Loop:
    """Return the loop over a DataLoader."""

    def train(seed: int) -> nn.Module:
        net = network(work.shape.hidden, seed, work.device)
        optimizer = optimizer_of(net)
        for _ in range(work.epochs):
            for x, y in batches:
                x_there = x.to(work.device, non_blocking=True)
                y_there = y.to(work.device, non_blocking=True)
                step(net, optimizer, x_there, y_there)
        return net

    return train


def loaders(work: Work) -> dict[str, Loop]:
    """Return the loops over torch's DataLoader, usual and with what it documents."""
    data = TensorDataset(work.table.x.cpu(), work.table.y.cpu())
    usual: dict[str, Any] = {"batch_size": work.shape.batch, "shuffle": True}
    kinds: dict[str, dict[str, Any]] = {
        "DataLoader": usual,
        "DataLoader, two workers": {
            **usual,
            "num_workers": 2,
            "persistent_workers": True,
        },
        "DataLoader, batch sampler": whole_batches(len(data), work.shape.batch),
    }
    if work.device.type == "cuda":
        pinned = {"DataLoader": "DataLoader, pinned"}
        pinned |= {name: f"{name}, pinned" for name in list(kinds)[1:]}
        kinds |= {new: {**kinds[k], "pin_memory": True} for k, new in pinned.items()}
    return {
        name: by_loader(work, DataLoader(data, **kind)) for name, kind in kinds.items()
    }


def whole_batches(n: int, batch: int) -> dict[str, Any]:
    """Return the options of a DataLoader that asks for a batch of rows at once."""
    sampler = BatchSampler(RandomSampler(range(n)), batch, drop_last=False)
    return {"sampler": sampler, "batch_size": None}


class Slices:
    """Batches of tensors on the device, in place of skorch's iterator."""

    def __init__(self, dataset: Any, batch_size: int) -> None:
        self.x, self.y, self.batch_size = dataset.X, dataset.y, batch_size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.x)).to(self.x.device)
        for index in order.split(self.batch_size):
            yield self.x.index_select(0, index), self.y.index_select(0, index)


def by_skorch(work: Work, x: Any, y: Any, settings: dict[str, Any]) -> Loop:
    """Return the fit of skorch with these settings of its iterator."""
    from skorch import NeuralNetBinaryClassifier

    def train(seed: int) -> nn.Module:
        net = NeuralNetBinaryClassifier(
            network(work.shape.hidden, seed, work.device),
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            optimizer__param_groups=[("*.weight", {"weight_decay": PENALTY})],
            lr=RATE,
            max_epochs=work.epochs,
            batch_size=work.shape.batch,
            train_split=None,
            callbacks="disable",
            device=str(work.device),
            **settings,
        )
        module: nn.Module = net.fit(x, y).module_
        return module

    return train


def skorch_fits(work: Work) -> dict[str, Loop]:
    """Return the fits of skorch, usual and with other iterators."""
    table, batch = work.table, work.shape.batch
    x, y = table.x.cpu().numpy(), table.y.cpu().numpy()
    batches = whole_batches(len(x), batch)
    kinds = {
        "skorch": {"iterator_train__shuffle": True},
        "skorch, two workers": {
            "iterator_train__shuffle": True,
            "iterator_train__num_workers": 2,
        },
        "skorch, batch sampler": {
            f"iterator_train__{k}": v for k, v in batches.items()
        },
    }
    fits = {name: by_skorch(work, x, y, kind) for name, kind in kinds.items()}
    # Its check of the classes wants them in main memory.
    slices = by_skorch(work, table.x, table.y, {"iterator_train": Slices})
    return fits | {"skorch, iterator of slices": slices}
