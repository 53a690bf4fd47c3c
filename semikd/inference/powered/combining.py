r"""Labels of many rows as a control variate of outcomes of a few.

Notes
-----
Whatever is estimated adds up, to first order, what each row moves it: :math:`a_i` by
its outcome, :math:`b_i` by its label in the place of the outcome, and :math:`c_j` by
the label of an unlabelled row. Labels have the same mean in both, so that

.. math:: \hat\theta = \theta + \overline{a} - \lambda \bigl(\overline{b} -
   \overline{c}\bigr), \qquad
   \lambda = \frac{\operatorname{cov}(\overline a, \overline b - \overline c)}
   {\operatorname{var}(\overline b - \overline c)}

estimates the same for every :math:`\lambda`, number by number of the estimate, and
with least variance for this one. It is chosen for each fold by the outcomes of the
others, at the estimate by all outcomes, and kept between 0, outcomes alone, and 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from semikd._validation import FloatArray, Shown, counted, invalid
from semikd.inference.powered.rows import PartlyLabelled
from semikd.inference.powered.sums import more_sums, own_sums, ratio

__all__ = [
    "Moment",
    "Moves",
    "PoweredEstimate",
    "moved_by_labels",
    "powered_estimate",
]

# Steps to the root, and the step below which it is found.
_STEPS, _SMALL = 50, 1e-10

# Labels (rows, k), and whether they are of the unlabelled rows, to moves (rows, d).
Moves = Callable[[FloatArray, bool], FloatArray]


class Moment(Protocol):
    """What is estimated: how much a row with this label moves it, linear in labels."""

    @property
    def start(self) -> FloatArray:
        """The estimate by outcomes alone, shape (d,)."""

    @property
    def n_free(self) -> int:
        """Numbers that one outcome helps to fit: 1 for means, d for d coefficients."""

    def at(self, theta: FloatArray) -> Moves:
        """Return the moves from an estimate (d,)."""

    def slope(self, theta: FloatArray, share: FloatArray, more: bool) -> FloatArray:
        """Return by how much a sum of moves falls with the estimate, (d, d).

        Rows of one side have these shares in it; of all labelled rows it is I.
        """


@dataclass(frozen=True)
class PoweredEstimate:
    """An estimate, with what it would be by outcomes alone.

    Parameters
    ----------
    estimate : ndarray of shape (d,)
        The root.
    covariance, label_only : ndarray of shape (d, d)
        Covariance, and what outcomes alone would have at the same estimate.
    df : ndarray of shape (d,)
        Degrees of freedom of Student's law, by Welch and Satterthwaite.
    multiple : ndarray of shape (d,)
        The mean of λ over rows and repeats.
    moves : callable
        The moves at the estimate.
    """

    estimate: FloatArray
    covariance: FloatArray
    label_only: FloatArray
    df: FloatArray
    multiple: FloatArray
    moves: Moves


def powered_estimate(
    moment: Moment, rows: PartlyLabelled, chosen: list[FloatArray]
) -> PoweredEstimate:
    """Return the estimate with its covariance.

    Parameters
    ----------
    moment : Moment
        What is estimated.
    rows : PartlyLabelled
        Outcomes, labels, weights and units.
    chosen : list of ndarray of shape (n_parts, d)
        λ by part, of each repeat.

    Returns
    -------
    PoweredEstimate

    Raises
    ------
    ValueError
        If there are no more rows, or clusters, than coefficients, or no root is found.
    """
    free, what = moment.n_free, "cluster" if rows.has_clusters else "row"
    if rows.n_units <= free:
        shown = Shown(f"{free:,} for {counted(rows.n_units, f'labelled {what}')}")
        constraint = f"be fewer than labelled {what}s, over all classes"
        raise invalid("coefficients", constraint, shown, "Use fewer columns")
    theta = _root(moment, rows, chosen)
    moves = moment.at(theta)
    own, other = _moved(moves, rows, chosen)
    own, other = own_sums(rows, own, free), more_sums(rows, other)
    alone = own_sums(rows, moves(rows.outcomes, False), free)
    return PoweredEstimate(
        estimate=theta,
        covariance=(own + other).T @ (own + other),
        label_only=alone.T @ alone,
        df=_student(rows, own, other, free),
        multiple=_mean_multiple(rows, chosen),
        moves=moves,
    )


def _root(moment: Moment, rows: PartlyLabelled, chosen: list[FloatArray]) -> FloatArray:
    """Return the estimate at which the moves of all rows balance, by Newton's steps."""
    theta, (share, _) = moment.start, rows.shares
    for _ in range(_STEPS):
        own, _other = _moved(moment.at(theta), rows, chosen)
        step = np.linalg.solve(_slope(moment, theta, rows, chosen), share @ own)
        theta = theta + step
        if np.abs(step).max() <= _SMALL * max(1.0, float(np.abs(theta).max())):
            return np.asarray(theta)
    shown = Shown(f"one that still moves by {np.abs(step).max():.2g}")
    remedy = "Set power=0, or check that both tables are of one population"
    raise invalid("unlabelled", "lead to an estimate", shown, remedy)


