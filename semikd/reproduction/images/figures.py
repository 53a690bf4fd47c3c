"""The figures on photographs: published, reproduced and honest side by side."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd.reproduction.images.honest import SCRATCH
from semikd.reproduction.images.reference import (
    CROSS_FITTED,
    ENHANCED,
    IN_SAMPLE,
    TEACHER,
    TEACHERS,
    arm_name,
)
from semikd.reproduction.images.results import HONEST_ARM, Findings
from semikd.reproduction.images.tables import SAME

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["image_figure"]

# Arm, depth and metric to mean and half a band, or None where there is no number.
Point = Callable[[str, int, str], tuple[float, float] | None]
_COLOURS = {
    IN_SAMPLE: "#4477aa",
    CROSS_FITTED: "#228833",
    ENHANCED: "#cc3355",
    TEACHER: "#000000",
    TEACHERS: "#aa3377",
}
# Arms that the paper never drew.
_BESIDE = {SCRATCH: "#777777", "constant mix": "#997700", "orthogonal": "#66ccee"}


def image_figure(found: Findings) -> "Figure":
    """Return a row of panels for accuracy and one for loss.

    Parameters
    ----------
    found : Findings
        What was found; what was not run, or never published, has a panel less.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    panels = _panels(found)
    figure = Figure(figsize=(4.2 * len(panels), 6.6), layout="constrained")
    grid = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False)
    for metric, every in zip(("accuracy", "loss"), grid, strict=True):
        for axes, (title, point, colours) in zip(every, panels, strict=True):
            _panel(axes, found, metric, point, colours)
            if metric == "accuracy":
                axes.set_title(title, fontsize=10)
        _limit(every)
        every[0].set_ylabel(metric)
    for axes in grid[-1]:
        axes.set_xlabel(found.study.axis)
    for axes in grid[0]:
        axes.legend(fontsize=7, frameon=False)
    figure.suptitle(found.study.title, fontsize=11)
    return figure


def _panels(found: Findings) -> list[tuple[str, Point, dict[str, str]]]:
    """Return title, points and colours of each panel that has numbers."""
    honest = {HONEST_ARM[arm]: colour for arm, colour in _COLOURS.items()}
    validation, test = (partial(_own, found, part) for part in ("validation", "test"))
    twice = bool(found.reproduced) and found.study.varies_strength
    every: list[tuple[bool, str, Point, dict[str, str]]] = [
        (bool(found.published), "published", partial(_told, found), _COLOURS),
        (
            bool(found.reproduced),
            "reproduced, validation images",
            validation,
            _COLOURS,
        ),
        (twice, SAME, test, _COLOURS),
        (
            bool(found.honest),
            "honest protocol, test images",
            partial(_honest, found),
            {**honest, **_BESIDE},
        ),
    ]
    return [(title, point, arms) for there, title, point, arms in every if there]


def _told(
    found: Findings, arm: str, depth: int, metric: str
) -> tuple[float, float] | None:
    """Return a published mean and its standard error."""
    cell = found.cell(arm, depth, metric)
    return None if cell is None else (cell.mean, cell.standard_error)


def _own(
    found: Findings, part: str, arm: str, depth: int, metric: str
) -> tuple[float, float] | None:
    """Return a mean of the published protocol and its standard error."""
    level = found.level(arm, depth, metric, part)
    return None if level is None else (level.mean, level.error)


def _honest(
    found: Findings, arm: str, depth: int, metric: str
) -> tuple[float, float] | None:
    """Return a mean of the honest protocol and half of its 95 % interval."""
    repeated = found.repeated(arm, depth, metric)
    if repeated is None:
        return None
    width = repeated.half_width()
    return repeated.mean, 0.0 if math.isnan(width) else width


def _panel(
    axes: "Axes", found: Findings, metric: str, point: Point, colours: dict[str, str]
) -> None:
    """Draw the curves of one panel."""
    study = found.study
    # Points of a single depth stand beside each other.
    apart = 0.1 if len(study.depths) == 1 else 0.0
    for place, (arm, colour) in enumerate(colours.items()):
        if not study.varies_strength:
            name = found.named(arm)
            keys = [(depth + apart * place, name, depth) for depth in study.depths]
            _line(axes, keys, arm, metric, point, colour)
        elif arm == ENHANCED:
            keys = [(c, arm_name(arm, c), study.depths[0]) for c in study.strengths]
            _line(axes, keys, arm, metric, point, colour)
        elif arm in (IN_SAMPLE, CROSS_FITTED):
            level = point(arm, study.depths[0], metric)
            if level is not None:
                axes.axhline(level[0], color=colour, linestyle=":", label=arm)
    if study.varies_strength:
        axes.set_xscale("log")
    else:
        axes.set_xticks(study.depths)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)


def _line(
    axes: "Axes",
    keys: list[tuple[float, str, int]],
    label: str,
    metric: str,
    point: Point,
    colour: str,
) -> None:
    """Draw a curve with its band, teachers dashed."""
    points = [(x, point(arm, depth, metric)) for x, arm, depth in keys]
    known = [(x, *level) for x, level in points if level is not None]
    if not known:
        return
    x, mean, width = np.array(known).T
    style: dict[str, Any] = {"marker": "o", "ms": 3, "linewidth": 1.4}
    style["linestyle"] = "--" if "teacher" in label.lower() else "-"
    axes.plot(x, mean, color=colour, label=label, **style)
    if len(known) == 1:
        axes.vlines(x, mean - width, mean + width, color=colour, alpha=0.4)
    else:
        axes.fill_between(x, mean - width, mean + width, color=colour, alpha=0.15, lw=0)


def _limit(every: Any) -> None:
    """Let wide bands of few repetitions not hide the means."""
    lines = [line.get_ydata() for axes in every for line in axes.lines]
    means = np.concatenate([np.asarray(y, dtype=float) for y in lines])
    low, high = float(means.min()), float(means.max())
    room = 0.12 * (high - low) or 0.01
    every[0].set_ylim(low - room, high + room)
