"""The rows that coefficients are fitted to: columns with names, outcomes, weights."""

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from semikd._tables import checked_labels, refuse_equal_names
from semikd._validation import (
    FloatArray,
    Shown,
    finite_array,
    invalid,
    sample_weights,
    wrong_type,
)
from semikd.inference._inputs import check_units, checked_clusters
from semikd.inference.estimating import EstimatingEquation
from semikd.simplex import one_hot

__all__ = ["INTERCEPT", "Design", "made_design", "numeric_columns"]

INTERCEPT = "intercept"
# Columns, scaled to length 1, that are nearer to the others than this depend on them.
_DEPENDENT = 1e-9


@dataclass(frozen=True, eq=False)
class Design:
    """Columns, outcomes, weights and clusters of the rows that have weight.

    Parameters
    ----------
    columns : ndarray of shape (n, p)
        The columns; a constant one, if any, is the last.
    names : tuple of str
        Their names.
    outcomes : ndarray of shape (n, k)
        Indicators of the classes.
    classes : tuple
        The class labels, the reference first.
    weights : ndarray of shape (n,) or None
        Sampling weights, of mean 1.
    clusters : tuple of ndarray of int of shape (n,)
        Cluster of each row, numbered from 0 without gaps, in no, one or two ways.
    rows : ndarray of int of shape (n,)
        Their positions in the table.

    Examples
    --------
    >>> from semikd.inference.designs import made_design
    >>> rows = made_design([[0.0], [1.0], [4.0]], ["a", "b", "a"])
    >>> rows.names, rows.classes, rows.log_odds
    (('x0', 'intercept'), ('a', 'b'), "log-odds of 'b' against 'a'")
    """

    columns: FloatArray
    names: tuple[str, ...]
    outcomes: FloatArray
    classes: tuple[Any, ...]
    weights: FloatArray | None
    clusters: tuple[NDArray[np.intp], ...]
    rows: NDArray[np.intp]

    @property
    def has_intercept(self) -> bool:
        """Whether the last column is the constant one that was added."""
        return self.names[-1] == INTERCEPT

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the coefficients, class by class where there are several."""
        if len(self.classes) == 2:
            return self.names
        return tuple(
            f"{label}: {name}" for label in self.classes[1:] for name in self.names
        )

    @property
    def log_odds(self) -> str:
        """What the coefficients are units of, in words."""
        reference, *others = self.classes
        which = repr(others[0]) if len(others) == 1 else "each class"
        return f"log-odds of {which} against {reference!r}"

    def regression(self, target: FloatArray) -> EstimatingEquation:
        """Return the weighted least squares of targets (n, m) on the columns."""
        root = np.ones(1) if self.weights is None else np.sqrt(self.weights)
        left, right = root[:, None] * self.columns, root[:, None] * target
        theta = np.asarray(np.linalg.lstsq(left, right)[0].T)
        residual, ones = target - self.columns @ theta.T, np.eye(len(theta))
        curvature = np.broadcast_to(ones, (len(target), *ones.shape))
        return EstimatingEquation(
            theta, self.columns, residual, curvature, self.weights
        )


def made_design(
    X: Any,
    y: ArrayLike,
    *,
    reference: Any = None,
    fit_intercept: bool = True,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    usable: NDArray[np.bool_] | None = None,
) -> Design:
    """Return the rows of positive weight, once they can determine coefficients.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Numbers.
    y : array-like of shape (n,)
        Class labels.
    reference : class label, optional
        By default the first class.
    fit_intercept : bool, default=True
        Whether a constant column is added.
    sample_weight : array-like of shape (n,), optional
        Sampling weights.
    clusters : array-like of shape (n,) or (n, 2), optional
        Cluster of each row, in one way or in two.
    usable : ndarray of bool of shape (n,), optional
        Rows that may take part; by default all.

    Returns
    -------
    Design

    Raises
    ------
    ValueError, TypeError
        If a column holds no numbers, columns depend on one another, there are no more
        rows or clusters than coefficients, or a value cannot be used.
    """
    columns, names = numeric_columns(X)
    outcomes = checked_labels(X, y)
    codes, classes = _codes(outcomes, reference)
    n = len(codes)
    if fit_intercept:
        columns, names = np.column_stack([columns, np.ones(n)]), (*names, INTERCEPT)
    weights = sample_weights(sample_weight, n)
    kept = np.ones(n, dtype=bool) if usable is None else usable
    rows = np.flatnonzero(kept if weights is None else kept & (weights > 0))
    found = Design(
        columns[rows],
        names,
        one_hot(codes, len(classes))[rows],
        classes,
        None if weights is None else weights[rows] / weights[rows].mean(),
        _clusters(clusters, n, rows),
        rows,
    )
    _check(found)
    return found


def _codes(
    outcomes: NDArray[Any], reference: Any
) -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Return the position of each outcome among the classes, the reference first."""
    known, codes = np.unique(outcomes, return_inverse=True)
    labels = known.tolist()
    first = labels[0] if reference is None else reference
    if first not in labels:
        raise invalid("reference", f"be one of the classes {labels}", reference)
    at = labels.index(first)
    order = [at, *(j for j in range(len(labels)) if j != at)]
    return np.argsort(order)[codes], tuple(labels[j] for j in order)


