"""Teachers by name: in the estimators, the search and the command line alike."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from semikd import AutoDistiller, DistilledClassifier
from semikd.distillation import SelfDistilledClassifier, named_teacher
from semikd.distillation.names import TEACHERS
from semikd.exceptions import UsageError
from semikd.job import Settings
from semikd.job.learners import named_teacher as of_the_command_line
from semikd.job.names import TEACHERS as LISTED
from semikd.job.sides import raw_sides
from semikd.selection.teachers import named_teachers
from semikd.teachers import BoostingTeacher, EnsembleTeacher


def made() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    return X, X[:, 0] + rng.normal(size=60) > 0


@pytest.mark.parametrize("name", TEACHERS)
def test_a_name_is_the_class_with_its_defaults(name: str) -> None:
    found = named_teacher(name)
    assert type(found) is TEACHERS[name]
    assert found.get_params() == TEACHERS[name]().get_params()
    assert type(DistilledClassifier(name).resolved_teacher()) is TEACHERS[name]


def test_none_is_boosting_and_an_object_is_itself() -> None:
    mine = EnsembleTeacher()
    assert isinstance(named_teacher(None), BoostingTeacher)
    assert named_teacher(mine) is mine


def test_a_name_distils_as_its_object_does() -> None:
    X, y = made()
    one, two = (
        DistilledClassifier(teacher, random_state=0, cv=2).fit(X, y).predict_proba(X)
        for teacher in ("boosting", BoostingTeacher())
    )
    np.testing.assert_array_equal(one, two)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    X, y = made()
    for model in (DistilledClassifier("ensembel"), AutoDistiller("ensembel")):
        with pytest.raises(ValueError, match="Did you mean 'ensemble'"):
            model.fit(X, y)


def test_the_search_calls_a_named_teacher_by_its_name() -> None:
    found = named_teachers("self-distilled", "balanced")
    assert list(found) == ["self-distilled", "calibrated"]
    assert isinstance(found["self-distilled"], SelfDistilledClassifier)
    assert found["calibrated"].teacher is found["self-distilled"]
    auto = AutoDistiller("boosting", preset="fast", cv=3, random_state=0)
    assert {each.teacher for each in auto.fit(*made()).choice_.candidates} == {
        "",
        "boosting",
    }


def test_the_command_line_has_them_for_classes() -> None:
    for name in ("ensemble", "meta", "self-distilled"):
        assert name in LISTED
        found = of_the_command_line(name, classification=True)
        assert type(found) is TEACHERS[name]
        with pytest.raises(UsageError, match="--teacher must learn numbers"):
            Settings("y", teacher=name, task="regression")
        X, _ = made()
        table = pd.DataFrame({"x": X[:, 0], "y": X[:, 1]})
        with pytest.raises(UsageError, match="--teacher must learn numbers"):
            raw_sides(table, Settings("y", teacher=name))
