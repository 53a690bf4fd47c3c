"""What was measured, beside what was published: means, errors, contrasts.

Notes
-----
A published mean is that of one draw of teachers. Where teachers were drawn more than
once here, their variance is known and belongs to the error of the published number too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semikd.reproduction.cells import Run
from semikd.reproduction.forests.published import TEACHER, Place, PublishedCell
from semikd.reproduction.forests.reference import Draw, arms_of
from semikd.reproduction.forests.study import ForestStudy
from semikd.simplex import FloatArray

__all__ = ["Contrast", "Level", "Scores", "contrasts", "levels", "reproduced"]

Scores = dict[Place, FloatArray]
PLAIN, ENHANCED = "kd_mse", "kd_boundfast"
# What counts as agreement, written down before anything was run.
CLOSE, FAR, NOISE = 0.006, 4.0, 2.0


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
        Its standard error, over draws where there are several, else over refits.
    draw_sd : float or None
        Standard deviation over draws of teachers.
    published : PublishedCell or None
        The published mean.

    Examples
    --------
    >>> from semikd.reproduction.forests.measured import Level
    >>> from semikd.reproduction.forests.published import Place, PublishedCell
    >>> place = Place("kd_mse", "p", "crossfit", 1)
    >>> published = PublishedCell(0.900, 0.002, 5, None)
    >>> round(Level(place, 0.903, 0.0, None, published).in_errors, 6)
    3.0
    """

    place: Place
    mean: float
    standard_error: float
    draw_sd: float | None
    published: PublishedCell | None

    @property
    def difference(self) -> float | None:
        """Mean less the published mean."""
        return None if self.published is None else self.mean - self.published.mean

    @property
    def in_errors(self) -> float | None:
        """The difference in standard errors of both."""
        if self.published is None or self.difference is None:
            return None
        parts = (
            self.published.standard_error,
            self.standard_error,
            self.draw_sd or 0.0,
        )
        error = math.hypot(*parts)
        if error:
            return self.difference / error
        return math.copysign(math.inf, self.difference) if self.difference else 0.0


@dataclass(frozen=True)
class Contrast:
    """A difference of two arms beside the published one.

    Parameters
    ----------
    name : str
        What less what.
    scale : str
        Scales of the two.
    x : int or None
        Place on the axis.
    mean : float
        The difference here, mean over draws.
    published : float
        The published one.
    noise : float
        Standard error of the published one, over refits.
    combined : float
        The same with the standard deviation over draws here, and its own error.

    Examples
    --------
    >>> from semikd.reproduction.forests.measured import Contrast
    >>> flip = Contrast("cross-fitted - in-sample", "p", 1, -0.01, 0.01, 0.001, 0.002)
    >>> flip.counts, flip.agrees
    (True, False)
    """

    name: str
    scale: str
    x: int | None
    mean: float
    published: float
    noise: float
    combined: float

    @property
    def counts(self) -> bool:
        """Whether the published contrast is more than twice its noise."""
        return abs(self.published) > NOISE * self.noise

    @property
    def agrees(self) -> bool:
        """Whether the sign is the same and the distance within four errors."""
        near = abs(self.mean - self.published) <= FAR * self.combined
        return near and self.mean * self.published > 0


def reproduced(
    study: ForestStudy, rules: Sequence[str], draws: Sequence[Draw], run: Run
) -> Scores:
    """Return all scores of the published protocol.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    rules : sequence of str
        The rules that were run.
    draws : sequence of Draw
        Splits and teachers.
    run : Run
        The finished cells.

    Returns
    -------
    dict from Place to ndarray of shape (draws, refits)
    """
    found: dict[Place, list[list[float]]] = {}
    for draw in draws:
        for place, scores in _of_draw(study, rules, draw, run):
            found.setdefault(place, []).append(scores)
    return {place: np.array(scores) for place, scores in found.items()}


def _of_draw(
    study: ForestStudy, rules: Sequence[str], draw: Draw, run: Run
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
        for scale, labels, rule in arms_of(study, rules):
            cell = run.read(draw.arm_cell(teacher, labels, scale, rule))
            found += _placed(rule, scale, labels, places, cell["scores"])
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
    scores : dict from Place to ndarray of shape (draws, refits)
        What was measured.
    published : mapping from Place to PublishedCell
        What was published.

    Returns
    -------
    list of Level
    """
    return [
        Level(place, float(own.mean()), *_errors(own), published.get(place))
        for place, own in scores.items()
    ]


def contrasts(
    study: ForestStudy, scores: Scores, published: Mapping[Place, PublishedCell]
) -> list[Contrast]:
    """Return what cross-fitting and what correction change, beside the published.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    scores : dict from Place to ndarray of shape (draws, refits)
        What was measured.
    published : mapping from Place to PublishedCell
        What was published.

    Returns
    -------
    list of Contrast
    """
    found = []
    for x in study.places():
        for name, ahead, behind in _pairs(study, x):
            both = (ahead, behind)
            if not all(place in scores and place in published for place in both):
                continue
            own = scores[ahead].mean(axis=1) - scores[behind].mean(axis=1)
            noise = math.hypot(*(published[place].standard_error for place in both))
            error = math.hypot(*(_errors(scores[place])[0] for place in both))
            spread = 0.0
            if len(own) > 1:
                # Both arms of a draw share its teachers: the pairs tell the error.
                spread = float(own.std(ddof=1))
                error = spread / math.sqrt(len(own))
            found.append(
                Contrast(
                    name,
                    ahead.scale if ahead.scale == behind.scale else "mixed",
                    x,
                    float(own.mean()),
                    published[ahead].mean - published[behind].mean,
                    noise,
                    math.hypot(noise, error, spread),
                )
            )
    return found


def _pairs(study: ForestStudy, x: int) -> list[tuple[str, Place, Place]]:
    """Return the contrasts of one place: what, and what it is compared with."""
    found = []
    honest_scales = [scale for scale, labels in study.settings if labels != "none"]
    seen_scales = [scale for scale, labels in study.settings if labels == "none"]
    for honest, seen in zip(honest_scales, seen_scales, strict=True):
        plain = Place(PLAIN, honest, "crossfit", x)
        vanilla = Place(PLAIN, seen, "none", x)
        enhanced = Place(ENHANCED, honest, "crossfit", x)
        found.append(("cross-fitted less in-sample", plain, vanilla))
        found.append(("corrected less cross-fitted", enhanced, plain))
    return found


def _errors(own: FloatArray) -> tuple[float, float | None]:
    """Return the standard error of a mean, and the spread over draws if known."""
    if len(own) > 1:
        spread = float(own.mean(axis=1).std(ddof=1))
        return spread / math.sqrt(len(own)), spread
    if own.shape[1] > 1:
        return float(own.std(ddof=1) / math.sqrt(own.size)), None
    return 0.0, None
