"""The figures of held-out predictions: calibration and ranking, or errors of means.

All show the models of the first refit, of which one ships. Three of them are drawn with
weight: the teacher, the student from scratch that sets the bar, and the one that ships.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from semikd.evaluation.binning import binned_means
from semikd.report.curves import error_quantiles, reliability, roc
from semikd.report.svg import Chart, ticks
from semikd.report.text import number_text, percent, significant
from semikd.report.words import Judged
from semikd.simplex import FloatArray

__all__ = ["Figure", "class_figures", "mean_figures"]

_MOST_CLASSES = 3
_MOST_DOTS = 300
_UNIT = (0.0, 1.0)


@dataclass(frozen=True)
class Figure:
    """One drawing with the name it is about and the numbers that matter.

    Parameters
    ----------
    kind : {'calibration', 'ranking', 'means', 'errors'}
        What it shows.
    about : str or None
        A class, or None where there is nothing to tell apart.
    drawing : Markup
        The SVG.
    numbers : tuple of (str, str)
        Arm and its number, for the caption.

    Examples
    --------
    >>> from markupsafe import Markup
    >>> from semikd.report.figures import Figure
    >>> Figure("ranking", None, Markup(""), (("teacher", "0.9"),)).numbers[0][1]
    '0.9'
    """

    kind: str
    about: str | None
    drawing: Markup
    numbers: tuple[tuple[str, str], ...]


def class_figures(judged: Judged, roles: dict[str, str]) -> list[Figure]:
    """Return calibration and ROC curves, of one class in two, else of the largest.

    Parameters
    ----------
    judged : Judged
        The comparison.
    roles : dict from str to str
        The arms to draw, and as what.

    Returns
    -------
    list of Figure
        Calibration first.
    """
    test = judged.comparison.test
    classes, codes = np.asarray(test.classes), test.codes
    mass = np.bincount(codes, test.weights, len(classes)).astype(np.float64)
    shown = [1] if len(classes) == 2 else _largest(mass)
    drawn = _Drawn(judged, roles)
    return [
        make(drawn, column, codes == column, str(classes[column]))
        for make in (_calibration, _ranking)
        for column in shown
    ]


def mean_figures(judged: Judged, roles: dict[str, str]) -> list[Figure]:
    """Return predicted against observed means, and the sizes of errors.

    Parameters
    ----------
    judged : Judged
        The comparison.
    roles : dict from str to str
        The arms to draw, and as what.

    Returns
    -------
    list of Figure
    """
    drawn = _Drawn(judged, roles)
    return [_means(drawn), _errors(drawn)]


class _Drawn:
    """The predictions to draw, by role, from the background to the front."""

    def __init__(self, judged: Judged, roles: dict[str, str]) -> None:
        comparison = judged.comparison
        front = ("teacher", "reference", "shipped")
        order = [arm for role in front for arm, own in roles.items() if own == role]
        self.weights = comparison.test.weights
        self.y: Any = comparison.test.y
        self.arms = [(arm, roles[arm]) for arm in order if arm in comparison.names]
        first = comparison.predictions[0]
        self.prediction = {
            arm: first[comparison.names.index(arm)] for arm, _ in self.arms
        }


def _largest(mass: FloatArray) -> list[int]:
    """Return the heaviest classes in the order of the classes."""
    kept = np.argsort(-mass, kind="stable")[:_MOST_CLASSES]
    return sorted(int(column) for column in kept)


def _calibration(drawn: _Drawn, column: int, hits: Any, about: str) -> Figure:
    """Return observed against predicted frequency."""
    found = {
        arm: reliability(drawn.prediction[arm][:, column], hits, drawn.weights)
        for arm, _ in drawn.arms
    }
    top = max(float(max(c.predicted.max(), c.observed.max())) for c in found.values())
    span = (0.0, _rounded_up(top))
    numbers = tuple((arm, percent(curve.gap)) for arm, curve in reversed(found.items()))
    chart = Chart(
        span,
        span,
        "predicted probability",
        "observed frequency",
        f"Calibration of class {about}. Mean gap between predicted and observed: "
        + _listed(numbers),
    )
    chart.line(span, span, "diagonal")
    for arm, role in drawn.arms:
        curve = found[arm]
        chart.line(curve.predicted, curve.observed, f"curve {role}")
        chart.dots(curve.predicted, curve.observed, role)
    return Figure("calibration", about, chart.svg(), numbers)


def _ranking(drawn: _Drawn, column: int, hits: Any, about: str) -> Figure:
    """Return true against false positive rate."""
    found = {
        arm: roc(drawn.prediction[arm][:, column], hits, drawn.weights)
        for arm, _ in drawn.arms
    }
    numbers = tuple(
        (arm, number_text(area, 3)) for arm, (_, _, area) in reversed(found.items())
    )
    chart = Chart(
        _UNIT,
        _UNIT,
        "false positive rate",
        "true positive rate",
        f"ROC curves of class {about}. Area under the curve: {_listed(numbers)}",
    )
    chart.line(_UNIT, _UNIT, "diagonal")
    for arm, role in drawn.arms:
        false, true, _ = found[arm]
        chart.line(false, true, f"curve {role}")
    return Figure("ranking", about, chart.svg(), numbers)


def _means(drawn: _Drawn) -> Figure:
    """Return observed against predicted values: rows as dots, means as lines."""
    weights = np.ones(len(drawn.y)) if drawn.weights is None else drawn.weights
    front, _ = drawn.arms[-1]
    rows = _few(drawn.prediction[front][:, 0])
    shown_x, shown_y = drawn.prediction[front][rows, 0], drawn.y[rows]
    across = _padded(shown_x)
    found = {
        arm: binned_means(drawn.prediction[arm][:, 0], drawn.y, weights)[:2]
        for arm, _ in drawn.arms
    }
    numbers = tuple(
        (arm, significant(float(np.abs(x - y).mean())))
        for arm, (x, y) in reversed(found.items())
    )
    chart = Chart(
        across,
        _padded(np.quantile(shown_y, [0.005, 0.995])),
        "predicted",
        "observed",
        "Observed against predicted values. Mean gap between the two in ten bins: "
        + _listed(numbers),
    )
    chart.dots(shown_x, shown_y, "cloud", 1.6)
    chart.line(across, across, "diagonal")
    for arm, role in drawn.arms:
        chart.line(*found[arm], f"curve {role}")
        chart.dots(*found[arm], role)
    return Figure("means", None, chart.svg(), numbers)


def _errors(drawn: _Drawn) -> Figure:
    """Return the error that a share of the rows does not exceed."""
    shares = np.linspace(0.0, 0.99, 100)
    found = {
        arm: error_quantiles(
            drawn.prediction[arm][:, 0] - drawn.y, drawn.weights, shares
        )
        for arm, _ in drawn.arms
    }
    numbers = tuple(
        (arm, f"{significant(float(c[50]))} / {significant(float(c[90]))}")
        for arm, c in reversed(found.items())
    )
    top = max(float(curve[-1]) for curve in found.values())
    chart = Chart(
        _UNIT,
        (0.0, _rounded_up(top)),
        "share of rows",
        "largest error among them",
        f"Quantiles of absolute errors, half of the rows / nine in ten: "
        f"{_listed(numbers)}",
    )
    for arm, role in drawn.arms:
        chart.line(shares, found[arm], f"curve {role}")
    return Figure("errors", None, chart.svg(), numbers)


def _listed(numbers: tuple[tuple[str, str], ...]) -> str:
    """Return arms and numbers as text."""
    return ", ".join(f"{arm} {value}" for arm, value in numbers) + "."


def _few(values: FloatArray) -> Any:
    """Return rows spread evenly over the sorted values."""
    order = np.argsort(values, kind="stable")
    at = np.linspace(0, len(order) - 1, min(_MOST_DOTS, len(order)))
    return order[np.unique(at.astype(np.intp))]


def _rounded_up(value: float) -> float:
    """Return the first tick that a value does not exceed."""
    if value < 1e-300:
        return 1.0
    step = ticks(0.0, value)[1]
    return float(np.ceil(value / step - 1e-9) * step)


def _padded(values: FloatArray) -> tuple[float, float]:
    """Return the range of values with some air."""
    low, high = float(np.min(values)), float(np.max(values))
    # Beside a large constant, 1 is less than its rounding.
    air = 0.04 * (high - low) or max(1.0, 1e-3 * abs(high))
    return low - air, high + air
