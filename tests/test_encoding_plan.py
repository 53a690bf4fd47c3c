"""What skrub decides, and what the encoder makes of it, must be the same features."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from skrub import DatetimeEncoder, StringEncoder, TableVectorizer

from semikd.datasets import load_dataset
from semikd.encoding import CategoryColumn, DateColumn, NumberColumn, fit_plan


def skrub_features(
    train: pd.DataFrame, new: pd.DataFrame, student: str
) -> tuple[np.ndarray, list[str]]:
    """Return skrub's own features of new rows, fitted on all training rows."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        dtype=np.float32,
    )
    ones = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    dates = DatetimeEncoder(add_weekday=True)
    if student == "tree":
        settings = {"low_cardinality": codes, "high_cardinality": codes}
        settings["datetime"] = dates
    else:
        settings = {"low_cardinality": ones, "high_cardinality": "drop"}
        settings["numeric"] = scaled
        settings["datetime"] = make_pipeline(
            dates, SimpleImputer(strategy="median"), StandardScaler()
        )
    vectorizer = TableVectorizer(drop_if_constant=True, **settings).fit(train)
    with warnings.catch_warnings():
        # scikit-learn warns of unknown categories, which are what is tested.
        warnings.simplefilter("ignore", UserWarning)
        features = vectorizer.transform(new)
    return features.to_numpy(dtype=np.float32), list(features.columns)


def raw_table(n: int, seed: int) -> pd.DataFrame:
    """Return a table of every kind of column, with missing cells in most of them."""
    rng = np.random.default_rng(seed)
    gap = rng.random(n) < 0.1
    day = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3000, n), "D")
    moment = pd.Timestamp("1969-12-30 23:00") + pd.to_timedelta(
        rng.integers(0, 2 * 10**9, n), "s"
    )
    words = np.array(["red", "grün", "日本", "blue ", "?", "N/A", "  ", ""])
    return pd.DataFrame(
        {
            "number": np.where(gap, np.nan, rng.normal(size=n)),
            "count": rng.integers(-5, 5, n),
            "text number": np.where(
                gap, "n/a", [f" {v:.3f}" for v in rng.normal(size=n)]
            ),
            "truth": rng.random(n) < 0.5,
            "truth or nothing": pd.Series(np.where(gap, None, rng.random(n) < 0.5)),
            "nullable": pd.Series(np.where(gap, None, rng.integers(0, 9, n))).astype(
                "Int64"
            ),
            "iso": np.where(gap, "", day.strftime("%Y-%m-%d")),
            "day first": day.strftime("%d/%m/%Y"),
            "in words": day.strftime("%d %b %Y").str.replace("May", "Jul"),
            "clock": moment.strftime("%Y-%m-%d %H:%M:%S"),
            "zoned text": moment.strftime("%Y-%m-%dT%H:%M:%S+05:30"),
            "moment": pd.Series(moment).where(~gap),
            "zoned": moment.tz_localize("UTC").tz_convert("Europe/Paris"),
            "duration": pd.to_timedelta(rng.integers(0, 10**6, n), "s"),
            "colour": rng.choice(words, n),
            "declared": pd.Categorical(
                rng.choice(["small", "large"], n), ["small", "large", "huge"]
            ),
            "comma": [f"{v:.0f},5" for v in rng.integers(0, 9, n)],
            "many": [f"word {v}" for v in rng.integers(0, 60, n)],
            "nothing": pd.Series([None] * n, dtype=object),
            "same": "x",
        }
    )


@pytest.mark.parametrize("student", ["tree", "linear"])
def test_features_of_new_rows_are_those_of_skrub(student: str) -> None:
    train, new = raw_table(700, 1), raw_table(300, 2)
    plan = fit_plan(train, student=student, random_state=0)
    features, unknown = plan.encoder.encode(new)
    expected, names = skrub_features(train, new, student)
    assert features.dtype == np.float32
    assert features.shape == expected.shape
    for position, name in enumerate(plan.encoder.feature_names):
        np.testing.assert_array_equal(
            features[:, position], expected[:, position], f"{name} {names[position]}"
        )
    assert unknown == {}


