"""Which rows a member sees at which step: its own order, batches and epochs.

Members may have different numbers of rows. Each goes through its own epochs at its own
pace, so that every one of them takes a step whenever the others do; batches that are
shorter than the longest are padded with rows that count for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_MOST_INDICES = 4_000_000


@dataclass(frozen=True)
class Segment:
    """Batches of all members for the next few steps, in which no epoch ends.

    Parameters
    ----------
    index : Tensor of int of shape (steps, M, b)
        Rows; (steps, 1, b) where all members read the same.
    share : Tensor of shape (steps, M, b)
        Weight of each row in its batch: one over the batch's length, 0 for padding.
    lengths : list of list of int
        Rows that count, of each step and member.
    """

    index: Tensor
    share: Tensor
    lengths: list[list[int]]


class Clock:
    """One member's way through its rows, epoch after epoch.

    An epoch is cut into batches of nearly equal length: a short last batch would take a
    step as long as the others' on far fewer rows.
    """

    def __init__(self, rows: Tensor, batch_size: int | None, seed: int) -> None:
        self.rows = rows
        self.shuffled = batch_size is not None
        self.n_batches = -(-len(rows) // batch_size) if batch_size else 1
        self.length = -(-len(rows) // self.n_batches)
        self.generator = torch.Generator().manual_seed(seed)
        self.position = 0
        self.epoch = 0
        self.deal()

    def progress(self, n_steps: int = 0) -> float:
        """Return the epochs behind this member some steps from now, in fractions."""
        return self.epoch + (self.position + n_steps) / self.n_batches

    @property
    def remaining(self) -> int:
        """Steps to the end of the epoch."""
        return self.n_batches - self.position

    def advance(self, n_steps: int) -> bool:
        """Go on by some steps; return whether an epoch ended."""
        self.position += n_steps
        if self.position < self.n_batches:
            return False
        self.position = 0
        self.epoch += 1
        return True

    def deal(self) -> None:
        """Draw the order of an epoch, and remember from where it was drawn."""
        # The order is drawn on the processor, so that it is the same on every device.
        self.drawn_from = self.generator.get_state()
        n = len(self.rows)
        if self.shuffled:
            self._order = torch.randperm(n, generator=self.generator)
        else:
            self._order = torch.arange(n)

    def lengths(self, n_steps: int) -> Tensor:
        """Return the number of rows of the next batches, shape (n_steps,)."""
        short, n_long = divmod(len(self.rows), self.n_batches)
        return short + (self._next(n_steps) < n_long).long()

    def batches(self, n_steps: int, width: int) -> Tensor:
        """Return the rows of the next batches, padded, shape (n_steps, width)."""
        short, n_long = divmod(len(self.rows), self.n_batches)
        batch = self._next(n_steps)
        start = batch * short + batch.clamp(max=n_long)
        place = start[:, None] + torch.arange(width)
        return self.rows[self._order[place.clamp(max=len(self.rows) - 1)]]

    def _next(self, n_steps: int) -> Tensor:
        """Return the numbers of the next batches of this epoch."""
        return self.position + torch.arange(n_steps)

    def rewind(self, state: Tensor, epoch: int, position: int) -> None:
        """Return to a place noted earlier, as if it had never been left."""
        self.generator.set_state(state)
        self.epoch, self.position = epoch, position
        self.deal()


def next_segment(clocks: Sequence[Clock], like: Tensor) -> Segment:
    """Return the batches of the next steps, none beyond the end of an epoch.

    Parameters
    ----------
    clocks : sequence of Clock
        One for each member; members with the same rows and order share theirs.
    like : Tensor
        Gives device and number format.
    """
    sources = list(dict.fromkeys(clocks))
    sources = sources if len(sources) == 1 else list(clocks)
    width = max(clock.length for clock in sources)
    # A long epoch is laid out in parts, so that its indices take little memory.
    most = max(1, _MOST_INDICES // (len(sources) * width))
    n_steps = min(most, *(clock.remaining for clock in sources))
    lengths = torch.stack([c.lengths(n_steps) for c in sources], dim=1)
    index = torch.stack([c.batches(n_steps, width) for c in sources], dim=1)
    counts = torch.arange(width) < lengths[..., None]
    # In the format of the parameters: a whole number over another is single precision.
    share = (counts.to(like.dtype) / lengths[..., None]).to(like.device)
    return Segment(index.to(like.device), share, lengths.tolist())
