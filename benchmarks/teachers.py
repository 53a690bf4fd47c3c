"""What calibration, stacking and learned residuals bring to a teacher and its tree."""

import argparse
import statistics
import time
import warnings
from typing import Any

import numpy as np
from _harness import Row, available, environment, parse, report, scores, split, start
from numpy.typing import NDArray

METRICS = ("log-loss", "AUC")
CALIBRATED = {
    "boosting": ("temperature", "sigmoid", "beta", "isotonic"),
    "forest": ("sigmoid", "isotonic"),
    "shallow forest": ("sigmoid",),
}


def arms(folds: NDArray[np.intp], seed: int, trees: int) -> dict[str, Any]:
    """Return every teacher by its name."""
    from _remembered import Remembered
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    from semikd.teachers import (
        BoostingRegressorTeacher,
        BoostingTeacher,
        CalibratedTeacher,
        CodedTeacher,
        ResidualTeacher,
        SquaresTeacher,
        StackedTeacher,
    )

    forest = ExtraTreesClassifier(trees, min_samples_leaf=2)
    linear = LogisticRegression(max_iter=1000)
    stumps = RandomForestClassifier(trees, max_depth=1)
    corrector = BoostingRegressorTeacher(random_state=seed)
    plain = {
        "boosting": BoostingTeacher(random_state=seed),
        "forest": CodedTeacher(forest, random_state=seed),
        "linear": CodedTeacher(linear, coding="indicators", random_state=seed),
        "shallow forest": CodedTeacher(stumps, random_state=seed),
    }
    known = {name: Remembered(name, each) for name, each in plain.items()}
    options: dict[str, Any] = {"cv": folds, "random_state": seed}
    found: dict[str, Any] = dict(known)
    for name, methods in CALIBRATED.items():
        for method in methods:
            found[f"{name}, {method}"] = CalibratedTeacher(
                known[name], method=method, **options
            )
    members = [known[name] for name in ("boosting", "forest", "linear")]
    found["stacked"] = StackedTeacher(members, **options)
    for name in ("boosting", "shallow forest"):
        found[f"{name}, residual"] = ResidualTeacher(known[name], corrector, **options)
    found["corrector alone"] = Remembered("corrector", SquaresTeacher(corrector))
    return found


def judged(
    teacher: Any, folds: NDArray[np.intp], leaves: int, parts: tuple[Any, ...]
) -> Row:
    """Return the scores of a teacher and of its student in the test part."""
    from sklearn.base import clone
    from sklearn.tree import DecisionTreeRegressor

    from semikd import cross_fit

    X, y, numbers, X_test, y_test, numbers_test = parts
    began = time.perf_counter()
    said = clone(teacher).fit(X, y).predict_proba(X_test)[:, 1]
    labels = cross_fit(teacher, X, y, cv=folds, new_rows="none", random_state=0).mean
    tree = DecisionTreeRegressor(
        max_leaf_nodes=leaves, min_samples_leaf=5, random_state=0
    ).fit(numbers, labels[:, 1])
    return {
        "teacher": scores(y_test, said),
        "student": scores(y_test, np.clip(tree.predict(numbers_test), 0.0, 1.0)),
        "out of fold": scores(y, labels[:, 1]),
        "seconds": time.perf_counter() - began,
    }


def measure(name: str, options: argparse.Namespace) -> Row:
    """Return the scores of every arm in every split of one data set."""
    from _remembered import KNOWN
    from sklearn.model_selection import StratifiedKFold

    from semikd.datasets import load_dataset

    data = load_dataset(name)
    y, numbers = np.unique(data.y, return_inverse=True)[1], data.numeric()
    found: dict[str, list[Row]] = {}
    for seed in range(1 if options.small else 3):
        KNOWN.clear()
        train, test = split(y, seed)
        train = train[:600] if options.small else train
        parts = tuple(
            part
            for rows in (train, test)
            for part in (
                data.X.iloc[rows].reset_index(drop=True),
                y[rows],
                numbers[rows],
            )
        )
        folds = np.empty(len(train), dtype=np.intp)
        dealt = StratifiedKFold(5, shuffle=True, random_state=seed)
        for t, (_, held) in enumerate(dealt.split(train, y[train])):
            folds[held] = t
        teachers = arms(folds, seed, 20 if options.small else 100)
        for arm, teacher in teachers.items():
            leaves = 32 if options.small else 128
            found.setdefault(arm, []).append(judged(teacher, folds, leaves, parts))
            print(name, seed, arm, found[arm][-1]["teacher"], flush=True)
    return {"data": name, "arms": found}


def mean(result: Row, arm: str, who: str, metric: str) -> float:
    """Return the mean of a metric over the splits."""
    return statistics.fmean(each[who][metric] for each in result["arms"][arm])


def shown(result: Row, who: str) -> list[Row]:
    """Return the lines of teachers, or students, on one data set."""
    lines = []
    base = result["arms"]["boosting"]
    for arm, splits in result["arms"].items():
        line: Row = {who: arm}
        for metric in METRICS:
            off = [
                a[who][metric] - b[who][metric]
                for a, b in zip(splits, base, strict=True)
            ]
            spread = f" ± {statistics.stdev(off):.4f}" if len(off) > 1 else ""
            line[metric] = f"{mean(result, arm, who, metric):.4f}"
            line[f"{metric}, to boosting"] = f"{statistics.fmean(off):+.4f}{spread}"
        lines.append(line)
    return lines


def expectations(result: Row) -> list[Row]:
    """Return what was expected, and whether it held."""

    def of(arm: str, metric: str = "log-loss") -> float:
        return mean(result, arm, "teacher", metric)

    gains = [
        of(f"{name}, {method}", "AUC") - of(name, "AUC")
        for name, methods in CALIBRATED.items()
        for method in methods
    ]
    best = min(result["arms"], key=of)
    mended = of("shallow forest, residual")
    rescued = mended < min(of("shallow forest"), of("corrector alone"))
    harmless = abs(of("boosting, residual") - of("boosting")) <= 0.001
    held = {
        f"calibration never helps AUC (most: {max(gains):+.4f})": max(gains) <= 0.0005,
        f"stacking helps most (best: {best})": best == "stacked",
        "residuals rescue the shallow forest": rescued,
        "residuals do nothing for boosting": harmless,
    }
    return [
        {"expected": what, "held": "yes" if so else "no"} for what, so in held.items()
    ]


def main(options: argparse.Namespace) -> None:
    """Measure every data set that is here."""
    names = ["fair"] if options.small else available(["adult", "magic"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [measure(name, options) for name in names]
    tables: dict[str, list[Row]] = {}
    for result in results:
        name = result["data"]
        tables[f"Teachers, {name}"] = shown(result, "teacher")
        tables[f"Students, {name}"] = shown(result, "student")
        if not options.small:
            tables[f"Expected, {name}"] = expectations(result)
    record = {"environment": environment(), "results": results}
    report("teachers", options, record, tables)


if __name__ == "__main__":
    main(start(parse(__doc__ or "")))
