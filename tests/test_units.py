"""What units cannot tell: no spread, spread seen once, weight on a few of them."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression

from semikd import cross_fit
from semikd.evaluation import risks
from semikd.exceptions import SemikdWarning
from semikd.inference import (
    InfluenceEstimate,
    auc_influence,
    bayes_distance,
    crossed_differences,
    leaf_means,
    paired_differences,
    partly_labelled,
    powered_means,
)
from semikd.inference.units import effective_number, warn_of_few_effective

FloatArray = NDArray[np.float64]
N = 120


def compared(losses: Any, **settings: Any) -> Any:
    """Return the comparison of two arms."""
    names = {"names": ["a", "b"], "reference": "a", "random_state": 0}
    return paired_differences(losses, **(names | settings))


def heard(call: Callable[[], Any]) -> list[str]:
    """Return what a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(issubclass(each.category, SemikdWarning) for each in caught)
    return [str(each.message) for each in caught]


def shifted(by: float = 0.1) -> FloatArray:
    """Return losses of two arms that differ by the same in every row."""
    own = np.random.default_rng(0).gamma(2.0, size=N)
    return np.column_stack([own, own + by])


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("clusters", [None, np.arange(N) // 3])
def test_arms_that_differ_by_a_constant_are_warned_of(
    weighed: bool, clusters: Any
) -> None:
    weights = np.random.default_rng(1).uniform(0.5, 1.5, N) if weighed else None
    settings = {"sample_weight": weights, "clusters": clusters}
    unit = "row" if clusters is None else "cluster"
    said = rf"1 of 1 interval has no width: every {unit} says the same .*\(first: b\)"
    with pytest.warns(SemikdWarning, match=said) as caught:
        found = compared(shifted(), **settings)
    assert len(caught) == 1
    # The caller's own line is named.
    assert caught[0].filename.endswith("test_units.py")
    assert found.std_error[0] == 0.0


def test_arms_that_say_the_same_in_every_row_are_silent() -> None:
    assert heard(lambda: compared(shifted(0.0))) == []
    assert heard(lambda: compared(shifted(0.0), clusters=np.arange(N) % 2)) == []
    refits = np.stack([shifted(0.0)] * 3)
    assert (
        heard(lambda: crossed_differences(refits, names=["a", "b"], reference="a"))
        == []
    )


def test_clusters_that_agree_are_told_from_rows_that_do() -> None:
    losses = np.column_stack([np.zeros(N), np.tile([1.0, -1.0], N // 2)])
    (said,) = heard(lambda: compared(losses, clusters=np.arange(N) // 2))
    assert "every cluster says the same there" in said
    assert heard(lambda: compared(losses)) == []


def test_a_constant_difference_in_a_group_alone_names_the_group() -> None:
    losses = shifted()
    losses[:60, 1] += np.random.default_rng(2).normal(size=60)
    groups = np.where(np.arange(N) < 60, "x", "y")
    (said,) = heard(lambda: compared(losses, groups=groups))
    assert "1 of 3 intervals has no width" in said
    assert "first: b, group y" in said


def test_areas_without_spread_are_warned_of() -> None:
    y = np.arange(N) % 2
    parts = [auc_influence(y, score) for score in (y * 1.0, np.zeros(N))]
    record = InfluenceEstimate(
        [area for area, _ in parts], np.column_stack([own for _, own in parts])
    )
    (said,) = heard(lambda: compared(record))
    assert "has no width" in said


def test_procedures_that_differ_by_a_constant_are_warned_of() -> None:
    refits = np.stack([shifted()] * 3)
    (said,) = heard(
        lambda: crossed_differences(refits, names=["a", "b"], reference="a")
    )
    assert "1 of 1 interval has no width" in said


def test_two_units_are_one_difference_everywhere() -> None:
    rng = np.random.default_rng(3)
    losses, clusters = rng.normal(size=(N, 2)), np.arange(N) % 2
    y, p = np.arange(N) // 2 % 2, rng.uniform(0.2, 0.8, size=N)
    refits, arms = rng.normal(size=(4, N, 2)), {"names": ["a", "b"], "reference": "a"}
    for call in (
        lambda: compared(losses, clusters=clusters),
        lambda: crossed_differences(refits, clusters=clusters, **arms),
        lambda: bayes_distance(y, np.full(N, 0.5), p, clusters=clusters),
        lambda: risks(y, p, metrics=["log_loss"], clusters=clusters),
        lambda: leaf_means(np.ones(N), losses[:, 0], clusters=clusters),
    ):
        found = " ".join(heard(call))
        assert "has one degree of freedom, as two clusters give" in found
    three = np.arange(N) % 3
    assert heard(lambda: compared(losses, clusters=three)) == []


@pytest.mark.parametrize("n", [2, 7, 50])
def test_the_effective_number_is_that_of_equal_weights(n: int) -> None:
    assert effective_number(np.full(n, 1e300)) == pytest.approx(n)
    weights = np.random.default_rng(n).gamma(1.0, size=n)
    # The variance of a weighted mean of n equal variances, in their units.
    share = weights / weights.sum()
    assert effective_number(weights) == pytest.approx(1.0 / (share @ share))
    assert effective_number(np.eye(n)[0]) == 1.0
    assert effective_number([0.0, 0.0]) == 0.0


def heavy(n: int = N) -> FloatArray:
    """Return weights of which the first row has nearly all."""
    return np.r_[1e6, np.ones(n - 1)]


def test_one_row_of_most_of_the_weight_is_warned_of_everywhere() -> None:
    rng = np.random.default_rng(4)
    losses, p = rng.normal(size=(N, 2)), rng.uniform(0.2, 0.8, size=N)
    y = (rng.random(N) < p).astype(int)
    X = rng.normal(size=(N, 2))
    labels = cross_fit(LogisticRegression(), X, y, random_state=0)
    more = rng.normal(size=(300, 2))
    three = np.stack([losses] * 3) + rng.normal(size=(3, N, 2))
    weights = {"sample_weight": heavy()}
    for call in (
        lambda: compared(losses, **weights),
        lambda: risks(y, p, metrics=["brier"], **weights),
        lambda: leaf_means(np.ones(N), losses[:, 0], **weights),
        lambda: leaf_means(np.ones(N), y, classes=[0, 1], **weights),
        lambda: crossed_differences(three, names=["a", "b"], reference="a", **weights),
        lambda: bayes_distance(y, np.full(N, 0.5), p, **weights),
        lambda: powered_means(partly_labelled(labels, X, y, more, **weights)),
        lambda: partly_labelled(labels, X, y, more, unlabelled_weight=heavy(300)),
    ):
        said = " ".join(heard(call))
        assert "Rows have unequal weights" in said
        assert "intervals are too narrow" in said
        assert "worth 1.0 of equal weight" in said


def test_the_conditions_say_what_weighted_rows_are_worth() -> None:
    rng = np.random.default_rng(5)
    weights = rng.uniform(0.5, 2.0, size=N)
    losses = rng.normal(size=(N, 2))
    worth = effective_number(weights)
    found = compared(losses, sample_weight=weights)
    assert f"by their weights worth {worth:,.1f} of equal" in found.conditions[1]
    for equal in (None, np.full(N, 0.3)):
        said = compared(losses, sample_weight=equal).conditions[1]
        assert said == f"the {N} test rows are independent draws"


def test_the_part_of_fewest_rows_is_named() -> None:
    rng = np.random.default_rng(6)
    groups = np.where(np.arange(N) < 60, "x", "y")
    weights = np.r_[np.ones(60), heavy(60) ** 0.5]
    y, p = np.arange(N) % 2, rng.uniform(0.2, 0.8, size=N)
    settings: dict[str, Any] = {"groups": groups, "sample_weight": weights}
    (said,) = heard(lambda: risks(y, p, metrics=["log_loss"], **settings))
    assert "in 2 of 3 parts: those of group y, 60 rows, are worth 1.1" in said


def test_what_is_said_of_weights_is_as_strong_as_what_they_do() -> None:
    """Twelve of forty rows have weight: no few of them have most."""
    for many, words in ((12, "may be somewhat too narrow"), (6, "are too narrow")):
        sizes = np.r_[np.ones(many), np.full(40 - many, 1e-3)]
        (said,) = heard(partial(warn_of_few_effective, [("all rows", sizes)]))
        worth = effective_number(sizes)
        assert f"40 rows, are worth {worth:.1f} of equal weight" in said
        assert f"intervals {words}" in said


def test_few_rows_of_equal_weight_are_no_fault_of_weights() -> None:
    rng = np.random.default_rng(7)
    weights = rng.uniform(0.9, 1.1, size=8)
    assert heard(lambda: compared(rng.normal(size=(8, 2)), sample_weight=weights)) == []


def test_intervals_are_too_narrow_where_it_is_said_and_not_elsewhere() -> None:
    """2,000 tables each; 85 % of intervals hold by five rows of weight."""
    rng, n, hits = np.random.default_rng(8), 60, {"equal": 0, "few": 0}
    few = np.r_[np.ones(5), np.full(n - 5, 1e-3)]
    with pytest.warns(SemikdWarning, match="worth 5.1 of equal weight"):
        warn_of_few_effective([("all rows", few)])
    for _ in range(2_000):
        x = rng.normal(size=n)
        for name, weights in (("equal", np.ones(n)), ("few", few)):
            share = weights / weights.sum()
            mean = share @ x
            error = np.sqrt(n / (n - 1) * ((share * (x - mean)) ** 2).sum())
            hits[name] += abs(mean) < stats.t.isf(0.025, n - 1) * error
    law = stats.binom(2_000, 0.95)
    assert law.ppf(0.5e-4) <= hits["equal"] <= law.ppf(1 - 0.5e-4)
    # The negative control is far outside of what the others may be.
    assert hits["few"] < law.ppf(0.5e-4)


def test_a_verdict_without_spread_says_so_in_its_sentence() -> None:
    with pytest.warns(SemikdWarning, match="no width"):
        found = compared(shifted())
    assert "nothing of new rows" in found.verdicts()[0].sentence
    assert compared(shifted(0.0)).verdicts()[0].sentence.endswith("tells them apart.")
    spread = compared(np.random.default_rng(11).normal(size=(N, 2))).verdicts()[0]
    assert "no width" not in spread.sentence
