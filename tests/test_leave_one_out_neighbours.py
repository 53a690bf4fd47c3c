"""Leave-one-out labels of nearest neighbours, against refits without the row."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    RadiusNeighborsRegressor,
)

from semikd.crossfit.folds import Rows
from semikd.crossfit.rows import row_hashes
from semikd.crossfit.shortcuts import FallBack
from semikd.crossfit.shortcuts.neighbours import NEIGHBOURS

Floats = NDArray[np.float64]


def made(n: int = 60) -> tuple[Floats, Floats, NDArray[Any]]:
    """Return rows with one, two and six copies, two outcomes, and three classes.

    Copies agree in y: of neighbours that tie, a refit may take either.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    y = X[:, :2] + rng.normal(size=(n, 2))
    again = np.r_[np.arange(n), np.arange(7), 0, 0, 0, 0]
    X, y = X[again], y[again]
    return X, y, np.array(["a", "b", "c"])[np.digitize(y[:, 0], [-0.8, 0.8])]


def described(X: Any, y: Any = None, groups: Any = None, weights: Any = None) -> Rows:
    """Return what cross-fitting knows of rows; with labels, also their classes."""
    codes, classes = np.zeros(X.shape[0], dtype=int), None
    if y is not None:
        classes, codes = np.unique(y, return_inverse=True)
    return Rows(row_hashes(X), codes, classes, groups, weights)


def left_out(teacher: Any, X: Any, y: Any, rows: Rows) -> Floats:
    """Return the labels of the shortcut."""
    assert NEIGHBOURS.why_not(teacher, X, rows) is None
    found = NEIGHBOURS.labels(teacher, X, y, rows, seed=0, n_jobs=None)
    assert found.teacher.n_samples_fit_ == len(rows.active)
    return found.prediction


def refits(teacher: Any, X: Any, y: Any, rows: Rows) -> Floats:
    """Return what refits without each unit, row by row, say of it."""
    answer = "predict" if rows.classes is None else "predict_proba"
    said = {}
    for unit in np.unique(rows.units):
        own = np.flatnonzero(rows.units == unit)
        rest = np.flatnonzero(rows.units != unit)
        fitted = clone(teacher).fit(X[rest], y[rest])
        said |= dict(zip(own.tolist(), getattr(fitted, answer)(X[own]), strict=True))
    return np.stack([np.atleast_1d(said[row]) for row in range(X.shape[0])])


def nearness(distance: Floats) -> Floats:
    """Weights that fall with the distance."""
    return np.exp(-distance)


