"""Rows without outcomes, as a student is given them beside those that have one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit import take_rows
from semikd.simplex import FloatArray

__all__ = ["AddedRows"]


@dataclass(frozen=True, eq=False)
class AddedRows:
    """Rows without outcomes, and what teachers that did not see them say.

    Parameters
    ----------
    X : array-like of shape (n_new, d)
        Covariates.
    labels : ndarray of shape (n_new, k)
        Probabilities or means.
    weights : ndarray of shape (n_new,)
        How much each counts beside the rows with outcomes.
    units : ndarray of uint64 of shape (n_new,), optional
        Key of the row, or group, that each belongs with; by default its own.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.distillation.added import AddedRows
    >>> AddedRows(np.ones((1, 2)), np.array([[0.2, 0.8]]), np.ones(1)).labels
    array([[0.2, 0.8]])
    """

    X: Any
    labels: FloatArray
    weights: FloatArray
    units: NDArray[np.uint64] | None = None

    @property
    def made_up(self) -> bool:
        """Whether they are drawn from rows that have outcomes."""
        return self.units is not None

    def repeated(self) -> "AddedRows":
        """Return each row as often as it counts; itself where a weight is not whole.

        Offspring of a row with copies count as all of them: the only weights that
        nobody asked for, and whole ones.
        """
        times = np.rint(self.weights)
        if (times == 1.0).all() or (times != self.weights).any():
            return self
        rows = np.repeat(np.arange(len(times)), times.astype(np.intp))
        return AddedRows(
            take_rows(self.X, rows),
            self.labels[rows],
            np.ones(len(rows)),
            None if self.units is None else self.units[rows],
        )
