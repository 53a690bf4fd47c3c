"""Work that may stop and go on: each finished cell is a file, under one configuration.

A run is a folder. What it depends on is written there first; a folder that says
otherwise is refused, so that the cells of two runs never meet in one table.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from semikd._files.checks import digest, parse_json, read_bytes
from semikd._files.whole import whole_file
from semikd._progress import Reporter, Step, silent
from semikd._validation import Shown, invalid

__all__ = ["CONFIGURATION", "Cell", "Run", "content", "open_run", "versions"]

CONFIGURATION = "run.json"
_LIBRARIES = ("semikd", "numpy", "scipy", "scikit-learn", "torch")
_LARGEST = 2**28
_REMEDY = "Remove it, and the run makes it again"


@dataclass(frozen=True)
class Cell:
    """A piece of work that is done once.

    Parameters
    ----------
    name : str
        Its file, without the ending.
    stage : str
        Cells of one stage take about as long as each other.
    work : callable
        From the run, which knows the cells before it, to what is found: an object that
        is JSON.
    size : int, default=1
        How much work it is beside the others, to foretell the time.

    Examples
    --------
    >>> from semikd.reproduction.cells import Cell
    >>> Cell("sum", "sums", lambda run: {"sum": 3}).stage
    'sums'
    """

    name: str
    stage: str
    work: Callable[["Run"], dict[str, Any]]
    size: int = 1


@dataclass(frozen=True)
class Run:
    """The finished cells of one configuration.

    Parameters
    ----------
    folder : Path
        Where they are.
    configuration : dict
        What all of them depend on.
    listener : callable, optional
        Whom a cell at work tells how far it is.
    """

    folder: Path
    configuration: Mapping[str, Any]
    listener: Reporter = silent

    def has(self, name: str) -> bool:
        """Return whether a cell is finished."""
        return self._path(name).is_file()

    def read(self, name: str) -> dict[str, Any]:
        """Return what a finished cell found."""
        return dict(self._record(name)["found"])

    def seconds(self) -> float:
        """Return what all finished cells took together."""
        names = sorted(path.stem for path in (self.folder / "cells").glob("*.json"))
        return sum(float(self._record(name)["seconds"]) for name in names)

    def finish(self, cells: Sequence[Cell], progress: Reporter = silent) -> None:
        """Do the cells that are not finished, one after the other.

        Parameters
        ----------
        cells : sequence of Cell
            All cells, each after those that it reads.
        progress : callable, optional
            Called with a ``Step`` as each one starts.
        """
        missing = [cell for cell in cells if not self.has(cell.name)]
        done, total = 0, sum(cell.size for cell in missing)
        for cell in missing:
            step = Step(cell.stage, cell.name, done, total)
            progress(step)
            began = time.perf_counter()
            found = cell.work(replace(self, listener=_inside(step, progress)))
            record = {"found": found, "seconds": time.perf_counter() - began}
            path = self._path(cell.name)
            path.parent.mkdir(exist_ok=True)
            _write(path, record)
            done += cell.size
        progress(Step("done", "done", total, total))

    def _record(self, name: str) -> dict[str, Any]:
        """Return the content of a cell's file."""
        path = self._path(name)
        try:
            record = parse_json(path, read_bytes(path, _LARGEST))
        except ValueError as error:
            raise ValueError(f"{error} {_REMEDY}.") from None
        found, seconds = record.get("found"), record.get("seconds")
        plain = isinstance(found, dict) and isinstance(seconds, float)
        if not plain or len(record) > 2:
            raise invalid(str(path), "be a finished cell", Shown("another"), _REMEDY)
        return record

    def _path(self, name: str) -> Path:
        """Return the file of a cell."""
        return self.folder / "cells" / f"{name}.json"


def open_run(folder: Path, configuration: Mapping[str, Any]) -> Run:
    """Return the run of a folder, new or continued.

    Parameters
    ----------
    folder : Path
        New, empty, or that of a run of the same configuration.
    configuration : mapping
        What the cells depend on, as JSON; versions of libraries are added.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If the folder holds another run, or something else.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from semikd.reproduction.cells import Cell, open_run
    >>> with tempfile.TemporaryDirectory() as home:
    ...     run = open_run(Path(home) / "run", {"seed": 0})
    ...     run.finish([Cell("sum", "sums", lambda run: {"sum": 1 + 2})])
    ...     run.read("sum")
    {'sum': 3}
    """
    wanted = json.loads(json.dumps({**configuration, "versions": versions()}))
    path = folder / CONFIGURATION
    if path.is_file():
        _refuse_another(folder, parse_json(path, read_bytes(path, _LARGEST)), wanted)
    else:
        _make(folder)
        _write(path, wanted)
    return Run(folder, wanted)


def _inside(step: Step, progress: Reporter) -> Reporter:
    """Return who hears of the steps inside a step, and passes their names on."""
    return lambda inner: progress(replace(step, label=f"{step.label}: {inner.label}"))


def _make(folder: Path) -> None:
    """Make a new folder, or say why it cannot stand there."""
    constraint, remedy = (
        "be a new folder, or that of an earlier run",
        "Name another place",
    )
    # A first write that was killed leaves its unfinished file.
    held = [] if not folder.is_dir() else [path.name for path in folder.iterdir()]
    if any(not name.startswith(f".{CONFIGURATION}") for name in held):
        raise invalid("--out", constraint, str(folder), remedy)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        shown = Shown(f"{str(folder)!r}, on or below a file")
        raise invalid("--out", constraint, shown, remedy) from error


def content(*arrays: NDArray[Any]) -> str:
    """Return what tells data from others of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.cells import content
    >>> content(np.zeros(2)) == content(np.zeros(2)[::-1])
    True
    >>> content(np.arange(2)) == content(np.arange(2)[::-1])
    False
    """
    return digest(b"".join(each.tobytes() for each in arrays))


def versions() -> dict[str, str]:
    """Return the versions that results depend on."""
    return {name: metadata.version(name) for name in _LIBRARIES}


def _refuse_another(folder: Path, held: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with the cells of another configuration."""
    for name in sorted({*held, *wanted}):
        if held.get(name) != wanted.get(name):
            constraint = f"hold a run with {name} {wanted.get(name)!r}"
            shown = Shown(f"{held.get(name)!r} in {str(folder)!r}")
            remedy = "Name another folder, or remove that one"
            raise invalid("--out", constraint, shown, remedy)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that appears whole or not at all."""
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(content, allow_nan=False) + "\n")
