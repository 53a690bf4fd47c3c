"""Honest trees: who chose, who judges, and what a tree that peeked is worth."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse, special, stats
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, cross_fit
from semikd.artifact import ship
from semikd.crossfit import row_hashes
from semikd.distillation import HonestTree, honest_tree
from semikd.encoding import Encoder, NumberColumn
from semikd.exceptions import SemikdWarning
from semikd.inference import LeafMeans, leaf_means
from semikd.students.refilled import ended, refilled

FloatArray = NDArray[np.float64]
Labels = NDArray[np.intp]


def draw(n: int, seed: int, d: int = 5) -> tuple[FloatArray, Labels]:
    """Return rows of two classes whose first column tells their probability."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1.0, 1.0, size=(n, d))
    return X, (rng.random(n) < special.expit(X[:, 0])).astype(np.intp)


def recipe(leaves: int = 4, **settings: Any) -> DistilledClassifier:
    """Return a quick teacher and a small tree."""
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=20)
    return DistilledClassifier(LogisticRegression(), tree, cv=2, **settings)


@pytest.fixture(scope="module")
def rows() -> tuple[FloatArray, Labels]:
    return draw(400, 0)


def test_values_are_means_of_the_leaf_rows_alone(
    rows: tuple[FloatArray, Labels],
) -> None:
    X, y = rows
    tree = honest_tree(recipe(), X, y, random_state=0)
    both = np.concatenate([tree.structure_rows, tree.leaf_rows])
    assert sorted(both) == list(range(400))
    assert len(tree.leaf_rows) == 200
    at = tree.leaf_rows
    again = leaf_means(tree.apply(X[at]), y[at], classes=[0, 1], random_state=1)
    np.testing.assert_allclose(again.estimate, tree.leaves.estimate)
    np.testing.assert_allclose(again.conf_int(), tree.leaves.conf_int())
    known = dict(zip(tree.leaves.leaves, tree.leaves.estimate, strict=True))
    said = tree.predict_proba(X)
    np.testing.assert_allclose(said[:, 1], [known[leaf] for leaf in tree.apply(X)])
    np.testing.assert_allclose(said.sum(axis=1), 1.0)
    assert (tree.predict(X) == (said[:, 1] > 0.5)).all()


def test_outcomes_of_leaf_rows_have_no_part_in_the_splits(
    rows: tuple[FloatArray, Labels],
) -> None:
    X, y = rows
    tree = honest_tree(recipe(), X, y, random_state=0)
    turned = y.copy()
    turned[tree.leaf_rows] = 1 - turned[tree.leaf_rows]
    other = honest_tree(recipe(), X, turned, random_state=0)
    np.testing.assert_array_equal(tree.tree.tree_.threshold, other.tree.tree_.threshold)
    np.testing.assert_allclose(tree.leaves.estimate, 1.0 - other.leaves.estimate)


def test_the_splits_are_those_of_the_recipe_on_the_structure_rows(
    rows: tuple[FloatArray, Labels],
) -> None:
    X, y = rows
    fixed = recipe(random_state=3)
    fixed.student.set_params(random_state=0)
    tree = honest_tree(fixed, X, y, random_state=0)
    at = tree.structure_rows
    alone = clone(fixed).fit(X[at], y[at]).student_
    np.testing.assert_array_equal(tree.apply(X), alone.apply(X))
    assert not hasattr(fixed, "student_")


def test_copies_and_clusters_stay_on_one_side() -> None:
    X, y = draw(200, 1)
    X, y = np.concatenate([X, X[:100]]), np.concatenate([y, y[:100]])
    tree = honest_tree(recipe(), X, y, random_state=0)
    hashes = row_hashes(X)
    assert not set(hashes[tree.structure_rows]) & set(hashes[tree.leaf_rows])
    assert tree.leaves.n_units.sum() == len(set(hashes[tree.leaf_rows]))
    assert tree.leaves.n_rows.sum() == len(tree.leaf_rows)
    clusters = np.arange(300) // 5
    tree = honest_tree(recipe(), X, y, clusters=clusters, random_state=0)
    assert not set(clusters[tree.structure_rows]) & set(clusters[tree.leaf_rows])
    assert "30 clusters" in tree.leaves.conditions[1]
    assert "rows in " in tree.to_text()


