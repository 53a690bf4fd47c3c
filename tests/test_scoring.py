"""Score tests: against statsmodels' generalised estimating equations, and by level."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import special, stats

from semikd.inference import likelihood_coefficients, score_test
from semikd.simplex import FloatArray

Codes = NDArray[np.intp]


def rows(n: int, seed: int) -> tuple[pd.DataFrame, Codes]:
    """Return four columns, of which the first two matter."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abcd"))
    p = special.expit(0.8 * X["a"] - 0.5 * X["b"])
    return X, (rng.random(n) < p).astype(np.intp)


def by_statsmodels(X: pd.DataFrame, y: Codes, tested: list[str], groups: Any) -> Any:
    """Return the robust score test of GEE with independent working covariance."""
    family = sm.families.Binomial()
    full = sm.add_constant(X)
    small = full.drop(columns=tested)
    fitted = sm.GEE(y, small, groups=groups, family=family).fit()
    return sm.GEE(y, full, groups=groups, family=family).compare_score_test(fitted)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("tested", [["b"], ["b", "d"], ["a", "b", "c", "d"]])
def test_it_is_the_test_of_generalised_estimating_equations(
    tested: list[str], clustered: bool
) -> None:
    X, y = rows(300, 1)
    groups = np.arange(300) // 5 if clustered else np.arange(300)
    found = score_test(X, y, tested, clusters=groups if clustered else None)
    oracle = by_statsmodels(X, y, tested, groups)
    np.testing.assert_allclose(
        found.statistic * found.df, oracle["statistic"], rtol=1e-6
    )
    np.testing.assert_allclose(found.p_value, oracle["p-value"], rtol=1e-5)
    assert found.df == len(tested)


def test_units_of_columns_and_order_of_classes_are_nothing() -> None:
    X, y = rows(200, 2)
    found = score_test(X, y, ["b", "c"])
    other = score_test(X * [1.0, 1e6, 1e-6, 3.0] + 7.0, 1 - y, ["c", "b"])
    assert found.statistic == pytest.approx(other.statistic, rel=1e-6)
    # Near the null it says what Wald's test says.
    wald = likelihood_coefficients(X, y, covariance="HC0").wald_test(["c"])
    assert score_test(X, y, ["c"]).statistic == pytest.approx(wald.statistic, rel=0.1)


def test_columns_that_tell_classes_apart_can_be_tested() -> None:
    X, y = rows(200, 3)
    X["told"] = y + 0.1 * X["d"]
    with pytest.raises(ValueError, match="told apart"):
        likelihood_coefficients(X, y)
    assert score_test(X, y, ["told"]).p_value < 1e-10
    assert score_test(X.drop(columns="told"), y, ["d"]).p_value > 0.001


def test_weights_and_three_classes() -> None:
    X, y = rows(300, 4)
    weights = np.random.default_rng(0).integers(1, 4, 300).astype(float)
    many = np.repeat(np.arange(300), weights.astype(int))
    heavy = score_test(X, y, ["b"], sample_weight=weights)
    copies = score_test(X.iloc[many], y[many], ["b"], clusters=many)
    assert heavy.statistic == pytest.approx(copies.statistic)
    three = np.where(X["c"] > 0.7, 2, y)
    found = score_test(X, three, ["c"])
    assert found.df == 2
    assert found.p_value < 1e-10
    assert score_test(X.to_numpy(), three, ["x2"]).statistic == pytest.approx(
        found.statistic
    )


@pytest.mark.slow
def test_the_level_is_kept_and_rows_of_a_cluster_are_not_rows() -> None:
    """2,000 tables of 60 clusters; 0.08 would be found with 95 % power."""
    n_tables, hits, control = 2000, 0, 0
    group = np.repeat(np.arange(60), 5)
    for seed in range(n_tables):
        rng = np.random.default_rng(seed)
        X: FloatArray = np.column_stack(
            [rng.normal(size=300), rng.normal(size=60)[group]]
        )
        p = special.expit(X[:, 0] + rng.normal(size=60)[group])
        y = (rng.random(300) < p).astype(np.intp)
        hits += score_test(X, y, ["x1"], clusters=group).p_value < 0.05
        control += score_test(X, y, ["x1"]).p_value < 0.05
    law = stats.binom(n_tables, 0.05)
    low, high = law.ppf(0.5e-4), law.ppf(1 - 0.5e-4)
    assert low <= hits <= high, hits
    assert control > high, control


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"columns": "a"}, "columns must be a sequence of names"),
        ({"columns": []}, "columns must name one column at least"),
        ({"columns": ["a", "a"]}, "each once"),
        ({"columns": ["z"]}, "columns must be one of"),
        (
            {"columns": list("abcd"), "fit_intercept": False},
            "columns must leave another column",
        ),
        ({"clusters": np.zeros((40, 2))}, "clusters must hold at least 2"),
        (
            {"clusters": np.column_stack([np.arange(40), np.arange(40) // 2])},
            "clusters must be of one way",
        ),
    ],
)
def test_what_is_no_test_is_refused(changed: dict[str, Any], words: str) -> None:
    X, y = rows(40, 5)
    with pytest.raises((ValueError, TypeError), match=words):
        score_test(X, y, **{"columns": ["a"], **changed})


def test_columns_that_separate_without_those_tested_are_named_as_the_fault() -> None:
    X, _ = rows(40, 5)
    y = (X["a"] > 0).astype(np.intp)
    with pytest.raises(ValueError, match="not tested separate them") as error:
        score_test(X, y, ["b"])
    assert type(error.value) is ValueError
    # It was advised to use what it is.
    assert "score_test" not in str(error.value)


def test_clusters_in_which_outcomes_do_not_differ_test_nothing() -> None:
    """Scores sum to 0 in each, but for rounding, of which a test would be made."""
    x = np.repeat(np.random.default_rng(0).normal(size=100), 3)
    y, clusters = np.tile([0, 0, 1], 100), np.arange(300) // 3
    for column in (x, 7.0 * x + 1 / 3):
        with pytest.raises(ValueError, match="scores sum to 0 in every row or cluster"):
            score_test(column[:, None], y, ["x0"], clusters=clusters)


@pytest.mark.parametrize("missing", [np.nan, np.inf, None])
def test_a_missing_outcome_is_named_by_its_row(missing: float | None) -> None:
    X, y = rows(40, 5)
    given = y.astype(object) if missing is None else y.astype(float)
    given[2] = missing
    for infer in (partial(score_test, columns=["a"]), likelihood_coefficients):
        with pytest.raises(ValueError, match=r"y must have no missing.*first: row 2"):
            infer(X, given)


def test_complex_numbers_are_no_level() -> None:
    X, y = rows(40, 5)
    with pytest.raises(TypeError, match="level must be a number"):
        likelihood_coefficients(X, y, level=np.complex128(0.95))
    assert likelihood_coefficients(X, y, level=np.float64(0.9)).level == 0.9
