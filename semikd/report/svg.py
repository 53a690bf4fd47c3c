"""Just enough SVG: drawn by the browser, so that every script and theme is at home.

No plotting library is involved: one would have to hold glyphs for names in any script,
parse some of them as mathematics, and draw for a white page. Colours are classes of the
style sheet, which knows light, dark and print. Only fixed words are drawn inside a
chart; names from the data stand in the HTML around it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from markupsafe import Markup

from semikd.report.text import (
    attribute,
    decimals_for,
    exponent_text,
    number_text,
)
from semikd.simplex import FloatArray

__all__ = ["Chart", "tag", "tick_texts", "ticks"]

# Width and height of the drawing; it fits a phone without being scaled down much.
WIDTH, HEIGHT = 340, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 10, 10, 42
_MOST_POINTS = 240
# Width of a digit beside an axis, and the digits that the left margin has room for.
_ROOM, _DIGITS = 7, 3


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """Return one SVG element; ``class_`` and ``stroke_width`` lose their underscores.

    Parameters
    ----------
    name : str
        The element.
    *children : str
        Elements inside, already escaped.
    **attributes : object
        Numbers are cut to two decimals, text is escaped.

    Returns
    -------
    Markup

    Examples
    --------
    >>> from semikd.report.svg import tag
    >>> tag("line", x1=0.125, class_="axis")
    Markup('<line x1="0.12" class="axis"/>')
    """
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
    )
    inside = "".join(children)
    text = f"<{name}{pairs}>{inside}</{name}>" if inside else f"<{name}{pairs}/>"
    return Markup(text)  # noqa: S704 - attributes are escaped, children are elements


def _attribute(value: object) -> str:
    """Return the text of an attribute."""
    return (
        f"{value:.2f}".rstrip("0").rstrip(".")
        if isinstance(value, float)
        else (attribute(value))
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers inside a range, at steps of 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    low, high : float
        The range.
    most : int, default=5
        About how many.

    Returns
    -------
    list of float

    Examples
    --------
    >>> from semikd.report.svg import ticks
    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    # Of the size of the step: a fixed number of decimals would be nothing to tiny ones.
    digits = 2 - math.floor(math.log10(step))
    return [round(at * step, digits) + 0.0 for at in range(first, last + 1)]


@dataclass
class Chart:
    """Axes with round ticks, on which lines and dots are put one after another.

    Parameters
    ----------
    across, up : tuple of float
        Ranges of the two axes.
    x_label, y_label : str
        Fixed words, never names from the data.
    described : str
        What the figure shows, with the numbers that matter, for those who hear it.
    marks : tuple of (float, str), default=()
        Ticks of the lower axis and their numbers, in place of round ones; those that
        would touch the one before are left out.

    Examples
    --------
    >>> from semikd.report.svg import Chart
    >>> chart = Chart((0.0, 1.0), (0.0, 1.0), "predicted", "observed", "A diagonal.")
    >>> chart.line([0, 1], [0, 1], "diagonal")
    >>> "A diagonal." in chart.svg()
    True
    """

    across: tuple[float, float]
    up: tuple[float, float]
    x_label: str
    y_label: str
    described: str
    marks: tuple[tuple[float, str], ...] = ()
    _drawn: list[Markup] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Where the lower axis begins: right of the numbers of the other one."""
        longest = max(map(len, tick_texts(ticks(*self.up))), default=0)
        return _LEFT + _ROOM * max(longest - _DIGITS, 0)

    def x(self, values: object) -> FloatArray:
        """Return places across the drawing, left to right."""
        low, high = self.across
        share = (np.asarray(values, dtype=np.float64) - low) / (high - low)
        return np.asarray(self.left + share * (WIDTH - self.left - _RIGHT))

    def y(self, values: object) -> FloatArray:
        """Return places down the drawing; large values are on top."""
        low, high = self.up
        share = (np.asarray(values, dtype=np.float64) - low) / (high - low)
        return np.asarray(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM))

    def line(self, x: object, y: object, style: str) -> None:
        """Add a line through points, thinned to what an eye can tell apart."""
        across, down = _thinned(self.x(x), self.y(y))
        places = " ".join(f"{a:.1f},{d:.1f}" for a, d in zip(across, down, strict=True))
        self._drawn.append(tag("polyline", points=places, class_=style))

    def dots(self, x: object, y: object, style: str, size: float = 2.6) -> None:
        """Add dots, circles all."""
        places = zip(self.x(x), self.y(y), strict=True)
        circles = [tag("circle", cx=float(a), cy=float(d), r=size) for a, d in places]
        self._drawn.append(tag("g", *circles, class_=f"dots {style}"))

    def svg(self) -> Markup:
        """Return the drawing."""
        clip = tag(
            "svg",
            tag("g", *self._drawn),
            width=WIDTH,
            height=HEIGHT,
            overflow="hidden",
        )
        return tag(
            "svg",
            self._axes(),
            clip,
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            role="img",
            class_="chart",
            aria_label=self.described,
        )

    def _axes(self) -> Markup:
        """Return grid, ticks and labels."""
        parts = [*self._ticks_across(), *self._ticks_up()]
        middle = (self.left + WIDTH - _RIGHT) / 2
        parts.append(_label(self.x_label, middle, HEIGHT - 6.0, "label middle"))
        centre = (_TOP + HEIGHT - _BOTTOM) / 2
        turned = f"translate(11 {centre:.0f}) rotate(-90)"
        parts.append(
            tag("g", _label(self.y_label, 0.0, 0.0, "label middle"), transform=turned)
        )
        return tag("g", *parts, aria_hidden="true")

    def _ticks_across(self) -> Iterable[Markup]:
        """Yield grid lines and numbers of the lower axis."""
        bottom = float(HEIGHT - _BOTTOM)
        for text, at in self._marks():
            yield tag(
                "line", x1=float(at), x2=float(at), y1=_TOP, y2=bottom, class_="grid"
            )
            yield _label(text, float(at), bottom + 16, "tick middle")

    def _marks(self) -> list[tuple[str, float]]:
        """Return the numbers of the lower axis and their places."""
        if not self.marks:
            values = ticks(*self.across)
            places = [float(at) for at in self.x(values)]
            return list(zip(tick_texts(values), places, strict=True))
        kept: list[tuple[str, float]] = []
        for value, text in reversed(self.marks):
            at = float(self.x(value))
            if not kept or kept[-1][1] - at > _ROOM * (len(text) + 1):
                kept.append((text, at))
        return kept[::-1]

    def _ticks_up(self) -> Iterable[Markup]:
        """Yield grid lines and numbers of the left axis."""
        values = ticks(*self.up)
        for text, at in zip(tick_texts(values), self.y(values), strict=True):
            line = {"x1": self.left, "x2": WIDTH - _RIGHT, "class_": "grid"}
            yield tag("line", y1=float(at), y2=float(at), **line)
            yield _label(text, self.left - 6.0, float(at) + 3.5, "tick end")


