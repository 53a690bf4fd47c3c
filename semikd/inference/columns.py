"""The columns that coefficients multiply, in the units in which nothing is lost.

Notes
-----
A column of years, or of seconds since 1970, varies little beside its mean, and columns
of cents and of millions differ by their units alone: sums of their squares keep few
digits. Everything is therefore computed for columns of mean 0 and deviation 1, and
turned into the user's units at last.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from semikd._tables import refuse_equal_names
from semikd._validation import FloatArray, Shown, finite_array, invalid, wrong_type

__all__ = ["INTERCEPT", "Columns", "made_columns"]

INTERCEPT = "intercept"
_REMEDY = "Fill or drop such rows: a missing cell has no coefficient"
# Beside its size a constant column varies by rounding.
_ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class Columns:
    r"""Columns with what makes them standard, :math:`z = (x - c) / s`.

    Parameters
    ----------
    names : tuple of str
        Their names, without the constant column.
    center, scale : ndarray of shape (d,)
        c and s; c is 0 without a constant column.
    has_intercept : bool
        Whether a constant column stands behind them.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference.columns import Columns
    >>> found = Columns(("x0",), np.array([2.0]), np.array([1.0]), True)
    >>> found.standard([[1.0], [3.0]])
    array([[-1.,  1.],
           [ 1.,  1.]])
    >>> found.to_units()
    array([[ 1.,  0.],
           [-2.,  1.]])
    """

    names: tuple[str, ...]
    center: FloatArray
    scale: FloatArray
    has_intercept: bool

    @property
    def all_names(self) -> tuple[str, ...]:
        """Names with that of the constant column, if there is one."""
        return (*self.names, INTERCEPT) if self.has_intercept else self.names

    def standard(self, X: Any, name: str = "X") -> FloatArray:
        """Return the standard columns of a table, the constant one last, (n, p)."""
        table, names = _table(X, self.names, name)
        if names != self.names:
            shown = Shown(", ".join(map(repr, names)))
            wanted = ", ".join(map(repr, self.names))
            raise invalid(name, f"have the columns {wanted}", shown)
        return self.standardised(table)

    def standardised(self, table: FloatArray) -> FloatArray:
        """Return the standard columns of numbers in the user's units, (n, p)."""
        standard = (table - self.center) / self.scale
        if self.has_intercept:
            standard = np.column_stack([standard, np.ones(len(table))])
        return np.asarray(standard)

    def to_units(self) -> FloatArray:
        """Return what makes coefficients of standard columns those of X, (p, p)."""
        matrix = np.diag(1.0 / self.scale)
        if not self.has_intercept:
            return matrix
        found = np.eye(len(self.names) + 1)
        found[:-1, :-1], found[-1, :-1] = matrix, -self.center / self.scale
        return found


def made_columns(
    X: Any, rows: NDArray[np.intp], share: FloatArray, *, fit_intercept: bool = True
) -> tuple[Columns, FloatArray]:
    """Return the columns of some rows of a table, and the standard ones.

    Parameters
    ----------
    X : array-like or data frame
        Finite numbers.
    rows : ndarray of int of shape (n,)
        Positions of the rows.
    share : ndarray of shape (n,)
        Their weights in means and deviations, of sum 1.
    fit_intercept : bool, default=True
        Whether a constant column stands behind them.

    Returns
    -------
    columns : Columns
    standard : ndarray of shape (n, p)

    Raises
    ------
    ValueError, TypeError
        If a column holds anything but finite numbers, or does not vary.
    """
    table, names = _table(X)
    if not table.shape[1]:
        raise invalid("X", "have a column at least", Shown("none"))
    if INTERCEPT in names:
        remedy = "Rename it: the constant column that is added has that name"
        raise invalid("X", f"have no column named {INTERCEPT!r}", Shown("one"), remedy)
    table = table[rows]
    # The largest first, so that no square overflows.
    largest = np.abs(table).max(axis=0)
    unit = table / np.where(largest > 0, largest, 1.0)
    mean = share @ unit if fit_intercept else np.zeros(unit.shape[1])
    spread = np.sqrt(share @ (unit - mean) ** 2)
    if (spread <= _ROUNDING).any():
        named = names[int(np.argmax(spread <= _ROUNDING))]
        shown = Shown(f"{named!r}, a combination of the others")
        remedy = "Drop it: it does not vary"
        raise invalid("X", "have linearly independent columns", shown, remedy)
    # A mean of rounding would mix that of slopes into the intercept.
    mean = np.where(np.abs(mean) <= _ROUNDING * spread, 0.0, mean)
    found = Columns(names, mean * largest, spread * largest, fit_intercept)
    return found, found.standardised(table)


def _table(
    X: Any, wanted: tuple[str, ...] = (), name: str = "X"
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return a table as finite numbers, with names; of a frame the wanted columns."""
    refuse_equal_names(X, name)
    if not nw.dependencies.is_into_dataframe(X):
        if np.asarray(X).dtype.kind not in "biuf":
            shown = Shown(f"{type(X).__name__} of {np.asarray(X).dtype}")
            remedy = "Pass a dense array or an eager frame of numbers"
            raise wrong_type(name, "hold numbers", shown, remedy)
        table = finite_array(name, X, shape=(None, None), remedy=_REMEDY)
        names = tuple(f"x{j}" for j in range(table.shape[1]))
        return table, wanted if len(wanted) == len(names) else names
    frame = nw.from_native(X, eager_only=True)
    twice = [own for own, n in Counter(map(str, frame.columns)).items() if n > 1]
    if twice:
        raise invalid(
            name, "name every column differently", Shown(f"{twice[0]!r} twice")
        )
    by_name = {
        str(own): column
        for own, column in zip(frame.columns, frame.iter_columns(), strict=True)
    }
    names = tuple(by_name)
    if wanted and set(wanted) <= set(names):
        names = wanted
    columns = [_numbers(name, own, by_name[own].to_numpy()) for own in names]
    found = np.column_stack(columns) if columns else np.empty((len(frame), 0))
    return found, names


def _numbers(table: str, name: str, values: Any) -> FloatArray:
    """Return a column of a frame as finite numbers."""
    if values.dtype.kind not in "biuf":
        encode = "Encode it, as an indicator for each value but one, or make it float"
        shown = Shown(f"{name!r}, which does not")
        raise wrong_type(table, "hold numbers in every column", shown, encode)
    return finite_array(f"{table}[{name!r}]", values, shape=(None,), remedy=_REMEDY)
