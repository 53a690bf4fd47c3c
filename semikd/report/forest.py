"""Differences with their intervals, an arm in a row, numbers beside the picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from semikd.report.svg import tag, tick_texts, ticks
from semikd.report.text import number_text
from semikd.report.words import Judged, interval_text
from semikd.simplex import FloatArray

__all__ = [
    "DifferenceRow",
    "axis",
    "difference_rows",
    "picture_axis",
    "picture_range",
    "pictured",
    "with_interval",
]

# An arm far off the others leaves the picture by an arrow instead of squeezing it.
_FAR = 4.0
_PAD = 0.06


@dataclass(frozen=True)
class DifferenceRow:
    """One arm's difference from the reference.

    Parameters
    ----------
    arm : str
        Its name.
    shown : str
        Difference with interval, as text.
    picture : Markup
        The same as a strip of fixed height and free width.
    role : str
        'shipped', 'teacher' or ''.
    one_fit : str
        The difference of the first refit alone, as text; empty where it is the same.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.forest import DifferenceRow
    >>> DifferenceRow("in-sample", "-0.1", Markup(""), "", "").arm
    'in-sample'
    """

    arm: str
    shown: str
    picture: Markup
    role: str
    one_fit: str


def difference_rows(judged: Judged, roles: dict[str, str]) -> list[DifferenceRow]:
    """Return every arm but the reference.

    Parameters
    ----------
    judged : Judged
        The comparison.
    roles : dict from str to str
        What an arm is, for its looks.

    Returns
    -------
    list of DifferenceRow
    """
    scale = _scale(judged)
    alone = np.asarray(judged.main.conf_int(kind="interval"))
    fitted = np.asarray(judged.one_fit.conf_int(kind="interval"))
    several = judged.comparison.n_refits > 1
    rows = []
    for at, arm in enumerate(judged.main.names):
        together = judged.together[arm]
        digits = judged.decimals
        parts = _drawn(judged.estimate[arm], alone[at], together, scale)
        if several:
            parts += _interval(fitted[at], scale, 27, "fit")
            parts.append(_tick(float(judged.one_fit.estimate[at]), scale, 27))
        rows.append(
            DifferenceRow(
                arm,
                with_interval(judged.estimate[arm], together, digits),
                _strip(parts, scale, 36 if several else 28),
                roles.get(arm, ""),
                with_interval(judged.one_fit.estimate[at], fitted[at], digits)
                if several
                else "",
            )
        )
    return rows


def axis(judged: Judged) -> Markup:
    """Return the numbers under the strips.

    Parameters
    ----------
    judged : Judged
        The comparison.

    Returns
    -------
    Markup
    """
    return picture_axis(_scale(judged))


def pictured(
    value: float, alone: Any, together: Any, scale: tuple[float, float]
) -> Markup:
    """Return an estimate with both its intervals as a strip of free width.

    Parameters
    ----------
    value : float
        The estimate.
    alone, together : array-like of shape (2,)
        Ends of its interval, and of that which holds with the others.
    scale : tuple of float
        Range of the picture, as of `picture_range`.

    Returns
    -------
    Markup
    """
    return _strip(_drawn(value, alone, together, scale), scale, 28)


def picture_axis(scale: tuple[float, float]) -> Markup:
    """Return the numbers under strips.

    Parameters
    ----------
    scale : tuple of float
        Range of the picture.

    Returns
    -------
    Markup
    """
    low, high = scale
    values = [v for v in ticks(low, high, 6) if 0.04 < (v - low) / (high - low) < 0.96]
    labels = [
        tag(
            "text",
            text,
            x=_across(value, (low, high)),
            y=12,
            class_="tick middle",
        )
        for value, text in zip(values, tick_texts(values, sign=True), strict=True)
    ]
    return _sized(labels, 18)


def with_interval(value: float, ends: Any, digits: int) -> str:
    """Return a difference and, in brackets, its interval.

    Parameters
    ----------
    value : float
        The difference.
    ends : array-like of shape (2,)
        Ends of its interval.
    digits : int
        Digits after the point.

    Returns
    -------
    str
    """
    between = interval_text(float(ends[0]), float(ends[1]), digits)
    return f"{number_text(float(value), digits, sign=True)} ({between})"


def _scale(judged: Judged) -> tuple[float, float]:
    """Return the range of the picture: zero, the shipped arm, and most others."""
    ends = np.array(list(judged.together.values()))
    return picture_range(ends, judged.together.get(judged.shipped, ends[0]))


def picture_range(ends: FloatArray, own: FloatArray) -> tuple[float, float]:
    """Return the range of a picture of intervals.

    Parameters
    ----------
    ends : ndarray of shape (d, 2)
        Ends of the intervals.
    own : ndarray
        What must be seen whole, beside zero.

    Returns
    -------
    tuple of float
        From and to, with some air; what is far off the others is cut.
    """
    reach = np.abs(ends).max(axis=1)
    cap = max(_FAR * float(np.median(reach)), float(np.abs(own).max()))
    low = max(float(ends.min()), -cap)
    high = min(float(ends.max()), cap)
    low, high = min(low, 0.0), max(high, 0.0)
    pad = _PAD * (high - low) or 1.0
    return low - pad, high + pad


def _across(value: float, scale: tuple[float, float]) -> str:
    """Return a place as a share of the width, which only the browser knows."""
    low, high = scale
    return f"{100 * (value - low) / (high - low):.2f}%"


def _interval(
    ends: Any, scale: tuple[float, float], y: int, style: str
) -> list[Markup]:
    """Return a line from end to end, with an arrow where it leaves the picture."""
    low, high = (float(np.clip(end, *scale)) for end in ends)
    place = {"x1": _across(low, scale), "x2": _across(high, scale), "y1": y, "y2": y}
    parts = [tag("line", class_=f"interval {style}", **place)]
    if style == "together":
        parts += [
            _arrow(end == scale[1], y)
            for end, given in ((low, ends[0]), (high, ends[1]))
            if end != given
        ]
    return parts


def _arrow(to_the_right: bool, y: int) -> Markup:
    """Return the sign that an interval goes on beyond the picture."""
    tip, back = (0, -7) if to_the_right else (0, 7)
    path = tag("path", d=f"M{back} {y - 4}L{tip} {y}L{back} {y + 4}", class_="arrow")
    return tag("svg", path, x="100%" if to_the_right else "0%", overflow="visible")


def _drawn(
    value: float, alone: Any, together: Any, scale: tuple[float, float]
) -> list[Markup]:
    """Return an estimate with both its intervals."""
    return [
        *_interval(together, scale, 14, "together"),
        *_interval(alone, scale, 14, "alone"),
        _point(value, scale, 14),
    ]


def _point(value: float, scale: tuple[float, float], y: int) -> Markup:
    """Return the estimate as a dot, if it is in the picture."""
    if not scale[0] <= value <= scale[1]:
        return Markup("")
    return tag("circle", cx=_across(value, scale), cy=y, r=4.5, class_="estimate")


def _tick(value: float, scale: tuple[float, float], y: int) -> Markup:
    """Return the estimate as a short line, if it is in the picture."""
    if not scale[0] <= value <= scale[1]:
        return Markup("")
    place = {"x1": _across(value, scale), "x2": _across(value, scale)}
    return tag("line", y1=y - 4, y2=y + 4, class_="interval fit", **place)


def _strip(parts: list[Markup], scale: tuple[float, float], height: int) -> Markup:
    """Return one row of the picture with the line of no difference."""
    zero = _across(0.0, scale)
    line = tag("line", x1=zero, x2=zero, y1=0, y2=height, class_="zero")
    return _sized([line, *parts], height)


def _sized(parts: list[Markup], height: int) -> Markup:
    """Return a strip of fixed height and free width."""
    return tag(
        "svg", *parts, width="100%", height=height, class_="strip", aria_hidden="true"
    )
