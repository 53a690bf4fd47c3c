"""Labels of unlabelled rows: against ppi-python, definitions, and rows drawn anew."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from semikd import cross_fit, external_labels, model_labels
from semikd.crossfit.new_rows import copied_rows, labels_by_fold
from semikd.crossfit.rows import row_hashes
from semikd.evaluation import powered_risks, risks
from semikd.exceptions import SemikdWarning
from semikd.inference import (
    PartlyLabelled,
    likelihood_coefficients,
    partly_labelled,
    powered_coefficients,
    powered_means,
)
from semikd.inference.powered import LinearMoment
from semikd.inference.powered.multiples import best_multiples
from semikd.simplex import FloatArray

Codes = NDArray[np.intp]
ORACLE = json.loads((Path(__file__).parent / "oracles" / "ppi_python.json").read_text())
N = len(ORACLE["y"])
X_ALL = np.array(ORACLE["X"])
SAID = np.array(ORACLE["said"])
Y = np.array(ORACLE["y"], dtype=np.intp)


def external(**options: Any) -> PartlyLabelled:
    """Return the rows of the oracle, with its labels."""
    labels = external_labels(X_ALL[:N], SAID[:N], classes=[0, 1])
    more = external_labels(X_ALL[N:], SAID[N:], classes=[0, 1])
    return partly_labelled(labels, X_ALL[:N], Y, more, **options)


def table(n: int, seed: int) -> tuple[FloatArray, Codes, FloatArray]:
    """Return rows of three columns, outcomes and the Bayes probabilities."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    p = special.expit(1.5 * X[:, 0] + 2.0 * X[:, 1] - X[:, 2])
    return X, (rng.random(n) < p).astype(np.intp), p


@pytest.mark.parametrize("power", [0.0, 0.6, 1.0])
def test_means_and_models_are_those_of_ppi_python(power: float) -> None:
    oracle = ORACLE["found"][f"mean {power}"]
    found = powered_means(external(), power=power)
    np.testing.assert_allclose(found.estimate, oracle["estimate"], rtol=1e-12)
    weighed = powered_means(external(sample_weight=ORACLE["weights"]), power=power)
    np.testing.assert_allclose(weighed.estimate, oracle["weighed"], rtol=1e-12)
    model = powered_coefficients(external(), X_ALL[:N], X_ALL[N:], power=power)
    # ppi-python minimises by L-BFGS, which stops there.
    np.testing.assert_allclose(model.estimate, oracle["logistic"], atol=2e-6)
    # It divides by n and N where unbiased variances have n - 1 and N - 1.
    own = SAID[N:] * power
    parts = np.array([(Y - power * SAID[:N]).var() / N, own.var() / (len(own))])
    np.testing.assert_allclose(oracle["std_error"], np.sqrt(parts.sum()), rtol=1e-6)
    factors = np.array([N / (N - 1), len(own) / (len(own) - 1)])
    np.testing.assert_allclose(found.std_error, np.sqrt(parts @ factors), rtol=1e-12)


@pytest.mark.parametrize("clustered", [False, True])
def test_without_power_outcomes_alone_remain(clustered: bool) -> None:
    clusters = np.arange(N) // 3 if clustered else None
    rows = external(sample_weight=ORACLE["weights"], clusters=clusters)
    found = powered_coefficients(rows, X_ALL[:N], X_ALL[N:], power=0.0)
    alone = likelihood_coefficients(
        X_ALL[:N],
        Y,
        sample_weight=ORACLE["weights"],
        clusters=clusters,
        covariance="CRV1" if clustered else "HC1",
    )
    np.testing.assert_allclose(found.estimate, alone.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, alone.covariance, rtol=1e-8)
    np.testing.assert_allclose(found.conf_int(), alone.conf_int())
    np.testing.assert_allclose(found.gain.effective_n, N)
    p = special.expit(X_ALL @ [0.3, 0.3])
    losses = powered_risks(rows, p[:N], p[N:], power=0.0)
    classical = risks(
        Y,
        p[:N],
        metrics=losses.names,
        sample_weight=ORACLE["weights"],
        clusters=clusters,
    )
    np.testing.assert_allclose(losses.estimate, classical.estimate)
    np.testing.assert_allclose(losses.covariance, classical.covariance)


