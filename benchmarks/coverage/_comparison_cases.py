"""Differences of models and of procedures, the best of several, distance to Bayes."""

from functools import cache, partial

import numpy as np
from _cells import FloatArray
from _processes import FITS, UNDER, labels_of, logistic, population, student
from _study import BOUND, SIZES, TOGETHER, Case, Draw, inside, inside_all
from numpy.typing import NDArray
from scipy import special

ARMS = ("a", "b", "c")


def losses(X: FloatArray, y: NDArray[np.intp]) -> FloatArray:
    """Return the log-losses of three fixed models."""
    said = [
        student(X),
        special.expit(X[:, 0] - 0.3 * X[:, 1]),
        special.expit(0.2 * X[:, 0]),
    ]
    return np.column_stack([-np.log(np.where(y == 1, p, 1.0 - p)) for p in said])


def parts(X: FloatArray) -> NDArray[np.intp]:
    """Return the group of each row, by the second column."""
    return np.digitize(X[:, 1], [-0.5, 0.5])


@cache
def differences() -> FloatArray:
    """Return their differences from the first in the population, and in its groups."""
    rows = population()
    zero, one = (losses(rows.X, np.full(len(rows.p), j)) for j in (0, 1))
    means = (1.0 - rows.p)[:, None] * zero + rows.p[:, None] * one
    gaps, group = means[:, 1:] - means[:, [0]], parts(rows.X)
    return np.array([gaps.mean(0), *(gaps[group == at].mean(0) for at in range(3))])


def of_models(n: int, seed: int) -> Draw:
    """Return whether differences of fixed models hold, in all and by group."""
    from semikd.inference import paired_differences

    rows, truth = logistic(n, seed), differences()
    table, group = losses(rows.X, rows.y), parts(rows.X)
    compared = partial(paired_differences, names=ARMS, reference="a", random_state=seed)
    found, by_group = compared(table), compared(table, groups=group)
    return {
        "difference of models: one": inside(found, 0, truth[0, 0]),
        "difference of models: all together": inside_all(found, truth[0]),
        "difference of models: one in a group": inside(by_group, 2, truth[1, 0]),
        "difference of models: groups together": inside_all(by_group, truth.ravel()),
    }


def ungrouped(n: int, seed: int) -> Draw:
    """Return what becomes of a group that the whole is taken for."""
    from semikd.inference import paired_differences

    rows = logistic(n, seed)
    table = losses(rows.X, rows.y)
    found = paired_differences(table, names=ARMS, reference="a", random_state=seed)
    truth = float(differences()[1, 0])
    return {"difference of models: all for a group": inside(found, 0, truth)}


def unpaired(n: int, seed: int) -> Draw:
    """Return what becomes of a difference whose rows are not paired."""
    from semikd.inference import paired_differences

    rows = logistic(n, seed)
    table = losses(rows.X, rows.y)
    table[:, 1] = np.random.default_rng(seed).permutation(table[:, 1])
    found = paired_differences(table, names=ARMS, reference="a", random_state=seed)
    truth = float(differences()[0, 0])
    return {"difference of models: rows exchanged": inside(found, 0, truth)}


def refits(n_refits: int, n: int, seed: int, *, once: bool = False) -> Draw:
    """Return whether a difference of procedures holds, over refits and rows."""
    from semikd.inference import crossed_differences, paired_differences

    rng = np.random.default_rng([seed, n])
    row = rng.gamma(1.0, 0.3, size=(1, n, 1)) * np.array([1.0, 1.3])
    refit = 0.05 * rng.normal(size=(n_refits, 1, 2))
    table = row + refit + 0.2 * rng.normal(size=(n_refits, n, 2))
    truth = 0.3 * 0.3
    if once:
        found = paired_differences(
            table[0], names=ARMS[:2], reference="a", random_state=seed
        )
        held = inside(found, 0, truth)
        return {"difference of procedures: one refit, taken for all": held}
    both = crossed_differences(table, names=ARMS[:2], reference="a", random_state=seed)
    return {"difference of procedures": inside(both, 0, truth)}


