"""Coverage of the intervals of comparisons, with controls that must miss.

Every study counts successes over simulated tables and asks that the count lie in the
exact two-sided binomial band that a correct method leaves once in 10,000 times. At a
nominal 95 % the band of 400 tables is [0.9025, 0.9875] and a method that truly covers
90 % leaves it with probability 0.52; for 2,000 tables it is [0.9305, 0.9680] and the
probability is above 0.999 (`test_the_bands_have_the_stated_power`).
"""

import numpy as np
import pytest
from scipy import stats

from semikd.inference import crossed_differences, paired_differences

TABLES = [400, pytest.param(2000, marks=pytest.mark.slow)]
LEVEL = 0.95


def band(n_tables, nominal=LEVEL):
    """Return the least and the largest share that a correct method may show."""
    law = stats.binom(n_tables, nominal)
    return law.ppf(0.5e-4) / n_tables, law.isf(0.5e-4) / n_tables


def inside(share, n_tables, nominal=LEVEL):
    low, high = band(n_tables, nominal)
    return low <= share <= high


def power(n_tables, true, nominal=LEVEL):
    """Return the probability that a method that truly covers ``true`` is found out."""
    low, high = (round(end * n_tables) for end in band(n_tables, nominal))
    law = stats.binom(n_tables, true)
    return law.cdf(low - 1) + law.sf(high)


def test_the_bands_have_the_stated_power():
    np.testing.assert_allclose(band(400), (0.9025, 0.9875))
    np.testing.assert_allclose(band(2000), (0.9305, 0.9680), atol=0.0006)
    assert 0.50 < power(400, 0.90) < 0.55
    assert power(2000, 0.90) > 0.999
    assert power(400, LEVEL) < 1e-4


def coverage(draw, compare, truth, n_tables, seed):
    """Return the share of tables whose first interval holds the truth."""
    hits = 0
    for child in np.random.SeedSequence(seed).spawn(n_tables):
        low, high = compare(*draw(np.random.default_rng(child))).conf_int()[0]
        hits += low <= truth <= high
    return hits / n_tables


def paired(losses, clusters=None, weights=None):
    return paired_differences(
        losses,
        names=[f"arm {arm}" for arm in range(losses.shape[1])],
        reference="arm 0",
        clusters=clusters,
        sample_weight=weights,
        level=LEVEL,
        n_draws=1,
        random_state=0,
    )


def ignoring(losses, *_):
    """Compare as if there were neither clusters nor weights."""
    return paired(losses)


def paired_table(rng):
    """Return skewed losses of two arms that share the difficulty of the row."""
    hard = rng.gamma(1.0, 0.5, size=(150, 1))
    return (hard + rng.gamma(2.0, [0.10, 0.15], size=(150, 2)),)


@pytest.mark.parametrize("n_tables", TABLES)
def test_paired_intervals_cover(n_tables):
    share = coverage(paired_table, paired, 0.1, n_tables, seed=1)
    assert inside(share, n_tables), share


@pytest.mark.parametrize("n_tables", TABLES)
def test_unpaired_intervals_do_not_cover_at_their_level(n_tables):
    def unpaired(losses):
        exchanged = losses.copy()
        exchanged[:, 1] = np.roll(losses[:, 1], 1)
        return paired(exchanged)

    share = coverage(paired_table, unpaired, 0.1, n_tables, seed=1)
    assert not inside(share, n_tables), share


def weighted_table(rng):
    """Return losses sampled by difficulty, and the weights that undo it."""
    hard = rng.random(250)
    gain = hard + rng.normal(0.0, 0.3, 250)
    kept = rng.random(250) < 0.2 + 0.8 * hard
    losses = np.column_stack([np.zeros(kept.sum()), gain[kept]])
    return losses, None, 1 / (0.2 + 0.8 * hard[kept])


@pytest.mark.parametrize("n_tables", TABLES)
def test_weighted_intervals_cover_the_population_and_unweighted_ones_do_not(n_tables):
    share = coverage(weighted_table, paired, 0.5, n_tables, seed=2)
    assert inside(share, n_tables), share

    control = coverage(weighted_table, ignoring, 0.5, n_tables, seed=2)
    assert not inside(control, n_tables), control


def clustered_table(rng):
    """Return losses of 50 clusters of 2 to 6 rows with an effect of the cluster."""
    clusters = np.repeat(np.arange(50), rng.integers(2, 7, size=50))
    effect = rng.normal(0.0, 0.2, size=50)[clusters]
    gain = 0.1 + effect + rng.normal(0.0, 0.3, size=len(clusters))
    return np.column_stack([np.zeros(len(clusters)), gain]), clusters


@pytest.mark.parametrize("n_tables", TABLES)
def test_clustered_intervals_cover_and_those_that_ignore_clusters_do_not(n_tables):
    share = coverage(clustered_table, paired, 0.1, n_tables, seed=3)
    assert inside(share, n_tables), share

    control = coverage(clustered_table, ignoring, 0.1, n_tables, seed=3)
    assert not inside(control, n_tables), control


def crossed(losses, clusters=None):
    return crossed_differences(
        losses,
        names=[f"arm {arm}" for arm in range(losses.shape[2])],
        reference="arm 0",
        clusters=clusters,
        level=LEVEL,
    )


def crossed_table(n_refits, refit_share, n_rows=100):
    """Return a draw of two arms, given the share of refits in the variance."""
    refit_scale = np.sqrt(refit_share * n_refits)
    row_scale = np.sqrt((1 - refit_share) * n_rows)

    def draw(rng):
        gain = 0.1 + refit_scale * rng.normal(size=(n_refits, 1))
        gain = gain + row_scale * rng.normal(size=(1, n_rows))
        gain = gain + 0.5 * row_scale * rng.normal(size=(n_refits, n_rows))
        return (np.stack([np.zeros_like(gain), gain], axis=2),)

    return draw


