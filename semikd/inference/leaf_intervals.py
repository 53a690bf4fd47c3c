"""Ends of intervals of a share, by rows that may be fewer than they look."""

import numpy as np
from scipy import special

from semikd._validation import FloatArray
from semikd.inference.student_law import StudentLaw

__all__ = ["exact", "wilson"]


def wilson(
    p: FloatArray, m: FloatArray, c: FloatArray, _law: StudentLaw
) -> tuple[FloatArray, FloatArray]:
    r"""Return the shares from which p is at most c standard errors away.

    Parameters
    ----------
    p, m : ndarray of shape (d,)
        Shares, and the rows that they count as.
    c : ndarray of shape (d,)
        Critical values.

    Returns
    -------
    low : ndarray of shape (d,)
    high : ndarray of shape (d,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import StudentLaw
    >>> from semikd.inference.leaf_intervals import wilson
    >>> one = np.ones(1)
    >>> low, high = wilson(0.0 * one, 10.0 * one, 1.96 * one, StudentLaw.of_each([9]))
    >>> low, high.round(3)
    (array([0.]), array([0.278]))
    """
    q = 1.0 - p
    half = c * np.sqrt(p * q / m + (c / (2.0 * m)) ** 2)
    # In this form no rounding leads out of [0, 1], nor 0 and 1 away from its ends.
    above, below = p + c**2 / (2.0 * m) + half, q + c**2 / (2.0 * m) + half
    low = np.divide(p**2, above, out=np.zeros_like(p), where=above > 0)
    return low, 1.0 - np.divide(q**2, below, out=np.zeros_like(p), where=below > 0)


def exact(
    p: FloatArray, m: FloatArray, c: FloatArray, law: StudentLaw
) -> tuple[FloatArray, FloatArray]:
    r"""Return Clopper and Pearson's ends at the level of a critical value.

    .. math:: B^{-1}\bigl(\alpha;\, x,\, n - x + 1\bigr), \qquad
       B^{-1}\bigl(1 - \alpha;\, x + 1,\, n - x\bigr)

    with :math:`\alpha` the normal tail z that is as likely as c by its own law,
    :math:`n = m (z / c)^2` and x = n p, which need not be whole numbers.

    Parameters
    ----------
    p, m : ndarray of shape (d,)
        Shares, and the rows that they count as.
    c : ndarray of shape (d,)
        Critical values.
    law : StudentLaw
        Their law.

    Returns
    -------
    low : ndarray of shape (d,)
    high : ndarray of shape (d,)

    References
    ----------
    .. [1] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with
       small expected number of positive counts estimated from survey data", Survey
       Methodology 24, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import StudentLaw
    >>> from semikd.inference.leaf_intervals import exact
    >>> one, law = np.ones(1), StudentLaw.of_each([np.inf])
    >>> low, high = exact(0.0 * one, 10.0 * one, 1.96 * one, law)
    >>> low, high.round(3)
    (array([0.]), array([0.309]))
    """
    z = law.normal_scores(c)
    n = m * np.divide(z, c, out=np.ones_like(z), where=c > 0) ** 2
    x, tail = n * p, special.ndtr(-z)
    low, high = np.zeros_like(p), np.ones_like(p)
    some, rest = x > 0, n - x > 0
    low[some] = special.betaincinv(x, n - x + 1.0, tail, where=some, out=low)[some]
    high[rest] = special.betaincinv(x + 1.0, n - x, 1.0 - tail, where=rest, out=high)[
        rest
    ]
    return low, high
