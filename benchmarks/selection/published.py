"""The automatic choice on the paper's own cells: forests teach forests."""

import argparse
import csv
import math
import statistics
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from _arms import searched
from _cells import (
    Row,
    all_here,
    available,
    cell,
    environment,
    options_of,
    report,
    state,
)
from _study import scores

SPLITS = (2357, 0, 1)
SIZES, SMALL_SIZES = (1, 2, 3, 5, 10, 15, 20, 30, 40), (1, 2)
DEPTHS = (1, 20)
SMALL_ROWS = 400
Cells = dict[tuple[str, int, str, int], Row | None]


def published() -> dict[tuple[str, str, int], Row]:
    """Return the best distilled cells of the paper, by experiment, data and place."""
    with (Path(__file__).parent / "published.csv").open() as stream:
        return {
            (row["experiment"], row["data"], int(row["x"])): row
            for row in csv.DictReader(stream)
        }


def tables_of(name: str, seed: int, *, small: bool) -> tuple[Any, Any]:
    """Return training and test rows, split as in the paper, gaps at the mean."""
    from sklearn.model_selection import train_test_split

    from semikd.datasets import load_dataset
    from semikd.evaluation import Table

    data = load_dataset(name)
    X, y = data.numeric(), np.unique(data.y, return_inverse=True)[1]
    X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    rows = np.arange(len(y))
    train, test = train_test_split(rows, test_size=0.3, random_state=seed)
    train = train[:SMALL_ROWS] if small else train
    return Table(X[train], y[train], None, None), Table(X[test], y[test], None, None)


def chosen(
    name: str,
    seed: int,
    kind: str,
    sizes: tuple[int, ...],
    *,
    small: bool,
    workers: int,
) -> dict[str, Row]:
    """Return scores and leaves of the automatic choice, for forests of every size."""
    from semikd.evaluation import Classification
    from semikd.reproduction.forests.paths import PathForest, PathJudge
    from semikd.selection.sources import LabelBank
    from semikd.selection.teachers import named_teachers
    from semikd.selection.winner import fit_winner, made_choice

    train, test = tables_of(name, seed, small=small)
    teacher = teachers(small=small)[kind][0]
    preset = "fast" if small else "balanced"
    bank = LabelBank(train, named_teachers(teacher, preset), n_jobs=workers, seed=seed)
    learners = {str(n): PathForest(n, largest=max(sizes)) for n in sizes}
    judge = PathJudge(train, Classification(), learners, bank, n_jobs=workers, seed=0)
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        searched(judge, preset)
        for size in learners:
            choice = made_choice(judge, student=size)
            model = fit_winner(judge, choice.chosen)
            found[size] = {
                **scores(test.y, model.predict_proba(test.X)),
                "leaves": model.size_.leaves,
                "chosen": str(choice.chosen).partition(": ")[2],
            }
    return found


def teachers(*, small: bool) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Return the teacher of each experiment, and the sizes of its students."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import ResidualTeacher
    from semikd.teachers import BoostingRegressorTeacher, SquaresTeacher

    few = 10 if small else 100
    forest = RandomForestClassifier(10 if small else 500)
    found: dict[str, tuple[Any, tuple[int, ...]]] = {}
    found["A"] = (forest, SMALL_SIZES if small else SIZES)
    ten = (2,) if small else (10,)
    for depth in DEPTHS[:1] if small else DEPTHS:
        shallow = RandomForestClassifier(few, max_depth=depth)
        found[f"B, depth {depth}"] = (shallow, ten)
        found[f"B, depth {depth}, residual"] = (ResidualTeacher(shallow), ten)
    corrector = BoostingRegressorTeacher(max_iter=20) if small else None
    alone = SquaresTeacher(corrector or BoostingRegressorTeacher())
    return found | {"B, corrector alone": (alone, ten)}


def collected(options: argparse.Namespace, names: list[str]) -> Cells:
    """Return every cell that is there or was asked for."""
    given = {"small": options.small, "workers": options.workers}
    found: Cells = {}
    for name in names:
        for seed in SPLITS[:1] if options.small else SPLITS:
            for kind, (_, sizes) in teachers(small=options.small).items():
                place = f"published-{name}-{seed}-{kind}"
                place = place.replace(", ", "-").replace(" ", "-")
                work = partial(chosen, name, seed, kind, sizes, **given)
                own = cell(options, place, {}, work)
                for n in sizes:
                    found[name, seed, kind, n] = None if own is None else own[str(n)]
    return found


