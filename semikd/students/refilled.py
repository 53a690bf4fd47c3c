"""A fitted tree with other values in its leaves, and without some of its splits."""

import copy
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.tree._tree import Tree

from semikd.simplex import FloatArray

__all__ = ["ended", "refilled"]

_LEAF, _NO_FEATURE = -1, -2


def ended(tree: Any, reached: Any, least: int) -> dict[int, tuple[int, int] | None]:
    """Return the tree without splits that leave too few on one side.

    A side that is too small is taken away, and the other stands in the place of the
    split, with all below it.

    Parameters
    ----------
    tree : Tree
        The ``tree_`` of a fitted tree.
    reached : sparse array of shape (units, nodes)
        Which rows, or clusters, reach each node.
    least : int
        Fewest on one side.

    Returns
    -------
    dict of int to pair of int, or None
        For each node that is left its children, and None for a leaf; the root, which
        may be another than before, stands first.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.refilled import ended
    >>> X = np.arange(4.0)[:, None]
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=3, random_state=0).fit(X, X[:, 0])
    >>> path = sparse.csc_array(tree.decision_path(np.array([[0.0], [1.0], [3.0]])))
    >>> ended(tree.tree_, path, 2)
    {1: None}
    """
    counts = np.diff(sparse.csc_array(reached).indptr)
    left, right = tree.children_left, tree.children_right
    found: dict[int, tuple[int, int] | None] = {}

    def settled(node: int) -> int:
        # What stands where this node stood.
        while left[node] != _LEAF:
            few = [counts[each] < least for each in (left[node], right[node])]
            if not any(few):
                break
            if all(few):
                return node
            node = int(right[node] if few[0] else left[node])
        return node

    ahead = [settled(0)]
    while ahead:
        node = ahead.pop(0)
        pair = (int(left[node]), int(right[node]))
        if left[node] == _LEAF or min(counts[list(pair)]) < least:
            found[node] = None
            continue
        both = settled(pair[0]), settled(pair[1])
        found[node] = both
        ahead.extend(both)
    # Nodes have larger numbers than those above them.
    return dict(sorted(found.items()))


def refilled(
    learner: Any, kept: dict[int, tuple[int, int] | None], value: FloatArray
) -> Any:
    """Return the tree of these nodes, with these values.

    Parameters
    ----------
    learner : DecisionTreeRegressor or ExtraTreeRegressor
        A fitted tree; it stays as it is.
    kept : dict of int to pair of int, or None
        Children of each node that is left, from `ended`.
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
    >>> kept = {0: (1, 2), 1: None, 2: None}
    >>> refilled(tree, kept, np.array([[5.0], [6.0], [7.0]])).predict(X)
    array([6., 6., 7., 7.])
    """
    other = copy.copy(learner)
    other.tree_ = _rebuilt(learner.tree_, kept, value)
    other.n_outputs_ = value.shape[1]
    return other


def _rebuilt(
    tree: Any, kept: dict[int, tuple[int, int] | None], value: FloatArray
) -> Any:
    """Return the structure of some nodes with other values."""
    nodes = tree.__getstate__()["nodes"][list(kept)].copy()
    place = {node: at for at, node in enumerate(kept)}
    depth = np.zeros(len(kept), dtype=int)
    for at, pair in enumerate(kept.values()):
        if pair is None:
            nodes["left_child"][at] = nodes["right_child"][at] = _LEAF
            nodes["feature"][at], nodes["threshold"][at] = _NO_FEATURE, _NO_FEATURE
            continue
        left, right = place[pair[0]], place[pair[1]]
        nodes["left_child"][at], nodes["right_child"][at] = left, right
        depth[[left, right]] = depth[at] + 1
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
