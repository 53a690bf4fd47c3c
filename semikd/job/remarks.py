"""What a reader of the scores must know of how the rows were divided."""

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit import row_hashes
from semikd.crossfit.folds import n_divided
from semikd.evaluation import Table
from semikd.evaluation.tables import n_copies
from semikd.job.labels import BroughtLabels
from semikd.job.settings import Settings

__all__ = ["copied", "left_out", "on_both_sides", "parted_by_labels", "unlabelled"]


def left_out(settings: Settings) -> list[str]:
    """Return which columns play a role and are not learned from."""
    roles = {
        "groups": settings.groups,
        "weights": settings.weight,
        "the key of the labels": settings.key,
    }
    return [
        f"Column {column!r} holds {role} and is not learned from."
        for role, column in roles.items()
        if column is not None
    ]


def parted_by_labels(whole: Table, labels: BroughtLabels | None) -> tuple[str, ...]:
    """Return how many groups the folds of brought labels divide."""
    if labels is None or whole.groups is None:
        return ()
    known = labels.fold >= 0
    groups = whole.groups[known]
    n_parted, n_groups = n_divided(groups, labels.fold[known]), len(np.unique(groups))
    if not n_parted:
        return ()
    return (
        f"The folds of the labels divide {n_parted:,} of {n_groups:,} groups, so "
        "that teachers labelled rows of groups that they had seen.",
    )


def on_both_sides(train: Table, test: Table) -> tuple[str, ...]:
    """Return how much of the held-out rows that were brought is in training, too."""
    said = []
    n_known = int(np.isin(row_hashes(test.X), row_hashes(train.X)).sum())
    if n_known:
        said.append(
            f"{n_known:,} of {len(test.y):,} held-out rows have a copy among the "
            "training rows, so that every score may look better than it is."
        )
    if train.groups is not None and test.groups is not None:
        held = set(test.groups.tolist())
        n_shared = len(held & set(train.groups.tolist()))
        if n_shared:
            said.append(
                f"{n_shared:,} of {len(held):,} held-out groups have training rows, "
                "too, so that every score may look better than it is for new groups."
            )
    return tuple(said)


def copied(test: Table) -> tuple[str, ...]:
    """Return how many held-out rows equal another, where most do and nobody says why.

    The target counts, too: intervals take copies of one observation for several.
    """
    n_copied = n_copies(test)
    if not n_copied:
        return ()
    return (
        f"{n_copied:,} of {len(test.y):,} held-out rows equal another one, target "
        "included. If they are copies and not chance, intervals are too narrow: remove "
        "them, or name the source of each row in --groups.",
    )


def unlabelled(labels: BroughtLabels | None, rows: NDArray[np.intp]) -> tuple[str, ...]:
    """Return how many training rows have no brought label."""
    n_without = 0 if labels is None else int(labels.missing[rows].sum())
    if not n_without:
        return ()
    return (
        f"{n_without:,} of {len(rows):,} training rows have no label in the file: "
        "students from scratch learn from them, distilled ones do not.",
    )
