"""The population that a student is for: the one at hand, or one with other classes.

Where classes count by factors, the teacher stays a model of the population at hand, so
that its record can be reused and judged; what is shifted is what the student is taught.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit import OutOfFold
from semikd.distillation.lessons import AddedRows
from semikd.simplex import FloatArray, clip, reweight

__all__ = ["Population"]

# Factors of classes that differ by less are alike.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Population:
    r"""Factors by which classes count.

    .. math:: \tilde p_k = c_k p_k / \textstyle\sum_l c_l p_l

    A probability of zero is only known to be small: it is raised to the floor first,
    what n distinct rows cannot tell from zero, whatever the scale of their weights.
    Factors that are all alike shift nothing.

    Parameters
    ----------
    factors : ndarray of shape (k,)
        Factor of each class.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.distillation.population import Population
    >>> Population(np.array([1.0, 3.0])).counted(None, np.array([0, 1, 1]))
    array([1., 3., 3.])
    """

    factors: FloatArray

    def labels(
        self, record: OutOfFold, p: FloatArray, weights: FloatArray | None
    ) -> FloatArray:
        """Return probabilities of any shape (..., k) as they are in this population."""
        if np.ptp(self.factors) <= _ROUNDING * self.factors.max():
            return p
        kept = record.row_hash if weights is None else record.row_hash[weights > 0]
        floor = 1.0 / (len(np.unique(kept)) + len(self.factors))
        return np.asarray(reweight(clip(p, floor), self.factors))

    def counted(
        self, weights: FloatArray | None, codes: NDArray[np.intp]
    ) -> FloatArray | None:
        """Return weights times the factor of each row's class; None if all are one."""
        if self._counts_alike():
            return weights
        return self.factors[codes] * (1.0 if weights is None else weights)

    def added(
        self, rows: AddedRows, record: OutOfFold, weights: FloatArray | None
    ) -> AddedRows:
        """Return rows without outcomes as they are, and count, in this population.

        They count by the factor to expect of their label.
        """
        if self._counts_alike():
            return rows
        return replace(
            rows,
            labels=self.labels(record, rows.labels, weights),
            weights=rows.weights * (rows.labels @ self.factors),
        )

    def _counts_alike(self) -> bool:
        """Return whether every factor is one."""
        return bool((np.abs(self.factors - 1.0) <= _ROUNDING).all())
