"""Work that can be stopped and continued: every finished cell is a file of its own."""

import argparse
import importlib.metadata
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from _harness import RESULTS, Row, environment, parse, start

__all__ = ["all_here", "folder", "kept_cell", "options_of", "state"]


def options_of(description: str) -> argparse.Namespace:
    """Return the options of a script of this folder, the threads having been fixed."""
    parser = parse(description)
    parser.add_argument("--only", nargs="+", help="parts of the names of cells to do")
    parser.add_argument("--workers", type=int, default=1, help="n_jobs of every search")
    return start(parser)


def folder(options: argparse.Namespace) -> Path:
    """Return where results go."""
    if options.out is not None:
        return Path(options.out)
    trial = Path(tempfile.gettempdir()) / "semikd-benchmarks"
    return trial if options.small else RESULTS


def kept_cell(
    kind: str,
    options: argparse.Namespace,
    name: str,
    settings: Mapping[str, Any],
    work: Callable[[], Row],
) -> Row | None:
    """Return what the work finds, from its file if the same settings made that.

    None where there is no such file and ``--only`` does not name the cell. The files of
    one kind of study lie in a folder of their own.
    """
    known = {"semikd": importlib.metadata.version("semikd"), **settings}
    known = json.loads(json.dumps(known))
    size = "small-" if options.small else ""
    path = folder(options) / f"{kind}-cells" / f"{size}{name}.json"
    # A trial run is there to run the code.
    if path.exists() and not options.small:
        found = json.loads(path.read_text())
        if found["settings"] == known:
            return dict(found["result"])
    if options.only and not any(part in name for part in options.only):
        return None
    began, worked = time.perf_counter(), _processor()
    result = work()
    took, worked = time.perf_counter() - began, _processor() - worked
    path.parent.mkdir(parents=True, exist_ok=True)
    # Renamed when complete, so that a run that is stopped leaves no half of a file.
    record = {
        "settings": known,
        "seconds": took,
        "processor seconds": worked,
        "environment": environment(),
        "result": result,
    }
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(record) + "\n")
    unfinished.rename(path)
    print(f"{name}: {took:.0f} s, processor {worked:.0f} s", flush=True)
    return dict(json.loads(json.dumps(result)))


def _processor() -> float:
    """Return the processor seconds of this process and of its finished children."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def all_here(found: Mapping[Any, Row | None]) -> bool:
    """Return whether every cell is there."""
    return all(each is not None for each in found.values())


def state(found: Mapping[Any, Row | None]) -> str:
    """Return how many of the cells are there, in words."""
    n = sum(each is not None for each in found.values())
    return f"{n} of {len(found)} cells"
