"""A search keeps to its time where trials on few rows foretell too little."""

import itertools
import time
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import AutoDistiller, ResidualTeacher
from semikd._progress import Step
from semikd.evaluation import Classification, Table
from semikd.exceptions import SemikdWarning
from semikd.selection.clock import Clock, OutOfTimeError
from semikd.selection.judging import Judge
from semikd.selection.sources import LabelBank


class Time:
    """A clock that runs only where a fit says so."""

    now = 0.0

    @classmethod
    def read(cls) -> float:
        return cls.now


class Quadratic(GaussianNB):
    """A teacher that takes a second for 100 rows, and four for 200."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Time.now += (len(X) / 100.0) ** 2
        return super().fit(X, y, sample_weight)


class SlowRidge(Ridge):
    """A corrector that takes three seconds."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Time.now += 3.0
        return super().fit(X, y, sample_weight)


class SlowTree(DecisionTreeRegressor):
    """A student that takes a second for 1,000 rows."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **given: Any) -> Any:
        Time.now += len(X) / 1000.0
        return super().fit(X, y, sample_weight, **given)


class NoisyTree(DecisionTreeRegressor):
    """A student that takes some hundredths of a second, whatever the rows."""

    spent = itertools.cycle([0.03, 0.01, 0.02, 0.05])

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **given: Any) -> Any:
        Time.now += next(self.spent)
        return super().fit(X, y, sample_weight, **given)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    Time.now = 0.0
    monkeypatch.setattr(time, "perf_counter", Time.read)
    return drawn(400)


def drawn(n: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    return X, (X[:, 0] + rng.normal(size=n) > 0).astype(int)


def search(rows: Any, budget: float | None, **options: Any) -> AutoDistiller:
    given = {
        "teacher": GaussianNB(),
        "student": DecisionTreeRegressor(max_leaf_nodes=4),
        "preset": "fast",
        "random_state": 0,
        **options,
    }
    more = {"unlabelled": given.pop("unlabelled", None)}
    return AutoDistiller(time_budget=budget, **given).fit(*rows, **more)


def taken(rows: Any, budget: float | None, **options: Any) -> tuple[float, Any]:
    """Return how many budgets a search took, and what it left out."""
    start = Time.now
    found = search(rows, budget, **options)
    return (Time.now - start) / (budget or 1.0), found.left_out_


@pytest.mark.usefixtures("rows")
def test_a_teacher_that_takes_longer_than_its_trial_says() -> None:
    options, many = {"teacher": Quadratic()}, drawn(4000)
    without_end, _ = taken(many, None, **options)
    budgets, left_out = taken(many, 7_000.0, **options)
    # 9 seconds for 300 rows and 81 for 900 foretell 4,800 for all fits.
    assert without_end > 10_000.0
    assert budgets <= 1.1
    assert any("labels of teacher: more than" in each for each in left_out)


def test_a_second_stage_whose_first_teacher_is_known(rows: Any) -> None:
    first = GaussianNB()
    slow = ResidualTeacher(first, SlowRidge())
    options = {"teacher": {"bayes": first, "corrected": slow}}
    without_end, _ = taken(rows, None, **options)
    budgets, left_out = taken(rows, 100.0, **options)
    assert without_end > 300.0
    assert budgets <= 1.1
    assert any("labels of corrected: more than" in each for each in left_out)
    # What was known before is not lost.
    found = search(rows, 100.0, **options)
    assert {each.teacher for each in found.choice_.candidates} == {"", "bayes"}


def test_students_of_many_more_rows(rows: Any) -> None:
    new = np.random.default_rng(1).normal(size=(20_000, 3))
    options = {"student": SlowTree(max_leaf_nodes=4), "unlabelled": new}
    without_end, _ = taken(rows, None, **options)
    budgets, left_out = taken(rows, 70.0, **options)
    assert without_end > 90.0
    assert budgets <= 1.1
    assert any("unlabelled rows: more than" in each for each in left_out)


def test_with_time_enough_nothing_is_given_up(rows: Any) -> None:
    options = {"teacher": Quadratic(), "student": SlowTree(max_leaf_nodes=4)}
    free = search(rows, None, **options)
    found = search(rows, 1e6, **options)
    assert found.left_out_ == ()
    assert found.chosen_ == free.chosen_
    np.testing.assert_array_equal(found.choice_.losses, free.choice_.losses)


def test_given_up_with_several_workers_too(rows: Any) -> None:
    # Processes have clocks of their own: the threads of the students are watched.
    new = np.random.default_rng(1).normal(size=(20_000, 3))
    options = {"student": SlowTree(max_leaf_nodes=4), "unlabelled": new, "n_jobs": 2}
    budgets, left_out = taken(rows, 70.0, **options)
    assert budgets <= 1.1
    assert any("unlabelled rows" in each for each in left_out)


def test_work_that_is_done_is_kept_though_it_took_too_long(rows: Any) -> None:
    table = Table(*rows, None, None)
    bank = LabelBank(table, {"bayes": GaussianNB()}, cv=3, seed=0)
    judge = Judge(table, Classification(), {"tree": DecisionTreeRegressor()}, bank)
    clock = Clock(judge, 10.0)
    with clock.watching():
        bank.folds.progress(Step("fold", "", 2, 3))
        Time.now += 20.0
        bank.folds.progress(Step("fold", "", 3, 3))
        with pytest.raises(OutOfTimeError):
            bank.folds.progress(Step("fold", "", 0, 3))
    bank.folds.progress(Step("fold", "", 0, 3))


def test_on_few_rows_the_noise_of_a_trial_is_no_slope(rows: Any) -> None:
    few = tuple(each[:200] for each in rows)
    budgets, left_out = taken(few, 30.0, student=NoisyTree(max_leaf_nodes=4))
    # A slope of hundredths of a second for each row foretold seconds for each student.
    assert left_out == ()
    assert budgets < 0.5


def test_no_trial_is_made_for_which_there_is_no_time(rows: Any) -> None:
    slow = Quadratic()
    judge = Judge(
        Table(*rows, None, None),
        Classification(),
        {"tree": DecisionTreeRegressor(max_leaf_nodes=4)},
        LabelBank(Table(*rows, None, None), {"teacher": slow}, seed=0),
        seed=0,
    )
    clock = Clock(judge, 5.0)
    start = Time.now
    clock._teacher("teacher")
    # One fit to 300 rows took nine seconds.
    assert Time.now - start == pytest.approx(9.0, rel=0.05)


def test_a_search_that_is_late_says_so(rows: Any) -> None:
    with pytest.warns(SemikdWarning, match=r"The search took .* of a time budget"):
        search(rows, 1.0, teacher=Quadratic())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(rows, 1e6, teacher=Quadratic())


def test_candidates_that_are_judged_outlive_their_round(rows: Any) -> None:
    options = {"student": SlowTree(max_leaf_nodes=4), "preset": "balanced"}
    whole = search(rows, None, **options)
    found = search(rows, 30.0, **options)
    parts = [each for each in found.rounds_ if "candidates" in each]
    assert len(parts) == 1
    assert 0 < len(found.choice_.candidates) < len(whole.choice_.candidates)
    at = [whole.choice_.candidates.index(each) for each in found.choice_.candidates]
    np.testing.assert_array_equal(found.choice_.losses, whole.choice_.losses[:, at])


def test_a_slow_metric_is_part_of_the_time(rows: Any) -> None:
    def slow(estimator: Any, X: Any, y: Any) -> float:
        Time.now += 0.05
        return float((estimator.predict(X) == y).mean())

    without_end, _ = taken(rows, None, metric=slow)
    budgets, left_out = taken(rows, 40.0, metric=slow)
    # 51 scores of every candidate on every part.
    assert without_end > 80.0
    assert 0.3 < budgets <= 1.1
    assert left_out
