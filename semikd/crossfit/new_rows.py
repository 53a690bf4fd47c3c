"""Who labelled which row, and what they say of rows that none of them saw."""

from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.crossfit.learners import predict_outputs
from semikd.crossfit.record import OutOfFold
from semikd.crossfit.rows import Hashes
from semikd.simplex import FloatArray

__all__ = ["copied_rows", "labellers", "labels_by_fold"]


def labels_by_fold(
    record: OutOfFold, X: Any, like: NDArray[np.intp] | None = None
) -> tuple[FloatArray, ...]:
    """Label new rows by the teachers of each fold, not by their mean.

    Estimates that set labelled rows against new ones need the labels of both to be of
    the same teachers, fold by fold.

    Parameters
    ----------
    record : OutOfFold
        Labels with the fold teachers kept, or of one fitted model.
    X : array-like of shape (n_new, d)
        The new rows.
    like : ndarray of int of shape (n_new,), optional
        For each new row a labelled one, such as its copy, by whose teachers it is
        labelled throughout, since the others saw that row; -1 for none.

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
    if like is None:
        return found
    return tuple(map(_honest, found, record.fold, repeat(like)))


def labellers(
    record: OutOfFold,
) -> tuple[tuple[tuple[Any, ...], ...], NDArray[np.intp]]:
    """Return the teachers of each repeat, and which of them labelled each row.

    Parameters
    ----------
    record : OutOfFold
        Labels with the teachers that were kept.

    Returns
    -------
    teachers : tuple of tuples
        Fold teachers of each repeat; or the one model, of labels by a model that saw
        none of the rows. Empty if none was kept.
    fold : ndarray of int of shape (r, n)
        Position of the teacher of each row, -1 where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import model_labels
    >>> from semikd.crossfit.new_rows import labellers
    >>> model = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
    >>> labellers(model_labels(model, np.array([[0.5], [2.0]])))[1]
    array([[0, 0]])
    """
    in_no_fold = not record.teachers and bool((record.fold < 0).all())
    # Labels of one fit, out-of-bag say, lean: that one teacher saw the rows.
    unseen = record.honest and not record.leans
    if record.refitted is None or not (in_no_fold and unseen):
        return record.teachers, record.fold
    labelled = np.isfinite(record.prediction).all(axis=2)
    teachers = ((record.refitted,),) * record.n_repeats
    return teachers, np.where(labelled, 0, record.fold)


def copied_rows(record: OutOfFold, hashes: Hashes) -> NDArray[np.intp]:
    """Return the labelled row that each new row is a copy of, and -1 for others.

    Parameters
    ----------
    record : OutOfFold
        Labels of the labelled rows.
    hashes : ndarray of uint64 of shape (n_new,)
        Those of the new rows.

    Returns
    -------
    ndarray of int of shape (n_new,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.crossfit.new_rows import copied_rows
    >>> from semikd.crossfit.rows import row_hashes
    >>> X = np.arange(3.0)[:, None]
    >>> record = external_labels(X, [0.1, 0.2, 0.3])
    >>> copied_rows(record, row_hashes(np.array([[2.0], [7.0]])))
    array([ 2, -1])
    """
    known, first = np.unique(record.row_hash, return_index=True)
    at = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.where(known[at] == hashes, first[at], -1)


def _honest(
    labels: FloatArray, fold: NDArray[np.intp], like: NDArray[np.intp]
) -> FloatArray:
    """Return labels (n_folds, n_new, m), some of them by one teacher throughout."""
    held = (like >= 0) & (fold[like] >= 0)
    labels[:, held] = labels[fold[like[held]], held]
    return labels
