r"""Exact leave-one-out labels of nearest neighbours: the next ones take a copy's place.

A row is its own nearest neighbour; without it, and its copies, the neighbours that
follow move up.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from semikd.crossfit.folds import Rows
from semikd.crossfit.rows import Indices, take_rows
from semikd.crossfit.shortcuts.distinct import (
    Distinct,
    distinct,
    on_all_rows,
    outcomes,
)
from semikd.crossfit.shortcuts.labels import FittedParts
from semikd.crossfit.shortcuts.one_fit import OneFit
from semikd.simplex import FloatArray, one_hot

__all__ = ["NEIGHBOURS", "neighbours_without"]

_LEARNERS = (KNeighborsClassifier, KNeighborsRegressor)
# Groups are left out whole up to this many times the neighbours of a plain query.
_DEARER = 50


def neighbours_without(parts: FittedParts, y: NDArray[Any], rows: Rows) -> FloatArray:
    r"""Return what nearest neighbours would say of rows that they had not seen.

    .. math:: \hat f_{-u}(x_i) = \frac{\sum_{j \in N} v_j y_j}{\sum_{j \in N} v_j}

    with N the ``n_neighbors`` nearest rows outside u, the copies of the row (or its
    group), and :math:`v_j` the learner's weights: 1, 1/distance, or a function.
    A classifier's y are indicators.

    Parameters
    ----------
    parts : FittedParts
        Fitted KNeighborsClassifier or KNeighborsRegressor, and the rows it saw.
    y : ndarray of shape (n,) or (n, m)
        Class labels or outcomes.
    rows : Rows
        Identity, class and group of each row.

    Returns
    -------
    ndarray of shape (n, k) or (n, m)
        NaN where fewer than ``n_neighbors`` rows are left, or all weights are zero.
        ``n_neighbors`` of all other rows is their mean.

    Notes
    -----
    One query of ``n_neighbors`` plus the copies (or group) of each distinct row. Where
    the last neighbour ties with the next, scikit-learn takes either, and may take the
    other in a refit; distances of its brute-force search may differ in their last
    digits between the two.

    References
    ----------
    .. [1] T. Hastie, R. Tibshirani and J. Friedman, "The Elements of Statistical
       Learning", 2nd ed., Springer 2009, Section 13.3.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.labels import FittedParts
    >>> from semikd.crossfit.shortcuts.neighbours import neighbours_without
    >>> rows = Rows(np.arange(3, dtype=np.uint64), np.zeros(3, int), None, None, None)
    >>> X, y = np.array([[0.0], [1.0], [3.0]]), np.array([5.0, 6.0, 9.0])
    >>> nearest = KNeighborsRegressor(n_neighbors=1).fit(X, y)
    >>> neighbours_without(FittedParts(nearest, nearest, X), y, rows)
    array([[6.],
           [5.],
           [6.]])
    """
    apart = distinct(rows)
    if rows.classes is None:
        Y = outcomes(y, rows)
    else:
        Y = one_hot(rows.codes[rows.active], len(rows.classes))
    unit = apart.unit[apart.back]
    extra = np.bincount(unit)[apart.unit]
    fit = np.full((len(apart.first), Y.shape[1]), np.nan)
    for own in np.unique(extra).tolist():
        queried = np.flatnonzero(extra == own)
        fit[queried] = _without(parts, Y, apart, queried, own)
    return on_all_rows(fit, apart, rows)


def _without(
    parts: FittedParts, Y: FloatArray, apart: Distinct, queried: Indices, own: int
) -> FloatArray:
    """Return labels of distinct rows, each of whose units has this many rows."""
    learner, n = parts.learner, len(Y)
    k = int(learner.n_neighbors)
    if n - own < k:
        return np.full((len(queried), Y.shape[1]), np.nan)
    table = take_rows(parts.X, apart.first[queried])
    distance, near = learner.kneighbors(table, n_neighbors=k + own)
    unit = apart.unit[apart.back]
    others = unit[near] != apart.unit[queried][:, None]
    # The k nearest of the others, in their order.
    place = np.argsort(~others, axis=1, kind="stable")[:, :k]
    distance = np.take_along_axis(distance, place, axis=1)
    near = np.take_along_axis(near, place, axis=1)
    weight = _weights(learner.weights, distance)
    total = weight.sum(axis=1, keepdims=True)
    total = np.where(total == 0.0, np.nan, total)
    return np.asarray(np.einsum("ij,ijm->im", weight, Y[near]) / total)


def _weights(weights: Any, distance: FloatArray) -> FloatArray:
    """Return the weights of neighbours; at distance zero all of it is theirs."""
    if callable(weights):
        given = weights(distance)
        return np.ones_like(distance) if given is None else np.asarray(given)
    if weights != "distance":
        return np.ones_like(distance)
    same = distance == 0.0
    reached = same.any(axis=1, keepdims=True)
    return np.where(reached, same, 1.0 / np.where(same, 1.0, distance))


def _handles(learner: Any) -> bool:
    """Return whether this is a fixed number of nearest neighbours of scikit-learn."""
    return type(learner) in _LEARNERS


def _refusal(learner: Any, rows: Rows) -> str | None:
    """Return whether distances are given, or groups need too many neighbours."""
    if learner.metric == "precomputed":
        return "metric='precomputed' takes distances, not rows"
    if rows.groups is None:
        return None
    sizes = np.bincount(rows.apart[1])
    needed = learner.n_neighbors + float((sizes**2).sum()) / sizes.sum()
    if needed > _DEARER * (learner.n_neighbors + 1):
        return f"to leave a group out takes {needed:,.0f} neighbours of a row"
    return None


NEIGHBOURS = OneFit(
    handles=_handles,
    refusal=_refusal,
    without=neighbours_without,
    missing="have too few neighbours of positive weight",
)
