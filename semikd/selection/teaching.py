"""Lessons of many students, taught as one batch where the engine can."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, row_hashes
from semikd.distillation.added import AddedRows
from semikd.distillation.lessons import Lesson, make_lesson
from semikd.evaluation import Table
from semikd.evaluation.tasks import Task
from semikd.label_aware import named_correction
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students import Student

__all__ = ["predicted", "table_lesson", "taught"]

Pair = tuple[Student, Lesson]


def table_lesson(
    table: Table,
    task: Task,
    student: Student,
    record: OutOfFold,
    *,
    loss: DistillationLoss,
    correction: str | float | Correction,
    added: Sequence[AddedRows] = (),
    rules: Sequence[Correction] = (),
) -> Lesson:
    """Return what a student learns of the rows of a table from labels of them."""
    return make_lesson(
        record,
        record.prediction,
        task.outcome(table),
        table.features,
        student=student,
        loss=loss,
        correction=named_correction(correction),
        weights=table.weights,
        groups=table.groups,
        added=added,
        rules=rules,
    )


def predicted(pair: Pair, rows: Table) -> FloatArray:
    """Return what a student that was taught says of rows, shape (n, m)."""
    student, lesson = pair
    return np.asarray(lesson.loss.probabilities(student.scores(rows.features)))


def taught(pairs: Sequence[Pair]) -> list[Pair]:
    """Teach students of one kind their lessons; those on the same rows at once.

    Parameters
    ----------
    pairs : sequence of (Student, Lesson)
        Unfitted students, each with what it learns.

    Returns
    -------
    list of (Student, Lesson)
        Fitted students, in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.distillation.lessons import Lesson
    >>> from semikd.losses import ProbabilityLoss
    >>> from semikd.selection.teaching import taught
    >>> from semikd.students import as_student
    >>> X, target = np.array([[0.0], [1.0]]), np.array([[0.2], [0.9]])
    >>> lesson = Lesson(X, target, ProbabilityLoss(), None, 0.0, {})
    >>> pairs = [(as_student(DecisionTreeRegressor()), lesson) for _ in range(2)]
    >>> len(taught(pairs))
    2
    """
    batches: dict[Any, list[int]] = {}
    for at, (student, lesson) in enumerate(pairs):
        alone = lesson.options or not student.trains_in_batches or len(pairs) == 1
        key = at if alone else (lesson.loss, row_hashes(lesson.X).tobytes())
        batches.setdefault(key, []).append(at)
    fitted: dict[int, Student] = {}
    for places in batches.values():
        some = [pairs[at] for at in places]
        fitted |= dict(zip(places, _at_once(some), strict=True))
    return [(fitted[at], lesson) for at, (_, lesson) in enumerate(pairs)]


def _at_once(pairs: Sequence[Pair]) -> list[Student]:
    """Return fitted students of the same rows and scale."""
    first, shared = pairs[0]
    if len(pairs) == 1:
        return [shared.teach(first)]
    return list(
        first.fit_many(
            shared.X,
            [lesson.target for _, lesson in pairs],
            loss=shared.loss,
            sample_weight=shared.weights,
            settings=[student.learner.get_params(deep=False) for student, _ in pairs],
        )
    )
