"""``semikd reproduce``: an experiment of the paper, remade on the data sets at hand."""

from pathlib import Path
from typing import TYPE_CHECKING

from semikd._progress import Step
from semikd._validation import Shown, invalid, unknown
from semikd.cli.display import Display
from semikd.cli.interrupts import stop_if_interrupted
from semikd.cli.lines import Line, print_lines
from semikd.reproduction import EXPERIMENTS

if TYPE_CHECKING:
    from semikd.reproduction.experiments import Asked
    from semikd.reproduction.forest_tables import Findings
    from semikd.reproduction.readings import PaperTable

__all__ = ["reproduce_experiment"]

# Needs no file: what a trial takes where nothing else is asked.
_BUNDLED = "fair"


def reproduce_experiment(
    experiment: str, datasets: list[str], asked: "Asked", out: Path
) -> None:
    """Do an experiment on some data sets, or go on with it, and say what was found."""
    if experiment not in EXPERIMENTS:
        raise unknown("EXPERIMENT", experiment, EXPERIMENTS)
    tables, notes = _tables(datasets, asked)
    from semikd.reproduction.experiments import reproduce_forests

    for table in tables:
        try:
            with Display() as display:

                def heard(step: Step, display: Display = display) -> None:
                    stop_if_interrupted()
                    display.progress(step)

                found, paths = reproduce_forests(experiment, table, asked, out, heard)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"finished cells stay in {str(out)!r}: the same command goes on"
            ) from None
        print_lines(_found(found, paths))
    print_lines([Line(f"Note: {note}", faint=True) for note in notes])


def _tables(
    datasets: list[str], asked: "Asked"
) -> tuple[list["PaperTable"], list[str]]:
    """Return the tables that were asked for, or those whose files are here."""
    from semikd.reproduction.readings import OPENML, READINGS, read_table

    if asked.data is not None and asked.data != OPENML:
        folder = Path(asked.data)
        if not folder.is_dir():
            raise invalid("--data", "be a folder, or 'openml'", str(folder))
    wanted = datasets or ([_BUNDLED] if asked.small else _of_the_paper(READINGS))
    tables, notes = [], []
    for name in dict.fromkeys(wanted):
        try:
            tables.append(read_table(name, asked.data))
        except FileNotFoundError as missing:
            if datasets:
                raise _refused(missing) from None
            notes.append(f"{name} is left out: {missing}")
    if not tables:
        shown = Shown("none of " + ", ".join(wanted))
        remedy = "Set SEMIKD_DATA or --data to the folder that holds them"
        raise invalid("--dataset", "be one whose files are here", shown, remedy)
    return tables, notes


def _of_the_paper(known: object) -> list[str]:
    """Return the data sets of the paper."""
    return [name for name in known if name != _BUNDLED]  # type: ignore[attr-defined]


def _refused(missing: FileNotFoundError) -> ValueError:
    """Return the refusal of a data set whose file is missing, in the same words."""
    return ValueError(str(missing).replace("data_home", "--data"))


def _found(found: "Findings", paths: list[Path]) -> list[Line]:
    """Return what is worth a line: agreement, and where the tables are."""
    from semikd.reproduction.forest_tables import agreement

    title = f"{found.dataset}: {found.study.title.lower()}"
    said = [
        Line(
            f"  {row['agree']} of {row['cells']} {row['what']} (asked: {row['asked']})"
        )
        for row in agreement(found)
    ]
    where = paths[0].parent
    return [
        Line(title, strong=True),
        *said,
        Line(f"  Tables: {where / 'results.md'}; figure: {where / 'figure.svg'}"),
    ]