@pytest.mark.parametrize("student", ["tree", "linear"])
def test_unknown_and_unreadable_cells_are_those_of_skrub_and_counted(
    student: str,
) -> None:
    train, new = raw_table(700, 1), raw_table(40, 2)
    changed = {
        "text number": "1,5",
        "iso": "2019-02-30",
        "day first": "2019-01-05",
        "in words": "5 January 2019",
        "clock": "2019-01-05",
        "zoned text": "2019-01-05T10:00:00",
        "colour": "pink",
    }
    for name, text in changed.items():
        new[name] = new[name].astype(object)
        new.loc[[3, 7], name] = text
    plan = fit_plan(train, student=student, random_state=0)
    features, unknown = plan.encoder.encode(new)
    expected, _ = skrub_features(train, new, student)
    np.testing.assert_array_equal(features, expected)
    assert unknown == dict.fromkeys(
        [
            "text number",
            "iso",
            "day first",
            "in words",
            "clock",
            "zoned text",
            "colour",
        ],
        2,
    )


@pytest.mark.parametrize("student", ["tree", "linear"])
@pytest.mark.parametrize("texts", [True, False])
def test_real_rows_are_read_as_skrub_reads_them(
    data_home: Path, student: str, texts: bool
) -> None:
    assert data_home
    X = load_dataset("adult").X
    if texts:
        kinds = {name: "str" for name in X if X[name].dtype == "category"}
        X = X.astype(kinds)
    train, new = X.iloc[:20_000], X.iloc[20_000:24_000]
    plan = fit_plan(train, student=student, random_state=0)
    features, _ = plan.encoder.encode(new)
    expected, _ = skrub_features(train, new, student)
    np.testing.assert_array_equal(features, expected)


def test_columns_without_information_are_left_out_and_said() -> None:
    plan = fit_plan(raw_table(700, 1), random_state=0)
    assert plan.dropped == {
        "nothing": "it has no values",
        "same": "it has the same value in every row",
    }
    assert "Column 'nothing' is not read: it has no values." in plan.notes
    assert (
        "Column 'day first' holds dates written as %d/%m/%Y; they are read as dates."
        in plan.notes
    )
    assert (
        "Column 'text number' holds numbers written as text; they are read as numbers."
        in plan.notes
    )


def test_texts_that_are_only_null_words_are_no_values() -> None:
    table = pd.DataFrame(
        {"a": [1, 2, 3], "b": ["N/A", " ", "?"], "c": [None, "x", None]}
    )
    plan = fit_plan(table)
    assert plan.dropped == {"b": "it has no values"}
    assert plan.encoder.feature_names == ("a", "c")


def test_many_texts_are_codes_for_a_tree_and_components_for_a_linear_teacher() -> None:
    table = raw_table(700, 1)
    tree = fit_plan(table, random_state=0)
    column = next(c for c in tree.encoder.columns if c.name == "many")
    assert isinstance(column, CategoryColumn)
    assert len(column.categories) == 60
    assert tree.texts == ()
    linear = fit_plan(table, student="linear", random_state=0)
    assert linear.dropped["many"] == "it has 60 different texts"
    features, _ = linear.encoder.encode(table)
    both = linear.teacher_features(table)
    assert both.dtype == np.float32
    np.testing.assert_array_equal(both[:, : features.shape[1]], features)
    assert both.shape[1] > features.shape[1]


def test_too_many_texts_are_read_by_the_teacher_only() -> None:
    rng = np.random.default_rng(0)
    notes = [f"{a} saw {b}" for a, b in rng.integers(0, 99, (400, 2))]
    notes[3] = "N/A"
    table = pd.DataFrame({"notes": notes, "x": rng.normal(size=400)})
    plan = fit_plan(table, random_state=0)
    n_texts = len(set(notes)) - 1
    assert plan.encoder.feature_names == ("x",)
    assert plan.notes == (
        f"Column 'notes' has {n_texts} different texts: the teacher reads it as 30 "
        "components, the student does not read it.",
    )
    components = plan.teacher_features(table)[:, 1:]
    cleaned = table["notes"].replace("N/A", None).astype("str")
    fitted = StringEncoder(random_state=plan.texts[0].encoder.random_state)
    expected = fitted.fit_transform(cleaned).to_numpy()
    np.testing.assert_allclose(components, expected, atol=1e-5)
    again = fit_plan(table, random_state=0).teacher_features(table)
    np.testing.assert_array_equal(again[:, 1:], components)


