"""De-biased distillation of binary tables against response- and feature-based."""

import argparse
import math
import warnings
from functools import partial
from itertools import chain
from typing import Any

from _arms import ADJUSTED, DID_NOT, FOLDS, MIX, SAW, SCRATCH
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
from _pairs import (
    JUDGED,
    NETWORK,
    RECALIBRATED,
    arms_of,
    binary_scores,
    network_labels,
    students,
    taught_arms,
    teachers,
)
from _splits import Part, divided

DATA = ("adult", "magic", "bank_marketing", "spambase", "electricity")
ROWS, SPLITS, LEVEL, ASKED = 4000, 5, 0.05, 3
OURS = (JUDGED, f"{RECALIBRATED}, estimated")
SHOWN = (
    "accuracy",
    "auc",
    "f1",
    "precision",
    "recall",
    "log_loss",
    "brier",
    "calibration_error",
    "bias",
    "largest bias",
    "rarest group",
)
Cells = dict[int, Row | None]


def one_split(name: str, split: int, small: bool) -> Row:
    """Return the test scores of every arm, by student."""
    from semikd.selection.sources import LabelBank

    part = divided(name, 400 if small else ROWS, split)
    bank = LabelBank(part.train, teachers(small=small), cv=FOLDS, seed=split)
    found: Row = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = _of_teacher(part, split, small)
        records = network_labels(part, split, small=small)
        for student, learner in students(small=small).items():
            arms = chain(
                arms_of(student, learner, part, bank, split),
                taught_arms(student, learner, records),
            )
            own = {arm: _arm_scores(part, split, *rest) for arm, *rest in arms}
            found[student] = {"teacher": alone, **own}
    return {"students": found, "overlap": part.ratio}


def _arm_scores(
    part: Part, seed: int, record: Any, student: Any, options: dict[str, Any]
) -> Row:
    """Return the test scores of one distilled student."""
    from semikd import DistilledClassifier

    model = DistilledClassifier(
        student=student, cv=record, random_state=seed, **options
    ).fit(part.train.X, part.train.y)
    return binary_scores(part, model.predict_proba(part.test.X))


def _of_teacher(part: Part, seed: int, small: bool) -> Row:
    """Return the test scores of the network that saw all training rows."""
    alone = teachers(small=small)[NETWORK].set_params(random_state=seed)
    alone.fit(part.train.X, part.train.y)
    return binary_scores(part, alone.predict_proba(part.test.X))


def collected(options: argparse.Namespace, name: str) -> Cells:
    """Return the cells of a data set that are there or were asked for."""
    known = teachers(small=options.small)
    settings = {
        "rows": ROWS,
        "folds": FOLDS,
        "teachers": {key: repr(each) for key, each in known.items()},
        "students": {
            key: repr(each) for key, each in students(small=options.small).items()
        },
    }
    return {
        split: cell(
            options,
            f"binary-{name}-{split}",
            settings,
            partial(one_split, name, split, options.small),
        )
        for split in range(2 if options.small else SPLITS)
    }


def means(cells: Cells, student: str) -> list[Row]:
    """Return a row for each arm: means over splits."""
    done = [each for each in cells.values() if each]
    found = []
    for arm in done[0]["students"][student]:
        row: Row = {"arm": arm}
        for metric in SHOWN:
            row[metric.replace("_", " ")] = (
                f"{_values(done, student, arm, metric).mean:.4f}"
            )
        found.append(row)
    return found


def _values(done: list[Row], student: str, arm: str, metric: str) -> Any:
    """Return an arm's values over splits."""
    from semikd.reproduction.repeated import Repeated

    values = tuple(float(each["students"][student][arm][metric]) for each in done)
    return Repeated(values, float(done[0]["overlap"]))


def rivals_of(done: list[Row], student: str) -> list[str]:
    """Return the response- and feature-based arms."""
    return [
        arm
        for arm in done[0]["students"][student]
        if arm.endswith((f", {SAW}", f", {DID_NOT}"))
    ]


