"""How far probabilities are from frequencies: a bound, since there is no interval.

Notes
-----
Where a model is calibrated, the estimate of its squared calibration error is a sum of
products of independent errors, whose law is far from normal, and of one side: no
two-sided interval holds there and elsewhere. An upper bound does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import count
from semikd.crossfit import OutOfFold
from semikd.evaluation.risk_rows import RiskRows, check_units_of, parts_of, risk_rows
from semikd.inference import InferenceResult, StudentLaw
from semikd.inference._inputs import checked_level
from semikd.inference.comparison import independence
from semikd.simplex import FloatArray, one_hot

__all__ = ["squared_calibration_error"]

_NAME = "squared calibration error"


def squared_calibration_error(
    y: ArrayLike,
    p: ArrayLike | OutOfFold,
    *,
    classes: ArrayLike | None = None,
    n_bins: int = 15,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> InferenceResult:
    r"""Bound how far the probabilities of a model are from the frequencies they name.

    .. math:: \sum_j \sum_b \omega_{jb}\, E[y_j - p_j \mid b]^2, \qquad
       \hat\theta = \sum_j \sum_b \frac{1}{n (n_b - 1)}
       \sum_{i \ne l \in b} r_{ij} r_{lj}, \quad r = y - p

    over classes j and bins b of equal size of :math:`p_j`, of shares ω. Squares of the
    same row are left out, so that noise alone makes nothing of it: the estimate is
    unbiased, and negative about as often as not where the model is calibrated.

    Parameters
    ----------
    y : array-like of shape (n,)
        Class labels.
    p : array-like or data frame of shape (n, k), or (n,) for two classes, or OutOfFold
        Probabilities of a fitted model that saw none of these rows, or the
        cross-fitted labels of these rows, in their order.
    classes : array-like of shape (k,), optional
        Classes of the columns of p; by default those of y, sorted. Labels have their
        own.
    n_bins : int, default=15
        Bins for each class. The error that is bounded is that of probabilities averaged
        over a bin, and at most that of the probabilities themselves; more bins see
        more, with less certainty.
    groups : array-like of shape (n,), optional
        Parts of the rows, each judged like the whole, in bins of its own.
    sample_weight : array-like of shape (n,), optional
        Sampling weights.
    clusters : array-like of shape (n,), optional
        Cluster of each row: products of rows of one cluster are left out too.
    level : float, default=0.95
        Confidence level.

    Returns
    -------
    InferenceResult
        Of class 'bound': ``conf_int()`` and ``upper_bound()`` are one-sided. One
        estimate for all rows and for each group, summed over classes like the Brier
        score, of which it is the part that calibration would take off.

    Raises
    ------
    ValueError, TypeError
        If labels are in-sample or out-of-bag, shapes or classes do not fit, or a group
        is too small.

    Notes
    -----
    Standard errors are those of the jackknife over rows or clusters, of a calibrated
    model twice the variance: the bound is cautious there.

    References
    ----------
    .. [1] A. Kumar, P. Liang and T. Ma, "Verified uncertainty calibration", NeurIPS
       2019, Section 5 (the estimate; bound, weights and clusters are this library's).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import squared_calibration_error
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(2000)
    >>> y = (rng.random(2000) < p).astype(int)
    >>> sure = p**2 / (p**2 + (1 - p) ** 2)
    >>> squared_calibration_error(y, p).upper_bound().round(3)
    array([0.003])
    >>> squared_calibration_error(y, sure).estimate.round(3)
    array([0.023])
    """
    checked_level(level)
    count("n_bins", n_bins)
    rows = risk_rows(y, p, classes, sample_weight, clusters)
    found = {}
    for part, mask in parts_of(groups, rows.kept):
        check_units_of(rows, mask, part.removeprefix(", ") or "all rows")
        each = [_on(rows, repeat, mask, n_bins) for repeat in range(len(rows.p))]
        found[f"{_NAME}{part}"] = np.mean(each, axis=0)
    without = np.column_stack([own[1:] for own in found.values()])
    moved = without - without.mean(axis=0)
    n_units = [len(np.unique(rows.units[m])) for _, m in parts_of(groups, rows.kept)]
    sizes = np.ones(len(rows.codes)) if rows.weights is None else rows.weights
    return InferenceResult(
        names=tuple(found),
        estimate=np.array([own[0] for own in found.values()]),
        covariance=(len(moved) - 1) / len(moved) * moved.T @ moved,
        law=StudentLaw.of_each(np.array(n_units) - 1.0),
        estimand=rows.estimand.replace("risk", f"{_NAME} (in {n_bins} bins)", 1),
        conditions=(
            *rows.conditions,
            independence(len(rows.codes), rows.clusters, sizes, "rows"),
        ),
        level=level,
        interval_class="bound",
    )


def _on(
    rows: RiskRows, repeat: int, mask: NDArray[np.bool_], n_bins: int
) -> FloatArray:
    """Return the estimate on some rows and, behind it, without each unit in turn."""
    p, codes = rows.p[repeat, mask], rows.codes[mask]
    weights = np.ones(len(p)) if rows.weights is None else rows.weights[mask]
    units = rows.units[mask]
    whole = int(rows.units.max()) + 1
    outcome, total = one_hot(codes, p.shape[1]), np.zeros(1 + whole)
    mass = weights.sum() - np.append(0.0, np.bincount(units, weights, whole))
    for predicted, observed in zip(p.T, outcome.T, strict=True):
        sums = _Sums.of(predicted, observed, weights, units, n_bins)
        total += np.append(sums.all_units(), sums.without(whole))
    return np.asarray(total / mass)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Weighted residuals and weights of each unit in each bin, and of the bins.

    Parameters
    ----------
    unit, bin : ndarray of int of shape (m,)
        The m pairs of a unit and a bin that have rows.
    residual, weight : ndarray of shape (m,)
        Their sums.
    """

    unit: NDArray[np.intp]
    bin: NDArray[np.intp]
    residual: FloatArray
    weight: FloatArray

    @classmethod
    def of(
        cls,
        predicted: FloatArray,
        observed: FloatArray,
        weights: FloatArray,
        units: NDArray[np.intp],
        n_bins: int,
    ) -> "_Sums":
        """Return the sums of one class, in bins of equal numbers of rows."""
        # Equal probabilities stand in one bin, so that the order of rows is nothing.
        rank = np.searchsorted(np.sort(predicted), predicted)
        bins = rank * min(n_bins, len(rank)) // len(rank)
        pairs, at = np.unique(
            np.column_stack([units, bins]), axis=0, return_inverse=True
        )
        at = at.ravel()
        residual = np.bincount(at, weights * (observed - predicted))
        mass = np.bincount(at, weights)
        return cls(pairs[:, 0], pairs[:, 1], np.asarray(residual), np.asarray(mass))

    def all_units(self) -> float:
        """Return the sum over bins of mass times squared mean residual, unbiased."""
        return float(_terms(*self._of_bins()).sum())

    def without(self, whole: int) -> FloatArray:
        """Return the same without each of the units, (whole,)."""
        bins = self._of_bins()
        own = self.residual, self.residual**2, self.weight, self.weight**2
        left = [each[self.bin] - less for each, less in zip(bins, own, strict=True)]
        change = _terms(*left) - _terms(*bins)[self.bin]
        return np.asarray(self.all_units() + np.bincount(self.unit, change, whole))

    def _of_bins(self) -> list[FloatArray]:
        """Return sums and sums of squares over units, of residuals and of weights."""
        values = self.residual, self.residual**2, self.weight, self.weight**2
        return [np.bincount(self.bin, each).astype(np.float64) for each in values]


def _terms(
    residual: FloatArray, squares: FloatArray, weight: FloatArray, spread: FloatArray
) -> FloatArray:
    """Return mass times squared mean residual of bins, without squares of a unit.

    A bin of one unit has no pair, and adds nothing.
    """
    pairs = weight**2 - spread
    several = pairs > 1e-9 * weight**2
    ratio = np.divide(
        residual**2 - squares, pairs, out=np.zeros_like(pairs), where=several
    )
    return np.asarray(weight * ratio)
