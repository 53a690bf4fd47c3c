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
_LONGEST = 40


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

    parts = list(dict.fromkeys(finding.part for finding in diagnosis.findings))
    named = {finding.name for finding in diagnosis.findings}
    panels = [panel for panel in _PANELS if panel[0] in named]
    height = max(4.6, 2.0 + 0.36 * len(parts))
    figure = Figure(figsize=(12.5, height), layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=(1.25, 1.0, 1.0))
    _draw_reliability(figure.add_subplot(grid[:, 0]), diagnosis)
    for at, (name, title, label, null) in enumerate(panels):
        axes = figure.add_subplot(grid[at // 2, 1 + at % 2])
        found = [finding for finding in diagnosis.findings if finding.name == name]
        _draw_finding(axes, found, null, diagnosis.level, parts)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(label, fontsize=9)
    error = f"{100 * (1 - diagnosis.level):g} %"
    figure.supxlabel(
        f"Filled: shown by a test at {error}, adjusted for the number of tests. "
        f"{diagnosis.n_rows:,} rows, {_short(diagnosis.strategy)}.",
        fontsize=9,
    )
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
    name = _short(diagnosis.classes[-1])
    axes.set_xlabel(f"label of class {name}", fontsize=9)
    axes.set_ylabel("observed frequency", fontsize=9)
    axes.set_title("calibration, 10 equal bins", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_finding(
    axes: "Axes", found: list[Finding], null: float, level: float, parts: list[str]
) -> None:
    """Draw the estimates of one finding, those that tests show in another colour."""
    for finding in found:
        place, shown = -parts.index(finding.part), finding.shown(level)
        colour = _SHOWN if shown else _QUIET
        if finding.std_error >= 0:
            half = 1.96 * finding.std_error
            ends = (finding.estimate - half, finding.estimate + half)
            axes.hlines(place, *ends, color=colour, linewidth=2)
        fill = colour if shown else "white"
        axes.plot(finding.estimate, place, "o", color=fill, mec=colour, ms=6, mew=1.5)
    axes.axvline(null, color="black", linewidth=0.8)
    axes.set_yticks(-np.arange(len(parts)), [_short(part) for part in parts])
    axes.set_ylim(0.6 - len(parts), 0.6)
    axes.margins(x=0.1)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _short(name: str) -> str:
    """Return a name that fits and in which a dollar sign starts no formula."""
    line = " ".join(name.split())
    short = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    return short.replace("$", r"\$")
