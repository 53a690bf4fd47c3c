"""What rows without outcomes are worth: made-up ones, and unlabelled ones."""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from _harness import (
    FloatArray,
    Row,
    available,
    environment,
    parse,
    report,
    scores,
    split,
    start,
    table,
)

METHODS, SOURCES, RATIOS = (
    ("neighbours", "columns", "bootstrap"),
    ("folds", "all"),
    (1, 4),
)
TEACHERS = ("boosting", "forest")
METRICS = ("AUC", "log-loss")
LABELLED = 0.2


@dataclass(frozen=True)
class Part:
    """One split of a data set, with the teacher that labels it."""

    name: str
    X: FloatArray
    y: Any
    train: Any
    test: Any
    teacher: str
    seed: int
    small: bool


def make_teacher(part: Part) -> Any:
    """Return an unfitted teacher with a fixed seed."""
    if part.teacher == "forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(20 if part.small else 100, random_state=part.seed)
    from semikd import BoostingTeacher

    return BoostingTeacher(max_iter=30 if part.small else 1000, random_state=part.seed)


def make_students(part: Part) -> dict[str, Any]:
    """Return the default student, and a tree that nothing bounds but its leaves."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd.students import new_student

    n = len(part.train)
    grown = DecisionTreeRegressor(min_samples_leaf=5)
    return {
        "128 leaves": new_student(None, n, None, part.seed),
        "fully grown": new_student(grown, n, None, part.seed),
    }


def categorical(name: str) -> list[int]:
    """Return the positions of the columns that hold codes of categories."""
    from semikd.datasets import load_dataset

    frame = load_dataset(name).X
    if not hasattr(frame, "dtypes"):
        return []
    numeric = [kind.kind in "biuf" for kind in map(np.dtype, _plain(frame))]
    return [place for place, is_number in enumerate(numeric) if not is_number]


def _plain(frame: Any) -> list[Any]:
    """Return types that numpy knows; anything else is an object."""
    kinds = (getattr(kind, "numpy_dtype", kind) for kind in frame.dtypes)
    return [kind if isinstance(kind, np.dtype) else np.dtype(object) for kind in kinds]


def taught(
    part: Part,
    record: Any,
    X: FloatArray,
    y: Any,
    added: Sequence[Any],
    students: dict[str, Any] | None = None,
) -> dict[str, dict[str, float]]:
    """Return the scores of students that learned from these rows."""
    from semikd.corrections import NoCorrection
    from semikd.distillation.lessons import make_lesson
    from semikd.losses import ProbabilityLoss
    from semikd.simplex import one_hot

    found = {}
    for name, student in (students or make_students(part)).items():
        lesson = make_lesson(
            record,
            record.prediction,
            one_hot(y, 2),
            X,
            student=student,
            loss=ProbabilityLoss(),
            correction=NoCorrection(),
            added=added,
        )
        f = lesson.teach(student).scores(part.X[part.test])
        p = lesson.loss.probabilities(f)[:, 1]
        found[name] = scores(part.y[part.test], p) | {"leaves": student.size().leaves}
    return found


def arms(part: Part) -> list[Row]:
    """Return every arm of the plan on one split."""
    from semikd import SyntheticRows, cross_fit
    from semikd.distillation.more_rows import MoreRows

    X, y, seed = part.X[part.train], part.y[part.train], part.seed
    teacher, codes, rows = make_teacher(part), categorical(part.name), []

    def note(arm: str, record: Any, added: Sequence[Any], began: float) -> None:
        spent = time.perf_counter() - began
        for student, found in taught(part, record, X, y, added).items():
            key = {"data": part.name, "teacher": part.teacher, "student": student}
            rows.append({**key, "arm": arm, "seed": seed, "seconds": spent, **found})

    began = time.perf_counter()
    record = cross_fit(teacher, X, y, random_state=seed)
    note("no more rows", record, (), began)
    began = time.perf_counter()
    note("other folds", cross_fit(teacher, X, y, random_state=seed + 100), (), began)
    for method in METHODS:
        for source in SOURCES:
            for ratio in RATIOS:
                setting = SyntheticRows(
                    method,
                    ratio=ratio,
                    labelled_by=source,
                    categorical_features=codes,
                )
                began = time.perf_counter()
                added = MoreRows.of(setting).label(record, X, random_state=seed)
                note(f"{method}, {source}, {ratio}", record, added, began)
    return rows


def capped(part: Part) -> list[Row]:
    """Return arms of a tree with no more leaves than one without more rows grows."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd import SyntheticRows, cross_fit
    from semikd.distillation.more_rows import MoreRows
    from semikd.students import as_student

    X, y, seed = part.X[part.train], part.y[part.train], part.seed
    record = cross_fit(make_teacher(part), X, y, random_state=seed)
    most = int(taught(part, record, X, y, ())["fully grown"]["leaves"])
    tree = DecisionTreeRegressor(
        max_leaf_nodes=most, min_samples_leaf=5, random_state=seed
    )
    key = {"data": part.name, "teacher": part.teacher, "student": "capped"}
    settings = {"no more rows": None} | {
        f"{method}, all, {max(RATIOS)}": SyntheticRows(
            method,
            ratio=max(RATIOS),
            labelled_by="all",
            categorical_features=categorical(part.name),
        )
        for method in METHODS
    }
    rows = []
    for arm, setting in settings.items():
        began = time.perf_counter()
        added = MoreRows.of(setting).label(record, X, random_state=seed)
        spent = time.perf_counter() - began
        students = {"capped": as_student(tree)}
        found = taught(part, record, X, y, added, students)["capped"]
        rows.append({**key, "arm": arm, "seed": seed, "seconds": spent, **found})
    return rows


