"""Moments in time out of cells, and their parts, with numpy and the standard library.

Notes
-----
A moment is a count of microseconds since 1970: in UTC where the column has a time zone,
by its own clock where it has none. Texts are read strictly in one format, in English.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.encoding._fixed_dates import read_fixed
from semikd.encoding._values import is_missing, is_null_text

PARTS = ("year", "month", "day", "hour", "total_seconds", "weekday")
_DAY_NAMES = "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday"
WEEKDAYS = tuple(_DAY_NAMES.split(","))
_MONTH_NAMES = (
    "January,February,March,April,May,June,July,August,September,October,November,"
    "December"
)
_MONTHS = tuple(_MONTH_NAMES.split(","))

_SECOND = 1_000_000
_NOT_A_TIME = np.iinfo(np.int64).min
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# Since this moment (after Liberia's of 1972) zones change at quarters of an hour only.
_MODERN = 94_694_400
_QUARTER = 900
_EARLIEST, _LATEST = -62_135_510_400, 253_402_214_400
_LONGEST = 64
# From here on, reading all texts at once is faster than one by one.
_MANY = 100

_DIRECTIVES = {
    "Y": r"\d{4}",
    "m": r"1[0-2]|0[1-9]|[1-9]",
    "d": r"3[01]|[12]\d|0[1-9]|[1-9]| [1-9]",
    "H": r"2[0-3]|[01]\d|\d",
    "I": r"1[0-2]|0[1-9]|[1-9]",
    "M": r"[0-5]\d|\d",
    "S": r"6[01]|[0-5]\d|\d",
    "f": r"\d{1,9}",
    "z": r"[+-]\d\d(?::?[0-5]\d)?(?::?[0-5]\d)?|(?-i:Z)",
    "Z": "UTC|GMT",
    "p": "AM|PM",
    "B": "|".join(_MONTHS),
    "b": "|".join(name[:3] for name in _MONTHS),
    "A": "|".join(WEEKDAYS),
    "a": "|".join(name[:3] for name in WEEKDAYS),
}


def is_form(form: str) -> bool:
    """Return whether dates of this form can be read here."""
    directives = _pieces(form)[1::2]
    once = len(set(directives)) == len(directives)
    known = once and "Y" in directives and set(directives) <= set(_DIRECTIVES)
    return known and len(form) <= _LONGEST


def check_form(form: str) -> None:
    """Refuse a form of dates that cannot be read here."""
    if not is_form(form):
        known = ", ".join(f"%{letter}" for letter in _DIRECTIVES)
        constraint = f"name a year and use each of {known} at most once"
        raise invalid("form of dates", constraint, form)


def _pieces(form: str) -> list[str]:
    """Return what stands between the directives of a form, and their letters."""
    return re.split(r"%(.)", re.sub(r"\s+", " ", form))


# Compiling takes milliseconds, so that forms are compiled when there is a text to read.
@lru_cache(maxsize=256)
def text_pattern(form: str) -> re.Pattern[str]:
    """Return the pattern of dates written in a form such as ``%d/%m/%Y``."""
    pieces = _pieces(form)
    pattern = ""
    for literal, directive in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        pattern += re.escape(literal).replace(r"\ ", r"\s+")
        if directive:
            pattern += f"(?P<{directive}>{_DIRECTIVES[directive]})"
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _parsed(text: str, pattern: re.Pattern[str]) -> int | None:
    """Return the moment that a text spells, None where it does not fit the pattern."""
    match = pattern.fullmatch(text)
    if match is None:
        return None
    found = {key: value for key, value in match.groupdict().items() if value}
    try:
        day = date(int(found["Y"]), _month(found), int(found.get("d", "1")))
    except ValueError:
        return None
    seconds = int(found.get("M", "0")) * 60 + int(found.get("S", "0"))
    seconds += _hour(found) * 3600 - _offset(found.get("z", "Z"))
    seconds += (day.toordinal() - _EPOCH_DAY) * 86_400
    return seconds * _SECOND + int(found.get("f", "0").ljust(6, "0")[:6])


def _month(found: dict[str, str]) -> int:
    """Return the month, January where none is written."""
    name = found.get("B") or found.get("b")
    if name is None:
        return int(found.get("m", "1"))
    return [month[:3].lower() for month in _MONTHS].index(name[:3].lower()) + 1


def _hour(found: dict[str, str]) -> int:
    """Return the hour of the day, of 24 hours or of twice 12."""
    if "I" not in found:
        return int(found.get("H", "0"))
    return int(found["I"]) % 12 + 12 * (found.get("p", "").lower() == "pm")


def _offset(written: str) -> int:
    """Return an offset from UTC such as +0530 in seconds."""
    if written == "Z":
        return 0
    digits = written[1:].replace(":", "").ljust(6, "0")
    size = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return -size if written[0] == "-" else size


def _iso(text: str) -> int | None:
    """Return the moment of an ISO 8601 text."""
    try:
        return _of_datetime(datetime.fromisoformat(text))
    except ValueError:
        return None


def _of_datetime(moment: datetime) -> int:
    """Return the count of microseconds of a datetime."""
    offset = moment.utcoffset() or timedelta()
    gap = moment.replace(tzinfo=None) - offset - datetime(1970, 1, 1)
    return gap // timedelta(microseconds=1)


def moments(
    values: NDArray[Any], form: str | None
) -> tuple[NDArray[np.datetime64], NDArray[np.intp]]:
    """Return cells as moments, NaT where missing, and the rows that cannot be read.

    Without a form, texts are read as ISO 8601.
    """
    if values.dtype.kind == "M":
        return values.astype("datetime64[us]"), np.empty(0, dtype=np.intp)
    cells = values.tolist()
    known = _of_texts({cell for cell in cells if isinstance(cell, str)}, form)
    hits = [known.get(cell) if isinstance(cell, str) else None for cell in cells]
    unreadable = []
    for row in [row for row, hit in enumerate(hits) if hit is None]:
        hits[row] = _of_object(cells[row])
        if hits[row] is None and not _is_empty(cells[row]):
            unreadable.append(row)
    found = np.array([_NOT_A_TIME if hit is None else hit for hit in hits], np.int64)
    return found.view("datetime64[us]"), np.array(unreadable, dtype=np.intp)


def _is_empty(cell: object) -> bool:
    """Return whether a cell holds nothing, or a word for it."""
    return is_null_text(cell) if isinstance(cell, str) else is_missing(cell)


def _of_texts(texts: set[str], form: str | None) -> dict[str, int | None]:
    """Return the moment of each text, None where it cannot be read."""
    if form is None:
        return {text: _iso(text) for text in texts}
    if not texts:
        return {}
    known: dict[str, int | None] = {}
    if len(texts) > _MANY:
        known |= read_fixed(list(texts), form)
    pattern = text_pattern(form)
    rest = (text for text in texts if text not in known)
    return known | {text: _parsed(text, pattern) for text in rest}


def _of_object(cell: object) -> int | None:
    """Return the moment in a date, a datetime or a numpy datetime, None elsewhere."""
    if is_missing(cell):
        return None
    if isinstance(cell, datetime):
        return _of_datetime(cell)
    if isinstance(cell, date):
        return (cell.toordinal() - _EPOCH_DAY) * 86_400 * _SECOND
    if isinstance(cell, np.datetime64):
        return int(cell.astype("datetime64[us]").astype(np.int64))
    return None


# More than there are: a zone is a file to read.
@lru_cache(maxsize=4096)
def time_zone(name: str) -> tzinfo:
    """Return a time zone by its name, or by an offset such as ``UTC+02:00``."""
    fixed = re.fullmatch(r"UTC(?:([+-])(\d\d):([0-5]\d))?", name)
    if fixed is not None:
        sign, hours, minutes = fixed.groups(default="0")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset < timedelta(hours=24):
            return timezone(-offset if sign == "-" else offset) if offset else UTC
    try:
        return ZoneInfo(name[: _LONGEST + 1])
    except (KeyError, OSError, ValueError):
        raise invalid(
            "time zone",
            "be in this computer's list of time zones",
            Shown(repr(name[:_LONGEST])),
            "Install the package tzdata where the system has no such list",
        ) from None


def local_clock(
    utc: NDArray[np.datetime64], zone: str | None
) -> NDArray[np.datetime64]:
    """Return moments in UTC by the clock of a time zone."""
    if zone is None or zone == "UTC":
        return utc
    seconds = utc.view(np.int64) // _SECOND
    seconds = np.clip(seconds, _EARLIEST, _LATEST)
    # An offset is looked up once for every quarter of an hour that occurs.
    whole = np.where(seconds >= _MODERN, seconds // _QUARTER * _QUARTER, seconds)
    distinct, position = np.unique(whole, return_inverse=True)
    clock = time_zone(zone)
    offsets = np.array(
        [_offset_at(clock, second) for second in distinct.tolist()], dtype=np.int64
    )
    shift = (offsets[position] * _SECOND).astype("timedelta64[us]")
    local: NDArray[np.datetime64] = utc + shift
    return local


def _offset_at(clock: tzinfo, second: int) -> int:
    """Return the offset of a zone in whole seconds at a second since 1970."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=second)
    offset = moment.astimezone(clock).utcoffset() or timedelta()
    return int(offset.total_seconds())


def fill_parts(
    out: NDArray[np.float32],
    utc: NDArray[np.datetime64],
    zone: str | None,
    parts: tuple[str, ...],
) -> None:
    """Write the parts of moments into the columns of ``out``, NaN for a missing one."""
    clock = local_clock(utc, zone)
    days = clock.astype("datetime64[D]")
    for position, part in enumerate(parts):
        out[:, position] = _part(part, utc, clock, days)
    out[np.isnat(utc)] = np.nan


def _part(
    part: str,
    utc: NDArray[np.datetime64],
    clock: NDArray[np.datetime64],
    days: NDArray[np.datetime64],
) -> Any:
    """Return one part of moments; what stands where one is missing means nothing."""
    if part == "total_seconds":
        return utc.view(np.int64) / _SECOND
    if part == "year":
        return days.astype("datetime64[Y]").view(np.int64) + 1970
    if part == "month":
        return days.astype("datetime64[M]").view(np.int64) % 12 + 1
    if part == "day":
        return (days - days.astype("datetime64[M]")).view(np.int64) + 1
    if part == "hour":
        return clock.view(np.int64) // (3600 * _SECOND) % 24
    return (days.view(np.int64) + 3) % 7 + 1
