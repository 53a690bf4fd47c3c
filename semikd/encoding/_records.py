"""Columns as JSON and back, where nothing that is read can be trusted.

Values from a file are never shown in full: their ``repr`` may be endless.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from semikd._validation import Shown, invalid
from semikd.encoding.categories import CategoryColumn
from semikd.encoding.dates import DateColumn
from semikd.encoding.numbers import NumberColumn, Scaling

Column = NumberColumn | CategoryColumn | DateColumn
Record = dict[str, Any]

_LONGEST_TEXT = 100_000


def column_record(column: Column) -> Record:
    """Return a column as JSON has it; what is at its default is left out."""
    record: Record = {"kind": column.kind, "name": column.name}
    if isinstance(column, NumberColumn):
        if column.scaling is not None:
            record["scaling"] = _scaling_record(column.scaling)
        return record
    if isinstance(column, CategoryColumn):
        record["categories"] = list(column.categories)
        flags = {"one_hot": column.one_hot, "missing": column.missing}
        return record | {name: True for name, value in flags.items() if value}
    record["parts"] = list(column.parts)
    texts = {"form": column.form, "zone": column.zone}
    record |= {name: text for name, text in texts.items() if text is not None}
    if column.scalings:
        record["scalings"] = [_scaling_record(scaling) for scaling in column.scalings]
    return record


def _scaling_record(scaling: Scaling) -> list[float]:
    """Return the three numbers of a scaling."""
    return [scaling.fill, scaling.center, scaling.scale]


def read_record(record: object, position: int) -> Column:
    """Return the column of a record, refusing whatever is no column."""
    where = f"columns[{position}]"
    entries = mapping(record, where)
    kind = text(entries.get("kind"), f"{where}.kind")
    name = text(entries.get("name"), f"{where}.name")
    if kind not in _READERS:
        constraint = f"be one of {', '.join(map(repr, _READERS))}"
        raise invalid(f"{where}.kind", constraint, Shown(repr(kind[:40])))
    try:
        return _READERS[kind](name, entries, where)
    except ValueError as error:
        line = str(error)
        raise ValueError(line if where in line else f"{where}: {line}") from None


def _number(name: str, entries: Record, where: str) -> NumberColumn:
    """Return a column of numbers."""
    scaling = entries.get("scaling")
    if scaling is None:
        return NumberColumn(name)
    return NumberColumn(name, _scaling(scaling, f"{where}.scaling"))


def _category(name: str, entries: Record, where: str) -> CategoryColumn:
    """Return a column of categories."""
    return CategoryColumn(
        name,
        _texts(entries.get("categories"), f"{where}.categories"),
        one_hot=_flag(entries.get("one_hot"), f"{where}.one_hot"),
        missing=_flag(entries.get("missing"), f"{where}.missing"),
    )


def _date(name: str, entries: Record, where: str) -> DateColumn:
    """Return a column of dates."""
    form, zone = entries.get("form"), entries.get("zone")
    return DateColumn(
        name,
        _texts(entries.get("parts"), f"{where}.parts"),
        form=None if form is None else text(form, f"{where}.form"),
        zone=None if zone is None else text(zone, f"{where}.zone"),
        scalings=tuple(
            _scaling(item, f"{where}.scalings")
            for item in sequence(entries.get("scalings", []), f"{where}.scalings")
        ),
    )


_READERS: dict[str, Callable[[str, Record, str], Column]] = {
    "number": _number,
    "category": _category,
    "date": _date,
}


def _scaling(value: object, where: str) -> Scaling:
    """Return the scaling of three numbers."""
    numbers = [_finite(item, where) for item in sequence(value, where)]
    if len(numbers) != 3:
        raise invalid(where, "hold three numbers", Shown(f"{len(numbers)} of them"))
    return Scaling(*numbers)


def _finite(value: object, where: str) -> float:
    """Return a finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise invalid(where, "hold finite numbers", kind_of(value))


def _flag(value: object, where: str) -> bool:
    """Return a truth value, False where there is none."""
    if value is None:
        return False
    if not isinstance(value, bool):
        raise invalid(where, "be true or false", kind_of(value))
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    """Return a tuple of texts."""
    return tuple(text(item, where) for item in sequence(value, where))


def text(value: object, where: str) -> str:
    """Return a text that is not absurdly long."""
    if not isinstance(value, str):
        raise invalid(where, "be a text", kind_of(value))
    if len(value) > _LONGEST_TEXT:
        constraint = f"have at most {_LONGEST_TEXT:,} characters"
        raise invalid(where, constraint, Shown(f"{len(value):,}"))
    return value


def sequence(value: object, where: str) -> list[Any]:
    """Return a list."""
    if not isinstance(value, list):
        raise invalid(where, "be a list", kind_of(value))
    return value


def mapping(value: object, where: str) -> Record:
    """Return a mapping."""
    if not isinstance(value, Mapping):
        raise invalid(where, "be a mapping", kind_of(value))
    return dict(value)


def kind_of(value: object) -> Shown:
    """Return what a value is, without showing it."""
    name = type(value).__name__
    article = "an" if name[0] in "aeiou" else "a"
    return Shown("nothing" if value is None else f"{article} {name}")
