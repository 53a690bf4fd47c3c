"""Fitted probabilities and marginal effects, against statsmodels and slopes."""

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import optimize, special, stats

from semikd.inference import Coefficients, likelihood_coefficients

FloatArray = NDArray[np.float64]
N = 300
STRICT: dict[str, Any] = {"method": "newton", "tol": 1e-14, "disp": False}


@pytest.fixture(scope="module", name="X")
def columns() -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(N, 2))
    return pd.DataFrame(values, columns=["age", "income"])


@pytest.fixture(scope="module", params=[2, 3], ids=["two classes", "three"])
def y(request: pytest.FixtureRequest, X: pd.DataFrame) -> NDArray[np.intp]:
    rng = np.random.default_rng(1)
    scores = X.to_numpy() @ rng.normal(size=(2, request.param))
    return np.asarray((scores + rng.gumbel(size=scores.shape)).argmax(axis=1))


@pytest.fixture(scope="module")
def found(X: pd.DataFrame, y: NDArray[np.intp]) -> Coefficients:
    return likelihood_coefficients(X, y, covariance="HC0", random_state=0)


def oracle(X: pd.DataFrame, y: NDArray[np.intp]) -> Any:
    """Return the fit of statsmodels."""
    model = sm.Logit if y.max() == 1 else sm.MNLogit
    return model(y, sm.add_constant(X, prepend=False)).fit(**STRICT, cov_type="HC0")


def softmaxed(X: FloatArray, theta: FloatArray) -> FloatArray:
    """Return the probabilities of all classes."""
    scores = np.column_stack([X, np.ones(len(X))]) @ theta.reshape(-1, 3).T
    return np.asarray(special.softmax(np.pad(scores, ((0, 0), (1, 0))), axis=1))


def test_marginal_effects_are_those_of_statsmodels(
    found: Coefficients, X: pd.DataFrame, y: NDArray[np.intp]
) -> None:
    theirs = oracle(X, y).get_margeff(at="overall", method="dydx")
    effects = found.marginal_effects(X)
    margins, errors = np.asarray(theirs.margeff), np.asarray(theirs.margeff_se)
    np.testing.assert_allclose(effects.estimate, margins.T.ravel(), rtol=1e-7)
    np.testing.assert_allclose(effects.std_error, errors.T.ravel(), rtol=1e-6)
    assert effects.names[0].endswith("age")


def test_weights_of_rows_are_repetitions_in_an_average(
    found: Coefficients, X: pd.DataFrame
) -> None:
    times = np.random.default_rng(2).integers(0, 3, size=N)
    again = X.loc[np.repeat(np.arange(N), times)]
    weighed = found.marginal_effects(X, sample_weight=times)
    repeated = found.marginal_effects(again)
    np.testing.assert_allclose(weighed.estimate, repeated.estimate, rtol=1e-10)
    np.testing.assert_allclose(weighed.covariance, repeated.covariance, rtol=1e-10)


def test_bands_are_those_of_the_log_odds_by_the_delta_method(
    found: Coefficients, X: pd.DataFrame
) -> None:
    some = X.iloc[:4]
    table = found.fitted(some, level=0.9)
    t = stats.t.ppf(0.95, found.law.df[0])
    for row, ((_, own), at) in enumerate(
        zip(table.iterrows(), np.resize(np.arange(4), len(table)), strict=True)
    ):
        j = found.classes.index(own["class"])

        def log_odds(theta: FloatArray, at: int = at, j: int = j) -> float:
            p = softmaxed(some.to_numpy()[[at]], theta)[0, j]
            return float(special.logit(p))

        slope = optimize.approx_fprime(found.estimate, log_odds, 1e-6)
        half = t * np.sqrt(slope @ found.covariance @ slope)
        center = log_odds(found.estimate)
        assert own["probability"] == pytest.approx(special.expit(center)), row
        assert own["lower"] == pytest.approx(special.expit(center - half), rel=1e-4)
        assert own["upper"] == pytest.approx(special.expit(center + half), rel=1e-4)


def test_probabilities_are_those_of_statsmodels_and_all_classes_are_there(
    found: Coefficients, X: pd.DataFrame, y: NDArray[np.intp]
) -> None:
    theirs = np.asarray(oracle(X, y).predict())
    ours = found.fitted(X)["probability"].to_numpy()
    np.testing.assert_allclose(ours, theirs.T.ravel(), rtol=1e-8)


def test_bands_that_hold_together_are_wider(
    found: Coefficients, X: pd.DataFrame
) -> None:
    alone, together = found.fitted(X[:20]), found.fitted(X[:20], kind="simultaneous")
    assert (together["lower"] < alone["lower"]).all()
    assert (together["upper"] > alone["upper"]).all()


def test_columns_are_taken_by_name_and_others_are_refused(
    found: Coefficients, X: pd.DataFrame
) -> None:
    mixed = X[["income", "age"]].assign(more="text")
    pd.testing.assert_frame_equal(found.fitted(mixed), found.fitted(X))
    pd.testing.assert_frame_equal(found.fitted(X.to_numpy()), found.fitted(X))
    for asked in (found.fitted, found.marginal_effects):
        with pytest.raises(ValueError, match="X must have the columns 'age', 'income'"):
            asked(X[["age"]])
        with pytest.raises(ValueError, match="X must have at least one row"):
            asked(X[:0])


def test_a_row_far_out_has_its_probability_and_band(found: Coefficients) -> None:
    far = pd.DataFrame({"age": [800.0, -800.0], "income": [0.0, 0.0]})
    table = found.fitted(far)
    assert np.isfinite(table[["probability", "lower", "upper"]]).all(axis=None)
    assert ((table["lower"] <= table["probability"]) & (table["upper"] <= 1)).all()


def test_bands_are_of_two_kinds(found: Coefficients, X: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="kind must be one of 'interval', 'simul"):
        found.fitted(X, kind="bound")


def test_bands_of_many_rows_take_little_memory(
    found: Coefficients, X: pd.DataFrame
) -> None:
    many = pd.concat([X] * 200, ignore_index=True)
    tracemalloc.start()
    try:
        found.fitted(many)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 60,000 rows: a covariance of them all would be 29 GB.
    assert peak < 2e8


def test_another_level_of_the_result_is_the_level_of_all(
    found: Coefficients, X: pd.DataFrame
) -> None:
    other = replace(found, level=0.5)
    pd.testing.assert_frame_equal(other.fitted(X[:3]), found.fitted(X[:3], level=0.5))
    assert other.contrast(np.eye(len(found.names))[:1], ["a"]).level == 0.5
    assert other.marginal_effects(X).level == 0.5


def test_frames_may_have_names_that_are_no_text(y: NDArray[np.intp]) -> None:
    values = np.random.default_rng(0).normal(size=(N, 2))
    plain = likelihood_coefficients(values, y, random_state=0)
    named = likelihood_coefficients(pd.DataFrame(values), y, random_state=0)
    np.testing.assert_allclose(named.estimate, plain.estimate)
    assert named.columns.names == ("0", "1")
