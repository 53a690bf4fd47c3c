"""A weight is a repetition, order is nothing, and a seed is a promise."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, cross_fit
from semikd.exceptions import SemikdWarning
from semikd.students import LinearStudent, new_student

Floats = NDArray[np.float64]
N = 150
LOGISTIC = LogisticRegression(tol=1e-13, max_iter=10_000, solver="newton-cholesky")

# Learners that are themselves deterministic and blind to order and repetition.
MODELS = {
    "linear": DistilledClassifier(LOGISTIC, LinearStudent(), random_state=0),
    "adapted": DistilledClassifier(LOGISTIC, LogisticRegression(), random_state=0),
    "corrected": DistilledClassifier(
        LOGISTIC,
        LinearStudent(),
        loss="log_probability",
        correction=0.3,
        random_state=0,
    ),
    "trees": DistilledClassifier(
        DecisionTreeClassifier(max_depth=3, random_state=0),
        DecisionTreeRegressor(max_depth=3, random_state=0),
        random_state=0,
    ),
    "repeats": DistilledClassifier(
        LOGISTIC, LinearStudent(), n_repeats=3, random_state=4
    ),
    "split": DistilledClassifier(LOGISTIC, LinearStudent(), cv="split", random_state=0),
    "in-sample": DistilledClassifier(LOGISTIC, LinearStudent(), cv="in-sample"),
    "balanced": DistilledClassifier(
        LOGISTIC, LinearStudent(), class_weight="balanced", random_state=0
    ),
    "default student": DistilledClassifier(LOGISTIC, random_state=0),
    "regression": DistilledRegressor(Ridge(), Ridge(), random_state=0),
    "boosting": DistilledClassifier(random_state=0, cv=2),
}


def made(seed: int = 0) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
    """Return columns, labels, and weights 0, 1 or 2."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    y = (X[:, 0] + rng.normal(size=N) > 0).astype(int)
    return X, y, rng.integers(0, 3, N).astype(float)


def answers(model: Any, X: Floats) -> Floats:
    """Return probabilities, or means of a regression."""
    name = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    return np.asarray(getattr(model, name)(X))


@pytest.mark.parametrize("name", MODELS)
def test_a_weight_of_two_is_a_repeated_row_and_zero_an_absent_one(name: str) -> None:
    X, y, w = made()
    rows = np.repeat(np.arange(N), w.astype(int))
    weighted = clone(MODELS[name]).fit(X, y, sample_weight=w)
    repeated = clone(MODELS[name]).fit(X[rows], y[rows])
    # On the rows that teach: between them, a tree may cut at either of two columns
    # that divide them equally well.
    kept = X[w > 0]
    np.testing.assert_allclose(
        answers(weighted, kept), answers(repeated, kept), atol=1e-10
    )
    ignored = clone(MODELS[name]).fit(X, y)
    assert np.abs(answers(ignored, X) - answers(repeated, X)).max() > 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_a_permuted_table_gives_the_same_model(name: str) -> None:
    X, y, w = made()
    order = np.random.default_rng(5).permutation(N)
    straight = clone(MODELS[name]).fit(X, y, sample_weight=w)
    mixed = clone(MODELS[name]).fit(X[order], y[order], sample_weight=w[order])
    np.testing.assert_allclose(answers(straight, X), answers(mixed, X), atol=1e-10)
    np.testing.assert_array_equal(straight.labels_.fold[:, order], mixed.labels_.fold)


@pytest.mark.parametrize("kind", ["plain", "weights", "groups", "copies"])
def test_a_permuted_table_gives_the_same_estimated_correction(kind: str) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 3))
    if kind == "copies":
        X = X[rng.integers(0, 150, 400)]
    y = (np.abs(X[:, 0]) + 0.3 * rng.normal(size=400) > 0.7).astype(int)
    given = {
        "weights": {"sample_weight": rng.integers(0, 3, 400).astype(float)},
        "groups": {"groups": rng.integers(0, 100, 400)},
    }.get(kind, {})
    order = rng.permutation(400)
    turned = {name: values[order] for name, values in given.items()}
    # A tree's complexity is measured, by coins that the rows must take along.
    tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
    model = DistilledClassifier(LOGISTIC, tree, correction="estimated", random_state=0)
    before = clone(model).fit(X, y, **given)
    after = clone(model).fit(X[order], y[order], **turned)
    assert before.weight_of_labels_ > 0.1
    np.testing.assert_allclose(answers(before, X), answers(after, X), atol=1e-12)