def tick_texts(values: list[float], *, sign: bool = False) -> list[str]:
    """Return ticks as text with the digits that tell neighbours apart.

    Parameters
    ----------
    values : list of float
        The ticks, at equal steps.
    sign : bool, default=False
        Whether positive numbers get a sign, too, as differences do.

    Returns
    -------
    list of str
        With an exponent where the numbers are so large or small that they would not fit
        beside an axis.

    Examples
    --------
    >>> from semikd.report.svg import tick_texts
    >>> tick_texts([0.0, 0.5, 1.0]), tick_texts([0.0, 2e-9])
    (['0.0', '0.5', '1.0'], ['0', '2e\N{MINUS SIGN}9'])
    """
    step = values[1] - values[0] if len(values) > 1 else 1.0
    digits = max(decimals_for(step) - 1, 0)
    texts = [number_text(value, digits, sign=sign) for value in values]
    if max(map(len, texts), default=0) <= (8 if sign else 6):
        return texts
    return [exponent_text(value, step, sign=sign) for value in values]


def _label(text: str, x: float, y: float, style: str) -> Markup:
    """Return fixed words at a place."""
    return tag("text", attribute(text), x=x, y=y, class_=style)


def _thinned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return points at about equal distances along a line of many points."""
    if len(x) <= _MOST_POINTS:
        return x, y
    steps = np.abs(np.diff(x)) + np.abs(np.diff(y))
    length = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, length[-1], _MOST_POINTS)
    kept = np.unique(np.searchsorted(length, wanted).clip(0, len(x) - 1))
    return x[kept], y[kept]
