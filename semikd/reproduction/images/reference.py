"""The published protocol on photographs: what the released code does, and departures.

Notes
-----
As released: the division into 45,000 and 5,000 training images and the ten folds, drawn
from one seed by the same calls; teachers and students by one recipe; students regress
on the raw scores of teachers; the correction depends on the row's own label. One
teacher and one draw of folds teach all fits of a student, so that the spread over fits
lacks theirs.

Departures: the images and their order are those at hand; no row of an epoch is dropped
(batches of nearly equal size, where the released code leaves out what does not fill the
last one, in training and in validation); the momentum is Nesterov's; biases and the
parameters of normalisations are not shrunk; channels are standardised by the training
images; a teacher's labels are made once, which without augmentation is the same.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from semikd.crossfit import cross_fit
from semikd.losses import DistillationLoss
from semikd.reproduction.asked import PAPER_SEED
from semikd.reproduction.cells import Cell, Run
from semikd.reproduction.images.photographs import Photographs
from semikd.reproduction.images.released import corrected_scores, loss_of_share
from semikd.reproduction.images.study import ImageStudy
from semikd.reproduction.images.training import Fit, Networks, Scores
from semikd.simplex import FloatArray, one_hot

__all__ = [
    "CROSS_FITTED",
    "ENHANCED",
    "IN_SAMPLE",
    "TEACHER",
    "TEACHERS",
    "arm_name",
    "arm_names",
    "reference_cells",
    "reference_scores",
]

TEACHER, TEACHERS = "Teacher", "Cross-fit teacher"
IN_SAMPLE, CROSS_FITTED, ENHANCED = "KD", "Cross-fit KD", "Enhanced KD"


def arm_name(arm: str, strength: float) -> str:
    """Return the name of an arm with a strength of the correction.

    Parameters
    ----------
    arm : str
        Which.
    strength : float
        c.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.images.reference import arm_name
    >>> arm_name("Enhanced KD", 0.01)
    'Enhanced KD, c = 0.01'
    """
    return f"{arm}, c = {strength:g}"


def arm_names(study: ImageStudy) -> list[str]:
    """Return the names of the student arms.

    Parameters
    ----------
    study : ImageStudy
        The experiment.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from semikd.reproduction.images.reference import arm_names
    >>> from semikd.reproduction.images.study import CIFAR
    >>> arm_names(CIFAR)
    ['KD', 'Cross-fit KD', 'Enhanced KD, c = 0.01']
    """
    enhanced = (arm_name(ENHANCED, c) for c in study.strengths)
    return [IN_SAMPLE, CROSS_FITTED, *enhanced]


def reference_cells(
    study: ImageStudy, photographs: Photographs, device: str
) -> list[Cell]:
    """Return the cells of the published protocol, each after those that it reads.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    photographs : Photographs
        The images.
    device : str
        Where networks are trained.

    Returns
    -------
    list of Cell
    """
    own = _Protocol(study, photographs, device)
    cells = []
    for depth in study.depths:
        cells += [
            Cell(f"teacher-{depth}", "teacher", partial(own.teacher, depth)),
            Cell(f"folds-{depth}", "fold teachers", partial(own.folds, depth)),
            Cell(f"students-{depth}", "students", partial(own.students, depth)),
        ]
    return cells


def reference_scores(
    study: ImageStudy, run: Run
) -> dict[tuple[str, int], Sequence[Scores]]:
    """Return the scores of every fit, of the depths that are finished.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    run : Run
        The run as far as it is.

    Returns
    -------
    dict from (arm, depth) to scores of each fit
    """
    found: dict[tuple[str, int], Sequence[Scores]] = {}
    for depth in study.depths:
        if not run.has(f"students-{depth}"):
            continue
        found[TEACHER, depth] = [run.read(f"teacher-{depth}")["scores"]]
        found[TEACHERS, depth] = run.read(f"folds-{depth}")["scores"]
        students = run.read(f"students-{depth}")
        found |= {(arm, depth): students[arm] for arm in arm_names(study)}
    return found


class _Protocol:
    """What the cells share."""

    def __init__(
        self, study: ImageStudy, photographs: Photographs, device: str
    ) -> None:
        self.study, self.n_classes = study, photographs.n_classes
        self.networks = Networks(study, photographs, device)
        self.sides = photographs.sides(PAPER_SEED)
        self.fold = self.sides.draw % study.n_folds
        train = photographs.part(self.sides.train)
        self.X, self.y = train.X, train.y

    def teacher(self, depth: int, run: Run) -> dict[str, Any]:
        """Return logits and scores of a teacher that saw all training images."""
        network = self.networks.teacher(depth, 0).fit(self.X, self.y)
        scores = self.networks.scores(network.predict_proba, self.sides)
        return {"logits": network.decision_function(self.X).tolist(), "scores": scores}

    def folds(self, depth: int, run: Run) -> dict[str, Any]:
        """Return logits by the teacher that did not see the row, and all scores."""
        teacher = self.networks.teacher(depth, 0)
        record = cross_fit(
            teacher,
            self.X,
            self.y,
            cv=self.fold,
            random_state=0,
            progress=run.listener,
        )
        logits = np.empty((len(self.y), self.n_classes))
        for t, network in enumerate(record.teachers[0]):
            unseen = record.fold[0] == t
            logits[unseen] = network.decision_function(self.X[unseen])
        scores = [
            self.networks.scores(network.predict_proba, self.sides)
            for network in record.teachers[0]
        ]
        return {"logits": logits.tolist(), "scores": scores}

    def students(self, depth: int, run: Run) -> dict[str, Any]:
        """Return the scores of all student arms and fits, trained as one batch."""
        seen = np.array(run.read(f"teacher-{depth}")["logits"])
        unseen = np.array(run.read(f"folds-{depth}")["logits"])
        strengths = (0.0, *self.study.strengths)
        targets = [self.target(seen, 0.0), *(self.target(unseen, c) for c in strengths)]
        seeds = range(self.study.fits)
        fits = [Fit(t, {"random_state": seed}) for t in targets for seed in seeds]
        loss, student = self.loss(), self.networks.taught(self.study.hard_weight, 0)
        scores = [
            self.networks.student_scores(one, loss, self.sides)
            for one in self.networks.fitted(student, self.X, fits, loss)
        ]
        n = len(seeds)
        names = arm_names(self.study)
        return {name: scores[at * n : (at + 1) * n] for at, name in enumerate(names)}

    def loss(self) -> DistillationLoss:
        """Return the released loss in the library's units."""
        return loss_of_share(self.n_classes, self.study.hard_weight)

    def target(self, logits: FloatArray, strength: float) -> FloatArray:
        """Return the targets of a strength, with the labels beside them."""
        y = one_hot(self.y, self.n_classes)
        moved = corrected_scores(logits, y, strength, self.study.recipe.floor)
        return np.asarray(self.loss().with_labels(moved, y))
