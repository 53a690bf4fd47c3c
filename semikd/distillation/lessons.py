"""What a student is taught: targets of rows that have outcomes, and of others.

Rows with an outcome have a corrected target. Rows that were added, unlabelled or
synthetic, have no outcome of their own: their target is the teachers' answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._tables import stacked_tables
from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, hash_values, row_hashes
from semikd.crossfit.new_rows import labellers
from semikd.crossfit.record import OUTCOMES
from semikd.distillation.added import AddedRows
from semikd.distillation.complexity import kept_noise, noise_pair
from semikd.distillation.outcomes import Outcomes
from semikd.losses import DistillationLoss
from semikd.networks import OnlineTargets, TeacherFeatures
from semikd.simplex import FloatArray
from semikd.students import Student
from semikd.students.beside import taken_by

__all__ = ["Lesson", "make_lesson"]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a student is fitted to.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Rows.
    target : ndarray of shape (n, m)
        Targets on the scale of the loss.
    loss : DistillationLoss
        The scale.
    weights : ndarray of shape (n,) or None
        Weights of the rows.
    weight_of_labels : float
        Mean of the correction over rows: 0 where the teacher alone teaches, 1 where the
        labels alone do.
    options : dict
        What else the student's fit takes.
    rules : tuple of Correction, default=()
        The correction as fitted to the labels of each repeat, for other students.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.distillation.lessons import Lesson
    >>> from semikd.losses import ProbabilityLoss
    >>> from semikd.students import as_student
    >>> X, target = np.array([[0.0], [1.0]]), np.array([[0.2], [0.9]])
    >>> lesson = Lesson(X, target, ProbabilityLoss(), None, 0.0, {})
    >>> lesson.teach(as_student(DecisionTreeRegressor())).scores(X)
    array([[0.2],
           [0.9]])
    """

    X: Any
    target: FloatArray
    loss: DistillationLoss
    weights: FloatArray | None
    weight_of_labels: float
    options: dict[str, Any]
    rules: tuple[Correction, ...] = ()

    def teach(self, student: Student) -> Student:
        """Fit a student to these targets, and return it."""
        return student.fit_target(
            self.X,
            self.target,
            loss=self.loss,
            sample_weight=self.weights,
            **self.options,
        )


def make_lesson(
    record: OutOfFold,
    labels: FloatArray,
    outcome: FloatArray,
    X: Any,
    *,
    student: Student,
    loss: DistillationLoss,
    correction: Correction,
    weights: FloatArray | None = None,
    groups: Any = None,
    online: bool = False,
    added: Sequence[AddedRows] = (),
    rules: Sequence[Correction] = (),
) -> Lesson:
    """Move each label towards its outcome; what a student then learns is the lesson.

    Parameters
    ----------
    record : OutOfFold
        Who labelled which row.
    labels : ndarray of shape (r, n, k)
        The labels, of the population the student is for.
    outcome : ndarray of shape (n, k)
        One-hot labels, or values.
    X : array-like of shape (n, d)
        Covariates.
    student : Student
        Who is taught.
    loss : DistillationLoss
        The scale.
    correction : Correction
        The rule for the weight of the outcome.
    weights : ndarray of shape (n,), optional
        Weights of the rows.
    groups : array-like of shape (n,), optional
        Groups that the student's own split must not divide, and that an estimated
        correction counts in place of rows.
    online : bool, default=False
        Whether the record's teachers label rows as they are shown.
    added : sequence of AddedRows
        Rows without outcomes.
    rules : sequence of Correction
        The correction as it was fitted to these labels on this scale before.

    Returns
    -------
    Lesson

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import external_labels
    >>> from semikd.corrections import ConstantCorrection
    >>> from semikd.distillation.lessons import make_lesson
    >>> from semikd.losses import ProbabilityLoss
    >>> from semikd.simplex import one_hot
    >>> from semikd.students import as_student
    >>> X, p = np.array([[1.0], [2.0]]), np.array([[0.8, 0.2], [0.6, 0.4]])
    >>> lesson = make_lesson(
    ...     external_labels(X, p, classes=[0, 1]),
    ...     p[None],
    ...     one_hot([0, 1], 2),
    ...     X,
    ...     student=as_student(DecisionTreeRegressor()),
    ...     loss=ProbabilityLoss(),
    ...     correction=ConstantCorrection(0.5),
    ... )
    >>> lesson.target
    array([[0.1],
           [0.7]])
    """
    correction.require(loss)
    known = Outcomes.of(record, labels, outcome, X, weights, loss, groups)
    if not student.takes_weights():
        added = [each.repeated() for each in added]
    lesson = _uncorrected(known, added, _beside(student, record, known, added))
    known.correct(correction, _complexity(known, student, correction, lesson), rules)
    target, trained = known.target(), known.trained_by()
    student.require(trained, target)
    target = np.asarray(loss.with_labels(target, known.outcome))
    options = lesson.options
    if online:
        teachers, fold = labellers(record)
        shown = OnlineTargets(teachers, fold[:, known.rows], known.shown)
        options = {**options, "online": shown}
    return replace(
        lesson,
        options=options,
        target=np.concatenate([target, lesson.target[len(target) :]]),
        loss=trained,
        weight_of_labels=known.weight_of_labels(),
        rules=known.rules,
    )