def test_the_multiple_has_the_least_variance() -> None:
    rows = external()
    grid = np.linspace(0.0, 1.0, 101)
    errors = [powered_means(rows, power=power).std_error[0] for power in grid]
    chosen = powered_means(rows)
    assert abs(chosen.gain.multiple[0] - grid[np.argmin(errors)]) < 0.05
    assert chosen.std_error[0] < 1.003 * min(errors)
    # Flat there, and not everywhere.
    assert min(errors) < 0.95 * errors[0]


def test_a_fold_has_no_part_in_its_own_multiple() -> None:
    fold = np.arange(N) % 4
    labels = external_labels(X_ALL[:N], SAID[:N], classes=[0, 1], fold=fold)
    more = external_labels(X_ALL[N:], SAID[N:], classes=[0, 1])

    def by_fold(y: Codes) -> FloatArray:
        rows = partly_labelled(labels, X_ALL[:N], y, more)
        moment = LinearMoment(rows, np.eye(2), np.eye(2))
        # Centred by all outcomes, whose mean the change below keeps.
        return best_multiples(moment.at(moment.start), rows)[0][:, 0]

    changed = Y.copy()
    rng = np.random.default_rng(0)
    changed[fold == 2] = rng.permutation(changed[fold == 2])
    before, after = by_fold(Y), by_fold(changed)
    assert before[2] == pytest.approx(after[2], abs=1e-12)
    assert (np.abs(before - after)[[0, 1, 3]] > 1e-6).all()


def test_labels_count_by_what_they_tell_apart() -> None:
    """A constant more in every label is nothing; labels of no use are left out."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    said, more = y + rng.normal(size=200), 2.0 * rng.normal(size=1000)
    X = np.arange(1200.0)[:, None]

    def mean(own: FloatArray, other: FloatArray) -> Any:
        more = external_labels(X[200:], other)
        return powered_means(
            partly_labelled(external_labels(X[:200], own), X[:200], y, more)
        )

    found, shifted = mean(said, more), mean(said + 7.0, more + 7.0)
    np.testing.assert_allclose(found.estimate, shifted.estimate)
    np.testing.assert_allclose(found.covariance, shifted.covariance)
    assert found.gain.effective_n[0] > 250
    against = mean(-said, -more)
    np.testing.assert_allclose(against.estimate, y.mean())
    assert against.gain.multiple[0] == 0.0
    constant = mean(np.zeros(200), np.zeros(1000))
    np.testing.assert_allclose(constant.std_error, y.std(ddof=1) / np.sqrt(200))


def test_covariance_is_that_of_units_which_both_share() -> None:
    clusters, others = np.arange(N) % 30, np.arange(len(SAID) - N) % 50
    rows = external(clusters=clusters, unlabelled_clusters=others)
    found = powered_means(rows, power=0.7)
    own, other = Y - 0.7 * SAID[:N], 0.7 * SAID[N:]
    own, other = (own - own.mean()) / N, (other - other.mean()) / len(other)
    total = sum(
        (
            np.sqrt(30 / 29) * own[clusters == g].sum()
            + np.sqrt(50 / 49) * other[others == g].sum()
        )
        ** 2
        for g in range(50)
    )
    np.testing.assert_allclose(found.covariance, [[total]])
    parts = [
        30 / 29 * sum(own[clusters == g].sum() ** 2 for g in range(30)),
        50 / 49 * sum(other[others == g].sum() ** 2 for g in range(50)),
    ]
    welch = sum(parts) ** 2 / (parts[0] ** 2 / 29 + parts[1] ** 2 / 49)
    np.testing.assert_allclose(found.law.df, welch)
    assert "30 clusters of 120 rows" in found.summary()


def test_repeats_are_averaged() -> None:
    X, y, _ = table(400, 3)
    labels = cross_fit(
        LogisticRegression(), X[:150], y[:150], n_repeats=2, random_state=0
    )
    both = powered_means(partly_labelled(labels, X[:150], y[:150], X[150:]), power=1.0)
    each = []
    for r in range(2):
        said = np.empty((150, 2))
        correction = 0.0
        for t, teacher in enumerate(labels.teachers[r]):
            held = labels.fold[r] == t
            said[held] = teacher.predict_proba(X[:150][held])
            correction += held.mean() * teacher.predict_proba(X[150:])[:, 1].mean()
        each.append(y[:150].mean() - said[:, 1].mean() + correction)
    np.testing.assert_allclose(both.estimate, np.mean(each))


def test_copies_of_labelled_rows_are_labelled_by_who_did_not_see_them() -> None:
    X, y, _ = table(100, 6)
    labels = cross_fit(LogisticRegression(), X[:50], y[:50], random_state=0)
    like = copied_rows(labels, row_hashes(X))
    assert like.tolist() == [*range(50), *[-1] * 50]
    (found,) = labels_by_fold(labels, X, like)
    np.testing.assert_allclose(found[:, :50], np.stack([labels.mean] * 5))
    each = [teacher.predict_proba(X[50:]) for teacher in labels.teachers[0]]
    np.testing.assert_allclose(found[:, 50:], each)
    model = model_labels(LogisticRegression().fit(X, y), X[:50])
    assert labels_by_fold(model, X)[0].shape == (1, 100, 2)


def test_clusters_of_both_are_labelled_by_who_saw_none_of_them() -> None:
    """Teachers that saw a cluster know its rows; without care that is a bias."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 10)
    X = np.column_stack([rng.normal(size=60)[group], rng.normal(size=600)])
    y = (rng.random(600) < special.expit(2.0 * rng.normal(size=60)[group])).astype(int)
    own, other = np.arange(600) % 10 < 4, np.arange(600) % 10 >= 4
    forest = RandomForestClassifier(30, random_state=0)
    labels = cross_fit(forest, X[own], y[own], groups=group[own], random_state=0)
    rows = partly_labelled(
        labels,
        X[own],
        y[own],
        X[other],
        clusters=group[own],
        unlabelled_clusters=group[other],
    )
    held = {g: labels.fold[0][group[own] == g][0] for g in range(60)}
    for j, g in enumerate(group[other]):
        teacher = labels.teachers[0][held[g]]
        wanted = teacher.predict_proba(X[other][[j]])[0]
        np.testing.assert_allclose(rows.unlabelled[0][:, j], np.stack([wanted] * 5))
    apart = cross_fit(forest, X[own], y[own], random_state=0)
    with pytest.raises(ValueError, match="clusters must each lie in one fold; got 60"):
        partly_labelled(apart, X[own], y[own], X[other], clusters=group[own])


