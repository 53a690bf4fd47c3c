"""Parts of held-out rows: who is in which, and what is said of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from semikd.evaluation import Table, pointwise_log_loss
from semikd.exceptions import UsageError
from semikd.job import Settings, distil, write_result
from semikd.job.parts import LEAST, Parts, held_out_parts
from semikd.job.told import part_facts
from semikd.report.parts import part_rows, part_sentence


def side(values: Any, **more: Any) -> Table:
    """Return a side whose only column is x; of its rows every other is of class 1."""
    frame = pd.DataFrame({"x": values})
    return Table(frame, np.arange(len(frame)) % 2, None, None, **more)


def parts(train: Table, test: Table, by: str = "x", **more: Any) -> Parts:
    """Return the parts of held-out rows."""
    found = held_out_parts(train, test, Settings("y", by=by, **more))
    assert found is not None
    return found


def parted(values: Any, known: Any = None) -> list[tuple[str, int]]:
    """Return names and sizes of the parts of held-out rows."""
    own = side(values)
    found = parts(own if known is None else side(known), own)
    counts = [int(mask.sum()) for mask in found.masks]
    return list(zip(found.names, counts, strict=True))


def test_parts_are_the_values_of_a_column() -> None:
    assert parted(["b"] * 40 + ["a"] * 30) == [("a", 30), ("b", 40)]
    assert parted([2.0, 2.0, 10.0, 10.0] * 15) == [("2", 30), ("10", 30)]
    assert parted([True] * 30 + [False] * 31) == [("False", 31), ("True", 30)]
    missing = ["missing"] * 40 + [None] * 33
    assert parted(missing) == [("missing", 40), ("(missing)", 33)]
    assert parted(["a"] * 40 + ["a "] * 30) == [("'a'", 40), ("'a '", 30)]
    assert parted([0.1234567] * 30 + [0.1234568] * 30) == [
        ("0.1234567", 30),
        ("0.1234568", 30),
    ]


def test_what_is_rare_is_put_together() -> None:
    rare = ["a"] * 50 + ["b"] * 40 + ["c"] * 20 + ["d"] * 10
    assert parted(rare) == [("a", 50), ("b", 40), ("(all others)", 30)]
    # 29 others are too few to be judged, and are no part.
    own = side(rare[:-1])
    found = parts(own, own)
    assert found.names == ("a", "b")
    np.testing.assert_array_equal(found.code, [0] * 50 + [1] * 40 + [-1] * 29)
    assert "29 held-out rows with rare values of 'x', or too few" in found.notes[0]
    assert [mask.sum() for mask in found.masks] == [50, 40]
    many = [f"v{at // 35:02d}" for at in range(20 * 35)]
    large = parted(many)
    assert len(large) == 13
    assert large[-1] == ("(all others)", 8 * 35)
    assert sum(n for _, n in large) == len(many)


def test_columns_between_commas_are_crossed() -> None:
    frame = pd.DataFrame({"x": ["a", "b"] * 100, "z": [1.5, 1.5, 2.0, 2.0] * 50})
    own = Table(frame, np.arange(200) // 100, None, None)
    found = parts(own, own, by="x, z")
    assert found.column == "x and z"
    assert found.names == ("a, 1.5", "a, 2", "b, 1.5", "b, 2")
    for name, mask in zip(found.names, found.masks, strict=True):
        a, b = name.split(", ")
        expected = (frame["x"] == a) & (frame["z"] == float(b))
        np.testing.assert_array_equal(mask, expected)
    # With the target a part is of one class, which is then no lack.
    by_class = parts(own, own, by="x,y")
    assert by_class.names == ("a, 0", "a, 1", "b, 0", "b, 1")
    with pytest.raises(UsageError, match="--by must be a column of the table"):
        parts(own, own, by="x,w")
    # A column of that very name is one column.
    odd = Table(frame.rename(columns={"x": "x,z"}), own.y, None, None)
    assert parts(odd, odd, by="x,z").column == "x,z"


def test_a_part_of_few_events_is_not_judged() -> None:
    """A mean loss that three events decide is far from normal."""
    own = side(["a", "b", "c", "d"] * 100)
    y = np.where(np.arange(400) % 4 == 0, np.arange(400) % 100 < 40, True).astype(int)
    y[1::4] = np.arange(100) < 3
    y[2::4] = np.arange(100) < 9
    y[3::4] = np.arange(100) < 10
    found = parts(own, replace(own, y=y))
    assert found.names == ("a", "d", "(all others)")
    # Classes themselves have no other class in them.
    assert parts(own, own, "y").names == ("0", "1")
    numbers = replace(own, y=y.astype(float), classification=False, classes=None)
    assert parts(numbers, numbers).names == ("a", "b", "c", "d")


def test_numbers_are_quartered_by_the_training_rows() -> None:
    known, own = np.arange(101.0), np.r_[np.full(40, 25.0), np.full(50, 90.0), np.nan]
    found = parts(side(known), side(own))
    assert found.names == ("up to 25", "above 75")
    assert (found.code[-1], found.notes != ()) == (-1, True)
    every = parted(np.r_[np.arange(200.0), np.full(30, np.nan)], np.arange(200.0))
    assert every == [
        ("up to 49.75", 50),
        ("above 49.75 to 99.5", 50),
        ("above 99.5 to 149.25", 50),
        ("above 149.25", 50),
        ("(missing)", 30),
    ]
    # A quarter that most rows share is one.
    zeros = np.r_[np.zeros(300), np.arange(1.0, 101.0)]
    assert parted(zeros) == [("up to 0", 300), ("above 0.25", 100)]
    stamps = 1_700_000_000 + 40 * np.arange(200)
    assert parted(stamps)[0] == ("up to 1700001990", 50)
    assert len({name for name, _ in parted(stamps)}) == 4
    # What is no number in the held-out rows is missing.
    mixed = np.r_[np.arange(60), [0] * 30].astype(object)
    mixed[60:] = "text"
    held = parts(side(np.arange(60)), side(mixed))
    assert held.names == ("(missing)", "(all others)")
    np.testing.assert_array_equal(held.code, [1] * 60 + [0] * 30)


def test_independent_rows_are_counted() -> None:
    own = side(["a", "a", "b", "b"] * 40)
    grouped = replace(own, groups=np.arange(160) // 5)
    with pytest.raises(
        UsageError, match=r"parts of 40 groups or more.*; got 0 such am"
    ):
        parts(own, grouped)
    assert parts(own, replace(own, groups=np.arange(160) // 2)).names == ("a", "b")
    weighted = replace(own, weights=np.r_[np.zeros(110), np.ones(50)])
    with pytest.raises(UsageError, match="got 0 such among 2 parts"):
        parts(own, weighted)
    assert LEAST == 30


def test_columns_that_part_nothing_are_refused() -> None:
    own = side(pd.date_range("2020-01-01", periods=90))
    with pytest.raises(UsageError, match="--by must hold numbers or categories; got"):
        parts(own, own)
    numbers = side(np.arange(90))
    with pytest.raises(UsageError, match="got dates in column 'x'"):
        parts(numbers, own)
    with pytest.raises(UsageError, match=r"--by must be a column .* got 'z'"):
        parts(own, own, "z")
    with pytest.raises(UsageError, match="'g', which is that of --groups"):
        parts(own, own, "g", groups="g")
    with pytest.raises(UsageError, match="'g', which is that of --weight"):
        parts(own, own, "g", weight="g")
    same = side(["a"] * 90)
    with pytest.raises(UsageError, match="got 1 such among 1 part by 'x'"):
        parts(same, same)
    assert held_out_parts(own, own, Settings("y")) is None


@pytest.fixture(scope="module")
def outcome() -> Any:
    """Return a tree of two leaves, which is poor where the site is 'steep'."""
    draws = np.random.default_rng(0)
    n = 3000
    x, site = draws.normal(size=n), draws.choice(["flat", "steep", "wide"], n)
    slope = np.select([site == "flat", site == "steep"], [0.0, 4.0], 0.3)
    y = np.where(draws.random(n) < 1 / (1 + np.exp(-slope * x)), "yes", "no")
    frame = pd.DataFrame({"x": x, "site": site, "y": y})
    settings = Settings("y", leaves=2, preset="none", refits=1, by="site")
    return distil(frame, settings)


def test_differences_are_those_of_each_part_alone(outcome, tmp_path: Path) -> None:
    facts = part_facts(outcome)
    assert facts is not None
    comparison, test = outcome.comparison, outcome.sides.test
    at = [comparison.names.index(name) for name in ("cross-fitted", "teacher")]
    own, teacher = (
        pointwise_log_loss(comparison.predictions[0, place], test.codes) for place in at
    )
    sites = test.X["site"].to_numpy()
    masks = [sites != "", *(sites == name for name in ("flat", "steep", "wide"))]
    assert facts.comparison.names == ("all rows", "flat", "steep", "wide")
    for place, mask in enumerate(masks):
        oracle = stats.ttest_rel(own[mask], teacher[mask])
        found = facts.comparison.conf_int(kind="interval")[place]
        np.testing.assert_allclose(found, oracle.confidence_interval(0.95), rtol=1e-6)
        assert facts.losses[place] == pytest.approx(own[mask].mean())
        assert facts.n_rows[place] == mask.sum()
    said = part_sentence(facts)
    assert said.startswith("By 'site', 'cross-fitted' is worse than 'teacher' on 'ste")
    assert [row.verdict for row in part_rows(facts)][2] == "worse"
    write_result(outcome, tmp_path, table="t.csv")
    found = json.loads((tmp_path / "metrics.json").read_text())["parts"]
    assert (found["column"], found["reference"]) == ("site", "teacher")
    steep = found["parts"][2]
    assert steep["name"] == "steep"
    assert steep["rows"] == int(masks[2].sum())
    assert steep["estimate"] == pytest.approx((own - teacher)[masks[2]].mean())
    right = {(row["group"], row["arm"]): row for row in found["right"]}
    hits = comparison.predictions[0, at[0]].argmax(axis=1) == test.codes
    assert right["steep", "cross-fitted"]["accuracy"] == pytest.approx(
        hits[masks[2]].mean()
    )
    assert right["steep", found["right_reference"]]["difference"] is None
    page = (tmp_path / "report.html").read_text()
    assert "On whom is it worse?" in page
    assert "Who pays" in page
    assert "--by site" in page


def test_where_nothing_is_shown_the_words_say_so() -> None:
    draws = np.random.default_rng(1)
    x, y = draws.normal(size=400), draws.permutation(["no", "yes"] * 200)
    frame = pd.DataFrame({"x": x, "site": ["a", "b"] * 200, "y": y})
    settings = Settings("y", teacher="linear", leaves=2, preset="none", refits=1)
    assert part_facts(distil(frame, settings)) is None
    facts = part_facts(distil(frame, replace(settings, by="site")))
    assert facts is not None
    ends = facts.comparison.conf_int(kind="simultaneous")[1:]
    worst = ["a", "b"][int(ends[:, 1].argmax())]
    assert (ends[:, 0] <= 0).all()
    said = part_sentence(facts)
    assert "is not shown to be worse than 'teacher' on any part" in said
    assert f"on {worst!r}" in said