def values(rows: list[Row], metric: str) -> tuple[float, float]:
    """Return mean and standard deviation over splits; 0 for a single one."""
    own = [each[metric] for each in rows]
    return statistics.fmean(own), statistics.stdev(own) if len(own) > 1 else 0.0


def line_of(kind: str, n: int, rows: list[Row]) -> Row:
    """Return scores and leaves of one student, means over splits."""
    mean, spread = values(rows, "AUC")
    return {
        "experiment": kind,
        "trees": n,
        "splits": len(rows),
        "AUC": f"{mean:.4f} ± {spread:.4f}",
        "log-loss": f"{values(rows, 'log-loss')[0]:.4f}",
        "leaves": f"{values(rows, 'leaves')[0]:,.0f}",
        "published best": "",
        "at least": "",
        "reached": "",
        "chosen": "; ".join(dict.fromkeys(each["chosen"] for each in rows)),
    }


def beside(rows: list[Row], cell_of: Mapping[str, str], *, judging: bool) -> Row:
    """Return the published cell, the bound that it gives, and the verdict."""
    mean, spread = values(rows, "AUC")
    best, sd = float(cell_of["mean"]), float(cell_of["sd"])
    bound = best - 2.0 * math.hypot(sd, spread)
    words = "yes" if mean >= bound else "no"
    return {
        "published best": f"{best:.4f} ± {sd:.4f} ({cell_of['method']})",
        "at least": f"{bound:.4f}",
        "reached": words if judging else "not judged",
    }


def shown(cells: Cells, name: str, *, judging: bool) -> list[Row]:
    """Return the table of one data set."""
    known, lines = published(), []
    places = dict.fromkeys((kind, n) for own, _, kind, n in cells if own == name)
    for kind, n in places:
        mine = [c for (o, _, k, m), c in cells.items() if (o, k, m) == (name, kind, n)]
        rows = [each for each in mine if each is not None]
        if not rows:
            continue
        line = line_of(kind, n, rows)
        plain = kind == "A" or kind[-1].isdigit()
        place = n if kind == "A" or not plain else int(kind.split()[-1])
        best = known.get((kind[0], name, place)) if plain else None
        lines.append(line | (beside(rows, best, judging=judging) if best else {}))
    return lines


def rescued(cells: Cells, name: str, *, judging: bool) -> list[Row]:
    """Return whether learned residuals rescue the shallow teacher, in every split."""

    def of(kind: str) -> list[float]:
        own = [c for (data, _, k, _), c in cells.items() if (data, k) == (name, kind)]
        return [each["AUC"] for each in own if each]

    plain, residual = of("B, depth 1"), of("B, depth 1, residual")
    control = of("B, corrector alone")
    if not plain or not len(plain) == len(residual) == len(control):
        return []
    gains = np.subtract(residual, plain)
    more = np.subtract(residual, control)
    asked = "yes" if (gains > 0).all() else "no"
    return [
        {
            "data": name,
            "residual less plain": ", ".join(f"{each:+.4f}" for each in gains),
            "above in every split": asked if judging else "not judged",
            "residual less control": ", ".join(f"{each:+.4f}" for each in more),
        }
    ]


def main(options: argparse.Namespace) -> None:
    """Measure every experiment; judge a data set once it is complete."""
    names = available(["fair"] if options.small else ["adult", "magic"])
    cells = collected(options, names)
    tables: dict[str, list[Row]] = {}
    for name in names:
        mine = {key: each for key, each in cells.items() if key[0] == name}
        judging = all_here(mine) and not options.small
        tables[f"{name}, {state(mine)}"] = shown(cells, name, judging=judging)
        title = f"{name}: residuals of a teacher of depth 1"
        tables[title] = rescued(cells, name, judging=judging)
    record = {
        "environment": environment(),
        "results": {"/".join(map(str, key)): each for key, each in cells.items()},
    }
    report("selection-published", options, record, tables)


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