def test_a_seed_repeats_the_model_and_another_changes_it() -> None:
    X, y, _ = made()
    teacher = DecisionTreeClassifier(max_features=1)
    model = DistilledClassifier(teacher, DecisionTreeRegressor(max_features=1))
    first, again, other = (
        clone(model).set_params(random_state=seed).fit(X, y).predict_proba(X)
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_a_generator_moves_on_between_fits() -> None:
    X, y, _ = made()
    model = DistilledClassifier(LOGISTIC, random_state=np.random.default_rng(0))
    first = model.fit(X, y).labels_.fold
    assert (model.fit(X, y).labels_.fold != first).any()


def test_workers_do_not_change_the_model() -> None:
    X, y, w = made()
    teacher = DecisionTreeClassifier(max_features=1)
    model = DistilledClassifier(teacher, n_repeats=2, random_state=0)
    alone = clone(model).fit(X, y, sample_weight=w).predict_proba(X)
    shared = clone(model).set_params(n_jobs=2).fit(X, y, sample_weight=w)
    np.testing.assert_array_equal(alone, shared.predict_proba(X))


def test_seeds_that_teacher_and_student_fix_stay() -> None:
    X, y, _ = made()
    teacher = DecisionTreeClassifier(random_state=11)
    student = DecisionTreeRegressor(max_depth=2, random_state=12)
    model = DistilledClassifier(teacher, student, random_state=0).fit(X, y)
    assert model.student_.random_state == 12
    record = cross_fit(teacher, X, y, random_state=0)
    assert {t.random_state for t in record.teachers[0]} == {11}
    assert student.random_state == 12
    open_seed = DistilledClassifier(LOGISTIC, random_state=0).fit(X, y).student_
    assert isinstance(open_seed.random_state, int)


def test_rows_of_weight_zero_get_no_label_and_teach_nothing() -> None:
    X, y, w = made()
    model = DistilledClassifier(LOGISTIC, LinearStudent(), random_state=0)
    spoiled = X.copy()
    spoiled[w == 0] = 1e3
    plain = clone(model).fit(X, y, sample_weight=w)
    np.testing.assert_array_equal(plain.labels_.labelled, w > 0)
    np.testing.assert_allclose(
        clone(model).fit(spoiled, y, sample_weight=w).predict_proba(X),
        plain.predict_proba(X),
        atol=1e-10,
    )


def test_weights_apply_to_labels_that_were_brought_too() -> None:
    X, y, w = made()
    record = cross_fit(LOGISTIC, X, y, random_state=0)
    model = DistilledClassifier(student=LinearRegression(), cv=record)
    model.fit(X, y, sample_weight=w)
    theirs = LinearRegression().fit(X, record.mean[:, 1], w)
    np.testing.assert_allclose(
        model.decision_function(X), theirs.predict(X) - 0.5, atol=1e-12
    )


def test_the_student_of_a_split_sees_the_half_that_was_labelled() -> None:
    X, y, _ = made()
    model = DistilledClassifier(
        LOGISTIC, LinearRegression(), cv="split", random_state=0
    ).fit(X, y)
    kept = model.labels_.labelled
    assert abs(kept.sum() - N / 2) <= 1
    theirs = LinearRegression().fit(X[kept], model.labels_.mean[kept, 1])
    np.testing.assert_allclose(
        model.decision_function(X), theirs.predict(X) - 0.5, atol=1e-12
    )


def test_the_default_student_keeps_five_of_weight_in_each_leaf() -> None:
    X, y, w = made()
    model = DistilledClassifier(LOGISTIC, random_state=0).fit(X, y, sample_weight=w)
    leaf = model.student_.apply(X)
    assert min(w[leaf == node].sum() for node in np.unique(leaf)) >= 5 - 1e-9
    assert model.size_.leaves > 8
    plenty = DistilledClassifier(LOGISTIC, random_state=0)
    rng = np.random.default_rng(0)
    big = rng.normal(size=(3000, 3))
    plenty.fit(big, (big[:, 0] + rng.normal(size=3000) > 0).astype(int))
    assert plenty.size_.leaves == 128


def test_weights_that_sum_to_one_are_warned_of() -> None:
    w = np.full(N, 1 / N)
    match = f"sample_weight sums to 1 over {N} rows, and the default student needs"
    with pytest.warns(SemikdWarning, match=match):
        new_student(None, N, w, 0)
    new_student(None, N, w * N, 0)
    new_student(DecisionTreeRegressor(), N, w, 0)
