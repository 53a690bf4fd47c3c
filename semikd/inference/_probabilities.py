"""Outcomes and probabilities of several models, as tables of one shape."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import label_positions, refuse_missing
from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    counted,
    finite_array,
    invalid,
)
from semikd.crossfit import OutOfFold
from semikd.crossfit.checks import check_honest

# How far rounding in single precision moves a probability out of [0, 1].
_ROUNDING = 1e-6


class Given(NamedTuple):
    """Outcomes and probabilities (n, k), which rows have all of them, and words."""

    outcome: FloatArray
    student: FloatArray
    teachers: dict[str, FloatArray]
    usable: NDArray[np.bool_]
    conditions: tuple[str, ...]


def given_probabilities(
    y: ArrayLike,
    student: ArrayLike | OutOfFold,
    teachers: Mapping[str, Any],
) -> Given:
    """Return what arrays and records of labels hold, the rows in their order."""
    only = tuple(teachers) == ("teacher",)
    given: dict[str, Any] = {"student": student} | {
        "teacher" if only else f"teacher[{name!r}]": p for name, p in teachers.items()
    }
    records = {name: p for name, p in given.items() if isinstance(p, OutOfFold)}
    vectors = [not isinstance(p, OutOfFold) and np.ndim(p) == 1 for p in given.values()]
    # Labels of two classes are read as a vector where one stands beside them.
    one = vectors[0] or (isinstance(student, OutOfFold) and any(vectors))
    f, said = _table(student, one), {k: _table(p, one) for k, p in teachers.items()}
    if not records:
        found = checked_probabilities(y, f, said)
        return Given(*found, np.ones(len(found[1]), dtype=bool), ())
    usable = np.ones(len(np.asarray(y)), dtype=bool)
    for name, record in records.items():
        check_honest(record, "inference", "Cross-fit with an integer cv", name=name)
        check_shape(f"{name}.fold", record.fold, (None, len(usable)))
        usable &= record.labelled
    classes = _one_order(records)
    words = _one_table(records)
    labels = np.asarray(y)
    if labels.ndim == 1:
        refuse_missing("y", labels)
        labels = label_positions(labels, classes)
    found = checked_probabilities(labels, f, said)
    made = "; ".join(f"{name}: {each.strategy}" for name, each in records.items())
    honest = f"labels are of teachers that did not see the row ({made})"
    return Given(*found, usable, (honest, *words))


def _one_order(records: dict[str, OutOfFold]) -> NDArray[np.generic]:
    """Return the classes of the records, refusing records of different ones."""
    (first, record), *others = records.items()
    known = np.asarray(record.classes)
    for name, other in others:
        if (mine := np.asarray(other.classes).tolist()) != known.tolist():
            constraint = f"have the classes of {first}, {known.tolist()}"
            raise invalid(name, constraint, mine)
    return known


def _one_table(records: dict[str, OutOfFold]) -> tuple[str, ...]:
    """Refuse records of other rows, or in another order; return what is not seen."""
    (first, record), *others = records.items()
    unseen = False
    for name, other in others:
        differ = other.row_hash != record.row_hash
        # Of other columns every hash is another one, and tells nothing of the rows.
        if np.isin(other.row_hash[differ], record.row_hash).any():
            shown = Shown(
                f"others in {counted(int(differ.sum()), 'place')} "
                f"(first: row {int(differ.argmax())})"
            )
            remedy = (
                "Reorder them with labels.align(X); pass labels.mean if they read "
                "other columns of the same rows"
            )
            raise invalid(
                name, f"hold the rows of {first}, in their order", shown, remedy
            )
        unseen = unseen or bool(differ.any())
    return ("records of different columns are of the same rows, in one order",) * unseen


def _table(p: ArrayLike | OutOfFold, one: bool) -> ArrayLike:
    """Return probabilities, of the second class alone where asked, uniform for none."""
    if not isinstance(p, OutOfFold):
        return p
    k = p.prediction.shape[2]
    table = np.where(p.labelled[:, None], p.mean, 1.0 / k)
    return np.asarray(table[:, 1] if one and k == 2 else table)


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
    if None not in shape and np.shape(values) != shape:
        remedy = "Pass probabilities of the same rows and classes as those of student"
        lengths = f"({shape[0]},)" if len(shape) == 1 else str(shape)
        raise invalid(
            name, f"have shape {lengths}", Shown(str(np.shape(values))), remedy
        )
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
