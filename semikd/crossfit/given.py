"""Folds that a user brings: honoured as given, checked, and their leaks counted."""

import copy
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from semikd._validation import (
    Shown,
    check_shape,
    count,
    counted,
    invalid,
    positions,
    wrong_type,
)
from semikd.crossfit.folds import Fold, Rows, integer_folds
from semikd.crossfit.rows import Indices
from semikd.exceptions import LeakageWarning, SemikdWarning

__all__ = ["drawn_folds", "user_folds"]

# What None stands for.
N_FOLDS = 5


def drawn_folds(
    cv: Any,
    rows: Rows,
    X: Any,
    y: Any,
    *,
    seed: int,
    n_repeats: int = 1,
    fewest: int = 2,
) -> list[list[Fold]]:
    """Return the folds of each repeat, for any form of ``cv`` that makes folds.

    Parameters
    ----------
    cv : int, None, splitter, (train, test) pairs or fold ids
        A number, five if None, is drawn from the content of the rows.
    rows : Rows
        Identity, class, group and weight of each row.
    X, y : array-like
        What a splitter is shown.
    seed : int
        Seed of the folds.
    n_repeats : int, default=1
        Divisions of the rows; folds that are given have one.
    fewest : int, default=2
        Smallest number that is accepted.

    Returns
    -------
    list of list of Fold

    Raises
    ------
    ValueError
        If the number is too small, or folds are given and repeats asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.given import drawn_folds
    >>> X, hashes = np.arange(6.0)[:, None], np.arange(6, dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(6, dtype=int), None, None, None)
    >>> [len(folds) for folds in drawn_folds(3, rows, X, None, seed=0, n_repeats=2)]
    [3, 3]
    """
    if cv is None or isinstance(cv, int | np.integer):
        n_folds = count("cv", N_FOLDS if cv is None else cv, low=fewest)
        return integer_folds(n_folds, rows, n_repeats=n_repeats, random_state=seed)
    if n_repeats > 1:
        remedy = "Use an integer cv, or repeat the call with other folds"
        raise invalid("n_repeats", "be 1 where folds are given", n_repeats, remedy)
    return [user_folds(cv, rows, X, y, seed=seed)]


