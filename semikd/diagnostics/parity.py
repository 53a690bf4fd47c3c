"""How far answers differ between the values of a protected attribute."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import Shown, check_shape, finite_array, invalid
from semikd.inference._inputs import numbered
from semikd.simplex import FloatArray, one_hot

__all__ = ["ParityGaps", "parity_gaps"]


@dataclass(frozen=True, eq=False)
class ParityGaps:
    r"""Largest differences between groups in how often, or how likely, a class is said.

    Parameters
    ----------
    demographic_parity : float
        :math:`\max_{j,g,h} |E[\hat p_j \mid g] - E[\hat p_j \mid h]|`.
    equalized_odds : float or None
        The same given the outcome, the largest over outcomes; None without outcomes.
    groups : tuple
        Values of the attribute.
    rates : ndarray of shape (g, k)
        Mean answer of each group.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics import ParityGaps
    >>> print(ParityGaps(0.25, None, ("f", "m"), np.eye(2)))
    demographic parity 0.250
    """

    demographic_parity: float
    equalized_odds: float | None
    groups: tuple[Any, ...]
    rates: FloatArray

    def __str__(self) -> str:
        text = f"demographic parity {self.demographic_parity:.3f}"
        if self.equalized_odds is None:
            return text
        return f"{text}, equalized odds {self.equalized_odds:.3f}"


def parity_gaps(
    answers: ArrayLike, protected: ArrayLike, outcome: ArrayLike | None = None
) -> ParityGaps:
    """Return how far answers differ between groups, with outcomes also given those.

    Parameters
    ----------
    answers : array-like of shape (n, k), or of labels of shape (n,)
        Class probabilities, or predicted classes.
    protected : array-like of shape (n,)
        The attribute.
    outcome : array-like of shape (n,), optional
        Class labels. An outcome that some group never has is left out.

    Returns
    -------
    ParityGaps

    Raises
    ------
    ValueError
        If lengths differ, or there is but one group.

    References
    ----------
    .. [1] M. Hardt, E. Price and N. Srebro, "Equality of Opportunity in Supervised
       Learning", NeurIPS 2016, Section 2.

    Examples
    --------
    >>> from semikd.diagnostics import parity_gaps
    >>> gaps = parity_gaps([1, 1, 1, 0], ["m", "m", "f", "f"], [1, 0, 1, 0])
    >>> gaps.demographic_parity, gaps.equalized_odds
    (0.5, 1.0)
    """
    p = np.asarray(answers)
    if p.ndim == 1:
        names, codes = np.unique(p, return_inverse=True)
        p = one_hot(codes, len(names))
    p = finite_array("answers", p, shape=(None, None))
    groups, own = numbered("protected", protected, len(p))
    if len(groups) < 2:
        raise invalid("protected", "have at least two values", Shown("one"))
    rates = _rates(p, own, len(groups))
    odds = None
    if outcome is not None:
        given = np.asarray(outcome)
        check_shape("outcome", given, (len(p),))
        inside = [
            _rates(p[given == label], own[given == label], len(groups))
            for label in np.unique(given)
        ]
        gaps = [np.ptp(r, axis=0).max() for r in inside if np.isfinite(r).all()]
        odds = float(max(gaps)) if gaps else None
    gap = float(np.ptp(rates, axis=0).max())
    return ParityGaps(gap, odds, tuple(np.asarray(groups).tolist()), rates)


def _rates(p: FloatArray, own: NDArray[np.intp], n_groups: int) -> FloatArray:
    """Return the mean answer of each group, NaN of one without rows, (g, k)."""
    sums = one_hot(own, n_groups).T @ p
    counts = np.bincount(own, minlength=n_groups)[:, None]
    found = np.full_like(sums, np.nan)
    np.divide(sums, counts, out=found, where=counts > 0)
    return np.asarray(found)
