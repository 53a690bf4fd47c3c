"""Fixed-sequence testing: the family-wise error, and what it finds beside Bonferroni.

Family-wise errors are counted over 4,000 families; the exact band around 5 % that a
correct method leaves once in 10,000 times is [0.0375, 0.0642].
"""

import numpy as np
import pytest
from scipy import stats

from semikd.inference import FixedSequence, fixed_sequence, paired_differences

FAMILIES = 4000


def one_by_one(p_values, error):
    """Return how many are rejected, by the words of the method."""
    count = 0
    for p in p_values:
        if p > error:
            return count
        count += 1
    return count


def test_it_is_the_loop_that_stops_at_the_first_that_stands():
    rng = np.random.default_rng(0)
    for _ in range(500):
        p = rng.random(rng.integers(1, 8)) ** 3
        level = rng.choice([0.8, 0.9, 0.95])
        tested = fixed_sequence(p, level=level)
        count = one_by_one(p, 1 - level)
        assert tested.rejected == tested.names[:count]
        assert tested.last == (tested.names[count - 1] if count else None)


def test_adjusted_p_values_are_the_smallest_errors_at_which_each_is_rejected():
    p = [0.02, 0.01, 0.30, 0.04]
    tested = fixed_sequence(p)
    np.testing.assert_allclose(tested.p_adjusted, [0.02, 0.02, 0.30, 0.30])
    for j, error in enumerate(tested.p_adjusted):
        assert one_by_one(p, error) > j
        assert one_by_one(p, error - 1e-9) <= j


def errors(means, correlation, seed=0):
    """Return p-values of one-sided tests of normal means, a family in each row."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(FAMILIES, 1))
    own = rng.normal(size=(FAMILIES, len(means)))
    z = means + np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    return stats.norm.sf(z)


def false_rejections(p, null, method):
    """Return the share of families with any false rejection."""
    hits = [bool(null & method(row)) for row in p]
    return np.mean(hits)


def in_sequence(row):
    return set(fixed_sequence(row).rejected)


def bonferroni(row):
    return {f"H{j + 1}" for j in np.flatnonzero(row <= 0.05 / len(row))}


def unadjusted(row):
    return {f"H{j + 1}" for j in np.flatnonzero(row <= 0.05)}


@pytest.mark.parametrize("correlation", [0.0, 0.8])
@pytest.mark.parametrize(
    "means",
    [np.zeros(5), np.array([3.0, 3.0, 0.0, 0.0, 0.0]), np.array([6, 0, 6, 0, 6.0])],
    ids=["all true", "two false first", "between"],
)
def test_the_family_wise_error_is_the_nominal_one(means, correlation):
    null = {f"H{j + 1}" for j in np.flatnonzero(means == 0)}
    p = errors(means, correlation)
    low, high = (stats.binom(FAMILIES, 0.05).ppf([0.5e-4, 1 - 0.5e-4])) / FAMILIES
    share = false_rejections(p, null, in_sequence)
    assert share <= high
    # The first true one is reached for certain unless a false one before it stands.
    if means[0] in {0.0, 6.0}:
        assert share >= low
    if correlation == 0:
        assert false_rejections(p, null, unadjusted) > high


def test_in_a_good_order_it_finds_more_than_bonferroni_and_in_a_bad_one_less():
    means = np.array([2.5, 2.5, 2.5, 2.5, 0.0])
    p = errors(means, 0.0)
    found = {
        name: np.mean([len(method(row) - {"H5"}) for row in p])
        for name, method in (("sequence", in_sequence), ("bonferroni", bonferroni))
    }
    assert found["sequence"] > found["bonferroni"] + 0.1
    backward = np.mean([len(set(in_sequence(row[::-1]))) for row in p])
    assert backward < 0.2


def test_an_order_chosen_by_looking_holds_no_level():
    p = errors(np.zeros(5), 0.0)
    share = np.mean([len(in_sequence(np.sort(row))) > 0 for row in p])
    assert share > 0.15


def comparison():
    rng = np.random.default_rng(1)
    gain = np.array([0.0, 0.001, 0.004, 0.05])
    losses = 0.3 + gain + 0.05 * rng.normal(size=(3000, 4))
    names = ["teacher", "128 leaves", "32 leaves", "8 leaves"]
    return paired_differences(losses, names=names, reference="teacher", random_state=0)


def test_a_comparison_is_tested_for_being_worse_by_less_than_a_margin():
    result = comparison()
    tested = fixed_sequence(result, margin=0.01)
    expected = result.non_inferior(0.01)["p_value"].to_numpy()
    np.testing.assert_allclose(tested.p_values, expected)
    assert tested.rejected == ("128 leaves", "32 leaves")
    assert tested.last == "32 leaves"
    assert tested.level == result.level
    backward = fixed_sequence(result, ["8 leaves", "128 leaves"], margin=0.01)
    assert backward.rejected == ()
    assert backward.last is None


def test_the_order_is_that_of_the_names_given():
    tested = fixed_sequence([0.9, 0.01], ["b", "a"], names=["a", "b"])
    assert tested.names == ("b", "a")
    assert tested.rejected == ("b",)
    table = tested.to_frame()
    assert table["rejected"].tolist() == [True, False]
    assert "1 of 2 rejected in fixed sequence, family-wise level 95 %" in str(tested)


def test_results_are_frozen():
    tested = FixedSequence(("a",), [0.01])
    with pytest.raises(ValueError, match="read-only"):
        tested.p_values[0] = 1.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"p_values": [0.1, 1.2]}, "p_values must lie between 0 and 1; got 1.2"),
        ({"order": ["H3"]}, "order must be one of 'H1', 'H2'; got 'H3'"),
        ({"order": ["H1", "H1"]}, "order must name each hypothesis once"),
        ({"names": ["a"]}, "names must name every arm once"),
        ({"level": 0.0}, "level must lie strictly between 0 and 1"),
        ({"margin": 0.1}, "margin must be 0 beside p-values"),
        ({"p_values": [0.1, np.nan]}, "p_values must be finite"),
    ],
)
def test_what_cannot_be_used_is_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        fixed_sequence(**{"p_values": [0.1, 0.2], **settings})


def test_names_beside_a_comparison_are_refused():
    with pytest.raises(ValueError, match="names must be None beside a comparison"):
        fixed_sequence(comparison(), names=["a", "b", "c"])
