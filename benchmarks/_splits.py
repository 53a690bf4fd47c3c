"""Splits of real tables that several studies share: the same rows in each of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from _harness import FloatArray
from numpy.typing import NDArray

WEEK, TEST = 336, 0.3


@dataclass(frozen=True)
class Part:
    """One split: tables of the library, and the two halves of the test rows."""

    name: str
    split: int
    train: Any
    test: Any
    halves: tuple[NDArray[np.bool_], ...]

    @property
    def ratio(self) -> float:
        """Test over training rows."""
        return len(self.test.y) / len(self.train.y)


def drawn(
    name: str, limit: int
) -> tuple[FloatArray, NDArray[np.intp], NDArray[np.intp] | None]:
    """Return rows drawn at random, in the order of the source, with their weeks."""
    from semikd.datasets import load_dataset

    data = load_dataset(name)
    X, y = data.numeric(), np.unique(data.y, return_inverse=True)[1]
    rows = np.sort(np.random.default_rng(0).permutation(len(y))[:limit])
    weeks = rows // WEEK if name == "electricity" else None
    return X[rows], y[rows], weeks


def divided(name: str, limit: int, seed: int) -> Part:
    """Return one split, copies and weeks undivided, gaps at the training mean."""
    from semikd.crossfit import content_split
    from semikd.evaluation import Table

    X, y, weeks = drawn(name, limit)
    held = content_split(X, fraction=TEST, random_state=seed, groups=weeks, strata=y)
    gaps = np.nan_to_num(np.nanmean(X[~held], axis=0))
    X = np.where(np.isnan(X), gaps, X)
    tables = []
    for rows in (np.flatnonzero(~held), np.flatnonzero(held)):
        own = None if weeks is None else weeks[rows]
        tables.append(Table(X[rows], y[rows], None, own, classes=np.unique(y)))
    train, test = tables
    half = content_split(
        test.X, fraction=0.5, random_state=seed, groups=test.groups, strata=test.y
    )
    return Part(name, seed, train, test, (half, ~half))
