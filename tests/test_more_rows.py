"""Unlabelled and synthetic rows: who labels them, and how much they count."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from semikd import (
    AutoDistiller,
    DistilledClassifier,
    DistilledRegressor,
    SyntheticRows,
    cross_fit,
    model_labels,
)
from semikd.corrections import ShrinkageCorrection
from semikd.crossfit import NestedFolds
from semikd.distillation import algorithm
from semikd.students import LinearStudent, RegressorStudent

Floats = NDArray[np.float64]
N = 150
TEACHER = LogisticRegression(C=0.3)
TREE = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)
METHODS = ["neighbours", "columns", "bootstrap"]


def made(n: int = N, seed: int = 0) -> tuple[Floats, NDArray[Any]]:
    """Return three columns and labels that follow them with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] + rng.normal(size=n) > 0).astype(int)


class Spy(ClassifierMixin, BaseEstimator):
    """A teacher that remembers what it saw, and may refuse to answer for it."""

    strict = True

    def fit(self, X: Any, y: Any) -> Any:
        self.classes_ = np.unique(y)
        self.seen_ = {row.tobytes() for row in X}
        self.mean_ = X[:, 0].mean()
        return self

    def predict_proba(self, X: Any) -> Any:
        assert not (self.strict and self.seen_ & {row.tobytes() for row in X})
        p = np.full(len(X), 1 / (1 + np.exp(-self.mean_)))
        return np.stack([1 - p, p], axis=1)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that fills with the rows drawn and the fold of each parent."""
    drawn: list[Any] = []
    original = SyntheticRows.draw

    def draw(self: Any, X: Any, **given: Any) -> Any:
        found = original(self, X, **given)
        drawn.append((X, np.asarray(given["fold"]), found))
        return found

    monkeypatch.setattr(SyntheticRows, "draw", draw)
    return drawn


def taught(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return a list that fills with what students are taught."""
    lessons: list[Any] = []
    original = algorithm.make_lesson

    def make(*args: Any, **given: Any) -> Any:
        lessons.append(original(*args, **given))
        return lessons[-1]

    monkeypatch.setattr(algorithm, "make_lesson", make)
    return lessons


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_repeats", [1, 2])
def test_the_teachers_of_folds_saw_no_parent(
    method: str, n_repeats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = watched(monkeypatch)
    X, y = made()
    record = cross_fit(Spy(), X, y, n_repeats=n_repeats, random_state=0)
    model = DistilledClassifier(
        student=TREE,
        cv=record,
        synthetic=SyntheticRows(method, ratio=2),
        random_state=0,
    )
    lessons = taught(monkeypatch)
    model.fit(X, y)
    (table, fold, found), lesson = drawn[0], lessons[0]
    assert model.n_added_ == len(found.X) == 2 * N
    for i, (first, second) in enumerate(found.parents):
        assert fold[first] == fold[second] == record.fold[0, first]
        teacher = record.teachers[0][fold[first]]
        assert not teacher.seen_ & {table[first].tobytes(), table[second].tobytes()}
        p = teacher.predict_proba(found.X[[i]])[0, 1]
        assert lesson.target[N + i, 0] == pytest.approx(p)


def test_a_made_up_copy_of_a_row_elsewhere_has_the_label_of_that_row() -> None:
    # Eight different rows of three columns: rows of a fold make those of another.
    X = np.array(np.meshgrid([0, 1], [0, 1], [0, 1]), float).reshape(3, 8).T
    y = np.array([0, 1, 0, 1, 1, 0, 1, 0])
    model = DistilledClassifier(
        Spy(),
        TREE,
        cv=2,
        synthetic=SyntheticRows("columns", ratio=9, swap=0.5),
        random_state=0,
    )
    # The spy refuses to answer for what it saw.
    assert model.fit(np.repeat(X, 2, axis=0), np.repeat(y, 2)).n_added_ == 72
    half = clone(model).set_params(cv="split")
    with pytest.warns(
        UserWarning, match="of 36 synthetic rows are copies of rows that"
    ):
        half.fit(X, y)
    assert 0 < half.n_added_ < 36


def test_all_teachers_label_by_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, lessons = watched(monkeypatch), taught(monkeypatch)
    X, y = made()
    record = cross_fit(TEACHER, X, y, random_state=0)
    rows = SyntheticRows("columns", labelled_by="all", weight=0.5)
    DistilledClassifier(student=TREE, cv=record, synthetic=rows).fit(X, y)
    found = drawn[0][2]
    fold = record.fold[0][found.parents]
    assert (fold[:, 0] != fold[:, 1]).any()
    each = [teacher.predict_proba(found.X)[:, 1] for teacher in record.teachers[0]]
    np.testing.assert_allclose(lessons[0].target[N:, 0], np.mean(each, axis=0))
    np.testing.assert_array_equal(lessons[0].weights, [1.0] * N + [0.5] * N)


@pytest.mark.parametrize("loss", ["probability", "log_probability"])
def test_a_fit_is_the_loop_written_by_hand(loss: str) -> None:
    X, y = made()
    new = made(40, seed=5)[0]
    ours = DistilledClassifier(
        TEACHER, LinearRegression(), loss=loss, correction=0.4, random_state=0
    ).fit(X, y, unlabelled=new)
    p = ours.labels_.mean[:, 1]
    teachers = [
        clone(TEACHER).fit(X[fold], y[fold])
        for fold in (ours.labels_.fold[0] != t for t in range(5))
    ]
    q = np.mean([teacher.predict_proba(new)[:, 1] for teacher in teachers], axis=0)
    if loss == "probability":
        target = np.append(p + 0.4 * (y - p), q)
    else:
        logit = np.log(p / (1 - p)) + 0.4 * (y - p) / (p * (1 - p))
        target = np.append(logit, np.log(q / (1 - q)))
    theirs = LinearRegression().fit(np.vstack([X, new]), target)
    even = 0.5 if loss == "probability" else 0.0
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.predict(X) - even, atol=1e-9
    )
    assert ours.n_added_ == 40
    assert ours.weight_of_labels_ == pytest.approx(0.4)


