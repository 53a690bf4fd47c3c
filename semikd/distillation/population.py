"""The population that a student is for: the one at hand, or one with other classes.

Where classes count by factors, the teacher stays a model of the population at hand, so
that its record can be reused and judged; what is shifted is what the student is taught.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from semikd._tables import class_factors
from semikd._validation import invalid, unknown
from semikd.crossfit import OutOfFold
from semikd.distillation.added import AddedRows
from semikd.simplex import FloatArray, clip, reweight
from semikd.transfer import ClassPriors, estimated_priors

__all__ = ["LABEL_SHIFT", "Population"]

LABEL_SHIFT = "label-shift"
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
    priors : ClassPriors, optional
        Where the factors come from, if the unlabelled rows are of this population.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.distillation.population import Population
    >>> Population(np.array([1.0, 3.0])).counted(None, np.array([0, 1, 1]))
    array([1., 3., 3.])
    """

    factors: FloatArray
    priors: ClassPriors | None = None

    @classmethod
    def asked_for(
        cls,
        class_weight: Any,
        y: NDArray[Any],
        classes: NDArray[Any],
        weights: FloatArray | None,
        *,
        unlabelled: bool,
    ) -> Self | None:
        """Return what a ``class_weight`` asks for; None if rows have yet to tell.

        Raises
        ------
        ValueError, TypeError
            If it is unknown, or asks for unlabelled rows that are not there.
        """
        if not isinstance(class_weight, str) or class_weight == "balanced":
            return cls(class_factors(class_weight, y, classes, weights))
        if class_weight != LABEL_SHIFT:
            raise unknown("class_weight", class_weight, ["balanced", LABEL_SHIFT])
        if not unlabelled:
            constraint = "come with unlabelled rows, which are of the other population"
            remedy = "Pass fit(..., unlabelled=rows), or known shares as a dict"
            raise invalid("class_weight", constraint, class_weight, remedy)
        return None

    @classmethod
    def of_unlabelled(
        cls,
        added: Sequence[AddedRows],
        y: NDArray[Any],
        weights: FloatArray | None,
    ) -> Self:
        """Return the population that unlabelled rows are of, by what teachers say."""
        rows = [each for each in added if not each.made_up]
        if not rows:
            constraint = "be rows that a teacher did not see, for the shares of classes"
            raise invalid("unlabelled", constraint, "copies alone")
        priors = estimated_priors(
            rows[0].labels,
            y,
            sample_weight=rows[0].weights,
            source_weight=weights,
        )
        # A class without a share there teaches nothing, but no factor is zero.
        least = 1.0 / (len(rows[0].labels) + len(priors.target))
        return cls(np.maximum(priors.target, least) / priors.source, priors)

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

        They count by the factor to expect of their label, unless they are of it.
        """
        if self._counts_alike():
            return rows
        counts = rows.weights
        if rows.made_up or self.priors is None:
            counts = counts * (rows.labels @ self.factors)
        labels = self.labels(record, rows.labels, weights)
        return replace(rows, labels=labels, weights=counts)

    def _counts_alike(self) -> bool:
        """Return whether every factor is one."""
        return bool((np.abs(self.factors - 1.0) <= _ROUNDING).all())
