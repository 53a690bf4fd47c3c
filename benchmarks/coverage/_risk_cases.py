"""Risks of a fixed model, of the average fold model, and calibration."""

from functools import cache, partial

import numpy as np
from _cells import FloatArray
from _processes import (
    OVER,
    POPULATION,
    TEACHERS,
    fresh,
    labels_of,
    logistic,
    population,
    student,
)
from _study import BOUND, FOLDS, SIZES, Case, Draw, inside, inside_all
from scipy import special

METRICS = ("log_loss", "brier", "accuracy", "auc")
BINS, FLOOR = 15, 1e-3


def truths(p: FloatArray, said: FloatArray) -> FloatArray:
    """Return the risks of probabilities where the Bayes probabilities are known."""
    value, which = np.unique(said, return_inverse=True)
    ones, zeros = np.bincount(which, p), np.bincount(which, 1.0 - p)
    # The floor is part of both losses.
    q = (1.0 - 2.0 * FLOOR) * value + FLOOR
    losses = -ones @ np.log(q) - zeros @ np.log1p(-q)
    brier = 2.0 * (ones @ (1.0 - q) ** 2 + zeros @ q**2)
    right = np.where(value > 0.5, ones, zeros).sum()
    # A positive is above all negatives of lower scores, and half of those of its own.
    above = ones @ (np.cumsum(zeros) - zeros / 2)
    means = np.array([losses, brier, right]) / len(p)
    return np.append(means, above / (ones.sum() * zeros.sum()))


@cache
def truth_of_student(part: int) -> FloatArray:
    """Return the risks of the fixed model, in a third of the rows or, at -1, in all."""
    rows = population()
    mine = slice(None) if part < 0 else third(rows.X) == part
    return truths(rows.p[mine], student(rows.X[mine]))


def third(X: FloatArray) -> FloatArray:
    """Return the part of each row by its second column."""
    return np.asarray(np.searchsorted([-0.43, 0.43], X[:, 1]))


@cache
def slope_of_student() -> float:
    """Return the calibration slope of the fixed model."""
    from semikd.evaluation.recalibration import fit_recalibration

    rows = population()
    said = student(rows.X)
    logs = np.log(np.column_stack([1.0 - said, said]))
    p = np.column_stack([1.0 - rows.p, rows.p])
    return float(fit_recalibration(logs, p, np.ones(POPULATION))[0])


def fixed(n: int, seed: int) -> Draw:
    """Return whether the risks of a fixed model hold."""
    from semikd.evaluation import risks

    rows = logistic(n, seed)
    said, truth = student(rows.X), truth_of_student(-1)
    metrics = [*METRICS, "calibration_slope"]
    found = risks(rows.y, said, metrics=metrics, random_state=seed)
    parts = risks(
        rows.y, said, metrics=["brier"], groups=third(rows.X), random_state=seed
    )
    every = [truth_of_student(part)[1] for part in (-1, 0, 1, 2)]
    return {
        **{
            f"risk of a model: {name}": inside(found, j, truth[j])
            for j, name in enumerate(METRICS)
        },
        "risk of a model: calibration slope": inside(found, 4, slope_of_student()),
        "risk of a model: brier in groups, together": inside_all(parts, every),
    }


def of_folds(n: int, folds: int, teacher: str, seed: int) -> Draw:
    """Return whether the risks of the average fold model hold."""
    from semikd.evaluation import risks

    rows, judge = logistic(n, seed), fresh()
    labels = labels_of(teacher, rows, folds, seed)
    found = risks(rows.y, labels, metrics=METRICS, random_state=seed)
    table = judge.read_by(teacher)
    each = [
        truths(judge.p, model.predict_proba(table)[:, 1])
        for model in labels.teachers[0]
    ]
    share = np.bincount(labels.fold[0]) / n
    truth = share @ np.array(each)
    return {
        f"risk of fold models: {name}": inside(found, j, truth[j])
        for j, name in enumerate(METRICS)
    }


def pooled(n: int, folds: int, seed: int) -> Draw:
    """Return what becomes of an AUC whose scores of several teachers are pooled."""
    from semikd.evaluation import risks

    rows, judge = logistic(n, seed), fresh()
    labels = labels_of(OVER, rows, folds, seed)
    found = risks(rows.y, labels.mean[:, 1], metrics=["auc"], random_state=seed)
    table = judge.read_by(OVER)
    each = [
        truths(judge.p, model.predict_proba(table)[:, 1])[3]
        for model in labels.teachers[0]
    ]
    truth = float(np.bincount(labels.fold[0]) / n @ np.array(each))
    return {"risk of fold models: auc, scores pooled": inside(found, 0, truth)}


@cache
def binned_error(sure: float) -> float:
    """Return the squared calibration error of both classes in equal bins."""
    rows = population()
    odds = special.logit(rows.p)
    order = np.argsort(odds)
    gap = (rows.p - special.expit(sure * odds))[order]
    each = [part.mean() ** 2 for part in np.array_split(gap, BINS)]
    return 2.0 * float(np.mean(each))


def calibration(n: int, sure: float, seed: int) -> Draw:
    """Return whether the bound of the squared calibration error holds."""
    from semikd.evaluation import squared_calibration_error

    rows = logistic(n, seed)
    said = special.expit(sure * special.logit(rows.p))
    found = squared_calibration_error(rows.y, said, n_bins=BINS)
    held = bool(found.upper_bound()[0] >= binned_error(sure))
    return {"squared calibration error": (held, BOUND)}


def taken_for_a_bound(n: int, seed: int) -> Draw:
    """Return what becomes of the plain estimate as a bound."""
    from semikd.evaluation import squared_calibration_error

    rows = logistic(n, seed)
    said = special.expit(1.5 * special.logit(rows.p))
    found = squared_calibration_error(rows.y, said, n_bins=BINS)
    held = bool(found.estimate[0] >= binned_error(1.5))
    return {"squared calibration error: estimate as a bound": (held, BOUND)}


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [Case("risk of a model", {"n": n}, partial(fixed, n)) for n in SIZES]
    found += [
        Case(
            "risk of fold models",
            {"n": n, "folds": k, "teacher": t},
            partial(of_folds, n, k, t),
        )
        for t in TEACHERS
        for k in FOLDS
        for n in SIZES
    ]
    found.append(
        Case(
            "pooled scores",
            {"n": 300, "folds": 10},
            partial(pooled, 300, 10),
            "control",
        )
    )
    found += [
        Case("calibration", {"n": n, "sure": sure}, partial(calibration, n, sure))
        for sure in (1.0, 1.5)
        for n in SIZES
    ]
    plain = partial(taken_for_a_bound, 1000)
    found.append(Case("calibration, no bound", {"n": 1000}, plain, "control"))
    return found
