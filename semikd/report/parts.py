"""On whom is it worse? What ships beside another arm, on each part of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from semikd._text import visible
from semikd.inference import Comparison
from semikd.report.forest import picture_axis, picture_range, pictured, with_interval
from semikd.report.rights import RightFacts, right_view
from semikd.report.text import decimals_for, level_text, number_text
from semikd.report.words import metric_words

__all__ = ["PartFacts", "PartRow", "part_rows", "part_sentence", "part_view"]


@dataclass(frozen=True, eq=False)
class PartFacts:
    """What ships and another arm on all held-out rows and on each part of them.

    Parameters
    ----------
    column : str
        What parts the rows.
    arm : str
        What ships.
    metric : str
        The loss.
    comparison : Comparison
        Differences from the other arm: of all rows, and then of each part. Its names
        are those of the parts.
    n_rows : sequence of int
        Rows of each.
    losses : sequence of float
        Mean loss of what ships on each.
    conditions : sequence of str
        What the intervals rest on.
    rights : RightFacts, optional
        Right answers on each part, of class labels.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from semikd.inference import paired_differences
    >>> from semikd.report.parts import PartFacts, part_rows
    >>> losses = [[0.2, 0.1], [0.4, 0.1], [0.3, 0.1], [0.2, 0.2], [0.1, 0.2], [0, 0.2]]
    >>> found = paired_differences(
    ...     losses,
    ...     names=["tree", "teacher"],
    ...     reference="teacher",
    ...     groups=[0, 0, 0, 1, 1, 1],
    ... )
    >>> found = replace(found, names=("all rows", "women", "men"))
    >>> means = [0.2, 0.3, 0.1]
    >>> facts = PartFacts("sex", "tree", "log_loss", found, [6, 3, 3], means)
    >>> [row.name for row in part_rows(facts)]
    ['all rows', 'women', 'men']
    """

    column: str
    arm: str
    metric: str
    comparison: Comparison
    n_rows: Sequence[int]
    losses: Sequence[float]
    conditions: Sequence[str] = ()
    rights: RightFacts | None = None


@dataclass(frozen=True)
class PartRow:
    """One part, as text that is ready to be read.

    Parameters
    ----------
    name, rows, loss : str
        The part, its number of rows, and the loss of what ships.
    shown : str
        Difference with the interval that holds with the others.
    picture : Markup
        The same as a strip.
    verdict : str
        'worse', 'better' or nothing.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.parts import PartRow
    >>> PartRow("men", "80", "0.4", "+0.1", Markup(""), "worse").verdict
    'worse'
    """

    name: str
    rows: str
    loss: str
    shown: str
    picture: Markup
    verdict: str


def part_rows(facts: PartFacts) -> list[PartRow]:
    """Return all rows, and then each part.

    Parameters
    ----------
    facts : PartFacts
        What was compared.

    Returns
    -------
    list of PartRow
    """
    found, scale, digits = facts.comparison, _range(facts), _decimals(facts)
    alone, together = (found.conf_int(kind=k) for k in ("interval", "simultaneous"))
    verdicts = [each.verdict for each in found.verdicts()]
    return [
        PartRow(
            name,
            f"{facts.n_rows[at]:,}",
            number_text(facts.losses[at], digits),
            with_interval(float(found.estimate[at]), together[at], digits),
            pictured(float(found.estimate[at]), alone[at], together[at], scale),
            verdicts[at] if verdicts[at] in ("worse", "better") else "",
        )
        for at, name in enumerate(found.names)
    ]


def part_sentence(facts: PartFacts) -> str:
    """Return on which parts it is worse, and by how much it may be at most.

    Parameters
    ----------
    facts : PartFacts
        What was compared.

    Returns
    -------
    str
        It names metric, arms, column and confidence.
    """
    found, digits = facts.comparison, _decimals(facts)
    whole, *parts = found.verdicts()
    worse = [f"'{visible(each.arm)}'" for each in parts if each.verdict == "worse"]
    ends = found.conf_int(kind="simultaneous")[1:, 1]
    last = int(np.argmax(ends))
    where, bound = f"'{visible(found.names[1 + last])}'", float(ends[last])
    said = f"is not shown to be worse than '{found.reference}' on any part"
    if worse:
        said = f"is worse than '{found.reference}' on {', '.join(worse)}"
    elif whole.verdict == "worse":
        said = f"is worse than '{found.reference}', but on no single part shown to be"
    size = number_text(abs(bound), digits)
    most = f"higher by at most {size}, on {where}"
    if bound < 0:
        most = f"lower on every part, by at least {size} on {where}"
    return (
        f"By '{visible(facts.column)}', '{facts.arm}' {said}. Its "
        f"{metric_words(facts.metric)} is {most} ({level_text(found.level)} confidence "
        "for all parts together)."
    )


def part_view(facts: PartFacts | None) -> dict[str, Any]:
    """Return what the section on parts shows; nothing where none were asked for.

    Parameters
    ----------
    facts : PartFacts or None
        What was compared.

    Returns
    -------
    dict
        Names of the template.
    """
    if facts is None:
        return {"parts": [], **right_view(None)}
    return {
        "parts": part_rows(facts),
        "part_sentence": part_sentence(facts),
        "part_axis": picture_axis(_range(facts)),
        **right_view(facts.rights),
    }


def _range(facts: PartFacts) -> tuple[float, float]:
    """Return the range of the picture, in which all rows are seen whole."""
    ends = facts.comparison.conf_int(kind="simultaneous")
    return picture_range(ends, ends[0])


def _decimals(facts: PartFacts) -> int:
    """Return the digits after the point that intervals are known to."""
    ends = facts.comparison.conf_int(kind="simultaneous")
    half = float(np.median(np.ptp(ends, axis=1))) / 2
    return decimals_for(half or 1.0, least=-300, most=300)
