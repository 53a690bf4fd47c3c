"""Reports by subgroup: against counting by hand, and how often their limits hold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.diagnostics import (
    SubgroupReport,
    crossed_groups,
    frequency_groups,
    subgroup_report,
)
from semikd.inference.shares import share_differences

FloatArray = NDArray[np.float64]
K, N = 4, 900


def drawn(seed: int = 0) -> tuple[NDArray[np.intp], dict[str, FloatArray]]:
    """Return labels, and three models that are right to different degrees."""
    rng = np.random.default_rng(seed)
    y = rng.choice(K, N, p=[0.4, 0.3, 0.2, 0.1])
    arms = {}
    for name, sure in (("scratch", 1.0), ("teacher", 1.5), ("small", 1.2)):
        noise = rng.dirichlet(np.ones(K), N)
        arms[name] = (noise + sure * np.eye(K)[y] * rng.random((N, 1))) / 2
        arms[name] /= arms[name].sum(axis=1, keepdims=True)
    return y, arms


def report(**options: object) -> SubgroupReport:
    """Return the report of the three models."""
    y, arms = drawn()
    return subgroup_report(y, arms, reference="scratch", random_state=0, **options)  # type: ignore[arg-type]


def test_numbers_are_those_counted_by_hand() -> None:
    y, arms = drawn()
    weights = np.random.default_rng(1).uniform(0.5, 2.0, N)
    found = report(sample_weight=weights)
    for arm, p in arms.items():
        own = found.of(arm)
        for j in range(K):
            rows = np.flatnonzero(y == j)
            hits = [p[i].argmax() == j for i in rows]
            gaps = [p[i, j] - np.delete(p[i], j).max() for i in rows]
            line = own.loc[str(j)]
            assert line["rows"] == len(rows)
            assert line["accuracy"] == pytest.approx(
                np.average(hits, weights=weights[rows])
            )
            assert line["margin"] == pytest.approx(
                np.average(gaps, weights=weights[rows])
            )
            if arm != "scratch":
                base = found.of("scratch").loc[str(j), "accuracy"]
                assert line["difference"] == pytest.approx(line["accuracy"] - base)
        right = np.average(p.argmax(axis=1) == y, weights=weights)
        assert found.means[arm] == pytest.approx(right)
    assert found.of("scratch")["difference"].isna().all()


def test_the_summary_counts_groups() -> None:
    found = report(n_worst=2)
    for arm in found.arms:
        own = np.sort(found.of(arm)["accuracy"])
        line = found.summary.loc[arm]
        assert line["worst"] == pytest.approx(own[:2].mean())
        assert line["mean_over_groups"] == pytest.approx(own.mean())
    small = found.of("small")
    assert found.summary.loc["small", "harmed"] == (small["difference"] < 0).sum()
    assert found.summary.loc["small", "surely_harmed"] == (small["upper"] < 0).sum()
    assert "surely_harmed" in repr(found)


def test_groups_by_frequency_are_those_of_the_training_rows() -> None:
    trained = np.repeat([0, 1, 2, 3], [5, 1, 100, 30])
    y = np.array([3, 2, 1, 0])
    two = frequency_groups(y, trained, n_groups=2)
    assert two.tolist() == [
        "2 of 2: 30 to 100 rows",
        "2 of 2: 30 to 100 rows",
        "1 of 2: 1 to 5 rows",
        "1 of 2: 1 to 5 rows",
    ]
    many = frequency_groups(np.arange(12) % 12, np.repeat(np.arange(12), 3), 12)
    assert sorted(set(many))[0].startswith(" 1 of 12")
    with pytest.raises(ValueError, match="at least two classes"):
        frequency_groups([1, 1], trained)


def test_groups_cross() -> None:
    y, arms = drawn()
    sex = np.where(np.random.default_rng(2).random(N) < 0.5, "f", "m")
    groups = crossed_groups(sex, y)
    found = subgroup_report(y, arms, reference="scratch", groups=groups, random_state=0)
    own = found.of("small").loc["f, 2"]
    assert own["rows"] == ((sex == "f") & (y == 2)).sum()


def test_few_rows_have_exact_limits_or_with_weights_none() -> None:
    rng = np.random.default_rng(3)
    right = {"a": rng.random(40) < 0.8, "b": rng.random(40) < 0.8}
    parts = {"all": np.ones(40, bool), "few": np.arange(40) < 6}
    plain = share_differences(right, "a", parts)
    for line in plain:
        assert -1.0 <= line["lower"] <= line["difference"] <= line["upper"] <= 1.0
    weighed = share_differences(right, "a", parts, weights=np.ones(40))
    assert np.isnan(weighed[1]["lower"])
    # Two models that always agree are not known to be alike.
    same = share_differences({"a": right["a"], "b": right["a"]}, "a", parts)
    assert same[0]["difference"] == 0.0
    assert same[0]["upper"] > 0.05


def test_names_that_join_alike_keep_their_own_limits() -> None:
    rng = np.random.default_rng(0)
    right = {
        "scratch": rng.random(900) < 0.5,
        "small": rng.random(900) < 0.45,
        "small, x": rng.random(900) < 0.75,
    }
    which = rng.integers(0, 3, 900)
    parts = {name: which == at for at, name in enumerate(["y", "x, y", "z"])}
    for line in share_differences(right, "scratch", parts):
        assert line["lower"] < line["difference"] < line["upper"]
    crossed = crossed_groups(["a, b", "a", "a, b"], ["c", "b, c", "c"])
    assert crossed[0] == crossed[2] != crossed[1]


def test_groups_without_weight_and_of_few_clusters_have_no_limits() -> None:
    y, arms = drawn()
    weights = np.where(y == 0, 0.0, 1.0)
    found = subgroup_report(
        y, arms, reference="scratch", sample_weight=weights, random_state=0
    ).of("small")
    assert found.loc["0", "rows"] == 0
    assert np.isnan(found.loc["0", ["accuracy", "lower"]].astype(float)).all()
    assert np.isfinite(found.loc["1", "lower"])
    clusters = np.where(y == 1, -1, np.arange(N) // 2)
    alone = subgroup_report(
        y, arms, reference="scratch", clusters=clusters, random_state=0
    ).of("small")
    assert np.isnan(alone.loc["1", "lower"])
    assert np.isfinite(alone.loc["0", "lower"])


def test_a_name_with_dollars_is_drawn() -> None:
    y, arms = drawn()
    groups = np.where(np.arange(N) % 2 == 0, "$5_{", "<$10_^$")
    found = subgroup_report(y, arms, reference="scratch", groups=groups, random_state=0)
    found.plot().draw_without_rendering()


def weighted(seed: int, heavy: float) -> tuple[bool, float]:
    """Return whether limits hold where few rows weigh much, and how many there are."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(6), 300)
    weights = np.where(rng.random(len(group)) < 0.03, heavy, 1.0)
    u = rng.random(len(group))
    # The arm alone is right more often where weights are large.
    alone = np.where(weights > 1.0, 0.20, 0.10)
    right = {"a": u > 0.4, "b": (u > 0.5) | (u < alone)}
    mix = 0.03 * heavy / (0.03 * heavy + 0.97)
    truth = mix * 0.20 + (1 - mix) * 0.10 - 0.1
    parts = {str(g): group == g for g in range(6)}
    found = share_differences(right, "a", parts, weights=weights, random_state=seed)
    known = [line for line in found if np.isfinite(line["lower"])]
    joint = all(line["lower"] <= truth <= line["upper"] for line in known)
    return joint, len(known) / len(found)


