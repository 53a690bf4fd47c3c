"""What a job found, as it is told: facts for the page, numbers for machines."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd.artifact import LinearArrays
from semikd.evaluation.arms import AUTOMATIC, TEACHER
from semikd.job.distilling import Outcome
from semikd.job.parts import LEAST, LEAST_GROUPS, LEAST_RARE, Parts
from semikd.job.sizing import SMALLEST
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from semikd.report.choosing import ChoiceFacts
    from semikd.report.coefficients import SlopeFacts
    from semikd.report.parts import PartFacts
    from semikd.report.rights import RightFacts
    from semikd.report.sizing import SizeFacts


# What is otherwise of an arm whose size was chosen on the held-out rows.
_SIZED = ("the size of the student was chosen on these rows: it looks a little better",)


def choice_facts(outcome: Outcome) -> "ChoiceFacts | None":
    """Return what was tried, for the page and the terminal."""
    from semikd.report.choosing import ChoiceFacts

    found = outcome.searched
    if found is None:
        return None
    return ChoiceFacts(
        choice=found.choice,
        metric=found.metric,
        n_rows=found.n_rows,
        n_folds=found.n_folds,
        fit_seconds=found.fit_seconds,
        seconds=found.seconds,
        done=found.found.done,
        left_out=found.found.left_out,
    )


def size_facts(outcome: Outcome) -> "SizeFacts | None":
    """Return the sizes that were tried, for the page and the terminal."""
    from semikd.report.sizing import SizeFacts

    found = outcome.sizes
    if found is None:
        return None
    return SizeFacts(found.curve, found.tested, found.margin, _teacher(outcome))


def part_facts(outcome: Outcome) -> "PartFacts | None":
    """Return what ships on each part of the held-out rows, beside the teacher."""
    from semikd.report.parts import PartFacts

    comparison, parts = outcome.comparison, outcome.sides.parts
    arm, found = outcome.shipped, outcome.by_part
    if parts is None or found is None:
        return None
    own = comparison.predictions[0, comparison.names.index(arm)]
    losses = comparison.task.loss(None)(own, comparison.test)
    masks = [np.ones(len(losses), dtype=bool), *parts.masks]
    return PartFacts(
        column=parts.column,
        arm=arm,
        metric=comparison.task.metric,
        comparison=found,
        n_rows=[int(mask.sum()) for mask in masks],
        losses=[_mean(losses, mask, comparison.test.weights) for mask in masks],
        conditions=(
            *found.conditions,
            *(_SIZED if arm == SMALLEST else ()),
            "in each part losses are many, and no few of them decide: parts have "
            f"{LEAST} rows ({LEAST_GROUPS} groups, where there are groups) or more, of "
            f"classes {LEAST_RARE} outside the most frequent one, unless they are "
            "the parts",
        ),
        rights=_right_facts(outcome, parts),
    )


def _right_facts(outcome: Outcome, parts: Parts) -> "RightFacts | None":
    """Return how often arms are right on each part; None for numbers."""
    from semikd.diagnostics import subgroup_report
    from semikd.report.rights import RightFacts

    comparison, test = outcome.comparison, outcome.comparison.test
    if not test.classification:
        return None
    arms = dict.fromkeys((comparison.reference, TEACHER, outcome.shipped))
    inside = parts.code >= 0
    found = subgroup_report(
        test.y[inside],
        {
            arm: comparison.predictions[0, comparison.names.index(arm)][inside]
            for arm in arms
            if arm in comparison.names
        },
        reference=comparison.reference,
        groups=parts.code[inside],
        classes=test.classes,
        sample_weight=None if test.weights is None else test.weights[inside],
        clusters=None if test.groups is None else test.groups[inside],
        level=comparison.level,
        random_state=outcome.settings.seed,
    )
    return RightFacts(parts.names, outcome.shipped, found)


def _mean(
    losses: FloatArray, mask: NDArray[np.bool_], weights: FloatArray | None
) -> float:
    """Return the mean loss of some rows."""
    own = None if weights is None else weights[mask]
    return float(np.average(losses[mask], weights=own))


def part_metrics(outcome: Outcome) -> dict[str, Any] | None:
    """Return the parts as plain values; None where none were asked for."""
    facts = part_facts(outcome)
    if facts is None:
        return None
    frame = facts.comparison.to_frame()
    frame.insert(0, "loss", facts.losses)
    frame.insert(0, "rows", facts.n_rows)
    found = {
        "column": facts.column,
        "reference": facts.comparison.reference,
        "metric": facts.metric,
        "level": facts.comparison.level,
        "parts": frame.rename_axis("name").reset_index().to_dict(orient="records"),
    }
    return found if facts.rights is None else found | _right_metrics(facts.rights)


def _right_metrics(facts: "RightFacts") -> dict[str, Any]:
    """Return right answers as plain values."""
    table = facts.report.table
    names = [facts.names[int(group)] for group in table["group"]]
    return {
        "right_reference": facts.report.reference,
        "right": table.assign(group=names).to_dict(orient="records"),
    }


def slope_facts(outcome: Outcome) -> "SlopeFacts | None":
    """Return the best slopes beside those that ship; None without intervals."""
    from semikd.report.coefficients import SlopeFacts

    slopes, model, student = outcome.slopes, outcome.model, outcome.model.student
    if slopes is None or slopes.found is None or not isinstance(student, LinearArrays):
        return None
    coef = student.coef
    log_odds = coef[0] if len(coef) == 1 else coef[1] - coef[0]
    second = (model.classes or ("", ""))[1]
    return SlopeFacts(
        names=slopes.names,
        bases=slopes.bases,
        shipped=slopes.measure @ log_odds,
        left_out=slopes.left_out,
        n_certain=slopes.n_certain,
        found=slopes.found,
        outcome=f"{model.target} = {second}",
    )


def slope_metrics(outcome: Outcome) -> dict[str, Any] | None:
    """Return the best slopes as plain values; None without intervals."""
    facts = slope_facts(outcome)
    if facts is None:
        return None
    frame = facts.found.to_frame().iloc[:-1].reset_index(drop=True)
    frame.insert(0, "shipped", facts.shipped)
    frame.insert(0, "against", list(facts.bases))
    frame.insert(0, "name", list(facts.names))
    return {
        "outcome": facts.outcome,
        "level": facts.found.level,
        "left_out": list(facts.left_out),
        "rows_of_certain_class": facts.n_certain,
        "slopes": frame.to_dict(orient="records"),
    }


def choice_metrics(outcome: Outcome) -> dict[str, Any] | None:
    """Return what was tried as plain values; None without a search."""
    found = outcome.searched
    if found is None:
        return None
    table = found.choice.table(found.fit_seconds).reset_index()
    score, error = found.choice.score
    return {
        "preset": found.preset,
        "metric": found.metric,
        "chosen": str(found.chosen),
        "score": score,
        "score_std_error": error,
        "candidates": table.to_dict(orient="records"),
        "rows": found.n_rows,
        "folds": found.n_folds,
        "seconds": found.seconds,
        "rounds": list(found.found.done),
        "left_out": list(found.found.left_out),
    }


def size_metrics(outcome: Outcome) -> dict[str, Any] | None:
    """Return the sizes as plain values; None where none were asked for."""
    from semikd.report.sizing import size_sentence

    facts = size_facts(outcome)
    if facts is None:
        return None
    curve, tested = facts.curve, facts.tested
    frame = curve.to_frame().join(tested.to_frame()).reset_index()
    return {
        "margin": facts.margin,
        "level": tested.level,
        "teacher": facts.teacher,
        "smallest": tested.last,
        "sentence": size_sentence(facts),
        "students": frame.to_dict(orient="records"),
    }


def set_up(outcome: Outcome) -> list[tuple[str, str]]:
    """Return how the job was set up, and why."""
    settings, n_refits = outcome.settings, outcome.comparison.n_refits
    why = ", by the size of the table" if settings.refits is None else ", as asked"
    small = {"tree": f", at most {settings.leaves} leaves"}.get(settings.student, "")
    layers = ", ".join(settings.shown_layers)
    layers = f", shown hidden layers: {layers}" if layers else ""
    return [
        ("Task", outcome.sides.target.sentence),
        ("Teacher", _teacher(outcome)),
        ("Student", f"{settings.student}{small}{layers}"),
        ("Labels", outcome.labels.strategy),
        ("Shipped arm", f"{outcome.shipped}, {_why_shipped(outcome)}"),
        ("Fits of every arm", f"{n_refits}{why}"),
        ("Seed", str(settings.seed)),
    ]


def _teacher(outcome: Outcome) -> str:
    """Return what the teacher of the comparison is called."""
    settings = outcome.settings
    if settings.labels is not None:
        return f"labels brought in {settings.labels}"
    chosen = "" if outcome.searched is None else outcome.searched.chosen.teacher
    return chosen or settings.teacher


def _why_shipped(outcome: Outcome) -> str:
    """Return why this arm ships, and what that means for its score."""
    if outcome.shipped == SMALLEST:
        return (
            "its recipe chosen on the training rows, its size by tests on the held-out "
            "rows that allow for it"
        )
    if outcome.shipped == AUTOMATIC:
        return (
            "its recipe chosen on the training rows alone, so that its score on the "
            "held-out rows is honest"
        )
    return (
        "declared before anything was fitted and not chosen by its score, so that its "
        "score is honest"
    )
