"""Rows of which only some have an outcome, with honest labels of all of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import checked_labels, checked_outcomes
from semikd._validation import Shown, counted, invalid, sample_weights
from semikd.crossfit import OutOfFold
from semikd.crossfit.checks import check_honest, check_record
from semikd.crossfit.new_rows import labels_by_fold
from semikd.crossfit.rows import n_rows, take_rows
from semikd.crossfit.unlabelled import checked_unlabelled
from semikd.inference._inputs import checked_clusters, numbered
from semikd.inference.influence import row_shares
from semikd.simplex import FloatArray, one_hot

__all__ = ["PartlyLabelled", "partly_labelled"]

# Parts whose rows choose how much labels count in another, where there are no folds.
_N_PARTS = 5


@dataclass(frozen=True, eq=False)
class PartlyLabelled:
    """Labelled and unlabelled rows of one population, and what teachers say of both.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, m)
        Outcomes of the labelled rows that take part.
    outcomes : ndarray of shape (n, k)
        The same as indicators of the classes, or as numbers.
    labels : ndarray of shape (r, n, k)
        Labels of these rows, of each repeat, by teachers that did not see them.
    part : ndarray of int of shape (r, n)
        Fold of each row, numbered from 0.
    unlabelled : tuple of ndarray of shape (n_folds or 1, n_unlabelled, k)
        Labels of the unlabelled rows by the teachers of each fold, for each repeat.
    classes : tuple or None
        Class labels of the columns; None for numbers.
    names : tuple of str
        The classes, or the outputs of a regression.
    rows : ndarray of int of shape (n,)
        Positions of the labelled rows that take part: with weight and label.
    n_given : int
        Labelled rows in all.
    weights, unlabelled_weights : ndarray or None
        Sampling weights of either.
    units : ndarray of int of shape (n + n_unlabelled,)
        Independent unit of every row, the labelled ones first.
    has_clusters : bool
        Whether units are clusters.
    strategy : str
        How the labels were made, in words.

    See Also
    --------
    partly_labelled : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.inference import partly_labelled
    >>> X, p = np.arange(5.0)[:, None], np.array([0.2, 0.4, 0.6, 0.8, 0.5])
    >>> labels = external_labels(X[:3], p[:3], classes=["no", "yes"])
    >>> more = external_labels(X[3:], p[3:], classes=["no", "yes"])
    >>> partly_labelled(labels, X[:3], ["no", "yes", "yes"], more).classes
    ('no', 'yes')
    """

    y: NDArray[Any]
    outcomes: FloatArray
    labels: FloatArray
    part: NDArray[np.intp]
    unlabelled: tuple[FloatArray, ...]
    classes: tuple[Any, ...] | None
    names: tuple[str, ...]
    rows: NDArray[np.intp]
    n_given: int
    weights: FloatArray | None
    unlabelled_weights: FloatArray | None
    units: NDArray[np.intp]
    has_clusters: bool
    strategy: str

    @property
    def n_labelled(self) -> int:
        """Labelled rows that take part."""
        return len(self.rows)

    @property
    def n_unlabelled(self) -> int:
        """Unlabelled rows."""
        return int(self.unlabelled[0].shape[1])

    @property
    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Shares of the labelled, and of the unlabelled rows, in a weighted mean."""
        own = row_shares(self.weights, self.n_labelled)
        return own, row_shares(self.unlabelled_weights, self.n_unlabelled)

    def need_classes(self) -> tuple[Any, ...]:
        """Return the classes, refusing labels that are numbers."""
        if self.classes is None:
            shown = Shown("means of a regression")
            remedy = "Cross-fit a classifier"
            raise invalid("rows", "have labels of classes", shown, remedy)
        return self.classes

    def of_given(self, name: str, table: Any) -> Any:
        """Return the rows that take part of a table of all labelled rows."""
        return take_rows(_with_rows(name, table, self.n_given), self.rows)

    def of_unlabelled(self, name: str, table: Any) -> Any:
        """Return a table of the unlabelled rows, refused if it has others."""
        return _with_rows(name, table, self.n_unlabelled)


