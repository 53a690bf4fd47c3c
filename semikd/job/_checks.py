"""What no job could do, refused before anything is read."""

from typing import TYPE_CHECKING

from semikd._validation import Shown, count, number, unknown
from semikd.job._refusals import refusal
from semikd.job.names import (
    LAYERS,
    PRESETS,
    SHIFTS,
    SIZED,
    STUDENTS,
    TASKS,
    TEACHERS,
)

if TYPE_CHECKING:
    from semikd.job.settings import Settings

# A tree of more leaves is not small, and counters have an end.
_MOST_LEAVES = 1_000_000


def check_settings(asked: "Settings") -> None:
    """Refuse values that no job could use, and options that exclude each other.

    Parameters
    ----------
    asked : Settings
        What is asked for.

    Raises
    ------
    ValueError
        The message names the option.
    """
    _check_names(asked)
    _check_counts(asked)
    _check_labels(asked)
    _check_layers(asked)
    _check_protected(asked)
    _check_correction(asked)
    _check_search(asked)
    _check_within(asked)


def _check_names(asked: "Settings") -> None:
    """Refuse names that nothing has."""
    if asked.student not in STUDENTS:
        raise unknown("--student", asked.student, STUDENTS)
    if asked.task not in TASKS:
        raise unknown("--task", asked.task, TASKS)
    if ":" not in asked.teacher and asked.teacher not in TEACHERS:
        listed = [*TEACHERS, "package.module:object"]
        raise unknown("--teacher", asked.teacher, listed)
    if asked.preset is not None and asked.preset not in PRESETS:
        raise unknown("--preset", asked.preset, PRESETS)


def _check_counts(asked: "Settings") -> None:
    """Refuse whole numbers that are out of range."""
    count("--leaves", asked.leaves, low=2)
    if asked.leaves > _MOST_LEAVES:
        constraint = f"be an integer of at most {_MOST_LEAVES}"
        raise refusal("--leaves", constraint, asked.leaves, "Leave trees small")
    count("--cv", asked.cv, low=2)
    count("--seed", asked.seed, low=0)
    if asked.refits is not None:
        count("--refits", asked.refits)
    if asked.jobs == 0:
        remedy = "Use -1 for all cores"
        raise refusal("--jobs", "be an integer other than 0", asked.jobs, remedy)


def _check_labels(asked: "Settings") -> None:
    """Refuse a key without a file of labels, and a teacher beside one."""
    if asked.key is not None and asked.labels is None:
        remedy = "It names the rows of a file of labels"
        raise refusal("--key", "come with --labels", asked.key, remedy)
    if asked.labels is not None and asked.teacher != "boosting":
        remedy = "Labels take the teacher's place: pass one of them"
        raise refusal("--teacher", "be absent with --labels", asked.teacher, remedy)


def _check_layers(asked: "Settings") -> None:
    """Refuse hidden layers that are not there to be shown, or to be seen."""
    for name in asked.shown_layers:
        if name not in LAYERS:
            raise unknown("--layers", name, LAYERS)
    if asked.shown_layers and (asked.student, asked.teacher) != ("network",) * 2:
        shown = Shown(f"--student {asked.student} and --teacher {asked.teacher}")
        constraint = "be of networks on both sides"
        remedy = "Use --student network --teacher network"
        raise refusal("--layers", constraint, shown, remedy)


def _check_protected(asked: "Settings") -> None:
    """Refuse a protected column of a student that has no opponent."""
    if asked.protected is None:
        return
    if asked.student != "network" or asked.layers:
        other = "--layers" if asked.layers else f"--student {asked.student}"
        constraint = "come with --student network, and without --layers"
        raise refusal("--protected", constraint, Shown(other))


def _check_correction(asked: "Settings") -> None:
    """Refuse shifted scores of a student that has none to shift."""
    _ = asked.strength
    if asked.correction in SHIFTS and asked.student in SIZED:
        shown = Shown(f"{asked.correction} for a {asked.student}")
        constraint = "have a student that learns by cross-entropy"
        remedy = "Use --student linear or network"
        raise refusal("--correction", constraint, shown, remedy)
    if asked.task == "regression":
        asked.refuse_classes()


def _check_search(asked: "Settings") -> None:
    """Refuse a search that nothing is left for, or that has no time."""
    if asked.preset not in (None, "none") and asked.is_declared:
        brought = "--labels" if asked.labels is not None else "--correction"
        shown = Shown(f"{asked.preset!r} beside {brought}")
        constraint = "be absent, or 'none', where the recipe is given"
        remedy = f"Leave {brought} out: a search tries shares by itself"
        if asked.labels is not None:
            remedy = (
                "Nobody can say which teachers of a file saw which rows: a choice "
                "could not be judged"
            )
        raise refusal("--preset", constraint, shown, remedy)
    if asked.time_budget is not None:
        number("--time-budget", asked.time_budget, low=0.0, open_low=True)
        if asked.search == "none":
            constraint = "come with a search that it can end"
            remedy = "Leave it out: nothing is searched"
            raise refusal("--time-budget", constraint, asked.time_budget, remedy)


def _check_within(asked: "Settings") -> None:
    """Refuse a margin to a teacher, or a student, that is not there."""
    if asked.within is None:
        return
    number("--within", asked.within, low=0.0, open_low=True)
    if asked.labels is not None:
        constraint = "be absent with --labels"
        remedy = "It measures from the teacher, which is not at hand"
        raise refusal("--within", constraint, asked.within, remedy)
    if asked.student not in SIZED:
        constraint = "come with a student of many sizes, a tree or a forest"
        raise refusal("--within", constraint, Shown(f"--student {asked.student}"))
