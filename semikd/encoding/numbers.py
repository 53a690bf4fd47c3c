"""A column of numbers as one feature, filled and standardised for who needs that.

Notes
-----
A record of a column turns its cells into one or several features of float32: ``fill``
writes them into the columns of a matrix and returns the rows whose cell could not be
read (missing cells are no such rows). Features are counted from 0 within a column.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._validation import invalid
from semikd.encoding._values import Coded, as_numbers, refuse_infinite

Rows = NDArray[np.intp]
Matrix = NDArray[np.float32]

_LARGEST = np.finfo(np.float32).max


@dataclass(frozen=True)
class Scaling:
    r"""What stands for a missing number, and the shift and unit of all.

    .. math:: x \mapsto (x - \text{center}) / \text{scale}

    in float32 throughout, after ``fill`` has taken the place of missing numbers. What
    lies beyond float32 becomes its largest number, so that every feature is finite.

    Parameters
    ----------
    fill : float
        The median of the training rows.
    center : float
        Their mean.
    scale : float
        Their standard deviation, above 0; 1 for a constant column.

    Raises
    ------
    ValueError
        If a number is not finite in float32, the scale is not positive, or the fill is
        not finite in its units.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.encoding import Scaling
    >>> values = np.array([2.0, np.nan, 4.0], dtype=np.float32)
    >>> Scaling(fill=3.0, center=2.0, scale=0.5).apply(values)
    >>> values
    array([0., 2., 4.], dtype=float32)
    """

    fill: float
    center: float
    scale: float

    def __post_init__(self) -> None:
        for name in ("fill", "center", "scale"):
            value = getattr(self, name)
            with np.errstate(over="ignore"):
                rounded = float(np.float32(value))
            if not np.isfinite(rounded):
                raise invalid(name, "be a finite number", value)
            object.__setattr__(self, name, rounded)
        if self.scale <= 0:
            raise invalid("scale", "be positive", self.scale)
        if abs(self.fill - self.center) / self.scale > _LARGEST:
            constraint = "be at most 3.4e+38 units of scale from the center"
            raise invalid("fill", constraint, self.fill)

    def apply(self, values: Matrix) -> None:
        """Fill and standardise numbers in place.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            Numbers as float32; NaN where missing.
        """
        values[np.isnan(values)] = self.fill
        with np.errstate(over="ignore"):
            values -= np.float32(self.center)
            values /= np.float32(self.scale)
        np.clip(values, -_LARGEST, _LARGEST, out=values)

    def original(self, value: float) -> float:
        """Return a standardised number in the units of the table.

        Parameters
        ----------
        value : float
            A standardised number.

        Returns
        -------
        float
            The number it stands for.
        """
        return value * self.scale + self.center


def number_text(value: float) -> str:
    """Return a number as a reader wants it: few digits, no exponent where avoidable."""
    if abs(value) < 1e15 and value == int(value):
        return str(int(value))
    short = f"{value:.6g}"
    return f"{value:.1f}" if "e+" in short and abs(value) < 1e15 else short


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, truth values (0 and 1) or durations (seconds).

    Parameters
    ----------
    name : str
        The name of the column.
    scaling : Scaling or None, default=None
        How missing numbers are filled and all are standardised; with None numbers stay
        as they are and missing ones are NaN.

    Notes
    -----
    Texts are read as the number they spell (``"1.5"``, ``" 1e3 "``), ``true`` and
    ``false`` as 1 and 0; null words such as ``N/A`` are missing, anything else cannot
    be read: it counts as missing and is reported. Infinite numbers are refused.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.encoding import NumberColumn
    >>> out = np.empty((3, 1), dtype=np.float32)
    >>> NumberColumn("age").fill(np.array(["37", None, "old"], dtype=object), out)
    array([2])
    >>> out.ravel()
    array([37., nan, nan], dtype=float32)
    """

    kind: ClassVar[str] = "number"
    name: str
    scaling: Scaling | None = None

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The one feature, named like the column."""
        return (self.name,)

    def fill(self, values: NDArray[Any] | Coded, out: Matrix) -> Rows:
        """Write the feature of every row.

        Parameters
        ----------
        values : ndarray of shape (n_samples,), or Coded
            Cells of the column.
        out : ndarray of shape (n_samples, 1)
            Where to.

        Returns
        -------
        ndarray of int
            Rows whose cell could not be read as a number.

        Raises
        ------
        ValueError
            If a number is infinite, or too large for float32.
        """
        cells = values.decoded() if isinstance(values, Coded) else values
        numbers, unreadable = as_numbers(cells)
        column = out[:, 0]
        with np.errstate(over="ignore"):
            column[:] = numbers
        refuse_infinite(self.name, numbers, np.isinf(column))
        if self.scaling is not None:
            self.scaling.apply(column)
        return unreadable

    def question(self, feature: int, threshold: float) -> str:
        """Return in words what holds at or below a threshold.

        Parameters
        ----------
        feature : int
            Always 0.
        threshold : float
            A value of the feature.

        Returns
        -------
        str
            Such as ``age ≤ 37.5``.
        """
        del feature
        value = threshold if self.scaling is None else self.scaling.original(threshold)
        return f"{self.name} ≤ {number_text(value)}"
