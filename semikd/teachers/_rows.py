"""The rows that a teacher learns from, so that neither order nor copies matter."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import validate_data

from semikd._tables import refuse_equal_names
from semikd.crossfit import hash_values, row_hashes
from semikd.simplex import FloatArray

__all__ = ["checked_rows", "distinct_rows"]


def distinct_rows(
    X: Any, y: NDArray[Any], weights: FloatArray | None
) -> tuple[NDArray[np.intp], FloatArray]:
    """Return each distinct row and outcome once, in an order of content, and weights.

    Sums of floats, and quantiles, then agree to the last bit for a permuted table, a
    repeated row and a weight of 2.
    """
    kept = np.arange(len(y)) if weights is None else np.flatnonzero(weights > 0)
    keys = np.stack([row_hashes(X), hash_values(y)], axis=1)[kept]
    _, first, unit = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    counted = None if weights is None else weights[kept]
    return kept[first], np.bincount(unit.ravel(), counted).astype(np.float64)


def checked_rows(teacher: Any, X: Any, y: ArrayLike) -> tuple[Any, NDArray[Any]]:
    """Return a frame as it came, anything else as an array, and labels to match."""
    refuse_equal_names(X)
    if hasattr(X, "columns"):
        validate_data(teacher, X, skip_check_array=True)
        labels = column_or_1d(y, warn=True)
        check_consistent_length(X, labels)
        return X, np.asarray(labels)
    X, labels = validate_data(teacher, X, y, ensure_all_finite="allow-nan")
    return X, np.asarray(labels)
