"""The independent units of rows: how many they count as, and what they cannot tell.

Notes
-----
An interval is as wide as the spread of the units (rows, or clusters) makes it. That is
nothing where all of them agree, has been seen once where there are two, and is too
little where a few of them have most of the weight.
"""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import FloatArray, counted
from semikd.exceptions import SemikdWarning
from semikd.inference.influence import cluster_sums

__all__ = [
    "ROUNDING",
    "effective_number",
    "independence",
    "left_out_in_words",
    "row_conditions",
    "unit_sizes",
    "warn_of_few_effective",
    "warn_of_spread",
    "without_rounding",
]

# Beside the largest loss, what rounding leaves of a constant.
ROUNDING = 1e-12
# Effective units below which, where they are also well below the units that there are,
# intervals of a weighted mean are too narrow: measured below, in the notes.
_FEW, _WELL_BELOW = 20.0, 2.0 / 3.0
# Below this they are so by more than a few points in a hundred.
_VERY_FEW = 10.0


def effective_number(sizes: ArrayLike) -> float:
    r"""Return how many units of equal weight some units are worth.

    .. math:: \frac{(\sum_g s_g)^2}{\sum_g s_g^2}

    Parameters
    ----------
    sizes : array-like of shape (units,)
        Weight of each unit.

    Returns
    -------
    float
        Their number if all weigh alike, 1 if one has all of the weight, 0 without any.

    References
    ----------
    .. [1] L. Kish, "Survey Sampling", Wiley 1965, Section 11.7 (the page was not
       looked up).

    Examples
    --------
    >>> from semikd.inference.units import effective_number
    >>> effective_number([2.0, 2.0, 2.0]), round(effective_number([98.0, 1.0, 1.0]), 2)
    (3.0, 1.04)
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    largest = float(sizes.max(initial=0.0))
    if largest <= 0.0:
        return 0.0
    share = sizes / largest
    return float(share.sum() ** 2 / (share**2).sum())


def unit_sizes(
    weights: FloatArray | None, clusters: NDArray[np.intp] | None, n_rows: int
) -> FloatArray:
    """Return the weight of each unit: of a row its own, of a cluster that of its rows.

    Parameters
    ----------
    weights : ndarray of shape (n_rows,) or None
        Sampling weights.
    clusters : ndarray of int of shape (n_rows,) or None
        Cluster of each row.
    n_rows : int
        Number of rows.

    Returns
    -------
    ndarray of shape (units,)
        Those that have weight.
    """
    sizes = np.ones(n_rows) if weights is None else weights
    if clusters is not None:
        sizes = np.bincount(clusters, weights=sizes).astype(np.float64)
    return np.asarray(sizes[sizes > 0])


def row_conditions(
    n_rows: int, clusters: NDArray[np.intp] | None, weights: FloatArray | None
) -> tuple[str, ...]:
    """Return what intervals on test rows rest on, in words."""
    first = "no test row took part in fitting, tuning or choosing any arm"
    return first, independence(n_rows, clusters, weights, "test rows")


def left_out_in_words(n_rows: int) -> tuple[str, ...]:
    """Return what is said of rows that took no part."""
    if not n_rows:
        return ()
    return (
        f"rows without weight or label, {n_rows:,} here, are no part of the "
        "population, or like the others",
    )


def independence(
    n_rows: int,
    clusters: NDArray[np.intp] | None,
    weights: FloatArray | None,
    rows: str,
) -> str:
    """Return which units must be independent, and how many they count as, in words."""
    sizes = unit_sizes(weights, clusters, n_rows)
    effective = effective_number(sizes)
    if clusters is not None:
        return (
            f"the {len(sizes):,} clusters of {n_rows:,} rows are independent and many "
            f"(about 40 or more; effective number here {effective:,.1f})"
        )
    # By weights that are equal but for rounding rows count as what they are.
    alike = effective >= len(sizes) * (1.0 - ROUNDING)
    worth = (
        "" if alike else f", by their weights worth {effective:,.1f} of equal weight"
    )
    return f"the {n_rows:,} {rows} are independent draws{worth}"


def without_rounding(
    influence: FloatArray, clusters: NDArray[np.intp] | None, largest: ArrayLike
) -> FloatArray:
    """Return influence that is 0 where rounding alone makes its units differ.

    Parameters
    ----------
    influence : ndarray of shape (n, d)
        Influence of every row on each estimate.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row.
    largest : float or ndarray of shape (d,)
        Of the numbers that the influence was computed from, the largest.

    Returns
    -------
    ndarray of shape (n, d)
    """
    sums = np.abs(cluster_sums(influence, clusters)).max(axis=0, initial=0.0)
    # A cluster sums the rounding of its rows.
    most = 1.0 if clusters is None else float(np.bincount(clusters).max(initial=1))
    nothing = sums <= ROUNDING * most * np.asarray(largest)
    return np.where(nothing, 0.0, influence)


def warn_of_spread(
    names: Sequence[str],
    alike: NDArray[np.bool_],
    df: ArrayLike,
    *,
    clusters: bool = False,
    remedy: str = "",
    stacklevel: int = 3,
) -> None:
    """Warn of intervals whose width no unit, or a single difference of two, tells.

    Parameters
    ----------
    names : sequence of str
        Name of each of the d estimates.
    alike : ndarray of bool of shape (d,)
        Where all units agree.
    df : array-like of shape (d,)
        Degrees of freedom of each: with one, two units have differed once.
    clusters : bool, default=False
        Whether units are clusters.
    remedy : str, default=''
        What to do; by default to use more of them.
    stacklevel : int, default=3
        Of the warning, seen from here.

    Warns
    -----
    SemikdWarning
        One line for each of the two, with the number of intervals.
    """
    unit = "cluster" if clusters else "row"
    once = ~alike & (np.asarray(df, dtype=np.float64) <= 1.0)
    for found, one, many in (
        (
            alike,
            f"has no width: every {unit} says the same there, which",
            f"have no width: every {unit} says the same there, which",
        ),
        (
            once,
            f"has one degree of freedom, as two {unit}s give, which",
            f"have one degree of freedom each, as two {unit}s give, which",
        ),
    ):
        if not (n := int(found.sum())):
            continue
        first = names[int(found.argmax())]
        warnings.warn(
            f"{n:,} of {counted(len(names), 'interval')} {one if n == 1 else many} "
            f"says {'nothing' if found is alike else 'little'} of new rows (first: "
            f"{first}). {remedy or f'Use more {unit}s'}.",
            SemikdWarning,
            stacklevel=stacklevel,
        )


def warn_of_few_effective(
    parts: Iterable[tuple[str, FloatArray]],
    *,
    clusters: bool = False,
    stacklevel: int = 3,
) -> None:
    """Warn where weights make units worth so few that intervals are too narrow.

    Parameters
    ----------
    parts : iterable of (str, ndarray)
        Name of each part of the rows, and the weight of each of its units.
    clusters : bool, default=False
        Whether units are clusters.
    stacklevel : int, default=3
        Of the warning, seen from here.

    Warns
    -----
    SemikdWarning
        If the effective number of a part is below 20, and below two thirds of its
        units; one line, with the number of parts, for the fewest of them.

    Notes
    -----
    Simulated with 10 to 100 rows of lognormal weights, in 140,000 tables for each of
    three laws (standard errors below 0.7 %), nominal 95 % intervals of a mean held,
    where this warns, in 91, 87, 79 and 28 % of tables of normal errors at effective
    numbers of 15 to 20, 5 to 10, 3 to 5 and 1 to 2, and in 87, 78 to 82, 66 to 74 and
    19 to 27 % of exponential ones and of outcomes 0 and 1. Where it is silent they held
    in 94 and 88 to 93 %, with equal weights in 95 and 90 to 96 %.
    """
    known = [(name, effective_number(sizes), len(sizes)) for name, sizes in parts]
    few = [
        (effective, name, n)
        for name, effective, n in known
        if effective < min(_FEW, _WELL_BELOW * n)
    ]
    if few:
        unit = "clusters" if clusters else "rows"
        effective, name, n = min(few)
        where = "" if len(known) == 1 else f" in {len(few):,} of {len(known):,} parts"
        narrow = "are" if effective < _VERY_FEW else "may be somewhat"
        warnings.warn(
            f"{unit.capitalize()} have unequal weights{where}: those of {name}, {n:,} "
            f"{unit}, are worth {effective:.1f} of equal weight, so that intervals "
            f"{narrow} too narrow. Use more {unit}, or weights that differ less.",
            SemikdWarning,
            stacklevel=stacklevel,
        )
