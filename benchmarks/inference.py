"""What inference costs beside the cross-fit that it rests on, and the bootstrap alone.

Run ``python benchmarks/inference.py [--small]``; the plan is in README.md.
"""

import argparse
from typing import Any

import numpy as np
from _harness import (
    FloatArray,
    Row,
    alternate,
    available,
    compared,
    environment,
    fresh,
    memory_of,
    parse,
    report,
    start,
    table,
)
from numpy.typing import NDArray

# Of the positive rows one in so many is kept.
TABLES = [("adult", 1), ("magic", 1), ("bank_marketing", 1), ("adult", 20)]
PARAMETERS, DRAWS = 100, 1000
KINDS = ("normal", "mammen", "rademacher")


def rarer(
    X: FloatArray, y: NDArray[np.intp], one_in: int
) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return the rows without most of the positive ones."""
    kept = (y == 0) | (np.cumsum(y == 1) % one_in == 0)
    return X[kept], y[kept]


def coefficients(name: str, one_in: int, *, small: bool) -> list[Row]:
    """Return the cost of a cross-fit with a table of coefficients over it alone."""
    from semikd import BoostingTeacher, cross_fit
    from semikd.inference import likelihood_coefficients, log_odds_coefficients

    X, y = rarer(*table(name, 600 if small else None), one_in)
    X = np.where(np.isnan(X), np.nanmean(X, axis=0), X)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    teacher = BoostingTeacher(random_state=0)

    def labels() -> Any:
        return cross_fit(teacher, X, y, cv=5, random_state=0)

    sides = {
        "log-odds": lambda: log_odds_coefficients(labels(), X, y, random_state=0),
        "likelihood": lambda: (
            labels(),
            likelihood_coefficients(X, y, random_state=0),
        ),
    }
    lines = []
    for which, work in sides.items():
        both = {"ours": work, "theirs": labels}
        alternate(both, 1)
        times = alternate(both, 2 if small else 5)
        wall, cpu = (
            compared(*([each[at] for each in times[side]] for side in both))
            for at in (0, 1)
        )
        lines.append(
            {
                "data": f"{name}, {X.shape[0]:,} x {X.shape[1]}",
                "positive, %": f"{100 * y.mean():.2g}",
                "coefficients": which,
                "with, s": f"{wall['ours']:.2f}",
                "cross-fit, s": f"{wall['theirs']:.2f}",
                "ratio": f"{wall['ratio']:.3f}",
                "quartiles": " to ".join(f"{q:.3f}" for q in wall["quartiles"]),
                "processor": f"{cpu['ratio']:.3f}",
                "asked": "<= 1.1",
                "kept": _judged(wall["ratio"] <= 1.1, small=small),
            }
        )
    return lines


def influence(n: int) -> FloatArray:
    """Return influence of n rows on the parameters."""
    return np.random.default_rng(0).normal(size=(n, PARAMETERS))


def memory(kind: str, n: int) -> Row:
    """Return what draws add to the memory of a process that has done nothing else."""
    from semikd.inference import multiplier_bootstrap

    psi = influence(n)
    return dict(
        memory_of(
            lambda: multiplier_bootstrap(
                psi, n_draws=DRAWS, weights=kind, random_state=0
            )
        )
    )


def draws(*, small: bool) -> list[Row]:
    """Return time and memory of draws of every kind."""
    from semikd.inference import multiplier_bootstrap

    n = 2_000 if small else 100_000
    psi = influence(n)
    lines = []
    for kind in KINDS:

        def work(kind: str = kind) -> Any:
            return multiplier_bootstrap(
                psi, n_draws=DRAWS, weights=kind, random_state=0
            )

        times = alternate({kind: work}, 2 if small else 5)[kind]
        took = float(np.median([wall for wall, _ in times]))
        grown = fresh(memory, kind, n)["growth"]
        kept = took <= 2.0 and grown <= 500.0
        lines.append(
            {
                "multipliers": kind,
                "rows": f"{n:,}",
                "parameters": PARAMETERS,
                "draws": DRAWS,
                "seconds": f"{took:.2f}",
                "more memory, MiB": f"{grown:.0f}",
                "asked": "2 s, 500 MB",
                "kept": _judged(kept, small=small),
            }
        )
    return lines


def _judged(kept: bool, *, small: bool) -> str:
    """Return a verdict; a trial has none."""
    if small:
        return "not judged"
    return "yes" if kept else "no"


def main(options: argparse.Namespace) -> None:
    """Measure both parts."""
    tables = [("fair", 1)] if options.small else TABLES
    found = available([name for name, _ in tables])
    beside = [
        row
        for name, one_in in tables
        if name in found
        for row in coefficients(name, one_in, small=options.small)
    ]
    bootstrap = draws(small=options.small)
    record = {
        "environment": environment(),
        "coefficients": beside,
        "bootstrap": bootstrap,
    }
    shown = {"Coefficients beside their cross-fit": beside, "Bootstrap": bootstrap}
    report("inference", options, record, shown)


if __name__ == "__main__":
    main(start(parse(__doc__ or "")))
