"""Whether the automatic choice is as good as every fixed way, and what it regrets."""

import argparse
import json
from collections import Counter
from functools import partial
from typing import Any

import numpy as np
from _arms import AUTOMATIC, SCRATCH, distilled_arms, scratch_arm
from _cells import (
    RESULTS,
    Row,
    available,
    cell,
    environment,
    folder,
    options_of,
    report,
    state,
)
from _inference import (
    LEVEL,
    FloatArray,
    mean_and_error,
    not_better,
    regret_of_equals,
)
from _study import DATA, TRACKS, Size, size_of

ASKED = 6
METRICS = ("AUC", "log-loss")
Cells = dict[tuple[str, str, int], Row | None]


def collected(options: argparse.Namespace, size: Size, names: list[str]) -> Cells:
    """Return every cell that is there or was asked for."""
    found: Cells = {}
    for name in names:
        for split in range(size.splits):
            keys = {"scratch": partial(scratch_arm, name, split, size)} | {
                track: partial(
                    distilled_arms, name, split, track, size, options.workers
                )
                for track in TRACKS
            }
            for kind, work in keys.items():
                found[kind, name, split] = cell(
                    options, f"regret-{name}-{split}-{kind}", size.settings(name), work
                )
    return found


def merged(cells: Cells, track: str, name: str, splits: int) -> list[Row]:
    """Return the arms of each split by student; empty where a cell is missing."""
    found = []
    for split in range(splits):
        alone, taught = cells["scratch", name, split], cells[track, name, split]
        if alone is None or taught is None:
            return []
        arms = {
            student: {SCRATCH: alone["students"][student], **each["arms"]}
            for student, each in taught["students"].items()
        }
        chosen = {s: each["chosen"] for s, each in taught["students"].items()}
        found.append({"arms": arms, "chosen": chosen, "ratio": taught["ratio"]})
    return found


def means(result: Row, arm: str, metric: str) -> float:
    """Return the mean over students and seeds in one split."""
    own = [r[metric][0] for arms in result["arms"].values() for r in arms[arm]]
    return float(np.mean(own))


def compared(results: list[Row], arm: str, metric: str) -> FloatArray:
    """Return arm less automatic in each split."""
    return np.array(
        [means(r, arm, metric) - means(r, AUTOMATIC, metric) for r in results]
    )


def regrets(results: list[Row], metric: str) -> FloatArray:
    """Return what the best arm of one half gains on the other, in each split."""
    sign = 1.0 if metric == "AUC" else -1.0
    found = []
    for result in results:
        gains = []
        for arms in result["arms"].values():
            table = {
                arm: sign * np.array([r[metric][1:] for r in rows])
                for arm, rows in arms.items()
            }
            own = table.pop(AUTOMATIC)
            others = np.stack(list(table.values()))
            for here, there in ((0, 1), (1, 0)):
                best = others[:, :, here].argmax(axis=0)
                seeds = np.arange(len(best))
                gains += (others[best, seeds, there] - own[:, there]).tolist()
        found.append(float(np.mean(gains)))
    return np.array(found)


def leaves(results: list[Row], arm: str) -> str:
    """Return the mean leaves of the students that have some."""
    known = [
        row["leaves"]
        for result in results
        for arms in result["arms"].values()
        for row in arms[arm]
        if row["leaves"]
    ]
    return f"{np.mean(known):,.0f}"


def judged(results: list[Row], margin: float) -> dict[str, Row]:
    """Return what the plan says of each arm of one data set and track."""
    names = [arm for arm in next(iter(results[0]["arms"].values())) if arm != AUTOMATIC]
    ratio = float(np.mean([each["ratio"] for each in results]))
    found: dict[str, Row] = dict(
        not_better({arm: compared(results, arm, "AUC") for arm in names}, margin, ratio)
    )
    for arm, each in found.items():
        each["log-loss"] = float(compared(results, arm, "log-loss").mean())
    return found


def arm_table(results: list[Row], found: dict[str, Row], *, verdict: bool) -> list[Row]:
    """Return a line for each arm, the automatic one first."""
    lines = []
    for arm in [AUTOMATIC, *found]:
        line: Row = {"arm": arm}
        for metric in METRICS:
            mean = np.mean([means(each, arm, metric) for each in results])
            line[metric] = f"{mean:.4f}"
        own = found.get(arm)
        line["AUC, less automatic"] = f"{own['mean']:+.4f}" if own else ""
        line["at most"] = f"{own['bound']:+.4f}" if own else ""
        line["p (Holm)"] = f"{own['holm']:.3f}" if own and verdict else ""
        line["log-loss, less automatic"] = f"{own['log-loss']:+.4f}" if own else ""
        line["leaves"] = leaves(results, arm)
        lines.append(line)
    return lines


