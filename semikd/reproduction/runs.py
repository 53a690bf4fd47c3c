"""Runs that are through, or as far as they are, with what their cells took."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semikd._progress import Reporter
from semikd.reproduction.cells import CONFIGURATION, Cell, Run, open_run

__all__ = ["Finished", "Protocol", "finish_protocols", "finish_run"]


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


@dataclass(frozen=True)
class Protocol:
    """What a protocol of an experiment would do, before any of it is done.

    Parameters
    ----------
    configuration : mapping
        What its cells depend on.
    cells : callable
        Returns them; what they need is made only then.
    """

    configuration: Mapping[str, Any]
    cells: Callable[[], Sequence[Cell]]


def finish_protocols(
    folder: Path, asked: str, protocols: Mapping[str, Protocol], progress: Reporter
) -> dict[str, Finished]:
    """Do the protocols that are asked for; of the others take what was done before.

    Parameters
    ----------
    folder : Path
        Folder of the experiment; each protocol has its own in it.
    asked : str
        Name of a protocol, or 'both'.
    protocols : mapping of str to Protocol
        All of them by name.
    progress : callable
        Called with a ``Step`` as each missing cell starts.

    Returns
    -------
    dict from name to Finished
        Without those that are neither asked for nor begun.
    """
    found = {}
    for name, own in protocols.items():
        place, known = folder / name, own.configuration
        if asked in (name, "both"):
            found[name] = finish_run(place, known, own.cells(), progress)
        elif (place / CONFIGURATION).is_file():
            run = open_run(place, known)
            found[name] = Finished(run, run.seconds())
    return found
