"""Coefficients: nearest to the Bayes log-odds, and of largest likelihood."""

import warnings
from functools import cache, partial
from typing import Any

import numpy as np
from _cells import FloatArray, Row
from _processes import (
    FITS,
    OVER,
    SLOPES,
    TEACHERS,
    UNDER,
    clustered,
    labels_of,
    logistic,
    most_likely_of,
    population,
)
from _study import (
    FOLDS,
    INTERVAL,
    SHOWN,
    SIZES,
    TOGETHER,
    Case,
    Draw,
    inside,
    inside_all,
)
from scipy import special

BENT = 0.4
POPULATION_OF_CLUSTERS = 250_000
THETA = np.append(SLOPES, 0.0)


def log_odds(n: int, folds: int, teacher: str, seed: int) -> Draw:
    """Return whether intervals of the nearest log-odds hold, and a warning came."""
    from semikd.inference import log_odds_coefficients

    rows = logistic(n, seed)
    options: Row = {"teacher_rows": rows.read_by(teacher), "random_state": seed}
    if teacher == UNDER:
        options["second"] = labels_of(FITS, rows, folds, seed)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        labels = labels_of(teacher, rows, folds, seed)
        found = log_odds_coefficients(labels, rows.X, rows.y, **options)
    warned = any("teachers disagree" in str(each.message) for each in heard)
    return {
        "log-odds: a slope": inside(found, 0, THETA[0]),
        "log-odds: a slope that is 0": inside(found, 2, THETA[2]),
        "log-odds: all four": inside_all(found, THETA),
        "(warned)": (warned, SHOWN),
    }


def log_odds_seen(n: int, seed: int) -> Draw:
    """Return what labels of a forest that saw the rows do to it."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import external_labels
    from semikd.inference import log_odds_coefficients

    rows = logistic(n, seed)
    forest = RandomForestClassifier(20, random_state=seed).fit(rows.X, rows.y)
    seen = external_labels(rows.X, forest.predict_proba(rows.X), classes=[0, 1])
    found = log_odds_coefficients(seen, rows.X, rows.y, random_state=seed)
    return {"log-odds: a slope, labels saw the rows": inside(found, 0, THETA[0])}


def log_odds_uncorrected(n: int, seed: int) -> Draw:
    """Return what is left without a correction, with a teacher that under-fits."""
    from semikd.inference.designs import made_design
    from semikd.inference.sandwiches import sandwich_of

    rows = logistic(n, seed)
    said = labels_of(UNDER, rows, 5, seed).mean[:, 1]
    design = made_design(rows.X, rows.y)
    equation = design.regression(special.logit(np.clip(said, 1e-3, 0.999))[:, None])
    units = design.columns.to_units()
    covariance, _ = sandwich_of(equation)
    error = np.sqrt(np.diag(units @ covariance @ units.T))[0]
    slope = (units @ equation.estimate.ravel())[0]
    held = bool(abs(slope - THETA[0]) < 1.96 * error)
    return {"log-odds: a slope, no correction": (held, INTERVAL)}


@cache
def most_likely(bend: float) -> FloatArray:
    """Return the coefficients of largest likelihood in the population."""
    return most_likely_of(population(bend)) if bend else THETA


def likelihood(n: int, bend: float, seed: int) -> Draw:
    """Return whether coefficients, bands and effects of a logistic model hold."""
    from semikd.inference import likelihood_coefficients

    rows, theta = logistic(n, seed, bend=bend), most_likely(bend)
    found = likelihood_coefficients(rows.X, rows.y, random_state=seed)
    at = np.random.default_rng(0).normal(size=(20, 3))
    truth = special.expit(at @ theta[:3] + theta[3])
    alone, together = (found.fitted(at, kind=k) for k in ("interval", "simultaneous"))
    held = [
        ((band["lower"] < truth) & (truth < band["upper"])).to_numpy()
        for band in (alone, together)
    ]
    p = special.expit(rows.X @ theta[:3] + theta[3])
    effect = (p * (1.0 - p)).mean() * theta[0]
    name = "likelihood" if not bend else "likelihood, form wrong"
    return {
        f"{name}: a slope": inside(found, 0, theta[0]),
        f"{name}: all four": inside_all(found, theta),
        f"{name}: a probability": (bool(held[0][0]), INTERVAL),
        f"{name}: 20 probabilities": (bool(held[1].all()), TOGETHER),
        f"{name}: an effect": inside(found.marginal_effects(rows.X), 0, effect),
        f"{name}: a contrast": inside(
            found.contrast([[1.0, 1.0, 0.0, 0.0]], ["sum"]), 0, theta[0] + theta[1]
        ),
    }


@cache
def most_likely_of_clusters() -> FloatArray:
    """Return the coefficients of largest likelihood where rows come in clusters."""
    return most_likely_of(clustered(POPULATION_OF_CLUSTERS, 5)[0])


def likelihood_of_clusters(n_clusters: int, ignored: bool, seed: int) -> Draw:
    """Return whether a slope holds where rows come in clusters."""
    from semikd.inference import likelihood_coefficients

    rows, group = clustered(n_clusters, seed)
    known: Any = None if ignored else group
    found = likelihood_coefficients(rows.X, rows.y, clusters=known, random_state=seed)
    name = "clusters ignored" if ignored else "clusters"
    theta = most_likely_of_clusters()
    return {f"likelihood, {name}: a slope": inside(found, 0, theta[0])}


def promised(n: int, folds: int, teacher: str) -> bool:
    """Return whether the teacher's squared error is small beside a standard error.

    That of a logistic regression is about its coefficients over its rows.
    """
    coefficients = {OVER: 21, FITS: 4, UNDER: np.inf}[teacher]
    return bool(coefficients / (n * (1.0 - 1.0 / folds)) < 0.5 / np.sqrt(n))


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [
        Case(
            "log-odds",
            {"n": n, "folds": k, "teacher": t},
            partial(log_odds, n, k, t),
            "" if promised(n, k, t) else "failure",
        )
        for t in TEACHERS
        for k in FOLDS
        for n in SIZES
    ]
    found += [
        Case("log-odds, control", {"n": 1000}, partial(log_odds_seen, 1000), "control"),
        Case(
            "log-odds, uncorrected",
            {"n": 1000, "teacher": UNDER},
            partial(log_odds_uncorrected, 1000),
            "control",
        ),
    ]
    for bend in (0.0, BENT):
        found += [
            Case("likelihood", {"n": n, "bend": bend}, partial(likelihood, n, bend))
            for n in SIZES
        ]
    for n in (10, 60, 200):
        declared = "failure" if n == 10 else ""
        work = partial(likelihood_of_clusters, n, False)
        found.append(Case("likelihood of clusters", {"clusters": n}, work, declared))
    ignored = partial(likelihood_of_clusters, 60, True)
    found.append(Case("clusters ignored", {"clusters": 60}, ignored, "control"))
    return found
