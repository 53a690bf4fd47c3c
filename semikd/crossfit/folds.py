"""Which rows a fold teacher learns from and which it labels.

Folds of an integer ``cv`` are drawn from the content of the rows: distinct rows in a
canonical order, dealt out by a seed. A permuted table, a repeated row and a weight of 2
therefore get the same folds. Folds that a user brings are honoured, and leaks counted.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from semikd._random import generator, spawn_seeds
from semikd._validation import Shown, check_shape, count, invalid, wrong_type
from semikd.crossfit.rows import Hashes, Indices, hash_values
from semikd.exceptions import LeakageWarning, SemikdWarning
from semikd.simplex import FloatArray

__all__ = ["Fold", "Rows", "content_folds", "folds_from", "user_folds"]

UNLABELLED = -1


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


def folds_from(
    cv: Any, rows: Rows, X: Any, y: Any, *, n_repeats: int, random_state: Any
) -> list[list[Fold]]:
    """Return the folds of each repeat for any accepted form of ``cv``.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test) or array of fold ids
        How rows are divided.
    rows : Rows
        Identity, class, group and weight of each row.
    X, y : array-like
        What a splitter is shown.
    n_repeats : int
        Number of divisions; more than one needs an integer ``cv``.
    random_state : int, generator or None
        Seed of integer folds.

    Returns
    -------
    list of list of Fold

    Raises
    ------
    ValueError
        If folds overlap, miss rows, or cannot be made.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows, folds_from
    >>> hashes = np.arange(4, dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(4, dtype=int), None, None, None)
    >>> ((first, second),) = folds_from(
    ...     [0, 0, 1, 1], rows, None, None, n_repeats=1, random_state=None
    ... )
    >>> first.train
    array([2, 3])
    """
    if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
        seeds = spawn_seeds(random_state, n_repeats)
        n_folds = _affordable(count("cv", cv, low=2), rows)
        return [content_folds(rows, n_folds, seed) for seed in seeds]
    if n_repeats > 1:
        remedy = "Use an integer cv, or repeat the call with other folds"
        raise invalid("n_repeats", "be 1 where folds are given", n_repeats, remedy)
    return [user_folds(cv, rows, X, y)]


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
    # Sorting by content is the canonical order: position in the table plays no part.
    _, unit = np.unique(rows.units[active], return_inverse=True)
    majority = _class_weights(rows, unit).argmax(axis=1)
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


def user_folds(cv: Any, rows: Rows, X: Any, y: Any) -> list[Fold]:
    """Return folds from a splitter, (train, test) pairs or an array of fold ids.

    Parameters
    ----------
    cv : splitter, iterable of (train, test) or array-like of int of shape (n,)
        The folds. A splitter may leave rows unlabelled, explicit folds may not.
    rows : Rows
        Identity, class, group and weight of each row.
    X, y : array-like
        What a splitter is shown.

    Returns
    -------
    list of Fold

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import KFold
    >>> from semikd.crossfit.folds import Rows, user_folds
    >>> hashes = np.arange(4, dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(4, dtype=int), None, None, None)
    >>> [f.test.tolist() for f in user_folds(KFold(2), rows, np.ones((4, 1)), None)]
    [[0, 1], [2, 3]]
    """
    n = len(rows.hashes)
    is_splitter = hasattr(cv, "split")
    if is_splitter:
        pairs: Iterable[Any] = cv.split(X, y, rows.groups)
    elif isinstance(cv, str) or not isinstance(cv, Iterable):
        constraint = "be an integer, a splitter, fold ids or (train, test) pairs"
        raise wrong_type("cv", constraint, cv)
    else:
        pairs = _pairs(list(cv), n)
    folds = [_checked(t, pair, n) for t, pair in enumerate(pairs)]
    _check_cover(folds, n, may_miss=is_splitter)
    _warn_of_leaks(folds, rows)
    if rows.weights is None:
        return folds
    kept = rows.weights > 0
    return [Fold(f.train[kept[f.train]], f.test[kept[f.test]]) for f in folds]


def _affordable(n_folds: int, rows: Rows) -> int:
    """Return the number of folds that the rarest class can fill, with a warning."""
    _, unit = np.unique(rows.units[rows.active], return_inverse=True)
    holders = (_class_weights(rows, unit) > 0).sum(axis=0)
    rarest = int(np.argmin(holders))
    available = int(holders[rarest])
    what = "distinct rows" if rows.groups is None else "groups"
    whose = (
        "the data has" if rows.classes is None else f"class {rows.classes[rarest]!r}"
    )
    if available < 2:
        name, where = ("X", "") if rows.classes is None else ("y", f" in {whose}")
        constraint = f"have at least two {what} of positive weight in every class"
        remedy = "Collect more, merge the class into another, or leave it out"
        raise invalid(name, constraint, Shown(f"{available}{where}"), remedy)
    if available < n_folds:
        has = whose if rows.classes is None else f"{whose} has"
        warnings.warn(
            f"cv was lowered from {n_folds} to {available}: "
            f"{has} only {available} {what}.",
            SemikdWarning,
            stacklevel=4,
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


def _pairs(folds: list[Any], n: int) -> list[Any]:
    """Return (train, test) pairs; one integer for each row names its fold."""
    if not all(np.ndim(fold) == 0 for fold in folds):
        return folds
    ids = np.asarray(folds)
    check_shape("cv", ids, (n,))
    return [
        (np.flatnonzero(ids != t), np.flatnonzero(ids == t)) for t in np.unique(ids)
    ]


def _checked(t: int, pair: Any, n: int) -> Fold:
    """Return one user fold as positions, refusing what is not a division of rows."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        constraint = "hold (train, test) pairs"
        raise invalid("cv", constraint, Shown(f"{type(pair).__name__} in fold {t}"))
    train, test = (_positions(part, n, t) for part in pair)
    shared = np.intersect1d(train, test)
    if len(shared):
        shown = Shown(f"{len(shared)} shared in fold {t} (first: row {shared[0]})")
        raise invalid("cv", "keep training and test rows apart", shown)
    if not len(train):
        raise invalid("cv", "leave rows to train on", Shown(f"none in fold {t}"))
    return Fold(train, test)


