r"""Labels of many rows as a control variate of outcomes of a few.

Notes
-----
Whatever is estimated adds up, to first order, what each row moves it: :math:`a_i` by
its outcome, :math:`b_i` by its label in the place of the outcome, and :math:`c_j` by
the label of an unlabelled row. Labels have the same mean in both, so that

.. math:: \hat\theta = \theta + \overline{a} - \lambda \bigl(\overline{b} -
   \overline{c}\bigr), \qquad
   \lambda = \frac{\operatorname{cov}(\overline a, \overline b)}
   {\operatorname{var}(\overline b) + \operatorname{var}(\overline c)}

estimates the same for every :math:`\lambda`, number by number of the estimate, and
with least variance for this one. It is chosen for each fold by the rows of the others,
and kept between 0, outcomes alone, and 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semikd._validation import FloatArray, Shown, invalid, number
from semikd.inference.influence import cluster_sums, mean_influence
from semikd.inference.powered.rows import PartlyLabelled

__all__ = ["Moment", "Moves", "PoweredEstimate", "powered_estimate"]

# Steps to the root, and the step below which it is found.
_STEPS, _SMALL = 100, 1e-11

# Labels (rows, k), and whether they are of the unlabelled rows, to moves (rows, d).
Moves = Callable[[FloatArray, bool], FloatArray]


class Moment(Protocol):
    """What is estimated: how much a row with this label moves it, linear in labels."""

    @property
    def start(self) -> FloatArray:
        """The estimate by outcomes alone, shape (d,)."""

    @property
    def n_free(self) -> int:
        """Coefficients that are fitted together."""

    def at(self, theta: FloatArray) -> Moves:
        """Return the moves from an estimate (d,)."""


@dataclass(frozen=True)
class PoweredEstimate:
    """An estimate, and what each row moves it.

    Parameters
    ----------
    estimate : ndarray of shape (d,)
        The root.
    covariance, label_only : ndarray of shape (d, d)
        Covariance, and what outcomes alone would have.
    df : float
        Degrees of freedom of Student's law: labelled units less one.
    multiple : ndarray of shape (d,)
        The mean of λ over folds and repeats.
    correlation : ndarray of shape (d,)
        Correlation of the moves by outcome and by label.
    reach : ndarray of shape (d,)
        The part of what labels explain that unlabelled rows can take off the variance:
        about N / (N + n).
    noise : ndarray of shape (d,)
        Share of the variance by outcomes that no label could explain, if labels were
        the Bayes probabilities; NaN for numbers.
    """

    estimate: FloatArray
    covariance: FloatArray
    label_only: FloatArray
    df: float
    multiple: FloatArray
    correlation: FloatArray
    reach: FloatArray
    noise: FloatArray


def powered_estimate(
    moment: Moment, rows: PartlyLabelled, power: float | None, units: FloatArray
) -> PoweredEstimate:
    """Return the estimate with its covariance.

    Parameters
    ----------
    moment : Moment
        What is estimated.
    rows : PartlyLabelled
        Outcomes, labels, weights and units.
    power : float or None
        λ, where it is not to be chosen.
    units : ndarray of shape (d, d)
        What turns the numbers of the moment into those whose gain is asked.

    Returns
    -------
    PoweredEstimate
        In the numbers of the moment, except ``correlation``, ``reach`` and ``noise``.

    Raises
    ------
    ValueError
        If λ is not in [0, 1], or no root is found.
    """
    moves = moment.at(moment.start)
    chosen = _multiples(moves, rows) if power is None else _fixed(moves, rows, power)
    theta = _root(moment, rows, chosen)
    moves = moment.at(theta)
    own, other = _moved(moves, rows, chosen)
    n_free = moment.n_free
    by_outcome = moves(rows.outcomes, False)
    correlation, reach = _explained(moves, rows, units)
    return PoweredEstimate(
        estimate=theta,
        covariance=_covariance(rows, own, other, n_free),
        label_only=_covariance(rows, by_outcome, np.zeros_like(other), n_free),
        df=len(np.unique(rows.units[: rows.n_labelled])) - 1.0,
        multiple=np.mean([each.mean(axis=0) for each in chosen], axis=0),
        correlation=correlation,
        reach=reach,
        noise=_noise(moves, rows, by_outcome @ units.T, units),
    )


def _root(moment: Moment, rows: PartlyLabelled, chosen: list[FloatArray]) -> FloatArray:
    """Return the estimate at which the moves of all rows balance."""
    theta, (share, _) = moment.start, rows.shares
    for _ in range(_STEPS):
        own, _ = _moved(moment.at(theta), rows, chosen)
        step = share @ own
        theta = theta + step
        if np.abs(step).max() <= _SMALL * max(1.0, float(np.abs(theta).max())):
            return np.asarray(theta)
    shown = Shown(f"an estimate that still moves by {np.abs(step).max():.2g}")
    remedy = "Use fewer columns, or check that both tables are of one population"
    raise invalid("unlabelled", "determine the estimate", shown, remedy)


def _moved(
    moves: Moves, rows: PartlyLabelled, chosen: list[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return what labelled (n, d) and unlabelled rows (n_unlabelled, d) move.

    The mean over unlabelled rows is taken off both, fold by fold, so that the level of
    labels, and in what teachers of folds differ, is no variance.
    """
    own, r = moves(rows.outcomes, False), len(chosen)
    other = np.zeros((rows.n_unlabelled, own.shape[1]))
    share, more_share = rows.shares
    for labels, part, unlabelled, multiple in zip(
        rows.labels, rows.part, rows.unlabelled, chosen, strict=True
    ):
        mass = np.bincount(part, weights=share, minlength=len(multiple))
        level = np.empty_like(multiple)
        for k, each in enumerate(multiple):
            said = moves(unlabelled[min(k, len(unlabelled) - 1)], True)
            level[k] = more_share @ said
            other += mass[k] * each * (said - level[k]) / r
        own = own - multiple[part] * (moves(labels, False) - level[part]) / r
    return own, other


