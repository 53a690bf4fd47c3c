"""What distillation does where the class probabilities are known.

Each panel turns one dial and measures the squared error of students to the truth. The
theory says which dial must matter for which arm, and which must not.

Notes
-----
The paper has a study with two Gaussian clouds; its settings are not known. The panels
here are this library's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from semikd.reproduction.cells import Cell, Run
from semikd.reproduction.simulations.trials import (
    FULL,
    TRIAL,
    Size,
    Trial,
    complexity,
    floor,
    growth,
    overfit,
    perturbed,
    underfit,
)

__all__ = ["PANELS", "Panel", "cell_name", "extent", "simulation_cells"]


@dataclass(frozen=True)
class Panel:
    """A dial, the places at which it is set, and what is measured there.

    Parameters
    ----------
    title : str
        What is varied, in words.
    axis : str
        What the dial counts.
    places : tuple of float
        Where it is set.
    repeats : int
        Data sets at each place.
    trial : callable
        Place, seed and size to the error of each arm.

    Examples
    --------
    >>> from semikd.reproduction.simulations.panels import PANELS
    >>> PANELS["growth"].axis
    'training rows'
    """

    title: str
    axis: str
    places: tuple[float, ...]
    repeats: int
    trial: Trial


def simulation_cells(*, small: bool) -> list[Cell]:
    """Return one cell for each place of each panel.

    Parameters
    ----------
    small : bool
        Whether two places with two data sets each are enough.

    Returns
    -------
    list of Cell
    """
    cells, size = [], TRIAL if small else FULL
    for name, panel in PANELS.items():
        places, repeats = extent(panel, small=small)
        for place in places:
            work = partial(_repeated, panel.trial, place, repeats, size)
            cells.append(Cell(cell_name(name, place), name, work))
    return cells


def extent(panel: Panel, *, small: bool) -> tuple[tuple[float, ...], int]:
    """Return places and repeats, for a trial the first of each."""
    # A dial that starts at 0 needs two more places for a slope.
    few = panel.places[: 3 if panel.places[0] == 0 else 2]
    return (few, 2) if small else (panel.places, panel.repeats)


def cell_name(panel: str, place: float) -> str:
    """Return the name of the cell of one place."""
    return f"{panel}-{place:g}"


def _repeated(
    trial: Trial,
    place: float,
    repeats: int,
    size: Size,
    run: Run,  # noqa: ARG001
) -> dict[str, Any]:
    """Return the errors of every arm, one for each data set."""
    each = [trial(place, seed, size) for seed in range(repeats)]
    return {arm: [errors[arm] for errors in each] for arm in each[0]}


def _by_rows(title: str, trial: Trial) -> Panel:
    """Return a panel whose dial is the number of training rows."""
    sizes = (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
    return Panel(title, "training rows", sizes, 20, trial)


PANELS: Mapping[str, Panel] = {
    "growth": _by_rows("A tree of 32 leaves taught by a forest", growth),
    "floor": _by_rows(
        "A fully grown tree taught by a forest that repeats its labels", floor
    ),
    "floor-control": _by_rows(
        "The same, with a forest that cannot repeat a label",
        partial(floor, smallest_leaf=50),
    ),
    "overfit": Panel(
        "How much the teacher repeats its labels",
        "smallest leaf of the teacher",
        (1, 2, 5, 10, 20, 50, 100),
        20,
        overfit,
    ),
    "underfit": Panel(
        "How simple the teacher is",
        "depth of the teacher",
        (1, 2, 3, 4, 6, 8, 12),
        20,
        underfit,
    ),
    "complexity": Panel(
        "The best share of the label",
        "leaves of the student",
        (2, 4, 8, 16, 32, 64, 128, 256),
        20,
        complexity,
    ),
    "perturbed": Panel(
        "A linear student, a teacher that is wrong by a known amount",
        "error of the teacher's log-odds",
        (0.0, 0.2, 0.3, 0.4, 0.5, 0.6),
        10,
        perturbed,
    ),
}
