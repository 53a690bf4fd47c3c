"""The verdict in words that a manager can act on, and no stronger than the intervals.

Notes
-----
The claim is about the arm that ships, judged as the comparison judges: by procedures
where everything was fitted several times, else by these fitted models; by intervals
that hold for all arms together; and against the student from scratch, both tuned and as
it is, because tuning can fail.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from semikd.evaluation import ArmComparison
from semikd.evaluation.arms import (
    AUTOMATIC,
    CROSS_FITTED,
    IN_SAMPLE,
    SCRATCH,
    TEACHER,
    TUNED,
)
from semikd.report.text import decimals_for, level_text, number_text
from semikd.simplex import FloatArray

__all__ = ["ARM_WORDS", "Judged", "Verdict", "metric_words", "verdict"]

ARM_WORDS = {
    TEACHER: "the large model itself, trained on all training rows",
    SCRATCH: "the same small model, trained on the labels without a teacher",
    TUNED: "trained on the labels without a teacher, its settings chosen by "
    "cross-validation",
    IN_SAMPLE: "taught by a teacher that had seen the rows that it explains",
    CROSS_FITTED: "taught, row by row, by a teacher that had never seen that row",
    "corrected": "as cross-fitted, each answer of the teacher moved towards the label "
    "where the teacher may be wrong",
    "constant mix": "as cross-fitted, with targets half label, half teacher",
    AUTOMATIC: "by the recipe that did best on training rows that nobody behind it had "
    "seen",
    "smallest": "by the same recipe, the smallest student that is shown to be as good "
    "as the teacher, but for the margin that was asked for",
}

_METRIC_WORDS = {
    "log_loss": "log-loss",
    "brier": "Brier score",
    "auc": "AUC",
    "accuracy": "accuracy",
    "calibration_error": "calibration error",
    "squared_error": "squared error",
    "absolute_error": "absolute error",
    "r2": "R²",
}
_HEADLINES = {
    "better": "Distilling helped.",
    "as good within margin": "Distilling made no difference: training from scratch was "
    "as good.",
    "undecided": "Distilling is not shown to help: training from scratch may be as "
    "good.",
    "worse": "Distilling did not help: training from scratch was better.",
}


def metric_words(metric: str) -> str:
    """Return the name of a metric as people write it.

    Parameters
    ----------
    metric : str
        Its name in the table of a comparison.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.report.words import metric_words
    >>> metric_words("log_loss")
    'log-loss'
    """
    return _METRIC_WORDS.get(metric, metric.replace("_", " "))


@dataclass(frozen=True, eq=False)
class Judged:
    """A comparison with what the page asks of it again and again.

    Parameters
    ----------
    comparison : ArmComparison
        The arms.
    shipped : str
        The arm that ships.

    Examples
    --------
    >>> from semikd import compare
    >>> from semikd.datasets import make_gaussian_mixture
    >>> from semikd.report.words import Judged
    >>> data = make_gaussian_mixture(200, 2, 0.4, random_state=0)
    >>> comparison = compare(data.X, data.y, n_refits=1, random_state=0)
    >>> Judged(comparison, "cross-fitted").against("scratch, tuned")
    'undecided'
    """

    comparison: ArmComparison
    shipped: str

    @property
    def classification(self) -> bool:
        """Whether classes are predicted."""
        return bool(self.comparison.test.classification)

    @property
    def metric(self) -> str:
        """The loss by which arms are compared."""
        return self.comparison.task.metric

    @cached_property
    def one_fit(self) -> Any:
        """Differences of the first refit's models."""
        return self.comparison.one_fit(self.metric)

    @cached_property
    def main(self) -> Any:
        """Differences that the verdict is read off."""
        several = self.comparison.n_refits > 1
        return self.comparison.procedure(self.metric) if several else self.one_fit

    @cached_property
    def decimals(self) -> int:
        """Digits after the point for losses: those that the shipped interval knows."""
        ends = self.together.get(self.shipped, next(iter(self.together.values())))
        half = (ends[1] - ends[0]) / 2
        size = half if half > 0 else abs(ends[0])
        # The other scores of classes have three; means may be of any size.
        if self.classification:
            return max(decimals_for(size, most=5), 3)
        return decimals_for(size, least=-300, most=300)

    @cached_property
    def together(self) -> dict[str, FloatArray]:
        """Interval of each arm's difference, all of them holding together."""
        ends = self.main.conf_int(kind="simultaneous")
        return dict(zip(self.main.names, np.asarray(ends), strict=True))

    @cached_property
    def estimate(self) -> dict[str, float]:
        """Difference of each arm from the reference."""
        return dict(zip(self.main.names, map(float, self.main.estimate), strict=True))

    def mean(self, arm: str) -> float:
        """Return the loss of an arm, averaged over refits."""
        return float(self.comparison.table[self.metric][arm])

    def against(self, reference: str) -> str:
        """Return the verdict on the shipped arm against another one, in one word."""
        if self.shipped == reference:
            return "as good within margin"
        several = self.comparison.n_refits > 1
        judge: Any = self.comparison.procedure if several else self.comparison.one_fit
        said = judge(self.metric, reference=reference).verdicts()
        return next(str(v.verdict) for v in said if v.arm == self.shipped)


