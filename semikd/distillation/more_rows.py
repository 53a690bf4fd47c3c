"""Rows without outcomes that a student learns from too: unlabelled and synthetic ones.

Every one of them is labelled by teachers that saw neither it nor, where that was asked
for, any row that it was made of.
"""

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.crossfit import OutOfFold, hash_values, n_rows, row_hashes, take_rows
from semikd.distillation.added import AddedRows
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray
from semikd.synthetic import SyntheticRows, as_synthetic

__all__ = ["MoreRows"]

# Sources of labels whose only teacher saw every row.
_ONE_TEACHER = {"oob", "loo", "in-sample"}


@dataclass(frozen=True, eq=False)
class MoreRows:
    """What is added to the rows that have outcomes.

    Parameters
    ----------
    synthetic : SyntheticRows or None
        How rows are made up.
    unlabelled : array-like of shape (n_new, d) or None
        Rows without outcomes, in the kind of table of the others.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd import cross_fit
    >>> from semikd.distillation.more_rows import MoreRows
    >>> X = np.arange(20.0)[:, None]
    >>> record = cross_fit(GaussianNB(), X, np.arange(20) > 9, cv=4, random_state=0)
    >>> (added,) = MoreRows.of("neighbours").label(record, X, random_state=0)
    >>> added.labels.shape
    (20, 2)
    """

    synthetic: SyntheticRows | None = None
    unlabelled: Any = None

    @classmethod
    def of(cls, synthetic: Any = None, unlabelled: Any = None) -> "MoreRows":
        """Return what is added; a table without rows and a ratio of 0 add nothing."""
        empty = unlabelled is not None and not n_rows(unlabelled)
        return cls(as_synthetic(synthetic), None if empty else unlabelled)

    def __bool__(self) -> bool:
        return not (self.synthetic is None and self.unlabelled is None)

    @property
    def words(self) -> str:
        """What is added, in words; empty where nothing is."""
        if self.synthetic is not None:
            return "synthetic rows"
        return "unlabelled rows" if self else ""

    @property
    def weighs(self) -> bool:
        """Whether rows are asked to count for more or less than others."""
        return self.synthetic is not None and self.synthetic.weight != 1.0

    @property
    def by_folds(self) -> bool:
        """Whether the teachers of folds have to label synthetic rows."""
        return self.synthetic is not None and self.synthetic.within_folds

    def check(
        self, X: Any, cv: Any, *, hard_weight: float = 0.0, online: bool = False
    ) -> None:
        """Refuse, before any teacher is fitted, what cannot be drawn or labelled.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The rows that have outcomes.
        cv : object
            Who labels, as a user gave it.
        hard_weight : float, default=0.0
            Weight of the term that needs outcomes.
        online : bool, default=False
            Whether rows are labelled as they are shown.

        Raises
        ------
        ValueError, TypeError
            With what has to be changed.
        """
        if not self:
            return
        which = self.words
        if hard_weight:
            remedy = "They have no outcomes for it"
            raise invalid("hard_weight", f"be 0 with {which}", hard_weight, remedy)
        if online:
            remedy = "They are labelled before the student is fitted"
            raise invalid("online_labels", f"be False with {which}", online, remedy)
        if isinstance(cv, OutOfFold):
            _check_teachers(cv, which, by_folds=self.by_folds)
        if self.synthetic is None:
            return
        self.synthetic.check(X)
        if self.by_folds and isinstance(cv, str) and cv in _ONE_TEACHER:
            constraint = f"be 'all' with cv={cv!r}"
            remedy = "The one teacher saw every parent; or use an integer cv"
            raise invalid("labelled_by", constraint, "folds", remedy)

    def label(
        self,
        record: OutOfFold,
        X: Any,
        *,
        weights: FloatArray | None = None,
        groups: Any = None,
        random_state: int | None = None,
    ) -> tuple[AddedRows, ...]:
        """Draw rows and let the teachers of a record label them, and unlabelled ones.

        Parameters
        ----------
        record : OutOfFold
            Honest labels of the rows, with the teachers that made them.
        X : array-like of shape (n, d)
            These very rows, and no others: nothing else enters what is drawn.
        weights : ndarray of shape (n,), optional
            Weights of the rows. Unlabelled rows weigh as much as a row of positive
            weight does on average, else 1.
        groups : array-like of shape (n,), optional
            Groups, to which synthetic rows belong with their first parent.
        random_state : int, optional
            Seed of what is drawn.

        Returns
        -------
        tuple of AddedRows
        """
        found = []
        if self.unlabelled is not None:
            found.append(_labelled(record, self.unlabelled, weights))
        if self.synthetic is not None:
            found.append(
                _drawn(self.synthetic, record, X, weights, groups, random_state)
            )
        return tuple(each for each in found if len(each.labels))


