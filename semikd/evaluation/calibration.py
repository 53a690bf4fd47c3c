"""How far probabilities are from frequencies: a bound, since there is no interval.

Notes
-----
Where a model is calibrated, the estimate of its squared calibration error is a sum of
products of independent errors, whose law is far from normal, and of one side: no
two-sided interval holds there and elsewhere. An upper bound does.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import count
from semikd.crossfit import OutOfFold
from semikd.evaluation.bin_sums import LEAST, BinSums
from semikd.evaluation.risk_rows import RiskRows, risk_rows
from semikd.exceptions import SemikdWarning
from semikd.inference import InferenceResult, StudentLaw
from semikd.inference._inputs import checked_level
from semikd.inference.parts import Groups, check_units_of, parts_of
from semikd.inference.units import (
    ROUNDING,
    independence,
    warn_of_few_effective,
    warn_of_spread,
)
from semikd.simplex import FloatArray, one_hot

__all__ = ["CalibrationBound", "squared_calibration_error"]

_NAME = "squared calibration error"
# Outcomes of a class below which a warning is given.
_RARE = 20


def squared_calibration_error(
    y: ArrayLike,
    p: ArrayLike | OutOfFold,
    *,
    classes: ArrayLike | None = None,
    n_bins: int = 15,
    groups: Groups | None = None,
    sample_weight: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> "CalibrationBound":
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
        Most bins for each class, fewer where a bin would have less than 5 rows or
        clusters. The error that is bounded is that of probabilities averaged over a
        bin, and at most that of the probabilities themselves; more bins see more, with
        less certainty.
    groups : array-like of shape (n,) or mapping, optional
        The group of each row; or by name which rows a group has, as True and False, so
        that groups may overlap. Each is judged like the whole, in bins of its own.
    sample_weight : array-like of shape (n,), optional
        Sampling weights.
    clusters : array-like of shape (n,), optional
        Cluster of each row: products of rows of one cluster are left out too.
    level : float, default=0.95
        Confidence level.

    Returns
    -------
    CalibrationBound
        An `InferenceResult` of class 'bound': ``conf_int()`` is one-sided. One
        estimate for all rows and for each group, summed over classes like the Brier
        score, of which it is the part that calibration would take off.

    Raises
    ------
    ValueError, TypeError
        If labels are in-sample or out-of-bag, shapes or classes do not fit, or a group
        has fewer than 5 rows or clusters.

    Warns
    -----
    SemikdWarning
        If a class has fewer than 20 outcomes, or as few others, in a part: the bound
        may not hold there; if probabilities of a part name every outcome, so that
        nothing is seen of their errors; or if a few rows or clusters have most of the
        weight.

    Notes
    -----
    Standard errors s are those of the jackknife over rows or clusters, of a calibrated
    model twice the variance, and never less than noise alone has: the bound is cautious
    there. Estimate and standard error grow together, so that the bound is taken on the
    scale of the root,

    .. math:: \hat\theta + h + \frac{h^2}{4 \max(\hat\theta, h)}, \qquad h = t\,s

    and is at least 0.

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
    estimates, moved, least, n_units, sizes = {}, [], [], [], []
    for part, mask in parts_of(groups, rows.kept):
        name = part.removeprefix(", ") or "all rows"
        n_units.append(check_units_of(rows.clusters, mask, name, least=LEAST))
        _warn_of_rare(rows, mask, name)
        sizes.append((name, rows.sizes(mask)))
        each = [_on(rows, repeat, mask, n_bins) for repeat in range(len(rows.p))]
        found = np.mean(each, axis=0)
        least.append(found[0])
        estimates[f"{_NAME}{part}"] = found[1]
        moved.append(_deviations(found[2:], rows.units[mask]))
    table, clustered = np.column_stack(moved), rows.clusters is not None
    names, df = tuple(estimates), np.array(n_units) - 1.0
    covariance = _at_least(table.T @ table, np.array(least))
    alike = np.sqrt(np.diag(covariance)) <= ROUNDING
    warn_of_spread(names, alike, df, clusters=clustered)
    warn_of_few_effective(sizes, clusters=clustered)
    return CalibrationBound(
        names=names,
        estimate=np.array(list(estimates.values())),
        covariance=covariance,
        law=StudentLaw.of_each(df),
        estimand=rows.estimand.replace("risk", f"{_NAME} (in {n_bins} bins)", 1),
        conditions=(
            *rows.conditions,
            independence(len(rows.codes), rows.clusters, rows.weights, "rows"),
        ),
        level=level,
        interval_class="bound",
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CalibrationBound(InferenceResult):
    """Squared calibration errors with upper bounds, on the scale of the root.

    Everything of `InferenceResult`.

    See Also
    --------
    squared_calibration_error : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import squared_calibration_error
    >>> y, p = np.arange(100) % 2, np.linspace(0.1, 0.9, 100)
    >>> squared_calibration_error(y, p, n_bins=1).conf_int().round(3)
    array([[ -inf, 0.012]])
    """

    def _ends(
        self, level: float | None, adjust: str, *, sign: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return no lower end, and the bound."""
        half = self._critical(level, adjust, sign=sign) * self.std_error
        size = np.maximum(self.estimate, half)
        bend = np.divide(half**2, 4.0 * size, out=np.zeros_like(size), where=size > 0)
        upper = np.maximum(self.estimate + half + bend, 0.0)
        return np.full_like(upper, -np.inf), upper


def _at_least(covariance: FloatArray, least: FloatArray) -> FloatArray:
    """Return a covariance whose variances are no smaller than these."""
    lacking = np.maximum(least - np.diag(covariance), 0.0)
    return np.asarray(covariance + np.diag(lacking))


def _deviations(without: FloatArray, units: NDArray[np.intp]) -> FloatArray:
    """Return what units move the estimate, 0 for those of other parts, (all units,)."""
    own = np.unique(units)
    moved = np.zeros(len(without))
    moved[own] = without[own] - without[own].mean()
    return np.asarray(np.sqrt((len(own) - 1.0) / len(own)) * moved)


def _warn_of_rare(rows: RiskRows, mask: NDArray[np.bool_], name: str) -> None:
    """Warn where a class is so rare, or so common, that the spread is not seen."""
    counts = np.bincount(rows.codes[mask], minlength=rows.p.shape[2])
    rarest = int(np.minimum(counts, mask.sum() - counts).min())
    if rarest < _RARE:
        warnings.warn(
            f"A class has {rarest} outcomes, or all but as many, in {name}: the bound "
            f"of its calibration may not hold. Use rows with {_RARE} or more.",
            SemikdWarning,
            stacklevel=3,
        )


def _on(
    rows: RiskRows, repeat: int, mask: NDArray[np.bool_], n_bins: int
) -> FloatArray:
    """Return the variance by noise alone, the estimate, and it without each unit."""
    p, codes = rows.p[repeat, mask], rows.codes[mask]
    weights = np.ones(len(p)) if rows.weights is None else rows.weights[mask]
    units = rows.units[mask]
    whole = int(rows.units.max()) + 1
    outcome, total, noise = one_hot(codes, p.shape[1]), np.zeros(1 + whole), 0.0
    mass = weights.sum() - np.append(0.0, np.bincount(units, weights, whole))
    for predicted, observed in zip(p.T, outcome.T, strict=True):
        sums = BinSums.of(predicted, observed, weights, units, n_bins)
        total += np.append(sums.all_units(), sums.without(whole))
        # Classes depend on one another: standard errors add up at most.
        noise += np.sqrt(sums.noise())
    return np.append((noise / mass[0]) ** 2, total / mass)
