"""The published numbers, as the authors released them with their code.

Means and standard deviations (of a population, ddof 0) over five fits of a student, or
over the teachers: of one split, one draw of folds and one of teachers.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from semikd.reproduction.forests.rules import RULES
from semikd.reproduction.numbers import PublishedCell

__all__ = ["TEACHER", "Place", "published_cells", "released_rules"]

TEACHER = "teacher"
_FILE = Path(__file__).parent / "published.csv"
# It has the numbers of every rule.
_COMPLETE = "adult"


@dataclass(frozen=True)
class Place:
    """Where a number stands: what was done, and at which place of the axis.

    Parameters
    ----------
    method : str
        A rule of ``semikd.reproduction.forests.rules``, 'scratch_regressor',
        'scratch_classifier' or 'teacher'.
    scale : {'p', 'logp'}
        The scale of the targets.
    labels : {'none', 'crossfit'}
        Who labels.
    x : int or None
        Trees of the student, or depth of the teacher; None where it is the same
        everywhere.

    Examples
    --------
    >>> from semikd.reproduction.forests.published import Place
    >>> Place("kd_mse", "p", "crossfit", 1).x
    1
    """

    method: str
    scale: str
    labels: str
    x: int | None


@cache
def published_cells(experiment: str, dataset: str) -> dict[Place, PublishedCell]:
    """Return the published numbers of one experiment on one data set.

    Parameters
    ----------
    experiment : {'trees', 'depth'}
        The experiment.
    dataset : str
        The data set; one that the paper does not have has no cells.

    Returns
    -------
    dict from Place to PublishedCell

    Notes
    -----
    Adult and MAGIC have all rules; the others those of the figures, the constant mix,
    the orthogonal correction and one minimax rule.

    Examples
    --------
    >>> from semikd.reproduction.forests.published import Place, published_cells
    >>> cells = published_cells("trees", "magic")
    >>> cells[Place("kd_mse", "logp", "none", 1)].mean
    0.89403
    """
    found = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (row["experiment"], row["dataset"]) == (experiment, dataset):
                x = int(row["x"]) if row["x"] else None
                place = Place(row["method"], row["scale"], row["labels"], x)
                tuned = float(row["tuned"]) if row["tuned"] else None
                found[place] = PublishedCell(
                    float(row["mean"]), float(row["sd"]), int(row["n"]), tuned
                )
    return found


def released_rules(experiment: str) -> tuple[str, ...]:
    """Return the rules that an experiment has published numbers for.

    Parameters
    ----------
    experiment : {'trees', 'depth'}
        The experiment.

    Returns
    -------
    tuple of str
        Keys of ``semikd.reproduction.forests.rules.RULES``, in their order.

    Examples
    --------
    >>> from semikd.reproduction.forests.published import released_rules
    >>> "kd_ortholoss" in released_rules("trees")
    False
    """
    methods = {place.method for place in published_cells(experiment, _COMPLETE)}
    return tuple(rule for rule in RULES if rule in methods)
