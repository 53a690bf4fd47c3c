"""The numbers that the library stands by: scores of small trees, time, memory."""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from _harness import (
    FloatArray,
    Row,
    available,
    environment,
    fresh,
    memory_of,
    parse,
    report,
    scores,
    seconds,
    split,
    start,
    table,
)

IMPORTS = ("import semikd", "from semikd import DistilledClassifier")
METRICS = ("AUC", "log-loss", "Brier")
FULL = [("adult", 128, 5), ("magic", 256, 5)]
SMALL = [("fair", 32, 1)]
ASKED = {
    ("adult", "cross-fitted"): {"AUC": 0.909, "log-loss": 0.309},
    ("magic", "cross-fitted"): {"AUC": 0.905},
    ("adult", "cross-fitted, fully grown"): {"AUC": 0.912},
}
GRID: dict[str, list[Any]] = {
    "criterion": ["gini", "entropy"],
    "max_leaf_nodes": [32, 64, 128, 256, 512, 1024, None],
    "min_samples_leaf": [5, 20, 40, 80, 160],
}
SMALL_GRID: dict[str, list[Any]] = {
    "max_leaf_nodes": [8, 32, None],
    "min_samples_leaf": [5, 20, 80],
}

Fitted = tuple[FloatArray, int]
"""Probabilities of class 1 in the test part, and leaves."""


def scratch(X: FloatArray, y: Any, train: Any, test: Any, leaves: int) -> Fitted:
    """Return a classification tree of the student's size, trained on labels."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_leaf_nodes=leaves, min_samples_leaf=5, random_state=0
    ).fit(X[train], y[train])
    return tree.predict_proba(X[test])[:, 1], tree.get_n_leaves()


def tuned(
    X: FloatArray, y: Any, train: Any, test: Any, grid: dict[str, list[Any]]
) -> dict[str, Fitted]:
    """Return the trees of any size that cross-validation picks for each metric."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier

    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        grid,
        scoring={"AUC": "roc_auc", "log-loss": clipped_log_loss},
        refit=False,
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
    ).fit(X[train], y[train])
    found = {}
    for metric in ("AUC", "log-loss"):
        best = int(np.argmax(search.cv_results_[f"mean_test_{metric}"]))
        tree = DecisionTreeClassifier(random_state=0)
        tree.set_params(**search.cv_results_["params"][best]).fit(X[train], y[train])
        p = tree.predict_proba(X[test])[:, 1]
        found[f"scratch, tuned for {metric}"] = (p, tree.get_n_leaves())
    return found


def clipped_log_loss(tree: Any, X: FloatArray, y: Any) -> float:
    """Return minus the log-loss with the clip of all arms, for the search."""
    return -scores(y, tree.predict_proba(X)[:, 1])["log-loss"]


def distilled(X: Any, y: Any, train: Any, test: Any, seed: int, **settings: Any) -> Any:
    """Return test probabilities and leaves of a distilled classifier."""
    from sklearn.utils import _safe_indexing

    from semikd import DistilledClassifier

    model = DistilledClassifier(random_state=seed, **settings)
    model.fit(_safe_indexing(X, train), y[train])
    p = model.predict_proba(_safe_indexing(X, test))[:, 1]
    leaves = model.size_.leaves
    if leaves is None:
        leaves = model.student_[-1].get_n_leaves()
    return p, leaves


