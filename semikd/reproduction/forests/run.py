"""An experiment with forests on one data set: cells, findings, pages."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semikd._progress import Reporter
from semikd.reproduction.asked import HONEST, PAPER_SEED, PUBLISHED, Asked, Outcome
from semikd.reproduction.cells import Cell, content
from semikd.reproduction.forests.contrasts import contrasts
from semikd.reproduction.forests.draws import (
    Draw,
    arms_of,
    contrasted_arms,
    finished_draws,
)
from semikd.reproduction.forests.figures import forest_figure
from semikd.reproduction.forests.findings import Findings
from semikd.reproduction.forests.honest import (
    ARMS,
    SETTINGS,
    finished_repeats,
    honest_cells,
    honest_results,
)
from semikd.reproduction.forests.measured import Scores, levels, reproduced
from semikd.reproduction.forests.published import published_cells, released_rules
from semikd.reproduction.forests.readings import READINGS, PaperTable, Sides, divided
from semikd.reproduction.forests.reference import reference_cells
from semikd.reproduction.forests.rules import FLOOR, RULES
from semikd.reproduction.forests.study import FOREST_STUDIES, ForestStudy
from semikd.reproduction.forests.tables import agreement, tables
from semikd.reproduction.forests.tidy import tidy_rows
from semikd.reproduction.runs import Finished, Protocol, finish_protocols
from semikd.reproduction.writing import (
    Results,
    origin_of,
    times_of,
    write_results,
)

__all__ = ["reproduce_forests"]

_SMALL_ROWS = 250
_REMARK = (
    "Published: mean ± standard deviation (ddof 0) over five fits of the student, of "
    "one split and one draw of teachers. Reproduced: mean ± standard error on the same "
    "split, over fits and draws of teachers. Honest: mean ± half of a 95 % interval "
    "over splits, folds, teachers and students. Log-losses take probabilities of at "
    "least 0.001."
)


def reproduce_forests(
    experiment: str, table: PaperTable, asked: Asked, out: Path, progress: Reporter
) -> Outcome:
    """Do an experiment with forests on one data set, or go on with it, and write it.

    The page holds all that is finished in its folder, whatever is asked this time.

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
    job = _Job(study, table, asked)
    runs = finish_protocols(folder, asked.protocol, job.protocols(), progress)
    held = job.held(runs)
    found = job.findings(runs, held)
    title, order = f"{table.name}: {study.title.lower()}", READINGS[table.name].order
    results = Results(
        title=title,
        tidy=tidy_rows(found),
        tables=tables(found),
        figure=lambda: forest_figure(found),
        remarks=(_REMARK, *job.remarks(held), *_arms(found), *times_of(runs)),
        origin=origin_of(runs, rows=order, asked=asdict(asked), held=asdict(held)),
    )
    said = tuple(
        f"{row['agree']} of {row['cells']} {row['what']} (asked: {row['asked']})"
        for row in agreement(found)
    )
    return Outcome(title, said, tuple(write_results(results, folder)))


@dataclass(frozen=True)
class _Held:
    """What a page is made of: all that is finished, whatever was asked last."""

    draws: tuple[Draw, ...]
    repeats: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Job:
    """One experiment on one data set."""

    study: ForestStudy
    table: PaperTable
    asked: Asked

    def protocols(self) -> dict[str, Protocol]:
        """Return what each protocol would do."""
        make = {PUBLISHED: self.published, HONEST: self.honest}
        return {
            name: Protocol(self._configuration(name), cells)
            for name, cells in make.items()
        }

    def published(self) -> list[Cell]:
        """Return the cells of the published protocol."""
        arms = contrasted_arms(self.study)
        if self.asked.arms != "figure":
            arms = arms_of(self.study, released_rules(self.study.name))
        seeds = self.asked.split_seeds()
        # A split that the file brings is the only one.
        seeds = seeds[:1] if self.table.fixed else seeds
        return [
            cell
            for split in seeds
            for teachers in range(self.asked.draws)
            for cell in reference_cells(
                self.study,
                arms,
                Draw(split, teachers),
                self._sides(split, honest=False),
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
                self._sides(split, honest=True),
                self.asked.jobs,
                preset=preset,
            )
        ]

    def held(self, runs: dict[str, Finished]) -> _Held:
        """Return what is finished."""
        draws: list[Draw] = []
        repeats: list[int] = []
        if PUBLISHED in runs:
            draws = finished_draws(self.study, runs[PUBLISHED].run)
        if HONEST in runs:
            repeats = finished_repeats(self.study, runs[HONEST].run)
        return _Held(tuple(draws), tuple(repeats))

    def findings(self, runs: dict[str, Finished], held: _Held) -> Findings:
        """Return what all of it found; only the published split has published means."""
        study, name, draws = self.study, self.table.name, held.draws
        published = {}
        if not self.asked.small and self.table.unlike() is None:
            published = published_cells(study.name, name)
        paper = tuple(draw for draw in draws if draw.split == PAPER_SEED)
        # Where rows may stand in another order, no split is the published one.
        compared = paper if READINGS[name].same_split else draws
        same: Scores = {}
        every: Scores = {}
        honest = {}
        if draws:
            run = runs[PUBLISHED].run
            same = reproduced(study, paper, run)
            every = reproduced(study, compared, run)
        if held.repeats:
            run, fixed = runs[HONEST].run, self.table.fixed is not None
            honest = honest_results(study, held.repeats, run, same_rows=fixed)
        return Findings(
            study,
            name,
            self.table.metric,
            published,
            levels(same, published),
            contrasts(study, every, published),
            honest,
        )

    def remarks(self, held: _Held) -> list[str]:
        """Return what must be known of these rows and of what was run."""
        table, draws = self.table, held.draws
        said = [f"Rows: {READINGS[table.name].order}."]
        if (unlike := table.unlike()) is not None:
            said.append(f"No published numbers stand beside these rows: {unlike}.")
        if table.fixed:
            said.append(
                "The file brings its split: there is no other, and intervals are over "
                "folds, teachers and students only."
            )
        if draws:
            splits = len({draw.split for draw in draws})
            said.append(
                f"Published protocol: splits: {splits}; draws of teachers in all: "
                f"{len(draws)}."
            )
        if held.repeats:
            said.append(f"Honest protocol: {len(held.repeats)} repetitions.")
        return said

    def _configuration(self, protocol: str) -> dict[str, Any]:
        """Return what all cells of a protocol depend on, whatever is asked."""
        table, study = self.table, asdict(self.study)
        arrays = [table.X, table.y.astype(np.int64), *(table.fixed or ())]
        rules = {key: [rule.values, rule.scales] for key, rule in RULES.items()}
        own = {"rules": rules, "floor": FLOOR, "seed": PAPER_SEED}
        return {
            "experiment": self.study.name,
            "dataset": table.name,
            "rows": list(table.X.shape),
            "content": content(*arrays),
            "protocol": protocol,
            "small": _SMALL_ROWS if self.asked.small else 0,
            "study": {
                key: value
                for key, value in study.items()
                if key not in ("title", "axis", "curves")
            },
            "settings": own if protocol == PUBLISHED else dict(SETTINGS),
        }

    def _sides(self, split: int, *, honest: bool) -> Sides:
        """Return the rows of a split."""
        n_rows = _SMALL_ROWS if self.asked.small else None
        return divided(self.table, split, n_rows, honest=honest)


def _arms(found: Findings) -> list[str]:
    """Return what the arms of the honest protocol are, where it was run."""
    lines = [f"- **{arm}**: {text}." for arm, text in ARMS.items()]
    return ["\n".join(lines)] if found.honest else []
