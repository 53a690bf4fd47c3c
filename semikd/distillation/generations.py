"""Self-distillation: a student that becomes the teacher of the next one."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._learners import (
    check_learners,
    refuse_shown,
    resolved_loss,
    suited_source,
)
from semikd._progress import silent
from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_labels, checked_table
from semikd._validation import Shown, count, counted, invalid, sample_weights
from semikd.corrections import Correction
from semikd.crossfit.copies import reopened
from semikd.crossfit.folds import Rows
from semikd.crossfit.given import drawn_folds
from semikd.crossfit.inputs import check_workers, describe_rows
from semikd.crossfit.rows import Hashes
from semikd.distillation._generation_folds import SharedFolds, rounds_of
from semikd.distillation.lineage import Breed, Lineage
from semikd.label_aware import named_correction
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students import Student, StudentSize, TorchStudent, new_student
from semikd.students.beside import check_given
from semikd.teachers import TorchClassifier

__all__ = ["SelfDistilledClassifier"]


class SelfDistilledClassifier(SharedFolds):
    r"""Generations of one model, each distilled from the one before.

    .. math:: \hat f^{(g)} = \arg\min_f \sum_i w_i\, \ell\bigl(f(x_i);
       \tau(\hat p^{(g - 1)}_i, y_i)\bigr), \qquad g = 1, \dots, G

    where :math:`\hat p^{(0)}` is the teacher's and :math:`\hat p^{(g)}` that of the
    student of generation g. Labels stay honest through all generations: what labels row
    i saw neither its outcome nor a label made by a model that did, so that each model
    labels folds that it, and all its ancestors, did without.

    It is a classifier: it answers by its last student, and as a teacher
    (``DistilledClassifier(SelfDistilledClassifier())``) it cross-fits.

    Parameters
    ----------
    teacher : classifier, optional
        The first generation; by default ``TorchClassifier()``.
    student : estimator, optional
        All later ones, as ``DistilledClassifier`` takes it; by default
        ``TorchStudent()``, the same network born again. Whatever it is, each model has
        a seed of its own, drawn from ``random_state``.
    n_generations : int, default=1
        G, students one after the other. The folds must be more than G; G + 2 or more
        are shared with an outer cross-fit.
    loss : str or DistillationLoss, default='auto'
        The scale, as in ``DistilledClassifier``.
    correction : str, float or Correction, default='none'
        How far targets move towards the outcomes in each generation. Mixing labels in
        keeps generations from forgetting them.
    cv : int, splitter, fold ids, (train, test) pairs or 'in-sample', default=5
        Folds of a fit. 'in-sample' is the published form: each model labels the rows
        that it learned from. Fold ids and pairs are those of the rows it is fitted to:
        a teacher inside another distillation sees fewer, and needs a number.
    n_jobs : int, optional
        Workers over models.
    random_state : int, generator or None, default=None
        Seed of folds and of all models.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    student_ : estimator
        The last student.
    size_ : StudentSize
        Leaves or coefficients, and bytes, of it.
    loss_ : DistillationLoss
        The scale of its scores.
    generations_ : tuple of ndarray of shape (n, k)
        What each generation but the last said of the rows, by models that did without
        them; it shows whether a generation is better than the one before.
    row_hash_ : ndarray of uint64
        Hash of the content of each row that it was fitted to; ``model_labels`` gives
        these no label.
    n_features_in_ : int
        Number of columns seen in the fit.

    Raises
    ------
    ValueError, TypeError
        On bad values, folds that are too few or leave rows out, or learners that cannot
        do what is asked, before any fit.

    See Also
    --------
    semikd.teachers.EnsembleTeacher : Networks side by side, in place of in line.

    Notes
    -----
    With K folds a fit trains one last student, K of the generation before, K(K - 1)/2
    of the one before that and so on, not K to the power of G; the first teachers learn
    from (K - G)/K of the rows. Cross-fitted over K ≥ G + 2 folds it uses those folds
    themselves: K last students, K(K - 1)/2 before them. Over folds that do not divide
    the rows, or too few of them, each copy is fitted with folds of its own.

    References
    ----------
    .. [1] T. Furlanello, Z. C. Lipton, M. Tschannen, L. Itti and A. Anandkumar,
       "Born-Again Neural Networks", ICML 2018 (generations; labels there are in-sample;
       honest ones are this library's). Not read; known from descriptions.
    .. [2] Z. Allen-Zhu and Y. Li, "Towards Understanding Ensemble, Knowledge
       Distillation and Self-Distillation in Deep Learning", ICLR 2023 (abstract).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.distillation import SelfDistilledClassifier
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=4)
    >>> forest = RandomForestClassifier(5)
    >>> model = SelfDistilledClassifier(forest, tree, n_generations=2, random_state=0)
    >>> model.fit(X, X[:, 0] > 0).size_.leaves
    4
    >>> len(model.generations_)
    2
    """

    classes_: NDArray[Any]
    generations_: tuple[FloatArray, ...]
    loss_: DistillationLoss
    row_hash_: Hashes
    size_: StudentSize

    def __init__(
        self,
        teacher: Any = None,
        student: Any = None,
        *,
        n_generations: int = 1,
        loss: str | DistillationLoss = "auto",
        correction: str | float | Correction = "none",
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.n_generations = n_generations
        self.loss = loss
        self.correction = correction
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Raise all generations, and keep the last student.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Covariates, as teacher and student take them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.
        groups : array-like of shape (n,), optional
            No group is divided between folds.

        Returns
        -------
        SelfDistilledClassifier
        """
        X, labels = checked_table(self, X), checked_labels(X, y)
        rows, breed = self._described(X, labels, sample_weight, groups)
        fold_seed, seed = spawn_seeds(self.random_state, 2)
        if breed.in_sample:
            folds = [rows.active]
        else:
            folds = self._folds(rows, X, labels, fold_seed)
        every: frozenset[int] = frozenset()
        grown = Lineage(
            X,
            labels,
            rows,
            folds,
            breed,
            [every],
            seed=seed,
            n_jobs=self.n_jobs,
            progress=silent,
        )
        self.generations_ = grown.labels
        return self._adopt(grown.students[every], breed, rows, rows.active)

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities of the last student, shape (n, k)."""
        check_is_fitted(self)
        scores = self._student.scores(checked_table(self, X, reset=False))
        return np.asarray(self.loss_.probabilities(scores))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _parts(self) -> tuple[Any, Any]:
        """Return teacher and student, or what stands in for them, their seeds open."""
        teacher = TorchClassifier() if self.teacher is None else self.teacher
        student = TorchStudent() if self.student is None else self.student
        return teacher, student

    def _described(
        self, X: Any, labels: NDArray[Any], sample_weight: Any, groups: Any
    ) -> tuple[Rows, Breed]:
        """Return what is known of the rows, and of the models, all checked."""
        count("n_generations", self.n_generations)
        check_workers(self.n_jobs)
        teacher, given = self._parts()
        refuse_shown(given)
        weights = sample_weights(sample_weight, len(labels))
        student = new_student(given, len(labels), weights, 0)
        loss = resolved_loss(self.loss, 0.0, student)
        correction = named_correction(self.correction)
        n_classes = len(np.unique(labels))
        correction.require(loss, n_classes=n_classes, X=X)
        student.require(loss, weighted=weights is not None, n_classes=n_classes)
        in_sample = isinstance(self.cv, str) and self.cv == "in-sample"
        if isinstance(self.cv, str) and not in_sample:
            raise invalid("cv", "be folds or 'in-sample'", self.cv)
        suited_source(self.cv, correction)
        check_learners(X, teacher, student, weights, cv=5, classification=True)
        check_given(student, X, weights)
        rows = describe_rows(X, labels, teacher, groups=groups, sample_weight=weights)
        breed = Breed(
            reopened(teacher),
            reopened(given),
            self.n_generations,
            loss,
            correction,
            in_sample,
        )
        return rows, breed

    def _folds(
        self, rows: Rows, X: Any, y: NDArray[Any], seed: int
    ) -> list[NDArray[np.intp]]:
        """Return folds that divide the rows, more than there are generations."""
        (folds,) = drawn_folds(self.cv, rows, X, y, seed=seed)
        if len(folds) <= self.n_generations:
            shown = Shown(f"{len(folds)} for {self.n_generations}")
            remedy = "The first teachers do without one fold for each generation"
            raise invalid("cv", "have more folds than generations", shown, remedy)
        if len(rounds_of(folds, rows)) != 1:
            kept = len(rows.active) - len(
                np.unique(np.concatenate([f.test for f in folds]))
            )
            shown = Shown(f"{counted(kept, 'row')} in none, or a gap around one")
            remedy = "Use a number of folds, or blocks of rows"
            raise invalid("cv", "divide the rows into folds", shown, remedy)
        return [fold.test for fold in folds]

    def _adopt(
        self, student: Student, breed: Breed, rows: Rows, at: NDArray[np.intp]
    ) -> Self:
        """Take a student as one's own, fitted with all before it to these rows."""
        self.row_hash_ = rows.hashes[at]
        self._student, self.student_ = student, student.learner
        self.size_, self.loss_ = student.size(), breed.loss
        self.classes_ = np.asarray(rows.classes)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether there is a last student."""
        return hasattr(self, "student_")

    def __sklearn_tags__(self) -> Any:
        """Take from teacher and student what both can do."""
        tags = super().__sklearn_tags__()
        reads = [get_tags(part).input_tags for part in self._parts()]
        for name in ("allow_nan", "categorical", "string", "sparse"):
            setattr(tags.input_tags, name, all(getattr(one, name) for one in reads))
        return tags
