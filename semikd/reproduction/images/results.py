"""What the experiments on photographs found: levels, distances, differences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semikd.reproduction.images.published import PublishedScores
from semikd.reproduction.images.reference import (
    CROSS_FITTED,
    ENHANCED,
    IN_SAMPLE,
    TEACHER,
    TEACHERS,
    arm_name,
)
from semikd.reproduction.images.study import ImageStudy
from semikd.reproduction.images.training import Scores
from semikd.reproduction.numbers import PublishedCell, in_errors
from semikd.reproduction.repeated import Repeated

__all__ = ["CONTRASTS", "HONEST_ARM", "Findings", "ImageScores", "Level"]

# Arm and depth to the scores of every fit, or repetition.
ImageScores = Mapping[tuple[str, int], Sequence[Scores]]
# The arm of the honest protocol that is nearest to one of the published.
HONEST_ARM = {
    TEACHER: "teacher",
    TEACHERS: "fold teachers",
    IN_SAMPLE: "in-sample",
    CROSS_FITTED: "cross-fitted",
    ENHANCED: "corrected",
}
# What the paper is about: an arm, and the one that it is held against.
CONTRASTS = ((CROSS_FITTED, IN_SAMPLE), (ENHANCED, CROSS_FITTED))


@dataclass(frozen=True)
class Level:
    """A mean of the published protocol.

    Parameters
    ----------
    mean : float
        Mean over fits.
    fit_error : float
        Its standard error over fits; 0 for a single one, which does not show it.
    row_error : float
        Its standard error over images.

    Examples
    --------
    >>> from semikd.reproduction.images.results import Level
    >>> Level(0.84, 0.003, 0.004).error
    0.005
    """

    mean: float
    fit_error: float
    row_error: float

    @property
    def error(self) -> float:
        """Standard error over fits and images."""
        return math.hypot(self.fit_error, self.row_error)

    def distance(self, cell: PublishedCell | None) -> float | None:
        """Return the difference from a published mean, in standard errors.

        Both have the error of their fits, and that of their images, which are not the
        same ones but as many.
        """
        if cell is None:
            return None
        error = math.hypot(self.error, cell.standard_error, self.row_error)
        return in_errors(self.mean - cell.mean, error)


@dataclass(frozen=True, eq=False)
class Findings:
    """What an experiment found.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    published : dict from (arm, depth, metric) to PublishedCell
        What was published.
    reproduced, honest : mapping from (arm, depth) to scores
        What each protocol found; empty where it was not run.
    ratio : float, default=0.0
        Test over training rows, where each repetition draws its own test rows.
    """

    study: ImageStudy
    published: PublishedScores
    reproduced: ImageScores
    honest: ImageScores
    ratio: float = 0.0

    def named(self, arm: str) -> str:
        """Return an arm with its strength, where there is one strength."""
        strengths = self.study.strengths
        single = arm == ENHANCED and len(strengths) == 1
        return arm_name(arm, strengths[0]) if single else arm

    def cell(self, arm: str, depth: int, metric: str) -> PublishedCell | None:
        """Return a published mean."""
        return self.published.get((arm, depth, metric))

    def level(
        self, arm: str, depth: int, metric: str, part: str = "validation"
    ) -> Level | None:
        """Return a mean of the published protocol, on validation or test images."""
        every = self.reproduced.get((arm, depth))
        if not every:
            return None
        own = np.array([each[f"{part} {metric}"] for each in every])
        errors = [each[f"{part} {metric} error"] for each in every]
        n = len(own)
        spread = float(own.std(ddof=1) / math.sqrt(n)) if n > 1 else 0.0
        return Level(float(own.mean()), spread, float(np.mean(errors)))

    def repeated(self, arm: str, depth: int, metric: str) -> Repeated | None:
        """Return test scores of an arm of the honest protocol over repetitions."""
        every = self.honest.get((arm, depth))
        if not every:
            return None
        return Repeated(tuple(each[f"test {metric}"] for each in every), self.ratio)

    def test_error(self, arm: str, depth: int, metric: str) -> float:
        """Return the standard error of an honest mean over test images."""
        every = self.honest[arm, depth]
        return float(np.mean([each[f"test {metric} error"] for each in every]))

    def published_contrast(
        self, arm: str, base: str, depth: int, metric: str
    ) -> tuple[float, float] | None:
        """Return a published difference and its noise over fits."""
        one, other = (self.cell(each, depth, metric) for each in (arm, base))
        if one is None or other is None:
            return None
        noise = math.hypot(one.standard_error, other.standard_error)
        return one.mean - other.mean, noise

    def reproduced_contrast(
        self, arm: str, base: str, depth: int, metric: str
    ) -> tuple[float, float] | None:
        """Return a reproduced difference and its standard error over paired fits."""
        pair = [self.reproduced.get((each, depth)) for each in (arm, base)]
        if pair[0] is None or pair[1] is None:
            return None
        own, other = (
            np.array([each[f"validation {metric}"] for each in some or ()])
            for some in pair
        )
        less = own - other
        return float(less.mean()), float(less.std(ddof=1) / math.sqrt(len(less)))

    def honest_contrast(
        self, arm: str, base: str, depth: int, metric: str
    ) -> Repeated | None:
        """Return the paired difference of two arms of the honest protocol."""
        own = self.repeated(arm, depth, metric)
        other = self.repeated(base, depth, metric)
        return None if own is None or other is None else own.less(other)

    def chosen_strength(self) -> float | None:
        """Return the strength with the least loss on validation images."""
        levels = {
            c: self.level(arm_name(ENHANCED, c), self.study.depths[0], "loss")
            for c in self.study.strengths
        }
        known = {c: level.mean for c, level in levels.items() if level is not None}
        return min(known, key=known.__getitem__) if known else None
