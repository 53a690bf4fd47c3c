"""What a student is taught: targets of rows that have outcomes, and of others.

Rows with an outcome have a corrected target. Rows that were added, unlabelled or
synthetic, have no outcome of their own: their target is the teachers' answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._learners import labelled_rows
from semikd._tables import stacked_tables
from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, hash_values, row_hashes, take_rows
from semikd.losses import DistillationLoss
from semikd.networks import OnlineTargets
from semikd.simplex import FloatArray
from semikd.students import Student

__all__ = ["AddedRows", "Lesson", "make_lesson"]


@dataclass(frozen=True, eq=False)
class AddedRows:
    """Rows without outcomes, and what teachers that did not see them say.

    Parameters
    ----------
    X : array-like of shape (n_new, d)
        Covariates.
    labels : ndarray of shape (n_new, k)
        Probabilities or means.
    weights : ndarray of shape (n_new,)
        How much each counts beside the rows with outcomes.
    units : ndarray of uint64 of shape (n_new,), optional
        Key of the row, or group, that each belongs with; by default its own.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.distillation.lessons import AddedRows
    >>> AddedRows(np.ones((1, 2)), np.array([[0.2, 0.8]]), np.ones(1)).labels
    array([[0.2, 0.8]])
    """

    X: Any
    labels: FloatArray
    weights: FloatArray
    units: NDArray[np.uint64] | None = None


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
        Groups that the student's own split must not divide.
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
    known = _Outcomes.of(record, labels, outcome, X, weights, loss)
    n_new = sum(len(each.labels) for each in added)
    known.correct(correction, student, n_new, rules)
    target = known.target()
    student.require(loss, target)
    target = np.asarray(loss.with_labels(target, known.outcome))
    options: dict[str, Any] = {}
    if "groups" in student.fit_options and (groups is not None or added):
        options["groups"] = _units(known, groups, added)
    if online:
        options["online"] = OnlineTargets(record.teachers, known.fold, known.shown)
    table, kept = known.X, known.weights
    if added:
        target = np.concatenate([target, *(loss.phi(each.labels) for each in added)])
        kept = np.ones(len(known.rows)) if kept is None else kept
        kept = np.concatenate([kept, *(each.weights for each in added)])
        kept = None if (kept == 1.0).all() else kept
        table = stacked_tables([table, *(each.X for each in added)])
    weight = known.weight_of_labels()
    return Lesson(table, target, loss, kept, weight, options, known.rules)


@dataclass(eq=False)
class _Outcomes:
    """The rows that have a label and an outcome, and the rule between the two."""

    rows: NDArray[np.intp]
    X: Any
    labels: FloatArray
    outcome: FloatArray
    weights: FloatArray | None
    fold: NDArray[np.intp]
    loss: DistillationLoss
    complexity: float = 1.0
    rules: tuple[Correction, ...] = ()

    @classmethod
    def of(
        cls,
        record: OutOfFold,
        labels: FloatArray,
        outcome: FloatArray,
        X: Any,
        weights: FloatArray | None,
        loss: DistillationLoss,
    ) -> "_Outcomes":
        """Take the rows that some repeat labels and that count."""
        rows = labelled_rows(labels, weights)
        return cls(
            rows,
            take_rows(X, rows),
            labels[:, rows],
            outcome[rows],
            None if weights is None else weights[rows],
            record.fold[:, rows],
            loss,
        )

    def correct(
        self, rule: Correction, student: Student, n_new: int, fitted: Sequence[Any]
    ) -> None:
        """Let the rule learn from these rows, repeat by repeat, what it estimates."""
        n_features = np.shape(self.X)[1] if np.ndim(self.X) != 1 else 1
        self.complexity = student.complexity(
            len(self.rows) + n_new,
            n_features,
            self.loss.n_outputs(self.outcome.shape[1]),
        )
        self.rules = tuple(fitted) or tuple(
            rule.fit(
                p,
                self.outcome,
                X=self.X,
                loss=self.loss,
                fold=fold,
                sample_weight=self.weights,
            )
            for p, fold in zip(self.labels, self.fold, strict=True)
        )

    def target(self) -> FloatArray:
        """Return the corrected target of each row, averaged over repeats, (n, m)."""
        each = [
            rule.target(
                p, self.outcome, loss=self.loss, complexity=self.complexity, X=self.X
            )
            for rule, p in zip(self.rules, self.labels, strict=True)
        ]
        # A repeat that left a row out has no say in its target.
        return np.asarray(np.nanmean(each, axis=0))

    def weight_of_labels(self) -> float:
        """Return the mean weight that outcomes have in the targets."""
        each = [
            rule.weight(p, self.X, self.loss, self.complexity)
            for rule, p in zip(self.rules, self.labels, strict=True)
        ]
        return float(np.nanmean(each))

    def shown(self, p: FloatArray, at: NDArray[np.intp]) -> FloatArray:
        """Return the targets of rows that teachers have just labelled."""
        y, table, rule = self.outcome[at], take_rows(self.X, at), self.rules[0].take(at)
        moved = rule.target(p, y, loss=self.loss, complexity=self.complexity, X=table)
        return np.asarray(self.loss.with_labels(moved, y))


def _units(
    known: _Outcomes, groups: Any, added: Sequence[AddedRows]
) -> NDArray[np.uint64]:
    """Return what a student's own split keeps together: offspring with their parent."""
    if groups is None:
        parts = [row_hashes(known.X)]
    else:
        parts = [hash_values(np.asarray(groups))[known.rows]]
    for each in added:
        parts.append(row_hashes(each.X) if each.units is None else each.units)
    return np.concatenate(parts)
