"""Which part of a teacher's knowledge a student needs, level by level."""

import argparse
import warnings
from functools import partial
from typing import Any

import numpy as np
from _arms import FOLDS
from _cells import (
    FloatArray,
    Row,
    all_here,
    available,
    cell,
    environment,
    options_of,
    report,
    state,
)
from _tails import drawn_tail
from numpy.typing import NDArray

DATA = ("covertype_15k", "letter", "letter, long tail")
ROWS, SPLITS, TEST = 4000, 5, 0.3
METRICS = ("accuracy", "log_loss")
Halves = tuple[FloatArray, NDArray[np.intp], FloatArray, NDArray[np.intp]]
Cells = dict[int, Row | None]


def rows_of(name: str, split: int) -> tuple[Halves, float]:
    """Return training and test rows, and how far splits overlap."""
    if name.endswith("long tail"):
        tail = drawn_tail(name.partition(",")[0], split)
        return (tail.X, tail.y, tail.X_test, tail.y_test), tail.overlap
    from _splits import divided

    part = divided(name, ROWS, split)
    halves = part.train.X, part.train.y, part.test.X, part.test.y
    return halves, part.ratio


def students(*, small: bool) -> dict[str, Any]:
    """Return the unfitted students by name."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd import TorchStudent

    tree = DecisionTreeRegressor(max_leaf_nodes=128, min_samples_leaf=5)
    return {"tree": tree, "network": TorchStudent((8,) if small else (64,))}


def one_split(name: str, split: int, small: bool) -> Row:
    """Return accuracy and log-loss of every level, by student."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import cross_fit
    from semikd.diagnostics import knowledge_levels

    halves, overlap = rows_of(name, split)
    forest = RandomForestClassifier(20 if small else 500)
    found: Row = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = cross_fit(forest, *halves[:2], cv=FOLDS, random_state=split)
        for student, learner in students(small=small).items():
            levels = knowledge_levels(learner, labels, *halves, random_state=split)
            found[student] = levels[list(METRICS)].to_dict(orient="index")
    return {"students": found, "overlap": overlap}


def collected(options: argparse.Namespace, name: str) -> Cells:
    """Return the cells of a data set that are there or were asked for."""
    settings = {"rows": ROWS, "folds": FOLDS, "trees": 500}
    words = name.replace(", ", "-").replace(" ", "-")
    return {
        split: cell(
            options,
            f"levels-{words}-{split}",
            settings,
            partial(one_split, name, split, options.small),
        )
        for split in range(2 if options.small else SPLITS)
    }


def table(cells: Cells, student: str) -> list[Row]:
    """Return a row for each level: means and differences from labels alone."""
    from semikd.reproduction.repeated import Repeated

    done = [each for each in cells.values() if each]
    levels = list(done[0]["students"][student])

    def values(level: str, metric: str) -> Repeated:
        own = tuple(each["students"][student][level][metric] for each in done)
        return Repeated(own, float(done[0]["overlap"]))

    found = []
    for level in levels:
        row: Row = {"level": level}
        for metric in METRICS:
            own, first = values(level, metric), values(levels[0], metric)
            moved = own.less(first)
            words = metric.replace("_", " ")
            row[words] = f"{own.mean:.4f}"
            row[f"{words}, difference"] = (
                f"{moved.mean:+.4f} ± {moved.half_width():.4f}"
            )
        found.append(row)
    return found


def names_here() -> list[str]:
    """Return the data sets whose files are here."""
    here = available(["covertype_15k", "letter"])
    return [name for name in DATA if name.partition(",")[0] in here]


def main() -> None:
    """Compute the cells, and write the tables of those that are there."""
    options = options_of(__doc__ or "")
    names = ["digits, long tail"] if options.small else names_here()
    record: Row = {"environment": environment("torch")}
    tables: dict[str, list[Row]] = {}
    for name in names:
        cells = record[name] = collected(options, name)
        if not any(cells.values()):
            continue
        title = name if all_here(cells) else f"{name}, {state(cells)}"
        for student in students(small=options.small):
            tables[f"{title}: {student}"] = table(cells, student)
    report("siblings-levels", options, record, tables)


if __name__ == "__main__":
    main()
