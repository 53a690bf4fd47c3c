"""Frames two of whose columns have one name are refused in one line, wherever."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from semikd import (
    AutoDistiller,
    DistilledClassifier,
    DistilledRegressor,
    SyntheticRows,
    TorchClassifier,
    compare,
    cross_fit,
    external_labels,
)
from semikd._tables import refuse_equal_names
from semikd.job import Settings
from semikd.job.sides import raw_sides
from semikd.selection import size_curve
from semikd.students import LinearStudent
from semikd.teachers import BoostingTeacher, CalibratedTeacher, SquaresTeacher

N = 60
VALUES = np.random.default_rng(0).normal(size=(N, 3))
Y = (VALUES[:, 0] > 0).astype(int)
GOOD = pd.DataFrame(VALUES, columns=["a", "b", "c"])
BAD = pd.DataFrame(VALUES, columns=["a", "b", "a"])
TEACHER = LogisticRegression()
TREE = DecisionTreeRegressor(max_leaf_nodes=4)
RECIPE = DistilledClassifier(TEACHER, TREE, random_state=0)
SETTINGS = Settings("y", teacher="linear")
WORDS = "must name every column differently; got 'a' 2 times. Rename all but one"

ENTRANCES: dict[str, Callable[[], Any]] = {
    "classifier": lambda: RECIPE.fit(BAD, Y),
    "regressor": lambda: DistilledRegressor(None, TREE).fit(BAD, VALUES[:, 0]),
    "auto": lambda: AutoDistiller(TEACHER, TREE).fit(BAD, Y),
    "predict": lambda: DistilledClassifier(TEACHER, TREE).fit(GOOD, Y).predict(BAD),
    "cross_fit": lambda: cross_fit(TEACHER, BAD, Y),
    "brought": lambda: external_labels(BAD, np.full((N, 2), 0.5)),
    "compare": lambda: compare(BAD, Y, RECIPE, n_refits=1),
    "size_curve": lambda: size_curve(RECIPE, BAD, Y),
    "synthetic": lambda: SyntheticRows().draw(BAD, fold=np.zeros(N, dtype=int)),
    "boosting": lambda: BoostingTeacher().fit(BAD, Y),
    "calibrated": lambda: CalibratedTeacher(TEACHER).fit(BAD, Y),
    "squares": lambda: SquaresTeacher(TREE).fit(BAD, Y),
    "network": lambda: TorchClassifier((4,)).fit(BAD, Y),
    "linear": lambda: LinearStudent().fit(BAD, Y),
    "linear student": lambda: LinearStudent().fit_target(
        BAD, VALUES[:, :1], loss=LinearStudent().default_loss
    ),
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_the_argument_and_the_name_are_told(entrance: str) -> None:
    with pytest.raises(ValueError, match=WORDS) as refused:
        ENTRANCES[entrance]()
    assert str(refused.value).startswith("X must")


def test_unlabelled_and_job_tables_go_by_their_own_names() -> None:
    with pytest.raises(ValueError, match=f"unlabelled {WORDS}"):
        RECIPE.fit(GOOD, Y, unlabelled=BAD)
    with pytest.raises(ValueError, match=f"TABLE {WORDS}"):
        raw_sides(BAD.assign(y=Y), SETTINGS)
    with pytest.raises(ValueError, match=f"--test {WORDS}"):
        raw_sides(GOOD.assign(y=Y), SETTINGS, held_out=BAD.assign(y=Y))


def test_arrow_tables_are_asked_for_names_not_for_values() -> None:
    columns = [pa.array(VALUES[:, 0]) for _ in range(4)]
    refuse_equal_names(pa.Table.from_arrays(columns, names=list("abcd")))
    with pytest.raises(ValueError, match=r"X .*; got 'a' 2 times \(2 such names\)"):
        refuse_equal_names(pa.Table.from_arrays(columns, names=list("abab")))
    refuse_equal_names(VALUES)
    refuse_equal_names(GOOD)
