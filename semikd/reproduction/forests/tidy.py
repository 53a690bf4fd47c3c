"""Every number of an experiment with forests as a row, for programs."""

import math
from typing import Any

from semikd.reproduction.forests.contrasts import Contrast
from semikd.reproduction.forests.findings import Findings
from semikd.reproduction.forests.measured import Level
from semikd.reproduction.repeated import Repeated

__all__ = ["tidy_rows"]

Row = dict[str, Any]


def tidy_rows(found: Findings) -> list[Row]:
    """Return one row for every mean and every contrast.

    Parameters
    ----------
    found : Findings
        What was found.

    Returns
    -------
    list of dict
        A row need not have every column.
    """
    rows = [_of_level(each, found) for each in found.levels]
    rows += [_of_contrast(each, found) for each in found.contrasts]
    rows += [
        _of_honest(arm, x, metric, own)
        for (arm, x), metrics in found.honest.items()
        for metric, own in metrics.items()
    ]
    common = {"experiment": found.study.name, "dataset": found.dataset}
    return [common | row for row in rows]


def _of_level(each: Level, found: Findings) -> Row:
    """Return the row of a mean of the published protocol."""
    cell = each.published
    return {
        "protocol": "published",
        "arm": each.place.method,
        "scale": each.place.scale,
        "labels": each.place.labels,
        "x": "" if each.place.x is None else each.place.x,
        "metric": found.metric,
        "mean": each.mean,
        "standard_error": each.standard_error,
        "draw_sd": "" if each.draw_sd is None else each.draw_sd,
        "draws": each.draws,
        "published_mean": "" if cell is None else cell.mean,
        "published_sd": "" if cell is None else cell.sd,
    }


def _of_honest(arm: str, x: int, metric: str, own: Repeated) -> Row:
    """Return the row of a mean of the honest protocol."""
    error = own.standard_error
    return {
        "protocol": "honest",
        "arm": arm,
        "x": x,
        "metric": metric,
        "mean": own.mean,
        "standard_error": "" if math.isnan(error) else error,
        "repetitions": len(own.values),
    }


def _of_contrast(each: Contrast, found: Findings) -> Row:
    """Return the row of a difference."""
    return {
        "protocol": "published",
        "arm": each.name,
        "scale": each.scale,
        "x": each.x,
        "metric": f"{found.metric}, difference",
        "mean": each.mean,
        "draws": each.units,
        "published_mean": each.published,
        "published_noise": each.noise,
        "combined_error": each.combined,
        "counts": each.counts,
        "agrees": each.agrees,
    }
