"""The rows that judge a teacher: labels, outcomes, weights, and the parts they form."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import checked_labels
from semikd._validation import (
    Shown,
    counted,
    invalid,
    sample_weights,
    unknown,
    wrong_type,
)
from semikd.crossfit import OutOfFold, external_labels, take_rows
from semikd.crossfit.checks import check_honest, check_record
from semikd.crossfit.folds import Rows
from semikd.diagnostics.findings import ALL_ROWS, Clusters
from semikd.evaluation.recalibration import floored
from semikd.inference._inputs import (
    check_units,
    checked_clusters,
    numbered,
    of_rows,
)
from semikd.simplex import FloatArray, one_hot

__all__ = ["JudgedRows", "Part", "judged_rows"]

# More parts than this are no longer read.
_MOST_GROUPS = 50


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the rows, or one class against the rest.

    Parameters
    ----------
    name : str
        What it is called in tables.
    rows : ndarray of int
        Positions of its rows.
    column : int or None
        The class, where the part is a class.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.rows import Part
    >>> Part("all rows", np.arange(3), None).rows
    array([0, 1, 2])
    """

    name: str
    rows: NDArray[np.intp]
    column: int | None


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows with a label and a positive weight.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Covariates.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    names : tuple of str
        Names of the k classes.
    labels : ndarray of shape (r, n, k)
        Out-of-fold labels of r repeats.
    in_sample : ndarray of shape (s, n, k) or None
        Labels by teachers that saw the rows.
    sample_weight : ndarray of shape (n,) or None
        Sampling weights, of mean 1.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row.
    groups : ndarray of shape (n,) or None
        Group of each row, for reporting.
    hashes : ndarray of uint64 of shape (n,)
        Identity of each row.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics.rows import JudgedRows
    >>> X, codes, hashes = np.zeros((2, 1)), np.array([0, 1]), np.zeros(2, np.uint64)
    >>> p = np.full((1, 2, 2), 0.5)
    >>> rows = JudgedRows(X, codes, ("a", "b"), p, None, None, None, None, hashes)
    >>> [part.name for part in rows.parts()]
    ['all rows', 'class a', 'class b']
    """

    X: Any
    codes: NDArray[np.intp]
    names: tuple[str, ...]
    labels: FloatArray
    in_sample: FloatArray | None
    sample_weight: FloatArray | None
    clusters: Clusters
    groups: NDArray[Any] | None
    hashes: NDArray[np.uint64]

    @property
    def weights(self) -> FloatArray:
        """Weights, one where none are given, shape (n,)."""
        if self.sample_weight is None:
            return np.ones(len(self.codes))
        return self.sample_weight

    @property
    def mean(self) -> FloatArray:
        """Labels averaged over repeats, above zero, shape (n, k)."""
        return floored(self.labels.mean(axis=0))

    @property
    def outcome(self) -> FloatArray:
        """Indicators of the classes, shape (n, k)."""
        return one_hot(self.codes, len(self.names))

    def parts(self) -> Iterator[Part]:
        """Yield all rows, then each class, then each group."""
        everyone = np.arange(len(self.codes))
        yield Part(ALL_ROWS, everyone, None)
        for column, name in enumerate(self.names):
            yield Part(f"class {name}", np.flatnonzero(self.codes == column), column)
        if self.groups is not None:
            for group in np.unique(self.groups):
                rows = np.flatnonzero(self.groups == group)
                yield Part(f"group {group}", rows, None)

    def clusters_of(self, rows: NDArray[np.intp]) -> Clusters:
        """Return the clusters of some rows, numbered from 0."""
        return of_rows(self.clusters, rows)

    def units(self) -> Rows:
        """Return what must stay together where the rows are divided again.

        Outcomes play no part: folds that knew them would have fewer of a class left
        for each one that went before.
        """
        codes = np.zeros(len(self.codes), dtype=np.intp)
        return Rows(self.hashes, codes, None, self.clusters, None)


def judged_rows(
    labels: OutOfFold,
    X: Any,
    y: ArrayLike,
    *,
    in_sample: Any,
    sample_weight: ArrayLike | None,
    groups: Any,
    clusters: ArrayLike | None,
) -> JudgedRows:
    """Return the rows that can be judged, everything about them checked.

    Parameters
    ----------
    labels : OutOfFold
        Labels of the rows of X.
    X, y : array-like
        Covariates and class labels.
    in_sample : OutOfFold, array-like or None
        Labels by teachers that saw the rows.
    sample_weight : array-like of shape (n,) or None
        Weights.
    groups : str, array-like of shape (n,) or None
        Groups, or the name of the column of X that has them.
    clusters : array-like of shape (n,) or None
        Clusters.

    Returns
    -------
    JudgedRows

    Raises
    ------
    ValueError
        If the labels are no honest class probabilities of folds, or anything else does
        not fit them.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.diagnostics.rows import judged_rows
    >>> X, y = np.arange(5.0)[:, None], np.array([0, 1, 1, 1, 0])
    >>> labels = external_labels(X, [0.2, np.nan, 0.7, 0.8, 0.1], classes=[0, 1])
    >>> rest = dict.fromkeys(("in_sample", "sample_weight", "groups", "clusters"))
    >>> judged_rows(labels, X, y, **rest).codes
    array([0, 1, 1, 0])
    """
    remedy = "Cross-fit with an integer cv, and pass these as in_sample"
    check_honest(labels, "diagnostics", remedy)
    outcomes = checked_labels(X, y)
    classes = np.unique(outcomes)
    check_record(labels, X, classes)
    n = len(outcomes)
    seen = _in_sample(in_sample, labels, X, classes)
    weights = sample_weights(sample_weight, n)
    kept = np.asarray(labels.labelled & (True if weights is None else weights > 0))
    if seen is not None and not np.isfinite(seen[:, kept]).all():
        missing = int(np.asarray(np.isnan(seen).any(axis=(0, 2)))[kept].sum())
        constraint = "label every row that labels has a label for"
        raise invalid("in_sample", constraint, Shown(f"{counted(missing, 'row')} less"))
    rows = np.flatnonzero(kept)
    units = of_rows(checked_clusters(clusters, n), rows)
    named = _groups(groups, X, n)
    judged = JudgedRows(
        X=X if kept.all() else take_rows(X, rows),
        codes=np.searchsorted(classes, outcomes)[rows],
        names=tuple(str(label) for label in classes.tolist()),
        labels=labels.prediction[:, rows],
        in_sample=None if seen is None else seen[:, rows],
        # Of mean 1, so that a penalty of the learner does not see their scale.
        sample_weight=None if weights is None else weights[rows] / weights[rows].mean(),
        clusters=units,
        groups=None if named is None else named[rows],
        hashes=labels.row_hash[rows],
    )
    _check_enough(judged)
    return judged


def _in_sample(
    given: Any, labels: OutOfFold, X: Any, classes: NDArray[Any]
) -> FloatArray | None:
    """Return in-sample labels, shape (s, n, k)."""
    if given is None:
        return None
    if not isinstance(given, OutOfFold):
        record = external_labels(X, given, classes=classes, honest=False)
        return record.prediction
    if given.honest:
        constraint = "be labels of teachers that saw the rows"
        remedy = "Make them with semikd.cross_fit(..., cv='in-sample')"
        raise invalid("in_sample", constraint, Shown(given.strategy), remedy)
    check_record(given, X, labels.classes)
    return given.prediction


def _groups(given: Any, X: Any, n: int) -> NDArray[Any] | None:
    """Return the group of each row, from an array or from a column of X."""
    if given is None:
        return None
    if isinstance(given, str):
        if not nw.dependencies.is_into_dataframe(X):
            remedy = "Pass the column itself, or X as a data frame"
            constraint = "be an array where X has no column names"
            raise wrong_type("groups", constraint, given, remedy)
        frame = nw.from_native(X, eager_only=True)
        if given not in frame.columns:
            raise unknown("groups", given, frame.columns)
        given = frame[given].to_numpy()
    names, which = numbered("groups", given, n)
    if (n_groups := len(names)) > _MOST_GROUPS:
        constraint = f"name at most {_MOST_GROUPS} groups"
        remedy = "Bin them first, or use clusters for rows that depend on one another"
        raise invalid("groups", constraint, n_groups, remedy)
    return np.asarray(names[which])


def _check_enough(rows: JudgedRows) -> None:
    """Refuse rows of which nothing could be said."""
    if len(np.unique(rows.codes)) < 2 or len(rows.codes) < 2 * len(rows.names):
        constraint = "label at least two rows for each class, of two classes or more"
        raise invalid("labels", constraint, Shown(counted(len(rows.codes), "row")))
    check_units(len(rows.codes), rows.clusters)
