"""What is taken of many candidates, and what its score is worth afterwards."""

from typing import Any

import numpy as np
import pytest

from semikd.selection import Candidate
from semikd.selection.choice import Choice


def named(n: int) -> tuple[Candidate, ...]:
    return tuple(Candidate(f"student {at}", "scratch") for at in range(n))


def choice_of(losses: Any, sizes: Any = None, **more: Any) -> Choice:
    n = losses.shape[1]
    kept = {"weights": None, "units": None, **more}
    return Choice(named(n), losses, tuple(sizes or [0] * n), **kept)


def test_the_smallest_mean_wins_among_students_of_one_size() -> None:
    rng = np.random.default_rng(0)
    losses = rng.normal([0.5, 0.3, 0.31], 1.0, size=(1000, 3))
    found = choice_of(losses)
    assert found.place == found.best == int(losses.mean(axis=0).argmin())


def test_of_two_that_are_equal_the_simpler_is_taken() -> None:
    losses = np.random.default_rng(0).normal(size=(50, 1)) @ np.ones((1, 3))
    assert choice_of(losses).place == 0


def test_a_smaller_student_is_taken_within_one_error_of_the_paired_difference() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=400)
    # Standard errors of the differences are 0.05: common noise has no part in them.
    near, far = rng.normal(size=(2, 400))
    near, far = ((each - each.mean()) / each.std(ddof=1) for each in (near, far))
    losses = np.column_stack([common + 0.10 + far, common + 0.04 + near, common])
    found = choice_of(losses, sizes=[0, 1, 2])
    np.testing.assert_allclose(found.difference_errors[:2], 0.05, rtol=1e-6)
    assert found.best == 2
    assert found.place == 1
    # Along anything but size the best is taken.
    assert choice_of(losses).place == 2


def test_errors_are_those_of_the_paired_t_test_and_of_clusters() -> None:
    rng = np.random.default_rng(0)
    losses = rng.normal([0.0, 1.0], 1.0, size=(60, 2))
    found = choice_of(losses)
    paired = losses[:, 1] - losses[:, 0]
    expected = paired.std(ddof=1) / np.sqrt(60)
    np.testing.assert_allclose(found.difference_errors, [0.0, expected], rtol=1e-9)
    twice = choice_of(np.repeat(losses, 2, axis=0), units=np.repeat(np.arange(60), 2))
    np.testing.assert_allclose(twice.difference_errors, [0.0, expected], rtol=1e-9)


def test_a_weight_of_two_is_a_row_twice() -> None:
    rng = np.random.default_rng(0)
    losses, times = rng.normal(size=(40, 3)), rng.integers(1, 4, size=40)
    weighed = choice_of(losses, weights=times.astype(float), units=np.arange(40))
    repeated = choice_of(
        np.repeat(losses, times, axis=0), units=np.repeat(np.arange(40), times)
    )
    np.testing.assert_allclose(weighed.means, repeated.means)
    assert weighed.score[0] == pytest.approx(repeated.score[0], abs=1e-12)


def score_by_hand(found: Choice) -> tuple[float, float]:
    """Score of the rule, and of the smallest mean, each sample written out as rows."""
    losses, draws = found.losses, np.random.default_rng(found.seed)
    n = len(losses)
    weights = np.ones(n) if found.weights is None else found.weights
    by_rule, by_mean = [], []
    for _ in range(200):
        drawn = draws.integers(n, size=n)
        sample = choice_of(losses[drawn], sizes=found.sizes, weights=weights[drawn])
        out = np.setdiff1d(np.arange(n), drawn)
        left = np.average(losses[out], axis=0, weights=weights[out])
        by_rule.append(left[sample.place])
        by_mean.append(left[sample.best])
    return float(np.mean(by_rule)), float(np.mean(by_mean))


