"""Out-of-bag labels against loops over trees, scikit-learn's own, and planted leaks."""

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, OutOfFold, cross_fit
from semikd.crossfit.shortcuts import bagging
from semikd.crossfit.shortcuts.members import mean_without
from semikd.exceptions import SemikdWarning

Floats = NDArray[np.float64]
FEWEST = bagging.FEWEST_TREES


def table(
    n: int = 120, k: int = 2, n_copies: int = 0, seed: int = 0
) -> tuple[Floats, NDArray[np.intp]]:
    """Return noisy classes, with copies of the first rows at the end."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    if n_copies:
        X[-n_copies:] = X[:n_copies]
    noise = rng.normal(size=n)
    return X, np.digitize(X[:, 0] + noise, np.linspace(-0.5, 0.5, k - 1)).astype(int)


def out_of_bag(teacher: Any, X: Any, y: Any, **options: Any) -> OutOfFold:
    """Return out-of-bag labels."""
    return cross_fit(teacher, X, y, cv="oob", random_state=0, **options)


def by_loop(ensemble: Any, X: Floats, width: int) -> Floats:
    """Return the labels of a fitted ensemble, one member after the other."""
    said: list[list[Floats]] = [[] for _ in X]
    every = slice(None)
    for at, (member, bag) in enumerate(
        zip(ensemble.estimators_, ensemble.estimators_samples_, strict=True)
    ):
        seen = set(map(bytes, X[bag]))
        out = [i for i, row in enumerate(X) if bytes(row) not in seen]
        columns = getattr(ensemble, "estimators_features_", {at: every})[at]
        answer = np.zeros((len(out), width))
        if not hasattr(ensemble, "classes_"):
            answer[:] = member.predict(X[out][:, columns]).reshape(-1, width)
        elif hasattr(member, "predict_proba"):
            codes = np.asarray(member.classes_, dtype=int)
            answer[:, codes] = member.predict_proba(X[out][:, columns])
        else:
            answer[np.arange(len(out)), member.predict(X[out][:, columns])] = 1.0
        for i, each in zip(out, answer, strict=True):
            said[i].append(each)
    few = np.full(width, np.nan)
    return np.array([np.mean(s, axis=0) if len(s) >= FEWEST else few for s in said])


CLASSIFIERS = [
    RandomForestClassifier(150, max_depth=4),
    RandomForestClassifier(150, max_samples=0.5, criterion="entropy"),
    RandomForestClassifier(300, class_weight={0: 1.0, 1: 2.0, 2: 1.0}),
    RandomForestClassifier(150, class_weight="balanced_subsample"),
    ExtraTreesClassifier(150, bootstrap=True, max_samples=70),
    BaggingClassifier(n_estimators=150),
    BaggingClassifier(
        DecisionTreeClassifier(max_depth=2), 150, max_features=0.5, max_samples=0.7
    ),
    BaggingClassifier(LogisticRegression(), 150, bootstrap_features=True),
    BaggingClassifier(make_pipeline(LinearSVC()), 150),
    BaggingClassifier(make_pipeline(StandardScaler(), LogisticRegression()), 150),
    BaggingClassifier(n_estimators=80, bootstrap=False, max_samples=0.4),
]
IDS = [f"{number} {type(t).__name__}" for number, t in enumerate(CLASSIFIERS)]


@pytest.mark.parametrize("teacher", CLASSIFIERS, ids=IDS)
@pytest.mark.parametrize("k", [2, 3])
def test_labels_are_those_of_a_loop_over_rows_and_members(teacher: Any, k: int) -> None:
    X, y = table(k=k, n_copies=10)
    weights = teacher.get_params().get("class_weight")
    if isinstance(weights, dict) and k == 2:
        teacher = clone(teacher).set_params(class_weight={0: 1.0, 1: 2.0})
    labels = out_of_bag(teacher, X, y)
    expected = by_loop(labels.refitted, X, k)
    np.testing.assert_allclose(labels.mean, expected, rtol=0, atol=1e-12)
    assert labels.labelled.mean() > 0.9
    assert labels.leans
    assert labels.honest
    assert (labels.fold == -1).all()
    np.testing.assert_allclose(labels.label(X), labels.refitted.predict_proba(X))


REGRESSORS = [
    RandomForestRegressor(150),
    ExtraTreesRegressor(150, bootstrap=True),
    BaggingRegressor(DecisionTreeRegressor(max_depth=3), 150, max_features=2),
]


@pytest.mark.parametrize("teacher", REGRESSORS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("m", [1, 2])
def test_means_are_those_of_a_loop_also_for_several_outputs(
    teacher: Any, m: int
) -> None:
    X, _ = table(n_copies=10)
    noise = np.random.default_rng(1).normal(size=(len(X), m))
    y = X[:, :m] + noise
    labels = out_of_bag(teacher, X, y[:, 0] if m == 1 else y)
    expected = by_loop(labels.refitted, X, m)
    np.testing.assert_allclose(labels.mean, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "forest",
    [
        RandomForestClassifier(100, random_state=3),
        ExtraTreesClassifier(100, bootstrap=True, random_state=3),
        BaggingClassifier(n_estimators=100, random_state=3),
        RandomForestRegressor(100, random_state=3),
        BaggingRegressor(n_estimators=100, random_state=3),
    ],
    ids=lambda forest: type(forest).__name__,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_labels_are_those_of_scikit_learn_where_no_row_has_a_copy(
    forest: Any, weighted: bool
) -> None:
    X, y = table()
    weights = np.random.default_rng(1).uniform(0.5, 1.5, len(y)) if weighted else None
    theirs = clone(forest).set_params(oob_score=True).fit(X, y, weights)
    name = (
        "oob_decision_function_" if hasattr(theirs, "classes_") else "oob_prediction_"
    )
    labels = out_of_bag(forest, X, y, sample_weight=weights)
    expected = getattr(theirs, name).reshape(len(y), -1)
    np.testing.assert_allclose(labels.mean, expected, rtol=0, atol=1e-12)


def test_copies_are_out_of_bag_together_where_scikit_learn_parts_them() -> None:
    X, y = table(n_copies=30)
    y[-30:] = 1 - y[:30]
    forest = RandomForestClassifier(300, random_state=3, oob_score=True)
    labels = out_of_bag(forest, X, y).mean
    theirs = forest.fit(X, y).oob_decision_function_
    np.testing.assert_array_equal(labels[-30:], labels[:30])
    # Whoever sees the copy of a row says the copy's class, here the other one.
    says_own = theirs[np.arange(120), y][:30].mean()
    assert says_own < labels[np.arange(120), y][:30].mean() - 0.1


HONEST = [
    RandomForestClassifier(150),
    RandomForestClassifier(150, class_weight="balanced_subsample"),
    BaggingClassifier(n_estimators=150),
    BaggingClassifier(make_pipeline(LogisticRegression(class_weight=None)), 150),
    make_pipeline(StandardScaler(), ExtraTreesClassifier(150, bootstrap=True)),
]


def moved_labels(teacher: Any, X: Floats, y: NDArray[np.intp], row: int) -> Floats:
    """Return how far labels move when the class of a row, and its copies, changes."""
    changed = y.copy()
    same = (X[row] == X).all(axis=1)
    changed[same] = 1 - changed[same]
    before, after = (out_of_bag(teacher, X, each).mean for each in (y, changed))
    return np.abs(after - before).max(axis=1)


@pytest.mark.parametrize("teacher", HONEST, ids=lambda t: type(t).__name__)
def test_the_class_of_a_row_moves_its_own_label_not_at_all(teacher: Any) -> None:
    X, y = table(n=80, n_copies=10)
    for row in (0, 40):
        moved = moved_labels(teacher, X, y, row)
        same = (X[row] == X).all(axis=1)
        assert same.sum() == (2 if row == 0 else 1)
        assert (moved[same] == 0.0).all()
        assert moved[~same].max() > 0.01


def test_a_leak_through_balanced_weights_would_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = table(n=80)
    leaky = RandomForestClassifier(150, class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight='balanced' weighs a row by the"):
        out_of_bag(leaky, X, y)
    monkeypatch.setattr(bagging, "_class_weights", lambda ensemble: set())
    assert moved_labels(leaky, X, y, row=40)[40] > 0.0


class Counter(ClassifierMixin, BaseEstimator):
    """Says the share of class 1 among all rows it is given, whatever their weights."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Counter":
        self.classes_, self.share_ = np.unique(y), np.mean(y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        return np.tile([1.0 - self.share_, self.share_], (len(X), 1))

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.share_ > 0.5, dtype=int)


