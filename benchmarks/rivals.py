"""Other distillers at equal size: scores on unseen rows, and the time of the fit."""

import argparse
import importlib
import pickle
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from _harness import (
    FloatArray,
    Row,
    available,
    environment,
    parse,
    report,
    scores,
    split,
    start,
    table,
)

Plan = dict[str, tuple[int, ...]]

FULL: dict[str, Plan] = {
    "imodels": {"adult": (32, 128), "magic": (32, 128, 256)},
    # Every arm trains a teacher of its own, so that one size has to do.
    "autogluon": {"adult": (128,), "magic": (256,)},
}
SMALL: Plan = {"fair": (32,)}
SMALL_ROWS = 1500
RIVALS = {
    "imodels": "imodels.util.distillation",
    "autogluon": "autogluon.tabular",
}
# One tree is the only single tree that AutoGluon has among its students.
ONE_TREE = {"n_estimators": 1, "bootstrap": False, "min_samples_leaf": 5}

Arm = Callable[[], tuple[FloatArray, int | None, int | None]]
"""Fits, and returns test probabilities, leaves and bytes."""


def tree(leaves: int, seed: int) -> Any:
    """Return the student of all arms that can choose it."""
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(
        max_leaf_nodes=leaves, min_samples_leaf=5, random_state=seed
    )


def teachers(seed: int) -> dict[str, Any]:
    """Return the teachers that imodels and semikd share."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import BoostingTeacher

    return {
        "boosting": BoostingTeacher(random_state=seed),
        "forest": RandomForestClassifier(100, random_state=seed),
    }


def learned(model: Any, X: FloatArray) -> tuple[FloatArray, int | None, int | None]:
    """Return probabilities, leaves and bytes of a regression tree."""
    p = np.clip(model.predict(X), 0.0, 1.0)
    return p, int(model.get_n_leaves()), len(pickle.dumps(model))


def by_semikd(
    teacher: Any, leaves: int, seed: int, data: tuple[Any, ...], cv: Any = 5
) -> Arm:
    """Return the arm of this library."""
    from semikd import DistilledClassifier

    X, y, X_test = data

    def fit() -> tuple[FloatArray, int | None, int | None]:
        model = DistilledClassifier(teacher, tree(leaves, seed), cv=cv)
        return learned(model.set_params(random_state=seed).fit(X, y).student_, X_test)

    return fit


def imodels_arms(
    leaves: int, seed: int, data: tuple[Any, ...]
) -> dict[tuple[str, str], Arm]:
    """Return the arms that surround imodels, by teacher and name."""
    from imodels.util.distillation import DistilledRegressor
    from sklearn.base import clone

    X, y, X_test = data

    def scratch() -> tuple[FloatArray, int | None, int | None]:
        return learned(tree(leaves, seed).fit(X, y), X_test)

    def rival(teacher: Any) -> Arm:
        def fit() -> tuple[FloatArray, int | None, int | None]:
            # It fits what it is given, so it is given copies.
            model = DistilledRegressor(clone(teacher), tree(leaves, seed))
            return learned(model.fit(X, y).student, X_test)

        return fit

    arms: dict[tuple[str, str], Arm] = {("none", "scratch"): scratch}
    for name, teacher in teachers(seed).items():
        arms[name, "imodels"] = rival(teacher)
        for cv in ("in-sample", 5):
            arm = by_semikd(teacher, leaves, seed, data, cv)
            arms[name, f"semikd, cv={cv!r}"] = arm
    return arms


def autogluon_arms(
    leaves: int, seed: int, data: tuple[Any, ...]
) -> dict[tuple[str, str], Arm]:
    """Return the arms that surround AutoGluon; each trains its own teacher."""
    from semikd import BoostingTeacher

    students = {"RF": {**ONE_TREE, "max_leaf_nodes": leaves, "random_state": seed}}
    kinds: dict[str, dict[str, Any]] = {
        "AutoGluon": {"hyperparameters": students},
        "AutoGluon, augment_method=None": {
            "hyperparameters": students,
            "augment_method": None,
        },
        "AutoGluon, LightGBM student": {"hyperparameters": {"GBM": {}}},
    }

    def rival(settings: dict[str, Any]) -> Arm:
        return lambda: by_autogluon(data, settings)

    arms: dict[tuple[str, str], Arm] = {
        ("its own", name): rival(settings) for name, settings in kinds.items()
    }
    teacher = BoostingTeacher(random_state=seed)
    arms["boosting", "semikd, cv=5"] = by_semikd(teacher, leaves, seed, data)
    return arms


def by_autogluon(
    data: tuple[Any, ...], settings: dict[str, Any]
) -> tuple[FloatArray, int | None, int | None]:
    """Train AutoGluon's teacher and let it distil one student."""
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    X, y, X_test = data
    names = [f"x{j}" for j in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names).assign(label=y)
    with tempfile.TemporaryDirectory() as folder:
        predictor = TabularPredictor(
            "label", eval_metric="log_loss", path=folder, verbosity=0
        ).fit(frame, hyperparameters={"GBM": {}, "RF": {}})
        student = predictor.distill(verbosity=0, **settings)[0]
        rows = pd.DataFrame(X_test, columns=names)
        p = predictor.predict_proba(rows, model=student)[1].to_numpy()
        # The fitted model itself is in no public attribute.
        model = predictor._trainer.load_model(student).model
    return p, autogluon_leaves(model), len(pickle.dumps(model))


