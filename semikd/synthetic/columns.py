"""What the columns of a table hold, so that made-up rows hold the same.

Every column becomes one vector of floats: numbers as they are, categories as codes.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from semikd._tables import object_numbers, refuse_equal_names
from semikd._validation import Shown, invalid, wrong_type
from semikd.simplex import FloatArray

__all__ = ["Column", "category_places", "check_table", "read_columns"]

# So many different texts may be categories, whatever the number of rows.
_FEW_TEXTS = 20
# From here on floats skip integers.
_WIDE = 2.0**53


@dataclass(frozen=True, eq=False)
class Column:
    """One column as floats.

    Parameters
    ----------
    name : str or int
        Name, or position.
    values : ndarray of shape (n,)
        Numbers, NaN where missing; or codes of categories, -1 where missing.
    is_category : bool
        Whether values are codes, of which only equality counts.
    is_continuous : bool, default=False
        Whether numbers that are not in the column may stand in it.
    is_whole : bool, default=False
        Whether all numbers are integers.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import Column
    >>> Column("age", np.array([31.0, np.nan]), is_category=False).missing
    array([False,  True])
    """

    name: Any
    values: FloatArray
    is_category: bool
    is_continuous: bool = False
    is_whole: bool = False

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where the column has no number; a missing category is a category."""
        return np.asarray(np.isnan(self.values))


def check_table(X: Any, categorical: Sequence[Any] | None = None) -> None:
    """Refuse a table from whose columns no cells can be drawn.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The table, copies of rows included.
    categorical : sequence of str or int, optional
        Columns that hold categories whatever is in them.

    Raises
    ------
    TypeError
        If X is sparse, or no table of rows and columns.
    ValueError
        If a column that is named is not there, or one holds free text: texts of which
        most occur once.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import check_table
    >>> check_table(np.ones((2, 3)))
    """
    refuse_equal_names(X)
    constraint = "be a dense table for synthetic rows"
    if sparse.issparse(X):
        shown = Shown(f"a sparse matrix of {X.shape[1]:,} columns")
        remedy = "Leave synthetic out, or pass X.toarray()"
        raise wrong_type("X", constraint, shown, remedy)
    if np.ndim(X) != 2:
        shown = Shown(f"an array of {np.ndim(X)} axes")
        remedy = "Leave synthetic out; images are augmented by Training.augment"
        raise wrong_type("X", constraint, shown, remedy)
    names, chosen = list(_names(X)), category_places(X, categorical)
    for position, (values, coded) in enumerate(_vectors(X)):
        if values.dtype.kind in "OUS" and not (coded or position in chosen):
            _refuse_free_text(names[position], values)


def category_places(X: Any, categorical: Sequence[Any] | None) -> set[int]:
    """Return the positions of the columns that are named as categories.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The table.
    categorical : sequence of str or int, optional
        Names, or positions, of columns.

    Returns
    -------
    set of int

    Raises
    ------
    TypeError
        If this is no list.
    ValueError
        If a column that is named is not there.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import category_places
    >>> category_places(np.ones((2, 3)), [2])
    {2}
    """
    if categorical is None:
        return set()
    if isinstance(categorical, str | bytes) or not hasattr(categorical, "__len__"):
        constraint = "be a list of column names or positions"
        raise wrong_type("categorical_features", constraint, categorical)
    names = list(_names(X))
    places = {name: place for place, name in enumerate(names)}
    places |= {place: place for place in range(len(names)) if place not in places}
    strange = [name for name in categorical if not _is_one_of(name, places)]
    if strange:
        constraint = "name columns of X"
        raise invalid("categorical_features", constraint, strange[0])
    return {places[name] for name in categorical}


def _is_one_of(name: Any, places: Mapping[Any, int]) -> bool:
    """Return whether this names a column; of a mask, True would be the second one."""
    if isinstance(name, bool | np.bool_) or not isinstance(name, Hashable):
        return False
    return name in places


def read_columns(X: Any, categorical: Sequence[Any] | None = None) -> list[Column]:
    """Return the columns of a dense table as floats.

    Parameters
    ----------
    X : ndarray or data frame of shape (n, d)
        The table.
    categorical : sequence of str or int, optional
        Names, or positions, of columns that hold categories whatever their type. Text,
        booleans and categorical types do so anyway.

    Returns
    -------
    list of Column

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.synthetic.columns import read_columns
    >>> whole, real = read_columns(np.array([[1.0, 0.5], [2.0, 0.25]]))
    >>> whole.is_whole, real.is_whole, real.is_continuous
    (True, False, True)
    """
    names, found = list(_names(X)), []
    chosen = category_places(X, categorical)
    for position, (values, coded) in enumerate(_vectors(X)):
        found.append(_column(names[position], values, coded, position in chosen))
    return found


def _names(X: Any) -> Any:
    """Return names of columns, or positions of an array's."""
    return X.columns if hasattr(X, "columns") else range(X.shape[1])


def _vectors(X: Any) -> Iterator[tuple[NDArray[Any], bool]]:
    """Yield each column as an array, and whether its type is a categorical one."""
    if not nw.dependencies.is_into_dataframe(X):
        yield from ((values, False) for values in np.asarray(X).T)
        return
    for column in nw.from_native(X, eager_only=True).iter_columns():
        coded = column.dtype in {nw.Categorical, nw.Enum, nw.Boolean}
        if column.dtype.is_numeric():
            yield column.cast(nw.Float64).to_numpy(), False
        else:
            yield column.to_numpy(), coded


def _column(name: Any, values: NDArray[Any], coded: bool, chosen: bool) -> Column:
    """Return one column, read by its type and, where that says little, its content."""
    kind = values.dtype.kind
    if coded or chosen or kind in "bUS":
        return Column(name, _codes(values), is_category=True)
    if kind in "iuf":
        numbers = values.astype(np.float64)
        known = numbers[np.isfinite(numbers)]
        whole = bool((known == np.floor(known)).all())
        # Wider integers, such as identifiers, are no longer exact as floats.
        exact = bool((np.abs(known) < _WIDE).all()) or not whole
        return Column(name, numbers, False, is_continuous=exact, is_whole=whole)
    if kind in "mM":
        ticks = values.astype(f"{kind}8[us]").astype(np.float64)
        return Column(name, np.where(np.isnat(values), np.nan, ticks), False)
    return _objects(name, values)


def _objects(name: Any, values: NDArray[Any]) -> Column:
    """Return a column of Python objects: numbers, or categories of whatever it is."""
    numbers = object_numbers(values)
    if numbers is None:
        return Column(name, _codes(values), is_category=True)
    return Column(name, numbers, is_category=False)


def _refuse_free_text(name: Any, values: NDArray[Any]) -> None:
    """Refuse texts of which most occur once: swapped, they would say nothing."""
    texts = [value for value in values.tolist() if isinstance(value, str | bytes)]
    distinct = len(set(texts))
    if distinct > max(_FEW_TEXTS, len(texts) / 2):
        shown = Shown(
            f"{distinct:,} different texts in {len(texts):,} rows of column {name!r}"
        )
        constraint = "hold categories, and no free text, for synthetic rows"
        remedy = "Encode or drop it, or name it in categorical_features"
        raise invalid("X", constraint, shown, remedy)


def _codes(values: NDArray[Any]) -> FloatArray:
    """Return a code for each distinct value, -1 where it is missing."""
    # Imported here because numeric tables never need it.
    from pandas import factorize

    return np.asarray(factorize(values.astype(object))[0], dtype=np.float64)
