"""Copies of one teacher that differ in their seeds alone, and what they average to."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import delayed
from sklearn.utils.validation import check_is_fitted

from semikd._progress import Reporter
from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_labels, checked_table
from semikd._validation import Shown, choose, count, invalid, number, sample_weights
from semikd._workers import in_workers
from semikd.crossfit import fit_learner, n_rows, seeded_clone
from semikd.crossfit.copies import reopened, same_columns, seed_names
from semikd.crossfit.learners import (
    check_teacher,
    predict_outputs,
    probabilities,
)
from semikd.simplex import FloatArray
from semikd.teachers._pool import Pool
from semikd.teachers.network import TorchClassifier

__all__ = ["EnsembleTeacher"]

Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


class EnsembleTeacher(ClassifierMixin, BaseEstimator):
    r"""Copies of one teacher with seeds of their own, averaged.

    .. math:: \hat p = \frac1M \sum_m \hat p^{(m)}
       \qquad\text{or}\qquad
       \hat p \propto \exp\Bigl(\frac1M \sum_m \log \hat p^{(m)}\Bigr)

    Networks that start elsewhere learn other features of the same rows; their mean
    knows more than each, and a single student can learn what the mean says. Members
    that agree average to themselves.

    Parameters
    ----------
    teacher : classifier, optional
        What is copied: anything with ``predict_proba`` and a ``random_state``, which
        each copy has its own of. None means ``TorchClassifier()``, whose copies are
        trained as one batch.
    n_members : int, default=5
        Number M of copies. One is the teacher itself, but for its seed, which comes
        from ``random_state`` as those of all copies do.
    mean : {'probability', 'log_probability'}, default='probability'
        What is averaged. The mean of log-probabilities is the geometric one,
        normalised: for two classes the mean of log-odds.
    floor : float, default=1e-6
        For 'log_probability' probabilities are mixed with the uniform distribution
        until none is below it, before and after.
    n_jobs : int, optional
        Workers over members, for teachers that are not trained in a batch.
    random_state : int, generator or None, default=None
        From which the members' seeds are drawn.

    Attributes
    ----------
    members_ : tuple of classifiers
        The fitted copies.
    classes_ : ndarray of shape (k,)
        Class labels.
    n_features_in_ : int
        Number of columns seen in the fit.

    Raises
    ------
    ValueError
        If a number is out of its range, or the teacher has no ``random_state``: all
        copies would be one.

    See Also
    --------
    semikd.StackedTeacher : Different teachers, with weights that they have earned.
    semikd.distillation.SelfDistilledClassifier : Generations, each taught by the last.

    Notes
    -----
    Cross-fitted, every fold has members of its own. Where the teacher has a
    ``cross_fit_proba``, as networks have, the M · K of all folds are one batch.

    References
    ----------
    .. [1] Z. Allen-Zhu and Y. Li, "Towards Understanding Ensemble, Knowledge
       Distillation and Self-Distillation in Deep Learning", ICLR 2023: the abstract was
       read. It averages what networks of other seeds say; that both means are on offer
       is this library's.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import ExtraTreeClassifier
    >>> from semikd.teachers import EnsembleTeacher
    >>> X = np.arange(20.0)[:, None]
    >>> teacher = EnsembleTeacher(ExtraTreeClassifier(max_depth=2), random_state=0)
    >>> len(teacher.fit(X, X[:, 0] > 9).members_)
    5
    """

    def __init__(
        self,
        teacher: Any = None,
        *,
        n_members: int = 5,
        mean: str = "probability",
        floor: float = 1e-6,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.n_members = n_members
        self.mean = mean
        self.floor = floor
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit every member to all rows.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d), or images (n, c, h, w)
            Covariates, as the teacher takes them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        EnsembleTeacher
        """
        member = self._member()
        X = checked_table(self, X)
        labels = checked_labels(X, y)
        weights = sample_weights(sample_weight, len(labels))
        if hasattr(member, "cross_fit_proba"):
            every = np.arange(n_rows(X))
            folds = [(every, every[:1])] * self.n_members
            seed = spawn_seeds(self.random_state, 1)[0]
            options = {"sample_weight": weights, "random_state": seed}
            fitted = member.cross_fit_proba(X, labels, folds, **options)[1]
        else:
            seeds = spawn_seeds(self.random_state, self.n_members)
            tasks = (
                delayed(fit_learner)(seeded_clone(member, seed), X, labels, weights)
                for seed in seeds
            )
            fitted = in_workers(tasks, self.n_jobs)
        self.members_: tuple[Any, ...] = tuple(fitted)
        self.classes_ = np.unique(labels)
        return self

    @available_if(lambda self: hasattr(self._copied(), "cross_fit_proba"))  # type: ignore[untyped-decorator]
    def cross_fit_proba(
        self,
        X: Any,
        y: ArrayLike,
        folds: Folds,
        *,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        random_state: RandomState = None,
        progress: Reporter | None = None,
    ) -> tuple[list[FloatArray], list[Self]]:
        """Label the test rows of all folds, the members of all of them as one batch.

        Parameters
        ----------
        X, y : array-like
            All rows and their labels.
        folds : list of (train, test)
            Positions of the rows of each fold.
        sample_weight, groups : array-like of shape (n,), optional
            Weights, and groups that the early stopping of a member does not divide.
        random_state : int, generator or None
            Seed of the members, unless the ensemble has one of its own.
        progress : callable, optional
            Called with a step as each epoch starts.

        Returns
        -------
        labels : list of ndarray of shape (n_test, k)
            Columns are the classes of the fold's members.
        teachers : list of EnsembleTeacher
        """
        member = self._member()
        X, labels = checked_table(self, X), np.asarray(y)
        first = random_state if self.random_state is None else self.random_state
        said, fitted = member.cross_fit_proba(
            X,
            labels,
            [fold for fold in folds for _ in range(self.n_members)],
            sample_weight=sample_weight,
            groups=groups,
            random_state=first,
            progress=progress,
        )
        answers, teachers = [], []
        for at in range(0, len(fitted), self.n_members):
            own = slice(at, at + self.n_members)
            answers.append(self._average(list(said[own])))
            teachers.append(self._twin(tuple(fitted[own])))
        return answers, teachers

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        check_is_fitted(self)
        X = checked_table(self, X, reset=False)
        each = [predict_outputs(one, X, self.classes_)[0] for one in self.members_]
        return self._average(each)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _average(self, answers: list[FloatArray]) -> FloatArray:
        """Return the mean of what members say, shape (n, k)."""
        k = answers[0].shape[1]
        if self.mean == "probability":
            return probabilities(np.mean(answers, axis=0))
        slopes = np.full((len(answers), k), 1.0 / len(answers))
        return Pool(slopes, np.zeros(k), self.floor)(answers, None)

    def _twin(self, members: tuple[Any, ...]) -> Self:
        """Return a copy of the ensemble with members of its own."""
        twin: Self = same_columns(self)
        twin.members_, twin.classes_ = members, members[0].classes_
        return twin

    def _copied(self) -> Any:
        """Return the teacher to copy."""
        return TorchClassifier() if self.teacher is None else self.teacher

    def _parts(self) -> tuple[Any, ...]:
        """Return the learners that read the rows."""
        return (self._copied(),)

    def _member(self) -> Any:
        """Return the teacher to copy, having checked the settings."""
        count("n_members", self.n_members)
        choose("mean", self.mean, dict.fromkeys(("probability", "log_probability")))
        number("floor", self.floor, low=0.0, high=0.01, open_low=True)
        member = self._copied()
        check_teacher(member, classification=True)
        if self.n_members > 1 and not seed_names(member):
            remedy = "Copies of it would agree: use n_members=1, or StackedTeacher"
            shown = Shown(type(member).__name__)
            raise invalid("teacher", "have a random_state", shown, remedy)
        return reopened(member)

    def __sklearn_tags__(self) -> Any:
        """Say that the input is what the teacher takes."""
        tags = super().__sklearn_tags__()
        reads = get_tags(self._copied()).input_tags
        for name in ("allow_nan", "categorical", "string", "sparse"):
            setattr(tags.input_tags, name, getattr(reads, name))
        return tags
