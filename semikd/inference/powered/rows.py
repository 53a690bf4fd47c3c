"""Labelled and unlabelled rows, side by side, with honest labels of all of them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted, invalid, wrong_type
from semikd.crossfit.rows import n_rows, take_rows
from semikd.inference.influence import row_shares
from semikd.inference.units import unit_sizes
from semikd.simplex import FloatArray

__all__ = ["PartlyLabelled", "checked_rows"]


@dataclass(frozen=True, eq=False)
class PartlyLabelled:
    """Labelled and unlabelled rows of one population, and what teachers say of both.

    Parameters
    ----------
    y : ndarray of shape (n,) or (n, m)
        Outcomes of the labelled rows that take part.
    outcomes : ndarray of shape (n, k)
        The same as indicators of the classes, or as numbers.
    labels : ndarray of shape (r, n, k)
        Labels of these rows, of each repeat, by teachers that did not see them.
    teacher : ndarray of int of shape (r, n)
        Who labelled each row, by position among those who label unlabelled rows.
    part : ndarray of int of shape (r, n)
        Parts that take no part in choosing how much their own labels count: the folds.
    unlabelled : tuple of ndarray of shape (n_teachers, n_unlabelled, k)
        Labels of the unlabelled rows by each of them, for each repeat.
    classes : tuple or None
        Class labels of the columns; None for numbers.
    names : tuple of str
        The classes, or the outputs of a regression.
    rows, unlabelled_rows : ndarray of int
        Positions of the rows that take part: with weight and label.
    n_given, n_given_unlabelled : int
        Rows in all, of either.
    weights, unlabelled_weights : ndarray or None
        Sampling weights of either.
    units : ndarray of int of shape (n + n_unlabelled,)
        Independent unit of every row, the labelled ones first.
    has_clusters : bool
        Whether units are clusters.
    strategy : str
        How the labels were made, in words.

    See Also
    --------
    partly_labelled : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.inference import partly_labelled
    >>> X, p = np.arange(5.0)[:, None], np.array([0.2, 0.4, 0.6, 0.8, 0.5])
    >>> labels = external_labels(X[:3], p[:3], classes=["no", "yes"])
    >>> more = external_labels(X[3:], p[3:], classes=["no", "yes"])
    >>> partly_labelled(labels, X[:3], ["no", "yes", "yes"], more).classes
    ('no', 'yes')
    """

    y: NDArray[Any]
    outcomes: FloatArray
    labels: FloatArray
    teacher: NDArray[np.intp]
    part: NDArray[np.intp]
    unlabelled: tuple[FloatArray, ...]
    classes: tuple[Any, ...] | None
    names: tuple[str, ...]
    rows: NDArray[np.intp]
    unlabelled_rows: NDArray[np.intp]
    n_given: int
    n_given_unlabelled: int
    weights: FloatArray | None
    unlabelled_weights: FloatArray | None
    units: NDArray[np.intp]
    has_clusters: bool
    strategy: str

    @property
    def n_labelled(self) -> int:
        """Labelled rows that take part."""
        return len(self.rows)

    @property
    def n_unlabelled(self) -> int:
        """Unlabelled rows that take part."""
        return len(self.unlabelled_rows)

    @property
    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Shares of the labelled, and of the unlabelled rows, in a weighted mean."""
        own = row_shares(self.weights, self.n_labelled)
        return own, row_shares(self.unlabelled_weights, self.n_unlabelled)

    @cached_property
    def n_units(self) -> int:
        """Independent units of labelled rows: clusters, or rows."""
        return len(np.unique(self.units[: self.n_labelled]))

    @cached_property
    def n_unlabelled_units(self) -> int:
        """Independent units of unlabelled rows."""
        return len(np.unique(self.units[self.n_labelled :]))

    def sizes(self) -> list[tuple[str, FloatArray]]:
        """Return the weights of the units of labelled, and of unlabelled rows."""
        n = self.n_labelled
        sides = (
            ("labelled rows", self.units[:n], self.weights),
            ("unlabelled rows", self.units[n:], self.unlabelled_weights),
        )
        return [
            (name, unit_sizes(weights, own, len(own))) for name, own, weights in sides
        ]

    def need_classes(self) -> tuple[Any, ...]:
        """Return the classes, refusing labels that are numbers."""
        if self.classes is None:
            shown = Shown("means of a regression")
            remedy = "Cross-fit a classifier"
            raise invalid("rows", "have labels of classes", shown, remedy)
        return self.classes

    def of_given(self, name: str, table: Any) -> Any:
        """Return the rows that take part of a table of all labelled rows."""
        return take_rows(_with_rows(name, table, self.n_given), self.rows)

    def of_unlabelled(self, name: str, table: Any) -> Any:
        """Return the rows that take part of a table of all unlabelled rows."""
        found = _with_rows(name, table, self.n_given_unlabelled)
        return take_rows(found, self.unlabelled_rows)


def checked_rows(rows: object) -> PartlyLabelled:
    """Return the rows, refusing anything else."""
    if not isinstance(rows, PartlyLabelled):
        remedy = "Make them with semikd.inference.partly_labelled"
        raise wrong_type("rows", "be PartlyLabelled", rows, remedy)
    return rows


def _with_rows(name: str, table: Any, n: int) -> Any:
    """Return a table, refused if it has another number of rows."""
    if n_rows(table) != n:
        shown = Shown(counted(n_rows(table), "row"))
        raise invalid(name, f"have {counted(n, 'row')}", shown)
    return table
