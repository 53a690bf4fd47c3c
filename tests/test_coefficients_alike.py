"""Coefficients that no cluster moves: they have no error, and say so."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd import external_labels
from semikd.exceptions import SemikdWarning
from semikd.inference import likelihood_coefficients, log_odds_coefficients
from semikd.inference.coefficients import Coefficients

FloatArray = NDArray[np.float64]
PAIRS = 200
# Two rows with the same columns and both outcomes: each pair says that odds are even.
X = np.repeat(np.random.default_rng(0).normal(size=(PAIRS, 1)), 2, axis=0)
Y = np.tile([0, 1], PAIRS)
CLUSTERS = np.arange(2 * PAIRS) // 2
UNIT = 10.0


def labels_of(p: float | FloatArray) -> FloatArray:
    return np.broadcast_to(np.asarray(p, dtype=np.float64), len(X)).copy()


def by_likelihood(kind: str, table: FloatArray) -> Coefficients:
    return likelihood_coefficients(
        table, Y, clusters=CLUSTERS, covariance=kind, random_state=0
    )


def by_log_odds(kind: str, table: FloatArray) -> Coefficients:
    return log_odds_coefficients(
        external_labels(table, labels_of(0.5), classes=[0, 1]),
        table,
        Y,
        clusters=CLUSTERS,
        covariance=kind,
        random_state=0,
    )


@pytest.mark.parametrize("kind", ["CRV1", "CRV3"])
@pytest.mark.parametrize("infer", [by_likelihood, by_log_odds])
def test_clusters_that_all_say_the_same_leave_no_error_and_a_warning(
    infer: Callable[[str, FloatArray], Coefficients], kind: str
) -> None:
    for table in (X, UNIT * X + 1 / 3):
        said = "2 of 2 intervals have no width: every cluster says the same"
        with pytest.warns(SemikdWarning, match=said) as seen:
            found = infer(kind, table)
        assert len(seen) == 1
        assert seen[0].filename == __file__
        # Even odds whatever x, by symmetry: nothing but rounding is left to find.
        np.testing.assert_array_equal(found.estimate, 0.0)
        np.testing.assert_array_equal(found.covariance, 0.0)
        np.testing.assert_array_equal(found.p_values(), 1.0)
        effects = found.marginal_effects(table)
        np.testing.assert_array_equal(effects.p_values(), 1.0)


def test_teachers_that_rounding_alone_tells_apart_do_not_disagree() -> None:
    first, second = (
        external_labels(X, labels_of(p), classes=[0, 1]) for p in (0.5, 0.4)
    )
    with pytest.warns(SemikdWarning, match="have no width") as seen:
        found = log_odds_coefficients(
            first, X, Y, second=second, clusters=CLUSTERS, random_state=0
        )
    assert not [each for each in seen if "disagree" in str(each.message)]
    assert np.isnan(found.in_errors()).all()


def test_one_coefficient_without_error_leaves_the_others_theirs() -> None:
    # The second column is of opposite sign within a pair; the first says nothing.
    sign = np.random.default_rng(1).choice([-1.0, 1.0], size=PAIRS, p=[0.4, 0.6])
    table = np.column_stack([X[:, 0], np.ravel(np.column_stack([-sign, sign]))])
    with pytest.warns(SemikdWarning, match="2 of 3 intervals have no width"):
        found = by_likelihood("CRV3", table)
    np.testing.assert_array_equal(found.std_error == 0.0, [True, False, True])
    np.testing.assert_array_equal(found.estimate[[0, 2]], 0.0)
    p = np.mean(sign > 0)
    assert found.estimate[1] == pytest.approx(np.log(p / (1 - p)), rel=1e-9)
    # A pair is one draw of the sign, with the delta method's error of its log-odds.
    error = 1 / np.sqrt(PAIRS * p * (1 - p))
    assert found.std_error[1] == pytest.approx(error, rel=0.02)


def test_rounding_is_measured_against_what_it_comes_from() -> None:
    # Differences of outcomes within clusters of one part in a million are none of it.
    rng = np.random.default_rng(2)
    p = np.clip(0.5 + 1e-6 * rng.normal(size=len(X)), 0.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = log_odds_coefficients(
            external_labels(X, labels_of(p), classes=[0, 1]),
            X,
            Y,
            clusters=CLUSTERS,
            random_state=0,
        )
    assert (found.std_error > 0).all()
    assert (found.std_error < 1e-5).all()
