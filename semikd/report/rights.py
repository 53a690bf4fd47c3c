"""Who pays: how often each arm is right on each part of the held-out rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd._text import visible
from semikd._validation import counted
from semikd.diagnostics.subgroup_result import SubgroupReport
from semikd.report.forest import with_interval
from semikd.report.text import level_text, number_text
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RightFacts", "RightRow", "right_rows", "right_sentence", "right_view"]

# In per cent.
_DIGITS = 1


@dataclass(frozen=True, eq=False)
class RightFacts:
    """Right answers of the student without a teacher, the teacher and what ships.

    Parameters
    ----------
    names : sequence of str
        The parts.
    arm : str
        What ships.
    report : SubgroupReport
        The arms on these parts, whose groups are the parts' positions in words.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics import subgroup_report
    >>> from semikd.report.rights import RightFacts, right_rows
    >>> y, site = np.arange(80) % 2, np.arange(80) // 40
    >>> arms = {"scratch": np.eye(2)[y], "tree": np.eye(2)[np.where(site, y, 0)]}
    >>> found = subgroup_report(y, arms, reference="scratch", groups=site)
    >>> facts = RightFacts(["north", "south"], "tree", found)
    >>> [row.verdict for row in right_rows(facts)]
    ['less often', '']
    """

    names: Sequence[str]
    arm: str
    report: SubgroupReport

    @property
    def differences(self) -> "pd.DataFrame":
        """What ships less the reference, a row for each part in order."""
        return self.report.of(self.arm).loc[[str(at) for at in range(len(self.names))]]


@dataclass(frozen=True)
class RightRow:
    """One part, as text that is ready to be read.

    Parameters
    ----------
    name, rows : str
        The part and its number of rows.
    shares : tuple of str
        Right answers of each arm, in per cent.
    margins : tuple of str
        Mean probability of the row's class less that of the best other one.
    shown : str
        What ships less the reference, in points, with the interval that holds with
        the others.
    verdict : str
        'less often', 'more often' or nothing.

    Examples
    --------
    >>> from semikd.report.rights import RightRow
    >>> RightRow("men", "80", ("71.0",), ("+0.2",), "+1.0", "").rows
    '80'
    """

    name: str
    rows: str
    shares: tuple[str, ...]
    margins: tuple[str, ...]
    shown: str
    verdict: str


def right_rows(facts: RightFacts) -> list[RightRow]:
    """Return the parts in their order.

    Parameters
    ----------
    facts : RightFacts
        What was counted.

    Returns
    -------
    list of RightRow
    """
    arms = [facts.report.of(arm) for arm in facts.report.arms]
    moved = facts.differences
    limits = 100.0 * moved[["lower", "upper"]].to_numpy(dtype=np.float64)
    differences = 100.0 * moved["difference"].to_numpy(dtype=np.float64)
    found = []
    for at, name in enumerate(facts.names):
        ends = limits[at]
        found.append(
            RightRow(
                name,
                f"{moved['rows'].tolist()[at]:,}",
                tuple(
                    number_text(100.0 * arm["accuracy"].to_dict()[str(at)], _DIGITS)
                    for arm in arms
                ),
                tuple(
                    number_text(arm["margin"].to_dict()[str(at)], 2, sign=True)
                    for arm in arms
                ),
                _shown(float(differences[at]), ends),
                _verdict(ends),
            )
        )
    return found


def right_sentence(facts: RightFacts) -> str:
    """Return on how many parts it is right less often, and where it is least right.

    Parameters
    ----------
    facts : RightFacts
        What was counted.

    Returns
    -------
    str
        It names arms, parts and confidence.
    """
    own, report = facts.differences, facts.report
    place = int(own["accuracy"].to_numpy().argmin())
    share = number_text(100.0 * float(own["accuracy"].iloc[place]), _DIGITS)
    worst = f"Its worst is '{visible(facts.names[place])}', with {share} % right."
    counts = report.summary.to_dict(orient="index")[facts.arm]
    harmed, surely = counts["harmed"], counts["surely_harmed"]
    than = f"less often than '{report.reference}'"
    if not harmed:
        return f"'{facts.arm}' is right {than} on no part. {worst}"
    return (
        f"Of {counted(len(facts.names), 'part')}, '{facts.arm}' is right {than} on "
        f"{harmed}, and shown to be on {surely or 'none'} of them "
        f"({level_text(report.level)} confidence for all together). {worst}"
    )


def right_view(facts: RightFacts | None) -> dict[str, Any]:
    """Return what the table of right answers shows; nothing where there is none.

    Parameters
    ----------
    facts : RightFacts or None
        What was counted.

    Returns
    -------
    dict
        Names of the template.
    """
    if facts is None:
        return {"rights": []}
    return {
        "rights": right_rows(facts),
        "right_sentence": right_sentence(facts),
        "right_arms": facts.report.arms,
        "right_arm": facts.arm,
        "right_reference": facts.report.reference,
    }


def _shown(difference: float, ends: FloatArray) -> str:
    """Return a difference with its interval, where there is one."""
    if np.isfinite(ends).all():
        return with_interval(difference, ends, _DIGITS)
    return f"{number_text(difference, _DIGITS, sign=True)} (no interval)"


def _verdict(ends: FloatArray) -> str:
    """Return whether an interval is on one side of 0."""
    return "less often" if ends[1] < 0 else "more often" if ends[0] > 0 else ""
