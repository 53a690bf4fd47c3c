"""Coefficients of a linear student beside the best of its form, with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from semikd._text import visible
from semikd._validation import counted
from semikd.inference import Coefficients
from semikd.report.forest import picture_axis, picture_range, pictured, with_interval
from semikd.report.text import decimals_for, level_text, number_text
from semikd.simplex import FloatArray

__all__ = ["SlopeFacts", "SlopeRow", "slope_rows", "slope_sentence", "slope_view"]

# Further rows are folded away, and beyond the second number left out.
_SHOWN, _MOST = 15, 200
# Features that a sentence names.
_NAMED = 5


@dataclass(frozen=True, eq=False)
class SlopeFacts:
    """The best slopes, and those that ship.

    Parameters
    ----------
    names : sequence of str
        Features.
    bases : sequence of str
        What each is measured against; empty for numbers.
    shipped : ndarray of shape (d,)
        Slopes of the model that ships, measured alike.
    left_out : sequence of str
        Features without a slope of their own.
    n_certain : int
        Rows that are left out, since their columns tell their class.
    found : Coefficients
        Slopes of the best model of this form and, last, its intercept.
    outcome : str
        What the log-odds are of.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.inference import likelihood_coefficients
    >>> from semikd.report.coefficients import SlopeFacts, slope_rows
    >>> X = np.random.default_rng(0).normal(size=(400, 1))
    >>> y = np.random.default_rng(1).random(400) < 1 / (1 + np.exp(-X[:, 0]))
    >>> found = likelihood_coefficients(X, y, random_state=0)
    >>> facts = SlopeFacts(["age"], [""], np.ones(1), [], 0, found, "buys = yes")
    >>> slope_rows(facts)[0].verdict
    'raises'
    """

    names: Sequence[str]
    bases: Sequence[str]
    shipped: FloatArray
    left_out: Sequence[str]
    n_certain: int
    found: Coefficients
    outcome: str


@dataclass(frozen=True)
class SlopeRow:
    """One feature, as text that is ready to be read.

    Parameters
    ----------
    name, base : str
        The feature, and what it is measured against.
    shipped : str
        The slope that ships.
    shown : str
        The best slope with the interval that holds with all others.
    picture : Markup
        The same as a strip.
    verdict : str
        'raises', 'lowers' or nothing.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.coefficients import SlopeRow
    >>> SlopeRow("age", "", "+0.1", "+0.2", Markup(""), "").base
    ''
    """

    name: str
    base: str
    shipped: str
    shown: str
    picture: Markup
    verdict: str


def slope_rows(facts: SlopeFacts) -> list[SlopeRow]:
    """Return the features, those of the largest ratio to their error first.

    Parameters
    ----------
    facts : SlopeFacts
        The slopes.

    Returns
    -------
    list of SlopeRow
    """
    alone, together = (_ends(facts, kind) for kind in ("interval", "simultaneous"))
    estimate, order, scale = facts.found.estimate[:-1], _order(facts), _range(facts)
    digits = [decimals_for(float(half)) for half in np.ptp(together, axis=1) / 2]
    return [
        SlopeRow(
            facts.names[at],
            facts.bases[at],
            number_text(float(facts.shipped[at]), digits[at], sign=True),
            with_interval(float(estimate[at]), together[at], digits[at]),
            pictured(float(estimate[at]), alone[at], together[at], scale),
            _verdict(together[at]),
        )
        for at in order[:_MOST]
    ]


def slope_sentence(facts: SlopeFacts) -> str:
    """Return of how many features the direction is known, and of which the student's.

    Parameters
    ----------
    facts : SlopeFacts
        The slopes.

    Returns
    -------
    str
    """
    together = _ends(facts, "simultaneous")
    known = np.asarray(together[:, 0] * together[:, 1] > 0)
    against = known & (np.sign(facts.shipped) != np.sign(together[:, 0]))
    n_known, sure = int(known.sum()), f"{level_text(facts.found.level)} confidence"
    of_all = f"of {counted(len(known), 'feature')} ({sure} for all together)"
    if not n_known:
        return f"The direction of none {of_all} is known."
    said = f"The direction of {n_known:,} {of_all} is known"
    if not against.any():
        return f"{said}; there the model that ships points the same way."
    names = ", ".join(
        f"'{visible(facts.names[at])}'" for at in np.flatnonzero(against)[:_NAMED]
    )
    more = "" if against.sum() <= _NAMED else f" and {against.sum() - _NAMED:,} more"
    return f"{said}; the model that ships points the other way in {names}{more}."


def slope_view(facts: SlopeFacts | None) -> dict[str, Any]:
    """Return what the section on coefficients shows; nothing without intervals.

    Parameters
    ----------
    facts : SlopeFacts or None
        The slopes.

    Returns
    -------
    dict
        Names of the template.
    """
    if facts is None:
        return {"slopes": []}
    rows = slope_rows(facts)
    return {
        "slopes": rows[:_SHOWN],
        "more_slopes": rows[_SHOWN:],
        "slope_sentence": slope_sentence(facts),
        "slope_axis": picture_axis(_range(facts)),
        "slope_level": level_text(facts.found.level),
        "slope_conditions": facts.found.conditions,
        "slope_outcome": facts.outcome,
        "slopes_left_out": facts.left_out,
        "n_certain": f"{facts.n_certain:,}" if facts.n_certain else "",
    }


def _ends(facts: SlopeFacts, kind: Any) -> FloatArray:
    """Return the intervals of the slopes, without that of the intercept."""
    return np.asarray(facts.found.conf_int(kind=kind)[:-1])


def _order(facts: SlopeFacts) -> list[int]:
    """Return the places of the features, the surest first."""
    ratio = np.abs(facts.found.statistic()[:-1])
    return [int(at) for at in np.argsort(-ratio, kind="stable")]


def _range(facts: SlopeFacts) -> tuple[float, float]:
    """Return the range of the picture, in which what is not folded is seen whole."""
    together = _ends(facts, "simultaneous")
    return picture_range(together, together[_order(facts)[:_SHOWN]])


def _verdict(ends: FloatArray) -> str:
    """Return what an interval says of the direction."""
    if (ends > 0).all():
        return "raises"
    return "lowers" if (ends < 0).all() else ""
