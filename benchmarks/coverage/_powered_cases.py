"""Unlabelled rows: shares, slopes and risks by outcomes of one row in five."""

from functools import cache, partial

import numpy as np
from _processes import (
    TEACHERS,
    Rows,
    labels_of,
    logistic,
    most_likely_of,
    population,
    student,
)
from _risk_cases import truth_of_student
from _study import FOLDS, SIZES, Case, Draw, inside


def first(rows: Rows, n: int) -> tuple[Rows, Rows]:
    """Return the labelled rows and the others."""
    return (
        Rows(rows.X[:n], rows.noise[:n], rows.y[:n], rows.p[:n]),
        Rows(rows.X[n:], rows.noise[n:], rows.y[n:], rows.p[n:]),
    )


def powered(n: int, folds: int, teacher: str, seed: int) -> Draw:
    """Return whether shares, slopes and risks hold."""
    from semikd.evaluation import powered_risks
    from semikd.inference import partly_labelled, powered_coefficients, powered_means

    own, more = first(logistic(5 * n, seed), n)
    labels = labels_of(teacher, own, folds, seed)
    rows = partly_labelled(labels, own.read_by(teacher), own.y, more.read_by(teacher))
    slope = powered_coefficients(rows, own.X[:, :1], more.X[:, :1], random_state=seed)
    loss = powered_risks(rows, student(own.X), student(more.X), random_state=seed)
    return {
        "unlabelled rows: a share": inside(powered_means(rows), 0, 0.5),
        "unlabelled rows: a slope": inside(slope, 0, alone()),
        "unlabelled rows: a log-loss": inside(loss, 0, truth_of_student(-1)[0]),
    }


def of_numbers(n: int, folds: int, seed: int) -> Draw:
    """Return whether a slope of least squares holds, that of a normal column: 1."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd import cross_fit
    from semikd.inference import partly_labelled, powered_regression

    rng = np.random.default_rng([seed, n])
    X = rng.normal(size=(5 * n, 2))
    y = X[:n, 0] + X[:n, 0] ** 2 + 2.0 * X[:n, 1] + rng.normal(size=n)
    tree = DecisionTreeRegressor(max_leaf_nodes=16, random_state=0)
    labels = cross_fit(tree, X[:n], y, cv=folds, random_state=seed)
    rows = partly_labelled(labels, X[:n], y, X[n:])
    found = powered_regression(rows, X[:n, :1], X[n:, :1], random_state=seed)
    return {"unlabelled rows: a slope of numbers": inside(found, 0, 1.0)}


@cache
def alone() -> float:
    """Return the slope of largest likelihood of the first column alone."""
    rows = population()
    narrow = Rows(rows.X[:, :1], rows.noise, rows.y, rows.p)
    return float(most_likely_of(narrow)[0])


def seen(n: int, seed: int) -> Draw:
    """Return what labels of a forest that saw the labelled rows do."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd import external_labels
    from semikd.evaluation import powered_risks
    from semikd.inference import partly_labelled

    own, more = first(logistic(5 * n, seed), n)
    forest = RandomForestClassifier(20, random_state=seed).fit(own.X, own.y)
    labels, others = (
        external_labels(rows.X, forest.predict_proba(rows.X), classes=[0, 1])
        for rows in (own, more)
    )
    rows = partly_labelled(labels, own.X, own.y, others)
    loss = powered_risks(rows, student(own.X), student(more.X), random_state=seed)
    held = inside(loss, 0, truth_of_student(-1)[0])
    return {"unlabelled rows: a log-loss, labels saw the rows": held}


def unstable(n: int, folds: int, seed: int) -> Draw:
    """Return what a teacher that a single row can overturn does."""
    from sklearn.tree import DecisionTreeClassifier

    from semikd import cross_fit
    from semikd.inference import partly_labelled, powered_means

    own, more = first(logistic(5 * n, seed), n)
    tree = DecisionTreeClassifier(random_state=0)
    labels = cross_fit(tree, own.X, own.y, cv=folds, random_state=seed)
    found = powered_means(partly_labelled(labels, own.X, own.y, more.X), power=1.0)
    return {"unlabelled rows: a share, unstable teacher": inside(found, 0, 0.5)}


def heavy(n: int, seed: int) -> Draw:
    """Return what outcomes without a variance do."""
    from sklearn.linear_model import LinearRegression

    from semikd import cross_fit
    from semikd.inference import partly_labelled, powered_means

    rng = np.random.default_rng([seed, n])
    X = rng.normal(size=(5 * n, 2))
    y = X[:, 0] + rng.pareto(1.5, 5 * n) - 2.0
    labels = cross_fit(LinearRegression(), X[:n], y[:n], random_state=seed)
    found = powered_means(partly_labelled(labels, X[:n], y[:n], X[n:]))
    return {"unlabelled rows: a mean, heavy tails": inside(found, 0, 0.0)}


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [
        Case(
            "unlabelled rows",
            {"n": n, "folds": k, "teacher": t},
            partial(powered, n, k, t),
        )
        for t in TEACHERS
        for k in FOLDS
        for n in SIZES
    ]
    found += [
        Case(
            "unlabelled rows, numbers",
            {"n": n, "folds": k},
            partial(of_numbers, n, k),
        )
        for k in FOLDS
        for n in SIZES
    ]
    found += [
        Case("unlabelled rows, seen", {"n": 300}, partial(seen, 300), "control"),
        Case(
            "unlabelled rows, unstable",
            {"n": 300, "folds": 10},
            partial(unstable, 300, 10),
            "failure",
        ),
        Case("unlabelled rows, heavy", {"n": 1000}, partial(heavy, 1000), "failure"),
    ]
    return found