def test_shared_clusters_do_not_widen_intervals() -> None:
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        level = rng.normal(size=60)
        own, other = np.repeat(np.arange(60), 5), np.repeat(np.arange(60), 20)
        said = level[own] + rng.normal(size=300), level[other] + rng.normal(size=1200)
        y = said[0] + rng.normal(size=300)
        X = np.arange(1500.0)[:, None]
        rows = partly_labelled(
            external_labels(X[:300], said[0]),
            X[:300],
            y,
            external_labels(X[300:], said[1]),
            clusters=own,
            unlabelled_clusters=other,
        )
        found = powered_means(rows)
        ratios.append(found.std_error[0] / np.sqrt(found.gain.variance_label_only[0]))
    # One table errs by 4 %. Blind to what both share, the mean would be 1.06.
    assert np.mean(ratios) < 1.01


def test_few_unlabelled_units_are_few() -> None:
    """Two clusters of 250 unlabelled rows: one degree of freedom for their part."""
    with pytest.raises(ValueError, match="unlabelled must hold two clusters"):
        external(clusters=np.arange(N), unlabelled_clusters=np.full(500, 1000))
    two = 1000 + np.arange(500) % 2
    rows = external(clusters=np.arange(N), unlabelled_clusters=two)
    found = powered_means(rows, power=1.0)
    own = (Y - SAID[:N]).var(ddof=1) / N
    means = np.array([SAID[N:][two == g].mean() for g in (1000, 1001)])
    other = means.var(ddof=1) / 2
    np.testing.assert_allclose(found.covariance, own + other)
    welch = (own + other) ** 2 / (own**2 / (N - 1) + other**2)
    np.testing.assert_allclose(found.law.df, welch)
    weight = np.zeros(500)
    weight[:3] = 1.0
    few = external(unlabelled_weight=weight)
    assert few.n_unlabelled == 3
    assert "497 here, are no part" in powered_means(few).summary()
    with pytest.raises(ValueError, match="unlabelled must hold two rows"):
        external(unlabelled_weight=np.eye(500)[0])


