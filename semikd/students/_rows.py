"""The rows of a fit in an order of their content, so that no model depends on position.

Sums in floating point, and the batches of a network, depend on the order of the rows; a
canonical order makes a permuted table give the same numbers to the last bit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray


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
    >>> from semikd.students._rows import WeightedRows
    >>> WeightedRows(np.zeros((2, 1)), np.ones((2, 1)), np.ones(2)).weight
    array([1., 1.])
    """

    X: FloatArray
    target: FloatArray
    weight: FloatArray


def canonical(X: FloatArray, target: FloatArray, weight: FloatArray) -> WeightedRows:
    """Return the rows of positive weight, sorted by their content.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Covariates.
    target : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Weights, not negative.

    Returns
    -------
    WeightedRows

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.students._rows import canonical
    >>> column = np.array([[2.0], [1.0], [3.0]])
    >>> canonical(column, column, np.array([1.0, 1.0, 0.0])).X.shape
    (2, 1)
    """
    used = weight > 0
    # Adding zero makes -0.0 and 0.0 the same bytes, by which the rows are sorted.
    table = np.column_stack([X[used], target[used], weight[used]]) + 0.0
    order = np.argsort(table.view(f"V{table.itemsize * table.shape[1]}")[:, 0])
    columns = np.split(table[order], [X.shape[1], table.shape[1] - 1], axis=1)
    return WeightedRows(columns[0], columns[1], columns[2][:, 0])


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
    >>> from semikd.students._rows import canonical, merged
    >>> column = np.array([[1.0], [1.0], [3.0]])
    >>> float(merged(canonical(column, column, np.ones(3))).weight.max())
    2.0
    """
    content = np.column_stack([rows.X, rows.target])
    is_new = (content[1:] != content[:-1]).any(axis=1)
    starts = np.flatnonzero(np.concatenate([[True], is_new]))
    total = np.add.reduceat(rows.weight, starts)
    return WeightedRows(rows.X[starts], rows.target[starts], total)


def moments(rows: WeightedRows) -> tuple[FloatArray, FloatArray]:
    """Return the weighted mean and standard deviation of the columns of X.

    A column that is constant to rounding has scale 1.

    Parameters
    ----------
    rows : WeightedRows
        Rows of a fit.

    Returns
    -------
    mean, scale : ndarray of shape (d,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.students._rows import canonical, moments
    >>> X = np.array([[0.0, 5.0], [2.0, 5.0]])
    >>> moments(canonical(X, X, np.ones(2)))
    (array([1., 5.]), array([1., 1.]))
    """
    mean = np.average(rows.X, axis=0, weights=rows.weight)
    spread = np.sqrt(np.average((rows.X - mean) ** 2, axis=0, weights=rows.weight))
    rounding = 10 * np.finfo(np.float64).eps * np.abs(rows.X).max(axis=0)
    return mean, np.where(spread > rounding, spread, 1.0)


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
    >>> from semikd.students._rows import normalized
    >>> normalized(np.array([1.0, 3.0, 7.0]), np.array([False, False, True]))
    array([0.5, 1.5, 1. ])
    """
    scaled = weight.copy()
    for part in (held_out, ~held_out):
        if part.any():
            scaled[part] /= weight[part].mean()
    return scaled
