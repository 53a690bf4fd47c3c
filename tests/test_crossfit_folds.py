"""Which rows a fold holds: by content, by class, by group, and never by position."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit

from semikd import cross_fit
from semikd.crossfit.folds import Rows, content_folds
from semikd.exceptions import LeakageWarning, SemikdWarning

Ints = NDArray[np.intp]
few = settings(derandomize=True, deadline=None, max_examples=60)


def fold_ids(
    X: NDArray[np.float64],
    y: Ints,
    weights: NDArray[np.float64] | None = None,
    groups: NDArray[np.intp] | None = None,
    n_folds: int = 3,
) -> Ints:
    """Return the fold of each row, -1 for none, drawn with a fixed seed."""
    # A hash that is the value itself keeps this apart from the hashing of tables.
    rows = Rows(X[:, 0].astype(np.uint64), y, np.unique(y), groups, weights)
    result = np.full(len(y), -1)
    for t, fold in enumerate(content_folds(rows, n_folds, seed=5)):
        result[fold.test] = t
        assert not set(fold.train) & set(fold.test)
    return result


def drawn(
    seed: int, n: int = 40, n_values: int = 15
) -> tuple[NDArray[np.float64], Ints]:
    """Return a table with many copies, and noisy labels."""
    rng = np.random.default_rng(seed)
    X = rng.integers(1, n_values, size=(n, 1)).astype(float)
    return X, rng.integers(0, 2, size=n)


tables = given(seed=st.integers(0, 10_000))


@few
@tables
def test_a_permuted_table_has_the_same_folds(seed: int) -> None:
    X, y = drawn(seed)
    # Tenths do not add up to the same number in another order.
    weights = np.random.default_rng(seed).choice([0.0, 0.1, 0.2, 0.3, 0.6], size=len(y))
    order = np.random.default_rng(seed + 1).permutation(len(y))
    every = fold_ids(X, y, weights)
    np.testing.assert_array_equal(
        fold_ids(X[order], y[order], weights[order]), every[order]
    )


def test_the_last_digit_of_a_sum_of_weights_breaks_no_tie() -> None:
    # Forwards 0.1 + 0.2 + 0.3 is above 0.6, backwards it is not.
    X = np.r_[np.repeat(np.arange(1.0, 7.0), 4), np.arange(7.0, 13.0)][:, None]
    y = np.r_[np.tile([1, 1, 1, 0], 6), np.tile([0, 1], 3)]
    weights = np.r_[np.tile([0.1, 0.2, 0.3, 0.6], 6), np.ones(6)]
    forwards = fold_ids(X, y, weights)
    backwards = fold_ids(X[::-1], y[::-1], weights[::-1])
    np.testing.assert_array_equal(backwards[::-1], forwards)


@few
@tables
def test_a_weight_of_two_is_a_repeated_row(seed: int) -> None:
    X, y = drawn(seed)
    times = np.random.default_rng(seed).integers(0, 4, size=len(y))
    again = np.repeat(np.arange(len(y)), times)
    weighted = fold_ids(X, y, times.astype(float))
    np.testing.assert_array_equal(fold_ids(X[again], y[again]), weighted[again])
    assert (weighted[times == 0] == -1).all()


@few
@tables
def test_identical_rows_share_a_fold_and_folds_have_equally_many_distinct_ones(
    seed: int,
) -> None:
    X, y = drawn(seed)
    frame = pd.DataFrame({"x": X[:, 0], "fold": fold_ids(X, y)})
    assert (frame.groupby("x").fold.nunique() == 1).all()
    sizes = frame.drop_duplicates().fold.value_counts()
    assert sizes.max() - sizes.min() <= 1


@few
@tables
def test_folds_are_stratified_by_the_majority_class_of_each_distinct_row(
    seed: int,
) -> None:
    X, y = drawn(seed)
    frame = pd.DataFrame({"x": X[:, 0], "y": y, "fold": fold_ids(X, y)})
    majority = frame.groupby("x").y.mean() > 0.5
    fold = frame.groupby("x").fold.first()
    counts = pd.crosstab(majority, fold).reindex(columns=range(3), fill_value=0)
    assert (counts.max(axis=1) - counts.min(axis=1) <= 1).all()


@few
@tables
def test_a_group_is_never_divided_and_groups_follow_content_too(seed: int) -> None:
    X, y = drawn(seed, n=60, n_values=50)
    groups = np.random.default_rng(seed).integers(0, 12, size=len(y))
    fold = fold_ids(X, y, groups=groups)
    assert all(len(set(fold[groups == g])) == 1 for g in set(groups))
    order = np.random.default_rng(seed + 1).permutation(len(y))
    np.testing.assert_array_equal(
        fold_ids(X[order], y[order], groups=groups[order]), fold[order]
    )


def test_another_seed_gives_other_folds() -> None:
    X, y = np.arange(50.0)[:, None], np.arange(50) % 2
    one, two = (
        cross_fit(DummyClassifier(), X, y, random_state=seed).fold for seed in (0, 1)
    )
    assert (one != two).mean() > 0.5


@pytest.mark.parametrize("n", [100, 103])
@pytest.mark.parametrize("cv", [2, 5, 7])
def test_fold_sizes_and_class_counts_differ_by_one_at_most(n: int, cv: int) -> None:
    X, y = np.arange(float(n))[:, None], (np.arange(n) % 10 == 0).astype(int)
    fold = cross_fit(DummyClassifier(), X, y, cv=cv, random_state=0).fold[0]
    assert np.ptp(np.bincount(fold)) <= 1
    assert np.ptp(np.bincount(fold[y == 1], minlength=cv)) <= 1


def test_folds_stay_balanced_with_groups_of_very_different_sizes() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.geometric(0.08, size=120)
    groups = np.repeat(np.arange(120), sizes)
    y = (rng.uniform(size=120) < 0.3).astype(int)[groups]
    X = rng.normal(size=(len(groups), 2))
    labels = cross_fit(DummyClassifier(), X, y, cv=5, groups=groups, random_state=0)
    counts = np.bincount(labels.fold[0])
    assert np.ptp(counts) <= 0.1 * counts.mean()
    shares = np.array([y[labels.fold[0] == t].mean() for t in range(5)])
    assert np.ptp(shares) <= 0.1 * y.mean()


def test_copies_of_a_row_in_two_groups_may_part() -> None:
    X = np.ones((8, 1))
    y, groups = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.arange(8)
    labels = cross_fit(DummyClassifier(), X, y, cv=2, groups=groups, random_state=0)
    np.testing.assert_array_equal(np.bincount(labels.fold[0]), [4, 4])


def test_long_integers_are_different_groups() -> None:
    groups = 2**60 + np.arange(40) // 2
    X, y = np.arange(40.0)[:, None], np.arange(40) // 2 % 2
    labels = cross_fit(DummyClassifier(), X, y, cv=10, groups=groups, random_state=0)
    np.testing.assert_array_equal(np.bincount(labels.fold[0]), np.full(10, 4))


def test_rows_of_zero_weight_get_no_label_and_do_not_move_the_others() -> None:
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    weights = np.r_[np.zeros(10), np.ones(30)]
    whole = cross_fit(DummyClassifier(), X, y, sample_weight=weights, random_state=0)
    part = cross_fit(DummyClassifier(), X[10:], y[10:], random_state=0)
    assert np.isnan(whole.prediction[:, :10]).all()
    assert (whole.fold[0, :10] == -1).all()
    assert whole.labelled.tolist() == [False] * 10 + [True] * 30
    np.testing.assert_array_equal(whole.fold[:, 10:], part.fold)
    np.testing.assert_array_equal(whole.prediction[:, 10:], part.prediction)


@pytest.mark.parametrize("grouped", [False, True])
def test_cv_is_lowered_to_what_the_rarest_class_can_fill(grouped: bool) -> None:
    X, y = np.arange(20.0)[:, None], np.r_[np.zeros(17, int), np.ones(3, int)]
    groups = np.arange(20) if grouped else None
    what = "groups" if grouped else "distinct rows"
    message = rf"cv was lowered from 5 to 3: class .*1.* has only 3 {what}"
    with pytest.warns(SemikdWarning, match=message) as caught:
        labels = cross_fit(DummyClassifier(), X, y, groups=groups, random_state=0)
    assert len(np.unique(labels.fold)) == 3
    assert labels.strategy.startswith("3-fold")
    assert caught[0].filename == __file__


def test_cv_is_lowered_to_the_distinct_rows_of_a_regression() -> None:
    X = np.repeat([[1.0], [2.0], [3.0]], 4, axis=0)
    with pytest.warns(SemikdWarning, match="5 to 3: the data has only 3 distinct rows"):
        cross_fit(DummyRegressor(), X, np.arange(12.0))


def test_copies_and_weightless_rows_do_not_fill_a_class() -> None:
    X = np.r_[np.arange(10.0), 20.0, 20.0, 21.0][:, None]
    y = np.r_[np.zeros(10, int), np.ones(3, int)]
    weights = np.r_[np.ones(12), 0.0]
    message = "at least two distinct rows of positive weight in every class; got 1 in"
    with pytest.raises(ValueError, match=message):
        cross_fit(DummyClassifier(), X, y, sample_weight=weights)
    with pytest.warns(SemikdWarning, match="5 to 2"):
        cross_fit(DummyClassifier(), X, y)


def test_a_table_of_copies_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match="X must have at least two distinct rows"):
        cross_fit(DummyRegressor(), np.ones((6, 1)), np.arange(6.0))


def test_a_class_that_a_teacher_never_saw_has_probability_zero_and_counts() -> None:
    X, y = np.arange(30.0)[:, None], np.repeat(["a", "b", "c"], 10)
    with pytest.warns(
        SemikdWarning, match=r"3 of 3 fold teachers never saw a class \(a, b, c\)"
    ) as caught:
        labels = cross_fit(DummyClassifier(), X, y, cv=np.repeat([0, 1, 2], 10))
    np.testing.assert_allclose(
        labels.mean[[0, 10, 20]], [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    )
    assert caught[0].filename == __file__


def test_more_repeats_keep_the_first_ones_and_differ_from_each_other() -> None:
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    two, four = (
        cross_fit(
            DummyClassifier(strategy="stratified"), X, y, n_repeats=r, random_state=3
        )
        for r in (2, 4)
    )
    assert four.n_repeats == 4
    np.testing.assert_array_equal(two.fold, four.fold[:2])
    np.testing.assert_array_equal(two.prediction, four.prediction[:2])
    assert (four.fold[0] != four.fold[1]).mean() > 0.5
    assert four.strategy == "5-fold cross-fitting, 4 repeats"


def test_a_splitter_its_pairs_and_its_fold_ids_are_the_same_folds() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 2)), np.arange(30) % 2
    splitter = StratifiedKFold(3, shuffle=True, random_state=1)
    ids = np.empty(30, dtype=int)
    for t, (_, test) in enumerate(splitter.split(X, y)):
        ids[test] = t
    masks = [(ids != t, ids == t) for t in range(3)]
    forms = [splitter, splitter.split(X, y), list(splitter.split(X, y)), ids, masks]
    forms += [ids.tolist(), pd.Series(ids)]
    for cv in forms:
        labels = cross_fit(DummyClassifier(), X, y, cv=cv)
        np.testing.assert_array_equal(labels.fold[0], ids)
        assert "folds given" in labels.strategy


def test_a_splitter_without_a_seed_follows_random_state_and_no_global_generator() -> (
    None
):
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    splitter = KFold(4, shuffle=True)
    folds = [
        cross_fit(DummyClassifier(), X, y, cv=splitter, random_state=seed).fold
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(folds[0], folds[1])
    assert (folds[0] != folds[2]).any()
    assert splitter.random_state is None


def test_a_splitter_may_leave_rows_without_a_label_and_they_are_counted() -> None:
    X, y = np.arange(40.0)[:, None], np.arange(40) % 2
    with pytest.warns(
        SemikdWarning, match="10 of 40 rows are in no test fold"
    ) as caught:
        labels = cross_fit(DummyClassifier(), X, y, cv=TimeSeriesSplit(3))
    assert (~labels.labelled).sum() == 10
    assert not labels.labelled[:10].any()
    assert caught[0].filename == __file__


def test_leaks_of_given_folds_are_counted_and_weightless_rows_leak_nothing() -> None:
    X, y = np.repeat(np.arange(10.0), 2)[:, None], np.arange(20) // 2 % 2
    cv = np.r_[[0, 1], np.repeat([0, 1], 9)]
    expected = (
        r"3 of 20 rows share their covariates|4 of 20 rows share their covariates"
    )
    with pytest.warns(LeakageWarning, match=expected):
        cross_fit(DummyClassifier(), X, y, cv=cv)
    weights = np.ones(20)
    weights[[1, 10]] = 0.0
    cross_fit(DummyClassifier(), X, y, cv=cv, sample_weight=weights)


def test_groups_that_given_folds_divide_are_counted() -> None:
    X, y, groups = np.arange(20.0)[:, None], np.arange(20) % 2, np.arange(20) // 5
    cv = np.r_[0, np.ones(4, int), np.zeros(5, int), np.ones(10, int)]
    with pytest.warns(LeakageWarning, match="5 of 20 rows share their group"):
        cross_fit(DummyClassifier(), X, y, cv=cv, groups=groups)
