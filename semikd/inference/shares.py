"""Differences of shares of right answers, in many groups at once, few rows or many."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from semikd._random import RandomState
from semikd._validation import FloatArray
from semikd.exceptions import SemikdWarning
from semikd.inference.comparison import paired_differences
from semikd.inference.units import effective_number

__all__ = ["share_differences"]

# With fewer rows that one model gets right and the other wrong, and the other way
# round, a difference of shares is far from normal.
_LEAST_APART = 10
Mask = NDArray[np.bool_]
Cell = tuple[str, str]


def share_differences(
    right: Mapping[str, Mask],
    reference: str,
    parts: Mapping[str, Mask],
    *,
    weights: FloatArray | None = None,
    units: NDArray[np.intp] | None = None,
    level: float = 0.95,
    random_state: RandomState = None,
) -> list[dict[str, Any]]:
    r"""Return differences in shares of right answers, with limits that hold together.

    .. math:: \Delta_{ga} = P(a \text{ right} \mid g) - P(\text{reference right} \mid g)

    Parameters
    ----------
    right : mapping from str to ndarray of bool of shape (n,)
        Which rows each model is right about.
    reference : str
        The model that differences are from.
    parts : mapping from str to ndarray of bool of shape (n,)
        Rows of each group; groups may overlap.
    weights : ndarray of shape (n,), optional
        Sampling weights.
    units : ndarray of int of shape (n,), optional
        Cluster of each row, numbered from 0 without gaps.
    level : float, default=0.95
        Confidence that all limits hold.
    random_state : int, generator or None
        Seed of the draws of max-T.

    Returns
    -------
    list of dict
        ``group``, ``arm``, ``difference``, ``lower``, ``upper``.

    Notes
    -----
    The error is split evenly over all statements. Where 10 or more rows of a group are
    right by the arm alone, and 10 or more by the reference alone, limits are those of
    normal errors by max-T, at the share of the error that such statements have.
    Elsewhere the limits of both shares are exact (Clopper and Pearson), and that of
    their difference is conservative. With weights the 10 are effective rows: the shares
    times :math:`(\sum w)^2 / \sum w^2`; with clusters effective clusters in which there
    are such rows, 20 of which the group has; and where there are fewer, or no weight,
    there are no limits, NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference.shares import share_differences
    >>> right = {"a": np.ones(50, bool), "b": np.arange(50) > 0}
    >>> row = share_differences(right, "a", {"all": np.ones(50, bool)})[0]
    >>> row["difference"], round(row["lower"], 2), round(row["upper"], 2)
    (-0.02, -0.12, 0.08)
    """
    others = [name for name in right if name != reference]
    cells = [(group, arm) for group in parts for arm in others]
    sample = _Sample(right, reference, parts, weights, units)
    normal = [cell for cell in cells if sample.is_normal(*cell)]
    alike = (1.0 - level) / len(cells)
    limits = sample.by_max_t(normal, 1.0 - alike * len(normal), random_state)
    found = []
    for group, arm in cells:
        apart, share = sample.apart(group, arm)
        mean, ends = float("nan"), (float("nan"), float("nan"))
        if len(apart) and (share is None or share.sum() > 0.0):
            mean = float(np.average(apart, weights=share))
            ends = limits.get((group, arm), ends)
        if len(apart) and (group, arm) not in limits and sample.is_plain:
            ends = _exact(apart, alike)
        line = {"group": group, "arm": arm, "difference": mean}
        found.append(line | {"lower": ends[0], "upper": ends[1]})
    return found


@dataclass(frozen=True)
class _Sample:
    """What models are right about, and in which groups."""

    right: Mapping[str, Mask]
    reference: str
    parts: Mapping[str, Mask]
    weights: FloatArray | None
    units: NDArray[np.intp] | None

    @property
    def is_plain(self) -> bool:
        """Whether rows are independent and count alike."""
        return self.weights is None and self.units is None

    def apart(self, group: str, arm: str) -> tuple[FloatArray, FloatArray | None]:
        """Return 1, 0 or -1 for the rows of a group, and their weights."""
        mask = self.parts[group]
        moved = self.right[arm][mask].astype(np.float64)
        share = None if self.weights is None else self.weights[mask]
        return moved - self.right[self.reference][mask], share

    def is_normal(self, group: str, arm: str) -> bool:
        """Return whether enough rows, or clusters, are right by each model alone."""
        apart, share = self.apart(group, arm)
        weight = np.ones(len(apart)) if share is None else share
        if weight.sum() <= 0.0:
            return False
        sides = [weight * (apart == sign) for sign in (1.0, -1.0)]
        if self.units is None:
            # As many rows as these would be if all counted alike.
            share_of = [side.sum() / weight.sum() for side in sides]
            return bool(effective_number(weight) * min(share_of) >= _LEAST_APART)
        own = self.units[self.parts[group]]
        whole, *parts = (
            np.bincount(own, each).astype(np.float64) for each in (weight, *sides)
        )
        enough = effective_number(whole) >= 2 * _LEAST_APART
        return bool(enough and min(map(effective_number, parts)) >= _LEAST_APART)

    def by_max_t(
        self, cells: Sequence[Cell], level: float, random_state: RandomState
    ) -> dict[Cell, tuple[float, float]]:
        """Return limits of normal errors that hold together at this level."""
        if not cells:
            return {}
        others = [name for name in self.right if name != self.reference]
        arms = [self.reference, *others]
        kept = list(dict.fromkeys(group for group, _ in cells))
        with warnings.catch_warnings():
            # These groups were judged by a rule of their own; all rows are not shown.
            warnings.simplefilter("ignore", SemikdWarning)
            result = paired_differences(
                np.column_stack([self.right[name] for name in arms]).astype(np.float64),
                names=arms,
                reference=self.reference,
                groups={str(at): self.parts[name] for at, name in enumerate(kept)},
                sample_weight=self.weights,
                clusters=self.units,
                level=level,
                random_state=random_state,
            )
        # All rows stand first, then the groups; within each the arms in their order.
        ends = result.conf_int(kind="simultaneous").reshape(-1, len(others), 2)[1:]
        return {
            (group, arm): tuple(ends[kept.index(group), others.index(arm)].tolist())
            for group, arm in cells
        }


def _exact(apart: FloatArray, alike: float) -> tuple[float, float]:
    """Return limits of a difference of shares from exact limits of both."""
    n = len(apart)
    # Four limits share the error: lower and upper ones of both shares.
    tail = alike / 4.0
    (low_more, high_more), (low_less, high_less) = (
        (
            float(stats.beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0,
            float(stats.beta.isf(tail, k + 1, n - k)) if k < n else 1.0,
        )
        for k in (int((apart == sign).sum()) for sign in (1.0, -1.0))
    )
    return low_more - high_less, high_more - low_less
