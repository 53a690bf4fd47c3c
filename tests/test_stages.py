"""Teachers of two stages: scikit-learn's checks, honesty, cost, and every way in."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, cross_fit
from semikd.crossfit import NestedFolds, fit_stages
from semikd.exceptions import SemikdWarning
from semikd.simplex import softmax
from semikd.teachers import (
    CalibratedTeacher,
    CodedTeacher,
    ResidualTeacher,
    StackedTeacher,
    StagedTeacher,
)

Floats = NDArray[np.float64]
METHODS = ("sigmoid", "beta", "isotonic", "temperature")
EXACT = LogisticRegression(tol=1e-12, max_iter=10_000)
CHECKED = [
    *(CalibratedTeacher(EXACT, method=method) for method in METHODS),
    StackedTeacher([EXACT, DecisionTreeClassifier(max_depth=3, random_state=0)]),
    ResidualTeacher(EXACT, Ridge()),
    CodedTeacher(),
    CodedTeacher(EXACT, coding="indicators"),
]


# scikit-learn brings tiny tables, of which the library warns.
@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(CHECKED)
def test_every_check_passes_without_exception(estimator: Any, check: Any) -> None:
    check(estimator)


# The same with the default teachers: some thousand fits of boosting and forests.
@pytest.mark.slow
@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks([CalibratedTeacher(), StackedTeacher(), ResidualTeacher()])
def test_the_defaults_pass_every_check(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_only_row_of_a_class_is_refused() -> None:
    X, y = made()
    y[0] = 2
    for teacher in ALL:
        with pytest.raises(ValueError, match="got 1 in class 2"):
            clone(teacher).fit(X, y)


class Ignorant(ClassifierMixin, BaseEstimator):
    """A teacher that learns nothing: what it says is a function of the covariates."""

    def __init__(self, slope: float = 1.0) -> None:
        self.slope = slope

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Ignorant":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        columns = np.arange(len(self.classes_))
        return np.asarray(softmax(self.slope * np.asarray(X)[:, columns]))


class Counted(GaussianNB):
    """Naive Bayes that counts all fits of its copies."""

    fits: list[int] = []  # noqa: RUF012 - shared on purpose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        self.fits.append(len(X))
        return super().fit(X, y, sample_weight)


def staged(*first: Any) -> list[StagedTeacher]:
    """Return one teacher of each kind over these first teachers."""
    return [
        *(CalibratedTeacher(first[0], method=method) for method in METHODS),
        StackedTeacher(list(first)),
        ResidualTeacher(first[0], Ridge()),
        ResidualTeacher(first[0], DecisionTreeRegressor(max_depth=2), n_rounds=2),
    ]


def named(teacher: Any) -> str:
    """Return a short name of a teacher for the list of tests."""
    more = getattr(teacher, "method", getattr(teacher, "n_rounds", ""))
    return f"{type(teacher).__name__}-{more}"


def made(n: int = 150, k: int = 2, seed: int = 0) -> tuple[Floats, NDArray[Any]]:
    """Return three columns and labels that follow them with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (X @ rng.normal(size=(3, k)) + rng.gumbel(size=(n, k))).argmax(axis=1)


