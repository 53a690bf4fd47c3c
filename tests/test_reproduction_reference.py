"""The released protocol on a tiny table, remade here with scikit-learn alone."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.tree import DecisionTreeClassifier

from semikd.reproduction.cells import Run, open_run
from semikd.reproduction.forests import reference
from semikd.reproduction.forests.contrasts import _pairs
from semikd.reproduction.forests.draws import Draw, arms_of, contrasted_arms
from semikd.reproduction.forests.honest import honest_cells
from semikd.reproduction.forests.published import released_rules
from semikd.reproduction.forests.readings import Sides
from semikd.reproduction.forests.reference import reference_cells
from semikd.reproduction.forests.rules import RULES
from semikd.reproduction.forests.study import DEPTH, FOREST_STUDIES, TREES, ForestStudy

FloatArray = NDArray[np.float64]
FoundAll = dict[str, dict[str, Any]]

SEED, SIZES, SETTINGS = 11, (1, 3), {"n_estimators": 7, "max_depth": 3}
STUDY = replace(TREES, teachers={"few trees": SETTINGS}, sizes=SIZES)
DRAW = Draw(2357, 0)


def sides(metric: str = "AUC", seed: int = 0, n: int = 90) -> Sides:
    """Return training and test rows, whose first column says which they are."""
    draws = np.random.default_rng(seed)
    X = draws.normal(size=(2 * n, 4))
    y = (X[:, 1] + X[:, 2] ** 2 + draws.normal(size=2 * n) > 1).astype(np.intp)
    X[:, 0] = np.arange(2 * n)
    return Sides(metric, X[:n], y[:n], X[n:], y[n:])


def found(
    folder: Path,
    rules: Sequence[str] = ("kd_mse",),
    draw: Draw = DRAW,
    own: Sides | None = None,
    n_jobs: int | None = None,
    only: str = "",
) -> FoundAll:
    """Return what the cells of a draw find, by name, or only some of them."""
    every = reference_cells(STUDY, arms_of(STUDY, rules), draw, own or sides(), n_jobs)
    cells = [cell for cell in every if only in cell.name]
    run = open_run(folder, {"experiment": "tiny"})
    run.finish(cells)
    return {cell.name: run.read(cell.name) for cell in cells}


@pytest.fixture
def _one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every forest the same seed, as the forests of this module have."""
    monkeypatch.setattr(reference._Protocol, "_seed", lambda self, *names: SEED)


def teacher(X: FloatArray, y: NDArray[np.intp]) -> RandomForestClassifier:
    """Return a fitted teacher."""
    return RandomForestClassifier(**SETTINGS, random_state=SEED).fit(X, y)


def judged(metric: str, y: NDArray[Any], said: FloatArray) -> float:
    """Return a published metric."""
    if metric == "AUC":
        return float(roc_auc_score(y, said))
    return float(accuracy_score(y, said >= 0.5))


@pytest.mark.usefixtures("_one_seed")
def test_cross_fitted_labels_are_those_of_the_published_folds(tmp_path: Path) -> None:
    own, expected, scores = sides(), np.full(90, np.nan), []
    for learn, held in KFold(10, shuffle=True, random_state=2357).split(own.X):
        fitted = teacher(own.X[learn], own.y[learn])
        expected[held] = fitted.predict_proba(own.X[held])[:, 1]
        scores.append(roc_auc_score(own.y_test, fitted.predict_proba(own.X_test)[:, 1]))
    cell = found(tmp_path)[DRAW.teacher_cell("few trees", "crossfit")]
    np.testing.assert_array_equal(cell["labels"], expected)
    np.testing.assert_allclose(cell["scores"], scores, rtol=1e-12)


@pytest.mark.usefixtures("_one_seed")
def test_labels_of_one_teacher_saw_all_rows(tmp_path: Path) -> None:
    own = sides()
    fitted = teacher(own.X, own.y)
    cells = found(tmp_path)
    cell = cells[DRAW.teacher_cell("few trees", "none")]
    np.testing.assert_array_equal(cell["labels"], fitted.predict_proba(own.X)[:, 1])
    score = roc_auc_score(own.y_test, fitted.predict_proba(own.X_test)[:, 1])
    assert cell["scores"] == pytest.approx([score] * 5)
    assert cell["labels"] != cells[DRAW.teacher_cell("few trees", "crossfit")]["labels"]


