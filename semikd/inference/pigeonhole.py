"""Resampling of rows and refits at once, where both vary and neither is nested.

Notes
-----
Values have shape (n_refits, n, d): the same n test rows under every refit.
"""

import numpy as np
from numpy.typing import ArrayLike

from semikd._random import RandomState, generator, spawn_seeds
from semikd._validation import FloatArray, count, finite_array, invalid
from semikd.inference._inputs import checked_clusters
from semikd.inference.bootstrap import gaussian_draws
from semikd.inference.influence import cluster_sums


def crossed_bootstrap(
    table: ArrayLike,
    *,
    n_draws: int = 1000,
    clusters: ArrayLike | None = None,
    row_share: ArrayLike | None = None,
    random_state: RandomState = None,
) -> FloatArray:
    r"""Draws of the error of a mean over rows and refits, both resampled.

    Each draw multiplies the weight of row i by :math:`1 + \eta_i` and that of refit r
    by :math:`1 + \xi_r`, all normal and independent: the multiplier form of Owen's
    pigeonhole bootstrap.

    Parameters
    ----------
    table : array of shape (n_refits, n, d)
        Values, for instance differences of losses.
    n_draws : int, default=1000
        Number of draws.
    clusters : array of shape (n,), optional
        Cluster of each row; its rows share a multiplier.
    row_share : array of shape (n,), optional
        Share of each row in the mean over rows, summing to 1; default equal shares.
    random_state : int, generator or None
        Seed.

    Returns
    -------
    array of shape (n_draws, d)
        Draws. Their variance is that of row means plus that of refit means plus that of
        the interaction, so it is too wide by up to twice the interaction's part.

    Raises
    ------
    ValueError
        If a shape or a value cannot be used.

    Notes
    -----
    The refit part has only n_refits - 1 dimensions: with few refits the draws know too
    little of how arms move together to support max-T quantiles.

    References
    ----------
    .. [1] A. B. Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1, 2007,
       Section 3; the multiplier form is a reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import crossed_bootstrap
    >>> table = np.random.default_rng(0).normal(size=(5, 100, 1))
    >>> crossed_bootstrap(table, n_draws=10, random_state=0).shape
    (10, 1)
    """
    values = finite_array("table", table, shape=(None, None, None))
    n_refits, n_rows, n_columns = values.shape
    if values.size == 0:
        raise invalid("table", "hold a refit, a row and a column", values.shape)
    size = count("n_draws", n_draws)
    share = np.full(n_rows, 1 / n_rows)
    if row_share is not None:
        share = finite_array("row_share", row_share, shape=(n_rows,))
    groups = checked_clusters(clusters, n_rows)
    by_refit = np.einsum("i,rid->rd", share, values)
    centred = share[:, None] * (values - by_refit[:, None]) / n_refits
    flat = centred.transpose(1, 0, 2).reshape(n_rows, -1)
    row_seed, refit_seed = spawn_seeds(random_state, 2)
    by_row = gaussian_draws(cluster_sums(flat, groups), size, row_seed)
    by_row = by_row.reshape(size, n_refits, n_columns)
    xi = generator(refit_seed).standard_normal((size, n_refits))
    # Weights are normalised, so only deviations of the multipliers meet the rows.
    interaction = np.einsum("br,brd->bd", xi - xi.mean(axis=1, keepdims=True), by_row)
    refits = xi @ (by_refit - by_refit.mean(axis=0)) / n_refits
    return np.asarray(by_row.sum(axis=1) + refits + interaction)