def differences(cells: Cells, student: str) -> list[Row]:
    """Return the de-biased arms less every rival and baseline, with Holm's p-values."""
    done = [each for each in cells.values() if each]
    known = done[0]["students"][student]
    others = [arm for arm in (SCRATCH, ADJUSTED, MIX) if arm in known]
    found = []
    for ours in OURS:
        rivals = rivals_of(done, student)
        adjusted = _adjusted(done, student, ours, rivals)
        for arm in (*rivals, *others):
            row: Row = {"arm": ours, "less": arm}
            for metric in ("log_loss", "auc"):
                words = metric.replace("_", " ")
                row[words] = _moved(done, student, ours, arm, metric)
            p = adjusted.get(arm)
            row["AUC, Holm's p"] = "" if p is None else f"{p:.2f}"
            found.append(row)
    return found


def _adjusted(
    done: list[Row], student: str, ours: str, rivals: list[str]
) -> dict[str, float]:
    """Return two-sided p-values of differences in AUC, adjusted over the rivals."""
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    raw = []
    for arm in rivals:
        moved = _values(done, student, ours, "auc").less(
            _values(done, student, arm, "auc")
        )
        error = moved.standard_error
        # Without a spread a difference is sure, or there is none.
        size = math.inf if moved.mean else 0.0
        ratio = abs(moved.mean) / error if error else size
        raw.append(2.0 * float(stats.t.sf(ratio, len(done) - 1)))
    return dict(zip(rivals, multipletests(raw, method="holm")[1].tolist(), strict=True))


def verdict(cells: Cells) -> Row:
    """Return whether the judged arm does what is asked, against all rivals."""
    done, student = [each for each in cells.values() if each], NETWORK
    found: Row = {}
    for ours in OURS:
        rivals = rivals_of(done, student)
        mean = {
            arm: _values(done, student, arm, "log_loss").mean for arm in (ours, *rivals)
        }
        best = min(rivals, key=lambda arm: mean[arm])
        p = _adjusted(done, student, ours, rivals)
        worse = [
            arm
            for arm in rivals
            if p[arm] < LEVEL
            and _values(done, student, ours, "auc").mean
            < _values(done, student, arm, "auc").mean
        ]
        found |= {
            f"{ours}: log-loss": f"{mean[ours]:.4f}",
            f"{ours}: best rival": f"{best}, {mean[best]:.4f}",
            f"{ours}: lower": "yes" if mean[ours] < mean[best] else "no",
            f"{ours}: less best": _moved(done, student, ours, best, "log_loss"),
            f"{ours}: AUC lower than of": ", ".join(worse) or "none",
        }
    return found


def _moved(done: list[Row], student: str, arm: str, other: str, metric: str) -> str:
    """Return a difference of two arms with half the width of its 95 % interval."""
    moved = _values(done, student, arm, metric).less(
        _values(done, student, other, metric)
    )
    return f"{moved.mean:+.4f} ± {moved.half_width():.4f}"


def main() -> None:
    """Compute the cells, and write the tables of those that are there."""
    options = options_of(__doc__ or "")
    names = ["fair"] if options.small else available(DATA)
    record: Row = {"environment": environment("torch")}
    tables: dict[str, list[Row]] = {"judged": []}
    for name in names:
        cells = record[name] = collected(options, name)
        if not any(cells.values()):
            continue
        title = name if all_here(cells) else f"{name}, {state(cells)}"
        if len([each for each in cells.values() if each]) > 1:
            tables["judged"].append({"data": title, **verdict(cells)})
        for student in students(small=options.small):
            tables[f"{title}, {student}"] = means(cells, student)
            tables[f"{title}, {student}: differences"] = differences(cells, student)
    report("siblings-binary", options, record, tables)


if __name__ == "__main__":
    main()