def test_planned_labels_return_to_the_rows_that_there_are() -> None:
    rng = np.random.default_rng(0)
    given: list[dict[str, Any]] = [
        {},
        {"unlabelled_weight": np.exp(2.0 * rng.normal(size=500))},
        {"clusters": np.arange(N), "unlabelled_clusters": 1000 + np.arange(500) % 40},
    ]
    for options in given:
        found = powered_means(external(**options))
        half = stats.norm.ppf(0.975) * found.std_error[0]
        needed = found.gain.labels_needed(half)["powered"].iloc[0]
        assert abs(needed - N) < 0.06 * N, options
        assert found.gain.effective_n[0] < 1.02 * found.gain.most[0]


def test_labelled_rows_among_the_unlabelled_are_noticed() -> None:
    X, y, _ = table(200, 2)
    labels = cross_fit(LogisticRegression(), X[:80], y[:80], random_state=0)
    with pytest.warns(SemikdWarning, match="80 of the 80 labelled rows stand among"):
        partly_labelled(labels, X[:80], y[:80], X)


def test_rows_without_label_are_told_of() -> None:
    said = SAID[:N].copy()
    said[:7] = np.nan
    labels = external_labels(X_ALL[:N], said, classes=[0, 1])
    more = external_labels(X_ALL[N:], SAID[N:], classes=[0, 1])
    rows = partly_labelled(labels, X_ALL[:N], Y, more)
    assert rows.n_labelled == N - 7
    assert "7 here, are no part" in powered_means(rows).summary()
    only = np.where(Y == 1, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"y must hold rows of every class .* class 0"):
        partly_labelled(labels, X_ALL[:N], Y, more, sample_weight=only)


def test_coefficients_are_no_less_exact_on_average() -> None:
    """60 tables of 100 labelled rows with labels of no use."""
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(600, 1))
        y = (rng.random(600) < special.expit(X[:, 0])).astype(np.intp)
        said = rng.uniform(0.2, 0.8, 600)
        labels = external_labels(X[:100], said[:100], classes=[0, 1])
        more = external_labels(X[100:], said[100:], classes=[0, 1])
        rows = partly_labelled(labels, X[:100], y[:100], more)
        found = powered_coefficients(rows, X[:100], X[100:])
        ratios.append(np.sqrt(100.0 / found.gain.effective_n))
    assert np.mean(ratios) < 1.01


