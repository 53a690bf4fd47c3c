"""Honest leaves of a distilled tree, and leaves that are not."""

from functools import partial
from typing import Any

import numpy as np
from _processes import FITS, fresh, logistic, teacher_of
from _study import Case, Draw, inside, inside_all

LEAVES = 8


def recipe(seed: int) -> Any:
    """Return a distiller whose student is a small tree."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd import DistilledClassifier

    tree = DecisionTreeRegressor(max_leaf_nodes=LEAVES, min_samples_leaf=15)
    return DistilledClassifier(teacher_of(FITS), tree, random_state=seed)


def truth_of(leaf: Any, names: Any) -> Any:
    """Return the probability in each leaf of rows that nobody saw."""
    judge = fresh()
    return np.array([judge.p[leaf == name].mean() for name in names])


def honest(n: int, seed: int) -> Draw:
    """Return whether the intervals of an honest tree hold."""
    from semikd.distillation import honest_tree

    rows = logistic(n, seed)
    found = honest_tree(recipe(seed), rows.X, rows.y, random_state=seed)
    truth = truth_of(found.apply(fresh().X), found.leaves.leaves)
    # One leaf of each table, so that tables are independent.
    at = seed % len(truth)
    return {
        "honest leaves: one": inside(found.leaves, at, truth[at]),
        "honest leaves: all": inside_all(found.leaves, truth),
    }


def dishonest(n: int, n_trees: int, seed: int) -> Draw:
    """Return what labels do whose teacher, of trees, saw the rows of the leaves."""
    from sklearn.base import clone
    from sklearn.ensemble import RandomForestClassifier

    from semikd.inference import leaf_means

    rows = logistic(n, seed)
    forest = RandomForestClassifier(
        n_trees, bootstrap=n_trees > 1, max_features="sqrt", random_state=seed
    ).fit(rows.X, rows.y)
    tree = clone(recipe(seed).student).set_params(random_state=seed)
    half = n // 2
    tree.fit(rows.X[:half], forest.predict_proba(rows.X[:half])[:, 1])
    found = leaf_means(
        tree.apply(rows.X[half:]), rows.y[half:], classes=[0, 1], random_state=seed
    )
    truth = truth_of(tree.apply(fresh().X), found.leaves)
    at = seed % len(truth)
    whose = "leaves whose labels saw their rows"
    if n_trees == 1:
        whose += ", one tree's"
    return {
        f"{whose}: one": inside(found, at, truth[at]),
        f"{whose}: all": inside_all(found, truth),
    }


def crossed(n: int, seed: int) -> Draw:
    """Return what labels do that a tree grown on the rows of the leaves gave."""
    from sklearn.base import clone
    from sklearn.tree import DecisionTreeClassifier

    from semikd.inference import leaf_means

    rows, half = logistic(n, seed), n // 2
    grown = DecisionTreeClassifier(random_state=seed).fit(rows.X[half:], rows.y[half:])
    tree = clone(recipe(seed).student).set_params(random_state=seed)
    tree.fit(rows.X[:half], grown.predict_proba(rows.X[:half])[:, 1])
    found = leaf_means(
        tree.apply(rows.X[half:]), rows.y[half:], classes=[0, 1], random_state=seed
    )
    truth = truth_of(tree.apply(fresh().X), found.leaves)
    at = seed % len(truth)
    return {
        "leaves, labels by their own rows: one": inside(found, at, truth[at]),
        "leaves, labels by their own rows: all": inside_all(found, truth),
    }


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [
        Case("honest leaves", {"n": n}, partial(honest, n)) for n in (300, 1000, 5000)
    ]
    seen = partial(dishonest, 1000, 20)
    found.append(Case("leaves, labels saw", {"n": 1000}, seen, "control"))
    alone = partial(dishonest, 1000, 1)
    found.append(Case("leaves, labels of a tree saw", {"n": 1000}, alone, "control"))
    other = partial(crossed, 1000)
    found.append(Case("leaves, labels by leaf rows", {"n": 1000}, other, "control"))
    return found
