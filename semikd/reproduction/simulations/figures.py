"""The figure of the simulations: one drawing for each panel."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semikd.reproduction.simulations.panels import PANELS
from semikd.reproduction.simulations.tables import FORMULAS, Simulated, best_shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["simulation_figure"]

_COLOURS = {
    "in-sample": "#4477aa",
    "cross-fitted": "#228833",
    "constant mix": "#997700",
    "estimated": "#cc3355",
    "orthogonal = labels": "#777777",
    "teacher": "#000000",
    "no correction": "#228833",
    "half": "#997700",
    "full correction": "#cc3355",
}


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
    # A dial that starts at 0 has no logarithm there: that place is for its noise.
    shown = slice(1 if panel.places[0] == 0 else 0, None)
    for arm in panel.errors:
        mean, width = panel.mean(arm), 1.96 * panel.standard_error(arm)
        style: dict[str, Any] = {"color": _COLOURS[arm], "marker": "o", "ms": 3}
        axes.errorbar(
            panel.places[shown], mean[shown], yerr=width[shown], label=arm, **style
        )
    axes.set(xscale="log", yscale="log", ylabel="squared error to the truth")
    _name_places(axes, panel.places[shown])


def _draw_shares(axes: "Axes", panel: Simulated) -> None:
    """Draw the best share of the label over the size of the student."""
    best = [share for share, _ in best_shares(panel)]
    axes.plot(panel.places, best, "o-", color="#4477aa", ms=4, label="best")
    for formula, line in zip(FORMULAS, (":", "--"), strict=True):
        label = f"r² / (r² + κ v), κ {formula}"
        axes.plot(panel.places, panel.mean(formula), line, color="#cc3355", label=label)
    axes.set(xscale="log", ylim=(-0.03, 1.03), ylabel="share of the label")
    _name_places(axes, panel.places)


def _name_places(axes: "Axes", places: Sequence[float]) -> None:
    """Mark the places of the dial by their numbers, and no others."""
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.tick_params(axis="x", which="minor", length=0, labelbottom=False)
