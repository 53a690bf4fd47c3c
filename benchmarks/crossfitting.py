"""What honest labels cost: out-of-bag, leave-one-out and folds, in plain fits."""

import argparse
import statistics
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from _crossfitting_cases import (
    SMALL_N,
    Case,
    growth_cases,
    make_teacher,
    real_cases,
)
from _harness import (
    FloatArray,
    Row,
    alternate,
    available,
    compared,
    environment,
    parse,
    report,
    scores,
    seconds,
    split,
    start,
)

CHECKED, SPLITS = 30, 2
# Fits of milliseconds are measured for as many rounds as fill some seconds.
ROUNDS, MOST_ROUNDS, FILLED = 3, 25, 5.0
# Rows that are refitted where a single refit takes seconds.
FEW, WIDE = 10, 500
# Refits agree with each other to no more.
ROUNDING = 1e-9


def labels(case: Case, cv: Any, n_jobs: int | None = None) -> Any:
    """Return the record of one strategy."""
    from semikd import cross_fit

    return cross_fit(
        make_teacher(case.teacher, len(case.y) < 1000),
        case.X,
        case.y,
        cv=cv,
        new_rows="none",
        n_jobs=n_jobs,
        random_state=0,
    )


def n_rounds(sides: dict[str, Callable[[], object]], fewest: int) -> int:
    """Return the rounds that fill the time set, by a first one that is not counted."""
    spent = sum(seconds(work)[0] for work in sides.values())
    return int(np.clip(FILLED / spent, fewest, max(fewest, MOST_ROUNDS)))


def cost(case: Case, fewest: int) -> Row:
    """Return times of the plain fit, the cheap strategy and ten folds."""
    teacher = make_teacher(case.teacher, len(case.y) < 1000)

    def plain() -> None:
        teacher.fit(case.X, case.y)

    sides = {"plain": plain}
    if case.cv is None:
        sides |= {"cheap": lambda: labels(case, 5), "all": lambda: labels(case, 5, -1)}
    else:
        sides |= {"cheap": lambda: labels(case, case.cv)}
    times = alternate(sides, n_rounds(sides, fewest))
    ten = [seconds(lambda: labels(case, 10))]
    while sum(t[0] for t in ten) < FILLED and len(ten) < MOST_ROUNDS:
        ten.append(seconds(lambda: labels(case, 10)))
    row: Row = {"seconds": {**times, "ten folds": ten}}
    for which, kind in enumerate(("time", "processor")):
        one = [t[which] for t in times["plain"]]
        row[kind] = compared([t[which] for t in times["cheap"]], one)
        row[f"ten {kind}"] = statistics.median(t[which] for t in ten)
        row[f"ten {kind}"] /= statistics.median(one)
    if "all" in times:
        row["workers"] = compared(
            [t[0] for t in times["all"]], [t[0] for t in times["plain"]]
        )
    cheap = statistics.median(t[0] for t in times["cheap"])
    row["ten / cheap"] = statistics.median(t[0] for t in ten) / cheap
    return row


def said(case: Case, model: Any, X: FloatArray) -> FloatArray:
    """Return means, or probabilities of the last class."""
    if case.teacher == "ridge":
        return np.asarray(model.predict(X))
    return np.asarray(model.predict_proba(X)[:, -1])


def by_refits(case: Case, rows: Any) -> tuple[FloatArray, FloatArray]:
    """Return what a fit to all rows, and one without each row, says of these rows."""
    teacher = make_teacher(case.teacher)
    if case.teacher == "logistic":
        # As near to the optimum as it gets: shares of small steps are compared.
        teacher.set_params(solver="newton-cholesky", tol=1e-10)
    inside = said(case, teacher.fit(case.X, case.y), case.X[rows])
    without = np.empty(len(rows))
    for at, row in enumerate(rows):
        others = (case.X[row] != case.X).any(axis=1)
        teacher.fit(case.X[others], case.y[others])
        without[at] = said(case, teacher, case.X[row : row + 1])[0]
    return inside, without


def by_trees(case: Case, rows: Any) -> FloatArray:
    """Return the mean over trees whose bag holds no copy of a row, one by one."""
    from semikd import cross_fit

    teacher = make_teacher(case.teacher, len(case.y) < 1000)
    record = cross_fit(teacher, case.X, case.y, cv="oob", random_state=0)
    forest = record.refitted
    bags = [
        np.bincount(bag, minlength=len(case.y)) for bag in forest.estimators_samples_
    ]
    without = np.full(len(rows), np.nan)
    for at, row in enumerate(rows):
        copies = (case.X[row] == case.X).all(axis=1)
        out = [not bag[copies].any() for bag in bags]
        trees = [t for t, free in zip(forest.estimators_, out, strict=True) if free]
        one = case.X[row : row + 1]
        if len(trees) >= 10:
            without[at] = np.mean([t.predict_proba(one)[0, -1] for t in trees])
    return without


def agreement(case: Case, n_rows: int) -> Row:
    """Return differences from brute force on rows drawn at random."""
    rows = np.random.default_rng(0).permutation(len(case.y))[:n_rows]
    ours = labels(case, case.cv)
    ours = ours.mean[rows, -1]
    if case.teacher == "forest":
        apart = np.abs(ours - by_trees(case, rows))
        return {"rows": len(rows), "difference": float(np.nanmax(apart))}
    inside, without = by_refits(case, rows)
    apart, step = np.abs(ours - without), np.abs(inside - without)
    share = np.divide(apart, step, out=np.zeros(len(rows)), where=apart > ROUNDING)
    return {
        "rows": len(rows),
        "difference": float(np.nanmax(apart)),
        "share of the step": float(np.nanquantile(share, 0.99)),
        "largest share": float(np.nanmax(share)),
    }


