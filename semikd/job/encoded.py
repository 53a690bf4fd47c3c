"""Both sides of a job as teacher and student read them.

What turns columns into numbers is fitted to the training rows alone, and never sees the
target.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from semikd._random import spawn_seeds
from semikd.encoding import CategoryColumn, Encoder, TablePlan, fit_plan
from semikd.evaluation import Table
from semikd.job.settings import Settings
from semikd.job.sides import RawSides

__all__ = ["ReadSides", "read_sides"]


@dataclass(frozen=True)
class ReadSides:
    """The same rows as teacher and student read them.

    Parameters
    ----------
    train, test : Table
        Rows with what the teacher reads, and what the student reads of them.
    plan : TablePlan
        The encoder of the student, and what it leaves out.
    teacher_reads : callable
        From a raw frame to what the teacher reads.
    """

    train: Table
    test: Table
    plan: TablePlan
    teacher_reads: Callable[[Any], Any]


def read_sides(
    sides: RawSides, settings: Settings, *, teacher_reads_table: bool
) -> ReadSides:
    """Return both sides as numbers, with an encoder fitted to the training rows.

    Parameters
    ----------
    sides : RawSides
        The rows as they came.
    settings : Settings
        Which student will read them.
    teacher_reads_table : bool
        Whether the teacher reads the raw table.

    Returns
    -------
    ReadSides
    """
    kind = "linear" if settings.student in {"linear", "network"} else "tree"
    seed = spawn_seeds(settings.seed, 1)[0]
    raw = sides.train.X
    is_read = not teacher_reads_table and sides.labels is None
    plan = fit_plan(
        raw, student=kind, components=is_read and kind == "tree", random_state=seed
    )
    if teacher_reads_table:
        return _read(sides, plan, lambda frame: frame)
    own = plan
    if is_read and kind == "linear" and not settings.layers:
        # Codes and gaps are what trees read best: a linear student's columns are not.
        own = fit_plan(raw, student="tree", random_state=seed)
    return _read(sides, plan, own.teacher_features)


def _read(sides: RawSides, plan: TablePlan, teacher: Callable[[Any], Any]) -> ReadSides:
    """Return both sides through the readers of teacher and student."""
    width, codes = len(plan.encoder.feature_names), _codes(plan.encoder)

    def read(side: Table) -> Table:
        features = teacher(side.X)
        if teacher == plan.teacher_features:
            own = features[:, :width] if features.shape[1] > width else None
        else:
            own, _ = plan.encoder.encode(side.X)
        return replace(side, X=features, student_view=own, categorical=codes)

    return ReadSides(read(sides.train), read(sides.test), plan, teacher)


def _codes(encoder: Encoder) -> list[int]:
    """Return the positions of the features that are codes of categories."""
    found, at = [], 0
    for column in encoder.columns:
        if isinstance(column, CategoryColumn) and not column.one_hot:
            found.append(at)
        at += len(column.feature_names)
    return found
