"""What ships is chosen here, on training rows alone: the held-out rows stay out of it.

Every recipe is judged by rows that neither its student nor a teacher behind its labels
saw. The winner goes into the comparison as one more arm, and is judged there like the
others.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from semikd._progress import Reporter, Step
from semikd._random import spawn_seeds
from semikd._validation import counted
from semikd.crossfit import content_split
from semikd.evaluation import Classification, Regression, Table
from semikd.evaluation.recipes import checked_recipe, refuse_early
from semikd.job.settings import Settings
from semikd.selection import Candidate, Choice
from semikd.selection.judging import Judge
from semikd.selection.plans import plan_rounds
from semikd.selection.presets import PRESETS
from semikd.selection.search import Found, search
from semikd.selection.sources import LabelBank
from semikd.selection.teachers import named_teachers, without_unreadable
from semikd.selection.winner import made_choice

__all__ = ["Searched", "search_recipes"]

# Pairs of folds need teachers of their own: three are the fewest that allow it, and
# beyond five the teachers become many.
_FEWEST_FOLDS, _MOST_FOLDS = 3, 5
# Beyond this many rows a part of them chooses, so that fifteen teachers stay cheap.
_MOST_ROWS = 100_000
# Students whose own fits leave the other cores idle.
_SINGLE = ("tree", "forest", "linear")


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search tried, what won, and what it cost.

    Parameters
    ----------
    preset : str
        How much was tried.
    choice : Choice
        The candidates with their losses.
    teacher : estimator
        The unfitted teacher of the winner, or the one that was asked for.
    found : Found
        Rounds that were done, and left out.
    fit_seconds : tuple of float
        Time spent on the students of each candidate.
    seconds : float
        Time of all, teachers included.
    metric : str
        The loss that chose.
    n_rows, n_folds : int
        Training rows that took part, and the parts that judged in turn.
    notes : tuple of str
        What a reader must know of the search, in sentences.
    """

    preset: str
    choice: Choice
    teacher: Any
    found: Found
    fit_seconds: tuple[float, ...]
    seconds: float
    metric: str
    n_rows: int
    n_folds: int
    notes: tuple[str, ...]

    @property
    def chosen(self) -> Candidate:
        """What won."""
        return self.choice.chosen


def search_recipes(
    recipe: Any, train: Table, test: Table, settings: Settings, report: Reporter
) -> Searched | None:
    """Return what a search on the training rows found; None where none was asked for.

    Parameters
    ----------
    recipe : DistilledClassifier or DistilledRegressor
        The teacher and the student that were asked for.
    train, test : Table
        The training rows; and the held-out rows, of which nothing is read but whether
        they can judge at all.
    settings : Settings
        How much is tried, in what time.
    report : callable
        Called with a step as each step starts.

    Returns
    -------
    Searched or None
    """
    if settings.search == "none":
        return None
    # The comparison's own refusals come before teachers are fitted here.
    refuse_early(*checked_recipe(recipe, Classification.min_proba), train, test)
    start = time.perf_counter()
    rows, notes = _rows(train, settings)
    teachers, unread = _teachers(recipe, rows, settings)
    judge = _judge(recipe, teachers, rows, settings, _named(report))
    found = search(
        judge,
        plan_rounds(PRESETS[settings.search], judge),
        seconds=settings.time_budget,
        start=start,
        progress=_named(report),
    )
    choice, bank = made_choice(judge), judge.bank
    return Searched(
        preset=settings.search,
        choice=choice,
        teacher=bank.teachers.get(choice.chosen.teacher, recipe.teacher),
        found=replace(found, left_out=(*unread, *found.left_out)),
        fit_seconds=tuple(judge.seconds[each] for each in choice.candidates),
        seconds=time.perf_counter() - start,
        metric=judge.task.metric,
        n_rows=len(choice.losses),
        n_folds=len(bank.folds.judging),
        notes=notes,
    )


def _rows(train: Table, settings: Settings) -> tuple[Table, tuple[str, ...]]:
    """Return the rows that take part in the search, and what is to be said of that."""
    n_rows, n_parts = len(train.y), _n_parts(settings)
    notes: tuple[str, ...] = ()
    if n_parts != settings.cv:
        said = f"Recipes were judged in {n_parts} parts, not {settings.cv}"
        notes = (f"{said}: pairs of folds need three, and beyond five cost much.",)
    if n_rows <= _MOST_ROWS:
        return train, notes
    part = content_split(
        train.X,
        fraction=_MOST_ROWS / n_rows,
        random_state=_seeds(settings)[0],
        groups=train.groups,
        strata=train.codes if train.classification else None,
    )
    kept = train.take(np.flatnonzero(part))
    return kept, (
        *notes,
        f"The recipe was chosen on {counted(len(kept.y), 'row')} of the {n_rows:,} "
        "training rows, drawn by their content; the comparison uses all of them.",
    )


def _n_parts(settings: Settings) -> int:
    """Return into how many parts the rows that judge are divided."""
    return min(max(settings.cv, _FEWEST_FOLDS), _MOST_FOLDS)


def _judge(
    recipe: Any,
    teachers: dict[str, Any],
    rows: Table,
    settings: Settings,
    report: Reporter,
) -> Judge:
    """Return who judges the recipes."""
    _, label_seed, student_seed = _seeds(settings)
    bank = LabelBank(
        rows,
        teachers,
        cv=_n_parts(settings),
        keep_teachers=PRESETS[settings.search].synthetic or bool(settings.layers),
        n_jobs=settings.jobs,
        seed=label_seed,
        progress=report,
    )
    workers = -1 if settings.student in _SINGLE else None
    return Judge(
        rows,
        Classification() if rows.classification else Regression(),
        {settings.student: recipe.student},
        bank,
        n_jobs=workers if settings.jobs is None else settings.jobs,
        seed=student_seed,
    )


def _seeds(settings: Settings) -> list[int]:
    """Return seeds of rows, labels and students, none of which the comparison has."""
    return list(spawn_seeds(spawn_seeds(settings.seed, 3)[2], 3))


def _teachers(
    recipe: Any, rows: Table, settings: Settings
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the teachers of the preset, and why others cannot read these rows.

    The one that was asked for goes by its own name; the default one is the preset's.
    """
    if not rows.classification:
        return {settings.teacher: recipe.teacher}, ()
    given = None if settings.teacher == Settings().teacher else recipe.teacher
    named = named_teachers(given, settings.search, settings.teacher)
    return without_unreadable(named, given, rows.X)


def _named(report: Reporter) -> Reporter:
    """Return a listener that says which part of the job the steps belong to."""

    def heard(step: Step) -> None:
        # Rounds are unlike each other: each is a stage of its own.
        stage = step.label if step.stage == "round" else step.stage
        report(replace(step, stage=stage, label=f"choosing the recipe, {step.label}"))

    return heard
