"""From a raw table to rows to learn from and rows to be judged on.

Rows are divided first, and whatever is said of that is said in sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._random import spawn_seeds
from semikd._tables import refuse_equal_names
from semikd._validation import Shown, counted
from semikd.crossfit import row_hashes
from semikd.evaluation import Table
from semikd.evaluation.tables import split_table
from semikd.job._refusals import refusal
from semikd.job.labels import BroughtLabels, read_labels
from semikd.job.observed import observed_values
from semikd.job.parts import Parts, held_out_parts
from semikd.job.remarks import (
    copied,
    left_out,
    on_both_sides,
    parted_by_labels,
    unlabelled,
)
from semikd.job.roles import (
    check_roles,
    read_groups,
    read_weights,
    refuse_infinite,
    weights_of_rows,
)
from semikd.job.settings import Settings
from semikd.job.target import Target, read_target

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RawSides", "raw_sides"]

# Below this share of all rows the rows without labels are no test.
_SMALLEST_TEST = 0.02
# Two rows of a class to learn from, in different folds, and one to judge by.
_FEWEST = 3


@dataclass(frozen=True)
class RawSides:
    """Training and held-out rows as they came, and what is predicted.

    Parameters
    ----------
    target : Target
        The column to predict.
    train, test : Table
        Rows with raw frames as their covariates.
    rows : ndarray of shape (n_train,)
        Position of each training row in the table.
    notes : tuple of str
        What was decided, in sentences.
    labels : BroughtLabels or None
        Labels that were brought for the rows of the table.
    parts : Parts or None
        Parts of the held-out rows that are judged one by one.
    """

    target: Target
    train: Table
    test: Table
    rows: NDArray[np.intp]
    notes: tuple[str, ...]
    labels: BroughtLabels | None = None
    parts: Parts | None = None


def raw_sides(
    frame: "pd.DataFrame",
    settings: Settings,
    *,
    held_out: "pd.DataFrame | None" = None,
) -> RawSides:
    """Return the rows to learn from and the rows to be judged on.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    settings : Settings
        Which columns play which role, and how much is held out.
    held_out : pandas.DataFrame, optional
        Held-out rows that were brought.

    Returns
    -------
    RawSides

    Raises
    ------
    UsageError
        If a column does not exist or cannot play its role.
    ValueError
        If a class is missing on one side.
    """
    refuse_equal_names(frame, "TABLE")
    refuse_equal_names(held_out, "--test")
    roles = {
        "--target": settings.target,
        "--groups": settings.groups,
        "--weight": settings.weight,
        "--key": settings.key,
    }
    task = None if settings.task == "auto" else settings.task
    target = read_target(frame, settings.target, task=task)
    if target.task == "regression":
        settings.refuse_classes()
    names = check_roles(frame.columns, roles)
    labels = None if target.classes is None else np.unique(target.values)
    frame = frame.reset_index(drop=True)
    whole = _table(frame, names, target.values, labels, settings)
    _refuse_weightless(whole)
    brought = _labels(settings, frame, whole, target)
    kept = (
        f"{target.sentence}.",
        *left_out(settings),
        *parted_by_labels(whole, brought),
    )
    if held_out is not None:
        y = observed_values(held_out, target.name, labels, role="--test")
        test = _table(held_out, names, y, labels, settings, name="--test")
        _refuse_lacking(test, "--test", "the held-out rows")
        train, notes = whole, (*kept, *on_both_sides(whole, test))
    else:
        train, test, said = _divided(whole, settings, brought)
        notes = (*kept, *said)
    rows = np.asarray(train.X.index, dtype=np.intp)
    if train.weights is not None:
        weights, said = weights_of_rows(train.weights)
        train, notes = replace(train, weights=weights), (*notes, *said)
    notes = (*notes, *unlabelled(brought, rows), *copied(test))
    parts = held_out_parts(train, test, settings)
    notes = notes if parts is None else (*notes, *parts.notes)
    return RawSides(target, train, test, rows, notes, brought, parts)


def _table(
    frame: "pd.DataFrame",
    names: Sequence[str],
    y: NDArray[Any],
    labels: NDArray[Any] | None,
    settings: Settings,
    *,
    name: str = "TABLE",
) -> Table:
    """Return a frame as covariates, target, weights and groups."""
    missing = [column for column in names if column not in frame.columns]
    if missing:
        remedy = "It needs every column that is learned from"
        raise refusal(name, f"have the column {missing[0]!r}", Shown("none"), remedy)
    refuse_infinite(frame[list(names)], name=name)
    return Table(
        frame[list(names)],
        y,
        None if settings.weight is None else read_weights(frame, settings.weight),
        None if settings.groups is None else read_groups(frame, settings.groups),
        labels is not None,
        labels,
    )


def _refuse_weightless(whole: Table) -> None:
    """Refuse a class whose rows all weigh nothing."""
    if whole.classes is None or whole.weights is None:
        return
    lost = np.setdiff1d(whole.classes, whole.y[whole.weights > 0]).tolist()
    if lost:
        shown = Shown(f"only zeros for class {lost[0]!r}")
        remedy = "Remove the rows of that class"
        raise refusal("--weight", "be positive in every class", shown, remedy)


def _refuse_lacking(side: Table, name: str, rows: str) -> None:
    """Refuse a side that was brought and cannot be learned from, or judged by."""
    y = side.y if side.weights is None else side.y[side.weights > 0]
    if len(y) < 2:
        shown = Shown(counted(len(y), "row"))
        raise refusal(name, f"leave two or more for {rows}", shown, "Bring more")
    lost = [] if side.classes is None else np.setdiff1d(side.classes, y).tolist()
    if lost:
        shown = Shown(f"none of class {lost[0]!r}")
        remedy = "Bring rows of all, or leave the class out"
        raise refusal(name, f"leave every class among {rows}", shown, remedy)


def _labels(
    settings: Settings, frame: "pd.DataFrame", whole: Table, target: Target
) -> BroughtLabels | None:
    """Return the labels that were brought for these rows."""
    if settings.labels is None:
        return None
    return read_labels(
        settings.labels,
        frame,
        classes=target.classes,
        key=settings.key,
        covariates=whole.X,
    )


def _divided(
    whole: Table, settings: Settings, labels: BroughtLabels | None
) -> tuple[Table, Table, tuple[str, ...]]:
    """Return both sides of a table, and what was decided."""
    n_rows = len(whole.y)
    unlabelled = np.zeros(n_rows, bool) if labels is None else labels.missing
    if unlabelled.mean() >= _SMALLEST_TEST:
        train, test = (
            whole.take(np.flatnonzero(side)) for side in (~unlabelled, unlabelled)
        )
        _refuse_lacking(train, "--labels", "the rows with a label")
        _refuse_lacking(test, "--labels", "the rows without a label, held out")
        n_held = counted(len(test.y), "row")
        said = f"The {n_held} without a label in the file of labels are held out."
        return train, test, (said, *on_both_sides(train, test))
    _refuse_rare(whole)
    train, test = _split(whole, settings)
    n_weightless = n_rows - len(train.y) - len(test.y)
    said = (
        f"{len(test.y):,} of {n_rows - n_weightless:,} rows are held out, drawn by "
        "their content: copies of a row are on one side."
    )
    if n_weightless:
        said = f"{counted(n_weightless, 'row')} of weight 0 left out. {said}"
    if labels is None:
        return train, test, (said,)
    leak = (
        "The teachers of the labels may have seen the held-out rows, so that distilled "
        "arms may look better than they are. Leave rows out of the file of labels, or "
        "bring held-out rows with --test FILE."
    )
    return train, test, (said, leak)


def _refuse_rare(whole: Table) -> None:
    """Refuse a class with too few rows to learn from two of them and judge by one."""
    if whole.classes is None:
        return
    counts = np.bincount(whole.codes, minlength=len(whole.classes))
    rare = whole.classes[counts < _FEWEST].tolist()
    if rare:
        shown = Shown(f"{counts.min()} of class {rare[0]!r:.80}")
        constraint = f"have at least {_FEWEST} rows of every class to be divided"
        remedy = "Remove or merge such classes, or bring held-out rows with --test FILE"
        raise refusal("--target", constraint, shown, remedy)


def _split(whole: Table, settings: Settings) -> tuple[Table, Table]:
    """Return both sides of a split by content."""
    share = settings.test_share
    try:
        return split_table(
            whole.X,
            whole.y,
            share,
            whole.weights,
            whole.groups,
            spawn_seeds(settings.seed, 2)[1],
            classification=whole.classification,
        )
    except ValueError as error:
        if not str(error).startswith("test must leave"):
            raise
        what = "class" if whole.classification else "two rows"
        finer = "" if whole.groups is None else " or finer groups"
        n_distinct = len(np.unique(row_hashes(whole.X)))
        alike = f" ({n_distinct} distinct)" if n_distinct < len(whole.y) else ""
        shown = Shown(f"{share:g} of {len(whole.y)} rows{alike}, which does not")
        remedy = f"Choose another share{finer}, or name a file of held-out rows"
        raise refusal(
            "--test", f"leave every {what} on both sides", shown, remedy
        ) from None
