"""The protocol of the released code, step by step: its scales, its tuning, its repeats.

One split, one draw of teachers, five fits of every student; the setting of a rule is
tuned once by five unshuffled folds of the training rows on the published metric, with
labels whose teachers saw the rows that judge. What this library does otherwise is in
``semikd.reproduction.forests.honest``.

Notes
-----
Departures, none of which moves a mean: forests of all sizes are the first trees of the
largest one; forests are seeded; teachers may be drawn more than once, to show what the
published bands leave out; both scales share their teachers and their students without
one, where the released code drew them again for each scale and kind of label.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.model_selection import KFold

from semikd.reproduction.asked import PAPER_SEED
from semikd.reproduction.cells import Cell, Run
from semikd.reproduction.forests.draws import Arm, Draw, kinds_of
from semikd.reproduction.forests.growing import grown, means_by_size, score
from semikd.reproduction.forests.readings import Sides
from semikd.reproduction.forests.rules import RULES, answer, reference_target
from semikd.reproduction.forests.study import ForestStudy
from semikd.simplex import FloatArray

__all__ = ["reference_cells"]

Found = dict[str, Any]


def reference_cells(
    study: ForestStudy,
    arms: Sequence[Arm],
    draw: Draw,
    sides: Sides,
    n_jobs: int | None,
) -> list[Cell]:
    """Return the cells of one draw, each after those that it reads.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    arms : sequence of (scale, labels, rule)
        The arms that a teacher teaches.
    draw : Draw
        Split and teachers.
    sides : Sides
        The rows of that split.
    n_jobs : int or None
        Threads of every forest.

    Returns
    -------
    list of Cell
    """
    own, trees = _Protocol(study, draw, sides, n_jobs), max(study.sizes)
    scratch = 2 * study.n_refits * trees
    cells = [Cell(draw.scratch_cell(), "scratch", own.scratch, scratch)]
    for teacher, settings in study.teachers.items():
        for labels in kinds_of(study):
            name = draw.teacher_cell(teacher, labels)
            work = partial(own.teacher, teacher, labels)
            size = settings["n_estimators"] * study.n_folds
            cells.append(Cell(name, f"teacher {labels}", work, size))
        for scale, labels, rule in arms:
            name = draw.arm_cell(teacher, labels, scale, rule)
            work = partial(own.arm, teacher, labels, scale, rule)
            fits = len(RULES[rule].values) * study.n_tuning_folds + study.n_refits
            cells.append(Cell(name, f"{rule} {scale}", work, fits * trees))
    return cells


@dataclass(frozen=True)
class _Protocol:
    """What the cells of one draw share."""

    study: ForestStudy
    draw: Draw
    sides: Sides
    n_jobs: int | None

    def scratch(self, run: Run) -> Found:
        """Return the scores of forests that learn the labels, by refit and size."""
        kinds = {
            "classifier": RandomForestClassifier,
            "regressor": RandomForestRegressor,
        }
        sides, sizes = self.sides, self.study.sizes
        found: Found = {f"scratch_{kind}": [] for kind in kinds}
        for refit in range(self.study.n_refits):
            for kind, make in kinds.items():
                seed = self._seed("scratch", kind, refit)
                forest = make(max(sizes), random_state=seed, n_jobs=self.n_jobs)
                forest.fit(sides.X, sides.y)
                found[f"scratch_{kind}"].append(self._test_scores(forest, "p"))
        return found

    def teacher(self, teacher: str, labels: str, run: Run) -> Found:
        """Return a teacher's labels of the training rows, and its test scores."""
        settings, sides = self.study.teachers[teacher], self.sides
        if labels == "none":
            said, scores = np.empty(0), []
            # The last one labels; the released code fits it beside those it scores.
            for refit in range(self.study.n_refits + 1):
                forest = self._forest(settings, teacher, refit)
                forest.fit(sides.X, sides.y)
                scores.append(self._of_teacher(forest))
                said = _said(forest, sides.X)
            return {"labels": said.tolist(), "scores": scores[:-1]}
        said, scores = np.empty(len(sides.y)), []
        folds = KFold(self.study.n_folds, shuffle=True, random_state=PAPER_SEED)
        for t, (learn, held) in enumerate(folds.split(sides.X)):
            forest = self._forest(settings, teacher, f"fold {t}")
            forest.fit(sides.X[learn], sides.y[learn])
            scores.append(self._of_teacher(forest))
            said[held] = _said(forest, sides.X[held])
        return {"labels": said.tolist(), "scores": scores}

    def arm(self, teacher: str, labels: str, scale: str, rule: str, run: Run) -> Found:
        """Return tuned settings and test scores of the students of a rule."""
        said = run.read(self.draw.teacher_cell(teacher, labels))["labels"]
        p, y = np.array(said), self.sides.y.astype(np.float64)
        name = f"{teacher}-{labels}-{scale}-{rule}"
        values, sizes = RULES[rule].values, self.study.sizes
        target = partial(reference_target, rule, p, y, scale=scale)
        if not values:
            everywhere = self._refits(name, target(), scale, sizes)
            return {"tuned": [None] * len(sizes), "scores": everywhere}
        tuning = [self._validated(name, target(value=v), scale, v) for v in values]
        # The first of equally good settings, as a grid search takes it.
        best = np.argmax(tuning, axis=0)
        scores = np.empty((self.study.n_refits, len(sizes)))
        for v in np.unique(best):
            places = np.flatnonzero(best == v)
            own = tuple(sizes[at] for at in places)
            found = self._refits(f"{name}-{v}", target(value=values[v]), scale, own)
            scores[:, places] = found
        tuned = [values[v] for v in best]
        return {"tuned": tuned, "scores": scores.tolist(), "validation": tuning}

    def _validated(
        self, name: str, target: FloatArray, scale: str, value: float
    ) -> list[float]:
        """Return the mean validation score of one setting, for each size."""
        sides, sizes, scores = self.sides, self.study.sizes, []
        folds = KFold(self.study.n_tuning_folds).split(sides.X)
        for fold, (learn, held) in enumerate(folds):
            seed = self._seed(name, value, "fold", fold)
            forest = grown(
                sides.X[learn],
                target[learn],
                max(sizes),
                seed=seed,
                n_jobs=self.n_jobs,
            )
            said = answer(means_by_size(forest, sides.X[held], sizes), scale)
            scores.append([score(sides.metric, sides.y[held], each) for each in said])
        return [float(each) for each in np.mean(scores, axis=0)]

    def _refits(
        self, name: str, target: FloatArray, scale: str, sizes: Sequence[int]
    ) -> list[list[float]]:
        """Return the test scores of students on all rows, by refit and size."""
        found = []
        for refit in range(self.study.n_refits):
            seed = self._seed(name, "refit", refit)
            forest = grown(
                self.sides.X, target, max(sizes), seed=seed, n_jobs=self.n_jobs
            )
            found.append(self._test_scores(forest, scale, sizes))
        return found

    def _test_scores(
        self, forest: Any, scale: str, sizes: Sequence[int] = ()
    ) -> list[float]:
        """Return the test score of a forest's first trees, for each size."""
        sides = self.sides
        said = means_by_size(forest, sides.X_test, sizes or self.study.sizes)
        return [score(sides.metric, sides.y_test, each) for each in answer(said, scale)]

    def _of_teacher(self, forest: RandomForestClassifier) -> float:
        """Return the test score of a teacher."""
        said = _said(forest, self.sides.X_test)
        return score(self.sides.metric, self.sides.y_test, said)

    def _forest(self, settings: Found, *names: Any) -> RandomForestClassifier:
        """Return an unfitted teacher with a seed of its own."""
        seed = self._seed("teacher", *names)
        return RandomForestClassifier(**settings, random_state=seed, n_jobs=self.n_jobs)

    def _seed(self, *names: Any) -> int:
        """Return a seed of its own for everything that has a name of its own."""
        text = f"{self.draw}/{'/'.join(map(str, names))}"
        found = hashlib.blake2b(text.encode(), digest_size=4).digest()
        return int.from_bytes(found) % (2**31 - 1)


def _said(forest: RandomForestClassifier, X: FloatArray) -> FloatArray:
    """Return what a forest says of the second class, its trees in their order.

    Threads of its own prediction add trees as they finish, which moves the last digit.
    """
    return np.asarray(means_by_size(forest, X, [len(forest.estimators_)])[0])
