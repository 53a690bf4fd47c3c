"""``semikd distill``: read, distil, write, and say in a few lines what was found."""

import shlex
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from semikd._progress import Step
from semikd._validation import Shown
from semikd.cli.display import Display
from semikd.cli.errors import note_written
from semikd.cli.interrupts import stop_if_interrupted
from semikd.cli.lines import Line, print_lines
from semikd.exceptions import SemikdWarning
from semikd.job._refusals import refusal
from semikd.job._words import score_text
from semikd.job.folder import result_folder
from semikd.job.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from semikd.job.distilling import Outcome
    from semikd.job.results import Written

__all__ = ["distill_table"]

_BUILT_IN = "affair"


def distill_table(
    table: str | None, settings: Settings, *, out: Path, force: bool
) -> None:
    """Distil a table and leave the result in a folder."""
    settings = _with_target(table, settings)
    with ExitStack() as stack:
        # What can be refused at once is refused before the work begins.
        held = settings.test_share is None
        folder = stack.enter_context(result_folder(out, force=force))
        display = stack.enter_context(Display())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            outcome = _distilled(table, settings, display, held_out=held)
        said = (*_of_teacher(settings), *_told(caught))
        display.start("report", "writing the result")
        from semikd.job.results import write_result

        written = write_result(outcome, folder, table=table, notes=said)
        stop_if_interrupted()
    note_written(repr(str(out)))
    print_lines(_found(outcome, written, said, out))


def _distilled(
    table: str | None, settings: Settings, display: Display, *, held_out: bool
) -> "Outcome":
    """Read the table, refuse what cannot be used of it, and distil the rest."""
    label = "reading the table and loading libraries"
    if ":" in settings.teacher:
        label = f"{label}, importing {settings.teacher}, whose code is run"
    display.start("reading", label)
    frame = _frame(table)
    rest = _held_out(settings.test, frame) if held_out else None
    from semikd.job.distilling import distil

    def heard(step: Step) -> None:
        stop_if_interrupted()
        display.progress(step)

    return distil(frame, settings, held_out=rest, progress=heard)


def _of_teacher(settings: Settings) -> list[str]:
    """Return the remark that somebody else's code was run."""
    if ":" not in settings.teacher:
        return []
    return [f"The teacher {settings.teacher!r} was imported: its code was run."]


def _with_target(table: str | None, settings: Settings) -> Settings:
    """Return settings that name a target; the built-in table has its own."""
    from dataclasses import replace

    if settings.target:
        return settings
    if table is None:
        return replace(settings, target=_BUILT_IN)
    raise refusal("--target", "name the column to predict", Shown("nothing"))


def _frame(table: str | None) -> "pd.DataFrame":
    """Return the table, or the survey that is built in."""
    from semikd.job.reading import read_table

    if table is not None:
        return read_table(table)
    from semikd.datasets import load_dataset

    data = load_dataset("fair")
    frame: pd.DataFrame = data.X  # type: ignore[assignment]
    return frame.assign(**{_BUILT_IN: data.y})


def _held_out(path: str, frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return a file of held-out rows, its columns read as those of the table."""
    from semikd.job.reading import read_table

    texts = [name for name in frame.columns if not _is_plain(frame[name])]
    return read_table(path, text_columns=texts, name="--test")


def _is_plain(column: "pd.Series") -> bool:
    """Return whether a column holds numbers, truth values or dates."""
    return getattr(column.dtype, "kind", "O") in "iufbmM"


def _told(caught: list[warnings.WarningMessage]) -> list[str]:
    """Return the warnings that are for whoever types the command, each once."""
    told = [
        str(one.message)
        for one in caught
        if issubclass(one.category, SemikdWarning)
        or one.category.__name__ == "ConvergenceWarning"
    ]
    return list(dict.fromkeys(told))


def _found(
    outcome: "Outcome", written: "Written", said: tuple[str, ...], out: Path
) -> list[Line]:
    """Return what is worth a line, the verdict first."""
    comparison, model = outcome.comparison, outcome.model
    sentences = comparison.verdict.split("\n")
    own = [text for text in sentences if text.startswith(f"'{outcome.shipped}'")]
    metrics = list(comparison.table.columns[:3])
    shown = comparison.table[metrics]
    width = max(len(name) for name in comparison.names)
    rows = [
        f"  {name:<{width}}  "
        + "  ".join(f"{metric} {score_text(score)}" for metric, score in scores.items())
        + ("  <- shipped" if name == outcome.shipped else "")
        for name, scores in shown.to_dict(orient="index").items()
    ]
    size = model.describe()
    what = f"{size['leaves']} leaves" if size.get("leaves") else size["kind"]
    times = dict(outcome.latency)
    speed = ", ".join(f"{name}: {micros:,.0f} µs" for name, micros in times.items())
    notes = dict.fromkeys((*outcome.notes, *said))
    return [
        Line(outcome.headline, strong=True),
        *(Line(row) for row in (*rows, *own, *_chosen(outcome))),
        Line(f"Shipped: {what}, {written.model_bytes:,} bytes; {speed}."),
        *(Line(f"Note: {note}", faint=True) for note in notes),
        Line(f"Result: {out}/ (open {out / 'report.html'} in a browser)"),
        Line(f"Use it: semikd predict {shlex.quote(str(out))} TABLE"),
    ]


def _chosen(outcome: "Outcome") -> list[str]:
    """Return what was chosen, how small it may be, and on whom it is worse."""
    from semikd.job.sizing import SMALLEST
    from semikd.job.told import choice_facts, part_facts, size_facts
    from semikd.report.choosing import choice_sentences
    from semikd.report.parts import part_sentence
    from semikd.report.sizing import size_sentence

    choice, sizes = choice_facts(outcome), size_facts(outcome)
    said = []
    if choice is not None:
        first, *rivals = choice_sentences(choice)
        of_what = "" if sizes is None else " of the recipe"
        part = f"The held-out rows above took no part in the choice{of_what}."
        if outcome.shipped == SMALLEST:
            part += " They chose the size: its scores there are a little too good."
        said = [f"{first} {part}", *rivals[:1]]
    if sizes is not None:
        said.append(size_sentence(sizes))
    parts = part_facts(outcome)
    return said if parts is None else [*said, part_sentence(parts)]
