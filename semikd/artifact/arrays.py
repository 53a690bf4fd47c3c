"""What every shipped student is: plain arrays, checked before anything uses them."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._files.npz import Arrays
from semikd._validation import Shown, invalid
from semikd.simplex import FloatArray

__all__ = [
    "Arrays",
    "StudentArrays",
    "check_finite",
    "compact_float",
    "compact_integer",
    "float_rows",
]

# Beyond this, sums of numbers or a softmax could leave the range of float64.
LARGEST_SCORE = 1e300


class StudentArrays(ABC):
    """A student as arrays: it answers with scores and can be written down.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.artifact import LinearArrays, StudentArrays
    >>> student = LinearArrays(np.array([[2.0]]), np.array([1.0]))
    >>> isinstance(student, StudentArrays), student.scores([[3.0]])
    (True, array([[7.]]))
    """

    kind: ClassVar[str]
    """The word by which a file names the student."""

    n_features: int
    """Number of columns d of the encoded table."""

    n_outputs: int
    """Number of scores m of each row."""

    @property
    @abstractmethod
    def bare_bytes(self) -> int:
        """Bytes of the student's own numbers in the formats of its training."""

    @abstractmethod
    def scores(self, features: Any) -> FloatArray:
        """Return the scores of encoded rows, shape (n, m)."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what there is to say of its size, in plain numbers."""

    @abstractmethod
    def to_arrays(self) -> Arrays:
        """Return the arrays to be saved, each in its smallest exact format."""


def float_rows(features: Any, n_features: int, dtype: Any) -> NDArray[Any]:
    """Return rows as a float matrix of that format and number of columns."""
    rows = np.ascontiguousarray(features, dtype=dtype)
    if rows.ndim != 2 or rows.shape[1] != n_features:
        constraint = f"have shape (any, {n_features})"
        raise invalid("features", constraint, Shown(str(rows.shape)))
    return rows


def check_finite(name: str, array: NDArray[Any], limit: float = LARGEST_SCORE) -> None:
    """Refuse numbers that are missing, infinite or absurdly large."""
    # A comparison with NaN is false, so that this refuses it as well.
    if not (np.abs(array) <= np.float64(limit)).all():
        raise invalid(name, "hold finite numbers", Shown("others"))


def compact_float(array: NDArray[Any]) -> NDArray[Any]:
    """Return numbers as float32 where that changes none of them, else as float64."""
    exact = np.asarray(array, dtype=np.float64)
    if np.abs(exact).max(initial=0.0) > np.finfo(np.float32).max:
        return exact
    short = exact.astype(np.float32)
    return short if (short == exact).all() else exact


def compact_integer(array: NDArray[Any]) -> NDArray[Any]:
    """Return non-negative integers in the smallest unsigned format that holds them."""
    largest = int(array.max(initial=0))
    return array.astype(np.min_scalar_type(largest))
