"""The one loop that trains networks in mini-batches, for students and teachers alike.

Data stays on the device and a batch is an index gather; one step moves all members.
A member that is through leaves the batch, which then costs less.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from semikd._random import spawn_seeds
from semikd._validation import choose
from semikd.nets.batches import Clock, next_segment
from semikd.nets.contest import Contest, Opponents
from semikd.nets.devices import find_compiler, find_precision
from semikd.nets.live import Live
from semikd.nets.optimizers import OPTIMIZERS, SCHEDULES
from semikd.nets.rows import Rows
from semikd.nets.stack import Stack
from semikd.nets.training import (
    Batch,
    Deadline,
    Epoch,
    Member,
    Objective,
    Trained,
    TrainingOptions,
    diverged,
)
from semikd.nets.validation import Watch

Listener = Callable[[int, Epoch], bool | None]


class Loop:
    """Members of one architecture on their way, from the first step to the last.

    Parameters
    ----------
    members : sequence of Member
        What is trained.
    names : sequence of int
        Place of each member in the whole call, by which it is spoken of.
    rows : Rows
        Inputs of all rows.
    objective : callable
        Scores (M, b, m) and a ``Batch`` to the loss of each row, (M, b).
    options : TrainingOptions
        How all of them are trained.
    listen : callable
        Called with a member's name and each epoch; True ends that member's training.
    deadline : Deadline
        When to stop.
    contest : Contest, optional
        How the members' opponents play.
    """

    def __init__(
        self,
        members: Sequence[Member],
        names: Sequence[int],
        rows: Rows,
        objective: Objective,
        options: TrainingOptions,
        listen: Listener,
        deadline: Deadline,
        contest: Contest | None = None,
    ) -> None:
        self.members, self.names = members, names
        self.rows, self.objective, self.options = rows, objective, options
        self.listen, self.deadline = listen, deadline
        example = rows.take(members[0].training[None, :2].to(_device(members[0])))[0]
        self.stack = Stack([member.module for member in members], example)
        self.kept = self.stack.select(torch.arange(len(members), device=example.device))
        self.optimizer = choose("optimizer", options.optimizer, OPTIMIZERS)(
            self.stack.leaves,
            _settings([member.learning_rate for member in members]),
            _settings([member.weight_decay for member in members]),
        )
        self.alive = list(range(len(members)))
        self.opponents = None
        if contest is not None:
            self.opponents = Opponents(contest, members, names, example, options)
        self.clocks = _clocks(members, options.batch_size)
        self.noise = [_noise_generator(member, example.device) for member in members]
        self.watch = Watch(members, options.patience, example.device)
        self.history: list[list[Epoch]] = [[] for _ in members]
        self.totals = example.new_zeros(len(members), dtype=torch.float64)
        self._schedule = choose("schedule", options.schedule, SCHEDULES)
        self._half = find_precision(options.precision, example.device)
        self._refresh()

    def run(self, after_epoch: Callable[["Loop"], None]) -> list[Trained]:
        """Train every member to its end."""
        while self.alive:
            ended = self._segment()
            if ended:
                self._close(ended)
                after_epoch(self)
        return [
            Trained(self.kept.member(m), tuple(self.history[m]), self.stack.mode)
            for m in range(len(self.members))
        ]

    def restrict(self, places: list[int]) -> None:
        """Go on with the members at these places of the batch."""
        index = torch.tensor(places, device=self.totals.device, dtype=torch.long)
        self.alive = [self.alive[place] for place in places]
        self.clocks = [self.clocks[place] for place in places]
        self.totals = self.totals[index]
        if places:
            self.stack = self.stack.select(index)
            self.optimizer.select(self.stack.leaves, index)
            if self.opponents is not None:
                self.opponents.select(index)
            self._refresh()

    def _refresh(self) -> None:
        """Note what the steps need of the members that are left."""
        self._leaves = list(self.stack.leaves.values())
        self._ids = torch.tensor(
            [self.names[m] for m in self.alive], device=self.totals.device
        )
        self._ones = self._leaves[0].new_ones(len(self.alive))
        self._run: Callable[[Tensor], Tensor] = self.stack
        mode = find_compiler(self.options.compile, self.totals.device)
        if mode is not None:
            self._run = torch.compile(self.stack.forward, mode=mode)

    def _segment(self) -> list[int]:
        """Step until some epoch ends; return the places of the members it ended for."""
        segment = next_segment(self.clocks, self._ones)
        self.stack.train()
        risks = []
        for number, (index, share, lengths) in enumerate(
            zip(segment.index, segment.share, segment.lengths, strict=True)
        ):
            risk, gradients = self._gradients(index, share, lengths)
            self.optimizer.step(gradients, self._factors(number))
            risks.append(risk)
        counts = torch.tensor(segment.lengths, device=self.totals.device)
        # Summed on the device, once: reading each loss would wait for it.
        self.totals += (torch.stack(risks).double() * counts).sum(dim=0)
        done = {c: c.advance(len(risks)) for c in dict.fromkeys(self.clocks)}
        return [place for place, clock in enumerate(self.clocks) if done[clock]]

    def _gradients(
        self, index: Tensor, share: Tensor, lengths: list[int]
    ) -> tuple[Tensor, Sequence[Tensor]]:
        """Return the mean loss of each member on a batch, and its gradients."""
        generators = [self.noise[m] for m in self.alive]
        if len(lengths) < len(generators):
            lengths = lengths * len(generators)
        self.stack.draw(generators, lengths, index.shape[1])
        inputs = self._shown(self.rows.take(index), generators, lengths)
        with self.precision():
            scores = self._run(inputs)
        scores = scores.to(self._ones.dtype)
        live = Live(self, generators, lengths)
        batch = Batch(index, self._ids, inputs, share > 0, self.stack.state, live=live)
        risk = (self.objective(scores, batch) * share).sum(dim=1)
        against = self.opponents
        gradients: Sequence[Tensor] = torch.autograd.grad(
            risk,
            self._leaves,
            self._ones,
            materialize_grads=True,
            retain_graph=against is not None,
        )
        if against is not None:
            gradients = against.turn(gradients, self._leaves, scores, batch, share)
        longest = self.options.clip_norm
        if longest is not None:
            gradients = _clipped(gradients, longest)
        return risk.detach(), gradients

    def _shown(
        self, x: Tensor, generators: list[torch.Generator], lengths: list[int]
    ) -> Tensor:
        """Return inputs as they are, or augmented, each member's from its own seed."""
        if self.options.augment is None:
            return x
        shown = x.clone()
        for rows, generator, length in zip(shown, generators, lengths, strict=False):
            rows[:length] = self.options.augment(rows[:length], generator)
        return shown

    def _factors(self, n_steps: int) -> list[float]:
        """Return what the schedule makes of each step size, some steps from now."""
        return [
            self._schedule(clock.progress(n_steps) / self.members[m].max_epochs)
            for m, clock in zip(self.alive, self.clocks, strict=True)
        ]

    def precision(self) -> AbstractContextManager[Any]:
        """Return the context in which scores are computed."""
        if self._half is None:
            return nullcontext()
        return torch.autocast(self._ones.device.type, dtype=self._half)

    def _close(self, ended: list[int]) -> None:
        """Note what an epoch came to, keep what is best, and let the ready ones go."""
        losses = self.watch.losses(self, ended)
        # Read at once: reading each of them would wait for the device.
        totals = self.totals.tolist()
        finished = set()
        for place, validation in zip(ended, losses, strict=True):
            m = self.alive[place]
            train = totals[place] / len(self.members[m].training)
            epoch = Epoch(len(self.history[m]) + 1, train, validation)
            self._refuse_divergence(m, epoch)
            self.history[m].append(epoch)
            over = self.watch.note(m, epoch)
            told = self.listen(self.names[m], epoch)
            last = epoch.epoch >= self.members[m].max_epochs
            if over or told or last or self.deadline.is_over:
                finished.add(place)
        self.totals[ended] = 0.0
        self._keep(ended, finished)
        for clock in dict.fromkeys(self.clocks[place] for place in ended):
            clock.deal()
        if finished:
            places = [p for p in range(len(self.alive)) if p not in finished]
            self.restrict(places)

    def _keep(self, ended: list[int], finished: set[int]) -> None:
        """Copy members to where they are kept: at their best epoch, or their last."""
        places = [
            place
            for place in ended
            if self.watch.is_best(self.alive[place], place in finished)
        ]
        if not places:
            return
        self.kept.put([self.alive[place] for place in places], self.stack, places)
        for place in places:
            m = self.alive[place]
            if place in finished and not self.kept.is_finite(m):
                # The very last step is one that no loss has seen.
                epoch = len(self.history[m])
                raise diverged(
                    f"parameters that are not finite after epoch {epoch}"
                    f"{self._whose(m)}"
                )

    def _refuse_divergence(self, m: int, epoch: Epoch) -> None:
        """Stop a fit that has left the finite numbers, naming member and epoch."""
        for loss in (epoch.train_loss, epoch.validation_loss):
            if loss is not None and not abs(loss) < float("inf"):
                raise diverged(f"{loss} in epoch {epoch.epoch}{self._whose(m)}")

    def _whose(self, m: int) -> str:
        """Return which member is meant, where there are several."""
        return f" of member {self.names[m]}" if len(self.members) > 1 else ""