def test_components_are_learned_from_some_rows_of_a_long_table() -> None:
    n = 20_001
    table = pd.DataFrame({"x": np.arange(n), "id": [f"id {k}" for k in range(n)]})
    plan = fit_plan(table, random_state=0)
    assert "Components of texts are learned from 20,000 of 20,001 rows." in plan.notes
    assert plan.teacher_features(table).shape == (n, 1 + plan.texts[0].n_components)


@pytest.mark.parametrize(
    ("n_texts", "n_rows", "read"),
    [
        (1000, 5000, True),
        (1001, 6000, False),
        (1000, 4999, False),
        (39, 40, True),
    ],
)
def test_the_cap_on_codes_is_where_it_is_said_to_be(
    n_texts: int, n_rows: int, read: bool
) -> None:
    texts = [f"t{k % n_texts}" for k in range(n_rows)]
    plan = fit_plan(pd.DataFrame({"x": np.arange(n_rows), "t": texts}), random_state=0)
    assert ("t" in plan.encoder.feature_names) == read


def test_a_rare_text_turns_numbers_into_categories_wherever_it_stands() -> None:
    values = ["1", "2"] * 3000
    assert isinstance(
        fit_plan(pd.DataFrame({"a": values})).encoder.columns[0], NumberColumn
    )
    values[4711] = "unknown"
    column = fit_plan(pd.DataFrame({"a": values})).encoder.columns[0]
    assert isinstance(column, CategoryColumn)
    assert column.categories == ("1", "2", "unknown")


def test_declared_orders_and_numbers_give_the_order_of_codes() -> None:
    size = pd.Categorical(["m", "s", "l"], ["s", "m", "l", "xl"], ordered=True)
    month = pd.Categorical([10, 2, 1])
    half = pd.Categorical([1.5, 2.0, 1.0])
    table = pd.DataFrame({"size": size, "month": month, "half": half})
    encoder = fit_plan(table).encoder
    assert [c.categories for c in encoder.columns] == [
        ("s", "m", "l"),
        ("1", "2", "10"),
        ("1.0", "1.5", "2.0"),
    ]
    features, unknown = encoder.encode(table)
    np.testing.assert_array_equal(features, [[1, 2, 1], [0, 1, 2], [2, 0, 0]])
    assert unknown == {}


def test_four_digits_are_a_number_and_eight_a_date() -> None:
    table = pd.DataFrame(
        {"code": ["1203", "2044", "0007"], "day": ["20200131", "20211201", "20190405"]}
    )
    code, day = fit_plan(table).encoder.columns
    assert isinstance(code, NumberColumn)
    assert isinstance(day, DateColumn)
    assert day.form == "%Y%m%d"


def test_may_is_a_month_like_any_other() -> None:
    days = pd.date_range("2020-01-20", periods=200, freq="3D")
    for form in ("%d %b %Y", "%B %d, %Y"):
        table = pd.DataFrame({"day": days.strftime(form)})
        (column,) = fit_plan(table).encoder.columns
        assert isinstance(column, DateColumn)
        assert column.form == form
        features, unknown = fit_plan(table).encoder.encode(table)
        np.testing.assert_array_equal(features[:, 1], days.month)
        np.testing.assert_array_equal(features[:, 2], days.day)
        assert unknown == {}


def test_a_day_first_form_is_found_where_most_texts_could_be_month_first() -> None:
    days = [
        f"{day:02}/{month:02}/2020" for day in range(1, 13) for month in range(1, 13)
    ]
    table = pd.DataFrame({"day": [*days, "31/12/2020"]})
    (column,) = fit_plan(table).encoder.columns
    assert isinstance(column, DateColumn)
    assert column.form == "%d/%m/%Y"


def test_a_time_zone_written_as_utc_is_read() -> None:
    utc = pd.DataFrame({"t": ["2020-01-05 10:11:12 UTC", "2021-01-05 10:11:12 UTC"]})
    assert isinstance(fit_plan(utc).encoder.columns[0], DateColumn)
    features, _ = fit_plan(utc).encoder.encode(utc)
    np.testing.assert_array_equal(features, skrub_features(utc, utc, "tree")[0])


