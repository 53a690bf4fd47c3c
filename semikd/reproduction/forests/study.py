"""What the two experiments of the paper with forests consist of.

A: one strong teacher, students of 1 to 40 trees. B: teachers of depth 1 to 20, a
student of ten trees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["DEPTH", "FOREST_STUDIES", "TREES", "Curve", "ForestStudy"]


@dataclass(frozen=True)
class Curve:
    """A line of a published figure.

    Parameters
    ----------
    label : str
        What the figure calls it.
    method : str
        What the released results call it.
    scale : {'p', 'logp'}
        The scale of the target.
    labels : {'none', 'crossfit'}
        Whether one teacher saw all rows, or each row has a teacher that did not see it.
    arm : str
        Its nearest arm of the honest protocol.

    Examples
    --------
    >>> from semikd.reproduction.forests.study import TREES
    >>> TREES.curves[-1].label
    'Enhanced KD'
    """

    label: str
    method: str
    scale: str
    labels: str
    arm: str


@dataclass(frozen=True)
class ForestStudy:
    """An experiment in which forests teach forests.

    Parameters
    ----------
    name : {'trees', 'depth'}
        Its name on the command line.
    title : str
        The same in words.
    axis : str
        What the horizontal axis of its figure counts.
    teachers : mapping of str to dict
        Parameters of the teacher forests; their names are the places on the axis where
        the teacher varies.
    sizes : tuple of int
        Trees of the students.
    settings : tuple of (scale, labels)
        Combinations in the released results.
    curves : tuple of Curve
        The lines of the figure.
    n_folds : int, default=10
        Folds of the cross-fitted teachers.
    n_refits : int, default=5
        Times that each student is fitted.
    n_tuning_folds : int, default=5
        Folds by which settings are tuned.
    """

    name: str
    title: str
    axis: str
    teachers: Mapping[str, dict[str, Any]]
    sizes: tuple[int, ...]
    settings: tuple[tuple[str, str], ...]
    curves: tuple[Curve, ...]
    n_folds: int = 10
    n_refits: int = 5
    n_tuning_folds: int = 5

    @property
    def varies_teacher(self) -> bool:
        """Whether the axis is that of the teacher."""
        return len(self.teachers) > 1

    def places(self) -> list[int]:
        """Return the places on the axis."""
        return (
            [int(name) for name in self.teachers]
            if self.varies_teacher
            else list(self.sizes)
        )

    def shortened(self) -> "ForestStudy":
        """Return a trial of the same code, in seconds."""
        few = dict(list(self.teachers.items())[:2])
        teachers = {name: {**own, "n_estimators": 20} for name, own in few.items()}
        return replace(
            self,
            title=f"a trial of: {self.title}",
            teachers=teachers,
            sizes=self.sizes[:2] if not self.varies_teacher else (3,),
            n_folds=3,
            n_refits=2,
            n_tuning_folds=2,
        )


def _curves(seen: str, unseen: str) -> tuple[Curve, ...]:
    """Return the lines of a figure: the first two on one scale, the others on one."""
    return (
        Curve("Student without KD", "scratch_regressor", seen, "none", "scratch"),
        Curve("KD", "kd_mse", seen, "none", "in-sample"),
        Curve("Cross-fit KD", "kd_mse", unseen, "crossfit", "cross-fitted"),
        Curve("Enhanced KD", "kd_boundfast", unseen, "crossfit", "corrected"),
    )


TREES = ForestStudy(
    name="trees",
    title="A teacher of 500 trees, students of 1 to 40 trees",
    axis="trees of the student",
    teachers={"500 trees": {"n_estimators": 500}},
    sizes=(1, 2, 3, 5, 10, 15, 20, 30, 40),
    settings=(("logp", "none"), ("p", "crossfit")),
    curves=_curves(seen="logp", unseen="p"),
)
_DEPTHS = (1, 2, 3, 5, 10, 15, 20)
DEPTH = ForestStudy(
    name="depth",
    title="Teachers of 100 trees and depth 1 to 20, students of 10 trees",
    axis="largest depth of the teacher's trees",
    teachers={str(d): {"n_estimators": 100, "max_depth": d} for d in _DEPTHS},
    sizes=(10,),
    settings=(
        ("logp", "none"),
        ("logp", "crossfit"),
        ("p", "none"),
        ("p", "crossfit"),
    ),
    curves=_curves(seen="logp", unseen="logp"),
)
FOREST_STUDIES = {study.name: study for study in (TREES, DEPTH)}
