"""A column of categories as codes or as one feature each, fast for one row and many."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.encoding._values import NULL_WORDS, Coded, is_missing, is_null_text

Rows = NDArray[np.intp]
Matrix = NDArray[np.float32]

_MISSING, _UNKNOWN = -1, -2
_SHOWN_CATEGORIES = 4


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories, read as one code or as one feature per category.

    Parameters
    ----------
    name : str
        The name of the column.
    categories : tuple of str
        The texts of the categories, in the order of their codes.
    one_hot : bool, default=False
        Whether there is a feature per category, 1 in its rows and 0 elsewhere. With
        False there is a single feature, the code, counted from 0.
    missing : bool, default=False
        Whether a last feature marks rows without a value; only with ``one_hot``.

    Raises
    ------
    ValueError
        If there is no category, or one twice.

    Notes
    -----
    A text finds the category of exactly that text. A number finds the category that
    Python writes like it: 1 and 1.0 find ``"1"`` (``"1.0"`` where there is no ``"1"``),
    2.5 finds ``"2.5"``, and nothing but the text finds ``"01"``. A truth value finds
    ``"True"`` or ``"False"``, or else ``"1"`` or ``"0"``; and the other way round.
    Missing and unknown cells are NaN as codes and 0 in every feature of a category;
    only unknown ones are reported. Null words (``N/A``, ``?``, blanks) are missing
    unless they are categories themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.encoding import CategoryColumn
    >>> colour = CategoryColumn("colour", ("blue", "red"))
    >>> out = np.empty((3, 1), dtype=np.float32)
    >>> colour.fill(np.array(["red", "N/A", "pink"], dtype=object), out)
    array([2])
    >>> out.ravel()
    array([ 1., nan, nan], dtype=float32)
    """

    kind: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    one_hot: bool = False
    missing: bool = False
    _codes: dict[Any, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.categories:
            raise invalid("categories", "hold at least one text", Shown("none"))
        codes: dict[Any, int] = dict.fromkeys(NULL_WORDS, _MISSING)
        codes |= {text: code for code, text in enumerate(self.categories)}
        if len(set(self.categories)) < len(self.categories):
            raise invalid(
                "categories", "be different texts", Shown("one of them twice")
            )
        for code, text in enumerate(self.categories):
            for number in _numbers_like(text):
                codes.setdefault(number, code)
        object.__setattr__(self, "_codes", codes | {None: _MISSING, np.nan: _MISSING})

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The column's name, or one name per category such as ``colour = red``."""
        if not self.one_hot:
            return (self.name,)
        names = tuple(f"{self.name} = {text}" for text in self.categories)
        return (*names, f"{self.name} is missing") if self.missing else names

    def fill(self, values: NDArray[Any] | Coded, out: Matrix) -> Rows:
        """Write the features of every row.

        Parameters
        ----------
        values : ndarray of shape (n_samples,), or Coded
            Cells of the column.
        out : ndarray of shape (n_samples, n_features)
            Where to.

        Returns
        -------
        ndarray of int
            Rows whose category is unknown.
        """
        if isinstance(values, Coded) and len(values.codes) > len(values.cells):
            distinct = np.append(self.codes(values.cells), _MISSING)
            codes = distinct[values.codes]
        else:
            cells = values.decoded() if isinstance(values, Coded) else values
            codes = self.codes(cells)
        if self.one_hot:
            self._fill_one_hot(codes, out)
        else:
            out[:, 0] = codes
            out[codes < 0, 0] = np.nan
        return np.flatnonzero(codes == _UNKNOWN)

    def _fill_one_hot(self, codes: NDArray[np.int64], out: Matrix) -> None:
        """Write a 1 into the feature of each row's category."""
        out[:] = 0
        known = np.flatnonzero(codes >= 0)
        out[known, codes[known]] = 1
        if self.missing:
            out[codes == _MISSING, -1] = 1

    def codes(self, cells: NDArray[Any]) -> NDArray[np.int64]:
        """Return the code of each cell.

        Parameters
        ----------
        cells : ndarray of shape (n_samples,)
            Texts, numbers or other objects.

        Returns
        -------
        ndarray of int
            Codes from 0; -1 where missing, -2 where unknown.
        """
        plain = cells.astype(str) if cells.dtype.kind in "mM" else cells
        values = plain.tolist()
        try:
            found = [self._codes.get(value, _UNKNOWN) for value in values]
        except TypeError:  # a cell that cannot be hashed, such as a list
            found = [_UNKNOWN] * len(values)
        codes = np.array(found, dtype=np.int64)
        if _UNKNOWN in found:
            for row in np.flatnonzero(codes == _UNKNOWN).tolist():
                codes[row] = self._slow_code(values[row])
        return codes

    def _slow_code(self, cell: object) -> int:
        """Return the code of a cell that is neither a known text nor a known number."""
        if is_missing(cell):
            return _MISSING
        text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
        if is_null_text(text) and text not in self._codes:
            return _MISSING
        return self._codes.get(text, _UNKNOWN)

    def question(self, feature: int, threshold: float) -> str:
        """Return in words what holds at or below a threshold.

        Parameters
        ----------
        feature : int
            Which feature of this column.
        threshold : float
            A value of the feature.

        Returns
        -------
        str
            Such as ``colour in {blue, green}``; ``colour ≠ red`` for a feature of one
            category.
        """
        if not self.one_hot:
            last = int(np.clip(np.floor(threshold), -1, len(self.categories) - 1))
            return f"{self.name} in {_set_text(self.categories[: last + 1])}"
        if feature == len(self.categories):
            return f"{self.name} is not missing"
        return f"{self.name} ≠ {self.categories[feature]}"


def _numbers_like(text: str) -> list[Any]:
    """Return the numbers and truth values that Python writes as this text."""
    if text in {"True", "False"}:
        return [text == "True"]
    if len(text) > 32 or not text.isascii():
        return []
    for read in (int, float):
        try:
            number = read(text)
        except ValueError:
            continue
        # Of integers beyond 64 bits, as many as one likes have the same hash.
        endless = isinstance(number, int) and not -(2**63) <= number < 2**64
        return [number] if str(number) == text and not endless else []
    return []


def _set_text(texts: tuple[str, ...]) -> str:
    """Return a set of categories, shortened after a few."""
    if len(texts) <= _SHOWN_CATEGORIES:
        return "{" + ", ".join(texts) + "}"
    shown = ", ".join(texts[: _SHOWN_CATEGORIES - 2])
    return f"{{{shown}, … {len(texts) - _SHOWN_CATEGORIES + 2} more}}"
