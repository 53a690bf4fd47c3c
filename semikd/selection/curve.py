"""How small a student may be: loss by size, and the smallest that is good enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._learners import (
    check_learners,
    resolved_loss,
    suited_source,
    with_reason,
)
from semikd._random import RandomState, spawn_seeds
from semikd.crossfit import OutOfFold, cross_fit
from semikd.distillation.lessons import Lesson
from semikd.evaluation import Table
from semikd.evaluation.recipes import checked_recipe, refuse_brought, refuse_early
from semikd.evaluation.tables import split_table, warn_of_copies
from semikd.evaluation.tasks import Classification, Task
from semikd.inference import Comparison, FixedSequence, fixed_sequence
from semikd.inference.comparison import paired_differences
from semikd.label_aware import named_correction
from semikd.losses import DistillationLoss
from semikd.selection.sizes import (
    checked_sizes,
    different_sizes,
    size_in_words,
    sizes_to_try,
)
from semikd.selection.teaching import predicted, table_lesson, taught
from semikd.simplex import FloatArray
from semikd.students import Student, StudentSize, new_student

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SizeCurve", "size_curve", "sizes_to_try"]

_TEACHER = "teacher"


@dataclass(frozen=True, eq=False)
class SizeCurve:
    """Students of one recipe by size, judged beside their teacher on held-out rows.

    Parameters
    ----------
    sizes : tuple of StudentSize
        Smallest first.
    losses : ndarray of shape (n, s)
        Loss of each student on each held-out row.
    teacher_losses : ndarray of shape (n,)
        Loss of the teacher that learned from all training rows.
    test : Table
        The held-out rows.
    task : Task
        What is predicted.
    students : tuple of Student
        The fitted students.
    seed : int, default=0
        Seed of simultaneous intervals.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import DistilledClassifier
    >>> from semikd.selection import size_curve
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> recipe = DistilledClassifier(
    ...     GaussianNB(), DecisionTreeRegressor(max_leaf_nodes=16, random_state=0)
    ... )
    >>> curve = size_curve(recipe, X, y, random_state=0)
    >>> curve.names
    ('4 leaves', '8 leaves', '16 leaves')
    """

    sizes: tuple[StudentSize, ...]
    losses: FloatArray
    teacher_losses: FloatArray
    test: Table
    task: Task
    students: tuple[Student, ...] = field(repr=False, default=())
    seed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Size of each student in words: leaves, else coefficients, else bytes."""
        return tuple(size_in_words(size) for size in self.sizes)

    @cached_property
    def comparison(self) -> Comparison:
        """Differences in loss of each student to the teacher, paired over rows."""
        return paired_differences(
            np.column_stack([self.teacher_losses, self.losses]),
            names=(_TEACHER, *self.names),
            reference=_TEACHER,
            metric=self.task.metric.replace("_", "-"),
            sample_weight=self.test.weights,
            clusters=self.test.groups,
            random_state=self.seed,
        )

    def within(self, margin: float, level: float = 0.95) -> FixedSequence:
        """Test from the largest to the smallest which are worse by less than a margin.

        Parameters
        ----------
        margin : float
            How much worse than the teacher is still as good, in units of the loss.
        level : float, default=0.95
            Confidence that no student is passed that is worse by more.

        Returns
        -------
        FixedSequence
            ``last`` is the name of the smallest that is good enough, None without any.
        """
        order = self.names[::-1]
        return fixed_sequence(self.comparison, order, level, margin=margin)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each size: loss, difference to the teacher, and interval.

        Returns
        -------
        pandas.DataFrame
            Index ``student``; columns ``leaves``, ``coefficients``, ``kilobytes``,
            ``loss``, ``behind_teacher`` and the ends ``low`` and ``high`` of
            simultaneous 95 % intervals.
        """
        import pandas as pd

        low, high = self.comparison.conf_int(kind="simultaneous").T
        weights = self.test.weights
        columns = {
            "leaves": [size.leaves for size in self.sizes],
            "coefficients": [size.coefficients for size in self.sizes],
            "kilobytes": [size.bytes / 1000 for size in self.sizes],
            "loss": np.average(self.losses, axis=0, weights=weights),
            "behind_teacher": self.comparison.estimate,
            "low": low,
            "high": high,
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="student"))


def size_curve(
    recipe: Any,
    X: Any,
    y: Any,
    *,
    test: Any = 0.3,
    settings: Sequence[Mapping[str, Any]] | None = None,
    sample_weight: Any = None,
    groups: Any = None,
    random_state: RandomState = None,
) -> SizeCurve:
    """Fit students of all sizes to the labels of one cross-fit, and judge them.

    Parameters
    ----------
    recipe : DistilledClassifier or DistilledRegressor
        Teacher, student, scale and correction.
    X : array-like of shape (n, d)
        Covariates.
    y : array-like of shape (n,)
        Labels or outcomes.
    test : float or (X_test, y_test), default=0.3
        Held-out rows, or the share of rows that is held out.
    settings : sequence of mappings, optional
        Parameters of the student, in any order. By default leaves, or trees, doubling
        up to those the student has.
    sample_weight, groups : array-like of shape (n,), optional
        Weights, and groups that are not divided.
    random_state : int, generator or None, default=None
        Seed of split, teachers and students.

    Returns
    -------
    SizeCurve

    Raises
    ------
    ValueError, TypeError
        If nothing of the student's size is known and no settings are given, or they are
        no list of mappings; or if the recipe could not be fitted, or takes labels that
        exist already or are made as a network learns.

    Warns
    -----
    LeakageWarning
        If most held-out rows equal another, target included.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import DistilledClassifier
    >>> from semikd.selection import size_curve
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
    >>> recipe = DistilledClassifier(GaussianNB(), tree)
    >>> curve = size_curve(recipe, X, y, random_state=0)
    >>> curve.within(margin=1.0).last
    '4 leaves'
    """
    recipe, task = checked_recipe(recipe, Classification.min_proba)
    refuse_brought(recipe, arms=False)
    split_seed, label_seed, student_seed = spawn_seeds(random_state, 3)
    classification = isinstance(task, Classification)
    train, held_out = split_table(
        X, y, test, sample_weight, groups, split_seed, classification=classification
    )
    warn_of_copies(held_out, stacklevel=2)
    student = new_student(recipe.student, len(train.y), train.weights, student_seed)
    tried = sizes_to_try(student) if settings is None else checked_sizes(settings)
    cv = _checked_source(recipe, student, task, train, held_out)
    record = _labels(recipe, cv, train, label_seed)
    students = [student.copy().configure(setting) for setting in tried]
    fitted = taught(
        [(own, _lesson(recipe, own, record, train, task)) for own in students]
    )
    kept = different_sizes([each.size() for each, _ in fitted])
    fitted = [fitted[at] for at in kept]
    loss = task.loss(None)
    losses = [loss(predicted(pair, held_out), held_out) for pair in fitted]
    return SizeCurve(
        sizes=tuple(each.size() for each, _ in fitted),
        losses=np.column_stack(losses),
        teacher_losses=loss(record.label(held_out.X), held_out),
        test=held_out,
        task=task,
        students=tuple(each for each, _ in fitted),
        seed=student_seed,
    )


def _checked_source(
    recipe: Any, student: Student, task: Task, train: Table, held_out: Table
) -> Any:
    """Return by what rows are labelled: folds, where the correction needs them.

    What the recipe's own fit would refuse is refused before a teacher is fitted.
    """
    refuse_early(recipe, task, train, held_out)
    check_learners(
        train.X,
        recipe.resolved_teacher(),
        student,
        train.weights,
        cv=recipe.cv,
        classification=train.classification,
    )
    return suited_source(recipe.cv, named_correction(recipe.correction))


def _labels(recipe: Any, cv: Any, train: Table, seed: int) -> OutOfFold:
    """Return the labels of the recipe."""
    record = cross_fit(
        recipe.resolved_teacher(),
        train.X,
        train.y,
        cv=cv,
        groups=train.groups,
        sample_weight=train.weights,
        n_repeats=recipe.n_repeats,
        new_rows="refit",
        n_jobs=recipe.n_jobs,
        random_state=seed,
    )
    return with_reason(record, recipe.cv, cv, named_correction(recipe.correction))


def _lesson(
    recipe: Any, student: Student, record: OutOfFold, train: Table, task: Task
) -> Lesson:
    """Return what a student of one size learns from these labels."""
    loss: DistillationLoss = task.scratch_loss(student)
    if isinstance(task, Classification):
        loss = resolved_loss(recipe.loss, recipe.hard_weight, student)
    correction = recipe.correction
    return table_lesson(train, task, student, record, loss=loss, correction=correction)