def followed(k: int = 2) -> tuple[Floats, NDArray[Any]]:
    """Return columns and labels that follow what the ignorant teacher says."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    return X, (X[:, :k] + rng.gumbel(size=(150, k))).argmax(axis=1)


ALL = staged(GaussianNB(), LogisticRegression())
IGNORANT = staged(Ignorant(), Ignorant(-0.3))


@pytest.mark.parametrize("teacher", IGNORANT, ids=named)
@pytest.mark.parametrize("k", [2, 3])
def test_the_own_outcome_of_a_row_is_nowhere_in_its_label(teacher: Any, k: int) -> None:
    X, y = followed(k)
    fold = np.arange(len(y)) % 5
    before = cross_fit(teacher, X, y, cv=fold, random_state=0).mean
    for row in (0, 7, 71):
        flipped = y.copy()
        flipped[row] = (y[row] + 1) % k
        after = cross_fit(teacher, X, flipped, cv=fold, random_state=0).mean
        np.testing.assert_array_equal(after[row], before[row])
        own = fold == fold[row]
        np.testing.assert_array_equal(after[own], before[own])
        # The stages of the other folds did learn from it.
        assert np.abs(after[~own] - before[~own]).max() > 0.0


@pytest.mark.parametrize("teacher", IGNORANT, ids=named)
def test_the_row_that_is_flipped_would_move_an_in_sample_label(teacher: Any) -> None:
    X, y = followed()
    flipped = y.copy()
    flipped[3] = 1 - y[3]
    before, after = (
        cross_fit(teacher, X, each, cv="in-sample", random_state=0).mean[3]
        for each in (y, flipped)
    )
    assert np.abs(before - after).max() > 0.0


@pytest.mark.parametrize("teacher", staged(Counted(), Counted()), ids=named)
def test_first_teachers_are_fitted_once_for_each_fold(teacher: Any) -> None:
    X, y = made()
    n_first = len(teacher.first_stage())
    Counted.fits.clear()
    cross_fit(teacher, X, y, cv=5, n_repeats=2, random_state=0)
    assert len(Counted.fits) == 10 * n_first
    Counted.fits.clear()
    clone(teacher).fit(X, y)
    assert len(Counted.fits) == 6 * n_first
    assert sorted(Counted.fits)[-n_first:] == [150] * n_first


def test_nested_labels_share_the_first_teachers() -> None:
    X, y = made()
    base = Counted()
    folds = NestedFolds(X, y, random_state=0)
    Counted.fits.clear()
    for teacher in (base, *staged(base, base)):
        found = folds.cross_fit(teacher)
        assert np.isfinite(found.outer.mean).all()
        assert all(np.isfinite(inner.mean).all() for inner in found.inner)
        assert all(np.isfinite(each).all() for each in found.in_sample)
    assert len(Counted.fits) == folds.n_fitted == 15


@pytest.mark.parametrize("teacher", IGNORANT, ids=named)
def test_rows_that_judge_have_no_say_in_nested_labels(teacher: Any) -> None:
    X, y = followed()
    fold = np.arange(len(y)) % 5
    flipped = np.where(fold == 2, 1 - y, y)
    before, after = (
        NestedFolds(X, each, cv=fold, random_state=0).cross_fit(teacher)
        for each in (y, flipped)
    )
    np.testing.assert_array_equal(before.inner[2].mean, after.inner[2].mean)
    np.testing.assert_array_equal(before.in_sample[2], after.in_sample[2])
    assert np.abs(before.inner[1].mean - after.inner[1].mean).max() > 0.0


WAYS: dict[str, dict[str, Any]] = {
    "integer": {"cv": 4},
    "repeats": {"cv": 3, "n_repeats": 2},
    "in-sample": {"cv": "in-sample"},
    "refit": {"cv": 3, "new_rows": "refit"},
    "ids": {"cv": np.arange(150) % 3},
    "splitter": {"cv": StratifiedKFold(3)},
    "groups": {"cv": 3, "groups": np.arange(150) % 15},
    "group splitter": {"cv": GroupKFold(3), "groups": np.arange(150) % 15},
    "weights": {"cv": 3, "sample_weight": np.arange(150.0) % 4 + 0.5},
}


@pytest.mark.parametrize("teacher", ALL, ids=named)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_every_way_of_labelling_takes_them(teacher: Any, way: dict[str, Any]) -> None:
    X, y = made(k=3)
    words = np.array(["low", "mid", "high"])[y]
    record = cross_fit(teacher, X, words, random_state=0, **way)
    assert record.prediction.shape == (way.get("n_repeats", 1), 150, 3)
    np.testing.assert_allclose(record.mean.sum(axis=1), 1.0)
    assert record.classes is not None
    assert record.classes.tolist() == ["high", "low", "mid"]
    new = record.label(X[:5] + 0.1)
    np.testing.assert_allclose(new.sum(axis=1), 1.0)
    again = cross_fit(teacher, X, words, random_state=0, **way)
    np.testing.assert_array_equal(again.mean, record.mean)


@pytest.mark.parametrize("teacher", ALL, ids=named)
def test_a_split_labels_one_half(teacher: Any) -> None:
    X, y = made()
    labelled = np.isfinite(cross_fit(teacher, X, y, cv="split").mean).all(axis=1)
    assert labelled.sum() == 75


@pytest.mark.parametrize("teacher", ALL, ids=named)
def test_rows_of_weight_zero_have_no_label_and_no_say(teacher: Any) -> None:
    X, y = made()
    w = np.where(np.arange(150) < 120, 1.0, 0.0)
    found = cross_fit(teacher, X, y, sample_weight=w, random_state=0).mean
    assert np.isnan(found[120:]).all()
    alone = cross_fit(teacher, X[:120], y[:120], random_state=0).mean
    np.testing.assert_allclose(found[:120], alone, atol=1e-9)


@pytest.mark.parametrize("teacher", ALL, ids=named)
def test_distillation_takes_them(teacher: Any) -> None:
    X, y = made(300)
    student = DistilledClassifier(teacher, DecisionTreeRegressor(max_leaf_nodes=8))
    found = student.fit(X, y).score(X, y)
    assert found > max(np.mean(y), 1 - np.mean(y)) + 0.05


@pytest.mark.parametrize("teacher", ALL, ids=named)
def test_a_class_that_a_fold_lacks_is_counted_and_survived(teacher: Any) -> None:
    X, y = made(k=2)
    y, fold = y.copy(), np.arange(150) % 5
    rare = np.flatnonzero(fold == 1)[:3]
    y[rare] = 2
    with pytest.warns(SemikdWarning, match="1 of 5 fold teachers never saw a class"):
        found = cross_fit(teacher, X, y, cv=fold, random_state=0).mean
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert found[fold == 1, 2].max() < 0.05


def frame(n: int = 120) -> tuple[Any, NDArray[Any]]:
    """Return a frame with a category, gaps and a number, and labels that follow it."""
    rng = np.random.default_rng(0)
    colour = np.array(["blue", "green", "red"])[rng.integers(0, 3, n)]
    size = rng.normal(size=n)
    y = np.where((size > 0) ^ (colour == "red"), "yes", "no")
    size[::7] = np.nan
    X = pd.DataFrame({"colour": pd.Categorical(colour), "size": size})
    X.loc[::11, "colour"] = None
    return X, y


def test_the_defaults_read_frames_with_categories_and_gaps() -> None:
    X, y = frame()
    for teacher in (StackedTeacher(), ResidualTeacher(), CalibratedTeacher()):
        found = clone(teacher).set_params(random_state=0, cv=2).fit(X, y)
        assert found.score(X, y) > 0.6
        twin = pl.DataFrame(
            {
                "colour": pl.Series(
                    [v if isinstance(v, str) else None for v in X["colour"]],
                    dtype=pl.Enum(["blue", "green", "red"]),
                ),
                "size": pl.Series(X["size"].to_numpy(), nan_to_null=True),
            }
        )
        other = clone(teacher).set_params(random_state=0, cv=2).fit(twin, y)
        np.testing.assert_allclose(
            found.predict_proba(X), other.predict_proba(twin), atol=1e-9
        )


def test_texts_are_read_where_all_members_read_them() -> None:
    X, y = frame()
    texts = X.assign(colour=X["colour"].astype(object))
    members = [CodedTeacher(), CodedTeacher(LogisticRegression(), coding="indicators")]
    teacher = StackedTeacher(members, random_state=0).fit(texts, y)
    assert teacher.score(texts, y) > 0.7
    new = pd.DataFrame({"colour": ["purple", None], "size": [np.nan, 1.0]})
    assert np.isfinite(teacher.predict_proba(new)).all()


def test_sparse_tables_pass_where_all_members_take_them() -> None:
    X, y = made()
    table = sparse.csr_array(np.where(np.abs(X) < 0.5, 0.0, X))
    for teacher in (
        CalibratedTeacher(LogisticRegression()),
        ResidualTeacher(LogisticRegression(), Ridge()),
    ):
        teacher.set_params(random_state=0)
        found = clone(teacher).fit(table, y).predict_proba(table)
        dense = clone(teacher).fit(table.toarray(), y).predict_proba(table.toarray())
        np.testing.assert_allclose(found, dense, atol=1e-4)


@pytest.mark.parametrize("teacher", ALL, ids=named)
def test_seeds_workers_and_pickles_change_nothing(teacher: Any) -> None:
    X, y = made()
    own = clone(teacher).set_params(random_state=3)
    one = clone(own).fit(X, y)
    two = clone(own).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    copy = pickle.loads(pickle.dumps(one))  # noqa: S301
    np.testing.assert_array_equal(one.predict_proba(X), copy.predict_proba(X))
    np.testing.assert_array_equal(
        one.predict(X), one.classes_[one.predict_proba(X).argmax(axis=1)]
    )


@pytest.mark.parametrize("teacher", ALL, ids=named)
def test_permuted_and_repeated_rows_give_the_same_teacher(teacher: Any) -> None:
    X, y = made()
    w = np.random.default_rng(1).integers(1, 3, 150)
    rows = np.random.default_rng(2).permutation(np.repeat(np.arange(150), w))
    own = clone(teacher).set_params(random_state=0)
    weighted = clone(own).fit(X, y, sample_weight=w).predict_proba(X)
    repeated = clone(own).fit(X[rows], y[rows]).predict_proba(X)
    # The solver of logistic regression stops at 1e-4.
    np.testing.assert_allclose(weighted, repeated, atol=2e-3)
    plain = clone(own).fit(X, y).predict_proba(X)
    assert np.abs(weighted - plain).max() > 4e-3


def test_stages_stand_on_stages() -> None:
    X, y = made()
    tower = StackedTeacher(
        [
            CalibratedTeacher(Counted(), method="beta"),
            ResidualTeacher(Counted(), Ridge()),
        ],
        random_state=0,
    )
    Counted.fits.clear()
    record = cross_fit(tower, X, y, cv=4, random_state=0)
    assert len(Counted.fits) == 8
    assert np.isfinite(record.mean).all()
    assert tower.fit(X, y).weights_.shape == (2,)


class Spy(StagedTeacher):
    """A teacher that keeps what its second stage was shown."""

    cv, n_jobs, random_state = 3, None, 0

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []

    def first_stage(self) -> list[Any]:
        return [GaussianNB()]

    def second_stage(
        self,
        answers: list[Floats],
        X: Any,
        outcome: Floats,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        random_state: Any = None,
    ) -> Any:
        self.shown.append({"X": X, "groups": groups, "weight": sample_weight})
        return lambda answers, X: answers[0]


def test_a_second_stage_sees_the_other_folds_with_groups_and_weights() -> None:
    X, y = made()
    groups, w = np.arange(150) // 10, np.arange(150.0) + 1
    spy, fold = Spy(), np.arange(150) // 50
    cross_fit(spy, X, y, cv=fold, groups=groups, sample_weight=w)
    assert len(spy.shown) == 3
    for t, seen in enumerate(spy.shown):
        np.testing.assert_array_equal(seen["X"], X[fold != t])
        np.testing.assert_array_equal(seen["groups"], groups[fold != t])
        np.testing.assert_array_equal(seen["weight"], w[fold != t])


def test_correctors_divide_no_group() -> None:
    X, y = made()
    groups, seen = np.arange(150) // 10, []

    class Watched(LinearRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            seen.append(X[:, 0])
            return super().fit(X, y, sample_weight)

    teacher = ResidualTeacher(GaussianNB(), Watched())
    cross_fit(teacher, X, y, cv=5, groups=groups, random_state=0)
    assert len(seen) == 25
    for column in seen:
        whole = [np.isin(X[groups == g, 0], column) for g in range(15)]
        assert all(each.all() or not each.any() for each in whole)


class Line(RegressorMixin, BaseEstimator):
    """A regression in two stages: least squares, with its mean error taken off."""

    def first_stage(self) -> list[Any]:
        return [LinearRegression(fit_intercept=False)]

    def second_stage(
        self, answers: list[Floats], X: Any, outcome: Floats, **options: Any
    ) -> Any:
        off = (outcome - answers[0]).mean(axis=0)
        return lambda answers, X: answers[0] + off

    def fit(self, X: Any, y: Any) -> "Line":
        self.model_ = fit_stages(self, X, y, cv=5, random_state=0)
        return self

    def predict(self, X: Any) -> Any:
        return self.model_.predict(X)


def test_regressions_have_stages_too() -> None:
    X, _ = made()
    y = X @ np.array([1.0, 2.0, 3.0]) + 5.0
    np.testing.assert_allclose(Line().fit(X, y).predict(X), y, atol=1.5)
    found = cross_fit(Line(), X, y, random_state=0).mean
    np.testing.assert_allclose(found[:, 0], y, atol=1.5)
    assert (
        np.abs(LinearRegression(fit_intercept=False).fit(X, y).predict(X) - y).min() > 2
    )
    many = np.column_stack([y, -y])
    assert cross_fit(Line(), X, many, random_state=0).mean.shape == (150, 2)
    assert Line().fit(X, many).predict(X).shape == (150, 2)


@pytest.mark.parametrize("cv", [None, 3, StratifiedKFold(3), np.arange(150) % 4])
def test_a_fit_takes_folds_of_every_form(cv: Any) -> None:
    X, y = made()
    for teacher in ALL:
        own = clone(teacher).set_params(cv=cv, random_state=0)
        assert own.fit(X, y).predict_proba(X).shape == (150, 2)


def test_a_fit_takes_no_labels_that_lean() -> None:
    X, y = made()
    with pytest.raises(ValueError, match="cv must be folds where a second stage is fi"):
        StackedTeacher([GaussianNB()], cv="loo").fit(X, y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"coding": "words"}, "coding must be one of 'codes', 'indicators'")],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    X, y = made()
    with pytest.raises(ValueError, match=words):
        CodedTeacher(**settings).fit(X, y)


def test_one_class_is_refused() -> None:
    X, y = made()
    with pytest.raises(ValueError, match="at least two classes; got 1 class: 0"):
        CodedTeacher().fit(X, 0 * y)


def test_indicators_are_what_pandas_makes_of_categories() -> None:
    X, y = frame()
    X["colour"] = X["colour"].fillna("red")
    X["size"] = X["size"].fillna(0.0)
    own = CodedTeacher(EXACT, coding="indicators").fit(X, y)
    size = (X["size"] - X["size"].mean()) / X["size"].std(ddof=0)
    table = pd.get_dummies(X["colour"]).assign(size=size).to_numpy(dtype=float)
    order = [3, 0, 1, 2]
    oracle = clone(EXACT).fit(table[:, order], y).predict_proba(table[:, order])
    np.testing.assert_allclose(own.predict_proba(X), oracle, atol=1e-8)
