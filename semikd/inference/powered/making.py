"""From tables and records to rows of which only some have an outcome."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import checked_labels, checked_outcomes
from semikd._validation import Shown, counted, invalid, sample_weights, wrong_type
from semikd.crossfit import OutOfFold
from semikd.crossfit.checks import check_honest, check_record
from semikd.crossfit.folds import n_divided
from semikd.crossfit.new_rows import copied_rows, labels_by_fold
from semikd.crossfit.rows import n_rows, row_hashes
from semikd.crossfit.unlabelled import checked_unlabelled
from semikd.exceptions import SemikdWarning
from semikd.inference._inputs import checked_clusters, numbered
from semikd.inference.powered.rows import PartlyLabelled
from semikd.inference.units import warn_of_few_effective
from semikd.simplex import FloatArray, one_hot

__all__ = ["partly_labelled"]

_REMEDY = "Cross-fit the teacher with an integer cv"
# Parts whose rows choose how much labels count in another, where there are no folds.
_N_PARTS = 5
# Share of labelled rows that stand among the others by more than chance.
_MOST = 0.9


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
        Cluster of each row of either; rows of both may share one. Teachers must not
        have seen the cluster of a row that they label: cross-fit with ``groups``.

    Returns
    -------
    PartlyLabelled

    Raises
    ------
    ValueError, TypeError
        If the labels are in-sample, out-of-bag or of other rows, the teachers were not
        kept, clusters are divided between folds, tables do not have the same columns, a
        class has no labelled row, there are fewer than two rows or clusters of either,
        or a value cannot be used.

    Warns
    -----
    SemikdWarning
        If the labelled rows stand among the unlabelled ones, or a few rows or clusters
        of either have most of the weight.

    See Also
    --------
    powered_means : Shares of classes, or means.
    powered_coefficients : A logistic model.
    powered_regression : A linear function.
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
    check_honest(labels, "inference", _REMEDY, regression=True)
    is_classification = labels.classes is not None
    known = checked_labels(X, y) if is_classification else checked_outcomes(X, y)
    check_record(labels, X, np.unique(known) if is_classification else None)
    rows, weights = _kept(labels.labelled, sample_weight, "sample_weight")
    hashes = _hashes(labels, X, unlabelled)
    units = _units(clusters, unlabelled_clusters, len(known), len(hashes))
    like = copied_rows(labels, hashes)
    more = _labels_of(unlabelled, labels, _mates(units, like))
    every = np.ones(len(hashes), dtype=bool)
    more_rows, more_weights = _kept(every, unlabelled_weight, "unlabelled_weight")
    outcomes = _outcomes(labels, known)[rows]
    _check_classes(outcomes, labels)
    own = units[: len(known)][rows]
    both = np.concatenate([own, units[len(known) :][more_rows]])
    _check_units(own, both[len(rows) :], clusters is not None)
    if clusters is not None:
        _check_folds(labels.fold[:, rows], own)
    found = PartlyLabelled(
        y=known[rows],
        outcomes=outcomes,
        labels=labels.prediction[:, rows],
        teacher=_teachers(labels.fold[:, rows], len(more[0])),
        part=_parts(labels.fold[:, rows], own),
        unlabelled=tuple(each[:, more_rows] for each in more),
        classes=None if labels.classes is None else tuple(labels.classes.tolist()),
        names=labels.outputs,
        rows=rows,
        unlabelled_rows=more_rows,
        n_given=len(known),
        n_given_unlabelled=len(every),
        weights=weights,
        unlabelled_weights=more_weights,
        units=np.unique(both, return_inverse=True)[1],
        has_clusters=clusters is not None,
        strategy=labels.strategy,
    )
    _warn(found, like, labels.row_hash)
    return found


def _kept(
    usable: NDArray[np.bool_], given: ArrayLike | None, name: str
) -> tuple[NDArray[np.intp], FloatArray | None]:
    """Return positions of usable rows of positive weight, and their weights."""
    weights = sample_weights(given, len(usable), name=name)
    rows = np.flatnonzero(usable if weights is None else usable & (weights > 0))
    return rows, None if weights is None else weights[rows]


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


def _check_classes(outcomes: FloatArray, labels: OutOfFold) -> None:
    """Refuse rows among which a class is missing: nothing would be said of it."""
    if labels.classes is None or (outcomes.sum(axis=0) > 0).all():
        return
    name = labels.classes.tolist()[int(np.argmin(outcomes.sum(axis=0)))]
    shown = Shown(f"none of class {name!r}")
    constraint = "hold rows of every class that have weight and label"
    raise invalid("y", constraint, shown)


def _hashes(labels: OutOfFold, X: Any, unlabelled: Any) -> NDArray[np.uint64]:
    """Return the hashes of unlabelled rows, once they can stand beside the others."""
    if isinstance(unlabelled, OutOfFold):
        check_honest(unlabelled, "inference", regression=True, name="unlabelled")
        _check_record(unlabelled, labels)
        return unlabelled.row_hash
    if unlabelled is None:
        raise wrong_type("unlabelled", "be a table or an OutOfFold record", unlabelled)
    if n_rows(unlabelled) == 0:
        remedy = (
            "Without such rows outcomes alone are used: see semikd.evaluation.risks"
        )
        raise invalid("unlabelled", "hold two rows or more", Shown("none"), remedy)
    return row_hashes(checked_unlabelled(unlabelled, X))


def _mates(units: NDArray[np.intp], copies: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return a labelled row of the cluster of each unlabelled one, or its copy, or -1.

    Who labels the one must label the other: the other teachers saw a row like it.
    """
    n = len(units) - len(copies)
    known, first = np.unique(units[:n], return_index=True)
    at = np.minimum(np.searchsorted(known, units[n:]), len(known) - 1)
    return np.where(known[at] == units[n:], first[at], copies)


