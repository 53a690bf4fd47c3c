"""Experiments on photographs as tables and a figure, beside published numbers."""

import csv
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semikd.reproduction.cells import Run
from semikd.reproduction.forests.published import PublishedCell
from semikd.reproduction.images.study import ImageStudy
from semikd.reproduction.images.training import arm_name, arm_names
from semikd.simplex import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "ImageScores",
    "honest_scores",
    "image_figure",
    "image_tables",
    "image_tidy",
    "published_of",
    "published_scores",
]

Row = dict[str, Any]
# Arm and depth to the scores of every fit.
ImageScores = Mapping[tuple[str, int], Sequence[Mapping[str, float]]]
_FILE = Path(__file__).parent / "published.csv"
_NOTHING = "–"
_COLOURS = {
    "KD": "#4477aa",
    "Cross-fit KD": "#228833",
    "Enhanced KD": "#cc3355",
    "Teacher": "#000000",
    "Cross-fit teacher": "#aa3377",
}


def published_scores(study: ImageStudy, run: Run) -> ImageScores:
    """Return the scores of the published protocol.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    run : Run
        The finished cells.

    Returns
    -------
    mapping from (arm, depth) to scores of each fit
    """
    found: dict[tuple[str, int], Sequence[Mapping[str, float]]] = {}
    for depth in study.depths:
        found["Teacher", depth] = [run.read(f"teacher-{depth}")["scores"]]
        found["Cross-fit teacher", depth] = run.read(f"folds-{depth}")["scores"]
        students = run.read(f"students-{depth}")
        found |= {(arm, depth): students[arm] for arm in arm_names(study)}
    return found


def honest_scores(study: ImageStudy, run: Run) -> ImageScores:
    """Return the scores of the honest protocol.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    run : Run
        The finished cells.

    Returns
    -------
    mapping from (arm, depth) to scores of each repetition
    """
    found: dict[tuple[str, int], list[Mapping[str, float]]] = {}
    for depth in study.depths:
        for seed in range(study.seeds):
            for arm, own in run.read(f"repetition-{depth}-{seed}").items():
                found.setdefault((arm, depth), []).append(own)
    return found


def image_tables(
    study: ImageStudy, reproduced: ImageScores, honest: ImageScores
) -> dict[str, list[Row]]:
    """Return the tables of a page.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    reproduced, honest : ImageScores
        What each protocol found; empty where it was not run.

    Returns
    -------
    dict from title to list of rows
    """
    return {
        "Published protocol": _rows(reproduced, published_of(study)),
        "Honest protocol": _rows(honest, {}),
    }


def image_tidy(
    study: ImageStudy, reproduced: ImageScores, honest: ImageScores
) -> list[Row]:
    """Return one row for every score, for programs.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    reproduced, honest : ImageScores
        What each protocol found.

    Returns
    -------
    list of dict
    """
    return [
        {
            "experiment": study.name,
            "protocol": protocol,
            "arm": arm,
            "depth": depth,
            "fit": fit,
            "metric": metric,
            "value": value,
        }
        for protocol, scores in (("published", reproduced), ("honest", honest))
        for (arm, depth), every in scores.items()
        for fit, own in enumerate(every)
        for metric, value in own.items()
    ]


def image_figure(study: ImageStudy, reproduced: ImageScores) -> "Figure":
    """Return published and reproduced curves, of accuracy and of cross-entropy.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    reproduced : ImageScores
        What the published protocol found.

    Returns
    -------
    Figure
        Made without pyplot, so that no window or global state is touched.
    """
    from matplotlib.figure import Figure

    published = {key: cell.mean for key, cell in published_of(study).items()}
    means = _means(reproduced)
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    every = figure.subplots(1, 2)
    for axes, metric in zip(every, ("accuracy", "loss"), strict=True):
        for arm in _COLOURS:
            _line(axes, _points(study, published, arm, metric), arm, dashed=True)
            _line(axes, _points(study, means, arm, metric), arm, dashed=False)
        axes.set(xlabel=study.axis, ylabel=f"validation {metric}")
        axes.spines[["top", "right"]].set_visible(False)
        if len(study.strengths) > 1:
            axes.set_xscale("log")
    every[1].legend(fontsize=8, frameon=False)
    figure.suptitle("dashed: published; solid: reproduced", fontsize=10)
    return figure


