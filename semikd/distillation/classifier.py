"""Distillation as the paper states it: teachers label, targets move, students learn.

Labels come from cross-fitting and targets from a correction on the scale of a loss;
vanilla, cross-fitted and corrected distillation are arguments, not classes.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from semikd._learners import check_online, resolved_loss
from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_labels
from semikd._validation import sample_weights
from semikd.corrections import Correction
from semikd.distillation.algorithm import Distilled
from semikd.distillation.names import named_teacher
from semikd.distillation.population import Population
from semikd.label_aware import named_correction
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray, one_hot
from semikd.students import new_student
from semikd.students._decision import chosen, decisions, log_probabilities
from semikd.synthetic import SyntheticRows

__all__ = ["DistilledClassifier"]


class DistilledClassifier(ClassifierMixin, Distilled):
    r"""A small classifier that learns what a large one says of rows it did not see.

    .. math:: \hat f = \arg\min_f \sum_i w_i \bigl\{ \ell(f(x_i);
       \varphi(\hat p_i) + \Lambda(x_i) J_\varphi(\hat p_i)(y_i - \hat p_i))
       + h\,\mathrm{CE}(f(x_i), y_i) \bigr\}

    where :math:`\hat p_i` comes from a teacher that never saw row i.

    Parameters
    ----------
    teacher : classifier or str, optional
        The large model, by default ``BoostingTeacher``; or the name of one, see
        ``semikd.distillation.named_teacher``.
    student : estimator or str, optional
        The small model: a regressor of means, ``LogisticRegression``, a Pipeline or one
        of this library, or the name of one, see ``semikd.students.named_student``; by
        default a tree of at most 128 leaves, of weight 5 or more.
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
    online_labels : bool, default=False
        Whether the fold networks label the rows as a network student is shown them,
        augmented by ``training.augment``, in place of labels made beforehand.
    synthetic : SyntheticRows or {'neighbours', 'columns', 'bootstrap'}, optional
        How rows are made up that the student learns from too, labelled by teachers.
    class_weight : dict, 'balanced' or 'label-shift', optional
        Factors by which classes count: the teacher's labels, at least 1 / (n + k) for
        n distinct rows, are shifted (if factors differ), the student's rows weighted
        (rows without labels by the factor to expect). 'label-shift' takes the shares of
        classes among the ``unlabelled`` rows, by `semikd.transfer.estimated_priors`.
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
    priors_ : ClassPriors or None
        Shares of classes here and among the unlabelled rows, for 'label-shift'.
    n_added_ : int
        Unlabelled and synthetic rows that the student learned from.
    n_features_in_, feature_names_in_ : int and ndarray of shape (d,)
        Number of columns seen in the fit, and their names, if any.

    Raises
    ------
    ValueError, TypeError
        On bad values, or learners that cannot do what is asked, before any fit.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021. Moving the target, in place of the loss, is
       equivalent.

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
        online_labels: bool = False,
        synthetic: SyntheticRows | str | None = None,
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
        self.online_labels = online_labels
        self.synthetic = synthetic
        self.class_weight = class_weight
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
        X : array-like, sparse matrix or data frame of shape (n, d)
            Covariates, as teacher and student take them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows, for teacher and student.
        groups : array-like of shape (n,), optional
            No group is divided between folds; an estimated correction counts groups.
        unlabelled : array-like, sparse matrix or data frame of shape (n_new, d)
            Rows without labels, optional: the mean of the fold teachers labels them
            (copies of a row of X: the teachers that did not see it). Each counts as
            much as a row of X on average.

        Returns
        -------
        DistilledClassifier
        """
        X, y = self._table(X), checked_labels(X, y)
        weights = sample_weights(sample_weight, len(y))
        classes, codes = np.unique(y, return_inverse=True)
        label_seed, student_seed, draw_seed = spawn_seeds(self.random_state, 3)
        teacher = self.resolved_teacher()
        student = new_student(self.student, len(y), weights, student_seed)
        loss = resolved_loss(self.loss, self.hard_weight, student)
        correction = named_correction(self.correction)
        correction.require(loss, n_classes=len(classes), X=X)
        more = self._more_rows(X, unlabelled)
        known = Population.asked_for(
            self.class_weight,
            y,
            classes,
            weights,
            unlabelled=more.unlabelled is not None,
        )
        weighted = known is None or known.counted(weights, codes) is not None
        weighted = weighted or more.weighs
        student.require(loss, weighted=weighted, n_classes=len(classes))
        self._check(X, more, teacher, student, weights, classification=True)
        if self.online_labels:
            check_online(teacher, student, self.cv, self.class_weight)
        record = self._label(
            teacher, X, y, weights, groups, label_seed, more, student, classes
        )
        added = more.label(
            record, X, weights=weights, groups=groups, random_state=draw_seed
        )
        population = known or Population.of_unlabelled(added, y, weights)
        labels = population.labels(record, record.prediction, weights)
        counts = population.counted(weights, codes)
        added = tuple(population.added(rows, record, weights) for rows in added)
        outcome = one_hot(codes, len(classes))
        self._learn(
            student, loss, correction, X, record, labels, outcome, counts, groups, added
        )
        self.classes_, self.priors_ = classes, population.priors
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
        """Return the teacher, that of a name, or the default one."""
        return named_teacher(self.teacher)
