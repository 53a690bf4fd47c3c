"""The record that cross-fitting leaves: labels, and how honest each of them is."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import Shown, counted, invalid, positions
from semikd.crossfit.learners import predict_outputs
from semikd.crossfit.rows import Hashes, Indices, n_rows, row_hashes, take_rows
from semikd.simplex import FloatArray

__all__ = ["OutOfFold"]

UNLABELLED = -1
# The strategy of a record that is what a student from scratch learns.
OUTCOMES = "the outcomes themselves"


@dataclass(frozen=True, eq=False)
class OutOfFold:
    r"""Labels of the training rows, each from teachers that did not see the row.

    .. math:: \hat p_i = \hat p^{(-t(i))}(x_i)

    with :math:`t(i)` the fold of row i (vanilla distillation keeps the same record,
    with ``honest=False``).

    Parameters
    ----------
    prediction : ndarray of shape (r, n, m)
        Labels of r repeats: class probabilities, or means of a regression. NaN where a
        row has no honest label; nothing is ever filled in.
    fold : ndarray of int of shape (r, n)
        Fold of each row; -1 where it is in none.
    classes : ndarray of shape (m,) or None
        Class labels of the columns; None for a regression.
    strategy : str
        How the labels were made, in words.
    row_hash : ndarray of uint64 of shape (n,)
        Identity of each row, against which new tables are checked.
    honest : bool, default=True
        False if the labelling teachers saw the rows.
    teachers : tuple of tuples, optional
        Fold teachers of each repeat, by fold.
    refitted : estimator, optional
        A teacher fitted on all rows, for new ones.
    leans : bool, default=False
        True for leave-one-out and out-of-bag labels: honest, but a row of the rarer
        outcome is labelled by a teacher that saw one such row less, so that labels and
        outcomes are anti-correlated over the table.

    Attributes
    ----------
    outputs : tuple of str
        Names of the columns.
    labelled : ndarray of bool of shape (n,)
        Rows that have a label in every repeat.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021 (cross-fitting; the record is this
       library's).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> X = np.arange(20.0)[:, None]
    >>> y = (X[:, 0] > 9).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X, y, cv=4, random_state=0)
    >>> labels.mean.shape, labels.fold.shape
    ((20, 2), (1, 20))
    """

    prediction: FloatArray
    fold: NDArray[np.intp]
    classes: NDArray[Any] | None
    strategy: str
    row_hash: Hashes
    honest: bool = True
    teachers: tuple[tuple[Any, ...], ...] = field(default=(), repr=False)
    refitted: Any = field(default=None, repr=False)
    leans: bool = False

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns: the classes, or ``output 0`` and so on."""
        if self.classes is None:
            return tuple(f"output {j}" for j in range(self.prediction.shape[2]))
        return tuple(str(label) for label in self.classes)

    @property
    def n_repeats(self) -> int:
        """Number of repeats r."""
        return len(self.prediction)

    @property
    def mean(self) -> FloatArray:
        """Labels averaged over repeats, shape (n, m); NaN where any is missing."""
        return np.asarray(self.prediction.mean(axis=0))

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether each row has a label in every repeat, shape (n,)."""
        return np.asarray(np.isfinite(self.prediction).all(axis=(0, 2)))

    def label(self, X: Any, *, exclude: ArrayLike | None = None) -> FloatArray:
        """Label new rows: by the refitted teacher, else by the mean of all teachers.

        Parameters
        ----------
        X : array-like of shape (n_new, d)
            Rows to label.
        exclude : array-like of int of shape (n_new,), optional
            For each new row a training row, by position, that its labelling teachers
            must not have seen, for instance its parent.

        Returns
        -------
        ndarray of shape (n_new, m)

        Raises
        ------
        ValueError
            If the teachers were not kept, or ``exclude`` names rows that no teacher was
            kept from.
        TypeError
            If ``exclude`` holds no positions.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from semikd import cross_fit
        >>> X = np.arange(20.0)[:, None]
        >>> y = (X[:, 0] > 9).astype(int)
        >>> labels = cross_fit(LogisticRegression(), X, y, cv=4, random_state=0)
        >>> again = labels.label(X, exclude=np.arange(20))
        >>> bool(np.allclose(again, labels.mean))
        True
        """
        if exclude is not None:
            folds = "an integer cv and " if self.leans else ""
            self._need_teachers(f"{folds}new_rows='mean'")
            rows = positions("exclude", exclude, self.fold.shape[1])
            return _label_without(self, X, rows)
        if self.refitted is not None:
            return predict_outputs(self.refitted, X, self.classes)[0]
        self._need_teachers("new_rows='mean' or 'refit'")
        labels = [
            predict_outputs(teacher, X, self.classes)[0]
            for repeat in self.teachers
            for teacher in repeat
        ]
        return np.asarray(np.mean(labels, axis=0))

    def check_rows(self, X: Any) -> None:
        """Refuse a table whose rows are not the labelled ones, in their order.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The table that the labels are to be used with.

        Raises
        ------
        ValueError
            If the number, the content or the order of the rows differs.

        Examples
        --------
        >>> import numpy as np
        >>> from semikd import external_labels
        >>> X, p = np.arange(3.0)[:, None], np.full((3, 2), 0.5)
        >>> external_labels(X, p, classes=[0, 1]).check_rows(X)
        """
        if n_rows(X) != len(self.row_hash):
            shown = Shown(f"{len(self.row_hash)} labels for {n_rows(X)} rows")
            remedy = "Label these very rows, or select the same rows of both"
            raise invalid("labels", "be those of the rows of X", shown, remedy)
        hashes = row_hashes(X)
        differ = hashes != self.row_hash
        if not differ.any():
            return
        first = int(np.argmax(differ))
        if np.array_equal(np.sort(hashes), np.sort(self.row_hash)):
            shown = Shown(f"the same rows in another order (first: row {first})")
            remedy = "Call labels.align(X) to reorder them"
        else:
            rows = counted(int(differ.sum()), "row")
            shown = Shown(f"other values in {rows} (first: row {first})")
            remedy = "Label these very rows"
        raise invalid("labels", "be those of the rows of X", shown, remedy)

    def require_folds(self, purpose: str) -> None:
        """Refuse labels that lean, for whatever compares them with the outcomes.

        Calibration, stacking, corrections that are estimated or look at the label,
        diagnostics and inference need labels of folds; a student does not.

        Parameters
        ----------
        purpose : str
            What the labels are for, as it reads after "come from folds for".

        Raises
        ------
        ValueError
            If the labels are leave-one-out or out-of-bag.

        Examples
        --------
        >>> import numpy as np
        >>> from semikd import external_labels
        >>> external_labels(np.ones((2, 1)), [0.4, 0.6]).require_folds("calibration")
        """
        if self.leans:
            remedy = "Cross-fit with an integer cv"
            shown = Shown(self.strategy)
            raise invalid("labels", f"come from folds for {purpose}", shown, remedy)

    def align(self, X: Any) -> Self:
        """Return the record with its rows in the order of this table.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The same rows, in any order; copies of a row keep their order.

        Returns
        -------
        OutOfFold

        Raises
        ------
        ValueError
            If the rows are not the same.

        Examples
        --------
        >>> import numpy as np
        >>> from semikd import external_labels
        >>> X, p = np.array([[1.0], [2.0]]), np.array([[0.1, 0.9], [0.6, 0.4]])
        >>> external_labels(X, p, classes=[0, 1]).align(X[::-1]).mean
        array([[0.6, 0.4],
               [0.1, 0.9]])
        """
        hashes = row_hashes(X)
        if not np.array_equal(np.sort(hashes), np.sort(self.row_hash)):
            self.check_rows(X)
        rank = np.argsort(np.argsort(hashes, kind="stable"), kind="stable")
        rows = np.argsort(self.row_hash, kind="stable")[rank]
        return replace(
            self,
            prediction=self.prediction[:, rows],
            fold=self.fold[:, rows],
            row_hash=self.row_hash[rows],
        )

    def _need_teachers(self, option: str) -> None:
        """Refuse to label new rows when no teacher was kept."""
        if not self.teachers:
            remedy = f"Cross-fit with {option}"
            shown = Shown(f"none ({self.strategy})")
            raise invalid("teachers", "be kept to label new rows", shown, remedy)


def _label_without(record: OutOfFold, X: Any, exclude: Indices) -> FloatArray:
    """Label each row by the teachers that did not see the training row it names."""
    if exclude.shape != (n_rows(X),):
        shown = Shown(str(exclude.shape))
        raise invalid("exclude", f"have shape ({n_rows(X)},)", shown)
    fold = record.fold[:, exclude]
    if (fold == UNLABELLED).any():
        row = int(exclude[(fold == UNLABELLED).any(axis=0)][0])
        constraint = "name rows that were held out in every repeat"
        raise invalid("exclude", constraint, row)
    labels = np.zeros((record.n_repeats, n_rows(X), record.prediction.shape[2]))
    for r, repeat in enumerate(record.teachers):
        for t, teacher in enumerate(repeat):
            chosen = np.flatnonzero(fold[r] == t)
            if len(chosen):
                rows = take_rows(X, chosen)
                labels[r, chosen], _ = predict_outputs(teacher, rows, record.classes)
    return np.asarray(labels.mean(axis=0))