@pytest.mark.slow
def test_limits_with_weights_hold_or_are_not_given() -> None:
    """Of 400 tables: 0.92 is left by a true 0.95 once in 200."""
    for heavy, least in ((3.0, 0.95), (30.0, 0.0)):
        joint, given = np.mean([weighted(s, heavy) for s in range(400)], axis=0)
        assert joint >= 0.92
        assert given >= least
    # Few heavy rows leave most groups without a limit.
    assert given < 0.3


def held(seed: int) -> tuple[bool, bool]:
    """Return whether limits hold in all groups, and whether plain ones would."""
    rng = np.random.default_rng(seed)
    sizes = [8, 15, 30, 60, 120, 250, 500, 1000]
    group = np.repeat(np.arange(len(sizes)), sizes)
    level = np.linspace(0.5, 0.95, len(sizes))[group]
    # Both models are right for the same reason in part.
    shared = rng.random(len(group)) < 0.6
    u, v = rng.random(len(group)), rng.random(len(group))
    right = {
        "a": u < level,
        "b": np.where(shared, u, v) < level - 0.05,
    }
    parts = {str(g): group == g for g in range(len(sizes))}
    found = share_differences(right, "a", parts, random_state=seed)
    joint = all(line["lower"] <= -0.05 <= line["upper"] for line in found)
    plain = []
    for mask in parts.values():
        apart = right["b"][mask].astype(float) - right["a"][mask]
        error = apart.std(ddof=1) / np.sqrt(mask.sum())
        plain.append(abs(apart.mean() + 0.05) <= 1.96 * error)
    return joint, all(plain)


@pytest.mark.slow
def test_limits_hold_together_at_least_at_their_level() -> None:
    """Of 1,000 tables: 0.93 is left by a true 0.95 once in 500, by 0.90 nearly surely.

    They may hold more often, since some are exact. Limits of 95 % group by group do not
    hold together, and of the smallest groups not even alone.
    """
    joint, plain = np.mean([held(seed) for seed in range(1000)], axis=0)
    assert joint >= 0.93
    assert plain < 0.85


def test_the_picture_shows_every_group() -> None:
    figure = report().plot()
    above, below = figure.axes
    assert [t.get_text() for t in below.get_xticklabels()] == ["0", "1", "2", "3"]
    assert len(above.lines) == 3


def test_wrong_input_is_refused() -> None:
    y, arms = drawn()
    with pytest.raises(ValueError, match="reference"):
        subgroup_report(y, arms, reference="scratsh")
    with pytest.raises(ValueError, match="be at least two"):
        subgroup_report(y, {"scratch": arms["scratch"]}, reference="scratch")
    with pytest.raises(ValueError, match="one group"):
        report(groups=np.zeros(N))
    with pytest.raises(ValueError, match="arms"):
        subgroup_report(y, {**arms, "x": np.ones((3, K))}, reference="scratch")
    with pytest.raises(ValueError, match="y must hold the classes 0, 1; got 2 too"):
        report(classes=[0, 1])
    with pytest.raises(ValueError, match="level"):
        report(level=1.0)
    with pytest.raises(ValueError, match=r"ways\[1\]"):
        crossed_groups(["a", "b"], ["x", None])
