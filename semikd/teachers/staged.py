"""What teachers of two stages have in common: one ``fit``, and what they can read."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from semikd._random import RandomState
from semikd._tables import checked_labels, checked_table
from semikd.crossfit import StagedModel, fit_stages
from semikd.crossfit.learners import check_teacher
from semikd.crossfit.second_stage import Stage
from semikd.simplex import FloatArray
from semikd.teachers.boosting import BoostingTeacher

__all__ = ["StagedTeacher"]


class StagedTeacher(ClassifierMixin, BaseEstimator):
    r"""A classifier that improves the honest labels of other classifiers.

    Fitted alone, it cross-fits its first teachers, learns the second stage from their
    out-of-fold labels, and applies it to first teachers that are fitted to all rows.
    Cross-fitted, it learns the second stage of each fold from the labels of the other
    folds, so that first teachers are fitted once for each fold:

    .. math:: \tilde p_i = s^{(-t(i))}\bigl(\hat p^{(-t(i))}(x_i), x_i\bigr), \qquad
       s^{(-t)} \text{ learned from } \{(\hat p^{(-t(j))}(x_j), x_j, y_j) : t(j) \ne t\}

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    model_ : StagedModel
        The fitted first teachers and the second stage.
    n_features_in_ : int
        Number of columns seen in the fit.

    Notes
    -----
    A row's own outcome is shown neither to the first teachers nor to the stage that
    label it. The answers that the stage learned from come from teachers that were
    shown it: what the stage estimates leans on one row by one part in n, times how
    much a first teacher leans on one row.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd.teachers import StagedTeacher
    >>> class Halfway(StagedTeacher):
    ...     cv, n_jobs, random_state = 5, None, 0
    ...     def first_stage(self):
    ...         return [GaussianNB()]
    ...     def second_stage(self, answers, X, outcome, **options):
    ...         return lambda answers, X: (answers[0] + 0.5) / 2
    >>> X = np.arange(20.0)[:, None]
    >>> Halfway().fit(X, X[:, 0] > 9).predict_proba(X[:1]).round(2)
    array([[0.75, 0.25]])
    """

    cv: Any
    n_jobs: int | None
    random_state: RandomState

    @abstractmethod
    def first_stage(self) -> Sequence[Any]:
        """Return the first teachers, unfitted."""

    @abstractmethod
    def second_stage(
        self,
        answers: list[FloatArray],
        X: Any,
        outcome: FloatArray,
        *,
        sample_weight: FloatArray | None = None,
        random_state: RandomState = None,
    ) -> Stage:
        """Return what makes labels of the first teachers' answers.

        Parameters
        ----------
        answers : list of ndarray of shape (n, k)
            Honest labels of each first teacher.
        X : array-like of shape (n, d)
            Covariates of the same rows.
        outcome : ndarray of shape (n, k)
            Their one-hot labels.
        sample_weight : ndarray of shape (n,), optional
            Their weights.
        random_state : int, generator or None
            For what is random in it.

        Returns
        -------
        callable
            Called with answers and covariates of new rows.
        """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the first teachers, by folds and to all rows, and the second stage.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Covariates, as the first teachers take them.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        StagedTeacher

        Raises
        ------
        ValueError
            If there is one class only, or a class has one distinct row.
        TypeError
            If there are weights and a first teacher takes none.
        """
        X = checked_table(self, X)
        labels = checked_labels(X, y)
        self.classes_ = np.unique(labels)
        self.model_: StagedModel = fit_stages(
            self,
            X,
            labels,
            cv=self.cv,
            sample_weight=sample_weight,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        check_is_fitted(self)
        return self.model_.predict_proba(checked_table(self, X, reset=False))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def __sklearn_tags__(self) -> Any:
        """Say that the input is what all first teachers take."""
        tags = super().__sklearn_tags__()
        reads = [get_tags(each).input_tags for each in self.first_stage()]
        # Not categories, although they are read: scikit-learn's checks then round their
        # tables, and leave a class with a row that nobody can label honestly.
        for name in ("allow_nan", "string", "sparse"):
            can = all(getattr(each, name) for each in reads)
            setattr(tags.input_tags, name, can)
        return tags


def first_teacher(teacher: Any) -> Any:
    """Return the teacher to improve; boosting unless another one is given."""
    if teacher is None:
        return BoostingTeacher()
    check_teacher(teacher, classification=True)
    return teacher