def _line(
    axes: "Axes", points: list[tuple[float, float]], arm: str, *, dashed: bool
) -> None:
    """Draw a curve; only solid ones are named."""
    if points:
        x, value = np.array(points).T
        label = None if dashed else arm
        style: dict[str, Any] = {"color": _COLOURS[arm], "marker": "o", "ms": 3}
        axes.plot(x, value, "--" if dashed else "-", label=label, **style)


def _points(
    study: ImageStudy, scores: Mapping[Any, float], arm: str, metric: str
) -> list[tuple[float, float]]:
    """Return the points of a curve over depths, or over strengths."""
    if arm == "Enhanced KD" and len(study.strengths) > 1:
        keys = [(c, (arm_name(arm, c), study.depths[0])) for c in study.strengths]
    elif len(study.strengths) > 1:
        return []
    else:
        name = arm_name(arm, study.strengths[0]) if arm == "Enhanced KD" else arm
        keys = [(depth, (name, depth)) for depth in study.depths]
    found = [(x, scores.get((*key, metric))) for x, key in sorted(keys)]
    return [(x, value) for x, value in found if value is not None]


def _means(scores: ImageScores) -> dict[tuple[str, int, str], float]:
    """Return the mean validation score of each arm."""
    return {
        (arm, depth, metric): float(
            np.mean([own[f"validation {metric}"] for own in all_])
        )
        for (arm, depth), all_ in scores.items()
        for metric in ("accuracy", "loss")
    }


@cache
def published_of(study: ImageStudy) -> dict[tuple[str, int, str], PublishedCell]:
    """Return the published numbers of an experiment; a trial has none.

    Parameters
    ----------
    study : ImageStudy
        The experiment.

    Returns
    -------
    dict from (arm, depth, metric) to PublishedCell
    """
    if study.rows is not None:
        return {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["experiment"] == study.name]
    found = {}
    for row in rows:
        arm = row["arm"]
        name = arm_name(arm, float(row["strength"])) if row["strength"] else arm
        cell = PublishedCell(float(row["mean"]), float(row["sd"]), int(row["n"]), None)
        found[name, int(row["depth"]), row["metric"]] = cell
    return found


def _rows(scores: ImageScores, published: Mapping[Any, PublishedCell]) -> list[Row]:
    """Return one line for each arm and depth."""
    rows = []
    for (arm, depth), every in scores.items():
        row: Row = {"arm": arm, "teacher": f"ResNet-{depth}", "fits": len(every)}
        for metric in ("accuracy", "loss"):
            cell = published.get((arm, depth, metric))
            own = np.array([each[f"validation {metric}"] for each in every])
            row |= {
                f"published {metric}": _NOTHING
                if cell is None
                else f"{cell.mean:.4f} ± {cell.sd:.4f}",
                f"validation {metric}": _mean_text(own),
                f"{metric}: difference, in errors": _in_errors(own, cell),
                f"test {metric}": _mean_text(
                    np.array([each[f"test {metric}"] for each in every])
                ),
            }
        rows.append(row)
    return rows


def _error(own: FloatArray) -> float:
    """Return the standard error of a mean; 0 for a single number."""
    return float(own.std(ddof=1) / math.sqrt(len(own))) if len(own) > 1 else 0.0


def _mean_text(own: FloatArray) -> str:
    """Return a mean with its standard error, where there is one."""
    error = f" ± {_error(own):.4f}" if len(own) > 1 else ""
    return f"{own.mean():.4f}{error}"


def _in_errors(own: FloatArray, cell: PublishedCell | None) -> str:
    """Return the difference from a published mean in standard errors of both."""
    error = 0.0 if cell is None else math.hypot(_error(own), cell.standard_error)
    if cell is None or not error:
        return _NOTHING
    return f"{(own.mean() - cell.mean) / error:+.1f}"
