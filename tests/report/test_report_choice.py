"""The section on the choice: its numbers are those of the search, its words no more."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from semikd.report import ReportFacts, report_page
from semikd.report.choosing import ChoiceFacts, candidate_rows, choice_sentences
from semikd.report.sizing import (
    SizeFacts,
    size_drawing,
    size_sentence,
    student_rows,
)
from semikd.report.svg import Chart
from semikd.selection import Candidate, Choice

Maker = Callable[..., ReportFacts]


def facts_of(losses: Any, *labels: str, sizes: Any = None) -> ChoiceFacts:
    """Return a search of candidates with these labels and losses."""
    candidates = tuple(
        Candidate(
            f"tree {at}" if sizes else "tree",
            kind,
            "" if kind == "scratch" else "forest",
        )
        for at, kind in enumerate(labels)
    )
    own = (0,) * len(labels) if sizes is None else sizes
    choice = Choice(candidates, np.asarray(losses), own, None, None)
    return ChoiceFacts(choice, "log_loss", len(losses), 5, [0.1] * len(labels), 1.0)


@pytest.fixture
def sizes(make_facts: Maker) -> SizeFacts:
    found = make_facts().sizes
    assert found is not None
    return found


def test_candidates_stand_best_first_with_paired_errors(make_facts: Maker) -> None:
    facts = make_facts().choice
    assert facts is not None
    losses = facts.choice.losses
    means = losses.mean(axis=0)
    order = np.argsort(means)
    rows = candidate_rows(facts)
    assert [row.name for row in rows] == [
        str(facts.choice.candidates[at]) for at in order
    ]
    for row, at in list(zip(rows, order, strict=True))[1:]:
        difference = losses[:, at] - losses[:, order[0]]
        assert float(row.loss) == pytest.approx(means[at], abs=6e-4)
        assert float(row.behind) == pytest.approx(difference.mean(), abs=6e-4)
        assert float(row.error) == pytest.approx(stats.sem(difference), abs=6e-4)
    assert [row.chosen for row in rows] == [True] + [False] * (len(rows) - 1)
    assert (rows[0].behind, rows[0].error) == ("", "")


def test_the_winner_its_rivals_and_its_score_are_said() -> None:
    draws = np.random.default_rng(0)
    noise = draws.normal(scale=0.3, size=(400, 3))
    noise -= noise.mean(axis=0)
    facts = facts_of(
        0.5 + noise + [0.0, 0.01, 0.3], "cross-fitted", "in-sample", "scratch"
    )
    won, rivals, after = choice_sentences(facts)
    best = facts.choice.best
    assert best in (0, 1)
    assert won.startswith(f"Chosen of 3 recipes: '{facts.choice.candidates[best]}'")
    assert f"log-loss of {facts.choice.means[best]:.3f}" in won
    next_best, scratch = rivals.split("; ")
    assert f"Next is '{facts.choice.candidates[1 - best]}'" in next_best
    assert next_best.endswith("which may be chance")
    assert scratch.startswith("the best without a teacher, 'tree: scratch'")
    assert "chance" not in scratch
    score, error = facts.choice.score
    assert f"{score:.3f} (standard error {error:.3f})" in after


def test_a_smaller_student_that_was_taken_is_not_called_the_best() -> None:
    draws = np.random.default_rng(1)
    losses = 0.5 + draws.normal(scale=0.5, size=(100, 2))
    losses[:, 1] += losses[:, 0].mean() - losses[:, 1].mean() - 0.001
    facts = facts_of(losses, "scratch", "scratch", sizes=(0, 1))
    assert (facts.choice.place, facts.choice.best) == (0, 1)
    won, rivals, _ = choice_sentences(facts)
    assert "'tree 0: scratch'" in won
    assert "'tree 1: scratch' is better by 0.001" in rivals
    assert "less than one standard error" in rivals
    assert [row.chosen for row in candidate_rows(facts)] == [False, True]


def test_a_single_recipe_has_no_rivals() -> None:
    facts = facts_of(np.full((5, 1), 0.25), "scratch")
    assert choice_sentences(facts) == [
        "Chosen as the only recipe that was tried: 'tree: scratch', with a log-loss of "
        "0.25."
    ]


def test_equal_recipes_are_called_equally_good() -> None:
    column = np.random.default_rng(0).random(9)
    facts = facts_of(np.column_stack([column, column]), "in-sample", "cross-fitted")
    assert "equally good." in choice_sentences(facts)[1]
    assert candidate_rows(facts)[1].behind.lstrip("+0.") == ""


def test_the_page_says_which_rows_chose_and_which_judge(make_facts: Maker) -> None:
    text = re.sub(r"<[^>]*>", "", report_page(make_facts()))
    assert "judged by 300 training rows, in 5 parts" in text
    assert (
        "The 400 held-out rows of the tables above took no part in the choice" in text
    )
    assert "all of it took 2.50" in text
    assert "left out: other scales: about 9 s" in text


def test_many_recipes_are_folded_away_and_none_is_lost(make_facts: Maker) -> None:
    draws = np.random.default_rng(0)
    kinds = ["in-sample", "cross-fitted"] * 10
    many = facts_of(draws.random((50, 20)), *kinds)
    many = replace(
        many,
        choice=replace(
            many.choice,
            candidates=tuple(
                Candidate("tree", "in-sample", f"t{at}") for at in range(20)
            ),
        ),
    )
    page = report_page(make_facts(given={"choice": many}))
    assert "<summary>12 more recipes</summary>" in page
    for at in range(20):
        assert page.count(f">tree: t{at}, in-sample<") == 1


def test_the_smallest_size_is_the_last_whose_bound_is_below_the_margin(
    sizes: SizeFacts,
) -> None:
    differences = sizes.curve.losses - sizes.curve.teacher_losses[:, None]
    bound = differences.mean(axis=0) + stats.sem(differences) * stats.t.ppf(
        0.95, len(differences) - 1
    )
    rows = student_rows(sizes)
    np.testing.assert_allclose([float(row.bound) for row in rows], bound, atol=1e-3)
    assert [row.verdict for row in rows] == [
        "not tested"
        if row.size == "4 leaves"
        else "not shown to be"
        if late
        else "good enough"
        for row, late in zip(rows, bound > sizes.margin, strict=True)
    ]
    (ships,) = [row.size for row in rows if row.chosen]
    assert ships == "16 leaves"
    said = size_sentence(sizes)
    for word in ("16 leaves", "log-loss", "'boosting'", "0.05", "95", "400 held-out"):
        assert word in said


def test_no_size_that_is_enough_is_said_so(sizes: SizeFacts) -> None:
    strict = replace(sizes, tested=sizes.curve.within(1e-6), margin=1e-6)
    said = size_sentence(strict)
    assert said.startswith("No size is shown to be one whose log-loss is worse")
    assert said.endswith("the largest ships, 32 leaves.")
    rows = student_rows(strict)
    assert [row.verdict for row in rows] == ["not tested"] * 3 + ["not shown to be"]
    assert [row.chosen for row in rows] == [False, False, False, True]


def test_the_curve_is_described_and_marked_by_its_sizes(sizes: SizeFacts) -> None:
    drawing = str(size_drawing(sizes))
    for size in ("4", "8", "16", "32"):
        assert f">{size}</text>" in drawing
    assert "4 leaves +0.1" in drawing
    assert drawing.count("<circle") == 4


def test_marks_that_would_touch_are_left_out() -> None:
    marks = tuple((float(at), f"{1000 + at}") for at in range(40))
    chart = Chart((0.0, 40.0), (0.0, 1.0), "leaves", "loss", "Many.", marks=marks)
    shown = [int(text) for text in re.findall(r">(10\d\d)</text>", str(chart.svg()))]
    assert 3 <= len(shown) <= 10
    assert shown[-1] == 1039


def test_long_numbers_beside_an_axis_do_not_touch_its_label() -> None:
    short, long = (
        Chart((0.0, 1.0), (0.0, top), "x", "y", "A line.") for top in (1.0, 0.01)
    )
    assert long.left > short.left
    assert long.x(0.0) == long.left
    assert long.x(1.0) == short.x(1.0)


def test_a_chosen_student_from_scratch_is_not_called_distilled(
    make_facts: Maker,
) -> None:
    names = ("teacher", "scratch", "scratch, tuned", "cross-fitted", "automatic")
    noise = {"automatic": 0.0, "scratch": 3.0, "scratch, tuned": 2.5}
    facts = make_facts(names=names, shipped="automatic", noise=noise, n=2000)
    assert "Distilling helped." in report_page(facts)
    plain = replace(
        facts.comparison, undistilled=("scratch", "scratch, tuned", "automatic")
    )
    page = report_page(replace(facts, comparison=plain))
    assert "Nothing distilled ships: training from scratch was chosen." in page
    assert "the student that ships has a log-loss" in page
    assert "Distilling helped." not in page
    assert "automatic" not in plain.verdict.split("\n")[0]
    assert "automatic" in facts.comparison.verdict.split("\n")[0]
