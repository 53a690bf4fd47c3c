"""Means in leaves against classical intervals, and what a leaf of one class says."""

from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

from semikd.exceptions import SemikdWarning
from semikd.inference import leaf_means

FloatArray = NDArray[np.float64]
N, L = 240, 4


@pytest.fixture(scope="module")
def leaf() -> NDArray[np.intp]:
    return np.random.default_rng(0).choice([3, 5, 8, 9], size=N, p=[0.1, 0.2, 0.3, 0.4])


@pytest.fixture(scope="module")
def x(leaf: NDArray[np.intp]) -> FloatArray:
    return leaf + np.random.default_rng(1).normal(size=N) * leaf


def dummies(leaf: NDArray[np.intp]) -> FloatArray:
    """Return one column for each leaf."""
    return (leaf[:, None] == np.unique(leaf)).astype(float)


def test_intervals_of_means_are_those_of_the_t_test(
    leaf: NDArray[np.intp], x: FloatArray
) -> None:
    found = leaf_means(leaf, x, random_state=0)
    assert found.leaves == (3, 5, 8, 9)
    assert found.names[0] == "leaf 3"
    assert found.n_rows.tolist() == [np.sum(leaf == own) for own in found.leaves]
    for at, own in enumerate(found.leaves):
        theirs = stats.ttest_1samp(x[leaf == own], 0.0).confidence_interval(0.95)
        np.testing.assert_allclose(found.conf_int()[at], [theirs.low, theirs.high])


def test_covariances_are_those_of_a_regression_on_leaves(
    leaf: NDArray[np.intp], x: FloatArray
) -> None:
    # HC2 divides by 1 - 1 / n in a leaf of n rows, which is its factor n / (n - 1).
    oracle = sm.OLS(x, dummies(leaf)).fit(cov_type="HC2")
    found = leaf_means(leaf, x, random_state=0)
    np.testing.assert_allclose(found.covariance, oracle.cov_params(), atol=1e-12)


def test_weights_and_clusters_are_those_of_a_regression_on_leaves(
    leaf: NDArray[np.intp], x: FloatArray
) -> None:
    rng = np.random.default_rng(2)
    weights, clusters = rng.uniform(1.0, 2.0, size=N), rng.integers(30, size=N)
    found = leaf_means(leaf, x, sample_weight=weights, clusters=clusters)
    kwds = {"groups": clusters, "use_correction": False}
    model = sm.WLS(x, dummies(leaf), weights=weights)
    oracle = model.fit(cov_type="cluster", cov_kwds=kwds)
    units = [len(np.unique(clusters[leaf == own])) for own in found.leaves]
    assert found.n_units.tolist() == units
    factor = np.sqrt(np.divide(units, np.subtract(units, 1)))
    np.testing.assert_allclose(found.estimate, oracle.params)
    np.testing.assert_allclose(
        found.covariance, oracle.cov_params() * np.outer(factor, factor)
    )
    assert found.law.share @ found.law.df == pytest.approx(np.subtract(units, 1))


def test_probabilities_of_rows_that_weigh_alike_have_the_interval_of_wilson(
    leaf: NDArray[np.intp], x: FloatArray
) -> None:
    y = np.where(x > 5, "yes", "no")
    found = leaf_means(leaf, y, classes=["no", "yes"], random_state=0)
    twos = leaf_means(
        leaf, y, classes=["yes", "no"], sample_weight=np.full(N, 2.0), random_state=0
    )
    np.testing.assert_allclose(twos.conf_int(), found.conf_int())
    for at, own in enumerate(found.leaves):
        hits, n = np.sum(y[leaf == own] == "yes"), np.sum(leaf == own)
        theirs = proportion_confint(hits, n, method="wilson")
        np.testing.assert_allclose(found.conf_int()[at], theirs)
        p = found.p_values(0.3)[at]
        score = (hits / n - 0.3) / np.sqrt(0.3 * 0.7 / n)
        assert p == pytest.approx(2 * stats.norm.sf(abs(score)))
    assert found.estimand == "probability of class yes in each leaf"
    together = found.conf_int(kind="simultaneous")
    assert (together[:, 0] <= found.conf_int()[:, 0]).all()
    assert (together[:, 1] >= found.conf_int()[:, 1]).all()
    # Leaves are independent: max-T is the correction of Sidak.
    alpha = 1 - 0.95 ** (1 / L)
    theirs = proportion_confint(hits, n, alpha=alpha, method="beta")
    np.testing.assert_allclose(together[-1], theirs, atol=0.004)


