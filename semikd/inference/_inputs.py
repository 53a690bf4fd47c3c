"""Checks that only inference needs: levels, names of arms, clusters, losses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import checked_labels, missing_values, refuse_missing
from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    invalid,
    sample_weights,
    unknown,
    wrong_type,
)


def checked_level(level: object) -> float:
    """Return a confidence level strictly between 0 and 1."""
    constraint, remedy = "lie strictly between 0 and 1", "Try 0.95"
    if isinstance(level, bool) or not isinstance(
        level, int | float | np.integer | np.floating
    ):
        raise wrong_type("level", "be a number", level, remedy)
    if not 0 < level < 1:
        raise invalid("level", constraint, level, remedy)
    return float(level)


def class_labels(X: Any, y: ArrayLike) -> NDArray[Any]:
    """Return class labels, one for each row; missing ones are refused by their row."""
    if (given := np.asarray(y)).ndim == 1:
        refuse_missing("y", given)
    return checked_labels(X, y)


def checked_names(names: Sequence[str], n_arms: int) -> tuple[str, ...]:
    """Return the names, one for each arm, all different."""
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise wrong_type("names", "be a sequence of strings", names)
    if len(names) != n_arms:
        shown = Shown(f"{len(names)} names for {n_arms} arms")
        raise invalid("names", "name every arm once", shown)
    for name in names:
        if list(names).count(name) > 1:
            raise invalid(
                "names", "be all different", Shown(f"{name!r} more than once")
            )
    return tuple(names)


def reference_index(reference: str, names: tuple[str, ...]) -> int:
    """Return the position of the reference among at least two arms."""
    if reference not in names:
        raise unknown("reference", reference, names)
    if len(names) < 2:
        shown = Shown("1 arm")
        raise invalid("losses", "hold the reference and another arm", shown)
    return names.index(reference)


def checked_losses(
    losses: ArrayLike, names: Sequence[str], *, n_axes: int
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return finite losses whose last axis is the arms, and the checked names."""
    table = np.asarray(losses, dtype=np.float64)
    check_shape("losses", table, (None,) * n_axes)
    arms = checked_names(names, table.shape[-1])
    bad = ~np.isfinite(table)
    if bad.any():
        where = tuple(int(index) for index in np.argwhere(bad)[0])
        refit = f" of refit {where[0]}" if n_axes == 3 else ""
        place = f"{table[where]} for arm {arms[where[-1]]!r} in row {where[-2]}{refit}"
        shown = Shown(f"{place} ({int(bad.sum())} such values)")
        remedy = "Clip the probabilities the same way for every arm"
        raise invalid("losses", "be finite", shown, remedy)
    return table, arms


def checked_clusters(
    clusters: ArrayLike | None, n_rows: int
) -> NDArray[np.intp] | None:
    """Return the cluster of each row as integers 0, 1, ..., or None."""
    return None if clusters is None else numbered("clusters", clusters, n_rows)[1]


def numbered(
    name: str, labels: ArrayLike, n_rows: int
) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct labels, sorted, and the number of each row's among them."""
    # A list of words and NaN would become words.
    is_list = isinstance(labels, list | tuple)
    given = np.asarray(labels, dtype=object if is_list else None)
    check_shape(name, given, (n_rows,))
    missing = missing_values(given)
    if missing.any():
        row = int(missing.argmax())
        shown = Shown(f"{given[row]} in row {row}")
        raise invalid(name, f"name a {name.removesuffix('s')} for every row", shown)
    try:
        return np.unique(given, return_inverse=True)
    except TypeError:
        shown = Shown(f"labels of mixed types, first {given[0]!r}")
        raise wrong_type(name, "be labels of one type", shown) from None


def of_rows(
    clusters: NDArray[np.intp] | None, rows: NDArray[Any]
) -> NDArray[np.intp] | None:
    """Return the clusters of some rows, numbered from 0 without gaps."""
    if clusters is None:
        return None
    return np.unique(clusters[rows], return_inverse=True)[1]


def kept_rows(
    table: FloatArray,
    sample_weight: ArrayLike | None,
    clusters: ArrayLike | None,
) -> tuple[FloatArray, NDArray[np.intp] | None, FloatArray | None]:
    """Return losses (..., n, arms), clusters and weights of rows of positive weight."""
    n_rows = table.shape[-2]
    groups = checked_clusters(clusters, n_rows)
    weights = sample_weights(sample_weight, n_rows)
    if weights is not None:
        kept = weights > 0
        table, weights = table[..., kept, :], weights[kept]
        groups = of_rows(groups, kept)
    check_units(table.shape[-2], groups)
    return table, groups, weights


def check_units(n_rows: int, groups: NDArray[np.intp] | None) -> None:
    """Refuse fewer than two rows or clusters: their spread cannot be seen."""
    if n_rows < 2:
        raise invalid("losses", "hold at least 2 rows of positive weight", n_rows)
    if groups is not None and not groups.any():
        remedy = "Leave clusters out only if rows are independent"
        raise invalid("clusters", "hold at least 2 clusters", 1, remedy)
