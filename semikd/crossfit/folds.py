"""Which rows a fold teacher learns from and which it labels.

Folds of an integer ``cv`` are drawn from the content of the rows: distinct rows in a
canonical order, dealt out by a seed. A permuted table, a repeated row and a weight of 2
therefore get the same folds. Folds that a user brings are honoured, and leaks counted.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from semikd._random import RandomState, generator, spawn_seeds
from semikd._validation import Shown, count, invalid
from semikd.crossfit.rows import Hashes, Indices, hash_values
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray

__all__ = [
    "Fold",
    "Rows",
    "check_divisible",
    "content_folds",
    "integer_folds",
    "n_divided",
]


@dataclass(frozen=True)
class Fold:
    """Rows that a teacher learns from and rows that it labels, as positions.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Fold
    >>> Fold(train=np.array([0, 1]), test=np.array([2])).test
    array([2])
    """

    train: Indices
    test: Indices


def n_divided(units: NDArray[Any], fold: NDArray[Any]) -> int:
    """Return how many groups, or clusters, have rows in several folds.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import n_divided
    >>> n_divided(np.array(["a", "a", "b", "b"]), np.array([0, 1, 1, 1]))
    1
    """
    codes = np.unique(units, return_inverse=True)[1]
    pairs = np.unique(np.column_stack([codes, fold]), axis=0)
    return int((np.bincount(pairs[:, 0].astype(np.intp)) > 1).sum())


@dataclass(frozen=True)
class Rows:
    """What folds need to know of the rows: identity, class, group and weight.

    Parameters
    ----------
    hashes : ndarray of shape (n,)
        Identity of each row.
    codes : ndarray of int of shape (n,)
        Position of each row's class; zeros for a regression.
    classes : ndarray of shape (k,) or None
        Class labels; None for a regression.
    groups : ndarray of shape (n,) or None
        Groups that no fold may divide.
    weights : ndarray of shape (n,) or None
        Sample weights.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> Rows(np.arange(2, dtype=np.uint64), np.array([0, 1]), None, None, None).active
    array([0, 1])
    """

    hashes: Hashes
    codes: Indices
    classes: NDArray[Any] | None
    groups: NDArray[Any] | None
    weights: FloatArray | None

    @property
    def units(self) -> Hashes:
        """Keys of what must stay together: groups where given, else distinct rows."""
        return self.hashes if self.groups is None else hash_values(self.groups)

    @property
    def active(self) -> Indices:
        """Positions of the rows that count: those of positive weight."""
        if self.weights is None:
            return np.arange(len(self.hashes))
        return np.flatnonzero(self.weights > 0)

    @cached_property
    def apart(self) -> tuple[Indices, Indices]:
        """First row of each unit, in canonical order, and the unit of each active row.

        Both are places among the active rows. Sorting by content is the canonical
        order: position in the table plays no part. Found once, since it is a sort.
        """
        keys = self.units[self.active]
        _, first, unit = np.unique(keys, return_index=True, return_inverse=True)
        return first, unit


def integer_folds(
    cv: int, rows: Rows, *, n_repeats: int, random_state: RandomState
) -> list[list[Fold]]:
    """Return the folds of each repeat for a number of folds.

    Parameters
    ----------
    cv : int
        Number of folds, lowered with a warning to what the rarest class can fill.
    rows : Rows
        Identity, class, group and weight of each row.
    n_repeats : int
        Number of divisions.
    random_state : int, generator or None
        Seed; more repeats keep the first ones.

    Returns
    -------
    list of list of Fold

    Raises
    ------
    ValueError
        If a class has a single distinct row.

    Warns
    -----
    SemikdWarning
        If the number of folds is lowered.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows, integer_folds
    >>> hashes = np.arange(4, dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(4, dtype=int), None, None, None)
    >>> [len(folds) for folds in integer_folds(2, rows, n_repeats=3, random_state=0)]
    [2, 2, 2]
    """
    seeds = spawn_seeds(random_state, n_repeats)
    n_folds = _affordable(count("cv", cv, low=2), rows)
    return [content_folds(rows, n_folds, seed) for seed in seeds]


def content_folds(rows: Rows, n_folds: int, seed: int) -> list[Fold]:
    """Deal distinct rows (or groups) into folds, class by class.

    Parameters
    ----------
    rows : Rows
        Identity, class, group and weight of each row.
    n_folds : int
        Number of folds, at most the number of distinct rows.
    seed : int
        Seed of the order in which they are dealt.

    Returns
    -------
    list of Fold
        Rows of zero weight are in none of them.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows, content_folds
    >>> hashes = np.array([7, 7, 9, 9], dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(4, dtype=int), None, None, None)
    >>> sorted(fold.test.tolist() for fold in content_folds(rows, 2, seed=0))
    [[0, 1], [2, 3]]
    """
    active = rows.active
    _, unit = rows.apart
    majority = _majority(_class_weights(rows, unit))
    order = generator(seed).permutation(len(majority))
    order = order[np.argsort(majority[order], kind="stable")]
    fold_of_unit = np.empty(len(majority), dtype=np.intp)
    if rows.groups is None:
        fold_of_unit[order] = np.arange(len(order)) % n_folds
    else:
        sizes = _distinct_sizes(rows.hashes[active], unit)
        fold_of_unit[order] = _balanced(sizes[order], majority[order], n_folds)
    fold = fold_of_unit[unit]
    return [
        Fold(train=active[fold != t], test=active[fold == t]) for t in range(n_folds)
    ]


def check_divisible(rows: Rows) -> tuple[int, str]:
    """Refuse rows of which some class cannot be both learned from and labelled.

    Parameters
    ----------
    rows : Rows
        Identity, class, group and weight of each row.

    Returns
    -------
    available : int
        Distinct rows, or groups, of the class that has fewest.
    what : str
        Which class that is, and how many it has, in words.

    Raises
    ------
    ValueError
        If it has fewer than two.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows, check_divisible
    >>> hashes = np.arange(4, dtype=np.uint64)
    >>> check_divisible(Rows(hashes, np.zeros(4, dtype=int), None, None, None))
    (4, 'the data has only 4 distinct rows')
    """
    _, unit = rows.apart
    holders = (_class_weights(rows, unit) > 0).sum(axis=0)
    rarest = int(np.argmin(holders))
    available = int(holders[rarest])
    what = "distinct rows" if rows.groups is None else "groups"
    whose = "the data"
    if rows.classes is not None:
        whose = f"class {rows.classes.tolist()[rarest]!r}"
    if available < 2:
        name, where = ("X", "") if rows.classes is None else ("y", f" in {whose}")
        constraint = f"have at least two {what} of positive weight in every class"
        remedy = "Collect more, merge the class into another, or leave it out"
        raise invalid(name, constraint, Shown(f"{available}{where}"), remedy)
    return available, f"{whose} has only {available} {what}"


def _affordable(n_folds: int, rows: Rows) -> int:
    """Return the number of folds that the rarest class can fill, with a warning."""
    available, what = check_divisible(rows)
    if available < n_folds:
        warnings.warn(
            f"cv was lowered from {n_folds} to {available}: {what}.",
            SemikdWarning,
            stacklevel=6,
        )
    return min(n_folds, available)


def _class_weights(rows: Rows, unit: Indices) -> FloatArray:
    """Return the weight of each class in each unit, shape (n_units, k)."""
    active = rows.active
    weights = np.ones(len(active)) if rows.weights is None else rows.weights[active]
    n_classes = 1 if rows.classes is None else len(rows.classes)
    shape = (int(unit.max()) + 1, n_classes)
    table = sparse.coo_array((weights, (unit, rows.codes[active])), shape=shape)
    return np.asarray(table.toarray())


def _majority(weights: FloatArray) -> Indices:
    """Return the class of most weight in each unit; the first of those that tie.

    Sums of the same weights in another order differ in their last digits, and must not
    break a tie.
    """
    most = weights.max(axis=1, keepdims=True)
    return np.asarray((weights >= most * (1.0 - 1e-9)).argmax(axis=1))


def _distinct_sizes(hashes: Hashes, unit: Indices) -> Indices:
    """Return the number of distinct rows in each unit: copies do not count twice."""
    pairs = np.unique(np.stack([unit.astype(np.uint64), hashes]), axis=1)
    return np.bincount(pairs[0].astype(np.intp))


def _balanced(sizes: Indices, classes: Indices, n_folds: int) -> Indices:
    """Return a fold for each group: largest first, to where its class is fewest."""
    filled = np.zeros((int(classes.max()) + 1, n_folds))
    fold = np.empty(len(sizes), dtype=np.intp)
    for group in np.argsort(-sizes, kind="stable"):
        # Rows of the same class decide; the total breaks ties.
        load = filled[classes[group]] + filled.sum(axis=0) / (1.0 + filled.sum())
        fold[group] = int(np.argmin(load))
        filled[classes[group], fold[group]] += sizes[group]
    return fold
