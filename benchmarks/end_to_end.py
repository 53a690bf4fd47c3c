"""What the library costs over the shortest correct scikit-learn code for one fit."""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _harness import (
    FloatArray,
    Row,
    alternate,
    available,
    compared,
    environment,
    fresh,
    memory_of,
    parse,
    report,
    start,
    table,
)

MARGIN = 1.05
STUDENT = {"max_leaf_nodes": 128, "min_samples_leaf": 5, "random_state": 0}
ROUNDS = {"boosting": 7, "hist boosting": 7, "forest": 3, "small tree": 7}


def make_teacher(name: str) -> Any:
    """Return a teacher whose seed is fixed, so that both sides train the same ones."""
    if name == "boosting":
        from semikd import BoostingTeacher

        return BoostingTeacher(random_state=0)
    if name == "hist boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(random_state=0)
    if name == "forest":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(100, random_state=0)
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=6, random_state=0)


def by_library(teacher: Any, X: FloatArray, y: Any) -> Any:
    """Return the distilled classifier."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd import DistilledClassifier

    tree = DecisionTreeRegressor(**STUDENT)
    return DistilledClassifier(teacher, tree, cv=5, random_state=0).fit(X, y)


def by_hand(teacher: Any, X: FloatArray, y: Any, fold: Any) -> Any:
    """Return the student of the shortest correct code without the library."""
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.tree import DecisionTreeRegressor

    folds = PredefinedSplit(fold)
    p = cross_val_predict(teacher, X, y, cv=folds, method="predict_proba")
    return DecisionTreeRegressor(**STUDENT).fit(X, p[:, 1])


def memory(side: str, teacher: str, folder: str) -> dict[str, float]:
    """Return the memory of one side; run in a process of its own."""
    X, y, fold = (np.load(Path(folder) / f"{name}.npy") for name in ("X", "y", "fold"))

    def work(rows: slice) -> None:
        model = make_teacher(teacher)
        if side == "ours":
            by_library(model, X[rows], y[rows])
        else:
            by_hand(model, X[rows], y[rows], fold[rows])

    # What the side imports is in its peak, but is no growth of the fit. Rows may be
    # sorted by class, so that the first ones would not do.
    work(slice(None, None, len(y) // 200))
    return memory_of(lambda: work(slice(None)))


def same_work(teacher: Any, X: FloatArray, y: Any) -> Any:
    """Return the library's folds, once both sides are seen to give the same tree."""
    ours = by_library(teacher, X, y)
    fold = ours.labels_.fold[0]
    theirs = by_hand(teacher, X, y, fold).predict(X)
    apart = float(np.abs(ours.predict_proba(X)[:, 1] - theirs).max())
    if apart > 1e-12:
        raise RuntimeError(f"the two sides differ by {apart:g}: not the same work")
    return fold


def measure(
    name: str, limit: int | None, teacher: str, rounds: int, repeats: int
) -> Row:
    """Return time and memory of both sides for one data set and one teacher."""
    X, y = table(name, limit)
    model = make_teacher(teacher)
    fold = same_work(model, X, y)
    times = alternate(
        {
            "ours": lambda: by_library(model, X, y),
            "theirs": lambda: by_hand(model, X, y, fold),
        },
        rounds,
    )
    with tempfile.TemporaryDirectory() as folder:
        for key, values in {"X": X, "y": y, "fold": fold}.items():
            np.save(Path(folder) / f"{key}.npy", values)
        peaks = {
            side: [fresh(memory, side, teacher, folder) for _ in range(repeats)]
            for side in ("ours", "theirs")
        }
    sizes = {
        kind: compared(*([m[kind] for m in peaks[s]] for s in ("ours", "theirs")))
        for kind in ("peak", "growth")
    }
    row = {"data": name, "rows": len(y), "teacher": teacher, "seconds": times}
    for which, kind in enumerate(("time", "processor")):
        sides = ([t[which] for t in times[s]] for s in ("ours", "theirs"))
        sizes[kind] = compared(*sides)
    return {**row, **sizes}


def shown(result: Row) -> Row:
    """Return one line of the table."""
    time, peak, growth = result["time"], result["peak"], result["growth"]
    low, high = time["quartiles"]
    within = time["ratio"] <= MARGIN and peak["ratio"] <= MARGIN
    return {
        "data": f"{result['data']} ({result['rows']:,})",
        "teacher": result["teacher"],
        "semikd s": f"{time['ours']:.3f}",
        "by hand s": f"{time['theirs']:.3f}",
        "time ratio": f"{time['ratio']:.3f} [{low:.3f}, {high:.3f}]",
        "processor ratio": f"{result['processor']['ratio']:.3f}",
        "semikd MiB": f"{peak['ours']:.0f}",
        "by hand MiB": f"{peak['theirs']:.0f}",
        "memory ratio": f"{peak['ratio']:.3f}",
        "growth MiB": f"{growth['ours']:.0f} / {growth['theirs']:.0f}",
        f"within {MARGIN}": "yes" if within else "no",
    }


def main(options: argparse.Namespace) -> None:
    """Run every data set with every teacher."""
    sets = [("randhie", 1000)] if options.small else [("adult", None), ("magic", None)]
    here = available([name for name, _ in sets])
    results = []
    for name, limit in sets:
        for teacher, rounds in ROUNDS.items() if name in here else ():
            rounds, repeats = (2, 1) if options.small else (rounds, 3)
            results.append(measure(name, limit, teacher, rounds, repeats))
            print(shown(results[-1]), flush=True)
    record = {"environment": environment(), "margin": MARGIN, "results": results}
    lines = [shown(result) for result in results]
    report("end_to_end", options, record, {"Fit, semikd against by hand": lines})


if __name__ == "__main__":
    main(start(parse(__doc__ or "")))