def arms(name: str, seed: int, leaves: int, small: bool) -> dict[str, Fitted]:
    """Return every arm of the plan on one split."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from sklearn.tree import DecisionTreeRegressor

    from semikd import BoostingTeacher
    from semikd.datasets import load_dataset, ordinal_matrix
    from semikd.students.sizes import count_leaves

    X, y = table(name)
    train, test = split(y, seed)
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=5)
    # The default student is a tree of 128 leaves; other sizes are asked for.
    student = None if leaves == 128 else tree
    rows = X, y, train, test
    found = {"scratch, same leaves": scratch(*rows, leaves)}
    found |= tuned(*rows, SMALL_GRID if small else GRID)
    found["in-sample"] = distilled(*rows, seed, student=student, cv="in-sample")
    found["cross-fitted"] = distilled(*rows, seed, student=student)
    found["cross-fitted, log scale"] = distilled(
        *rows, seed, student=student, loss="log_probability"
    )
    frame: Any = load_dataset(name).X
    if any(str(dtype) == "category" for dtype in frame.dtypes):
        coded = make_pipeline(FunctionTransformer(ordinal_matrix), tree)
        found["cross-fitted, categories"] = distilled(
            frame, y, train, test, seed, student=coded
        )
    grown = DecisionTreeRegressor()
    found["cross-fitted, fully grown"] = distilled(*rows, seed, student=grown)
    teacher = BoostingTeacher(random_state=seed).fit(X[train], y[train])
    found["teacher"] = (teacher.predict_proba(X[test])[:, 1], count_leaves(teacher))
    return found


def study(name: str, leaves: int, n_splits: int, small: bool) -> list[Row]:
    """Return scores and leaves of every arm on every split."""
    results = []
    for seed in range(n_splits):
        y = table(name)[1]
        truth = y[split(y, seed)[1]]
        for arm, (p, size) in arms(name, seed, leaves, small).items():
            row = {"data": name, "split": seed, "arm": arm, "leaves": int(size)}
            results.append({**row, **scores(truth, p)})
        print(f"{name}, split {seed} done", flush=True)
    return results


def means(results: list[Row], name: str) -> list[Row]:
    """Return a line for each arm: means, deviations over splits, and what was asked."""
    lines = []
    for arm in dict.fromkeys(r["arm"] for r in results if r["data"] == name):
        mine = [r for r in results if r["data"] == name and r["arm"] == arm]
        line: Row = {"arm": arm}
        for metric in METRICS:
            values = [r[metric] for r in mine]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            line[metric] = f"{statistics.mean(values):.4f} ± {spread:.4f}"
        line["leaves"] = f"{statistics.mean(r['leaves'] for r in mine):,.0f}"
        line["asked"] = verdict(name, arm, mine)
        lines.append(line)
    return lines


def verdict(name: str, arm: str, rows: list[Row]) -> str:
    """Return what was asked of an arm, and whether its mean reaches it."""
    words = []
    for metric, bound in ASKED.get((name, arm), {}).items():
        mean = statistics.mean(row[metric] for row in rows)
        reached = mean >= bound if metric == "AUC" else mean <= bound
        sign = ">=" if metric == "AUC" else "<="
        words.append(f"{metric} {sign} {bound}: {'reached' if reached else 'missed'}")
    return ", ".join(words) or "-"


def default_fit(name: str) -> Row:
    """Return seconds and peak memory of a default fit; run in its own process."""
    from semikd import DistilledClassifier

    X, y = table(name)
    taken: list[tuple[float, float]] = []
    model = DistilledClassifier(random_state=0)
    work: Callable[[], object] = lambda: taken.append(  # noqa: E731
        seconds(lambda: model.fit(X, y))
    )
    return {**memory_of(work), "seconds": taken[0][0], "rows": len(y)}


def import_seconds(statement: str, repeats: int) -> list[float]:
    """Return the seconds that an import takes, each in an interpreter of its own."""
    code = (
        f"import time; t = time.perf_counter(); {statement}; "
        "print(time.perf_counter() - t)"
    )
    command = [sys.executable, "-c", code]
    runs = [
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        for _ in range(repeats)
    ]
    return [float(run.stdout) for run in runs]


def costs(fits: list[Row], imports: dict[str, list[float]], name: str) -> list[Row]:
    """Return time, memory and import beside what was asked."""
    lines: list[tuple[str, float, float | None]] = [
        (
            f"`{statement}`, seconds (median of {len(times)})",
            statistics.median(times),
            b,
        )
        for (statement, times), b in zip(imports.items(), (0.3, None), strict=True)
    ]
    if fits:
        fit = f"`DistilledClassifier().fit` on {name}"
        took = statistics.median(f["seconds"] for f in fits)
        peak = max(f["peak"] for f in fits) / 1024.0
        lines.append((f"{fit}, seconds (median of {len(fits)})", took, 30.0))
        lines.append((f"{fit}, peak GiB (largest of {len(fits)})", peak, 1.5))
    return [
        {
            "figure": what,
            "measured": f"{value:.3g}",
            "asked": "-" if bound is None else judged(value, bound),
        }
        for what, value, bound in lines
    ]


def judged(value: float, bound: float) -> str:
    """Return an upper bound, and whether a value keeps to it."""
    return f"<= {bound}: {'reached' if value <= bound else 'missed'}"


def main(options: argparse.Namespace) -> None:
    """Run the costs in processes of their own, then the scores."""
    plan = SMALL if options.small else FULL
    name, here = plan[0][0], available([name for name, *_ in plan])
    repeats = 1 if options.small else 3
    fits = [fresh(default_fit, name) for _ in range(repeats)] if name in here else []
    imports = {statement: import_seconds(statement, 10) for statement in IMPORTS}
    record: Row = {"environment": environment(), "fits": fits, "imports": imports}
    tables = {"Costs": costs(fits, imports, name)}
    results: list[Row] = []
    for name, leaves, n_splits in plan:
        if name not in here:
            continue
        results += study(name, leaves, n_splits, options.small)
        trained = len(split(table(name)[1], 0)[0])
        title = f"{name}, {leaves} leaves, {n_splits} splits, {trained:,} rows trained"
        tables[title] = means(results, name)
    report("figures", options, {**record, "results": results}, tables)


if __name__ == "__main__":
    main(start(parse(__doc__ or "")))
