"""What a mean over draws of teachers varies by.

A published mean is that of one draw of teachers, and its error over refits of the
student knows nothing of that draw. Where teachers were drawn more than once here, their
variance is known: what the means of draws vary beyond what refits explain. It belongs
to the published number once, and to ours divided by the draws.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from semikd.reproduction.forests.draws import Draw
from semikd.simplex import FloatArray

__all__ = ["between_units", "by_unit", "mean_error", "over_refits"]


def between_units(means: Sequence[FloatArray], refits: Sequence[float]) -> float | None:
    r"""Return what units, draws of teachers or splits, vary beyond what refits explain.

    .. math:: s_t^2 = \max\Bigl(0,\; \overline{\operatorname{var}_d(\bar m_d)} -
       \overline{s_r^2 / R}\Bigr)

    with :math:`\bar m_d` the mean of unit d over its R refits and :math:`s_r^2` their
    variance, both averaged over the places of a curve.

    Parameters
    ----------
    means : sequence of ndarray of shape (units,)
        :math:`\bar m_d` at each place.
    refits : sequence of float
        :math:`s_r^2 / R` at each place.

    Returns
    -------
    float or None
        None where there is one unit only.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.forests.variances import between_units
    >>> between_units([np.array([1.0, 5.0])], [1.0])
    7.0
    """
    if min(len(own) for own in means) < 2:
        return None
    between = float(np.mean([own.var(ddof=1) for own in means]))
    return max(0.0, between - float(np.mean(refits)))


def mean_error(between: float | None, refits: float, units: int) -> float:
    """Return the standard error of a mean over units."""
    return math.sqrt(((between or 0.0) + refits) / units)


def by_unit(own: Mapping[Draw, FloatArray]) -> FloatArray:
    """Return scores (units, refits): draws of one split, or splits, draws averaged."""
    splits: dict[int, list[FloatArray]] = {}
    for draw, scores in own.items():
        splits.setdefault(draw.split, []).append(scores)
    if len(splits) == 1:
        return np.array(list(own.values()))
    return np.array([np.mean(each, axis=0) for each in splits.values()])


def over_refits(own: FloatArray) -> float:
    """Return the variance of a unit's mean by its refits, averaged over units."""
    refits = own.shape[1]
    return float(own.var(axis=1, ddof=1).mean()) / refits if refits > 1 else 0.0
