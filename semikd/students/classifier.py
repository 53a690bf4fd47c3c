"""Students that are scikit-learn classifiers too: what they share is written once.

``fit(X, y)`` takes labels, as everywhere in scikit-learn, and is ``fit_target`` at the
targets that certain labels have; ``fit_target`` takes soft or corrected targets.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from semikd._tables import label_positions, refuse_equal_names
from semikd._validation import Shown, invalid, sample_weights
from semikd.losses import DistillationLoss, get_loss
from semikd.simplex import FloatArray, one_hot
from semikd.students._decision import chosen, decisions, log_probabilities
from semikd.students.base import Student
from semikd.students.beside import taken_by

__all__ = ["StudentClassifier"]


class StudentClassifier(ClassifierMixin, BaseEstimator, Student):
    """A student with scikit-learn's classifier interface; members only fit targets.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels; positions 0 .. k-1 after ``fit_target``.
    loss_ : DistillationLoss
        The scale of the fitted scores.
    n_features_in_ : int
        Number of columns seen in the fit.

    Examples
    --------
    >>> from semikd.students import LinearStudent, StudentClassifier
    >>> isinstance(LinearStudent(), StudentClassifier)
    True
    """

    default_loss = "cross_entropy"
    loss: str | DistillationLoss

    classes_: NDArray[Any]
    loss_: DistillationLoss

    @property
    def learner(self) -> Self:
        """The student itself: it needs no adapter."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        # A refused fit may have counted columns already: only a whole one counts.
        return hasattr(self, "loss_")

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: Any = None) -> Self:
        """Fit to labels, as from scratch.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Covariates.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        StudentClassifier
        """
        # X goes on as it came: the target fit records the names of its columns.
        labels = self._labels(X, y)
        target, loss, classes = self._certain(X, labels, None)
        weights = sample_weights(sample_weight, len(labels))
        codes = np.searchsorted(classes, labels)
        more = taken_by(self, outcome=lambda: one_hot(codes, len(classes)))
        self.fit_target(X, target, loss=loss, sample_weight=weights, **more)
        self.classes_ = classes
        return self

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """Return scores: log-odds of shape (n,) for two classes, else (n, k)."""
        check_is_fitted(self)
        return decisions(self.loss_, self.scores(X))

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the class probabilities of each row, shape (n, k)."""
        check_is_fitted(self)
        return np.asarray(self.loss_.probabilities(self.scores(X)))

    def predict_log_proba(self, X: ArrayLike) -> FloatArray:
        """Return the logarithm of ``predict_proba``, -inf where that is 0, (n, k)."""
        return log_probabilities(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        codes = chosen(self.decision_function(X))
        labels: NDArray[Any] = self.classes_[codes]
        return labels

    def _labels(self, X: ArrayLike, y: ArrayLike) -> NDArray[Any]:
        """Return class labels, checked against the rows of X."""
        refuse_equal_names(X)
        sparse = "csr" if get_tags(self).input_tags.sparse else False
        labels: NDArray[Any] = validate_data(self, X, y, accept_sparse=sparse)[1]
        check_classification_targets(labels)
        return labels

    def _certain(
        self, X: Any, y: ArrayLike, classes: ArrayLike | None
    ) -> tuple[FloatArray, DistillationLoss, NDArray[Any]]:
        """Return the targets that certain labels have, their scale and the classes."""
        loss = get_loss(self.loss, auto=self.default_loss)
        labels = np.asarray(y)
        known, codes = np.unique(labels, return_inverse=True)
        if classes is not None:
            known = np.unique(np.asarray(classes))
            codes = label_positions(labels, known)
        if len(known) < 2:
            shown = Shown(f"1 class: {known.tolist()[0]!r}")
            raise invalid("y", "have at least two classes", shown)
        certain = one_hot(codes, len(known))
        return loss.with_labels(loss.phi(certain), certain), loss, known

    def _remember(self, loss: DistillationLoss, width: int) -> None:
        """Store the scale and the positions of its classes, once a fit succeeded."""
        self.loss_ = loss
        self.classes_ = np.arange(2 if width == 1 else width)