def autogluon_leaves(model: Any) -> int:
    """Return the leaves of a forest, or of a LightGBM booster."""
    if hasattr(model, "estimators_"):
        return int(sum(t.get_n_leaves() for t in model.estimators_))
    return int(sum(t["num_leaves"] for t in model.dump_model()["tree_info"]))


ARMS = {"imodels": imodels_arms, "autogluon": autogluon_arms}


def study(
    rival: str, name: str, leaves: int, seed: int, limit: int | None
) -> list[Row]:
    """Return scores, size and seconds of every arm on one split."""
    X, y = table(name, limit)
    train, test = split(y, seed)
    arms = ARMS[rival](leaves, seed, (X[train], y[train], X[test]))
    order = list(arms) if seed % 2 == 0 else list(reversed(arms))
    results = {}
    for key in order:
        begin = time.perf_counter()
        p, size, n_bytes = arms[key]()
        took = time.perf_counter() - begin
        row = {"data": name, "asked leaves": leaves, "split": seed, "teacher": key[0]}
        row |= {"arm": key[1], "leaves": size, "bytes": n_bytes, "seconds": took}
        results[key] = {**row, **scores(y[test], p)}
    return [results[key] for key in arms]


def means(results: list[Row]) -> list[Row]:
    """Return a line for each teacher and arm, averaged over splits."""
    lines = []
    for key in dict.fromkeys((r["teacher"], r["arm"]) for r in results):
        mine = [r for r in results if (r["teacher"], r["arm"]) == key]
        line: Row = {"teacher": key[0], "arm": key[1]}
        for metric in ("AUC", "log-loss", "Brier"):
            values = [r[metric] for r in mine]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            line[metric] = f"{statistics.mean(values):.4f} ± {spread:.4f}"
        line["leaves"] = f"{statistics.mean(r['leaves'] for r in mine):,.0f}"
        line["kB"] = f"{statistics.mean(r['bytes'] for r in mine) / 1000:,.0f}"
        line["seconds"] = f"{statistics.median(r['seconds'] for r in mine):.2f}"
        lines.append(line)
    return lines


def installed(names: list[str]) -> list[str]:
    """Return the rivals that are here, saying why the others are not."""
    found = []
    for name in names:
        try:
            importlib.import_module(RIVALS[name])
        except ImportError as reason:
            print(f"skipped {name}: {reason} (README.md says how to install it)")
        else:
            found.append(name)
    return found


def cases(plan: Plan) -> list[tuple[str, int]]:
    """Return data sets that are here, with each size of the plan."""
    return [(name, leaves) for name in available(list(plan)) for leaves in plan[name]]


def main(options: argparse.Namespace) -> None:
    """Run every installed rival on every data set and size."""
    names = list(RIVALS) if options.rival == "all" else [options.rival]
    n_splits, limit = (1, SMALL_ROWS) if options.small else (3, None)
    for rival in installed(names):
        plan = SMALL if options.small else FULL[rival]
        results: list[Row] = []
        tables = {}
        for name, leaves in cases(plan):
            rows = []
            for seed in range(n_splits):
                rows += study(rival, name, leaves, seed, limit)
                print(f"{name}, {leaves} leaves, split {seed} done", flush=True)
            tables[f"{name}, {leaves} leaves, {n_splits} splits"] = means(rows)
            results += rows
        env = environment("imodels", "autogluon.tabular", "lightgbm")
        record = {"environment": env, "rival": rival, "results": results}
        report(f"rivals-{rival}", options, record, tables)


if __name__ == "__main__":
    parser = parse(__doc__ or "")
    parser.add_argument("--rival", choices=["all", *RIVALS], default="all")
    main(start(parser))
