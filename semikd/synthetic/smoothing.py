"""The kernel of a smoothed bootstrap: how far numbers are moved, and to what end."""

from collections.abc import Sequence

import numpy as np

from semikd.simplex import FloatArray
from semikd.synthetic.columns import Column

__all__ = ["kernel_scales", "moved", "silverman"]

# A normal distribution's interquartile range, in standard deviations.
_QUARTILES = 1.349


def silverman(n: int, d: int) -> float:
    r"""Return Silverman's bandwidth for n rows of d continuous columns.

    .. math:: h = \bigl(4 / ((d + 2) n)\bigr)^{1 / (d + 4)}

    in standard deviations: the best normal kernel for a normal distribution.

    References
    ----------
    .. [1] B. W. Silverman, "Density Estimation for Statistics and Data Analysis",
       Chapman and Hall 1986, equations 4.14 and 4.15.

    Examples
    --------
    >>> from semikd.synthetic.smoothing import silverman
    >>> round(silverman(1000, 1), 4)
    0.2661
    """
    return float((4.0 / ((d + 2) * n)) ** (1.0 / (d + 4)))


def kernel_scales(columns: Sequence[Column], weights: FloatArray) -> FloatArray:
    """Return the spread that a bandwidth multiplies, column by column, shape (d,).

    The smaller of standard deviation and interquartile range / 1.349; 0 for categories
    and for columns of which half are one value, whose noise would blur that value.

    Parameters
    ----------
    columns : sequence of Column
        The table.
    weights : ndarray of shape (n,)
        Weights of the rows.

    Returns
    -------
    ndarray of shape (d,)

    References
    ----------
    .. [1] B. W. Silverman, "Density Estimation for Statistics and Data Analysis",
       Chapman and Hall 1986, equation 3.30.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import read_columns
    >>> from semikd.synthetic.smoothing import kernel_scales
    >>> columns = read_columns(np.array([[0.0], [1.0], [2.0], [3.0]]))
    >>> kernel_scales(columns, np.ones(4)).round(3)
    array([1.118])
    """
    return np.array([_scale(column, weights) for column in columns])


def moved(
    column: Column, values: FloatArray, step: float, rng: np.random.Generator
) -> FloatArray:
    """Return values of a column moved by normal noise, inside its observed range.

    Parameters
    ----------
    column : Column
        Where they come from.
    values : ndarray of shape (n,)
        Some of its values.
    step : float
        Standard deviation of the noise.
    rng : numpy.random.Generator
        Where the noise comes from.

    Returns
    -------
    ndarray of shape (n,)
        Reflected at the ends of the range, and rounded where the column is whole; NaN
        for what is missing or infinite.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import read_columns
    >>> from semikd.synthetic.smoothing import moved
    >>> (column,) = read_columns(np.array([[0.0], [50.0], [100.0]]))
    >>> found = moved(column, np.full(200, 50.0), 5.0, np.random.default_rng(0))
    >>> bool((found == found.round()).all() and found.min() >= 0)
    True
    """
    known = column.values[np.isfinite(column.values)]
    low, high = float(known.min()), float(known.max())
    found = values + rng.normal(scale=step, size=len(values))
    found = np.where(found < low, 2.0 * low - found, found)
    found = np.where(found > high, 2.0 * high - found, found)
    found = np.where(np.isfinite(values), np.clip(found, low, high), np.nan)
    return np.asarray(np.round(found) if column.is_whole else found)


def _scale(column: Column, weights: FloatArray) -> float:
    """Return the spread of one column, zero where it must not be moved."""
    known = np.isfinite(column.values)
    if not (column.is_continuous and known.any()):
        return 0.0
    values, w = column.values[known], weights[known]
    mean = np.average(values, weights=w)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=w))
    order = np.argsort(values, kind="stable")
    share = np.cumsum(w[order]) / w.sum()
    # The smallest value that has a quarter, or three, of the weight at or below it.
    at = np.searchsorted(share, [0.25 - 1e-12, 0.75 - 1e-12])
    low, high = values[order][at]
    return float(min(deviation, (high - low) / _QUARTILES))
