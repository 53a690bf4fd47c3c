"""The teachers that a search starts from: what stands beside one that was given."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import AutoDistiller
from semikd.selection.teachers import named_teachers, with_calibrated
from semikd.teachers import CalibratedTeacher, StackedTeacher

TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)


class TooSure(GaussianNB):
    """A teacher whose log-odds are four times too large, and that counts its fits."""

    count = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Count, then fit."""
        TooSure.count += 1
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities that are too sure."""
        p = super().predict_proba(X) ** 4
        return p / p.sum(axis=1, keepdims=True)


def noisy(n: int) -> tuple[Any, Any]:
    """Return rows that a Gaussian model knows well; a third class is rare."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    y = (X[:, 0] - X[:, 1] + 1.5 * rng.normal(size=n) > 0).astype(int)
    y[:6] = 2
    return X, y


def search(teacher: Any, preset: str = "balanced") -> AutoDistiller:
    """Return a search that has ended."""
    auto = AutoDistiller(teacher, TREE, preset=preset, random_state=0)
    return auto.fit(*noisy(400))


def test_a_teacher_that_is_too_sure_is_calibrated_at_no_fit_more() -> None:
    TooSure.count = 0
    found = search(TooSure())
    assert found.chosen_.teacher == "calibrated"
    # Five of folds, ten of pairs, one on all rows for labels in sample.
    assert TooSure.count <= 16
    # By name it stands alone, the control, and loses.
    alone = search({"teacher": TooSure()})
    assert {each.teacher for each in alone.choice_.candidates} == {"", "teacher"}
    best = found.choice_.means.min()
    assert best < alone.choice_.means.min() - 0.01


def test_a_fast_search_has_the_given_teacher_only() -> None:
    found = search(TooSure(), "fast")
    assert {each.teacher for each in found.choice_.candidates} == {"", "teacher"}


@pytest.mark.parametrize("calibrated", [CalibratedTeacher(), StackedTeacher()], ids=str)
def test_what_is_calibrated_by_itself_is_not_so_again(calibrated: Any) -> None:
    assert with_calibrated("mine", clone(calibrated)).keys() == {"mine"}
    thorough = named_teachers(calibrated, "thorough")
    assert list(thorough) == ["teacher", "corrected"]
    assert thorough["corrected"].teacher is calibrated