@pytest.mark.parametrize("student", ["tree", "linear"])
def test_infinite_numbers_are_refused_in_training_and_in_new_rows(student: str) -> None:
    good = pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "x": [1.0, 2, 3, 4, 5]})
    bad = good.assign(x=[1.0, 2, 3, np.inf, -np.inf])
    line = r"column 'x' must be finite; got inf in row 3 \(2 such values\)\. Leave"
    with pytest.raises(ValueError, match=line):
        fit_plan(bad, student=student)
    encoder = fit_plan(good, student=student).encoder
    assert encoder.encode(good)[0].shape == (5, 2)
    with pytest.raises(ValueError, match=line):
        encoder.encode(bad)
    with pytest.raises(ValueError, match=r"at most 3.4e\+38 in size; got 1e\+300 in"):
        encoder.encode({"a": [1, 2], "x": [0, 1e300]})
    with pytest.raises(ValueError, match="'a' must be finite; got -inf in row 0"):
        encoder.encode({"a": [-(10**400)], "x": [0]})


def refused(frame: Any, line: str, **settings: Any) -> None:
    """Assert that a table is refused with a line that matches."""
    with pytest.raises((ValueError, TypeError), match=line) as caught:
        fit_plan(frame, **settings)
    assert "\n" not in str(caught.value)


def test_tables_that_cannot_be_planned_are_refused_in_one_line() -> None:
    good = pd.DataFrame({"a": [1, 2]})
    assert fit_plan(good).encoder.feature_names == ("a",)
    refused({"a": [1]}, "table must be a pandas DataFrame; got dict")
    refused(good.iloc[:0], "table must have rows; got none")
    refused(good, "student must be one of 'tree', 'linear'; got 'net'", student="net")
    refused(good.set_axis([3], axis=1), "column names must be texts; got 3. Rename")
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    refused(twice, "column names must be unique; got 'a' twice")
    refused(
        pd.DataFrame({"a": [1, 1]}),
        "have a column that a student can read; got 1 column; column 'a': it has the",
    )
    refused(
        pd.DataFrame({"a": [1j, 2]}), "column 'a' must hold numbers, texts, dates or"
    )
    refused(pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), "got dtype Sparse")
    refused(pd.DataFrame({"a": [[1], [2]]}), "got cells that are collections")
    months = pd.period_range("2020-01", periods=3, freq="M")
    refused(pd.DataFrame({"a": months}), "dates or truth values; got dtype period")


def test_moments_and_durations_of_arrow_are_planned_like_those_of_numpy() -> None:
    days = pd.date_range("2020-01-30", periods=20, freq="7h")
    plain = pd.DataFrame(
        {"a": days, "b": days.tz_localize("Europe/Paris"), "c": days - days[0]}
    )
    plain.loc[3] = pd.NaT
    arrow = plain.convert_dtypes(dtype_backend="pyarrow")
    assert all(isinstance(dtype, pd.ArrowDtype) for dtype in arrow.dtypes)
    one, other = fit_plan(plain).encoder, fit_plan(arrow).encoder
    assert one == other
    np.testing.assert_array_equal(one.encode(plain)[0], other.encode(arrow)[0])


def test_numbers_near_the_largest_have_a_median() -> None:
    table = pd.DataFrame({"a": [3e38, 2.9e38, 2.8e38, 3.1e38]})
    encoder = fit_plan(table, student="linear").encoder
    assert np.isfinite(encoder.encode(table)[0]).all()
    assert encoder.columns[0].scaling.fill == pytest.approx(2.95e38)


def test_the_plan_does_not_depend_on_the_order_of_rows() -> None:
    table = raw_table(500, 3)
    shuffled = table.sample(frac=1, random_state=0)
    one = fit_plan(table, student="linear", random_state=0)
    other = fit_plan(shuffled, student="linear", random_state=0)
    first, _ = one.encoder.encode(table)
    second, _ = other.encoder.encode(table)
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    assert one.encoder.feature_names == other.encoder.feature_names


def test_a_column_of_missing_and_present_texts_marks_what_is_missing() -> None:
    train = pd.DataFrame({"c": ["r", "g", None, "r"], "d": ["u", "v", "u", "v"]})
    encoder = fit_plan(train, student="linear").encoder
    assert encoder.feature_names == (
        "c = g",
        "c = r",
        "c is missing",
        "d = u",
        "d = v",
    )
    new = {"c": ["N/A", "x"], "d": [None, "y"]}
    features, unknown = encoder.encode(new)
    np.testing.assert_array_equal(features, [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]])
    assert unknown == {"c": 1, "d": 1}