def _fixed(moves: Moves, rows: PartlyLabelled, power: float) -> list[FloatArray]:
    """Return the same λ everywhere."""
    number("power", power, low=0.0, high=1.0)
    d = moves(rows.outcomes[:1], False).shape[1]
    return [np.full((part.max() + 1, d), float(power)) for part in rows.part]


def _multiples(moves: Moves, rows: PartlyLabelled) -> list[FloatArray]:
    """Return λ by fold (n_folds, d) of each repeat, chosen by the other folds."""
    by_outcome = mean_influence(moves(rows.outcomes, False), rows.weights).influence
    found = []
    for labels, part, unlabelled in zip(
        rows.labels, rows.part, rows.unlabelled, strict=True
    ):
        by_label = mean_influence(moves(labels, False), rows.weights).influence
        said = moves(unlabelled.mean(axis=0), True)
        other = mean_influence(said, rows.unlabelled_weights).influence
        spread = (_sums(other, rows.units[rows.n_labelled :]) ** 2).sum(axis=0)
        spread = spread / rows.n_unlabelled**2
        found.append(
            np.array(
                [
                    _multiple(by_outcome, by_label, rows, part != k, spread)
                    for k in range(part.max() + 1)
                ]
            )
        )
    return found


def _multiple(
    by_outcome: FloatArray,
    by_label: FloatArray,
    rows: PartlyLabelled,
    kept: NDArray[np.bool_],
    spread: FloatArray,
) -> FloatArray:
    """Return the best λ (d,) by some of the labelled rows, between 0 and 1."""
    units = rows.units[: rows.n_labelled][kept]
    a, b = _sums(by_outcome[kept], units), _sums(by_label[kept], units)
    scale = kept.sum() * rows.n_labelled
    product, square = (a * b).sum(axis=0) / scale, (b * b).sum(axis=0) / scale
    whole = square + spread
    return np.asarray(np.clip(_ratio(product, whole, 0.0), 0.0, 1.0))


def _sums(values: FloatArray, units: NDArray[np.intp]) -> FloatArray:
    """Return sums over units that are numbered anyhow."""
    return cluster_sums(values, np.unique(units, return_inverse=True)[1])


def _covariance(
    rows: PartlyLabelled, own: FloatArray, other: FloatArray, n_free: int
) -> FloatArray:
    """Return the covariance of the weighted means of moves, by unit, like CRV1."""
    n, n_more = rows.n_labelled, rows.n_unlabelled
    n_units = len(np.unique(rows.units[:n]))
    n_more_units = max(len(np.unique(rows.units[n:])), 2)
    factor = n_units / (n_units - 1) * (n - 1) / (n - n_free)
    more_factor = n_more_units / (n_more_units - 1)
    both = np.vstack(
        [
            np.sqrt(factor) * mean_influence(own, rows.weights).influence / n,
            np.sqrt(more_factor)
            * mean_influence(other, rows.unlabelled_weights).influence
            / n_more,
        ]
    )
    sums = cluster_sums(both, rows.units)
    return np.asarray(sums.T @ sums)


def _explained(
    moves: Moves, rows: PartlyLabelled, units: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the correlation of moves by outcome and label, and the reach, (d,)."""
    n, said = (
        rows.n_labelled,
        np.mean([u.mean(axis=0) for u in rows.unlabelled], axis=0),
    )
    own = rows.units[:n], rows.weights
    other = rows.units[n:], rows.unlabelled_weights

    def by_unit(
        labels: FloatArray, side: tuple[NDArray[np.intp], FloatArray | None]
    ) -> FloatArray:
        moved = moves(labels, side is other) @ units.T
        return _sums(mean_influence(moved, side[1]).influence / len(moved), side[0])

    a, b = by_unit(rows.outcomes, own), by_unit(rows.labels.mean(axis=0), own)
    square = (b**2).sum(axis=0)
    correlation = _ratio((a * b).sum(axis=0), np.sqrt((a**2).sum(axis=0) * square), 0.0)
    whole = square + (by_unit(said, other) ** 2).sum(axis=0)
    return correlation, _ratio(square, whole, 1.0 - n / len(rows.units))


def _ratio(part: FloatArray, whole: FloatArray, otherwise: float) -> FloatArray:
    """Return parts of wholes; something else where there is no whole."""
    found = np.full_like(whole, otherwise)
    return np.asarray(np.divide(part, whole, out=found, where=whole > 0))


def _noise(
    moves: Moves, rows: PartlyLabelled, by_outcome: FloatArray, units: FloatArray
) -> FloatArray:
    """Return the share of variance that is left when labels are the truth, (d,)."""
    d, k = by_outcome.shape[1], rows.outcomes.shape[1]
    if rows.classes is None:
        return np.full(d, np.nan)
    share, _ = rows.shares
    p, mean, square = rows.labels.mean(axis=0), 0.0, 0.0
    for j in range(k):
        certain = np.broadcast_to(np.eye(k)[j], p.shape)
        moved = moves(certain, False) @ units.T
        mean, square = mean + p[:, [j]] * moved, square + p[:, [j]] * moved**2
    left = share**2 @ (square - mean**2)
    whole = (share[:, None] ** 2 * (by_outcome - share @ by_outcome) ** 2).sum(axis=0)
    return np.asarray(np.clip(_ratio(left, whole, 1.0), 0.0, 1.0))
