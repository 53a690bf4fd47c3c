"""Which epoch of a member is its best, by rows that it does not train on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from semikd.nets.training import Batch, Epoch, Member

if TYPE_CHECKING:
    from semikd.nets.loop import Loop

# Scores of so many rows, over all members, are computed at a time.
_CHUNK = 131_072


class Watch:
    """The validation rows of all members, and the best loss of each so far.

    Parameters
    ----------
    members : sequence of Member
        All members of a loop.
    patience : int
        Epochs without improvement after which a member is through.
    device : torch.device
        Where the rows are.
    """

    def __init__(
        self, members: Sequence[Member], patience: int, device: torch.device
    ) -> None:
        self.patience = patience
        self.rows = [
            None if m.validation is None else m.validation.to(device) for m in members
        ]
        self.best = [float("inf")] * len(members)
        self.epoch = [0] * len(members)
        self.improved = [False] * len(members)

    def note(self, m: int, epoch: Epoch) -> bool:
        """Note an epoch; return whether the last improvement is too long ago."""
        loss = epoch.validation_loss
        if loss is None:
            return False
        self.improved[m] = loss < self.best[m]
        if self.improved[m]:
            self.best[m], self.epoch[m] = loss, epoch.epoch
        return epoch.epoch - self.epoch[m] >= self.patience

    def is_best(self, m: int, finished: bool) -> bool:
        """Return whether a member is to be kept as it is now."""
        return finished if self.rows[m] is None else self.improved[m]

    def losses(self, loop: "Loop", places: list[int]) -> list[float | None]:
        """Return the mean loss on the validation rows of members, None without any."""
        found: list[float | None] = [None] * len(places)
        watched = [i for i, p in enumerate(places) if self._rows_of(loop, p).numel()]
        if watched:
            due = [places[i] for i in watched]
            means = self._means(loop, due).tolist()
            for i, mean in zip(watched, means, strict=True):
                found[i] = mean
        return found

    def _rows_of(self, loop: "Loop", place: int) -> Tensor:
        """Return the validation rows of the member at a place, none if it has none."""
        rows = self.rows[loop.alive[place]]
        return torch.empty(0) if rows is None else rows

    def _means(self, loop: "Loop", places: list[int]) -> Tensor:
        """Return the mean losses of these members, without dropout."""
        own = [self._rows_of(loop, place) for place in places]
        at = torch.tensor(places, device=own[0].device)
        stack = loop.stack if len(places) == len(loop.alive) else loop.stack.select(at)
        lengths = torch.tensor([len(rows) for rows in own], device=own[0].device)
        # Members that watch the same rows read them once.
        common = all(rows is own[0] or torch.equal(rows, own[0]) for rows in own)
        rows = _side_by_side(own[:1] if common else own)
        ids = torch.tensor(
            [loop.names[loop.alive[p]] for p in places], device=own[0].device
        )
        total = torch.zeros(len(places), dtype=torch.float64, device=own[0].device)
        stack.train(False)
        width = max(1, _CHUNK // len(places))
        with torch.no_grad():
            for start in range(0, rows.shape[1], width):
                index = rows[:, start : start + width]
                place = torch.arange(start, start + index.shape[1], device=rows.device)
                inputs = loop.rows.take(index)
                batch = Batch(index, ids, inputs, watching=True)
                losses = loop.objective(stack(inputs), batch)
                total += (losses * (place < lengths[:, None])).double().sum(dim=1)
        return total / lengths


def _side_by_side(own: list[Tensor]) -> Tensor:
    """Return rows (M, v), padded by rows of the member: others' may have no target."""
    most = torch.arange(max(map(len, own)), device=own[0].device)
    return torch.stack([rows[most.clamp(max=len(rows) - 1)] for rows in own])