def _clusters(
    given: ArrayLike | None, n: int, rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], ...]:
    """Return the clusters of these rows, numbered anew, in each way."""
    if given is None:
        return ()
    table = np.asarray(given)
    if table.ndim == 2 and table.shape[1] > 2:
        shown = Shown(f"{table.shape[1]} columns")
        raise invalid("clusters", "be given in one way or in two", shown)
    ways = table.T if table.ndim == 2 else [given]
    checked = [checked_clusters(each, n) for each in ways]
    return tuple(
        np.unique(each[rows], return_inverse=True)[1]
        for each in checked
        if each is not None
    )


def numeric_columns(X: Any) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the columns of a table as finite numbers, and their names."""
    refuse_equal_names(X)
    remedy = "Fill or drop such rows: a missing cell has no coefficient"
    if not nw.dependencies.is_into_dataframe(X):
        table = finite_array("X", X, shape=(None, None), remedy=remedy)
        return table, tuple(f"x{j}" for j in range(table.shape[1]))
    frame = nw.from_native(X, eager_only=True)
    names = tuple(str(name) for name in frame.columns)
    columns = []
    for name in frame.columns:
        values = frame[name].to_numpy()
        if values.dtype.kind not in "biuf":
            encode = "Encode it, as an indicator for each value but one"
            shown = Shown(f"{str(name)!r}, which does not")
            raise wrong_type("X", "hold numbers in every column", shown, encode)
        columns.append(finite_array(f"X[{str(name)!r}]", values, shape=(None,)))
    return np.column_stack(columns), names


def _check(rows: Design) -> None:
    """Refuse rows that do not determine every coefficient."""
    n, p = rows.columns.shape
    n_coefficients = p * (len(rows.classes) - 1)
    check_units(n, None)
    units, what = n, "rows"
    for each in rows.clusters:
        check_units(n, each)
        units, what = min(units, int(each.max()) + 1), "clusters"
    if units <= n_coefficients:
        shown = Shown(f"{units:,} {what} for {n_coefficients:,}")
        constraint = f"have more {what} than coefficients"
        raise invalid("X", constraint, shown, "Use fewer columns")
    lengths = np.sqrt((rows.columns**2).sum(axis=0))
    scaled = rows.columns / np.where(lengths > 0, lengths, 1.0)
    upper, order = linalg.qr(scaled, mode="r", pivoting=True)
    alone = np.abs(np.diag(upper))
    if (alone <= _DEPENDENT).any():
        named = rows.names[int(order[np.argmax(alone <= _DEPENDENT)])]
        shown = Shown(f"{named!r}, a combination of the others")
        remedy = "Drop it, or one of those"
        raise invalid("X", "have linearly independent columns", shown, remedy)
