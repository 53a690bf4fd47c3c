"""Many dates of one width read at once: a million of them one by one takes seconds.

Only texts in which every part has its full width are read here, such as 05/01/2020 but
not 5/1/2020; whatever does not fit is left to the reader of single texts.
"""

import re

import numpy as np
from numpy.typing import NDArray

_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}
_LARGEST = {"Y": 9999, "m": 12, "d": 31, "H": 23, "M": 59, "S": 59}
_SECOND = 1_000_000


def read_fixed(texts: list[str], form: str) -> dict[str, int]:
    """Return the moments of the texts that fit a form of parts of fixed width."""
    pieces = re.split(r"%(.)", form)
    if not set(pieces[1::2]) <= set(_WIDTHS):
        return {}
    places: dict[str, slice] = {}
    layout = ""
    for literal, part in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        layout += literal
        if part:
            places[part] = slice(len(layout), len(layout) + _WIDTHS[part])
            layout += "\0" * _WIDTHS[part]
    fitting = [text for text in texts if len(text) == len(layout)]
    if not fitting:
        return {}
    characters = _characters("".join(fitting)).reshape(len(fitting), len(layout))
    moments, valid = _moments(characters, _characters(layout), places)
    rows = np.flatnonzero(valid).tolist()
    found: list[int] = moments.tolist()
    return {fitting[row]: found[row] for row in rows}


def _characters(text: str) -> NDArray[np.int64]:
    """Return the code points of a text."""
    raw = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(raw, dtype="<u4").astype(np.int64)


def _moments(
    characters: NDArray[np.int64], layout: NDArray[np.int64], places: dict[str, slice]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return moments of rows of characters, and which of the rows are dates."""
    literal = layout != 0
    digits = characters - ord("0")
    fits: NDArray[np.bool_] = (characters[:, literal] == layout[literal]).all(axis=1)
    fits &= ((digits >= 0) & (digits <= 9))[:, ~literal].all(axis=1)
    parts = dict.fromkeys(_WIDTHS, np.zeros(len(digits), dtype=np.int64))
    parts |= {"m": parts["m"] + 1, "d": parts["d"] + 1}
    for name, place in places.items():
        powers = 10 ** np.arange(_WIDTHS[name])[::-1]
        value = np.where(fits[:, np.newaxis], digits[:, place], 0) @ powers
        fits &= (value <= _LARGEST[name]) & (value >= (name in "Ymd"))
        parts[name] = value
    month = (parts["Y"] - 1970) * 12 + np.clip(parts["m"], 1, 12) - 1
    first = month.astype("datetime64[M]").astype("datetime64[D]")
    day = first + (parts["d"] - 1).astype("timedelta64[D]")
    fits &= day.astype("datetime64[M]").astype(np.int64) == month
    seconds = parts["H"] * 3600 + parts["M"] * 60 + parts["S"]
    return (day.astype(np.int64) * 86_400 + seconds) * _SECOND, fits
