"""Risks of a model against classical intervals, of cross-fitted labels by hand."""

import re
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from semikd import cross_fit, external_labels
from semikd.evaluation import pointwise_brier, pointwise_log_loss, risks
from semikd.exceptions import SemikdWarning

FloatArray = NDArray[np.float64]
N = 160


@pytest.fixture(scope="module")
def p() -> FloatArray:
    return np.random.default_rng(0).uniform(0.05, 0.95, size=N)


@pytest.fixture(scope="module")
def y(p: FloatArray) -> NDArray[np.intp]:
    rng = np.random.default_rng(1)
    return (rng.random(N) < 0.2 + 0.6 * p).astype(np.intp)


def losses(p: FloatArray, y: NDArray[np.intp]) -> dict[str, FloatArray]:
    """Return the losses of every row."""
    both = np.column_stack([1.0 - p, p])
    return {
        "log_loss": pointwise_log_loss(both, y),
        "brier": pointwise_brier(both, y),
        "accuracy": ((p > 0.5) == y).astype(float),
    }


def test_intervals_of_means_are_those_of_the_t_test(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    metrics = list(losses(p, y))
    found = risks(y, p, metrics=metrics, random_state=0)
    assert found.names == tuple(metrics)
    for own, each in zip(found.conf_int(), losses(p, y).values(), strict=True):
        theirs = stats.ttest_1samp(each, 0.0).confidence_interval(0.95)
        np.testing.assert_allclose(own, [theirs.low, theirs.high], rtol=1e-10)


def test_weights_and_clusters_are_those_of_a_regression_on_a_constant(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    rng = np.random.default_rng(2)
    weights, clusters = rng.uniform(0.1, 2.0, size=N), rng.integers(25, size=N)
    found = risks(y, p, metrics=["brier"], sample_weight=weights, clusters=clusters)
    model = sm.WLS(losses(p, y)["brier"], np.ones(N), weights=weights)
    oracle = model.fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    np.testing.assert_allclose(found.estimate, oracle.params, rtol=1e-10)
    np.testing.assert_allclose(found.conf_int(), oracle.conf_int(), rtol=1e-8)


def test_the_area_has_the_variance_of_delong(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    above, below = p[y == 1], p[y == 0]
    wins = (above[:, None] > below).astype(float)
    variance = wins.mean(axis=1).var(ddof=1) / len(above)
    variance += wins.mean(axis=0).var(ddof=1) / len(below)
    found = risks(y, p, metrics=["auc"])
    assert found.estimate[0] == pytest.approx(wins.mean())
    assert found.covariance.item() == pytest.approx(variance, rel=1e-8)
    assert found.law.df.tolist() == [min(len(above), len(below)) - 1]


def test_a_group_is_judged_as_if_it_were_alone(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    rng = np.random.default_rng(3)
    groups = rng.choice(np.array(["north", "south"], dtype=object), size=N)
    clusters = np.where(groups == "north", 0, 100) + rng.integers(20, size=N)
    weights = rng.uniform(0.5, 1.5, size=N)
    options: dict[str, Any] = {"sample_weight": weights, "clusters": clusters}
    found = risks(y, p, groups=groups, **options, random_state=0)
    frame = found.to_frame()
    for name in ("north", "south"):
        rows = groups == name
        own = {key: value[rows] for key, value in options.items()}
        alone = risks(y[rows], p[rows], **own, random_state=0).to_frame()
        part = frame.loc[[f"{each}, group {name}" for each in alone.index]]
        for column in ("estimate", "std_error", "lower", "upper", "p_value"):
            np.testing.assert_allclose(part[column], alone[column], rtol=1e-9)
    assert (frame["upper_simultaneous"] > frame["upper"]).all()


def test_cross_fitted_areas_are_averages_over_folds_and_repeats() -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(300, 2))
    y = (rng.random(300) < special.expit(X[:, 0])).astype(np.intp)
    labels = cross_fit(LogisticRegression(), X, y, n_repeats=2, random_state=0)
    found = risks(y, labels, metrics=["auc", "log_loss"], random_state=0)
    areas = [
        np.sum(
            [
                np.mean(fold == t) * roc_auc_score(y[fold == t], p[fold == t, 1])
                for t in np.unique(fold)
            ]
        )
        for p, fold in zip(labels.prediction, labels.fold, strict=True)
    ]
    assert found.estimate[0] == pytest.approx(np.mean(areas))
    each = [pointwise_log_loss(p, y) for p in labels.prediction]
    assert found.estimate[1] == pytest.approx(np.mean(each))
    assert found.std_error[1] == pytest.approx(stats.sem(np.mean(each, axis=0)))
    assert "fold models" in found.estimand


def test_several_classes_are_judged_against_the_rest() -> None:
    rng = np.random.default_rng(5)
    p = rng.dirichlet(np.ones(3), size=200)
    y = np.array([rng.choice(3, p=own) for own in p])
    names = np.array(["a", "b", "c"])
    found = risks(names[y], p, metrics=["auc", "accuracy"])
    assert found.estimate[0] == pytest.approx(roc_auc_score(y, p, multi_class="ovr"))
    assert found.estimate[1] == pytest.approx(np.mean(p.argmax(axis=1) == y))


@pytest.mark.parametrize("n", [10, 50, 77, 160, 1000])
@pytest.mark.parametrize("weighed", [False, True])
def test_a_spread_that_says_nothing_is_warned_of_and_spoils_no_other(
    n: int, weighed: bool
) -> None:
    rng = np.random.default_rng(n)
    p = rng.uniform(0.05, 0.95, size=n)
    easy = np.arange(n) < n // 2
    p[:2], p[-2:] = [0.1, 0.9], [0.1, 0.9]
    y = np.where(easy, p > 0.5, rng.random(n) < p).astype(int)
    y[-2:] = [1, 0]
    groups = np.where(easy, "easy", "hard")
    weights = rng.uniform(0.5, 2.0, size=n) if weighed else None
    options: dict[str, Any] = {"groups": groups, "sample_weight": weights}
    said = r"1 of 6 intervals has no width.*first: accuracy, group easy"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = risks(y, p, metrics=["brier", "accuracy"], **options, random_state=0)
    told = [str(each.message) for each in caught]
    assert len([each for each in told if re.search(said, each)]) == 1
    # With few rows some intervals are wider than what is possible.
    assert all("no width" in each or "beyond what is" in each for each in told)
    frame = found.to_frame()
    certain = frame.loc["accuracy, group easy"]
    assert certain["std_error"] == 0.0
    assert certain["lower"] == certain["upper"] == pytest.approx(1.0)
    assert np.isfinite(frame).all(axis=None)
    others = frame.drop("accuracy, group easy")
    assert (others["upper_simultaneous"] > others["upper"]).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"metrics": ["aucc"]}, "metrics must be one of .*Did you mean 'auc'"),
        ({"level": 2.0}, "level must lie strictly between 0 and 1"),
        ({"p": np.full(N, 40.0)}, "p must hold probabilities that sum to 1"),
        ({"p": np.full((N, 3), 0.5)}, r"p must have shape \(160, 2\)"),
        ({"p": np.full(N, 0.5), "classes": [0, 1, 2]}, r"p must have shape \(160, 3\)"),
        (
            {"p": pd.DataFrame({"no": np.zeros(N), "yes": np.ones(N)})},
            "columns '0', '1'",
        ),
        ({"classes": [1, 2]}, "y must hold the classes"),
        ({"groups": np.arange(N) // (N - 1)}, "two rows each; got 1 row of positive"),
        (
            {"groups": [None] + ["a"] * (N - 1)},
            "groups must name a group for every row; got None in",
        ),
        (
            {"groups": ["a", float("nan")] * (N // 2)},
            "groups must name a group .* got nan in row 1",
        ),
        ({"groups": np.array([1, "1"] * (N // 2), dtype=object)}, "labels of one type"),
        ({"metrics": "auc"}, "be a sequence of names"),
        ({"metrics": []}, "name one at least"),
        ({"classes": [0, 0]}, "classes must be all different"),
        ({"sample_weight": np.zeros(N)}, "have a positive sum"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    changed: dict[str, Any], words: str, p: FloatArray, y: NDArray[np.intp]
) -> None:
    said = changed.pop("p", p)
    with pytest.raises((ValueError, TypeError), match=words):
        risks(y, said, **changed)


def test_an_area_needs_both_classes_in_every_part(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    said = r"AUC is not defined in 2 of 3 parts \(first: group 0\)"
    with pytest.warns(SemikdWarning, match=said) as caught:
        found = risks(y, p, groups=y, random_state=0)
    assert len(caught) == 1
    losses = ("log_loss", "brier", "accuracy")
    parts = [f"{name}, group {own}" for own in (0, 1) for name in losses]
    assert found.names == (*losses, "auc", *parts)
    # Other numbers are those that they are alone.
    own = risks(y[y == 0], p[y == 0], classes=[0, 1], metrics=losses)
    np.testing.assert_allclose(found.std_error[4:7], own.std_error)


def test_an_area_that_is_nowhere_is_refused(p: FloatArray) -> None:
    zeros = np.zeros(N, dtype=int)
    words = r"two rows.* of each class.*got none of class 1 in all rows\. Leave 'auc'"
    with pytest.raises(ValueError, match=words):
        risks(zeros, p, classes=[0, 1], metrics=["auc"])
    with pytest.raises(ValueError, match="got none outside class 0 in all rows"):
        risks(zeros, np.eye(3)[zeros], classes=[0, 1, 2], metrics=["auc"])


@pytest.mark.parametrize("columns", [1, 2])
def test_outcomes_of_one_class_need_the_classes_named(
    columns: int, p: FloatArray
) -> None:
    said = p if columns == 1 else np.column_stack([1.0 - p, p])
    words = r"y must show which classes p is of; got class 'no' alone\. Name the cl"
    with pytest.raises(ValueError, match=words):
        risks(["no"] * N, said)
    with pytest.warns(SemikdWarning, match="AUC is not defined in 1 of 1 part"):
        found = risks(["no"] * N, said, classes=["no", "yes"])
    assert found.names == ("log_loss", "brier", "accuracy")
    assert found.estimate[1] == pytest.approx(2 * np.mean(p**2), rel=1e-2)


def test_an_area_with_few_rows_of_a_class_is_as_unsure_as_they_are() -> None:
    rng = np.random.default_rng(6)
    y, score = np.repeat([0, 1], [200, 3]), rng.uniform(size=203)
    with pytest.warns(SemikdWarning, match=r"1 of 1 interval reaches beyond .*auc"):
        found = risks(y, score, metrics=["auc"])
    assert found.law.df.tolist() == [2.0]
    with pytest.raises(ValueError, match="two rows, or clusters, of each class"):
        risks(y[:201], score[:201], metrics=["auc"])
    with pytest.raises(ValueError, match="two rows, or clusters, of each class"):
        risks(y, score, metrics=["auc"], clusters=np.minimum(np.arange(203), 200))


def test_columns_of_a_frame_are_taken_by_name(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    names = np.array(["a", "b"])[y]
    frame = pd.DataFrame({"b": p, "a": 1.0 - p})
    found, plain = risks(names, frame, random_state=0), risks(y, p, random_state=0)
    np.testing.assert_allclose(found.estimate, plain.estimate)


def test_groups_are_compared_with_each_other(
    p: FloatArray, y: NDArray[np.intp]
) -> None:
    groups = np.where(np.arange(N) < 50, "a", "b")
    found = risks(y, p, metrics=["brier"], groups=groups)
    contrast = found.contrast([[0.0, 1.0, -1.0]], ["a less b"])
    each = losses(p, y)["brier"]
    theirs = [each[groups == name] for name in ("a", "b")]
    variance = sum(own.var(ddof=1) / len(own) for own in theirs)
    assert contrast.covariance.item() == pytest.approx(variance)
    assert contrast.law.df.tolist() == [49.0]
    test = found.wald_test([[0.0, 1.0, -1.0]])
    difference = theirs[0].mean() - theirs[1].mean()
    assert test.statistic == pytest.approx(difference**2 / variance)


def test_labels_that_saw_the_rows_are_refused() -> None:
    X, y = np.arange(20.0)[:, None], np.arange(20) % 2
    tree = DecisionTreeClassifier(random_state=0)
    seen = cross_fit(tree, X, y, cv="in-sample", random_state=0)
    with pytest.raises(ValueError, match="did not see the rows, for inference"):
        risks(y, seen)


def shifted_scores(n: int, seed: int) -> tuple[Any, NDArray[np.intp]]:
    """Return labels of five folds whose models are on scales of their own."""
    rng = np.random.default_rng(seed)
    y, fold = rng.integers(2, size=n), np.arange(n) % 5
    score = rng.normal(size=n) + y + np.array([-2.0, -1.0, 0.0, 1.0, 2.0])[fold]
    X = np.arange(float(n))[:, None]
    labels = external_labels(X, special.expit(score), classes=[0, 1])
    return replace(labels, fold=fold[None]), y


@pytest.mark.slow
def test_areas_over_folds_cover_where_pooled_ones_do_not() -> None:
    """1,000 tables of 300 rows; one of 0.91 would be found with 88 % power."""
    truth, n_tables = stats.norm.cdf(1.0 / np.sqrt(2.0)), 1_000
    hits = {"folds": 0, "pooled": 0}
    for seed in range(n_tables):
        labels, y = shifted_scores(300, seed)
        for name, p in (("folds", labels), ("pooled", labels.mean)):
            found = risks(y, p, metrics=["auc"], random_state=0)
            low, high = found.conf_int()[0]
            hits[name] += low < truth < high
    law = stats.binom(n_tables, 0.95)
    assert law.ppf(0.5e-4) <= hits["folds"] <= law.ppf(1 - 0.5e-4)
    # The negative control: DeLong's interval on scores of all folds pooled.
    assert hits["pooled"] < law.ppf(0.5e-4)


def test_intervals_of_tiny_groups_are_counted_and_not_cut_off() -> None:
    y, p = np.array([0, 1, 1] + [0, 1] * 30), np.full(63, 0.6)
    p[:3] = [0.2, 0.8, 0.3]
    p[3:] += 0.1 * np.sin(np.arange(60.0))
    groups = np.where(np.arange(63) < 3, "few", "many")
    said = r"2 of 6 intervals reach beyond what is possible \(first: accuracy, g.*few"
    with pytest.warns(SemikdWarning, match=said):
        found = risks(y, p, metrics=["accuracy", "log_loss"], groups=groups)
    frame = found.to_frame()
    theirs = stats.ttest_1samp([1.0, 1.0, 0.0], 0.0).confidence_interval(0.95)
    own = frame.loc["accuracy, group few", ["lower", "upper"]]
    np.testing.assert_allclose(own, [theirs.low, theirs.high], rtol=1e-10)


def test_the_shares_of_tables_in_the_notes_are_those_of_the_binomial() -> None:
    n, k = 100, np.arange(101)
    share = k / n
    half = stats.t.isf(0.025, n - 1) * np.sqrt(share * (1 - share) / (n - 1))
    for truth, held in ((0.95, 0.88), (0.9, 0.93), (0.8, 0.94)):
        law, inside = stats.binom.pmf(k, n, truth), np.abs(share - truth) <= half
        assert law @ inside == pytest.approx(held, abs=0.005)
    beyond = (share + half > 1.0) & (half > 0)
    law = stats.binom.pmf(k, n, 0.95)
    inside = np.abs(share - 0.95) <= half
    assert law @ beyond == pytest.approx(0.25, abs=0.01)
    assert law @ (beyond & inside) / (law @ beyond) == pytest.approx(0.55, abs=0.01)


def test_a_perfect_model_is_not_beyond_what_is_possible() -> None:
    y = np.arange(20) % 2
    p = np.where(y == 1, 0.9, 0.1)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = risks(y, p, metrics=["accuracy", "auc"])
    assert found.estimate == pytest.approx(1.0)
    said = [str(each.message) for each in heard]
    assert not [each for each in said if "beyond" in each]
    # It has no width, which is said.
    assert [each for each in said if "says the same" in each or "no width" in each]
