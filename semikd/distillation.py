"""Distillation as the paper states it: teachers label, targets move, students learn.

Labels come from cross-fitting and targets from a correction on the scale of a loss;
vanilla, cross-fitted and corrected distillation are arguments, not classes.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._learners import (
    check_learners,
    check_record,
    counted_weights,
    is_estimator,
    labelled_rows,
    resolved_loss,
    shifted_labels,
    suited_source,
    with_reason,
)
from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_labels, checked_table, class_factors
from semikd._validation import sample_weights
from semikd.corrections import Correction, get_correction
from semikd.crossfit import OutOfFold, cross_fit, take_rows
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray, one_hot
from semikd.students import Student, new_student
from semikd.students._decision import chosen, decisions, log_probabilities
from semikd.teachers import BoostingTeacher

__all__ = ["Distilled", "DistilledClassifier"]


class Distilled(BaseEstimator):
    """The paper's algorithm, shared by the classifier and the regressor."""

    correction_: Correction
    loss_: DistillationLoss

    def _label(
        self,
        teacher: Any,
        X: Any,
        y: NDArray[Any],
        weights: FloatArray | None,
        groups: Any,
        seed: int,
        classes: NDArray[Any] | None = None,
    ) -> OutOfFold:
        """Let teachers label the rows they did not see, or take the labels brought."""
        cv = suited_source(self.cv, get_correction(self.correction))
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
            new_rows="none",  # a small model carries no large ones
            n_jobs=self.n_jobs,
            random_state=seed,
        )
        return with_reason(record, self.cv, cv)

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
    ) -> Self:
        """Move each label towards the outcome; let the student learn these targets."""
        rows = labelled_rows(labels, weights)
        X, labels, outcome = take_rows(X, rows), labels[:, rows], outcome[rows]
        complexity = student.complexity(
            len(rows), self.n_features_in_, loss.n_outputs(outcome.shape[1])
        )
        targets = [
            correction.target(p, outcome, loss=loss, complexity=complexity, X=X)
            for p in labels
        ]
        # A repeat that left a row out has no say in its target.
        target = np.nanmean(targets, axis=0)
        student.require(loss, target)
        target = loss.with_labels(target, outcome)
        weights = None if weights is None else weights[rows]
        student.fit_target(X, target, loss=loss, sample_weight=weights)
        # All at once, and last: a failed fit leaves the model (not its known columns).
        self.size_ = student.size()
        self._student, self.student_ = student, student.learner
        self.labels_, self.loss_, self.correction_ = record, loss, correction
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
        parts = [part for part in self._parts() if is_estimator(part)]
        inputs = [get_tags(part).input_tags for part in parts]
        tags.input_tags.sparse = all(part.sparse for part in inputs)
        tags.input_tags.allow_nan = all(part.allow_nan for part in inputs)
        return tags

    def _parts(self) -> tuple[Any, Any]:
        """Return teacher and student, or what stands in for them."""
        student = DecisionTreeRegressor() if self.student is None else self.student
        return self.resolved_teacher(), student


