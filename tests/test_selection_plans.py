"""What the rounds of a search hold, given what the earlier ones found."""

from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd.corrections import MinimaxCorrection, ShrinkageCorrection
from semikd.evaluation import Classification, Table
from semikd.selection import Candidate
from semikd.selection.judging import Judge
from semikd.selection.plans import plan_rounds
from semikd.selection.presets import PRESETS
from semikd.selection.sources import LabelBank


def on_other_scales(correction: Any) -> list[Candidate]:
    """Return what is tried on other scales after such a candidate was the best."""
    table = Table(np.arange(24.0)[:, None], np.arange(24) // 12, None, None)
    bank = LabelBank(table, {"bayes": GaussianNB()}, cv=3, seed=0)
    students = {"tree": DecisionTreeRegressor(max_leaf_nodes=2)}
    judge = Judge(table, Classification(), students, bank, seed=0)
    best = Candidate("tree", "cross-fitted", "bayes", correction=correction)
    rounds = plan_rounds(PRESETS["thorough"], judge)
    (scales,) = [each for each in rounds if each.name == "other scales"]
    found = scales.candidates({"tree": best})
    assert found
    assert "probability" not in {each.loss for each in found}
    return found


@pytest.mark.parametrize("correction", ["none", 0.2, "estimated"])
def test_the_weight_of_the_outcome_goes_with_the_candidate_to_a_scale(
    correction: Any,
) -> None:
    assert {each.correction for each in on_other_scales(correction)} == {correction}


@pytest.mark.parametrize(
    "rule", [ShrinkageCorrection(0.01), MinimaxCorrection("relative", 0.5)]
)
def test_a_rule_by_row_stays_on_the_scale_for_which_it_was_set(rule: Any) -> None:
    tried = [each for each in PRESETS["thorough"].weights if each == rule]
    assert len(tried) == 1
    assert {each.correction for each in on_other_scales(rule)} == {"none"}
