"""How much of the noise of its targets a student keeps.

The number of its coefficients says it of a linear student. A learner that searches, as
a tree does for its splits, follows the noise with every choice that it makes and keeps
several times what its leaves would. That is measured, by two fits to targets that
differ in nothing but noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.corrections import corrected_target
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray
from semikd.students import Student

__all__ = ["kept_noise", "noise_pair"]


def noise_pair(
    p: FloatArray,
    y: FloatArray,
    *,
    loss: DistillationLoss,
    keys: NDArray[np.uint64] | None = None,
    random_state: int = 0,
) -> tuple[FloatArray, FloatArray]:
    r"""Return targets of which half are corrected in full, and then the other half.

    .. math:: z_i = \varphi(\hat p_i) + b_i J_\varphi(\hat p_i)(y_i - \hat p_i), \quad
       z'_i = \varphi(\hat p_i) + (1 - b_i) J_\varphi(\hat p_i)(y_i - \hat p_i)

    with b 0 or 1 by the toss of a coin. What differs between the two is the noise of
    the real outcomes, all of it, and no probability leaves the simplex.

    Parameters
    ----------
    p : ndarray of shape (n, k)
        The teacher's answers.
    y : ndarray of shape (n, k)
        Outcomes.
    loss : DistillationLoss
        The scale.
    keys : ndarray of uint64 of shape (n,), optional
        Identity of each row, for instance ``row_hashes(X)``. Coins are then dealt in
        the order of keys, so that a permuted table has the same targets. Copies of a
        row, which come in the order of their outcomes, have a coin each: with one for
        all, what the teacher misses of their mean would pass for noise. By default
        coins are dealt by position.
    random_state : int, default=0
        Seed of the coin.

    Returns
    -------
    tuple of two ndarrays of shape (n, m)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.distillation import noise_pair
    >>> from semikd.losses import IdentityLoss
    >>> p, y = np.zeros((4, 1)), np.full((4, 1), 3.0)
    >>> first, second = noise_pair(p, y, loss=IdentityLoss(), random_state=1)
    >>> first[:, 0].tolist(), second[:, 0].tolist()
    ([0.0, 3.0, 3.0, 3.0], [3.0, 0.0, 0.0, 0.0])

    Rows that change places keep their targets:

    >>> keys, y = np.array([7, 2, 9, 4], dtype=np.uint64), np.arange(1.0, 5.0)[:, None]
    >>> first, _ = noise_pair(p, y, loss=IdentityLoss(), keys=keys)
    >>> turned, _ = noise_pair(p, y[::-1], loss=IdentityLoss(), keys=keys[::-1])
    >>> bool((first == turned[::-1]).all())
    True
    """
    heads = np.random.default_rng(random_state).integers(0, 2, size=(len(p), 1)) == 1
    if keys is not None:
        dealt = heads.copy()
        # Keys first, then outcomes; what is alike in all three is interchangeable.
        heads[np.lexsort((*p.T, *y.T, keys))] = dealt
    outcomes = np.where(heads, y, p), np.where(heads, p, y)
    return _taught(loss, p, outcomes[0]), _taught(loss, p, outcomes[1])


def kept_noise(
    student: Student,
    X: Any,
    first: FloatArray,
    second: FloatArray,
    *,
    loss: DistillationLoss,
    n_outcomes: int | None = None,
    sample_weight: FloatArray | None = None,
    **options: Any,
) -> float:
    r"""Return the share of the noise of targets that fitted scores keep.

    With d the difference of two targets, and g that of the fits to them,

    .. math:: \kappa = \frac{\min(\overline{\|g\|^2}, \overline{\langle g, d
       \rangle})}{\overline{\|d\|^2}}

    means over the rows of the fit above, below over those that have an outcome. For a
    projection both are, on average, the number of its coefficients over the rows; a
    fully grown tree keeps everything, 1. It is taken as at least what a constant keeps,
    1/n.

    Parameters
    ----------
    student : Student
        Unfitted; two copies are fitted, with the same seed.
    X : array-like of shape (n, d)
        Covariates.
    first, second : ndarrays of shape (n, m)
        Targets that differ in noise alone.
    loss : DistillationLoss
        The scale.
    n_outcomes : int, optional
        How many rows have an outcome, the first ones; by default all.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows.
    **options
        What else the student's fit takes.

    Returns
    -------
    float
        In [1/n, 1]; 1 where the targets do not differ.

    Notes
    -----
    The squares are the variance that noise gives to the fit, which is what a correction
    must weigh. They count as well that a search took other splits where several were
    nearly as good, which no smaller weight would spare. For a smoother whose
    eigenvalues are in [0, 1] squares are never above the products, so that what is
    above them is of that kind; averages of many trees are such smoothers, and keep
    less than the products say. The smaller of the two is a heuristic; what it is worth
    is in ``benchmarks/corrections.py``.

    References
    ----------
    .. [1] J. Ye, "On Measuring and Correcting the Effects of Data Mining and Model
       Selection", Journal of the American Statistical Association 93, 1998: degrees of
       freedom of what searches, by the products of fit and noise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.distillation import kept_noise
    >>> from semikd.losses import IdentityLoss
    >>> from semikd.students import as_student
    >>> rng = np.random.default_rng(0)
    >>> X, z = rng.uniform(size=(500, 3)), rng.normal(size=(2, 500, 1))
    >>> tree = as_student(DecisionTreeRegressor(max_leaf_nodes=8, random_state=0))
    >>> round(500 * kept_noise(tree, X, *z, loss=IdentityLoss()))
    35
    """
    scores = [
        student.copy()
        .fit_target(X, target, loss=loss, sample_weight=sample_weight, **options)
        .scores(X)
        for target in (first, second)
    ]
    # Slopes are differences of score and target, in the units of either.
    start = loss.gradient(scores[0], first)
    moved = loss.gradient(scores[1], first) - start
    noise = start - loss.gradient(scores[0], second)
    weights = np.ones(len(moved)) if sample_weight is None else sample_weight
    own = weights[:n_outcomes]
    total = np.average(_products(noise, noise)[:n_outcomes], weights=own)
    if total <= 0.0:
        return 1.0
    kept = min(
        np.average(_products(moved, other), weights=weights) for other in (moved, noise)
    )
    return float(np.clip(kept / total, 1.0 / len(moved), 1.0))


def _taught(loss: DistillationLoss, p: FloatArray, outcome: FloatArray) -> FloatArray:
    """Return what a student is fitted to where targets are corrected in full."""
    target = corrected_target(loss, p, outcome, np.ones(len(p)))
    return np.asarray(loss.with_labels(target, outcome))


def _products(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the inner product of each row with that of the other."""
    return np.asarray((np.asarray(a) * np.asarray(b)).sum(axis=1))
