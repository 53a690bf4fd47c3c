"""The way of rows down trees, in steps that take every row and every tree at once."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Descent", "float32_below"]

Indices = NDArray[np.intp]

# Rows times trees that go down together: it bounds the memory beside the answer.
_TOGETHER = 1 << 18
_LARGEST = float(np.finfo(np.float32).max)


def float32_below(threshold: NDArray[Any]) -> NDArray[np.float32]:
    r"""Return thresholds that divide float32 numbers as the given ones do.

    .. math:: x \le t \iff x \le \max\{s \in \mathbb{F}_{32} : s \le t\}
       \qquad (x \in \mathbb{F}_{32})

    Parameters
    ----------
    threshold : ndarray of float64
        Thresholds; infinity, by which a tree sends every number to the left, becomes
        the largest number.

    Returns
    -------
    ndarray of float32

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.artifact.descent import float32_below
    >>> float(float32_below(np.array([0.1]))[0]) <= 0.1 < float(np.float32(0.1))
    True
    """
    exact = np.clip(np.asarray(threshold, dtype=np.float64), -_LARGEST, _LARGEST)
    rounded = exact.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded.astype(np.float64) > exact, lower, rounded)


class Descent:
    """The nodes of several trees side by side, and the steps from their roots.

    Parameters
    ----------
    feature, threshold, left, right, missing_left : list of ndarray
        The arrays of each tree, children counted within it; -1 at leaves.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.artifact.descent import Descent
    >>> stump = [np.array([0, -1, -1]), np.zeros(3), np.array([1, -1, -1])]
    >>> stump += [np.array([2, -1, -1]), np.zeros(3, dtype=bool)]
    >>> descent = Descent(*([array] for array in stump))
    >>> descent.leaves(np.array([[-1.0], [1.0]], dtype=np.float32)).tolist()
    [[1], [2]]
    """

    def __init__(
        self,
        feature: list[NDArray[Any]],
        threshold: list[NDArray[Any]],
        left: list[NDArray[Any]],
        right: list[NDArray[Any]],
        missing_left: list[NDArray[Any]],
    ) -> None:
        sizes = [len(nodes) for nodes in feature]
        self.roots: Indices = np.cumsum([0, *sizes[:-1]])
        self.feature = np.concatenate(feature).astype(np.intp)
        self.threshold = np.concatenate(threshold).astype(np.float32)
        self.missing_left = np.concatenate(missing_left).astype(bool)
        self.any_missing_left = bool(self.missing_left.any())
        shift = np.repeat(self.roots, sizes)
        # The right child of node i stands at 2i and the left one at 2i + 1.
        child = np.stack([np.concatenate(right), np.concatenate(left)], axis=1)
        self.child = (child + shift[:, None]).astype(np.intp).ravel()

    def leaves(self, X: NDArray[np.float32]) -> Indices:
        """Return the leaf that each row reaches in each tree, shape (n, trees)."""
        n_trees = len(self.roots)
        found = np.empty((len(X), n_trees), dtype=np.intp)
        for rows in chunks(len(X), n_trees):
            found[rows] = self._walk(X[rows]).reshape(-1, n_trees)
        return found

    def _walk(self, X: NDArray[np.float32]) -> Indices:
        """Return the leaves of some rows, one row after the other."""
        n, width = X.shape
        values = X.ravel()
        node = np.tile(self.roots, n)
        walking = np.flatnonzero(self.feature[node] >= 0)
        at = node[walking]
        row = (walking // len(self.roots)) * width
        while at.size:
            split = self.feature.take(at)
            x = values.take(row + split)
            goes_left = x <= self.threshold.take(at)
            if self.any_missing_left:
                goes_left |= np.isnan(x) & self.missing_left.take(at)
            at = self.child.take(2 * at + goes_left)
            inner = self.feature.take(at) >= 0
            if not inner.all():
                node[walking] = at
                at, walking, row = at[inner], walking[inner], row[inner]
        return node


def chunks(n_rows: int, n_trees: int) -> Iterator[slice]:
    """Yield slices of rows that are few enough to go down together."""
    step = max(1, _TOGETHER // max(1, n_trees))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)
