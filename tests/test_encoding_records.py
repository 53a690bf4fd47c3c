"""A record of an encoder need not be trusted: it is read, or refused in one line."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semikd.encoding import (
    CategoryColumn,
    DateColumn,
    Encoder,
    NumberColumn,
    Scaling,
)

GOOD = Encoder(
    (
        NumberColumn("age"),
        NumberColumn("pay", Scaling(3.0, 2.5, 0.5)),
        CategoryColumn("sex", ("f", "m")),
        CategoryColumn("size", ("s", "l"), one_hot=True, missing=True),
        DateColumn("day", ("year", "weekday"), "%d/%m/%Y"),
        DateColumn("at", ("year",), None, "Europe/Paris", (Scaling(2000, 2000, 9),)),
    )
)
TABLE = {
    "age": [1, None], "pay": [3, "x"], "sex": ["f", "?"], "size": ["l", "q"],
    "day": ["05/01/2020", "1"], "at": ["2020-01-05T23:30:00Z", None],
}  # fmt: skip


def loop() -> list[Any]:
    """Return a list that contains itself."""
    endless: list[Any] = []
    endless.append(endless)
    return endless


def deep() -> list[Any]:
    """Return a list nested deeper than Python recurses."""
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


HOSTILE = [
    None, True, 0, -1, 10**5000, 1e308, float("nan"), float("inf"), "", "x", "\n", "\0",
    "\ud800", "number", "%Y%Y", "x" * 200_000, [], {}, [[]], [None], [1, 2], ["a", "a"],
    [10**5000] * 3, [float("nan")] * 3, ["x" * 200_000], {"kind": "number"}, loop(),
    deep(), [0.0, 0.0, 0.0], [True, 1, 1], "Europe", "/etc/passwd", "%Y" + " " * 70,
    b"x", object(), (), {1: 2},
]  # fmt: skip


def test_a_record_and_its_trip_through_json_give_the_same_encoder() -> None:
    record = json.loads(json.dumps(GOOD.to_dict(), allow_nan=False))
    again = Encoder.from_dict(record)
    assert again == GOOD
    expected, unknown = GOOD.encode(TABLE)
    features, counts = again.encode(TABLE)
    np.testing.assert_array_equal(features, expected)
    assert counts == unknown == {"pay": 1, "size": 1, "day": 1}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in nested lists and mappings."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, item in items:
        yield from places(item, (*path, key))


def replaced(record: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a record with another value at one place."""
    if not path:
        return value
    changed = copy.deepcopy(record)
    inside = changed
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return changed


def read_or_refused(record: Any) -> bool:
    """Return whether a record is read; assert that a refusal is one line."""
    refusal = None
    try:
        encoder = Encoder.from_dict(record)
    except ValueError as error:
        refusal = error
    if refusal is not None:
        assert type(refusal) is ValueError
        assert "\n" not in str(refusal)
        assert 0 < len(str(refusal)) < 600
        return False
    assert all(isinstance(name, str) for name in encoder.feature_names)
    return True


def test_any_value_in_any_place_is_read_or_refused_in_one_line() -> None:
    record = GOOD.to_dict()
    read = refused = 0
    for path in places(record):
        for value in HOSTILE:
            if read_or_refused(replaced(record, path, value)):
                read += 1
            else:
                refused += 1
    assert refused > 5 * read > 0


def test_a_record_without_one_of_its_entries_is_read_or_refused() -> None:
    record = GOOD.to_dict()
    for path in places(record):
        if path:
            changed = copy.deepcopy(record)
            inside = changed
            for key in path[:-1]:
                inside = inside[key]
            del inside[path[-1]]
            read_or_refused(changed)
    for key in ("kind", "name"):
        changed = copy.deepcopy(record)
        del changed["columns"][0][key]
        assert not read_or_refused(changed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    where=st.sampled_from(list(places(GOOD.to_dict()))),
    value=JSON,
    again=st.sampled_from(list(places(GOOD.to_dict()))),
)
def test_random_changes_are_read_or_refused(
    where: tuple[Any, ...], value: Any, again: tuple[Any, ...]
) -> None:
    changed = replaced(GOOD.to_dict(), where, value)
    read_or_refused(changed)
    if again not in set(places(changed)):
        return
    read_or_refused(replaced(changed, again, value))


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ([], "encoder must be a mapping; got a list"),
        ({}, "columns must be a list; got nothing"),
        ({"columns": []}, "columns must be between 1 and 100,000; got 0"),
        ({"columns": [None] * 100_001}, "columns must be at most 100,000; got 100,001"),
        ({"columns": [7]}, r"columns\[0\] must be a mapping; got an int"),
        ({"columns": [{"kind": "x", "name": "a"}]}, r"columns\[0\].kind must be one"),
        ({"columns": [{"kind": "number"}]}, r"columns\[0\].name must be a text; got"),
        ({"columns": [{"kind": "number", "name": "x" * 100_001}]}, "at most 100,000"),
        ({"columns": [{"kind": "number", "name": "a"}] * 2}, "different names; got"),
        ({"columns": [{"kind": "number", "name": "a", "scaling": [1, 2]}]},
         r"columns\[0\].scaling must hold three numbers; got 2 of them"),
        ({"columns": [{"kind": "number", "name": "a", "scaling": [1, 10**400, 1]}]},
         r"columns\[0\].scaling must hold finite numbers; got an int"),
        ({"columns": [{"kind": "number", "name": "a", "scaling": [1, 2, -1]}]},
         r"columns\[0\]: scale must be positive"),
        ({"columns": [{"kind": "category", "name": "a", "categories": ["x"],
                       "one_hot": 1}]}, r"one_hot must be true or false; got an int"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_record_is_said(record: Any, line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        Encoder.from_dict(record)
    assert "\n" not in str(caught.value)


def test_a_record_of_too_many_features_is_refused_before_any_are_made() -> None:
    categories = [str(k) for k in range(25_001)]
    columns = [
        {"kind": "category", "name": str(k), "categories": categories, "one_hot": True}
        for k in range(4)
    ]
    assert len(Encoder.from_dict({"columns": columns[:1]}).feature_names) == 25_001
    with pytest.raises(ValueError, match="at most 100,000 features; got 100,004"):
        Encoder.from_dict({"columns": columns})
