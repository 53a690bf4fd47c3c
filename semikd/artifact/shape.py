"""The shape of a tree: which children make one, and what its inner nodes then hold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.simplex import FloatArray

__all__ = ["levels", "means_of_leaves"]

# More levels than this are no small model.
_MAX_DEPTH = 10_000


def levels(left: NDArray[np.intp], right: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the nodes level by level, refusing children that make no tree.

    Each child has a larger number than its parent, so that no way is a circle; as many
    nodes are reached as there are, so that none has two parents.
    """
    nodes = np.arange(len(left))
    inner = left != -1
    if left.shape != right.shape:
        raise invalid("right", f"have {len(left)} entries", len(right))
    for side in (left, right):
        wrong = np.where(inner, (side <= nodes) | (side >= len(nodes)), side != -1)
        if wrong.any():
            at = int(wrong.argmax())
            constraint = f"be above {at} and below {len(nodes)}, or -1 for both"
            raise invalid(f"child of node {at}", constraint, int(side[at]))
    children = np.concatenate([left[inner], right[inner]])
    parents_of = np.bincount(children, minlength=len(nodes))
    if (parents_of[1:] != 1).any():
        constraint = "reach each node once from the root"
        raise invalid("children", constraint, Shown("another graph"))
    found = [np.zeros(1, dtype=np.intp)]
    while (parents := found[-1][left[found[-1]] >= 0]).size:
        if len(found) > _MAX_DEPTH:
            constraint = f"be at most {_MAX_DEPTH:,} levels deep"
            raise invalid("tree", constraint, Shown("more"))
        found.append(np.concatenate([left[parents], right[parents]]))
    return found


def means_of_leaves(
    steps: list[NDArray[np.intp]],
    children: tuple[NDArray[np.intp], NDArray[np.intp]],
    leaf_value: FloatArray,
    leaf_cover: NDArray[Any],
) -> tuple[FloatArray, NDArray[np.float32]]:
    """Return values and covers of all nodes from those of the leaves, bottom up."""
    left, right = children
    inner = left >= 0
    value = np.zeros((len(left), leaf_value.shape[1]))
    cover = np.zeros(len(left))
    value[~inner], cover[~inner] = leaf_value, leaf_cover
    for level in reversed(steps):
        at = level[inner[level]]
        a, b = left[at], right[at]
        cover[at] = cover[a] + cover[b]
        # Without any cover both children count alike.
        share = np.divide(
            cover[b], cover[at], out=np.full(len(at), 0.5), where=cover[at] > 0
        )[:, None]
        value[at] = (1.0 - share) * value[a] + share * value[b]
    return value, cover.astype(np.float32)