def test_skewed_columns_and_full_power_have_an_estimate() -> None:
    """Convex problems, each compared with a minimiser."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = np.exp(rng.normal(size=(3060, 1)))
        y = (rng.random(3060) < special.expit(X[:, 0] - 1.0)).astype(np.intp)
        said = special.expit(X[:, 0] - 1.2)
        labels = external_labels(X[:60], said[:60], classes=[0, 1])
        more = external_labels(X[60:], said[60:], classes=[0, 1])
        rows = partly_labelled(labels, X[:60], y[:60], more)
        found = powered_coefficients(rows, X[:60], X[60:], power=1.0)
        design = np.column_stack([X, np.ones(len(X))])

        def slope(b: FloatArray) -> FloatArray:
            p = special.expit(design @ b)  # noqa: B023 - called at once
            left = design.T * (said - p)  # noqa: B023
            own = design[:60].T @ (y[:60] - said[:60]) / 60  # noqa: B023
            return np.asarray(left[:, 60:].mean(axis=1) + own)

        assert np.abs(slope(found.estimate)).max() < 1e-7


def test_three_classes_stand_against_the_reference() -> None:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(900, 2))
    p = special.softmax(X @ rng.normal(size=(2, 3)), axis=1)
    names = np.array(["a", "b", "c"])
    y = names[(rng.random((900, 1)) > p.cumsum(axis=1)).sum(axis=1)]
    labels = cross_fit(LogisticRegression(), X[:300], y[:300], random_state=0)
    rows = partly_labelled(labels, X[:300], y[:300], X[300:])
    found = powered_coefficients(rows, X[:300], X[300:], reference="b", random_state=0)
    assert found.names[0] == "a: x0"
    alone = likelihood_coefficients(X[:300], y[:300], reference="b")
    everything = likelihood_coefficients(X, y, reference="b")
    assert (np.abs(found.estimate - alone.estimate) < 3 * alone.std_error).all()
    # With its own labels of the same form nothing is learned that outcomes lack.
    assert (np.abs(found.estimate - everything.estimate) < 4 * alone.std_error).all()
    shares = powered_means(rows, random_state=0)
    assert shares.names == ("a", "b", "c")
    np.testing.assert_allclose(shares.estimate.sum(), 1.0, atol=0.02)
    fitted = found.fitted(X[:2])
    assert len(fitted) == 6


def test_planned_labels_are_the_fewest_that_suffice() -> None:
    gain = powered_means(external()).gain
    spread = N * gain.variance_label_only[0]
    z = stats.norm.ppf(0.975)

    def width(n: int, rho: float, more: int) -> float:
        return float(z * np.sqrt(spread / n * (1 - rho**2 * more / (more + n))))

    found = gain.labels_needed(0.05, n_unlabelled=2000).iloc[0]
    for needed, rho in (
        (found["label_only"], 0.0),
        (found["powered"], gain.correlation[0]),
    ):
        assert width(int(needed), rho, 2000) <= 0.05
        assert width(int(needed) - 1, rho, 2000) > 0.05
    assert found["powered"] < found["label_only"]


def test_the_most_is_the_efficiency_bound_of_labels_that_are_true() -> None:
    X, y, p = table(60_000, 4)
    n = 20_000
    labels = external_labels(X[:n], p[:n], classes=[0, 1])
    more = external_labels(X[n:], p[n:], classes=[0, 1])
    gain = powered_means(partly_labelled(labels, X[:n], y[:n], more)).gain
    share = 1.0 - (p * (1 - p)).mean() / (p.mean() * (1 - p.mean()))
    bound = n / (1.0 - share * 2.0 / 3.0)
    np.testing.assert_allclose(gain.most, bound, rtol=0.02)
    np.testing.assert_allclose(gain.effective_n, bound, rtol=0.03)
    assert f"{n:,} labelled ones worth: 1 {gain.effective_n[0]:,.0f}" in str(gain)


def test_intervals_are_as_narrow_as_theory_allows() -> None:
    """40 processes of known correlation; a mean gain of 93 % would be found.

    The gain of a single table has a standard deviation of about 5 %.
    """
    gains = []
    for seed in range(40):
        X, y, p = table(4000, 100 + seed)
        said = special.expit(0.6 * special.logit(p) + 0.5)
        labels = external_labels(X[:500], said[:500], classes=[0, 1])
        more = external_labels(X[500:], said[500:], classes=[0, 1])
        found = powered_means(partly_labelled(labels, X[:500], y[:500], more))
        alone = np.sqrt(found.gain.variance_label_only[0])
        gains.append(1.0 - found.std_error[0] / alone)
    _, y, p = table(1_000_000, 99)
    said = special.expit(0.6 * special.logit(p) + 0.5)
    rho = np.corrcoef(y, said)[0, 1]
    most = 1.0 - np.sqrt(1.0 - rho**2 * 3500 / 4000)
    assert 0.95 * most <= np.mean(gains) <= 1.05 * most


def test_useless_labels_never_widen_beyond_noise() -> None:
    ratios = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y, said = (rng.random(200) < 0.4).astype(np.intp), rng.random(1200)
        X = np.arange(1200.0)[:, None]
        labels = external_labels(X[:200], said[:200], classes=[0, 1])
        more = external_labels(X[200:], said[200:], classes=[0, 1])
        found = powered_means(partly_labelled(labels, X[:200], y, more))
        ratios.append(found.std_error[0] / np.sqrt(found.gain.variance_label_only[0]))
    assert max(ratios) < 1.02
    assert np.mean(ratios) < 1.005


def test_weights_turn_one_population_into_another() -> None:
    """Labelled rows lean to large x0, which the teacher lacks; known odds undo it."""
    off: dict[str, list[float]] = {"weighed": [], "not": []}
    model = LogisticRegression()
    for seed in range(20):
        X, y, _ = table(6000, 300 + seed)
        lean = special.expit(X[:, 0])
        rng = np.random.default_rng(seed)
        chosen = rng.random(6000) < 0.5 * lean
        own, other = np.flatnonzero(chosen), np.flatnonzero(~chosen)
        labels = cross_fit(model, X[own, 1:], y[own], random_state=0)
        weights = {
            "weighed": (1.0 / lean[own], 1.0 / (1.0 - 0.5 * lean[other])),
            "not": (None, None),
        }
        for name, (w, v) in weights.items():
            rows = partly_labelled(
                labels,
                X[own, 1:],
                y[own],
                X[other, 1:],
                sample_weight=w,
                unlabelled_weight=v,
            )
            found = powered_means(rows)
            off[name].append((found.estimate[0] - 0.5) / found.std_error[0])
    assert abs(np.mean(off["weighed"])) < 4 / np.sqrt(20)
    assert abs(np.mean(off["not"])) > 4 / np.sqrt(20)


def test_numbers_have_means_too() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    y = 3.0 + X @ [1.0, 2.0] + rng.normal(size=2000)
    labels = cross_fit(LinearRegression(), X[:200], y[:200], random_state=0)
    rows = partly_labelled(labels, X[:200], y[:200], X[200:])
    found = powered_means(rows)
    assert found.names == ("output 0",)
    assert abs(found.estimate[0] - 3.0) < 4 * found.std_error[0]
    # Of a variance of 6 the columns tell 5.
    bound = 200 / (1 - 5 / 6 * 0.9)
    np.testing.assert_allclose(found.gain.effective_n, bound, rtol=0.25)
    with pytest.raises(ValueError, match="rows must have labels of classes"):
        powered_coefficients(rows, X[:200], X[200:])
    with pytest.raises(ValueError, match="rows must have labels of classes"):
        powered_risks(rows, np.full(200, 0.5), np.full(1800, 0.5))


def band(n: int) -> tuple[int, int]:
    """Return what a 95 % interval leaves once in 10,000 studies, either way."""
    law = stats.binom(n, 0.95)
    return int(law.ppf(0.5e-4)), int(law.ppf(1 - 0.5e-4))


@pytest.mark.slow
def test_intervals_cover_unless_labels_saw_the_rows() -> None:
    """500 tables, 250 rows labelled of 1,500; 0.90 would be found with 84 % power.

    Negative control: a forest that saw the labelled rows, said not to.
    """
    X, y, _ = table(1_000_000, 77)
    student = special.expit(X[:, 0])
    slope = likelihood_coefficients(X[:, :1], y).estimate
    loss = risks(y, student, metrics=["log_loss"]).estimate
    truth = {"share": np.array([0.5]), "slope": slope, "loss": loss}
    hits = dict.fromkeys((*truth, "seen"), 0)
    n_tables, n = 500, 250
    for seed in range(n_tables):
        X, y, _ = table(1500, 1000 + seed)
        labels = cross_fit(LogisticRegression(), X[:n], y[:n], random_state=seed)
        rows = partly_labelled(labels, X[:n], y[:n], X[n:])
        p = special.expit(X[:, 0])
        found = {
            "share": powered_means(rows),
            "slope": powered_coefficients(rows, X[:n, :1], X[n:, :1]),
            "loss": powered_risks(rows, p[:n], p[n:], metrics=["log_loss"]),
        }
        forest = RandomForestClassifier(20, random_state=0).fit(X[:n], y[:n])
        own, more = (forest.predict_proba(each) for each in (X[:n], X[n:]))
        seen = external_labels(X[:n], own, classes=[0, 1])
        other = external_labels(X[n:], more, classes=[0, 1])
        wrong = powered_risks(
            partly_labelled(seen, X[:n], y[:n], other),
            p[:n],
            p[n:],
            metrics=["log_loss"],
        )
        for name, each in found.items():
            low, high = each.conf_int()[0]
            hits[name] += bool(low < truth[name][0] < high)
        low, high = wrong.conf_int()[0]
        hits["seen"] += bool(low < loss[0] < high)
    low, high = band(n_tables)
    for name in truth:
        assert low <= hits[name] <= high, (name, hits)
    assert hits["seen"] < low, hits


def wrong_calls() -> list[tuple[Callable[[], Any], str]]:
    """Return what is refused, with the words."""
    X, y, p = table(300, 0)
    n = 100
    own, outcome = X[:n], y[:n]
    model = LogisticRegression()
    labels = cross_fit(model, own, outcome, random_state=0)
    seen = cross_fit(model, own, outcome, cv="in-sample", random_state=0)
    refit = cross_fit(model, own, outcome, new_rows="refit", random_state=0)
    other = external_labels(X[n:], p[n:], classes=["no", "yes"])
    rows = partly_labelled(labels, own, outcome, X[n:])
    return [
        (lambda: partly_labelled(seen, own, outcome, X[n:]), "did not see the rows"),
        (lambda: partly_labelled(refit, own, outcome, X[n:]), "teachers must be kept"),
        (lambda: partly_labelled(labels, own[::-1], outcome, X[n:]), "another order"),
        (lambda: partly_labelled(labels, own, outcome, X[n:, :2]), "have shape"),
        *(
            (
                lambda empty=empty: partly_labelled(labels, own, outcome, empty),
                r"unlabelled must hold two rows or more; got none\. Without such rows",
            )
            for empty in (X[:0], [])
        ),
        (
            lambda: partly_labelled(labels, own, outcome, X[n : n + 1]),
            "unlabelled must hold two rows",
        ),
        (lambda: partly_labelled(labels, own, outcome, other), "outputs of labels"),
        (
            lambda: partly_labelled(
                labels, own, outcome, X[n:], unlabelled_clusters=np.arange(200)
            ),
            "clusters must stand beside",
        ),
        (
            lambda: partly_labelled(
                labels, own, outcome, X[n:], unlabelled_weight=np.zeros(200)
            ),
            "unlabelled_weight must have a positive sum",
        ),
        (lambda: powered_means(rows, power=1.5), "power must"),
        (lambda: powered_means(rows, level=0.0), "level must lie"),
        (lambda: powered_coefficients(rows, own[:50], X[n:]), "X must have 100 rows"),
        (
            lambda: powered_coefficients(rows, own, X[n:, :1]),
            "unlabelled must have the columns",
        ),
        (
            lambda: powered_coefficients(rows, own, X[n:250]),
            "unlabelled must have 200 rows",
        ),
        (
            lambda: powered_risks(rows, p[:n], p[n:], metrics=["auc"]),
            "metrics must be one of",
        ),
        (lambda: powered_risks(rows, p[:n], 3 * p[n:]), "unlabelled must hold prob"),
        (lambda: rows_gain(rows).labels_needed(0.0), "half_width must be positive"),
        (lambda: rows_gain(rows).labels_needed(1e-200), "half_width must be positive"),
        (lambda: partly_labelled(labels, own, outcome, None), "unlabelled must be a t"),
        (lambda: powered_means(labels), "rows must be PartlyLabelled"),
        (
            lambda: powered_risks(rows, p[:n], p[n:], metrics=["brier", "brier"]),
            "metrics must be all different",
        ),
        (
            lambda: partly_labelled(
                labels, own, outcome, X[n:], clusters=np.zeros(n, dtype=int)
            ),
            "y must hold two clusters",
        ),
        (
            lambda: partly_labelled(labels, own, outcome, seen),
            "unlabelled must be of teachers that did not see",
        ),
    ]


def rows_gain(rows: PartlyLabelled) -> Any:
    """Return the gain of means."""
    return powered_means(rows).gain


@pytest.mark.parametrize(("call", "words"), wrong_calls())
def test_what_cannot_be_used_is_refused(call: Callable[[], Any], words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        call()


def test_lists_are_tables() -> None:
    X, y, _ = table(60, 9)
    labels = cross_fit(LogisticRegression(), X[:20], y[:20], random_state=0)
    as_arrays = partly_labelled(labels, X[:20], y[:20], X[20:])
    as_lists = partly_labelled(
        labels, X[:20].tolist(), y[:20].tolist(), X[20:].tolist()
    )
    found, same = powered_means(as_arrays), powered_means(as_lists)
    np.testing.assert_allclose(found.estimate, same.estimate)


def test_clusters_that_declared_folds_divide_are_refused_too() -> None:
    labels = external_labels(X_ALL[:N], SAID[:N], classes=[0, 1], fold=np.arange(N) % 4)
    more = external_labels(X_ALL[N:], SAID[N:], classes=[0, 1])
    with pytest.raises(ValueError, match="clusters must each lie in one fold"):
        partly_labelled(labels, X_ALL[:N], Y, more, clusters=np.arange(N) // 3)
