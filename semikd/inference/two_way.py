"""Variance of a mean over two crossed samples, from one table of their values.

Notes
-----
Values have shape (R, n, d): R refits, n rows (in G clusters), d differences.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray
from semikd.inference.influence import cluster_sums


@dataclass(frozen=True, eq=False)
class TwoWayParts:
    """Variances (d,) of the mean from refits, from rows, and from their interaction."""

    refit: FloatArray
    row: FloatArray
    interaction: FloatArray
    covariance: FloatArray
    share: FloatArray


def two_way_parts(
    values: FloatArray,
    shares: FloatArray,
    groups: NDArray[np.intp] | None,
    rounding: float = 0.0,
) -> TwoWayParts:
    """Return the parts of the variance of the mean over refits and weighted rows.

    Refit means and row means both carry the interaction. It is taken off the rows,
    whose variance is well known, and left to the refits: not where their means agree
    but for rounding, as equal numbers of errors do, and have none of it.
    """
    n_refits, n_rows, d = values.shape
    by_refit = np.einsum("i,rid->rd", shares, values)
    centred = shares[:, None] * (values - by_refit[:, None])
    flat = centred.transpose(1, 0, 2).reshape(n_rows, n_refits * d)
    sums = cluster_sums(flat, groups).reshape(-1, n_refits, d)
    by_row = sums.mean(axis=1)
    rest = (sums - by_row[:, None]) / n_refits
    deviation = (by_refit - by_refit.mean(axis=0)) / n_refits
    row_factor = len(sums) / (len(sums) - 1)
    refit_factor = n_refits / (n_refits - 1)
    refit = refit_factor * (deviation**2).sum(axis=0)
    row = row_factor * (by_row**2).sum(axis=0)
    interaction = row_factor * refit_factor * (rest**2).sum(axis=(0, 1))
    equal = np.sqrt(refit) <= rounding
    of_rows = np.where(equal, np.maximum(row, interaction), row - interaction)
    split = np.stack([refit, np.maximum(of_rows, 0.0)], axis=1)
    variance = split.sum(axis=1)
    together = refit_factor * deviation.T @ deviation + row_factor * by_row.T @ by_row
    left = (rest * equal).reshape(-1, d)
    together += row_factor * refit_factor * left.T @ left
    # The correlations of a sum of covariances: a difference may have none.
    scale = safe_ratio(np.sqrt(variance), np.sqrt(np.diag(together)), 0.0)
    return TwoWayParts(
        refit=refit,
        row=row,
        interaction=interaction,
        covariance=together * np.outer(scale, scale),
        share=safe_ratio(split, variance[:, None], 0.5),
    )


def safe_ratio(above: FloatArray, below: FloatArray, otherwise: float) -> FloatArray:
    """Return above / below, and a fixed value where below is zero."""
    filled = np.full(np.broadcast_shapes(above.shape, below.shape), otherwise)
    positive = np.broadcast_to(below > 0, filled.shape)
    return np.asarray(np.divide(above, below, out=filled, where=positive))
