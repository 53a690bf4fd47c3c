"""The smallest student that is as good as the teacher, but for a margin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semikd._progress import Reporter, Step
from semikd.evaluation import Classification, FittedArm, Regression, Table
from semikd.evaluation.arms import TEACHER, resized_arm
from semikd.inference import FixedSequence
from semikd.selection import SizeCurve
from semikd.selection.sizes import different_sizes, sizes_to_try
from semikd.students import as_student

__all__ = ["SMALLEST", "SizeSearch", "Sizes"]

SMALLEST = "smallest"
_LEVEL = 0.95
Arms = Mapping[str, FittedArm]


@dataclass(frozen=True, eq=False)
class Sizes:
    """Students of all sizes beside the teacher, and which of them are good enough.

    Parameters
    ----------
    margin : float
        How much worse than the teacher is still good enough, in units of the loss.
    curve : SizeCurve
        The students of the first refit, smallest first.
    tested : FixedSequence
        Which are good enough, tested from the largest to the smallest.
    """

    margin: float
    curve: SizeCurve
    tested: FixedSequence

    @property
    def passed(self) -> str | None:
        """Size of the smallest student that is good enough; None without any."""
        return self.tested.last


class SizeSearch:
    """Fits students of all sizes to the labels of the arm that would ship.

    Parameters
    ----------
    margin : float
        How much worse than the teacher is still good enough.
    arm : str
        The arm whose recipe they share; its own student is the largest.
    train, test : Table
        Rows to learn from, and rows that judge.
    report : callable
        Called with a step as each student starts.

    Attributes
    ----------
    found : Sizes or None
        What was found, once arms were added.
    """

    def __init__(
        self, margin: float, arm: str, train: Table, test: Table, report: Reporter
    ) -> None:
        self.margin, self.arm = margin, arm
        self.train, self.test, self.report = train, test, report
        self.found: Sizes | None = None

    def add(self, fits: Sequence[Arms]) -> Sequence[Arms]:
        """Return the arms of each refit with the smallest student that is enough.

        It is left out where the arm itself is that student, or no size is enough.
        """
        first = fits[0]
        *smaller, _ = sizes_to_try(as_student(first[self.arm].model.student))
        students = []
        for at, setting in enumerate(smaller):
            self.report(Step("size", f"student {at + 1} by size", at, len(smaller)))
            students.append(resized_arm(first[self.arm], self.train, setting))
        students.append(first[self.arm])
        kept = different_sizes([each.size for each in students])
        curve = self._curve([students[at] for at in kept], first[TEACHER])
        self.found = Sizes(self.margin, curve, curve.within(self.margin, _LEVEL))
        if self.found.passed in (None, curve.names[-1]):
            return fits
        at = kept[curve.names.index(str(self.found.passed))]
        others = [
            resized_arm(fit[self.arm], self.train, smaller[at]) for fit in fits[1:]
        ]
        return [
            {**fit, SMALLEST: own}
            for fit, own in zip(fits, [students[at], *others], strict=True)
        ]

    def _curve(self, students: Sequence[FittedArm], teacher: FittedArm) -> SizeCurve:
        """Return what the held-out rows say of students and teacher."""
        task = Classification() if self.test.classification else Regression()
        loss = task.loss(None)
        losses = [loss(each.predict(self.test), self.test) for each in students]
        return SizeCurve(
            sizes=tuple(each.size for each in students),
            losses=np.column_stack(losses),
            teacher_losses=loss(teacher.predict(self.test), self.test),
            test=self.test,
            task=task,
        )
