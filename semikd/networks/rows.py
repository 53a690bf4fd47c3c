"""The rows of a fit in an order of their content, so that no model depends on position.

Sums in floating point, and the batches of a network, depend on the order of the rows; a
canonical order makes a permuted table give the same numbers to the last bit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray

# A channel that varies by less is constant to the rounding of single precision.
_CONSTANT = 1e-6


@dataclass(frozen=True)
class WeightedRows:
    """Covariates, targets and weights of the rows that take part in a fit.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Covariates.
    target : ndarray of shape (n, m)
        Targets on the scale of a loss.
    weight : ndarray of shape (n,)
        Weights, all positive.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.rows import WeightedRows
    >>> WeightedRows(np.zeros((2, 1)), np.ones((2, 1)), np.ones(2)).weight
    array([1., 1.])
    """

    X: FloatArray
    target: FloatArray
    weight: FloatArray


def canonical_order(
    X: FloatArray, target: FloatArray, weight: FloatArray
) -> NDArray[np.intp]:
    """Return the positions of the rows of positive weight, sorted by their content.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Covariates; any missing one is the same NaN.
    target : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Weights, not negative.

    Returns
    -------
    ndarray of int

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.rows import canonical_order
    >>> column = np.array([[2.0], [1.0], [3.0]])
    >>> len(canonical_order(column, column, np.array([1.0, 1.0, 0.0])))
    2
    """
    used = np.flatnonzero(weight > 0)
    return used[np.argsort(_bytes(X[used], target[used], weight[used, None]))]


def merged(rows: WeightedRows) -> WeightedRows:
    """Return each distinct row of a canonical order once, with the sum of its weights.

    Parameters
    ----------
    rows : WeightedRows
        Rows in canonical order.

    Returns
    -------
    WeightedRows

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.rows import WeightedRows, merged
    >>> column = np.array([[1.0], [1.0], [3.0]])
    >>> merged(WeightedRows(column, column, np.ones(3))).weight
    array([2., 1.])
    """
    content = _bytes(rows.X, rows.target)
    is_new = content[1:] != content[:-1]
    starts = np.flatnonzero(np.concatenate([[True], is_new]))
    total = np.add.reduceat(rows.weight, starts)
    return WeightedRows(rows.X[starts], rows.target[starts], total)


def moments(numbers: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weighted mean and standard deviation of columns, leaving gaps out.

    A column that is constant to rounding, or empty, has scale 1.

    Parameters
    ----------
    numbers : ndarray of shape (n, d)
        Columns; NaN is a gap.
    weight : ndarray of shape (n,)
        Positive weights.

    Returns
    -------
    mean : ndarray of shape (d,)
    scale : ndarray of shape (d,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.rows import moments
    >>> moments(np.array([[0.0, 5.0], [2.0, np.nan]]), np.ones(2))
    (array([1., 5.]), array([1., 1.]))
    """
    gaps = np.isnan(numbers)
    if not gaps.any():
        mean = np.average(numbers, axis=0, weights=weight)
        spread = np.sqrt(np.average((numbers - mean) ** 2, axis=0, weights=weight))
        largest = np.abs(numbers).max(axis=0)
    else:
        total = np.maximum(weight @ ~gaps, np.finfo(np.float64).tiny)
        mean = weight @ np.where(gaps, 0.0, numbers) / total
        squares = np.where(gaps, 0.0, numbers - mean) ** 2
        spread = np.sqrt(weight @ squares / total)
        largest = np.abs(np.where(gaps, 0.0, numbers)).max(axis=0)
    rounding = 10 * np.finfo(np.float64).eps * largest
    return mean, np.where(spread > rounding, spread, 1.0)


def channel_moments(
    pixels: NDArray[np.float32], weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return weighted mean and standard deviation of the channels of images.

    A channel that is constant to rounding has scale 1.

    Parameters
    ----------
    pixels : ndarray of shape (n, c, h, w)
        Pixels from 0 to 1.
    weight : ndarray of shape (n,)
        Weights; images of weight zero take no part.

    Returns
    -------
    mean : ndarray of shape (c,)
    scale : ndarray of shape (c,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.rows import channel_moments
    >>> images = np.float32([[[[0.0, 1.0]]], [[[1.0, 1.0]]]])
    >>> channel_moments(images, np.array([1.0, 0.0]))
    (array([0.5]), array([0.5]))
    """
    c, h, w = pixels.shape[1:]
    share = weight / (weight.sum() * h * w)
    mean, spread = np.empty((2, c))
    # By channel and in single precision: pixels are what fills the memory.
    for j in range(c):
        mean[j] = share @ pixels[:, j].sum(axis=(1, 2), dtype=np.float64)
        squares = (pixels[:, j] - np.float32(mean[j])) ** 2
        spread[j] = np.sqrt(share @ squares.sum(axis=(1, 2), dtype=np.float64))
    return mean, np.where(spread > _CONSTANT, spread, 1.0)


def normalized(weight: FloatArray, held_out: NDArray[np.bool_]) -> FloatArray:
    """Return weights with mean 1 among the held-out rows and among the others.

    Parameters
    ----------
    weight : ndarray of shape (n,)
        Positive weights.
    held_out : ndarray of bool of shape (n,)
        Rows of the first kind; there may be none.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.rows import normalized
    >>> normalized(np.array([1.0, 3.0, 7.0]), np.array([False, False, True]))
    array([0.5, 1.5, 1. ])
    """
    scaled = weight.copy()
    for part in (held_out, ~held_out):
        if part.any():
            scaled[part] /= weight[part].mean()
    return scaled


def _bytes(*parts: FloatArray) -> NDArray[np.void]:
    """Return each row as one value that can be sorted and compared."""
    # Adding zero makes -0.0 and 0.0 the same bytes.
    table = np.ascontiguousarray(np.column_stack(parts)) + 0.0
    return table.view(f"V{table.itemsize * table.shape[1]}")[:, 0]
