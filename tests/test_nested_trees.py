"""A tree of any size is a prefix of the largest one: the same nodes, bit by bit."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from semikd.losses import ProbabilityLoss
from semikd.students import as_student
from semikd.students.nested import largest_of, pruned


@pytest.fixture(scope="module")
def rows():
    draws = np.random.default_rng(0)
    X = draws.integers(0, 30, (2000, 6)).astype(float)
    X[draws.random(X.shape) < 0.05] = np.nan
    target = np.c_[draws.random(2000) < 0.3, np.nan_to_num(X[:, 0]) > 15] * 1.0
    return X, target, draws.integers(1, 3, 2000).astype(float)


@pytest.mark.parametrize("n_leaves", [2, 3, 16, 63, 64])
def test_a_smaller_tree_is_what_a_fit_of_that_size_gives(rows, n_leaves: int) -> None:
    X, target, weights = rows
    settings = {"min_samples_leaf": 4, "random_state": 3}
    large, small = (
        DecisionTreeRegressor(max_leaf_nodes=n, **settings).fit(X, target, weights)
        for n in (64, n_leaves)
    )
    found, direct = pruned(large, n_leaves).tree_, small.tree_
    assert found.n_leaves == n_leaves == direct.n_leaves
    assert found.max_depth == direct.max_depth
    kept = [state.__getstate__() for state in (found, direct)]
    for name in direct.__getstate__()["nodes"].dtype.names:
        np.testing.assert_array_equal(*(state["nodes"][name] for state in kept))
    np.testing.assert_array_equal(*(state["values"] for state in kept))


def test_many_sizes_are_fitted_as_one_by_one(rows) -> None:
    X, target, weights = rows
    settings = [
        {},
        *(
            {"max_leaf_nodes": n, "min_samples_leaf": m}
            for n in (4, 9)
            for m in (1, 50)
        ),
    ]
    tree = DecisionTreeRegressor(max_leaf_nodes=20, random_state=0)
    for student, prefix in (
        (as_student(tree), ""),
        (as_student(make_pipeline(StandardScaler(), tree)), "decisiontreeregressor__"),
    ):
        own = [{prefix + k: v for k, v in setting.items()} for setting in settings]
        options = {"loss": ProbabilityLoss(), "sample_weight": weights}
        many = student.fit_many(X, [target] * len(own), settings=own, **options)
        for setting, fitted in zip(own, many, strict=True):
            alone = student.copy().configure(setting).fit_target(X, target, **options)
            np.testing.assert_array_equal(fitted.scores(X), alone.scores(X))


def test_different_targets_grow_different_trees(rows) -> None:
    X, target, _ = rows
    student = as_student(DecisionTreeRegressor(max_leaf_nodes=8, random_state=0))
    one, other = student.fit_many(
        X, [target[:, :1], target[:, 1:]], loss=ProbabilityLoss()
    )
    assert not np.array_equal(one.scores(X), other.scores(X))


def test_trees_that_no_prefix_describes_are_left_alone() -> None:
    sizes = [{"max_leaf_nodes": 4}, {"max_leaf_nodes": 8}]
    assert largest_of(DecisionTreeRegressor(random_state=0), sizes) == {1: [0, 1]}
    assert largest_of(DecisionTreeRegressor(), sizes) is None
    assert (
        largest_of(DecisionTreeRegressor(ccp_alpha=0.1, random_state=0), sizes) is None
    )
    assert largest_of(RandomForestRegressor(random_state=0), sizes) is None
    uncapped = [{"max_leaf_nodes": None}, *sizes]
    seeded = DecisionTreeRegressor(random_state=0)
    assert largest_of(seeded, uncapped) == {0: [0], 2: [1, 2]}