@pytest.mark.slow
def test_all_intervals_of_nearly_pure_leaves_hold_together() -> None:
    """400 tables of 8 leaves; 0.90 would be found with 95 %. Wilson's hold in half."""
    leaf, n_tables, held, wilson = np.repeat(np.arange(8), 20), 400, 0, 0
    z = stats.norm.isf((1 - 0.95 ** (1 / 8)) / 2)
    for seed in range(n_tables):
        y = (np.random.default_rng(seed).random(160) < 0.005).astype(int)
        found = leaf_means(leaf, y, classes=[0, 1], random_state=seed)
        low, high = found.conf_int(kind="simultaneous").T
        held += ((low <= 0.005) & (high >= 0.005)).all()
        hits = y.reshape(8, 20).sum(axis=1)
        ends = proportion_confint(hits, 20, alpha=2 * stats.norm.sf(z), method="wilson")
        wilson += ((ends[0] <= 0.005) & (ends[1] >= 0.005)).all()
    least = stats.binom(n_tables, 0.95).ppf(1e-4)
    assert held >= least
    assert wilson < least


def test_bounds_at_even_odds_are_the_estimates(leaf: NDArray[np.intp]) -> None:
    found = leaf_means(leaf, np.zeros(N, dtype=int), classes=[0, 1], random_state=0)
    assert found.upper_bound(0.5).tolist() == [0.0] * len(found.leaves)
    assert np.isfinite(found.lower_bound(0.5)).all()
    assert "p_value" not in found.to_frame()


def test_an_interval_ends_where_its_test_does(leaf: NDArray[np.intp]) -> None:
    rng = np.random.default_rng(3)
    y, clusters = (rng.random(N) < 0.2).astype(int), rng.integers(40, size=N)
    found = leaf_means(leaf, y, classes=[0, 1], clusters=clusters, random_state=0)
    for end in found.conf_int().T:
        np.testing.assert_allclose(found.p_values(end), 0.05, rtol=1e-6)


def test_several_classes_are_inferred_leaf_by_leaf(leaf: NDArray[np.intp]) -> None:
    y = np.random.default_rng(4).choice(["a", "b", "c"], size=N)
    found = leaf_means(leaf, y, classes=["a", "b", "c"], random_state=0)
    assert found.names[:3] == tuple(f"leaf 3, class {each}" for each in "abc")
    np.testing.assert_allclose(found.estimate.reshape(L, 3).sum(axis=1), 1.0)
    for j, name in enumerate("abc"):
        alone = leaf_means(leaf, y == name, classes=[False, True], random_state=0)
        np.testing.assert_allclose(alone.conf_int(), found.conf_int()[j::3])
    inside = found.covariance[:3, :3]
    np.testing.assert_allclose(inside.sum(axis=0), 0.0, atol=1e-15)


def test_a_leaf_of_one_class_has_a_width_and_spoils_no_other() -> None:
    leaf, y = np.repeat([1, 2], [20, 50]), np.repeat([1, 0, 1], [20, 25, 25])
    found = leaf_means(leaf, y, classes=[0, 1], random_state=0)
    np.testing.assert_allclose(
        found.conf_int()[0], proportion_confint(20, 20, method="wilson")
    )
    assert found.std_error[0] == pytest.approx(np.sqrt(22 / 24 * 2 / 24 / 20))
    z = stats.norm.isf((1 - 0.95**0.5) / 2)
    theirs = proportion_confint(20, 20, alpha=2 * stats.norm.sf(z), method="wilson")
    together = found.conf_int(kind="simultaneous")
    np.testing.assert_allclose(together[0], theirs, atol=0.005)
    assert np.isfinite(found.to_frame()).all(axis=None)
    clusters = np.repeat(np.arange(14), 5)
    few = leaf_means(leaf, y, classes=[0, 1], clusters=clusters, random_state=0)
    # Four clusters that agree are four rows that agree.
    assert few.effective_n is not None
    assert few.effective_n[0] == pytest.approx(4.0)
    assert few.conf_int()[0, 0] < found.conf_int()[0, 0]


def test_clusters_that_cancel_leave_no_interval_without_width() -> None:
    y, clusters = np.tile([0, 1], 10), np.repeat(np.arange(10), 2)
    found = leaf_means(np.ones(20), y, classes=[0, 1], clusters=clusters)
    np.testing.assert_allclose(found.effective_n, 10.0)
    assert np.diff(found.conf_int())[0] > 0.4


def test_numbers_without_spread_are_warned_of() -> None:
    leaf, y = [1, 1, 2, 2, 2, 3, 3], [0.1, 0.1, 1.0, 2.0, 3.0, 5.0, 5.0]
    said = r"2 of 3 intervals have no width.*\(first: leaf 1\)"
    with pytest.warns(SemikdWarning, match=said):
        found = leaf_means(leaf, y, random_state=0)
    assert found.std_error[[0, 2]].tolist() == [0.0, 0.0]
    assert np.isfinite(found.to_frame()).all(axis=None)


