"""The default teachers: where they stop, what they take, and how good they are."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from semikd.crossfit import content_split
from semikd.teachers import BoostingRegressorTeacher, BoostingTeacher

Floats = NDArray[np.float64]


def made(n: int = 120, k: int = 2, seed: int = 0) -> tuple[Floats, NDArray[Any]]:
    """Return three columns and labels that follow them with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, (X @ rng.normal(size=(3, k)) + rng.gumbel(size=(n, k))).argmax(axis=1)


class Recorder(HistGradientBoostingClassifier):
    """A booster that keeps what it was given."""

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        self.given_ = {"X": X, "y": y, **kwargs}
        return super().fit(X, y, **kwargs)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that fits a teacher and returns what its booster was given."""
    home = "semikd.teachers.boosting.HistGradientBoostingClassifier"
    monkeypatch.setattr(home, Recorder)

    def fit(X: Any, y: Any, sample_weight: Any = None, **settings: Any) -> Any:
        teacher = BoostingTeacher(random_state=0, max_iter=5, **settings)
        return teacher.fit(X, y, sample_weight).booster_.given_

    return fit


def test_copies_of_a_row_are_on_one_side_with_their_total_weight(given: Any) -> None:
    X, y = made(40)
    rows = np.repeat(np.arange(40), 3)
    seen = given(X[rows], y[rows])
    assert not set(seen["X"][:, 0]) & set(seen["X_val"][:, 0])
    assert len(seen["X"]) + len(seen["X_val"]) == 40
    assert set(seen["sample_weight"]) == {3.0}
    assert set(seen["sample_weight_val"]) == {3.0}


def test_labels_of_one_row_may_differ_but_stay_together(given: Any) -> None:
    X, y = made(40)
    seen = given(np.r_[X, X], np.r_[y, 1 - y])
    assert not set(seen["X"][:, 0]) & set(seen["X_val"][:, 0])
    assert len(seen["X"]) + len(seen["X_val"]) == 80


def test_the_held_out_share_is_taken_of_every_class(given: Any) -> None:
    X, y = made(200, k=3)
    seen = given(X, y)
    for j in range(3):
        share = (seen["y_val"] == j).sum() / (y == j).sum()
        assert abs(share - 0.15) <= 1 / (y == j).sum()
    assert len(given(X, y, validation_fraction=0.5)["X_val"]) == 100


@pytest.mark.parametrize("rare", [1, 2, 3])
def test_no_class_is_held_out_whole(given: Any, rare: int) -> None:
    X, _ = made(30)
    y = np.r_[np.zeros(30 - rare), np.ones(rare)].astype(int)
    for fraction in (0.15, 0.6, 0.9):
        seen = given(X, y, validation_fraction=fraction)
        assert set(seen["y"]) == {0, 1}


@pytest.mark.usefixtures("given")
def test_the_loop_of_a_plain_booster_on_that_division() -> None:
    X, y = made()
    teacher = BoostingTeacher(random_state=0).fit(X, y)
    seen = teacher.booster_.given_
    by_hand = HistGradientBoostingClassifier(**teacher.booster_.get_params())
    by_hand.fit(seen["X"], seen["y"], X_val=seen["X_val"], y_val=seen["y_val"])
    np.testing.assert_array_equal(by_hand.predict_proba(X), teacher.predict_proba(X))
    held_out = np.isin(X[:, 0], seen["X_val"][:, 0])
    assert 0 < held_out.sum() < len(y) / 4
    # The teacher's own seed differs from the raw one, so that shares differ too.
    plain = content_split(X, fraction=0.15, random_state=0, strata=y)
    assert plain.sum() == held_out.sum()


@pytest.mark.parametrize("teacher", [BoostingTeacher, BoostingRegressorTeacher])
def test_order_copies_and_weights_agree_to_the_last_bit(teacher: Any) -> None:
    X, y = made(400)
    w = np.random.default_rng(1).integers(0, 3, 400)
    rows = np.random.default_rng(2).permutation(np.repeat(np.arange(400), w))
    weighted = teacher(random_state=0).fit(X, y, sample_weight=w)
    repeated = teacher(random_state=0).fit(X[rows], y[rows])
    np.testing.assert_array_equal(weighted.predict(X), repeated.predict(X))
    plain = teacher(random_state=0).fit(X, y)
    if teacher is BoostingTeacher:
        p, q = weighted.predict_proba(X), repeated.predict_proba(X)
        np.testing.assert_array_equal(p, q)
        assert np.abs(p - plain.predict_proba(X)).max() > 0.01
    else:
        assert np.abs(weighted.predict(X) - plain.predict(X)).max() > 0.01


def test_weights_of_one_are_no_weights() -> None:
    X, y = made()
    plain = BoostingTeacher(random_state=0).fit(X, y).predict_proba(X)
    ones = BoostingTeacher(random_state=0).fit(X, y, np.ones(len(y)))
    np.testing.assert_array_equal(plain, ones.predict_proba(X))


def test_a_seed_repeats_the_teacher_and_another_stops_elsewhere() -> None:
    X, y = made()
    first, again, other = (
        BoostingTeacher(random_state=seed).fit(X, y).predict_proba(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


@pytest.mark.parametrize("n", range(2, 11))
def test_tiny_tables_are_fitted(n: int) -> None:
    X = np.arange(float(n))[:, None]
    y = np.arange(n) % 2
    p = BoostingTeacher(random_state=0).fit(X, y).predict_proba(X)
    assert p.shape == (n, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    mean = BoostingRegressorTeacher(random_state=0).fit(X, y).predict(X)
    assert np.isfinite(mean).all()


def test_a_table_of_copies_is_fitted_to_its_base_rate() -> None:
    X, y = np.ones((20, 2)), (np.arange(20) < 5).astype(int)
    p = BoostingTeacher(random_state=0).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(p[:, 1], 0.25, atol=1e-6)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_missing_values_and_categories_are_used(frame: Any) -> None:
    rng = np.random.default_rng(0)
    X, _ = made(400)
    word, gap = rng.integers(0, 3, 400), rng.random(400) < 0.3
    truth = np.where(word == 1, 0.9, np.where(gap, 0.7, 0.2))
    y = (rng.random(400) < truth).astype(int)
    column, words = np.where(gap, np.nan, X[:, 0]), np.array(["x", "y", "z"])[word]
    coded = pd.Categorical(words)
    if frame is pl.DataFrame:
        coded = pl.Series(words, dtype=pl.Categorical)
    table = frame({"a": column, "word": coded})
    teacher = BoostingTeacher(random_state=0).fit(table, y)
    p = teacher.predict_proba(table)[:, 1]
    assert p[word == 1].mean() > 0.75
    assert p[(word != 1) & gap].mean() > p[(word != 1) & ~gap].mean() + 0.2
    assert list(teacher.feature_names_in_) == ["a", "word"]
    bare = BoostingTeacher(random_state=0).fit(column[:, None], y)
    assert np.isfinite(bare.predict_proba(X[:, :1])).all()


def test_labels_of_any_kind_come_back() -> None:
    X, y = made()
    coded = BoostingTeacher(random_state=0).fit(X, y)
    for names in (["no", "yes"], [False, True], [-1.0, 2.0]):
        named = BoostingTeacher(random_state=0).fit(X, np.asarray(names)[y])
        assert named.classes_.tolist() == names
        np.testing.assert_array_equal(named.predict_proba(X), coded.predict_proba(X))
        assert (named.predict(X) == np.asarray(names)[coded.predict(X)]).all()


@pytest.mark.parametrize("name", ["breast cancer", "noisy", "three classes"])
def test_it_beats_plain_boosting_and_a_small_tree_in_log_loss(name: str) -> None:
    losses = np.array([losses_of(name, seed) for seed in range(4)]).mean(axis=0)
    ours, boosting, tree = losses
    assert ours < boosting
    assert ours < tree


def losses_of(name: str, seed: int) -> list[float]:
    """Return test log-losses of our teacher, plain boosting and an 8-leaf tree."""
    if name == "breast cancer":
        X, y = load_breast_cancer(return_X_y=True)
        split = train_test_split(X, y, train_size=200, random_state=seed, stratify=y)
    else:
        X, y = made(1200, k=3 if name == "three classes" else 2, seed=seed)
        split = train_test_split(X, y, train_size=250, random_state=seed)
    train, test, y_train, y_test = split
    models = [
        BoostingTeacher(random_state=seed),
        HistGradientBoostingClassifier(random_state=seed),
        DecisionTreeClassifier(max_leaf_nodes=8, random_state=seed),
    ]
    return [
        log_loss(y_test, model.fit(train, y_train).predict_proba(test))
        for model in models
    ]


def test_the_regressor_beats_plain_boosting_on_noise() -> None:
    errors = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(1200, 3))
        y = X[:, 0] + rng.normal(size=1200)
        ours = BoostingRegressorTeacher(random_state=0).fit(X[:200], y[:200])
        plain = HistGradientBoostingRegressor(random_state=0).fit(X[:200], y[:200])
        truth = X[200:, 0]
        errors.append(
            [np.mean((m.predict(X[200:]) - truth) ** 2) for m in (ours, plain)]
        )
    ours_error, plain_error = np.mean(errors, axis=0)
    assert ours_error < plain_error


@pytest.mark.parametrize(
    ("X", "y", "error", "match"),
    [
        (np.ones((3, 1)), [1, 1, 1], ValueError, "two classes; got 1 class: 1"),
        (np.ones((3, 1)), [0.1, 0.2, 0.3], ValueError, "Unknown label type"),
        (np.full((3, 1), np.inf), [0, 1, 1], ValueError, "contains infinity"),
        (np.ones((3, 1)), [0, 1], ValueError, "inconsistent numbers of samples"),
        (pd.DataFrame({"a": [1, 2]}), [0, 1, 1], ValueError, "inconsistent numbers"),
        (np.ones((3, 1)), [0, 1, np.nan], ValueError, "contains NaN"),
    ],
)
def test_what_cannot_be_learned(X: Any, y: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        BoostingTeacher().fit(X, y)


@pytest.mark.parametrize("teacher", [BoostingTeacher, BoostingRegressorTeacher])
def test_settings_and_weights_that_make_no_sense(teacher: Any) -> None:
    X, y = made()
    for fraction in (-0.1, 0.95, 2):
        match = "validation_fraction must be a number at least 0 and at most 0.9"
        with pytest.raises(ValueError, match=match):
            teacher(validation_fraction=fraction).fit(X, y)
    with pytest.raises(ValueError, match="sample_weight must be non-negative; got -1"):
        teacher().fit(X, y, np.full(len(y), -1.0))
    with pytest.raises(ValueError, match="have a positive sum"):
        teacher().fit(X, y, np.zeros(len(y)))
    with pytest.raises(NotFittedError, match="not fitted yet"):
        teacher().predict(X)
