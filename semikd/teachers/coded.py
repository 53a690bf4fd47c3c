"""Learners that read numbers only, made to read whatever boosting reads.

Forests read no categories, and linear models no gaps either; a stack could otherwise be
given only what all of its members read.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from semikd._random import RandomState, spawn_seeds
from semikd._tables import refuse_equal_names
from semikd._validation import Shown, choose, invalid, sample_weights
from semikd.crossfit import fit_learner, seeded_clone, take_rows
from semikd.networks.tables import TableEncoding, TableLayout
from semikd.simplex import FloatArray
from semikd.teachers._rows import checked_rows, distinct_rows

__all__ = ["CodedTeacher"]

# Whether categories become columns of their own.
CODINGS = {"codes": False, "indicators": True}


class CodedTeacher(ClassifierMixin, BaseEstimator):
    """A classifier of numbers that is given tables with categories, texts and gaps.

    Parameters
    ----------
    learner : estimator, optional
        Any classifier with ``predict_proba`` that reads arrays of numbers. None means
        100 extremely randomised trees with at least 2 distinct rows in a leaf.
    coding : {'codes', 'indicators'}, default='codes'
        'codes', for trees: numbers as they are, NaN where missing, and the position of
        each category among the sorted ones, 0 where missing or never seen.
        'indicators', for linear models: standardised numbers, a missing one at the
        mean with a column that says so, and a column for each category.
    random_state : int, generator or None, default=None
        Seed of the learner's open seeds.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    learner_ : estimator
        The fitted learner.
    n_features_in_ : int
        Number of columns seen in the fit.

    Notes
    -----
    The learner gets each distinct row and outcome once, in an order of content, with
    its weight: a permuted table, a repeated row and a weight of 2 give the same model,
    for any learner whose weights are fair. Bootstrap samples of forests are not.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.teachers import CodedTeacher
    >>> X = pd.DataFrame({"colour": ["red", "blue", None] * 9, "size": [1.0] * 27})
    >>> teacher = CodedTeacher(LogisticRegression(), coding="indicators")
    >>> teacher.fit(X, [1, 0, 0] * 9).predict(X[:3])
    array([1, 0, 0])
    """

    def __init__(
        self,
        learner: Any = None,
        *,
        coding: str = "codes",
        random_state: RandomState = None,
    ) -> None:
        self.learner = learner
        self.coding = coding
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn the coding of the table, and fit the learner to it.

        Parameters
        ----------
        X : array-like or data frame of shape (n, d)
            Covariates.
        y : array-like of shape (n,)
            Class labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        CodedTeacher

        Raises
        ------
        ValueError
            If there is only one class.
        TypeError
            If there are weights and the learner takes none.
        """
        choose("coding", self.coding, CODINGS)
        X, y = checked_rows(self, X, y)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            shown = Shown(f"1 class: {self.classes_.tolist()[0]!r}")
            raise invalid("y", "have at least two classes", shown)
        rows, weight = distinct_rows(X, y, sample_weights(sample_weight, len(y)))
        X, y = take_rows(X, rows), y[rows]
        layout = TableLayout.learned(X, weight)
        self._encoding = TableEncoding.learned(layout, layout.raw(X), weight)
        weights = None if (weight == 1.0).all() else weight
        learner = seeded_clone(self._learner(), *spawn_seeds(self.random_state, 1))
        self.learner_ = fit_learner(learner, self._coded(X), y, weights)
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        """Return class probabilities, shape (n, k)."""
        check_is_fitted(self)
        refuse_equal_names(X)
        if hasattr(X, "columns"):
            validate_data(self, X, skip_check_array=True, reset=False)
        else:
            X = validate_data(self, X, reset=False, ensure_all_finite="allow-nan")
        return np.asarray(self.learner_.predict_proba(self._coded(X)))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, shape (n,)."""
        proba = self.predict_proba(X)
        return np.asarray(self.classes_[proba.argmax(axis=1)])

    def _learner(self) -> Any:
        """Return the learner to copy."""
        if self.learner is not None:
            return self.learner
        return ExtraTreesClassifier(100, min_samples_leaf=2)

    def _coded(self, X: Any) -> FloatArray:
        """Return the numbers that the learner reads, shape (n, d')."""
        raw = self._encoding.layout.raw(X)
        if not choose("coding", self.coding, CODINGS):
            return raw
        values = self._encoding.layout.values
        standard = self._encoding.standardised(raw)
        numbers, codes = np.hsplit(standard, [standard.shape[1] - len(values)])
        shown = [
            code[:, None] == np.arange(1, len(known) + 1)
            for code, known in zip(codes.T, values, strict=True)
        ]
        return np.hstack([numbers, *shown]).astype(np.float64)

    def __sklearn_tags__(self) -> Any:
        """Say that missing values and categorical columns are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags
