"""Which rows judge a model, by whose probabilities, and into what parts they fall."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import refuse_missing
from semikd._validation import (
    Shown,
    check_shape,
    finite_array,
    invalid,
    sample_weights,
)
from semikd.crossfit import OutOfFold
from semikd.crossfit.checks import check_honest
from semikd.inference._inputs import check_units, checked_clusters
from semikd.simplex import FloatArray

__all__ = ["RiskRows", "judged_rows", "parts_of"]

Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class RiskRows:
    """The rows of positive weight that judge a model, or the models of folds.

    Parameters
    ----------
    p : ndarray of shape (r, n, k)
        Probabilities, of each repeat.
    codes : ndarray of int of shape (n,)
        Position of each outcome among the classes.
    fold : ndarray of int of shape (r, n)
        Fold of each row; one for a single model.
    weights : ndarray of shape (n,) or None
        Sampling weights.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row, numbered from 0 without gaps.
    kept : ndarray of bool of shape (all rows,)
        Which rows these are.
    estimand : str
        Whose risk they tell of, in words.
    conditions : tuple of str
        What must hold of the labels.
    """

    p: FloatArray
    codes: Codes
    fold: Codes
    weights: FloatArray | None
    clusters: Codes | None
    kept: NDArray[np.bool_]
    estimand: str
    conditions: tuple[str, ...]

    @property
    def units(self) -> Codes:
        """The independent unit of each row: its cluster, or itself, shape (n,)."""
        return np.arange(len(self.codes)) if self.clusters is None else self.clusters


def judged_rows(
    y: ArrayLike,
    p: ArrayLike | OutOfFold,
    classes: ArrayLike | None,
    sample_weight: ArrayLike | None,
    clusters: ArrayLike | None,
) -> RiskRows:
    """Return the rows of positive weight that have a label."""
    labels = np.asarray(y)
    check_shape("y", labels, (None,))
    refuse_missing("y", labels)
    n = len(labels)
    if isinstance(p, OutOfFold):
        check_honest(p, "inference", "Cross-fit the teacher with an integer cv")
        check_shape("labels", p.fold, (None, n))
        known, said, fold, usable = p.classes, p.prediction, p.fold, p.labelled
        estimand = f"mean risk of the fold models ({p.strategy}), each on new rows"
        conditions: tuple[str, ...] = (
            "labels are of teachers that did not see the row",
            "a row more or less changes a teacher little",
        )
    else:
        known = np.unique(labels) if classes is None else np.asarray(classes)
        said = _table(p, n, len(known))[None]
        fold, usable = np.zeros((1, n), dtype=np.intp), np.ones(n, dtype=bool)
        estimand = "risk of this fitted model on new rows"
        conditions = ("the model saw none of these rows, in fitting or in choosing",)
    codes = _codes(labels, np.asarray(known))
    weights = sample_weights(sample_weight, n)
    kept = usable if weights is None else usable & (weights > 0)
    groups = checked_clusters(clusters, n)
    groups = None if groups is None else np.unique(groups[kept], return_inverse=True)[1]
    check_units(int(kept.sum()), groups)
    weights = None if weights is None else weights[kept]
    return RiskRows(
        said[:, kept],
        codes[kept],
        fold[:, kept],
        weights,
        groups,
        kept,
        estimand,
        conditions,
    )


def _table(p: ArrayLike, n: int, k: int) -> FloatArray:
    """Return probabilities of all classes, (n, k)."""
    found = finite_array("p", p, shape=(n,) if np.ndim(p) == 1 else (n, k))
    if found.ndim == 1:
        if k != 2:
            shown = Shown(f"one number for {k} classes")
            raise invalid(
                "p", "have a column for each class", shown, "Name the classes"
            )
        found = np.column_stack([1.0 - found, found])
    sums = found.sum(axis=1)
    bad = (found < 0).any(axis=1) | (found > 1).any(axis=1) | (np.abs(sums - 1) > 1e-6)
    if bad.any():
        row = int(np.argmax(bad))
        shown = Shown(f"{np.array2string(found[row], precision=4)} in row {row}")
        raise invalid("p", "hold probabilities that sum to 1", shown)
    return found


def _codes(labels: NDArray[np.generic], known: NDArray[np.generic]) -> Codes:
    """Return the position of each outcome among the classes."""
    at = {label: j for j, label in enumerate(known.tolist())}
    strange = [label for label in np.unique(labels).tolist() if label not in at]
    if strange:
        raise invalid("y", f"hold the classes {known.tolist()}", strange[0])
    return np.array([at[label] for label in labels.tolist()])


def parts_of(
    groups: ArrayLike | None, n: int
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield all rows, and then every group, with what its name ends in."""
    yield "", np.ones(n, dtype=bool)
    if groups is None:
        return
    given = np.asarray(groups)
    check_shape("groups", given, (n,))
    refuse_missing("groups", given)
    comparable = given.astype(str) if given.dtype == object else given
    names, which = np.unique(comparable, return_inverse=True)
    for at, each in enumerate(names.tolist()):
        yield f", group {each}", which == at
