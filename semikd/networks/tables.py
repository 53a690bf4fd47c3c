"""How a table or images enter a network: numbers, gaps, categories, pixels.

What is learned here is learned from the covariates alone, never from the outcome.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.networks.rows import channel_moments, moments
from semikd.networks.shapes import InputShape
from semikd.simplex import FloatArray

__all__ = ["ImageEncoding", "TableEncoding"]

_UNKNOWN = 0

# Kinds of columns whose values are categories; dates, lists and so on are none.
_CATEGORIES = (nw.String, nw.Categorical, nw.Enum, nw.Object)
_PLAIN = (str, bytes, bool, int, float, np.generic, Decimal)


@dataclass(frozen=True)
class TableLayout:
    """Which columns of a table are numbers, which categories, and of what values.

    Parameters
    ----------
    numeric, categorical : tuple of int
        Positions of the columns of each kind.
    gaps : tuple of int
        Which of the numeric columns have missing values.
    values : tuple of tuple of str
        Values of each categorical column; position j + 1 is the j-th, and 0 stands for
        what is missing or was never seen.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from semikd.networks.tables import TableLayout
    >>> X = pd.DataFrame({"a": [1.5, np.nan], "b": ["red", "blue"]})
    >>> layout = TableLayout.learned(X, np.ones(2))
    >>> layout.raw(X)
    array([[1.5, 2. ],
           [nan, 1. ]])
    """

    numeric: tuple[int, ...]
    categorical: tuple[int, ...]
    gaps: tuple[int, ...]
    values: tuple[tuple[str, ...], ...]

    @classmethod
    def learned(cls, X: Any, weight: FloatArray) -> Self:
        """Learn the layout from the rows of positive weight."""
        columns = _columns(X)
        counts = weight > 0
        numeric = tuple(i for i, c in enumerate(columns) if c.dtype.kind == "f")
        categorical = tuple(i for i, c in enumerate(columns) if c.dtype.kind == "O")
        seen = [
            {str(value) for value in columns[i][counts] if value is not None}
            for i in categorical
        ]
        gaps = [j for j, i in enumerate(numeric) if np.isnan(columns[i][counts]).any()]
        return cls(numeric, categorical, tuple(gaps), tuple(map(_in_order, seen)))

    @property
    def shape(self) -> InputShape:
        """What the network is given for each row."""
        sizes = tuple(len(values) + 1 for values in self.values)
        return InputShape.table(len(self.numeric) + len(self.gaps), sizes)

    @property
    def is_plain(self) -> bool:
        """Whether all columns are numbers without gaps."""
        return not self.gaps and not self.categorical

    def raw(self, X: Any) -> FloatArray:
        """Return numbers, NaN where missing, and positions of categories, (n, d)."""
        columns = _columns(X)
        self._refuse_other_kinds(columns)
        codes = [
            _positions(columns[i], values)
            for i, values in zip(self.categorical, self.values, strict=True)
        ]
        return np.column_stack([*(columns[i] for i in self.numeric), *codes])

    def _refuse_other_kinds(self, columns: list[NDArray[Any]]) -> None:
        """Refuse text where the fit had numbers, and the reverse."""
        for i in self.numeric:
            if columns[i].dtype.kind == "O":
                shown = next(v for v in columns[i] if v is not None)
                raise invalid("X", f"hold numbers in column {i}, as in the fit", shown)
        for i in self.categorical:
            numbers = columns[i] if columns[i].dtype.kind == "f" else np.empty(0)
            if not np.isnan(numbers).all():
                constraint = f"hold categories in column {i}, as in the fit"
                number = float(numbers[~np.isnan(numbers)][0])
                raise invalid("X", constraint, number, "Make its values text")


@dataclass(frozen=True, eq=False)
class TableEncoding:
    """The rows of a table as the numbers that a network reads.

    Numbers are standardised by their weighted mean and standard deviation; a missing
    one is the mean, with a column beside the numbers that says so for each column that
    had gaps in the fit. Positions of categories come last.

    Parameters
    ----------
    layout : TableLayout
        Kinds of columns.
    mean, scale : ndarray of shape (d,)
        Of the numeric columns.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.tables import TableEncoding, TableLayout
    >>> X = np.array([[0.0, 1.0], [2.0, np.nan]])
    >>> layout = TableLayout.learned(X, np.ones(2))
    >>> TableEncoding.learned(layout, layout.raw(X), np.ones(2)).encode(X)
    array([[-1.,  0.,  0.],
           [ 1.,  0.,  1.]])
    """

    layout: TableLayout
    mean: FloatArray
    scale: FloatArray

    @classmethod
    def learned(cls, layout: TableLayout, raw: FloatArray, weight: FloatArray) -> Self:
        """Learn moments from raw rows of positive weight, whatever their order says."""
        return cls(layout, *moments(raw[:, : len(layout.numeric)], weight))

    @property
    def shape(self) -> InputShape:
        """What the network is given for each row."""
        return self.layout.shape

    @property
    def is_plain(self) -> bool:
        """Whether all columns are numbers without gaps."""
        return self.layout.is_plain

    def encode(self, X: Any) -> FloatArray:
        """Return what the network reads of each row."""
        return self.standardised(self.layout.raw(X))

    def standardised(self, raw: FloatArray) -> FloatArray:
        """Return what the network reads of raw rows."""
        numbers, codes = np.hsplit(raw, [len(self.mean)])
        standard = (numbers - self.mean) / self.scale
        if not self.layout.gaps and not np.isnan(numbers).any():
            return np.hstack([standard, codes]) if codes.size else standard
        missing = np.isnan(numbers)
        gaps = missing[:, list(self.layout.gaps)]
        return np.hstack([np.where(missing, 0.0, standard), gaps, codes])


@dataclass(frozen=True, eq=False)
class ImageEncoding:
    """Images (n, c, h, w), standardised channel by channel.

    Parameters
    ----------
    mean, scale : ndarray of shape (c,)
        Of the pixels of each channel, on the scale 0 to 1.
    size : tuple of int
        (c, h, w).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.networks.tables import ImageEncoding
    >>> X = np.zeros((2, 3, 8, 8), dtype=np.uint8)
    >>> ImageEncoding.learned(X, np.ones(2)).shape.image
    (3, 8, 8)
    """

    mean: FloatArray
    scale: FloatArray
    size: tuple[int, int, int]

    @classmethod
    def learned(cls, X: NDArray[Any], weight: FloatArray) -> Self:
        """Learn the weighted moments of the channels."""
        mean, scale = channel_moments(_pixels(X), weight)
        c, h, w = X.shape[1:]
        return cls(mean, scale, (c, h, w))

    @property
    def shape(self) -> InputShape:
        """What the network is given for each row."""
        return InputShape.images(*self.size)

    @property
    def is_plain(self) -> bool:
        """Whether a table of numbers is all there is: never."""
        return False

    def encode(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return the standardised pixels, shape (n, c, h, w)."""
        pixels = _pixels(X)
        if pixels.shape[1:] != self.size:
            constraint = f"hold images of shape {self.size}, as in the fit"
            raise invalid("X", constraint, Shown(str(pixels.shape[1:])))
        mean, scale = (
            t.astype(np.float32)[:, None, None] for t in (self.mean, self.scale)
        )
        pixels -= mean
        pixels /= scale
        return pixels


