"""The page: facts in, one HTML document out, with nothing to load and nothing to run.

Escaping is the template engine's, for every value without exception; what it prints has
first gone through `visible`. The content-security policy allows this style sheet, by
its hash, and nothing else.
"""

import base64
import hashlib
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from semikd._text import visible
from semikd.evaluation import ArmComparison
from semikd.report.choosing import candidate_rows, choice_sentences
from semikd.report.coefficients import slope_view
from semikd.report.facts import ReportFacts
from semikd.report.figures import class_figures, mean_figures
from semikd.report.forest import axis, difference_rows
from semikd.report.parts import part_view
from semikd.report.sizing import size_drawing, size_sentence, student_rows
from semikd.report.student import student_view
from semikd.report.tables import (
    arm_rows,
    key_facts,
    latency_rows,
    roles_of,
    score_columns,
    size_rows,
)
from semikd.report.text import duration_text, level_text, name_html, number_text
from semikd.report.words import Judged, metric_words, verdict

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["report_page"]

_LONGEST_QUESTION = 120
# So many recipes are read at a glance; the rest is folded away.
_MOST_CANDIDATES = 8

# Heading of a figure, and what the numbers below it are.
_CHART_WORDS = {
    "calibration": ("Calibration", "Mean gap"),
    "ranking": ("ROC curve", "Area under the curve"),
    "means": ("Predicted and observed", "Mean gap"),
    "errors": ("Sizes of errors", "Half of the rows within / nine in ten within"),
}


def report_page(facts: ReportFacts) -> str:
    """Return one self-contained HTML page.

    It needs no network and no script, is made for phones, paper, light and dark
    screens, and is the same, byte by byte, for equal facts.

    Parameters
    ----------
    facts : ReportFacts
        What the page says.

    Returns
    -------
    str
        HTML, to be written as UTF-8.

    Examples
    --------
    >>> import re
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import DistilledClassifier
    >>> from semikd.artifact import ship
    >>> from semikd.datasets import make_gaussian_mixture
    >>> from semikd.encoding import Encoder, NumberColumn
    >>> from semikd.evaluation import Table, compare_sides
    >>> from semikd.report import ReportFacts, report_page
    >>> data = make_gaussian_mixture(400, 2, 0.4, random_state=0)
    >>> train, test = (
    ...     Table(data.X[rows], data.y[rows], None, None)
    ...     for rows in (slice(300), slice(300, None))
    ... )
    >>> distilled = DistilledClassifier(LogisticRegression())
    >>> comparison, models = compare_sides(train, test, distilled, seed=0)
    >>> encoder = Encoder((NumberColumn("first"), NumberColumn("second")))
    >>> facts = ReportFacts(
    ...     title="A mixture of two normal distributions",
    ...     command="python mixture.py",
    ...     data=[("rows", "400")],
    ...     comparison=comparison,
    ...     shipped="cross-fitted",
    ...     model=ship(models["cross-fitted"].model, encoder, target="side"),
    ...     artifact_bytes=2000,
    ... )
    >>> page = report_page(facts)
    >>> re.findall('<p class="headline">(.*)</p>', page)
    ['Distilling is not shown to help: training from scratch may be as good.']
    """
    judged = Judged(facts.comparison, facts.shipped)
    roles = roles_of(judged)
    page = _template().render(
        facts=facts,
        verdict=verdict(judged),
        key_facts=key_facts(facts),
        student=student_view(facts.model),
        about=_about(facts),
        **_arms(judged, roles),
        **_figures(judged, roles),
        **part_view(facts.parts),
        **slope_view(facts.slopes),
        **_choice(facts),
        size_rows=size_rows(facts),
        latency_rows=latency_rows(facts.latency),
        **_style(),
    )
    return page.rstrip() + "\n"


def _arms(judged: Judged, roles: dict[str, str]) -> dict[str, Any]:
    """Return what the sections on arms and differences show."""
    comparison = judged.comparison
    spread = [s.sentence for s in judged.main.verdicts()]
    return {
        "columns": score_columns(judged),
        "arms": arm_rows(judged, roles),
        "roles": roles,
        "metric": metric_words(judged.metric),
        "level": level_text(comparison.level),
        "several": comparison.n_refits > 1,
        "refits": f"{comparison.n_refits} {comparison.refits}",
        "n_test": f"{len(comparison.test.y):,}",
        "conditions": (*judged.main.conditions, *_chosen_here(comparison)),
        "differences": difference_rows(judged, roles),
        "difference_axis": axis(judged),
        "sentences": spread,
        "whole_verdict": comparison.verdict.split("\n")[0],
        "terms": comparison.task.terms.lstrip("; "),
    }


def _chosen_here(comparison: ArmComparison) -> tuple[str, ...]:
    """Return what is otherwise of an arm whose size was chosen on the held-out rows."""
    if "smallest" not in comparison.names:
        return ()
    return (
        "of 'smallest' the size was chosen on these rows: it looks a little better",
    )


def _choice(facts: ReportFacts) -> dict[str, Any]:
    """Return what the section on the choice shows; nothing where there was none."""
    choice, sizes = facts.choice, facts.sizes
    return {
        "choice_sentences": [] if choice is None else choice_sentences(choice),
        "most_candidates": _MOST_CANDIDATES,
        "candidates": [] if choice is None else candidate_rows(choice),
        "size_sentence": "" if sizes is None else size_sentence(sizes),
        "size_students": [] if sizes is None else student_rows(sizes),
        "size_drawing": None if sizes is None else size_drawing(sizes),
        "size_level": "" if sizes is None else level_text(sizes.tested.level),
    }


def _figures(judged: Judged, roles: dict[str, str]) -> dict[str, Any]:
    """Return the figures of held-out predictions, in rows."""
    make = class_figures if judged.classification else mean_figures
    figures = make(judged, roles)
    kinds = list(dict.fromkeys(figure.kind for figure in figures))
    groups = [[figure for figure in figures if figure.kind == kind] for kind in kinds]
    # Single figures stand side by side, several of a kind below their own heading.
    alone = all(len(group) == 1 for group in groups)
    n_classes = judged.comparison.predictions.shape[-1]
    return {
        "figure_groups": [figures] if alone else groups,
        "chart_words": _CHART_WORDS,
        "n_classes": n_classes if judged.classification else 0,
    }


def _about(facts: ReportFacts) -> list[tuple[str, str]]:
    """Return versions and hashes, those that are known."""
    about = facts.model.about
    return [(name, str(about[name])) for name in about if about[name] is not None]


@cache
def _style() -> dict[str, Markup]:
    """Return the style sheet, and the hash by which the policy knows it."""
    text = files("semikd.report").joinpath("style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    # Our own file, which no value ever enters.
    return {"style": Markup(text), "style_hash": Markup(f"sha256-{digest}")}  # noqa: S704


@cache
def _template() -> "Template":
    """Return the template, which escapes whatever it prints."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("semikd.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["name"] = name_html
    environment.filters["question"] = partial(name_html, longest=_LONGEST_QUESTION)
    environment.filters["command"] = _command
    environment.filters["seconds"] = lambda seconds: duration_text(1e6 * seconds)
    return environment.get_template("template.html")


def _command(text: str) -> Markup:
    """Return a command that can be copied with its line ends."""
    return escape(visible(text, keep="\n"))


def _finalized(value: object) -> object:
    """Return a value as it may be printed; markup has been through this before."""
    if isinstance(value, Markup):
        return value
    return visible(number_text(value, 3) if isinstance(value, float) else value)
