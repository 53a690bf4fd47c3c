"""Trees on disk: what leaves and inner nodes need and nothing else, tree after tree."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.artifact.arrays import Arrays, compact_float, compact_integer

__all__ = ["MAX_NODES", "pack_trees", "unpack_trees"]

# Trees of more nodes, or with more numbers in their leaves, are no small model.
MAX_NODES = 1 << 23

# Children, splits, values of leaves and covers of leaves of one tree.
Parts: TypeAlias = tuple[
    tuple[NDArray[Any], NDArray[Any]],
    tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    NDArray[Any],
    NDArray[Any],
]


def pack_trees(trees: Sequence[Any]) -> Arrays:
    """Return the arrays of some trees, one tree after the other.

    No child is the root of its tree, so that 0 stands for no child. Children count
    within their tree; splits are those of inner nodes, values and covers of leaves.
    """

    def joined(name: str, inner: bool | None) -> NDArray[Any]:
        """Return one array of all trees, of inner nodes, leaves or both."""
        return np.concatenate(
            [
                getattr(tree, name)[slice(None) if inner is None else at]
                for tree in trees
                for at in [(tree.left >= 0) == inner]
            ]
        )

    return {
        "left": compact_integer(np.maximum(joined("left", None), 0)),
        "right": compact_integer(np.maximum(joined("right", None), 0)),
        "feature": compact_integer(joined("feature", True)),
        "threshold": joined("threshold", True).astype(np.float32),
        "missing_left": np.packbits(joined("missing_left", True)),
        "leaf_value": compact_float(joined("value", False)),
        "leaf_cover": joined("cover", False).astype(np.float32),
    }


def unpack_trees(
    arrays: Mapping[str, NDArray[Any]], sizes: NDArray[Any]
) -> list[Parts]:
    """Return the parts of each tree; ``ValueError`` if the lengths do not agree."""
    for name in ("left", "right", "leaf_value"):
        if arrays[name].size > MAX_NODES:
            constraint = f"hold at most {MAX_NODES:,} numbers"
            raise invalid(name, constraint, Shown(f"{arrays[name].size:,}"))
    sides = [_children(arrays[name]) for name in ("left", "right")]
    inner = sides[0] >= 0
    n_inner = int(inner.sum())
    lengths = {
        "right": len(inner),
        "feature": n_inner,
        "threshold": n_inner,
        "missing_left": -(-n_inner // 8),
        "leaf_value": len(inner) - n_inner,
        "leaf_cover": len(inner) - n_inner,
    }
    for name, length in lengths.items():
        if len(arrays[name]) != length:
            raise invalid(name, f"have {length} entries", len(arrays[name]))
    if (sizes < 1).any() or (sizes > len(inner)).any() or sizes.sum() != len(inner):
        constraint = f"be positive and sum to {len(inner)}"
        raise invalid("sizes", constraint, Shown("others"))
    missing_left = np.unpackbits(arrays["missing_left"], count=n_inner).astype(bool)
    nodes = np.concatenate([[0], np.cumsum(sizes)])
    splits = np.concatenate([[0], np.cumsum(inner)])[nodes]
    parts: list[Parts] = []
    for (a, b), (c, d) in zip(pairwise(nodes), pairwise(splits), strict=True):
        leaves = slice(a - c, b - d)
        parts.append(
            (
                (sides[0][a:b], sides[1][a:b]),
                (arrays["feature"][c:d], arrays["threshold"][c:d], missing_left[c:d]),
                arrays["leaf_value"][leaves].astype(np.float64),
                arrays["leaf_cover"][leaves].astype(np.float64),
            )
        )
    return parts


def _children(stored: NDArray[Any]) -> NDArray[np.intp]:
    """Return children with -1 where there is none."""
    children = stored.astype(np.intp)
    children[children == 0] = -1
    return children