def test_no_teacher_labels_a_row_that_it_saw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forests: list[tuple[RandomForestClassifier, frozenset[float]]] = []
    labelled: dict[tuple[int, frozenset[float]], frozenset[float]] = {}
    fit, say = RandomForestClassifier.fit, DecisionTreeClassifier.predict_proba

    def spied_fit(self: Any, X: FloatArray, y: Any) -> Any:
        forests.append((self, frozenset(X[:, 0])))
        return fit(self, X, y)

    def spied_say(self: Any, X: FloatArray, *more: Any, **names: Any) -> Any:
        for at, (forest, own) in enumerate(forests):
            # Test rows count from 90 on.
            if X[:, 0].max() < 90 and any(self is tree for tree in forest.estimators_):
                labelled[at, frozenset(X[:, 0])] = own
        return say(self, X, *more, **names)

    monkeypatch.setattr(RandomForestClassifier, "fit", spied_fit)
    monkeypatch.setattr(DecisionTreeClassifier, "predict_proba", spied_say)
    found(tmp_path)
    every = frozenset(map(float, range(90)))
    seen = {said: own for (_, said), own in labelled.items() if own & said}
    assert seen == {every: every}
    unseen = {said: own for (_, said), own in labelled.items() if not own & said}
    assert all(own | said == every for said, own in unseen.items())
    assert sorted(row for said in unseen for row in said) == sorted(every)
    assert len(unseen) == 10


@pytest.mark.usefixtures("_one_seed")
def test_students_without_a_teacher_are_forests_on_labels(tmp_path: Path) -> None:
    own = sides()
    cell = found(tmp_path)[DRAW.scratch_cell()]
    kinds = {"classifier": RandomForestClassifier, "regressor": RandomForestRegressor}
    assert set(cell) == {f"scratch_{kind}" for kind in kinds}
    for kind, make in kinds.items():
        scores = []
        for size in SIZES:
            plain = make(size, random_state=SEED).fit(own.X, own.y)
            said = getattr(plain, "predict_proba", plain.predict)(own.X_test)
            said = said[:, 1] if said.ndim == 2 else said
            scores.append(roc_auc_score(own.y_test, said))
        assert cell[f"scratch_{kind}"] == [pytest.approx(scores)] * 5


class TwoColumns(BaseEstimator):
    """A student whose outcomes are labels and what a teacher says of them."""

    def __init__(
        self, rule: str, scale: str, metric: str, n_trees: int = 1, c: float = 1.0
    ) -> None:
        self.rule, self.scale, self.metric = rule, scale, metric
        self.n_trees, self.c = n_trees, c

    def fit(self, X: FloatArray, y: FloatArray) -> "TwoColumns":
        """Learn the targets."""
        self.forest_ = RandomForestRegressor(self.n_trees, random_state=SEED)
        self.forest_.fit(X, self.target(*y.T))
        return self

    def target(self, y: FloatArray, p: FloatArray) -> FloatArray:
        """Return what is learned, from the formulas of the paper's code.

        The operations are in the order of the library: trees break ties by last digits.
        """
        if self.rule == "kd_mixed":
            return p + (1 - self.c) * (y - p)
        cut, c = np.maximum(p, 1 / 500), self.c
        start, full = (p, 1.0) if self.scale == "p" else (np.log(cut), 1 / cut)
        weight = 0.0 if self.rule == "kd_mse" else full * (c / (c + (y - p) ** 2))
        return start + weight * (y - p)

    def said(self, X: FloatArray) -> FloatArray:
        """Return an answer for each row."""
        found = self.forest_.predict(X)
        return found if self.scale == "p" else np.exp(found)

    def score(self, X: FloatArray, y: FloatArray) -> float:
        """Return the published metric."""
        return judged(self.metric, y[:, 0], self.said(X))


@pytest.mark.usefixtures("_one_seed")
@pytest.mark.parametrize("metric", ["AUC", "accuracy"])
@pytest.mark.parametrize(("scale", "labels"), STUDY.settings)
@pytest.mark.parametrize("rule", ["kd_mse", "kd_boundfast", "kd_mixed"])
def test_settings_and_scores_are_those_of_a_plain_grid_search(
    rule: str, scale: str, labels: str, metric: str, tmp_path: Path
) -> None:
    own, values = sides(metric), RULES[rule].values
    cells = found(tmp_path, (rule,), own=own, only=labels)
    name = DRAW.arm_cell("few trees", labels, scale, rule)
    assert (name in cells) == (scale in RULES[rule].scales)
    p = cells[DRAW.teacher_cell("few trees", labels)]["labels"]
    outcomes = np.column_stack([own.y, p])
    for at, size in enumerate(SIZES if name in cells else ()):
        cell, student = cells[name], TwoColumns(rule, scale, metric, size)
        if values:
            search = GridSearchCV(student, {"c": values}, refit=False)
            search.fit(own.X, outcomes)
            tried = search.cv_results_["mean_test_score"]
            np.testing.assert_allclose(np.array(cell["validation"])[:, at], tried)
            student.set_params(**search.best_params_)
        assert cell["tuned"][at] == (student.c if values else None)
        student.fit(own.X, outcomes)
        score = judged(metric, own.y_test, student.said(own.X_test))
        assert [each[at] for each in cell["scores"]] == [pytest.approx(score)] * 5


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> FoundAll:
    """What the cells of a draw find, with the seeds that they have."""
    return found(tmp_path_factory.mktemp("first") / "run", ("kd_mse", "kd_boundfast"))


