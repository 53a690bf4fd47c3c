"""How long one raw row takes, from the cells of a table to an answer."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from semikd.artifact import ShippedModel
from semikd.crossfit import take_rows
from semikd.evaluation import Table
from semikd.job.encoded import ReadSides
from semikd.job.sides import RawSides

__all__ = ["row_latencies"]

_TIMED_RUNS = 30


def row_latencies(
    small: ShippedModel, teacher: Any, raw: RawSides, read: ReadSides
) -> tuple[tuple[str, float], ...]:
    """Return microseconds for one raw row, of the shipped model and of the teacher."""
    row = take_rows(raw.test.X, np.arange(1))
    values = {name: row[name].to_list() for name in row.columns}
    answer = small.predict if small.classes is None else small.predict_proba
    timed = [("shipped model, one row", _microseconds(lambda: answer(values)))]
    if teacher is not None:
        one = read.test.take(np.arange(1))

        def ask() -> Any:
            table = Table(
                read.teacher_reads(row), one.y, None, None, one.classification
            )
            return teacher.predict(table)

        timed.append(("teacher, one row", _microseconds(ask)))
    return tuple(timed)


def _microseconds(call: Callable[[], Any]) -> float:
    """Return the median time of a call."""
    seconds = []
    for _ in range(_TIMED_RUNS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * 1e6
