"""Sections on parts of the rows and on slopes: numbers of the records, in words."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from semikd.report import ReportFacts, report_page
from semikd.report.coefficients import SlopeFacts, slope_rows, slope_sentence
from semikd.report.parts import PartFacts, part_rows, part_sentence

Maker = Callable[..., ReportFacts]


@pytest.fixture
def parts(make_facts: Maker) -> PartFacts:
    found = make_facts().parts
    assert found is not None
    return found


@pytest.fixture
def slopes(make_facts: Maker) -> SlopeFacts:
    found = make_facts(columns=list("abcd")).slopes
    assert found is not None
    return found


def numbers(text: str) -> list[float]:
    """Return the numbers of a text in their order."""
    found = re.findall(r"[+\N{MINUS SIGN}]?\d+\.?\d*", text)
    return [float(each.replace("\N{MINUS SIGN}", "-")) for each in found]


def test_parts_are_told_with_the_interval_that_holds_with_the_others(parts) -> None:
    rows = part_rows(parts)
    assert [row.name for row in rows] == ["all rows", "north", "south", "west"]
    together = parts.comparison.conf_int(kind="simultaneous")
    for at, row in enumerate(rows):
        expected = [parts.comparison.estimate[at], *together[at]]
        np.testing.assert_allclose(numbers(row.shown), expected, atol=6e-3)
        low, high = together[at]
        assert row.verdict == ("better" if high < 0 else "worse" if low > 0 else "")


def test_the_sentence_names_the_worst_bound(parts) -> None:
    # All by as much worse: then every part is.
    moved = replace(parts.comparison, estimate=parts.comparison.estimate + 1.0)
    said = part_sentence(replace(parts, comparison=moved))
    assert "is worse than 'teacher' on 'north', 'south', 'west'." in said
    ends = moved.conf_int(kind="simultaneous")[1:, 1]
    worst = moved.names[1 + int(ends.argmax())]
    assert f"on {worst!r} (95" in said
    assert any(abs(each - ends.max()) < 6e-3 for each in numbers(said))
    better = replace(parts.comparison, estimate=parts.comparison.estimate - 1.0)
    said = part_sentence(replace(parts, comparison=better))
    assert "not shown to be worse" in said
    assert "is lower on every part, by at least 0." in said
    only_whole = parts.comparison.estimate * 0.0 + [1.0, 0.0, 0.0, 0.0]
    level = replace(parts.comparison, estimate=only_whole)
    said = part_sentence(replace(parts, comparison=level))
    assert "is worse than 'teacher', but on no single part shown to be." in said


def test_slopes_stand_the_surest_first(slopes) -> None:
    rows = slope_rows(slopes)
    ratio = np.abs(slopes.found.statistic()[:-1])
    assert [row.name for row in rows] == [slopes.names[at] for at in np.argsort(-ratio)]
    together = slopes.found.conf_int(kind="simultaneous")
    for row in rows:
        at = list(slopes.names).index(row.name)
        expected = [slopes.found.estimate[at], *together[at]]
        np.testing.assert_allclose(numbers(row.shown), expected, atol=6e-3)
        assert numbers(row.shipped)[0] == pytest.approx(slopes.shipped[at], abs=6e-3)
        low, high = together[at]
        assert row.verdict == ("lowers" if high < 0 else "raises" if low > 0 else "")
    assert {row.name: row.verdict for row in rows}["a"] == "raises"
    assert {row.name: row.verdict for row in rows}["b"] == "lowers"


def test_a_model_that_points_the_other_way_is_named(slopes) -> None:
    known = [row.name for row in slope_rows(slopes) if row.verdict]
    said = slope_sentence(slopes)
    assert said.startswith(f"The direction of {len(known)} of 4 features (95")
    assert "points the other way in 'a', 'b'" in said
    same = replace(slopes, shipped=slopes.found.estimate[:-1])
    assert slope_sentence(same).endswith("the model that ships points the same way.")
    # A slope of 0 is no direction.
    none = replace(slopes, shipped=np.zeros(4))
    assert "points the other way in 'a'" in slope_sentence(none)
    level = replace(slopes.found, estimate=np.zeros(5))
    unknown = slope_sentence(replace(slopes, found=level))
    assert unknown.startswith("The direction of none of 4 features (95")


def test_the_page_has_both_sections_and_none_without(make_facts: Maker) -> None:
    facts = make_facts()
    page = report_page(facts)
    assert "On whom is it worse?" in page
    assert "Which coefficients can be relied on" in page
    assert ">south<" in page
    bare = report_page(replace(facts, parts=None, slopes=None))
    assert "On whom is it worse?" not in bare
    assert "Which coefficients" not in bare
