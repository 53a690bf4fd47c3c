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

from semikd._progress import Reporter, Step
from semikd._random import spawn_seeds
from semikd.crossfit import OutOfFold, cross_fit, row_hashes
from semikd.evaluation.scratch import fit_scratch, scratch_settings, tune_scratch
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task
from semikd.simplex import FloatArray
from semikd.students import Student, StudentSize, measured_size, new_student

__all__ = ["FittedArm", "fit_arms"]

SCRATCH = "scratch"
TUNED = "scratch, tuned"
IN_SAMPLE = "in-sample"
CROSS_FITTED = "cross-fitted"
TEACHER = "teacher"


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


def planned_steps(recipe: Any, corrections: Mapping[str, Any]) -> int:
    """Return the number of steps that ``fit_arms`` reports."""
    brought = isinstance(recipe.cv, OutOfFold)
    # Scratch, tuning and the cross-fitted student; the teacher and the in-sample one.
    own = 0 if brought else 2 + _fold_steps(recipe)
    return 3 + own + len(corrections)


def fit_arms(
    recipe: Any,
    train: Table,
    corrections: Mapping[str, Any],
    *,
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
    steps = _Steps(progress, planned_steps(recipe, corrections))
    arms, seconds = {}, 0.0
    in_sample = None
    if not isinstance(labels, OutOfFold):
        steps.start("teacher", "teacher on all training rows")
        in_sample, spent = _labels(recipe, train, IN_SAMPLE, label_seed, None)
        arms[TEACHER] = _teacher_arm(in_sample, spent)
    arms |= _scratch_arms(recipe, train, task, (student_seed, tuning_seed), steps)
    if in_sample is not None:
        steps.start("student", f"arm '{IN_SAMPLE}'")
        arms[IN_SAMPLE] = _distilled_arm(recipe, train, in_sample, spent)
        labels, seconds = _labels(recipe, train, labels, label_seed, steps)
    for name, correction in {CROSS_FITTED: "none", **corrections}.items():
        steps.start("student", f"arm '{name}'")
        own = clone(recipe).set_params(correction=correction)
        arms[name] = _distilled_arm(own, train, labels, seconds)
    return arms


class _Steps:
    """Counts the steps of one refit for whoever is listening."""

    def __init__(self, progress: Reporter, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def start(self, stage: str, label: str) -> None:
        """Report a step that starts now."""
        self.progress(Step(stage, label, self.done, self.total))
        self.done += 1

    def fold(self, step: Step) -> None:
        """Report a fold that starts now, of those that cross-fitting knows of."""
        if step.done < step.total:
            self.start(step.stage, f"cross-fitted labels, {step.label}")


def _fold_steps(recipe: Any) -> int:
    """Return how many fold teachers a labelling fits."""
    cv = 5 if recipe.cv is None else recipe.cv
    if hasattr(cv, "get_n_splits"):
        return int(cv.get_n_splits())
    n_folds = int(cv) if isinstance(cv, int | np.integer) else 1
    return n_folds * int(recipe.n_repeats)


def _labels(
    recipe: Any, train: Table, cv: Any, seed: int, steps: _Steps | None
) -> tuple[OutOfFold, float]:
    """Return the teacher's labels and the seconds they took."""
    start = time.perf_counter()
    in_sample = isinstance(cv, str) and cv == IN_SAMPLE
    labels = cross_fit(
        recipe.resolved_teacher(),
        train.X,
        train.y,
        cv=cv,
        groups=train.groups,
        sample_weight=train.weights,
        n_repeats=1 if in_sample else recipe.n_repeats,
        new_rows="mean" if in_sample else "none",
        n_jobs=recipe.n_jobs,
        random_state=seed,
        progress=None if steps is None else steps.fold,
    )
    if train.student_view is not None:
        # The student's rows are the teacher's rows, read otherwise.
        labels = replace(labels, row_hash=row_hashes(train.student_view))
    return labels, time.perf_counter() - start


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
    model.fit(train.features, train.y, sample_weight=train.weights)
    seconds = time.perf_counter() - start + label_seconds
    setting = f"{labels.strategy}; {model.correction_}"

    def predict(table: Table) -> FloatArray:
        # The student alone, as for a student from scratch: latencies compare.
        scores = model._student.scores(table.features)
        return np.asarray(model.loss_.probabilities(scores))

    return FittedArm(predict, seconds, model.size_, setting, model)


def _scratch_arms(
    recipe: Any, train: Table, task: Task, seeds: tuple[int, int], steps: _Steps
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