def test_a_member_that_may_look_at_rows_of_weight_zero_is_refused_or_put_in_a_pipeline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = table(n=80)
    leaky = BaggingClassifier(Counter(), 150)
    with pytest.raises(
        ValueError, match="but Counter gets the rows out of its bag with"
    ):
        out_of_bag(leaky, X, y)
    wrapped = BaggingClassifier(make_pipeline(Counter()), 150)
    assert moved_labels(wrapped, X, y, row=40)[40] == 0.0
    monkeypatch.setattr(bagging, "_uses_weightless", lambda base: False)
    assert moved_labels(leaky, X, y, row=40)[40] > 0.0


REFUSED = [
    (RandomForestClassifier(bootstrap=False), "sees every row .bootstrap=False"),
    (ExtraTreesClassifier(), "each of its trees sees every row"),
    (BaggingClassifier(bootstrap=False), "each of its trees sees every row"),
    (
        BaggingClassifier(),
        "about 3.7 of its 10 members would not see a row: too few for 10 at each",
    ),
    (RandomForestClassifier(class_weight="balanced"), "class_weight='balanced' weighs"),
    (
        BaggingClassifier(DecisionTreeClassifier(class_weight="balanced"), 50),
        "class_weight='balanced' weighs a row by the classes of all rows",
    ),
    (
        BaggingClassifier(HistGradientBoostingClassifier(max_iter=1), 50),
        "HistGradientBoostingClassifier gets the rows out of its bag with weight zero",
    ),
    (
        make_pipeline(SelectKBest(k=2), RandomForestClassifier()),
        "the step SelectKBest of the Pipeline may use y",
    ),
    (DecisionTreeClassifier(), "DecisionTreeClassifier has no out-of-bag shortcut"),
]


