"""Made-up rows against loops, moments and tables of every kind."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.neighbors import NearestNeighbors

from semikd.synthetic import SyntheticRows, as_synthetic
from semikd.synthetic import nearest as nearest_module
from semikd.synthetic.columns import read_columns
from semikd.synthetic.nearest import Mixed, nearest_rows
from semikd.synthetic.smoothing import kernel_scales, silverman

Floats = NDArray[np.float64]
N = 240
FOLD = np.arange(N) % 4
METHODS = ["neighbours", "columns", "bootstrap"]


def numbers(n: int = N, d: int = 3, seed: int = 0) -> Floats:
    """Return a table of numbers."""
    return np.random.default_rng(seed).normal(size=(n, d))


def mixed(n: int = N) -> pd.DataFrame:
    """Return a frame with a column of every kind, and gaps in some."""
    rng = np.random.default_rng(1)
    gaps = rng.random(n) < 0.1
    day = pd.to_timedelta(rng.integers(0, 99, n), "D")
    table = pd.DataFrame(
        {
            "real": np.where(gaps, np.nan, rng.normal(size=n)),
            "single": rng.normal(size=n).astype(np.float32),
            "whole": rng.integers(0, 50, n),
            "nullable": pd.array(
                [None if gap else i for gap, i in zip(gaps, range(n), strict=True)],
                dtype="Int64",
            ),
            "flag": rng.random(n) < 0.5,
            "word": np.where(rng.random(n) < 0.2, None, rng.choice(["a", "b"], n)),
            "category": pd.Categorical(rng.choice(list("xyz"), n), list("wxyz")),
            "day": pd.Timestamp("2020-01-01") + day,
        }
    )
    return table.set_index(np.arange(n)[::-1])


def draw(X: Any, fold: Any = FOLD, seed: int = 0, **settings: Any) -> Any:
    """Return what these settings draw."""
    weights = settings.pop("sample_weight", None)
    rows = SyntheticRows(**settings)
    return rows.draw(X, fold=fold, random_state=seed, sample_weight=weights)


@pytest.mark.parametrize("method", METHODS)
def test_parents_lie_in_one_fold_and_every_row_is_a_first_parent(method: str) -> None:
    drawn = draw(numbers(), method=method, ratio=2)
    assert (FOLD[drawn.parents[:, 0]] == FOLD[drawn.parents[:, 1]]).all()
    assert (np.bincount(drawn.parents[:, 0], minlength=N) == 2).all()
    assert drawn.X.shape == (2 * N, 3)
    np.testing.assert_array_equal(drawn.weights, np.ones(2 * N))


@pytest.mark.parametrize("method", METHODS)
def test_all_teachers_allow_parents_from_anywhere(method: str) -> None:
    fold = np.where(FOLD == 0, -1, FOLD)
    drawn = draw(numbers(), fold, method=method, labelled_by="all")
    same = FOLD[drawn.parents[:, 0]] == FOLD[drawn.parents[:, 1]]
    assert 0.05 < same.mean() < 0.6
    assert set(drawn.parents[:, 0]) == set(range(N))
    inside = draw(numbers(), fold, method=method)
    assert (fold[inside.parents] >= 0).all()
    assert len(inside.parents) == (fold >= 0).sum()


@pytest.mark.parametrize("method", ["neighbours", "columns"])
@pytest.mark.parametrize("swap", [0.0, 0.3, 1.0])
def test_a_cell_is_the_second_parents_in_the_share_asked(
    method: str, swap: float
) -> None:
    X = numbers()
    drawn = draw(X, method=method, ratio=20, swap=swap)
    first, second = X[drawn.parents[:, 0]], X[drawn.parents[:, 1]]
    assert ((first == drawn.X) | (second == drawn.X)).all()
    differ = (first != second).all(axis=1)
    share = (second == drawn.X)[differ].mean()
    # 14,000 cells: a correct share leaves four standard errors once in 10,000.
    assert abs(share - swap) <= 4 * np.sqrt(swap * (1 - swap) / 14_000)


def test_neighbours_are_those_that_scikit_learn_finds() -> None:
    X = numbers(n=60) * [1.0, 10.0, 0.1]
    rows = Mixed(read_columns(X), np.ones(60))
    everyone = np.arange(60)
    found = nearest_rows(rows, everyone, everyone, 4, np.random.default_rng(0))
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    theirs = NearestNeighbors(n_neighbors=5).fit(scaled).kneighbors(scaled)[1][:, 1:]
    np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(theirs, axis=1))
    drawn = draw(X, np.zeros(60), ratio=40, n_neighbours=4)
    for i in range(60):
        partners = drawn.parents[drawn.parents[:, 0] == i, 1]
        assert set(partners) == set(theirs[i])


def test_distances_are_the_loop_written_by_hand() -> None:
    table = mixed(30)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 30)
    columns = read_columns(table)
    found = Mixed(columns, weights).squared(np.arange(30), np.arange(30))
    expected = np.zeros((30, 30))
    for name in ["real", "single", "whole", "nullable", "day"]:
        values = table[name]
        values = values.astype("int64") if name == "day" else values
        v = values.astype("Float64").to_numpy(float, na_value=np.nan)
        known = ~np.isnan(v)
        mean = np.average(v[known], weights=weights[known])
        sd = np.sqrt(np.average((v[known] - mean) ** 2, weights=weights[known]))
        z = np.where(known, (v - mean) / sd, 0.0)
        expected += (z[:, None] - z[None]) ** 2 + (known[:, None] != known[None])
    for name in ["flag", "word", "category"]:
        v = table[name].astype(object).where(table[name].notna(), "none").to_numpy()
        expected += v[:, None] != v[None]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_large_pool_is_searched_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_module, "_CANDIDATES", 50)
    monkeypatch.setattr(nearest_module, "_CELLS", 1000)
    X = numbers()
    rows, everyone = Mixed(read_columns(X), np.ones(N)), np.arange(N)
    found = nearest_rows(rows, everyone, everyone, 3, np.random.default_rng(0))
    assert len(np.unique(found)) <= 50
    assert (found != everyone[:, None]).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_row_alone_in_its_fold_has_copies(method: str) -> None:
    drawn = draw(numbers(1), [0], method=method, ratio=3, bandwidth=0.0)
    np.testing.assert_array_equal(drawn.X, np.repeat(numbers(1), 3, axis=0))
    assert (drawn.parents == 0).all()


def test_smoothing_keeps_means_and_inflates_variances_as_stated() -> None:
    X, ratio, h = numbers(400, 2), 50, 0.3
    X[:, 1] = X[:, 1] * 7 + 100
    drawn = draw(X, np.zeros(400), method="bootstrap", ratio=ratio, bandwidth=h)
    q = np.quantile(X, [0.25, 0.75], axis=0, method="inverted_cdf")
    s = np.minimum(X.std(axis=0), (q[1] - q[0]) / 1.349)
    np.testing.assert_allclose(kernel_scales(read_columns(X), np.ones(400)), s)
    # Noise of 20,000 rows: four standard errors of a mean and of a variance. What is
    # reflected at the ends, 1 row in 400 or so, moves both by less.
    sd = X.std(axis=0)
    assert (np.abs(drawn.X.mean(axis=0) - X.mean(axis=0)) < 4 * h * s / 141).all()
    inflated = drawn.X.var(axis=0) / X.var(axis=0) - 1.0
    np.testing.assert_allclose(inflated, (h * s / sd) ** 2, rtol=0.25)
    assert (drawn.X.min(axis=0) >= X.min(axis=0)).all()
    assert (drawn.X.max(axis=0) <= X.max(axis=0)).all()


def test_the_usual_bandwidth_is_silvermans() -> None:
    X = numbers(400, 2)
    assert silverman(400, 1) == pytest.approx(1.06 * 400**-0.2, rel=2e-3)
    usual = draw(X, np.zeros(400), method="bootstrap").X
    named = draw(X, np.zeros(400), method="bootstrap", bandwidth=silverman(400, 2)).X
    np.testing.assert_array_equal(usual, named)


def test_a_column_of_one_common_value_is_drawn_and_not_blurred() -> None:
    X = numbers()
    X[:, 1] = np.where(np.arange(N) % 3 == 0, X[:, 1], 0.0)
    drawn = draw(X, method="bootstrap", ratio=4, swap=0.5)
    assert set(drawn.X[:, 1]) <= set(X[:, 1])
    assert (drawn.X[:, 1] != X[drawn.parents[:, 0], 1]).mean() > 0.1
    assert not set(drawn.X[:, 0]) & set(X[:, 0])


@pytest.mark.parametrize("method", METHODS)
def test_cells_keep_their_types_categories_and_gaps(method: str) -> None:
    table = mixed()
    drawn = draw(table, method=method, ratio=3).X
    assert drawn.dtypes.equals(table.dtypes)
    assert list(drawn.columns) == list(table.columns)
    assert drawn["category"].cat.categories.tolist() == list("wxyz")
    for name in table:
        assert set(drawn[name].dropna()) <= set(table[name]) or (
            method == "bootstrap" and name in {"real", "single", "whole", "nullable"}
        )
        if table[name].isna().any():
            assert 0.02 < drawn[name].isna().mean() < 0.4
    if method == "bootstrap":
        for name in ["real", "single", "whole", "nullable"]:
            assert drawn[name].min() >= table[name].min()
            assert drawn[name].max() <= table[name].max()
            first = (
                table[name]
                .isna()
                .to_numpy()[draw(table, method=method, ratio=3).parents[:, 0]]
            )
            np.testing.assert_array_equal(drawn[name].isna(), first)
        assert (
            draw(table, method=method).X["whole"]
            != draw(table, method="columns", swap=0.0).X["whole"]
        ).any()


@pytest.mark.parametrize("method", METHODS)
def test_pandas_polars_and_arrays_agree(method: str) -> None:
    table = mixed()
    ours = draw(table, method=method)
    other = draw(pl.from_pandas(table), method=method)
    np.testing.assert_array_equal(ours.parents, other.parents)
    assert other.X.equals(pl.from_pandas(ours.X))
    assert other.X.schema == pl.from_pandas(table).schema
    X = numbers()
    arrays = draw(X, method=method)
    frames = draw(pd.DataFrame(X, columns=list("abc")), method=method)
    np.testing.assert_array_equal(arrays.X, frames.X)
    objects = draw(table[["word", "flag"]].to_numpy(), method=method)
    framed = draw(table[["word", "flag"]], method=method)
    assert [list(row) for row in objects.X] == framed.X.to_numpy().tolist()


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.bool_])
@pytest.mark.parametrize("method", METHODS)
def test_arrays_keep_their_type(method: str, dtype: Any) -> None:
    X = (numbers() * 10).astype(dtype)
    drawn = draw(X, method=method)
    assert drawn.X.dtype == dtype
    assert drawn.X.min() >= X.min()
    assert drawn.X.max() <= X.max()


def test_identifiers_and_infinities_are_copied() -> None:
    wide = np.random.default_rng(0).integers(2**60, 2**62, (N, 2))
    drawn = draw(wide, method="bootstrap", swap=0.3)
    assert set(drawn.X.ravel().tolist()) <= set(wide.ravel().tolist())
    X = numbers()
    X[:9, 0] = np.inf
    boundless = draw(X, method="bootstrap")
    np.testing.assert_array_equal(
        np.isinf(boundless.X[:, 0]), boundless.parents[:, 0] < 9
    )


def test_named_columns_are_categories() -> None:
    X = numbers()
    X[:, 1] = np.arange(N) % 9
    moved = draw(X, method="bootstrap", swap=0.0, bandwidth=1.0)
    first = X[moved.parents[:, 0], 1]
    assert (moved.X[:, 1] != first).any()
    kept = draw(X, method="bootstrap", swap=0.0, categorical_features=[1])
    np.testing.assert_array_equal(kept.X[:, 1], X[kept.parents[:, 0], 1])
    by_name = draw(
        pd.DataFrame(X, columns=list("abc")),
        method="bootstrap",
        swap=0.0,
        categorical_features=["b"],
    )
    np.testing.assert_array_equal(by_name.X, kept.X)


@pytest.mark.parametrize("labelled_by", ["folds", "all"])
@pytest.mark.parametrize("method", METHODS)
def test_order_is_nothing_and_a_weight_is_a_repetition(
    method: str, labelled_by: str
) -> None:
    table = mixed()
    w = np.random.default_rng(2).integers(0, 3, N)
    given = {"method": method, "labelled_by": labelled_by, "ratio": 1.5}
    ours = draw(table, sample_weight=w.astype(float), **given)
    rows = np.random.default_rng(3).permutation(np.repeat(np.arange(N), w))
    copies = draw(table.iloc[rows], FOLD[rows], **given)
    pd.testing.assert_frame_equal(ours.X, copies.X)
    np.testing.assert_array_equal(ours.weights, copies.weights)
    np.testing.assert_array_equal(ours.parents, rows[copies.parents])
    assert len(ours.parents) == round(1.5 * (w > 0).sum())
    plain = draw(table, **given)
    assert not plain.X.equals(ours.X)


def test_seeds_are_a_promise() -> None:
    X = numbers()
    one, same, other = (draw(X, seed=seed).X for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_a_share_of_the_rows_may_have_offspring() -> None:
    drawn = draw(numbers(), ratio=0.25, weight=0.5)
    assert len(np.unique(drawn.parents[:, 0])) == len(drawn.parents) == N // 4
    np.testing.assert_array_equal(drawn.weights, np.full(N // 4, 0.5))
    assert draw(numbers(), ratio=0).X.shape == (0, 3)


def test_settings_are_copied_and_searched() -> None:
    rows = SyntheticRows("columns", ratio=3)
    assert clone(rows).get_params() == rows.get_params()
    assert rows.set_params(ratio=2).ratio == 2
    assert as_synthetic("columns").get_params() == SyntheticRows("columns").get_params()
    assert as_synthetic(rows) is rows
    assert as_synthetic(None) is as_synthetic(SyntheticRows(ratio=0)) is None
