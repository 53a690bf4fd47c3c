"""Class labels as JSON values, and back, in the very type that they had."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid, wrong_type

__all__ = ["label_words", "labels_of"]

_NUMBERS = re.compile(r"bool|u?int(8|16|32|64)|float(16|32|64)")
_KINDS = {"b": (bool,), "i": (int,), "u": (int,), "f": (float,)}
_ANY = (bool, int, float, str)
_MOST_CLASSES = 1 << 20


def label_words(classes: NDArray[Any]) -> dict[str, Any]:
    """Return class labels as JSON values, with the kind of array that they are in."""
    form = {"U": "text", "O": "object"}.get(classes.dtype.kind, classes.dtype.name)
    words = {"format": form, "values": classes.tolist()}
    labels_of(words)
    return words


def labels_of(words: Mapping[str, Any]) -> NDArray[Any]:
    """Return the class labels that ``label_words`` described."""
    form, values = words["format"], words["values"]
    constraint = "be text, whole numbers, numbers or truth values"
    is_text = form == "text"
    if not is_text and form != "object" and not _NUMBERS.fullmatch(str(form)):
        raise wrong_type("classes", constraint, Shown(f"{form}"))
    if not isinstance(values, list) or not 2 <= len(values) <= _MOST_CLASSES:
        raise invalid("classes", f"be a list of 2 to {_MOST_CLASSES:,}", values)
    dtype = np.dtype({"text": np.str_, "object": object}.get(form, form))
    kinds = _KINDS.get(dtype.kind, (str,) if is_text else _ANY)
    strange = [value for value in values if type(value) not in kinds]
    if strange:
        raise wrong_type("classes", f"hold labels of the kind {form}", strange[0])
    labels = np.array(values, dtype=dtype)
    if not all(a < b for a, b in pairwise(labels.tolist())):
        raise invalid("classes", "be different, and in order", values)
    return labels
