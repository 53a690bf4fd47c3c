"""Long-tailed tables: few rows of most classes to learn from, many of each to judge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from _cells import FloatArray
from numpy.typing import NDArray

RATIO, SMALL_RATIO, TEST = 100.0, 10.0, 0.3
LARGEST = {"mnist": 1000}


@dataclass(frozen=True)
class Tail:
    """Training rows with a long tail, test rows without, classes by frequency."""

    X: FloatArray
    y: NDArray[np.intp]
    X_test: FloatArray
    y_test: NDArray[np.intp]
    order: NDArray[np.intp]
    # Test over training rows of the pool from which both are drawn; 0 for fixed tests.
    overlap: float


def drawn_tail(name: str, seed: int) -> Tail:
    """Return the rows of one seed."""
    from semikd.datasets import load_dataset, long_tailed_rows

    rng, data = np.random.default_rng(seed), load_dataset(name)
    X, y = _columns(data), np.unique(data.y, return_inverse=True)[1]
    train, test, overlap = _parts(data, X, y, seed)
    order = rng.permutation(np.unique(y))
    if name in LARGEST:
        train = train[_of_each(y[train], LARGEST[name], rng)]
    ratio = SMALL_RATIO if name == "digits" else RATIO
    some = long_tailed_rows(y[train], ratio, order=order, random_state=seed)
    rows = train[some]
    return Tail(X[rows], y[rows], X[test], y[test], order, overlap)


def _columns(data: Any) -> FloatArray:
    """Return a table as numbers, images with channels first and between 0 and 1."""
    if data.X.ndim == 2:
        return np.asarray(data.numeric())
    images = data.X.astype(np.float32) / 255.0
    if images.ndim == 4:
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return images.reshape(len(images), -1).astype(np.float64)


def _parts(
    data: Any, X: FloatArray, y: NDArray[np.intp], seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], float]:
    """Return rows to draw from, rows that judge, and how far seeds overlap."""
    if "train_index" in data.extra:
        return data.extra["train_index"], data.extra["test_index"], 0.0
    from semikd.crossfit import content_split

    held = content_split(X, fraction=TEST, random_state=seed, strata=y)
    return np.flatnonzero(~held), np.flatnonzero(held), TEST / (1.0 - TEST)


def _of_each(y: NDArray[np.intp], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return positions of so many rows of each class."""
    own = [np.flatnonzero(y == label) for label in np.unique(y)]
    return np.sort(np.concatenate([rng.permutation(rows)[:n] for rows in own]))
