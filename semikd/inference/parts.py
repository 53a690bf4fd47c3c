"""Parts of the rows, each judged as if it were alone, and all of them together."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    counted,
    invalid,
    wrong_type,
)
from semikd.inference._inputs import numbered

__all__ = ["Groups", "check_units_of", "parts_of", "spread_over"]

# The group of each row; or by name the rows of groups, which may overlap.
Groups = ArrayLike | Mapping[str, ArrayLike]


def parts_of(
    groups: Groups | None, kept: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield all kept rows, and then every group, with what its name ends in.

    Parameters
    ----------
    groups : array-like of shape (all rows,), mapping or None
        Group of each row; or by name which rows a group has.
    kept : ndarray of bool of shape (all rows,)
        Rows that take part, n of them.

    Yields
    ------
    suffix : str
        Empty for all rows.
    mask : ndarray of bool of shape (n,)
        Rows of the part among those kept.
    """
    yield "", np.ones(int(kept.sum()), dtype=bool)
    if isinstance(groups, Mapping):
        for name, rows in groups.items():
            yield f", {name}", _rows_of(name, rows, len(kept))[kept]
    elif groups is not None:
        names, which = numbered("groups", groups, len(kept))
        for at, each in enumerate(names.tolist()):
            yield f", group {each}", (which == at)[kept]


def _rows_of(name: str, rows: ArrayLike, n: int) -> NDArray[np.bool_]:
    """Return which rows a group has."""
    found = np.asarray(rows)
    check_shape(f"groups[{name!r}]", found, (n,))
    if found.dtype != bool:
        shown = Shown(f"values of type {found.dtype}")
        raise wrong_type(f"groups[{name!r}]", "be True or False for each row", shown)
    return found


def check_units_of(
    clusters: NDArray[np.intp] | None,
    mask: NDArray[np.bool_],
    name: str,
    *,
    least: int = 2,
) -> int:
    """Return the number of units of a part, refusing one whose spread is unseen.

    Parameters
    ----------
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row; None where rows are the units.
    mask : ndarray of bool of shape (n,)
        Rows of the part.
    name : str
        Its name.
    least : int, default=2
        Fewest units.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If there are fewer.
    """
    n_units = int(mask.sum()) if clusters is None else len(np.unique(clusters[mask]))
    if n_units < least:
        what = "row" if clusters is None else "cluster"
        shown = Shown(f"{counted(n_units, what)} of positive weight in {name}")
        wanted = f"hold {'two' if least == 2 else least} {what}s each"
        raise invalid("groups", wanted, shown, "Leave that group out")
    return n_units


def spread_over(
    influence: FloatArray,
    clusters: NDArray[np.intp] | None,
    mask: NDArray[np.bool_],
    n_units: int,
) -> FloatArray:
    """Return the influence on estimates of a part, of all rows.

    Parameters
    ----------
    influence : ndarray of shape (rows of the part, d)
        Influence of the part's own rows.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row, numbered from 0 without gaps.
    mask : ndarray of bool of shape (n,)
        Rows of the part.
    n_units : int
        Units of the part.

    Returns
    -------
    ndarray of shape (n, d)
        Zero outside the part. With the factor of all units, its covariance is what the
        part alone would give with its own few.
    """
    n = len(mask)
    whole = n if clusters is None else int(clusters.max()) + 1
    factor = np.sqrt(n_units / (n_units - 1) * (whole - 1) / whole)
    found = np.zeros((n, influence.shape[1]))
    found[mask] = factor * n / mask.sum() * influence
    return found
