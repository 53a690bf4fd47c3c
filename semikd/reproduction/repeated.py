"""Means over repetitions of an experiment whose training rows overlap.

Notes
-----
Splits of one table share rows, so that the variance over them is too small for new
tables. It is raised by the factor of Nadeau and Bengio.

References
----------
.. [1] C. Nadeau and Y. Bengio, "Inference for the Generalization Error", Machine
   Learning 52, 2003, Section 3.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["Repeated"]


@dataclass(frozen=True)
class Repeated:
    r"""Values of some repetitions, each with a split of its own.

    .. math:: \mathrm{SE}^2 = \Bigl(\frac1R + \frac{n_\text{test}}{n_\text{train}}
       \Bigr) s^2

    with s² the variance over the R repetitions; intervals use Student's law with R - 1
    degrees of freedom.

    Parameters
    ----------
    values : tuple of float
        One for each repetition.
    ratio : float
        Test over training rows.

    Examples
    --------
    >>> from semikd.reproduction.repeated import Repeated
    >>> Repeated((0.90, 0.91, 0.92), 3 / 7).mean
    0.91
    """

    values: tuple[float, ...]
    ratio: float

    @property
    def mean(self) -> float:
        """The mean."""
        return float(np.mean(self.values))

    @property
    def standard_error(self) -> float:
        """Standard error of the mean; NaN for a single repetition."""
        if len(self.values) < 2:
            return math.nan
        n = len(self.values)
        return float(np.std(self.values, ddof=1) * math.sqrt(1.0 / n + self.ratio))

    def half_width(self, level: float = 0.95) -> float:
        """Return half the width of an interval; NaN for a single repetition."""
        if len(self.values) < 2:
            return math.nan
        quantile = stats.t.ppf(0.5 + level / 2.0, len(self.values) - 1)
        return float(quantile) * self.standard_error

    def less(self, other: "Repeated") -> "Repeated":
        """Return the difference from another arm of the same repetitions."""
        pairs: Sequence[tuple[float, float]] = list(
            zip(self.values, other.values, strict=True)
        )
        return Repeated(tuple(a - b for a, b in pairs), self.ratio)
