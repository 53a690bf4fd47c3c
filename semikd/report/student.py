"""The student itself: whatever it is, what can be read off it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from semikd.report.drawing import DrawnTree, draw_tree
from semikd.report.features import (
    MOST_SCORES,
    ViewTable,
    coefficients,
    questions,
)
from semikd.report.outcomes import COLOURS, OutcomeReader
from semikd.report.svg import tag
from semikd.report.text import name_html, significant

__all__ = ["StudentView", "student_view"]


@dataclass(frozen=True)
class StudentView:
    """What the page shows of the student.

    Parameters
    ----------
    sentences : tuple of str
        What it is and how to read the rest.
    legend : list of (Markup, str)
        Colours of classes.
    tree : DrawnTree or None
        For a single tree.
    tables : list of ViewTable
        Coefficients, or how often features are asked for.

    Examples
    --------
    >>> from semikd.report.student import StudentView
    >>> StudentView(("A tree.",), [], None, []).tree is None
    True
    """

    sentences: tuple[str, ...]
    legend: list[tuple[Markup, str]]
    tree: DrawnTree | None
    tables: list[ViewTable]


def student_view(model: Any) -> StudentView:
    """Return what can be shown of a student of any kind.

    Parameters
    ----------
    model : ShippedModel
        What ships.

    Returns
    -------
    StudentView
    """
    views: dict[str, Callable[[Any], StudentView]] = {
        "tree": _tree_view,
        "linear": _linear_view,
        "forest": _forest_view,
        "network": _network_view,
    }
    return views.get(model.student.kind, _plain_view)(model)


def _tree_view(model: Any) -> StudentView:
    """Return a tree, drawn."""
    tree, several = model.student, model.classes is not None and len(model.classes) > 2
    if model.classes is None and tree.n_outputs > 1:
        return _plain_view(model)
    values = tree.value if model.classes is None else model.probabilities(tree.value)
    drawn = draw_tree(tree, model.encoder, OutcomeReader(values, model.classes))
    size = (
        f"One tree with {drawn.n_leaves:,} leaves; a row answers at most "
        f"{drawn.depth} questions."
    )
    boxes = Markup(
        "Each box says what share of the training rows arrives there, and what the "
        "tree says of them: {}."
    ).format(_meaning(model))
    letters = "Where the drawing ends, a letter leads to the rest."
    sentences = (size, boxes, letters) if drawn.outlines else (size, boxes)
    legend = _class_legend(model.classes) if several else []
    return StudentView(sentences, legend, drawn, [questions(model, [tree])])


def _meaning(model: Any) -> str:
    """Return what the numbers in boxes are."""
    if model.classes is None:
        return _said("the mean of {}", model.target)
    if len(model.classes) == 2:
        return _said("the probability that {} is {}", model.target, model.classes[1])
    return "the most probable class with its probability; the bar has all classes"


def _said(words: str, *names: object) -> Markup:
    """Return fixed words with names in quotation marks, which cannot reorder them."""
    quoted = [Markup("“{}”").format(name_html(name)) for name in names]
    return Markup(words).format(*quoted)  # noqa: S704 - the words are our own


def _class_legend(classes: Sequence[object]) -> list[tuple[Markup, str]]:
    """Return a patch of colour for each class, the last one for all that remain."""
    names = [str(name) for name in classes]
    if len(names) > COLOURS:
        names = [*names[: COLOURS - 1], f"{len(names) - COLOURS + 1} further classes"]
    patch = {"width": 12, "height": 12, "aria_hidden": "true"}
    return [
        (
            tag(
                "svg",
                tag("rect", width=12, height=12, rx=2, class_=f"k{position}"),
                **patch,
            ),
            name,
        )
        for position, name in enumerate(names)
    ]


def _forest_view(model: Any) -> StudentView:
    """Return how many trees there are, and what they ask."""
    trees = model.student.trees
    leaves = [tree.n_leaves for tree in trees]
    output = model.student.output
    which = "that are averaged" if output is None else "for one score each"
    if output is not None and len(set(output)) < len(output):
        which += ", those of a score averaged"
    said = (
        f"{len(trees):,} trees {which}, with {min(leaves):,} to "
        f"{max(leaves):,} leaves each, {sum(leaves):,} in all."
    )
    return StudentView((said,), [], None, [questions(model, trees)])


def _linear_view(model: Any) -> StudentView:
    """Return the coefficients, the largest first."""
    student = model.student
    several = len(student.intercept) > 1
    scale = "the mean" if model.classes is None else "the scores of the classes"
    if model.classes is not None and not several:
        scale = _said("the score of {}", model.classes[1])
    constants = ", ".join(
        significant(float(b)) for b in student.intercept[:MOST_SCORES]
    )
    said = Markup(
        "A linear model: numbers are standardised, categories are 1 where they hold, "
        "else 0, and each moves {} by its coefficient. Constant term: {}."
    ).format(scale, constants)
    count = len(student.intercept)
    cut = f"The first {MOST_SCORES} of {count:,} scores are shown."
    sentences = (said, cut) if count > MOST_SCORES else (said,)
    return StudentView(sentences, [], None, [coefficients(model)])


def _network_view(model: Any) -> StudentView:
    """Return the shape of a network."""
    student = model.student
    widths = [len(student.mean), *(len(bias) for bias in student.biases)]
    count = sum(weight.size for weight in student.weights)
    count += sum(bias.size for bias in student.biases)
    steps = " → ".join(f"{width:,}" for width in widths)
    said = (
        f"A network of {len(widths) - 1} layers with {steps} units, "
        f"{count:,} coefficients in all. There is nothing in it that could be read "
        "like a rule; choose a tree or a linear student where that matters."
    )
    return StudentView((said,), [], None, [])


def _plain_view(model: Any) -> StudentView:
    """Return what a student of another kind says of itself."""
    facts = model.student.describe()
    told = ", ".join(f"{name.replace('_', ' ')} {facts[name]}" for name in facts)
    return StudentView((f"{model.student.kind.capitalize()}: {told}.",), [], None, [])
