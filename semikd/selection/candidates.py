"""What may be chosen: a way from labels to a student, as a value to compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semikd.corrections import Correction
from semikd.losses import DistillationLoss

__all__ = ["LABELS", "SCRATCH", "Candidate"]

SCRATCH = "scratch"
# Who labels, simplest first.
LABELS = (SCRATCH, "in-sample", "cross-fitted", "one fit", "half in-sample")


@dataclass(frozen=True)
class Candidate:
    """A student, who labels its rows, and how the labels become targets.

    Parameters
    ----------
    student : str
        Name of the student.
    labels : {'scratch', 'in-sample', 'cross-fitted', 'one fit', 'half in-sample'}
        'scratch' learns the outcomes themselves; 'one fit' has out-of-bag or
        leave-one-out labels; 'half in-sample' is the mean of in-sample and cross-fitted
        labels.
    teacher : str, default=''
        Name of the teacher; none from scratch.
    loss : str or DistillationLoss, default='auto'
        The scale.
    correction : str, float or Correction, default='none'
        The weight of the outcome.
    synthetic : object, optional
        Synthetic rows that are added, as `DistilledClassifier` takes them.
    unlabelled : bool, default=False
        Whether the rows without outcomes are learned from too.
    settings : tuple of pairs, default=()
        Parameters of the student that differ, such as a larger smallest leaf.

    Examples
    --------
    >>> from semikd.selection import Candidate
    >>> print(Candidate("tree", "cross-fitted", "boosting", correction=0.2))
    tree: boosting, cross-fitted, 20 % outcomes
    """

    student: str
    labels: str
    teacher: str = ""
    loss: str | DistillationLoss = "auto"
    correction: str | float | Correction = "none"
    synthetic: Any = None
    unlabelled: bool = False
    settings: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        parts = [self.teacher, self.labels, self._scale(), self._weight()]
        if self.synthetic is not None:
            own = self.synthetic
            parts.append(f"rows by {own.method}, labelled by {own.labelled_by}")
        if self.unlabelled:
            parts.append("unlabelled rows")
        parts += [f"{name}={value}" for name, value in self.settings]
        return f"{self.student}: " + ", ".join(part for part in parts if part)

    @property
    def setting(self) -> Mapping[str, Any]:
        """Parameters of the student that differ, by name."""
        return dict(self.settings)

    def _scale(self) -> str:
        """Return the scale in words, where it is not the student's own."""
        name = self.loss if isinstance(self.loss, str) else self.loss.name
        return "" if name == "auto" else f"on {name.replace('_', '-')}"

    def _weight(self) -> str:
        """Return how outcomes enter the targets, in words."""
        if isinstance(self.correction, float):
            return f"{self.correction:.0%}".replace("%", " %") + " outcomes"
        if isinstance(self.correction, str):
            return "" if self.correction == "none" else f"{self.correction} correction"
        return str(self.correction)
