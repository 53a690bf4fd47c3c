"""What a study of coverage is made of: cells, counts over tables, verdicts."""

import csv
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _cells import Row
from numpy.typing import ArrayLike

TABLES, SMALL_TABLES = 1000, 2
SIZES, FOLDS = (300, 1000, 5000), (2, 5, 10)
# A nominal 95 % interval, and a bound or what holds together.
LOW, HIGH, LEAST = 0.921, 0.975, 0.93

# Of each statement about one table, whether it held, and what kind of statement it is.
Draw = Mapping[str, tuple[bool, str]]
INTERVAL, BOUND, TOGETHER, SHOWN = "interval", "bound", "simultaneous", "shown"


@dataclass(frozen=True)
class Case:
    """One cell: a process, a size, a teacher, and what is expected of it.

    ``expected`` is empty where theory promises coverage, 'failure' where the plan says
    that it does not, and 'control' where it must not cover.
    """

    name: str
    settings: Row
    draw: Callable[[int], Draw]
    expected: str = ""

    @property
    def file(self) -> str:
        """Name of the cell."""
        parts = [str(v).replace(" ", "-") for v in self.settings.values()]
        return "-".join([self.name.replace(" ", "-").replace(",", ""), *parts])


def counted(case: Case, n_tables: int) -> Row:
    """Return how often each statement held over tables; one that raises did not."""
    held: dict[str, int] = {}
    kinds: dict[str, str] = {}
    reasons: dict[str, int] = {}
    for seed in range(n_tables):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = case.draw(seed)
        except (ValueError, TypeError, np.linalg.LinAlgError) as reason:
            words = str(reason).split(";")[0][:120]
            reasons[words] = reasons.get(words, 0) + 1
            continue
        for name, (yes, kind) in found.items():
            held[name] = held.get(name, 0) + bool(yes)
            kinds[name] = kind
    return {"tables": n_tables, "held": held, "kinds": kinds, "raised": reasons}


def lines(case: Case, found: Row, *, judged: bool) -> list[Row]:
    """Return a line for each statement of a cell."""
    settings = ", ".join(f"{k} {v}" for k, v in case.settings.items())
    raised = sum(found["raised"].values())
    shown = []
    for statement, hits in found["held"].items():
        share, kind = hits / found["tables"], found["kinds"][statement]
        line: Row = {"statement": statement, "cell": settings, "kind": kind}
        line |= {"held": f"{100 * share:.1f} %", "raised": raised}
        line["expected"] = case.expected or "covers"
        planned = verdict(kind, share, case.expected)
        line["as planned"] = planned if judged else "not judged"
        shown.append(line)
    return shown


def summarised(rows: Sequence[Row]) -> list[Row]:
    """Return a line for each statement: the shares of its cells, worst and best."""
    found = []
    for statement, expected in dict.fromkeys(
        (row["statement"], row["expected"]) for row in rows
    ):
        own = [
            row
            for row in rows
            if (row["statement"], row["expected"]) == (statement, expected)
        ]
        shares = [float(row["held"].split()[0]) for row in own]
        judged = [row["as planned"] for row in own]
        line: Row = {"statement": statement, "kind": own[0]["kind"]}
        line |= {"cells": len(own), "lowest": f"{min(shares):.1f} %"}
        line |= {"highest": f"{max(shares):.1f} %", "expected": expected}
        line["as planned"] = f"{judged.count('yes')} of {len(own)}"
        if expected == "failure" or own[0]["kind"] == SHOWN:
            line["as planned"] = "declared" if expected == "failure" else ""
        found.append(line)
    return found


def write_csv(path: Path, tables: Mapping[str, Sequence[Row]]) -> None:
    """Write every cell of every statement as a row."""
    rows = [{"part": part, **row} for part, some in tables.items() for row in some]
    if not rows:
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def verdict(kind: str, share: float, expected: str) -> str:
    """Return whether a share of tables is what the plan says."""
    if kind == SHOWN:
        return ""
    covers = LOW <= share <= HIGH if kind == INTERVAL else share >= LEAST
    if expected == "failure":
        return "declared"
    if expected == "control":
        return "no: control covers" if covers else "yes"
    return "yes" if covers else "NO"


def inside(result: Any, at: int, truth: float) -> tuple[bool, str]:
    """Return whether the interval of one estimate holds the truth."""
    low, high = result.conf_int(kind="interval")[at]
    return bool(low <= truth <= high), INTERVAL


def inside_all(result: Any, truth: ArrayLike) -> tuple[bool, str]:
    """Return whether simultaneous intervals all hold the truth."""
    low, high = result.conf_int(kind="simultaneous").T
    values = np.asarray(truth)
    return bool(((low <= values) & (values <= high)).all()), TOGETHER