def summary(results: list[Row], known: Row, *, verdict: bool) -> tuple[Row, Row]:
    """Return the line of a data set and track, and what is recorded of it."""
    margin = known["margin"]
    found = judged(results, margin)
    passes = all(each["holm"] <= LEVEL for each in found.values())
    line: Row = {"margin": f"{margin:.4f}"}
    record: Row = {"arms": found, "margin": margin, "passes": passes}
    for metric in METRICS:
        mean, error = mean_and_error(regrets(results, metric), known["ratio"])
        equal = regret_of_equals(list(known[metric]["noise"].values()), len(found))
        line[f"regret, {metric}"] = f"{mean:+.4f} ± {error:.4f}"
        line[f"of equals, {metric}"] = f"{equal:+.4f}"
        record[f"regret, {metric}"] = {"mean": mean, "error": error, "equal": equal}
    line["leaves"] = leaves(results, AUTOMATIC)
    line["passes"] = ("yes" if passes else "no") if verdict else "not judged"
    return line, record


def margins(options: argparse.Namespace) -> Row | None:
    """Return what ``exchangeable.py`` wrote down, or None."""
    for where in dict.fromkeys((folder(options), RESULTS)):
        path = where / "selection-exchangeable.json"
        if path.exists():
            return dict(json.loads(path.read_text()))
    return None


def choices(results: list[Row]) -> str:
    """Return how often each way to label was chosen."""
    counts = Counter(
        f"{each['labels']} {each['teacher']}".strip()
        for result in results
        for each in result["chosen"].values()
    )
    return ", ".join(f"{name} {n}" for name, n in counts.most_common())


def measured(cell: Row) -> dict[str, Any]:
    """Return AUC and log-loss of a cell as text, on all test rows and on the halves.

    Seed by seed, to five digits: as numbers the file would be ten times as long.
    """
    found: dict[str, Any] = {}
    for student, own in cell["students"].items():
        arms = own["arms"] if isinstance(own, dict) else {SCRATCH: own}
        found[student] = {
            arm: "; ".join(
                " ".join(f"{value:.5f}" for metric in METRICS for value in row[metric])
                for row in rows
            )
            for arm, rows in arms.items()
        }
        if isinstance(own, dict):
            found[student]["chosen"] = own["chosen"]["words"]
    return found


def verdicts(lines: list[Row]) -> list[Row]:
    """Return how many data sets pass on each track."""
    found = []
    for track in TRACKS:
        passed = [each["passes"] for each in lines if each["track"] == track]
        n, open_ = passed.count("yes"), len(DATA) - len(passed)
        reached = "yes" if n >= ASKED else "no"
        # What is missing cannot undo six that pass, nor mend two that do not.
        undecided = "not judged" in passed or n < ASKED <= n + open_
        found.append(
            {
                "track": track,
                "complete": f"{len(passed)} of {len(DATA)}",
                "pass": n,
                "asked": f"at least {ASKED} of {len(DATA)}",
                "reached": "not judged" if undecided else reached,
            }
        )
    return found


def main(options: argparse.Namespace) -> None:
    """Measure every data set, split and track; judge what is complete."""
    size = size_of(small=options.small)
    names = available(size.data)
    cells, noted = collected(options, size, names), margins(options)
    noted = noted or {"complete": False, "summaries": {}}
    ready = bool(noted["complete"]) and noted["rows"] == size.rows
    # A data set is judged by itself: its family is its own arms.
    judging = ready and not options.small
    record: dict[str, Any] = {"environment": environment(), "judged": judging}
    tables: dict[str, list[Row]] = {}
    lines, details = [], {}
    for track in TRACKS:
        for name in names:
            results = merged(cells, track, name, size.splits)
            known = noted["summaries"].get(track, {}).get(name)
            if not results or known is None:
                print(f"{track}, {name}: cells or margins are missing")
                continue
            line, found = summary(results, known, verdict=judging)
            lines.append({"track": track, "data": name, **line})
            lines[-1]["chosen"] = choices(results)
            details[f"{track}, {name}"] = found
            arms = arm_table(results, found["arms"], verdict=judging)
            tables[f"Arms, {track} track, {name}"] = arms
    first = {
        f"Reached, {state(cells)}": verdicts(lines),
        "Margins, regret and what was chosen": lines,
    }
    record |= {"details": details}
    record["results"] = {
        "/".join(map(str, key)): each and measured(each) for key, each in cells.items()
    }
    report("selection-regret", options, record, first | tables)


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
