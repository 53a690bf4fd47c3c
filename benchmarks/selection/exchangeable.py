"""The noise between two equal arms: other folds, other seeds of the teacher."""

import argparse
from functools import partial
from typing import Any

import numpy as np
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
from _inference import FloatArray, exchangeable_error, margin_of, noise_of
from _splits import Part, divided
from _study import TRACKS, Size, leaves_of, size_of, students, taught, teachers

METRICS = ("AUC", "log-loss")
Cells = dict[tuple[str, str, int], Row | None]


def labelled(part: Part, teacher: Any, seed: int, workers: int) -> Any:
    """Return cross-fitted labels of the training rows."""
    from semikd import cross_fit

    return cross_fit(
        teacher,
        part.train.X,
        part.train.y,
        cv=5,
        groups=part.train.groups,
        new_rows="none",
        n_jobs=workers,
        random_state=seed,
    )


def measure(name: str, split: int, track: str, size: Size, workers: int) -> Row:
    """Return the scores of both arms for every student and seed, in one split."""
    from semikd.evaluation import Classification
    from semikd.selection import Candidate
    from semikd.selection.judging import Judge
    from semikd.selection.sources import LabelBank

    part = divided(name, size.rows_of(name), split)
    known = teachers(track, small=size.small)
    teacher = list(known)[-1]
    records = [
        labelled(part, known[teacher], 1000 * part.split + arm, workers)
        for arm in (0, 1)
    ]
    learners = students(small=size.small)
    bank = LabelBank(part.train, known)
    found: dict[str, list[list[Row]]] = {each: [] for each in learners}
    for seed in range(size.seeds):
        judge = Judge(part.train, Classification(), learners, bank, seed=seed)
        for student in learners:
            candidate = Candidate(student, "cross-fitted", teacher)
            pair = [taught(judge, candidate, part, record) for record in records]
            found[student].append(pair)
    return {"ratio": part.ratio, "students": found}


def differences(result: Row, metric: str, student: str) -> FloatArray:
    """Return first less second arm for all test rows and each half, (seeds, 3)."""
    pairs = result["students"][student]
    return np.array([np.subtract(a[metric], b[metric]) for a, b in pairs])


def summary(results: list[Row]) -> Row:
    """Return the margin of one data set and track, and the noise of each student."""
    names = list(results[0]["students"])
    ratio = float(np.mean([each["ratio"] for each in results]))
    found: Row = {"ratio": ratio, "splits": len(results)}
    for metric in METRICS:
        means = [
            np.mean([differences(each, metric, s)[:, 0].mean() for s in names])
            for each in results
        ]
        error, plain = exchangeable_error(np.array(means), ratio)
        noise = {}
        for student in names:
            off = [differences(each, metric, student) for each in results]
            noise[student] = noise_of(np.concatenate(off)[:, 1:])
        found[metric] = {"error": error, "plain error": plain, "noise": noise}
    found["margin"] = margin_of(found["AUC"]["error"])
    leaves = [
        leaves_of({s: each["students"][s][0][0] for s in names}) for each in results
    ]
    found["leaves"] = float(np.mean([each for each in leaves if each]))
    return found


def shown(summaries: dict[str, dict[str, Row]]) -> list[Row]:
    """Return a line for each data set and track."""
    return [
        {
            "track": track,
            "data": name,
            "splits": each["splits"],
            "SE, AUC": f"{each['AUC']['error']:.5f}",
            "SE without overlap": f"{each['AUC']['plain error']:.5f}",
            "margin, AUC": f"{each['margin']:.4f}",
            "SE, log-loss": f"{each['log-loss']['error']:.5f}",
            "leaves": f"{each['leaves']:,.0f}",
        }
        for track, sets in summaries.items()
        for name, each in sets.items()
    ]


def collected(options: argparse.Namespace, size: Size, names: list[str]) -> Cells:
    """Return every cell that is there or was asked for."""
    found: Cells = {}
    for name in names:
        for split in range(size.splits):
            for track in TRACKS:
                found[track, name, split] = cell(
                    options,
                    f"exchangeable-{name}-{split}-{track}",
                    size.settings(name),
                    partial(measure, name, split, track, size, options.workers),
                )
    return found


def main(options: argparse.Namespace) -> None:
    """Measure every data set, split and track, and write the margins down."""
    size = size_of(small=options.small)
    names = available(size.data)
    cells = collected(options, size, names)
    summaries: dict[str, dict[str, Row]] = {}
    for track in TRACKS:
        for name in names:
            results = [cells[track, name, split] for split in range(size.splits)]
            # A margin is made of all splits or of none.
            if all(each is not None for each in results):
                known = [each for each in results if each is not None]
                summaries.setdefault(track, {})[name] = summary(known)
    record = {
        "environment": environment(),
        "complete": all_here(cells) and not options.small,
        "rows": size.rows,
        "summaries": summaries,
        "results": {"/".join(map(str, key)): each for key, each in cells.items()},
    }
    title = f"Exchangeable arms, {state(cells)}"
    report("selection-exchangeable", options, record, {title: shown(summaries)})


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
