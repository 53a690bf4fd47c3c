"""Errors by cluster and joint bands against DoubleML, another implementation."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from semikd.inference import (
    Comparison,
    EstimatingEquation,
    InfluenceEstimate,
    paired_differences,
)
from semikd.inference.sandwiches import sandwich_of
from semikd.simplex import FloatArray

ORACLE = json.loads(
    (Path(__file__).parent / "oracles" / "doubleml_framework.json").read_text()
)
OUTCOMES, COLUMN = np.array(ORACLE["outcomes"]), np.array(ORACLE["column"])
CLUSTERS = np.array(ORACLE["clusters"])
N, N_CLUSTERS = len(COLUMN), len(set(ORACLE["clusters"]))
N_DRAWS = 100_000


def compared(column: FloatArray, **options: Any) -> Comparison:
    """Return slopes on one column through the origin, less one that is 0."""
    slopes = column @ OUTCOMES / (column @ column)
    residual = OUTCOMES - column[:, None] * slopes
    influence = N * column[:, None] * residual / (column @ column)
    nothing = np.zeros((N, 1))
    record = InfluenceEstimate([0.0, *slopes], np.hstack([nothing, influence]))
    names = ["none", "a", "b", "c"]
    return paired_differences(record, names=names, reference="none", **options)


def mean_losses(**options: Any) -> Comparison:
    """Return means of the outcomes as losses, less one that is 0."""
    losses = np.column_stack([np.zeros(N), OUTCOMES])
    names = ["none", "a", "b", "c"]
    return paired_differences(losses, names=names, reference="none", **options)


def found(what: str, **options: Any) -> Comparison:
    """Return our means or slopes."""
    return mean_losses(**options) if what == "means" else compared(COLUMN, **options)


@pytest.mark.parametrize("what", ["means", "slopes"])
def test_estimates_and_errors_are_those_of_doubleml(what: str) -> None:
    oracle, own = ORACLE[what], found(what)
    np.testing.assert_allclose(own.estimate, oracle["estimate"], rtol=1e-10)
    # DoubleML has no factor for small samples.
    error = own.std_error * math.sqrt((N - 1) / N)
    np.testing.assert_allclose(error, oracle["std_error"], rtol=1e-10)


@pytest.mark.parametrize("what", ["means", "slopes"])
def test_joint_bands_are_those_of_doubleml(what: str) -> None:
    oracle = ORACLE[what]
    own = found(what, n_draws=N_DRAWS, random_state=0)
    low, high = own.conf_int(kind="simultaneous").T
    ratio = (high - low) / 2 / own.std_error
    # Our law is Student's, that of DoubleML the normal one.
    ours = stats.norm.isf(stats.t.sf(ratio, N - 1))
    bounds = np.array(oracle["joint"])
    theirs = (bounds[:, 1] - bounds[:, 0]) / 2 / oracle["std_error"]
    # Either quantile of 100,000 maxima has a Monte Carlo error of about 0.006.
    np.testing.assert_allclose(ours, theirs, atol=0.035)
    assert (theirs < stats.norm.isf(0.025 / 3) - 0.05).all()
    assert (theirs > stats.norm.isf(0.025) + 0.05).all()


def test_errors_by_cluster_are_those_of_doubleml() -> None:
    own = compared(COLUMN, clusters=CLUSTERS)
    oracle = [each["std_error"] for each in ORACLE["clustered"]]
    error = own.std_error * math.sqrt((N_CLUSTERS - 1) / N_CLUSTERS)
    np.testing.assert_allclose(error, oracle, rtol=1e-10)
    # Rows that count as independent would be told apart.
    assert (np.array(ORACLE["slopes"]["std_error"]) < 0.8 * error).all()


def test_sandwiches_of_coefficients_are_those_of_doubleml() -> None:
    slopes = COLUMN @ OUTCOMES / (COLUMN @ COLUMN)
    residual = OUTCOMES - COLUMN[:, None] * slopes
    equation = EstimatingEquation(slopes[:, None], COLUMN[:, None], residual, None)
    plain, _ = sandwich_of(equation, kind="HC0")
    oracle = ORACLE["slopes"]["std_error"]
    np.testing.assert_allclose(np.sqrt(np.diag(plain)), oracle, rtol=1e-10)
    by_cluster, _ = sandwich_of(equation, (CLUSTERS,), "CRV1")
    # Of one column the factor is that of the clusters alone.
    error = np.sqrt(np.diag(by_cluster) * (N_CLUSTERS - 1) / N_CLUSTERS)
    oracle = [each["std_error"] for each in ORACLE["clustered"]]
    np.testing.assert_allclose(error, oracle, rtol=1e-10)
