"""The record that nested cross-fitting leaves, and what one teacher adds to it."""

from dataclasses import dataclass

from semikd.crossfit.fold_teachers import FoldLabels
from semikd.crossfit.record import OutOfFold
from semikd.simplex import FloatArray

__all__ = ["NestedLabels", "Said"]


@dataclass(frozen=True, eq=False)
class NestedLabels:
    """Honest labels of all rows, and for each part that judges those that led to it.

    Parameters
    ----------
    outer : OutOfFold
        Out-of-fold labels of all rows, for the student that is kept.
    inner : tuple of OutOfFold
        For each part that judges, labels of the *other* rows by teachers that saw
        neither the row they label nor any row that judges.
    in_sample : tuple of ndarray of shape (n_learning, m)
        For each part, labels of the other rows by the teacher that learned from all of
        them, and from no row that judges.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd.crossfit import NestedFolds
    >>> X = np.arange(12.0)[:, None]
    >>> folds = NestedFolds(X, np.arange(12) % 2, cv=3, random_state=0)
    >>> labels = folds.cross_fit(GaussianNB())
    >>> [record.prediction.shape for record in labels.inner]
    [(1, 8, 2), (1, 8, 2), (1, 8, 2)]
    """

    outer: OutOfFold
    inner: tuple[OutOfFold, ...]
    in_sample: tuple[FloatArray, ...]


@dataclass(frozen=True)
class Said:
    """What one teacher said: by folds, by folds without each part, and in sample.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.fold_teachers import FoldLabels
    >>> from semikd.crossfit.nested_labels import Said
    >>> said = FoldLabels(np.zeros((1, 2, 1)), np.zeros((1, 2), dtype=int), ())
    >>> len(Said(said, (said,), ()).inner)
    1
    """

    outer: FoldLabels
    inner: tuple[FoldLabels, ...]
    in_sample: tuple[FloatArray, ...]
