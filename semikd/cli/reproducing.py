"""``semikd reproduce``: an experiment of the paper, remade on the data sets at hand."""

from pathlib import Path
from typing import TYPE_CHECKING

from semikd._progress import Step
from semikd._validation import Shown, invalid
from semikd.cli.display import Display
from semikd.cli.interrupts import stop_if_interrupted
from semikd.cli.lines import Line, print_lines

if TYPE_CHECKING:
    from semikd.reproduction.asked import Asked, Outcome
    from semikd.reproduction.forests.readings import PaperTable

__all__ = ["reproduce_experiment"]

# Needs no file: what a trial takes where nothing else is asked.
_BUNDLED = "fair"


def reproduce_experiment(
    experiment: str, datasets: list[str], asked: "Asked", out: Path
) -> None:
    """Do an experiment on some data sets, or go on with it, and say what was found."""
    from semikd.reproduction.experiments import reads_tables

    tables: list[PaperTable | None] = [None]
    notes: list[str] = []
    if reads_tables(experiment):
        tables, notes = _tables(datasets, asked)
    elif datasets:
        shown = Shown(f"{datasets[0]!r} for {experiment}")
        raise invalid("--dataset", "be left out where there is no choice", shown)
    for table in tables:
        print_lines(_lines(_done(experiment, table, asked, out)))
    print_lines([Line(f"Note: {note}", faint=True) for note in notes])


def _done(
    experiment: str, table: "PaperTable | None", asked: "Asked", out: Path
) -> "Outcome":
    """Do an experiment on one data set; what Ctrl-C leaves behind is said."""
    from semikd.reproduction.experiments import reproduce

    try:
        with Display() as display:

            def heard(step: Step) -> None:
                stop_if_interrupted()
                display.progress(step)

            return reproduce(experiment, asked, out, table, heard)
    except KeyboardInterrupt:
        kept = f"finished cells stay in {str(out)!r}: the same command goes on"
        raise KeyboardInterrupt(kept) from None


def _tables(
    datasets: list[str], asked: "Asked"
) -> tuple[list["PaperTable | None"], list[str]]:
    """Return the tables that were asked for, or those whose files are here."""
    from semikd.reproduction.forests.readings import OPENML, READINGS, read_table

    if asked.data not in (None, OPENML) and not Path(asked.data).is_dir():
        raise invalid("--data", "be a folder, or 'openml'", str(asked.data))
    of_the_paper = [name for name in READINGS if name != _BUNDLED]
    wanted = datasets or ([_BUNDLED] if asked.small else of_the_paper)
    tables: list[PaperTable | None] = []
    notes = []
    for name in dict.fromkeys(wanted):
        try:
            tables.append(read_table(name, asked.data))
        except FileNotFoundError as missing:
            said = str(missing).replace("data_home", "--data")
            if datasets:
                raise ValueError(said) from None
            notes.append(f"{name} is left out: {said}")
    if not tables:
        shown = Shown("none of " + ", ".join(wanted))
        remedy = "Set SEMIKD_DATA or --data to the folder that holds them"
        raise invalid("--dataset", "be one whose files are here", shown, remedy)
    return tables, notes


def _lines(outcome: "Outcome") -> list[Line]:
    """Return what is worth a line: what was found, and where the tables are."""
    folder = outcome.paths[0].parent
    return [
        Line(outcome.title, strong=True),
        *(Line(f"  {text}") for text in outcome.said),
        Line(f"  Tables: {folder / 'results.md'}; figure: {folder / 'figure.svg'}"),
    ]
