"""Data, students, teachers and arms that the studies of the automatic choice share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from _cells import FloatArray, Row
from _splits import Part
from numpy.typing import NDArray

DATA = (
    "adult",
    "magic",
    "bank_marketing",
    "spambase",
    "electricity",
    "covertype_15k",
    "letter",
)
TRACKS = ("paper", "library")
CLIP = 1e-6
# Of tables with several classes: everything there takes as many times longer.
FEWER = {"covertype_15k": 2000, "letter": 2000}
MIXES = (0.2, 0.5)
SHRINKAGE = 0.01


@dataclass(frozen=True)
class Size:
    """How much of the plan is done."""

    rows: int
    splits: int
    seeds: int
    data: tuple[str, ...]
    preset: str
    small: bool

    def rows_of(self, name: str) -> int:
        """Return the rows of one data set."""
        return min(self.rows, FEWER.get(name, self.rows))

    def settings(self, name: str) -> Row:
        """Return what a cell depends on."""
        rows = self.rows_of(name)
        return {"rows": rows, "seeds": self.seeds, "preset": self.preset}


def size_of(*, small: bool) -> Size:
    """Return the full plan, or the trial run."""
    if small:
        return Size(500, 2, 1, ("fair",), "fast", small)
    return Size(4000, 5, 3, DATA, "balanced", small)


def students(*, small: bool) -> dict[str, Any]:
    """Return the unfitted students by name."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree import DecisionTreeRegressor

    from semikd import LinearStudent, TorchStudent

    sizes, forests = ((16,), (5,)) if small else ((16, 32, 128), (1, 5, 10, 40))
    found: dict[str, Any] = {
        f"tree, {n} leaves": DecisionTreeRegressor(max_leaf_nodes=n, min_samples_leaf=5)
        for n in sizes
    }
    found |= {f"forest of {n}": RandomForestRegressor(n) for n in forests}
    found["logistic"] = LinearStudent()
    if not small:
        found["network"] = TorchStudent((64,), batch_size=1024, learning_rate=4e-3)
    return found


def teachers(track: str, *, small: bool) -> dict[str, Any]:
    """Return the unfitted teachers of a track; arms with one teacher have the last."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import BoostingTeacher
    from semikd.selection.teachers import named_teachers

    if track == "paper":
        return {"forest": RandomForestClassifier(20 if small else 500)}
    if small:
        return {"boosting": BoostingTeacher(max_iter=20)}
    return named_teachers(None, "balanced")


def fixed_arms(student: str, teacher: str, *, one_fit: bool) -> dict[str, Any]:
    """Return the arms that have one teacher and no choice."""
    from semikd.corrections import ShrinkageCorrection
    from semikd.selection import Candidate

    def honest(correction: Any) -> Any:
        return Candidate(student, "cross-fitted", teacher, correction=correction)

    found = {
        "in-sample": Candidate(student, "in-sample", teacher),
        "cross-fitted": honest("none"),
    }
    if one_fit:
        found["out-of-bag"] = Candidate(student, "one fit", teacher)
    found |= {f"mix {weight}": honest(weight) for weight in MIXES}
    found["shrinkage"] = honest(ShrinkageCorrection(SHRINKAGE))
    return found | {"estimated": honest("estimated")}


def taught(judge: Any, candidate: Any, part: Part, record: Any = None) -> Row:
    """Return test scores and leaves of a candidate's student, fitted to all rows."""
    if record is None:
        record = judge.bank.outer(candidate.labels, candidate.teacher)
    rows = np.arange(len(part.train.y))
    student, lesson = judge.lesson(candidate, record, rows)
    lesson.teach(student)
    p = np.asarray(lesson.loss.probabilities(student.scores(part.test.X)))
    return {**part_scores(part, p), "leaves": student.size().leaves}


def part_scores(part: Part, p: FloatArray) -> Row:
    """Return AUC and log-loss of all test rows and of each half."""
    found = [scores(part.test.y, p)]
    found += [scores(part.test.y[half], p[half]) for half in part.halves]
    return {name: [each[name] for each in found] for name in ("AUC", "log-loss")}


def scores(y: NDArray[np.intp], p: FloatArray) -> dict[str, float]:
    """Return AUC (one against the rest, macro) and log-loss."""
    from sklearn.metrics import roc_auc_score

    clipped = np.clip(p, CLIP, 1.0 - CLIP)
    clipped /= clipped.sum(axis=1, keepdims=True)
    each = [roc_auc_score(y == c, p[:, c]) for c in range(p.shape[1])]
    loss = -np.log(clipped[np.arange(len(y)), y]).mean()
    return {"AUC": float(np.mean(each)), "log-loss": float(loss)}


def leaves_of(rows: Mapping[str, Row]) -> float | None:
    """Return the mean leaves of the students that have leaves."""
    known = [each["leaves"] for each in rows.values() if each["leaves"]]
    return float(np.mean(known)) if known else None
