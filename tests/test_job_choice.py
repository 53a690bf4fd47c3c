"""What the job chooses: on training rows alone, and what ships is what was chosen."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, SyntheticRows
from semikd.artifact import load_model
from semikd.evaluation import Classification, Regression, Table, compare_sides
from semikd.evaluation.arms import resized_arm
from semikd.exceptions import SemikdWarning
from semikd.job import Settings, choosing, distil, write_result
from semikd.job.choosing import search_recipes
from semikd.job.names import PRESETS
from semikd.job.sizing import SizeSearch
from semikd.selection import Candidate
from semikd.selection.presets import PRESETS as PLANS
from semikd.selection.teachers import named_teachers

QUICK: dict[str, Any] = {"teacher": "linear", "leaves": 8, "refits": 1}


def smooth(n: int = 700, seed: int = 0) -> pd.DataFrame:
    """Return rows whose log-odds are linear: a linear teacher knows, a tree guesses."""
    draws = np.random.default_rng(seed)
    X = draws.normal(size=(n, 5))
    odds = X @ [1.0, -1.0, 0.7, 0.5, 0.0]
    y = np.where(draws.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no")
    return pd.DataFrame(X, columns=list("abcde")).assign(y=y)


def stepped(n: int = 700) -> pd.DataFrame:
    """Return rows that a tree of four leaves knows, and a linear teacher cannot."""
    draws = np.random.default_rng(0)
    X = draws.normal(size=(n, 3))
    same = (X[:, 0] > 0) == (X[:, 1] > 0)
    y = np.where(draws.random(n) < np.where(same, 0.95, 0.05), "yes", "no")
    return pd.DataFrame(X, columns=list("abc")).assign(y=y)


def a_table(n: int = 400, seed: int = 0) -> Table:
    """Return training rows of two classes as the comparison takes them."""
    frame = smooth(n, seed)
    return Table(frame.iloc[:, :-1].to_numpy(), frame["y"].to_numpy(), None, None)


@pytest.fixture(scope="module")
def outcome() -> Any:
    return distil(smooth(), Settings("y", **QUICK | {"refits": 2}))


def test_the_winner_is_the_arm_that_ships(outcome, tmp_path: Path) -> None:
    assert outcome.shipped == "automatic"
    assert outcome.comparison.names[-1] == "automatic"
    candidate = outcome.searched.chosen
    choice = outcome.searched.choice
    assert candidate == choice.candidates[int(np.argmin(choice.means))]
    setting = outcome.comparison.table.loc["automatic", "setting"]
    assert setting == f"chosen: {candidate}"
    # Linear log-odds: the teacher's labels are worth more than the outcomes.
    assert candidate.teacher == "linear"
    assert "automatic" not in outcome.comparison.undistilled
    assert write_result(outcome, tmp_path, table="t.csv").gap < 1e-9


def test_held_out_rows_have_no_say_in_the_choice(outcome) -> None:
    frame, rows = smooth(), outcome.sides.rows
    held = np.setdiff1d(np.arange(len(frame)), rows)
    flipped = frame["y"].to_numpy(copy=True)
    flipped[held] = np.where(flipped[held] == "yes", "no", "yes")
    train = frame.iloc[rows]
    again, other = (
        distil(
            train,
            Settings("y", test="held.csv", **QUICK),
            held_out=frame.assign(y=y).iloc[held],
        )
        for y in (frame["y"], flipped)
    )
    assert again.searched.choice.candidates == other.searched.choice.candidates
    losses = (one.searched.choice.losses for one in (again, other))
    np.testing.assert_array_equal(*losses)
    a, b = (one.comparison.table["log_loss"]["automatic"] for one in (again, other))
    assert b > a + 0.3


def test_what_is_tried_is_told_in_numbers(outcome, tmp_path: Path) -> None:
    write_result(outcome, tmp_path, table="t.csv")
    found = json.loads((tmp_path / "metrics.json").read_text())["choice"]
    choice = outcome.searched.choice
    assert found["preset"] == "fast"
    assert found["chosen"] == str(choice.chosen)
    assert found["rows"] == len(outcome.sides.train.y)
    assert found["folds"] == 5
    assert [row["loss"] for row in found["candidates"]] == sorted(choice.means)
    behind = choice.losses - choice.losses[:, [choice.best]]
    errors = {
        str(candidate): float(stats.sem(column))
        for candidate, column in zip(choice.candidates, behind.T, strict=True)
    }
    for row in found["candidates"]:
        assert row["std_error"] == pytest.approx(errors[row["candidate"]], abs=1e-9)
        assert row["chosen"] == (row["candidate"] == found["chosen"])
        assert row["seconds"] > 0
    assert found["score"] == choice.score[0]
    assert found["seconds"] >= sum(row["seconds"] for row in found["candidates"]) / 8
    assert len(found["rounds"]) == 3
    assert json.loads((tmp_path / "metrics.json").read_text())["sizes"] is None
    page = (tmp_path / "report.html").read_text()
    assert page.count("<h2>What was chosen</h2>") == 1


def test_labels_that_are_written_are_honest_whatever_was_chosen(monkeypatch) -> None:
    chosen = Candidate("tree", "in-sample", "linear")

    def choose(*args: Any) -> Any:
        found = search_recipes(*args)
        choice = replace(found.choice, candidates=(chosen,), losses=np.zeros((4, 1)))
        one = replace(choice, sizes=(0,), weights=None, units=None)
        return replace(found, choice=one, fit_seconds=(0.1,))

    monkeypatch.setattr("semikd.job.distilling.search_recipes", choose)
    outcome = distil(smooth(300), Settings("y", **QUICK))
    assert outcome.labels.honest
    assert (outcome.labels.fold >= 0).all()
    assert not outcome.comparison.table.loc["automatic", "setting"].endswith("tted")


def test_scratch_may_win_and_is_then_not_called_distilled(tmp_path: Path) -> None:
    outcome = distil(stepped(), Settings("y", **QUICK))
    assert outcome.searched.chosen.labels == "scratch"
    assert "automatic" in outcome.comparison.undistilled
    expected = "Nothing distilled ships: training from scratch was chosen."
    assert outcome.headline == expected
    assert not outcome.comparison.verdict.startswith("Distilling helps")
    # What ships answers as the same student does that never heard of a teacher.
    at = [outcome.comparison.names.index(arm) for arm in ("scratch", "automatic")]
    plain, own = outcome.comparison.predictions[0, at]
    if not outcome.searched.chosen.settings:
        np.testing.assert_allclose(plain, own, atol=1e-12)
    assert write_result(outcome, tmp_path, table="t.csv").gap < 1e-9
    assert outcome.labels.honest


def test_a_regression_is_chosen_by_squared_error(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    X = draws.normal(size=(500, 4))
    y = X @ [3.0, 1.0, -2.0, 0.0] + draws.normal(size=500)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(y=y)
    outcome = distil(frame, Settings("y", **QUICK))
    assert outcome.shipped == "automatic"
    assert outcome.searched.metric == "squared_error"
    spread = frame["y"].var()
    assert (outcome.searched.choice.means < spread).all()
    assert write_result(outcome, tmp_path, table="t.csv").gap < 1e-9


def test_the_declared_recipe_ships_where_it_is_declared() -> None:
    frame = smooth(300)
    plain = distil(frame, Settings("y", preset="none", **QUICK))
    mixed = distil(frame, Settings("y", correction="0.3", **QUICK))
    assert (plain.shipped, mixed.shipped) == ("cross-fitted", "corrected")
    assert plain.searched is None
    assert "automatic" not in mixed.comparison.names
    assert distil(frame, Settings("y", **QUICK)).shipped == "automatic"


def test_equal_seeds_choose_and_ship_the_same() -> None:
    frame = smooth(300)
    a, b, c = (distil(frame, Settings("y", seed=s, **QUICK)) for s in (1, 1, 2))
    np.testing.assert_array_equal(a.searched.choice.losses, b.searched.choice.losses)
    same, other, third = (o.model.predict_proba(frame) for o in (a, b, c))
    np.testing.assert_array_equal(same, other)
    assert not np.array_equal(same, third)


@pytest.mark.parametrize(("cv", "n_parts"), [(2, 3), (4, 4), (60, 5)])
def test_folds_of_the_search_are_three_to_five(cv: int, n_parts: int) -> None:
    outcome = distil(smooth(200), Settings("y", cv=cv, **QUICK))
    assert outcome.searched.n_folds == n_parts
    assert len(np.unique(outcome.labels.fold)) == cv


def test_large_tables_choose_on_a_part_of_their_rows(monkeypatch) -> None:
    monkeypatch.setattr(choosing, "_MOST_ROWS", 200)
    frame = smooth(600)
    copies = pd.concat([frame, frame.head(50)], ignore_index=True)
    outcome = distil(copies, Settings("y", **QUICK))
    n_rows = outcome.searched.n_rows
    assert 170 <= n_rows <= 230
    assert len(outcome.sides.train.y) > 300
    (note,) = [note for note in outcome.notes if "chosen on" in note]
    assert note.startswith(f"The recipe was chosen on {n_rows} rows of the")
    monkeypatch.undo()
    whole = distil(copies, Settings("y", **QUICK))
    assert whole.searched.n_rows == len(whole.sides.train.y)
    assert not any("chosen on" in note for note in whole.notes)


def test_too_little_time_is_the_cheapest_student_and_a_warning() -> None:
    short, long = (Settings("y", time_budget=t, **QUICK) for t in (1e-6, 1e6))
    with pytest.warns(SemikdWarning, match="too short for a single round"):
        outcome = distil(smooth(300), short)
    (only,) = outcome.searched.choice.candidates
    assert str(only) == "tree: scratch"
    assert len(outcome.searched.found.left_out) == 2
    assert outcome.shipped == "automatic"
    assert not distil(smooth(300), long).searched.found.left_out


@pytest.mark.parametrize("student", ["tree", "linear"])
def test_a_search_for_means_stays_on_their_scale(student: str) -> None:
    frame = smooth(300)
    frame["y"] = frame["a"] + np.random.default_rng(0).normal(size=300)
    settings = {**QUICK, "preset": "balanced", "student": student, "teacher": "linear"}
    outcome = distil(frame, Settings("y", task="regression", **settings))
    tried = outcome.searched.choice.candidates
    assert len(tried) > 10
    assert {each.loss for each in tried} == {"auto"}


def test_codes_of_categories_stay_codes_where_rows_are_made_up() -> None:
    frame = smooth(400)
    frame["kind"] = np.random.default_rng(0).choice(list("abcdefgh"), size=400)
    seen = []

    class Spy(SyntheticRows):
        def draw(self, X: Any, **given: Any) -> Any:
            drawn = super().draw(X, **given)
            at = self.categorical_features
            seen.extend(
                np.isin(drawn.X[:, j], X[drawn.parents][..., j]).all() for j in at
            )
            for j in at:
                parents = X[drawn.parents][..., j]
                assert (drawn.X[:, [j]] == parents).any(axis=1).all()
            return drawn

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semikd.selection.plans.SyntheticRows", Spy)
        distil(frame, Settings("y", **{**QUICK, "preset": "thorough"}))
    assert seen


class CountingRegression(LogisticRegression):
    """Counts the fits of all its clones."""

    fits: ClassVar[Counter[int]] = Counter()

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit, and note on how many rows."""
        CountingRegression.fits[len(X)] += 1
        return super().fit(X, y, sample_weight)


