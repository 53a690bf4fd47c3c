"""The published numbers on photographs, as the released plotting code has them.

Means and standard deviations over fits: of depths as they were typed in, rounded to a
thousandth, of strengths computed (ddof 0) from the three fits that are given. One cell
is in both, the corrected student of the teacher of 20 layers: it has three fits, not
the five that the figure's band divides by, and its typed standard deviation is that of
ddof 1, which is taken for all that were typed.
"""

import csv
from functools import cache
from pathlib import Path

from semikd.reproduction.images.reference import arm_name
from semikd.reproduction.images.study import CIFAR, ImageStudy
from semikd.reproduction.numbers import PublishedCell

__all__ = ["PublishedScores", "published_scores"]

# Arm, depth and metric to the number.
PublishedScores = dict[tuple[str, int, str], PublishedCell]
_FILE = Path(__file__).parent / "published.csv"


def published_scores(study: ImageStudy) -> PublishedScores:
    """Return the published numbers of an experiment; a trial has none.

    Parameters
    ----------
    study : ImageStudy
        The experiment. One over strengths has the students without a correction, too,
        which were published with the depths.

    Returns
    -------
    dict from (arm, depth, metric) to PublishedCell

    Examples
    --------
    >>> from semikd.reproduction.images.published import published_scores
    >>> from semikd.reproduction.images.study import CIFAR
    >>> published_scores(CIFAR)["KD", 14, "accuracy"].mean
    0.8457
    """
    if study.rows is not None:
        return {}
    found = dict(_released(study.name))
    if study.varies_strength:
        found |= {
            (arm, depth, metric): cell
            for (arm, depth, metric), cell in _released(CIFAR.name).items()
            if "=" not in arm and depth in study.depths
        }
    return found


@cache
def _released(experiment: str) -> PublishedScores:
    """Return the numbers of one experiment in the file."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["experiment"] == experiment]
    found = {}
    for row in rows:
        arm = row["arm"]
        name = arm_name(arm, float(row["strength"])) if row["strength"] else arm
        found[name, int(row["depth"]), row["metric"]] = PublishedCell(
            float(row["mean"]),
            float(row["sd"]),
            int(row["n"]),
            ddof=int(row["ddof"]),
        )
    return found
