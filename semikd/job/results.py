"""What a job leaves behind: the model, its scores, its labels and a page.

The model that was written is read again before anything is called a result: its answers
for the held-out rows must be those that were judged.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semikd.artifact import ShippedModel, load_model, save_model
from semikd.job._words import unknown_cells
from semikd.job.distilling import Outcome
from semikd.job.labels import write_labels
from semikd.job.told import (
    choice_facts,
    choice_metrics,
    part_facts,
    part_metrics,
    set_up,
    size_facts,
    size_metrics,
    slope_facts,
    slope_metrics,
)

__all__ = ["Written", "write_result"]

METRICS, LABELS, REPORT = "metrics.json", "labels.csv.gz", "report.html"
# What the files may differ by from the model that was judged: rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Written:
    """What was written, and how far its answers are from those that were judged.

    Parameters
    ----------
    model_bytes : int
        Bytes of the model.
    gap : float
        Largest difference between answers of the files and those judged.
    unknown : mapping from str to int
        Held-out cells by column that hold a category unknown to the model.
    """

    model_bytes: int
    gap: float
    unknown: Mapping[str, int]


def write_result(
    outcome: Outcome, folder: Path, *, table: str | None, notes: tuple[str, ...] = ()
) -> Written:
    """Write a result into an empty folder.

    Parameters
    ----------
    outcome : Outcome
        What the job found.
    folder : Path
        Where to write.
    table : str or None
        Path of the table; None is the table that is built in.
    notes : tuple of str, default=()
        Further remarks for the page, such as warnings.

    Returns
    -------
    Written

    Raises
    ------
    RuntimeError
        If the files answer otherwise than the model that was judged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from semikd.job import Settings, distil, write_result
    >>> frame = load_iris(as_frame=True).frame
    >>> settings = Settings("target", teacher="linear", leaves=4, refits=1)
    >>> outcome = distil(frame, settings)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write_result(outcome, Path(folder), table="iris.csv")
    ...     sorted(path.name for path in Path(folder).iterdir())[:3]
    ['labels.csv.gz', 'metrics.json', 'model.json']
    """
    n_bytes = save_model(outcome.model, folder)
    gap, unknown = _checked(load_model(folder), outcome)
    written = Written(n_bytes, gap, unknown)
    test_cells = f"{len(outcome.sides.test.y):,} held-out cells"
    notes = (*outcome.notes, *unknown_cells(unknown, test_cells), *notes)
    sides = outcome.sides
    write_labels(
        folder / LABELS, outcome.labels, rows=sides.rows, covariates=sides.train.X
    )
    found = json.dumps(_metrics(outcome, written, table, notes), indent=2)
    (folder / METRICS).write_text(found + "\n", encoding="utf-8")
    page = _page(outcome, written, table, notes)
    (folder / REPORT).write_text(page, encoding="utf-8")
    return written


def _checked(read: ShippedModel, outcome: Outcome) -> tuple[float, dict[str, int]]:
    """Return how far the files' answers are from those that were judged."""
    raw = outcome.sides.test.X
    at = outcome.comparison.names.index(outcome.shipped)
    judged = outcome.comparison.predictions[0, at]
    features, unknown = read.encode(raw)
    scores = read.scores(features)
    answers = scores if read.classes is None else read.probabilities(scores)
    # Probabilities are compared as they are, means in units of the largest.
    unit = 1.0 if read.classes is not None else float(np.abs(judged).max()) or 1.0
    gap = float(np.abs(answers - judged).max()) / unit
    if not gap <= _ROUNDING:
        text = (
            f"The files answer otherwise than the model that was judged (by {gap:g})."
        )
        raise RuntimeError(text)
    return gap, unknown


def _metrics(
    outcome: Outcome, written: Written, table: str | None, notes: tuple[str, ...]
) -> dict[str, Any]:
    """Return everything that was measured, for machines."""
    comparison, sides = outcome.comparison, outcome.sides
    several = comparison.n_refits > 1
    return {
        "format": "semikd-metrics",
        "version": 1,
        "command": outcome.settings.command(table),
        "task": sides.target.task,
        "target": sides.target.name,
        "training_rows": len(sides.train.y),
        "test_rows": len(sides.test.y),
        "shipped": outcome.shipped,
        "reference": comparison.reference,
        "headline": outcome.headline,
        "verdict": comparison.verdict.split("\n"),
        "arms": _plain(comparison.table.to_dict(orient="index")),
        "one_fit": _plain(comparison.one_fit().to_frame().to_dict(orient="index")),
        "procedure": _plain(comparison.procedure().to_frame().to_dict(orient="index"))
        if several
        else None,
        "choice": _plain(choice_metrics(outcome)),
        "sizes": _plain(size_metrics(outcome)),
        "parts": _plain(part_metrics(outcome)),
        "slopes": _plain(slope_metrics(outcome)),
        "n_refits": comparison.n_refits,
        "level": comparison.level,
        "model": {
            "bytes": written.model_bytes,
            "largest_gap": written.gap,
            "held_out_scores": _plain(outcome.scores),
            **outcome.model.describe(),
        },
        "microseconds": dict(outcome.latency),
        "unknown_cells": {name: n for name, n in written.unknown.items() if n},
        "notes": list(notes),
    }


def _plain(value: Any) -> Any:
    """Return numbers and names that JSON has; what is not finite is null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _page(
    outcome: Outcome, written: Written, table: str | None, notes: tuple[str, ...]
) -> str:
    """Return the report."""
    from semikd.report import ReportFacts, report_page

    name = "the survey that is built in" if table is None else Path(table).name
    return report_page(
        ReportFacts(
            title=f"{outcome.settings.target} from {name}",
            command=outcome.settings.command(table),
            data=_data_facts(outcome),
            comparison=outcome.comparison,
            shipped=outcome.shipped,
            model=outcome.model,
            artifact_bytes=written.model_bytes,
            latency=outcome.latency,
            choices=set_up(outcome),
            notes=notes,
            choice=choice_facts(outcome),
            sizes=size_facts(outcome),
            parts=part_facts(outcome),
            slopes=slope_facts(outcome),
        )
    )


def _data_facts(outcome: Outcome) -> list[tuple[str, str]]:
    """Return facts of the table: what, and how much."""
    sides, model = outcome.sides, outcome.model
    facts = [
        ("Training rows", f"{len(sides.train.y):,}"),
        ("Held-out rows", f"{len(sides.test.y):,}"),
        ("Columns", f"{sides.train.X.shape[1]:,}"),
        ("Columns that the student reads", f"{len(model.encoder.columns):,}"),
    ]
    if sides.train.classes is None:
        center, spread = sides.train.y.mean(), sides.train.y.std()
        facts.append(("Mean of the target", f"{center:,.4g} (deviation {spread:,.4g})"))
    else:
        shares = np.bincount(sides.train.codes) / len(sides.train.y)
        named = zip(sides.train.classes.tolist(), shares, strict=True)
        text = ", ".join(f"{label}: {100 * share:.1f} %" for label, share in named)
        facts.append(("Classes", text))
    return facts