@pytest.mark.parametrize(("teacher", "reason"), REFUSED)
def test_what_is_not_out_of_sample_is_refused_with_the_reason(
    teacher: Any, reason: str
) -> None:
    X, y = table()
    start = "cv must fit the teacher; got 'oob', but "
    with pytest.raises(ValueError, match=f"{start}.*{reason}") as caught:
        out_of_bag(teacher, X, y)
    assert str(caught.value).endswith(". Use an integer, or 'auto'.")
    assert "\n" not in str(caught.value)
    strategy = cross_fit(teacher, X, y, cv="auto", random_state=0).strategy
    reason = reason.replace("out-of-bag ", "")
    assert strategy.startswith("5-fold cross-fitting (auto: ")
    assert reason.split(" .")[0] in strategy


def test_groups_are_refused_because_bags_divide_them() -> None:
    X, y = table()
    groups = np.arange(len(y)) // 2
    with pytest.raises(
        ValueError, match="'oob', but groups are given, and bags divide"
    ):
        out_of_bag(RandomForestClassifier(), X, y, groups=groups)
    labels = cross_fit(RandomForestClassifier(5), X, y, cv="auto", groups=groups)
    assert labels.strategy.startswith("5-fold cross-fitting (auto: groups are given")
    assert (labels.fold[0, ::2] == labels.fold[0, 1::2]).all()


def test_rows_with_few_trees_out_of_bag_are_missing_and_counted() -> None:
    rng = np.random.default_rng(0)
    X, y = table(n=1200)
    # Five copies: a share of exp(-5) of the bags lack all of them.
    X[:5] = X[0]
    y = rng.integers(0, 2, size=1200)
    message = "5 of 1,200 rows have fewer than 10 out-of-bag members: they get no label"
    with pytest.warns(SemikdWarning, match=message) as caught:
        labels = cross_fit(RandomForestClassifier(150), X, y, cv="oob", random_state=0)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(np.flatnonzero(~labels.labelled), np.arange(5))
    assert np.isnan(labels.mean[:5]).all()


def test_heavy_rows_that_are_in_every_bag_make_it_fall_back_to_folds() -> None:
    X, y = table(n=200)
    weights = np.ones(200)
    weights[:4] = 100.0
    message = r"cv='oob' fell back to 5 folds: about 4 of 200 distinct rows, 67%"
    with pytest.warns(SemikdWarning, match=message) as caught:
        labels = cross_fit(
            RandomForestClassifier(50), X, y, cv="oob", sample_weight=weights
        )
    assert caught[0].filename == __file__
    assert labels.labelled.all()
    assert not labels.leans
    assert labels.strategy.startswith("5-fold cross-fitting (not 'oob': about 4 of 200")


@pytest.mark.parametrize("how", ["class_weight", "sample_weight"])
def test_a_heavy_class_that_would_lose_its_labels_makes_it_fall_back(how: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 4)), np.repeat(["few", "many"], [5, 1995])
    factors = {"few": 4.0, "many": 1.0}
    forest, options = RandomForestClassifier(100), {}
    if how == "class_weight":
        forest.set_params(class_weight=factors)
    else:
        options["sample_weight"] = np.where(y == "few", 3.5, 1.0)
    message = r"about \d+% of the class 'few' would have fewer than 10 out-of-bag"
    with pytest.warns(SemikdWarning, match=message):
        labels = cross_fit(forest, X, y, cv="oob", **options)
    assert labels.labelled.all()
    # The other class may be as heavy: each of its rows has no more than an even share.
    forest = RandomForestClassifier(100, class_weight={"many": 4.0})
    assert out_of_bag(forest, X, y).labelled.all()