def best_of(n: int, seed: int) -> Draw:
    """Return whether a confidence set holds the best, alone and one of three equals."""
    from semikd.inference import model_confidence_set

    rng = np.random.default_rng([seed, n])
    hard = rng.gamma(1.0, 0.5, size=(n, 1))
    means = np.array([0.0, 0.0, 0.0, 0.05, 0.2])
    table = hard + means + 0.3 * rng.normal(size=(n, 5))
    names = ("a", "b", "c", "d", "e")
    found = model_confidence_set(table, names=names, n_draws=999, random_state=seed)
    held = {"a", "b", "c"} <= set(found.kept)
    return {"model confidence set of the best three": (held, TOGETHER)}


def sequence(n: int, seed: int) -> Draw:
    """Return whether a fixed sequence rejects no hypothesis that is true."""
    from semikd.inference import fixed_sequence, paired_differences

    rng = np.random.default_rng([seed, n])
    # The second is worse by the margin, so that non-inferiority is false there.
    means = np.array([0.0, 0.0, 0.05, 0.1])
    table = rng.gamma(1.0, 0.5, size=(n, 1)) + means + 0.3 * rng.normal(size=(n, 4))
    names = ("teacher", "128", "32", "8")
    found = paired_differences(
        table, names=names, reference="teacher", random_state=seed
    )
    tested = fixed_sequence(found, margin=0.05)
    held = not {"32", "8"} & set(tested.rejected)
    return {"fixed sequence, no false rejection": (held, TOGETHER)}


@cache
def distance() -> float:
    """Return the squared distance of the fixed model to the Bayes probabilities."""
    rows = population()
    return float(np.mean((rows.p - student(rows.X)) ** 2))


def to_bayes(n: int, seen: bool, seed: int) -> Draw:
    """Return whether the bounds of the distance to Bayes hold."""
    from sklearn.ensemble import RandomForestClassifier

    from semikd.inference import bayes_distance

    rows = logistic(n, seed)
    f = student(rows.X)
    if seen:
        forest = RandomForestClassifier(20, random_state=seed).fit(rows.X, rows.y)
        found = bayes_distance(rows.y, f, forest.predict_proba(rows.X)[:, 1])
        held = found.bound <= distance()
        return {"distance to Bayes, teacher saw the rows": (held, BOUND)}
    p = {kind: labels_of(kind, rows, 5, seed).mean[:, 1] for kind in (FITS, UNDER)}
    alone = bayes_distance(rows.y, f, p[FITS])
    several = bayes_distance(rows.y, f, p, random_state=seed)
    return {
        "distance to Bayes": (alone.bound <= distance(), BOUND),
        "distance to Bayes, two teachers": (several.bound <= distance(), BOUND),
    }


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [Case("models", {"n": n}, partial(of_models, n)) for n in SIZES]
    found.append(
        Case("models unpaired", {"n": 1000}, partial(unpaired, 1000), "control")
    )
    found.append(
        Case("models ungrouped", {"n": 1000}, partial(ungrouped, 1000), "control")
    )
    found += [
        Case("procedures", {"refits": r, "n": n}, partial(refits, r, n))
        for r in (3, 10)
        for n in (300, 1000)
    ]
    once = partial(refits, 3, 1000, once=True)
    found.append(Case("procedures once", {"n": 1000}, once, "control"))
    for n in SIZES:
        found.append(Case("confidence set", {"n": n}, partial(best_of, n)))
        found.append(Case("fixed sequence", {"n": n}, partial(sequence, n)))
        found.append(Case("distance to Bayes", {"n": n}, partial(to_bayes, n, False)))
    seen = partial(to_bayes, 1000, True)
    found.append(Case("distance to Bayes, seen", {"n": 1000}, seen, "control"))
    return found
