"""Folds that a user brings: honoured as given, checked, and their leaks counted."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from semikd._validation import Shown, check_shape, invalid, wrong_type
from semikd.crossfit.folds import Fold, Rows
from semikd.crossfit.rows import Indices
from semikd.exceptions import LeakageWarning, SemikdWarning

__all__ = ["user_folds"]


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
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.given import user_folds
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


def _pairs(folds: list[Any], n: int) -> list[Any]:
    """Return (train, test) pairs; one integer for each row names its fold."""
    if not all(isinstance(fold, int | np.integer) for fold in folds):
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
