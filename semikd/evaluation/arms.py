"""The arms of a comparison: one student, trained in every way that is worth a row.

An arm is a way to turn a training table into a fitted model. Arms of one refit share
the teacher's labels, so that they differ in what is done with them and in nothing else.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from semikd._progress import Reporter
from semikd._random import spawn_seeds
from semikd.crossfit import OutOfFold
from semikd.evaluation.chosen import ChosenArm, chosen_recipe
from semikd.evaluation.labelling import Labels, Steps, fold_steps
from semikd.evaluation.scratch import fit_scratch, scratch_settings, tune_scratch
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task
from semikd.simplex import FloatArray
from semikd.students import (
    Student,
    StudentSize,
    measured_size,
    named_student,
    new_student,
)

__all__ = ["FittedArm", "fit_arms", "resized_arm"]

SCRATCH = "scratch"
TUNED = "scratch, tuned"
IN_SAMPLE = "in-sample"
CROSS_FITTED = "cross-fitted"
TEACHER = "teacher"
AUTOMATIC = "automatic"


@dataclass(frozen=True)
class FittedArm:
    """A fitted model, what it took, and how large it is.

    Parameters
    ----------
    predict : callable
        From a ``Table`` to probabilities of shape (n, k), or means of shape (n, 1).
    fit_seconds : float
        Time of everything the arm needs, teachers included.
    size : StudentSize
        Leaves or coefficients, and bytes.
    setting : str
        What was chosen for it, in words.
    model : estimator, optional
        The fitted ``DistilledClassifier`` or ``DistilledRegressor`` of a distilled arm.
    distilled : bool, default=False
        Whether a teacher had a say in it.

    Examples
    --------
    >>> from semikd.evaluation import FittedArm
    >>> from semikd.students import StudentSize
    >>> FittedArm(lambda table: table.X, 1.0, StudentSize(8, None, 900), "").size.leaves
    8
    """

    predict: Callable[[Table], FloatArray]
    fit_seconds: float
    size: StudentSize
    setting: str
    model: Any = None
    distilled: bool = False


def planned_steps(
    recipe: Any, corrections: Mapping[str, Any], chosen: ChosenArm | None = None
) -> int:
    """Return the number of steps that ``fit_arms`` reports."""
    brought = isinstance(recipe.cv, OutOfFold)
    # Scratch, tuning and the cross-fitted student; the teacher and the in-sample one.
    own = 0 if brought else 2 + fold_steps(recipe)
    return 3 + own + len(corrections) + (chosen is not None)


def fit_arms(
    recipe: Any,
    train: Table,
    corrections: Mapping[str, Any],
    *,
    chosen: ChosenArm | None = None,
    task: Task,
    seed: int,
    progress: Reporter,
) -> dict[str, FittedArm]:
    """Fit every arm once on the same rows.

    Parameters
    ----------
    recipe : DistilledClassifier or DistilledRegressor
        Teacher, student, scale and folds. With a record of labels as ``cv`` there is
        no teacher to fit, and neither its arm nor an in-sample one.
    train : Table
        The training rows.
    corrections : mapping from str to float or Correction
        Further cross-fitted arms by name.
    chosen : ChosenArm, optional
        What the arm 'automatic' does; it needs a teacher that can be fitted.
    task : Task
        What is predicted, and the loss by which the scratch arm is tuned.
    seed : int
        Seed of everything random in this refit.
    progress : callable
        Called with a ``Step`` as each step starts.

    Returns
    -------
    dict from str to FittedArm
        The teacher first, then scratch arms, then distilled ones.
    """
    label_seed, student_seed, tuning_seed = spawn_seeds(seed, 3)
    labels = recipe.cv
    recipe = clone(recipe).set_params(random_state=student_seed, correction="none")
    steps = Steps(progress, planned_steps(recipe, corrections, chosen))
    made_up = chosen is not None and chosen.synthetic is not None
    shown = getattr(named_student(recipe.student), "shown_by", None) is not None
    keep = made_up or shown
    known = Labels(recipe, train, task, label_seed, steps, keep_teachers=keep)
    arms: dict[str, FittedArm] = {}
    if not isinstance(labels, OutOfFold):
        steps.start("teacher", "teacher on all training rows")
        arms[TEACHER] = _teacher_arm(*known.of(IN_SAMPLE))
    arms |= _scratch_arms(recipe, train, task, (student_seed, tuning_seed), steps)
    if TEACHER in arms:
        steps.start("student", f"arm '{IN_SAMPLE}'")
        arms[IN_SAMPLE] = _distilled_arm(recipe, train, *known.of(IN_SAMPLE))
    honest = known.of(CROSS_FITTED)
    for name, correction in {CROSS_FITTED: "none", **corrections}.items():
        steps.start("student", f"arm '{name}'")
        own = clone(recipe).set_params(correction=correction)
        arms[name] = _distilled_arm(own, train, *honest)
    if chosen is not None:
        steps.start("student", f"arm '{AUTOMATIC}'")
        own = chosen_recipe(recipe, chosen, train, student_seed)
        arm = _distilled_arm(own, train, *known.of(chosen.labels))
        setting = f"chosen: {chosen}"
        arms[AUTOMATIC] = replace(
            arm, setting=setting, distilled=chosen.labels != SCRATCH
        )
    return arms


def resized_arm(arm: FittedArm, train: Table, setting: Mapping[str, Any]) -> FittedArm:
    """Return the arm with another student that learns from the same labels.

    Parameters
    ----------
    arm : FittedArm
        A distilled arm.
    train : Table
        The rows that it learned from.
    setting : mapping
        Parameters of the student that differ, such as its number of leaves.

    Returns
    -------
    FittedArm
    """
    options = arm.model.get_params(deep=False)
    student = clone(options["student"]).set_params(**setting)
    own = type(arm.model)(**options | {"student": student, "cv": None})
    made = _distilled_arm(own, train, arm.model.labels_, arm.fit_seconds)
    words = ", ".join(f"{name}={value}" for name, value in setting.items())
    return replace(made, setting=f"{arm.setting}, {words}", distilled=arm.distilled)


def _teacher_arm(labels: OutOfFold, seconds: float) -> FittedArm:
    """Return the teacher trained on all rows, as the arm to measure up to."""
    size = measured_size(labels.teachers[0][0])
    return FittedArm(
        lambda table: labels.label(table.X), seconds, size, "trained on all rows"
    )


def _distilled_arm(
    recipe: Any, train: Table, labels: OutOfFold, label_seconds: float
) -> FittedArm:
    """Return the student of these labels."""
    start = time.perf_counter()
    model = clone(recipe).set_params(cv=labels)
    model.fit(train.features, train.y, sample_weight=train.weights, groups=train.groups)
    seconds = time.perf_counter() - start + label_seconds
    setting = f"{labels.strategy}; {model.correction_}"

    def predict(table: Table) -> FloatArray:
        # The student alone, as for a student from scratch: latencies compare.
        scores = model._student.scores(table.features)
        return np.asarray(model.loss_.probabilities(scores))

    return FittedArm(predict, seconds, model.size_, setting, model, distilled=True)


def _scratch_arms(
    recipe: Any, train: Table, task: Task, seeds: tuple[int, int], steps: Steps
) -> dict[str, FittedArm]:
    """Return the student trained on labels, as it is and tuned."""
    student_seed, tuning_seed = seeds
    student = new_student(recipe.student, len(train.y), train.weights, student_seed)
    settings = scratch_settings(student)
    steps.start("student", f"arm '{SCRATCH}'")
    arms = {SCRATCH: _scratch_arm(student.copy(), train, task, {}, time.perf_counter())}
    steps.start("tuning", f"arm '{TUNED}', {len(settings)} settings")
    if settings:
        start = time.perf_counter()
        best = tune_scratch(student, train, task, settings=settings, seed=tuning_seed)
        arms[TUNED] = _scratch_arm(student.copy(), train, task, best, start)
    return arms


def _scratch_arm(
    student: Student, train: Table, task: Task, setting: Mapping[str, Any], start: float
) -> FittedArm:
    """Return one student trained on labels with these settings."""
    student.configure(setting)
    fit_scratch(student, train, task)
    loss = task.scratch_loss(student)

    def predict(table: Table) -> FloatArray:
        return np.asarray(loss.probabilities(student.scores(table.features)))

    chosen = ", ".join(f"{name}={value}" for name, value in setting.items())
    seconds = time.perf_counter() - start
    return FittedArm(predict, seconds, student.size(), chosen or "as given")