def test_no_teacher_is_fitted_that_nobody_needs() -> None:
    CountingRegression.fits.clear()
    table, test = a_table(), a_table(200, seed=1)
    recipe = DistilledClassifier(
        CountingRegression(), DecisionTreeRegressor(max_leaf_nodes=4)
    )
    settings = Settings("y", teacher="linear", cv=5)
    searched = search_recipes(recipe, table, test, settings, lambda step: None)
    assert searched is not None
    # Five folds, ten pairs; and one on all rows for out-of-bag labels: not here.
    assert sum(CountingRegression.fits.values()) == 15
    compare_sides(table, test, recipe, chosen=searched.chosen, seed=0)
    # One on all rows and five on folds.
    assert sum(CountingRegression.fits.values()) == 21


@pytest.mark.parametrize(
    "labels", ["scratch", "in-sample", "cross-fitted", "half in-sample", "one fit"]
)
def test_every_kind_of_label_becomes_an_arm(labels: str) -> None:
    forest = RandomForestClassifier(100, min_samples_leaf=5, random_state=0)
    recipe = DistilledClassifier(forest, DecisionTreeRegressor(max_leaf_nodes=6))
    chosen = Candidate(
        "tree", labels, "forest", correction=0.25, settings=(("min_samples_leaf", 9),)
    )
    train, test = a_table(300), a_table(200, seed=1)
    comparison, models = compare_sides(train, test, recipe, chosen=chosen, seed=0)
    model = models["automatic"].model
    assert model.student_.min_samples_leaf == 9
    assert "0.25" in str(model.correction_)
    assert comparison.predictions.shape[1] == len(models)
    mine, honest = model.labels_, models["cross-fitted"].model.labels_
    inside = models["in-sample"].model.labels_
    wanted = {
        "scratch": (train.y[:, None] == train.classes).astype(float),
        "in-sample": inside.mean,
        "cross-fitted": honest.mean,
        "half in-sample": (inside.mean + honest.mean) / 2,
    }
    if labels == "one fit":
        assert "out-of-bag" in mine.strategy
    else:
        np.testing.assert_allclose(mine.mean, wanted[labels])
    assert models["automatic"].distilled == (labels != "scratch")


