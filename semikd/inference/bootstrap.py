"""The multiplier bootstrap, and the max-T quantiles that make intervals hold together.

Notes
-----
A multiplier bootstrap multiplies the influence of each independent unit by a random
factor of mean 0 and variance 1; no model is refitted. ψ has shape (n, d), units are
rows or clusters, and draws have shape (n_draws, d).
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState, generator
from semikd._validation import FloatArray, choose, count, finite_array, invalid
from semikd.inference._inputs import checked_clusters
from semikd.inference.estimating import matrix_power
from semikd.inference.influence import cluster_sums, sandwich

_GOLDEN = (1 + math.sqrt(5)) / 2
# Kind of multiplier: (value below, value above, probability of the value below).
_TWO_POINTS: dict[str, tuple[float, float, float] | None] = {
    "normal": None,
    "mammen": (1 - _GOLDEN, _GOLDEN, _GOLDEN / math.sqrt(5)),
    "rademacher": (-1.0, 1.0, 0.5),
}
# Multipliers held at a time: 2**22 of them are 48 MB with their uniform numbers.
_BLOCK_SIZE = 2**22


def multiplier_bootstrap(
    influence: ArrayLike,
    *,
    n_draws: int = 1000,
    clusters: ArrayLike | None = None,
    weights: str = "normal",
    random_state: RandomState = None,
    chunk_size: int | None = None,
) -> FloatArray:
    r"""Draws of the error of an estimate, by random multipliers of its influence.

    .. math:: \hat\theta^* - \hat\theta = \frac1n \sum_g \xi_g \sum_{i \in g} \psi_i

    Parameters
    ----------
    influence : array of shape (n, d)
        Influence ψ of each row.
    n_draws : int, default=1000
        Number of draws.
    clusters : array of shape (n,), optional
        Cluster of each row; rows of a cluster share their multiplier.
    weights : {'normal', 'mammen', 'rademacher'}, default='normal'
        Law of ξ. Given the data, the draws of 'normal' are exactly Gaussian with the
        covariance of the influence, and are drawn as such at a cost that does not grow
        with n times n_draws. 'mammen' also keeps the skewness; 'rademacher' the
        kurtosis.
    random_state : int, generator or None
        Seed.
    chunk_size : int, optional
        Units multiplied at a time; changes memory, not the draws (beyond rounding).

    Returns
    -------
    array of shape (n_draws, d)
        Draws; their covariance has no small-sample factor.

    Raises
    ------
    ValueError
        If a shape, a kind or a value cannot be used.

    Notes
    -----
    Valid when the estimate is asymptotically linear and units are many; the cost is
    n d² for 'normal' and n n_draws d for the others, in blocks of bounded memory.

    References
    ----------
    .. [1] V. Chernozhukov, D. Chetverikov and K. Kato, "Gaussian approximations and
       multiplier bootstrap for maxima of sums of high-dimensional random vectors",
       Annals of Statistics 41, 2013, Section 3.
    .. [2] E. Mammen, "Bootstrap and wild bootstrap for high dimensional linear models",
       Annals of Statistics 21, 1993.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import multiplier_bootstrap
    >>> psi = np.random.default_rng(0).normal(size=(400, 2))
    >>> draws = multiplier_bootstrap(psi, n_draws=2000, random_state=0)
    >>> draws.std(axis=0).round(2)
    array([0.05, 0.05])
    """
    psi = finite_array("influence", influence, shape=(None, None))
    n_rows = len(psi)
    if n_rows == 0:
        raise invalid("influence", "hold at least 1 row", 0)
    size = count("n_draws", n_draws)
    points = choose("weights", weights, _TWO_POINTS)
    sums = cluster_sums(psi, checked_clusters(clusters, n_rows)) / n_rows
    if points is None:
        return gaussian_draws(sums, size, random_state)
    default = max(1, _BLOCK_SIZE // size)
    chunk = default if chunk_size is None else count("chunk_size", chunk_size)
    return _two_point_draws(sums, size, points, random_state, chunk)


def drawn_sandwich(
    influence: FloatArray,
    clusters: NDArray[np.intp] | None,
    n_draws: int,
    random_state: RandomState,
) -> tuple[FloatArray, int, FloatArray]:
    """Return the CRV1 covariance, the number of units, and normal draws with it.

    Parameters
    ----------
    influence : ndarray of shape (n, d)
        Influence of each row.
    clusters : ndarray of int of shape (n,) or None
        Cluster of each row, numbered from 0 without gaps.
    n_draws : int
        Number of draws.
    random_state : int, generator or None
        Seed of the draws.

    Returns
    -------
    covariance : ndarray of shape (d, d)
    n_units : int
    draws : ndarray of shape (n_draws, d)
    """
    covariance, n_units = sandwich(influence, clusters)
    draws = multiplier_bootstrap(
        influence, n_draws=n_draws, clusters=clusters, random_state=random_state
    )
    return covariance, n_units, draws * np.sqrt(n_units / (n_units - 1))


def max_t_quantile(scores: ArrayLike, level: float, *, two_sided: bool = True) -> float:
    """Value that the largest of d standardised errors stays below, at that level.

    Parameters
    ----------
    scores : array of shape (n_draws, d)
        Draws of the errors, each divided by its standard error.
    level : float
        Probability with which all d errors are to stay below.
    two_sided : bool, default=True
        Whether the largest absolute value is meant.

    Returns
    -------
    float
        The quantile, in standard errors; with d = 1 the normal quantile. It is the
        ``ceil(level * (n_draws + 1))``-th smallest maximum, so that intervals and
        p-values of `max_t_p_values` never disagree.

    Raises
    ------
    ValueError
        If there are too few draws for the level.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import max_t_quantile
    >>> scores = np.random.default_rng(0).normal(size=(50_000, 5))
    >>> round(max_t_quantile(scores, 0.95), 1)
    2.6
    """
    maxima = _maxima(finite_array("scores", scores, shape=(None, None)), two_sided)
    rank = math.ceil(level * (len(maxima) + 1) - 1e-9)
    if rank > len(maxima):
        needed = math.ceil(level / (1 - level))
        remedy = f"Level {level:g} needs at least {needed} draws"
        raise invalid("n_draws", "be large enough for the level", len(maxima), remedy)
    return float(np.partition(maxima, rank - 1)[rank - 1])


def max_t_p_values(
    scores: ArrayLike, observed: ArrayLike, *, two_sided: bool = True
) -> FloatArray:
    """Single-step p-values adjusted by the law of the largest standardised error.

    Parameters
    ----------
    scores : array of shape (n_draws, d)
        Draws of the errors, each divided by its standard error.
    observed : array of shape (d,)
        Observed ratios on the same (normal) scale.
    two_sided : bool, default=True
        Whether absolute values are compared.

    Returns
    -------
    array of shape (d,)
        ``(1 + number of maxima at least as large) / (1 + n_draws)``: never zero.

    Raises
    ------
    ValueError
        If a score is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import max_t_p_values
    >>> max_t_p_values(np.array([[0.0, 1.0], [2.0, 0.5], [0.1, 0.2]]), [1.5, 0.0])
    array([0.5, 1. ])
    """
    maxima = np.sort(
        _maxima(finite_array("scores", scores, shape=(None, None)), two_sided)
    )
    values = np.asarray(observed, dtype=np.float64)
    below = np.searchsorted(
        maxima, np.abs(values) if two_sided else values, side="left"
    )
    return np.asarray((1.0 + len(maxima) - below) / (1.0 + len(maxima)))


def _maxima(scores: FloatArray, two_sided: bool) -> FloatArray:
    """Return the largest score of each draw, shape (n_draws,)."""
    return np.asarray((np.abs(scores) if two_sided else scores).max(axis=1))


def gaussian_draws(
    sums: FloatArray, n_draws: int, random_state: RandomState
) -> FloatArray:
    """Return normal draws with the covariance ``sums.T @ sums``, shape (n_draws, d)."""
    rng = generator(random_state)
    n_units, d = sums.shape
    if n_units <= d:
        return np.asarray(rng.standard_normal((n_draws, n_units)) @ sums)
    values, vectors = np.linalg.eigh(sums.T @ sums)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(rng.standard_normal((n_draws, d)) @ root.T)


def normal_draws(
    covariance: FloatArray, n_draws: int, random_state: RandomState
) -> FloatArray:
    """Return normal draws with a covariance, singular or of numbers of any size."""
    error = np.sqrt(np.diag(covariance))
    scale = np.where(error > 0, error, 1.0)
    root = matrix_power(covariance / np.outer(scale, scale), 0.5)
    return gaussian_draws(root * scale, n_draws, random_state)


def _two_point_draws(
    sums: FloatArray,
    n_draws: int,
    points: tuple[float, float, float],
    random_state: RandomState,
    chunk: int,
) -> FloatArray:
    """Return draws with two-valued multipliers, one chunk of units after the other.

    One stream fills unit after unit, so its numbers do not depend on the chunks.
    """
    below, above, p_below = points
    rng = generator(random_state)
    draws = np.zeros((sums.shape[1], n_draws))
    for start in range(0, len(sums), chunk):
        block = sums[start : start + chunk]
        uniform = rng.random((len(block), n_draws), dtype=np.float32)
        is_above = (uniform >= np.float32(p_below)).astype(np.float64)
        draws += block.T @ is_above
    return np.asarray(((above - below) * draws).T + below * sums.sum(axis=0))
