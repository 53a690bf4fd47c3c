"""Several trees whose mean is the score: forests, and trees that share the scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted, invalid
from semikd.artifact.arrays import Arrays, StudentArrays, compact_integer, float_rows
from semikd.artifact.descent import Descent, chunks
from semikd.artifact.packing import pack_trees, unpack_trees
from semikd.artifact.trees import TreeArrays, descent
from semikd.simplex import FloatArray

__all__ = ["ForestArrays"]

_MAX_TREES = 10_000
# Levels of all trees together: each is a step when a file is checked, however small.
_MAX_LEVELS = 1 << 19


@dataclass(frozen=True, eq=False)
class ForestArrays(StudentArrays):
    r"""Trees that are averaged.

    .. math:: f_j(x) = \frac1{|T_j|} \sum_{t \in T_j} f_{tj}(x)

    Parameters
    ----------
    trees : tuple of TreeArrays
        The trees, all for the same columns.
    output : tuple of int or None, default=None
        The one score that each tree answers for; by default every tree answers for
        all of them, as those of a forest do.

    Raises
    ------
    ValueError
        If there is no tree, the trees do not fit together or are very deep, or a score
        has no tree.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from semikd.artifact.shipping import student_arrays
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> forest = RandomForestRegressor(3, random_state=0).fit(X, [0.0, 1.0, 1.0])
    >>> shipped = student_arrays(forest)
    >>> len(shipped.trees), bool((shipped.scores(X)[:, 0] == forest.predict(X)).all())
    (3, True)
    """

    trees: tuple[TreeArrays, ...]
    output: tuple[int, ...] | None = None
    kind: ClassVar[str] = "forest"

    def __post_init__(self) -> None:
        if not 1 <= len(self.trees) <= _MAX_TREES:
            constraint = f"have between 1 and {_MAX_TREES:,} trees"
            raise invalid("forest", constraint, len(self.trees))
        shapes = {(tree.n_features, tree.n_outputs) for tree in self.trees}
        if len(shapes) > 1:
            shown = Shown(str(sorted(shapes)))
            raise invalid("trees", "agree in columns and scores", shown)
        _check_levels(sum(tree.depth for tree in self.trees))
        if self.output is None:
            return
        named = sorted(set(self.output))
        single = self.trees[0].n_outputs == 1
        if len(self.output) != len(self.trees) or named != list(range(len(named))):
            trees = counted(len(self.trees), "tree")
            constraint = f"name one score for each of {trees}"
            raise invalid("output", constraint, self.output)
        if not single:
            raise invalid("trees", "have one score each where output is given", shapes)

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Number of columns d."""
        return self.trees[0].n_features

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Number of scores m."""
        return self.trees[0].n_outputs if self.output is None else max(self.output) + 1

    @property
    def n_leaves(self) -> int:
        """Leaves over all trees."""
        return sum(tree.n_leaves for tree in self.trees)

    @property
    def bare_bytes(self) -> int:
        """Bytes of the bare arrays of all trees: (20 + 8 m) for each node."""
        return sum(tree.bare_bytes for tree in self.trees)

    @cached_property
    def _walk(self) -> tuple[Descent, FloatArray]:
        """The nodes of all trees side by side, and their values."""
        return descent(self.trees), np.concatenate([tree.value for tree in self.trees])

    def scores(self, features: Any) -> FloatArray:
        """Return the mean over trees of the leaf values, shape (n, m)."""
        rows = float_rows(features, self.n_features, np.float32)
        walk, value = self._walk
        found = np.empty((len(rows), self.n_outputs))
        for part in chunks(len(rows), value.shape[1] * len(self.trees)):
            found[part] = self._mean(value[walk.leaves(rows[part])])
        return found

    def _mean(self, values: FloatArray) -> FloatArray:
        """Return the mean over the trees of each score; values are (n, trees, .)."""
        if self.output is None:
            return np.asarray(values.sum(axis=1) / len(self.trees))
        output = np.array(self.output)
        columns = [
            values[:, output == j, 0].sum(axis=1) / (output == j).sum()
            for j in range(self.n_outputs)
        ]
        return np.stack(columns, axis=1)

    def describe(self) -> dict[str, Any]:
        """Return trees, leaves, nodes and the largest depth."""
        return {
            "trees": len(self.trees),
            "leaves": self.n_leaves,
            "nodes": sum(len(tree.feature) for tree in self.trees),
            "depth": max(tree.depth for tree in self.trees),
        }

    def to_arrays(self) -> Arrays:
        """Return the trees one after the other, and their sizes in nodes."""
        sizes = np.array([len(tree.feature) for tree in self.trees])
        arrays = pack_trees(self.trees) | {"sizes": compact_integer(sizes)}
        if self.output is not None:
            arrays["output"] = compact_integer(np.array(self.output))
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """Return the forest of saved arrays; ``ValueError`` if they make none."""
        sizes = arrays["sizes"].astype(np.int64)
        if len(sizes) > _MAX_TREES:
            raise invalid("sizes", f"have at most {_MAX_TREES:,} entries", len(sizes))
        parts = unpack_trees(arrays, sizes)
        trees: list[TreeArrays] = []
        n_levels = 0
        for part in parts:
            trees.append(TreeArrays.of_leaves(*part, n_features))
            n_levels += trees[-1].depth
            _check_levels(n_levels)
        output = arrays.get("output")
        named = None if output is None else tuple(int(j) for j in output)
        return cls(tuple(trees), named)


def _check_levels(n_levels: int) -> None:
    """Refuse trees that together are deeper than those of any small model."""
    if n_levels > _MAX_LEVELS:
        constraint = f"have at most {_MAX_LEVELS:,} levels together"
        raise invalid("trees", constraint, Shown("more"))
