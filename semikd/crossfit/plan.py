"""Which rows judge, and the teachers that needs, none of them fitted twice."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted, invalid, number
from semikd.crossfit.fold_teachers import FoldLabels
from semikd.crossfit.folds import Fold, Rows, n_divided
from semikd.crossfit.given import drawn_folds
from semikd.crossfit.record import UNLABELLED
from semikd.crossfit.rows import Indices, content_split, take_rows

__all__ = ["Plan", "fewest_of_a_class", "held_out_part", "nested_folds"]

# Which teacher, and the rows that it is asked about.
Question = tuple[int, Indices]
Asked = list[Question]


class Plan:
    """The teachers that are needed; those that would learn from the same rows are one.

    Parameters
    ----------
    active : ndarray of int
        Positions of the rows that count.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.plan import Plan
    >>> plan, one, two = Plan(np.arange(6)), np.array([0, 1]), np.array([2, 3])
    >>> both = np.union1d(one, two)
    >>> plan.ask(both, one)[0], plan.ask(both, two)[0], plan.jobs()[0].test.tolist()
    (0, 0, [0, 1, 2, 3])
    """

    def __init__(self, active: Indices) -> None:
        self.active = active
        self.places: dict[bytes, int] = {}
        self.train: list[Indices] = []
        self.asked: list[list[Indices]] = []

    def ask(self, without: Indices, about: Indices) -> Question:
        """Note that a teacher fitted without some rows is asked about others."""
        train = np.setdiff1d(self.active, without)
        place = self.places.setdefault(train.tobytes(), len(self.train))
        if place == len(self.train):
            self.train.append(train)
            self.asked.append([])
        self.asked[place].append(about)
        return place, about

    def jobs(self) -> list[Fold]:
        """Return the rows that each teacher learns from, and all that it is asked."""
        return [
            Fold(train, np.unique(np.concatenate(asked)))
            for train, asked in zip(self.train, self.asked, strict=True)
        ]

    @staticmethod
    def folds(said: FoldLabels, questions: list[Question]) -> FoldLabels:
        """Return the answers to some questions, as the folds of one division."""
        prediction = np.full_like(said.prediction[:1], np.nan)
        fold = np.full_like(said.fold[:1], UNLABELLED)
        for t, (place, about) in enumerate(questions):
            prediction[0, about] = said.prediction[place, about]
            fold[0, about] = t
        kept: tuple[tuple[Any, ...], ...] = ()
        if said.teachers:
            kept = (tuple(said.teachers[place][0] for place, _ in questions),)
        return FoldLabels(prediction, fold, kept, said.in_a_batch)


def nested_folds(cv: Any, rows: Rows, X: Any, y: NDArray[Any], seed: int) -> list[Fold]:
    """Return folds that leave rows to learn from when two of them are left out.

    Raises
    ------
    ValueError
        If there are fewer than three, ``cv`` makes no folds, a fold keeps rows from
        its teacher that it does not label (teachers of pairs learn from all the
        others), or a group is in several.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.plan import nested_folds
    >>> X, hashes = np.arange(6.0)[:, None], np.arange(6, dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(6, dtype=int), None, None, None)
    >>> len(nested_folds(3, rows, X, X[:, 0], seed=0))
    3
    """
    if isinstance(cv, str):
        remedy = "Such labels lean on their own outcomes, and cannot judge"
        raise invalid("cv", "be folds where students are chosen", cv, remedy)
    drawn = cv is None or isinstance(cv, int | np.integer)
    if not drawn and len(np.unique(rows.units[rows.active])) < 2:
        name, what = ("X", "rows") if rows.groups is None else ("groups", "groups")
        remedy = "What judges has no standard error"
        raise invalid(name, f"have two distinct {what} or more", Shown("one"), remedy)
    (folds,) = drawn_folds(cv, rows, X, y, seed=seed, fewest=3)
    if drawn:
        # Few distinct rows may leave two, of which neither can judge a teacher.
        return folds
    if len(folds) < 3:
        remedy = "Students are judged on a fold that labelling teachers leave out too"
        raise invalid("cv", "have three folds or more", len(folds), remedy)
    for t, fold in enumerate(folds):
        kept = np.setdiff1d(rows.active, np.union1d(fold.train, fold.test))
        if len(kept):
            constraint = "train each fold on all rows outside it to judge students"
            shown = Shown(f"{counted(len(kept), 'row')} neither side of fold {t} has")
            remedy = "Gaps and growing windows cannot be nested; use blocks of rows"
            raise invalid("cv", constraint, shown, remedy)
    _refuse_divided_groups(folds, rows)
    return folds


def _refuse_divided_groups(folds: list[Fold], rows: Rows) -> None:
    """Refuse folds that divide groups: students would learn from those they judge."""
    if rows.groups is None:
        return
    units = np.concatenate([rows.units[fold.test] for fold in folds])
    fold = np.repeat(np.arange(len(folds)), [len(each.test) for each in folds])
    if divided := n_divided(units, fold):
        n_groups = counted(len(np.unique(units)), "group")
        shown = Shown(f"{divided:,} of {n_groups} in several")
        remedy = "Use GroupKFold, or a number of folds"
        raise invalid("cv", "keep every group in one fold to judge", shown, remedy)


def held_out_part(share: float, X: Any, rows: Rows, seed: int) -> Indices:
    """Return the positions of a holdout, drawn from the content of the rows.

    Raises
    ------
    ValueError
        If the share is not in (0, 0.9], holds out fewer than two rows (or groups), of
        which no standard error can be had, or leaves fewer of a class to learn from.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.plan import held_out_part
    >>> X, hashes = np.arange(6.0)[:, None], np.arange(6, dtype=np.uint64)
    >>> rows = Rows(hashes, np.zeros(6, dtype=int), None, None, None)
    >>> len(held_out_part(0.5, X, rows, seed=0))
    3
    """
    number("holdout", share, low=0.0, high=0.9, open_low=True)
    active = rows.active
    # Rows of weight zero are as good as absent: they must not move the draw.
    chosen = content_split(
        take_rows(X, active),
        fraction=share,
        random_state=seed,
        groups=None if rows.groups is None else rows.groups[active],
        strata=rows.codes[active],
    )
    part = active[chosen]
    if len(np.unique(rows.units[part])) < 2:
        what = "distinct rows" if rows.groups is None else "groups"
        shown = Shown(f"{share} of {counted(len(active), 'row')}")
        raise invalid("holdout", f"hold out two {what} or more", shown)
    fewest, whose = fewest_of_a_class(rows, active[~chosen])
    if fewest < 2:
        constraint = "leave two distinct rows of every class to learn from"
        shown = Shown(f"{share}, which leaves {fewest} of {whose}")
        raise invalid("holdout", constraint, shown, "Choose a smaller share")
    return part


def fewest_of_a_class(rows: Rows, at: Indices) -> tuple[int, str]:
    """Return how many distinct rows, or groups, the rarest class has here, and which.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.plan import fewest_of_a_class
    >>> hashes, codes = np.array([7, 7, 8, 9], dtype=np.uint64), np.array([0, 0, 1, 1])
    >>> rows = Rows(hashes, codes, np.array(["a", "b"]), None, None)
    >>> fewest_of_a_class(rows, np.arange(4))
    (1, "class 'a'")
    """
    if rows.classes is None:
        return len(np.unique(rows.units[at])), "the rows"
    pairs = np.unique(
        np.stack([rows.units[at], rows.codes[at].astype(np.uint64)]), axis=1
    )
    times = np.bincount(pairs[1].astype(np.intp), minlength=len(rows.classes))
    rarest = int(times.argmin())
    return int(times[rarest]), f"class {rows.classes.tolist()[rarest]!r}"
