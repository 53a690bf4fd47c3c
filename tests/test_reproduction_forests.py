"""One fit of the largest forest gives what a fit of every size would have given."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, roc_auc_score

from semikd.evaluation import Classification, Table
from semikd.reproduction.forests import paths
from semikd.reproduction.forests.growing import (
    grown,
    means_by_size,
    score,
)
from semikd.reproduction.forests.paths import PathForest, PathJudge
from semikd.selection import Candidate
from semikd.selection.judging import Judge
from semikd.selection.sources import LabelBank

FloatArray = NDArray[np.float64]
Fits = list[tuple[int, int]]
LARGEST = 6
SIZES = (1, 2, 5, 6)


def rows(seed: int = 0, n: int = 90) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return rows of four columns, and labels that depend on two of them."""
    draws = np.random.default_rng(seed)
    X = draws.normal(size=(n, 4))
    return X, (X[:, 0] + X[:, 1] ** 2 + draws.normal(size=n) > 1).astype(np.intp)


def weights(n: int = 90) -> FloatArray:
    """Return a weight for each row."""
    return np.random.default_rng(1).random(n)


@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    """Start and end without forests of another test."""
    paths._known.clear()
    yield
    paths._known.clear()


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> Fits:
    """Sizes and seeds of the regression forests that are fitted from now on."""
    found: Fits = []
    fit = RandomForestRegressor.fit

    def spy(self: Any, *arrays: Any, **more: Any) -> Any:
        found.append((self.n_estimators, self.random_state))
        return fit(self, *arrays, **more)

    monkeypatch.setattr(RandomForestRegressor, "fit", spy)
    return found


@pytest.mark.parametrize("kind", [RandomForestRegressor, RandomForestClassifier])
@pytest.mark.parametrize("settings", [{}, {"max_features": 0.5, "max_leaf_nodes": 7}])
def test_the_first_trees_are_the_smaller_forest(
    kind: Any, settings: dict[str, Any]
) -> None:
    X, y = rows()
    new = rows(seed=1)[0]
    largest = kind(LARGEST, random_state=3, **settings).fit(X, y)
    found = means_by_size(largest, new, SIZES)
    assert found.shape == (len(SIZES), len(new))
    for size, means in zip(SIZES, found, strict=True):
        plain = kind(size, random_state=3, **settings).fit(X, y)
        is_classifier = kind is RandomForestClassifier
        said = plain.predict_proba(new)[:, 1] if is_classifier else plain.predict(new)
        np.testing.assert_allclose(means, said, rtol=1e-13)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_grown_forest_is_scikit_learn_s_own(n_jobs: int | None) -> None:
    X, y = rows()
    target = y + 0.1 * X[:, 2]
    plain = RandomForestRegressor(4, random_state=7).fit(X, target).estimators_
    found = grown(X, target, 4, seed=7, n_jobs=n_jobs).estimators_
    other = grown(X, target, 4, seed=8, n_jobs=n_jobs).estimators_
    for tree, same, else_ in zip(plain, found, other, strict=True):
        np.testing.assert_array_equal(same.predict(X), tree.predict(X))
        assert (else_.predict(X) != tree.predict(X)).any()


def test_scores_are_scikit_learn_s() -> None:
    y, draws = rows()[1], np.random.default_rng(0)
    said = draws.integers(0, 9, len(y)) / 8
    assert (said == 0.5).any()
    assert score("AUC", y, said) == roc_auc_score(y, said)
    assert score("accuracy", y, said) == accuracy_score(y, said >= 0.5)
    # What stands for a probability may exceed 1.
    assert score("AUC", y, np.exp(said)) == roc_auc_score(y, said)


def test_a_half_is_a_vote_for_the_second_class() -> None:
    said = np.array([0.5, np.nextafter(0.5, 0), 0.5])
    assert score("accuracy", np.array([1, 0, 0]), said) == 2 / 3


SETTINGS: list[dict[str, Any]] = [
    {},
    {"max_features": 0.5},
    {"max_features": "sqrt"},
    {"max_leaf_nodes": 9},
    {"min_samples_leaf": 5},
    {"min_weight_fraction_leaf": 0.1},
    {"max_features": 2, "min_samples_leaf": 0.05},
]


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("weight", [None, weights()])
def test_a_path_forest_is_the_plain_forest(
    settings: dict[str, Any], weight: FloatArray | None
) -> None:
    X, y = rows()
    new = rows(seed=1)[0]
    for size in (2, 6, 1, 5):
        more = {"random_state": 3, **settings}
        plain = RandomForestRegressor(size, **more).fit(X, y, weight)
        path = PathForest(size, largest=LARGEST, **more).fit(X, y, weight)
        np.testing.assert_array_equal(path.predict(new), plain.predict(new))
        assert len(path.estimators_) == path.n_estimators == size
        assert path.n_features_in_ == 4
        assert path.get_params() == {**more_params(path), **more, "largest": LARGEST}


def more_params(path: PathForest) -> dict[str, Any]:
    """Return the parameters of a path forest of this size that nobody set."""
    plain = PathForest(path.n_estimators, largest=0)
    return plain.get_params()


def test_fewer_trees_first_and_clones_change_nothing() -> None:
    X, y = rows()
    path = PathForest(1, largest=LARGEST, random_state=0)
    for size in (1, LARGEST, 2, 1):
        again = clone(path).set_params(n_estimators=size)
        plain = RandomForestRegressor(size, random_state=0).fit(X, y)
        np.testing.assert_array_equal(again.fit(X, y).predict(X), plain.predict(X))
        # The same object, fitted again, too.
        path.set_params(n_estimators=size)
        np.testing.assert_array_equal(path.fit(X, y).predict(X), plain.predict(X))


