"""What cross-fitting and what correction change, beside what they changed in the paper.

The paper is about these differences. Numbers of in-sample labels in the place of
cross-fitted ones would pass for levels; they do not pass here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from semikd.reproduction.forests.draws import Draw
from semikd.reproduction.forests.measured import Scores
from semikd.reproduction.forests.published import Place
from semikd.reproduction.forests.rules import ENHANCED, PLAIN
from semikd.reproduction.forests.study import ForestStudy
from semikd.reproduction.forests.variances import (
    between_units,
    by_unit,
    mean_error,
    over_refits,
)
from semikd.reproduction.numbers import PublishedCell, in_errors
from semikd.simplex import FloatArray

__all__ = ["FAR", "NOISE", "Contrast", "contrasts"]

# What counts, and what agrees, written down before anything was run.
FAR, NOISE = 4.0, 2.0


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
        The same with our error, and the spread of teachers, which both have.
    units : int
        Draws of teachers, or splits, of the mean here.

    Examples
    --------
    >>> from semikd.reproduction.forests.contrasts import Contrast
    >>> flip = Contrast("corrected", "p", 1, -0.01, 0.01, 0.001, 0.002, 3)
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
    units: int

    @property
    def counts(self) -> bool:
        """Whether the published contrast is more than twice its noise."""
        return abs(self.published) > NOISE * self.noise

    @property
    def in_errors(self) -> float | None:
        """The distance from the published contrast in combined errors."""
        return in_errors(self.mean - self.published, self.combined)

    @property
    def tells(self) -> bool:
        """Whether no difference at all would be too far from the published one."""
        return abs(self.published) > FAR * self.combined

    @property
    def agrees(self) -> bool:
        """Whether the sign is the same and the distance within four errors."""
        near = abs(self.mean - self.published) <= FAR * self.combined
        return near and self.mean * self.published > 0


def contrasts(
    study: ForestStudy, scores: Scores, published: Mapping[Place, PublishedCell]
) -> list[Contrast]:
    """Return what cross-fitting and what correction change, beside the published.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    scores : dict from Place to dict from Draw to ndarray of shape (refits,)
        What was measured.
    published : mapping from Place to PublishedCell
        What was published.

    Returns
    -------
    list of Contrast
    """
    curves: dict[tuple[str, str], list[_Pair]] = {}
    for x in study.places():
        for name, ahead, behind in _pairs(study, x):
            both = (ahead, behind)
            if all(place in scores and place in published for place in both):
                own = _Pair(x, ahead, behind, *_paired(scores[ahead], scores[behind]))
                curves.setdefault((name, own.scale), []).append(own)
    return [
        found
        for (name, _), pairs in curves.items()
        for found in _of_curve(name, pairs, published)
    ]


@dataclass(frozen=True, eq=False)
class _Pair:
    """Two arms at one place, unit by unit, with the variance that refits give."""

    x: int
    ahead: Place
    behind: Place
    means: FloatArray
    refits: float

    @property
    def scale(self) -> str:
        """The scale of both."""
        same = self.ahead.scale == self.behind.scale
        return self.ahead.scale if same else "mixed"


def _paired(
    ahead: Mapping[Draw, FloatArray], behind: Mapping[Draw, FloatArray]
) -> tuple[FloatArray, float]:
    """Return the difference in each unit that both have, and its variance by refits."""
    draws = [draw for draw in ahead if draw in behind]
    first, second = (by_unit({d: own[d] for d in draws}) for own in (ahead, behind))
    return (
        first.mean(axis=1) - second.mean(axis=1),
        over_refits(first) + over_refits(second),
    )


def _of_curve(
    name: str, pairs: Sequence[_Pair], published: Mapping[Place, PublishedCell]
) -> list[Contrast]:
    """Return the contrasts of a curve; their variances are pooled over its places."""
    most = max(len(pair.means) for pair in pairs)
    full = [pair for pair in pairs if len(pair.means) == most]
    between = between_units([p.means for p in full], [p.refits for p in full])
    found = []
    for pair in pairs:
        ahead, behind = published[pair.ahead], published[pair.behind]
        noise = math.hypot(ahead.standard_error, behind.standard_error)
        units = len(pair.means)
        error = mean_error(between, pair.refits, units)
        found.append(
            Contrast(
                name,
                pair.scale,
                pair.x,
                float(pair.means.mean()),
                ahead.mean - behind.mean,
                noise,
                math.sqrt(noise**2 + error**2 + (between or 0.0)),
                units,
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
