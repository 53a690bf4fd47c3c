"""The class of each row, by its position among those that probabilities are of."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import Shown, check_shape, invalid

__all__ = ["class_positions"]

# Classes that a message lists before it breaks off.
_MOST_NAMES = 8


def class_positions(
    name: str, y: ArrayLike, classes: NDArray[Any], n_rows: int
) -> NDArray[np.intp]:
    """Return the position of each row's class, refusing classes that are not there."""
    labels = np.asarray(y)
    check_shape(name, labels, (n_rows,))
    place = {each: at for at, each in enumerate(classes.tolist())}
    strange = [each for each in labels.tolist() if each not in place]
    if strange:
        listed = ", ".join(map(repr, classes.tolist()[:_MOST_NAMES]))
        more = " and others" if len(classes) > _MOST_NAMES else ""
        constraint = f"hold the classes {listed}{more}"
        raise invalid(name, constraint, Shown(f"{strange[0]!r} too"))
    return np.array([place[each] for each in labels.tolist()], dtype=np.intp)
