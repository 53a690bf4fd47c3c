"""The honest protocol over forests of all sizes, for the price of the largest.

A student of n trees is the first n trees of a larger one with the same seed, rows and
settings. A judge that asks for all sizes of one lesson in turn then fits it once.
"""

import copy
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from semikd._validation import Shown, invalid
from semikd.selection import Candidate
from semikd.selection.judging import Judge

__all__ = ["PathForest", "PathJudge", "forget_forests"]

# One for every fold, and as many for the fits that are under way.
_KEPT = 12
_known: OrderedDict[bytes, RandomForestRegressor] = OrderedDict()


class PathForest(RandomForestRegressor):
    """A forest whose trees are the first of the largest one that was fitted alike.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    largest : int
        Number of trees of the one that is fitted.
    max_features : float, int or str, default=1.0
        As in ``RandomForestRegressor``, like the next three.
    max_leaf_nodes : int, optional
        Most leaves of a tree.
    min_samples_leaf : int or float, default=1
        Fewest rows of a leaf.
    min_weight_fraction_leaf : float, default=0.0
        Least share of the weight in a leaf.
    random_state : int or None, default=None
        Seed; without one nothing is shared.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from semikd.reproduction.forests.paths import PathForest
    >>> X, y = np.arange(9.0)[:, None], np.arange(9.0) % 4
    >>> plain = RandomForestRegressor(3, random_state=0).fit(X, y)
    >>> path = PathForest(3, largest=5, random_state=0).fit(X, y)
    >>> np.array_equal(plain.predict(X), path.predict(X))
    True
    """

    def __init__(
        self,
        n_estimators: int,
        *,
        largest: int,
        max_features: Any = 1.0,
        max_leaf_nodes: int | None = None,
        min_samples_leaf: Any = 1,
        min_weight_fraction_leaf: float = 0.0,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            n_estimators,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            random_state=random_state,
        )
        self.largest = largest

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "PathForest":
        """Fit the largest forest, unless it is known, and take its first trees."""
        if self.n_estimators > self.largest:
            shown = Shown(f"{self.largest} for {self.n_estimators}")
            raise invalid("largest", "be at least n_estimators", shown)
        if self.random_state is None:
            super().fit(X, y, sample_weight)
            return self
        key = self._key(X, y, sample_weight)
        n_trees, whole = int(self.n_estimators), _known.get(key)
        if whole is None:
            whole = copy.copy(self).set_params(n_estimators=self.largest)
            super(PathForest, whole).fit(X, y, sample_weight)
            _known[key] = whole
            while len(_known) > _KEPT:
                _known.popitem(last=False)
        trees = whole.estimators_[:n_trees]
        self.__dict__.update(whole.__dict__)
        self.set_params(n_estimators=n_trees)
        self.estimators_ = trees
        return self

    def _key(self, *arrays: Any) -> bytes:
        """Return what decides the trees: rows, targets, weights and settings."""
        settings = {**self.get_params(), "n_estimators": None}
        found = hashlib.blake2b(repr(sorted(settings.items())).encode())
        for each in arrays:
            array = np.ascontiguousarray(0.0 if each is None else each)
            found.update(f"{array.shape} {array.dtype}".encode() + array.tobytes())
        return found.digest()


class PathJudge(Judge):
    """A judge that asks for the students of one lesson one after the other."""

    def judge(self, candidates: Sequence[Candidate]) -> None:
        """Judge candidates that were not judged before, those of one lesson together.

        Parameters
        ----------
        candidates : sequence of Candidate
            Candidates of any students.
        """
        super().judge(sorted(candidates, key=_but_the_student))

    def _together(self, candidates: Sequence[Candidate]) -> list[list[Candidate]]:
        """Return every candidate by itself, in this order: none is trained twice."""
        return [[each] for each in candidates]


def forget_forests() -> None:
    """Let go of the forests that are kept."""
    _known.clear()


def _but_the_student(candidate: Candidate) -> str:
    """Return what a candidate is apart from its student, in words."""
    return str(candidate).partition(": ")[2]
