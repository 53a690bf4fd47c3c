"""Linear scores as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from semikd._validation import check_shape, invalid
from semikd.artifact.arrays import (
    Arrays,
    StudentArrays,
    check_finite,
    compact_float,
    float_rows,
)
from semikd.simplex import FloatArray

__all__ = ["LinearArrays"]

# Coefficients that no float32 column can push out of the range of float64.
_LARGEST = 1e200


@dataclass(frozen=True, eq=False)
class LinearArrays(StudentArrays):
    r"""Linear scores :math:`f(x) = B x + b`, computed in float64.

    Parameters
    ----------
    coef : ndarray of float64 of shape (m, d)
        Slopes of each score.
    intercept : ndarray of float64 of shape (m,)
        Constant terms.

    Raises
    ------
    ValueError
        If the shapes do not agree or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.artifact import LinearArrays
    >>> LinearArrays(np.array([[2.0, 0.0]]), np.array([1.0])).scores([[3.0, 5.0]])
    array([[7.]])
    """

    coef: FloatArray
    intercept: FloatArray
    kind: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        check_shape("intercept", self.intercept, (None,))
        check_shape("coef", self.coef, (len(self.intercept), None))
        if not self.coef.size:
            raise invalid("coef", "have at least one score and column", self.coef.shape)
        check_finite("coef", self.coef, limit=_LARGEST)
        check_finite("intercept", self.intercept, limit=_LARGEST)

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Number of columns d."""
        return int(self.coef.shape[1])

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        """Number of scores m."""
        return len(self.intercept)

    @property
    def bare_bytes(self) -> int:
        """Bytes of slopes and intercepts as float64."""
        return 8 * (self.coef.size + self.intercept.size)

    def scores(self, features: Any) -> FloatArray:
        """Return the linear scores of rows, shape (n, m)."""
        rows = float_rows(features, self.n_features, np.float64)
        return np.asarray(rows @ self.coef.T + self.intercept)

    def describe(self) -> dict[str, Any]:
        """Return the number of coefficients, intercepts among them."""
        return {"coefficients": int(self.coef.size + self.intercept.size)}

    def to_arrays(self) -> Arrays:
        """Return slopes and intercepts, as float32 where that is exact."""
        return {
            "coef": compact_float(self.coef),
            "intercept": compact_float(self.intercept),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_features: int) -> Self:
        """Return the scores of saved arrays; ``ValueError`` if they make none."""
        coef = arrays["coef"].astype(np.float64)
        check_shape("coef", coef, (None, n_features))
        return cls(coef, arrays["intercept"].astype(np.float64))
