"""Class labels and notes that survive a text file as what they were."""

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, choose, invalid

__all__ = ["Label", "check_about", "label_array", "label_format"]

Label: TypeAlias = str | int | float | bool

_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_FLOATS = ["float16", "float32", "float64"]

# Format -> the type that its labels have in Python; object takes all.
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (bool, float, int, str),
    "text": (str,),
    "bool": (bool,),
    **dict.fromkeys(_INTEGERS, (int,)),
    **dict.fromkeys(_FLOATS, (float,)),
}

_MAX_CLASSES = 10_000
_LONGEST = 1000
_MAX_NOTES = 100
_LONGEST_NOTE = 10_000


def label_format(classes: Any) -> str:
    """Return the word for the format of an array of labels."""
    dtype = np.asarray(classes).dtype
    if dtype.kind == "U":
        return "text"
    return dtype.name if dtype.name in _TYPES else "object"


def label_array(classes: tuple[Label, ...], form: str | None) -> NDArray[Any]:
    """Return labels as an array of that format; ``ValueError`` if they do not fit."""
    if not 2 <= len(classes) <= _MAX_CLASSES:
        constraint = f"be between 2 and {_MAX_CLASSES:,}"
        raise invalid("classes", constraint, Shown(str(len(classes))))
    types = choose("class_format", "object" if form is None else form, _TYPES)
    for label in classes:
        fits = type(label) in types and not _endless(label)
        if not fits or len(str(label)) > _LONGEST:
            constraint = f"be labels of the format {form!r}"
            raise invalid("classes", constraint, label)
    if len({str(label) for label in classes}) != len(classes):
        raise invalid("classes", "be different", Shown("equal ones"))
    if form is None:
        return np.array(classes)
    try:
        return np.array(classes, dtype=np.str_ if form == "text" else form)
    except OverflowError:
        raise invalid("classes", f"fit into {form}", Shown("larger ones")) from None


def _endless(value: object) -> bool:
    """Return whether a number is missing or infinite, which no JSON can say."""
    return isinstance(value, float) and not math.isfinite(value)


def check_about(about: Mapping[str, Any]) -> None:
    """Refuse notes that are no short names with short text, numbers or None."""
    if not isinstance(about, Mapping) or len(about) > _MAX_NOTES:
        constraint = f"have at most {_MAX_NOTES} names"
        raise invalid("about", constraint, Shown("more, or another kind"))
    for name, value in about.items():
        named = isinstance(name, str) and len(name) <= _LONGEST
        plain = value is None or isinstance(value, str | int | float)
        if not named or not plain or len(str(value)) > _LONGEST_NOTE:
            constraint = "hold short text, numbers or None by name"
            raise invalid("about", constraint, {name: value})
        if _endless(value):
            raise invalid("about", "hold finite numbers", {name: value})