def _columns(X: Any) -> list[NDArray[Any]]:
    """Return the columns as floats, or as objects where they hold categories."""
    if not nw.dependencies.is_into_dataframe(X):
        return [_numbers(column) for column in np.asarray(X, dtype=np.float64).T]
    return [_column(c) for c in nw.from_native(X, eager_only=True).iter_columns()]


def _column(column: "nw.Series[Any]") -> NDArray[Any]:
    """Return a column of a frame as floats, or as objects, None where missing."""
    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        return _numbers(column.cast(nw.Float64).to_numpy())
    missing = column.is_null().to_numpy().astype(bool)
    if missing.all():
        return np.full(len(missing), np.nan)
    if not isinstance(column.dtype, _CATEGORIES):
        raise _no_category(column.name, str(column.to_native().dtype))
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_list()
    values[missing] = None
    if isinstance(column.dtype, nw.Object):
        kinds = set(map(type, values[~missing]))
        for kind in kinds:
            if not issubclass(kind, _PLAIN):
                raise _no_category(column.name, kind.__name__)
        if not any(issubclass(kind, str | bytes) for kind in kinds):
            values[missing] = np.nan
            return _numbers(values)
    return values


def _no_category(name: str, kind: str) -> ValueError:
    """Return the refusal of a column that holds neither numbers nor categories."""
    constraint = "hold numbers, truth values or categories in every column"
    remedy = "Make numbers or text of it first"
    return invalid("X", constraint, Shown(f"{kind} in column {name!r}"), remedy)


def _numbers(column: Any) -> FloatArray:
    """Return a numeric column; any missing value is the same one, and so is zero."""
    numbers = np.asarray(column, dtype=np.float64) + 0.0
    if np.isinf(numbers).any():
        raise invalid("X", "be finite or missing", Shown("infinity"))
    numbers[np.isnan(numbers)] = np.nan
    return numbers


def _in_order(values: set[str]) -> tuple[str, ...]:
    """Return values in an order that no table decides."""
    return tuple(sorted(values))


def _positions(column: NDArray[Any], values: tuple[str, ...]) -> FloatArray:
    """Return the position of each value, 0 for what the fit did not see."""
    known = {value: j for j, value in enumerate(values, 1)}
    # The fit may have seen gaps as such.
    return np.array(
        [_UNKNOWN if v is None else known.get(str(v), _UNKNOWN) for v in column],
        dtype=np.float64,
    )


def _pixels(X: NDArray[Any]) -> NDArray[np.float32]:
    """Return images as floats in [0, 1], refusing another layout or range."""
    if X.ndim != 4 or X.shape[1] not in {1, 2, 3, 4} or min(X.shape[2:]) < 5:
        last = X.ndim == 4 and X.shape[3] in {1, 2, 3, 4}
        remedy = "X.transpose(0, 3, 1, 2) moves channels to their place" if last else ""
        constraint = "hold images of shape (n, channels, height, width)"
        raise invalid("X", constraint, Shown(str(X.shape)), remedy)
    whole = X.dtype.kind in "iu"
    low, high = (float(X.min()), float(X.max())) if X.size else (0.0, 0.0)
    if not (low >= 0.0 and high <= (255.0 if whole else 1.0)):
        constraint = "hold integers from 0 to 255 or floats from 0 to 1 as pixels"
        shown = Shown(f"{X.dtype} from {low:.4g} to {high:.4g}")
        raise invalid("X", constraint, shown, "Rescale the pixels")
    pixels = X.astype(np.float32)
    pixels /= np.float32(255.0 if whole else 1.0)
    return pixels