def test_the_division_does_not_look_at_outcomes_and_the_seed_repeats_it(
    rows: tuple[FloatArray, Labels],
) -> None:
    X, y = rows
    first = honest_tree(recipe(), X, y, random_state=5)
    again = honest_tree(recipe(), X, y, random_state=5)
    other = honest_tree(recipe(), X, 1 - y, random_state=5)
    np.testing.assert_array_equal(first.leaf_rows, other.leaf_rows)
    pd.testing.assert_frame_equal(first.leaves.to_frame(), again.leaves.to_frame())
    less = honest_tree(recipe(), X, y, structure=0.25, random_state=5)
    assert len(less.structure_rows) == 100


def test_rows_of_weight_zero_take_no_part(rows: tuple[FloatArray, Labels]) -> None:
    X, y = rows
    weights = np.where(np.arange(400) < 300, 2.0, 0.0)
    tree = honest_tree(recipe(), X, y, sample_weight=weights, random_state=0)
    alone = honest_tree(recipe(), X[:300], y[:300], random_state=0)
    np.testing.assert_array_equal(tree.leaf_rows, alone.leaf_rows)
    np.testing.assert_allclose(tree.leaves.estimate, alone.leaves.estimate)


def test_splits_that_leaf_rows_do_not_fill_are_taken_back() -> None:
    X, y = draw(60, 2)
    tree = DecisionTreeRegressor(min_samples_leaf=1)
    distiller = DistilledClassifier(LogisticRegression(), tree, cv=2)
    with pytest.warns(SemikdWarning, match="The tree keeps"):
        found = honest_tree(distiller, X, y, random_state=0)
    assert found.leaves.n_rows.min() >= 2
    assert found.tree.get_n_leaves() == len(found.leaves.leaves)
    assert set(found.apply(X)) <= set(found.leaves.leaves)


def test_frames_pipelines_and_three_classes() -> None:
    X, y = draw(600, 3)
    frame = pd.DataFrame(X, columns=["a", "b", "c $x_1$", "d", "e"])
    y = np.array(["no", "so so", "yes"])[y + (X[:, 1] > 0.5)]
    tree = DecisionTreeRegressor(max_leaf_nodes=3, min_samples_leaf=20)
    distiller = DistilledClassifier(
        LogisticRegression(),
        make_pipeline(StandardScaler().set_output(transform="pandas"), tree),
        loss="log_probability",
        cv=StratifiedKFold(3),
    )
    found = honest_tree(distiller, frame, y, random_state=0)
    assert found.feature_names == list(frame.columns)
    said = found.predict_proba(frame)
    assert said.shape == (600, 3)
    at = found.leaf_rows
    leaf = found.apply(frame)
    for own in found.leaves.leaves:
        inside = at[leaf[at] == own]
        means = [np.mean(y[inside] == name) for name in found.classes_]
        np.testing.assert_allclose(said[leaf == own], np.tile(means, (1, 1)).repeat(
            np.sum(leaf == own), axis=0))  # fmt: skip
    assert set(found.predict(frame)) <= {"no", "so so", "yes"}
    assert "no 0." in found.to_text()
    assert found.plot() is not None


def test_a_regression_has_means_in_its_leaves() -> None:
    X, _ = draw(300, 4)
    y = X[:, 0] + np.random.default_rng(0).normal(size=300)
    tree = DecisionTreeRegressor(max_leaf_nodes=3, min_samples_leaf=20)
    distiller = DistilledRegressor(LinearRegression(), tree)
    found = honest_tree(distiller, X, y, random_state=0)
    at = found.leaf_rows
    for place, own in enumerate(found.leaves.leaves):
        mine = y[at][found.apply(X[at]) == own]
        theirs = stats.ttest_1samp(mine, 0.0).confidence_interval(0.95)
        np.testing.assert_allclose(found.leaves.conf_int()[place], [*theirs])
    assert set(found.predict(X).round(9)) == set(found.leaves.estimate.round(9))
    with pytest.raises(TypeError, match="tree must predict classes"):
        found.predict_proba(X)


