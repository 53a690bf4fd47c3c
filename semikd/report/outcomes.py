"""What a node of a tree says, in words and as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from semikd.report.svg import tag
from semikd.report.text import percent, significant
from semikd.simplex import FloatArray

__all__ = ["COLOURS", "Outcome", "OutcomeReader"]

# Classes beyond these share the last colour.
COLOURS = 6


@dataclass(frozen=True)
class Outcome:
    """What a node says.

    Parameters
    ----------
    text : str
        A probability or a mean.
    about : str or None
        The most probable of several classes; None where the class is understood.
    bar : Markup
        The same as a picture of free width.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.outcomes import Outcome
    >>> Outcome("31 %", None, Markup("")).text
    '31 %'
    """

    text: str
    about: str | None
    bar: Markup


class OutcomeReader:
    r"""Reads the values of nodes: probabilities of classes, or means.

    Parameters
    ----------
    values : ndarray of shape (n_nodes, k)
        Probabilities; for means, k = 1.
    classes : sequence of object, optional
        The k classes; None for means.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.report.outcomes import OutcomeReader
    >>> OutcomeReader(np.array([[0.75, 0.25]]), ["no", "yes"]).read(0).text
    '25\xa0%'
    """

    def __init__(
        self, values: FloatArray, classes: Sequence[object] | None = None
    ) -> None:
        self.values = np.asarray(values, dtype=np.float64)
        self.classes = None if classes is None else [str(name) for name in classes]
        self._low, self._high = float(self.values.min()), float(self.values.max())

    def read(self, node: int) -> Outcome:
        """Return what one node says.

        Parameters
        ----------
        node : int
            Its position.

        Returns
        -------
        Outcome
        """
        value = self.values[node]
        if self.classes is None:
            return Outcome(significant(float(value[0])), None, self._mark(value[0]))
        if len(self.classes) == 2:
            return Outcome(percent(float(value[1])), None, _stack(value[1:]))
        top = int(value.argmax())
        return Outcome(percent(float(value[top])), self.classes[top], _stack(value))

    def _mark(self, value: float) -> Markup:
        """Return where a mean stands between the least and the greatest."""
        width = self._high - self._low
        share = (value - self._low) / width if width > 0 else 0.5
        dot = tag("circle", cx=f"{2 + 96 * share:.1f}%", cy=4, r=4, class_="k0")
        line = tag("line", x1="2%", x2="98%", y1=4, y2=4, class_="rail")
        return _bar(line, dot)


def _stack(shares: FloatArray) -> Markup:
    """Return shares side by side."""
    parts, start = [tag("rect", width="100%", height=8, class_="rail")], 0.0
    for position, share in enumerate(shares.clip(0.0, 1.0)):
        place = {"x": f"{100 * start:.1f}%", "width": f"{100 * share:.1f}%"}
        colour = f"k{min(position, COLOURS - 1)}"
        parts.append(tag("rect", height=8, class_=colour, **place))
        start += float(share)
    return _bar(*parts)


def _bar(*parts: Markup) -> Markup:
    """Return a small picture of fixed height and free width."""
    return tag("svg", *parts, width="100%", height=8, class_="bar", aria_hidden="true")
