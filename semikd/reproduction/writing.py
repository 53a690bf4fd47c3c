"""What an experiment leaves behind: a tidy table, tables to read, a figure, its origin.

All of it is made of the cells; nothing here measures anything.
"""

import csv
import io
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semikd._files.whole import whole_file
from semikd.reproduction.cells import versions
from semikd.reproduction.runs import Finished

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Results", "markdown", "origin_of", "times_of", "write_results"]

Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Results:
    """What is written of an experiment.

    Parameters
    ----------
    title : str
        What the page is called.
    tidy : sequence of mappings
        One row for each number, for programs.
    tables : mapping of str to sequence of mappings
        Tables to read, by title, cells as text.
    figure : callable
        Draws it.
    remarks : tuple of str
        What a reader must know of the tables.
    origin : mapping
        Configurations, versions and times.
    """

    title: str
    tidy: Sequence[Row]
    tables: Mapping[str, Sequence[Row]]
    figure: Callable[[], "Figure"]
    remarks: tuple[str, ...]
    origin: Mapping[str, Any]


def write_results(results: Results, folder: Path) -> list[Path]:
    """Write the files of an experiment, each whole or not at all.

    Parameters
    ----------
    results : Results
        What is written.
    folder : Path
        A folder that exists.

    Returns
    -------
    list of Path
        ``results.csv``, ``results.md``, ``figure.svg`` and ``origin.json``.
    """
    texts = {
        "results.csv": _csv(results.tidy),
        "results.md": _page(results),
        "origin.json": json.dumps(results.origin, indent=1, sort_keys=True) + "\n",
    }
    paths = [folder / name for name in texts]
    for path in paths:
        with whole_file(path) as unfinished:
            unfinished.write_text(texts[path.name], encoding="utf-8")
    path = folder / "figure.svg"
    with whole_file(path) as unfinished:
        _draw(results.figure(), unfinished)
    return [*paths, path]


def origin_of(runs: Mapping[str, Finished], **more: Any) -> dict[str, Any]:
    """Return what numbers depend on: libraries, machine, and each run.

    Parameters
    ----------
    runs : mapping of str to Finished
        The runs by what they are called.
    **more : object
        What else there is to say.

    Returns
    -------
    dict
    """
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
    }
    each = {name: one.origin() for name, one in runs.items()}
    date = datetime.now(UTC).date().isoformat()
    return {
        "date": date,
        "versions": versions(),
        "machine": machine,
        **more,
        **each,
    }


def times_of(runs: Mapping[str, Finished]) -> list[str]:
    """Return in a sentence each what runs took, and by which versions.

    Parameters
    ----------
    runs : mapping of str to Finished
        The runs by what they are called.

    Returns
    -------
    list of str
    """
    said = []
    for name, one in runs.items():
        minutes = f"{one.seconds / 60:.0f} minutes"
        took = minutes if one.seconds > 90 else f"{one.seconds:.0f} s"
        said.append(f"{name.capitalize()}: it took {took}.")
    own = ", ".join(f"{name} {version}" for name, version in versions().items())
    return [*said, f"{own}."]


def markdown(rows: Sequence[Row]) -> str:
    """Return a table as Markdown.

    Parameters
    ----------
    rows : sequence of mappings
        Lines with the same names.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.reproduction.writing import markdown
    >>> print(markdown([{"arm": "plain", "AUC": "0.900"}]))
    | arm | AUC |
    |---|---|
    | plain | 0.900 |
    """
    names = list(rows[0])
    lines = [names, ["---"] * len(names)]
    lines += [[str(row[name]).replace("|", "\\|") for name in names] for row in rows]
    head, rule, *body = (" | ".join(line) for line in lines)
    text = [f"| {head} |", "|" + rule.replace(" ", "") + "|"]
    return "\n".join([*text, *(f"| {line} |" for line in body)])


def _page(results: Results) -> str:
    """Return the tables and remarks as one page of Markdown."""
    parts = [f"# {results.title}", *results.remarks]
    for title, rows in results.tables.items():
        if rows:
            parts += [f"## {title}", markdown(rows)]
    return "\n\n".join(parts) + "\n"


def _csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV; a row need not have every column."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _draw(figure: "Figure", path: Path) -> None:
    """Save a figure without the time and chance that would change its bytes."""
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "semikd", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
