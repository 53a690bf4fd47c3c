"""What distillation costs rare classes, and what the methods against that give back."""

import argparse
import warnings
from functools import partial
from typing import Any

import numpy as np
from _arms import (
    ADJUSTED,
    DID_NOT,
    FOLDS,
    MIX,
    SAW,
    SCRATCH,
    long_tail_rules,
    long_tail_scores,
    tuned_mix,
    tuned_scratch,
)
from _cells import (
    Row,
    all_here,
    available,
    cell,
    environment,
    options_of,
    report,
    state,
)
from _tails import Tail, drawn_tail

DATA = ("letter", "mnist", "cifar10")
# Judged against plain distillation; the first two by what is asked.
ADAPTIVE = ("AdaAlpha", "AdaMargin", "reliability, of x alone")
ASKED_RARE, ASKED_ALL = 0.03, -0.005
TEACHER, INTERPOLATES = "teacher", "interpolating"
METRICS = ("accuracy", "rarest three", "rarest third", "log-loss")
Cells = dict[int, Row | None]


def pair(name: str, kind: str, *, small: bool) -> tuple[Any, Any]:
    """Return the unfitted teacher and student of a data set."""
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    from semikd import TorchClassifier, TorchStudent
    from semikd.networks import ResNet, SmallCNN

    if name == "cifar10":
        return TorchClassifier(ResNet(20)), TorchStudent(SmallCNN())
    forest = ExtraTreesClassifier if kind == INTERPOLATES else RandomForestClassifier
    return forest(20 if small else 500), TorchStudent((16,) if small else (64,))


