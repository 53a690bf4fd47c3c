"""Experiments with forests as tables: published, reproduced and honest in a row."""

from collections.abc import Sequence
from typing import Any

from semikd.reproduction.forests.contrasts import FAR, NOISE, Contrast
from semikd.reproduction.forests.findings import Findings
from semikd.reproduction.forests.measured import CLOSE, Level
from semikd.reproduction.forests.published import TEACHER
from semikd.reproduction.forests.rules import RULES
from semikd.reproduction.numbers import (
    NOTHING,
    interval,
    measured,
    published,
    signed,
    whole,
)

__all__ = ["agreement", "tables"]

Row = dict[str, Any]


def tables(found: Findings) -> dict[str, list[Row]]:
    """Return the tables of a page, those that a reader looks for first.

    Parameters
    ----------
    found : Findings
        What was found.

    Returns
    -------
    dict from title to list of rows
    """
    return {
        f"The figure, {found.metric}": _figure_rows(found),
        "Agreement with the published numbers": agreement(found),
        "Differences that the paper is about": _contrast_rows(found.contrasts, found),
        "Of these, those that count and do not agree": _contrast_rows(
            [each for each in found.contrasts if each.counts and not each.agrees], found
        ),
        "Honest protocol": _honest_rows(found),
        "Honest protocol: differences from the scratch student that was tuned": (
            _honest_differences(found)
        ),
        "All means of the published protocol": _level_rows(found),
    }


def agreement(found: Findings) -> list[Row]:
    """Return how many levels and contrasts agree, against what was asked."""
    counted = [each for each in found.contrasts if each.counts]
    close = [each for each in found.levels if each.difference is not None]
    lines = []
    if counted:
        share = sum(each.agrees for each in counted) / len(counted)
        telling = sum(each.tells for each in counted)
        what = (
            f"contrasts beyond {NOISE:g} times their noise: same sign, within "
            f"{FAR:g} combined errors (no difference at all would fail in {telling})"
        )
        line = _asked(what, len(counted), share, 0.90)
        if min(each.units for each in counted) < 2:
            line["reached"] = "not judged: teachers were drawn once (--draws)"
        lines.append(line)
    if close:
        share = sum(abs(each.difference or 0.0) <= CLOSE for each in close) / len(close)
        lines.append(_asked(f"levels within {CLOSE}", len(close), share, 0.95))
    return lines


def _figure_rows(found: Findings) -> list[Row]:
    """Return the points of the figure: published, reproduced, honest."""
    rows = []
    for curve in found.study.curves:
        for x in found.study.places():
            cell, level = found.cell(curve, x), found.level(curve, x)
            own = found.honest.get((curve.arm, x), {})
            rows.append(
                {
                    "curve": curve.label,
                    found.study.axis: x,
                    "published": published(cell),
                    "reproduced": _level(level),
                    "difference, in errors": signed(
                        None if level is None else level.in_errors, 1
                    ),
                    "honest arm": curve.arm,
                    "honest": interval(own.get(found.metric)),
                    "honest log-loss": interval(own.get("log-loss")),
                    "leaves": whole(own.get("leaves")),
                }
            )
    return rows


def _contrast_rows(contrasts: Sequence[Contrast], found: Findings) -> list[Row]:
    """Return contrasts, those that disagree marked."""
    return [
        {
            "contrast": each.name,
            "scale": each.scale,
            found.study.axis: each.x,
            "published": f"{each.published:+.4f} ± {each.noise:.4f}",
            "reproduced": f"{each.mean:+.4f}",
            "combined error": f"{each.combined:.4f}",
            "in errors": signed(each.in_errors, 1),
            "agrees": ("yes" if each.agrees else "no")
            if each.counts
            else f"within {NOISE:g} errors of 0",
        }
        for each in contrasts
    ]


def _level_rows(found: Findings) -> list[Row]:
    """Return all means of the published protocol beside the published ones."""
    return [
        {
            "arm": _label(each.place.method),
            "scale": each.place.scale,
            "labels": each.place.labels,
            found.study.axis: NOTHING if each.place.x is None else each.place.x,
            "published": published(each.published),
            "reproduced": _level(each),
            "difference": signed(each.difference, 4),
        }
        for each in found.levels
    ]


def _honest_rows(found: Findings) -> list[Row]:
    """Return every arm of the honest protocol with proper scores and leaves."""
    return [
        {
            "arm": arm,
            found.study.axis: x,
            found.metric: interval(metrics[found.metric]),
            "log-loss": interval(metrics["log-loss"]),
            "Brier score": interval(metrics["Brier score"]),
            "leaves": whole(metrics["leaves"]),
        }
        for (arm, x), metrics in found.honest.items()
    ]


def _honest_differences(found: Findings) -> list[Row]:
    """Return paired differences from the tuned scratch student."""
    base, rows = "scratch, tuned", []
    for (arm, x), metrics in found.honest.items():
        if arm == base:
            continue
        row: Row = {"arm": arm, found.study.axis: x}
        for metric in (found.metric, "log-loss", "Brier score"):
            row[metric] = interval(
                metrics[metric].less(found.honest[base, x][metric]), signed=True
            )
        rows.append(row)
    return rows


def _asked(what: str, n: int, share: float, least: float) -> Row:
    """Return a line that says what was asked and what was reached."""
    return {
        "what": what,
        "cells": n,
        "agree": f"{share:.1%}",
        "asked": f"{least:.0%}",
        "reached": "yes" if share >= least else "no",
    }


def _label(method: str) -> str:
    """Return what a method is called in tables."""
    if method in RULES:
        return RULES[method].label
    return method.replace("_", ", ") if method != TEACHER else "the teacher"


def _level(level: Level | None) -> str:
    """Return a mean of the published protocol with its standard error, or a dash."""
    return (
        measured(None) if level is None else measured(level.mean, level.standard_error)
    )
