"""Weights by which rows of one distribution of covariates stand for another."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._random import RandomState
from semikd._tables import stacked_tables
from semikd._validation import (
    Shown,
    counted,
    invalid,
    number,
    sample_weights,
    weights_or_ones,
)
from semikd.crossfit import cross_fit, n_rows
from semikd.crossfit.unlabelled import checked_unlabelled
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray
from semikd.teachers import BoostingTeacher

__all__ = ["TransferWeights", "effective_size", "transfer_weights"]


@dataclass(frozen=True, eq=False)
class TransferWeights:
    r"""Weights of rows here, by how much likelier they are there.

    Parameters
    ----------
    weights : ndarray of shape (n,)
        Weights, of mean 1; the ``sample_weight`` of a student for the rows there.
    ratios : ndarray of shape (n,)
        The density ratios as they were estimated, before they were cut off and scaled.
    largest : float or None
        Where they were cut off. What is estimated with weights that were cut off is of
        neither population.
    n_clipped : int
        Rows whose ratio was above that.
    effective_size : float
        Rows of weight one that would know as much, :math:`(\sum w)^2 / \sum w^2`.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.transfer import TransferWeights
    >>> w = np.array([0.5, 1.5])
    >>> print(TransferWeights(w, w, None, 0, 1.6))
    2 rows, worth 1.6
    """

    weights: FloatArray
    ratios: FloatArray
    largest: float | None
    n_clipped: int
    effective_size: float

    def __str__(self) -> str:
        text = f"{counted(len(self.weights), 'row')}, worth {self.effective_size:,.1f}"
        if self.largest is None:
            return text
        return f"{text}, {self.n_clipped:,} cut off at {self.largest:g}"


def transfer_weights(
    X: Any,
    target: Any,
    *,
    classifier: Any = None,
    largest: float | None = None,
    cv: Any = 5,
    sample_weight: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_jobs: int | None = None,
    random_state: RandomState = None,
) -> TransferWeights:
    r"""Weigh rows here so that they stand for those there, by a classifier of the two.

    .. math:: w(x) \propto \frac{n}{n^*}\, \frac{\hat e(x)}{1 - \hat e(x)}, \qquad
       e(x) = P(\text{there} \mid x)

    the inverse odds of having been drawn here: with the true e the ratio of the two
    densities. What says it of a row learned from other folds. The weights make means
    over rows here those over rows there, if only the covariates are distributed
    otherwise: :math:`P(Y \mid x)` has to be the same.

    Parameters
    ----------
    X : array-like or data frame of shape (n, d)
        Rows here, those with outcomes.
    target : array-like or data frame of shape (n_target, d)
        Rows from there, in the same columns.
    classifier : classifier, optional
        What tells the two apart; by default ``BoostingTeacher``. One that fits too
        closely makes large weights.
    largest : float, optional
        Where ratios are cut off, at least 1; the mean of the true ones is 1. None
        leaves them as they are. Weights that were cut off vary less and are biased.
    cv : int, splitter, fold ids or (train, test) pairs, default=5
        Folds over both tables, rows here first.
    sample_weight : array-like of shape (n,), optional
        Weights that the rows have already; what is returned is to be multiplied by
        them, and the effective size is that of the product.
    groups : array-like of shape (n + n_target,), optional
        No group is divided between folds.
    n_jobs : int, optional
        Workers over folds.
    random_state : int, generator or None, default=None
        Seed of folds and classifiers.

    Returns
    -------
    TransferWeights

    Raises
    ------
    ValueError
        If the tables differ in their columns; if a row here is certainly there and
        nothing cuts its ratio off; or if all are certainly not there. One alone that is
        certainly not there has weight 0.
    TypeError
        If they are of two kinds.

    Warns
    -----
    SemikdWarning
        If rows are cut off, with their number.

    References
    ----------
    .. [1] Y. Niu et al., "Respecting Transfer Gap in Knowledge Distillation", NeurIPS
       2022: weighs by inverse propensities of the machine's domain. The abstract was
       read; this formula is the usual density ratio, not the paper's.
    .. [2] M. Sugiyama, T. Suzuki and T. Kanamori, "Density Ratio Estimation in Machine
       Learning", Cambridge University Press 2012, Chapter 4 (by classification).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.transfer import transfer_weights
    >>> X, there = np.arange(40.0)[:, None], np.arange(20.0, 60.0)[:, None]
    >>> found = transfer_weights(X, there, classifier=LogisticRegression())
    >>> bool(found.weights[-1] > found.weights[0])
    True
    """
    if largest is not None:
        number("largest", largest, low=1.0)
    n, rows = n_rows(X), checked_unlabelled(target, X)
    own = sample_weights(sample_weight, n)
    if not n_rows(rows):
        raise invalid("target", "have at least one row", Shown("none"))
    if not hasattr(X, "columns") and not hasattr(X, "tocsr"):
        X = np.asarray(X)
    there = np.arange(n + n_rows(rows)) >= n
    both = np.ones(len(there))
    both[:n] = weights_or_ones(own, n)
    record = cross_fit(
        BoostingTeacher() if classifier is None else classifier,
        stacked_tables([X, rows]),
        there.astype(np.intp),
        cv=cv,
        groups=groups,
        sample_weight=None if own is None else both,
        new_rows="none",
        n_jobs=n_jobs,
        random_state=random_state,
    )
    record.require_folds("weights")
    share = both[:n].sum() / both[n:].sum()
    ratios = _odds(record.mean[:n, 1], largest) * share
    return _scaled(ratios, largest, both[:n])


def effective_size(weights: ArrayLike) -> float:
    r"""Return how many rows of equal weight know as much as weighted ones.

    .. math:: (\textstyle\sum_i w_i)^2 / \sum_i w_i^2

    Between 1, one row has all the weight, and n, all have the same.

    Parameters
    ----------
    weights : array-like of shape (n,)
        Weights, not all zero.

    Returns
    -------
    float

    References
    ----------
    .. [1] L. Kish, "Survey Sampling", Wiley 1965, Section 11.7.

    Examples
    --------
    >>> from semikd.transfer import effective_size
    >>> effective_size([1.0, 1.0, 0.0])
    2.0
    """
    given = np.asarray(weights, dtype=np.float64)
    checked = weights_or_ones(given, len(given))
    return float(checked.sum() ** 2 / (checked @ checked))


def _odds(p: FloatArray, largest: float | None) -> FloatArray:
    """Return the odds of probabilities; NaN, of rows without weight, stays."""
    certain: NDArray[np.bool_] = p >= 1.0
    if certain.any() and largest is None:
        row = int(np.argmax(certain))
        shown = Shown(f"1 in row {row} ({int(certain.sum())} such)")
        remedy = "Set largest, or use a classifier that is less sure"
        raise invalid("the probability to be there", "be below 1", shown, remedy)
    with np.errstate(divide="ignore"):
        return p / (1.0 - p)


def _scaled(
    ratios: FloatArray, largest: float | None, own: FloatArray
) -> TransferWeights:
    """Return weights of mean one, cut off where that was asked for."""
    known = own > 0.0
    kept = np.where(known, ratios, 0.0)
    n_clipped = 0
    if largest is not None:
        n_clipped = int((kept > largest).sum())
        kept = np.minimum(kept, largest)
    if n_clipped:
        warnings.warn(
            f"{n_clipped:,} of {len(kept):,} density ratios were above {largest:g} and "
            "were cut off: what is learned is of neither population.",
            SemikdWarning,
            stacklevel=3,
        )
    if not kept.any():
        remedy = "The two have no row in common"
        raise invalid("the weights", "not all be zero", Shown("only zeros"), remedy)
    weights = kept / np.average(kept, weights=own)
    return TransferWeights(
        weights, ratios, largest, n_clipped, effective_size(weights * own)
    )
