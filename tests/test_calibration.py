"""Calibration: slopes by statsmodels, bounds by brute force and by simulation."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import special, stats
from sklearn.linear_model import LogisticRegression

from semikd import cross_fit
from semikd.evaluation import risks, squared_calibration_error
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray

Codes = NDArray[np.intp]


def table(n: int, seed: int, *, sure: float = 1.0) -> tuple[Codes, FloatArray]:
    """Return outcomes, and probabilities whose log-odds are too large by a factor."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=n)
    y = (rng.random(n) < special.expit(odds)).astype(np.intp)
    return y, special.expit(sure * odds)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_slope_is_that_of_a_logistic_regression(clustered: bool) -> None:
    y, p = table(400, 0, sure=2.0)
    clusters = np.arange(400) // 4 if clustered else None
    found = risks(y, p, metrics=["calibration_slope"], clusters=clusters)
    design = sm.add_constant(special.logit(p))
    how: dict[str, Any] = {"cov_type": "HC0"}
    if clustered:
        options = {"groups": clusters, "use_correction": False}
        how = {"cov_type": "cluster", "cov_kwds": options}
    oracle = sm.Logit(y, design).fit(disp=0, **how)
    np.testing.assert_allclose(found.estimate, oracle.params[1], rtol=1e-6)
    units = 100 if clustered else 400
    factor = np.sqrt(units / (units - 1))
    np.testing.assert_allclose(found.std_error, factor * oracle.bse[1], rtol=1e-6)
    assert found.law.df.tolist() == [units - 2.0]
    low, high = found.conf_int()[0]
    assert low < 0.5 < high < 1.0


