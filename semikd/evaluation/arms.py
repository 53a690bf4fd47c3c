"""The arms of a comparison: one student, trained in every way that is worth a row.

An arm is a way to turn a training table into a fitted model. Arms of one refit share
the teacher's labels, so that they differ in what is done with them and in nothing else.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from semikd._random import spawn_seeds
from semikd.crossfit import OutOfFold, cross_fit
from semikd.crossfit.folds import Rows
from semikd.distillation import DistilledClassifier
from semikd.evaluation.scratch import (
    fit_scratch,
    scratch_loss,
    scratch_settings,
    tune_scratch,
)
from semikd.evaluation.tables import Table
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
    predict_proba : callable
        From covariates to probabilities of shape (n, k).
    fit_seconds : float
        Time of everything the arm needs, teachers included.
    size : StudentSize
        Leaves or coefficients, and bytes.
    setting : str
        What was chosen for it, in words.

    Examples
    --------
    >>> from semikd.evaluation import FittedArm
    >>> from semikd.students import StudentSize
    >>> FittedArm(lambda X: X, 1.0, StudentSize(8, None, 900), "").size.leaves
    8
    """

    predict_proba: Callable[[Any], FloatArray]
    fit_seconds: float
    size: StudentSize
    setting: str


def fit_arms(
    estimator: DistilledClassifier,
    train: Table,
    corrections: Mapping[str, Any],
    *,
    min_proba: float,
    seed: int,
) -> dict[str, FittedArm]:
    """Fit every arm once on the same rows.

    Parameters
    ----------
    estimator : DistilledClassifier
        Teacher, student, scale and folds.
    train : Table
        The training rows.
    corrections : mapping from str to float or Correction
        Further cross-fitted arms by name.
    min_proba : float
        Floor of the log-loss by which the scratch arm is tuned.
    seed : int
        Seed of everything random in this refit.

    Returns
    -------
    dict from str to FittedArm
        The teacher first, then scratch arms, then distilled ones.
    """
    label_seed, student_seed, tuning_seed = spawn_seeds(seed, 3)
    recipe = clone(estimator).set_params(random_state=student_seed, correction="none")
    arms = {}
    in_sample, seconds = _labels(recipe, train, "in-sample", label_seed)
    arms[TEACHER] = _teacher_arm(in_sample, seconds)
    arms |= _scratch_arms(recipe, train, min_proba, student_seed, tuning_seed)
    arms[IN_SAMPLE] = _distilled_arm(recipe, train, in_sample, seconds)
    honest, seconds = _labels(recipe, train, estimator.cv, label_seed)
    arms[CROSS_FITTED] = _distilled_arm(recipe, train, honest, seconds)
    for name, correction in corrections.items():
        corrected = clone(recipe).set_params(correction=correction)
        arms[name] = _distilled_arm(corrected, train, honest, seconds)
    return arms


def _labels(
    recipe: DistilledClassifier, train: Table, cv: Any, seed: int
) -> tuple[OutOfFold, float]:
    """Return the teacher's labels and the seconds they took."""
    start = time.perf_counter()
    labels = cross_fit(
        recipe.resolved_teacher(),
        train.X,
        train.y,
        cv=cv,
        groups=train.groups,
        sample_weight=train.weights,
        n_repeats=1 if cv == IN_SAMPLE else recipe.n_repeats,
        new_rows="mean" if cv == IN_SAMPLE else "none",
        n_jobs=recipe.n_jobs,
        random_state=seed,
    )
    return labels, time.perf_counter() - start


def _teacher_arm(labels: OutOfFold, seconds: float) -> FittedArm:
    """Return the teacher trained on all rows, as the arm to measure up to."""
    size = measured_size(labels.teachers[0][0])
    return FittedArm(labels.label, seconds, size, "trained on all rows")


def _distilled_arm(
    recipe: DistilledClassifier, train: Table, labels: OutOfFold, label_seconds: float
) -> FittedArm:
    """Return the student of these labels."""
    start = time.perf_counter()
    model = clone(recipe).set_params(cv=labels)
    model.fit(train.X, train.y, sample_weight=train.weights)
    seconds = time.perf_counter() - start + label_seconds
    setting = f"{labels.strategy}; {model.correction_}"

    def predict_proba(X: Any) -> FloatArray:
        # The student alone, as for a student from scratch: latencies compare.
        return np.asarray(model.loss_.probabilities(model._student.scores(X)))

    return FittedArm(predict_proba, seconds, model.size_, setting)


def _scratch_arms(
    recipe: DistilledClassifier,
    train: Table,
    min_proba: float,
    student_seed: int,
    tuning_seed: int,
) -> dict[str, FittedArm]:
    """Return the student trained on labels, as it is and tuned."""
    rows = train.rows()
    student = new_student(recipe.student, len(train.y), train.weights, student_seed)
    settings = scratch_settings(student)
    arms = {SCRATCH: _scratch_arm(student.copy(), train, rows, {}, time.perf_counter())}
    if settings:
        start = time.perf_counter()
        best = tune_scratch(
            student,
            train.X,
            rows,
            settings=settings,
            min_proba=min_proba,
            seed=tuning_seed,
        )
        arms[TUNED] = _scratch_arm(student.copy(), train, rows, best, start)
    return arms


def _scratch_arm(
    student: Student, train: Table, rows: Rows, setting: Mapping[str, Any], start: float
) -> FittedArm:
    """Return one student trained on labels with these settings."""
    assert rows.classes is not None  # noqa: S101 - classification only, by construction
    student.configure(setting)
    fit_scratch(student, train.X, rows.codes, train.weights, len(rows.classes))
    loss = scratch_loss(student)

    def predict_proba(X: Any) -> FloatArray:
        return np.asarray(loss.probabilities(student.scores(X)))

    chosen = ", ".join(f"{name}={value}" for name, value in setting.items())
    seconds = time.perf_counter() - start
    return FittedArm(predict_proba, seconds, student.size(), chosen or "as given")