def one_seed(name: str, kind: str, seed: int, small: bool) -> Row:
    """Return the test scores of every arm."""
    from semikd.diagnostics import mean_labels
    from semikd.evaluation import Table
    from semikd.selection.sources import LabelBank

    tail = drawn_tail(name, seed)
    table = Table(tail.X, tail.y, None, None, classes=np.unique(tail.y_test))
    teacher, student = pair(name, kind, small=small)
    bank = LabelBank(table, {TEACHER: teacher}, cv=FOLDS, seed=seed)
    records = {kind: bank.outer(kind, TEACHER) for kind in (SAW, DID_NOT)}
    fit = partial(_student_scores, tail, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == INTERPOLATES:
            own = _interpolated(tail, records, student, seed)
            return {"arms": own, "overlap": tail.overlap}
        found = {"teacher": _teacher_scores(teacher, tail, seed)}
        tuned = tuned_scratch(student, table, seed)
        found |= _baselines(fit, records[DID_NOT], tuned)
        weight = tuned_mix(student, bank, TEACHER, table, seed)
        found[MIX] = fit(records[DID_NOT], student, correction=weight)
        for labels, record in records.items():
            rules = long_tail_rules(mean_labels(record, tail.y))
            for rule, options in rules.items():
                found[f"{rule}, {labels}"] = fit(record, student, **options)
    return {"arms": found, "weight": weight, "overlap": tail.overlap}


def _baselines(fit: Any, record: Any, tuned: Any) -> dict[str, Row]:
    """Return the students without a teacher: a full correction leaves labels alone."""
    from semikd.label_aware import LogitAdjustment

    adjusted = LogitAdjustment(outcome_share=1.0)
    return {
        SCRATCH: fit(record, tuned, correction="orthogonal"),
        ADJUSTED: fit(record, tuned, correction=adjusted),
    }


def _fitted(tail: Tail, seed: int, record: Any, student: Any, **options: Any) -> Any:
    """Return a distilled student, on cross-entropy unless asked otherwise."""
    from semikd import DistilledClassifier

    asked = {"loss": "cross_entropy", **options}
    model = DistilledClassifier(student=student, cv=record, random_state=seed, **asked)
    return model.fit(tail.X, tail.y)


def _student_scores(
    tail: Tail, seed: int, record: Any, student: Any, **options: Any
) -> Row:
    """Return the test scores of one arm."""
    p = _fitted(tail, seed, record, student, **options).predict_proba(tail.X_test)
    return long_tail_scores(tail.y_test, p, tail.order)


def _teacher_scores(teacher: Any, tail: Tail, seed: int) -> Row:
    """Return the test scores of a teacher that saw all training rows."""
    from sklearn.base import clone

    alone = clone(teacher).set_params(random_state=seed).fit(tail.X, tail.y)
    return long_tail_scores(tail.y_test, alone.predict_proba(tail.X_test), tail.order)


def _interpolated(
    tail: Tail, records: dict[str, Any], student: Any, seed: int
) -> dict[str, Row]:
    """Return plain and adaptive students of a teacher that repeats its labels."""
    found = {}
    for labels, record in records.items():
        plain = _fitted(tail, seed, record, student)
        rule = "adaptive_alpha"
        adaptive = _fitted(tail, seed, record, student, correction=rule)
        said = [m.predict_proba(tail.X_test) for m in (plain, adaptive)]
        scores = [long_tail_scores(tail.y_test, p, tail.order) for p in said]
        weights = np.asarray(adaptive.weight_of_labels_)
        found[f"plain, {labels}"] = scores[0]
        found[f"AdaAlpha, {labels}"] = scores[1] | {
            "largest weight": float(weights.max()),
            "largest change": float(np.abs(said[0] - said[1]).max()),
        }
    return found


def collected(options: argparse.Namespace, name: str, kind: str) -> Cells:
    """Return the cells of a data set that are there or were asked for."""
    seeds = range(2 if options.small else 10)
    teacher, student = pair(name, kind, small=options.small)
    settings = {"teacher": repr(teacher), "student": repr(student), "folds": FOLDS}
    return {
        seed: cell(
            options,
            f"tails-{name}-{kind}-{seed}",
            settings,
            partial(one_seed, name, kind, seed, options.small),
        )
        for seed in seeds
    }


def means(cells: Cells) -> list[Row]:
    """Return a row for each arm: means over seeds and half widths of 95 % intervals."""
    found = []
    done = [each for each in cells.values() if each]
    for arm in done[0]["arms"]:
        row: Row = {"arm": arm}
        for metric in METRICS:
            own = _values(done, arm, metric)
            row[metric] = f"{own.mean:.4f} ± {own.half_width():.4f}"
        found.append(row)
    return found


def differences(cells: Cells) -> list[Row]:
    """Return adaptive rules against plain distillation and adjusted labels alone."""
    done = [each for each in cells.values() if each]
    pairs = [
        (f"{rule}, {DID_NOT}", f"plain, {labels}")
        for rule in ADAPTIVE
        for labels in (DID_NOT, SAW)
    ]
    pairs += [(ADJUSTED, SCRATCH)]
    pairs += [(f"{rule}, {DID_NOT}", ADJUSTED) for rule in ADAPTIVE]
    pairs += [(MIX, f"plain, {DID_NOT}")]
    return [_difference(done, arm, other) for arm, other in pairs]


def _difference(done: list[Row], arm: str, other: str) -> Row:
    """Return one arm less another, in points, and whether that is what was asked."""
    row: Row = {"arm": arm, "less": other}
    moved = {}
    for metric in ("accuracy", "rarest three"):
        own = _values(done, arm, metric).less(_values(done, other, metric))
        moved[metric] = own
        row[f"{metric}, points"] = (
            f"{100 * own.mean:+.1f} ± {100 * own.half_width():.1f}"
        )
    rare, all_rows = moved["rarest three"], moved["accuracy"]
    asked = rare.mean >= ASKED_RARE and rare.mean > rare.half_width()
    judged = other == f"plain, {DID_NOT}" and arm.split(",")[0] in ADAPTIVE[:2]
    said = "yes" if asked and all_rows.mean >= ASKED_ALL else "no"
    row["as asked"] = said if judged else ""
    return row


def _values(done: list[Row], arm: str, metric: str) -> Any:
    """Return an arm's values over seeds."""
    from semikd.reproduction.repeated import Repeated

    values = tuple(float(each["arms"][arm][metric]) for each in done)
    return Repeated(values, float(done[0]["overlap"]))


def interpolating(cells: Cells) -> list[Row]:
    """Return what AdaAlpha does with a teacher that repeats its labels."""
    done = [each for each in cells.values() if each]
    found = []
    for labels in (SAW, DID_NOT):
        arm, plain = f"AdaAlpha, {labels}", f"plain, {labels}"
        weights = [each["arms"][arm]["largest weight"] for each in done]
        changes = [each["arms"][arm]["largest change"] for each in done]
        row = _difference(done, arm, plain)
        found.append(
            {
                "labels": labels,
                "largest weight": f"{min(weights):.2g} to {max(weights):.2g}",
                "largest change of an answer": f"{max(changes):.2g}",
                "rarest three, points": row["rarest three, points"],
            }
        )
    return found


def on_device(names: list[str]) -> list[str]:
    """Return the data sets that this machine can do."""
    import torch

    if torch.cuda.is_available():
        return names
    if "cifar10" in names:
        print("skipped cifar10: it wants a GPU")
    return [name for name in names if name != "cifar10"]


def main() -> None:
    """Compute the cells, and write the tables of those that are there."""
    options = options_of(__doc__ or "")
    names = ["digits"] if options.small else on_device(available(DATA))
    record: Row = {"environment": environment("torch")}
    tables: dict[str, list[Row]] = {}
    for name in names:
        for kind in ("forest", INTERPOLATES):
            if name == "cifar10" and kind == INTERPOLATES:
                continue
            cells = collected(options, name, kind)
            record[f"{name}, {kind}"] = cells
            if not any(cells.values()):
                continue
            title = f"{name}, {kind}" + ("" if all_here(cells) else f", {state(cells)}")
            if kind == INTERPOLATES:
                tables[title] = interpolating(cells)
            else:
                tables[title] = means(cells)
                tables[f"{title}: differences"] = differences(cells)
    report("siblings-long-tails", options, record, tables)


if __name__ == "__main__":
    main()
