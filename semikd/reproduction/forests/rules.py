"""Targets as the released code of the paper makes them, grids and clips included.

The student regresses on one number for each row, about the second of two classes: its
probability, or the logarithm of it. What the library itself recommends is elsewhere, in
``semikd.corrections``; the rules here exist to remake published numbers.

Notes
-----
p (n,) is what the teacher says of the second class, y (n,) the label, 0 or 1. Every
rule moves the target along the residual,

    t = phi(p) + g (y - p),

with g = Lambda on the scale of probabilities and Lambda / p on that of logarithms.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semikd._validation import unknown
from semikd.label_aware import ReferenceCorrection
from semikd.simplex import FloatArray

__all__ = [
    "ENHANCED",
    "PLAIN",
    "RULES",
    "SCALES",
    "ReferenceRule",
    "answer",
    "reference_target",
]

SCALES = ("p", "logp")
# The rules of the figures.
PLAIN, ENHANCED = "kd_mse", "kd_boundfast"
# The least probability whose logarithm is taken: one vote of 500 trees.
FLOOR = 1.0 / 500.0
# The least truth that a minimax set holds on the scale of logarithms.
_LEAST_TRUTH = 1e-3
# Rows at a time, of which each is tried with every weight of a grid.
_ROWS = 4_096
_DECADES = tuple(10.0**k for k in range(-5, 4))

# Teacher's answer and setting to the least and the largest truth of a set.
_Bound = Callable[[FloatArray, float], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class ReferenceRule:
    """A way to make targets, and the settings that were tried.

    Parameters
    ----------
    key : str
        What the released results call it.
    label : str
        What it is called here.
    values : tuple of float
        Settings that are tuned by cross-validation; empty for none.
    scales : tuple of {'p', 'logp'}
        Scales that it is for.

    Examples
    --------
    >>> from semikd.reproduction.forests.rules import RULES
    >>> RULES["kd_boundfast"].label
    'enhanced'
    """

    key: str
    label: str
    values: tuple[float, ...] = ()
    scales: tuple[str, ...] = SCALES


RULES = {
    rule.key: rule
    for rule in (
        ReferenceRule("kd_mse", "plain"),
        ReferenceRule("kd_boundfast", "enhanced", _DECADES),
        ReferenceRule("kd_boundslow", "enhanced, fourth power", _DECADES),
        ReferenceRule(
            "kd_mixed",
            "constant mix",
            tuple(float(share) for share in np.linspace(0.0, 1.0, 11)),
            ("p",),
        ),
        ReferenceRule("kd_ortholoss", "orthogonal", (), ("logp",)),
        ReferenceRule(
            "kd_relerr", "minimax, relative", (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
        ),
        ReferenceRule(
            "kd_abserr", "minimax, absolute", (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
        ),
        ReferenceRule(
            "kd_power", "minimax, power", (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
        ),
    )
}


def answer(scores: FloatArray, scale: str) -> FloatArray:
    """Return what a student's scores say of the second class; it may exceed 1."""
    return scores if scale == "p" else np.exp(scores)


def reference_target(
    rule: str, p: FloatArray, y: FloatArray, *, scale: str, value: float | None = None
) -> FloatArray:
    r"""Return the number that the student regresses on, for each row.

    =============  ================================================================
    rule           weight g of the residual, with c the setting
    =============  ================================================================
    kd_mse         0
    kd_boundfast   :math:`\Lambda = c / (c + (y - p)^2)`: it depends on the label
    kd_boundslow   least of 1,000 points of [-100, 100] of
                   :math:`g^2 (y - p)^2 + c\,(g - g_1)^4`, :math:`g_1` the weight of
                   the full correction
    kd_mixed       1 - c
    kd_ortholoss   the full correction
    kd_relerr,     least of 400 points of [-10, 10) of the worst squared error plus
    kd_abserr,     variance over a set around p: :math:`[p/(1+c), p(1+c)]`,
    kd_power       :math:`[p - c, p + c]`, from :math:`p` to :math:`p^{1/c}`
    =============  ================================================================

    Parameters
    ----------
    rule : str
        A key of ``RULES``.
    p : ndarray of shape (n,)
        What the teacher says of the second class.
    y : ndarray of shape (n,)
        Labels, 0 and 1.
    scale : {'p', 'logp'}
        Probabilities, or logarithms of what is at least 1/500.
    value : float, optional
        The setting, for a rule that has one.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If the rule or scale is unknown, or the rule is not for this scale.

    Notes
    -----
    Weights may leave [0, 1] here, as in the released code. On the scale of logarithms
    the residual keeps the probability that is not cut, except under ``kd_ortholoss``;
    the weight of ``kd_boundslow`` is that of the cut one. Where every weight is equally
    good (``kd_power`` at p = 1) rounding decides, there as here.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021: the rules of the released code.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.forests.rules import reference_target
    >>> p, y = np.array([0.2, 0.2]), np.array([0.0, 1.0])
    >>> reference_target("kd_mixed", p, y, scale="p", value=0.75)
    array([0.15, 0.4 ])
    """
    if rule not in RULES:
        raise unknown("rule", rule, RULES)
    if scale not in RULES[rule].scales:
        raise unknown("scale", scale, RULES[rule].scales)
    cut = p if scale == "p" else np.maximum(p, FLOOR)
    start = cut if scale == "p" else np.log(cut)
    if rule == "kd_ortholoss":
        return start + y / cut - 1.0
    c = 0.0 if value is None else float(value)
    return start + _weight(rule, p, cut, y, scale, c) * (y - p)


