"""Runs that are through, or as far as they are, with what their cells took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semikd._progress import Reporter
from semikd.reproduction.cells import CONFIGURATION, Cell, Run, open_run

__all__ = ["Finished", "finish_run", "known_run"]


@dataclass(frozen=True)
class Finished:
    """A run that is through, and what all of its cells took.

    Parameters
    ----------
    run : Run
        The finished cells.
    seconds : float
        Their time, whenever they were done.
    """

    run: Run
    seconds: float

    def origin(self) -> dict[str, Any]:
        """Return what the cells depend on, and their time, for a file."""
        return {
            "configuration": dict(self.run.configuration),
            "seconds": self.seconds,
        }


def finish_run(
    folder: Path,
    configuration: Mapping[str, Any],
    cells: Sequence[Cell],
    progress: Reporter,
) -> Finished:
    """Open the run of a folder, and do what is not done of it.

    Parameters
    ----------
    folder : Path
        As ``open_run`` takes it.
    configuration : mapping
        What the cells depend on.
    cells : sequence of Cell
        All cells, each after those that it reads.
    progress : callable
        Called with a ``Step`` as each missing one starts.

    Returns
    -------
    Finished
    """
    run = open_run(folder, configuration)
    run.finish(cells, progress)
    return Finished(run, run.seconds())


def known_run(folder: Path, configuration: Mapping[str, Any]) -> Finished | None:
    """Return the run of a folder as far as it is, None where there is none.

    Parameters
    ----------
    folder : Path
        As ``open_run`` takes it.
    configuration : mapping
        What the cells depend on; the cells of another one are refused.

    Returns
    -------
    Finished or None
    """
    if not (folder / CONFIGURATION).is_file():
        return None
    run = open_run(folder, configuration)
    return Finished(run, run.seconds())
