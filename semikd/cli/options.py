"""The options of a command, made from the record that a script would fill in.

One option for each field, of the same name, type and default, so that a script and a
command line cannot come to differ.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

import typer

from semikd._validation import wrong_type
from semikd.job.names import (
    CORRECTIONS,
    LAYERS,
    PRESETS,
    STUDENTS,
    TASKS,
    TEACHERS,
)
from semikd.job.settings import Settings
from semikd.reproduction.asked import PROTOCOLS, Asked

__all__ = ["with_experiment", "with_settings"]

_HELP = {
    "target": "Column to predict.",
    "teacher": f"{', '.join(TEACHERS)}; or package.module:object, an estimator of your "
    "own, whose code is then run.",
    "labels": "File of out-of-fold predictions, in the teacher's place.",
    "key": "Column that joins the file of labels to the table; by default its column "
    "'row' counts rows from 0.",
    "student": f"{', '.join(STUDENTS)}.",
    "layers": f"Hidden layers of --teacher network that --student network learns from "
    f"too: {', '.join(LAYERS)}, or several between commas.",
    "protected": "Column of which the answers of --student network are to say nothing.",
    "leaves": "Most leaves of a tree.",
    "correction": f"{', '.join(CORRECTIONS)}, or a share such as 0.2.",
    "preset": f"{', '.join(PRESETS)}: how much is tried to find the best recipe, on "
    "training rows alone; by default fast, and none with --labels or --correction.",
    "time_budget": "Seconds that this search may take; the comparison comes on top.",
    "within": "Ship the smallest student that is worse than the teacher by less than "
    "this, in log-loss (squared error), with 95 % confidence.",
    "cv": "Number of cross-fitting folds.",
    "groups": "Column of groups that no split may divide.",
    "weight": "Column of weights.",
    "by": "Column whose values part the held-out rows: on whom is the student worse?",
    "test": "Share of rows to hold out, or a file of held-out rows.",
    "task": f"{', '.join(TASKS)}.",
    "refits": "Times that all arms are fitted; by default by the size of the table.",
    "seed": "Seed of everything random.",
    "jobs": "Workers over folds.",
}
_HELP_OF_EXPERIMENT = {
    "protocol": f"{', '.join(PROTOCOLS)}.",
    "small": "A trial: few rows, few trees.",
    "data": "Folder of the files, in place of SEMIKD_DATA; 'openml' downloads.",
    "arms": "Of the published protocol: figure, or all that were released.",
    "draws": "Draws of teachers, for each split (published protocol).",
    "splits": "Splits: the published one, then others (published protocol).",
    "repeats": "Repetitions, each with a split of its own (honest protocol).",
    "jobs": "Workers.",
}
_METAVARS = {
    "target": "COL",
    "teacher": "NAME",
    "labels": "FILE",
    "key": "COL",
    "student": "NAME",
    "layers": "NAMES",
    "protected": "COL",
    "leaves": "N",
    "correction": "NAME",
    "preset": "NAME",
    "time_budget": "SECONDS",
    "within": "MARGIN",
    "cv": "K",
    "groups": "COL",
    "weight": "COL",
    "by": "COL",
    "test": "FILE|SHARE",
    "task": "NAME",
    "refits": "N",
    "seed": "N",
    "jobs": "N",
    "protocol": "NAME",
    "data": "DIR",
    "arms": "NAME",
    "draws": "N",
    "splits": "N",
    "repeats": "N",
}


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose keyword arguments are the options of a job."""
    return _with_fields(command, Settings, _HELP)


def with_experiment(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose keyword arguments are the options of an experiment."""
    return _with_fields(command, Asked, _HELP_OF_EXPERIMENT)


def _with_fields(
    command: Callable[..., None], record: Any, words: dict[str, str]
) -> Callable[..., None]:
    """Return a command whose keyword arguments are the fields of a record."""
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    types = get_type_hints(record)
    options = [
        _parameter(field.name, types[field.name], field.default, words[field.name])
        for field in fields(record)
    ]
    command.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    return command


def _parameter(name: str, kind: Any, default: Any, words: str) -> inspect.Parameter:
    """Return one option as a parameter that typer reads."""
    shown = name.replace("_", "-")
    parsers: dict[Any, Any] = {int: _integer_of, float: _number_of}
    plain = next((one for one in parsers if kind in (one, one | None)), None)
    option = typer.Option(
        f"--{shown}",
        parser=None if plain is None else parsers[plain](shown),
        help=words,
        metavar=_METAVARS.get(name),
        show_default=default not in (None, "", False),
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, option],
    )


def _integer_of(name: str) -> Callable[[str], int]:
    """Return what reads an integer, and says what came if it is none."""

    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise wrong_type(f"--{name}", "be an integer", text) from None

    return parse


def _number_of(name: str) -> Callable[[str], float]:
    """Return what reads a number, and says what came if it is none."""

    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise wrong_type(f"--{name}", "be a number", text) from None

    return parse