def unlabelled(part: Part) -> list[Row]:
    """Return arms in which a fifth of the training rows have outcomes."""
    from semikd import cross_fit
    from semikd.distillation.more_rows import MoreRows

    n = round(LABELLED * len(part.train))
    few, others = part.train[:n], part.train[n:]
    X, y, rows = part.X[few], part.y[few], []
    record = cross_fit(make_teacher(part), X, y, random_state=part.seed)
    for arm, more in (("no more rows", None), ("unlabelled rows", part.X[others])):
        began = time.perf_counter()
        added = MoreRows.of(None, more).label(record, X)
        spent = time.perf_counter() - began
        for student, found in taught(part, record, X, y, added).items():
            key = {"data": part.name, "teacher": part.teacher, "student": student}
            rows.append(
                {**key, "arm": arm, "seed": part.seed, "seconds": spent, **found}
            )
    return rows


def summary(measured: Sequence[Row]) -> list[Row]:
    """Return means over splits, and differences from the arm without more rows."""
    keys = [(r["data"], r["teacher"], r["student"], r["arm"]) for r in measured]
    found = []
    for data, teacher, student, arm in dict.fromkeys(keys):
        own, plain = (
            [
                r
                for r in measured
                if (r["data"], r["teacher"], r["student"], r["arm"])
                == (data, teacher, student, which)
            ]
            for which in (arm, "no more rows")
        )
        row: Row = {"data": data, "teacher": teacher, "student": student, "arm": arm}
        for metric in METRICS:
            values = [r[metric] for r in own]
            gaps = [a[metric] - b[metric] for a, b in zip(own, plain, strict=True)]
            row[metric] = f"{statistics.mean(values):.4f}"
            spread = f" ± {statistics.stdev(gaps):.4f}" if len(gaps) > 1 else ""
            row[f"{metric}, difference"] = f"{statistics.mean(gaps):+.4f}{spread}"
        row["leaves"] = round(statistics.mean(r["leaves"] for r in own))
        row["seconds"] = round(statistics.mean(r["seconds"] for r in own), 1)
        found.append(row)
    return found


PARTS = {"synthetic": arms, "unlabelled": unlabelled, "capped": capped}


def main(options: argparse.Namespace) -> None:
    """Measure every arm on every split, and report each part."""
    names = ["fair"] if options.small else available(["adult", "magic"])
    for which in [options.part] if options.part else PARTS:
        measured = []
        for name in names:
            X, y = table(name, 1500 if options.small else None)
            for seed in range(1 if options.small else 3):
                train, test = split(y, seed)
                for teacher in TEACHERS[:1] if which == "capped" else TEACHERS:
                    part = Part(name, X, y, train, test, teacher, seed, options.small)
                    measured += PARTS[which](part)
                    print(f"{which}, {name}, split {seed}, {teacher}", flush=True)
        record = {"environment": environment(), "measured": measured}
        report(f"more_rows-{which}", options, record, {which: summary(measured)})


if __name__ == "__main__":
    parser = parse(__doc__ or "")
    parser.add_argument("--part", choices=PARTS, help="one part alone")
    main(start(parser))