def test_one_fit_serves_all_sizes(fits: Fits) -> None:
    X, y = rows()
    for size in SIZES:
        PathForest(size, largest=LARGEST, random_state=0).fit(X, y)
    assert fits == [(LARGEST, 0)]


X0, Y0 = rows()
OTHERS: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "target": ({}, (X0, 1.0 - Y0, None)),
    "one cell": ({}, (np.where(np.arange(360).reshape(90, 4), X0, 9.0), Y0, None)),
    "rows": ({}, (X0[:-1], Y0[:-1], None)),
    "weights": ({}, (X0, Y0, weights())),
    "seed": ({"random_state": 1}, (X0, Y0, None)),
    "columns of a split": ({"max_features": 2}, (X0, Y0, None)),
    "leaves": ({"max_leaf_nodes": 3}, (X0, Y0, None)),
    "rows of a leaf": ({"min_samples_leaf": 9}, (X0, Y0, None)),
    "weight of a leaf": ({"min_weight_fraction_leaf": 0.2}, (X0, Y0, None)),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_differs_is_never_taken_from_what_is_known(what: str, fits: Fits) -> None:
    settings, arrays = OTHERS[what]
    own = {"random_state": 0, **settings}
    before = PathForest(3, largest=LARGEST, random_state=0).fit(X0, Y0)
    path = PathForest(3, largest=LARGEST, **own).fit(*arrays)
    assert fits == [(LARGEST, 0), (LARGEST, own["random_state"])]
    plain = RandomForestRegressor(3, **own).fit(*arrays)
    np.testing.assert_array_equal(path.predict(X0), plain.predict(X0))
    # Without its own fit the answers would be those of before.
    assert (path.predict(X0) != before.predict(X0)).any()


def test_a_larger_largest_is_fitted_anew() -> None:
    PathForest(2, largest=2, random_state=0).fit(X0, Y0)
    path = PathForest(5, largest=5, random_state=0).fit(X0, Y0)
    assert len(path.estimators_) == 5


def test_a_key_that_ignored_the_target_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = PathForest._key
    monkeypatch.setattr(PathForest, "_key", lambda self, X, y, w: key(self, X, w))
    PathForest(3, largest=LARGEST, random_state=0).fit(X0, Y0)
    path = PathForest(3, largest=LARGEST, random_state=0).fit(X0, 1.0 - Y0)
    plain = RandomForestRegressor(3, random_state=0).fit(X0, 1.0 - Y0)
    assert (path.predict(X0) != plain.predict(X0)).any()


@pytest.mark.usefixtures("generator_of_the_checks")
def test_without_a_seed_nothing_is_shared(fits: Fits) -> None:
    first, second = (PathForest(2, largest=LARGEST).fit(X0, Y0) for _ in range(2))
    assert fits == [(2, None), (2, None)]
    assert (first.predict(X0) != second.predict(X0)).any()


def test_a_rewritten_array_is_another_one() -> None:
    X, y = rows()
    PathForest(3, largest=LARGEST, random_state=0).fit(X, y)
    X[:, 0] = -X[:, 0]
    path = PathForest(3, largest=LARGEST, random_state=0).fit(X, y)
    plain = RandomForestRegressor(3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(path.predict(X), plain.predict(X))


def test_only_so_many_forests_are_kept() -> None:
    for seed in range(2 * paths._KEPT):
        PathForest(1, largest=1, random_state=seed).fit(X0, Y0)
    assert len(paths._known) == paths._KEPT


def judged(kind: type[Judge], path: bool, n_jobs: int | None = None) -> Judge:
    """Return a judge that has judged students of two sizes by several lessons."""
    table = Table(X0, Y0, None, None)
    teacher = RandomForestClassifier(5, max_depth=3)
    bank = LabelBank(table, {"forest": teacher}, cv=3, seed=0)
    students: dict[str, Any] = {
        str(n): PathForest(n, largest=4) if path else RandomForestRegressor(n)
        for n in (1, 4)
    }
    judge = kind(table, Classification(), students, bank, n_jobs=n_jobs, seed=5)
    judge.judge(lessons())
    return judge


def lessons() -> list[Candidate]:
    """Return what students of two sizes learn, all of one size first."""
    return [
        each
        for n in ("1", "4")
        for each in (
            Candidate(n, "scratch"),
            Candidate(n, "scratch", settings=(("max_features", 0.5),)),
            Candidate(n, "in-sample", "forest"),
            Candidate(n, "cross-fitted", "forest"),
            Candidate(n, "cross-fitted", "forest", correction=0.3),
            Candidate(n, "cross-fitted", "forest", loss="log_probability"),
        )
    ]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_students_of_a_path_are_judged_as_plain_forests_are(n_jobs: int | None) -> None:
    plain, path = judged(Judge, path=False), judged(PathJudge, True, n_jobs)
    assert set(path.losses) == set(plain.losses) == set(lessons())
    for each in lessons():
        assert np.isfinite(plain.losses[each]).all()
        np.testing.assert_array_equal(path.losses[each], plain.losses[each])


def test_a_judge_of_paths_fits_each_lesson_once(fits: Fits) -> None:
    judged(Judge, path=False)
    plain = len(fits)
    judged(PathJudge, path=True)
    # Six lessons in three parts, of students of two sizes.
    assert (plain, len(fits) - plain) == (36, 18)
