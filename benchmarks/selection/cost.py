"""What the search costs beside one cross-fit, and whether it keeps to a time budget."""

import argparse
import os
import statistics
import time
import warnings
from functools import partial
from typing import Any

import numpy as np
from _cells import (
    Row,
    all_here,
    available,
    cell,
    environment,
    options_of,
    report,
    seconds,
    state,
)

WORKERS, ROUNDS, QUIET = 2, 3, 2.5
BUDGETS, SMALL_BUDGETS = (30, 60, 120), (2, 4)
SMALL_ROWS = 800
MOST_FITS, MOST_SECONDS, OVER = 6.0, 180.0, 1.1


def rows_of(*, small: bool) -> tuple[Any, Any]:
    """Return the covariates as numbers, and the classes."""
    from semikd.datasets import load_dataset

    data = load_dataset("fair" if small else "adult")
    X, y = data.numeric(), np.unique(data.y, return_inverse=True)[1]
    if small:
        rows = np.random.default_rng(0).permutation(len(y))[:SMALL_ROWS]
        X, y = X[rows], y[rows]
    return X, y


def cross_fits(*, small: bool) -> Row:
    """Return the seconds of five-fold cross-fits of the stack."""
    from semikd import StackedTeacher, cross_fit

    X, y = rows_of(small=small)

    def once() -> None:
        cross_fit(
            StackedTeacher(),
            X,
            y,
            cv=5,
            new_rows="none",
            n_jobs=WORKERS,
            random_state=0,
        )

    load = os.getloadavg()[0]
    times = [seconds(once)[0] for _ in range(1 if small else ROUNDS)]
    return {"load": load, "times": times}


def searches(*, small: bool, **settings: Any) -> Row:
    """Return what one automatic fit took, and where it went."""
    from semikd import AutoDistiller

    X, y = rows_of(small=small)
    auto = AutoDistiller(n_jobs=WORKERS, random_state=0, **settings)
    load, began = os.getloadavg()[0], time.perf_counter()
    auto.fit(X, y)
    took = time.perf_counter() - began
    return {
        "load": load,
        "seconds": took,
        # Seconds of single fits, which two workers make side by side.
        "students": sum(auto.seconds_),
        "candidates": len(auto.choice_.candidates),
        "done": list(auto.rounds_),
        "left out": list(auto.left_out_),
        "loss": auto.score_[0],
        "chosen": str(auto.chosen_),
        "leaves": auto.size_.leaves,
    }


def search_line(name: str, found: Row, asked: str, value: str, reached: str) -> Row:
    """Return the line of one automatic fit."""
    share = found["students"] / WORKERS / found["seconds"]
    return {
        "fit": name,
        "seconds": f"{found['seconds']:.1f}",
        "value": value,
        "asked": asked,
        "reached": reached,
        "share on students": f"about {share:.0%}",
        "candidates": found["candidates"],
        "left out": len(found["left out"]),
        "log-loss": f"{found['loss']:.4f}",
        "chosen": found["chosen"],
        "leaves": found["leaves"],
    }


def reached(value: float, bound: float, load: float, *, judging: bool) -> str:
    """Return the verdict, which a busy machine does not give."""
    if not judging:
        return "not judged"
    if load > QUIET:
        return f"not judged: load {load:.1f}"
    return "yes" if value <= bound else "no"


def shown(cells: dict[str, Row], *, judging: bool) -> list[Row]:
    """Return a line for each automatic fit."""
    lines = []
    one = statistics.median(cells["cross-fit"]["times"])
    quiet = cells["cross-fit"]["load"]
    for name, found in cells.items():
        if name == "cross-fit":
            continue
        load, took = max(found["load"], quiet), found["seconds"]
        if name == "balanced":
            ratio = took / one
            verdict = reached(ratio, MOST_FITS, load, judging=judging)
            value = f"{ratio:.2f} cross-fits of {one:.1f} s"
            asked = f"<= {MOST_FITS:.0f} cross-fits"
        elif name == "fast":
            verdict = reached(took, MOST_SECONDS, load, judging=judging)
            value, asked = f"{took:.1f} s", f"<= {MOST_SECONDS:.0f} s"
        else:
            budget = float(name.split()[1])
            verdict = reached(took, OVER * budget, found["load"], judging=judging)
            value, asked = f"{took / budget:.2f} budgets", f"<= {OVER:.1f} budgets"
        lines.append(search_line(name, found, asked, value, verdict))
    return lines


def main(options: argparse.Namespace) -> None:
    """Measure the cross-fit, both presets and every budget, one after the other."""
    small = options.small
    if not available(["fair" if small else "adult"]):
        return
    work: dict[str, Any] = {"cross-fit": partial(cross_fits, small=small)}
    for preset in ("balanced", "fast"):
        work[preset] = partial(searches, small=small, preset=preset)
    for budget in SMALL_BUDGETS if small else BUDGETS:
        name = f"budget {budget} s"
        work[name] = partial(searches, small=small, time_budget=float(budget))
    cells: dict[str, Row | None] = {}
    with warnings.catch_warnings():
        # A budget that is too small for one round says so; it is measured all the same.
        warnings.simplefilter("ignore")
        for name, each in work.items():
            place = f"cost-{name.replace(' ', '-')}"
            cells[name] = cell(options, place, {"workers": WORKERS}, each)
    known = {name: each for name, each in cells.items() if each is not None}
    record = {"environment": environment(), "results": cells}
    lines: list[Row] = []
    if "cross-fit" in known:
        lines = shown(known, judging=all_here(cells) and not small)
    report("selection-cost", options, record, {f"Cost, {state(cells)}": lines})


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