def test_without_a_student_the_tree_fits_one_picture() -> None:
    X, y = draw(600, 5)
    found = honest_tree(DistilledClassifier(LogisticRegression()), X, y, random_state=0)
    assert 2 <= found.tree.get_n_leaves() <= 8


def test_text_and_picture_show_each_leaf_with_its_own_interval(
    rows: tuple[FloatArray, Labels],
) -> None:
    X, y = rows
    found = honest_tree(recipe(6), X, y, random_state=0)
    text = found.to_text(0.9)
    assert "90 % interval" in text
    ends = found.leaves.conf_int(0.9)
    for own, (low, high) in zip(found.leaves.leaves, ends, strict=True):
        (line,) = (each for each in text.splitlines() if f"leaf {own}," in each)
        assert f"[{low:.3g}, {high:.3g}]" in line
    upper, lower = found.plot(0.9).axes
    shown = [int(label.get_text()) for label in lower.get_xticklabels()]
    # Leaves stand from left to right as in the tree, whatever their numbers are.
    places = {
        int(text.get_text().split()[1]): text.get_position()[0]
        for text in upper.texts
        if text.get_text().startswith("leaf ")
    }
    assert [places[own] for own in shown] == list(range(len(shown)))
    drawn = lower.collections[1].get_segments()
    known = dict(zip(found.leaves.leaves, ends, strict=True))
    for own, segment in zip(shown, drawn, strict=True):
        np.testing.assert_allclose(segment[:, 1], known[own])


def test_an_honest_tree_ships(rows: tuple[FloatArray, Labels]) -> None:
    X, y = rows
    found = honest_tree(recipe(), X, y, random_state=0)
    encoder = Encoder(tuple(NumberColumn(name) for name in "abcde"))
    shipped = ship(found, encoder, target="y")
    table = {name: X[:, at].tolist() for at, name in enumerate("abcde")}
    np.testing.assert_allclose(shipped.predict_proba(table), found.predict_proba(X))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"distiller": LogisticRegression()}, "distiller must be a DistilledClass"),
        ({"distiller": DistilledClassifier(student=LinearRegression())}, "be a tree"),
        ({"distiller": recipe().set_params(cv=np.arange(400) % 2)}, "cv must be a num"),
        ({"structure": 1.0}, "structure must"),
        ({"structure": 0.0}, "structure must"),
        ({"structure": "half"}, "structure must"),
        ({"clusters": np.zeros(400)}, "X must have at least 2 clusters on either side"),
        ({"clusters": np.zeros(3)}, r"clusters must have shape \(400,\)"),
        ({"level": 95}, "level must lie strictly"),
        ({"y": np.zeros(400)}, "y must have at least two classes"),
        (
            {"y": np.arange(400) == 7, "structure": 0.01},
            "y must have two classes among the structure rows; got only False",
        ),
        ({"y": np.zeros(399)}, "inconsistent numbers of samples"),
        ({"sample_weight": np.zeros(400)}, "sample_weight must have a positive sum"),
    ],
)
def test_what_cannot_be_used_is_refused(
    settings: dict[str, Any], words: str, rows: tuple[FloatArray, Labels]
) -> None:
    asked = {"distiller": recipe(), "X": rows[0], "y": rows[1], **settings}
    asked.setdefault("random_state", 0)
    with pytest.raises((ValueError, TypeError), match=words):
        honest_tree(asked.pop("distiller"), asked.pop("X"), asked.pop("y"), **asked)


def test_labels_that_were_brought_are_refused(rows: tuple[FloatArray, Labels]) -> None:
    labels = cross_fit(LogisticRegression(), *rows, random_state=0)
    with pytest.raises(ValueError, match=r"cv must be .*; got OutOfFold\. Teach"):
        honest_tree(recipe().set_params(cv=labels), *rows)


N_TABLES = 500
TEACHER = DecisionTreeClassifier(min_samples_leaf=20)
STUDENT = DecisionTreeRegressor(max_leaf_nodes=8, min_samples_leaf=20)


