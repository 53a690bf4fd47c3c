"""The encoder on its own: rules for cells, kinds of tables, refusals, words, speed."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pytest

from semikd.encoding import (
    CategoryColumn,
    DateColumn,
    Encoder,
    NumberColumn,
    Scaling,
)
from semikd.encoding._dates import text_pattern

PARTS = ("year", "month", "day", "hour", "total_seconds", "weekday")


def one(column: Any, cells: Any) -> tuple[list[Any], int]:
    """Return the features of one column and how many cells could not be read."""
    features, unknown = Encoder((column,)).encode({column.name: cells})
    values = features[:, 0] if features.shape[1] == 1 else features
    return values.tolist(), unknown.get(column.name, 0)


def same(found: Any, expected: Any) -> bool:
    """Compare lists in which NaN equals NaN."""
    return np.array_equal(np.array(found), np.array(expected), equal_nan=True)


def test_the_encoder_imports_nothing_but_numpy_and_the_standard_library() -> None:
    code = (
        "import sys\n"
        "from semikd.encoding import Encoder\n"
        "e = Encoder.from_dict({'columns': [{'kind': 'number', 'name': 'a'},"
        "{'kind': 'category', 'name': 'c', 'categories': ['x']},"
        "{'kind': 'date', 'name': 'd', 'parts': ['year'], 'zone': 'Europe/Paris'}]})\n"
        "e.encode({'a': [1], 'c': ['x'], 'd': ['2020-01-01']})\n"
        "heavy = {'pandas', 'polars', 'skrub', 'sklearn', 'scipy', 'narwhals', "
        "'torch', 'joblib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("cells", "expected", "n_bad"),
    [
        ([1, 2.5, True, None], [1, 2.5, 1, np.nan], 0),
        (["1.5", " 2 ", "1e3", "-.5", "+7."], [1.5, 2, 1000, -0.5, 7], 0),
        (["N/A", "", "  ", "?", "None", "nan"], [np.nan] * 6, 0),
        (["1,5", "1_000", "12 3", "one", "٣", "0x1F"], [np.nan] * 6, 6),
        (["true", "False", "TRUE"], [1, 0, 1], 0),
        ([pd.NA, pd.NaT, np.nan, None, np.float32(2)], [*[np.nan] * 4, 2], 0),
        ([Decimal("1.5"), np.int8(3), timedelta(minutes=1)], [1.5, 3, 60], 0),
        ([[1], {}, date(2020, 1, 1), 4], [np.nan, np.nan, np.nan, 4], 3),
        (np.array([1, 2], dtype=np.uint8), [1, 2], 0),
        (np.array(["1", "x"]), [1, np.nan], 1),
        (np.array([1500, "NaT"], dtype="timedelta64[ms]"), [1.5, np.nan], 0),
        (np.array(["2020-01-01", "NaT"], dtype="datetime64[D]"), [np.nan] * 2, 1),
        (np.ma.array([1, 2], mask=[False, True]), [1, np.nan], 0),
        ((3, 4), [3, 4], 0),
        ([], [], 0),
    ],
)
def test_a_column_of_numbers_reads_what_spells_a_number(
    cells: Any, expected: list[float], n_bad: int
) -> None:
    found, bad = one(NumberColumn("a"), cells)
    assert same(found, expected)
    assert bad == n_bad


@pytest.mark.parametrize(
    ("cells", "expected", "n_bad"),
    [
        ([1, 1.0, "1", np.int64(1), np.float32(1), Decimal(1)], [0] * 6, 0),
        ([2.5, "2.5", "2.50"], [1, 1, np.nan], 1),
        (["01", 1], [2, 0], 0),
        (["a", "a ", "A", "é"], [3, np.nan, np.nan, 4], 2),
        ([None, np.nan, pd.NA, "N/A", " "], [np.nan] * 5, 0),
        (["?", "?"], [5, 5], 0),
        ([False, "False", 0, True], [6, 6, 6, 0], 0),
        ([["a"], "a"], [np.nan, 3], 1),
        (np.array([1, 2]), [0, np.nan], 1),
        (np.array([1.0, np.nan]), [0, np.nan], 0),
    ],
)
def test_a_cell_finds_the_category_that_python_writes_like_it(
    cells: Any, expected: list[float], n_bad: int
) -> None:
    column = CategoryColumn("c", ("1", "2.5", "01", "a", "é", "?", "False"))
    found, bad = one(column, cells)
    assert same(found, expected)
    assert bad == n_bad


def test_a_number_finds_the_whole_text_before_the_one_with_a_point() -> None:
    assert one(CategoryColumn("c", ("1", "1.0")), [1, 1.0, "1.0"])[0] == [0, 0, 1]
    assert one(CategoryColumn("c", ("1.0",)), [1, 1.0, "1.0", "1"])[1] == 1
    days = CategoryColumn("c", ("2020-01-05",))
    assert one(days, [date(2020, 1, 5)]) == ([0], 0)
    assert one(days, np.array(["2020-01-05"], dtype="datetime64[D]")) == ([0], 0)


def test_one_feature_per_category_is_zero_for_missing_and_unknown_cells() -> None:
    column = CategoryColumn("c", ("g", "r"), one_hot=True)
    found, bad = one(column, ["r", None, "x"])
    assert found == [[0, 1], [0, 0], [0, 0]]
    assert bad == 1
    marked = CategoryColumn("c", ("g",), one_hot=True, missing=True)
    assert one(marked, ["g", None, "x"]) == ([[1, 0], [0, 1], [0, 0]], 1)


def expected_parts(moment: datetime, clock: datetime) -> list[float]:
    """Return the parts of a moment in UTC and the same by a clock."""
    seconds = np.float32((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    day = [clock.year, clock.month, clock.day, clock.hour]
    return [*map(float, day), float(seconds), float(clock.isoweekday())]


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata", "UTC-03:30", None])
def test_parts_of_moments_follow_the_clock_of_their_zone(zone: str | None) -> None:
    rng = np.random.default_rng(0)
    seconds = rng.integers(-(2 * 10**9), 4 * 10**9, 300).tolist()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = [epoch + timedelta(seconds=second) for second in seconds]
    if zone is None:
        clocks = moments
    elif zone == "UTC-03:30":
        clocks = [m.astimezone(timezone(-timedelta(hours=3.5))) for m in moments]
    else:
        clocks = [m.astimezone(ZoneInfo(zone)) for m in moments]
    expected = [expected_parts(*pair) for pair in zip(moments, clocks, strict=True)]
    column = DateColumn("d", PARTS, zone=zone)
    assert one(column, moments) == (expected, 0)
    assert one(column, [m.isoformat() for m in clocks]) == (expected, 0)
    naive = np.array(seconds, dtype="datetime64[s]")
    assert one(column, naive) == (expected, 0)
    assert one(column, naive.astype(object).tolist()) == (expected, 0)


FORMS = [
    "%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%m.%d.%Y %H:%M", "%Y-%m-%dT%H:%M:%S",
    "%d %B %Y", "%b %d, %Y", "%A, %d %b %Y", "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S%z",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_dates_are_read_as_the_standard_library_reads_them(form: str) -> None:
    rng = np.random.default_rng(1)
    start = datetime(1901, 1, 1, tzinfo=UTC)
    moments = [
        start + timedelta(microseconds=int(value) * 10_000)
        for value in rng.integers(0, 5 * 10**11, 400)
    ]
    texts = [moment.strftime(form) for moment in moments]
    texts += [
        "2020-02-30",
        "now",
        "31/04/2020",
        "2020-13-01",
        "x",
        "12:60",
    ]
    found, bad = one(DateColumn("d", ("total_seconds",), form), texts)
    expected = []
    for text in texts:
        try:
            moment = datetime.strptime(text, form)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
            expected.append(float(np.float32(gap.total_seconds())))
        except ValueError:
            expected.append(np.nan)
    assert same(found, expected)
    assert bad == 6
    # Few texts take another way than many.
    assert same(
        one(DateColumn("d", ("total_seconds",), form), texts[:50])[0], found[:50]
    )


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("5/1/2020", True), (" 5/1/2020", True), ("05/01/2020", True),
        ("05/01/2020 ", False), ("05/01/20", False), ("5-1-2020", False),
        ("05/01/0000", False), ("05/01/2020 10:00", False), ("today", False),
        ("0\u0665/01/2020", False),
    ],
)  # fmt: skip
def test_a_form_is_kept_strictly(text: str, readable: bool) -> None:
    others = [f"{day:02}/{1 + day % 12:02}/2019" for day in range(1, 29)] * 4
    texts = [text, "N/A", *others, *(f"{k:02}/12/{k + 1900}" for k in range(1, 32))]
    texts += [f"01/01/{year}" for year in range(1900, 2000)]
    for some in (texts[:2], texts):
        found, bad = one(DateColumn("d", ("year",), "%d/%m/%Y"), some)
        assert bad == (not readable)
        assert np.isfinite(found[0]) == readable
        assert np.isnan(found[1])
    assert pd.isna(pd.to_datetime(text, format="%d/%m/%Y", errors="coerce")) != (
        readable or text == "today"
    )


def test_cells_that_are_no_dates_are_counted_and_missing_ones_are_not() -> None:
    cells = [
        7,
        "x",
        [1],
        None,
        pd.NaT,
        pd.NA,
        "N/A",
        np.datetime64("NaT"),
        "2020-01-01",
    ]
    found, bad = one(DateColumn("d", ("year",)), cells)
    assert same(found, [np.nan] * 8 + [2020])
    assert bad == 3
    assert same(one(DateColumn("d", ("year",)), np.array([2020]))[0], [np.nan])
    some = [date(2020, 5, 1), datetime(2021, 5, 1), pd.Timestamp("2022-05-01")]
    some += [np.datetime64("2023-05-01")]
    assert one(DateColumn("d", ("year",)), some) == ([2020, 2021, 2022, 2023], 0)


def test_moments_beyond_the_calendar_do_not_stop_the_clock() -> None:
    cells = np.array(["0001-01-01", "9999-12-31", "NaT"], dtype="datetime64[s]")
    found, bad = one(DateColumn("d", ("year",), zone="Asia/Tokyo"), cells)
    assert same(found, [1, 9999, np.nan])
    assert bad == 0
    far = np.array(["30000-01-01"], dtype="datetime64[s]")
    assert one(DateColumn("d", ("year",), zone="Asia/Tokyo"), far)[0] == [30000]


def test_scaling_fills_and_standardises_in_float32() -> None:
    scaling = Scaling(fill=0.1, center=0.3, scale=0.7)
    found, bad = one(NumberColumn("a", scaling), [0.2, None, "x"])
    f = np.float32
    filled = [f(0.2), f(0.1), f(0.1)]
    assert found == [float((value - f(0.3)) / f(0.7)) for value in filled]
    assert bad == 1
    assert scaling.original(0.0) == float(f(0.3))


def test_standardised_numbers_stay_finite() -> None:
    largest = float(np.finfo(np.float32).max)
    tiny = NumberColumn("a", Scaling(fill=0.0, center=0.0, scale=1e-30))
    assert one(tiny, [1e20, -1e20, None]) == ([largest, -largest, 0.0], 0)
    far = NumberColumn("a", Scaling(fill=3e38, center=3e38, scale=1e38))
    assert one(far, [-3e38])[0] == [-largest]


def test_forms_are_compiled_when_there_is_a_text_to_read() -> None:
    before = text_pattern.cache_info().misses
    column = DateColumn("a", ("year",), "%Y of a form that nobody has")
    assert same(one(column, [None, date(2020, 1, 1)])[0], [np.nan, 2020])
    assert text_pattern.cache_info().misses == before
    assert one(column, ["1999 of a form that nobody has"])[0] == [1999]
    assert text_pattern.cache_info().misses == before + 1


def test_categories_cannot_be_chosen_to_collide() -> None:
    endless = tuple(str((2**61 - 1) * i) for i in range(1, 1001))
    column = CategoryColumn("a", endless)
    hashes = Counter(map(hash, column._codes))
    assert hashes.most_common(1)[0][1] < 10
    assert one(column, [endless[500], "x"])[0][0] == 500


def test_bytes_are_the_text_that_they_spell() -> None:
    column = CategoryColumn("a", ("blue", "é"))
    found, bad = one(column, [b"blue", "é".encode(), b"\xff"])
    assert same(found, [0, 1, np.nan])
    assert bad == 1


def mixed_encoder() -> Encoder:
    """Return an encoder with a column of every kind."""
    return Encoder(
        (
            NumberColumn("number"),
            NumberColumn("whole"),
            NumberColumn("truth"),
            NumberColumn("text number"),
            NumberColumn("duration"),
            CategoryColumn("colour", ("blue", "red", "日本")),
            CategoryColumn("code", ("1", "2")),
            CategoryColumn("declared", ("a", "b"), one_hot=True, missing=True),
            DateColumn("day", PARTS[:3]),
            DateColumn("written", PARTS[:3], "%d/%m/%Y"),
            DateColumn("moment", PARTS, zone="America/New_York"),
            DateColumn("naive", PARTS),
        )
    )


def mixed_lists(n: int) -> dict[str, list[Any]]:
    """Return columns for it as lists, with missing and unknown cells."""
    rng = np.random.default_rng(n)
    days = [date(2015, 1, 1) + timedelta(days=int(k)) for k in rng.integers(0, 3000, n)]
    zoned = [
        datetime(2020, 1, 1, tzinfo=ZoneInfo("America/New_York"))
        + timedelta(hours=int(k))
        for k in rng.integers(0, 20_000, n)
    ]
    lists: dict[str, list[Any]] = {
        "number": rng.normal(size=n).tolist(),
        "whole": rng.integers(-9, 9, n).tolist(),
        "truth": (rng.random(n) < 0.5).tolist(),
        "text number": [f"{v:.2f}" for v in rng.normal(size=n)],
        "duration": [timedelta(seconds=int(v)) for v in rng.integers(0, 10**6, n)],
        "colour": rng.choice(["blue", "red", "日本", "pink", "N/A"], n).tolist(),
        "code": rng.integers(1, 4, n).tolist(),
        "declared": rng.choice(["a", "b"], n).tolist(),
        "day": days,
        "written": [day.strftime("%d/%m/%Y") for day in days],
        "moment": zoned,
        "naive": [moment.replace(tzinfo=None) for moment in zoned],
        "another": list(range(n)),
    }
    for position, values in enumerate(lists.values()):
        for row in range(position % 3, n, 5):
            values[row] = None
    return lists


def as_pandas(lists: dict[str, list[Any]]) -> pd.DataFrame:
    """Return the columns as a pandas frame of many dtypes."""
    frame = pd.DataFrame(lists)
    return frame.astype(
        {
            "whole": "Int64", "truth": "boolean", "declared": "category",
            "duration": "timedelta64[us]",
        }
    )  # fmt: skip


def as_polars(lists: dict[str, list[Any]]) -> pl.DataFrame:
    """Return the columns as a polars frame of many types."""
    return pl.DataFrame(lists).cast({"declared": pl.Categorical, "code": pl.Int8})


def as_arrays(lists: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    """Return the columns as arrays of objects."""
    return {n: np.array([*v, None], dtype=object)[:-1] for n, v in lists.items()}


@pytest.mark.parametrize("n", [1, 3, 8, 9, 400])
@pytest.mark.parametrize("convert", [as_pandas, as_polars, as_arrays])
def test_the_same_values_give_the_same_features_in_every_kind_of_table(
    n: int, convert: Callable[[dict[str, list[Any]]], Any]
) -> None:
    lists = mixed_lists(n)
    expected, counts = mixed_encoder().encode(lists)
    features, unknown = mixed_encoder().encode(convert(lists))
    np.testing.assert_array_equal(features, expected)
    assert unknown == counts
    if n == 400:
        assert set(unknown) == {"colour", "code"}
        assert np.isfinite(expected).any(axis=0).all()


def test_one_row_gives_what_it_gives_among_many() -> None:
    lists = mixed_lists(60)
    for table in (as_pandas(lists), as_polars(lists)):
        whole, _ = mixed_encoder().encode(table)
        rows = [mixed_encoder().encode(table[row : row + 1])[0] for row in range(60)]
        np.testing.assert_array_equal(np.vstack(rows), whole)


def test_a_pandas_frame_is_read_without_its_fast_way_too() -> None:
    table = as_pandas(mixed_lists(20))

    class Slow:
        columns = table.columns

        def __len__(self) -> int:
            return len(table)

        def __getitem__(self, name: str) -> Any:
            return table[name]

    expected, _ = mixed_encoder().encode(table)
    np.testing.assert_array_equal(mixed_encoder().encode(Slow())[0], expected)


def test_features_are_those_of_a_frame_with_any_index_and_order_of_columns() -> None:
    table = as_pandas(mixed_lists(30))
    expected, _ = mixed_encoder().encode(table)
    other = table[table.columns[::-1]].set_axis([7] * 30, axis=0)
    np.testing.assert_array_equal(mixed_encoder().encode(other)[0], expected)
    assert other.columns[0] == "another"


AGE = Encoder((NumberColumn("age"), CategoryColumn("sex", ("f", "m"))))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ({"Age": [1], "sex": ["f"]}, "the columns of the training table; got a table "
         r"without 'age' \(1 missing column\)\. Did you mean 'Age'\?"),
        ({}, r"without 'age', 'sex' \(2 missing columns\)\. Rename or add them\."),
        ([1, 2], "table must be a pandas or polars frame, or a mapping .* got list"),
        (pd.Series([1]), "table must be a pandas or polars frame"),
        ({"age": 3, "sex": ["f"]}, "column 'age' must be a one-dimensional array or a "
         "list; got int. A single row is a list of length one"),
        ({"age": "39", "sex": ["f"]}, "must be a one-dimensional array or a list"),
        ({"age": np.zeros((2, 2)), "sex": ["f"]}, "must be there once, with one axis; "
         "got an array of 2 axes"),
        ({"age": np.float64(3), "sex": ["f"]}, "got an array of 0 axes"),
        ({"age": [1, 2], "sex": ["f"]}, "column 'sex' must have as many rows as column "
         "'age'; got 1 row for 2"),
        (pd.DataFrame([[1, 2, "f"]], columns=["age", "age", "sex"]),
         "column 'age' must be there once"),
        (pl.LazyFrame({"age": [1], "sex": ["f"]}), "got LazyFrame"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit_are_refused_in_one_line(table: Any, line: str) -> None:
    features, _ = AGE.encode({"age": [1], "sex": ["f"]})
    assert features.tolist() == [[1, 0]]
    with pytest.raises((ValueError, TypeError), match=line) as caught:
        AGE.encode(table)
    assert "\n" not in str(caught.value)


def test_columns_that_contradict_themselves_are_refused() -> None:
    for build, line in [
        (lambda: Encoder(()), "columns must be between 1 and 100,000; got 0"),
        (lambda: Encoder((NumberColumn("a"),) * 2), "have different names; got 'a'"),
        (lambda: CategoryColumn("a", ()), "hold at least one text; got none"),
        (lambda: CategoryColumn("a", ("x", "x")), "be different texts"),
        (lambda: DateColumn("a", ()), "parts must be different ones of year"),
        (lambda: DateColumn("a", ("year", "year")), "parts must be different ones"),
        (lambda: DateColumn("a", ("minute",)), "parts must be different ones"),
        (lambda: DateColumn("a", ("year",), "%d/%m"), "form of dates must name a year"),
        (lambda: DateColumn("a", ("year",), "%Y %Y"), "form of dates must name a year"),
        (lambda: DateColumn("a", ("year",), "%Y %q"), "form of dates must name a year"),
        (lambda: DateColumn("a", ("year",), None, "Nowhere/X"), "time zone must be in"),
        (lambda: DateColumn("a", ("year",), None, "../x"), "time zone must be in"),
        (lambda: DateColumn("a", ("year",), None, "UTC+99:00"), "time zone must be in"),
        (
            lambda: DateColumn("a", ("year", "day"), scalings=(Scaling(0, 0, 1),)),
            "scalings must be none or one per part; got 1",
        ),
        (lambda: Scaling(0, np.inf, 1), "center must be a finite number; got inf"),
        (lambda: Scaling(1e300, 0, 1), "fill must be a finite number"),
        (lambda: Scaling(0, 0, 0), "scale must be positive; got 0"),
    ]:
        with pytest.raises(ValueError, match=line):
            build()
    with pytest.raises(IndexError, match="there is no feature 2 among 2"):
        AGE.question(2, 0.5)


def test_names_and_questions_say_what_a_split_asks() -> None:
    joined = DateColumn("joined", PARTS)
    wide = CategoryColumn("city", tuple("abcdefg"))
    hot = CategoryColumn("size", ("s", "m"), one_hot=True, missing=True)
    encoder = Encoder((*AGE.columns, joined, wide, hot))
    assert encoder.feature_names == (
        "age", "sex", "joined: year", "joined: month", "joined: day", "joined: hour",
        "joined: total seconds", "joined: weekday", "city", "size = s", "size = m",
        "size is missing",
    )  # fmt: skip
    noon = datetime(2019, 6, 3, 12, tzinfo=UTC).timestamp()
    thresholds = [37.5, 0.5, 2019.5, 6.5, 3, 11.5, noon, 2.5, 4.5, 0.5, 0.5, 0.5]
    assert [encoder.question(*pair) for pair in enumerate(thresholds)] == [
        "age ≤ 37.5", "sex in {f}", "joined: year ≤ 2019.5", "joined: month ≤ 6.5",
        "joined: day ≤ 3", "joined: hour ≤ 11.5", "joined ≤ 2019-06-03 12:00",
        "joined: weekday in {Mon, Tue}", "city in {a, b, … 3 more}", "size ≠ s",
        "size ≠ m", "size is not missing",
    ]  # fmt: skip
    assert encoder.question(8, 2.5) == "city in {a, b, c}"
    assert encoder.question(8, -0.5) == "city in {}"
    assert encoder.question(1, 1e9) == "sex in {f, m}"
    for value, text in [(1234567.5, "1234567.5"), (1e-7, "1e-07"), (1e20, "1e+20"),
                        (0.30000001192, "0.3"), (-3.0, "-3")]:  # fmt: skip
        assert encoder.question(0, value) == f"age ≤ {text}"
    scaled = Encoder((NumberColumn("age", Scaling(0, 30, 10)),))
    assert scaled.question(0, 1.0) == "age ≤ 40"


def test_category_bytes_are_those_of_the_texts_in_json() -> None:
    assert AGE.category_bytes == len('[["f", "m"]]')
    accents = Encoder((CategoryColumn("c", ("é",)),))
    assert accents.category_bytes == len('[["é"]]') + 1
    assert json.loads(json.dumps(AGE.to_dict())) == AGE.to_dict()


def test_many_rows_of_numbers_are_their_own_features() -> None:
    values = np.random.default_rng(0).normal(size=(200_000, 10))
    frame = pd.DataFrame(values, columns=[f"x{k}" for k in range(10)])
    encoder = Encoder(tuple(NumberColumn(f"x{k}") for k in range(10)))
    features, _ = encoder.encode(frame)
    np.testing.assert_array_equal(features, values.astype(np.float32))
