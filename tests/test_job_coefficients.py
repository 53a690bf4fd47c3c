"""Slopes of what a linear student reads: against statsmodels, and where none is."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semikd.inference import likelihood_coefficients
from semikd.job import Settings, distil, write_result
from semikd.job.coefficients import FeatureSlopes, feature_slopes
from semikd.job.encoded import read_sides
from semikd.job.sides import raw_sides
from semikd.job.told import slope_facts


def a_table(n: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Return rows of two numbers and a category that is mostly 'red'."""
    draws = np.random.default_rng(seed)
    a, b = draws.normal(3.0, 2.0, size=(2, n))
    c = draws.choice(["red", "green", "blue"], n, p=[0.5, 0.3, 0.2])
    odds = 0.5 * (a - 3) - 0.3 * (b - 3) + 1.0 * (c == "green")
    y = np.where(draws.random(n) < 1 / (1 + np.exp(-odds)), "yes", "no")
    return pd.DataFrame({"a": a, "b": b, "c": c, "y": y})


def slopes_of(frame: pd.DataFrame, **settings: Any) -> tuple[FeatureSlopes, Any, Any]:
    """Return the slopes of a table, its training rows, and its encoder."""
    chosen = Settings("y", teacher="linear", student="linear", **settings)
    raw = raw_sides(frame, chosen)
    read = read_sides(raw, chosen, teacher_reads_table=False)
    found = feature_slopes(read.train, read.plan.encoder, 0)
    assert found is not None
    return found, read.train, read.plan.encoder


def test_slopes_are_those_of_a_logistic_regression() -> None:
    from statsmodels.api import Logit

    found, train, encoder = slopes_of(a_table())
    assert found.names == ("a", "b", "c = blue", "c = green")
    assert found.bases == ("", "", "red", "red")
    X = train.features.astype(np.float64)
    at = [encoder.feature_names.index(name) for name in found.names]
    design = np.column_stack([X[:, at], np.ones(len(X))])
    oracle = Logit(train.codes, design).fit(disp=0, tol=1e-12)
    assert found.found is not None
    np.testing.assert_allclose(found.found.estimate, oracle.params, rtol=1e-6)
    # HC3 differs from the model's own errors by chance alone: the model is true.
    np.testing.assert_allclose(found.found.std_error, oracle.bse, rtol=0.1)


def test_the_shipped_slopes_are_measured_alike(tmp_path: Path) -> None:
    outcome = distil(
        a_table(), Settings("y", teacher="linear", student="linear", refits=1)
    )
    facts = slope_facts(outcome)
    assert facts is not None
    assert facts.outcome == "y = yes"

    def log_odds(row: dict[str, Any]) -> float:
        p = outcome.model.predict_proba({name: [row[name]] for name in row})[0, 1]
        return float(np.log(p / (1 - p)))

    row = {"a": 3.0, "b": 3.0, "c": "red"}
    moved = log_odds(row | {"c": "green"}) - log_odds(row)
    at = list(facts.names).index("c = green")
    assert facts.shipped[at] == pytest.approx(moved, abs=1e-6)
    write_result(outcome, tmp_path, table="t.csv")
    told = json.loads((tmp_path / "metrics.json").read_text())["slopes"]["slopes"][at]
    assert (told["name"], told["against"]) == ("c = green", "red")
    assert told["shipped"] == pytest.approx(facts.shipped[at])
    assert told["estimate"] == pytest.approx(facts.found.estimate[at])
    # The direction of all is known, and it is the shipped one's.
    np.testing.assert_array_equal(
        np.sign(facts.shipped[:2]), np.sign(facts.found.estimate[:2])
    )


def test_rare_categories_are_put_together() -> None:
    frame = a_table()
    c = np.array(frame["c"], dtype=object)
    c[:60] = [f"rare {at // 6}" for at in range(60)]
    found, train, encoder = slopes_of(frame.assign(c=c))
    assert found.names == ("a", "b", "c = blue", "c = green", "c = (all others)")
    assert found.found is not None
    # Any function of the rows' categories is measured by its means within them.
    names = np.array(encoder.feature_names).astype(str)
    coef = np.arange(1.0, len(names) + 1)
    rare = np.char.startswith(names, "c = rare")
    counts = train.features[:, rare].sum(axis=0)
    red = coef[names.tolist().index("c = red")]
    others = coef[rare] @ counts / counts.sum() - red
    assert (found.measure @ coef)[-1] == pytest.approx(others, abs=0.05)
    green = coef[names.tolist().index("c = green")] - red
    assert (found.measure @ coef)[-2] == pytest.approx(green, abs=0.05)


def test_a_category_of_one_class_moves_no_other() -> None:
    """The slopes are those of the rows without it, the limit of the likelihood."""
    draws = np.random.default_rng(0)
    c = np.repeat(["u", "v", "w"], [1000, 1100, 1000])
    p = np.select([c == "u", c == "v"], [0.4, 0.6], 0.0)
    y = np.where(draws.random(3100) < p, "yes", "no")
    frame = pd.DataFrame({"c": c, "x": draws.normal(size=3100), "y": y})
    found, train, encoder = slopes_of(frame)
    assert (found.names, found.bases) == (("c = u", "x"), ("v", ""))
    assert found.left_out == ("c = w",)
    at = encoder.feature_names.index("c = w")
    assert found.n_certain == train.features[:, at].sum()
    assert found.found is not None
    log_odds = np.log([0.4 / 0.6, 0.6 / 0.4])
    distance = found.found.estimate[0] - (log_odds[0] - log_odds[1])
    assert abs(distance) < 4 * found.found.std_error[0]


