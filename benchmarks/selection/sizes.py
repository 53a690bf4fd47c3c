"""What small models can reach, against the best that is tuned from scratch."""

import argparse
import statistics
import warnings
from functools import partial
from typing import Any

import numpy as np
from _arms import searched
from _cells import (
    Row,
    available,
    cell,
    environment,
    options_of,
    report,
    split,
    state,
)
from _scratch import forest_grid, tree_grid, tuned
from _study import scores

N_SPLITS, SMALL_ROWS = 3, 600
SIZES, LEAVES = (32, 64, 128, 256, 512, 1024, None), (5, 20, 40, 80, 160)
FOREST_LEAVES, TREES = (1, 5, 10, 20), 40
TREE, GROWN, FOREST = "tree, 128 leaves", "tree, as many leaves", "forest of 40"
AUTOMATIC = ("balanced", "thorough", "balanced, categories")
# By student and data set: the metric and its bound; of the log-loss a gain.
ASKED = {
    (TREE, "adult"): ("log-loss", 0.012),
    (TREE, "magic"): ("log-loss", 0.035),
    (GROWN, "adult"): ("AUC", 0.918),
    (GROWN, "magic"): ("AUC", 0.916),
    (FOREST, "magic"): ("AUC", 0.932),
}
BEST_TREE, BEST_FOREST = "scratch tree, tuned for log-loss", "scratch forest, tuned"
Cells = dict[tuple[str, int, str], Row | None]


def parts(name: str, seed: int, *, small: bool) -> tuple[Any, Any, Any, Any]:
    """Return training and test tables of numbers, and the raw frames of both."""
    from semikd.datasets import load_dataset
    from semikd.evaluation import Table

    data = load_dataset(name)
    X, y = data.numeric(), np.unique(data.y, return_inverse=True)[1]
    train, test = split(y, seed)
    train = train[:SMALL_ROWS] if small else train
    frame: Any = data.X
    raw = [frame.iloc[rows].reset_index(drop=True) for rows in (train, test)]
    tables = [Table(X[rows], y[rows], None, None) for rows in (train, test)]
    return tables[0], tables[1], raw[0], raw[1]


def grown_leaves(train: Any, seed: int) -> int:
    """Return the leaves of a scratch tree that nothing bounds."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(random_state=seed).fit(train.X, train.y)
    return int(tree.get_n_leaves())


def students(name: str, train: Any, seed: int, *, small: bool) -> dict[str, Any]:
    """Return the students of a data set."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree import DecisionTreeRegressor

    small_tree, cap = (8, 32) if small else (128, grown_leaves(train, seed))
    found = {
        TREE: DecisionTreeRegressor(max_leaf_nodes=small_tree, min_samples_leaf=5),
        GROWN: DecisionTreeRegressor(max_leaf_nodes=cap),
    }
    if name == "magic":
        found[FOREST] = RandomForestRegressor(TREES)
    return found


def baselines(name: str, seed: int, *, small: bool) -> Row:
    """Return scores and leaves of all that learns from outcomes, the teacher too."""
    from sklearn.tree import DecisionTreeClassifier

    from semikd import StackedTeacher
    from semikd.students.sizes import count_leaves

    train, test, _, _ = parts(name, seed, small=small)
    sizes, least = ((32, None), (5, 20)) if small else (SIZES, LEAVES)
    metrics = ("log-loss", "AUC")
    found = {}
    for metric, best in tuned(tree_grid(sizes, least), train, seed, metrics).items():
        found[f"scratch tree, tuned for {metric}"] = best.predict(test.X, seed)
    if name == "magic":
        grid = forest_grid(TREES, FOREST_LEAVES)
        found[BEST_FOREST] = tuned(grid, train, seed, ["AUC"])["AUC"].predict(
            test.X, seed
        )
    tree = DecisionTreeClassifier(random_state=seed).fit(train.X, train.y)
    found["scratch tree, fully grown"] = (
        tree.predict_proba(test.X),
        tree.get_n_leaves(),
    )
    if not small:
        teacher = StackedTeacher(random_state=seed).fit(train.X, train.y)
        # Its leaves are those of its boosting and its forest.
        first = [getattr(each, "learner_", each) for each in teacher.model_.first]
        leaves = [count_leaves(each) or 0 for each in first]
        found["teacher"] = (teacher.predict_proba(test.X), sum(leaves))
    return {
        arm: {**scores(test.y, p), "leaves": int(leaves)}
        for arm, (p, leaves) in found.items()
    }


