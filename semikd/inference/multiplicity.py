"""Tail probabilities and p-values for one statement at a time, or for all together."""

from typing import Literal

import numpy as np
from scipy import stats

from semikd._validation import FloatArray
from semikd.inference.bootstrap import max_t_p_values, max_t_quantile

Alternative = Literal["two-sided", "less", "greater"]
Adjustment = Literal["none", "max-t", "bonferroni", "holm"]

ADJUSTMENTS = {name: name for name in ("none", "max-t", "bonferroni", "holm")}
# The sign of the ratios that speak for the alternative; 0 means either sign.
DIRECTIONS = {"two-sided": 0, "less": -1, "greater": 1}


def adjusted_tail(
    level: float, d: int, draws: FloatArray | None, *, sign: int, adjust: str
) -> float:
    """Return the probability of one tail beyond the critical values at that level."""
    two_sided = sign == 0
    if adjust == "max-t" and draws is not None:
        signed = draws if two_sided else sign * draws
        return float(stats.norm.sf(max_t_quantile(signed, level, two_sided=two_sided)))
    tail = (1 - level) / (1 + two_sided)
    return tail if adjust == "none" else tail / d


def adjusted_p_values(
    scores: FloatArray, draws: FloatArray | None, *, sign: int, adjust: str
) -> FloatArray:
    """Return the p-values of normal scores against draws of them, shape (d,)."""
    two_sided = sign == 0
    ratios = np.abs(scores) if two_sided else sign * scores
    if adjust == "max-t" and draws is not None:
        signed = draws if two_sided else sign * draws
        return max_t_p_values(signed, ratios, two_sided=two_sided)
    raw = np.minimum(stats.norm.sf(ratios) * (1 + two_sided), 1.0)
    if adjust == "holm":
        return _holm(raw)
    return np.asarray(
        np.minimum(raw * (len(raw) if adjust == "bonferroni" else 1), 1.0)
    )


def _holm(raw: FloatArray) -> FloatArray:
    """Return Holm's step-down adjusted p-values, shape (d,)."""
    order = np.argsort(raw)
    stepped = raw[order] * np.arange(len(raw), 0, -1)
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted
