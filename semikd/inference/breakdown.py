r"""How wrong a teacher must be before a conclusion about log-odds falls.

Notes
-----
The corrected log-odds of two classes err by what a first-order correction leaves. With
the label q off by :math:`\delta` in log-odds from the truth :math:`p_0`,

.. math:: R(\delta) = \frac{p_0 - q}{q (1 - q)} + \delta, \qquad
   \operatorname{logit} p_0 = \operatorname{logit} q - \delta

and a coefficient :math:`\sum_i a_i t_i` of targets t is off by at most
:math:`\sum_i \max(a_i R_i(\delta), a_i R_i(-\delta), 0)` if no row is off by more than
:math:`\delta`. That is exact, and reached by the worst of all teachers.
"""

import numpy as np
from scipy import special

from semikd._validation import FloatArray

__all__ = ["breakdown_error"]

# Log-odds off by more than this say nothing of a class any longer.
_MOST = 10.0
_HALVINGS = 40


def breakdown_error(
    p: FloatArray, pull: FloatArray, estimate: FloatArray, half_width: FloatArray
) -> FloatArray:
    """Return by how much labels must be off, row by row, for intervals to reach 0.

    Parameters
    ----------
    p : ndarray of shape (n,)
        Labels of the second class, inside (0, 1).
    pull : ndarray of shape (n, d)
        What a unit of the target of each row adds to each coefficient.
    estimate, half_width : ndarray of shape (d,)
        The coefficients, and half the widths of their intervals.

    Returns
    -------
    ndarray of shape (d,)
        In log-odds; 0 where the interval holds 0 already, infinite where errors of 10
        in every row would not do.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference.breakdown import breakdown_error
    >>> p, pull = np.array([0.2, 0.5, 0.8]), np.full((3, 1), 1 / 3)
    >>> breakdown_error(p, pull, np.array([0.3]), np.array([0.1])).round(2)
    array([1.29])
    """
    toward = pull * np.sign(estimate)
    margin = np.abs(estimate) - half_width
    low, high = np.zeros(len(margin)), np.full(len(margin), _MOST)
    never = _worst(p, toward, high) < margin
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        enough = _worst(p, toward, middle) >= margin
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(margin <= 0.0, 0.0, np.where(never, np.inf, high))


def _worst(p: FloatArray, toward: FloatArray, error: FloatArray) -> FloatArray:
    """Return the largest bias that errors up to these (d,) can make, (d,)."""
    odds, slope = special.logit(p)[:, None], (p * (1.0 - p))[:, None]
    most = np.zeros_like(toward)
    for sign in (1.0, -1.0):
        moved = (special.expit(odds - sign * error) - p[:, None]) / slope
        most = np.maximum(most, toward * (moved + sign * error))
    return np.asarray(most.sum(axis=0))