def _device(member: Member) -> torch.device:
    return next(member.module.parameters()).device


def _settings(numbers: list[float]) -> Tensor:
    """Return one number of each member, in full precision."""
    return torch.tensor(numbers, dtype=torch.float64)


def _clocks(members: Sequence[Member], batch_size: int | None) -> list[Clock]:
    """Return a clock for each member; the same one for the same rows and seed."""
    clocks: dict[tuple[int, int], Clock] = {}
    for member in members:
        key = (id(member.training), member.seed)
        if key not in clocks:
            seed = spawn_seeds(member.seed, 2)[0]
            clocks[key] = Clock(member.training.cpu(), batch_size, seed)
    return [clocks[id(member.training), member.seed] for member in members]


def _noise_generator(member: Member, device: torch.device) -> torch.Generator:
    """Return the generator of a member's dropout and augmentation."""
    return torch.Generator(device).manual_seed(spawn_seeds(member.seed, 2)[1])


def _clipped(gradients: Sequence[Tensor], longest: float) -> list[Tensor]:
    """Return gradients of which no member's is longer than that."""
    squares = [g.flatten(1).square().sum(dim=1) for g in gradients]
    norm = torch.stack(squares).sum(dim=0).sqrt()
    factor = (longest / norm.clamp(min=longest)).nan_to_num(0.0)
    return [g * factor.view(-1, *[1] * (g.ndim - 1)) for g in gradients]