def test_leaves_are_compared_with_each_other(
    leaf: NDArray[np.intp], x: FloatArray
) -> None:
    y = (x > 5).astype(int)
    found = leaf_means(leaf, y, classes=[0, 1], random_state=0)
    contrast = found.contrast([[-1.0, 0.0, 0.0, 1.0]], ["9 less 3"])
    sides = [y[leaf == own] for own in (3, 9)]
    variance = sum(own.var(ddof=1) / len(own) for own in sides)
    assert contrast.covariance.item() == pytest.approx(variance)
    assert contrast.law.df.tolist() == [len(sides[0]) - 1]


def test_a_bound_is_the_end_of_a_wider_interval(leaf: NDArray[np.intp]) -> None:
    y = np.random.default_rng(5).integers(2, size=N)
    found = leaf_means(leaf, y, classes=[0, 1], random_state=0)
    np.testing.assert_allclose(found.upper_bound(0.95), found.conf_int(0.9)[:, 1])
    np.testing.assert_allclose(found.lower_bound(0.95), found.conf_int(0.9)[:, 0])


def test_rows_without_weight_are_no_rows(leaf: NDArray[np.intp], x: FloatArray) -> None:
    found = leaf_means(leaf, x, random_state=0)
    more = leaf_means(
        np.append(leaf, 77),
        np.append(x, 1e9),
        sample_weight=np.append(np.ones(N), 0.0),
        random_state=0,
    )
    np.testing.assert_allclose(more.to_frame(), found.to_frame())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"leaf": np.arange(N) // (N - 1)}, "leaf must hold two rows each; got 1 row"),
        (
            {"clusters": np.minimum(np.arange(N), 1), "leaf": np.arange(N) % 2},
            "leaf must hold two clusters each; got 1 cluster",
        ),
        ({"leaf": np.ones(3)}, r"leaf must have shape \(240,\)"),
        ({"leaf": [None] * N}, "leaf must name a leaf for every row"),
        ({"y": ["a"] * N}, "y must hold numbers.*For class labels name the classes"),
        ({"y": np.full(N, np.nan)}, "y must be finite"),
        ({"y": np.ones((N, 2))}, r"y must have shape \(any,\)"),
        ({"classes": [1]}, "classes must name at least two classes"),
        ({"y": np.arange(N) % 3, "classes": [0, 1]}, r"y must hold the classes \[0, 1"),
        ({"level": 1.0}, "level must lie strictly between"),
        ({"sample_weight": np.full(N, -1.0)}, "sample_weight must be non-negative"),
    ],
)
def test_what_cannot_be_used_is_refused(
    changed: dict[str, Any], words: str, leaf: NDArray[np.intp], x: FloatArray
) -> None:
    settings = {"leaf": leaf, "y": x, **changed}
    with pytest.raises((ValueError, TypeError), match=words):
        leaf_means(settings.pop("leaf"), settings.pop("y"), **settings)


@pytest.mark.slow
def test_intervals_of_clusters_cover_where_those_of_rows_do_not() -> None:
    """1,000 tables of 60 clusters of 8 rows; 0.91 would be found with 88 % power."""
    n_tables, n_clusters, size = 1_000, 60, 8
    nodes, masses = np.polynomial.hermite_e.hermegauss(60)
    truth = float(masses @ special.expit(nodes - 1.0) / masses.sum())
    hits = {"clusters": 0, "together": 0, "rows": 0}
    clusters = np.repeat(np.arange(n_clusters), size)
    leaf = clusters % 2
    for seed in range(n_tables):
        rng = np.random.default_rng(seed)
        p = special.expit(rng.normal(size=n_clusters) - 1.0)
        y = (rng.random(n_clusters * size) < p[clusters]).astype(int)
        own = leaf_means(leaf, y, classes=[0, 1], clusters=clusters, random_state=seed)
        rows = leaf_means(leaf, y, classes=[0, 1], random_state=seed)
        for name, ends in (
            ("clusters", own.conf_int()[:1]),
            ("together", own.conf_int(kind="simultaneous")),
            ("rows", rows.conf_int()[:1]),
        ):
            hits[name] += bool(((ends[:, 0] < truth) & (truth < ends[:, 1])).all())
    law = stats.binom(n_tables, 0.95)
    low, high = law.ppf(0.5e-4), law.ppf(1 - 0.5e-4)
    assert low <= hits["clusters"] <= high, hits
    assert low <= hits["together"] <= high, hits
    assert hits["rows"] < low, hits