def test_a_slope_of_three_classes_and_of_groups() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(size=(3000, 3))
    truth = special.softmax(odds, axis=1)
    y = (rng.random((3000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    timid = special.softmax(0.5 * odds, axis=1)
    group = np.arange(3000) % 2
    found = risks(
        y, timid, metrics=["calibration_slope", "brier"], groups=group, random_state=0
    )
    slopes = found.estimate[[0, 2, 4]]
    np.testing.assert_allclose(slopes, 2.0, atol=0.4)
    alone = risks(y[group == 1], timid[group == 1], metrics=["calibration_slope"])
    np.testing.assert_allclose(slopes[2], alone.estimate[0])
    np.testing.assert_allclose(found.std_error[4], alone.std_error[0])


@pytest.mark.parametrize(
    ("y", "p", "words"),
    [
        (np.arange(20) % 2, np.full(20, 0.5), "p must vary for a calibration slope"),
        (np.arange(20) % 2, np.full(20, 0.3), "p must vary for a calibration slope"),
        (
            np.arange(10) // 5,
            np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.4, 0.5, 0.6, 0.7, 0.8]),
            "leave a calibration slope",
        ),
        (np.arange(20) // 10, np.linspace(0.1, 0.9, 20), "leave a calibration slope"),
    ],
)
def test_a_slope_that_is_none_is_refused(y: Codes, p: FloatArray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        risks(y, p, metrics=["calibration_slope"])


def by_definition(
    y: Codes, p: FloatArray, bins: Codes, w: FloatArray, units: Codes
) -> float:
    """Return both classes' squared error in given bins, pair by pair."""
    r, total = y - p, 0.0
    for b in np.unique(bins):
        product, pairs = 0.0, 0.0
        at = np.flatnonzero(bins == b)
        for i in at:
            for j in at:
                if units[i] != units[j]:
                    product += w[i] * w[j] * r[i] * r[j]
                    pairs += w[i] * w[j]
        total += w[at].sum() * product / pairs
    return 2.0 * total / w.sum()


@pytest.mark.parametrize("clustered", [False, True])
def test_estimate_and_error_are_those_of_the_definition(clustered: bool) -> None:
    y, p = table(60, 3, sure=3.0)
    rng = np.random.default_rng(0)
    w = rng.uniform(0.5, 2.0, 60)
    units = rng.permutation(60) % 20 if clustered else np.arange(60)
    bins = np.argsort(np.argsort(p)) * 4 // 60
    found = squared_calibration_error(
        y, p, n_bins=4, sample_weight=w, clusters=units if clustered else None
    )
    np.testing.assert_allclose(found.estimate, by_definition(y, p, bins, w, units))
    without = []
    for g in np.unique(units):
        kept = units != g
        parts = y[kept], p[kept], bins[kept], w[kept], units[kept]
        without.append(by_definition(*parts))
    n = len(without)
    error = np.sqrt((n - 1) / n * ((without - np.mean(without)) ** 2).sum())
    noise = 0.0
    for b in range(4):
        sums = [(w * (y - p))[(bins == b) & (units == g)].sum() for g in range(60)]
        mass = np.array([w[(bins == b) & (units == g)].sum() for g in range(60)])
        both = np.outer(sums, sums) ** 2
        pairs = mass.sum() ** 2 - (mass**2).sum()
        factor = (mass.sum() / pairs) ** 2
        noise += 2.0 * factor * (both.sum() - np.trace(both))
    # Both classes are one number twice.
    error = max(error, 2.0 * np.sqrt(noise) / w.sum())
    np.testing.assert_allclose(found.std_error, error)
    half = stats.t.ppf(0.95, n - 1) * error
    upper = found.estimate + half + half**2 / 4.0 / np.maximum(found.estimate, half)
    np.testing.assert_allclose(found.conf_int(), [[-np.inf, upper[0]]])


def test_groups_repeats_and_order() -> None:
    y, p = table(900, 4, sure=2.0)
    group = np.arange(900) % 3
    found = squared_calibration_error(y, p, groups=group)
    alone = squared_calibration_error(y[group == 2], p[group == 2])
    np.testing.assert_allclose(found.estimate[3], alone.estimate[0])
    np.testing.assert_allclose(found.std_error[3], alone.std_error[0])
    order = np.random.default_rng(0).permutation(900)
    tied = p.round(1)
    np.testing.assert_allclose(
        squared_calibration_error(y, tied).estimate,
        squared_calibration_error(y[order], tied[order]).estimate,
    )
    X = np.random.default_rng(2).normal(size=(900, 2))
    labels = cross_fit(LogisticRegression(), X, y, n_repeats=2, random_state=0)
    each = [squared_calibration_error(y, own[:, 1]) for own in labels.prediction]
    both = squared_calibration_error(y, labels)
    np.testing.assert_allclose(
        both.estimate, np.mean([one.estimate for one in each], axis=0)
    )
    assert "mean squared calibration error (in 15 bins) of the fold" in both.estimand


def test_labels_that_saw_the_rows_are_refused() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(np.intp)
    seen = cross_fit(LogisticRegression(), X, y, cv="in-sample", random_state=0)
    with pytest.raises(ValueError, match="did not see the rows"):
        squared_calibration_error(y, seen)
    with pytest.raises(ValueError, match="n_bins"):
        squared_calibration_error(y, np.full(60, 0.5), n_bins=0)
    with pytest.raises(ValueError, match="groups must hold 5 rows each"):
        squared_calibration_error(y, np.full(60, 0.5), groups=np.arange(60))


@pytest.mark.slow
def test_the_estimate_is_unbiased_and_the_bound_holds() -> None:
    """1,000 tables of 500 rows; a bound that holds 0.91 would be found with 92 %.

    Negative controls: squares of the same row left in, whose mean is far off, and
    the estimate itself taken for a bound.
    """
    n_tables, least = 1000, stats.binom(1000, 0.95).ppf(1e-4)
    for sure in (1.0, 1.3, 3.0):
        y, p = table(2_000_000, 99, sure=sure)
        truth = squared_calibration_error(y, p).estimate[0]
        estimates, naive, held = np.empty(n_tables), np.empty(n_tables), 0
        for seed in range(n_tables):
            y, p = table(500, seed, sure=sure)
            found = squared_calibration_error(y, p)
            estimates[seed] = found.estimate[0]
            held += bool(found.upper_bound()[0] >= truth)
            bins = np.argsort(np.argsort(p)) * 15 // 500
            gaps = np.bincount(bins, y - p) / np.bincount(bins)
            naive[seed] = 2.0 * (np.bincount(bins) * gaps**2).sum() / 500
        error = estimates.std(ddof=1) / np.sqrt(n_tables)
        assert abs(estimates.mean() - truth) < 4 * error, sure
        assert abs(naive.mean() - truth) > 4 * error, sure
        assert held >= least, (sure, held)
        assert (estimates >= truth).sum() < least, sure


def test_there_are_no_more_bins_than_rows_can_fill() -> None:
    """A model that says the reverse, in far more bins than rows."""
    rng = np.random.default_rng(0)
    p = rng.random(500)
    y = (rng.random(500) < 1.0 - p).astype(np.intp)
    few = squared_calibration_error(y, p, n_bins=100)
    many = squared_calibration_error(y, p, n_bins=1000)
    np.testing.assert_allclose(few.estimate, many.estimate)
    assert many.upper_bound()[0] > 0.5
    clusters = np.argsort(np.argsort(p)) // 20
    together = squared_calibration_error(y, p, clusters=clusters)
    assert together.upper_bound()[0] > 0.3


def test_rare_classes_are_warned_of_and_bounds_are_not_negative() -> None:
    y = (np.arange(500) < 5).astype(np.intp)
    p = np.random.default_rng(1).uniform(0.005, 0.015, 500)
    with pytest.warns(SemikdWarning, match="A class has 5 outcomes"):
        found = squared_calibration_error(y, p)
    assert found.upper_bound()[0] >= 0.0
    frame = found.to_frame()
    assert list(frame) == ["estimate", "std_error", "upper", "upper_simultaneous"]
    assert "95 % upper bounds, alone" in found.summary()


def test_probabilities_that_name_every_outcome_are_warned_of() -> None:
    y = np.arange(200) // 3 % 2
    with pytest.warns(SemikdWarning, match="no width: every row says the") as caught:
        found = squared_calibration_error(y, y.astype(float))
    assert found.upper_bound().tolist() == [0.0]
    assert [each.filename for each in caught] == [__file__]
    group, p = np.arange(200) % 2, np.where(y == 1, 0.8, 0.2)
    right = np.where(group == 1, y, p)
    with pytest.warns(SemikdWarning, match=r"1 of 3 .*\(first: .*, group 1\)"):
        squared_calibration_error(y, right, groups=group)


def test_a_cluster_of_most_rows_is_warned_of() -> None:
    y, p = table(500, 3)
    clusters = np.maximum(np.arange(500) - 449, 0)
    with pytest.warns(SemikdWarning, match=r"51 clusters.* worth 1\.2"):
        squared_calibration_error(y, p, clusters=clusters)
    weights = np.r_[1e6, np.ones(499)]
    with pytest.warns(SemikdWarning, match=r"500 rows.* worth 1\.0"):
        squared_calibration_error(y, p, sample_weight=weights)
