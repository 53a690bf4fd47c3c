"""Forests of many sizes for the price of the largest: a small one is its beginning.

scikit-learn draws the seed of each tree in turn, so that a forest of n trees is the
first n trees of a larger one with the same seed, rows and settings. Students of all
sizes that learn the same targets are then fitted once.
"""

import copy
import hashlib
from collections import OrderedDict
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

__all__ = ["PrefixForest", "check_prefixes"]

# Fully grown forests of 40 trees on Adult take some 40 MB each.
_KEPT = 150
_known: OrderedDict[bytes, list[Any]] = OrderedDict()


class PrefixForest(RandomForestRegressor):
    """A forest whose trees are taken from the largest one with the same seed.

    ``largest`` is a class attribute and no parameter: clones and copies keep it.
    """

    largest = 40

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "PrefixForest":
        """Fit the largest forest once, and take its first trees."""
        if self.random_state is None or self.n_estimators > self.largest:
            return super().fit(X, y, sample_weight)
        key = self._key(X, y, sample_weight)
        n_trees = self.n_estimators
        if key not in _known:
            whole = copy.copy(self).set_params(n_estimators=self.largest)
            super(PrefixForest, whole).fit(X, y, sample_weight)
            _known[key] = [whole, whole.estimators_]
            while len(_known) > _KEPT:
                _known.popitem(last=False)
        _known.move_to_end(key)
        whole, trees = _known[key]
        self.__dict__.update(whole.__dict__)
        self.n_estimators, self.estimators_ = n_trees, trees[:n_trees]
        return self

    def _key(self, *arrays: Any) -> bytes:
        """Return what decides the trees: rows, targets, weights and settings."""
        settings = {**self.get_params(), "n_estimators": None}
        found = hashlib.blake2b(repr(sorted(settings.items())).encode())
        for each in arrays:
            array = np.ascontiguousarray(0.0 if each is None else each)
            found.update(f"{array.shape} {array.dtype}".encode() + array.tobytes())
        return found.digest()


def check_prefixes() -> None:
    """Refuse to go on where a small forest is not the beginning of a large one."""
    draws = np.random.default_rng(0)
    X, y = draws.normal(size=(60, 3)), draws.normal(size=60)
    plain = RandomForestRegressor(3, random_state=0).fit(X, y)
    taken = PrefixForest(3, random_state=0).fit(X, y)
    if not np.array_equal(plain.predict(X), taken.predict(X)):
        raise RuntimeError("a forest of 3 trees is not the beginning of one of 40")
