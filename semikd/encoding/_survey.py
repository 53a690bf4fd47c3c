"""What skrub makes of each column, asked on the values that differ and not on all rows.

Every step of skrub's ``TableVectorizer`` looks at one column only, and which kind it
finds depends on the distinct values alone. Asking it about those takes seconds where
fitting it on a million rows takes minutes, and misses nothing that a sample of rows
would miss.
"""

import warnings
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._validation import Shown, invalid
from semikd.encoding._dates import is_form, moments
from semikd.encoding._values import is_missing, is_null_text

if TYPE_CHECKING:
    import pandas as pd

# The most categories of a column that a tree reads as codes: beyond, a split on the
# alphabet says little, and the texts outweigh the model that is shipped with them.
MOST_CODES = 1_000

# A form that no text has, for a column whose texts must not be taken for dates.
_NO_DATES = "no text is a date of this form: %Y"

# Texts that are asked for the form of a date.
_GUESSED_TEXTS = 30


@dataclass(frozen=True)
class ColumnFacts:
    """What is known of a column after skrub has seen its distinct values.

    The kind is 'number', 'date', 'category' (few texts), 'text' (many), 'empty' or
    'constant'; ``categories`` is empty where there are more than ``MOST_CODES``.
    """

    kind: str
    from_text: bool = False
    n_texts: int = 0
    categories: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    form: str | None = None
    zone: str | None = None


def survey(frame: "pd.DataFrame") -> dict[str, ColumnFacts]:
    """Return the facts of every column of a frame, in its order."""
    names = [str(name) for name in frame]
    numeric = [name for name in names if frame[name].dtype.kind in "biuf"]
    facts = {}
    if numeric:
        few = _few_rows(frame, numeric)
        facts = _ask(few, {name: few[name] for name in numeric})
    for name in names:
        if name not in facts:
            facts[name] = _facts_of(name, _of_numpy(frame[name]))
    return {name: facts[name] for name in names}


def _of_numpy(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return moments and durations of Arrow, which skrub cannot read, as numpy's."""
    import pandas as pd

    if not isinstance(column.dtype, pd.ArrowDtype) or column.dtype.kind not in "mM":
        return column
    import pyarrow as pa

    return pd.Series(pa.array(column).to_pandas(), name=column.name)


def _few_rows(frame: "pd.DataFrame", names: list[str]) -> "pd.DataFrame":
    """Return three rows per column: a value, another value and a missing one, if any.

    Of columns of numbers, skrub asks no more than these show.
    """
    import pandas as pd

    few = {}
    for name in names:
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        missing = np.isnan(values)
        first = int(np.argmin(missing))
        other = int(np.argmax(~missing & (values != values[first])))
        rows = [first, other if not missing[other] else first]
        rows.append(int(np.argmax(missing)) if missing.any() else first)
        few[name] = frame[name].iloc[rows].reset_index(drop=True)
    return pd.DataFrame(few)


def _facts_of(name: str, column: "pd.Series[Any]") -> ColumnFacts:
    """Return the facts of a column that is not one of numbers."""
    if column.dtype == object and not all(map(_is_plain, column.to_numpy())):
        constraint = "hold numbers, texts, dates or truth values"
        raise invalid(
            f"column {name!r}", constraint, Shown("cells that are collections")
        )
    distinct = column.drop_duplicates().reset_index(drop=True)
    frame, columns = distinct.to_frame(), {name: distinct}
    facts = _ask(frame, columns)[name]
    if facts.form is not None and not _reliable(facts.form, distinct):
        return _ask(frame, columns, _NO_DATES)[name]
    if facts.kind in {"category", "text"}:
        form = _written_form(distinct)
        return facts if form is None else _ask(frame, columns, form)[name]
    return facts


def _is_plain(cell: object) -> bool:
    """Return whether a cell is one value."""
    return isinstance(cell, Hashable) and not isinstance(cell, tuple)


def _written_form(distinct: "pd.Series[Any]") -> str | None:
    """Return the form of dates that fits every text, where skrub saw none.

    Skrub wants some texts to suggest one form: it takes "5 May 2020" for a long name of
    a month, "5 Jun 2020" for a short one, and then both for no dates.
    """
    from pandas.tseries.api import guess_datetime_format

    cells = distinct.to_numpy(dtype=object)
    texts = [cell for cell in cells if isinstance(cell, str) and not is_null_text(cell)]
    with warnings.catch_warnings():
        # It warns of every day that comes before its month.
        warnings.simplefilter("ignore", UserWarning)
        guesses = {
            guess_datetime_format(text, dayfirst=day_first)
            for text in texts[:_GUESSED_TEXTS]
            for day_first in (False, True)
        }
    for form in sorted(guess for guess in guesses if guess and "%Y" in guess):
        if _reliable(form, distinct) and not len(moments(cells, form)[1]):
            return form
    return None


def _reliable(form: str, distinct: "pd.Series[Any]") -> bool:
    """Return whether texts are dates of a form: four digits alone are a number.

    Names of time zones differ from machine to machine, so those that occur are tried.
    """
    if form == "%Y" or not is_form(form):
        return False
    return "%Z" not in form or not len(moments(distinct.to_numpy(object), form)[1])


def _ask(
    frame: "pd.DataFrame", columns: dict[str, "pd.Series[Any]"], form: str | None = None
) -> dict[str, ColumnFacts]:
    """Let skrub look at a small frame, and return the facts of its columns."""
    from skrub import (  # type: ignore[import-untyped]
        DatetimeEncoder,
        TableVectorizer,
    )

    few = len(frame) <= 2 * MOST_CODES
    vectorizer = TableVectorizer(
        low_cardinality=_codes(),
        high_cardinality=_codes() if few else "drop",
        datetime=DatetimeEncoder(add_weekday=True),
        drop_if_constant=True,
        datetime_format=form,
    )
    vectorizer.fit(frame)
    return {name: _read(vectorizer, name, column) for name, column in columns.items()}


def _codes() -> Any:
    """Return the encoder that lists the categories of a column."""
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        dtype=np.float32,
    )


