"""What the benchmarks of the engine share: one table, one network, and the fits."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from _harness import Row, alternate
from torch import Tensor, nn
from torch.nn import functional

from semikd.nets import Batch, Epoch, Member, Trained, TrainingOptions, mlp, train
from semikd.nets import seeded as built

D = 50
RATE, PENALTY = 1e-3, 1e-4


@dataclass(frozen=True)
class Setting:
    """How large a run is, and where it takes place."""

    device: torch.device
    small: bool

    @property
    def on_gpu(self) -> bool:
        """Whether this is a GPU."""
        return self.device.type == "cuda"

    @property
    def n_rows(self) -> int:
        """Rows of the made table."""
        if self.small:
            return 2_000
        return 50_000 if self.on_gpu else 20_000

    @property
    def epochs(self) -> int:
        """Passes over the rows."""
        return 1 if self.small else 3

    def rounds(self, judged: bool) -> int:
        """Return how often each side is timed."""
        if self.small:
            return 2
        return 7 if judged else 3


@dataclass(frozen=True)
class Shape:
    """A network and the batches that it is fed with."""

    hidden: tuple[int, ...]
    batch: int

    @property
    def named(self) -> Row:
        """The first columns of a line."""
        return {"hidden layers": str(self.hidden), "batch": self.batch}


@dataclass(frozen=True)
class Table:
    """Rows on the device: inputs (n, d), classes (n,), and their probabilities."""

    x: Tensor
    y: Tensor
    p: Tensor


def made(n: int, device: torch.device) -> Table:
    """Return a table whose classes are worth learning."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, D, generator=generator)
    slopes = torch.tensor([1.0, -0.8, 0.6, -0.4, 0.2])
    logit = x[:, :5] @ slopes + x[:, 5] * x[:, 6] + torch.sin(2.0 * x[:, 7])
    p = torch.sigmoid(logit)
    y = (torch.rand(n, generator=generator) < p).float()
    return Table(x.to(device), y.to(device), p.to(device))


def network(hidden: Sequence[int], seed: int, device: torch.device) -> nn.Sequential:
    """Return the network of all arms, from a seed."""
    return built(lambda: mlp(D, hidden, 1), seed).to(device)


def fitted(
    table: Table,
    shape: Shape,
    epochs: int,
    seeds: Sequence[int],
    rows: Sequence[Tensor] | None = None,
    listen: Callable[[int, Epoch], None] | None = None,
) -> list[Trained]:
    """Train members in the engine, on their own rows where these are given."""
    n, device = len(table.x), table.x.device
    rows = [torch.arange(n) for _ in seeds] if rows is None else rows
    members = [
        Member(
            network(shape.hidden, seed, device),
            own,
            seed=seed,
            learning_rate=RATE,
            weight_decay=PENALTY,
            max_epochs=epochs,
        )
        for seed, own in zip(seeds, rows, strict=True)
    ]
    options = TrainingOptions(batch_size=shape.batch)
    return train(members, table.x, loss_of(table.y), options=options, listen=listen)


def loss_of(y: Tensor) -> Callable[[Tensor, Batch], Tensor]:
    """Return the objective: the log-loss of the class of each row."""

    def objective(scores: Tensor, batch: Batch) -> Tensor:
        f = scores.squeeze(2)
        target = y[batch.rows].expand_as(f)
        return functional.binary_cross_entropy_with_logits(f, target, reduction="none")

    return objective


def mean_loss(net: nn.Module, x: Tensor, y: Tensor) -> float:
    """Return the log-loss of a network on rows."""
    with torch.no_grad():
        f = net.eval()(x).squeeze(1)
        return functional.binary_cross_entropy_with_logits(f, y).item()


def finish(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(
    sides: Mapping[str, Callable[[int], Any]], rounds: int, device: torch.device
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, list[Any]]]:
    """Return wall-clock and processor seconds and results, without a first round.

    A side is called with the number of the round, which serves as its seed.
    """
    results: dict[str, list[Any]] = {name: [] for name in sides}

    def counting(name: str) -> Callable[[], None]:
        numbers = count()

        def work() -> None:
            results[name].append(sides[name](next(numbers)))
            finish(device)

        return work

    times = alternate({name: counting(name) for name in sides}, rounds + 1)
    wall = {name: [t[0] for t in own[1:]] for name, own in times.items()}
    cpu = {name: [t[1] for t in own[1:]] for name, own in times.items()}
    return wall, cpu, {name: own[1:] for name, own in results.items()}


def n_steps(n: int, shape: Shape) -> int:
    """Return the steps of an epoch."""
    return -(-n // shape.batch)


def epoch_seconds(
    table: Table, shape: Shape, n_members: int, epochs: int
) -> tuple[float, float]:
    """Return seconds of an epoch, without what comes before the first one ends.

    Then those of the whole fit.
    """
    ends: list[float] = []

    def listen(member: int, _: Epoch) -> None:
        if member == 0:
            finish(table.x.device)
            ends.append(time.perf_counter())

    begin = time.perf_counter()
    fitted(table, shape, epochs, range(n_members), listen=listen)
    finish(table.x.device)
    whole = time.perf_counter() - begin
    return (ends[-1] - ends[0]) / (len(ends) - 1), whole


def reached(ratio: float, asked: float | None, at_most: bool) -> str:
    """Return the verdict on a ratio."""
    if asked is None:
        return ""
    return "yes" if (ratio <= asked) == at_most or ratio == asked else "no"