@pytest.mark.parametrize(
    "weights", ["uniform", "distance", nearness], ids=["uniform", "distance", "own"]
)
@pytest.mark.parametrize("n_groups", [None, 25])
@pytest.mark.parametrize(
    "settings",
    [
        {"n_neighbors": 1},
        {"n_neighbors": 5, "metric": "manhattan"},
        {"n_neighbors": 7, "algorithm": "ball_tree"},
        {"n_neighbors": 4, "metric": "cosine"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_means_of_neighbours_equal_refits(
    weights: Any, n_groups: int | None, settings: dict[str, Any]
) -> None:
    X, y, _ = made()
    groups = None
    if n_groups is not None:
        groups = np.unique(X, axis=0, return_inverse=True)[1] % n_groups
    rows = described(X, groups=groups)
    teacher = KNeighborsRegressor(weights=weights, **settings)
    expected = refits(teacher, X, y, rows)
    np.testing.assert_allclose(left_out(teacher, X, y, rows), expected, atol=1e-12)
    one = left_out(teacher, X, y[:, 0], rows)
    np.testing.assert_allclose(one, expected[:, :1], atol=1e-12)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_shares_of_neighbours_equal_refits(weights: str) -> None:
    X, _, y = made()
    rows = described(X, y)
    teacher = KNeighborsClassifier(6, weights=weights)
    expected = refits(teacher, X, y, rows)
    labels = left_out(teacher, X, y, rows)
    np.testing.assert_allclose(labels, expected, atol=1e-12)
    assert labels.shape == (71, 3)


def test_rows_at_distance_zero_that_are_no_copies_stay() -> None:
    X, y, _ = made()
    # A column that the metric is blind to keeps pairs of rows apart.
    X = np.column_stack([X[:60:2].repeat(2, axis=0), np.arange(60)])
    settings = {"metric": "minkowski", "metric_params": {"w": [1.0, 1.0, 1.0, 0.0]}}
    teacher = KNeighborsRegressor(3, weights="distance", **settings)
    rows = described(X)
    expected = refits(teacher, X, y[:60], rows)
    labels = left_out(teacher, X, y[:60], rows)
    np.testing.assert_allclose(labels, expected, atol=1e-12)
    partner = np.arange(60) ^ 1
    np.testing.assert_allclose(labels, y[:60][partner])


def test_sparse_rows_have_the_labels_of_dense_ones() -> None:
    X, y, _ = made()
    X[np.abs(X) < 0.3] = 0.0
    teacher = KNeighborsRegressor(4, algorithm="brute")
    thin = sparse.csr_array(X)
    dense = left_out(teacher, X, y, described(X))
    labels = left_out(teacher, thin, y, described(thin))
    np.testing.assert_allclose(labels, dense, atol=1e-12)


def test_rows_of_weight_zero_are_nobodys_neighbours() -> None:
    X, y, _ = made()
    keep = np.arange(len(X)) % 4 > 0
    weights = keep.astype(float)
    plain = KNeighborsRegressor(4)
    labels = NEIGHBOURS.without(
        _fitted(plain, X[keep], y[keep]), y, described(X, weights=weights)
    )
    expected = left_out(plain, X[keep], y[keep], described(X[keep]))
    np.testing.assert_allclose(labels[keep], expected)
    assert np.isnan(labels[~keep]).all()


def _fitted(teacher: Any, X: Any, y: Any) -> Any:
    """Return a fitted teacher and what it saw."""
    from semikd.crossfit.shortcuts.labels import FittedParts

    fitted = clone(teacher).fit(X, y)
    return FittedParts(fitted, fitted, X)


def test_a_row_whose_copies_are_too_many_gets_no_label() -> None:
    X, y, _ = made(8)
    X = np.concatenate([X[:8], X[:1], X[:1]])
    labels = left_out(KNeighborsRegressor(8), X, y[:10], described(X))
    # Without its three copies only seven rows are left.
    assert np.flatnonzero(np.isnan(labels).any(axis=1)).tolist() == [0, 8, 9]


def test_neighbours_of_weight_zero_say_nothing() -> None:
    X, y = np.array([[0.0], [1.0], [1.5], [9.0]]), np.arange(4.0)
    teacher = KNeighborsRegressor(2, weights=lambda d: (d < 3.0) * 1.0)
    labels = left_out(teacher, X, y, described(X))
    assert np.isnan(labels[:, 0]).tolist() == [False, False, False, True]
    np.testing.assert_allclose(labels[:3, 0], [1.5, 1.0, 0.5])


def test_all_other_rows_as_neighbours_give_their_mean() -> None:
    X, y = np.arange(5.0)[:, None] ** 2, np.arange(5.0)
    labels = left_out(KNeighborsRegressor(4), X, y, described(X))
    np.testing.assert_allclose(labels[:, 0], (10 - y) / 4)


def test_more_neighbours_than_other_rows_fall_back() -> None:
    X, y = np.arange(5.0)[:, None], np.arange(5.0)
    with pytest.raises(FallBack, match="all rows have too few neighbours"):
        left_out(KNeighborsRegressor(5), X, y, described(X))


def test_what_neighbours_cannot_leave_out_is_refused() -> None:
    X, _, _ = made()
    rows = described(X)
    given = KNeighborsRegressor(metric="precomputed")
    assert "takes distances" in str(NEIGHBOURS.why_not(given, X, rows))
    assert not NEIGHBOURS.handles(RadiusNeighborsRegressor())
    large = described(np.arange(4000.0)[:, None], groups=np.arange(4000) % 4)
    reason = NEIGHBOURS.why_not(KNeighborsRegressor(5), X, large)
    assert reason == "to leave a group out takes 1,005 neighbours of a row"