def partly_labelled(
    labels: OutOfFold,
    X: Any,
    y: ArrayLike,
    unlabelled: Any,
    *,
    sample_weight: ArrayLike | None = None,
    unlabelled_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    unlabelled_clusters: ArrayLike | None = None,
) -> PartlyLabelled:
    """Set labelled rows beside unlabelled ones, for prediction-powered inference.

    Parameters
    ----------
    labels : OutOfFold
        Cross-fitted labels of the labelled rows, with the fold teachers kept
        (``cross_fit(..., new_rows="mean")``), or labels from elsewhere.
    X : array-like or data frame of shape (n, d)
        The table of the labelled rows that the teachers read.
    y : array-like of shape (n,)
        Their class labels; numbers for labels of a regression.
    unlabelled : array-like or data frame of shape (n_unlabelled, d), or OutOfFold
        The same columns of rows without outcomes, which the teachers of each fold
        label; or their labels, by the model that labelled the others.
    sample_weight, unlabelled_weight : array-like, optional
        Sampling weights of either. Where the two come from different populations, the
        weights that make both stand for the one that is meant.
    clusters, unlabelled_clusters : array-like, optional
        Cluster of each row of either; rows of both may share one.

    Returns
    -------
    PartlyLabelled

    Raises
    ------
    ValueError, TypeError
        If the labels are in-sample, out-of-bag or of other rows, the teachers were not
        kept, tables do not have the same columns, or a value cannot be used.

    See Also
    --------
    powered_means : Shares of classes, or means.
    powered_coefficients : A logistic model.
    semikd.evaluation.powered_risks : Losses of a model.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import cross_fit
    >>> from semikd.inference import partly_labelled
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(1000, 1))
    >>> y = (X[:, 0] + rng.normal(size=1000) > 0).astype(int)
    >>> labels = cross_fit(LogisticRegression(), X[:200], y[:200], random_state=0)
    >>> rows = partly_labelled(labels, X[:200], y[:200], X[200:])
    >>> rows.n_labelled, rows.n_unlabelled
    (200, 800)
    """
    check_honest(
        labels,
        "inference",
        "Cross-fit the teacher with an integer cv",
        regression=True,
    )
    is_classification = labels.classes is not None
    known = checked_labels(X, y) if is_classification else checked_outcomes(X, y)
    check_record(labels, X, np.unique(known) if is_classification else None)
    n = len(known)
    weights = sample_weights(sample_weight, n)
    usable = labels.labelled if weights is None else labels.labelled & (weights > 0)
    rows = np.flatnonzero(usable)
    _check_enough(len(rows), "labelled rows with weight and label", "y")
    more = _unlabelled(labels, X, unlabelled)
    n_more = more[0].shape[1]
    units = _units(clusters, unlabelled_clusters, n, n_more, rows)
    return PartlyLabelled(
        y=known[rows],
        outcomes=_outcomes(labels, known)[rows],
        labels=labels.prediction[:, rows],
        part=_parts(labels.fold[:, rows], units[: len(rows)]),
        unlabelled=more,
        classes=None if labels.classes is None else tuple(labels.classes.tolist()),
        names=labels.outputs,
        rows=rows,
        n_given=n,
        weights=None if weights is None else weights[rows],
        unlabelled_weights=sample_weights(
            unlabelled_weight, n_more, name="unlabelled_weight"
        ),
        units=units,
        has_clusters=clusters is not None,
        strategy=labels.strategy,
    )


def _outcomes(labels: OutOfFold, y: NDArray[Any]) -> FloatArray:
    """Return indicators of the classes, or numbers, in as many columns as labels."""
    if labels.classes is not None:
        codes = np.searchsorted(labels.classes, y)
        return one_hot(codes, len(labels.classes))
    table = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    if table.shape[1] != (m := labels.prediction.shape[2]):
        shown = Shown(str(np.shape(y)))
        raise invalid("y", f"have {counted(m, 'column')}, as labels have", shown)
    return table


def _unlabelled(labels: OutOfFold, X: Any, unlabelled: Any) -> tuple[FloatArray, ...]:
    """Return labels of the unlabelled rows, by repeat and fold."""
    if not isinstance(unlabelled, OutOfFold):
        table = checked_unlabelled(unlabelled, X)
        _check_enough(n_rows(table), "rows", "unlabelled")
        return labels_by_fold(labels, table)
    check_honest(unlabelled, "inference", regression=True)
    _check_enough(len(unlabelled.row_hash), "rows", "unlabelled")
    if unlabelled.outputs != labels.outputs:
        shown = Shown(", ".join(unlabelled.outputs))
        constraint = f"have the outputs of labels, {', '.join(labels.outputs)}"
        raise invalid("unlabelled", constraint, shown)
    if not unlabelled.labelled.all():
        row = int(np.argmin(unlabelled.labelled))
        remedy = "Leave such rows out"
        shown = Shown(f"none in row {row}")
        raise invalid("unlabelled", "have a label in every row", shown, remedy)
    return (unlabelled.mean[None],) * labels.n_repeats


def _parts(fold: NDArray[np.intp], units: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return folds, or parts of every fifth unit where there are none."""
    if (fold >= 0).all() and (fold.max(axis=1) > 0).all():
        return fold
    order = np.unique(units, return_inverse=True)[1]
    return np.broadcast_to(order % _N_PARTS, fold.shape)


def _units(
    clusters: ArrayLike | None,
    more: ArrayLike | None,
    n: int,
    n_more: int,
    rows: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return the unit of every row: clusters of both numbered together, or rows."""
    if clusters is None and more is None:
        return np.arange(len(rows) + n_more)
    if clusters is None:
        remedy = "Give the clusters of the labelled rows too"
        raise invalid("clusters", "stand beside unlabelled_clusters", None, remedy)
    checked_clusters(clusters, n)
    own = np.asarray(clusters)[rows]
    if more is None:
        codes = np.unique(own, return_inverse=True)[1]
        return np.concatenate([codes, codes.max() + 1 + np.arange(n_more)])
    numbered("unlabelled_clusters", more, n_more)
    both = [*own.tolist(), *np.asarray(more).tolist()]
    return numbered("clusters", both, len(both))[1]


def _check_enough(n: int, what: str, name: str) -> None:
    """Refuse fewer than two rows: their spread cannot be seen."""
    if n < 2:
        raise invalid(name, f"hold at least 2 {what}", n)


def _with_rows(name: str, table: Any, n: int) -> Any:
    """Return a table, refused if it has another number of rows."""
    if n_rows(table) != n:
        shown = Shown(counted(n_rows(table), "row"))
        raise invalid(name, f"have {counted(n, 'row')}", shown)
    return table
