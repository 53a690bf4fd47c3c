"""``semikd predict`` and ``semikd evaluate``: what a saved model says of new rows."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, counted
from semikd.artifact import ShippedModel, load_model
from semikd.cli.interrupts import stop_if_interrupted
from semikd.cli.lines import Line, print_lines
from semikd.job._refusals import path_shown, refusal
from semikd.job._words import unknown_cells
from semikd.job.folder import OUR_FILES
from semikd.job.reading import read_table
from semikd.job.writing import write_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate_table", "predict_table"]


def predict_table(folder: Path, table: str, out: str | None) -> None:
    """Write the predictions for a table, to a file or to the screen."""
    import pandas as pd

    _refuse_inputs(out, folder, table)
    model = load_model(folder, foreign=False)
    features, unknown = model.encode(_read(model, table))
    scores = model.scores(features)
    if model.classes is None:
        columns: dict[str, Any] = {"prediction": scores[:, 0]}
    else:
        proba = model.probabilities(scores)
        columns = {"prediction": model.decide(scores)}
        named = zip(model.classes, proba.T, strict=True)
        columns |= {f"p({label})": p for label, p in named}
    stop_if_interrupted()
    write_table(pd.DataFrame(columns), out)
    print_lines(_of_unknown(unknown, len(features)), err=True)


def evaluate_table(folder: Path, table: str, weight: str | None) -> None:
    """Print the scores of a model on a table that holds the target."""
    from semikd.evaluation import Classification, Regression, Table
    from semikd.job.observed import observed_values
    from semikd.job.roles import read_weights

    model = load_model(folder, foreign=False)
    frame = _read(model, table, target=True)
    classes = None if model.classes is None else model.labels
    y = observed_values(frame, model.target, classes)
    weights = None if weight is None else read_weights(frame, weight)
    features, unknown = model.encode(frame)
    scores = model.scores(features)
    rows = Table(features, y, weights, None, classes is not None, classes)
    task = Regression() if classes is None else Classification()
    answers = scores if classes is None else model.probabilities(scores)
    stop_if_interrupted()
    losses = task.loss(None)(answers, rows)
    found = task.scores(answers, rows)
    width = max(map(len, found))
    lines = [Line(f"{name:<{width}}  {_score(value)}") for name, value in found.items()]
    headline = f"{counted(len(y), 'row')}, target {model.target!r}{task.terms}"
    print_lines(
        [
            Line(headline, strong=True),
            *lines,
            *_interval(task.metric.replace("_", " "), losses, weights),
            *_of_unknown(unknown, len(y)),
        ]
    )


def _refuse_inputs(out: str | None, folder: Path, table: str) -> None:
    """Refuse to write predictions over what they are made from."""
    if out is None:
        return
    place, home = os.path.realpath(out), os.path.realpath(folder)
    is_model = place in {os.path.join(home, name) for name in OUR_FILES}
    if is_model or place == os.path.realpath(table):
        what = "a file of the model's folder" if is_model else "the table itself"
        shown = Shown(f"{path_shown(out)}, {what}")
        raise refusal("--out", "be a file of its own", shown, "Name another place")


def _score(value: float) -> str:
    """Return a score; the AUC of a single class is none."""
    return "undefined for these rows" if np.isnan(value) else f"{value:.6g}"


def _interval(
    metric: str, losses: NDArray[np.float64], weights: NDArray[np.float64] | None
) -> list[Line]:
    """Return the interval of the mean loss; a single row has none."""
    from semikd.inference import mean_influence
    from semikd.inference.influence import sandwich

    if len(losses) < 2:
        return []
    mean = mean_influence(losses[:, None], weights)
    variance, _ = sandwich(mean.influence, None)
    center, half = mean.estimate[0], 1.96 * float(np.sqrt(variance[0, 0]))
    words = f"{center - half:.6g} to {center + half:.6g}"
    return [Line(f"95 % interval of the mean {metric}: {words}")]


def _read(model: ShippedModel, table: str, *, target: bool = False) -> "pd.DataFrame":
    """Return the columns that a model needs, texts as they are written."""
    texts = [c.name for c in model.encoder.columns if c.kind != "number"]
    if target and model.classes and isinstance(model.classes[0], str):
        texts.append(model.target)
    return read_table(table, text_columns=texts)


def _of_unknown(unknown: Mapping[str, int], n_rows: int) -> list[Line]:
    """Return how many cells the model could not read."""
    notes = unknown_cells(unknown, f"{n_rows:,} cells")
    return [Line(f"Note: {note}", faint=True) for note in notes]
