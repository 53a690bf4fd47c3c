"""Tables and settings from which no rows can be drawn are refused in one line."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from semikd.synthetic import SyntheticRows, as_synthetic

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
FOLD = np.arange(N) % 3
NOTES = [f"customer {i} wrote at length" for i in range(N)]


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"method": "neighbors"}, ValueError, "method must be .* mean 'neighbours'"),
        ({"labelled_by": "fold"}, ValueError, "labelled_by must .* mean 'folds'"),
        ({"ratio": -1}, ValueError, "ratio must be a number at least 0; got -1"),
        ({"ratio": "1"}, TypeError, "ratio must be a number at least 0; got '1'"),
        ({"weight": 0}, ValueError, "weight must be a number above 0; got 0"),
        ({"swap": 1.1}, ValueError, "swap must be .* at most 1; got 1.1"),
        ({"n_neighbours": 0}, ValueError, "n_neighbours must be an integer .* got 0"),
        ({"bandwidth": -0.1}, ValueError, "bandwidth must be a number at least 0"),
    ],
)
def test_settings_that_make_no_sense(settings: Any, error: Any, match: str) -> None:
    rows = SyntheticRows(**settings)
    with pytest.raises(error, match=match):
        rows.draw(X, fold=FOLD)
    with pytest.raises(error, match=match):
        as_synthetic(rows)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ("neighbors", ValueError, "synthetic must be .* Did you mean 'neighbours'"),
        (3, TypeError, "synthetic must be SyntheticRows, the name of a method or None"),
        (SyntheticRows, TypeError, "synthetic must be SyntheticRows"),
    ],
)
def test_what_is_no_setting(given: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        as_synthetic(given)


@pytest.mark.parametrize(
    ("table", "match"),
    [
        (
            sparse.csr_array(X),
            "X must be a dense table .* got a sparse matrix of 3 col",
        ),
        (np.ones((N, 1, 4, 4)), "X must be a dense table .* got an array of 4 axes"),
        (X[:, 0], "X must be a dense table .* got an array of 1 axes"),
    ],
)
def test_tables_without_columns(table: Any, match: str) -> None:
    rows = SyntheticRows()
    with pytest.raises(TypeError, match=match):
        rows.draw(table, fold=FOLD, random_state=0)
    with pytest.raises(TypeError, match=match):
        rows.check(table)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"age": X[:, 0], "note": NOTES}),
        pd.DataFrame({"age": X[:, 0], "note": pd.Series(NOTES, dtype=object)}),
        np.array(list(zip(X[:, 0], NOTES, strict=True)), dtype=object),
        np.array([[a, a] for a in NOTES]),
    ],
)
def test_free_text_is_refused_with_its_column(table: Any) -> None:
    name = "'note'" if hasattr(table, "columns") else "[01]"
    match = f"no free text, .* got 60 different texts in 60 rows of column {name}. Enc"
    with pytest.raises(ValueError, match=match) as caught:
        SyntheticRows().draw(table, fold=FOLD)
    assert "\n" not in str(caught.value)
    if hasattr(table, "columns"):
        named = SyntheticRows(categorical_features=["note"])
        typed = table.astype({"note": "category"})
        ours = named.draw(table, fold=FOLD, random_state=0).X["note"]
        other = SyntheticRows().draw(typed, fold=FOLD, random_state=0).X["note"]
        assert ours.tolist() == other.tolist()


def test_words_that_repeat_are_categories() -> None:
    words = pd.DataFrame({"word": [f"w{i % 30}" for i in range(N)]})
    assert len(SyntheticRows().draw(words, fold=FOLD).X)


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        (["wage"], ValueError, "name columns of X; got 'wage'"),
        ([3], ValueError, "name columns of X; got 3"),
        ("age", TypeError, "be a list of column names or positions; got 'age'"),
        (0, TypeError, "be a list of column names or positions; got 0"),
    ],
)
def test_columns_that_are_not_there(columns: Any, error: Any, match: str) -> None:
    with pytest.raises(error, match=f"categorical_features must {match}"):
        SyntheticRows(categorical_features=columns).draw(X, fold=FOLD)


def test_folds_of_other_rows_or_of_none() -> None:
    rows = SyntheticRows()
    with pytest.raises(ValueError, match=r"fold must have shape \(60,\); got \(3,\)"):
        rows.draw(X, fold=[0, 1, 2])
    with pytest.raises(
        ValueError, match="fold must hold rows to draw from; got no row"
    ):
        rows.draw(X, fold=np.full(N, -1))
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        rows.draw(X, fold=FOLD, sample_weight=-np.ones(N))
