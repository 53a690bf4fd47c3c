"""Coefficients against statsmodels, against refits by hand, and under wrong input."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import sparse, special, stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from semikd import cross_fit, external_labels
from semikd.crossfit import OutOfFold
from semikd.exceptions import SemikdWarning
from semikd.inference import (
    EstimatingEquation,
    InferenceResult,
    likelihood_coefficients,
    log_odds_coefficients,
)
from semikd.inference.sandwiches import crossed, sandwich_of

FloatArray = NDArray[np.float64]
N, GROUPS = 240, 30
HC = ("HC0", "HC1", "HC2", "HC3")


@pytest.fixture(scope="module", name="X")
def columns() -> FloatArray:
    return np.random.default_rng(0).normal(size=(N, 2))


@pytest.fixture(scope="module")
def y(X: FloatArray) -> NDArray[np.intp]:
    rng = np.random.default_rng(1)
    p = special.expit(0.3 + X[:, 0] + 0.5 * X[:, 1] ** 2)
    return (rng.random(N) < p).astype(np.intp)


@pytest.fixture(scope="module")
def three(X: FloatArray) -> NDArray[np.intp]:
    rng = np.random.default_rng(2)
    scores = X @ rng.normal(size=(2, 3)) + rng.gumbel(size=(N, 3))
    return np.asarray(scores.argmax(axis=1))


@pytest.fixture(scope="module")
def weights() -> FloatArray:
    return np.random.default_rng(3).uniform(0.2, 3.0, size=N)


@pytest.fixture(scope="module")
def clusters() -> NDArray[np.intp]:
    return np.random.default_rng(4).integers(GROUPS, size=N)


@pytest.fixture(scope="module")
def p() -> FloatArray:
    """Return probabilities that some teacher might give."""
    return np.random.default_rng(5).uniform(0.05, 0.95, size=N)


@pytest.fixture(scope="module")
def labels(X: FloatArray, p: FloatArray) -> OutOfFold:
    return external_labels(X, np.column_stack([1.0 - p, p]), classes=[0, 1])


def by_hand(p: FloatArray, y: NDArray[np.intp]) -> FloatArray:
    """Return the log-odds, fully corrected."""
    return np.asarray(np.log(p / (1 - p)) + (y - p) / (p * (1 - p)))


def with_constant(X: FloatArray) -> FloatArray:
    """Return the columns with a constant one as the last."""
    return np.column_stack([X, np.ones(len(X))])


def same(found: InferenceResult, oracle: Any, rtol: float = 1e-8) -> None:
    """Compare estimates and covariances, outputs of statsmodels column by column."""
    estimate = np.asarray(oracle.params).T.ravel()
    np.testing.assert_allclose(found.estimate, estimate, rtol=rtol, atol=rtol)
    scale = np.abs(oracle.cov_params()).max()
    np.testing.assert_allclose(
        found.covariance, oracle.cov_params(), rtol=rtol, atol=rtol * np.max(scale)
    )


@pytest.mark.parametrize("kind", HC)
def test_log_odds_are_the_regression_of_the_corrected_target(
    kind: str,
    labels: OutOfFold,
    X: FloatArray,
    y: NDArray[np.intp],
    p: FloatArray,
    weights: FloatArray,
) -> None:
    target, columns = by_hand(p, y), with_constant(X)
    oracle = sm.OLS(target, columns).fit(cov_type=kind)
    same(log_odds_coefficients(labels, X, y, covariance=kind), oracle)
    weighed = sm.WLS(target, columns, weights=weights).fit(cov_type=kind)
    found = log_odds_coefficients(
        labels, X, y, covariance=kind, sample_weight=7.0 * weights
    )
    same(found, weighed)


def test_clusters_are_those_of_statsmodels(
    labels: OutOfFold,
    X: FloatArray,
    y: NDArray[np.intp],
    p: FloatArray,
    clusters: NDArray[np.intp],
) -> None:
    fitted = sm.OLS(by_hand(p, y), with_constant(X))
    oracle = fitted.fit(cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True)
    named = np.array([f"group {each}" for each in clusters])
    found = log_odds_coefficients(labels, X, y, clusters=named, covariance="CRV1")
    same(found, oracle)
    np.testing.assert_allclose(found.conf_int(), oracle.conf_int(), rtol=1e-8)
    np.testing.assert_allclose(found.p_values(), oracle.pvalues, rtol=1e-6)


def test_the_jackknife_leaves_clusters_out(
    labels: OutOfFold,
    X: FloatArray,
    y: NDArray[np.intp],
    p: FloatArray,
    clusters: NDArray[np.intp],
) -> None:
    # Some rows are clusters of their own.
    groups = np.where(np.arange(N) < 10, 1000 + np.arange(N), clusters)
    target, columns = by_hand(p, y), with_constant(X)
    full = sm.OLS(target, columns).fit().params
    moves = np.array(
        [
            full - sm.OLS(target[groups != g], columns[groups != g]).fit().params
            for g in np.unique(groups)
        ]
    )
    found = log_odds_coefficients(labels, X, y, clusters=groups)
    expected = (len(moves) - 1) / len(moves) * moves.T @ moves
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-8)
    assert found.law.df.tolist() == [len(moves) - 1]


@pytest.mark.parametrize("m", [1, 2])
@pytest.mark.parametrize("bent", [False, True])
def test_clusters_small_and_large_are_left_out_alike(m: int, bent: bool) -> None:
    """By the equation solved without each cluster, at one Newton step."""
    rng = np.random.default_rng(m)
    x, r = rng.normal(size=(90, 4)), rng.normal(size=(90, m))
    weights, curvature = rng.uniform(0.5, 2.0, 90), None
    if bent:
        p = rng.dirichlet(np.ones(m + 1), 90)[:, 1:]
        curvature = p[:, :, None] * (np.eye(m) - p[:, None, :])
    equation = EstimatingEquation(np.zeros((m, 4)), x, r, curvature, weights)
    # One of 30 rows, the others of 2: less than there are coefficients.
    units = np.r_[np.zeros(30, dtype=int), 1 + np.arange(60) // 2]
    root = equation.root_of(np.arange(90))
    np.testing.assert_allclose(root.T @ root, equation.jacobian)
    moves = []
    for g in range(31):
        without = equation.jacobian - equation.jacobian_of(np.flatnonzero(units == g))
        moves.append(np.linalg.solve(without, equation.score[units == g].sum(axis=0)))
    expected = 30 / 31 * np.transpose(moves) @ np.array(moves)
    found, df = sandwich_of(equation, (units,), "CRV3")
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert df == 30


def test_two_ways_to_cluster_are_those_of_statsmodels(
    labels: OutOfFold,
    X: FloatArray,
    y: NDArray[np.intp],
    p: FloatArray,
    clusters: NDArray[np.intp],
) -> None:
    both = np.column_stack([clusters, np.arange(N) % 17])
    fitted = sm.OLS(by_hand(p, y), with_constant(X))
    oracle = fitted.fit(cov_type="cluster", cov_kwds={"groups": both})
    found = log_odds_coefficients(labels, X, y, clusters=both, covariance="CRV1")
    np.testing.assert_allclose(found.covariance, oracle.cov_params(), rtol=1e-8)
    assert found.law.df.tolist() == [16.0]
    assert sum("clusters of 240 rows" in each for each in found.conditions) == 2
    # The second way says nothing that the first does not.
    same_twice = np.column_stack([clusters, clusters])
    once = log_odds_coefficients(labels, X, y, clusters=clusters)
    twice = log_odds_coefficients(labels, X, y, clusters=same_twice)
    np.testing.assert_allclose(twice.covariance, once.covariance, rtol=1e-8)


def test_two_ways_that_leave_no_covariance_are_added_with_a_warning() -> None:
    first, second = np.repeat(np.arange(6), 6), np.tile(np.arange(6), 6)
    # Scores that cancel in most clusters of either way, and not in the cells of both.
    residual = (-1.0) ** (first + second)
    residual[0] = 3.0
    mean = EstimatingEquation([[0.0]], np.ones((36, 1)), residual[:, None], None)
    with pytest.warns(SemikdWarning, match=r"V1 \+ V2 stands for"):
        found, df = sandwich_of(mean, (first, second), "CRV1")
    ways = [sandwich_of(mean, (each,), "CRV1")[0] for each in (first, second)]
    assert (found.item(), df) == (np.sum(ways), 5.0)
    cells, _ = sandwich_of(mean, (crossed((first, second)),), "CRV1")
    assert cells.item() > found.item() > 0.0


def test_log_odds_of_three_classes_are_regressions_against_the_reference(
    X: FloatArray, three: NDArray[np.intp]
) -> None:
    names = np.array(["a", "b", "c"])
    p = np.random.default_rng(6).dirichlet([4.0, 4.0, 4.0], size=N)
    labels = external_labels(X, p, classes=names)
    found = log_odds_coefficients(
        labels, X, names[three], reference="b", min_proba=1e-9, covariance="HC0"
    )
    e = np.eye(3)[three]
    tau = np.log(p) + (e - p) / p
    oracle = [
        sm.OLS(tau[:, j] - tau[:, 1], with_constant(X)).fit(cov_type="HC0")
        for j in (0, 2)
    ]
    expected = np.concatenate([each.params for each in oracle])
    np.testing.assert_allclose(found.estimate, expected, rtol=1e-8)
    for at, each in enumerate(oracle):
        own = found.covariance[3 * at : 3 * at + 3, 3 * at : 3 * at + 3]
        np.testing.assert_allclose(own, each.cov_params(), rtol=1e-8)
    assert found.names[0] == "a: x0"
    assert found.names[-1] == "c: intercept"


def test_repeats_are_averaged_on_the_scale_of_the_target(
    X: FloatArray, y: NDArray[np.intp]
) -> None:
    labels = cross_fit(LogisticRegression(), X, y, n_repeats=3, random_state=0)
    found = log_odds_coefficients(labels, X, y, covariance="HC1", min_proba=1e-9)
    target = np.mean([by_hand(own[:, 1], y) for own in labels.prediction], axis=0)
    same(found, sm.OLS(target, with_constant(X)).fit(cov_type="HC1"))


@pytest.mark.parametrize("clustered", [False, True])
def test_likelihood_is_logistic_regression_with_the_classical_sandwich(
    X: FloatArray,
    y: NDArray[np.intp],
    three: NDArray[np.intp],
    clusters: NDArray[np.intp],
    clustered: bool,
) -> None:
    kind: dict[str, Any] = {"cov_type": "HC0"}
    options: dict[str, Any] = {"covariance": "HC0"}
    if clustered:
        kind = {"cov_type": "cluster", "cov_kwds": {"groups": clusters}}
        options = {"covariance": "CRV1", "clusters": clusters}
    strict = {"method": "newton", "tol": 1e-14, "disp": False}
    two = sm.Logit(y, with_constant(X)).fit(**strict, **kind)
    same(likelihood_coefficients(X, y, **options), two)
    many = sm.MNLogit(three, with_constant(X)).fit(**strict, **kind)
    same(likelihood_coefficients(X, three, **options), many)


def test_weights_are_those_of_a_weighted_likelihood(
    X: FloatArray, y: NDArray[np.intp], weights: FloatArray
) -> None:
    scaled = weights / weights.mean()
    family = sm.families.Binomial()
    model = sm.GLM(y, with_constant(X), family=family, freq_weights=scaled)
    oracle = model.fit(tol=1e-14)
    found = likelihood_coefficients(X, y, sample_weight=weights, covariance="HC0")
    np.testing.assert_allclose(found.estimate, oracle.params, rtol=1e-8)
    # Sampling weights enter the scores, and a row with two is no two rows.
    columns, rest = with_constant(X), (y - oracle.mu) * scaled
    bent = scaled * oracle.mu * (1 - oracle.mu)
    inner = np.linalg.inv(columns.T @ (bent[:, None] * columns))
    meat = (columns * rest[:, None]).T @ (columns * rest[:, None])
    np.testing.assert_allclose(found.covariance, inner @ meat @ inner, rtol=1e-8)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_leverage_is_one_newton_step_without_the_row(
    X: FloatArray,
    y: NDArray[np.intp],
    three: NDArray[np.intp],
    weights: FloatArray,
    n_classes: int,
) -> None:
    outcomes = y if n_classes == 2 else three
    m, columns = n_classes - 1, with_constant(X)
    theta = np.random.default_rng(7).normal(size=(m, 3))
    scores = np.pad(columns @ theta.T, ((0, 0), (1, 0)))
    p = special.softmax(scores, axis=1)[:, 1:]
    r = np.eye(n_classes)[outcomes][:, 1:] - p
    V = p[:, :, None] * (np.eye(m) - p[:, None, :])
    equation = EstimatingEquation(theta, columns, r, V, weights)
    J = sum(
        w * np.kron(v, np.outer(x, x))
        for w, v, x in zip(weights, V, columns, strict=True)
    )
    np.testing.assert_allclose(equation.jacobian, J, rtol=1e-10)
    moves = [
        np.linalg.solve(J - w * np.kron(v, np.outer(x, x)), w * np.kron(own, x))
        for w, v, x, own in zip(weights, V, columns, r, strict=True)
    ]
    expected = np.transpose(moves) @ np.array(moves)
    found, df = sandwich_of(equation, kind="HC3")
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert df == N - 3 * m


def test_a_weight_is_a_repetition_within_its_cluster(
    X: FloatArray, y: NDArray[np.intp], clusters: NDArray[np.intp]
) -> None:
    times = np.random.default_rng(8).integers(1, 4, size=N)
    again = np.repeat(np.arange(N), times)
    weighed = likelihood_coefficients(
        X, y, sample_weight=times, clusters=clusters, covariance="CRV3"
    )
    repeated = likelihood_coefficients(
        X[again], y[again], clusters=clusters[again], covariance="CRV3"
    )
    np.testing.assert_allclose(weighed.estimate, repeated.estimate, rtol=1e-7)
    np.testing.assert_allclose(weighed.covariance, repeated.covariance, rtol=1e-7)


def test_rows_without_weight_or_label_are_not_there(
    X: FloatArray, y: NDArray[np.intp], p: FloatArray
) -> None:
    gone = np.arange(N) % 5 == 0
    part = external_labels(X, np.where(gone, np.nan, p), classes=[0, 1])
    left = external_labels(X[~gone], p[~gone], classes=[0, 1])
    fewer = log_odds_coefficients(part, X, y, random_state=0)
    some = log_odds_coefficients(left, X[~gone], y[~gone], random_state=0)
    np.testing.assert_allclose(fewer.covariance, some.covariance, rtol=1e-10)
    assert fewer.conditions[1:-1] == some.conditions[1:]
    assert "rows without weight or label, 48 here" in fewer.conditions[-1]
    none = likelihood_coefficients(X, y, sample_weight=(~gone).astype(float))
    np.testing.assert_allclose(
        none.covariance, likelihood_coefficients(X[~gone], y[~gone]).covariance
    )


def test_the_teacher_may_read_more_columns_than_the_student(
    X: FloatArray, y: NDArray[np.intp]
) -> None:
    labels = cross_fit(LogisticRegression(), X, y, random_state=0)
    found = log_odds_coefficients(labels, X[:, :1], y, teacher_rows=X)
    assert found.names == ("x0", "intercept")
    with pytest.raises(ValueError, match="labels must be those of the rows of X"):
        log_odds_coefficients(labels, X[:, :1], y)


def test_wald_tests_and_contrasts_are_those_of_statsmodels(
    labels: OutOfFold, X: FloatArray, y: NDArray[np.intp], p: FloatArray
) -> None:
    oracle = sm.OLS(by_hand(p, y), with_constant(X)).fit(cov_type="HC3", use_t=True)
    found = log_odds_coefficients(labels, X, y, random_state=0)
    combinations = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 2.0]])
    for own, theirs in (
        (found.wald_test(combinations, [0.1, -0.2]), (combinations, [0.1, -0.2])),
        (found.wald_test(["x0", "x1"]), (np.eye(3)[:2], [0.0, 0.0])),
    ):
        test = oracle.f_test(theirs)
        assert own.statistic == pytest.approx(float(test.fvalue), rel=1e-8)
        assert own.p_value == pytest.approx(float(test.pvalue), rel=1e-7)
    contrast = found.contrast(combinations, ["difference", "other"])
    alone = oracle.t_test(combinations)
    np.testing.assert_allclose(contrast.estimate, alone.effect, rtol=1e-8)
    np.testing.assert_allclose(contrast.std_error, alone.sd, rtol=1e-8)
    np.testing.assert_allclose(contrast.conf_int(), alone.conf_int(), rtol=1e-8)


def test_intervals_that_hold_together_are_those_of_the_normal_maximum(
    labels: OutOfFold, X: FloatArray, y: NDArray[np.intp]
) -> None:
    found = log_odds_coefficients(labels, X, y, random_state=0)
    correlation = found.covariance / np.outer(found.std_error, found.std_error)
    z = np.random.default_rng(9).multivariate_normal(np.zeros(3), correlation, 400_000)
    quantile = np.quantile(np.abs(z).max(axis=1), 0.95)
    exact = found.law.critical(stats.norm.sf(quantile))
    half = found.conf_int(kind="simultaneous")[:, 1] - found.estimate
    # The quantile of 10,000 draws has a standard error of 0.6 %.
    np.testing.assert_allclose(half / found.std_error, exact, rtol=0.02)


def test_words_name_what_is_estimated_and_what_must_hold(
    labels: OutOfFold, X: FloatArray, y: NDArray[np.intp], clusters: NDArray[np.intp]
) -> None:
    frame = pd.DataFrame(X, columns=["a_b", "50 % <x>"])
    labels = external_labels(frame, labels.mean, classes=[0, 1])
    found = log_odds_coefficients(
        labels, frame, y, clusters=clusters, min_proba=0.06, random_state=0
    )
    text = found.summary()
    assert "nearest in mean square to the log-odds of 1 against 0" in text
    low = int(((labels.mean < 0.06).any(axis=1)).sum())
    least = f"{labels.mean.min():.2g}"
    assert f"({low} rows of {N} have a label there; the smallest is {least})" in text
    assert f"{GROUPS} clusters of {N} rows" in text
    latex, page = found.to_latex(), found.to_html()
    assert r"a\_b" in latex
    assert r"50 \% <x>" in latex
    plain = latex.replace(r"\begin", "")
    assert not re.search(r"(?<!\\)[%_]", plain)
    assert "50 % &lt;x&gt;" in page
    assert found._repr_html_() == page


def wrong(**changed: Any) -> Any:
    """Return what is wrong, for readable identifiers."""
    return changed


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (wrong(level=1.0), "level must lie strictly between 0 and 1"),
        (wrong(covariance="HC4"), "covariance must be one of"),
        (wrong(covariance="CRV1"), "covariance must fit the clusters"),
        (wrong(reference=2), "reference must be one of the classes"),
        (wrong(sample_weight=np.zeros(N)), "sample_weight must have a positive sum"),
        (
            wrong(clusters=np.arange(N) % 3),
            "more clusters than coefficients; got 3 clusters for 2 columns and the",
        ),
        (wrong(clusters=np.zeros(N)), "clusters must hold at least 2 clusters"),
        (wrong(clusters=np.zeros((N, 3))), "clusters must have shape"),
        (wrong(clusters=np.zeros((N, 0))), "clusters must have shape"),
        (wrong(clusters=np.zeros((2, N))), "Stack two ways as columns"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_cannot_be_inferred_is_refused(
    changed: dict[str, Any], words: str, labels: OutOfFold, X: FloatArray, y: Any
) -> None:
    with pytest.raises(ValueError, match=words):
        log_odds_coefficients(labels, X, y, **changed)
    with pytest.raises(ValueError, match=words):
        likelihood_coefficients(X, y, **changed)


def test_clusters_are_more_than_coefficients_of_all_classes(
    X: FloatArray, three: NDArray[np.intp]
) -> None:
    """Of three classes there are six: scores of six clusters have rank 5 at most."""
    for n_clusters in (4, 6):
        units = np.arange(N) % n_clusters
        words = f"clusters must be more than coefficients.*got {n_clusters} for 6"
        with pytest.raises(ValueError, match=words):
            likelihood_coefficients(X, three, clusters=units)
        both = np.column_stack([np.arange(N) // 2, units])
        with pytest.raises(ValueError, match=words):
            likelihood_coefficients(X, three, clusters=both)
    found = likelihood_coefficients(X, three, clusters=np.arange(N) % 7, random_state=0)
    assert np.linalg.matrix_rank(found.inner.covariance, hermitian=True) == 6


def test_labels_that_saw_the_rows_are_refused_with_the_way_out(
    X: FloatArray, y: NDArray[np.intp], p: FloatArray
) -> None:
    seen = cross_fit(LogisticRegression(), X, y, cv="in-sample", random_state=0)
    with pytest.raises(ValueError, match=r"did not see the rows, for inf.*integer"):
        log_odds_coefficients(seen, X, y)
    forest = RandomForestClassifier(100, random_state=0)
    leaning = cross_fit(forest, X, y, cv="oob", random_state=0)
    with pytest.raises(ValueError, match="come from folds for inference"):
        log_odds_coefficients(leaning, X, y)
    means = external_labels(X, p)
    with pytest.raises(ValueError, match="be class probabilities for inference"):
        log_odds_coefficients(means, X, y)
    with pytest.raises(TypeError, match="be an OutOfFold record"):
        log_odds_coefficients(p, X, y)  # type: ignore[arg-type]


def test_columns_that_say_nothing_of_their_own_are_named(
    X: FloatArray, y: NDArray[np.intp]
) -> None:
    frame = pd.DataFrame(X, columns=["a", "b"]).assign(c=lambda f: f["a"] - 2 * f["b"])
    with pytest.raises(ValueError, match=r"independent columns.*a combination of"):
        likelihood_coefficients(frame, y)
    with pytest.raises(ValueError, match="'k', a combination"):
        likelihood_coefficients(frame[["a"]].assign(k=0.0), y)
    with pytest.raises(TypeError, match="'job', which does not"):
        likelihood_coefficients(frame[["a"]].assign(job="clerk"), y)
    with pytest.raises(ValueError, match=r"be finite.*missing cell"):
        likelihood_coefficients(np.where(X > 2, np.nan, X), y)
    with pytest.raises(ValueError, match="more rows than coefficients"):
        likelihood_coefficients(X[:3], np.array([0, 1, 1]))


@pytest.mark.parametrize("kind", ["text", "complex", "sparse", "objects"])
def test_tables_of_other_things_than_numbers_are_refused(
    kind: str, X: FloatArray, y: NDArray[np.intp]
) -> None:
    other = {
        "text": X.astype(str),
        "complex": X.astype(complex),
        "sparse": sparse.csr_array(X),
        "objects": X.astype(object),
    }[kind]
    with pytest.raises(TypeError, match="X must hold numbers"):
        likelihood_coefficients(other, y)


def test_clusters_without_a_name_are_refused(
    X: FloatArray, y: NDArray[np.intp]
) -> None:
    for missing in (None, pd.NA, float("nan")):
        named = np.array(["a", "b", "c", "d"] * (N // 4), dtype=object)
        named[7] = missing
        with pytest.raises(ValueError, match=r"name a cluster for every row.*in row 7"):
            likelihood_coefficients(X, y, clusters=named)


def test_equations_that_determine_nothing_are_refused() -> None:
    x = np.ones((4, 2))
    with pytest.raises(ValueError, match="design must determine every coefficient"):
        sandwich_of(EstimatingEquation([[0.0, 0.0]], x, np.ones((4, 1)), None))
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        EstimatingEquation([[0.0, 0.0]], x, np.ones((4, 1)), None, -np.ones(4))


def test_classes_that_are_told_apart_have_no_coefficients(X: FloatArray) -> None:
    with pytest.raises(ValueError, match="y must not be told apart by X without error"):
        likelihood_coefficients(X, (X[:, 0] > 0).astype(int))


def test_a_row_that_alone_fills_a_column_is_named(
    labels: OutOfFold, X: FloatArray, y: NDArray[np.intp]
) -> None:
    alone = np.column_stack([X, np.arange(N) == 7])
    labels = external_labels(alone, labels.mean, classes=[0, 1])
    with pytest.raises(ValueError, match="leave no row alone with a coefficient"):
        log_odds_coefficients(labels, alone, y)
    with pytest.warns(SemikdWarning, match="the 1 row with 'x2' above 0 is of class"):
        found = log_odds_coefficients(labels, alone, y, covariance="HC1")
    assert found.estimate.size == 4
    with pytest.raises(ValueError, match="leave no cluster alone with a coefficient"):
        log_odds_coefficients(labels, alone, y, clusters=np.arange(N) // 2)


def test_hypotheses_that_say_the_same_twice_are_refused(
    X: FloatArray, y: NDArray[np.intp]
) -> None:
    found = likelihood_coefficients(X, y)
    with pytest.raises(ValueError, match="be linearly independent"):
        found.wald_test([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="combinations must be one of"):
        found.wald_test(["x9"])
    with pytest.raises(ValueError, match="combinations must have shape"):
        found.contrast([[1.0, 2.0]], ["a"])
    with pytest.raises(ValueError, match="name every"):
        found.contrast([[1.0, 2.0, 0.0]], ["a", "b"])


UNITS = [
    ([1.0, 1e-15], [0.0, 0.0]),
    ([1.0, 1e100], [0.0, 0.0]),
    ([1e-10, 1e10], [0.0, 0.0]),
    ([1.0, 1.0], [1e9, -1e6]),
    ([2.6e6, 1.0], [1.7e9, 0.0]),
]


@pytest.mark.parametrize(("unit", "zero"), UNITS)
def test_units_of_columns_change_units_of_coefficients_and_nothing_else(
    unit: list[float],
    zero: list[float],
    labels: OutOfFold,
    X: FloatArray,
    y: NDArray[np.intp],
) -> None:
    other = X * np.array(unit) + np.array(zero)
    moved = external_labels(other, labels.mean, classes=[0, 1])
    for plain, found in (
        (
            log_odds_coefficients(labels, X, y, random_state=0),
            log_odds_coefficients(moved, other, y, random_state=0),
        ),
        (
            likelihood_coefficients(X, y, random_state=0),
            likelihood_coefficients(other, y, random_state=0),
        ),
    ):
        # The digits of a column that a large mean leaves.
        rtol = 1e-8 + 1e-15 * max(abs(z) / u for z, u in zip(zero, unit, strict=True))
        slopes, errors = found.estimate[:2] * unit, found.std_error[:2] * unit
        np.testing.assert_allclose(slopes, plain.estimate[:2], rtol=10 * rtol)
        np.testing.assert_allclose(errors, plain.std_error[:2], rtol=10 * rtol)
        np.testing.assert_allclose(
            found.fitted(other, kind="simultaneous")[["lower", "upper"]],
            plain.fitted(X, kind="simultaneous")[["lower", "upper"]],
            rtol=1e-5,
        )
        own, theirs = found.wald_test(["x0", "x1"]), plain.wald_test(["x0", "x1"])
        assert own.statistic == pytest.approx(theirs.statistic, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-300, 1e306])
def test_a_constant_factor_of_the_weights_is_nothing(
    scale: float, X: FloatArray, y: NDArray[np.intp], weights: FloatArray
) -> None:
    plain = likelihood_coefficients(X, y, sample_weight=weights)
    found = likelihood_coefficients(X, y, sample_weight=weights * scale)
    np.testing.assert_allclose(found.covariance, plain.covariance, rtol=1e-8)


def test_a_class_without_a_row_is_named(
    labels: OutOfFold, X: FloatArray, y: NDArray[np.intp], three: NDArray[np.intp]
) -> None:
    words = r"y must hold rows of every class.*; got none of class "
    with pytest.raises(ValueError, match=words + "1"):
        log_odds_coefficients(labels, X, y, sample_weight=y == 0)
    with pytest.raises(ValueError, match=words + "2"):
        likelihood_coefficients(X, three, sample_weight=three != 2)


@pytest.mark.parametrize(("x", "outcome"), [(45.0, 0), (-45.0, 1)])
def test_a_row_that_is_all_but_impossible_keeps_its_residual(
    x: float, outcome: int
) -> None:
    rng = np.random.default_rng(10)
    X = np.append(rng.normal(size=5000), x)[:, None]
    y = np.append(rng.random(5000) < special.expit(X[:-1, 0]), outcome).astype(int)
    errors = [
        likelihood_coefficients(X, y, covariance=kind).std_error[0] for kind in HC
    ]
    assert errors[0] < errors[2] < errors[3]
    strict = {"method": "newton", "tol": 1e-14, "disp": False}
    oracle = sm.Logit(y, with_constant(X)).fit(**strict, cov_type="HC0")
    assert errors[0] == pytest.approx(oracle.bse[0], rel=1e-8)


def test_names_that_would_mean_two_things_are_refused(
    X: FloatArray, y: NDArray[np.intp], three: NDArray[np.intp]
) -> None:
    named = pd.DataFrame(X, columns=["a", "intercept"])
    with pytest.raises(ValueError, match="X must have no column named 'intercept'"):
        likelihood_coefficients(named, y)
    classes = np.array(["a", "a: b", "c"])[three]
    columns = pd.DataFrame(X, columns=["b: c", "c"])
    with pytest.raises(ValueError, match="give every coefficient a name of its own"):
        likelihood_coefficients(columns, classes, reference="c")


def test_a_generator_gives_the_result_the_same_draws_beside_a_second_teacher(
    labels: OutOfFold, X: FloatArray, y: NDArray[np.intp]
) -> None:
    alone, beside = (
        log_odds_coefficients(
            labels, X, y, second=second, random_state=np.random.default_rng(0)
        )
        for second in (None, labels)
    )
    assert alone.draws is not None
    np.testing.assert_array_equal(alone.draws, beside.draws)