def _weight(
    rule: str, p: FloatArray, cut: FloatArray, y: FloatArray, scale: str, c: float
) -> FloatArray:
    """Return the weight of each residual, shape (n,)."""
    full = np.ones_like(p) if scale == "p" else 1.0 / cut
    if rule == "kd_mse":
        return np.zeros_like(p)
    if rule == "kd_mixed":
        return np.full_like(p, 1.0 - c)
    if rule == "kd_boundfast":
        return full * ReferenceCorrection(c).label_weight(p, y)
    if rule == "kd_boundslow":
        return _fourth_power(np.abs(y - cut), full, c)
    return _minimax(cut, scale, _BOUNDS[rule], c)


def _fourth_power(error: FloatArray, full: FloatArray, c: float) -> FloatArray:
    """Return the best of 1,000 weights of each row, shape (n,)."""
    grid = np.linspace(-100.0, 100.0, 1_000)[:, None]
    found = np.empty_like(error)
    for rows in _parts(len(error)):
        risk = grid**2 * error[rows] ** 2 + c * (grid - full[rows]) ** 4
        found[rows] = grid[risk.argmin(axis=0), 0]
    return found


def _minimax(p: FloatArray, scale: str, bound: _Bound, c: float) -> FloatArray:
    """Return the best of 400 weights against the worst truth of a set, shape (n,)."""
    # A forest says few different things: each is answered once.
    known, place = np.unique(p, return_inverse=True)
    grid = np.arange(-10.0, 10.0, 0.05)
    if scale == "p":
        # Of weights that are equally good to the last digit the smallest is taken.
        grid = grid[np.argsort(np.abs(grid), kind="stable")]
    best = np.empty_like(known)
    for rows in _parts(len(known)):
        low, high = bound(known[rows], c)
        floor = 0.0 if scale == "p" else _LEAST_TRUTH
        ends = np.maximum(low, floor), np.minimum(high, 1.0)
        worst = (_worst_exact if scale == "p" else _worst_tried)(
            known[rows], grid[:, None], *ends
        )
        best[rows] = grid[worst.argmin(axis=0)]
    return best[place]


def _worst_exact(
    p: FloatArray, g: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return the largest risk over a set, taken at its ends or between, (m, n)."""

    def risk(truth: FloatArray) -> FloatArray:
        bend, tilt = 1.0 - 2.0 * g, 2.0 * p * (g - 1.0) ** 2 - g**2
        return bend * truth**2 - tilt * truth + (g - 1.0) ** 2 * p**2

    inner = (2.0 * p * (g - 1.0) ** 2 - g**2) / (2.0 * (1.0 - 2.0 * g))
    inner = np.minimum(np.maximum(inner, low), high)
    return np.asarray(np.max([risk(low), risk(high), risk(inner)], axis=0))


def _worst_tried(
    p: FloatArray, g: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return the largest risk over ten truths of a set, (m, n)."""
    worst = np.full((len(g), len(p)), -np.inf)
    for share in np.linspace(0.0, 1.0, 10):
        truth = low + share * (high - low)
        bias = g * (truth - p) - (np.log(truth) - np.log(p))
        np.maximum(worst, bias**2 + g**2 * truth * (1.0 - truth), out=worst)
    return worst


def _parts(n: int) -> list[slice]:
    """Return the rows in parts that fit into memory with a grid."""
    return [slice(start, start + _ROWS) for start in range(0, n, _ROWS)]


_BOUNDS: dict[str, _Bound] = {
    "kd_relerr": lambda p, c: (p / (1.0 + c), p * (1.0 + c)),
    "kd_abserr": lambda p, c: (p - c, p + c),
    "kd_power": lambda p, c: (p, p ** (1.0 / c)),
}
