"""Outcomes and probabilities of several models, as tables of one shape."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import FloatArray, Shown, check_shape, finite_array, invalid

# How far rounding in single precision moves a probability out of [0, 1].
_ROUNDING = 1e-6


def checked_probabilities(
    y: ArrayLike, student: ArrayLike, teachers: dict[str, ArrayLike]
) -> tuple[FloatArray, FloatArray, dict[str, FloatArray]]:
    """Return outcomes, the student's and each teacher's probabilities, (n, k)."""
    axes = 1 if np.ndim(student) == 1 else 2
    f = _probabilities("student", student, (None,) * axes)
    only = tuple(teachers) == ("teacher",)
    said = {
        name: _probabilities("teacher" if only else f"teacher[{name!r}]", p, f.shape)
        for name, p in teachers.items()
    }
    labels = finite_array("y", y, shape=(None,) * max(np.ndim(y), 1))
    if labels.shape == f.shape:
        bad = (labels != 0) & (labels != 1)
        remedy = "Pass 0 and 1, or positions of classes beside (n, k) probabilities"
        _refuse(bad, labels, "hold 0 and 1 only", remedy)
        outcome = labels
    else:
        check_shape("y", labels, (len(f),))
        bad = ~np.isin(labels, np.arange(f.shape[-1]))
        _refuse(bad, labels, f"be positions of classes, 0 to {f.shape[-1] - 1}", "")
        outcome = np.eye(f.shape[-1])[labels.astype(np.intp)]
    if axes == 1:
        said = {name: p[:, None] for name, p in said.items()}
        return outcome[:, None], f[:, None], said
    return outcome, f, said


def _probabilities(
    name: str, values: ArrayLike, shape: tuple[int | None, ...]
) -> FloatArray:
    """Return an array of probabilities, refusing scores, percentages and one column."""
    found = finite_array(name, values, shape=shape)
    if found.ndim == 2 and found.shape[1] == 1:
        remedy = "Pass a vector for one class, as in predict_proba(X)[:, 1]"
        constraint = "have shape (n,), or (n, k) with a column for each class"
        raise invalid(name, constraint, Shown(str(found.shape)), remedy)
    bad = (found < -_ROUNDING) | (found > 1.0 + _ROUNDING)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        shown = Shown(f"{found[bad][0]:g} in row {row} ({int(bad.sum())} such values)")
        remedy = "Pass predict_proba, neither scores nor percentages"
        raise invalid(name, "hold probabilities in [0, 1]", shown, remedy)
    return found


def _refuse(
    bad: NDArray[np.bool_], labels: FloatArray, constraint: str, remedy: str
) -> None:
    """Refuse outcomes that are none, with the first of them."""
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        shown = Shown(f"{labels[bad][0]:g} in row {row}")
        raise invalid("y", constraint, shown, remedy)
