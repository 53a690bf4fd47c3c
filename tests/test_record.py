"""The record of labels: new rows, held-out teachers, other orders, other sources."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, cross_fit, external_labels, model_labels
from semikd.distillation import SelfDistilledClassifier
from semikd.evaluation import risks
from semikd.exceptions import LeakageWarning
from semikd.teachers import CalibratedTeacher, EnsembleTeacher, SquaresTeacher

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] + RNG.normal(size=60) > 0).astype(int)
NEW = RNG.normal(size=(25, 3))
TREE = DecisionTreeClassifier(max_depth=3)


def test_new_rows_get_the_mean_of_all_fold_teachers() -> None:
    labels = cross_fit(TREE, X, Y, n_repeats=3, random_state=0)
    each = [t.predict_proba(NEW) for repeat in labels.teachers for t in repeat]
    assert len(each) == 15
    np.testing.assert_allclose(labels.label(NEW), np.mean(each, axis=0), rtol=1e-12)


def test_a_refitted_teacher_learned_from_all_rows_that_count() -> None:
    weights = np.r_[np.zeros(20), np.ones(40)]
    logistic = LogisticRegression()
    labels = cross_fit(
        logistic, X, Y, new_rows="refit", sample_weight=weights, random_state=0
    )
    expected = clone(logistic).fit(X[20:], Y[20:]).predict_proba(NEW)
    np.testing.assert_allclose(labels.label(NEW), expected, rtol=1e-12)
    assert labels.teachers == ()


@pytest.mark.parametrize("n_repeats", [1, 3])
def test_the_teachers_that_label_a_row_did_not_see_the_one_it_names(
    n_repeats: int,
) -> None:
    labels = cross_fit(TREE, X, Y, cv=4, n_repeats=n_repeats, random_state=0)
    parents = RNG.integers(0, 60, size=25)
    expected = [
        np.mean(
            [
                labels.teachers[r][labels.fold[r, parent]].predict_proba(row[None])[0]
                for r in range(n_repeats)
            ],
            axis=0,
        )
        for row, parent in zip(NEW, parents, strict=True)
    ]
    np.testing.assert_allclose(labels.label(NEW, exclude=parents), expected)
    assert np.abs(labels.label(NEW) - expected).max() > 0.05


def test_each_row_without_itself_has_its_own_label() -> None:
    labels = cross_fit(TREE, X, Y, n_repeats=2, random_state=0)
    np.testing.assert_allclose(labels.label(X, exclude=np.arange(60)), labels.mean)


def test_aligned_labels_follow_their_rows_and_keep_their_teachers() -> None:
    labels = cross_fit(TREE, X, Y, random_state=0)
    order = RNG.permutation(60)
    moved = labels.align(X[order])
    moved.check_rows(X[order])
    np.testing.assert_array_equal(moved.mean, labels.mean[order])
    np.testing.assert_allclose(
        moved.label(NEW[:5], exclude=np.arange(5)),
        labels.label(NEW[:5], exclude=order[:5]),
    )
    np.testing.assert_array_equal(moved.align(X).mean, labels.mean)


def test_copies_keep_their_order_when_labels_are_aligned() -> None:
    table = np.array([[1.0], [2.0], [1.0], [2.0]])
    labels = external_labels(table, [1.0, 2.0, 3.0, 4.0])
    moved = labels.align(np.array([[2.0], [1.0], [1.0], [2.0]]))
    np.testing.assert_array_equal(moved.mean[:, 0], [2.0, 1.0, 3.0, 4.0])


def test_the_same_rows_in_another_kind_of_table_are_accepted() -> None:
    cross_fit(TREE, X, Y, random_state=0).check_rows(pd.DataFrame(X))


def test_a_record_survives_a_pickle() -> None:
    labels = cross_fit(TREE, X, Y, random_state=0)
    again = pickle.loads(pickle.dumps(labels))  # noqa: S301
    np.testing.assert_array_equal(again.label(NEW), labels.label(NEW))


def test_the_mean_over_repeats_is_missing_where_one_label_is() -> None:
    labels = cross_fit(TREE, X, Y, cv="split", n_repeats=3, random_state=0)
    every = (labels.fold == 0).all(axis=0)
    assert 0 < every.sum() < 30
    np.testing.assert_array_equal(labels.labelled, every)
    np.testing.assert_array_equal(np.isfinite(labels.mean).all(axis=1), every)


@pytest.mark.parametrize("form", [np.asarray, list, pd.Series])
def test_one_column_is_the_probability_of_the_second_class(form: Any) -> None:
    second = RNG.uniform(size=60)
    labels = external_labels(X, form(second), classes=["a", "b"])
    np.testing.assert_allclose(labels.mean, np.stack([1 - second, second], axis=1))
    assert labels.outputs == ("a", "b")
    assert labels.strategy == "labels from elsewhere"


def test_labels_from_elsewhere_may_lack_rows_and_say_where_they_come_from() -> None:
    p = RNG.dirichlet(np.ones(3), size=60)
    p[5, 1] = np.nan
    fold = np.arange(60) % 4
    labels = external_labels(X, p, classes=[0, 1, 2], fold=fold, honest=False)
    assert np.flatnonzero(~labels.labelled).tolist() == [5]
    assert np.isnan(labels.mean[5]).all()
    np.testing.assert_allclose(np.delete(labels.mean, 5, 0), np.delete(p, 5, 0))
    np.testing.assert_array_equal(labels.fold, fold[None])
    assert not labels.honest
    # The table of the caller is as it was.
    assert np.isfinite(p).sum() == 179


def test_means_from_elsewhere_may_be_any_numbers() -> None:
    means = RNG.normal(size=(60, 2)) * 100
    means[7] = np.nan
    labels = external_labels(X, means)
    np.testing.assert_array_equal(labels.mean, means)
    assert labels.classes is None
    assert (labels.fold == -1).all()


def test_a_model_labels_unseen_rows_and_later_new_ones() -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    labels = model_labels(forest, NEW, seen=X)
    np.testing.assert_allclose(labels.mean, forest.predict_proba(NEW))
    np.testing.assert_allclose(labels.label(X), forest.predict_proba(X))
    assert labels.honest


def test_a_regressor_labels_rows_by_its_means() -> None:
    outcomes = np.stack([X[:, 0], X[:, 1] ** 2], axis=1)
    for y, width in ((outcomes[:, 1], 1), (outcomes, 2)):
        model = LinearRegression().fit(X, y)
        labels = model_labels(model, NEW)
        expected = model.predict(NEW).reshape(-1, width)
        np.testing.assert_allclose(labels.mean, expected)


def test_a_column_of_outcomes_is_one_output() -> None:
    column = cross_fit(Ridge(), X, X[:, :1], cv=3, random_state=0)
    vector = cross_fit(Ridge(), X, X[:, 0], cv=3, random_state=0)
    np.testing.assert_allclose(column.prediction, vector.prediction)


def grown(kind: str) -> Any:
    """Return a model that knows its rows X, in one way or another."""
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    if kind == "neighbours":
        return KNeighborsClassifier(1).fit(X, y)
    if kind == "kernel ridge":
        return KernelRidge().fit(X, y)
    neighbours, tree = KNeighborsClassifier(1), DecisionTreeRegressor(max_leaf_nodes=4)
    inside = {
        "ensemble": EnsembleTeacher(neighbours, n_members=1),
        "calibrated": CalibratedTeacher(neighbours),
        "squares": SquaresTeacher(KNeighborsRegressor(1)),
        "generations": SelfDistilledClassifier(LogisticRegression(), tree),
        "ensemble of generations": EnsembleTeacher(
            SelfDistilledClassifier(LogisticRegression(), tree), n_members=2
        ),
    }
    if kind in inside:
        return inside[kind].fit(X, y)
    recipe = DistilledClassifier(LogisticRegression(), random_state=0)
    return recipe.fit(pd.DataFrame(X) if kind == "frame" else X, y)


@pytest.mark.parametrize(
    "kind",
    [
        "neighbours",
        "kernel ridge",
        "distilled",
        "frame",
        "ensemble",
        "calibrated",
        "squares",
        "generations",
        "ensemble of generations",
    ],
)
def test_a_model_that_knows_its_rows_labels_none_of_them(kind: str) -> None:
    model = grown(kind)
    table = np.vstack([X[:7], NEW])
    given = pd.DataFrame(table) if kind == "frame" else table
    words = f"7 of {len(table)} rows are in the model's training table"
    with pytest.warns(LeakageWarning, match=words):
        labels = model_labels(model, given)
    assert labels.labelled.tolist() == [False] * 7 + [True] * len(NEW)
    assert labels.strategy == "a fitted model on rows it did not see"


@pytest.mark.parametrize("cv", [4, 2])
def test_generations_of_a_fold_know_the_rows_of_the_other_folds(cv: int) -> None:
    # With 4 folds the generations share them; with 2 each copy has folds of its own.
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    teacher = SelfDistilledClassifier(LogisticRegression(), Ridge(), cv=3)
    record = cross_fit(teacher, X, y, cv=cv, random_state=0)
    for t, model in enumerate(record.teachers[0]):
        with pytest.warns(LeakageWarning, match="training table"):
            labels = model_labels(model, X)
        np.testing.assert_array_equal(labels.labelled, record.fold[0] == t)


def test_what_a_model_cannot_know_is_said_to_be_assumed() -> None:
    y = (X[:, 0] > np.median(X[:, 0])).astype(int)
    labels = model_labels(LogisticRegression().fit(X, y), X)
    assert labels.labelled.all()
    found = risks(np.arange(len(X)) % 2, labels, metrics=["log_loss"])
    assert found.estimand.startswith("risk of what made the labels (a fitted model on")
    assert "it is assumed not to have seen) on new rows" in found.estimand
    assert found.conditions[0].startswith("it saw none of these rows")
    assert "fold models" not in found.summary()