def test_a_strong_heavy_tailed_column_stays() -> None:
    """Most of its variance is in rows that are all but certain; none is."""
    draws = np.random.default_rng(0)
    v = np.exp(1.5 * draws.normal(size=8000))
    x = draws.normal(size=8000) + 0.5 * np.log(v)
    odds = np.clip(-2 - 3 * v + 0.7 * x, -500, 500)
    y = np.where(draws.random(8000) < 1 / (1 + np.exp(-odds)), "yes", "no")
    found, train, _ = slopes_of(pd.DataFrame({"v": v, "x": x, "y": y}))
    assert (found.names, found.left_out, found.n_certain) == (("v", "x"), (), 0)
    own = likelihood_coefficients(train.features.astype(float), train.y)
    assert found.found is not None
    np.testing.assert_allclose(found.found.estimate, own.estimate)


def test_combinations_have_no_slope() -> None:
    frame = a_table()
    twice = frame.assign(d=2 * frame["a"] + frame["b"])
    found, _, _ = slopes_of(twice)
    assert len(found.left_out) == 1
    assert found.found is not None
    # d is missing wherever e is, but for rows of one class: along the difference of the
    # two the likelihood has no maximum. Without those rows they are the same.
    gap = np.arange(len(frame)) % 10 == 0
    more = gap | ((frame["y"] == "no") & (np.arange(len(frame)) % 37 == 0))
    words = frame["c"].where(~gap), frame["c"].where(~more)
    apart, _, _ = slopes_of(frame.drop(columns="c").assign(d=words[0], e=words[1]))
    assert apart.found is not None
    n_odd = int((more & ~gap).sum())
    assert 0 < apart.n_certain <= n_odd
    missing = {"d is missing", "e is missing"}
    assert len(missing & set(apart.left_out)) == 1
    assert np.abs(apart.found.estimate).max() < 10.0


def test_columns_nearly_alike_are_named_by_their_own_names() -> None:
    draws = np.random.default_rng(1)
    gross, fee = 1000 + 100 * draws.normal(size=900), 0.05 + 0.02 * draws.random(900)
    x1 = draws.normal(size=900)
    y = np.where(draws.random(900) < 1 / (1 + np.exp(-x1)), "yes", "no")
    columns = {"gross": gross, "fee": fee, "net": gross - fee, "x1": x1, "y": y}
    found, _, _ = slopes_of(pd.DataFrame(columns))
    assert found.left_out in {("gross",), ("net",)}
    assert found.found is not None
    assert "x1" in found.names


def test_dates_have_one_slope() -> None:
    frame = a_table(400)
    days = pd.date_range("2015-01-01", periods=400).strftime("%Y-%m-%d")
    found, _, _ = slopes_of(frame.assign(d=np.random.default_rng(0).permutation(days)))
    assert {"d: year", "d: month", "d: day"} <= set(found.left_out)
    assert "d: total seconds" in found.names


def test_where_there_are_no_intervals_the_reason_is_a_note() -> None:
    frame = a_table(60)
    frame["y"] = np.where(frame["a"] > 3.0, "yes", "no")
    found, _, _ = slopes_of(frame)
    assert found.found is None
    assert found.notes == (
        "There are no intervals of coefficients: the columns tell the classes apart "
        "without error",
    )


def test_three_classes_and_regressions_have_none() -> None:
    frame = a_table(200)
    three = frame.assign(y=frame["c"], c=frame["y"])
    chosen = Settings("y", teacher="linear", student="linear")
    for table in (three, frame.assign(y=frame["a"] + frame["b"])):
        raw = raw_sides(table, chosen)
        read = read_sides(raw, chosen, teacher_reads_table=False)
        assert feature_slopes(read.train, read.plan.encoder, 0) is None


def test_groups_are_the_units_and_weights_count() -> None:
    frame = a_table().assign(g=np.arange(1500) // 5)
    grouped, train, _ = slopes_of(frame, groups="g")
    alone, _, _ = slopes_of(frame.drop(columns="g"))
    assert grouped.found is not None
    assert alone.found is not None
    n_groups = len(np.unique(train.groups))
    assert any(f"{n_groups:,} clusters" in each for each in grouped.found.conditions)
    encoder = slopes_of(frame.drop(columns="g"))[2]
    weights = np.where(train.codes == 1, 3.0, 1.0)
    heavy = feature_slopes(replace(train, weights=weights, groups=None), encoder, 0)
    plain = feature_slopes(replace(train, groups=None), encoder, 0)
    assert heavy is not None
    assert plain is not None
    assert heavy.found is not None
    assert plain.found is not None
    # Thrice the odds move the constant term by log 3 in a model that is true.
    moved = heavy.found.estimate[-1] - plain.found.estimate[-1]
    assert moved == pytest.approx(np.log(3.0), abs=0.1)
