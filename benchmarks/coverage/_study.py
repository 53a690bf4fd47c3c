"""What a study of coverage is made of: cells, counts over tables, verdicts."""

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from _cells import Row
from numpy.typing import ArrayLike

TABLES, SMALL_TABLES = 1000, 2
SIZES, FOLDS = (300, 1000, 5000), (2, 5, 10)
# A nominal 95 % interval, and a bound or what holds together.
LOW, HIGH, LEAST = 0.921, 0.975, 0.93

# Whether each statement about one table held.
Draw = Mapping[str, bool]


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
        for name, yes in found.items():
            held[name] = held.get(name, 0) + bool(yes)
    return {"tables": n_tables, "held": held, "raised": reasons}


def kind_of(statement: str) -> str:
    """Return what is said: an interval, a bound, or what holds together."""
    if "bound" in statement:
        return "bound"
    if statement.startswith("("):
        return ""
    words = (": all", " probabilities", "set", "sequence", "together")
    return "simultaneous" if any(w in statement for w in words) else "interval"


def lines(case: Case, found: Row, *, judged: bool) -> list[Row]:
    """Return a line for each statement of a cell."""
    settings = ", ".join(f"{k} {v}" for k, v in case.settings.items())
    raised = sum(found["raised"].values())
    shown = []
    for statement, hits in found["held"].items():
        share = hits / found["tables"]
        line: Row = {"statement": statement, "cell": settings}
        line |= {"kind": kind_of(statement), "held": f"{100 * share:.1f} %"}
        line |= {"raised": raised, "expected": case.expected or "covers"}
        planned = verdict(statement, share, case.expected)
        line["as planned"] = planned if judged else "not judged"
        shown.append(line)
    return shown


def verdict(statement: str, share: float, expected: str) -> str:
    """Return whether a share of tables is what the plan says."""
    if statement.startswith("("):
        return ""
    kind = kind_of(statement)
    covers = LOW <= share <= HIGH if kind == "interval" else share >= LEAST
    if expected == "failure":
        return "declared"
    if expected == "control":
        return "yes" if not covers else "no: control covers"
    return "yes" if covers else "NO"


def inside(result: Any, at: int, truth: float) -> bool:
    """Return whether the interval of one estimate holds the truth."""
    low, high = result.conf_int(kind="interval")[at]
    return bool(low <= truth <= high)


def inside_all(result: Any, truth: ArrayLike) -> bool:
    """Return whether simultaneous intervals all hold the truth."""
    low, high = result.conf_int(kind="simultaneous").T
    values = np.asarray(truth)
    return bool(((low <= values) & (values <= high)).all())


def gathered(parts: Sequence[Callable[[], list[Case]]]) -> list[Case]:
    """Return the cells of all files."""
    return functools.reduce(list.__add__, [part() for part in parts], [])
