"""The picture of a specification curve: estimates above, the choices behind them."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from semikd.diagnostics.specification_result import SpecificationCurve

__all__ = ["curve_figure"]

_SURE, _OPEN = "#aa3377", "#4477aa"


def curve_figure(curve: "SpecificationCurve", name: str) -> "Figure":
    """Return the estimates in their order with intervals, above what was chosen.

    Parameters
    ----------
    curve : SpecificationCurve
        What to draw.
    name : str
        The estimate.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    rows = curve.of(name).sort_values("estimate", ignore_index=True)
    levels = [
        (choice, level)
        for choice in curve.choices
        for level in dict.fromkeys(curve.table[choice])
    ]
    figure = Figure(figsize=(8.0, 3.2 + 0.22 * len(levels)), layout="constrained")
    above, below = figure.subplots(
        2, 1, sharex=True, height_ratios=(3.0, 0.22 * len(levels) + 0.4)
    )
    at = np.arange(len(rows))
    apart = ((rows["lower"] > 0) | (rows["upper"] < 0)).to_numpy()
    for chosen, colour, label in (
        (apart, _SURE, "interval without 0"),
        (~apart, _OPEN, "interval with 0"),
    ):
        own = rows[chosen]
        half = [own["estimate"] - own["lower"], own["upper"] - own["estimate"]]
        style = {"fmt": "o", "markersize": 4, "color": colour, "label": label}
        if len(own):
            above.errorbar(at[chosen], own["estimate"], yerr=half, **style)
    above.axhline(0.0, color="0.6", linewidth=1)
    above.axhline(rows["estimate"].median(), color="0.6", linewidth=1, linestyle=":")
    above.set_ylabel(name)
    title = f"{name} under {len(rows)} choices, {100 * curve.level:g} % intervals"
    above.set_title(title, loc="left", fontsize=10)
    # Above the axes, where it covers no interval.
    above.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, fontsize=8, frameon=False
    )
    _draw_choices(below, [rows[c].to_numpy() == level for c, level in levels])
    below.set_yticks(range(len(levels)), [f"{c} {level}" for c, level in levels])
    below.set_xlabel("choices in the order of their estimates (dotted: median)")
    return figure


def _draw_choices(axes: "Axes", made: list[np.ndarray]) -> None:
    """Draw a mark where a choice was made."""
    for height, chosen in enumerate(made):
        at = np.flatnonzero(chosen)
        axes.plot(at, np.full(len(at), height), "s", markersize=4, color="0.3")
    axes.invert_yaxis()
    axes.set_xticks([])
    axes.tick_params(axis="y", labelsize=8)
