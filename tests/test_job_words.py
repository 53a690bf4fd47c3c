"""Scores and counts in words: no unit makes a score nothing, no zero is told."""

import pytest

from semikd.job._words import score_text, unknown_cells


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (0.5406, "0.5406"),
        (0.05, "0.05000"),
        (-0.25, "-0.2500"),
        (3.2e-7, "3.200e-07"),
        (2880.12, "2880"),
        (57123.4, "5.712e+04"),
        (float("nan"), "nan"),
    ],
)
def test_scores_have_four_digits_in_any_unit(score: float, text: str) -> None:
    assert score_text(score) == text


def test_columns_without_unknown_cells_are_not_spoken_of() -> None:
    (said,) = unknown_cells({"age": 0, "code": 1200}, "5,000 cells")
    assert said.startswith("Column 'code': 1,200 of 5,000 cells hold what no training")