def test_five_refits_differ(first: FoundAll) -> None:
    for name, cell in first.items():
        lists = cell if "scratch" in name else {"scores": cell["scores"]}
        for scores in lists.values():
            of_folds = "teacher" in name and "crossfit" in name
            assert len(scores) == (10 if of_folds else 5)
            # Of ten teachers two may have the same score.
            assert len({str(each) for each in scores}) >= len(scores) - of_folds


def test_the_same_draw_gives_the_same_numbers(first: FoundAll, tmp_path: Path) -> None:
    assert found(tmp_path, ("kd_mse", "kd_boundfast")) == first


def test_numbers_do_not_depend_on_other_rules(first: FoundAll, tmp_path: Path) -> None:
    alone = found(tmp_path)
    assert alone == {name: first[name] for name in alone}


def test_numbers_do_not_depend_on_threads(first: FoundAll, tmp_path: Path) -> None:
    threaded = found(tmp_path, n_jobs=2)
    assert threaded == {name: first[name] for name in threaded}


@pytest.mark.parametrize("draw", [Draw(2357, 1), Draw(0, 0)])
def test_another_draw_gives_other_numbers(
    draw: Draw, first: FoundAll, tmp_path: Path
) -> None:
    # The rows are the same here: only seeds differ.
    other = found(tmp_path, ("kd_mse", "kd_boundfast"), draw)
    assert not set(other) & set(first)
    pairs = list(zip(first.values(), other.values(), strict=True))
    for one, another in pairs:
        name = next(iter(set(one) - {"tuned", "validation"}))
        assert one[name] != another[name]


def test_arms_of_one_teacher_share_its_labels(first: FoundAll) -> None:
    read: list[str] = []

    class Spied(Run):
        def read(self, name: str) -> dict[str, Any]:
            read.append(name)
            return first[name]

    cells = reference_cells(STUDY, arms_of(STUDY, ("kd_mse",)), DRAW, sides(), None)
    names = [cell.name for cell in cells]
    for at, cell in enumerate(cells):
        read.clear()
        if "kd_mse" in cell.name:
            cell.work(Spied(Path(), {}))
            (label,) = read
            assert label in names[:at]
            assert ("crossfit" in label) == ("crossfit" in cell.name)


@pytest.mark.parametrize("study", FOREST_STUDIES.values(), ids=FOREST_STUDIES)
def test_no_two_cells_share_a_file(study: Any) -> None:
    draws = [Draw(split, draw) for split in (2357, 0, 1) for draw in (0, 1, 10)]
    cells = [
        each
        for draw in draws
        for each in reference_cells(
            study, arms_of(study, tuple(RULES)), draw, sides(), None
        )
    ]
    names = [each.name.casefold() for each in cells]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z0-9_-]+", name) for name in names)
    repeated = [
        each.name.casefold()
        for split in (2357, 0, 1, 10)
        for each in honest_cells(study, split, sides(), None, preset="fast")
    ]
    assert len(set(repeated)) == len(repeated) == 4 * len(study.teachers)


@pytest.mark.parametrize(
    ("study", "n_cells"),
    # One of scratch; a teacher for each depth and way to label; a rule for each scale
    # that it is for: seven of eight on either scale.
    [(DEPTH, 1 + 7 * 2 + 7 * 4 * 7), (TREES, 1 + 2 + 6 + 7)],
)
def test_every_cell_of_the_published_table_has_a_cell_here(
    study: ForestStudy, n_cells: int
) -> None:
    arms = arms_of(study, released_rules(study.name))
    assert len(reference_cells(study, arms, DRAW, sides(), None)) == n_cells


@pytest.mark.parametrize("study", FOREST_STUDIES.values(), ids=FOREST_STUDIES)
def test_the_arms_of_contrasts_are_enough_for_every_line_and_contrast(
    study: ForestStudy,
) -> None:
    arms = contrasted_arms(study)
    lines = {
        (line.scale, line.labels, line.method)
        for line in study.curves
        if line.method in RULES
    }
    compared = {
        (place.scale, place.labels, place.method)
        for _, *both in _pairs(study, study.places()[0])
        for place in both
    }
    assert set(arms) == lines | compared
    assert len(arms) < len(arms_of(study, ("kd_mse", "kd_boundfast")))
