"""The record of a lower bound on how far a student is from the Bayes probabilities."""

from dataclasses import dataclass

import numpy as np

from semikd.inference.multiplicity import Adjustment
from semikd.inference.result import InferenceResult


@dataclass(frozen=True)
class DistanceBound:
    """A lower confidence bound on a squared distance to the Bayes probabilities.

    Parameters
    ----------
    bound : float
        The squared distance is at least this, with the confidence of ``level``; 0
        where nothing is shown.
    estimate : float
        What the bound is the lower end of: the share of the squared distance that the
        teacher sees, 0 if the teacher points away from the outcomes.
    roots : InferenceResult
        Signed root of the visible part, in probability, for each teacher.
    teacher : str
        The one by whose lights the bound is largest.
    teacher_gap : float
        Mean squared distance of student and that teacher, which bounds nothing.
    level : float
        Confidence of the bound.
    estimand : str
        What is bounded, in words.
    conditions : tuple of str
        What must hold for the bound to hold.

    Examples
    --------
    >>> from semikd.inference import bayes_distance
    >>> y = [0, 0, 0, 0, 1] * 200
    >>> found = bayes_distance(y, student=[0.5] * 1000, teacher=[0.2] * 1000)
    >>> round(found.root, 6), round(found.estimate, 6), round(found.bound, 4)
    (0.3, 0.09, 0.0779)
    """

    bound: float
    estimate: float
    roots: InferenceResult
    teacher: str
    teacher_gap: float
    level: float
    estimand: str
    conditions: tuple[str, ...]

    @property
    def root(self) -> float:
        """Signed root of the estimate, in probability."""
        return float(self.roots.estimate[self._at])

    @property
    def root_std_error(self) -> float:
        """Its standard error."""
        return float(self.roots.std_error[self._at])

    @property
    def p_value(self) -> float:
        """P-value of distance 0, for all teachers together; 1 if nothing is seen."""
        several: Adjustment = "none" if len(self.roots.names) == 1 else "max-t"
        found = self.roots.p_values(alternative="greater", adjust=several)
        nothing = (self.roots.std_error == 0) & (self.roots.estimate <= 0)
        return float(np.where(nothing, 1.0, found).min())

    @property
    def _at(self) -> int:
        """Position of the teacher."""
        return self.roots.names.index(self.teacher)

    def summary(self) -> str:
        """Return the bound, what it bounds and under which conditions, as text.

        Returns
        -------
        str
            Several lines.
        """
        root = f"root {self.root:.4g}, standard error {self.root_std_error:.2g}"
        by = f" by {self.teacher!r}" if len(self.roots.names) > 1 else ""
        lines = [str(self), f"({root}{by}, p {self.p_value:.3g}), if"]
        return "\n".join([*lines, *(f"  - {words}" for words in self.conditions)])

    def __str__(self) -> str:
        """Return the bound in one line."""
        return (
            f"{self.estimand} is at least {self.bound:.4g} with "
            f"{100 * self.level:g} % confidence (visible part: {self.estimate:.4g})"
        )