def _slope(
    moment: Moment, theta: FloatArray, rows: PartlyLabelled, chosen: list[FloatArray]
) -> FloatArray:
    """Return by how much the sum of all moves falls with the estimate, (d, d)."""
    share, more_share = rows.shares
    other = moment.slope(theta, more_share, True)
    found = np.eye(len(theta))
    for multiples, part in zip(chosen, rows.part, strict=True):
        for k, multiple in enumerate(multiples):
            mine = np.where(part == k, share, 0.0)
            less = moment.slope(theta, mine, False) - mine.sum() * other
            found -= multiple[:, None] * less / len(chosen)
    return np.asarray(found)


def moved_by_labels(
    moves: Moves, rows: PartlyLabelled, repeat: int, weighed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what labels move, by the teachers of one repeat.

    The mean over unlabelled rows is taken off both, teacher by teacher, so that the
    level of labels, and in what teachers of folds differ, is no variance.

    Parameters
    ----------
    moves : callable
        The moves.
    rows : PartlyLabelled
        The rows.
    repeat : int
        The repeat.
    weighed : ndarray of shape (n, d)
        λ of each labelled row: teachers of unlabelled rows count as those that they
        label.

    Returns
    -------
    own : ndarray of shape (n, d)
        Of labelled rows, times λ.
    other : ndarray of shape (n_unlabelled, d)
        Of unlabelled rows, times the mean λ of each teacher.
    """
    share, more_share = rows.shares
    own = moves(rows.labels[repeat], False)
    other = np.zeros((rows.n_unlabelled, own.shape[1]))
    for t, labels in enumerate(rows.unlabelled[repeat]):
        mine = rows.teacher[repeat] == t
        if not mine.any():
            continue
        said = moves(labels, True)
        level = more_share @ said
        own[mine] -= level
        other += share[mine] @ weighed[mine] * (said - level)
    return weighed * own, other


def _moved(
    moves: Moves, rows: PartlyLabelled, chosen: list[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return what labelled (n, d) and unlabelled rows (n_unlabelled, d) move."""
    own, r = moves(rows.outcomes, False), len(chosen)
    other = np.zeros((rows.n_unlabelled, own.shape[1]))
    for repeat, multiple in enumerate(chosen):
        weighed = multiple[rows.part[repeat]]
        by_label, said = moved_by_labels(moves, rows, repeat, weighed)
        own, other = own - by_label / r, other + said / r
    return own, other


def _mean_multiple(rows: PartlyLabelled, chosen: list[FloatArray]) -> FloatArray:
    """Return the mean of λ over rows and repeats, (d,)."""
    share, _ = rows.shares
    each = [share @ own[part] for own, part in zip(chosen, rows.part, strict=True)]
    return np.asarray(np.mean(each, axis=0))


def _student(
    rows: PartlyLabelled, own: FloatArray, other: FloatArray, n_free: int
) -> FloatArray:
    """Return the degrees of freedom of sums by both sides' units, (d,)."""
    n = rows.n_labelled
    free = rows.n_units - 1.0 if rows.has_clusters else float(n - n_free)
    parts = np.array([(own**2).sum(axis=0), (other**2).sum(axis=0)])
    below = parts[0] ** 2 / free + parts[1] ** 2 / (rows.n_unlabelled_units - 1.0)
    return ratio(parts.sum(axis=0) ** 2, below, free)