def test_outcomes_of_weight_zero_are_not_learned_from() -> None:
    train = a_table(200)
    weights = (np.arange(200) % 4 > 0).astype(float)
    weighted = replace(train, weights=weights)
    recipe = DistilledClassifier(
        LogisticRegression(), DecisionTreeRegressor(max_leaf_nodes=4)
    )
    chosen = Candidate("tree", "scratch")
    _, models = compare_sides(
        weighted, a_table(99, seed=1), recipe, chosen=chosen, seed=0
    )
    labelled = models["automatic"].model.labels_.labelled
    np.testing.assert_array_equal(labelled, weights > 0)


def test_a_resized_arm_learns_from_the_same_labels() -> None:
    train, test = a_table(), a_table(200, seed=1)
    recipe = DistilledClassifier(
        LogisticRegression(), DecisionTreeRegressor(max_leaf_nodes=16)
    )
    _, models = compare_sides(train, test, recipe, seed=0)
    arm = models["cross-fitted"]
    small = resized_arm(arm, train, {"max_leaf_nodes": 4})
    assert (arm.size.leaves, small.size.leaves) == (16, 4)
    np.testing.assert_array_equal(small.model.labels_.mean, arm.model.labels_.mean)
    same = resized_arm(arm, train, {"max_leaf_nodes": 16})
    np.testing.assert_allclose(same.predict(test), arm.predict(test), atol=1e-12)
    assert arm.model.student_.max_leaf_nodes == 16


