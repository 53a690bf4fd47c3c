"""The means of the published protocol beside those that were published."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semikd.reproduction.cells import Run
from semikd.reproduction.forests.draws import Draw, arms_of
from semikd.reproduction.forests.published import TEACHER, Place
from semikd.reproduction.forests.rules import RULES
from semikd.reproduction.forests.study import ForestStudy
from semikd.reproduction.forests.variances import (
    between_units,
    by_unit,
    mean_error,
    over_refits,
)
from semikd.reproduction.numbers import PublishedCell, in_errors
from semikd.simplex import FloatArray

__all__ = ["CLOSE", "Level", "Scores", "levels", "reproduced"]

Scores = dict[Place, dict[Draw, FloatArray]]
# A level that is so near agrees, written down before anything was run.
CLOSE = 0.006


@dataclass(frozen=True)
class Level:
    """One mean beside the published one.

    Parameters
    ----------
    place : Place
        What it is the mean of.
    mean : float
        Mean over draws of teachers and refits.
    standard_error : float
        Its standard error: of teachers, where they were drawn again, and of refits.
    draw_sd : float or None
        Standard deviation over draws of teachers, that of refits taken off.
    draws : int
        Number of draws.
    published : PublishedCell or None
        The published mean.

    Examples
    --------
    >>> from semikd.reproduction.forests.measured import Level
    >>> from semikd.reproduction.forests.published import Place
    >>> from semikd.reproduction.numbers import PublishedCell
    >>> place = Place("kd_mse", "p", "crossfit", 1)
    >>> published = PublishedCell(0.900, 0.002, 5, None)
    >>> round(Level(place, 0.903, 0.0, None, 1, published).in_errors, 6)
    3.0
    """

    place: Place
    mean: float
    standard_error: float
    draw_sd: float | None
    draws: int
    published: PublishedCell | None

    @property
    def difference(self) -> float | None:
        """Mean less the published mean."""
        return None if self.published is None else self.mean - self.published.mean

    @property
    def in_errors(self) -> float | None:
        """The difference in standard errors of both; None where neither has one."""
        if self.published is None:
            return None
        own = (self.standard_error, self.draw_sd or 0.0)
        error = math.hypot(self.published.standard_error, *own)
        return in_errors(self.difference, error)


def reproduced(study: ForestStudy, draws: Sequence[Draw], run: Run) -> Scores:
    """Return all scores of the published protocol that are there.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    draws : sequence of Draw
        Splits and teachers.
    run : Run
        The finished cells.

    Returns
    -------
    dict from Place to dict from Draw to ndarray of shape (refits,)
    """
    found: Scores = {}
    for draw in draws:
        for place, scores in _of_draw(study, draw, run):
            found.setdefault(place, {})[draw] = np.array(scores)
    return found


def _of_draw(
    study: ForestStudy, draw: Draw, run: Run
) -> list[tuple[Place, list[float]]]:
    """Return the scores of one draw, over refits, with their places."""
    found = []
    sizes: list[int | None] = [None] if study.varies_teacher else list(study.sizes)
    for scale, labels in study.settings:
        for method, scores in run.read(draw.scratch_cell()).items():
            found += _placed(method, scale, labels, sizes, scores)
        for teacher in study.teachers:
            depth = int(teacher) if study.varies_teacher else None
            said = run.read(draw.teacher_cell(teacher, labels))["scores"]
            found.append((Place(TEACHER, scale, labels, depth), said))
    for teacher in study.teachers:
        places = [int(teacher)] if study.varies_teacher else sizes
        for scale, labels, rule in arms_of(study, tuple(RULES)):
            name = draw.arm_cell(teacher, labels, scale, rule)
            if run.has(name):
                scores = run.read(name)["scores"]
                found += _placed(rule, scale, labels, places, scores)
    return found


def _placed(
    method: str,
    scale: str,
    labels: str,
    places: Sequence[int | None],
    scores: list[list[float]],
) -> list[tuple[Place, list[float]]]:
    """Return scores (refits, places) as those of each place."""
    columns = np.transpose(scores).tolist()
    return [
        (Place(method, scale, labels, x), own)
        for x, own in zip(places, columns, strict=True)
    ]


def levels(scores: Scores, published: Mapping[Place, PublishedCell]) -> list[Level]:
    """Return every mean with its error and the published one.

    Parameters
    ----------
    scores : dict from Place to dict from Draw to ndarray of shape (refits,)
        What was measured, on the published split.
    published : mapping from Place to PublishedCell
        What was published.

    Returns
    -------
    list of Level
    """
    units = {place: by_unit(own) for place, own in scores.items()}
    curves: dict[tuple[str, str, str], list[FloatArray]] = {}
    for place, own in units.items():
        curves.setdefault((place.method, place.scale, place.labels), []).append(own)
    found = []
    for place, own in units.items():
        alike = curves[place.method, place.scale, place.labels]
        same = [each for each in alike if len(each) == len(own)]
        between = between_units(
            [each.mean(axis=1) for each in same], [over_refits(each) for each in same]
        )
        error = mean_error(between, over_refits(own), len(own))
        spread = None if between is None else math.sqrt(between)
        mean, cell = float(own.mean()), published.get(place)
        found.append(Level(place, mean, error, spread, len(own), cell))
    return found