def without_care(tree: HonestTree, X: FloatArray, y: Labels, seed: int) -> Any:
    """Yield trees whose structure labels, or splits, saw the outcomes of leaf rows."""
    seen = clone(TEACHER).set_params(random_state=seed).fit(X, y).predict_proba(X)[:, 1]
    folds = cross_fit(TEACHER, X, y, cv=2, random_state=seed).mean[:, 1]
    at, leaf_rows = tree.structure_rows, tree.leaf_rows
    student = clone(STUDENT).set_params(random_state=seed)
    yield "in-sample labels", clone(student).fit(X[at], seen[at])
    yield "out-of-fold labels", clone(student).fit(X[at], folds[at])
    yield "own rows", clone(student).fit(X[leaf_rows], y[leaf_rows])


def covered(found: LeafMeans, truth: FloatArray) -> tuple[NDArray[np.bool_], bool]:
    """Return whether each leaf's interval covers, and whether all do together."""
    own = truth[list(found.leaves)]
    hit = [
        (ends[:, 0] < own) & (own < ends[:, 1])
        for ends in (found.conf_int(), found.conf_int(kind="simultaneous"))
    ]
    return hit[0], bool(hit[1].all())


@pytest.mark.slow
def test_honest_leaves_cover_and_leaves_that_saw_outcomes_do_not() -> None:
    """500 tables of 600 rows, 8 leaves; given the tree, leaves are independent.

    Of one leaf 0.93 would be found with 93 % power, of all together 0.89 with 89 %.
    Negative controls: the structure rows have labels by a teacher of all rows; labels
    of all rows out of fold, whose teachers saw leaf rows; leaves chosen by themselves.
    """
    many = draw(100_000, 1_000_000)[0]
    p_many = special.expit(many[:, 0])
    alone: dict[str, list[Any]] = {}
    together: dict[str, list[bool]] = {}
    for seed in range(N_TABLES):
        X, y = draw(600, seed)
        tree = honest_tree(
            DistilledClassifier(TEACHER, STUDENT, cv=2), X, y, random_state=seed
        )
        found = [("honest", tree.tree, tree.leaves)]
        at = tree.leaf_rows
        for name, other in without_care(tree, X, y, seed):
            leaf = other.apply(X[at])
            kept = np.bincount(leaf)[leaf] > 1
            means = leaf_means(
                leaf[kept], y[at][kept], classes=[0, 1], random_state=seed
            )
            found.append((name, other, means))
        for name, grown, means in found:
            leaf = grown.apply(many)
            truth = np.bincount(leaf, p_many) / np.maximum(np.bincount(leaf), 1)
            each, every = covered(means, truth)
            alone.setdefault(name, []).extend(each)
            together.setdefault(name, []).append(every)
    rates = {name: (np.mean(alone[name]), np.mean(together[name])) for name in alone}
    for hits in (alone, together):
        law = stats.binom(len(hits["honest"]), 0.95)
        low, high = law.ppf(0.5e-4), law.ppf(1 - 0.5e-4)
        assert low <= sum(hits["honest"]) <= high, rates
    for name in ("in-sample labels", "out-of-fold labels", "own rows"):
        assert sum(alone[name]) < stats.binom(len(alone[name]), 0.95).ppf(0.5e-4), rates


def test_a_split_that_leaves_nothing_is_skipped_and_what_is_below_it_stays() -> None:
    """A few rows far out are split off first; the leaf rows have none of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 1))
    tree = DecisionTreeRegressor(max_depth=2, random_state=0)
    far = np.concatenate([X[:200], [[50.0], [51.0], [52.0]]])
    tree.fit(far, np.where(far[:, 0] > 40, 100.0, (far[:, 0] > 0) * 1.0))
    path = sparse.csc_array(tree.decision_path(X[200:]))
    kept = ended(tree.tree_, path, 2)
    assert 0 not in kept
    value = np.zeros((len(kept), 1))
    smaller = refilled(tree, kept, value)
    assert smaller.get_n_leaves() == 2
    np.testing.assert_array_equal(
        smaller.apply(X) == smaller.apply(X)[0], tree.apply(X) == tree.apply(X)[0]
    )
