"""What corrections read of a table: numbers as numbers, whatever column holds them."""

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray

from semikd.corrections import EstimatedCorrection
from semikd.corrections._columns import readable
from semikd.losses import ProbabilityLoss
from semikd.simplex import one_hot

Floats = NDArray[np.float64]
NAN = float("nan")


def objects(*values: Any) -> NDArray[Any]:
    """Return values as a column of Python objects."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


COLUMNS = {
    "numbers": (objects(None, 1, 10, 2), [NAN, 1, 10, 2]),
    "mixed numbers": (objects(1, 2.5, NAN, Decimal("10")), [1, 2.5, NAN, 10]),
    "numpy numbers": (
        objects(np.int64(9), np.float32(0.5), 10, pd.NA),
        [9, 0.5, 10, NAN],
    ),
    "gaps": (objects(None, NAN, pd.NA, None), [NAN] * 4),
    "words": (objects("b", None, "a", "c"), [1, NAN, 0, 2]),
    "truth values": (objects(True, False, None, True), [1, 0, NAN, 1]),
    "numbers and words": (objects(10, 9, "x", "x"), [0, 1, 2, 2]),
    "nullable": (pd.array([1, 10, None, 2], dtype="Int64"), [1, 10, NAN, 2]),
}


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_columns_of_objects_are_read_by_what_is_in_them(kind: str) -> None:
    column, expected = COLUMNS[kind]
    found = readable(pd.DataFrame({"a": column}), np.full((4, 2), 0.5))[:, 1]
    known = ~np.isnan(found)
    # Ranks of words have no zero of their own: their order is what counts.
    if kind in {"words", "truth values", "numbers and words"}:
        found[known] = np.unique(found[known], return_inverse=True)[1]
    np.testing.assert_array_equal(found, expected)


def test_arrays_of_objects_and_decimals_are_read_alike() -> None:
    p = np.full((3, 2), 0.5)
    mixed = np.array([[1, "x"], [10, "y"], [2, "x"]], dtype=object)
    np.testing.assert_array_equal(readable(mixed, p)[:, 1], [1, 10, 2])
    frame = pl.DataFrame({"a": [Decimal("1.5"), None, Decimal("10")]})
    np.testing.assert_array_equal(readable(frame, p)[:, 1], [1.5, NAN, 10])


@pytest.mark.parametrize("gaps", [False, True])
def test_numbers_weigh_alike_in_columns_of_objects(gaps: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 200, size=(600, 2)).astype(float)
    y = one_hot((X[:, 0] > 100).astype(int), 2)
    if gaps:
        X[::5] = NAN
    p, loss, rule = np.full((600, 2), 0.5), ProbabilityLoss(), EstimatedCorrection()
    tables = [pd.DataFrame(X), pd.DataFrame(X).astype(object), X.astype(object)]
    found = [
        rule.fit(p, y, X=table, loss=loss, fold=np.arange(600) % 5).weight(
            p, table, loss, 0.05
        )
        for table in tables
    ]
    assert found[0].mean() > 0.5
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


@pytest.mark.parametrize("n_known", [0, 1])
def test_a_column_of_gaps_says_nothing_and_stops_nothing(n_known: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(size=600)
    y = one_hot((X > 0.5).astype(int), 2)
    p, loss = np.full((600, 2), 0.5), ProbabilityLoss()
    frame = pd.DataFrame(
        {"a": X, "none": objects(*[7.0] * n_known, *[None] * (600 - n_known))}
    )
    found = EstimatedCorrection().fit(p, y, X=frame, loss=loss, fold=np.arange(600) % 5)
    assert found.weight(p, frame, loss, 0.05).mean() > 0.5
