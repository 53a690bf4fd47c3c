"""The curve of sizes: how far each student is behind the teacher, and which ships."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from semikd.inference import FixedSequence
from semikd.report.svg import Chart
from semikd.report.text import decimals_for, level_text, number_text
from semikd.report.words import metric_words
from semikd.selection import SizeCurve
from semikd.simplex import FloatArray

__all__ = ["SizeFacts", "SizeRow", "size_drawing", "size_sentence", "student_rows"]

# Air around what is drawn, as a share of its range.
_AIR = 0.08


@dataclass(frozen=True, eq=False)
class SizeFacts:
    """Students of all sizes beside their teacher, and the margin that was asked for.

    Parameters
    ----------
    curve : SizeCurve
        The students, smallest first.
    tested : FixedSequence
        Which are good enough, tested from the largest to the smallest.
    margin : float
        How much worse than the teacher is still good enough.
    teacher : str
        What the teacher is called.
    """

    curve: SizeCurve
    tested: FixedSequence
    margin: float
    teacher: str


@dataclass(frozen=True)
class SizeRow:
    """One student of the curve, as text that is ready to be read.

    Parameters
    ----------
    size, loss, behind, bound : str
        Its size and loss, how far it is behind the teacher, and the bound on that.
    verdict : str
        Whether it is good enough.
    chosen : bool
        Whether it ships.

    Examples
    --------
    >>> from semikd.report.sizing import SizeRow
    >>> SizeRow("8 leaves", "0.5", "+0.01", "+0.02", "good enough", True).chosen
    True
    """

    size: str
    loss: str
    behind: str
    bound: str
    verdict: str
    chosen: bool


def size_sentence(facts: SizeFacts) -> str:
    """Return which student is the smallest that is good enough, or that none is.

    Parameters
    ----------
    facts : SizeFacts
        The curve and its tests.

    Returns
    -------
    str
        It names metric, margin, teacher and confidence.
    """
    curve, tested = facts.curve, facts.tested
    metric, level = metric_words(curve.task.metric), level_text(tested.level)
    claim = (
        f"whose {metric} is worse than that of the teacher '{facts.teacher}' by less "
        f"than {facts.margin:g}"
    )
    n_rows = f"{len(curve.test.y):,} held-out rows, confidence {level}"
    if tested.last is None:
        return (
            f"No size is shown to be one {claim} ({n_rows}): the largest ships, "
            f"{curve.names[-1]}."
        )
    return f"{tested.last}: the smallest student {claim} ({n_rows})."


def student_rows(facts: SizeFacts) -> list[SizeRow]:
    """Return the students from the smallest to the largest.

    Parameters
    ----------
    facts : SizeFacts
        The curve and its tests.

    Returns
    -------
    list of SizeRow
    """
    curve, tested = facts.curve, facts.tested
    behind, bound = _behind(facts)
    digits = decimals_for(float(np.max(bound - behind)) or 1.0, least=-300, most=300)
    losses = np.average(curve.losses, axis=0, weights=curve.test.weights)
    ships = curve.names[-1] if tested.last is None else tested.last
    return [
        SizeRow(
            name,
            number_text(float(losses[at]), digits),
            number_text(float(behind[at]), digits, sign=True),
            number_text(float(bound[at]), digits, sign=True),
            _verdict(name, tested),
            name == ships,
        )
        for at, name in enumerate(curve.names)
    ]


def size_drawing(facts: SizeFacts) -> Markup:
    """Return how far each size is behind the teacher, with bounds and the margin.

    Parameters
    ----------
    facts : SizeFacts
        The curve and its tests.

    Returns
    -------
    Markup
        The SVG.
    """
    curve = facts.curve
    behind, bound = _behind(facts)
    numbers, unit = _sizes(curve)
    places = np.log2(numbers)
    chart = Chart(
        _padded(places),
        _padded([0.0, facts.margin, *bound, *behind]),
        unit,
        f"{metric_words(curve.task.metric)} behind the teacher",
        f"How far students are behind the teacher by size. {_listed(curve, behind)}",
        marks=tuple(
            (float(place), f"{number:,.0f}")
            for place, number in zip(places, numbers, strict=True)
        ),
    )
    chart.line(chart.across, (0.0, 0.0), "diagonal")
    chart.line(chart.across, (facts.margin, facts.margin), "curve reference")
    for place, low, high in zip(places, behind, bound, strict=True):
        chart.line((place, place), (low, high), "whisker")
    chart.line(places, behind, "curve shipped")
    chart.dots(places, behind, "shipped")
    return chart.svg()


def _behind(facts: SizeFacts) -> tuple[FloatArray, FloatArray]:
    """Return the differences to the teacher, and one-sided bounds on them."""
    table = facts.curve.comparison.non_inferior(
        facts.margin, level=facts.tested.level, adjust="none"
    )
    return table["difference"].to_numpy(float), table["bound"].to_numpy(float)


def _verdict(name: str, tested: FixedSequence) -> str:
    """Return what the tests say of one size."""
    if name in tested.rejected:
        return "good enough"
    first = tested.names[len(tested.rejected)]
    return "not shown to be" if name == first else "not tested"


def _sizes(curve: SizeCurve) -> tuple[FloatArray, str]:
    """Return sizes as numbers, and what they count."""
    for unit in ("leaves", "coefficients"):
        known = [getattr(size, unit) for size in curve.sizes]
        if None not in known:
            return np.array(known, dtype=np.float64), unit
    return np.array([size.bytes for size in curve.sizes], dtype=np.float64), "bytes"


def _padded(values: Sequence[float] | FloatArray) -> tuple[float, float]:
    """Return the range of values with some air."""
    low, high = float(np.min(values)), float(np.max(values))
    air = _AIR * (high - low) or 0.5
    return low - air, high + air


def _listed(curve: SizeCurve, behind: FloatArray) -> str:
    """Return sizes and differences as text, for those who hear the figure."""
    pairs = zip(curve.names, behind, strict=True)
    return ", ".join(f"{name} {float(value):+.3g}" for name, value in pairs) + "."