def user_folds(cv: Any, rows: Rows, X: Any, y: Any, *, seed: int = 0) -> list[Fold]:
    """Return folds from a splitter, (train, test) pairs or an array of fold ids.

    Parameters
    ----------
    cv : splitter, iterable of (train, test) or array-like of int of shape (n,)
        The folds. A splitter may leave rows unlabelled, explicit folds may not.
    rows : Rows
        Identity, class, group and weight of each row.
    X, y : array-like
        What a splitter is shown.
    seed : int, default=0
        Seed of a splitter that shuffles and has none of its own.

    Returns
    -------
    list of Fold
        Rows of zero weight are in none of them, and folds without a row to label are
        left out.

    Raises
    ------
    ValueError
        If folds overlap, miss rows, name rows that are not there or train on none.
    TypeError
        If they are no folds.

    Warns
    -----
    SemikdWarning
        If a splitter leaves rows unlabelled.
    LeakageWarning
        If copies of a row, or a group, are on both sides of a fold.

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
        pairs: Iterable[Any] = _split(cv, rows, X, y, seed)
    elif isinstance(cv, str) or not isinstance(cv, Iterable):
        constraint = "be an integer, a splitter, fold ids or (train, test) pairs"
        raise wrong_type("cv", constraint, cv)
    else:
        pairs = _pairs(list(cv), n)
    folds = [_checked(t, pair, rows) for t, pair in enumerate(pairs)]
    folds = [fold for fold in folds if len(fold.test)]
    _check_cover(folds, rows, may_miss=is_splitter)
    _warn_of_leaks(folds, rows)
    return folds


def _split(splitter: Any, rows: Rows, X: Any, y: Any, seed: int) -> list[Any]:
    """Return the folds of a splitter, which may have to be told groups."""
    try:
        return list(_seeded(splitter, seed).split(X, y, rows.groups))
    except (TypeError, ValueError) as error:
        if rows.groups is None and "groups" in str(error):
            constraint = f"be given for the splitter {type(splitter).__name__}"
            raise invalid("groups", constraint, None) from None
        raise


def _seeded(splitter: Any, seed: int) -> Any:
    """Return a splitter that draws from no global generator; its own seed stays."""
    if getattr(splitter, "random_state", seed) is not None:
        return splitter
    splitter = copy.copy(splitter)
    splitter.random_state = seed
    return splitter


def _pairs(folds: list[Any], n: int) -> list[Any]:
    """Return (train, test) pairs; one integer for each row names its fold."""
    strange = [fold for fold in folds if isinstance(fold, str | float | np.bool_)]
    if strange:
        constraint = "name folds by integers, or hold (train, test) pairs"
        remedy = "Number the folds, for instance with numpy.unique(return_inverse=True)"
        value = strange[0].item() if hasattr(strange[0], "item") else strange[0]
        raise wrong_type("cv", constraint, value, remedy)
    if not all(isinstance(fold, int | np.integer) for fold in folds):
        return folds
    ids = np.asarray(folds)
    check_shape("cv", ids, (n,))
    return [
        (np.flatnonzero(ids != t), np.flatnonzero(ids == t)) for t in np.unique(ids)
    ]


def _checked(t: int, pair: Any, rows: Rows) -> Fold:
    """Return the rows that count of one user fold, refusing what is no division."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        constraint = "hold (train, test) pairs"
        raise invalid("cv", constraint, Shown(f"{type(pair).__name__} in fold {t}"))
    n = len(rows.hashes)
    train, test = (_positions(part, n, t) for part in pair)
    shared = np.intersect1d(train, test)
    if len(shared):
        shown = Shown(f"{len(shared)} shared in fold {t} (first: row {shared[0]})")
        raise invalid("cv", "keep training and test rows apart", shown)
    counts = np.isin(np.arange(n), rows.active)
    fold = Fold(train[counts[train]], test[counts[test]])
    if len(fold.test) and not len(fold.train):
        constraint = "leave rows of positive weight to train on"
        raise invalid("cv", constraint, Shown(f"none in fold {t}"))
    return fold


def _positions(part: Any, n: int, t: int) -> Indices:
    """Return row positions; a boolean mask names them too."""
    array = np.asarray(part)
    if array.dtype == bool:
        check_shape(f"mask in fold {t} of cv", array, (n,))
        array = np.flatnonzero(array)
    return positions(f"fold {t} of cv", array, n)


def _check_cover(folds: list[Fold], rows: Rows, *, may_miss: bool) -> None:
    """Refuse rows that two folds label, and rows that count and none does."""
    if not folds:
        raise invalid("cv", "label at least one row", Shown("no rows in any test fold"))
    n = len(rows.hashes)
    times = np.bincount(np.concatenate([fold.test for fold in folds]), minlength=n)
    if (times > 1).any():
        row = int(np.argmax(times > 1))
        shown = Shown(
            f"{counted(int((times > 1).sum()), 'row')} twice (first: row {row})"
        )
        remedy = "For repeats pass an integer cv and n_repeats"
        raise invalid("cv", "label every row once", shown, remedy)
    missed = rows.active[times[rows.active] == 0]
    if len(missed) and not may_miss:
        shown = Shown(f"{counted(len(missed), 'row')} never (first: row {missed[0]})")
        remedy = "Give each row to one test fold, or weigh it zero"
        raise invalid("cv", "label every row once", shown, remedy)
    if len(missed):
        warnings.warn(
            f"{len(missed)} of {n} rows are in no test fold: they get no label and the "
            "student does not see them.",
            SemikdWarning,
            stacklevel=6,
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
                stacklevel=6,
            )