def test_too_many_rows_without_a_label_after_the_fit_fall_back_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = table(n=200)
    # The expectation is just above ten, so that chance leaves many rows below.
    forest = RandomForestClassifier(30, random_state=0)
    monkeypatch.setattr(bagging, "chance_of_few", lambda *_: np.zeros(200))
    with pytest.warns(SemikdWarning, match=r"folds: \d+ of 200 distinct rows, "):
        labels = cross_fit(forest, X, y, cv="oob")
    assert labels.strategy.startswith("5-fold cross-fitting (not 'oob': ")
    labels = cross_fit(forest, X, y, cv="auto")
    assert labels.strategy.startswith("5-fold cross-fitting (auto: ")


def test_weights_routed_into_a_pipeline_bring_the_rows_out_of_its_bag() -> None:
    X, y = table(n=120)
    base = make_pipeline(SelectKBest(k=2), LogisticRegression())
    with config_context(enable_metadata_routing=True):
        # Without a request the Pipeline gets the rows of its bag alone.
        assert out_of_bag(BaggingClassifier(base, 100), X, y).leans
        base[-1].set_fit_request(sample_weight=True)
        with pytest.raises(ValueError, match="Pipeline gets the rows out of its bag"):
            out_of_bag(BaggingClassifier(base, 100), X, y)


def test_rows_of_zero_weight_take_no_part() -> None:
    X, y = table(n=160)
    weights = np.r_[np.ones(120), np.zeros(40)]
    forest = RandomForestClassifier(150, random_state=0)
    whole = out_of_bag(forest, X, y, sample_weight=weights)
    part = out_of_bag(forest, X[:120], y[:120], sample_weight=np.ones(120))
    np.testing.assert_array_equal(whole.mean[:120], part.mean)
    assert np.isnan(whole.mean[120:]).all()


@pytest.mark.parametrize(
    "teacher",
    [RandomForestClassifier(150), BaggingClassifier(n_estimators=80)],
    ids=lambda t: type(t).__name__,
)
def test_the_number_of_workers_changes_nothing(teacher: Any) -> None:
    X, y = table()
    one, two = (out_of_bag(teacher, X, y, n_jobs=n_jobs).mean for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("form", [pd.DataFrame, sparse.csr_array, sparse.coo_array])
def test_every_kind_of_table_gives_the_same_labels(form: Any) -> None:
    X, y = table()
    forest = RandomForestClassifier(150, random_state=0)
    expected = out_of_bag(forest, X, y).mean
    np.testing.assert_array_equal(out_of_bag(forest, form(X), y).mean, expected)


def test_missing_values_and_words_for_classes_are_fine() -> None:
    X, y = table()
    X[::7, 1] = np.nan
    names = np.array(["no", "yes"])[y]
    labels = out_of_bag(RandomForestClassifier(150), X, names)
    assert labels.outputs == ("no", "yes")
    expected = out_of_bag(RandomForestClassifier(150), X, y).mean
    np.testing.assert_array_equal(labels.mean, expected)


def test_a_student_learns_from_out_of_bag_labels() -> None:
    X, y = table(n=400)
    model = DistilledClassifier(
        RandomForestClassifier(150),
        DecisionTreeRegressor(max_leaf_nodes=6),
        cv="oob",
        random_state=0,
    ).fit(X, y)
    record = model.labels_
    assert record.strategy.startswith("out-of-bag labels of one fit: median of ")
    assert record.refitted is None
    expected = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)
    expected.fit(X, record.mean[:, 1])
    gap = model.predict_proba(X)[:, 1] - expected.predict(X)
    assert np.abs(gap).max() < 1e-12


def test_bags_are_never_all_in_memory() -> None:
    n, n_trees = 20_000, 300
    X = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    forest = RandomForestRegressor(n_trees, max_depth=1, random_state=0)
    forest.fit(X, X[:, 0])
    tracemalloc.start()
    _, counts = mean_without(forest, X, np.arange(n), n_jobs=None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.mean() > 0.36 * n_trees
    # A byte for each tree and row is what a table of who saw whom would take.
    assert peak < n * n_trees / 2


def test_a_forest_that_would_warm_start_starts_afresh() -> None:
    X, y = table()
    warm = RandomForestClassifier(150, warm_start=True, random_state=0).fit(X, 1 - y)
    labels = out_of_bag(warm, X, y).mean
    expected = out_of_bag(RandomForestClassifier(150, random_state=0), X, y).mean
    np.testing.assert_array_equal(labels, expected)