def students(case: Case, seed: int) -> list[Row]:
    """Return held-out scores of the default student under every strategy."""
    from semikd import DistilledClassifier

    train, test = split(case.y, seed)
    rows = []
    for cv in ("in-sample", *([case.cv] if case.cv else []), 5, 10):
        teacher = make_teacher(case.teacher, len(case.y) < 1000)
        model = DistilledClassifier(teacher, cv=cv, random_state=seed)
        model.fit(case.X[train], case.y[train])
        held_out = model.predict_proba(case.X[test])[:, 1]
        rows.append({"cv": str(cv), "seed": seed, **scores(case.y[test], held_out)})
    return rows


def margins(case: Case, row: Row) -> list[str]:
    """Return which of the asked figures this case misses."""
    time, d = row["time"]["ratio"], case.d or case.X.shape[1]
    asked = {
        "forest": {"1.2 fits": time <= 1.2},
        "ridge": {
            "1e-8": row["agreement"].get("difference", 0.0) <= 1e-8,
            "3 fits": d < WIDE or time <= 3.0,
            "a third of ten folds": row["ten / cheap"] >= 3.0,
        },
        "logistic": {
            "2.5 fits": d > 100 or len(case.y) == SMALL_N or time <= 2.5,
            "1 % of the step": row["agreement"].get("share of the step", 0.0) <= 0.01,
        },
    }
    return [what for what, kept in asked.get(case.teacher, {}).items() if not kept]


def shown(case: Case, row: Row) -> Row:
    """Return one line of the table of costs."""
    time, agreed = row["time"], row["agreement"]
    low, high = time["quartiles"]
    missed = margins(case, row)
    judged = case.teacher in {"forest", "ridge", "logistic"}
    share = agreed.get("share of the step")
    return {
        "data": f"{case.data} ({len(case.y):,} x {case.X.shape[1]})",
        "teacher": case.teacher,
        "cv": case.cv or "5",
        "one fit s": f"{time['theirs']:.3f}",
        "cheap / fit": f"{time['ratio']:.2f} [{low:.2f}, {high:.2f}]",
        "processor": f"{row['processor']['ratio']:.2f}",
        "all workers": f"{row['workers']['ratio']:.2f}" if "workers" in row else "",
        "ten folds / fit": f"{row['ten time']:.1f}",
        "ten folds / cheap": f"{row['ten / cheap']:.1f}",
        "off by": f"{agreed['difference']:.1e}" if agreed else "",
        "of the step": "" if share is None else f"{share:.2%}",
        "as asked": ("yes" if not missed else "no: " + ", ".join(missed))
        if judged
        else "",
    }


def scored(rows: list[Row]) -> list[Row]:
    """Return mean scores of each data set, teacher and strategy over splits."""
    keys = dict.fromkeys((r["data"], r["teacher"], r["cv"]) for r in rows)
    lines = []
    for data, teacher, cv in keys:
        mine = [
            r for r in rows if (r["data"], r["teacher"], r["cv"]) == (data, teacher, cv)
        ]
        line = {"data": data, "teacher": teacher, "cv": cv}
        for metric in ("AUC", "log-loss"):
            values = [r[metric] for r in mine]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            line[metric] = f"{statistics.mean(values):.4f} ({spread:.4f})"
        lines.append(line)
    return lines


def n_checked(case: Case) -> int:
    """Return how many rows are compared with brute force."""
    if case.teacher == "forest":
        return 10 * CHECKED
    if case.d is not None and len(case.y) == SMALL_N:
        return SMALL_N
    return FEW if case.d is not None and case.d >= WIDE else CHECKED


def measured(cases: Sequence[Case], options: argparse.Namespace, title: str) -> None:
    """Measure costs and agreement of some cases, and write them down."""
    results = []
    for case in cases:
        row = cost(case, 2 if options.small else ROUNDS)
        row["agreement"] = agreement(case, n_checked(case)) if case.cv else {}
        results.append((case, row))
        print(shown(case, row), flush=True)
    lines = [shown(case, row) for case, row in results]
    if options.small:
        # Nothing is judged on tables so small.
        for line in lines:
            del line["as asked"]
    record = {
        "environment": environment(),
        "results": [{**shown(c, r), **r} for c, r in results],
    }
    part = title.split()[-1]
    report(f"crossfitting-{part}", options, record, {title: lines})


def scored_students(cases: Sequence[Case], options: argparse.Namespace) -> None:
    """Score the student of every strategy on held-out rows, and write it down."""
    held_out: list[Row] = []
    for case in cases:
        for seed in range(1 if options.small else SPLITS):
            known = {"data": case.data, "teacher": case.teacher}
            held_out += [{**known, **row} for row in students(case, seed)]
        print(scored(held_out)[-4:], flush=True)
    record = {"environment": environment(), "scores": held_out}
    title = "The student on held-out rows, mean and deviation"
    report("crossfitting-students", options, record, {title: scored(held_out)})


def main(options: argparse.Namespace) -> None:
    """Measure what is asked for, part by part."""
    warnings.simplefilter("ignore")
    names = ["breast_cancer"] if options.small else available(["adult", "magic"])
    real = [c for n in names for c in real_cases(n)]
    if options.part in {"all", "tables"}:
        measured(real, options, "Costs on real tables")
    if options.part in {"all", "widths"}:
        measured(growth_cases(options.small), options, "Costs by widths")
    if options.part in {"all", "students"}:
        scored_students(real, options)


if __name__ == "__main__":
    parser = parse(__doc__ or "")
    parts = ("all", "tables", "widths", "students")
    parser.add_argument("--part", choices=parts, default="all")
    main(start(parser))
