"""The rows that coefficients are fitted to: columns, outcomes, weights, clusters."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from semikd._validation import FloatArray, Shown, counted, invalid, sample_weights
from semikd.inference._inputs import (
    check_units,
    checked_clusters,
    class_labels,
    of_rows,
)
from semikd.inference.columns import Columns, made_columns
from semikd.inference.estimating import EstimatingEquation
from semikd.inference.influence import row_shares
from semikd.simplex import one_hot

__all__ = ["Design", "check_determined", "determined", "made_design"]

# Standard columns of length 1 that are nearer to the others than this depend on them:
# sums of squares keep four digits of the rest.
_DEPENDENT = 1e-6


@dataclass(frozen=True, eq=False)
class Design:
    """Standard columns, outcomes, weights and clusters of the rows that take part.

    Parameters
    ----------
    columns : Columns
        Names, and what turns standard coefficients into those of the user's units.
    standard : ndarray of shape (n, p)
        The columns with mean 0 and deviation 1; a constant one, if any, is the last.
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
    left_out : int
        Rows without weight or label.

    Examples
    --------
    >>> from semikd.inference.designs import made_design
    >>> rows = made_design([[0.0], [1.0], [4.0]], ["a", "b", "a"])
    >>> rows.coefficient_names, rows.classes, rows.log_odds
    (('x0', 'intercept'), ('a', 'b'), "log-odds of 'b' against 'a'")
    """

    columns: Columns
    standard: FloatArray
    outcomes: FloatArray
    classes: tuple[Any, ...]
    weights: FloatArray | None
    clusters: tuple[NDArray[np.intp], ...]
    rows: NDArray[np.intp]
    left_out: int

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Names of the coefficients, class by class where there are several."""
        return class_names(self.classes, self.columns.all_names, self.classes[1:])

    @property
    def log_odds(self) -> str:
        """What the coefficients are units of, in words."""
        reference, *others = self.classes
        which = repr(others[0]) if len(others) == 1 else "each class"
        return f"log-odds of {which} against {reference!r}"

    def regression(self, target: FloatArray) -> EstimatingEquation:
        """Return the weighted least squares of targets (n, m) on the columns."""
        root = np.ones(1) if self.weights is None else np.sqrt(self.weights)
        left, right = root[:, None] * self.standard, root[:, None] * target
        theta = np.asarray(np.linalg.lstsq(left, right)[0].T)
        residual = target - self.standard @ theta.T
        return EstimatingEquation(theta, self.standard, residual, None, self.weights)


def class_names(
    classes: tuple[Any, ...], names: tuple[str, ...], shown: tuple[Any, ...]
) -> tuple[str, ...]:
    """Return names, of each class in turn where there are more than two."""
    if len(classes) == 2:
        return names
    return tuple(f"{label}: {name}" for label in shown for name in names)


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
        If a column holds no numbers, columns depend on one another, a class has no row
        of weight and label, there are no more rows or clusters than coefficients of a
        class, or a value cannot be used.
    """
    codes, classes = _codes(class_labels(X, y), reference)
    weights = sample_weights(sample_weight, len(codes))
    kept = np.ones(len(codes), dtype=bool) if usable is None else usable
    rows = np.flatnonzero(kept if weights is None else kept & (weights > 0))
    _check_classes(codes[rows], classes)
    weights = None if weights is None else weights[rows]
    share = row_shares(weights, len(rows))
    columns, standard = made_columns(X, rows, share, fit_intercept=fit_intercept)
    found = Design(
        columns,
        standard,
        one_hot(codes, len(classes))[rows],
        classes,
        None if weights is None else len(rows) * share,
        _clusters(clusters, len(codes), rows),
        rows,
        len(codes) - len(rows),
    )
    _check(found)
    return found


def _check_classes(codes: NDArray[np.intp], classes: tuple[Any, ...]) -> None:
    """Refuse rows among which a class is missing: it has no coefficients."""
    missing = sorted(set(range(len(classes))) - set(codes.tolist()))
    if missing:
        shown = Shown(f"none of class {classes[missing[0]]!r}")
        constraint = "hold rows of every class that have weight and label"
        raise invalid("y", constraint, shown, "Leave that class out")


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
    if table.ndim == 2 and (table.shape[1] not in {1, 2} or len(table) != n):
        shown = Shown(f"shape {table.shape}")
        constraint = f"have shape ({n},) or ({n}, 2)"
        raise invalid("clusters", constraint, shown, "Stack two ways as columns")
    ways = table.T if table.ndim == 2 else [given]
    found = (of_rows(checked_clusters(each, n), rows) for each in ways)
    return tuple(each for each in found if each is not None)


def _check(rows: Design) -> None:
    """Refuse rows that do not determine every coefficient."""
    names = rows.coefficient_names
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        shown = Shown(f"{twice[0]!r} for two")
        raise invalid("X", "give every coefficient a name of its own", shown)
    check_determined(rows.columns, rows.standard, rows.weights, rows.clusters)


def check_determined(
    columns: Columns,
    standard: FloatArray,
    weights: FloatArray | None,
    clusters: tuple[NDArray[np.intp], ...],
) -> None:
    """Refuse rows that do not determine the coefficient of every column.

    Parameters
    ----------
    columns : Columns
        The columns.
    standard : ndarray of shape (n, p)
        Their standard values.
    weights : ndarray of shape (n,) or None
        Sampling weights.
    clusters : tuple of ndarray of int of shape (n,)
        Cluster of each row, in each way.

    Raises
    ------
    ValueError
        If there are no more rows or clusters than coefficients, or columns depend on
        one another.
    """
    n, p = standard.shape
    units, what = n, "rows"
    for each in clusters:
        check_units(n, each)
        units, what = min(units, int(each.max()) + 1), "clusters"
    if units <= p:
        given = counted(len(columns.names), "column")
        those = f"{given} and the intercept" if columns.has_intercept else given
        shown = Shown(f"{counted(units, what[:-1])} for {those}")
        constraint = f"have more {what} than coefficients"
        raise invalid("X", constraint, shown, "Use fewer columns")
    alone = determined(standard, weights)
    if not alone.all():
        named = columns.all_names[int(alone.argmin())]
        shown = Shown(f"{named!r}, a combination of the others")
        remedy = "Drop it, or one of those"
        raise invalid("X", "have linearly independent columns", shown, remedy)


def determined(standard: FloatArray, weights: FloatArray | None) -> NDArray[np.bool_]:
    """Return which columns are none of the combinations of others, shape (p,).

    Parameters
    ----------
    standard : ndarray of shape (n, p)
        Columns that vary, of mean 0 and deviation 1, or constant.
    weights : ndarray of shape (n,) or None
        Sampling weights.

    Returns
    -------
    ndarray of bool
        Those that are left determine their coefficients.
    """
    root = np.ones(1) if weights is None else np.sqrt(weights)
    weighed = root[:, None] * standard
    lengths = np.sqrt((weighed**2).sum(axis=0))
    upper, order = linalg.qr(weighed / lengths, mode="r", pivoting=True)
    found = np.zeros(standard.shape[1], dtype=bool)
    found[order[: len(upper)]] = np.abs(np.diag(upper)) > _DEPENDENT
    return found
