"""A row is its values: the same in every library, another wherever a value differs."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from semikd.crossfit import (
    content_split,
    hash_values,
    n_rows,
    row_hashes,
    take_rows,
)

few = settings(derandomize=True, deadline=None, max_examples=60)
cells = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, np.nan, 1e300, 2.0**60])
tables = st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=8)


def equal(one: Any, two: Any) -> bool:
    """Return whether two tables hold the same rows in the same order."""
    return np.array_equal(row_hashes(one), row_hashes(two))


@few
@given(rows=tables)
def test_numbers_are_the_same_rows_in_every_kind_of_table(rows: list[Any]) -> None:
    X = np.array(rows)
    names = ["a", "b", "c"]
    for other in (
        rows,
        X.astype(object),
        np.asfortranarray(X),
        pd.DataFrame(X),
        pd.DataFrame(X).astype(object),
        pd.DataFrame(X).astype("Float64"),
        pd.DataFrame(X).astype(pd.SparseDtype(float, 0.0)),
        pl.DataFrame(X, schema=names),
        pl.DataFrame(X, schema=names).fill_nan(None),
        *(form(X) for form in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array)),
        *(form(X) for form in (sparse.bsr_array, sparse.dok_array, sparse.lil_array)),
    ):
        assert equal(other, X)


@few
@given(rows=tables)
def test_two_rows_are_one_exactly_where_all_values_are_equal(rows: list[Any]) -> None:
    X = np.array(rows)
    hashes = row_hashes(X)
    for i in range(len(X)):
        for j in range(len(X)):
            same = np.array_equal(X[i], X[j], equal_nan=True)
            assert (hashes[i] == hashes[j]) == same


@few
@given(rows=tables, seed=st.integers(0, 99))
def test_hashes_follow_a_permutation(rows: list[Any], seed: int) -> None:
    X = np.array(rows)
    order = np.random.default_rng(seed).permutation(len(X))
    np.testing.assert_array_equal(row_hashes(X[order]), row_hashes(X)[order])


def test_sparse_entries_in_parts_and_stored_zeros_change_nothing() -> None:
    parts = sparse.csr_array(
        (np.array([1.0, 2.0, 0.0, 5.0]), np.array([1, 1, 0, 2]), np.array([0, 3, 4])),
        shape=(2, 3),
    )
    assert not parts.has_canonical_format
    assert equal(parts, np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 5.0]]))
    assert parts.nnz == 4


def test_integers_booleans_and_floats_of_the_same_value_are_one() -> None:
    ones = [np.ones((2, 1), dtype=d) for d in ("i1", "u8", "i8", "f4", "f8", "?", "O")]
    assert all(equal(one, ones[0]) for one in ones)
    assert equal(
        pd.DataFrame({"a": pd.array([True, None], dtype="boolean")}), [[1], [None]]
    )
    assert equal(pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), [[1], [None]])


@pytest.mark.parametrize("dtype", ["int64", "uint64", "object"])
def test_long_integers_that_floats_cannot_tell_apart_differ(dtype: str) -> None:
    column = 2**60 + np.arange(4)
    assert len(np.unique(hash_values(column.astype(dtype)))) == 4
    np.testing.assert_array_equal(
        hash_values(column.astype(dtype))[:1], hash_values(np.array([2.0**60]))
    )
    top = np.uint64(2**64 - 1) - np.arange(4, dtype=np.uint64)
    assert len(np.unique(hash_values(top))) == 4


def test_missing_is_one_value_and_not_the_empty_word() -> None:
    missing = [None, np.nan, pd.NA, pd.NaT]
    hashes = row_hashes(np.array(missing, dtype=object)[:, None])
    assert len(set(hashes.tolist())) == 1
    words = ["x", None, ""]
    expected = row_hashes(np.array(words, dtype=object)[:, None])
    assert len(set(expected.tolist())) == 3
    assert expected[1] == hashes[0] == row_hashes(np.array([[np.nan]]))[0]
    for frame in (
        pd.DataFrame({"a": words}),
        pd.DataFrame({"a": pd.Series(words, dtype=object)}),
        pd.DataFrame({"a": pd.Categorical(words)}),
        pl.DataFrame({"a": words}),
        pl.DataFrame({"a": pl.Series(words, dtype=pl.Categorical)}),
    ):
        np.testing.assert_array_equal(row_hashes(frame), expected)


def test_a_category_is_what_it_stands_for_and_not_its_code() -> None:
    one = pd.DataFrame({"a": pd.Categorical(["x", "y"], categories=["x", "y"])})
    two = pd.DataFrame({"a": pd.Categorical(["x", "y"], categories=["z", "y", "x"])})
    assert equal(one, two)
    assert equal(one, [["x"], ["y"]])
    assert equal(pd.DataFrame({"a": pd.Categorical([3, 1])}), [[3.0], [1.0]])


def test_words_beside_numbers_are_the_same_in_arrays_lists_and_frames() -> None:
    rows = [[1.5, "a"], [0, "b"], [True, "1.5"]]
    frame = {"size": [1.5, 0.0, 1.0], "town": ["a", "b", "1.5"]}
    expected = row_hashes(np.array(rows, dtype=object))
    for table in (rows, pd.DataFrame(frame), pl.DataFrame(frame)):
        np.testing.assert_array_equal(row_hashes(table), expected)
    assert not equal([["1"]], [[1]])


def test_dates_are_the_same_in_every_unit() -> None:
    days = [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 2, 3)]
    column = np.array(days, dtype="M8[us]")
    expected = row_hashes(column[:, None])
    assert expected[0] != expected[1]
    for unit in ("s", "ms", "ns"):
        frame = pd.DataFrame({"a": column.astype(f"M8[{unit}]")})
        np.testing.assert_array_equal(row_hashes(frame), expected)
    np.testing.assert_array_equal(row_hashes(pl.DataFrame({"a": days})), expected)


def test_the_order_of_columns_matters_and_their_names_do_not() -> None:
    X = np.array([[1.0, 2.0]])
    assert not equal(X, X[:, ::-1])
    assert equal(
        pd.DataFrame(X, columns=["a", "b"]), pd.DataFrame(X, columns=["c", "d"])
    )


def test_documents_and_images_are_rows_too() -> None:
    assert len(set(row_hashes(["one word", "two", "two"]).tolist())) == 2
    assert len(set(row_hashes(np.array([1.0, 2.0, 2.0])).tolist())) == 2
    images = np.random.default_rng(0).normal(size=(4, 3, 2))
    assert not equal(images, images[:, ::-1])
    assert equal(images, images.reshape(4, 6))
    np.testing.assert_array_equal(row_hashes(images[::-1]), row_hashes(images)[::-1])


def test_a_million_rows_of_small_integers_do_not_collide() -> None:
    digits = np.indices((10,) * 6).reshape(6, -1).T
    assert len(np.unique(row_hashes(digits))) == 1_000_000


@pytest.mark.parametrize("X", [None, 3.0, "words", np.float64(2.0), np.array(1.0)])
def test_what_is_no_table_is_refused(X: Any) -> None:
    with pytest.raises(TypeError, match="X must be a table of rows; got"):
        n_rows(X)


def test_rows_are_taken_in_the_kind_they_came() -> None:
    X, rows = np.arange(12.0).reshape(4, 3), np.array([2, 0])
    for form in (pd.DataFrame, sparse.coo_array, sparse.bsr_array):
        taken = take_rows(form(X), rows)
        assert equal(taken, X[rows])
    assert take_rows(X.tolist(), rows) == X[rows].tolist()
    assert isinstance(take_rows(pl.DataFrame(X), rows), pl.DataFrame)


def split(X: Any, **options: Any) -> NDArray[np.bool_]:
    """Return a split of three tenths with a fixed seed."""
    return content_split(X, fraction=0.3, random_state=4, **options)


@few
@given(seed=st.integers(0, 10_000))
def test_a_split_follows_content(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, strata = rng.integers(0, 20, size=(40, 1)), rng.integers(0, 3, size=40)
    held_out = split(X, strata=strata)
    order = rng.permutation(40)
    np.testing.assert_array_equal(
        split(X[order], strata=strata[order]), held_out[order]
    )
    again = np.repeat(np.arange(40), rng.integers(1, 3, size=40))
    np.testing.assert_array_equal(
        split(X[again], strata=strata[again]), held_out[again]
    )
    frame = pd.DataFrame({"x": X[:, 0], "held_out": held_out})
    assert (frame.groupby("x").held_out.nunique() == 1).all()


@pytest.mark.parametrize("fraction", [0.01, 0.29, 0.5, 1.0])
def test_a_split_holds_out_its_share_of_distinct_rows(fraction: float) -> None:
    X = np.repeat(np.arange(100.0), 2)[:, None]
    held_out = content_split(X, fraction=fraction, random_state=0)
    assert held_out.sum() == 2 * round(100 * fraction)


def test_a_split_takes_its_share_of_every_stratum_to_within_a_row() -> None:
    X, strata = np.arange(100.0)[:, None], np.repeat([0, 1, 2], [70, 23, 7])
    counts = np.bincount(strata[split(X, strata=strata)])
    assert (np.abs(counts - 0.3 * np.array([70, 23, 7])) <= 1).all()


def test_a_split_keeps_groups_whole() -> None:
    X, groups = np.arange(60.0)[:, None], np.arange(60) // 6
    held_out = split(X, groups=groups)
    assert held_out.reshape(10, 6).all(axis=1).sum() == 3 == held_out.sum() / 6


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.1, np.nan])
def test_a_split_needs_a_share_between_zero_and_one(fraction: float) -> None:
    with pytest.raises(
        ValueError, match="fraction must be a number above 0 and at mos"
    ):
        content_split(np.ones((3, 1)), fraction=fraction, random_state=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, bool])
@pytest.mark.parametrize("shape", [(70_001,), (300, 400), (50, 4, 5), (3, 0), (0, 3)])
def test_a_table_hashed_in_blocks_has_the_hashes_of_its_columns(
    dtype: Any, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(0)
    table = (rng.normal(size=shape) * 3).astype(dtype)
    if table.dtype.kind == "f" and table.size:
        flat = table.reshape(-1)
        flat[:4] = [np.nan, 0.0, -0.0, 2.0**60]
    columns = table.reshape(len(table), -1) if table.size else table
    by_column = row_hashes(pd.DataFrame(columns)) if columns.size else 0
    for form in (table, np.asfortranarray(table)):
        np.testing.assert_array_equal(row_hashes(form), by_column)
