"""Hidden layers of a student beside those of its teachers, while it is trained.

Each row is set beside the teacher of its own fold. What a teacher makes of a row is
computed once, unless rows are shown otherwise each time or there are too many numbers
to keep.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from semikd import nets
from semikd.features import FeatureLoss
from semikd.nets.observed import found_layer, run_and_see
from semikd.networks.recoding import recoder

if TYPE_CHECKING:
    from semikd.networks.fitting import Task
    from semikd.networks.hidden import FeatureTerm

# Numbers of all layers of all rows that are kept: a quarter of a gigabyte.
_MOST_KEPT = 2**26
# Rows whose layers are computed at a time to be kept.
_PART = 4_096


@dataclass(frozen=True)
class Pair:
    """A loss, and its two layers by place among those that are shown."""

    name: str
    loss: FeatureLoss
    student: int
    teacher: int


@dataclass(frozen=True)
class Layers:
    """The layers that all losses read, each once, and how the losses read them."""

    pairs: list[Pair]
    student: dict[str, torch.Size]
    teacher: dict[str, torch.Size]


def paired(
    losses: tuple[FeatureLoss, ...],
    student: nn.Module,
    teacher: nn.Module,
    x: Tensor,
    seen: Tensor,
) -> Layers:
    """Return the layers that losses read, refused where they do not suit.

    Parameters
    ----------
    losses : tuple of FeatureLoss
        What is compared.
    student, teacher : torch.nn.Module
        The networks.
    x, seen : Tensor of shape (b, ...)
        A few rows, as student and teacher read them.
    """
    layers = Layers([], {}, {})
    for number, loss in enumerate(losses):
        kind = {"maps": loss.reads_maps}
        own, s = found_layer(
            student, loss.student_layer, x, what="student_layer", **kind
        )
        other, t = found_layer(
            teacher, loss.teacher_layer, seen, what="teacher_layer", **kind
        )
        loss.check(tuple(s), tuple(t))
        layers.student.setdefault(own, s)
        layers.teacher.setdefault(other, t)
        places = list(layers.student).index(own), list(layers.teacher).index(other)
        layers.pairs.append(Pair(f"features_{number}", loss, *places))
    return layers


class Compared:
    """A student that shows its hidden layers, and the losses of what it shows.

    Parameters
    ----------
    network : torch.nn.Module
        The student's network as it starts, on its device.
    term : FeatureTerm
        Losses and teachers.
    task : Task
        What is fitted, for its rows and options.
    rows : Rows
        Inputs of all rows.
    seed : int
        Seed of the first connectors.
    """

    def __init__(
        self,
        network: nn.Module,
        term: "FeatureTerm",
        task: "Task",
        rows: nets.Rows,
        seed: int,
    ) -> None:
        like = next(network.parameters())
        self._used = torch.from_numpy(task.rows).to(like.device)
        example = rows.take(self._used[None, :2])[0]
        encoding = task.encoding
        self._teachers = [
            [_Reader(each, encoding, like.device) for each in repeat]
            for repeat in term.shown.teachers
        ]
        first = self._teachers[0][0]
        self._layers = paired(
            term.losses, network, first.module, example, first.encoded(example)
        )
        with torch.no_grad():
            self.n_scores = copy.deepcopy(network).eval()(example).shape[1]
        # Of each loss the names of what is trained for each teacher.
        self._trained: dict[str, list[str]] = {}
        connectors = nets.seeded(self._connectors, seed)
        self.module = nets.Observed(network, list(self._layers.student), connectors)
        self.module.to(like.device, like.dtype)
        self._fold = torch.from_numpy(term.shown.fold).to(like.device)
        # A repeat that left a row out has no say of it.
        self._times = (self._fold >= 0).sum(dim=0).clamp(min=1)
        self._kept: list[list[Tensor]] | None = None
        n_numbers = sum(shape.numel() for shape in self._layers.teacher.values())
        fits = self._fold.numel() * n_numbers <= _MOST_KEPT
        if task.options.training.augment is None and fits:
            self._kept = [self._all_taught(r, rows) for r in range(len(self._teachers))]

    def scores(self, answers: Tensor) -> Tensor:
        """Return the scores in answers, (..., m + q) to (..., m)."""
        return answers[..., : self.n_scores]

    def losses(self, answers: Tensor, batch: nets.Batch, weights: Tensor) -> Tensor:
        """Return what the hidden layers cost of each row of a batch, shape (1, b).

        Parameters
        ----------
        answers : Tensor of shape (1, b, m + q)
            Scores and hidden layers.
        batch : Batch
            The rows, and the connectors among its tensors.
        weights : Tensor of shape (1, b)
            Weights of the rows.
        """
        hidden = self._parted(answers[0, :, self.n_scores :])
        rows, inputs = batch.rows[0], batch.inputs[0]
        total = torch.zeros_like(weights[0])
        # Rows and what they cost, put together once: each sum costs a pass over all.
        places, costs = [rows[:0]], [total[:0]]
        for r in range(len(self._teachers)):
            fold = self._fold[r, rows]
            if batch.counts is not None:
                fold = torch.where(batch.counts[0], fold, -1)
            taught = self._taught(r, fold, rows, inputs)
            for pair in self._layers.pairs:
                own, other = hidden[pair.student], taught[pair.teacher]
                for at, connectors in self._parts(pair, r, fold, batch):
                    each = pair.loss.value(
                        own[at], other[at], weights[0, at], connectors
                    )
                    places.append(at)
                    costs.append(pair.loss.weight * each)
        total = total.index_add(0, torch.cat(places), torch.cat(costs))
        return total[None] / self._times[rows]

    def _connectors(self) -> dict[str, Tensor]:
        """Return the first connectors of each loss for each teacher, by name."""
        student = list(self._layers.student.values())
        teacher = list(self._layers.teacher.values())
        found: dict[str, Tensor] = {}
        for pair in self._layers.pairs:
            shapes = student[pair.student], teacher[pair.teacher]
            for r, repeat in enumerate(self._teachers):
                for t in range(len(repeat)):
                    own = pair.loss.connectors(*shapes)
                    self._trained[pair.name] = list(own)
                    prefix = f"{pair.name}_{r}_{t}_"
                    found |= {f"{prefix}{name}": first for name, first in own.items()}
        return found

    def _parts(
        self, pair: Pair, r: int, fold: Tensor, batch: nets.Batch
    ) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """Yield rows that are compared with one another, and their connectors."""
        loss = pair.loss
        for t in range(len(self._teachers[r]) if loss.by_teacher else 1):
            chosen = (fold == t) if loss.by_teacher else (fold >= 0)
            connectors = {
                name: batch.tensors[f"{pair.name}_{r}_{t}_{name}"][0]
                for name in self._trained[pair.name]
            }
            for at in chosen.nonzero()[:, 0].split(loss.most_rows):
                if len(at) >= loss.fewest_rows:
                    yield at, connectors

    def _parted(self, hidden: Tensor) -> list[Tensor]:
        """Return the student's layers in their shapes, each (b, ...)."""
        shapes = list(self._layers.student.values())
        parts = hidden.split([shape.numel() for shape in shapes], dim=1)
        return [part.view(-1, *s) for part, s in zip(parts, shapes, strict=True)]

    def _taught(
        self, r: int, fold: Tensor, rows: Tensor, inputs: Tensor
    ) -> list[Tensor]:
        """Return the layers of each row's teacher, each (b, ...), kept or made anew."""
        if self._kept is not None:
            return [kept[rows] for kept in self._kept[r]]
        layers = self._layers.teacher
        found = [inputs.new_zeros((len(rows), *shape)) for shape in layers.values()]
        for t, teacher in enumerate(self._teachers[r]):
            own = (fold == t).nonzero()[:, 0]
            if len(own):
                for made, layer in zip(
                    teacher(inputs[own], list(layers)), found, strict=True
                ):
                    layer[own] = made.to(layer.dtype)
        return found

    def _all_taught(self, r: int, rows: nets.Rows) -> list[Tensor]:
        """Return the layers of the teachers of all rows, by their positions."""
        kept: list[Tensor] = []
        for at in self._used.split(_PART):
            made = self._taught(r, self._fold[r, at], at, rows.take(at[None])[0])
            if not kept:
                n = self._fold.shape[1]
                kept = [layer.new_zeros((n, *layer.shape[1:])) for layer in made]
            for all_rows, layer in zip(kept, made, strict=True):
                all_rows[at] = layer
        return kept


class _Reader:
    """A teacher's network, for rows that are encoded for a student."""

    def __init__(self, teacher: Any, encoding: Any, device: torch.device) -> None:
        self.module: nn.Module = copy.deepcopy(teacher.module_).to(device).eval()
        self._dtype = next(self.module.parameters()).dtype
        self._recoded = recoder(encoding, teacher.encoding_, device)

    def encoded(self, inputs: Tensor) -> Tensor:
        """Return rows as this teacher reads them."""
        return self._recoded(inputs).to(self._dtype)

    def __call__(self, inputs: Tensor, layers: list[str]) -> list[Tensor]:
        """Return what its layers make of rows."""
        with torch.no_grad():
            return run_and_see(self.module, layers, self.encoded(inputs))[1]