def _positions(part: Any, n: int, t: int) -> Indices:
    """Return row positions; a boolean mask names them too."""
    array = np.asarray(part)
    array = np.flatnonzero(array) if array.dtype == bool else array.astype(np.intp)
    if array.size and not (array.min() >= 0 and array.max() < n):
        bad = int(array[(array < 0) | (array >= n)][0])
        shown = Shown(f"{bad} in fold {t}")
        raise invalid("cv", f"name rows between 0 and {n - 1}", shown)
    return array


def _check_cover(folds: list[Fold], n: int, *, may_miss: bool) -> None:
    """Refuse rows that two folds label, and rows that none does."""
    times = np.bincount(np.concatenate([fold.test for fold in folds]), minlength=n)
    if (times > 1).any():
        row = int(np.argmax(times > 1))
        shown = Shown(f"{int((times > 1).sum())} rows twice (first: row {row})")
        remedy = "For repeats pass an integer cv and n_repeats"
        raise invalid("cv", "label every row once", shown, remedy)
    n_missed = int((times == 0).sum())
    if n_missed and not may_miss:
        shown = Shown(f"{n_missed} rows never (first: row {int(np.argmin(times))})")
        raise invalid("cv", "label every row once", shown)
    if n_missed:
        warnings.warn(
            f"{n_missed} of {n} rows are in no test fold: they get no label and the "
            "student does not see them.",
            SemikdWarning,
            stacklevel=5,
        )


def _warn_of_leaks(folds: list[Fold], rows: Rows) -> None:
    """Count the rows whose copy, or group, is on both sides of a fold."""
    checks = [("share their covariates", rows.hashes)]
    if rows.groups is not None:
        checks.append(("share their group", rows.units))
    for how, keys in checks:
        leaks = sum(int(np.isin(keys[f.test], keys[f.train]).sum()) for f in folds)
        if leaks:
            warnings.warn(
                f"{leaks} of {len(keys)} rows {how} with a row their teacher learned "
                "from. An integer cv keeps such rows together.",
                LeakageWarning,
                stacklevel=5,
            )