class DistilledClassifier(ClassifierMixin, Distilled):
    r"""A small classifier that learns what a large one says of rows it did not see.

    .. math:: \hat f = \arg\min_f \sum_i w_i \bigl\{ \ell(f(x_i);
       \varphi(\hat p_i) + \Lambda(x_i) J_\varphi(\hat p_i)(y_i - \hat p_i))
       + h\,\mathrm{CE}(f(x_i), y_i) \bigr\}

    where :math:`\hat p_i` comes from a teacher that never saw row i.

    Parameters
    ----------
    teacher : classifier, optional
        The large model; by default ``BoostingTeacher``.
    student : estimator, optional
        The small model: a regressor of means, ``LogisticRegression``, a Pipeline or one
        of this library; by default a tree of at most 128 leaves, of weight 5 or more.
    loss : str or DistillationLoss, default='auto'
        The scale: 'probability', 'log_probability', 'cross_entropy' or a loss. 'auto'
        is 'probability' for a student fitted by squares and 'cross_entropy' for a
        linear one or a network.
    correction : {'none', 'orthogonal'}, float or Correction, default='none'
        :math:`\Lambda`: 0 for 'none', 1 for 'orthogonal', a constant mix for a number.
    hard_weight : float, default=0.0
        h, the weight of the hard-label term, for students that minimise cross-entropy.
    cv : int, splitter, folds, str or OutOfFold, default=5
        Who labels which row, as in ``cross_fit``: 'oob' and 'loo' cost about one fit,
        'auto' takes one of them where it is valid; 'in-sample' is vanilla distillation.
    n_repeats : int, default=1
        Number of divisions into folds; targets are averaged.
    class_weight : dict or 'balanced', optional
        Factors by which classes count: the teacher's labels, at least 1 / (n + k) for
        n distinct rows, are shifted (if factors differ), the student's rows weighted.
    n_jobs : int, optional
        Workers over folds; the result does not depend on it.
    random_state : int, generator or None, default=None
        Seed of folds, teachers and student; seeds that they fix themselves stay.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    student_ : estimator
        The fitted student, for instance a ``DecisionTreeRegressor``.
    labels_ : OutOfFold
        The teachers' labels with folds; a record passed as ``cv`` keeps its teachers.
    loss_ : DistillationLoss
        The scale of the fitted scores.
    correction_ : Correction
        The rule for :math:`\Lambda`.
    size_ : StudentSize
        Leaves or coefficients, and bytes, of the student.
    n_features_in_, feature_names_in_ : int and ndarray of shape (d,)
        Number of columns seen in the fit, and their names, if any.

    Raises
    ------
    ValueError, TypeError
        On bad values, or learners that cannot do what is asked, before any fit.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021. Moving the target, not the loss, is equivalent.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import DistilledClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=8)
    >>> DistilledClassifier(student=tree, random_state=0).fit(X, y).size_.leaves
    8
    """

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        loss: str | DistillationLoss = "auto",
        correction: str | float | Correction = "none",
        hard_weight: float = 0.0,
        cv: Any = 5,
        n_repeats: int = 1,
        class_weight: Any = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.loss = loss
        self.correction = correction
        self.hard_weight = hard_weight
        self.cv = cv
        self.n_repeats = n_repeats
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Distil: label each row by a teacher that did not see it, correct, learn.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n, d)
            Covariates, as teacher and student take them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, for teacher and student.
        groups : array-like of shape (n,), optional
            No group is divided between folds.

        Returns
        -------
        DistilledClassifier
        """
        X, y = checked_table(self, X), checked_labels(X, y)
        weights = sample_weights(sample_weight, len(y))
        classes, codes = np.unique(y, return_inverse=True)
        factors = class_factors(self.class_weight, y, classes, weights)
        counts = counted_weights(weights, factors[codes])
        label_seed, student_seed = spawn_seeds(self.random_state, 2)
        teacher = self.resolved_teacher()
        student = new_student(self.student, len(y), weights, student_seed)
        loss = resolved_loss(self.loss, self.hard_weight, student)
        correction = get_correction(self.correction)
        student.require(loss, weighted=counts is not None, n_classes=len(classes))
        check_learners(X, teacher, student, weights, cv=self.cv, classification=True)
        record = self._label(teacher, X, y, weights, groups, label_seed, classes)
        labels = shifted_labels(record, factors, weights)
        outcome = one_hot(codes, len(classes))
        self._learn(student, loss, correction, X, record, labels, outcome, counts)
        self.classes_ = classes
        return self

    def decision_function(self, X: Any) -> FloatArray:
        """Return scores that are largest for the predicted class, (n,) or (n, m).

        For two classes one number, positive where the second is predicted.
        """
        scores = self._scores(X)
        return decisions(self.loss_, scores)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        scores = self._scores(X)
        return np.asarray(self.loss_.probabilities(scores))

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return the logarithm of ``predict_proba``; -inf where that is 0."""
        return log_probabilities(self.predict_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        codes = chosen(self.decision_function(X))
        return np.asarray(self.classes_[codes])

    def resolved_teacher(self) -> Any:
        """Return the teacher, or the default one."""
        return BoostingTeacher() if self.teacher is None else self.teacher
