"""The rows of each leaf, their shares and units, and the errors of means."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from semikd._tables import label_positions, refuse_missing
from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    finite_array,
    invalid,
    sample_weights,
)
from semikd.inference._inputs import checked_clusters, numbered, of_rows
from semikd.inference.units import ROUNDING
from semikd.simplex import one_hot

__all__ = [
    "LeafRows",
    "effective_rows",
    "leaf_outcomes",
    "leaf_rows",
    "means_by_unit",
]

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class LeafRows:
    """Rows of positive weight: leaf, unit, share in the leaf; units by leaf."""

    names: tuple[Any, ...]
    code: Codes
    weights: FloatArray
    clusters: Codes | None
    kept: NDArray[np.bool_]

    @property
    def units(self) -> Codes:
        """The unit of each row: its cluster, or itself."""
        return np.arange(len(self.code)) if self.clusters is None else self.clusters

    @property
    def shares(self) -> FloatArray:
        """Share of each row in the weight of its leaf, shape (n,)."""
        whole = np.bincount(self.code, self.weights)
        return np.asarray(self.weights / whole[self.code])

    def sizes(self) -> list[tuple[str, FloatArray]]:
        """Return the name of each leaf, and the weight of each of its units."""
        by_leaf = sparse.csc_array(self.by_unit)
        each = np.split(by_leaf.data, by_leaf.indptr[1:-1])
        return [
            (f"leaf {own}", sizes) for own, sizes in zip(self.names, each, strict=True)
        ]

    @property
    def by_unit(self) -> Any:
        """Share of each unit in the weight of each leaf, sparse (units, L)."""
        return sparse.csr_array((self.shares, (self.units, self.code)))

    @property
    def freedom(self) -> FloatArray:
        """Degrees of freedom that effective rows leave, shape (L,).

        The variance of a share of rows that weigh alike follows from the share itself.
        """
        rows = np.bincount(self.code)
        spread = np.bincount(self.code, self.shares**2)
        # Rows that weigh alike, each a unit of its own.
        alike = (self.n_units == rows) & (spread * rows <= 1.0 + ROUNDING)
        return np.where(alike, np.inf, self.n_units - 1.0)

    @property
    def n_units(self) -> Codes:
        """Units in each leaf, shape (L,)."""
        return np.bincount(self.by_unit.tocoo().col, minlength=len(self.names))


def leaf_rows(
    leaf: ArrayLike,
    n: int,
    sample_weight: ArrayLike | None,
    clusters: ArrayLike | None,
) -> LeafRows:
    """Return the rows that count, refusing a leaf whose spread one unit would tell."""
    numbered("leaf", leaf, n)
    groups = checked_clusters(clusters, n)
    weights = sample_weights(sample_weight, n)
    kept = np.ones(n, dtype=bool) if weights is None else weights > 0
    weights = np.ones(n) if weights is None else weights / weights.max()
    names, code = np.unique(np.asarray(leaf)[kept], return_inverse=True)
    known = tuple(names.tolist())
    rows = LeafRows(known, code, weights[kept], of_rows(groups, kept), kept)
    few = rows.n_units < 2
    if few.any():
        what = "row" if groups is None else "cluster"
        shown = Shown(f"1 {what} of positive weight in leaf {known[int(few.argmax())]}")
        remedy = "Join that leaf with another, or leave its rows out"
        raise invalid("leaf", f"hold two {what}s each", shown, remedy)
    return rows


def means_by_unit(rows: LeafRows, outcomes: FloatArray) -> tuple[FloatArray, Any]:
    """Return the means (L m,), and what each unit adds to their errors, sparse."""
    n, m = outcomes.shape
    n_leaves = len(rows.names)
    share = sparse.csr_array((rows.shares, (rows.code, np.arange(n))))
    means = np.asarray(share @ outcomes)
    error = outcomes - means[rows.code]
    # What rounding leaves of a constant is no spread.
    size = np.abs(outcomes).max(axis=0, initial=0.0)
    error[np.abs(error) <= ROUNDING * size] = 0.0
    factor = np.sqrt(rows.n_units / (rows.n_units - 1.0))
    values = (rows.shares * factor[rows.code])[:, None] * error
    columns = m * rows.code[:, None] + np.arange(m)
    at = (np.repeat(rows.units, m), columns.ravel())
    shape = (int(rows.units.max()) + 1, n_leaves * m)
    return means.ravel(), sparse.csr_array((values.ravel(), at), shape=shape)


def effective_rows(rows: LeafRows, p: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the effective rows of each probability; fill variances that are none."""
    m = len(p) // len(rows.names)
    variance = np.diag(covariance).copy()
    units = np.repeat(1.0 / np.asarray((rows.by_unit**2).sum(axis=0)), m)
    most = np.repeat(np.bincount(rows.code), m)
    noise = p * (1.0 - p)
    seen = (noise > 0) & (variance > ROUNDING * noise)
    # Noise is p (1 - p) short of its own variance: n rows that weigh alike count as n.
    counted = np.divide(noise, variance, out=units - 1.0, where=seen) + 1.0
    found = np.minimum(counted, most)
    shrunk = (found * p + 2.0) / (found + 4.0)
    filled = np.where(seen, variance, shrunk * (1.0 - shrunk) / found)
    np.fill_diagonal(covariance, filled)
    return np.asarray(found)


def leaf_outcomes(
    y: ArrayLike, classes: ArrayLike | None
) -> tuple[FloatArray, tuple[Any, ...] | None]:
    """Return numbers (n, 1), or indicators (n, m) with the classes they belong to."""
    if classes is None:
        remedy = "For class labels name the classes"
        return finite_array("y", y, shape=(None,), remedy=remedy)[:, None], None
    labels, known = np.asarray(y), np.unique(np.asarray(classes))
    check_shape("y", labels, (None,))
    refuse_missing("y", labels)
    if len(known) < 2:
        raise invalid("classes", "name at least two classes", known.tolist())
    indicators = one_hot(label_positions(labels, known), len(known))
    start = 1 if len(known) == 2 else 0
    return indicators[:, start:], tuple(known.tolist()[start:])
