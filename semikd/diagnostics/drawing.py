"""The picture of a diagnosis: one panel for each finding, parts below one another."""

from typing import TYPE_CHECKING

import numpy as np

from semikd.diagnostics.findings import Finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from semikd.diagnostics.diagnosis import TeacherDiagnosis

__all__ = ["diagnosis_figure"]

_SHOWN, _QUIET = "#aa3377", "#4477aa"
_PANELS = (
    (
        "optimism",
        "optimism (over-fit)",
        "log-loss out of fold less in sample, nats",
        0.0,
    ),
    ("calibration", "calibration slope", "below 1 too sure, above 1 too timid", 1.0),
    ("left-over signal", "left-over signal (under-fit)", "share R2 of residuals", 0.0),
    ("variance", "variance over repeats", "variance of labels, Brier", 0.0),
)
# Characters of a part's name that fit beside its panel.
_LONGEST = 28


def diagnosis_figure(diagnosis: "TeacherDiagnosis") -> "Figure":
    """Return a panel for each finding, and a calibration diagram.

    Parameters
    ----------
    diagnosis : TeacherDiagnosis
        What to draw.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    panels = [
        (panel, [f for f in diagnosis.findings if f.name == panel[0]])
        for panel in _PANELS
    ]
    panels = [(panel, found) for panel, found in panels if found]
    tallest = max(len(found) for _, found in panels)
    size = (4.0 * (len(panels) + 1), max(3.4, 1.6 + 0.3 * tallest))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, len(panels) + 1, squeeze=False)[0]
    _draw_reliability(axes[0], diagnosis)
    for place, ((_, title, label, null), found) in zip(axes[1:], panels, strict=True):
        _draw_finding(place, found, null, diagnosis.level)
        place.set_title(title, fontsize=10)
        place.set_xlabel(label, fontsize=9)
    return figure


def _draw_reliability(axes: "Axes", diagnosis: "TeacherDiagnosis") -> None:
    """Draw observed against predicted frequencies of the last class."""
    styles = {"out of fold": (_QUIET, "o", "-"), "in sample": ("#997700", "s", "--")}
    axes.axline((0, 0), (1, 1), color="black", linewidth=0.8)
    for name, curve in diagnosis.reliability:
        colour, marker, line = styles[name]
        axes.plot(
            *curve.T, color=colour, marker=marker, linestyle=line, ms=4, label=name
        )
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    # A dollar sign would start a formula.
    name = _short(diagnosis.classes[-1])
    axes.set_xlabel(f"label of class {name}", fontsize=9)
    axes.set_ylabel("observed frequency", fontsize=9)
    axes.set_title("calibration, 10 equal bins", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_finding(
    axes: "Axes", found: list[Finding], null: float, level: float
) -> None:
    """Draw the estimates of one finding, those that tests show in another colour."""
    places = np.arange(len(found))[::-1]
    for place, finding in zip(places, found, strict=True):
        shown = finding.shown(level)
        colour = _SHOWN if shown else _QUIET
        if finding.std_error >= 0:
            half = 1.96 * finding.std_error
            ends = (finding.estimate - half, finding.estimate + half)
            axes.hlines(place, *ends, color=colour, linewidth=2)
        fill = colour if shown else "white"
        axes.plot(finding.estimate, place, "o", color=fill, mec=colour, ms=6, mew=1.5)
    axes.axvline(null, color="black", linewidth=0.8)
    axes.set_yticks(places, [_short(finding.part) for finding in found], fontsize=8)
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _short(name: str) -> str:
    """Return a name that fits and that matplotlib does not read as a formula."""
    line = " ".join(name.split())
    short = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    return short.replace("$", r"\$")