def _labels_of(
    unlabelled: Any, labels: OutOfFold, like: NDArray[np.intp]
) -> tuple[FloatArray, ...]:
    """Return labels of the unlabelled rows, by repeat and teacher."""
    if isinstance(unlabelled, OutOfFold):
        return (unlabelled.mean[None],) * labels.n_repeats
    return labels_by_fold(labels, unlabelled, like)


def _check_record(unlabelled: OutOfFold, labels: OutOfFold) -> None:
    """Refuse labels of unlabelled rows that are not like those of the others."""
    if unlabelled.outputs != labels.outputs:
        shown = Shown(", ".join(unlabelled.outputs))
        constraint = f"have the outputs of labels, {', '.join(labels.outputs)}"
        raise invalid("unlabelled", constraint, shown)
    if not unlabelled.labelled.all():
        row = int(np.argmin(unlabelled.labelled))
        remedy = "Leave such rows out"
        shown = Shown(f"none in row {row}")
        raise invalid("unlabelled", "have a label in every row", shown, remedy)


def _teachers(fold: NDArray[np.intp], n_teachers: int) -> NDArray[np.intp]:
    """Return which of the teachers of unlabelled rows labelled each row."""
    return np.maximum(fold, 0) if n_teachers > 1 else np.zeros_like(fold)


def _parts(fold: NDArray[np.intp], units: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return folds, numbered from 0, or every fifth unit where there are none."""
    found = np.empty_like(fold)
    for r, own in enumerate(fold):
        by = own if len(np.unique(own)) > 1 else _numbers(units) % _N_PARTS
        found[r] = _numbers(by)
    return found


def _numbers(labels: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return labels numbered from 0 without gaps."""
    return np.asarray(np.unique(labels, return_inverse=True)[1])


def _units(
    clusters: ArrayLike | None, more: ArrayLike | None, n: int, n_more: int
) -> NDArray[np.intp]:
    """Return the unit of every row: clusters of both numbered together, or rows."""
    if clusters is None and more is None:
        return np.arange(n + n_more)
    if clusters is None:
        remedy = "Give the clusters of the labelled rows too"
        raise invalid("clusters", "stand beside unlabelled_clusters", None, remedy)
    own = checked_clusters(clusters, n)
    if more is None:
        assert own is not None  # noqa: S101 - clusters are given
        return np.concatenate([own, own.max() + 1 + np.arange(n_more)])
    numbered("unlabelled_clusters", more, n_more)
    both = [*np.asarray(clusters).tolist(), *np.asarray(more).tolist()]
    return numbered("clusters", both, len(both))[1]


def _check_units(
    own: NDArray[np.intp], other: NDArray[np.intp], has_clusters: bool
) -> None:
    """Refuse fewer than two units of either: their spread cannot be seen."""
    what = "cluster" if has_clusters else "row"
    for name, units in (("y", own), ("unlabelled", other)):
        if (n := len(np.unique(units))) < 2:
            shown = Shown(counted(n, what))
            constraint = f"hold two {what}s of positive weight that have labels"
            raise invalid(name, constraint, shown)


def _check_folds(fold: NDArray[np.intp], units: NDArray[np.intp]) -> None:
    """Refuse clusters that folds divide: their teachers saw rows that depend."""
    for own in fold:
        if divided := n_divided(units, own):
            shown = Shown(f"{counted(divided, 'cluster')} in several")
            remedy = "Cross-fit with groups=clusters"
            raise invalid("clusters", "each lie in one fold", shown, remedy)


def _warn(
    rows: PartlyLabelled, like: NDArray[np.intp], hashes: NDArray[np.uint64]
) -> None:
    """Warn of weights on a few units, and where labelled rows stand among the others.

    That is seen by which labelled row each unlabelled one is like.
    """
    warn_of_few_effective(rows.sizes(), clusters=rows.has_clusters, stacklevel=4)
    n = len(hashes)
    found = len(np.unique(like[like >= 0]))
    if len(np.unique(hashes)) < _MOST * n or found < _MOST * n:
        return
    warnings.warn(
        f"{found:,} of the {n:,} labelled rows stand among the unlabelled ones too. If "
        "they are the same rows, leave them out of unlabelled: intervals would not "
        "cover.",
        SemikdWarning,
        stacklevel=3,
    )
