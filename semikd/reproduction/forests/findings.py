"""What one experiment with forests found on one data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from semikd.reproduction.forests.contrasts import Contrast
from semikd.reproduction.forests.measured import Level
from semikd.reproduction.forests.published import Place
from semikd.reproduction.forests.study import Curve, ForestStudy
from semikd.reproduction.numbers import PublishedCell
from semikd.reproduction.repeated import Repeated

__all__ = ["Findings"]

Honest = Mapping[tuple[str, int], Mapping[str, Repeated]]


@dataclass(frozen=True, eq=False)
class Findings:
    """What one experiment found on one data set.

    Parameters
    ----------
    study : ForestStudy
        The experiment.
    dataset, metric : str
        The data set and its published metric.
    published : mapping from Place to PublishedCell
        What was published.
    levels : sequence of Level
        Means of the published protocol; none where it was not run.
    contrasts : sequence of Contrast
        Differences of the published protocol.
    honest : mapping from (arm, place) to metrics
        What the honest protocol found; empty where it was not run.
    """

    study: ForestStudy
    dataset: str
    metric: str
    published: Mapping[Place, PublishedCell]
    levels: Sequence[Level]
    contrasts: Sequence[Contrast]
    honest: Honest

    def level(self, curve: Curve, x: int) -> Level | None:
        """Return the mean at one place of a curve."""
        wanted = self._place(curve, x)
        return next((each for each in self.levels if each.place == wanted), None)

    def cell(self, curve: Curve, x: int) -> PublishedCell | None:
        """Return the published mean at one place of a curve."""
        return self.published.get(self._place(curve, x))

    def _place(self, curve: Curve, x: int) -> Place:
        """Return the place of a point of a curve."""
        flat = self.study.varies_teacher and curve.method.startswith("scratch")
        return Place(curve.method, curve.scale, curve.labels, None if flat else x)
