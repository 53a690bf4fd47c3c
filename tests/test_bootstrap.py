"""Multiplier draws and max-T quantiles against known laws, and against any chunking."""

import tracemalloc

import numpy as np
import pytest
from scipy import optimize, stats

from semikd.inference import (
    crossed_bootstrap,
    max_t_p_values,
    max_t_quantile,
    multiplier_bootstrap,
)

KINDS = ("normal", "mammen", "rademacher")


def make_influence(n_rows=300, d=3, seed=0):
    rng = np.random.default_rng(seed)
    psi = rng.gamma(1.0, size=(n_rows, d)) @ rng.normal(size=(d, d))
    return psi - psi.mean(axis=0)


@pytest.mark.parametrize("weights", KINDS)
@pytest.mark.parametrize("clustered", [False, True])
def test_draws_have_the_covariance_of_the_influence(weights, clustered):
    psi = make_influence()
    clusters = np.arange(300) // 3 if clustered else None
    draws = multiplier_bootstrap(
        psi, n_draws=40_000, clusters=clusters, weights=weights, random_state=0
    )
    sums = psi.reshape(100, 3, 3).sum(axis=1) if clustered else psi
    expected = sums.T @ sums / 300**2
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # The standard error of an entry is at most sqrt(2 / 40,000) = 0.007 of the scale.
    assert np.abs((np.cov(draws.T) - expected) / scale).max() < 5 * 0.007
    assert np.abs(draws.mean(axis=0) / draws.std(axis=0)).max() < 5 * 0.005


def test_mammen_draws_keep_the_skewness_and_the_others_do_not():
    rng = np.random.default_rng(0)
    psi = rng.gamma(0.2, size=(40, 1))
    psi -= psi.mean()
    skewness = (psi**3).sum() / (psi**2).sum() ** 1.5
    seen = {
        kind: stats.skew(
            multiplier_bootstrap(psi, n_draws=100_000, weights=kind, random_state=0)
        )[0]
        for kind in KINDS
    }
    assert skewness > 0.3
    assert abs(seen["mammen"] - skewness) < 0.06
    assert abs(seen["normal"]) < 0.06
    assert abs(seen["rademacher"]) < 0.06


def test_rademacher_draws_of_three_rows_are_the_eight_sums():
    psi = np.array([[1.0], [2.0], [4.0]])
    draws = multiplier_bootstrap(
        psi, n_draws=8000, weights="rademacher", random_state=0
    )
    values, counts = np.unique(np.round(3 * draws, 9), return_counts=True)
    np.testing.assert_allclose(values, [-7, -5, -3, -1, 1, 3, 5, 7])
    # 1,000 each, with a standard deviation of 30.
    assert np.abs(counts - 1000).max() < 150


@pytest.mark.parametrize("weights", KINDS)
def test_the_chunk_size_changes_rounding_only(weights):
    psi = make_influence()
    draws = [
        multiplier_bootstrap(
            psi, n_draws=77, weights=weights, random_state=5, chunk_size=size
        )
        for size in (None, 1, 7, 299, 1000)
    ]
    for other in draws[1:]:
        np.testing.assert_allclose(other, draws[0], atol=1e-14)
    different = multiplier_bootstrap(psi, n_draws=77, weights=weights, random_state=6)
    assert np.abs(different - draws[0]).max() > 1e-3


def test_fewer_units_than_columns_are_drawn_from_their_own_span():
    psi = make_influence(n_rows=4, d=9)
    draws = multiplier_bootstrap(psi, n_draws=50, random_state=0)
    assert np.linalg.matrix_rank(draws) == np.linalg.matrix_rank(psi)


@pytest.mark.parametrize("weights", KINDS)
def test_memory_is_bounded_by_blocks(weights):
    psi = np.random.default_rng(0).normal(size=(20_000, 20))
    tracemalloc.start()
    multiplier_bootstrap(psi, n_draws=1000, weights=weights, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All multipliers at once would be 160 MB.
    assert peak < 120e6


@pytest.mark.parametrize("two_sided", [True, False])
def test_max_t_of_independent_errors_is_the_exact_quantile(two_sided):
    scores = np.random.default_rng(0).normal(size=(200_000, 4))
    tail = 1 - 0.95 ** (1 / 4)
    exact = stats.norm.isf(tail / 2 if two_sided else tail)
    found = max_t_quantile(scores, 0.95, two_sided=two_sided)
    # The Monte Carlo standard error is sqrt(.95 * .05 / 200,000) / density < 0.003.
    assert abs(found - exact) < 0.012


def test_max_t_of_a_common_reference_is_the_exact_multivariate_normal_quantile():
    covariance = 0.5 * np.eye(3) + 0.5
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)

    def coverage(c):
        """Return P(all |Z| < c), given the shared part, by quadrature."""
        above = stats.norm.cdf((c - np.sqrt(0.5) * nodes) / np.sqrt(0.5))
        below = stats.norm.cdf((-c - np.sqrt(0.5) * nodes) / np.sqrt(0.5))
        return weights @ (above - below) ** 3 / np.sqrt(2 * np.pi)

    exact = optimize.brentq(lambda c: coverage(c) - 0.95, 1.5, 4.0)
    scores = np.random.default_rng(0).multivariate_normal(
        np.zeros(3), covariance, size=200_000
    )
    assert abs(max_t_quantile(scores, 0.95) - exact) < 0.012
    adjusted = max_t_p_values(scores, [exact, 0.0, -exact])
    np.testing.assert_allclose(adjusted, [0.05, 1.0, 0.05], atol=0.0025)


