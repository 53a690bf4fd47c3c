"""The paper's algorithm, shared by the classifier and the regressor.

Labels come from cross-fitting and targets from a correction on the scale of a loss;
vanilla, cross-fitted and corrected distillation are arguments, not classes.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._learners import (
    check_learners,
    suited_source,
    with_reason,
)
from semikd._tables import checked_table
from semikd._validation import invalid
from semikd.corrections import Correction
from semikd.crossfit import OutOfFold, cross_fit
from semikd.crossfit.checks import check_record
from semikd.crossfit.learners import is_estimator
from semikd.crossfit.unlabelled import checked_unlabelled
from semikd.distillation.added import AddedRows
from semikd.distillation.lessons import make_lesson
from semikd.distillation.more_rows import MoreRows
from semikd.label_aware import named_correction
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students import Student, named_student
from semikd.students.beside import check_given
from semikd.synthetic import SyntheticRows, as_synthetic
from semikd.synthetic.columns import check_table

__all__ = ["Distilled"]


class Distilled(BaseEstimator):
    """The paper's algorithm, shared by the classifier and the regressor."""

    correction_: Correction
    loss_: DistillationLoss
    hard_weight: float = 0.0
    online_labels: bool = False
    synthetic: SyntheticRows | str | None
    weight_of_labels_: float

    def _table(self, X: Any) -> Any:
        """Return the table of a fit, refused first where no rows can be drawn of it."""
        if sparse.issparse(X) and as_synthetic(self.synthetic):
            check_table(X)
        return checked_table(self, X)

    def _more_rows(self, X: Any, unlabelled: Any) -> MoreRows:
        """Return what is added to these rows, refused where it cannot be labelled."""
        more = MoreRows.of(self.synthetic, checked_unlabelled(unlabelled, X))
        more.check(X, self.cv, hard_weight=self.hard_weight, online=self.online_labels)
        return more

    def _check(
        self,
        X: Any,
        more: MoreRows,
        teacher: Any,
        student: Student,
        weights: FloatArray | None,
        *,
        classification: bool,
    ) -> None:
        """Refuse what teacher or student cannot read, with outcomes or without."""
        kind = {"cv": self.cv, "classification": classification}
        check_learners(X, teacher, student, weights, **kind)
        if not isinstance(self.cv, OutOfFold):
            given = {"unlabelled": more.unlabelled, "added": more.words}
            check_given(student, X, weights, teacher=teacher, **given)
        if more.unlabelled is not None:
            check_learners(
                more.unlabelled, teacher, student, None, name="unlabelled", **kind
            )

    def _label(
        self,
        teacher: Any,
        X: Any,
        y: NDArray[Any],
        weights: FloatArray | None,
        groups: Any,
        seed: int,
        more: MoreRows,
        student: Student,
        classes: NDArray[Any] | None = None,
    ) -> OutOfFold:
        """Let teachers label the rows they did not see, or take the labels brought."""
        correction = named_correction(self.correction)
        cv = suited_source(self.cv, correction, by_folds=more.by_folds)
        if isinstance(cv, OutOfFold):
            check_record(cv, X, classes)
            return cv
        record = cross_fit(
            teacher,
            X,
            y,
            cv=cv,
            groups=groups,
            sample_weight=weights,
            n_repeats=self.n_repeats,
            new_rows=self._kept_teachers(student, more),
            n_jobs=self.n_jobs,
            random_state=seed,
        )
        return with_reason(record, self.cv, cv, correction)

    def _kept_teachers(self, student: Student, more: MoreRows) -> str:
        """Return who stays, which is as long as there is something left to ask."""
        labelling = self.online_labels or bool(more)
        if student.shown_by == "all" and labelling:
            which = "online labels" if self.online_labels else "rows without outcomes"
            remedy = "The networks of the folds are needed for them"
            raise invalid("taught_by", f"be 'folds' with {which}", "all", remedy)
        if student.shown_by == "all":
            return "refit"
        return "mean" if labelling or student.shown_by == "folds" else "none"

    def _learn(
        self,
        student: Student,
        loss: DistillationLoss,
        correction: Correction,
        X: Any,
        record: OutOfFold,
        labels: FloatArray,
        outcome: FloatArray,
        weights: FloatArray | None,
        groups: Any,
        added: Sequence[AddedRows] = (),
    ) -> Self:
        """Move each label towards the outcome; let the student learn these targets."""
        lesson = make_lesson(
            record,
            labels,
            outcome,
            X,
            student=student,
            loss=loss,
            correction=correction,
            weights=weights,
            groups=groups,
            online=self.online_labels,
            added=added,
        )
        if self.online_labels or record is not self.cv:
            # A small model carries no large ones, unless a record brought them.
            record = replace(record, teachers=(), refitted=None)
        shown = lesson.options.get("features")
        if shown is not None:
            record = replace(record, strategy=f"{record.strategy}; {shown.words}")
        lesson.teach(student)
        # All at once, and last: a failed fit leaves the model (not its known columns).
        self.size_ = student.size()
        self._student, self.student_ = student, student.learner
        self.labels_, self.loss_, self.correction_ = record, loss, correction
        self.weight_of_labels_ = lesson.weight_of_labels
        self.n_added_ = sum(len(rows.labels) for rows in added)
        return self

    def _scores(self, X: Any) -> FloatArray:
        """Return the student's scores, shape (n, m)."""
        check_is_fitted(self)
        return self._student.scores(checked_table(self, X, reset=False))

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether a student has learned; a refused fit leaves none."""
        return hasattr(self, "student_")

    def __sklearn_tags__(self) -> Any:
        """Take from teacher and student what both can do."""
        tags = super().__sklearn_tags__()
        teacher, student = self._parts()
        # Labels that are brought need no teacher to read these rows.
        parts = [student] if isinstance(self.cv, OutOfFold) else [teacher, student]
        parts = [part for part in parts if is_estimator(part)]
        inputs = [get_tags(part).input_tags for part in parts]
        dense = self.synthetic is not None
        tags.input_tags.sparse = not dense and all(part.sparse for part in inputs)
        tags.input_tags.allow_nan = all(part.allow_nan for part in inputs)
        return tags

    def _parts(self) -> tuple[Any, Any]:
        """Return teacher and student, or what stands in for them."""
        # A name that is none is refused by the fit, not by a look at the estimator.
        teacher, student = self.teacher, self.student
        with suppress(ValueError):
            teacher = self.resolved_teacher()
        with suppress(ValueError):
            student = named_student(student)
        student = DecisionTreeRegressor() if student is None else student
        return teacher, student
