"""The risks of a model on some rows, each with what every row adds to its error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid, message
from semikd.evaluation.named_metrics import POINTWISE
from semikd.evaluation.recalibration import (
    fit_recalibration,
    floored,
    information,
    recalibrated,
    score_rows,
)
from semikd.evaluation.risk_rows import RiskRows
from semikd.inference import auc_influence, mean_influence
from semikd.simplex import FloatArray, one_hot

__all__ = ["COLUMNS", "RANGES", "NoAreaError", "RiskColumn"]

# Of the spread of log-odds, and of the information at the probabilities themselves:
# with less there is no slope, or it has no bound.
_NONE_LEFT = 1e-6


class NoAreaError(ValueError):
    """A part of the rows has too few rows of a class for an area."""


@dataclass(frozen=True, eq=False)
class RiskColumn:
    """One metric on one part of the rows.

    Parameters
    ----------
    estimate : float
        Its value.
    influence : ndarray of shape (n,)
        Influence of every row of the part.
    df : float
        Degrees of freedom of Student's law.
    largest : float
        The largest loss of a row, beside which rounding is nothing.
    """

    estimate: float
    influence: FloatArray
    df: float
    largest: float


def _mean(
    rows: RiskRows,
    repeat: int,
    mask: NDArray[np.bool_],
    _name: str,
    *,
    pointwise: Callable[..., FloatArray],
) -> RiskColumn:
    """Return the mean of losses and the influence of every row of a part."""
    losses = pointwise(rows.p[repeat, mask], rows.codes[mask])
    weights = None if rows.weights is None else rows.weights[mask]
    record = mean_influence(losses[:, None], weights)
    df = len(np.unique(rows.units[mask])) - 1.0
    largest = float(np.abs(losses).max())
    return RiskColumn(float(record.estimate[0]), record.influence[:, 0], df, largest)


def _slope(
    rows: RiskRows, repeat: int, mask: NDArray[np.bool_], name: str
) -> RiskColumn:
    """Return the slope of a logistic recalibration, all rows of a part together."""
    logs = np.log(floored(rows.p[repeat, mask]))
    weights = np.ones(len(logs)) if rows.weights is None else rows.weights[mask]
    outcome = one_hot(rows.codes[mask], logs.shape[1])
    theta = fit_recalibration(logs, outcome, weights)
    q = recalibrated(logs, theta)
    found, before = (information(logs, p, weights) for p in (q, np.exp(logs)))
    _refuse_no_slope(logs, found, before, name)
    score = weights[:, None] * score_rows(logs, outcome - q)
    influence = len(logs) * score @ np.linalg.inv(found)[:, 0]
    df = len(np.unique(rows.units[mask])) - float(len(theta))
    return RiskColumn(float(theta[0]), influence, max(df, 1.0), 1.0)


def _refuse_no_slope(
    logs: FloatArray, found: FloatArray, before: FloatArray, name: str
) -> None:
    """Refuse probabilities that are all alike, or that tell classes without error."""
    remedy = "Leave 'calibration_slope' out of metrics"
    odds = logs - logs[:, :1]
    if np.ptp(odds, axis=0).max() <= _NONE_LEFT * max(1.0, float(np.abs(odds).max())):
        shown = Shown(f"the same in every row of {name}")
        raise invalid("p", "vary for a calibration slope", shown, remedy)
    scale = np.sqrt(np.diag(before))
    relative = np.linalg.eigvalsh(found / np.outer(scale, scale))
    if relative.min() <= _NONE_LEFT:
        shown = Shown(f"told apart without error in {name}, or of one class")
        raise invalid("y", "leave a calibration slope bounded", shown, remedy)


def _area(
    rows: RiskRows, repeat: int, mask: NDArray[np.bool_], name: str
) -> RiskColumn:
    """Return the mean area over folds, and over classes against the rest.

    Influence of the rows of either class has DeLong's factor m / (m - 1), m units of
    that class, in place of the sandwich's G / (G - 1), which is divided out; there are
    as many degrees of freedom as the rarer class leaves.
    """
    p, codes, units = rows.p[repeat, mask], rows.codes[mask], rows.units[mask]
    mass = np.ones(len(p)) if rows.weights is None else rows.weights[mask]
    columns = [1] if p.shape[1] == 2 else list(range(p.shape[1]))
    estimate, influence, df = 0.0, np.zeros(len(p)), np.zeros((len(columns), 2))
    fold = rows.fold[repeat, mask]
    for t in np.unique(fold):
        at = np.flatnonzero(fold == t)
        share = mass[at].sum() / mass.sum() / len(columns)
        for c, j in enumerate(columns):
            positive = codes[at] == j
            sizes = [len(np.unique(units[at][positive == own])) for own in (0, 1)]
            _refuse_few(sizes, rows.classes[j], name)
            area, own = auc_influence(positive, p[at, j], mass[at])
            factor = np.sqrt(np.divide(sizes, np.subtract(sizes, 1.0)))
            estimate += share * area
            influence[at] += share * len(p) / len(at) * own * factor[1 * positive]
            df[c] += np.subtract(sizes, 1.0)
    n_units = len(np.unique(units))
    influence *= np.sqrt((n_units - 1.0) / n_units)
    return RiskColumn(estimate, influence, float(df.min()), 1.0)


def _refuse_few(sizes: Sequence[int], label: Any, name: str) -> None:
    """Refuse an area whose variance one row of a class would have to tell."""
    if min(sizes) < 2:
        which = f"{'of' if sizes[1] < 2 else 'outside'} class {label!r}"
        where = name if min(sizes) == 0 else f"a fold of {name}"
        raise NoAreaError(
            message(
                "y",
                "hold two rows, or clusters, of each class where an AUC is taken",
                Shown(f"{min(sizes) or 'none'} {which} in {where}"),
                "Leave 'auc' out of metrics, or use fewer folds or groups",
            )
        )


# What each metric can be: a Brier score is summed over classes.
RANGES: Mapping[str, tuple[float, float]] = {
    "log_loss": (0.0, np.inf),
    "brier": (0.0, 2.0),
    "accuracy": (0.0, 1.0),
    "auc": (0.0, 1.0),
    "calibration_slope": (-np.inf, np.inf),
}
COLUMNS: Mapping[str, Callable[[RiskRows, int, NDArray[np.bool_], str], RiskColumn]] = {
    **{name: partial(_mean, pointwise=loss) for name, loss in POINTWISE.items()},
    "auc": _area,
    "calibration_slope": _slope,
}
