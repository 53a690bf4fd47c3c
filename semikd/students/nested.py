"""Trees of many sizes for the price of the largest.

A tree that grows best-first opens its leaves in one order whatever its cap: the tree of
at most 16 leaves is the one of at most 128, stopped after 15 splits. scikit-learn
numbers nodes in the order of those splits, so that a smaller tree is a prefix.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.tree import DecisionTreeRegressor
from sklearn.tree._tree import Tree

__all__ = ["largest_of", "pruned"]

_CAP = "max_leaf_nodes"
_LEAF, _NO_FEATURE = -1, -2


def largest_of(
    learner: Any, settings: Sequence[Mapping[str, Any]]
) -> dict[int, list[int]] | None:
    """Return which settings are smaller trees of which, None if that is unknown.

    Parameters
    ----------
    learner : estimator
        The unfitted student.
    settings : sequence of mappings
        Parameters of each fit.

    Returns
    -------
    dict from int to list of int, or None
        By the position of the largest, the positions of all that are nested in it.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.nested import largest_of
    >>> settings = [{"max_leaf_nodes": n} for n in (4, 8, 2)]
    >>> largest_of(DecisionTreeRegressor(random_state=0), settings)
    {1: [0, 1, 2]}
    """
    seeded = isinstance(learner, DecisionTreeRegressor) and isinstance(
        learner.random_state, int | np.integer
    )
    if not seeded or type(learner) is not DecisionTreeRegressor or learner.ccp_alpha:
        return None
    own = learner.get_params()[_CAP]
    alike: dict[str, list[int]] = {}
    for at, setting in enumerate(settings):
        # A tree without a cap grows depth-first, and has no part in this.
        capped = setting.get(_CAP, own) is not None and setting.get("ccp_alpha") is None
        rest = sorted((k, v) for k, v in setting.items() if k != _CAP)
        alike.setdefault(repr(rest) if capped else f"alone {at}", []).append(at)
    return {
        max(members, key=lambda at: settings[at].get(_CAP, own) or 0): members
        for members in alike.values()
    }


def pruned(learner: DecisionTreeRegressor, n_leaves: int) -> DecisionTreeRegressor:
    """Return the tree that this one was when it had so many leaves.

    Parameters
    ----------
    learner : DecisionTreeRegressor
        A fitted tree that grew best-first.
    n_leaves : int
        The cap of the smaller tree, at least 2.

    Returns
    -------
    DecisionTreeRegressor
        What the same fit with ``max_leaf_nodes=n_leaves`` gives.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.students.nested import pruned
    >>> X = np.arange(8.0)[:, None]
    >>> large = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0).fit(X, X[:, 0])
    >>> int(pruned(large, 3).get_n_leaves())
    3
    """
    small = clone(learner).set_params(max_leaf_nodes=n_leaves)
    vars(small).update(
        {name: value for name, value in vars(learner).items() if name.endswith("_")}
    )
    small.tree_ = _prefix(learner.tree_, 2 * n_leaves - 1)
    return small


def _prefix(tree: Any, n_nodes: int) -> Any:
    """Return the tree of the first nodes; those with later children become leaves."""
    state = tree.__getstate__()
    n_nodes = min(n_nodes, tree.node_count)
    nodes = state["nodes"][:n_nodes].copy()
    ended = nodes["left_child"] >= n_nodes
    for name, value in (
        ("left_child", _LEAF),
        ("right_child", _LEAF),
        ("feature", _NO_FEATURE),
        ("threshold", float(_NO_FEATURE)),
    ):
        nodes[name][ended] = value
    depth = np.zeros(n_nodes, dtype=int)
    for at in np.flatnonzero(nodes["left_child"] != _LEAF):
        depth[[nodes["left_child"][at], nodes["right_child"][at]]] = depth[at] + 1
    smaller = Tree(tree.n_features, np.asarray(tree.n_classes), tree.n_outputs)
    values = state["values"][:n_nodes].copy()
    smaller.__setstate__(
        {
            "max_depth": int(depth.max()),
            "node_count": n_nodes,
            "nodes": nodes,
            "values": values,
        }
    )
    return smaller