def test_a_regression_is_the_loop_written_by_hand() -> None:
    X, _ = made()
    y = np.stack([X @ [1.0, 2.0, 0.0], X[:, 0] ** 2], axis=1)
    new = made(40, seed=5)[0]
    w = np.random.default_rng(0).uniform(0.5, 2.0, N)
    ours = DistilledRegressor(Ridge(), LinearRegression(), random_state=0)
    ours.fit(X, y, sample_weight=w, unlabelled=new)
    folds = (ours.labels_.fold[0] != t for t in range(5))
    each = [Ridge().fit(X[f], y[f], sample_weight=w[f]).predict(new) for f in folds]
    target = np.vstack([ours.labels_.mean, np.mean(each, axis=0)])
    weights = np.append(w, np.full(40, w.mean()))
    theirs = LinearRegression().fit(np.vstack([X, new]), target, weights)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-9)
    assert ours.n_added_ == 40


@pytest.mark.parametrize("n_repeats", [1, 2])
def test_a_copy_of_a_labelled_row_is_labelled_by_those_that_did_not_see_it(
    n_repeats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = taught(monkeypatch)
    X, y = made()
    new = np.vstack([X[[7, 3, 7]], made(2, seed=5)[0]])
    # The spy refuses to answer for what it saw.
    model = DistilledClassifier(Spy(), TREE, n_repeats=n_repeats, random_state=0)
    model.fit(X, y, unlabelled=new)
    expected = model.labels_.mean[[7, 3, 7], 1]
    np.testing.assert_allclose(lessons[0].target[N : N + 3, 0], expected)
    record = cross_fit(TEACHER, X, y, n_repeats=n_repeats, random_state=0)
    DistilledClassifier(student=TREE, cv=record).fit(X, y, unlabelled=new)
    expected = record.label(new[:3], exclude=[7, 3, 7])[:, 1]
    np.testing.assert_allclose(lessons[1].target[N : N + 3, 0], expected)
    np.testing.assert_allclose(
        lessons[1].target[N + 3 :, 0], record.label(new[3:])[:, 1]
    )


def test_copies_of_weightless_rows_were_seen_by_nobody() -> None:
    X, y = made()
    w = np.ones(N)
    w[:5] = 0.0
    model = DistilledClassifier(TEACHER, LinearRegression(), random_state=0)
    model.fit(X, y, sample_weight=w, unlabelled=X[:5])
    assert model.n_added_ == 5


def test_copies_of_rows_that_every_teacher_saw_are_left_out() -> None:
    X, y = made()
    model = DistilledClassifier(TEACHER, TREE, cv="split", random_state=0)
    with pytest.warns(
        UserWarning, match="75 of 152 unlabelled rows are copies of rows"
    ):
        model.fit(X, y, unlabelled=np.vstack([X, made(2, seed=5)[0]]))
    assert model.n_added_ == 77


@pytest.mark.parametrize("cv", ["oob", "in-sample", 4])
def test_one_teacher_may_label_too(cv: Any) -> None:
    X, y = made()
    forest = RandomForestClassifier(60, random_state=0)
    rows = SyntheticRows(labelled_by="all")
    model = DistilledClassifier(forest, TREE, cv=cv, synthetic=rows, random_state=0)
    model.fit(X, y, unlabelled=made(20, seed=5)[0])
    assert model.n_added_ == N + 20


def test_a_model_that_is_there_labels_unlabelled_rows() -> None:
    X, y = made()
    model = TEACHER.fit(*made(seed=9))
    new = made(30, seed=5)[0]
    brought = DistilledClassifier(student=LinearRegression(), cv=model_labels(model, X))
    brought.fit(X, y, unlabelled=new)
    both = np.vstack([X, new])
    theirs = LinearRegression().fit(both, model.predict_proba(both)[:, 1])
    np.testing.assert_allclose(
        brought.predict_proba(X)[:, 1], np.clip(theirs.predict(X), 0, 1), atol=1e-9
    )


def test_automatic_labels_come_from_folds_where_synthetic_rows_need_them() -> None:
    X, y = made()
    model = DistilledClassifier(TEACHER, TREE, cv="auto", random_state=0)
    assert "leave-one-out" in model.fit(X, y).labels_.strategy
    said = model.set_params(synthetic="columns").fit(X, y).labels_.strategy
    assert said.endswith("(auto: synthetic rows are labelled by folds)")


def test_a_small_model_still_carries_no_large_one() -> None:
    X, y = made()
    model = DistilledClassifier(TEACHER, TREE, synthetic="neighbours", random_state=0)
    assert model.fit(X, y, unlabelled=X[:3] + 1).labels_.teachers == ()
    all_of_them = SyntheticRows(labelled_by="all")
    loo = model.set_params(cv="loo", synthetic=all_of_them).fit(X, y).labels_
    assert loo.teachers == ()
    assert loo.refitted is None
    record = cross_fit(TEACHER, X, y, random_state=0)
    brought = model.set_params(cv=record, synthetic="columns").fit(X, y)
    assert len(brought.labels_.teachers[0]) == 5
    plain = DistilledClassifier(TEACHER, TREE, random_state=0).fit(X, y)
    assert plain.n_added_ == 0


def test_more_rows_leave_folds_and_labels_as_they_are() -> None:
    X, y = made()
    plain = DistilledClassifier(TEACHER, TREE, random_state=0).fit(X, y)
    more = clone(plain).set_params(synthetic="bootstrap").fit(X, y, unlabelled=X + 1)
    np.testing.assert_array_equal(plain.labels_.prediction, more.labels_.prediction)
    np.testing.assert_array_equal(plain.labels_.fold, more.labels_.fold)
    assert (plain.predict_proba(X) != more.predict_proba(X)).any()
    none = clone(plain).set_params(synthetic=SyntheticRows(ratio=0))
    none.fit(X, y, unlabelled=X[:0])
    np.testing.assert_array_equal(plain.predict_proba(X), none.predict_proba(X))


def test_class_factors_shift_added_labels_and_weigh_by_what_is_to_be_expected() -> None:
    X, y = made()
    new, w = made(40, seed=5)[0], np.random.default_rng(1).uniform(0.5, 2.0, N)
    factors = np.array([1.0, 3.0])
    model = DistilledClassifier(
        TEACHER, LinearRegression(), class_weight={0: 1, 1: 3}, random_state=0
    ).fit(X, y, sample_weight=w, unlabelled=new)
    record = cross_fit(TEACHER, X, y, sample_weight=w, cv=model.labels_.fold[0])
    q = record.label(new)
    p = np.vstack([record.mean, q])
    floor = 1 / (N + 2)
    p = ((1 - 2 * floor) * p + floor) * factors
    weights = np.append(w * factors[y], w.mean() * (q @ factors))
    both = np.vstack([X, new])
    theirs = LinearRegression().fit(both, p[:, 1] / p.sum(axis=1), weights)
    np.testing.assert_allclose(
        model.decision_function(X), theirs.predict(X) - 0.5, atol=1e-9
    )


def test_the_complexity_counts_all_rows_that_the_student_sees() -> None:
    X, y = made()
    rule = ShrinkageCorrection(squared_error=0.02)
    record = cross_fit(TEACHER, X, y, random_state=0)
    p = record.mean
    for n_new in (0, 90):
        linear = LinearRegression()
        model = DistilledClassifier(student=linear, correction=rule, cv=record)
        model.fit(X, y, unlabelled=made(n_new, seed=5)[0] if n_new else None)
        kappa = (X.shape[1] + 1) / (N + n_new)
        weight = 0.02 / (0.02 + kappa * p[:, 0] * p[:, 1])
        assert model.weight_of_labels_ == pytest.approx(weight.mean())


def test_an_inner_record_leaves_the_rows_that_judge_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn, lessons = watched(monkeypatch), taught(monkeypatch)
    # In-sample labels are asked for too.
    monkeypatch.setattr(Spy, "strict", False)
    X, y = made()
    nested = NestedFolds(X, y, cv=4, keep_teachers=True, random_state=0)
    labels = nested.cross_fit(Spy())
    for part, record in enumerate(labels.inner):
        learning, judging = nested.learning[part], nested.judging[part]
        judges = {row.tobytes() for row in X[judging]}
        model = DistilledClassifier(
            student=TREE, cv=record, synthetic="neighbours", random_state=0
        ).fit(X[learning], y[learning])
        table, fold, found = drawn[part]
        np.testing.assert_array_equal(table, X[learning])
        parents = table[found.parents]
        assert not judges & {row.tobytes() for pair in parents for row in pair}
        for i, (first, second) in enumerate(found.parents):
            teacher = record.teachers[0][fold[first]]
            pair = {table[first].tobytes(), table[second].tobytes()}
            assert not teacher.seen_ & (pair | judges)
            p = teacher.predict_proba(found.X[[i]])[0, 1]
            assert lessons[part].target[len(table) + i, 0] == pytest.approx(p)
        assert model.n_added_ == len(learning)


def test_all_teachers_of_an_inner_record_saw_no_row_that_judges(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lessons = taught(monkeypatch)
    monkeypatch.setattr(Spy, "strict", False)
    X, y = made()
    nested = NestedFolds(X, y, cv=4, keep_teachers=True, random_state=0)
    rows = SyntheticRows(labelled_by="all")
    for part, record in enumerate(nested.cross_fit(Spy()).inner):
        learning = nested.learning[part]
        judges = {row.tobytes() for row in X[nested.judging[part]]}
        assert not any(teacher.seen_ & judges for teacher in record.teachers[0])
        model = DistilledClassifier(student=TREE, cv=record, synthetic=rows)
        model.fit(X[learning], y[learning])
        each = [teacher.predict_proba(X[:1])[0, 1] for teacher in record.teachers[0]]
        np.testing.assert_allclose(lessons[part].target[len(learning) :], np.mean(each))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("labelled_by", ["folds", "all"])
def test_order_is_nothing_and_a_weight_is_a_repetition(
    method: str, labelled_by: str
) -> None:
    X, y = made()
    w = np.random.default_rng(2).integers(0, 3, N)
    teacher = LogisticRegression(tol=1e-13, max_iter=10_000, solver="newton-cholesky")
    model = DistilledClassifier(
        teacher,
        LinearStudent(),
        synthetic=SyntheticRows(method, ratio=1.5, labelled_by=labelled_by),
        random_state=0,
    )
    rows = np.random.default_rng(3).permutation(np.repeat(np.arange(N), w))
    weighted = clone(model).fit(X, y, sample_weight=w.astype(float))
    repeated = clone(model).fit(X[rows], y[rows])
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-9
    )
    ignored = clone(model).fit(X, y)
    assert np.abs(ignored.predict_proba(X) - weighted.predict_proba(X)).max() > 1e-3


def test_unlabelled_rows_in_another_order_give_the_same_model() -> None:
    X, y = made()
    new = np.vstack([made(40, seed=5)[0], X[:9]])
    model = DistilledClassifier(TEACHER, LinearRegression(), random_state=0)
    one = model.fit(X, y, unlabelled=new).predict_proba(X)
    order = np.random.default_rng(0).permutation(len(new))
    np.testing.assert_allclose(
        model.fit(X, y, unlabelled=new[order]).predict_proba(X), one, atol=1e-12
    )


def test_pandas_polars_and_arrays_agree() -> None:
    X, y = made()
    new = made(30, seed=5)[0]
    model = DistilledClassifier(TEACHER, TREE, synthetic="neighbours", random_state=0)
    plain = model.fit(X, y, unlabelled=new).predict_proba(X)
    for kind in (pd.DataFrame, pl.DataFrame):
        table, more = (kind(dict(zip("abc", rows.T, strict=True))) for rows in (X, new))
        framed = clone(model).fit(table, y, unlabelled=more)
        np.testing.assert_array_equal(framed.predict_proba(table), plain)
        assert framed.n_added_ == N + 30


def test_offspring_stay_with_their_parent_where_a_student_splits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RegressorStudent, "fit_options", ("groups",))
    drawn, lessons = watched(monkeypatch), taught(monkeypatch)
    X, y = made()
    record = cross_fit(TEACHER, X, y, random_state=0)
    groups = np.arange(N) // 3
    grouped = cross_fit(TEACHER, X, y, groups=groups, random_state=0)
    for labels, given in ((record, None), (grouped, groups)):
        model = DistilledClassifier(student=TREE, cv=labels, synthetic="columns")
        monkeypatch.setattr(RegressorStudent, "fit_target", lambda self, *a, **k: self)
        monkeypatch.setattr(RegressorStudent, "size", lambda self: None)
        model.fit(X, y, groups=given)
        units, first = lessons[-1].options["groups"], drawn[-1][2].parents[:, 0]
        np.testing.assert_array_equal(units[N:], units[:N][first])
        assert len(np.unique(units)) == (N if given is None else N // 3)


def test_students_without_weights_learn_from_rows_that_count_alike() -> None:
    X, y = made()
    model = DistilledClassifier(
        TEACHER, KNeighborsRegressor(3), synthetic="columns", random_state=0
    ).fit(X, y, unlabelled=X[:3] + 1)
    assert model.n_added_ == N + 3
    heavier = clone(model).set_params(synthetic=SyntheticRows(weight=2.0))
    with pytest.raises(TypeError, match="student must accept sample_weight"):
        heavier.fit(X, y)


class Weightless(RegressorMixin, BaseEstimator):
    """A tree that takes no weights."""

    def fit(self, X: Any, y: Any) -> Any:
        self.fitted_ = clone(TREE).fit(X, y)
        return self

    def predict(self, X: Any) -> Any:
        return self.fitted_.predict(X)


@pytest.mark.parametrize("who", ["folds", "all"])
def test_students_without_weights_learn_from_offspring_of_copies(who: str) -> None:
    # Offspring count as all copies of their parent: by weight, else by repetition.
    X, y = made()
    X, y = np.concatenate([X, X[:50], X[:20]]), np.concatenate([y, y[:50], y[:20]])
    unlabelled, synthetic = made(30, seed=1)[0], SyntheticRows(labelled_by=who)
    weighed, repeated = (
        DistilledClassifier(
            TEACHER, student, synthetic=synthetic, random_state=0, correction=0.3
        ).fit(X, y, unlabelled=unlabelled)
        for student in (TREE, Weightless())
    )
    np.testing.assert_allclose(weighed.predict_proba(X), repeated.predict_proba(X))
    assert weighed.n_added_ == repeated.n_added_ == N + 30


def test_a_search_tries_offspring_of_copies_without_weights() -> None:
    X, y = made(60)
    X, y = np.concatenate([X, X[:20]]), np.concatenate([y, y[:20]])
    search = AutoDistiller(
        TEACHER, KNeighborsRegressor(5), preset="thorough", cv=3, random_state=0
    ).fit(X, y)
    assert any(name.startswith("synthetic rows") for name in search.rounds_)


def test_settings_are_searched_and_unlabelled_rows_routed() -> None:
    X, y = made()
    model = DistilledClassifier(
        TEACHER, TREE, synthetic=SyntheticRows(), random_state=0
    )
    search = GridSearchCV(model, {"synthetic__ratio": [0, 1, 2]}, cv=3)
    search.fit(X, y, unlabelled=made(10, seed=5)[0])
    best = search.best_estimator_
    assert best.n_added_ == 10 + best.synthetic.ratio * N
    with config_context(enable_metadata_routing=True):
        asking = model.set_fit_request(unlabelled=True, groups=False)
        assert asking.get_metadata_routing().fit.requests["unlabelled"] is True
