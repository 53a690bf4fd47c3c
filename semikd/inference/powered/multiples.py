"""How much labels count, and how much they could: λ and what labels explain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray, number
from semikd.inference.powered.combining import (
    Moment,
    Moves,
    moved_by_labels,
)
from semikd.inference.powered.rows import PartlyLabelled
from semikd.inference.powered.sums import more_sums, own_sums, ratio

__all__ = ["Explained", "best_multiples", "chosen_multiples", "explained_by"]


def chosen_multiples(
    moment: Moment, rows: PartlyLabelled, power: float | None
) -> list[FloatArray]:
    """Return λ by part of each repeat: the best, or what was asked for.

    Parameters
    ----------
    moment : Moment
        What is estimated.
    rows : PartlyLabelled
        The rows.
    power : float or None
        λ, where it is not to be chosen.

    Returns
    -------
    list of ndarray of shape (n_parts, d)

    Raises
    ------
    ValueError
        If λ is not in [0, 1].
    """
    if power is None:
        return best_multiples(moment.at(moment.start), rows)
    number("power", power, low=0.0, high=1.0)
    d = len(moment.start)
    return [np.full((part.max() + 1, d), float(power)) for part in rows.part]


def best_multiples(moves: Moves, rows: PartlyLabelled) -> list[FloatArray]:
    """Return λ of least variance, for each part by the outcomes of the others.

    Parameters
    ----------
    moves : callable
        The moves at the estimate by outcomes alone.
    rows : PartlyLabelled
        The rows.

    Returns
    -------
    list of ndarray of shape (n_parts, d)
        One for each repeat, in [0, 1].
    """
    by_outcome, found = moves(rows.outcomes, False), []
    for repeat, part in enumerate(rows.part):
        ones = np.ones_like(by_outcome)
        own, other = moved_by_labels(moves, rows, repeat, ones)
        more, parts = more_sums(rows, other), range(part.max() + 1)
        found.append(
            np.array([_multiple(rows, by_outcome, own, more, part != k) for k in parts])
        )
    return found


def _multiple(
    rows: PartlyLabelled,
    by_outcome: FloatArray,
    own: FloatArray,
    more: FloatArray,
    kept: NDArray[np.bool_],
) -> FloatArray:
    """Return the best λ (d,) by some of the labelled rows, between 0 and 1."""
    a, b = (_only(values, rows, kept) for values in (by_outcome, own))
    moved = own_sums(rows, b) - more
    product = (own_sums(rows, a) * moved).sum(axis=0)
    return np.asarray(np.clip(ratio(product, (moved**2).sum(axis=0), 0.0), 0.0, 1.0))


def _only(
    values: FloatArray, rows: PartlyLabelled, kept: NDArray[np.bool_]
) -> FloatArray:
    """Return centred values of some rows, 0 elsewhere, that stand for those of all."""
    share = kept * rows.shares[0]
    centred = values - share @ values / share.sum()
    # The variance of a mean is larger by as much as rows are fewer.
    return np.asarray(kept[:, None] * centred * np.sqrt(len(kept) / kept.sum()))


@dataclass(frozen=True)
class Explained:
    """What labels tell of outcomes, by number of the estimate.

    Parameters
    ----------
    correlation : ndarray of shape (d,)
        Of what units move the estimate by outcome and by label.
    total : ndarray of shape (d,)
        Share of the variance by outcomes that the best λ takes off.
    reach : ndarray of shape (d,)
        Share of what labels tell that unlabelled rows can take off: N / (N + n), if
        all rows weigh alike and are independent.
    noise : ndarray of shape (d,)
        Share of the variance that is noise, if labels are the truth; NaN for numbers.
    """

    correlation: FloatArray
    total: FloatArray
    reach: FloatArray
    noise: FloatArray


def explained_by(moves: Moves, rows: PartlyLabelled, units: FloatArray) -> Explained:
    """Return what labels tell of outcomes.

    Parameters
    ----------
    moves : callable
        The moves at the estimate.
    rows : PartlyLabelled
        The rows.
    units : ndarray of shape (d, d)
        What turns the numbers of the estimate into those that are asked of.

    Returns
    -------
    Explained
    """
    outcome = moves(rows.outcomes, False)
    own, other = np.zeros_like(outcome), np.zeros((rows.n_unlabelled, len(units)))
    for repeat in range(len(rows.labels)):
        by_label, said = moved_by_labels(moves, rows, repeat, np.ones_like(outcome))
        own += by_label / len(rows.labels)
        other += said / len(rows.labels)
    outcome, own, other = (each @ units.T for each in (outcome, own, other))
    a, b = (own_sums(rows, values) for values in (outcome, own))
    moved = b - more_sums(rows, other)
    whole, square, spread = ((part**2).sum(axis=0) for part in (a, b, moved))
    correlation = ratio((a * b).sum(axis=0), np.sqrt(whole * square), 0.0)
    total = np.maximum((a * moved).sum(axis=0), 0.0) ** 2
    usual = rows.n_unlabelled / (rows.n_unlabelled + rows.n_labelled)
    return Explained(
        correlation=correlation,
        total=np.minimum(ratio(total, whole * spread, 0.0), 1.0),
        reach=np.minimum(ratio(square, spread, usual), 1.0),
        noise=_noise(moves, rows, outcome, units),
    )


def _noise(
    moves: Moves, rows: PartlyLabelled, by_outcome: FloatArray, units: FloatArray
) -> FloatArray:
    """Return the share of variance that is left when labels are the truth, (d,)."""
    d, k = by_outcome.shape[1], rows.outcomes.shape[1]
    if rows.classes is None:
        return np.full(d, np.nan)
    share, _ = rows.shares
    p = rows.labels.mean(axis=0)
    mean, square = np.zeros_like(by_outcome), np.zeros_like(by_outcome)
    for j in range(k):
        certain = np.broadcast_to(np.eye(k)[j], p.shape)
        moved = moves(certain, False) @ units.T
        mean, square = mean + p[:, [j]] * moved, square + p[:, [j]] * moved**2
    left = share**2 @ (square - mean**2)
    whole = share**2 @ (by_outcome - share @ by_outcome) ** 2
    return np.asarray(np.clip(ratio(left, whole, 1.0), 0.0, 1.0))
