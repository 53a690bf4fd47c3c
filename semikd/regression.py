"""The regression twin of distillation: the same steps, on means."""

from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils import get_tags

from semikd._learners import check_outputs
from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_outcomes
from semikd._validation import sample_weights
from semikd.corrections import Correction
from semikd.crossfit.learners import is_estimator
from semikd.distillation import Distilled
from semikd.label_aware import named_correction
from semikd.losses import IdentityLoss
from semikd.simplex import FloatArray
from semikd.students import new_student
from semikd.students.regressor import one_for_each
from semikd.synthetic import SyntheticRows
from semikd.teachers import BoostingRegressorTeacher

__all__ = ["DistilledRegressor"]


class DistilledRegressor(RegressorMixin, Distilled):
    r"""A small regressor that learns what a large one says of rows it did not see.

    .. math:: \hat f = \arg\min_f \sum_i w_i \bigl(f(x_i)
       - \hat\mu_i - \Lambda(x_i)(y_i - \hat\mu_i)\bigr)^2

    Parameters
    ----------
    teacher : regressor, optional
        The large model; by default boosting that stops early, for each outcome.
    student : regressor, optional
        The small model; by default a tree of at most 128 leaves.
    correction : {'none', 'orthogonal'}, float or Correction, default='none'
        :math:`\Lambda`; 'orthogonal' trains on the outcomes themselves.
    cv : int, splitter, folds, str or OutOfFold, default=5
        Who labels which row, as in ``cross_fit``: 'oob' and 'loo' cost about one fit,
        'auto' takes one of them where it is valid; 'in-sample' is vanilla distillation.
    n_repeats : int, default=1
        Number of divisions into folds; targets are averaged.
    synthetic : SyntheticRows or {'neighbours', 'columns', 'bootstrap'}, optional
        How rows are made up that the student learns from too, labelled by teachers.
    n_jobs : int, optional
        Workers over folds; the result does not depend on it.
    random_state : int, generator or None, default=None
        Seed of folds, teachers and student.

    Attributes
    ----------
    student_ : estimator
        The fitted student.
    labels_ : OutOfFold
        The teacher's labels with folds; pass a record as ``cv`` to keep teachers.
    loss_ : DistillationLoss
        The identity scale.
    correction_ : Correction
        The rule for :math:`\Lambda`.
    size_ : StudentSize
        Leaves or coefficients, and bytes, of the student.
    n_added_ : int
        Unlabelled and synthetic rows that the student learned from.
    n_features_in_ : int
        Number of columns seen in the fit.
    feature_names_in_ : ndarray of shape (d,)
        Names of the columns, if any.

    References
    ----------
    .. [1] T. Dao et al., "Knowledge Distillation as Semiparametric Inference",
       ICLR 2021, is about classification; this is the same recipe on means.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd import DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> small = DistilledRegressor(
    ...     Ridge(), DecisionTreeRegressor(max_leaf_nodes=6), random_state=0
    ... )
    >>> small.fit(X, y).predict(X[:2]).shape
    (2,)
    """

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        correction: str | float | Correction = "none",
        cv: Any = 5,
        n_repeats: int = 1,
        synthetic: SyntheticRows | str | None = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.correction = correction
        self.cv = cv
        self.n_repeats = n_repeats
        self.synthetic = synthetic
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        unlabelled: Any = None,
    ) -> Self:
        """Distil: label each row by a teacher that did not see it, correct, learn.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Covariates, as teacher and student take them.
        y : array-like of shape (n,) or (n, m)
            Outcomes.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, for teacher and student.
        groups : array-like of shape (n,), optional
            No group is divided between folds; an estimated correction counts groups.
        unlabelled : array-like or data frame of shape (n_new, d), optional
            Rows without outcomes: the mean of the fold teachers labels them (copies of
            a row of X: the teachers that did not see it). Each counts as much as a row
            of X on average.

        Returns
        -------
        DistilledRegressor
        """
        X, y = self._table(X), checked_outcomes(X, y)
        weights = sample_weights(sample_weight, len(y))
        label_seed, student_seed, draw_seed = spawn_seeds(self.random_state, 3)
        student = new_student(self.student, len(y), weights, student_seed)
        correction, loss = named_correction(self.correction), IdentityLoss()
        correction.require(loss)
        more = self._more_rows(X, unlabelled)
        student.require(loss, weighted=weights is not None or more.weighs)
        teacher, outcome = self.resolved_teacher(), y[:, None] if y.ndim == 1 else y
        if self.teacher is None and y.ndim == 2:
            teacher = one_for_each(teacher)
        self._check(X, more, teacher, student, weights, classification=False)
        check_outputs(teacher, self.cv, outcome.shape[1])
        record = self._label(teacher, X, y, weights, groups, label_seed, more, student)
        labels = record.prediction
        added = more.label(
            record, X, weights=weights, groups=groups, random_state=draw_seed
        )
        self._learn(
            student,
            loss,
            correction,
            X,
            record,
            labels,
            outcome,
            weights,
            groups,
            added,
        )
        self._single = y.ndim == 1
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the predicted mean of each row, shape (n,) or (n, m)."""
        scores = self._scores(X)
        return scores[:, 0] if self._single else scores

    def __sklearn_tags__(self) -> Any:
        """Take from the teacher whether several outcomes are fine."""
        tags = super().__sklearn_tags__()
        teacher, _ = self._parts()
        if is_estimator(teacher):
            several = get_tags(teacher).target_tags.multi_output
            tags.target_tags.multi_output = several or self.teacher is None
        # Not even where both parts take sparse tables: scikit-learn's iterative sparse
        # regressions keep "a weight equals a repetition" only to their own tolerance.
        tags.input_tags.sparse = False
        return tags

    def resolved_teacher(self) -> Any:
        """Return the teacher, or the default one."""
        return BoostingRegressorTeacher() if self.teacher is None else self.teacher
