"""Nested labels: who saw what, against teachers fitted one by one."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit
from sklearn.naive_bayes import GaussianNB

from semikd.crossfit import NestedFolds, cross_fit
from semikd.exceptions import LeakageWarning, SemikdWarning


class Shifted(ClassifierMixin, BaseEstimator):
    """A teacher of two stages: the mean outcome, by class, corrects the first one."""

    def __init__(self, first: Any = None) -> None:
        self.first = first

    def first_stage(self) -> list[Any]:
        return [self.first]

    def second_stage(
        self,
        answers: list[Any],
        X: Any,
        outcome: Any,
        *,
        sample_weight: Any = None,
        random_state: Any = None,
    ) -> Any:
        off = np.average(outcome - answers[0], axis=0, weights=sample_weight)

        def stage(answers: list[Any], X: Any) -> Any:  # noqa: ARG001
            moved = np.clip(answers[0] + off, 1e-6, None)
            return moved / moved.sum(axis=1, keepdims=True)

        return stage

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Shifted":
        return self

    def predict_proba(self, X: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def table() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = (X[:, 0] + rng.normal(size=120) > 0).astype(int)
    return X, y


def fitted_without(X: Any, y: Any, rows: Any) -> GaussianNB:
    kept = np.setdiff1d(np.arange(len(y)), rows)
    return GaussianNB().fit(X[kept], y[kept])


def test_labels_are_those_of_teachers_fitted_one_by_one(table: Any) -> None:
    X, y = table
    folds = NestedFolds(X, y, cv=4, random_state=0)
    labels = folds.cross_fit(GaussianNB())
    for a, part in enumerate(folds.judging):
        alone = fitted_without(X, y, part)
        np.testing.assert_allclose(
            labels.outer.mean[part], alone.predict_proba(X[part]), atol=1e-12
        )
        rows = folds.learning[a]
        np.testing.assert_allclose(
            labels.in_sample[a], alone.predict_proba(X[rows]), atol=1e-12
        )
        for b, other in enumerate(folds.judging):
            if a != b:
                pair = fitted_without(X, y, np.union1d(part, other))
                at = np.searchsorted(rows, other)
                np.testing.assert_allclose(
                    labels.inner[a].mean[at], pair.predict_proba(X[other]), atol=1e-12
                )


@pytest.mark.parametrize("n_folds", [3, 4, 5])
def test_each_pair_of_folds_has_one_teacher(table: Any, n_folds: int) -> None:
    folds = NestedFolds(*table, cv=n_folds, random_state=0)
    folds.cross_fit(GaussianNB())
    pairs = len(list(combinations(range(n_folds), 2)))
    assert folds.n_fitted == n_folds + pairs


def test_a_holdout_takes_two_teachers_a_fold_and_one(table: Any) -> None:
    X, y = table
    folds = NestedFolds(X, y, cv=4, holdout=0.25, random_state=0)
    labels = folds.cross_fit(GaussianNB())
    assert folds.n_fitted == 9
    (part,), (rows,) = folds.judging, folds.learning
    assert len(part) == 30
    alone = fitted_without(X, y, part)
    np.testing.assert_allclose(labels.in_sample[0], alone.predict_proba(X[rows]))
    np.testing.assert_array_equal(
        np.sort(np.concatenate([part, rows])), np.arange(len(y))
    )


@pytest.mark.parametrize("holdout", [None, 0.3])
@pytest.mark.parametrize("staged", [False, True])
def test_outcomes_of_judging_rows_change_nothing_that_leads_to_them(
    table: Any, holdout: float | None, staged: bool
) -> None:
    X, y = table
    teacher = Shifted(GaussianNB()) if staged else GaussianNB()
    folds = NestedFolds(X, y, cv=4, holdout=holdout, random_state=0)
    labels = folds.cross_fit(teacher)
    for a, part in enumerate(folds.judging):
        flipped = y.copy()
        flipped[part] = 1 - flipped[part]
        # The very folds, whatever the outcomes say.
        ids = np.zeros(len(y), dtype=int)
        for t, fold in enumerate(folds.folds):
            ids[fold.test] = t
        other = NestedFolds(X, flipped, cv=ids, random_state=0)
        other.judging, other.learning = folds.judging, folds.learning
        again = other.cross_fit(teacher)
        np.testing.assert_array_equal(
            labels.inner[a].prediction, again.inner[a].prediction
        )
        np.testing.assert_array_equal(labels.in_sample[a], again.in_sample[a])
        # The control: labels that are not nested do change.
        assert (labels.outer.mean != again.outer.mean).any()


def test_second_stages_learn_without_the_rows_that_judge(table: Any) -> None:
    X, y = table
    first = GaussianNB()
    folds = NestedFolds(X, y, cv=4, random_state=0)
    plain, staged = folds.cross_fit(first), folds.cross_fit(Shifted(first))
    # One cross-fit serves both.
    assert folds.n_fitted == 10
    for a, rows in enumerate(folds.learning):
        inner, outcome = plain.inner[a], np.eye(2)[y[rows]]
        for b in range(3):
            learn, held = inner.fold[0] != b, inner.fold[0] == b
            off = (outcome[learn] - inner.mean[learn]).mean(axis=0)
            moved = np.clip(inner.mean[held] + off, 1e-6, None)
            np.testing.assert_allclose(
                staged.inner[a].mean[held],
                moved / moved.sum(axis=1, keepdims=True),
                atol=1e-12,
            )


def test_outer_labels_are_those_of_cross_fit_by_the_same_folds(table: Any) -> None:
    X, y = table
    folds = NestedFolds(X, y, cv=5, random_state=3)
    outer = folds.cross_fit(GaussianNB()).outer
    record = cross_fit(GaussianNB(), X, y, cv=outer.fold[0])
    np.testing.assert_allclose(outer.prediction, record.prediction, atol=1e-12)
    outer.check_rows(X)


def test_copies_and_groups_judge_together(table: Any) -> None:
    X, y = table
    twice = NestedFolds(np.vstack([X, X]), np.tile(y, 2), random_state=0)
    for part in twice.judging:
        np.testing.assert_array_equal(np.sort(part % 120)[::2], np.unique(part % 120))
    groups = np.arange(120) // 4
    for part in NestedFolds(X, y, groups=groups, random_state=0).judging:
        assert not np.isin(groups[part], np.delete(groups, part)).any()


def test_rows_without_weight_neither_judge_nor_learn(table: Any) -> None:
    X, y = table
    weights = np.ones(120)
    weights[:20] = 0.0
    folds = NestedFolds(X, y, sample_weight=weights, random_state=0)
    labels = folds.cross_fit(GaussianNB())
    assert min(part.min() for part in folds.judging) >= 20
    assert min(rows.min() for rows in folds.learning) >= 20
    assert np.isnan(labels.outer.mean[:20]).all()


def test_kept_teachers_label_rows_that_are_added(table: Any) -> None:
    X, y = table
    folds = NestedFolds(X, y, cv=4, keep_teachers=True, random_state=0)
    inner = folds.cross_fit(GaussianNB()).inner[0]
    rows = folds.learning[0][:5]
    again = inner.label(X[rows], exclude=np.arange(5))
    np.testing.assert_allclose(again, inner.mean[:5], atol=1e-12)


def test_means_of_a_regression_are_nested_too(table: Any) -> None:
    X, _ = table
    folds = NestedFolds(X, X[:, 0], cv=3, classification=False, random_state=0)
    labels = folds.cross_fit(LinearRegression())
    np.testing.assert_allclose(labels.outer.mean[:, 0], X[:, 0], atol=1e-9)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"cv": 2}, "cv must be an integer of at least 3"),
        ({"cv": "oob"}, "cv must be folds where students are chosen; got 'oob'"),
        ({"cv": np.arange(120) % 2}, "cv must have three folds or more; got 2"),
        ({"holdout": 0.0}, "holdout must be a number above 0 and at most 0.9"),
        ({"holdout": 1.0}, "holdout must be a number above 0 and at most 0.9"),
        ({"n_jobs": 0}, "n_jobs must be an integer other than 0"),
    ],
)
def test_what_cannot_be_nested_is_refused(
    table: Any, options: dict[str, Any], match: str
) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        NestedFolds(*table, random_state=0, **options)
    assert "\n" not in str(caught.value)


def test_two_distinct_rows_of_a_class_judge_no_teacher(table: Any) -> None:
    X = table[0][:12]
    y = np.repeat([0, 1], [10, 2])
    with pytest.warns(SemikdWarning, match="cv was lowered from 5 to 2"):
        folds = NestedFolds(X, y, random_state=0)
    assert not folds.judges_teachers
    with pytest.raises(ValueError, match="cv must have three folds or more; got 2"):
        folds.cross_fit(GaussianNB())


def test_folds_that_keep_rows_from_their_teachers_are_refused(table: Any) -> None:
    X, y = table
    # Teachers of pairs would learn from the gap, and from the future.
    blocks = np.arange(120) // 30
    gaps = [
        (np.flatnonzero((blocks != t) & (np.arange(120) % 30 > 1)), blocks == t)
        for t in range(4)
    ]
    with pytest.raises(
        ValueError, match="cv must train each fold on all rows outside it"
    ) as caught:
        NestedFolds(X, y, cv=gaps)
    assert "6 rows neither side of fold 0 has" in str(caught.value)
    with (
        pytest.warns(SemikdWarning, match="in no test fold"),
        pytest.raises(ValueError, match="growing windows cannot be nested"),
    ):
        NestedFolds(X, y, cv=TimeSeriesSplit(4))
    assert len(NestedFolds(X, y, cv=blocks).folds) == 4


def test_a_holdout_of_one_row_is_refused(table: Any) -> None:
    with pytest.raises(ValueError, match="holdout must hold out two distinct rows"):
        NestedFolds(*table, holdout=0.001, random_state=0)
    groups = np.arange(120) // 30
    with pytest.raises(ValueError, match="holdout must hold out two groups or more"):
        NestedFolds(*table, cv=3, holdout=0.3, groups=groups, random_state=0)


def test_a_holdout_that_takes_a_class_away_is_refused(table: Any) -> None:
    y = np.where(np.arange(120) < 3, "rare", "usual")
    with pytest.raises(ValueError, match="leaves 1 of class 'rare'") as caught:
        NestedFolds(table[0], y, cv=3, holdout=0.7, random_state=0)
    assert "holdout must leave two distinct rows of every class" in str(caught.value)


def test_one_group_cannot_judge(table: Any) -> None:
    with pytest.raises(
        ValueError, match="groups must have two distinct groups or more"
    ):
        NestedFolds(*table, cv=np.arange(120) % 4, groups=np.zeros(120))


def test_a_holdout_does_not_depend_on_rows_without_weight(table: Any) -> None:
    X, y = table
    weights = np.where(np.arange(120) % 3, 1.0, 0.0)
    kept = np.flatnonzero(weights)
    (part,) = NestedFolds(
        X, y, holdout=0.3, sample_weight=weights, random_state=0
    ).judging
    (alone,) = NestedFolds(X[kept], y[kept], holdout=0.3, random_state=0).judging
    np.testing.assert_array_equal(part, kept[alone])


def test_a_teacher_without_probabilities_is_refused(table: Any) -> None:
    folds = NestedFolds(*table, random_state=0)
    with pytest.raises(TypeError, match="teacher must offer predict_proba"):
        folds.cross_fit(LinearRegression())


def test_all_rows_in_sample_take_one_more_fit_of_each_first_teacher(table: Any) -> None:
    X, y = table
    folds, first = NestedFolds(X, y, random_state=0), GaussianNB()
    labels = folds.cross_fit(Shifted(first))
    plain = GaussianNB().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(folds.in_sample(first), plain)
    assert folds.n_fitted == 16
    # The stage is that of the folds' honest answers, and is applied to the plain ones.
    honest = folds.cross_fit(first).outer.prediction[0]
    moved = np.clip(plain + (np.eye(2)[y] - honest).mean(axis=0), 1e-6, None)
    expected = moved / moved.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(folds.in_sample(Shifted(first)), expected)
    assert folds.n_fitted == 17
    assert labels.outer.prediction.shape == (1, 120, 2)


def test_rows_of_no_weight_have_no_label_in_sample(table: Any) -> None:
    X, y = table
    weights = np.ones(120)
    weights[:10] = 0.0
    folds = NestedFolds(X, y, sample_weight=weights, random_state=0)
    said = folds.in_sample(GaussianNB())
    assert np.isnan(said[:10]).all()
    alone = GaussianNB().fit(X[10:], y[10:]).predict_proba(X[10:])
    np.testing.assert_allclose(said[10:], alone)


@pytest.mark.parametrize("workers", [None, 2])
def test_a_listener_may_end_the_work_and_little_is_begun_after_that(
    table: Any, workers: int | None, recwarn: pytest.WarningsRecorder
) -> None:
    heard: list[Any] = []

    def listen(step: Any) -> None:
        heard.append(step.done)
        if step.done == 3:
            raise TimeoutError("enough")

    folds = NestedFolds(*table, random_state=0, n_jobs=workers, progress=listen)
    first = GaussianNB()
    with pytest.raises(TimeoutError, match="enough"):
        folds.cross_fit(first)
    assert heard == [0, 1, 2, 3]
    assert not folds.knows(first)
    assert folds.n_fitted == 0
    assert not recwarn.list
    # The workers are ready for the next.
    folds.progress = heard.append
    assert folds.cross_fit(first).outer.prediction.shape == (1, 120, 2)


def test_folds_that_divide_groups_cannot_judge(table: Any) -> None:
    X, y = table
    groups = np.arange(120) // 4
    pairs = list(KFold(5, shuffle=True, random_state=0).split(X))
    refused = pytest.raises(ValueError, match=r"in one fold .*; got \d+ of 30 groups")
    with refused, pytest.warns(LeakageWarning):
        NestedFolds(X, y, cv=pairs, groups=groups)
    folds = NestedFolds(X, y, cv=GroupKFold(5), groups=groups)
    sides = [set(groups[part]) for part in folds.judging]
    assert all(not one & two for one, two in combinations(sides, 2))
