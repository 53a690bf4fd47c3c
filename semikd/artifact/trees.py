"""A tree as arrays, so that it can be shipped, drawn and walked without scikit-learn.

Nothing is built from children that do not form one tree, whoever wrote them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.artifact.arrays import (
    Arrays,
    StudentArrays,
    check_finite,
    float_rows,
)
from semikd.artifact.descent import Descent, Indices
from semikd.artifact.packing import MAX_NODES, pack_trees, unpack_trees
from semikd.artifact.shape import levels, means_of_leaves
from semikd.simplex import FloatArray

__all__ = ["TreeArrays", "descent"]


@dataclass(frozen=True, eq=False)
class TreeArrays(StudentArrays):
    r"""A binary tree of axis-parallel splits, node by node; node 0 is the root.

    A row goes left at a node where :math:`x_{\text{feature}} \le \text{threshold}`, or
    where the number is missing and ``missing_left`` says so.

    Parameters
    ----------
    feature : ndarray of int of shape (nodes,)
        Column that each node asks for; -1 at leaves.
    threshold : ndarray of float32 of shape (nodes,)
        What the column is compared with, as float32; 0 at leaves.
    left, right : ndarray of int of shape (nodes,)
        Children, each with a larger number than its parent; -1 at leaves.
    missing_left : ndarray of bool of shape (nodes,)
        Whether a missing number goes left.
    value : ndarray of float64 of shape (nodes, m)
        Scores; those of an inner node are the mean over its leaves, weighted by cover.
    cover : ndarray of float32 of shape (nodes,)
        Share of the training weight that reaches the node; 1 at the root.
    n_features : int
        Number of columns d.

    Raises
    ------
    ValueError
        If the arrays differ in length, the children do not make one tree, or a column
        or number is out of range.

    Notes
    -----
    scikit-learn compares float32 columns with float64 thresholds. Rounding those down
    to float32 sends every row the same way.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.artifact.shipping import student_arrays
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> tree = student_arrays(DecisionTreeRegressor().fit(X, [0.0, 1.0, 1.0]))
    >>> tree.n_leaves, tree.threshold[0], tree.apply(X).tolist()
    (2, np.float32(0.5), [1, 2, 2])
    """

    feature: NDArray[np.intp]
    threshold: NDArray[np.float32]
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    missing_left: NDArray[np.bool_]
    value: FloatArray
    cover: NDArray[np.float32]
    n_features: int
    kind: ClassVar[str] = "tree"

    def __post_init__(self) -> None:
        n_nodes = len(self.feature)
        if not 1 <= n_nodes <= MAX_NODES or n_nodes % 2 == 0:
            constraint = f"have an odd number of nodes, at most {MAX_NODES:,}"
            raise invalid("tree", constraint, n_nodes)
        for name in ("threshold", "left", "right", "missing_left", "value", "cover"):
            if len(getattr(self, name)) != n_nodes:
                shown = len(getattr(self, name))
                raise invalid(
                    name, f"have one entry for each of {n_nodes} nodes", shown
                )
        levels(self.left, self.right)
        self._check_numbers()

    def _check_numbers(self) -> None:
        """Refuse columns that the table has not, and numbers that are none."""
        inner = self.feature[self.left >= 0]
        leaf = self.feature[self.left < 0]
        if ((inner < 0) | (inner >= self.n_features)).any() or (leaf != -1).any():
            constraint = f"name columns between 0 and {self.n_features - 1}"
            raise invalid("feature", constraint, Shown("another"))
        check_finite("threshold", self.threshold)
        check_finite("value", self.value)
        check_finite("cover", self.cover, limit=1.01)
        if self.value.ndim != 2 or not self.value.shape[1] or (self.cover < 0).any():
            constraint = "have scores and covers that are not negative"
            raise invalid("tree", constraint, Shown("others"))

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return int((self.left < 0).sum())

    @cached_property
    def depth(self) -> int:
        """Number of questions on the longest way; 0 for a single leaf."""
        return len(levels(self.left, self.right)) - 1

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Number of scores m."""
        return int(self.value.shape[1])

    @property
    def bare_bytes(self) -> int:
        """Bytes of int32 column and children and float64 threshold and value, a node.

        That is (20 + 8 m) for each node, inner or leaf.
        """
        return len(self.feature) * (4 + 8 + 4 + 4 + 8 * self.n_outputs)

    @cached_property
    def _descent(self) -> Descent:
        """The nodes in the form in which rows walk them."""
        return descent([self])

    def apply(self, features: Any) -> Indices:
        """Return the leaf that each row reaches, shape (n,)."""
        rows = float_rows(features, self.n_features, np.float32)
        return self._descent.leaves(rows)[:, 0]

    def scores(self, features: Any) -> FloatArray:
        """Return the value of the leaf of each row, shape (n, m)."""
        return self.value[self.apply(features)]

    def describe(self) -> dict[str, Any]:
        """Return leaves, nodes and depth."""
        nodes = {"nodes": len(self.feature), "depth": self.depth}
        return {"leaves": self.n_leaves, **nodes}

    def to_arrays(self) -> Arrays:
        """Return the splits of inner nodes and the values of leaves."""
        return pack_trees([self])

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """Return the tree of saved arrays; ``ValueError`` if they make none."""
        n_nodes = len(arrays["left"])
        (parts,) = unpack_trees(arrays, np.array([n_nodes]))
        return cls.of_leaves(*parts, n_features)

    @classmethod
    def of_leaves(
        cls,
        children: tuple[NDArray[Any], NDArray[Any]],
        splits: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
        leaf_value: FloatArray,
        leaf_cover: NDArray[Any],
        n_features: int,
    ) -> Self:
        """Return the tree with these splits at inner nodes and values at leaves.

        Parameters
        ----------
        children : tuple of two ndarray of shape (nodes,)
            Left and right children, -1 at leaves.
        splits : tuple of three ndarray of shape (inner nodes,)
            Column, threshold and whether missing numbers go left.
        leaf_value : ndarray of shape (leaves, m)
            Scores of the leaves.
        leaf_cover : ndarray of shape (leaves,)
            Share of the training weight in each leaf.
        n_features : int
            Number of columns.

        Returns
        -------
        TreeArrays
        """
        left, right = (np.asarray(side, dtype=np.intp) for side in children)
        steps = levels(left, right)
        inner = left >= 0
        n_inner, n_leaves = int(inner.sum()), int((~inner).sum())
        if {len(part) for part in splits} != {n_inner}:
            lengths = Shown(str([len(part) for part in splits]))
            raise invalid("splits", f"have {n_inner} entries", lengths)
        if not len(leaf_value) == len(leaf_cover) == n_leaves:
            lengths = Shown(f"{len(leaf_value)} and {len(leaf_cover)}")
            raise invalid("leaf_value and leaf_cover", f"have {n_leaves} rows", lengths)
        check_finite("leaf_value", leaf_value)
        check_finite("leaf_cover", leaf_cover, limit=1.0)
        feature = np.full(len(left), -1, dtype=np.intp)
        threshold = np.zeros(len(left), dtype=np.float32)
        missing_left = np.zeros(len(left), dtype=bool)
        feature[inner], threshold[inner], missing_left[inner] = splits
        value, cover = means_of_leaves(steps, (left, right), leaf_value, leaf_cover)
        return cls(
            feature, threshold, left, right, missing_left, value, cover, n_features
        )


def descent(trees: Sequence[TreeArrays]) -> Descent:
    """Return the nodes of several trees in the form in which rows walk them."""
    return Descent(
        [tree.feature for tree in trees],
        [tree.threshold for tree in trees],
        [tree.left for tree in trees],
        [tree.right for tree in trees],
        [tree.missing_left for tree in trees],
    )
