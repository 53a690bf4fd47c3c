"""Experiments on photographs as tables: published, reproduced and honest in a row."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from semikd.reproduction.images.honest import SCRATCH
from semikd.reproduction.images.reference import ENHANCED, arm_name, arm_names
from semikd.reproduction.images.results import (
    CONTRASTS,
    HONEST_ARM,
    Findings,
    ImageScores,
    Level,
)
from semikd.reproduction.images.study import PRIMARY
from semikd.reproduction.images.training import DIVERGED, METRICS
from semikd.reproduction.numbers import (
    NOTHING,
    PublishedCell,
    interval,
    measured,
    published,
    signed,
)

__all__ = ["SAME", "image_tables", "image_tidy", "sentences"]

Row = dict[str, Any]
_PUBLISHED_METRICS = METRICS[:2]
SAME = "the same networks, test images"


def image_tables(found: Findings) -> dict[str, list[Row]]:
    """Return the tables of a page, those that a reader looks for first.

    Parameters
    ----------
    found : Findings
        What was found.

    Returns
    -------
    dict from title to list of rows
    """
    return {
        "The figure: published, reproduced, honest": _main_rows(found),
        "Differences that the paper is about": _contrast_rows(found),
        "Honest protocol, test images": _honest_rows(found),
        "Honest protocol: differences from the scratch student that was tuned": (
            _honest_differences(found)
        ),
        "Published protocol: validation and test images": _reproduced_rows(found),
    }


def image_tidy(found: Findings) -> list[Row]:
    """Return one row for every score, for programs.

    Parameters
    ----------
    found : Findings
        What was found.

    Returns
    -------
    list of dict
    """
    rows: list[Row] = [
        {
            "experiment": found.study.name,
            "protocol": "as published",
            "arm": arm,
            "depth": depth,
            "part": "validation",
            "metric": metric,
            "value": cell.mean,
            "sd": cell.sd,
            "fits": cell.n,
        }
        for (arm, depth, metric), cell in found.published.items()
    ]
    for protocol, scores in (("published", found.reproduced), ("honest", found.honest)):
        rows += _tidy(found.study.name, protocol, scores)
    return rows


def sentences(found: Findings) -> list[str]:
    """Return what was found, in a line for each primary teacher, or each there is.

    Parameters
    ----------
    found : Findings
        What was found.

    Returns
    -------
    list of str
    """
    if found.study.varies_strength:
        return _of_the_chosen(found)
    depths = [depth for depth in found.study.depths if depth in PRIMARY]
    lines = []
    for depth in depths or found.study.depths:
        for row in _contrast_rows(found):
            if row["teacher"] == _teacher(depth) and row["metric"] == "accuracy":
                lines.append(
                    f"{row['teacher']}, {row['contrast']}, accuracy: published "
                    f"{row['published']}, reproduced {row['reproduced']}, honest "
                    f"{row['honest']}"
                )
    return lines


def _main_rows(found: Findings) -> list[Row]:
    """Return the points of the figure."""
    rows = []
    for depth in found.study.depths:
        for arm in _arms(found):
            for metric in _PUBLISHED_METRICS:
                cell = found.cell(arm, depth, metric)
                own = found.level(arm, depth, metric)
                label, text = _beside(found, arm, depth, metric)
                rows.append(
                    {
                        "arm": arm,
                        "teacher": _teacher(depth),
                        "metric": metric,
                        "published": published(cell),
                        "reproduced": _level(own),
                        "difference, in errors": signed(_distance(own, cell), 1),
                        "honest arm": label,
                        "honest": text,
                    }
                )
    return rows


def _beside(found: Findings, arm: str, depth: int, metric: str) -> tuple[str, str]:
    """Return what honestly stands beside an arm: what it is, and its number."""
    if found.study.varies_strength:
        own = found.level(arm, depth, metric, "test")
        return SAME, _level(own)
    honest = HONEST_ARM[_kind(arm)]
    return honest, interval(found.repeated(honest, depth, metric))


def _contrast_rows(found: Findings) -> list[Row]:
    """Return the differences between arms, on paired fits and repetitions."""
    rows: list[Row] = []
    if found.study.varies_strength:
        return rows
    for depth, metric, (arm, base) in _places(found):
        pair = found.named(arm), found.named(base)
        told = found.published_contrast(*pair, depth, metric)
        own = found.reproduced_contrast(*pair, depth, metric)
        honest = found.honest_contrast(HONEST_ARM[arm], HONEST_ARM[base], depth, metric)
        rows.append(
            {
                "contrast": f"{arm} less {base}",
                "teacher": _teacher(depth),
                "metric": metric,
                "published": signed(told and told[0], 4, told and told[1]),
                "reproduced": signed(own and own[0], 4, own and own[1]),
                "honest": interval(honest, signed=True),
            }
        )
    return rows


def _places(found: Findings) -> Iterator[tuple[int, str, tuple[str, str]]]:
    """Yield depth, metric and contrast."""
    for depth in found.study.depths:
        for contrast in CONTRASTS:
            for metric in _PUBLISHED_METRICS:
                yield depth, metric, contrast


def _honest_rows(found: Findings) -> list[Row]:
    """Return every arm of the honest protocol."""
    rows = []
    for arm, depth in found.honest:
        row: Row = {"arm": arm, "teacher": _teacher(depth)}
        for metric in METRICS:
            row[metric] = interval(found.repeated(arm, depth, metric))
        error = found.test_error(arm, depth, "accuracy")
        row["error of accuracy over test images"] = f"{error:.4f}"
        chosen = [each.get("chosen") for each in found.honest[arm, depth]]
        row["chosen"] = "; ".join(str(each) for each in chosen if each) or NOTHING
        rows.append(row)
    return rows


def _honest_differences(found: Findings) -> list[Row]:
    """Return paired differences from the tuned scratch student."""
    rows = []
    for arm, depth in found.honest:
        if arm == SCRATCH:
            continue
        row: Row = {"arm": arm, "teacher": _teacher(depth)}
        for metric in METRICS:
            own = found.honest_contrast(arm, SCRATCH, depth, metric)
            row[metric] = interval(own, signed=True)
        rows.append(row)
    return rows


def _reproduced_rows(found: Findings) -> list[Row]:
    """Return every arm of the published protocol on both parts."""
    rows = []
    for arm, depth in found.reproduced:
        row: Row = {"arm": arm, "teacher": _teacher(depth)}
        every = found.reproduced[arm, depth]
        row["fits"] = len(every)
        row["diverged"] = sum(each.get("chosen") == DIVERGED for each in every)
        for metric in METRICS:
            for part in ("validation", "test"):
                own = found.level(arm, depth, metric, part)
                row[f"{part} {metric}"] = _level(own)
        rows.append(row)
    return rows


def _of_the_chosen(found: Findings) -> list[str]:
    """Return what the strength that validation images choose scores on test images."""
    best, depth = found.chosen_strength(), found.study.depths[0]
    if best is None:
        return []
    arm = arm_name(ENHANCED, best)
    said = []
    for part in ("validation", "test"):
        own = found.level(arm, depth, "accuracy", part)
        said.append(f"{part} accuracy {_level(own)}")
    return [f"Validation images choose c = {best:g} by their loss: {', '.join(said)}"]


def _tidy(experiment: str, protocol: str, scores: ImageScores) -> Iterator[Row]:
    """Yield one row for every score of a protocol."""
    measures = [(part, metric) for part in ("validation", "test") for metric in METRICS]
    for (arm, depth), every in scores.items():
        where = {"protocol": protocol, "arm": arm, "depth": depth}
        for (fit, own), (part, metric) in product(enumerate(every), measures):
            yield {
                "experiment": experiment,
                **where,
                "part": part,
                "metric": metric,
                "value": own[f"{part} {metric}"],
                "fit": fit,
                "error_over_images": own[f"{part} {metric} error"],
                "chosen": own.get("chosen", ""),
            }


def _level(own: Level | None) -> str:
    """Return a mean with its standard error over fits and images, or a dash."""
    return NOTHING if own is None else measured(own.mean, own.error)


def _distance(own: Level | None, cell: PublishedCell | None) -> float | None:
    """Return a difference in errors, where both are there."""
    return None if own is None else own.distance(cell)


def _arms(found: Findings) -> list[str]:
    """Return the arms of the main table: teachers, then students."""
    teachers = [arm for arm in HONEST_ARM if arm.lower().endswith("teacher")]
    return [*teachers, *arm_names(found.study)]


def _kind(arm: str) -> str:
    """Return an arm without its strength."""
    return arm.split(",")[0]


def _teacher(depth: int) -> str:
    """Return what a teacher is called, primary ones marked."""
    return f"ResNet-{depth}{', primary' if depth in PRIMARY else ''}"
