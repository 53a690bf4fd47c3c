"""The rows of an honest tree: those that choose its splits, and those that judge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone, is_classifier

from semikd._tables import checked_labels, checked_outcomes, checked_table
from semikd._validation import (
    Shown,
    check_shape,
    counted,
    invalid,
    number,
    sample_weights,
)
from semikd.crossfit import content_split, row_hashes, take_rows
from semikd.distillation.algorithm import Distilled
from semikd.inference._inputs import checked_clusters, of_rows
from semikd.losses import DistillationLoss, IdentityLoss, ProbabilityLoss
from semikd.simplex import FloatArray, one_hot

__all__ = ["LEAST", "HonestRows", "honest_rows", "two_sides"]

# Fewer units show no spread.
LEAST = 2
Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class HonestRows:
    """Rows of positive weight: the whole, or one side of it."""

    X: Any
    y: NDArray[Any]
    rows: Positions
    classes: NDArray[Any] | None
    weights: FloatArray | None
    groups: NDArray[Any] | None
    units: Positions | None

    @property
    def loss(self) -> DistillationLoss:
        """The scale of means."""
        return IdentityLoss() if self.classes is None else ProbabilityLoss()

    @property
    def mass(self) -> FloatArray:
        """Weight of each row, shape (n,)."""
        return np.ones(len(self.y)) if self.weights is None else self.weights

    @property
    def outcomes(self) -> FloatArray:
        """Outcomes on the scale, shape (n, m)."""
        if self.classes is None:
            return np.asarray(self.y[:, None])
        codes = np.searchsorted(self.classes, self.y)
        return np.asarray(self.loss.phi(one_hot(codes, len(self.classes))))

    def take(self, mask: NDArray[np.bool_]) -> "HonestRows":
        """Return some of the rows."""
        at = np.flatnonzero(mask)
        return HonestRows(
            take_rows(self.X, at),
            self.y[at],
            self.rows[at],
            self.classes,
            None if self.weights is None else self.weights[at],
            None if self.groups is None else self.groups[at],
            of_rows(self.units, at),
        )


def honest_rows(
    recipe: Distilled,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    clusters: ArrayLike | None,
) -> HonestRows:
    """Return the rows that count, copies of a row as a cluster."""
    # Lists become arrays, and what the recipe cannot read is refused.
    X = checked_table(clone(recipe), X)
    is_classification = is_classifier(recipe)
    known: NDArray[Any] = (checked_labels if is_classification else checked_outcomes)(
        X, y
    )
    n = len(known)
    check_shape("y", known, (n,))
    units = checked_clusters(clusters, n)
    if units is None:
        names, copies = np.unique(row_hashes(X), return_inverse=True)
        units = copies if len(names) < n else None
    weights = sample_weights(sample_weight, n)
    whole = HonestRows(
        X,
        known,
        np.arange(n),
        np.unique(known) if is_classification else None,
        weights,
        None if clusters is None else np.asarray(clusters),
        units,
    )
    return whole if weights is None else whole.take(weights > 0)


def two_sides(
    whole: HonestRows, structure: float, seed: int
) -> tuple[HonestRows, HonestRows]:
    """Return structure and leaf rows, divided whatever their outcomes are."""
    share = number("structure", structure, low=0.0, high=1.0, open_low=True)
    if share == 1.0:
        remedy = "The rest of the rows judges the leaves; 0.5 is customary"
        raise invalid("structure", "be below 1", structure, remedy)
    chosen = content_split(
        whole.X, fraction=share, random_state=seed, groups=whole.groups
    )
    sides = whole.take(chosen), whole.take(~chosen)
    for side, name in zip(sides, ("structure", "leaf"), strict=True):
        n_units = len(side.y) if side.units is None else len(np.unique(side.units))
        if n_units < LEAST:
            what = "distinct row" if whole.groups is None else "cluster"
            shown = Shown(f"{counted(n_units, what)} among the {name} rows")
            raise invalid("X", f"have at least {LEAST} {what}s on either side", shown)
    if whole.classes is not None and len(np.unique(sides[0].y)) < 2:
        shown = Shown(f"only {sides[0].y[:1].tolist()[0]!r}")
        raise invalid("y", "have two classes among the structure rows", shown)
    return sides
