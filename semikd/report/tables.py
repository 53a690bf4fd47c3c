"""The tables of the page, as text that is ready to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from semikd.corrections import NoCorrection
from semikd.evaluation.arms import TEACHER
from semikd.report.facts import ReportFacts
from semikd.report.text import (
    bytes_text,
    duration_text,
    number_text,
    rounded_numbers,
    significant,
    times_text,
)
from semikd.report.words import ARM_WORDS, Judged, interval_text, metric_words

__all__ = ["ArmRow", "arm_rows", "key_facts", "roles_of", "score_columns", "size_rows"]

# Of a metric that is no loss, more is better.
_MORE_IS_BETTER = {"auc", "accuracy", "r2"}


@dataclass(frozen=True)
class ArmRow:
    """One arm of the table.

    Parameters
    ----------
    arm, role, words, setting : str
        Its name, what it is here, what it does, and what was chosen for it.
    scores : tuple of (str, bool)
        Each score, and whether it is the best of its column.
    difference, interval : str
        From the reference; empty for the reference itself.

    Examples
    --------
    >>> from semikd.report.tables import ArmRow
    >>> ArmRow("in-sample", "", "", "", (("0.5", True),), "-0.1", "").role
    ''
    """

    arm: str
    role: str
    words: str
    setting: str
    scores: tuple[tuple[str, bool], ...]
    difference: str
    interval: str


def roles_of(judged: Judged) -> dict[str, str]:
    """Return the arms that the page speaks of, and as what.

    Parameters
    ----------
    judged : Judged
        The comparison.

    Returns
    -------
    dict from str to str
        'teacher', 'reference' and 'shipped'; one arm can be but one of them.
    """
    roles = {judged.shipped: "shipped"}
    roles.setdefault(judged.comparison.reference, "reference")
    if TEACHER in judged.comparison.names:
        roles.setdefault(TEACHER, "teacher")
    return roles


def score_columns(judged: Judged) -> list[tuple[str, str]]:
    """Return the scores of the table and their names as people write them.

    Parameters
    ----------
    judged : Judged
        The comparison.

    Returns
    -------
    list of (str, str)
    """
    comparison = judged.comparison
    columns = [str(c) for c in comparison.table.columns if c not in comparison.details]
    return [(column, metric_words(column)) for column in columns]


def arm_rows(judged: Judged, roles: dict[str, str]) -> list[ArmRow]:
    """Return the arms in their order.

    Parameters
    ----------
    judged : Judged
        The comparison.
    roles : dict from str to str
        As of `roles_of`.

    Returns
    -------
    list of ArmRow
    """
    comparison = judged.comparison
    columns = {name: _column(judged, name) for name, _ in score_columns(judged)}
    settings: Any = comparison.details.get("setting", [""] * len(comparison.names))
    return [
        ArmRow(
            arm=arm,
            role=roles.get(arm, ""),
            words=ARM_WORDS.get(arm, "as cross-fitted, corrected"),
            setting=_setting_words(str(settings[at])),
            scores=tuple(cells[at] for cells in columns.values()),
            **_difference(judged, arm),
        )
        for at, arm in enumerate(comparison.names)
    ]


def _setting_words(setting: str) -> str:
    """Return a setting without what goes without saying, its numbers cut."""
    return rounded_numbers(setting.replace(f"; {NoCorrection()}", ""))


def _difference(judged: Judged, arm: str) -> dict[str, str]:
    """Return the difference of an arm as text; none for the reference."""
    if arm not in judged.together:
        return {"difference": "", "interval": ""}
    low, high = judged.together[arm]
    digits = judged.decimals
    return {
        "difference": number_text(judged.estimate[arm], digits, sign=True),
        "interval": interval_text(low, high, digits),
    }


def key_facts(facts: ReportFacts) -> list[tuple[str, str]]:
    """Return the model that ships in few numbers.

    Parameters
    ----------
    facts : ReportFacts
        What is known.

    Returns
    -------
    list of (str, str)
        A large number and what it is.
    """
    table = facts.comparison.table
    found = [*_complexity(table.loc[facts.shipped])]
    found.append((bytes_text(facts.artifact_bytes), "on disk, encoder included"))
    if facts.latency:
        found.append((duration_text(facts.latency[0][1]), "for a single row"))
    if TEACHER in table.index:
        teacher: Any = table.loc[TEACHER]
        own: Any = table.loc[facts.shipped]
        size = (_thousandfold(teacher["kilobytes"]), facts.artifact_bytes)
        found += _ratio(*size, "smaller", "larger", "than the teacher")
        time = (teacher["latency_us"], own["latency_us"])
        found += _ratio(*time, "faster", "slower", "than the teacher, in bulk")
    return found


def size_rows(facts: ReportFacts) -> list[tuple[str, str, str, str]]:
    """Return size and speed beside the teacher's.

    Parameters
    ----------
    facts : ReportFacts
        What is known.

    Returns
    -------
    list of (str, str, str, str)
        What, of the shipped model, of the teacher, and their ratio.
    """
    table = facts.comparison.table
    own = table.loc[facts.shipped]
    other = table.loc[TEACHER] if TEACHER in table.index else pd.Series(dtype=float)
    rows = [
        _row("leaves", own.get("leaves"), other.get("leaves"), _count_text),
        _row(
            "coefficients",
            own.get("coefficients"),
            other.get("coefficients"),
            _count_text,
        ),
        _row(
            "pickled, without encoder",
            _thousandfold(own.get("kilobytes")),
            _thousandfold(other.get("kilobytes")),
            bytes_text,
        ),
        _row("as shipped, with encoder", float(facts.artifact_bytes), None, bytes_text),
        _row(
            "time per row of a large table",
            own.get("latency_us"),
            other.get("latency_us"),
            duration_text,
        ),
        _row(
            "training, everything included",
            _thousandfold(_thousandfold(own.get("fit_seconds"))),
            _thousandfold(_thousandfold(other.get("fit_seconds"))),
            duration_text,
        ),
    ]
    return [row for row in rows if row is not None]


def latency_rows(latency: Sequence[tuple[str, float]]) -> list[tuple[str, str, str]]:
    """Return times of one row, and how many times that of the first each is.

    Parameters
    ----------
    latency : sequence of (str, float)
        What was timed, and its microseconds.

    Returns
    -------
    list of (str, str, str)
    """
    first = latency[0][1] if latency else 1.0
    return [
        (what, duration_text(time), f"{times_text(time / first)} ×" if at else "")
        for at, (what, time) in enumerate(latency)
    ]


def _column(judged: Judged, name: str) -> list[tuple[str, bool]]:
    """Return the cells of one score, the best of them marked."""
    values = judged.comparison.table[name].to_numpy(dtype=float)
    if judged.classification:
        digits = judged.decimals if name == judged.metric else 3
        texts = [number_text(value, digits) for value in values]
    else:
        texts = [significant(value, 4) for value in values]
    best = values.max() if name in _MORE_IS_BETTER else values.min()
    return [(text, value == best) for text, value in zip(texts, values, strict=True)]


def _complexity(row: Any) -> list[tuple[str, str]]:
    """Return leaves or coefficients, whichever the model has."""
    for what in ("leaves", "coefficients"):
        value = row.get(what)
        if value is not None and not pd.isna(value):
            return [(_count_text(float(value)), what)]
    return []


def _ratio(
    theirs: Any, ours: Any, more: str, less: str, than: str
) -> list[tuple[str, str]]:
    """Return a ratio in the direction in which it is above one, if it is known."""
    if pd.isna(theirs) or pd.isna(ours) or not (theirs > 0 and ours > 0):
        return []
    ratio = float(theirs) / float(ours)
    if ratio >= 1:
        return [(f"{times_text(ratio)} times", f"{more} {than}")]
    return [(f"{times_text(1 / ratio)} times", f"{less} {than}")]


def _row(
    what: str, own: Any, other: Any, text: Any
) -> tuple[str, str, str, str] | None:
    """Return a row of the size table, None where nothing is known."""
    known = [None if pd.isna(v) else float(v) for v in (own, other)]
    if known == [None, None]:
        return None
    texts = ["–" if v is None else text(v) for v in known]
    ours, theirs = known
    ratio = f"{times_text(theirs / ours)} ×" if ours and theirs else ""
    return what, texts[0], texts[1], ratio


def _count_text(value: float) -> str:
    """Return a count with its thousands set apart."""
    return f"{value:,.0f}"


def _thousandfold(value: Any) -> Any:
    """Return a thousand times a value, None for none."""
    return None if value is None else value * 1000