def _beside(
    student: Student,
    record: OutOfFold,
    known: Outcomes,
    added: Sequence[AddedRows],
) -> dict[str, Any]:
    """Return what else the student's fit takes of what is known of the rows."""

    def layers() -> TeacherFeatures | None:
        if record.strategy == OUTCOMES:
            # Behind outcomes there is nobody to show any.
            return None
        taught_by, n = str(student.shown_by), sum(len(each.labels) for each in added)
        return TeacherFeatures.of(record, known.rows, taught_by=taught_by, n_added=n)

    def outcomes() -> FloatArray:
        unknown = [np.full_like(each.labels, np.nan) for each in added]
        return np.concatenate([known.outcome, *unknown])

    def labels() -> FloatArray:
        return np.concatenate([known.answers(), *(each.labels for each in added)])

    units = partial(_units, known, added)
    return taken_by(
        student, groups=units, features=layers, outcome=outcomes, labels=labels
    )


def _units(known: Outcomes, added: Sequence[AddedRows]) -> NDArray[np.uint64] | None:
    """Return what a student's own split keeps together: offspring with their parent."""
    if known.groups is None and not added:
        return None
    own = row_hashes(known.X) if known.groups is None else hash_values(known.groups)
    parts = [own]
    for each in added:
        parts.append(row_hashes(each.X) if each.units is None else each.units)
    return np.concatenate(parts)


def _identities(known: Outcomes) -> NDArray[np.uint64]:
    """Return a key of all by which rows differ for a student, whatever their order."""
    keys = row_hashes(known.X)
    for each in (known.groups, known.weights):
        if each is not None:
            # An odd factor keeps different keys different.
            keys = keys * np.uint64(0x9E3779B97F4A7C15) + hash_values(each)
    return keys


def _uncorrected(
    known: Outcomes, added: Sequence[AddedRows], options: dict[str, Any]
) -> Lesson:
    """Return the lesson of the labels as they are, with the rows that were added."""
    loss, weights = known.loss, known.weights
    target = loss.with_labels(loss.phi(known.answers()), known.outcome)
    if not added:
        return Lesson(known.X, np.asarray(target), loss, weights, 0.0, options)
    target = np.concatenate([target, *(loss.phi(each.labels) for each in added)])
    kept = np.ones(len(known.rows)) if weights is None else weights
    kept = np.concatenate([kept, *(each.weights for each in added)])
    weights = None if (kept == 1.0).all() else kept
    table = stacked_tables([known.X, *(each.X for each in added)])
    return Lesson(table, target, loss, weights, 0.0, options)


def _complexity(
    known: Outcomes, student: Student, rule: Correction, lesson: Lesson
) -> float:
    """Return the noise that the student keeps: counted, or measured if it matters."""
    n, n_outputs = len(known.rows), known.loss.n_outputs(known.outcome.shape[1])
    n_features = np.shape(known.X)[1] if np.ndim(known.X) != 1 else 1
    counted = student.complexity(len(lesson.target), n_features, n_outputs)
    if counted is not None or not rule.weighs_noise:
        return 1.0 if counted is None else counted
    rest = lesson.target[n:]
    first, second = (
        np.concatenate([each, rest])
        for each in noise_pair(
            known.answers(), known.outcome, loss=known.loss, keys=_identities(known)
        )
    )
    return kept_noise(
        student,
        lesson.X,
        first,
        second,
        loss=known.loss,
        n_outcomes=n,
        sample_weight=lesson.weights,
        **lesson.options,
    )