@pytest.fixture(scope="module")
def sized() -> Any:
    settings = Settings("y", teacher="linear", leaves=64, refits=2, within=0.1)
    return distil(smooth(3000), settings)


def test_the_smallest_student_within_the_margin_ships(sized, tmp_path: Path) -> None:
    assert sized.shipped == "smallest"
    curve, passed = sized.sizes.curve, sized.sizes.passed
    # The decision by hand: one-sided t-bounds, from the largest down.
    behind = curve.losses - curve.teacher_losses[:, None]
    t = stats.t.ppf(0.95, len(behind) - 1)
    bound = behind.mean(axis=0) + t * stats.sem(behind)
    enough = [bool((bound[at:] <= 0.1).all()) for at in range(len(bound))]
    assert curve.names[enough.index(True)] == passed
    assert 0 < enough.index(True) < len(bound) - 1
    assert f"{sized.model.student.n_leaves} leaves" == passed
    # The curve is of the very models of the comparison.
    at = sized.comparison.names.index("smallest")
    loss = Classification().loss(None)(
        sized.comparison.predictions[0, at], sized.comparison.test
    )
    np.testing.assert_allclose(loss, curve.losses[:, curve.names.index(passed)])
    leaves = sized.comparison.table["leaves"]
    assert leaves["smallest"] < leaves["automatic"] == 64
    assert write_result(sized, tmp_path, table="t.csv").gap < 1e-9
    found = json.loads((tmp_path / "metrics.json").read_text())["sizes"]
    assert (found["smallest"], found["margin"], found["level"]) == (passed, 0.1, 0.95)
    assert found["teacher"] == "linear"
    page = (tmp_path / "report.html").read_text()
    assert "the size was chosen on these rows" in page
    assert "so that the scores there are honest" not in page
    assert load_model(tmp_path).student.n_leaves == leaves["smallest"]
    for word in (passed, "log-loss", "'linear'", "0.1", "95"):
        assert word in found["sentence"]


def test_every_refit_has_the_size_that_ships(sized) -> None:
    at = sized.comparison.names.index("smallest")
    values = [len(np.unique(fit[at][:, 0])) for fit in sized.comparison.predictions]
    assert max(values) <= sized.model.student.n_leaves
    assert not np.array_equal(*sized.comparison.predictions[:, at])


