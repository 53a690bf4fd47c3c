"""Students that learn from outcomes alone, tuned as well as a careful user would.

scikit-learn is imported by the functions: the threads are fixed before it starts any.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from _cells import FloatArray
from _study import scores

FEATURES = (1.0, 1 / 3, "sqrt")


@dataclass(frozen=True)
class Tuned:
    """The learner that folds pick, and what it says of test rows for each seed."""

    learner: Any
    table: Any

    def predict(self, X: FloatArray, seed: int) -> tuple[FloatArray, int]:
        """Return class probabilities and leaves after a fit with that seed."""
        from sklearn.base import clone

        from semikd.students.sizes import count_leaves

        learner = clone(self.learner).set_params(random_state=seed)
        fitted = fit(learner, self.table)
        return probabilities(fitted, X), int(count_leaves(fitted) or 0)


def tree_grid(sizes: Sequence[int | None], leaves: Sequence[int]) -> list[Any]:
    """Return trees of every size and smallest leaf, both kinds and both criteria."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    found: list[Any] = []
    for size, least in product(sizes, leaves):
        shape = {"max_leaf_nodes": size, "min_samples_leaf": least}
        found.append(DecisionTreeRegressor(**shape))
        found += [
            DecisionTreeClassifier(criterion=name, **shape)
            for name in ("gini", "entropy")
        ]
    return found


def forest_grid(n_trees: int, leaves: Sequence[int]) -> list[Any]:
    """Return forests of that many trees, classifiers and regressors."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return [
        kind(n_trees, max_features=features, min_samples_leaf=least)
        for kind in (RandomForestRegressor, RandomForestClassifier)
        for features, least in product(FEATURES, leaves)
    ]


def grid_of(learner: Any) -> list[Any]:
    """Return what is tried in the place of a tree or forest; empty for others."""
    own = learner.get_params()
    if "n_estimators" in own:
        return forest_grid(own["n_estimators"], (1, 5, 20))
    if "max_leaf_nodes" in own:
        return tree_grid((own["max_leaf_nodes"],), (1, 5, 20, 50, 100))
    return []


def fit(learner: Any, table: Any) -> Any:
    """Fit a classifier to classes, a regressor to their indicators."""
    from sklearn.base import is_classifier

    if is_classifier(learner):
        return learner.fit(table.X, table.y)
    indicators = (table.y[:, None] == table.classes).astype(np.float64)
    target = indicators[:, 1] if len(table.classes) == 2 else indicators
    return learner.fit(table.X, target)


def probabilities(learner: Any, X: FloatArray) -> FloatArray:
    """Return class probabilities, shape (n, k)."""
    from sklearn.base import is_classifier

    if is_classifier(learner):
        return np.asarray(learner.predict_proba(X))
    said = np.clip(learner.predict(X), 0.0, 1.0)
    return said if said.ndim == 2 else np.column_stack([1.0 - said, said])


def folds_of(table: Any, seed: int) -> list[Any]:
    """Return five folds, copies and groups undivided."""
    from semikd.crossfit.folds import integer_folds

    ((*folds,),) = integer_folds(5, table.rows(), n_repeats=1, random_state=seed)
    return folds


def tuned(
    grid: Sequence[Any], table: Any, seed: int, metrics: Sequence[str]
) -> dict[str, Tuned]:
    """Return the learner that five folds pick by each metric."""
    from sklearn.base import clone

    totals: dict[str, list[float]] = {metric: [] for metric in metrics}
    parts = [(table.take(f.train), table.take(f.test)) for f in folds_of(table, seed)]
    for learner in grid:
        found = []
        for train, test in parts:
            own = fit(clone(learner).set_params(random_state=seed), train)
            found.append(scores(test.y, probabilities(own, test.X)))
        for metric in metrics:
            sign = -1.0 if metric == "log-loss" else 1.0
            totals[metric].append(sign * float(np.mean([f[metric] for f in found])))
    return {
        metric: Tuned(grid[int(np.argmax(values))], table)
        for metric, values in totals.items()
    }


def tuned_student(
    learner: Any, table: Any, X: FloatArray, seeds: Sequence[int]
) -> list[tuple[FloatArray, int | None]]:
    """Return what the tuned student says for each seed, with its leaves.

    The settings are picked once, by log-loss.
    """
    from semikd.evaluation import Classification
    from semikd.evaluation.scratch import fit_scratch, scratch_settings, tune_scratch
    from semikd.students import new_student

    grid = grid_of(learner)
    if grid:
        best = tuned(grid, table, seeds[0], ["log-loss"])["log-loss"]
        return [best.predict(X, seed) for seed in seeds]
    task = Classification()
    n = len(table.y)
    first = new_student(learner, n, None, seeds[0])
    settings = scratch_settings(first) or [{}]
    picked = tune_scratch(first, table, task, settings=settings, seed=seeds[0])
    found: list[tuple[FloatArray, int | None]] = []
    for seed in seeds:
        student = new_student(learner, n, None, seed)
        student.configure(picked)
        fit_scratch(student, table, task)
        loss = task.scratch_loss(student)
        said = np.asarray(loss.probabilities(student.scores(X)))
        found.append((said, student.size().leaves))
    return found
