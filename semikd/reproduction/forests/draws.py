"""Draws of splits and teachers, and the cells that belong to each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

from semikd.reproduction.asked import seeds_in_order
from semikd.reproduction.cells import Run
from semikd.reproduction.forests.rules import ENHANCED, PLAIN, RULES
from semikd.reproduction.forests.study import ForestStudy

__all__ = ["Arm", "Draw", "arms_of", "contrasted_arms", "finished_draws", "kinds_of"]

# Scale of the targets, kind of labels and rule.
Arm = tuple[str, str, str]


@dataclass(frozen=True)
class Draw:
    """One split and one draw of teachers.

    Parameters
    ----------
    split : int
        Seed of the split.
    teachers : int
        Number of the draw of teachers, from 0.

    Examples
    --------
    >>> from semikd.reproduction.forests.draws import Draw
    >>> Draw(2357, 0).teacher_cell("500 trees", "none")
    'split-2357-draw-0-teacher-500-trees-none'
    """

    split: int
    teachers: int

    def scratch_cell(self) -> str:
        """Return the name of the cell of students without a teacher."""
        return f"split-{self.split}-draw-{self.teachers}-scratch"

    def teacher_cell(self, teacher: str, labels: str) -> str:
        """Return the name of the cell of a teacher and its labels."""
        return self._named("teacher", teacher, labels)

    def arm_cell(self, teacher: str, labels: str, scale: str, rule: str) -> str:
        """Return the name of the cell of students taught by a rule."""
        return self._named(rule, teacher, labels, scale)

    def _named(self, *parts: str) -> str:
        """Return a name of a file."""
        words = "-".join(parts).replace(" ", "-")
        return f"split-{self.split}-draw-{self.teachers}-{words}"


def finished_draws(study: ForestStudy, run: Run) -> list[Draw]:
    """Return the draws of which every contrast can be taken.

    Splits in their order, up to the first without any, and of each the draws up to the
    first that is not finished.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    run : Run
        The run as far as it is.

    Returns
    -------
    list of Draw
    """

    def is_finished(draw: Draw) -> bool:
        return all(run.has(name) for name in _names(study, draw))

    def of_split(split: int) -> list[Draw]:
        return list(takewhile(is_finished, (Draw(split, number) for number in count())))

    splits = takewhile(bool, map(of_split, seeds_in_order()))
    return [draw for draws in splits for draw in draws]


def _names(study: ForestStudy, draw: Draw) -> Iterator[str]:
    """Yield the names of the cells that contrasts need of a draw."""
    yield draw.scratch_cell()
    for teacher in study.teachers:
        for labels in kinds_of(study):
            yield draw.teacher_cell(teacher, labels)
        for scale, labels, rule in contrasted_arms(study):
            yield draw.arm_cell(teacher, labels, scale, rule)


def kinds_of(study: ForestStudy) -> list[str]:
    """Return the kinds of labels of an experiment."""
    return list(dict.fromkeys(labels for _, labels in study.settings))


def arms_of(study: ForestStudy, rules: Sequence[str]) -> list[Arm]:
    """Return every arm that a teacher teaches by some of the rules."""
    return [
        (scale, labels, rule)
        for scale, labels in study.settings
        for rule in rules
        if scale in RULES[rule].scales
    ]


def contrasted_arms(study: ForestStudy) -> list[Arm]:
    """Return the arms of the figure and of every contrast.

    Without the enhanced rule for labels of a teacher that saw the rows, which is in
    neither and takes as long as all the others.
    """
    return [
        (scale, labels, rule)
        for scale, labels, rule in arms_of(study, (PLAIN, ENHANCED))
        if rule == PLAIN or labels == "crossfit"
    ]
