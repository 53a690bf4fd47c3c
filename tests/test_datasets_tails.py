"""Long tails and class hierarchies: published counts, and known truth."""

import numpy as np
import pytest
from scipy import stats

from semikd.datasets import (
    long_tailed_counts,
    long_tailed_rows,
    make_class_hierarchy,
)


@pytest.mark.parametrize(
    ("ratio", "total"), [(100, 10_847), (50, 12_608), (10, 19_573)]
)
def test_counts_are_those_of_cifar_100_lt(ratio: float, total: int) -> None:
    counts = long_tailed_counts(500, 100, ratio)
    assert counts.sum() == total
    assert counts[0] == 500
    assert counts[-1] == 500 // ratio
    assert (np.diff(counts) <= 0).all()


def test_counts_of_cifar_10_lt() -> None:
    counts = long_tailed_counts(5000, 10, 100)
    assert counts.tolist() == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]


def test_rows_are_of_these_counts_in_the_asked_order() -> None:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["a", "b", "c"], 120))
    kept = long_tailed_rows(y, 9, order=["c", "a", "b"], random_state=0)
    assert (np.diff(kept) > 0).all()
    found = {name: int((y[kept] == name).sum()) for name in "abc"}
    assert found == {"c": 120, "a": 40, "b": 13}
    again = long_tailed_rows(y, 9, order=["c", "a", "b"], random_state=0)
    np.testing.assert_array_equal(kept, again)


def test_a_small_class_that_is_to_be_large_bounds_the_others() -> None:
    y = np.repeat([0, 1], [10, 1000])
    kept = long_tailed_rows(y, 5, random_state=0)
    assert np.bincount(y[kept]).tolist() == [10, 2]


def test_wrong_input_is_refused() -> None:
    y = np.repeat([0, 1], 5)
    with pytest.raises(ValueError, match="name every class once"):
        long_tailed_rows(y, order=[0, 0])
    with pytest.raises(ValueError, match="ratio"):
        long_tailed_rows(y, 0.5)
    with pytest.raises(ValueError, match="y must have at least two classes"):
        long_tailed_rows(np.zeros(10))
    with pytest.raises(ValueError, match="name a class for every row"):
        long_tailed_rows(np.array([0.0, 1.0, np.nan]))
    with pytest.raises(ValueError, match="be a multiple of n_groups"):
        make_class_hierarchy(10, 7, 3)
    with pytest.raises(ValueError, match="similarity"):
        make_class_hierarchy(10, similarity=1.5)
    with pytest.raises(ValueError, match="n_features"):
        make_class_hierarchy(10, n_features=4)


def test_labels_are_drawn_from_the_probabilities() -> None:
    data = make_class_hierarchy(20_000, 6, 2, 10, random_state=0)
    p, y = data.true_proba, data.y.to_numpy()
    assert p is not None
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    # Within bins of the probability of a class, as many rows are of it as it says.
    for j in range(6):
        order = np.argsort(p[:, j])
        for rows in np.array_split(order, 8):
            mean, spread = p[rows, j].mean(), (p[rows, j] * (1 - p[rows, j])).sum()
            gap = (y[rows] == j).sum() - len(rows) * mean
            assert abs(gap) < stats.norm.isf(1e-5) * np.sqrt(spread) + 1


@pytest.mark.parametrize("similarity", [0.0, 0.5, 0.9])
def test_classes_of_a_group_are_as_alike_as_asked(similarity: float) -> None:
    options = {"n_waves": 0, "noise": 1.0, "similarity": similarity}
    data = make_class_hierarchy(4000, 12, 4, 200, random_state=1, **options)  # type: ignore[arg-type]
    assert data.true_proba is not None
    # Without waves log-probabilities are linear: least squares finds the directions.
    logs = np.log(data.true_proba)
    logs -= logs.mean(axis=1, keepdims=True)
    w = np.linalg.lstsq(data.X.to_numpy(), logs, rcond=None)[0].T
    # Centring took the mean of all directions off, which has length near 0 here.
    cosine = w @ w.T / np.outer(*(2 * [np.linalg.norm(w, axis=1)]))
    group = np.arange(12) // 3
    same = (group[:, None] == group) & ~np.eye(12, dtype=bool)
    inside, outside = cosine[same].mean(), cosine[group[:, None] != group].mean()
    # The mean of all takes 1/12 + 2 tau/12 off every product of two directions.
    off = (1 + 2 * similarity) / 12
    expected = np.array([similarity - off, -off]) / (1 - off)
    np.testing.assert_allclose([inside, outside], expected, atol=0.08)
