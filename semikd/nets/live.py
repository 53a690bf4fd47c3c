"""Members in the middle of a step, for objectives that ask them more than their scores.

An objective that depends on what a network makes of other inputs than those of its
batch has to run it again, with the same dropout, in the same precision, and with
randomness that is the member's own.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from semikd.nets.loop import Loop

__all__ = ["Live"]


class Live:
    """What the members of a batch still answer, while they are trained on it.

    Parameters
    ----------
    loop : Loop
        The training under way.
    generators : sequence of torch.Generator
        One of each member.
    lengths : sequence of int
        Rows of each member's batch that count.
    """

    def __init__(
        self,
        loop: "Loop",
        generators: Sequence[torch.Generator],
        lengths: Sequence[int],
    ) -> None:
        self._loop, self._generators, self._lengths = loop, generators, lengths

    @property
    def epochs(self) -> list[int]:
        """Epochs that each member has behind it."""
        return [len(self._loop.history[m]) for m in self._loop.alive]

    def scores(self, inputs: Tensor) -> Tensor:
        """Return the scores of inputs (M, b, ...), with the dropout of this batch."""
        with self._loop.precision():
            scores = self._loop.stack(inputs)
        return scores.to(inputs.dtype)

    def settled_scores(self, inputs: Tensor) -> Tensor:
        """Return the scores as when nobody trains: no dropout, no statistics moved."""
        self._loop.stack.train(False)
        try:
            return self.scores(inputs)
        finally:
            self._loop.stack.train()

    def uniform(self, like: Tensor) -> Tensor:
        """Return numbers in [-1, 1] for the rows that count, each member's its own."""
        drawn = torch.zeros_like(like)
        for rows, generator, length in zip(
            drawn, self._generators, self._lengths, strict=True
        ):
            rows[:length].uniform_(-1.0, 1.0, generator=generator)
        return drawn