@pytest.mark.parametrize("n_tables", TABLES)
@pytest.mark.parametrize(
    ("n_refits", "refit_share"), [(3, 0.0), (3, 0.95), (5, 0.2), (5, 0.9), (10, 0.5)]
)
def test_crossed_intervals_cover(n_refits, refit_share, n_tables):
    draw = crossed_table(n_refits, refit_share)
    share = coverage(draw, crossed, 0.1, n_tables, seed=4)
    assert inside(share, n_tables), share


@pytest.mark.parametrize("n_tables", TABLES)
@pytest.mark.parametrize("n_refits", [3, 10])
def test_intervals_that_ignore_refits_do_not_cover_the_procedure(n_refits, n_tables):
    def ignoring_refits(losses):
        return paired(losses.mean(axis=0))

    draw = crossed_table(n_refits, 0.5)
    control = coverage(draw, ignoring_refits, 0.1, n_tables, seed=4)
    assert not inside(control, n_tables), control


@pytest.mark.parametrize("n_tables", TABLES)
def test_crossed_intervals_of_clustered_rows_cover(n_tables):
    clusters = np.repeat(np.arange(50), 3)

    def draw(rng):
        gain = (
            0.1 + 0.1 * rng.normal(size=(8, 1)) + rng.normal(size=(1, 50))[:, clusters]
        )
        gain = gain + rng.normal(size=(8, 150))
        return np.stack([np.zeros_like(gain), gain], axis=2), clusters

    share = coverage(draw, crossed, 0.1, n_tables, seed=5)
    assert inside(share, n_tables), share
    control = coverage(draw, lambda losses, _: crossed(losses), 0.1, n_tables, seed=5)
    assert not inside(control, n_tables), control


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_refits", "refit_share", "declared"),
    [(2, 0.25, 0.978), (2, 0.5, 0.9715), (3, 0.25, 0.971), (3, 0.5, 0.969)],
)
def test_declared_limit_few_refits_cover_too_often(n_refits, refit_share, declared):
    """With 2 or 3 refits and both parts at work, 95 % intervals are too wide.

    The declared figure is that of normal parts with known row variance; 4,000 tables
    tell it from 95 % with probability above 0.95.
    """
    draw = crossed_table(n_refits, refit_share)
    share = coverage(draw, crossed, 0.1, 4000, seed=6)
    assert inside(share, 4000, declared), share
    assert not inside(share, 4000), share
    assert power(4000, declared) > 0.95


def family_table(rng, n_rows=200, n_arms=7):
    """Return losses of arms that are all equally good."""
    return rng.normal(size=(n_rows, 1)) + rng.gamma(4.0, 0.3, size=(n_rows, n_arms))


def family(losses, **settings):
    names = [f"arm {arm}" for arm in range(losses.shape[1])]
    defaults = {"names": names, "reference": "arm 0", "n_draws": 999}
    return paired_differences(losses, **(defaults | settings))


@pytest.mark.parametrize("n_tables", TABLES)
def test_max_t_intervals_hold_together_and_single_ones_do_not(n_tables):
    together = alone = 0
    for seed in np.random.SeedSequence(7).spawn(n_tables):
        result = family(family_table(np.random.default_rng(seed)), random_state=0)
        low, high = result.conf_int(kind="simultaneous").T
        together += bool(((low <= 0) & (high >= 0)).all())
        low, high = result.conf_int(kind="interval").T
        alone += bool(((low <= 0) & (high >= 0)).all())
    assert inside(together / n_tables, n_tables), together / n_tables
    assert not inside(alone / n_tables, n_tables), alone / n_tables


@pytest.mark.parametrize("n_tables", TABLES)
def test_non_inferiority_errs_at_its_level_when_every_arm_is_at_the_margin(n_tables):
    """The family-wise error of max-T is 5 % there; unadjusted tests err far more."""
    found = {"max-t": 0, "none": 0}
    for seed in np.random.SeedSequence(8).spawn(n_tables):
        losses = family_table(np.random.default_rng(seed))
        losses[:, 1:] += 0.25
        result = family(losses, random_state=0)
        for adjust in found:
            upper = result.upper_bound(adjust=adjust)
            found[adjust] += bool((upper < 0.25).any())
    assert inside(1 - found["max-t"] / n_tables, n_tables), found
    assert not inside(1 - found["none"] / n_tables, n_tables), found


@pytest.mark.slow
def test_max_t_with_three_refits_errs_too_often_and_bonferroni_does_not():
    """Where refits dominate, 3 of them say too little of how 8 arms move together.

    Bonferroni, the default, is a bound: its error may be below 5 %, never above the
    band of 2,000 tables (which finds an error of 10 % with probability above 0.999).
    """
    errors = {"bonferroni": 0, "max-t": 0}
    for seed in np.random.SeedSequence(9).spawn(2000):
        rng = np.random.default_rng(seed)
        losses = rng.normal(size=(3, 1, 9)) + 0.1 * rng.normal(size=(3, 50, 9))
        names = [f"arm {arm}" for arm in range(9)]
        for adjust, n_draws in (("bonferroni", None), ("max-t", 999)):
            result = crossed_differences(
                losses, names=names, reference="arm 0", n_draws=n_draws, random_state=0
            )
            low, high = result.conf_int(kind="simultaneous").T
            errors[adjust] += bool(((low > 0) | (high < 0)).any())
    largest = 2000 * (1 - band(2000)[0])
    assert errors["bonferroni"] <= largest < errors["max-t"]
