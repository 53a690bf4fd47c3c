"""The figure of the simulations: one drawing for each panel."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd.reproduction.simulation_tables import Simulated, best_share
from semikd.reproduction.simulations import PANELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["simulation_figure"]

_COLOURS = ("#4477aa", "#228833", "#997700", "#cc3355", "#777777")


def simulation_figure(found: Sequence[Simulated]) -> "Figure":
    """Return all panels, one drawing each.

    Parameters
    ----------
    found : sequence of Simulated
        All panels.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16.0, 8.0), layout="constrained")
    every = figure.subplots(2, 4).ravel()
    for axes, panel in zip(every, found, strict=False):
        (_draw_shares if panel.name == "complexity" else _draw_errors)(axes, panel)
        axes.set_title(PANELS[panel.name].title, fontsize=9)
        axes.set_xlabel(PANELS[panel.name].axis)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, frameon=False)
    for axes in every[len(found) :]:
        axes.set_axis_off()
    return figure


def _draw_errors(axes: "Axes", panel: Simulated) -> None:
    """Draw the errors of the arms over the dial, both as logarithms."""
    for arm, colour in zip(panel.errors, _COLOURS, strict=False):
        mean, width = panel.mean(arm), 1.96 * panel.standard_error(arm)
        style: dict[str, Any] = {
            "color": colour,
            "label": arm,
            "marker": "o",
            "ms": 3,
            "lw": 1.4,
        }
        axes.errorbar(panel.places, mean, yerr=width, **style)
    if panel.places[0] == 0:
        # A dial that starts at 0 has no logarithm there.
        axes.set_xscale("symlog", linthresh=panel.places[1])
    else:
        axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylabel("squared error to the truth")


def _draw_shares(axes: "Axes", panel: Simulated) -> None:
    """Draw the best share of the label over the size of the student."""
    best = np.array(best_share(panel))
    axes.plot(panel.places, best[:, 0], "o-", color=_COLOURS[0], ms=4, label="best")
    axes.plot(
        panel.places, best[:, 2], "--", color=_COLOURS[3], label="r² / (r² + κ v)"
    )
    axes.set(xscale="log", ylim=(-0.03, 1.03), ylabel="share of the label")