def automatic(name: str, seed: int, arm: str, *, small: bool, workers: int) -> Row:
    """Return the scores and leaves of every student that the search keeps."""
    from dataclasses import replace

    from semikd.evaluation import Classification
    from semikd.selection.judging import Judge
    from semikd.selection.presets import PRESETS
    from semikd.selection.sources import LabelBank
    from semikd.selection.teachers import named_teachers
    from semikd.selection.winner import fit_winner, made_choice

    train, test, raw, _ = parts(name, seed, small=small)
    preset = "fast" if small else arm.split(",")[0]
    if arm.endswith("categories"):
        train = replace(train, X=raw, student_view=train.X)
    bank = LabelBank(
        train,
        named_teachers(None, preset),
        keep_teachers=PRESETS[preset].synthetic,
        n_jobs=workers,
        seed=seed,
    )
    found = {}
    own = replace(train, X=train.features, student_view=None)
    for student, learner in students(name, own, seed, small=small).items():
        judge = Judge(
            train, Classification(), {student: learner}, bank, n_jobs=workers, seed=seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            searched(judge, preset)
            choice = made_choice(judge)
            model = fit_winner(judge, choice.chosen)
        p = model.predict_proba(test.X)
        found[student] = {
            **scores(test.y, p),
            "leaves": model.size_.leaves,
            "chosen": str(choice.chosen),
        }
    return found


def has_categories(name: str) -> bool:
    """Return whether the raw frame holds categories."""
    from semikd.datasets import load_dataset

    frame: Any = load_dataset(name).X
    return any(str(kind) == "category" for kind in frame.dtypes)


def collected(options: argparse.Namespace, names: list[str]) -> Cells:
    """Return every cell that is there or was asked for."""
    small = options.small
    found: Cells = {}
    for name in names:
        arms: tuple[str, ...] = AUTOMATIC[:1] if small else AUTOMATIC
        if not has_categories(name):
            arms = arms[:2]
        for seed in range(1 if small else N_SPLITS):
            jobs = {"baselines": partial(baselines, name, seed, small=small)} | {
                arm: partial(
                    automatic, name, seed, arm, small=small, workers=options.workers
                )
                for arm in arms
            }
            for arm, work in jobs.items():
                place = f"sizes-{name}-{seed}-{arm.replace(', ', '-')}"
                found[name, seed, arm] = cell(options, place, {}, work)
    return found


def values(rows: list[Row], metric: str) -> str:
    """Return mean and standard deviation over splits."""
    own = [each[metric] for each in rows]
    spread = f" ± {statistics.stdev(own):.4f}" if len(own) > 1 else ""
    return f"{statistics.fmean(own):.4f}{spread}"


def line_of(arm: str, student: str, rows: list[Row]) -> Row:
    """Return scores and leaves of one arm, means over splits."""
    line: Row = {"arm": arm, "student": student, "splits": len(rows)}
    line |= {metric: values(rows, metric) for metric in ("AUC", "log-loss")}
    line["leaves"] = f"{statistics.fmean(each['leaves'] for each in rows):,.0f}"
    chosen = dict.fromkeys(each["chosen"] for each in rows if "chosen" in each)
    return line | {"asked": "", "reached": "", "chosen": "; ".join(chosen)}


def asked_of(
    student: str, name: str, rows: list[Row], base: dict[str, list[Row]]
) -> Row:
    """Return what is asked of an automatic arm, and whether it is reached."""
    if (student, name) not in ASKED:
        return {}
    metric, bound = ASKED[student, name]
    own = statistics.fmean(each[metric] for each in rows)
    if metric == "log-loss":
        gain = statistics.fmean(each[metric] for each in base[BEST_TREE]) - own
        asked = f"log-loss lower by {bound} than the tuned tree's (is {gain:.4f})"
        return {"asked": asked, "reached": "yes" if gain >= bound else "no"}
    asked, reached = f"AUC >= {bound}", own >= bound
    if student == FOREST:
        rival = statistics.fmean(each[metric] for each in base[BEST_FOREST])
        asked += f" and above the tuned forest's {rival:.4f}"
        reached = reached and own > rival
    return {"asked": asked, "reached": "yes" if reached else "no"}


def shown(cells: Cells, name: str, *, small: bool) -> list[Row]:
    """Return the table of one data set."""
    mine = {key: each for key, each in cells.items() if key[0] == name}
    known = {key: each for key, each in mine.items() if each is not None}
    base: dict[str, list[Row]] = {}
    for (_, _, arm), each in known.items():
        if arm == "baselines":
            for which, row in each.items():
                base.setdefault(which, []).append(row)
    lines = [line_of(which, "", rows) for which, rows in base.items()]
    complete = len(known) == len(mine) and not small
    for arm in AUTOMATIC:
        found = [each for (_, _, own), each in known.items() if own == arm]
        for student in found[0] if found else {}:
            rows = [each[student] for each in found]
            line = line_of(arm, student, rows)
            if complete:
                line |= asked_of(student, name, rows, base)
            lines.append(line)
    return lines


def main(options: argparse.Namespace) -> None:
    """Measure every data set, split and arm; judge what is complete."""
    names = available(["fair"] if options.small else ["adult", "magic"])
    cells = collected(options, names)
    tables = {
        f"{name}, {state({k: v for k, v in cells.items() if k[0] == name})}": shown(
            cells, name, small=options.small
        )
        for name in names
    }
    record = {
        "environment": environment(),
        "results": {"/".join(map(str, key)): each for key, each in cells.items()},
    }
    report("selection-sizes", options, record, tables)


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