def test_a_margin_that_nothing_keeps_ships_the_largest() -> None:
    strict = distil(smooth(400), Settings("y", within=1e-9, **QUICK))
    assert strict.sizes.passed is None
    assert strict.shipped == "automatic"
    assert "smallest" not in strict.comparison.names
    wide = distil(smooth(400), Settings("y", within=9.0, **QUICK))
    assert (wide.shipped, wide.model.student.n_leaves) == ("smallest", 4)


def test_sizes_need_no_search() -> None:
    outcome = distil(smooth(400), Settings("y", preset="none", within=9.0, **QUICK))
    assert outcome.searched is None
    assert outcome.shipped == "smallest"
    assert outcome.model.student.n_leaves == 4
    forest = Settings("y", student="forest", within=9.0, **QUICK)
    assert distil(smooth(400), forest).shipped == "smallest"


def test_sizes_that_come_out_alike_are_one() -> None:
    train = Table(np.arange(40)[:, None] % 5, np.arange(40) % 2, None, None)
    test = replace(train, X=train.X + 0.0)
    recipe = DistilledClassifier(
        LogisticRegression(), DecisionTreeRegressor(max_leaf_nodes=64)
    )
    steps: list[Any] = []
    search = SizeSearch(9.0, "cross-fitted", train, test, steps.append)
    comparison, _ = compare_sides(train, test, recipe, add_arms=search.add, seed=0)
    assert search.found is not None
    names = search.found.curve.names
    assert len(set(names)) == len(names) <= 2
    assert [step.done for step in steps] == list(range(4))
    assert comparison.names[-1] == ("smallest" if len(names) == 2 else "constant mix")


def test_margins_of_regressions_are_in_squared_units() -> None:
    draws = np.random.default_rng(0)
    X = draws.normal(size=(600, 2))
    y = 100 * (X[:, 0] + draws.normal(size=600))
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(y=y)
    outcome = distil(frame, Settings("y", within=5000.0, **QUICK))
    assert isinstance(outcome.sizes.curve.task, Regression)
    assert outcome.shipped == "smallest"


def test_presets_are_those_of_the_search() -> None:
    assert ("none", *PLANS) == PRESETS


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["balanced", "thorough"])
def test_larger_presets_bring_teachers_of_their_own(
    preset: str, tmp_path: Path
) -> None:
    settings = Settings("y", preset=preset, leaves=8, refits=1)
    outcome = distil(smooth(300), settings)
    tried = {candidate.teacher for candidate in outcome.searched.choice.candidates}
    assert {"boosting", "stacked"} <= tried
    assert ("corrected" in tried) == (preset == "thorough")
    assert write_result(outcome, tmp_path, table="t.csv").gap < 1e-9
    # A linear one is asked for: the same preset, about that one.
    linear = distil(smooth(300), replace(settings, teacher="linear"))
    tried = {candidate.teacher for candidate in linear.searched.choice.candidates}
    more = {"corrected"} if preset == "thorough" else set()
    assert tried - {""} == {"linear", "calibrated"} | more


@pytest.mark.parametrize("preset", sorted(PLANS))
def test_the_teachers_are_those_of_an_automatic_search_of_arrays(preset: str) -> None:
    recipe = DistilledClassifier(LogisticRegression())
    asked = Settings("y", teacher="linear", preset=preset)
    teachers, unread = choosing._teachers(recipe, a_table(), asked)
    expected = named_teachers(recipe.teacher, preset)
    own = list(teachers.values())
    assert list(teachers) == ["linear", *list(expected)[1:]]
    assert [repr(each) for each in own] == [repr(each) for each in expected.values()]
    assert own[0] is recipe.teacher
    assert unread == ()
    default, _ = choosing._teachers(recipe, a_table(), Settings("y", preset=preset))
    assert list(default) == list(named_teachers(None, preset))


def test_a_teacher_of_texts_is_not_corrected_and_the_reason_is_told() -> None:
    table = Table(np.array([["a"], ["b"]]), np.array([0, 1]), None, None)
    asked = Settings("y", teacher="linear", preset="thorough")
    recipe = DistilledClassifier(LogisticRegression())
    teachers, (reason,) = choosing._teachers(recipe, table, asked)
    assert list(teachers) == ["linear", "calibrated"]
    assert reason.startswith("labels of corrected: X must hold dense numbers")
