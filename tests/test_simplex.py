"""Functions on the simplex against brute force, optimality conditions and inverses."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import optimize, special

from semikd import simplex

FloatArray = NDArray[np.float64]
exact = settings(derandomize=True, deadline=None, max_examples=60)

ROWS = st.tuples(st.integers(1, 4), st.integers(2, 12))
SCORES = ROWS.flatmap(
    lambda shape: hnp.arrays(np.float64, shape, elements=st.floats(-20, 20))
)
PROBABILITIES = SCORES.map(lambda z: special.softmax(z / 4, axis=-1))


@exact
@given(SCORES)
def test_a_projection_is_the_nearest_point_of_the_simplex(z: FloatArray) -> None:
    p = simplex.project(z)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    assert (p >= 0).all()
    # Nearest: the residual is the same for all positive entries, and largest there.
    residual = z - p
    threshold = residual.max(axis=1, keepdims=True)
    np.testing.assert_allclose(
        np.where(p > 1e-12, residual, threshold),
        threshold + np.zeros_like(z),
        atol=1e-9,
    )


def test_a_projection_is_where_a_general_solver_finds_it() -> None:
    z = np.array([0.9, 0.4, -0.3, 0.2])
    found = optimize.minimize(
        lambda p: ((p - z) ** 2).sum(),
        np.full(4, 0.25),
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(simplex.project(z[None])[0], found.x, atol=1e-6)


@exact
@given(SCORES)
def test_projecting_twice_is_projecting_once(z: FloatArray) -> None:
    p = simplex.project(z)
    np.testing.assert_allclose(simplex.project(p), p, atol=1e-12)


@exact
@given(PROBABILITIES, st.floats(0, 1))
def test_clipped_rows_sum_to_one_above_the_floor(p: FloatArray, share: float) -> None:
    floor = share / p.shape[1]
    clipped = simplex.clip(p, floor)
    np.testing.assert_allclose(clipped.sum(axis=1), 1.0, atol=1e-12)
    assert clipped.min() >= floor * (1 - 1e-12)
    # A mixture with the uniform distribution keeps the order of the classes.
    tied = np.diff(np.take_along_axis(clipped, p.argsort(axis=1), axis=1), axis=1)
    assert (tied >= -1e-15).all()


def test_the_limits_of_clipping_are_the_input_and_the_uniform_distribution() -> None:
    p = np.array([[0.1, 0.2, 0.7]])
    np.testing.assert_array_equal(simplex.clip(p, 0.0), p)
    np.testing.assert_allclose(simplex.clip(p, 1 / 3), np.full((1, 3), 1 / 3))


@exact
@given(PROBABILITIES, st.floats(0.2, 5))
def test_annealing_is_undone_by_the_inverse_temperature(
    p: FloatArray, beta: float
) -> None:
    annealed = simplex.power(p, beta)
    np.testing.assert_allclose(annealed.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(simplex.power(annealed, 1 / beta), p, rtol=1e-9)


@exact
@given(PROBABILITIES, st.floats(0.1, 3))
def test_annealing_is_softmax_of_scaled_logarithms(p: FloatArray, beta: float) -> None:
    expected = special.softmax(beta * np.log(p), axis=-1)
    np.testing.assert_allclose(simplex.power(p, beta), expected, rtol=1e-9)


def test_the_limits_of_annealing_are_uniform_and_the_most_likely_class() -> None:
    p = np.array([[0.0, 0.3, 0.3, 0.4]])
    np.testing.assert_allclose(simplex.power(p, 1.0), p)
    np.testing.assert_allclose(simplex.power(p, 1e-9), [[0, 1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(simplex.power(p, 1e4), [[0, 0, 0, 1]])


@exact
@given(SCORES, st.floats(-500, 500))
def test_softmax_is_scipys_and_ignores_a_common_shift(
    z: FloatArray, shift: float
) -> None:
    z = 40 * z
    np.testing.assert_allclose(
        simplex.log_softmax(z), special.log_softmax(z, axis=-1), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(
        simplex.softmax(z), special.softmax(z, axis=-1), rtol=1e-11, atol=1e-300
    )
    np.testing.assert_allclose(
        simplex.log_softmax(z + shift), simplex.log_softmax(z), atol=1e-9
    )


@pytest.mark.parametrize("k", [2, 3, 8, 9, 30])
def test_rows_short_and_long_are_reduced_alike(k: int) -> None:
    z = np.random.default_rng(k).normal(size=(3, 5, k))
    np.testing.assert_allclose(simplex.row_sum(z)[..., 0], z.sum(axis=-1), atol=1e-12)
    np.testing.assert_array_equal(simplex.row_max(z)[..., 0], z.max(axis=-1))


@exact
@given(PROBABILITIES)
def test_centred_logarithms_sum_to_zero_and_keep_the_probabilities(
    p: FloatArray,
) -> None:
    clr = simplex.center(np.log(p))
    np.testing.assert_allclose(clr.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(simplex.softmax(clr), p, atol=1e-12)


def test_one_hot_rows_are_vertices() -> None:
    y = simplex.one_hot([2, 0, 2], 4)
    np.testing.assert_array_equal(y.argmax(axis=1), [2, 0, 2])
    np.testing.assert_array_equal(y.sum(axis=1), 1.0)
    assert set(np.unique(y)) == {0.0, 1.0}


def test_one_log_odds_stands_for_two_scores() -> None:
    f = np.array([[-1.0], [2.0]])
    second = simplex.last_column(simplex.softmax(simplex.two_scores(f)))
    np.testing.assert_allclose(second, special.expit(f))
    wide = np.ones((2, 3))
    assert simplex.two_scores(wide) is wide
    assert simplex.last_column(wide) is wide
    pair = np.ones((2, 2))
    assert simplex.last_column(pair, width=2) is pair


@pytest.mark.parametrize("k", [2, 3, 12])
@pytest.mark.parametrize(
    "function",
    [
        simplex.project,
        simplex.center,
        simplex.softmax,
        simplex.log_softmax,
        simplex.row_sum,
        simplex.row_max,
        simplex.last_column,
        lambda z: simplex.clip(simplex.softmax(z), 0.01),
        lambda z: simplex.power(simplex.softmax(z), 0.3),
        lambda z: simplex.two_scores(z[..., :1]),
    ],
)
def test_tensors_give_what_arrays_give_in_their_own_type(
    function: simplex.Array, k: int
) -> None:
    z = np.random.default_rng(k).normal(size=(6, k))
    expected = function(z)
    tensor = function(torch.tensor(z))
    assert tensor.dtype == torch.float64
    np.testing.assert_allclose(tensor.numpy(), expected, atol=1e-14)
    single = function(torch.tensor(z, dtype=torch.float32))
    assert single.dtype == torch.float32
    assert function(z.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.numpy(), expected, atol=1e-5)


def test_the_library_of_an_array_is_found() -> None:
    assert simplex.namespace(torch.ones(1)) is torch
    assert simplex.namespace(np.ones(1)) is np
    assert simplex.namespace(1.0) is np