def _check_teachers(record: OutOfFold, which: str, *, by_folds: bool) -> None:
    """Refuse a record that has nobody to label new rows."""
    if record.refitted is None and not record.teachers:
        shown = Shown(f"none ({record.strategy})")
        remedy = "Cross-fit with new_rows='mean'"
        raise invalid("teachers", f"be kept to label {which}", shown, remedy)
    if by_folds and not (record.teachers and (record.fold[0] >= 0).any()):
        shown = Shown(f"'folds' ({record.strategy})")
        remedy = "Cross-fit with an integer cv and new_rows='mean'"
        constraint = "be 'all' for a record without the teachers of folds"
        raise invalid("labelled_by", constraint, shown, remedy)


def _labelled(
    record: OutOfFold, unlabelled: Any, weights: FloatArray | None
) -> AddedRows:
    """Return unlabelled rows with the labels of teachers that did not see them."""
    weight = 1.0 if weights is None else float(weights[weights > 0].mean())
    labels = _answers(record, unlabelled, weights)
    counts = np.full(len(labels), weight)
    return _kept(AddedRows(unlabelled, labels, counts), "unlabelled")


def _answers(
    record: OutOfFold,
    X: Any,
    weights: FloatArray | None,
    exclude: NDArray[np.intp] | None = None,
) -> FloatArray:
    """Return labels of new rows; a copy of a row with an outcome has that row's label.

    NaN where every teacher saw a copy of the row.
    """
    hashes = row_hashes(X)
    labels = np.full((len(hashes), record.prediction.shape[2]), np.nan)
    known, own = _labels_of_rows(record, weights)
    copies = np.isin(hashes, known)
    labels[copies] = own[np.searchsorted(known, hashes[copies])]
    new = np.flatnonzero(~copies)
    if len(new):
        without = None if exclude is None else exclude[new]
        labels[new] = record.label(take_rows(X, new), exclude=without)
    return labels


def _kept(rows: AddedRows, what: str) -> AddedRows:
    """Return the rows that have a label, and count the others."""
    kept = np.flatnonzero(np.isfinite(rows.labels).all(axis=1))
    if len(kept) == len(rows.labels):
        return rows
    warnings.warn(
        f"{len(rows.labels) - len(kept):,} of {len(rows.labels):,} {what} rows are "
        "copies of rows that every teacher saw: they are left out.",
        SemikdWarning,
        stacklevel=5,
    )
    return AddedRows(
        take_rows(rows.X, kept),
        rows.labels[kept],
        rows.weights[kept],
        None if rows.units is None else rows.units[kept],
    )


def _labels_of_rows(
    record: OutOfFold, weights: FloatArray | None
) -> tuple[NDArray[np.uint64], FloatArray]:
    """Return the sorted hashes of rows that teachers saw, and their honest labels.

    The mean over repeats, and over copies of a row; NaN where there is no label.
    """
    has_label = np.asarray(np.isfinite(record.prediction).all(axis=2))
    seen = has_label.any(axis=0) | (True if weights is None else weights > 0)
    known, unit = np.unique(record.row_hash[seen], return_inverse=True)
    total = np.zeros((len(known), record.prediction.shape[2]))
    times = np.zeros(len(known))
    for labels, counts in zip(record.prediction, has_label, strict=True):
        rows = counts[seen]
        np.add.at(total, unit[rows], labels[seen][rows])
        np.add.at(times, unit[rows], 1.0)
    mean = np.full_like(total, np.nan)
    np.divide(total, times[:, None], out=mean, where=times[:, None] > 0)
    return known, mean


def _drawn(
    synthetic: SyntheticRows,
    record: OutOfFold,
    X: Any,
    weights: FloatArray | None,
    groups: Any,
    seed: int | None,
) -> AddedRows:
    """Return synthetic rows with labels; the folds are those of the first repeat."""
    drawn = synthetic.draw(
        X, fold=record.fold[0], random_state=seed, sample_weight=weights
    )
    first = drawn.parents[:, 0]
    own = record.row_hash if groups is None else hash_values(np.asarray(groups))
    if not len(first):
        labels = np.zeros((0, record.prediction.shape[2]))
    elif synthetic.within_folds:
        # In another repeat the parents may lie in two folds.
        one = replace(
            record,
            prediction=record.prediction[:1],
            fold=record.fold[:1],
            teachers=record.teachers[:1],
        )
        # By chance a row may be a copy of one in another fold.
        labels = _answers(one, drawn.X, weights, first)
    else:
        labels = record.label(drawn.X)
    rows = AddedRows(drawn.X, labels, drawn.weights, own[first])
    return _kept(rows, "synthetic")
