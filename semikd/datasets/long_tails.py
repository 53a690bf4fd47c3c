"""Training rows in which few classes are frequent and most are rare."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState, generator
from semikd._validation import Shown, count, invalid, number

__all__ = ["long_tailed_counts", "long_tailed_rows"]


def long_tailed_counts(
    n_largest: int, n_classes: int, ratio: float = 100.0
) -> NDArray[np.intp]:
    r"""Return the rows of each class of an exponential long tail, shape (k,).

    .. math:: n_j = \lfloor n_0\,\rho^{-j / (k - 1)} \rfloor, \qquad j = 0, \dots, k - 1

    Parameters
    ----------
    n_largest : int
        Rows of the most frequent class.
    n_classes : int
        Classes k, at least 2.
    ratio : float, default=100.0
        :math:`\rho`, rows of the most frequent over those of the rarest class, at
        least 1.

    Returns
    -------
    ndarray of int of shape (k,)
        From the most frequent to the rarest, each at least 1.

    Raises
    ------
    ValueError
        If a number is out of its range.

    References
    ----------
    .. [1] K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning imbalanced
       datasets with label-distribution-aware margin loss", NeurIPS 2019: CIFAR-100-LT
       has 10,847 rows at ratio 100.

    Examples
    --------
    >>> from semikd.datasets import long_tailed_counts
    >>> int(long_tailed_counts(500, 100, 100).sum())
    10847
    """
    largest, k = count("n_largest", n_largest), count("n_classes", n_classes, low=2)
    rho = number("ratio", ratio, low=1.0)
    # A power that is a whole number but for rounding is that number.
    exact = largest * rho ** (-np.arange(k) / (k - 1)) + 1e-9
    return np.maximum(np.floor(exact), 1.0).astype(np.intp)


def long_tailed_rows(
    y: ArrayLike,
    ratio: float = 100.0,
    *,
    order: ArrayLike | None = None,
    random_state: RandomState = None,
) -> NDArray[np.intp]:
    """Return rows of a table whose classes then have an exponential long tail.

    Parameters
    ----------
    y : array-like of shape (n,)
        Class labels.
    ratio : float, default=100.0
        Rows of the most frequent over those of the rarest class.
    order : array-like of shape (k,), optional
        The classes from the most frequent to the rarest; by default as they sort.
    random_state : int, generator or None
        Seed of the draw.

    Returns
    -------
    ndarray of int
        Positions, in their order. The largest class is so large that no class is
        asked for more rows than it has: where the classes of y are equally frequent
        it keeps all its rows.

    Raises
    ------
    ValueError
        If ``order`` does not name every class once, or a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.datasets import long_tailed_rows
    >>> y = np.repeat(["a", "b", "c"], 100)
    >>> np.unique(y[long_tailed_rows(y, 4, random_state=0)], return_counts=True)[1]
    array([100,  50,  25])
    """
    names, codes = _numbered(y)
    asked = names if order is None else np.asarray(order)
    if sorted(asked.tolist()) != names.tolist():
        shown = Shown(f"{len(asked)} names for {len(names)} classes")
        raise invalid("order", "name every class once", shown)
    place = {name: at for at, name in enumerate(names.tolist())}
    own = [np.flatnonzero(codes == place[name]) for name in asked.tolist()]
    shares = long_tailed_counts(10**9, len(own), ratio) / 10**9
    largest = min(len(rows) / share for rows, share in zip(own, shares, strict=True))
    wanted = long_tailed_counts(max(int(largest + 1e-6), 1), len(own), ratio)
    rng = generator(random_state)
    kept = [
        rng.choice(rows, min(n, len(rows)), replace=False)
        for rows, n in zip(own, wanted.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(kept))


def _numbered(y: ArrayLike) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the classes, and the position of each row's, at least two."""
    labels = np.asarray(y)
    missing = [each for each in labels.tolist() if each is None or each != each]  # noqa: PLR0124
    if missing:
        raise invalid("y", "name a class for every row", missing[0])
    names, codes = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        raise invalid("y", "have at least two classes", Shown(f"{len(names)}"))
    return names, codes.ravel()
