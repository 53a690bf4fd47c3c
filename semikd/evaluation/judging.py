"""Fitted arms become a comparison: predicted on held-out rows, timed and measured."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from semikd.evaluation.arms import TEACHER, FittedArm
from semikd.evaluation.result import ArmComparison
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task

__all__ = ["judged_arms"]

_LATENCY_RUNS = 5


def judged_arms(
    fits: Sequence[Mapping[str, FittedArm]],
    test: Table,
    *,
    reference: str,
    resampled: bool,
    task: Task,
    level: float,
) -> ArmComparison:
    """Return the comparison of fitted arms on held-out rows.

    Parameters
    ----------
    fits : sequence of mappings from str to FittedArm
        The arms of each refit.
    test : Table
        Held-out rows.
    reference : str
        The arm that others are compared with.
    resampled : bool
        Whether refits drew new training rows.
    task : Task
        What is predicted.
    level : float
        Confidence of intervals.

    Returns
    -------
    ArmComparison
    """
    names = tuple(fits[0])
    predictions = [[fit[name].predict(test) for name in names] for fit in fits]
    return ArmComparison(
        names=names,
        reference=reference,
        predictions=np.asarray(predictions),
        test=test,
        details=_details(fits, names, test),
        resampled=resampled,
        task=task,
        level=level,
        undistilled=tuple(
            name
            for name, arm in fits[0].items()
            if not arm.distilled and name != TEACHER
        ),
    )


def _details(
    fits: Sequence[Mapping[str, FittedArm]], names: Sequence[str], test: Table
) -> dict[str, list[Any]]:
    """Return times, sizes and settings of the arms, by column."""
    first = [fits[0][name] for name in names]
    return {
        "fit_seconds": [
            _median([fit[name].fit_seconds for fit in fits]) for name in names
        ],
        "latency_us": [_latency(arm, test) for arm in first],
        "leaves": [arm.size.leaves for arm in first],
        "coefficients": [arm.size.coefficients for arm in first],
        "kilobytes": [arm.size.bytes / 1000 for arm in first],
        "setting": [arm.setting for arm in first],
    }


def _latency(arm: FittedArm, test: Table) -> float:
    """Return microseconds per row of predicting the whole table, median of a few."""
    seconds = []
    for _ in range(_LATENCY_RUNS):
        start = time.perf_counter()
        n = len(arm.predict(test))
        seconds.append(time.perf_counter() - start)
    return _median(seconds) / n * 1e6


def _median(values: Sequence[float]) -> float:
    """Return the median as a plain number."""
    return float(np.median(values))
