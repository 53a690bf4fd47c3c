"""The simulations: cells, rates, pages."""

from dataclasses import asdict
from pathlib import Path

from semikd._progress import Reporter
from semikd.reproduction.asked import Asked, Outcome
from semikd.reproduction.runs import finish_run
from semikd.reproduction.simulations.figures import simulation_figure
from semikd.reproduction.simulations.panels import PANELS, extent, simulation_cells
from semikd.reproduction.simulations.tables import (
    rates,
    simulated,
    simulation_tables,
    tidy_simulations,
)
from semikd.reproduction.simulations.trials import FULL, SETTINGS, TRIAL
from semikd.reproduction.writing import (
    Results,
    origin_of,
    times_of,
    write_results,
)

__all__ = ["reproduce_simulations"]

_TITLE = "Simulations with known class probabilities"
_REMARK = (
    "Squared error of the student to the true probability of the second class, on "
    "10,000 fresh rows; mean ± standard error over data sets. Slopes are those of "
    "logarithms, with 95 % intervals by the jackknife over data sets; where the dial "
    "starts at 0, the error there is noise and is taken off."
)


def reproduce_simulations(asked: Asked, out: Path, progress: Reporter) -> Outcome:
    """Do the simulations, or go on with them, and write what was found.

    Parameters
    ----------
    asked : Asked
        Whether a trial is enough; there is no published protocol.
    out : Path
        Folder of all results; this one's is in it.
    progress : callable
        Called with a ``Step`` as each cell starts.

    Returns
    -------
    Outcome
    """
    small = asked.small
    folder = out / f"synthetic{'-small' if small else ''}"
    configuration = {
        "experiment": "synthetic",
        "panels": {name: extent(panel, small=small) for name, panel in PANELS.items()},
        "settings": SETTINGS,
        "size": asdict(TRIAL if small else FULL),
    }
    cells = simulation_cells(small=small)
    runs = {"run": finish_run(folder / "run", configuration, cells, progress)}
    found = simulated(runs["run"].run, small=small)
    results = Results(
        title=_TITLE,
        tidy=tidy_simulations(found),
        tables=simulation_tables(found),
        figure=lambda: simulation_figure(found),
        remarks=(_REMARK, *times_of(runs)),
        origin=origin_of(runs, asked=asdict(asked)),
    )
    said = tuple(
        f"{rate.what}: slope {rate} (theory: {rate.theory})" for rate in rates(found)
    )
    return Outcome(_TITLE, said, tuple(write_results(results, folder)))