def _read(vectorizer: Any, name: str, column: "pd.Series[Any]") -> ColumnFacts:
    """Return what a fitted vectorizer says about one column."""
    kind = vectorizer.column_to_kind_.get(name)
    cells = column.to_numpy(dtype=object).tolist()
    texts = {cell for cell in cells if isinstance(cell, str) and not is_null_text(cell)}
    if kind is None:
        empty = not texts and all(is_missing(c) or isinstance(c, str) for c in cells)
        return ColumnFacts("empty" if empty else "constant")
    if kind == "numeric":
        return ColumnFacts("number", from_text=bool(texts))
    steps = {type(s).__name__: s for s in vectorizer.all_processing_steps_[name]}
    if kind == "datetime":
        read = steps["ToDatetime"]
        return ColumnFacts(
            "date",
            from_text=bool(texts),
            parts=tuple(steps["DatetimeEncoder"].extracted_features_),
            form=read.format_,
            zone=read.output_time_zone_,
        )
    few = kind == "low_cardinality"
    codes = steps.get("OrdinalEncoder")
    categories = () if codes is None else _ordered(codes.categories_[0], column)
    n_texts = len(categories) or len(texts)
    return ColumnFacts("category" if few else "text", False, n_texts, categories)


def _ordered(found: Any, column: "pd.Series[Any]") -> tuple[str, ...]:
    """Return categories in the order of their codes.

    A declared order is kept; otherwise numbers come first, by size, then texts.
    """
    categories = [text for text in found.tolist() if isinstance(text, str)]
    dtype: Any = column.dtype
    if getattr(dtype, "ordered", False):
        declared = [str(value) for value in dtype.categories]
        return tuple(text for text in declared if text in set(categories))
    return tuple(sorted(categories, key=_place))


def _place(text: str) -> tuple[bool, float, str]:
    """Return what a category is sorted by."""
    try:
        value = float(text) if text.isascii() and "_" not in text else float("nan")
    except ValueError:
        value = float("nan")
    spells_number = np.isfinite(value)
    return not spells_number, value if spells_number else 0.0, text
