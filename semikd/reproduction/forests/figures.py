"""The figures of the experiments with forests: published, reproduced and honest."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd.reproduction.forests.findings import Findings
from semikd.reproduction.forests.published import TEACHER, Place
from semikd.reproduction.repeated import Repeated

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["forest_figure"]

# The first four belong to the curves of the paper, the others to arms it never drew.
_COLOURS = ("#777777", "#4477aa", "#228833", "#cc3355", "#aa3377", "#997700")
_BESIDE = ("scratch, tuned", "automatic")
_TEACHER: dict[str, Any] = {
    "color": "black",
    "linestyle": "--",
    "linewidth": 1.0,
    "label": "teacher",
}


def forest_figure(found: Findings) -> "Figure":
    """Return the three panels on one scale: published, reproduced, honest.

    Parameters
    ----------
    found : Findings
        What was found; a protocol that was not run has an empty panel less.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    panels = [
        (title, draw)
        for title, draw, there in (
            ("published", _published, bool(found.published)),
            ("reproduced, published protocol", _reproduced, bool(found.levels)),
            ("honest protocol", _honest, bool(found.honest)),
        )
        if there
    ]
    figure = Figure(figsize=(4.2 * len(panels), 4.4), layout="constrained")
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    places = found.study.places()
    for axes, (title, draw) in zip(every, panels, strict=True):
        draw(axes, found)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(found.study.axis)
        axes.set_xticks(places, [str(x) if _has_room(x) else "" for x in places])
        axes.grid(axis="y", color="#e4e4e4", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, frameon=False, loc="lower right")
    # Wide intervals of few repetitions must not hide the means.
    means = np.concatenate([line.get_ydata() for a in every for line in a.lines])
    low, high = float(means.min()), float(means.max())
    every[0].set_ylim(low - 0.12 * (high - low), high + 0.12 * (high - low))
    every[0].set_ylabel(f"test {found.metric}")
    figure.suptitle(f"{found.dataset}: {found.study.title.lower()}", fontsize=11)
    return figure


def _has_room(x: int) -> bool:
    """Return whether a tick has room for its number beside its neighbours."""
    return x in (1, 5, 10, 15, 20, 30, 40)


def _published(axes: "Axes", found: Findings) -> None:
    """Draw the published means with the bands of the paper's figure."""
    for curve, colour in zip(found.study.curves, _COLOURS, strict=False):
        points = [(x, found.cell(curve, x)) for x in found.study.places()]
        known = [(x, c.mean, c.sd / math.sqrt(c.n)) for x, c in points if c]
        _line(axes, known, curve.label, colour)
    _teacher(axes, found, {p: c.mean for p, c in found.published.items()})


def _reproduced(axes: "Axes", found: Findings) -> None:
    """Draw the means of the published protocol with their standard errors."""
    for curve, colour in zip(found.study.curves, _COLOURS, strict=False):
        points = [(x, found.level(curve, x)) for x in found.study.places()]
        known = [(x, own.mean, own.standard_error) for x, own in points if own]
        _line(axes, known, curve.label, colour)
    _teacher(axes, found, {each.place: each.mean for each in found.levels})


def _honest(axes: "Axes", found: Findings) -> None:
    """Draw arms of the honest protocol with 95 % intervals."""
    arms = [*(curve.arm for curve in found.study.curves), *_BESIDE]
    places = found.study.places()
    for arm, colour in zip(arms, _COLOURS, strict=True):
        known = []
        for x in places:
            own: Repeated = found.honest[arm, x][found.metric]
            width = own.half_width()
            # Two repetitions have a quantile of 12.7: their band would hide all else.
            known.append((x, own.mean, width if len(own.values) > 2 else 0.0))
        _line(axes, known, arm, colour)
    level = [found.honest["teacher", x][found.metric].mean for x in places]
    axes.plot(places, level, **_TEACHER)


def _line(
    axes: "Axes", points: list[tuple[int, float, float]], label: str, colour: str
) -> None:
    """Draw a curve with its band."""
    if not points:
        return
    x, mean, width = np.array(points).T
    axes.plot(x, mean, color=colour, label=label, marker="o", ms=3, linewidth=1.4)
    axes.fill_between(x, mean - width, mean + width, color=colour, alpha=0.15, lw=0)


def _teacher(axes: "Axes", found: Findings, means: dict[Place, float]) -> None:
    """Draw the teacher that saw all rows, at every place or as one level."""
    study = found.study
    scale = next(scale for scale, labels in study.settings if labels == "none")
    if study.varies_teacher:
        own = [(x, Place(TEACHER, scale, "none", x)) for x in study.places()]
        known = [(x, means[place]) for x, place in own if place in means]
        if known:
            axes.plot(*zip(*known, strict=True), **_TEACHER)
        return
    level = means.get(Place(TEACHER, scale, "none", None))
    if level is not None:
        axes.axhline(level, **_TEACHER)
