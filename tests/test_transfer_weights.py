"""Density ratios: against known densities, cut off by name, and what students gain."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from semikd import DistilledClassifier, LinearStudent
from semikd.exceptions import SemikdWarning
from semikd.transfer import effective_size, transfer_weights

Floats = NDArray[np.float64]
SHIFT = 1.0


def rows(n: int, shift: float, seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=(n, 1)) + shift


class Exact(ClassifierMixin, BaseEstimator):
    """The true probability to be drawn there, for tables of equal length."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Exact":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        odds = np.exp(SHIFT * np.asarray(X)[:, 0] - SHIFT**2 / 2)
        return np.column_stack([1 / (1 + odds), odds / (1 + odds)])


@pytest.mark.parametrize("n_there", [2_000, 6_000])
def test_a_right_model_finds_the_ratio_of_the_densities(n_there: int) -> None:
    X, there = rows(2_000, 0.0, 0), rows(n_there, SHIFT, 1)
    found = transfer_weights(X, there, classifier=LogisticRegression(), random_state=0)
    true = np.exp(SHIFT * X[:, 0] - SHIFT**2 / 2)
    np.testing.assert_allclose(found.ratios, true, rtol=0.35)
    np.testing.assert_allclose(np.median(found.ratios / true), 1.0, atol=0.1)
    np.testing.assert_allclose(found.weights.mean(), 1.0)
    # Of normal densities a shift apart: E w² = exp(shift²).
    np.testing.assert_allclose(
        found.effective_size / 2_000, np.exp(-(SHIFT**2)), atol=0.12
    )


def test_weights_make_means_here_those_of_there() -> None:
    # The mean of x² there is 2; with the true ratio its standard error is
    # sqrt(E r² x⁴) / sqrt(n) < 0.05 for n = 20,000.
    X, there = rows(20_000, 0.0, 2), rows(20_000, SHIFT, 3)
    found = transfer_weights(X, there, classifier=Exact(), random_state=0)
    mean = np.average(X[:, 0] ** 2, weights=found.weights)
    np.testing.assert_allclose(mean, 2.0, atol=0.2)
    assert abs((X[:, 0] ** 2).mean() - 2.0) > 0.9


def test_equal_populations_have_equal_weights() -> None:
    found = transfer_weights(
        rows(3_000, 0.0, 0),
        rows(3_000, 0.0, 1),
        classifier=LogisticRegression(),
        random_state=0,
    )
    assert found.effective_size > 2_950
    np.testing.assert_allclose(found.weights, 1.0, atol=0.25)


def test_what_labels_a_row_did_not_see_it() -> None:
    # One neighbour knows every row that it saw: only folds keep it from being sure.
    X, there = rows(300, 0.0, 0), rows(300, 0.0, 1)
    memory = KNeighborsClassifier(1)
    with pytest.warns(SemikdWarning, match="cut off"):
        found = transfer_weights(X, there, classifier=memory, largest=5.0)
    assert 0.3 < (found.ratios > 1.0).mean() < 0.7


def test_the_effective_size_is_that_of_kish() -> None:
    assert effective_size(np.ones(7)) == 7.0
    assert effective_size([0.0, 3.0, 0.0]) == 1.0
    w = np.random.default_rng(0).exponential(size=50)
    x = np.random.default_rng(1).normal(size=(20_000, 50))
    # The variance of a weighted mean of independent numbers is one over it: the ratio
    # of variances from 20,000 draws has a standard error of 1 %.
    variance = (x @ w / w.sum()).var()
    np.testing.assert_allclose(1.0 / variance, effective_size(w), rtol=0.05)


def test_clipped_weights_are_named() -> None:
    X, there = rows(500, 0.0, 0), rows(500, SHIFT, 1)
    free = transfer_weights(X, there, classifier=Exact(), random_state=0)
    assert (free.largest, free.n_clipped) == (None, 0)
    assert "cut off" not in str(free)
    n_over = int((free.ratios > 2.0).sum())
    with pytest.warns(
        SemikdWarning, match=f"{n_over} of 500 density ratios were above"
    ):
        cut = transfer_weights(X, there, classifier=Exact(), largest=2.0)
    assert cut.n_clipped == n_over
    assert f"{n_over} cut off at 2" in str(cut)
    np.testing.assert_allclose(cut.ratios, free.ratios)
    shape = np.minimum(free.ratios, 2.0)
    np.testing.assert_allclose(cut.weights, shape / shape.mean())
    assert cut.effective_size > free.effective_size


def test_own_weights_are_copies_and_frames_pass() -> None:
    X, there = rows(200, 0.0, 0), rows(200, SHIFT, 1)
    own = np.where(np.arange(200) % 5 == 0, 2.0, 1.0)
    own[7] = 0.0
    twice = np.repeat(np.arange(200), own.astype(int))
    classifier = LogisticRegression(tol=1e-10, max_iter=1000)
    settings: dict[str, Any] = {"classifier": classifier, "random_state": 0, "cv": 4}
    one = transfer_weights(X, there, sample_weight=own, **settings)
    two = transfer_weights(X[twice], there, **settings)
    np.testing.assert_allclose(one.weights[twice], two.weights, rtol=1e-4)
    np.testing.assert_allclose(effective_size(one.weights * own), one.effective_size)
    assert one.weights[7] == 0.0
    frames = (pd.DataFrame(table, columns=["x"]) for table in (X, there))
    other = transfer_weights(*frames, sample_weight=own, **settings)
    np.testing.assert_allclose(other.weights, one.weights)


def test_a_small_student_learns_the_population_that_it_is_weighted_for() -> None:
    # The truth bends: a straight line here is another one than there.
    def outcome(X: Floats, seed: int) -> NDArray[np.bool_]:
        noise = np.random.default_rng(seed).logistic(size=len(X))
        return np.asarray(X[:, 0] ** 2 - 1.0 + 0.3 * noise > 0)

    X, there = rows(4_000, 0.0, 0), rows(4_000, SHIFT, 1)
    y, test = outcome(X, 2), rows(4_000, SHIFT, 3)
    truth = outcome(test, 4)
    weights = transfer_weights(X, there, random_state=0).weights
    plain, weighted = (
        DistilledClassifier(student=LinearStudent(), random_state=0)
        .fit(X, y, sample_weight=w)
        .score(test, truth)
        for w in (None, weights)
    )
    assert weighted > plain + 0.1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"largest": 0.5}, "largest must be"),
        ({"target": np.ones((3, 2))}, "unlabelled must have"),
        ({"target": np.ones((0, 1))}, "target must have at least one row"),
        ({"cv": "oob"}, "cv"),
    ],
)
def test_what_cannot_be_weighed_is_refused(settings: Any, words: str) -> None:
    given = {"target": rows(30, 0.0, 1), "classifier": LogisticRegression(), **settings}
    with pytest.raises((ValueError, TypeError), match=words):
        transfer_weights(rows(30, 0.0, 0), **given)


def test_a_row_that_is_certainly_there_needs_a_limit() -> None:
    X, there = rows(60, 0.0, 0), rows(60, 0.0, 1)
    memory = KNeighborsClassifier(1)
    with pytest.raises(ValueError, match="must be below 1; got 1 in row"):
        transfer_weights(X, there, classifier=memory)
