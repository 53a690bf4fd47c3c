"""Groups and outcomes reach every fit that takes them, whoever fits the student."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from semikd import DistilledClassifier, TorchStudent, compare, cross_fit
from semikd import external_labels as brought
from semikd.evaluation import Classification, Table, fit_scratch
from semikd.evaluation.scratch import tune_scratch
from semikd.losses import CrossEntropyLoss
from semikd.simplex import one_hot
from semikd.students import AdversarialStudent, FeatureStudent, as_student
from semikd.students.beside import taken_by

Floats = NDArray[np.float64]
pytestmark = pytest.mark.usefixtures("one_torch_thread")
N = 120
GROUPS = np.arange(N) // 4


def made() -> tuple[Floats, NDArray[np.intp]]:
    """Return rows whose class depends on two columns, and an attribute last."""
    rng = np.random.default_rng(0)
    z, x = rng.integers(2, size=N), rng.normal(size=(N, 2))
    y = rng.random(N) < 1 / (1 + np.exp(-x.sum(axis=1) - z))
    return np.column_stack([x, z]), y.astype(int)


QUICK: dict[str, Any] = {"device": "cpu", "max_epochs": 4, "random_state": 0}


def watching() -> TorchStudent:
    return TorchStudent((4,), validation_fraction=0.4, learning_rate=0.05, **QUICK)


def fair() -> AdversarialStudent:
    return AdversarialStudent(
        (4,), protected=2, criterion="equalized_odds", batch_size=32, **QUICK
    )


def test_an_offer_is_made_only_to_who_takes_it() -> None:
    made_for: list[str] = []

    def offer(name: str) -> Any:
        made_for.append(name)
        return name

    offers = {
        name: lambda name=name: offer(name)
        for name in ("groups", "outcome", "features")
    }
    assert taken_by(as_student(Ridge()), **offers) == {}
    assert made_for == []
    assert set(taken_by(watching(), **offers)) == {"groups"}
    assert set(taken_by(fair(), **offers)) == {"groups", "outcome"}
    assert set(taken_by(FeatureStudent(watching()), **offers)) == {"groups", "features"}
    pipeline = as_student(make_pipeline(StandardScaler(), fair()))
    assert set(taken_by(pipeline, **offers)) == {"groups", "outcome"}


@pytest.mark.parametrize("last", [watching(), fair()], ids=["network", "opponent"])
@pytest.mark.parametrize("groups", [None, GROUPS], ids=["rows", "groups"])
def test_the_last_step_of_a_pipeline_is_given_what_it_is_given_alone(
    last: Any, groups: Any
) -> None:
    X, y = made()
    Z = StandardScaler().fit_transform(X)
    p = cross_fit(LogisticRegression(), X, y, random_state=0).mean
    inside, alone = (
        DistilledClassifier(student=one, cv=brought(rows, p, classes=[0, 1]))
        .fit(rows, y, groups=groups)
        .predict_proba(rows)
        for one, rows in ((make_pipeline(StandardScaler(), last), X), (last, Z))
    )
    if groups is not None or last.fit_options[-1] == "outcome":
        np.testing.assert_allclose(inside, alone, atol=1e-12)
    # Without groups a network holds out rows by what it reads of them.


def test_a_network_is_not_watched_by_rows_of_its_own_groups() -> None:
    # The control of the test above: groups move what is learned.
    X, y = made()
    target = one_hot(y, 2)[:, 1:]
    student = as_student(make_pipeline(StandardScaler(), watching()))
    one, two = (
        student.copy().fit_target(X, target, loss=CrossEntropyLoss(), **more).scores(X)
        for more in ({}, {"groups": GROUPS})
    )
    assert np.abs(one - two).max() > 1e-3


@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize("student", [watching(), fair()], ids=["network", "opponent"])
def test_many_students_are_given_what_one_is_given(
    student: Any, pipeline: bool
) -> None:
    X, y = made()
    loss, outcome = CrossEntropyLoss(), one_hot(y, 2)
    target = outcome[:, 1:]
    one = as_student(make_pipeline(StandardScaler(), student) if pipeline else student)
    more = taken_by(one, groups=lambda: GROUPS, outcome=lambda: outcome)
    expected = one.copy().fit_target(X, target, loss=loss, **more).scores(X)
    for found in one.fit_many(X, [target] * 2, loss=loss, **more):
        np.testing.assert_allclose(found.scores(X), expected, atol=1e-5)


@pytest.mark.parametrize("student", [watching(), fair()], ids=["network", "opponent"])
def test_from_scratch_a_student_is_given_the_same(student: Any) -> None:
    X, y = made()
    table, task = Table(X, y, None, GROUPS), Classification(0.001)
    found = fit_scratch(student, table, task).scores(X)
    more = taken_by(student, groups=lambda: GROUPS, outcome=lambda: one_hot(y, 2))
    again = student.copy().fit_target(
        X, one_hot(y, 2)[:, 1:], loss=CrossEntropyLoss(), **more
    )
    np.testing.assert_array_equal(found, again.scores(X))
    settings = [{"learning_rate": rate} for rate in (1e-6, 0.05)]
    best = tune_scratch(student.copy(), table, task, settings=settings, seed=0)
    assert best == settings[1]


@pytest.mark.parametrize("pipeline", [False, True])
def test_arms_with_an_opponent_that_sees_outcomes_are_compared(pipeline: bool) -> None:
    X, y = made()
    student = make_pipeline(StandardScaler(), fair()) if pipeline else fair()
    recipe = DistilledClassifier(LogisticRegression(), student, cv=3)
    found = compare(X, y, recipe, n_refits=1, random_state=0)
    assert {"scratch", "scratch, tuned", "cross-fitted"} <= set(found.table.index)
