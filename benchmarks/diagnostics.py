"""Diagnoses of teachers: the level and the power of their tests, and real teachers.

Run ``python benchmarks/diagnostics.py [--small] [--sets 1000]``; the plan is in
README.md.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _harness import (
    FloatArray,
    Row,
    available,
    environment,
    parse,
    report,
    start,
    table,
)
from scipy import special, stats

ROWS, DISTANCE_ROWS = 2000, 400
ERROR = 0.05
SLOPES = np.array([0.8, 0.5, -0.3, 0.0, 0.0, 0.0, 0.0, 0.0])
# Shift of in-sample log-odds towards the outcome at which the optimism is 0.02 nats.
TOWARDS = 0.0495
Sample = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def two(p: FloatArray) -> FloatArray:
    """Return both columns of two classes."""
    return np.column_stack([1 - p, p])


def draw(
    rng: np.random.Generator,
    slope: float = 1.0,
    share: float = 0.0,
    towards: float = 0.0,
    noise: float = 0.0,
) -> Sample:
    """Return X, y, labels and in-sample labels with exactly these faults."""
    X = rng.normal(size=(ROWS, 8))
    score = X @ SLOPES
    right = special.expit(slope * score)
    spread = right * (1 - right)
    signal = X[:, 4] * np.sqrt(spread)
    signal *= np.sqrt(share * spread.mean() / (signal**2).mean())
    y = (rng.random(ROWS) < np.clip(right + signal, 0, 1)).astype(int)
    label = special.expit(score + noise * rng.normal(size=ROWS))
    lean = towards * (2 * y - 1) + noise * rng.normal(size=ROWS)
    return X, y, label, special.expit(score + lean)


def p_values(sample: Sample, learner: Any) -> Row:
    """Return the p-value of every test of a diagnosis."""
    from semikd import external_labels
    from semikd.diagnostics import diagnose

    X, y, label, seen = sample
    labels = external_labels(X, label, classes=[0, 1])
    found = diagnose(labels, X, y, in_sample=seen, learner=learner, random_state=0)
    return tests_of(found)


def p_optimism(sample: Sample, _: Any) -> Row:
    """Return the p-value of the test of optimism, which needs no learner."""
    from semikd.diagnostics.optimism import optimism

    _, y, label, seen = sample
    found = optimism(two(label)[None], two(seen)[None], y, np.ones(ROWS), None)
    return {"optimism": found.p_value}


def tests_of(found: Any) -> Row:
    """Return the p-values of a diagnosis by the names of its tests."""
    details = found.calibration.details
    tests = {
        "calibration, slope and intercept": found.calibration.p_value,
        "calibration, slope": details["slope_p_value"],
        "calibration, Spiegelhalter": details["spiegelhalter_p_value"],
        "left-over signal": found.left_over.p_value,
    }
    if found.optimism is not None:
        tests["optimism"] = found.optimism.p_value
    return tests


def left_over_both(sample: Sample, learner: Any) -> Row:
    """Return p-values of the progressive and of the naive statistic."""
    from semikd.crossfit import row_hashes
    from semikd.diagnostics.left_over import left_over
    from semikd.diagnostics.residuals import predict_residuals
    from semikd.diagnostics.rows import JudgedRows
    from semikd.evaluation.recalibration import fit_recalibration, recalibrated

    X, y, label, _ = sample
    rest = (None, None, None, None, row_hashes(X))
    rows = JudgedRows(X, y, ("0", "1"), two(label)[None], *rest)
    said = predict_residuals(rows, learner, 0)
    logs, weights = np.log(rows.mean), rows.weights
    q = recalibrated(logs, fit_recalibration(logs, rows.outcome, weights))
    terms = ((rows.outcome - q) * said.crossed).sum(axis=1)
    ratio = terms.sum() / np.sqrt((terms**2).sum())
    found = left_over(rows.mean, rows.outcome, said, weights, None)
    return {"progressive": found.p_value, "naive": float(stats.norm.sf(ratio))}


def of_logistic(sample: Sample, learner: Any) -> Row:
    """Return p-values for a teacher that is cross-fitted on these very rows."""
    from sklearn.linear_model import LogisticRegression

    from semikd import cross_fit
    from semikd.diagnostics import diagnose

    X, y, _, _ = sample
    labels = cross_fit(LogisticRegression(), X, y, new_rows="none", random_state=0)
    return tests_of(diagnose(labels, X, y, learner=learner, random_state=0))


def shares(
    test: Callable[[Sample, Any], Row], learner: Any, n_sets: int, **faults: float
) -> Row:
    """Return the share of sets in which each test rejects at 5 %."""
    seeds = np.random.SeedSequence(list(map(ord, str(sorted(faults))))).spawn(n_sets)
    found = [test(draw(np.random.default_rng(s), **faults), learner) for s in seeds]
    return {
        name: float(np.mean([row[name] <= ERROR for row in found])) for name in found[0]
    }


def band(n_sets: int, nominal: float = ERROR) -> tuple[float, float]:
    """Return the band that a right test leaves once in 10,000 times."""
    law = stats.binom(n_sets, nominal)
    return float(law.ppf(0.5e-4) / n_sets), float(law.isf(0.5e-4) / n_sets)


FAULTS: dict[str, tuple[str, dict[str, float], dict[str, float]]] = {
    "optimism": ("0.02 nats", {"noise": 0.5}, {"noise": 0.5, "towards": TOWARDS}),
    "calibration, slope and intercept": ("slope 0.8", {}, {"slope": 0.8}),
    "calibration, slope": ("slope 0.8", {}, {"slope": 0.8}),
    "calibration, Spiegelhalter": ("slope 0.8", {}, {"slope": 0.8}),
    "left-over signal": ("R2 0.02", {}, {"share": 0.02}),
}


def levels(learner: Any, n_sets: int, names: list[str]) -> list[Row]:
    """Return null share and power of each test with this learner."""
    known: dict[str, Row] = {}
    rows = []
    low, high = band(n_sets)
    for name in names:
        fault, *cases = FAULTS[name]
        for case in cases:
            if str(case) not in known:
                test = p_optimism if "noise" in case else p_values
                known[str(case)] = shares(test, learner, n_sets, **case)
                print(name, case, known[str(case)], flush=True)
        size, power = (known[str(case)][name] for case in cases)
        rows.append(
            {
                "test": name,
                "sets": n_sets,
                "rejected, nothing wrong": f"{size:.1%}",
                "band": f"{low:.1%} to {high:.1%}",
                "holds": "yes" if low <= size <= high else "NO",
                "fault": fault,
                "power": f"{power:.1%}",
                "at least 80 %": "yes" if power >= 0.8 else "NO",
            }
        )
    return rows


def controls(n_sets: int, few: int) -> list[Row]:
    """Return what must leave the band, what must not, and a teacher of these rows."""
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    products = make_pipeline(PolynomialFeatures(2, include_bias=False), Ridge(1.0))
    both = shares(left_over_both, products, n_sets)
    uncalibrated = shares(p_values, Ridge(1.0), n_sets, slope=0.7)
    own = shares(of_logistic, Ridge(1.0), few)
    known: list[tuple[str, float, int, str]] = [
        ("left-over, 44 columns, progressive", both["progressive"], n_sets, "yes"),
        ("left-over, 44 columns, naive (control)", both["naive"], n_sets, "no"),
        (
            "left-over, labels of slope 0.7",
            uncalibrated["left-over signal"],
            n_sets,
            "yes",
        ),
        *((f"{name}, logistic teacher", own[name], few, "any") for name in own),
    ]
    rows = []
    for name, share, n, should in known:
        low, high = band(n)
        rows.append(
            {
                "test": name,
                "sets": n,
                "rejected, nothing to find": f"{share:.1%}",
                "band": f"{low:.1%} to {high:.1%}",
                "within": "yes" if low <= share <= high else "no",
                "asked": should,
            }
        )
    return rows


def bounds(n_tables: int) -> list[Row]:
    """Return coverage and power of the bound on the distance to Bayes."""
    nodes, mass = np.polynomial.hermite_e.hermegauss(80)
    cases: list[tuple[str, float, float, float]] = [
        (f"{words}, student off by {by:g}", by, noise, 0.0)
        for words, noise in (("perfect teacher", 0.0), ("teacher of error 0.5", 0.5))
        for by in (0.0, 0.2, 0.5, 1.0)
        if by or noise
    ]
    cases.append(("teacher that saw the rows (control)", 0.0, 0.0, 0.1))
    rows = []
    for name, by, noise, leak in cases:
        gap = special.expit(nodes) - special.expit(nodes + by)
        distance = float(mass @ gap**2 / np.sqrt(2 * np.pi))
        found = [
            one_bound(np.random.default_rng(seed), by, noise, leak)
            for seed in np.random.SeedSequence(1).spawn(n_tables)
        ]
        each = np.array([[b.bound, b.teacher_gap] for b in found])
        rows.append(
            {
                "case": name,
                "true squared distance": f"{distance:.4f}",
                "mean bound": f"{each[:, 0].mean():.4f}",
                "covers": f"{(each[:, 0] <= distance).mean():.1%}",
                "positive": f"{(each[:, 0] > 0).mean():.1%}",
                "plain distance covers (control)": (
                    f"{(each[:, 1] <= distance + 1e-12).mean():.1%}"
                ),
            }
        )
    return rows


def one_bound(rng: np.random.Generator, by: float, noise: float, leak: float) -> Any:
    """Return the bound of one simulated table."""
    from semikd.inference import bayes_distance

    score = rng.normal(size=DISTANCE_ROWS)
    truth = special.expit(score)
    y = (rng.random(DISTANCE_ROWS) < truth).astype(int)
    teacher = special.expit(score + noise * rng.normal(size=DISTANCE_ROWS))
    return bayes_distance(y, special.expit(score + by), teacher + leak * (y - teacher))


def real(name: str, limit: int | None, figures: Any) -> list[Row]:
    """Return what is found on three teachers of a data set."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import BoostingTeacher, cross_fit
    from semikd.diagnostics import diagnose

    X, y = table(name, limit)
    teachers = {
        "boosting": BoostingTeacher(),
        "forest, fully grown": RandomForestClassifier(100, n_jobs=-1),
        "forest, depth 1": RandomForestClassifier(100, max_depth=1, n_jobs=-1),
    }
    rows = []
    for words, teacher in teachers.items():
        labels = cross_fit(teacher, X, y, n_repeats=2, new_rows="none", random_state=0)
        seen = cross_fit(teacher, X, y, cv="in-sample", random_state=0)
        before = time.perf_counter()
        found = diagnose(labels, X, y, in_sample=seen, random_state=0)
        seconds = time.perf_counter() - before
        print(f"\n{name}, {words}\n{found}", flush=True)
        if figures is not None:
            file = f"{name}-{words.replace(', ', '-').replace(' ', '-')}.png"
            found.plot().savefig(figures / file, dpi=110)
        rows.append(real_row(name, words, found, seconds))
    return rows


