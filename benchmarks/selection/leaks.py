"""Whether the leak test sees leaks, and how often it sees one where there is none."""

import argparse
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from _cells import (
    FloatArray,
    Row,
    all_here,
    cell,
    environment,
    options_of,
    report,
    state,
)
from numpy.typing import NDArray
from scipy import stats

REAL = ("breast_cancer", "wine", "iris", "digits", "fair", "randhie", "anes96")
TABLES, SMALL_TABLES = 120, 4
TEACHERS, STUDENTS = ("forest", "boosting"), ("8 leaves", "fully grown")
FOLDS, LEVEL, RARE = 4, 0.05, 1e-4


def simulated(
    draws: np.random.Generator,
) -> tuple[FloatArray, NDArray[np.intp], str]:
    """Return a table with linear and crossed signal, and noise of any strength."""
    n, d = int(draws.integers(200, 601)), int(draws.integers(3, 11))
    k, noise = int(draws.integers(2, 4)), float(draws.uniform(0.5, 3.0))
    X = draws.normal(size=(n, d))
    score = X @ draws.normal(size=d) / np.sqrt(d) + X[:, 0] * X[:, 1]
    score += noise * draws.normal(size=n)
    cuts = np.quantile(score, np.arange(1, k) / k)
    return X, np.searchsorted(cuts, score), f"simulated, {n} x {d}, {k} classes"


def real(
    draws: np.random.Generator, number: int
) -> tuple[FloatArray, NDArray[np.intp], str]:
    """Return a random part of a bundled table, without classes that are rare in it."""
    from semikd.datasets import load_dataset

    name = REAL[number % len(REAL)]
    data = load_dataset(name)
    X, y = data.numeric(), np.unique(data.y, return_inverse=True)[1]
    n = min(len(y), int(draws.integers(150, 501)))
    rows = draws.permutation(len(y))[:n]
    X, y = X[rows], y[rows]
    kept = np.bincount(y)[y] >= 2 * FOLDS
    y = np.unique(y[kept], return_inverse=True)[1]
    return X[kept], y, f"{name}, {len(y)} x {X.shape[1]}"


def table_of(number: int) -> tuple[Any, str]:
    """Return the table of that number, simulated and real ones in turn."""
    from semikd.evaluation import Table

    draws = np.random.default_rng(number)
    made = simulated(draws) if number % 2 == 0 else real(draws, number // 2)
    X, y, words = made
    return Table(np.nan_to_num(X), y, None, None), words


def teacher_of(kind: str, seed: int, *, small: bool) -> Any:
    """Return an unfitted teacher whose answers depend on its seed."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

    if kind == "forest":
        return RandomForestClassifier(10 if small else 30, random_state=seed)
    return HistGradientBoostingClassifier(
        max_iter=10 if small else 50,
        max_features=0.5,
        early_stopping=False,
        random_state=seed,
    )


def student_of(kind: str) -> Any:
    """Return an unfitted student."""
    from sklearn.tree import DecisionTreeRegressor

    if kind == "fully grown":
        return DecisionTreeRegressor(min_samples_leaf=2, random_state=0)
    return DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)


def bank_without_leak(table: Any, teachers: Row, seed: int, other: Any) -> Any:
    """Return a bank whose naive labels are honest, of teachers with other seeds."""
    from semikd.selection.sources import LabelBank

    class Harmless(LabelBank):
        """Nothing leaks: what a naive search would find is honest too."""

        def leaking(self, teacher: str, part: int) -> Any:
            """Return labels by teachers that did not see the judging rows."""
            return other.inner("cross-fitted", teacher, part)

    return Harmless(table, teachers, cv=FOLDS, seed=seed)


def measure(number: int, *, small: bool) -> Row:
    """Return gap and p-value of one table for each teacher and student, both ways."""
    from semikd.evaluation import Classification
    from semikd.selection import Candidate
    from semikd.selection.judging import Judge
    from semikd.selection.leaks import leak_test
    from semikd.selection.sources import LabelBank
    from semikd.selection.winner import made_choice

    table, words = table_of(number)
    found: list[Row] = []
    for who in TEACHERS:
        own, other = (
            {who: teacher_of(who, number + 1000 * again, small=small)}
            for again in (0, 1)
        )
        leaky = LabelBank(table, own, cv=FOLDS, seed=number)
        honest = LabelBank(table, other, cv=FOLDS, seed=number)
        kinds = {
            "leak": leaky,
            "none": bank_without_leak(table, own, number, honest),
        }
        for size, (kind, bank) in product(STUDENTS, kinds.items()):
            learner = {size: student_of(size)}
            judge = Judge(table, Classification(), learner, bank, seed=0)
            judge.judge([Candidate(size, "cross-fitted", who)])
            test = leak_test(judge, made_choice(judge))
            if test is None:
                raise RuntimeError("there is a cross-fitted candidate")
            line: Row = {"teacher": who, "student": size, "kind": kind}
            line |= {"gap": test.gap, "error": test.std_error, "p": test.p_value}
            line["leaves"] = grown(judge, test.candidate, table)
            found.append(line)
    return {"table": words, "tests": found}


def grown(judge: Any, candidate: Any, table: Any) -> int:
    """Return the leaves of the student that would be kept."""
    record = judge.bank.outer(candidate.labels, candidate.teacher)
    student, lesson = judge.lesson(candidate, record, np.arange(len(table.y)))
    return int(lesson.teach(student).size().leaves)


def interval(hits: int, n: int) -> str:
    """Return the exact 95 % interval of a share (Clopper and Pearson)."""
    low = stats.beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    high = stats.beta.ppf(0.975, hits + 1, n - hits) if hits < n else 1.0
    return f"{low:.2f} to {high:.2f}"


def shown(tests: list[Row], *, verdict: bool) -> list[Row]:
    """Return a line for each teacher and student."""
    lines = []
    for who in TEACHERS:
        for size in STUDENTS:
            own = [t for t in tests if (t["teacher"], t["student"]) == (who, size)]
            leak, none = ([t for t in own if t["kind"] == k] for k in ("leak", "none"))
            n, hits = len(leak), sum(t["p"] < LEVEL for t in leak)
            alarms = sum(t["p"] < LEVEL for t in none)
            low, high = stats.binom.ppf([RARE / 2, 1.0 - RARE / 2], n, LEVEL)
            valid = "yes" if low <= alarms <= high else "no"
            lines.append(
                {
                    "teacher": who,
                    "student": size,
                    "leaves": f"{np.mean([t['leaves'] for t in leak]):.0f}",
                    "mean gap": f"{np.mean([t['gap'] for t in leak]):.4f}",
                    "detected": f"{hits} of {n}",
                    "share, 95 %": interval(hits, n),
                    "false alarms": f"{alarms} of {n}",
                    "same scores": sum(t["error"] == 0 for t in none),
                    "band": f"{low:.0f} to {high:.0f}",
                    "valid": valid if verdict else "not judged",
                }
            )
    return lines


def main(options: argparse.Namespace) -> None:
    """Test every table, with and without a leak."""
    n = SMALL_TABLES if options.small else TABLES
    cells = {
        number: cell(
            options,
            f"leaks-{number:03d}",
            {"folds": FOLDS},
            partial(measure, number, small=options.small),
        )
        for number in range(n)
    }
    tests = [line for each in cells.values() if each for line in each["tests"]]
    verdict = all_here(cells) and not options.small
    record = {
        "environment": environment(),
        "results": {str(key): each for key, each in cells.items()},
    }
    title = f"The leak test, {state(cells)}"
    report("selection-leaks", options, record, {title: shown(tests, verdict=verdict)})


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
