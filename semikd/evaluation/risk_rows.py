"""Which rows judge a model, by whose probabilities, and into what parts they fall."""

from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
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
from semikd.inference._inputs import (
    check_units,
    checked_clusters,
    of_rows,
)
from semikd.inference.units import unit_sizes
from semikd.simplex import FloatArray

__all__ = ["RiskRows", "probability_table", "risk_rows"]

Codes = NDArray[np.intp]
# How far rounding in single precision moves a probability.
_ROUNDING = 1e-6


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
    classes : tuple
        The classes.
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
    classes: tuple[Any, ...]
    estimand: str
    conditions: tuple[str, ...]

    def sizes(self, mask: NDArray[np.bool_]) -> FloatArray:
        """Return the weight of each unit of some of the rows."""
        weights = None if self.weights is None else self.weights[mask]
        return unit_sizes(weights, of_rows(self.clusters, mask), int(mask.sum()))

    @property
    def units(self) -> Codes:
        """The independent unit of each row: its cluster, or itself, shape (n,)."""
        return np.arange(len(self.codes)) if self.clusters is None else self.clusters


def risk_rows(
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
        if classes is not None:
            remedy = "Labels have classes of their own"
            raise invalid("classes", "be left out beside labels", classes, remedy)
        known, said, fold, usable = p.classes, p.prediction, p.fold, p.labelled
        estimand, conditions = _of_labels(p)
    else:
        known = _known(labels, p) if classes is None else _classes(classes)
        said = probability_table(p, n, known)[None]
        fold, usable = np.zeros((1, n), dtype=np.intp), np.ones(n, dtype=bool)
        estimand = "risk of this fitted model on new rows"
        conditions = ("the model saw none of these rows, in fitting or in choosing",)
    codes = _codes(labels, np.asarray(known))
    weights = sample_weights(sample_weight, n)
    kept = usable if weights is None else usable & (weights > 0)
    groups = of_rows(checked_clusters(clusters, n), kept)
    check_units(int(kept.sum()), groups)
    weights = None if weights is None else weights[kept]
    return RiskRows(
        said[:, kept],
        codes[kept],
        fold[:, kept],
        weights,
        groups,
        kept,
        tuple(np.asarray(known).tolist()),
        estimand,
        conditions,
    )


def _of_labels(labels: OutOfFold) -> tuple[str, tuple[str, ...]]:
    """Return whose risk labels tell of, and what must hold of them, in words."""
    if (labels.fold < 0).all():
        return (
            f"risk of what made the labels ({labels.strategy}) on new rows",
            ("it saw none of these rows, in fitting or in choosing",),
        )
    return (
        f"mean risk of the fold models ({labels.strategy}), each on new rows",
        (
            "labels are of teachers that did not see the row",
            "a row more or less changes a teacher little",
        ),
    )


def _known(labels: NDArray[np.generic], p: Any) -> NDArray[np.generic]:
    """Return the classes of the outcomes, refusing one alone beside columns of more."""
    known = np.unique(labels)
    if len(known) == 1 and np.shape(p)[1:] != (1,):
        shown = Shown(f"class {known.tolist()[0]!r} alone")
        remedy = "Name the classes of p, as in classes=[0, 1]"
        raise invalid("y", "show which classes p is of", shown, remedy)
    return known


def _classes(classes: ArrayLike) -> NDArray[np.generic]:
    """Return the classes that columns are said to have, each once."""
    known = np.asarray(classes)
    check_shape("classes", known, (None,))
    if len(np.unique(known)) < len(known):
        raise invalid("classes", "be all different", Shown(str(known.tolist())))
    return known


def probability_table(
    p: ArrayLike, n: int, known: NDArray[np.generic], name: str = "p"
) -> FloatArray:
    """Return probabilities of all classes.

    Parameters
    ----------
    p : array-like or data frame of shape (n, k), or (n,) for two classes
        Columns of an array in the order of the classes, of a frame by their names.
    n : int
        Rows.
    known : ndarray of shape (k,)
        The classes.
    name : str, default='p'
        What messages call it.

    Returns
    -------
    ndarray of shape (n, k)

    Raises
    ------
    ValueError
        If the shape is another, or rows are no probabilities.
    """
    k = len(known)
    if nw.dependencies.is_into_dataframe(p):
        p = _by_name(name, p, [str(label) for label in known.tolist()])
    remedy = f"Name the classes of the columns; those of y are {known.tolist()}"
    shape = (n,) if np.ndim(p) == 1 and k == 2 else (n, k)
    found = finite_array(name, p, shape=shape, remedy=remedy)
    if found.ndim == 1:
        found = np.column_stack([1.0 - found, found])
    far = np.maximum(-found, found - 1.0).max(axis=1)
    far = np.maximum(far, np.abs(found.sum(axis=1) - 1.0))
    if (far > _ROUNDING).any():
        row = int(np.argmax(far > _ROUNDING))
        shown = Shown(f"{np.array2string(found[row], precision=4)} in row {row}")
        raise invalid(name, "hold probabilities that sum to 1", shown)
    return np.clip(found, 0.0, 1.0)


def _by_name(name: str, p: Any, wanted: list[str]) -> FloatArray:
    """Return the columns of a frame that have the names of the classes."""
    frame = nw.from_native(p, eager_only=True)
    columns = {
        str(name): column.to_numpy()
        for name, column in zip(frame.columns, frame.iter_columns(), strict=True)
    }
    if set(columns) != set(wanted):
        shown = Shown(", ".join(map(repr, columns)))
        constraint = f"have the columns {', '.join(map(repr, wanted))}"
        raise invalid(name, constraint, shown, "Rename them, or pass an array")
    return np.column_stack([columns[name] for name in wanted])


def _codes(labels: NDArray[np.generic], known: NDArray[np.generic]) -> Codes:
    """Return the position of each outcome among the classes."""
    at = {label: j for j, label in enumerate(known.tolist())}
    strange = [label for label in np.unique(labels).tolist() if label not in at]
    if strange:
        raise invalid("y", f"hold the classes {known.tolist()}", strange[0])
    return np.array([at[label] for label in labels.tolist()])
