"""The picture of a comparison: who is better and by how much, and who is calibrated."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semikd.evaluation.binning import N_BINS, binned_means, shared_by_ties

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from semikd.evaluation.result import ArmComparison

__all__ = ["comparison_figure"]

# Dark enough on white, told apart by people who see few colours, and by marker too.
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa3377", "#997700", "#0099bb", "#555555")
_MARKERS = "osD^vP*"


def comparison_figure(comparison: "ArmComparison") -> "Figure":
    """Return intervals of differences in log-loss beside a calibration diagram.

    Parameters
    ----------
    comparison : ArmComparison
        What to draw.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_differences(left, comparison)
    _draw_calibration(right, comparison)
    return figure


def _draw_differences(axes: "Axes", comparison: "ArmComparison") -> None:
    """Draw each arm's difference from the reference with its intervals."""
    one = comparison.one_fit()
    wide: Any = comparison.procedure() if comparison.n_refits > 1 else one
    places = np.arange(len(wide.names))[::-1]
    for kind, width, label in (
        ("simultaneous", 1.2, "all arms together"),
        ("interval", 4.0, "this arm alone"),
    ):
        low, high = np.asarray(wide.conf_int(kind=kind)).T
        axes.hlines(places, low, high, color=_COLOURS[0], linewidth=width, label=label)
    axes.plot(wide.estimate, places, "o", color="white", mec=_COLOURS[0], ms=7, mew=2)
    if comparison.n_refits > 1:
        low, high = np.asarray(one.conf_int()).T
        beside: dict[str, Any] = {
            "color": "#888888",
            "linewidth": 1.2,
            "label": "one fit only",
        }
        axes.hlines(places - 0.22, low, high, **beside)
        axes.plot(one.estimate, places - 0.22, "|", color="#888888", ms=8)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(places, wide.names)
    axes.set_ylim(-0.6, len(places) - 0.4)
    metric = comparison.task.metric.replace("_", " ")
    axes.set_xlabel(
        f"{metric} minus that of '{comparison.reference}', in {comparison.task.unit}"
    )
    axes.set_title(
        f"{100 * comparison.level:g} % intervals; left is better", fontsize=10
    )
    axes.legend(fontsize=8, frameon=False, loc="best")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_calibration(axes: "Axes", comparison: "ArmComparison") -> None:
    """Draw observed against predicted: the last class's frequency, or the mean."""
    test, classes = comparison.test, comparison.test.classes
    last = comparison.predictions.shape[-1] - 1
    hits = test.y if classes is None else test.codes == last
    ends = np.array([0.0, 1.0])
    weights = np.ones(len(test.y)) if test.weights is None else test.weights
    for at, name in enumerate(comparison.names):
        said = comparison.predictions[0, at, :, last]
        outcome = shared_by_ties(said, np.asarray(hits, dtype=np.float64), weights)
        predicted, observed, _ = binned_means(said, outcome, weights)
        style: dict[str, Any] = {"color": _COLOURS[at % 7], "marker": _MARKERS[at % 7]}
        axes.plot(predicted, observed, label=name, markersize=4, linewidth=1, **style)
        if classes is None:
            ends = np.array([predicted.min(), predicted.max()])
    axes.axline((ends[0], ends[0]), (ends[1], ends[1]), color="black", linewidth=0.8)
    axes.set_title(f"Calibration of the first refit, {N_BINS} equal bins", fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    if classes is None:
        axes.set(xlabel="predicted mean", ylabel="observed mean", aspect="equal")
        return
    axes.set_xlabel(f"predicted probability of class {classes[last]}")
    axes.set(ylabel="observed frequency", xlim=(0, 1), ylim=(0, 1), aspect="equal")
