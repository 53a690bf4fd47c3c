"""The small record that estimators hand to inference: an estimate and its influence.

Notes
-----
An estimate is asymptotically linear when ``estimate - theta`` is about the mean of
``influence`` over rows. Whatever has that form (a mean loss, an AUC, a coefficient)
gets its standard errors, intervals and tests from the same code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from semikd._validation import FloatArray, finite_array, invalid, sample_weights


@dataclass(frozen=True, eq=False)
class InfluenceEstimate:
    r"""Estimates with the influence of every row on them.

    .. math:: \hat\theta - \theta \approx \frac1n \sum_{i=1}^{n} \psi_i

    Parameters
    ----------
    estimate : array of shape (d,)
        The estimates.
    influence : array of shape (n, d)
        Influence ψ of row i on each estimate, in units of the estimate; weights, if
        any, are already inside.
    metric : str, default='mean loss'
        What is estimated, in words.
    greater_is_better : bool, default=False
        False for losses, True for scores such as the AUC.

    Raises
    ------
    ValueError
        If the shapes disagree or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import InfluenceEstimate
    >>> loss = np.array([0.2, 0.4, 0.9])
    >>> record = InfluenceEstimate([loss.mean()], (loss - loss.mean())[:, None])
    >>> record.influence.shape
    (3, 1)
    """

    estimate: FloatArray
    influence: FloatArray
    metric: str = "mean loss"
    greater_is_better: bool = False

    def __post_init__(self) -> None:
        """Check the arrays and freeze them."""
        estimate = finite_array("estimate", self.estimate, shape=(None,))
        shape = (None, len(estimate))
        influence = finite_array("influence", self.influence, shape=shape)
        object.__setattr__(self, "estimate", frozen(estimate))
        object.__setattr__(self, "influence", frozen(influence))


def frozen(array: ArrayLike) -> FloatArray:
    """Return a float64 copy that cannot be written to."""
    copy = np.array(array, dtype=np.float64)
    copy.setflags(write=False)
    return copy


def mean_influence(
    losses: ArrayLike, sample_weight: ArrayLike | None = None
) -> InfluenceEstimate:
    r"""Weighted means of columns, with the influence of every row.

    .. math:: \hat\theta = \frac{\sum_i w_i \ell_i}{\sum_i w_i}, \qquad
        \psi_i = \frac{n\,w_i\,(\ell_i - \hat\theta)}{\sum_j w_j}

    Parameters
    ----------
    losses : array of shape (n, d)
        Pointwise losses, or differences of them.
    sample_weight : array of shape (n,), optional
        Sampling weights: the mean is a ratio of two sums, and its influence says so.
        Equal weights are the plain mean.

    Returns
    -------
    InfluenceEstimate
        Means and influence of all n rows.

    Raises
    ------
    ValueError
        If a loss is not finite, or a weight is negative, or all weights are zero.

    Examples
    --------
    >>> from semikd.inference import mean_influence
    >>> mean_influence([[1.0], [4.0]], sample_weight=[2, 1]).estimate
    array([2.])
    """
    table = finite_array("losses", losses, shape=(None, None))
    n_rows = len(table)
    if n_rows == 0:
        raise invalid("losses", "hold at least 1 row", 0)
    share = row_shares(sample_weights(sample_weight, n_rows), n_rows)
    estimate = share @ table
    return InfluenceEstimate(estimate, n_rows * share[:, None] * (table - estimate))


def row_shares(weights: FloatArray | None, n_rows: int) -> FloatArray:
    """Return the share of each row in a weighted mean, shape (n_rows,); sum 1."""
    if weights is None:
        return np.full(n_rows, 1.0 / n_rows)
    # The largest weight first, so that neither huge nor tiny weights overflow the sum.
    scaled = weights / weights.max()
    return np.asarray(scaled / scaled.sum())


def differences_to(values: FloatArray, at: int) -> FloatArray:
    """Return the other columns minus that column (last axis), one column fewer."""
    others = np.delete(values, at, axis=-1)
    column = values[..., [at]]
    difference = others - column
    # Arms that agree but for rounding must not be told apart by their rounding.
    size = np.maximum(np.abs(others), np.abs(column))
    rounding = 8 * np.finfo(np.float64).eps * size
    return np.where(np.abs(difference) <= rounding, 0.0, difference)


def cluster_sums(values: FloatArray, clusters: NDArray[np.intp] | None) -> FloatArray:
    """Return sums over clusters, shape (n_clusters, d); without clusters the rows."""
    if clusters is None:
        return values
    n_rows = len(clusters)
    ones = np.ones(n_rows)
    member = sparse.csr_array((ones, (clusters, np.arange(n_rows))))
    return np.asarray(member @ values)


def sandwich(
    influence: FloatArray, clusters: NDArray[np.intp] | None
) -> tuple[FloatArray, int]:
    """Return the CRV1 covariance (d, d) of a mean influence, and the number of units.

    Units are clusters, or rows; the factor is G / (G - 1).
    """
    sums = cluster_sums(influence, clusters)
    n_units = len(sums)
    meat = sums.T @ sums / len(influence) ** 2
    return meat * n_units / (n_units - 1), n_units
