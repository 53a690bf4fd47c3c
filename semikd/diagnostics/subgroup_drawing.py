"""The picture of a report by subgroups: who is served how well, and who pays."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from semikd.diagnostics.subgroup_result import SubgroupReport

__all__ = ["subgroup_figure"]

_COLOURS = ("#4477aa", "#aa3377", "#228833", "#ee6677", "#997700", "#555555")
_MARKERS = "osD^vP"
# Letters of all names beyond which they no longer fit side by side.
_MOST_LETTERS = 90
_LONGEST = 24


def subgroup_figure(report: "SubgroupReport") -> "Figure":
    """Return accuracies by group above differences from the reference.

    Parameters
    ----------
    report : SubgroupReport
        What to draw.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(report.table["group"]))
    width = min(4.0 + 0.45 * len(groups), 14.0)
    figure = Figure(figsize=(width, 6.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    at = np.arange(len(groups), dtype=float)
    style = {
        arm: {"color": _COLOURS[i % 6], "marker": _MARKERS[i % 6], "label": _short(arm)}
        for i, arm in enumerate(report.arms)
    }
    for arm, own in style.items():
        accuracy = report.of(arm).loc[groups, "accuracy"].to_numpy()
        above.plot(at, accuracy, linewidth=0.8, markersize=4.5, **own)
    above.set_ylabel("share of right answers")
    above.legend(fontsize=8, frameon=False, ncols=min(len(style), 4))
    others = [arm for arm in style if arm != report.reference]
    for i, arm in enumerate(others):
        moved = at + 0.5 * (i - (len(others) - 1) / 2) / max(len(others), 1)
        _draw_differences(below, moved, report.of(arm).loc[groups], style[arm])
    below.axhline(0.0, color="0.5", linewidth=1)
    below.set_ylabel(f"difference from {report.reference!r}")
    names = [_short(group) for group in groups]
    crowded = sum(map(len, names)) > _MOST_LETTERS
    turned = {"rotation": 60, "ha": "right"} if crowded else {}
    below.set_xticks(at, names, fontsize=8, **turned)
    below.set_title(
        f"{100 * report.level:g} % intervals, all together; below 0 the group pays",
        loc="left",
        fontsize=9,
    )
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_differences(axes: "Axes", at: Any, rows: Any, style: dict[str, Any]) -> None:
    """Draw differences with the intervals that there are."""
    middle = rows["difference"].to_numpy()
    ends = rows[["lower", "upper"]].to_numpy().T
    known = np.isfinite(ends).all(axis=0)
    plain = {"color": style["color"], "marker": style["marker"]}
    axes.plot(at, middle, linestyle="", markersize=4.5, **plain)
    axes.vlines(at[known], *ends[:, known], color=style["color"], linewidth=1.4)


def _short(text: str) -> str:
    """Return a name that leaves room for others, a dollar being no formula."""
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return shown.replace("$", r"\$")
