"""How tables enter networks: kinds of columns, gaps, values never seen, and weights."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.preprocessing import StandardScaler

from semikd.networks import prepare
from semikd.networks.tables import TableEncoding, TableLayout
from semikd.teachers import TorchClassifier

N = 60


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def encoding_of(X, weight=None):
    weight = np.ones(len(X)) if weight is None else weight
    layout = TableLayout.learned(X, weight)
    return TableEncoding.learned(layout, layout.raw(X), weight)


def quick(**settings):
    given = {"max_epochs": 2, "device": "cpu", "random_state": 0, **settings}
    return TorchClassifier((4,), **given)


@pytest.fixture(scope="module")
def frame():
    draws = np.random.default_rng(0)
    number = np.where(draws.random(N) < 0.2, np.nan, draws.normal(2.0, 3.0, N))
    colour = draws.choice(["red", "green", "blue"], N).astype(object)
    colour[:4] = None
    return pd.DataFrame(
        {"number": number, "colour": colour, "flag": draws.random(N) < 0.3}
    )


Y = np.arange(N) % 2


def test_numbers_are_those_of_scikit_learns_scaler():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(50, 3)) * [1.0, 1e6, 1e-6] + [0.0, -5e7, 3.0]
    weight = draws.random(50)
    found = encoding_of(X, weight).encode(X)
    expected = StandardScaler().fit(X, sample_weight=weight).transform(X)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_a_weight_of_two_is_a_repeated_row_in_the_moments(frame):
    counts = np.random.default_rng(1).integers(0, 4, N)
    repeated = frame.loc[frame.index.repeat(counts)].reset_index(drop=True)
    one, other = encoding_of(frame, counts.astype(float)), encoding_of(repeated)
    assert one.layout == other.layout
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-13)
    np.testing.assert_allclose(one.scale, other.scale, rtol=1e-13)
    assert not np.allclose(one.mean, encoding_of(frame).mean, rtol=1e-3)


def test_rows_of_weight_zero_leave_no_trace(frame):
    weight = np.where(np.arange(N) < N - 3, 1.0, 0.0)
    strange = frame.copy()
    strange.loc[N - 3 :, "number"] = 1e9
    strange.loc[N - 3 :, "colour"] = "violet"
    one, other = encoding_of(frame, weight), encoding_of(strange, weight)
    assert one.layout == other.layout
    np.testing.assert_array_equal(one.mean, other.mean)
    assert "violet" not in one.layout.values[0]


def test_the_order_of_the_rows_does_not_matter(frame):
    order = np.random.default_rng(2).permutation(N)
    shuffled = frame.iloc[order].reset_index(drop=True)
    fitted, again = quick().fit(frame, Y), quick().fit(shuffled, Y[order])
    np.testing.assert_array_equal(
        fitted.predict_proba(frame), again.predict_proba(frame)
    )
    assert fitted.encoding_.layout == again.encoding_.layout


def test_permuted_columns_are_the_same_columns(frame):
    turned = frame[["flag", "number", "colour"]]
    one, other = encoding_of(frame), encoding_of(turned)
    assert (one.layout.numeric, one.layout.categorical) == ((0, 2), (1,))
    assert (other.layout.numeric, other.layout.categorical) == ((0, 1), (2,))
    # Columns: number, flag, gap of the number, colour.
    np.testing.assert_array_equal(
        one.encode(frame)[:, [1, 0, 2, 3]], other.encode(turned)
    )


def twin_frames():
    """Pairs of tables that say the same in different words."""
    numbers = np.array([1.0, np.nan, 0.0] * 20)
    text = np.array(["a", None, "b"] * 20, dtype=object)
    plain = pd.DataFrame({"x": numbers, "t": text})
    yield (
        "nullable",
        plain,
        pd.DataFrame({"x": pd.array([1, None, 0] * 20, dtype="Int64"), "t": text}),
    )
    yield (
        "boolean",
        plain,
        pd.DataFrame(
            {"x": pd.array([True, None, False] * 20, dtype="boolean"), "t": text}
        ),
    )
    yield (
        "objects",
        plain,
        pd.DataFrame(
            {"x": np.array([True, None, False] * 20, dtype=object), "t": text}
        ),
    )
    yield (
        "whole objects",
        plain,
        pd.DataFrame({"x": np.array([1, None, 0] * 20, dtype=object), "t": text}),
    )
    yield (
        "arrow",
        plain,
        pd.DataFrame(
            {
                "x": pd.array([1, None, 0] * 20, dtype="int64[pyarrow]"),
                "t": pd.array(text, dtype="string[pyarrow]"),
            }
        ),
    )
    yield "categorical", plain, pd.DataFrame({"x": numbers, "t": pd.Categorical(text)})
    values = {"x": [1, None, 0] * 20, "t": text.tolist()}
    yield "polars", plain, pl.DataFrame(values)
    yield (
        "polars categories",
        plain,
        pl.DataFrame(
            values, schema={"x": pl.Boolean, "t": pl.Categorical}, strict=False
        ),
    )
    yield "polars NaN", plain, pl.DataFrame({"x": numbers, "t": text.tolist()})
    yield (
        "polars decimals",
        plain,
        pl.DataFrame(
            values,
            schema={"x": pl.Decimal(10, 2), "t": pl.Enum(["b", "a"])},
            strict=False,
        ),
    )


@pytest.mark.parametrize(
    ("one", "other"), [p[1:] for p in twin_frames()], ids=[p[0] for p in twin_frames()]
)
def test_the_same_values_of_another_kind_are_the_same_inputs(one, other):
    first, second = encoding_of(one), encoding_of(other)
    assert first.layout == second.layout
    assert first.layout.values == (("a", "b"),)
    expected = first.encode(one)
    np.testing.assert_array_equal(expected, second.encode(other))
    np.testing.assert_array_equal(expected, first.encode(other))
    assert expected[:3, 1].tolist() == [0.0, 1.0, 0.0]
    assert expected[:3, 2].tolist() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.date_range("2020", periods=N), r"datetime64\[\w+\]"),
        (pd.date_range("2020", periods=N, tz="UTC"), "UTC"),
        (pd.timedelta_range("1h", periods=N), "timedelta64"),
        (pd.period_range("2020", periods=N), r"period\[D\]"),
        (np.arange(N) * 1j, "complex128"),
        (pd.arrays.SparseArray([0, 0, 1] * 20), "Sparse"),
        (pl.Series([datetime.date(2020, 1, 1)] * N), "Date"),
        (pl.Series([[1]] * N), r"List\(Int64\)"),
        (pl.Series([b"a"] * N), "Binary"),
        (np.array([datetime.date(2020, 1, 1), None] * 30, dtype=object), "date"),
        (np.array([[1], None] * 30, dtype=object), "list"),
    ],
    ids=str,
)
def test_dates_and_other_kinds_of_columns_are_refused(column, kind):
    library = pl.DataFrame if isinstance(column, pl.Series) else pd.DataFrame
    message = f"or categories in every column; got .*{kind}.* in column 'when'. Make n"
    with pytest.raises(ValueError, match=message):
        quick().fit(library({"x": np.arange(N), "when": column}), Y)


def test_mixed_objects_are_categories_by_their_text():
    X = pd.DataFrame({"x": np.array([1, "a", None] * 20, dtype=object)})
    assert encoding_of(X).layout.values == (("1", "a"),)


def test_a_value_never_seen_is_read_as_a_missing_one(frame):
    fitted = quick().fit(frame, Y)
    row = frame.iloc[[10]]
    unseen, empty = (row.assign(colour=[value]) for value in ("violet", None))
    np.testing.assert_array_equal(
        fitted.predict_proba(unseen), fitted.predict_proba(empty)
    )
    assert fitted.encoding_.encode(unseen)[0, -1] == 0.0
    # Without a category in the fit that stands for it, it is the average of the others.
    filled = quick().fit(frame.dropna(), Y[frame.notna().all(axis=1)])
    assert np.isfinite(filled.predict_proba(unseen.fillna({"number": 0.0}))).all()


def test_a_gap_in_a_column_that_had_none_is_the_mean():
    X = np.random.default_rng(0).normal(size=(N, 2)) + 5.0
    fitted = quick().fit(X, Y)
    assert fitted.encoding_.is_plain
    gap = np.array([[np.nan, 4.0]])
    mean = np.array([[X[:, 0].mean(), 4.0]])
    np.testing.assert_allclose(
        fitted.predict_proba(gap), fitted.predict_proba(mean), atol=1e-12
    )


def test_a_gap_in_a_column_that_had_some_is_not_the_mean():
    X = np.random.default_rng(0).normal(size=(N, 2))
    X[::2, 0] = np.nan
    fitted = quick(max_epochs=30, learning_rate=0.05).fit(X, Y)
    gap = np.array([[np.nan, 0.0]])
    mean = np.array([[np.nanmean(X[:, 0]), 0.0]])
    apart = fitted.predict_proba(gap) - fitted.predict_proba(mean)
    # Who has a gap is of class 0.
    assert apart[0, 0] > 0.2


@pytest.mark.parametrize(
    "X",
    [
        np.full((N, 2), np.nan),
        pd.DataFrame({"a": [None] * N, "b": [np.nan] * N}),
        pl.DataFrame({"a": [None] * N, "b": pl.Series([None] * N, dtype=pl.String)}),
    ],
    ids=["array", "pandas", "polars"],
)
def test_a_table_that_is_empty_says_the_share_of_each_class(X):
    fitted = quick(max_epochs=200, learning_rate=0.05, validation_fraction=0.0)
    fitted.fit(X, (np.arange(N) % 4 == 0).astype(int))
    np.testing.assert_allclose(fitted.predict_proba(X)[:, 1], 0.25, atol=0.01)


def test_a_constant_column_has_scale_one():
    X = np.column_stack([np.full(N, 1e9), np.arange(N), np.full(N, 0.1)])
    encoding = encoding_of(X)
    assert encoding.scale[[0, 2]].tolist() == [1.0, 1.0]
    np.testing.assert_allclose(encoding.encode(X)[:, [0, 2]], 0.0, atol=1e-6)


def test_signed_zeros_and_kinds_of_gaps_are_one():
    X = np.array([[0.0, 1.0], [-0.0, 1.0], [np.nan, 2.0], [-np.nan, 2.0]])
    prepared = prepare(X, np.zeros((4, 1)), np.ones(4))
    inputs = prepared.inputs
    assert inputs[0].tobytes() == inputs[1].tobytes()
    assert inputs[2].tobytes() == inputs[3].tobytes()


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ({"x": ["k", None], "t": ["a", "b"]}, "hold numbers in column 0, .*; got 'k'"),
        ({"x": [1, 2], "t": [1, 2]}, "hold categories in column 1, .*; got 1.0. Make"),
    ],
)
def test_columns_of_another_kind_at_predict_are_refused(new, message):
    X = pd.DataFrame({"x": np.arange(N), "t": ["a", "b"] * (N // 2)})
    fitted = quick().fit(X, Y)
    with pytest.raises(ValueError, match=message):
        fitted.predict(pd.DataFrame(new))
    empty = pd.DataFrame({"x": [None, None], "t": [np.nan, np.nan]})
    assert np.isfinite(fitted.predict_proba(empty)).all()


def test_very_many_categories_are_read():
    n = 20_000
    X = pd.DataFrame({"id": np.arange(n).astype(str), "x": np.arange(n) % 7.0})
    fitted = quick(max_epochs=1, batch_size=4096).fit(X, np.arange(n) % 2)
    # Rows that watch the loss are of the table, too.
    assert fitted.encoding_.shape.categories == (n + 1,)
    assert np.isfinite(fitted.predict_proba(X[:100])).all()
