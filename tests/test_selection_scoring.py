"""Losses of rows that choose by any score: their mean, their spread, their choice."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, get_scorer, make_scorer, roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import AutoDistiller
from semikd.evaluation import Classification, Regression, Table
from semikd.evaluation.metrics import pointwise_brier
from semikd.selection.scoring import row_losses


def said(n: int, seed: int, *, classes: int = 2) -> tuple[Any, Table]:
    """Return probabilities that know something of the outcomes, and the rows."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    z = rng.normal(size=(n, classes)) + 1.2 * np.eye(classes)[y]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return p, Table(rng.normal(size=(n, 2)), y, None, None)


def delong(p: Any, y: Any) -> float:
    """Return the standard error of an AUC from placement values, looping over pairs."""
    high, low = p[y == 1, 1], p[y == 0, 1]
    wins = (high[:, None] > low).astype(float)
    return float(
        np.sqrt(
            wins.mean(axis=1).var(ddof=1) / len(high)
            + wins.mean(axis=0).var(ddof=1) / len(low)
        )
    )


@pytest.mark.parametrize(
    ("metric", "classes"),
    [("roc_auc", 2), ("roc_auc_ovr", 3), ("accuracy", 3), ("neg_log_loss", 2)],
)
def test_the_mean_is_the_score_with_its_sign_turned(metric: str, classes: int) -> None:
    p, table = said(203, 0, classes=classes)
    losses = row_losses(metric, Classification())(p, table)
    oracle = {
        "roc_auc": lambda: roc_auc_score(table.y, p[:, 1]),
        "roc_auc_ovr": lambda: roc_auc_score(table.y, p, multi_class="ovr"),
        "accuracy": lambda: accuracy_score(table.y, p.argmax(axis=1)),
        "neg_log_loss": lambda: np.log(p[np.arange(203), table.y]).mean(),
    }[metric]()
    assert losses.shape == (203,)
    np.testing.assert_allclose(losses.mean(), -oracle, rtol=1e-12)


def test_names_of_the_task_are_exact_losses_of_rows() -> None:
    p, table = said(30, 1)
    losses = row_losses("brier", Classification())(p, table)
    np.testing.assert_array_equal(losses, pointwise_brier(p, table.y))
    assert row_losses(None, Regression())(p, table).shape == (30,)


AREA = make_scorer(roc_auc_score, response_method="predict_proba")


def test_the_spread_of_an_auc_is_delongs_but_for_its_small_samples() -> None:
    p, table = said(300, 2)
    losses = row_losses("roc_auc", Classification())(p, table)
    found = losses.var() / len(losses)
    # DeLong divides by m - 1 in each class of m rows.
    assert found == pytest.approx(delong(p, table.y) ** 2, rel=2 / 130)
    assert found < delong(p, table.y) ** 2


@pytest.mark.parametrize(("metric", "classes"), [("roc_auc", 2), ("roc_auc_ovr", 4)])
def test_weights_are_repeated_rows_for_an_auc(metric: str, classes: int) -> None:
    p, table = said(120, 4, classes=classes)
    times = np.random.default_rng(5).integers(0, 4, size=120)
    loss = row_losses(metric, Classification())
    weighted = Table(table.X, table.y, times.astype(float), None)
    losses, rows = loss(p, weighted), np.repeat(np.arange(120), times)
    repeated = loss(p[rows], Table(table.X[rows], table.y[rows], None, None))
    np.testing.assert_allclose(losses[rows], repeated, atol=1e-12)
    assert np.average(losses, weights=times) == pytest.approx(repeated.mean())


def test_by_blocks_the_spread_of_an_auc_is_that_of_delong_too() -> None:
    # 50 blocks: a ratio of variances over 60 tables has a mean of 1 with a standard
    # error of about sqrt(2 / 49 / 60) = 0.026; the band is 4 of these, and 3 % for
    # the jackknife's own second-order bias at 400 rows.
    ratios, halved = [], []
    for seed in range(60):
        p, table = said(400, seed)
        losses = row_losses(AREA, Classification())(p, table)
        found = losses.var(ddof=1) / len(losses)
        ratios.append(found / delong(p, table.y) ** 2)
        halved.append(found / delong(p[:200], table.y[:200]) ** 2)
    assert abs(np.mean(ratios) - 1.0) < 0.135
    # The control: the spread of half as many rows is another.
    assert abs(np.mean(halved) - 1.0) > 0.135