def real_row(name: str, words: str, found: Any, seconds: float) -> Row:
    """Return a diagnosis as one row of a table; a star marks what is shown."""
    return {
        "data": name,
        "teacher": words,
        "rows": f"{found.n_rows:,}",
        "optimism, nats": starred(found.optimism, ".4f", found.level),
        "slope": starred(found.calibration, ".3f", found.level),
        "left-over R2": starred(found.left_over, ".4f", found.level),
        "spread": f"{found.variance.details['spread']:.3f}",
        "left to gain by repeats, Brier": f"{found.variance.details['left_share']:.2%}",
        "seconds": f"{seconds:.1f}",
    }


def starred(finding: Any, form: str, level: float) -> str:
    """Return an estimate, with a star where the adjusted test rejects."""
    return f"{finding.estimate:{form}}{'*' if finding.shown(level) else ''}"


def main(options: argparse.Namespace) -> None:
    """Run every part and write the tables."""
    from sklearn.linear_model import Ridge

    n_sets = 20 if options.small else options.sets
    few = 3 if options.small else min(300, options.sets)
    names = ["fair"] if options.small else available(["adult", "magic"])
    limit = 600 if options.small else None
    if options.figures is not None:
        options.figures.mkdir(parents=True, exist_ok=True)
    tables = {
        "Level and power, ridge": levels(Ridge(1.0), n_sets, list(FAULTS)),
        "Level and power, default learner": levels(None, few, ["left-over signal"]),
        "Controls and teachers of the same rows": controls(n_sets, few),
        "Bound on the distance to Bayes": bounds(100 if options.small else 2000),
        "Real teachers (* shown at 5 %)": [
            row for name in names for row in real(name, limit, options.figures)
        ],
    }
    record: Row = {"environment": environment(), "tables": tables}
    report("diagnostics", options, record, tables)


if __name__ == "__main__":
    parser = parse(__doc__ or "")
    parser.add_argument("--sets", type=int, default=1000, help="simulated data sets")
    parser.add_argument("--figures", type=Path, help="folder for pictures")
    chosen = start(parser)
    main(chosen)
