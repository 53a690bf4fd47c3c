"""What a page is made from: one frozen record, so that equal facts give equal pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semikd._validation import count, invalid
from semikd.evaluation import ArmComparison
from semikd.report.choosing import ChoiceFacts
from semikd.report.coefficients import SlopeFacts
from semikd.report.parts import PartFacts
from semikd.report.sizing import SizeFacts

__all__ = ["ReportFacts"]


@dataclass(frozen=True, eq=False)
class ReportFacts:
    """Everything that a report says, measured and decided elsewhere.

    Parameters
    ----------
    title : str
        What was distilled, from which table.
    command : str
        What to type to do it again.
    data : sequence of (str, str)
        Facts of the table: what, and how much.
    comparison : ArmComparison
        The arms on held-out rows. Curves are those of its first refit.
    shipped : str
        The arm that ships.
    model : ShippedModel
        What ships, as the first refit of that arm made it.
    artifact_bytes : int
        Bytes of what was written for the model.
    latency : sequence of (str, float)
        What was timed and the microseconds that one row takes. The first is the shipped
        model, against which the others are measured.
    choices : sequence of (str, str)
        What was chosen, and why.
    notes : sequence of str
        Warnings and remarks, in plain sentences.
    choice : ChoiceFacts, optional
        What a search tried before the comparison, and what won.
    sizes : SizeFacts, optional
        Students of all sizes, where the smallest that is good enough was asked for.
    parts : PartFacts, optional
        What ships on each part of the held-out rows, where a column was named.
    slopes : SlopeFacts, optional
        The coefficients of a linear student beside the best of its form.

    Raises
    ------
    ValueError
        If no arm of the comparison ships, or the number of bytes is none.

    Examples
    --------
    >>> from semikd import compare
    >>> from semikd.datasets import make_gaussian_mixture
    >>> from semikd.report import ReportFacts
    >>> data = make_gaussian_mixture(200, 2, 0.4, random_state=0)
    >>> comparison = compare(data.X, data.y, n_refits=1, random_state=0)
    >>> ReportFacts("A mixture", "python mixture.py", [], comparison, "best", None, 0)
    Traceback (most recent call last):
        ...
    ValueError: shipped must be an arm of the comparison; got 'best'.
    """

    title: str
    command: str
    data: Sequence[tuple[str, str]]
    comparison: ArmComparison
    shipped: str
    model: Any
    artifact_bytes: int
    latency: Sequence[tuple[str, float]] = ()
    choices: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    choice: ChoiceFacts | None = None
    sizes: SizeFacts | None = None
    parts: PartFacts | None = None
    slopes: SlopeFacts | None = None

    def __post_init__(self) -> None:
        """Check what would otherwise fail in the middle of a page."""
        if self.shipped not in self.comparison.names:
            raise invalid("shipped", "be an arm of the comparison", self.shipped)
        count("artifact_bytes", self.artifact_bytes, low=0)
