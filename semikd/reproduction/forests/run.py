"""An experiment with forests on one data set: cells, findings, pages."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semikd._progress import Reporter
from semikd.reproduction.asked import Asked, Outcome
from semikd.reproduction.cells import Cell, Run, open_run, versions
from semikd.reproduction.forests.figures import forest_figure
from semikd.reproduction.forests.honest import ARMS, honest_cells, honest_results
from semikd.reproduction.forests.measured import contrasts, levels, reproduced
from semikd.reproduction.forests.published import published_cells
from semikd.reproduction.forests.readings import READINGS, PaperTable, divided
from semikd.reproduction.forests.reference import Draw, reference_cells
from semikd.reproduction.forests.rules import RULES
from semikd.reproduction.forests.study import FOREST_STUDIES, ForestStudy
from semikd.reproduction.forests.tables import (
    Findings,
    agreement,
    tables,
    tidy_rows,
)
from semikd.reproduction.writing import Results, duration, machine, write_results

__all__ = ["reproduce_forests"]

_IN_FIGURE = ("kd_mse", "kd_boundfast")
_SMALL_ROWS = 250


def reproduce_forests(
    experiment: str, table: PaperTable, asked: Asked, out: Path, progress: Reporter
) -> Outcome:
    """Do an experiment with forests on one data set, or go on with it, and write it.

    Parameters
    ----------
    experiment : {'trees', 'depth'}
        The experiment.
    table : PaperTable
        The data set.
    asked : Asked
        Protocols and repeats.
    out : Path
        Folder of all results; this one's is in it.
    progress : callable
        Called with a ``Step`` as each cell starts.

    Returns
    -------
    Outcome
    """
    study = FOREST_STUDIES[experiment]
    study = study.shortened() if asked.small else study
    folder = out / f"{experiment}-{table.name}{'-small' if asked.small else ''}"
    job = _Job(study, table, asked, folder)
    runs: dict[str, tuple[Run, list[Cell]]] = {}
    if asked.protocol != "honest":
        runs["published"] = job.published(progress)
    if asked.protocol != "published":
        runs["honest"] = job.honest(progress)
    found = job.findings(runs)
    title = f"{table.name}: {study.title.lower()}"
    origin = _origin(table, runs)
    results = Results(
        title=title,
        tidy=tidy_rows(found),
        tables=tables(found),
        figure=lambda: forest_figure(found),
        remarks=_remarks(found, origin),
        origin=origin,
    )
    said = tuple(
        f"{row['agree']} of {row['cells']} {row['what']} (asked: {row['asked']})"
        for row in agreement(found)
    )
    return Outcome(title, said, tuple(write_results(results, folder)))


@dataclass(frozen=True, eq=False)
class _Job:
    """One experiment on one data set."""

    study: ForestStudy
    table: PaperTable
    asked: Asked
    folder: Path

    def rules(self) -> tuple[str, ...]:
        """Return the rules of the published protocol that are run."""
        wanted = _IN_FIGURE if self.asked.arms == "figure" else tuple(RULES)
        return tuple(rule for rule in self.study.rules if rule in wanted)

    def draws(self) -> list[Draw]:
        """Return splits and teachers of the published protocol."""
        return [
            Draw(split, teachers)
            for split in self.asked.split_seeds()
            for teachers in range(self.asked.draws)
        ]

    def published(self, progress: Reporter) -> tuple[Run, list[Cell]]:
        """Return the finished cells of the published protocol."""
        run = self._run("published")
        cells = [
            cell
            for draw in self.draws()
            for cell in reference_cells(
                self.study,
                self.rules(),
                draw,
                self._sides(draw.split),
                self.asked.jobs,
            )
        ]
        run.finish(cells, progress)
        return run, cells

    def honest(self, progress: Reporter) -> tuple[Run, list[Cell]]:
        """Return the finished cells of the honest protocol."""
        run = self._run("honest")
        preset = "fast" if self.asked.small else "balanced"
        cells = [
            cell
            for split in self.asked.repeat_seeds()
            for cell in honest_cells(
                self.study,
                split,
                self._sides(split),
                self.asked.jobs,
                preset=preset,
            )
        ]
        run.finish(cells, progress)
        return run, cells

    def findings(self, runs: dict[str, tuple[Run, list[Cell]]]) -> Findings:
        """Return what all of it found."""
        study, name = self.study, self.table.name
        published = {} if self.asked.small else published_cells(study.name, name)
        scores = {}
        if "published" in runs:
            scores = reproduced(study, self.rules(), self.draws(), runs["published"][0])
        honest = {}
        if "honest" in runs:
            honest = honest_results(study, self.asked.repeat_seeds(), runs["honest"][0])
        return Findings(
            study,
            name,
            self.table.metric,
            published,
            levels(scores, published),
            contrasts(study, scores, published),
            honest,
        )

    def _run(self, protocol: str) -> Run:
        """Return the run of a protocol: what its cells depend on, whatever is asked."""
        study = replace(self.study, rules=(), curves=())
        configuration = {
            "experiment": study.name,
            "dataset": self.table.name,
            "rows": list(self.table.X.shape),
            "content": _content(self.table),
            "protocol": protocol,
            "small": self.asked.small,
            "study": asdict(study),
        }
        return open_run(self.folder / protocol, configuration)

    def _sides(self, split: int) -> Any:
        """Return the rows of a split."""
        return divided(self.table, split, _SMALL_ROWS if self.asked.small else None)


def _content(table: PaperTable) -> str:
    """Return what tells a table from others of the same shape."""
    found = hashlib.sha256(np.ascontiguousarray(table.X).tobytes())
    found.update(np.ascontiguousarray(table.y, dtype=np.int64).tobytes())
    return found.hexdigest()


def _origin(
    table: PaperTable, runs: dict[str, tuple[Run, list[Cell]]]
) -> dict[str, Any]:
    """Return where the numbers are from, and what they took."""
    return {
        "versions": versions(),
        "machine": machine(),
        "rows": READINGS[table.name].order,
        **{
            name: {
                "configuration": dict(run.configuration),
                "seconds": run.seconds([cell.name for cell in cells]),
            }
            for name, (run, cells) in runs.items()
        },
    }


def _remarks(found: Findings, origin: dict[str, Any]) -> tuple[str, ...]:
    """Return what a reader must know of the tables."""
    said = [
        "Published: mean ± standard deviation (ddof 0) over five fits of the student, "
        "of one split and one draw of teachers. Reproduced: mean ± standard error, "
        "over draws of teachers where there are several, else over fits. Honest: mean "
        "± half of a 95 % interval over splits, folds, teachers and students.",
        f"Rows: {origin['rows']}.",
    ]
    for protocol in ("published", "honest"):
        if protocol in origin:
            took = duration(origin[protocol]["seconds"])
            said.append(f"The {protocol} protocol took {took}.")
    if found.honest:
        said.append(_arms_in_words())
    own = origin["versions"]
    said.append(", ".join(f"{name} {version}" for name, version in own.items()) + ".")
    return tuple(said)


def _arms_in_words() -> str:
    """Return what the arms of the honest protocol are."""
    return "\n".join(f"- **{arm}**: {text}." for arm, text in ARMS.items())
