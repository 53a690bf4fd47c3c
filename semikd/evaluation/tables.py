"""The rows of a comparison: training and held-out ones, and bootstrap samples."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import generator
from semikd._tables import checked_labels, checked_outcomes
from semikd._validation import Shown, invalid, number, sample_weights
from semikd.crossfit import content_split, row_hashes, take_rows
from semikd.crossfit.folds import Rows
from semikd.exceptions import LeakageWarning
from semikd.simplex import FloatArray

__all__ = ["Table", "n_copies", "resampled", "split_table", "warn_of_copies"]

_RESAMPLING_TRIES = 100
_MOST_COPIES = 0.5


@dataclass(frozen=True)
class Table:
    """Rows of one side of a split.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Covariates, as the teacher reads them.
    y : ndarray of shape (n,)
        Class labels, or the outcomes of a regression.
    weights : ndarray of shape (n,) or None
        Weights of the rows.
    groups : ndarray of shape (n,) or None
        Groups of rows.
    classification : bool, default=True
        Whether y are labels.
    classes : ndarray of shape (k,), optional
        Class labels in order, by default those of y; parts of a table keep them.
    student_view : array-like of shape (n, d'), optional
        The same rows as the student reads them, by default X: a teacher may read texts
        that the student never sees.
    categorical : sequence of str or int, optional
        Columns of X that hold codes of categories although their type is numeric, for
        rows that are made up.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import Table
    >>> Table(np.zeros((2, 1)), np.array(["a", "b"]), None, None).codes
    array([0, 1])
    """

    X: Any
    y: NDArray[Any]
    weights: FloatArray | None
    groups: NDArray[Any] | None
    classification: bool = True
    classes: NDArray[Any] | None = None
    student_view: Any = None
    categorical: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        if self.classification and self.classes is None:
            object.__setattr__(self, "classes", np.unique(self.y))

    @property
    def features(self) -> Any:
        """What the student reads of the rows."""
        return self.X if self.student_view is None else self.student_view

    @property
    def codes(self) -> NDArray[np.intp]:
        """Position of each row's class, shape (n,); zeros for a regression."""
        if self.classes is None:
            return np.zeros(len(self.y), dtype=np.intp)
        return np.searchsorted(self.classes, self.y)

    def rows(self) -> Rows:
        """Return what folds need to know of the rows."""
        hashes = row_hashes(self.X)
        return Rows(hashes, self.codes, self.classes, self.groups, self.weights)

    def take(self, rows: NDArray[np.intp]) -> "Table":
        """Return the table of these rows."""
        return replace(
            self,
            X=take_rows(self.X, rows),
            student_view=None
            if self.student_view is None
            else take_rows(self.student_view, rows),
            y=self.y[rows],
            weights=None if self.weights is None else self.weights[rows],
            groups=None if self.groups is None else self.groups[rows],
        )


def split_table(
    X: Any,
    y: ArrayLike,
    test: Any,
    sample_weight: Any,
    groups: Any,
    seed: int,
    *,
    classification: bool = True,
) -> tuple[Table, Table]:
    """Return training and held-out rows, with copies of a row on one side."""
    labels = _checked(X, y, classification=classification)
    weights = sample_weights(sample_weight, len(labels))
    groups = None if groups is None else np.asarray(groups)
    whole = Table(X, labels, weights, groups, classification)
    if isinstance(test, tuple):
        if weights is not None or groups is not None:
            constraint = "be a share where sample_weight or groups are given"
            raise invalid("test", constraint, Shown("(X_test, y_test)"))
        return whole, _brought(test, whole)
    if weights is not None:
        # Rows of no weight play no part, not even in which classes there are.
        whole = whole.take(np.flatnonzero(weights))
        _checked(whole.X, whole.y, classification=classification)
    fraction = number("test", test, low=0.0, high=0.9, open_low=True)
    held_out = content_split(
        whole.X,
        fraction=fraction,
        random_state=seed,
        groups=whole.groups,
        strata=whole.codes if classification else None,
    )
    train, held = (whole.take(np.flatnonzero(side)) for side in (~held_out, held_out))
    _check_sides(train, held, whole, test)
    return train, held


def _checked(X: Any, y: ArrayLike, *, classification: bool) -> NDArray[Any]:
    """Return labels, or the outcomes of a regression on one number."""
    if classification:
        return checked_labels(X, y)
    outcomes = checked_outcomes(X, y)
    if outcomes.ndim != 1:
        remedy = "Compare the outcomes one by one"
        raise invalid("y", "have shape (n,)", Shown(str(outcomes.shape)), remedy)
    return outcomes


def _check_sides(train: Table, held: Table, whole: Table, test: Any) -> None:
    """Refuse a split that leaves a class, or everything, on one side."""
    for name, side in (("training", train), ("test", held)):
        if len(side.y) < 2 or (
            whole.classification and len(np.unique(side.y)) < len(np.unique(whole.y))
        ):
            lacking = "a class missing" if whole.classification else "no two rows"
            shown = Shown(f"{test} with {lacking} in the {name} rows")
            remedy = "Choose another share, or pass (X_test, y_test)"
            raise invalid("test", "leave every class on both sides", shown, remedy)


def _brought(test: tuple[Any, ...], training: Table) -> Table:
    """Return held-out rows that were brought, with the classes that training has."""
    if len(test) != 2:
        shown = Shown(f"{len(test)} parts")
        raise invalid("test", "be a share or (X_test, y_test)", shown)
    X, y = test
    labels = _checked(X, y, classification=training.classification)
    classes = training.classes
    if classes is not None and not np.array_equal(np.unique(labels), classes):
        shown = Shown(f"{np.unique(labels).tolist()}")
        raise invalid("test", f"have the classes of y, {classes.tolist()}", shown)
    n_known = int(np.isin(row_hashes(X), row_hashes(training.X)).sum())
    if n_known:
        warnings.warn(
            f"{n_known} of {len(labels)} test rows have a copy among training rows.",
            LeakageWarning,
            stacklevel=4,
        )
    return Table(X, labels, None, None, training.classification, classes)


def n_copies(table: Table) -> int:
    """Return how many rows equal another, where most do and no groups say why; else 0.

    The target counts, too. Columns of few values make equal rows by chance; a table
    that was pasted twice has no others, and its copies are no observations.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation.tables import Table, n_copies
    >>> X = np.array([[0.0], [0.0], [0.0], [1.0]])
    >>> n_copies(Table(X, np.array([0, 0, 1, 1]), None, None))
    0
    >>> n_copies(Table(X, np.array([0, 0, 0, 1]), None, None))
    3
    """
    if table.groups is not None:
        return 0
    rows = np.stack([row_hashes(table.X), row_hashes(table.y[:, None])], axis=1)
    _, each, times = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    found = int((times[each.ravel()] > 1).sum())
    return found if found > _MOST_COPIES * len(rows) else 0


def warn_of_copies(held_out: Table, stacklevel: int) -> None:
    """Warn where intervals and tests would take copies of one row for several."""
    if n_copied := n_copies(held_out):
        warnings.warn(
            f"{n_copied:,} of {len(held_out.y):,} held-out rows equal another one, "
            "target included. If they are copies and not chance, intervals are too "
            "narrow: remove them, or pass groups.",
            LeakageWarning,
            stacklevel=stacklevel + 1,
        )


def resampled(table: Table, seed: int) -> Table:
    """Return a bootstrap sample of rows or groups, as weights on the rows drawn.

    A sample in which a class has fewer than two distinct rows, and could not be
    cross-fitted, is drawn again.
    """
    rows = table.rows()
    _, unit = np.unique(
        np.arange(len(table.y)) if table.groups is None else rows.units,
        return_inverse=True,
    )
    n_units = int(unit.max()) + 1
    draws = generator(seed)
    for _ in range(_RESAMPLING_TRIES):
        times = draws.multinomial(n_units, np.full(n_units, 1.0 / n_units))[unit]
        kept = np.flatnonzero(times)
        held = np.unique(np.stack([rows.units[kept], rows.codes[kept]]), axis=1)[1]
        if (
            np.bincount(held.astype(np.intp), minlength=rows.codes.max() + 1) > 1
        ).all():
            drawn = table.take(kept)
            own = 1.0 if drawn.weights is None else drawn.weights
            weights = times[kept].astype(np.float64) * own
            return replace(drawn, weights=weights)
    constraint = "leave two distinct rows of every class in a bootstrap sample"
    shown = Shown(f"none such in {_RESAMPLING_TRIES} draws")
    raise invalid("resample_training", constraint, shown, "Use False, or merge classes")