@dataclass(frozen=True)
class Verdict:
    """The answer in large letters, what it rests on, and how far it reaches.

    Parameters
    ----------
    tone : {'better', 'even', 'worse'}
        For the colour of a mark; the words say the same.
    headline : str
        One sentence.
    basis : str
        The numbers behind it; names of arms are only those of this library.
    asides : tuple of str
        What else must be said.

    Examples
    --------
    >>> from semikd.report.words import Verdict
    >>> Verdict("even", "No difference.", "", ()).tone
    'even'
    """

    tone: str
    headline: str
    basis: str
    asides: tuple[str, ...]


def verdict(judged: Judged) -> Verdict:
    """Return what the page says first.

    Parameters
    ----------
    judged : Judged
        The comparison and the arm that ships.

    Returns
    -------
    Verdict
    """
    comparison = judged.comparison
    if judged.shipped in (SCRATCH, TUNED, TEACHER):
        headline = "Nothing distilled ships: the model is the arm "
        return Verdict("even", f"{headline}“{judged.shipped}”.", "", _asides(judged))
    if judged.shipped in comparison.undistilled:
        headline = "Nothing distilled ships: training from scratch was chosen."
        return Verdict("even", headline, _basis(judged), _asides(judged))
    said = judged.against(comparison.reference)
    if said == "better" and SCRATCH in comparison.names:
        # Tuning can fail: the student as it is, from scratch, must be beaten too.
        said = "better" if judged.against(SCRATCH) == "better" else "undecided"
    tone = {"better": "better", "worse": "worse"}.get(said, "even")
    return Verdict(tone, _HEADLINES[said], _basis(judged), _asides(judged))


def _basis(judged: Judged) -> str:
    """Return the sentence with the losses and the interval of their difference."""
    comparison, digits = judged.comparison, judged.decimals
    low, high = judged.together[judged.shipped]
    tuned = " and tuned" if comparison.reference == TUNED else ""
    ours, theirs = (
        number_text(judged.mean(arm), digits)
        for arm in (judged.shipped, comparison.reference)
    )
    difference = judged.estimate[judged.shipped]
    between = interval_text(low, high, digits)
    chosen = judged.shipped in comparison.undistilled
    kind = "student that ships" if chosen else "distilled student"
    return (
        f"On {len(comparison.test.y):,} held-out rows the {kind} has a "
        f"{metric_words(judged.metric)} of {ours}; the same kind of student, trained "
        f"from scratch{tuned}, has {theirs}. The difference is "
        f"{number_text(difference, digits, sign=True)} "
        f"({level_text(comparison.level)} interval: {between}); below zero is better."
    )


def _asides(judged: Judged) -> tuple[str, ...]:
    """Return how the teacher did, how far the claim reaches, and how other arms did."""
    comparison, digits = judged.comparison, judged.decimals
    said = []
    if TEACHER in comparison.names and judged.shipped != TEACHER:
        loss = number_text(judged.mean(TEACHER), digits)
        said.append(f"The teacher itself has {loss}.")
    if AUTOMATIC in comparison.names:
        said.append(
            "The recipe was chosen once, on the training rows: the held-out rows took "
            "no part in that."
        )
    if judged.shipped == "smallest":
        said.append(
            "The size of the student was chosen on the held-out rows, by tests that "
            "allow for it."
        )
    if comparison.n_refits > 1:
        scope = f"{comparison.n_refits} {comparison.refits}"
        said.append(f"This speaks of the procedure, over new rows and {scope}.")
    else:
        said.append(
            "Everything was fitted once: this speaks of these fitted models on new "
            "rows, not of distilling as such."
        )
    if comparison.reference == SCRATCH:
        said.append(
            "No setting of this student is known to tune, so the rival from scratch is "
            "the student as it is."
        )
    return tuple(said)


def interval_text(low: float, high: float, decimals: int) -> str:
    """Return an interval with signs, from its lower to its upper end."""
    ends = (number_text(end, decimals, sign=True) for end in (low, high))
    return " to ".join(ends)