def test_of_rows_that_are_scored_alone_the_spread_is_the_usual_one() -> None:
    # Blocks of single units: leaving a row out of a mean gives back the row.
    p, table = said(50, 3)
    losses = row_losses("accuracy", Classification())(p, table)
    misses = (p.argmax(axis=1) != table.y) - 1.0
    np.testing.assert_allclose(losses, misses, atol=1e-12)


def test_groups_stay_in_one_block_and_weights_reach_the_scorer() -> None:
    p, table = said(120, 4)
    groups = np.arange(120) // 3
    weights = np.random.default_rng(5).integers(1, 4, size=120).astype(float)
    grouped = Table(table.X, table.y, weights, groups)
    losses = row_losses("accuracy", Classification())(p, grouped)
    assert all(len(np.unique(losses[groups == g])) == 1 for g in range(40))
    hits = p.argmax(axis=1) == table.y
    np.testing.assert_allclose(
        np.average(losses, weights=weights), -np.average(hits, weights=weights)
    )


def test_a_scorer_of_ones_own_is_the_named_one() -> None:
    p, table = said(90, 6)
    by_name = get_scorer("balanced_accuracy")
    for scorer in (by_name, lambda model, X, y: by_name(model, X, y)):
        np.testing.assert_array_equal(
            row_losses(scorer, Classification())(p, table),
            row_losses("balanced_accuracy", Classification())(p, table),
        )


def test_a_scorer_sees_the_rows_and_may_ask_for_scores() -> None:
    p, table = said(90, 6)
    seen = []

    def spy(model: Any, X: Any, y: Any) -> float:
        seen.append(X)
        return float(np.average(model.predict(X) == y, weights=np.abs(X[:, 0])))

    losses = row_losses(spy, Classification())(p, table)
    np.testing.assert_array_equal(seen[0], table.X)
    hits = p.argmax(axis=1) == table.y
    expected = -np.average(hits, weights=np.abs(table.X[:, 0]))
    np.testing.assert_allclose(losses.mean(), expected)
    # Log-odds rank as probabilities do.
    odds = make_scorer(roc_auc_score, response_method="decision_function")
    np.testing.assert_allclose(
        row_losses(odds, Classification())(p, table),
        row_losses(AREA, Classification())(p, table),
    )


def test_a_search_chooses_by_the_scorer_that_it_was_given() -> None:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(400, 4))
    y = np.where(X[:, 0] - X[:, 1] + 1.5 * rng.normal(size=400) > 0, "yes", "no")
    tree = DecisionTreeRegressor(max_leaf_nodes=8)
    options: Any = {"preset": "fast", "random_state": 0}
    auto = AutoDistiller(GaussianNB(), tree, metric="roc_auc", **options).fit(X, y)
    table = auto.leaderboard()
    assert table["loss"].between(-1.0, -0.5).all()
    assert table.index[0] == str(auto.chosen_)
    score, error = auto.score_
    assert -1.0 < score < -0.5
    assert 0.0 < error < 0.05


def test_what_cannot_be_scored_is_one_clear_line() -> None:
    p, table = said(40, 8)
    alone = Table(table.X, np.zeros(40, dtype=int), None, None, classes=np.arange(2))
    with (
        pytest.warns(UndefinedMetricWarning),
        pytest.raises(ValueError, match=r"metric='roc_auc' says nan of 40 rows"),
    ):
        row_losses("roc_auc", Classification())(p, alone)

    def broken(model: Any, X: Any, y: Any) -> float:
        raise ValueError(f"no {model}, {len(X)}, {len(y)}")

    with pytest.raises(ValueError, match=r"metric='broken' cannot score 40 rows"):
        row_losses(broken, Classification())(p, alone)
    with pytest.raises(ValueError, match="metric must be 'squared_error' or"):
        row_losses("roc_auc", Regression())


def test_means_of_equal_models_differ_by_no_more_than_their_errors() -> None:
    # Paired t statistics of two equally good models over 150 tables: at 5 % the number
    # beyond the quantile is within the exact 1-in-10,000 band of a binomial.
    beyond = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        y = rng.integers(2, size=200)
        table = Table(rng.normal(size=(200, 1)), y, None, None)
        losses = []
        for _ in range(2):
            q = 1 / (1 + np.exp(-(rng.normal(size=200) + 1.2 * y)))
            p = np.column_stack([1 - q, q])
            losses.append(row_losses("roc_auc", Classification())(p, table))
        gap = losses[0] - losses[1]
        t = gap.mean() / (gap.std(ddof=1) / np.sqrt(200))
        beyond += abs(t) > stats.t.isf(0.025, 199)
    low, high = stats.binom(150, 0.05).ppf([5e-5, 1 - 5e-5])
    assert low <= beyond <= high