def test_p_values_count_the_maxima_at_least_as_large():
    scores = np.array([[0.5, -3.0], [1.0, 0.2], [-0.1, 2.0]])
    two = max_t_p_values(scores, [2.0, 5.0])
    one = max_t_p_values(scores, [2.0, 0.7], two_sided=False)
    np.testing.assert_allclose(two, [3 / 4, 1 / 4])
    np.testing.assert_allclose(one, [2 / 4, 3 / 4])
    assert max_t_quantile(scores, 0.5) == 2.0


def crossed_table(seed=0, n_refits=6, n_rows=40):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(1, n_rows, 2))
    refits = rng.normal(scale=0.4, size=(n_refits, 1, 2))
    return rows + refits + rng.normal(size=(n_refits, n_rows, 2))


def test_crossed_draws_add_the_variances_of_rows_refits_and_interaction():
    table = crossed_table()
    draws = crossed_bootstrap(table, n_draws=40_000, random_state=0)
    grand, refit, row = table.mean((0, 1)), table.mean(1), table.mean(0)
    rest = table - refit[:, None] - row + grand
    expected = (
        ((refit - grand) ** 2).sum(0) / 6**2
        + ((row - grand) ** 2).sum(0) / 40**2
        + (rest**2).sum((0, 1)) / 240**2
    )
    np.testing.assert_allclose(draws.var(axis=0), expected, rtol=0.04)


def test_crossed_draws_are_owens_pigeonhole_bootstrap_to_first_order():
    table = crossed_table(n_refits=30, n_rows=80)
    rng = np.random.default_rng(1)
    replicates = np.array(
        [
            table[rng.integers(30, size=30)][:, rng.integers(80, size=80)].mean((0, 1))
            for _ in range(4000)
        ]
    )
    draws = crossed_bootstrap(table, n_draws=4000, random_state=0)
    # Each standard deviation has a Monte Carlo error of 1.1 %; 2 % from R = 30.
    np.testing.assert_allclose(draws.std(axis=0), replicates.std(axis=0), rtol=0.07)


def test_crossed_draws_share_a_multiplier_within_clusters():
    table = crossed_table()
    clusters = np.arange(40) // 4
    draws = crossed_bootstrap(table, n_draws=40_000, clusters=clusters, random_state=0)
    means = table.reshape(6, 10, 4, 2).mean(axis=2)
    by_cluster = crossed_bootstrap(means, n_draws=40_000, random_state=1)
    np.testing.assert_allclose(draws.std(axis=0), by_cluster.std(axis=0), rtol=0.03)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": "gauss"}, "weights must be one of 'normal', 'mammen'"),
        ({"weights": "rademachers"}, "Did you mean 'rademacher'"),
        ({"n_draws": 0}, "n_draws must be an integer of at least 1; got 0"),
        ({"weights": "mammen", "chunk_size": 0}, "chunk_size must be an integer"),
        ({"clusters": [1, 2]}, r"clusters must have shape \(300,\)"),
        ({"random_state": -1}, "random_state must be a non-negative integer"),
    ],
)
def test_bad_settings_of_a_bootstrap_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        multiplier_bootstrap(make_influence(), **settings)


def test_tables_without_rows_are_refused():
    with pytest.raises(ValueError, match="influence must hold at least 1 row"):
        multiplier_bootstrap(np.zeros((0, 2)))
    with pytest.raises(ValueError, match="hold a refit, a row and a column"):
        crossed_bootstrap(np.zeros((3, 0, 2)))
    with pytest.raises(ValueError, match=r"row_share must have shape \(40,\)"):
        crossed_bootstrap(crossed_table(), row_share=[1.0])


def test_too_few_draws_for_a_level_are_refused_with_the_number_needed():
    with pytest.raises(ValueError, match=r"got 10\. Level 0\.95 needs at least 19"):
        max_t_quantile(np.zeros((10, 2)), 0.95)
    assert max_t_quantile(np.ones((19, 2)), 0.95) == 1.0