@pytest.mark.parametrize("weighed", [False, True])
def test_the_score_is_that_of_the_rule_that_took_the_winner(weighed: bool) -> None:
    # A larger student that is better by less than an error: the smaller is taken, and
    # the score of the larger would promise too much.
    rng = np.random.default_rng(3)
    losses = rng.normal([1.0, 0.93, 0.9], 1.0, size=(80, 3))
    weights = rng.uniform(0.5, 2.0, size=80) if weighed else None
    found = choice_of(losses, sizes=[0, 1, 2], weights=weights)
    by_rule, by_mean = score_by_hand(found)
    assert found.score[0] == pytest.approx(by_rule, rel=1e-9)
    assert abs(by_rule - by_mean) > 1e-3


@pytest.mark.parametrize("weighed", [False, True])
def test_the_error_of_the_score_is_that_of_its_clusters(weighed: bool) -> None:
    rng = np.random.default_rng(4)
    units = np.arange(90) // 3
    losses = (
        rng.normal([1.0, 0.2], 1.0, size=(90, 2)) + rng.normal(size=30)[units, None]
    )
    weights = rng.uniform(0.5, 2.0, size=90) if weighed else None
    found = choice_of(losses, weights=weights, units=units)
    share = np.full(90, 1 / 90) if weights is None else weights / weights.sum()
    taken = losses[:, found.place]
    moves = np.bincount(units, share * (taken - share @ taken))
    error = np.sqrt(30 / 29 * (moves**2).sum())
    assert found.score[1] == pytest.approx(error, rel=1e-9)
    # Rows that are taken for draws would have a smaller one.
    alone = choice_of(losses, weights=weights)
    assert alone.score[1] < 0.8 * error


def test_what_agrees_but_for_rounding_is_equal() -> None:
    losses = np.random.default_rng(0).uniform(1.0, 2.0, size=(50, 1)) @ np.ones((1, 2))
    losses[:, 1] *= 1.0 - 1e-15
    assert losses[:, 1].mean() < losses[:, 0].mean()
    assert choice_of(losses).place == 0
    assert choice_of(losses, sizes=[0, 1]).place == 0


def biases(n_sets: int, n_rows: int, n_candidates: int) -> tuple[Any, Any]:
    """Scores of what was chosen among equals whose true loss is 0: naive and honest."""
    naive, honest = [], []
    for seed in range(n_sets):
        rng = np.random.default_rng(seed)
        found = choice_of(rng.normal(size=(n_rows, n_candidates)), seed=seed)
        naive.append(found.means.min())
        honest.append(found.score[0])
    return np.array(naive), np.array(honest)


def test_the_score_of_a_choice_among_equals_is_not_flattered() -> None:
    # The mean of 200 honest scores has standard error 0.007 or so; the naive bias is
    # 0.15, so that the control fails with certainty and 0.03 would be seen four times
    # in five.
    naive, honest = biases(200, 100, 10)
    error = honest.std(ddof=1) / np.sqrt(200)
    assert abs(honest.mean()) < 3.9 * error
    assert naive.mean() < -3.9 * naive.std(ddof=1) / np.sqrt(200)


def test_the_table_names_everything_and_starts_with_the_best() -> None:
    losses = np.random.default_rng(0).normal([2.0, 1.0, 0.0], 1.0, size=(30, 3))
    table = choice_of(losses).table(seconds=[1.0, 2.0, 3.0])
    assert table.index[0] == "student 2: scratch"
    assert table["chosen"].tolist() == [True, False, False]
    assert table["seconds"].tolist() == [3.0, 2.0, 1.0]
    assert table["behind"].iloc[0] == 0.0


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (Candidate("tree", "scratch"), "tree: scratch"),
        (
            Candidate("tree", "scratch", settings=(("min_samples_leaf", 5),)),
            "tree: scratch, min_samples_leaf=5",
        ),
        (
            Candidate("net", "in-sample", "forest", loss="log_probability"),
            "net: forest, in-sample, on log-probability",
        ),
        (
            Candidate("tree", "cross-fitted", "forest", correction="estimated"),
            "tree: forest, cross-fitted, estimated correction",
        ),
        (
            Candidate("tree", "cross-fitted", "forest", correction=0.35),
            "tree: forest, cross-fitted, 35 % outcomes",
        ),
    ],
)
def test_a_candidate_says_in_words_what_it_is(candidate: Any, words: str) -> None:
    assert str(candidate) == words
