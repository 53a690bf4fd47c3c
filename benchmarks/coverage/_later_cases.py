"""Added after the first run: several classes, clusters, weights, repeats, subgroups."""

from functools import cache, partial

import numpy as np
from _cells import FloatArray
from _comparison_cases import ARMS, differences, losses
from _processes import (
    FITS,
    SLOPES,
    Rows,
    clustered,
    labels_of,
    logistic,
    most_likely_of,
    population,
    student,
    teacher_of,
)
from _risk_cases import truth_of_student, truths
from _study import SIZES, TOGETHER, Case, Draw, inside, inside_all
from numpy.typing import NDArray
from scipy import special

# Scores of the second and third class over the first, and their constants.
SCORES = np.array([[0.8, -0.5, 0.0], [-0.4, 0.0, 0.6]])
LEVELS = np.array([0.0, 0.2])
CLUSTERS, GRIDS = (20, 60, 200), (20, 50)
MANY_CLUSTERS = 125_000
THETA = np.append(SLOPES, 0.0)


def three(n: int, seed: int) -> tuple[FloatArray, NDArray[np.intp], FloatArray]:
    """Return covariates, one of three classes, and its probabilities."""
    rng = np.random.default_rng([seed, n, 3])
    X = rng.normal(size=(n, 3))
    f = np.column_stack([np.zeros(n), X @ SCORES.T + LEVELS])
    p = special.softmax(f, axis=1)
    y = (rng.random(n)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    return X, y.astype(np.intp), p


def guess(X: FloatArray) -> FloatArray:
    """Return the probabilities of a fixed model of three classes, which is wrong."""
    f = np.column_stack([np.zeros(len(X)), 0.5 * X[:, 0], 0.4 * X[:, 2]])
    return np.asarray(special.softmax(f, axis=1))


@cache
def truth_of_guess() -> FloatArray:
    """Return its log-loss, Brier score and accuracy."""
    X, _, p = three(1_000_000, 7)
    q = guess(X)
    floored = (1.0 - 3e-3) * q + 1e-3
    loss = -(p * np.log(floored)).sum(axis=1)
    square = (floored**2).sum(axis=1)
    brier = 1.0 - 2.0 * (p * floored).sum(axis=1) + square
    right = p[np.arange(len(p)), q.argmax(axis=1)]
    return np.array([loss.mean(), brier.mean(), right.mean()])


def of_three(n: int, seed: int) -> Draw:
    """Return whether coefficients and risks of three classes hold."""
    from sklearn.linear_model import LogisticRegression

    from semikd import cross_fit
    from semikd.evaluation import risks
    from semikd.inference import likelihood_coefficients, log_odds_coefficients

    X, y, _ = three(n, seed)
    truth = np.column_stack([SCORES, LEVELS]).ravel()
    labels = cross_fit(LogisticRegression(), X, y, random_state=seed)
    likely = likelihood_coefficients(X, y, random_state=seed)
    nearest = log_odds_coefficients(labels, X, y, random_state=seed)
    metrics = ["log_loss", "brier", "accuracy"]
    found = risks(y, guess(X), metrics=metrics, random_state=seed)
    return {
        "three classes, likelihood: a slope": inside(likely, 0, truth[0]),
        "three classes, likelihood: all eight": inside_all(likely, truth),
        "three classes, log-odds: a slope": inside(nearest, 0, truth[0]),
        "three classes, log-odds: all eight": inside_all(nearest, truth),
        **{
            f"three classes, risk: {name}": inside(found, j, truth_of_guess()[j])
            for j, name in enumerate(metrics)
        },
    }


def grid(n: int, seed: int) -> tuple[Rows, NDArray[np.intp]]:
    """Return one row for each pair of two ways to cluster, which share their levels."""
    rng = np.random.default_rng([seed, n, 2])
    pairs = np.indices((n, n)).reshape(2, -1).T
    shared = [rng.normal(size=(2, n))[at][pairs[:, at]] for at in (0, 1)]
    level = [rng.normal(size=n)[pairs[:, at]] for at in (0, 1)]
    X = rng.normal(size=(len(pairs), 3))
    X[:, 0] = 0.5 * X[:, 0] + 0.6 * (shared[0] + shared[1])
    p = special.expit(X @ SLOPES + 0.5 * (level[0] + level[1]))
    y = (rng.random(len(p)) < p).astype(np.intp)
    return Rows(X, X[:, :0], y, p), pairs


@cache
def likely_on_grid() -> FloatArray:
    """Return the coefficients of largest likelihood of such pairs."""
    rng = np.random.default_rng(9)
    X = rng.normal(size=(1_000_000, 3))
    X[:, 0] *= np.sqrt(0.5**2 + 2 * 0.6**2)
    p = special.expit(X @ SLOPES + 0.5 * np.sqrt(2.0) * rng.normal(size=len(X)))
    return most_likely_of(Rows(X, X[:, :0], np.zeros(0, np.intp), p))


def two_ways(n: int, ignored: bool, seed: int) -> Draw:
    """Return whether a slope holds with two ways to cluster, or with one of them."""
    from semikd.inference import likelihood_coefficients

    rows, pairs = grid(n, seed)
    known = pairs[:, 0] if ignored else pairs
    found = likelihood_coefficients(rows.X, rows.y, clusters=known, random_state=seed)
    name = "one of two ways to cluster" if ignored else "two ways to cluster"
    return {f"likelihood, {name}: a slope": inside(found, 0, likely_on_grid()[0])}


@cache
def many_clusters() -> Rows:
    """Return rows that stand for the population of clusters."""
    return clustered(MANY_CLUSTERS, 6)[0]


def quarter(X: FloatArray) -> NDArray[np.intp]:
    """Return the leaf of each row, by the first column."""
    return np.digitize(X[:, 0], [-0.6, 0.0, 0.6])


@cache
def truths_of_clusters() -> dict[str, FloatArray]:
    """Return risks, a difference and leaves in the population of clusters."""
    rows = many_clusters()
    zero, one = (losses(rows.X, np.full(len(rows.p), j)) for j in (0, 1))
    mean = (1.0 - rows.p)[:, None] * zero + rows.p[:, None] * one
    leaf = quarter(rows.X)
    return {
        "risks": truths(rows.p, student(rows.X)),
        "differences": (mean[:, 1:] - mean[:, [0]]).mean(axis=0),
        "leaves": np.array([rows.p[leaf == at].mean() for at in range(4)]),
    }


def of_clusters(n_clusters: int, ignored: bool, seed: int) -> Draw:
    """Return whether risks, differences, shares and leaves hold of clusters."""
    from semikd import cross_fit
    from semikd.evaluation import risks
    from semikd.inference import (
        leaf_means,
        paired_differences,
        partly_labelled,
        powered_means,
    )

    rows, group = clustered(n_clusters, seed)
    truth, name = truths_of_clusters(), "ignored" if ignored else "known"
    known = None if ignored else group
    metrics = ["log_loss", "brier", "accuracy", "auc"]
    risk = risks(
        rows.y, student(rows.X), metrics=metrics, clusters=known, random_state=seed
    )
    apart = paired_differences(
        losses(rows.X, rows.y),
        names=ARMS,
        reference="a",
        clusters=known,
        random_state=seed,
    )
    leaf = leaf_means(
        quarter(rows.X), rows.y, classes=[0, 1], clusters=known, random_state=seed
    )
    found = {
        f"clusters {name}: {metric}": inside(risk, j, truth["risks"][j])
        for j, metric in enumerate(metrics)
    }
    found[f"clusters {name}: a difference"] = inside(apart, 0, truth["differences"][0])
    found[f"clusters {name}: a leaf"] = inside(leaf, 0, truth["leaves"][0])
    found[f"clusters {name}: all leaves"] = inside_all(leaf, truth["leaves"])
    more, others = clustered(4 * n_clusters, seed + 1_000_000)
    labels = cross_fit(
        teacher_of(FITS), rows.X, rows.y, groups=group, random_state=seed
    )
    partly = partly_labelled(
        labels,
        rows.X,
        rows.y,
        more.X,
        clusters=known,
        unlabelled_clusters=None if ignored else others,
    )
    held = inside(powered_means(partly, random_state=seed), 0, 0.5)
    return found | {f"clusters {name}: a share, unlabelled rows": held}


def sampled(n: int, seed: int) -> tuple[Rows, FloatArray]:
    """Return about n rows of a population, drawn by outcome and column, and weights."""
    rows = logistic(2 * n, seed)
    share = 0.2 + 0.4 * rows.y + 0.3 * (rows.X[:, 0] > 0)
    kept = np.random.default_rng([seed, n, 4]).random(2 * n) < share
    own = Rows(rows.X[kept], rows.noise[kept], rows.y[kept], rows.p[kept])
    return own, 1.0 / share[kept]


def weighted(n: int, ignored: bool, seed: int) -> Draw:
    """Return whether answers hold where rows are drawn with unequal shares."""
    from semikd import cross_fit
    from semikd.evaluation import risks
    from semikd.inference import (
        leaf_means,
        likelihood_coefficients,
        log_odds_coefficients,
        paired_differences,
    )

    rows, weight = sampled(n, seed)
    name, known = "ignored" if ignored else "known", None if ignored else weight
    own = {"sample_weight": known, "random_state": seed}
    metrics = ["log_loss", "brier", "accuracy", "auc"]
    risk = risks(rows.y, student(rows.X), metrics=metrics, **own)
    likely = likelihood_coefficients(rows.X, rows.y, **own)
    labels = cross_fit(teacher_of(FITS), rows.X, rows.y, **own)
    nearest = log_odds_coefficients(labels, rows.X, rows.y, **own)
    apart = paired_differences(losses(rows.X, rows.y), names=ARMS, reference="a", **own)
    leaf = leaf_means(quarter(rows.X), rows.y, classes=[0, 1], **own)
    return {
        **{
            f"sampling weights {name}: {metric}": inside(
                risk, j, truth_of_student(-1)[j]
            )
            for j, metric in enumerate(metrics)
        },
        f"sampling weights {name}: a constant, likelihood": inside(likely, 3, 0.0),
        f"sampling weights {name}: a constant, log-odds": inside(nearest, 3, 0.0),
        f"sampling weights {name}: a difference": inside(apart, 0, differences()[0, 0]),
        f"sampling weights {name}: a leaf": inside(leaf, 0, leaves()[0]),
        f"sampling weights {name}: all leaves": inside_all(leaf, leaves()),
    }


@cache
def leaves() -> FloatArray:
    """Return the probability in each leaf of the population of rows."""
    rows = population()
    leaf = quarter(rows.X)
    return np.array([rows.p[leaf == at].mean() for at in range(4)])


def shifted(n: int, ignored: bool, seed: int) -> Draw:
    """Return whether a share holds where labelled rows come from elsewhere."""
    from semikd.inference import partly_labelled, powered_means

    rng = np.random.default_rng([seed, n, 5])
    rows, more = logistic(3 * n, seed), logistic(4 * n, seed + 1_000_000)
    share = special.expit(-1.0 + rows.X[:, 0])
    kept = np.flatnonzero(rng.random(3 * n) < share)
    own = Rows(rows.X[kept], rows.noise[kept], rows.y[kept], rows.p[kept])
    labels = labels_of(FITS, own, 5, seed)
    weight = None if ignored else 1.0 / share[kept]
    partly = partly_labelled(labels, own.X, own.y, more.X, sample_weight=weight)
    name = "ignored" if ignored else "weighed"
    held = inside(powered_means(partly, random_state=seed), 0, 0.5)
    return {f"unlabelled rows, shift {name}: a share": held}


def repeated(n: int, seed: int) -> Draw:
    """Return whether log-odds of several cross-fits hold."""
    from semikd import cross_fit
    from semikd.inference import log_odds_coefficients

    rows = logistic(n, seed)
    labels = cross_fit(teacher_of(FITS), rows.X, rows.y, n_repeats=5, random_state=seed)
    found = log_odds_coefficients(labels, rows.X, rows.y, random_state=seed)
    return {
        "log-odds, five cross-fits: a slope": inside(found, 0, THETA[0]),
        "log-odds, five cross-fits: all four": inside_all(found, THETA),
    }


def group_of(X: FloatArray) -> NDArray[np.intp]:
    """Return the group of each row, from half of the rows to one in fifty."""
    return np.digitize(X[:, 1], [0.0, 1.0, 2.05])


@cache
def harms() -> FloatArray:
    """Return the differences in right answers by group and arm, in the population."""
    rows = population()
    said = arms_of(rows.X)
    right = {
        name: np.where(p[:, 1] > 0.5, rows.p, 1.0 - rows.p) for name, p in said.items()
    }
    group = group_of(rows.X)
    return np.array(
        [
            [(right[arm] - right["a"])[group == at].mean() for arm in ARMS[1:]]
            for at in range(4)
        ]
    )


def arms_of(X: FloatArray) -> dict[str, FloatArray]:
    """Return the probabilities of three fixed models."""
    said = [student(X), special.expit(X[:, 0] - 0.3 * X[:, 1]), special.expit(-X[:, 1])]
    return {
        name: np.column_stack([1.0 - p, p]) for name, p in zip(ARMS, said, strict=True)
    }


def subgroups(n: int, seed: int) -> Draw:
    """Return whether all limits of a report by subgroups hold."""
    from semikd.diagnostics import subgroup_report

    rows = logistic(n, seed)
    found = subgroup_report(
        rows.y,
        arms_of(rows.X),
        reference="a",
        groups=group_of(rows.X),
        random_state=seed,
    )
    held = []
    for j, arm in enumerate(ARMS[1:]):
        own = found.of(arm)
        for at, name in enumerate(own.index):
            truth = harms()[int(name), j]
            held.append(own["lower"].iloc[at] <= truth <= own["upper"].iloc[at])
    return {"subgroup report: all groups and arms": (bool(np.all(held)), TOGETHER)}


def cases() -> list[Case]:
    """Return the cells of this file."""
    found = [
        Case("three classes", {"n": n}, partial(of_three, n)) for n in (1000, 5000)
    ]
    found += [Case("two ways", {"grid": n}, partial(two_ways, n, False)) for n in GRIDS]
    found.append(
        Case("one of two ways", {"grid": 50}, partial(two_ways, 50, True), "control")
    )
    found += [
        Case("of clusters", {"clusters": n}, partial(of_clusters, n, False))
        for n in CLUSTERS
    ]
    found += [
        Case("weights", {"n": n}, partial(weighted, n, False)) for n in (300, 1000)
    ]
    found += [Case("shift", {"n": n}, partial(shifted, n, False)) for n in SIZES[:2]]
    found += [Case("repeats", {"n": n}, partial(repeated, n)) for n in SIZES[:2]]
    found += [Case("subgroups", {"n": n}, partial(subgroups, n)) for n in SIZES[:2]]
    controls = {
        "of clusters, ignored": ({"clusters": 60}, partial(of_clusters, 60, True)),
        "weights, ignored": ({"n": 1000}, partial(weighted, 1000, True)),
        "shift, ignored": ({"n": 1000}, partial(shifted, 1000, True)),
    }
    return found + [Case(k, s, d, "control") for k, (s, d) in controls.items()]
