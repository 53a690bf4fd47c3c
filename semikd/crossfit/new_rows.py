"""What the teachers of each fold say of rows that none of them saw."""

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.crossfit.learners import predict_outputs
from semikd.crossfit.record import OutOfFold
from semikd.crossfit.rows import row_hashes
from semikd.simplex import FloatArray

__all__ = ["labels_by_fold"]


def labels_by_fold(record: OutOfFold, X: Any) -> tuple[FloatArray, ...]:
    """Label new rows by the teachers of each fold, not by their mean.

    Estimates that set labelled rows against new ones need the labels of both to be of
    the same teachers, fold by fold. A copy of a labelled row, which the others saw, is
    labelled by the teacher of that row's fold throughout.

    Parameters
    ----------
    record : OutOfFold
        Labels with the fold teachers kept, or of one fitted model.
    X : array-like of shape (n_new, d)
        The new rows.

    Returns
    -------
    tuple of ndarray of shape (n_folds, n_new, m)
        One for each repeat; of a fitted model ``n_folds`` is 1.

    Raises
    ------
    ValueError
        If the fold teachers were not kept.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> from semikd.crossfit.new_rows import labels_by_fold
    >>> X = np.arange(20.0)[:, None]
    >>> y = (X[:, 0] > 9).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X, y, cv=4, random_state=0)
    >>> labels_by_fold(labels, X[:3])[0].shape
    (4, 3, 2)
    """
    teachers = record.teachers
    if not teachers and record.refitted is not None and (record.fold < 0).all():
        teachers = ((record.refitted,),) * record.n_repeats
    if not teachers:
        remedy = "Cross-fit with new_rows='mean', or bring labels of the new rows too"
        shown = Shown(f"none ({record.strategy})")
        raise invalid("teachers", "be kept to label new rows", shown, remedy)
    found = tuple(
        np.stack([predict_outputs(each, X, record.classes)[0] for each in own])
        for own in teachers
    )
    return tuple(map(_honest, found, record.fold, repeat(_copied(record, X))))


def _copied(record: OutOfFold, X: Any) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which new rows are copies of labelled ones, and of which."""
    known, first = np.unique(record.row_hash, return_index=True)
    hashes = row_hashes(X)
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    copies = np.flatnonzero(known[at] == hashes)
    return copies, first[at[copies]]


def _honest(
    labels: FloatArray,
    fold: NDArray[np.intp],
    copied: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> FloatArray:
    """Return labels (n_folds, n_new, m), of copies all by who did not see them."""
    copies, of = copied
    held = fold[of] >= 0
    copies, by = copies[held], fold[of][held]
    labels[:, copies] = labels[by, copies]
    return labels
