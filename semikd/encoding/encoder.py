"""The plan for a table carried out on any table, with numpy alone."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted, invalid
from semikd.encoding._records import (
    Column,
    column_record,
    mapping,
    read_record,
    sequence,
)
from semikd.encoding._values import Coded, Table, find_columns, read_column

_MOST_FEATURES = 100_000


@dataclass(frozen=True)
class Encoder:
    """Tables into features of float32, alike in training and wherever a model goes.

    Parameters
    ----------
    columns : tuple of NumberColumn, CategoryColumn and DateColumn
        How each column is read, in the order of the features.

    Raises
    ------
    ValueError
        If there is no column, one name stands twice, or there are more than 100,000
        features.

    Notes
    -----
    Needs numpy and the standard library alone. The same values give the same features
    whether they come in a pandas frame, a polars frame or a mapping of lists.

    Examples
    --------
    >>> from semikd.encoding import CategoryColumn, Encoder, NumberColumn
    >>> encoder = Encoder((NumberColumn("age"), CategoryColumn("sex", ("f", "m"))))
    >>> features, unknown = encoder.encode({"age": [37, None], "sex": ["m", "x"]})
    >>> features
    array([[37.,  1.],
           [nan, nan]], dtype=float32)
    >>> unknown
    {'sex': 1}
    >>> Encoder.from_dict(encoder.to_dict()) == encoder
    True
    """

    columns: tuple[Column, ...]
    # The position after the last feature of each column.
    _ends: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if not 1 <= len(names) <= _MOST_FEATURES:
            constraint = f"be between 1 and {_MOST_FEATURES:,}"
            raise invalid("columns", constraint, Shown(f"{len(names):,}"))
        if len(set(names)) < len(names):
            twice = Counter(names).most_common(1)[0][0]
            raise invalid("columns", "have different names", Shown(repr(twice[:60])))
        ends = list(accumulate(len(column.feature_names) for column in self.columns))
        object.__setattr__(self, "_ends", ends)
        if self._ends[-1] > _MOST_FEATURES:
            constraint = f"have at most {_MOST_FEATURES:,} features"
            raise invalid("columns", constraint, Shown(f"{self._ends[-1]:,}"))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name per feature: ``age``, ``joined: year``, ``colour = red``."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def category_bytes(self) -> int:
        """Bytes that the texts of all categories take in JSON, quotation included."""
        texts = [getattr(column, "categories", ()) for column in self.columns]
        written = json.dumps([list(some) for some in texts if some], ensure_ascii=False)
        return len(written.encode("utf-8", "surrogatepass"))

    def encode(self, table: Table) -> tuple[NDArray[np.float32], dict[str, int]]:
        """Return the features of every row, and how many cells could not be read.

        Parameters
        ----------
        table : pandas or polars frame, or mapping of str to one-dimensional values
            Columns are found by name; further ones are ignored.

        Returns
        -------
        features : ndarray of shape (n_samples, n_features)
            Features as float32.
        unknown : dict of str to int
            For each column that has any, the number of cells that are an unknown
            category, no number or no date. They count as missing, but for unknown
            categories with a feature each: these are 0 in every one.

        Raises
        ------
        TypeError
            If ``table`` is no table.
        ValueError
            If a column is not there, stands twice or has another length than the first,
            or holds infinite numbers.

        Notes
        -----
        The matrix is allocated once and filled column by column.
        """
        found = find_columns(table, [column.name for column in self.columns])
        features = np.empty((0, 0), dtype=np.float32)
        unknown: dict[str, int] = {}
        ends = self._ends
        for position, column in enumerate(self.columns):
            cells = read_column(found[position], column.name)
            n_rows = len(cells.codes if isinstance(cells, Coded) else cells)
            if position == 0:
                features = np.empty((n_rows, ends[-1]), dtype=np.float32)
            self._check_length(column.name, n_rows, len(features))
            start = ends[position - 1] if position else 0
            bad = column.fill(cells, features[:, start : ends[position]])
            if len(bad):
                unknown[column.name] = len(bad)
        return features, unknown

    def _check_length(self, name: str, n_rows: int, expected: int) -> None:
        """Refuse a column that is shorter or longer than the first one."""
        if n_rows != expected:
            constraint = f"have as many rows as column {self.columns[0].name[:60]!r}"
            shown = Shown(f"{counted(n_rows, 'row')} for {expected}")
            raise invalid(f"column {name[:60]!r}", constraint, shown)

    def question(self, feature_index: int, threshold: float) -> str:
        """Return in words what holds for rows at or below a threshold.

        Parameters
        ----------
        feature_index : int
            Position among the features, from 0.
        threshold : float
            A value of that feature.

        Returns
        -------
        str
            Such as ``age ≤ 37.5``, ``colour in {blue, green}``, ``colour ≠ red`` or
            ``joined: year ≤ 2019.5``. Names stand in it as they are: whoever prints it
            escapes them.

        Raises
        ------
        IndexError
            If there is no such feature.
        """
        ends = self._ends
        if not 0 <= feature_index < ends[-1]:
            raise IndexError(f"there is no feature {feature_index} among {ends[-1]}")
        position = int(np.searchsorted(ends, feature_index, side="right"))
        start = ends[position - 1] if position else 0
        return self.columns[position].question(feature_index - start, float(threshold))

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as JSON has it.

        Returns
        -------
        dict
            Lists, texts, finite numbers and truth values only.
        """
        return {"columns": [column_record(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Encoder":
        """Return the encoder of a record that need not be trusted.

        Parameters
        ----------
        record : mapping
            What :meth:`to_dict` returned, perhaps after a trip through a file.

        Returns
        -------
        Encoder
            The encoder.

        Raises
        ------
        ValueError
            If anything in the record is not as it must be, on one line.
        """
        records = sequence(mapping(record, "encoder").get("columns"), "columns")
        if len(records) > _MOST_FEATURES:
            constraint = f"be at most {_MOST_FEATURES:,}"
            raise invalid("columns", constraint, Shown(f"{len(records):,}"))
        return cls(tuple(read_record(item, at) for at, item in enumerate(records)))
