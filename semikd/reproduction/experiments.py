"""The experiments by name: what is asked for becomes cells, and cells become pages."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from semikd._progress import Reporter, silent
from semikd._validation import unknown
from semikd.reproduction.cells import Cell, Run, open_run, versions
from semikd.reproduction.forest_figures import forest_figure
from semikd.reproduction.forest_studies import (
    FOREST_STUDIES,
    PAPER_SEED,
    ForestStudy,
)
from semikd.reproduction.forest_tables import Findings, tables, tidy_rows
from semikd.reproduction.honest import ARMS, honest_cells, honest_results
from semikd.reproduction.measured import contrasts, levels, reproduced
from semikd.reproduction.published import published_cells
from semikd.reproduction.readings import READINGS, PaperTable, divided
from semikd.reproduction.reference import Draw, reference_cells
from semikd.reproduction.rules import RULES
from semikd.reproduction.writing import Results, machine, write_results

__all__ = ["ARMS_ASKED", "PROTOCOLS", "Asked", "reproduce_forests"]

PROTOCOLS = ("published", "honest", "both")
ARMS_ASKED = ("figure", "all")
_IN_FIGURE = ("kd_mse", "kd_boundfast")
_SMALL_ROWS = 400


@dataclass(frozen=True)
class Asked:
    """What is asked of an experiment.

    Parameters
    ----------
    protocol : {'published', 'honest', 'both'}, default='both'
        Whose protocol.
    small : bool, default=False
        Whether a few hundred rows and a few trees are enough, for a trial.
    data : path, 'openml' or None, default=None
        Where files are.
    arms : {'figure', 'all'}, default='figure'
        Rules of the published protocol: those of the figure, or all that were released.
    draws : int, default=1
        Draws of teachers of the published protocol, for each split.
    splits : int, default=1
        Splits of the published protocol: the published one, then others.
    repeats : int, default=5
        Repetitions of the honest protocol, each with a split of its own.
    n_jobs : int, default=1
        Threads.

    Examples
    --------
    >>> from semikd.reproduction.experiments import Asked
    >>> Asked(splits=3).split_seeds()
    (2357, 0, 1)
    """

    protocol: str = "both"
    small: bool = False
    data: Any = None
    arms: str = "figure"
    draws: int = 1
    splits: int = 1
    repeats: int = 5
    n_jobs: int = 1

    def __post_init__(self) -> None:
        for name, value, known in (
            ("--protocol", self.protocol, PROTOCOLS),
            ("--arms", self.arms, ARMS_ASKED),
        ):
            if value not in known:
                raise unknown(name, value, known)

    def split_seeds(self) -> tuple[int, ...]:
        """Return the seeds of the splits of the published protocol."""
        return _seeds(self.splits)

    def repeat_seeds(self) -> tuple[int, ...]:
        """Return the seeds of the repetitions of the honest protocol."""
        return _seeds(2 if self.small else self.repeats)


def reproduce_forests(
    experiment: str,
    table: PaperTable,
    asked: Asked,
    out: Path,
    progress: Reporter = silent,
) -> tuple[Findings, list[Path]]:
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
    progress : callable, optional
        Called with a ``Step`` as each cell starts.

    Returns
    -------
    Findings
        What was found.
    list of Path
        The files that were written.

    Raises
    ------
    ValueError
        If the name is unknown, or the folder holds cells of another configuration.
    """
    if experiment not in FOREST_STUDIES:
        raise unknown("experiment", experiment, FOREST_STUDIES)
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
    origin = {
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
    results = Results(
        title=f"{table.name}: {study.title.lower()}",
        tidy=tidy_rows(found),
        tables=tables(found),
        figure=lambda: forest_figure(found),
        remarks=_remarks(found, origin),
        origin=origin,
    )
    return found, write_results(results, folder)


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
                self.asked.n_jobs,
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
                self.asked.n_jobs,
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
            "protocol": protocol,
            "small": self.asked.small,
            "study": asdict(study),
        }
        return open_run(self.folder / protocol, configuration)

    def _sides(self, split: int) -> Any:
        """Return the rows of a split."""
        return divided(self.table, split, _SMALL_ROWS if self.asked.small else None)


def _seeds(n: int) -> tuple[int, ...]:
    """Return the published seed, and then 0, 1, 2 and so on."""
    return (PAPER_SEED, *range(n - 1))


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
            seconds = origin[protocol]["seconds"]
            took = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} s"
            said.append(f"The {protocol} protocol took {took}.")
    if found.honest:
        said.append(_arms_in_words())
    own = origin["versions"]
    said.append(", ".join(f"{name} {version}" for name, version in own.items()) + ".")
    return tuple(said)


def _arms_in_words() -> str:
    """Return what the arms of the honest protocol are."""
    return "\n".join(f"- **{arm}**: {text}." for arm, text in ARMS.items())
