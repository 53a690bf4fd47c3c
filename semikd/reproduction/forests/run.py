"""An experiment with forests on one data set: cells, findings, pages."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semikd._progress import Reporter
from semikd.reproduction.asked import HONEST, PAPER_SEED, PUBLISHED, Asked, Outcome
from semikd.reproduction.cells import Cell, Finished, content, finish_run
from semikd.reproduction.forests.figures import forest_figure
from semikd.reproduction.forests.honest import ARMS, honest_cells, honest_results
from semikd.reproduction.forests.measured import (
    Scores,
    contrasts,
    levels,
    reproduced,
)
from semikd.reproduction.forests.published import published_cells, released_rules
from semikd.reproduction.forests.readings import READINGS, PaperTable, divided
from semikd.reproduction.forests.reference import Draw, reference_cells
from semikd.reproduction.forests.study import FOREST_STUDIES, ForestStudy
from semikd.reproduction.forests.tables import (
    Findings,
    agreement,
    tables,
    tidy_rows,
)
from semikd.reproduction.writing import (
    Results,
    origin_of,
    times_of,
    write_results,
)

__all__ = ["reproduce_forests"]

_IN_FIGURE = ("kd_mse", "kd_boundfast")
_SMALL_ROWS = 250
_REMARK = (
    "Published: mean ± standard deviation (ddof 0) over five fits of the student, of "
    "one split and one draw of teachers. Reproduced: mean ± standard error on the same "
    "split, over draws of teachers where there are several, else over fits; contrasts "
    "are over all splits. Honest: mean ± half of a 95 % interval over splits, folds, "
    "teachers and students."
)


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
    runs: dict[str, Finished] = {}
    if asked.protocol != HONEST:
        runs[PUBLISHED] = job.finish(PUBLISHED, job.published(), progress)
    if asked.protocol != PUBLISHED:
        runs[HONEST] = job.finish(HONEST, job.honest(), progress)
    found = job.findings(runs)
    title, order = f"{table.name}: {study.title.lower()}", READINGS[table.name].order
    results = Results(
        title=title,
        tidy=tidy_rows(found),
        tables=tables(found),
        figure=lambda: forest_figure(found),
        remarks=(_REMARK, f"Rows: {order}.", *_arms(found), *times_of(runs)),
        origin=origin_of(runs, rows=order),
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
        if self.asked.arms == "figure":
            return _IN_FIGURE
        return released_rules(self.study.name)

    def draws(self) -> list[Draw]:
        """Return splits and teachers of the published protocol."""
        return [
            Draw(split, teachers)
            for split in self.asked.split_seeds()
            for teachers in range(self.asked.draws)
        ]

    def published(self) -> list[Cell]:
        """Return the cells of the published protocol."""
        return [
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

    def honest(self) -> list[Cell]:
        """Return the cells of the honest protocol."""
        preset = "fast" if self.asked.small else "balanced"
        return [
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

    def finish(self, protocol: str, cells: list[Cell], progress: Reporter) -> Finished:
        """Do the cells of a protocol, which depend on this, whatever is asked."""
        table = self.table
        arrays = [table.X, table.y.astype(np.int64), *(table.fixed or ())]
        configuration = {
            "experiment": self.study.name,
            "dataset": table.name,
            "rows": list(table.X.shape),
            "content": content(*arrays),
            "protocol": protocol,
            "small": self.asked.small,
            "study": asdict(replace(self.study, curves=())),
        }
        return finish_run(self.folder / protocol, configuration, cells, progress)

    def findings(self, runs: dict[str, Finished]) -> Findings:
        """Return what all of it found; only the published split has published means."""
        study, name, draws = self.study, self.table.name, self.draws()
        published = {} if self.asked.small else published_cells(study.name, name)
        every: Scores = {}
        same: Scores = {}
        if PUBLISHED in runs:
            every = reproduced(study, self.rules(), draws, runs[PUBLISHED].run)
            at = [n for n, draw in enumerate(draws) if draw.split == PAPER_SEED]
            same = {place: own[at] for place, own in every.items()}
        honest = {}
        if HONEST in runs:
            honest = honest_results(study, self.asked.repeat_seeds(), runs[HONEST].run)
        return Findings(
            study,
            name,
            self.table.metric,
            published,
            levels(same, published),
            contrasts(study, every, published),
            honest,
        )

    def _sides(self, split: int) -> Any:
        """Return the rows of a split."""
        return divided(self.table, split, _SMALL_ROWS if self.asked.small else None)


def _arms(found: Findings) -> list[str]:
    """Return what the arms of the honest protocol are, where it was run."""
    lines = [f"- **{arm}**: {text}." for arm, text in ARMS.items()]
    return ["\n".join(lines)] if found.honest else []
