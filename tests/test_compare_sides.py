"""Comparisons on sides that are apart: regressions, brought labels, and their steps."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledRegressor, compare, cross_fit
from semikd.crossfit.folds import integer_folds
from semikd.evaluation import Regression, Table, compare_sides
from semikd.evaluation.scratch import tune_scratch
from semikd.students import as_student

ARMS = ["teacher", "scratch", "scratch, tuned", "in-sample", "cross-fitted"]


def regression_rows(n: int):
    draws = np.random.default_rng(0)
    X = draws.normal(size=(n, 3))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] + draws.normal(size=n)


def test_a_regression_is_compared_by_squared_error() -> None:
    X, y = regression_rows(800)
    estimator = DistilledRegressor(
        LinearRegression(), DecisionTreeRegressor(max_leaf_nodes=16)
    )
    found = compare(X, y, estimator, n_refits=2, random_state=0)
    assert list(found.table.index) == [*ARMS, "constant mix"]
    at = found.names.index("scratch, tuned")
    predicted = [fit[at, :, 0] for fit in found.predictions]
    by_hand = [mean_squared_error(found.test.y, mean) for mean in predicted]
    row = found.table.loc["scratch, tuned"]
    assert row["squared_error"] == pytest.approx(np.mean(by_hand), rel=1e-12)
    explained = [r2_score(found.test.y, mean) for mean in predicted]
    assert row["r2"] == pytest.approx(np.mean(explained), rel=1e-12)
    table = found.table["squared_error"]
    one = found.procedure()
    by_hand = [table[name] - table[found.reference] for name in one.names]
    np.testing.assert_allclose(one.estimate, by_hand, atol=1e-12)
    assert "squared-error" in found.summary()
    assert found.plot().axes[1].get_xlabel() == "predicted mean"
    with pytest.raises(ValueError, match="be 'squared_error' or 'absolute_error'"):
        found.one_fit("auc")


def test_tuning_a_tree_for_a_regression_finds_the_size_that_brute_force_finds() -> None:
    X, y = regression_rows(600)
    table = Table(X, y, None, None, classification=False)
    student = as_student(DecisionTreeRegressor(max_leaf_nodes=64, random_state=0))
    settings = [{"max_leaf_nodes": n} for n in (2, 8, 64)]
    best = tune_scratch(student, table, Regression(), settings=settings, seed=0)
    ((*folds,),) = integer_folds(5, table.rows(), n_repeats=1, random_state=0)
    losses = [
        sum(
            (
                (
                    clone(student.learner)
                    .set_params(**setting)
                    .fit(X[f.train], y[f.train])
                    .predict(X[f.test])
                    - y[f.test]
                )
                ** 2
            ).sum()
            for f in folds
        )
        for setting in settings
    ]
    assert best == settings[int(np.argmin(losses))]


def test_labels_that_were_brought_need_no_teacher(mixture, recipe) -> None:
    labels = cross_fit(
        LogisticRegression(), mixture.X[:400], mixture.y[:400], random_state=0
    )
    sides = (
        Table(mixture.X[rows], mixture.y[rows], None, None)
        for rows in (slice(400), slice(400, None))
    )
    heard = []
    found, models = compare_sides(
        *sides, recipe(cv=labels), n_refits=2, seed=0, progress=heard.append
    )
    assert found.names == (
        "scratch",
        "scratch, tuned",
        "cross-fitted",
        "corrected",
        "constant mix",
    )
    assert models["cross-fitted"].model.labels_.prediction.shape == (1, 400, 2)
    done = [step.done for step in heard]
    assert done == list(range(len(heard)))
    assert heard[-1].done == heard[-1].total


def test_every_step_is_told_before_it_starts(mixture, recipe) -> None:
    heard = []
    sides = (
        Table(mixture.X[rows], mixture.y[rows], None, None)
        for rows in (slice(400), slice(400, None))
    )
    compare_sides(*sides, recipe(cv=3), n_refits=2, seed=0, progress=heard.append)
    assert [step.done for step in heard] == list(range(heard[-1].total + 1))
    stages = [step.stage for step in heard if "refit 2 of 2" in step.label]
    assert stages[:3] == ["teacher", "student", "tuning"]
    assert stages.count("fold") == 3


def test_a_teacher_may_read_what_the_student_never_sees(mixture, recipe) -> None:
    informative, noise = mixture.X, np.random.default_rng(0).normal(size=(600, 1))
    sides = [
        Table(informative[rows], mixture.y[rows], None, None, student_view=noise[rows])
        for rows in (slice(400), slice(400, None))
    ]
    found, models = compare_sides(*sides, recipe(), seed=0)
    assert found.table.loc["teacher", "auc"] > 0.75
    assert found.table.loc["cross-fitted", "auc"] < 0.6
    assert models["cross-fitted"].model.n_features_in_ == 1


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**30])
def test_the_unit_of_the_target_changes_no_verdict(unit: float) -> None:
    X, y = regression_rows(600)
    tree = DecisionTreeRegressor(max_leaf_nodes=8)
    estimator = DistilledRegressor(LinearRegression(), tree)
    plain, scaled = (
        compare(X, y * u, estimator, n_refits=2, random_state=0) for u in (1.0, unit)
    )
    ours, theirs = (found.one_fit() for found in (scaled, plain))
    known = np.asarray(theirs.conf_int()) * unit**2
    np.testing.assert_allclose(ours.conf_int(), known, atol=1e-9 * np.abs(known).max())
    said = [
        [v.verdict for v in found.one_fit().verdicts()] for found in (plain, scaled)
    ]
    assert said[0] == said[1]
