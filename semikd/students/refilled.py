"""A fitted tree with other values in its leaves, and without some of its splits."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.tree._tree import Tree

from semikd.simplex import FloatArray

__all__ = ["ended", "refilled"]

_LEAF, _NO_FEATURE = -1, -2
Nodes = NDArray[np.intp]


def ended(tree: Any, reached: Nodes, least: int) -> Nodes:
    """Return the nodes that are left where a split needs so many on either side.

    Parameters
    ----------
    tree : Tree
        The ``tree_`` of a fitted tree.
    reached : ndarray of int of shape (nodes,)
        How many rows, or clusters, reach each node.
    least : int
        A split that leaves fewer on one side is taken back, with all below it.

    Returns
    -------
    ndarray of int
        Numbers of the nodes that are left, in order.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.refilled import ended
    >>> X = np.arange(4.0)[:, None]
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=3, random_state=0).fit(X, X[:, 0])
    >>> ended(tree.tree_, np.array([5, 3, 2, 1, 2]), 2)
    array([0, 1, 2])
    """
    left, right = tree.children_left, tree.children_right
    kept = np.zeros(tree.node_count, dtype=bool)
    kept[0] = True
    # Children have larger numbers than their parents.
    for at in np.flatnonzero(left != _LEAF):
        pair = [left[at], right[at]]
        kept[pair] = kept[at] and reached[pair].min() >= least
    return np.flatnonzero(kept)


def refilled(learner: Any, nodes: Nodes, value: FloatArray) -> Any:
    """Return the tree of these nodes, with these values.

    Parameters
    ----------
    learner : DecisionTreeRegressor or ExtraTreeRegressor
        A fitted tree; it stays as it is.
    nodes : ndarray of int of shape (kept,)
        Numbers of the nodes to keep, in order: each with its parent, and with both
        children or neither.
    value : ndarray of shape (kept, m)
        What the new tree predicts where a row ends in each of them.

    Returns
    -------
    estimator
        Of the same class, with nodes numbered from 0 without gaps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.refilled import refilled
    >>> X = np.arange(4.0)[:, None]
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=3, random_state=0).fit(X, X[:, 0])
    >>> refilled(tree, np.arange(3), np.array([[5.0], [6.0], [7.0]])).predict(X)
    array([6., 6., 7., 7.])
    """
    other = copy.copy(learner)
    other.tree_ = _rebuilt(learner.tree_, nodes, value)
    other.n_outputs_ = value.shape[1]
    return other


def _rebuilt(tree: Any, kept: Nodes, value: FloatArray) -> Any:
    """Return the structure of some nodes with other values."""
    nodes = tree.__getstate__()["nodes"][kept].copy()
    place = np.full(tree.node_count, _LEAF)
    place[kept] = np.arange(len(kept))
    inner = nodes["left_child"] != _LEAF
    for side in ("left_child", "right_child"):
        nodes[side][inner] = place[nodes[side][inner]]
    ends = nodes["left_child"] == _LEAF
    nodes["feature"][ends], nodes["threshold"][ends] = _NO_FEATURE, float(_NO_FEATURE)
    depth = np.zeros(len(kept), dtype=int)
    for at in np.flatnonzero(~ends):
        depth[[nodes["left_child"][at], nodes["right_child"][at]]] = depth[at] + 1
    m = value.shape[1]
    smaller = Tree(tree.n_features, np.ones(m, dtype=np.intp), m)
    smaller.__setstate__(
        {
            "max_depth": int(depth.max()),
            "node_count": len(kept),
            "nodes": nodes,
            "values": np.ascontiguousarray(value[:, :, None], dtype=np.float64),
        }
    )
    return smaller
