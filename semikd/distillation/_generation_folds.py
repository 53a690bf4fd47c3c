"""The folds of a cross-fit, shared by all generations of a self-distillation."""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from semikd._progress import Reporter, silent
from semikd._random import RandomState, spawn_seeds
from semikd._tables import checked_labels, checked_table
from semikd.crossfit import take_rows
from semikd.crossfit.copies import same_columns
from semikd.crossfit.folds import Fold, Rows
from semikd.distillation.lineage import Breed, Lineage
from semikd.simplex import FloatArray
from semikd.students import Student

Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]


class SharedFolds(ClassifierMixin, BaseEstimator):
    """The hook by which cross-fitting has all generations share its folds."""

    n_generations: int
    n_jobs: int | None
    random_state: RandomState

    @abstractmethod
    def _described(
        self, X: Any, labels: NDArray[Any], sample_weight: Any, groups: Any
    ) -> tuple[Rows, Breed]:
        """Return what is known of the rows, and of the models, all checked."""

    @abstractmethod
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Raise all generations, and keep the last student."""

    @abstractmethod
    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities of the last student, shape (n, k)."""

    @abstractmethod
    def _adopt(
        self, student: Student, breed: Breed, rows: Rows, at: NDArray[np.intp]
    ) -> Self:
        """Take a student as one's own, fitted with all before it to these rows."""

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
        """Label the test rows of all folds, the models of which are shared.

        Parameters
        ----------
        X, y : array-like
            All rows and their labels.
        folds : list of (train, test)
            Positions of the rows of each fold.
        sample_weight, groups : array-like of shape (n,), optional
            Weights and groups.
        random_state : int, generator or None
            Seed of all models, unless there is one of its own.
        progress : callable, optional
            Called with a step as each first teacher starts.

        Returns
        -------
        labels : list of ndarray of shape (n_test, k)
            Columns are all classes.
        teachers : list of SelfDistilledClassifier
        """
        X, labels = checked_table(self, X), checked_labels(X, y)
        rows, breed = self._described(X, labels, sample_weight, groups)
        first = random_state if self.random_state is None else self.random_state
        given = [Fold(*fold) for fold in folds]
        answers: list[FloatArray] = []
        teachers: list[Self] = []
        rounds = rounds_of(given, rows)
        for own, seed in zip(rounds, spawn_seeds(first, len(rounds)), strict=True):
            if len(own) < self.n_generations + 2 or breed.in_sample:
                teachers += [self._alone(X, labels, rows, fold, seed) for fold in own]
                continue
            grown = Lineage(
                X,
                labels,
                rows,
                [fold.test for fold in own],
                breed,
                [frozenset({t}) for t in range(len(own))],
                seed=seed,
                n_jobs=self.n_jobs,
                progress=progress or silent,
            )
            for t, fold in enumerate(own):
                twin: Self = same_columns(self)
                student = grown.students[frozenset({t})]
                teachers.append(twin._adopt(student, breed, rows, fold.train))
        for one, fold in zip(teachers, given, strict=True):
            answers.append(one.predict_proba(take_rows(X, fold.test)))
        return answers, teachers

    def _alone(
        self, X: Any, labels: NDArray[Any], rows: Rows, fold: Fold, seed: int
    ) -> Self:
        """Return a copy that is fitted to the rows of one fold, by folds of its own."""
        at = fold.train
        twin: Self = type(self)(**self.get_params(deep=False))
        twin.random_state = seed
        return twin.fit(
            take_rows(X, at),
            labels[at],
            None if rows.weights is None else rows.weights[at],
            None if rows.groups is None else rows.groups[at],
        )


def rounds_of(folds: list[Fold], rows: Rows) -> list[list[Fold]]:
    """Return folds that divide the rows together; any other fold is by itself."""
    whole, found, at = len(rows.active), [], 0
    while at < len(folds):
        end, n_tested = at, 0
        while end < len(folds) and n_tested < whole:
            n_tested += len(folds[end].test)
            end += 1
        own = folds[at:end]
        tested = np.concatenate([fold.test for fold in own])
        divides = len(np.unique(tested)) == len(tested) == whole and all(
            len(fold.train) + len(fold.test) == whole for fold in own
        )
        end = end if divides and len(own) > 1 else at + 1
        found.append(folds[at:end])
        at = end
    return found
