"""Seeds that depend on nothing but their argument; checks that speak in one form."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semikd._random import generator, spawn_seeds
from semikd._validation import (
    Shown,
    check_shape,
    choose,
    count,
    finite_array,
    invalid,
    message,
    number,
    positions,
    sample_weights,
    unknown,
    wrong_type,
)

few = settings(derandomize=True, deadline=None, max_examples=60)


@few
@given(seed=st.integers(0, 2**70), n=st.integers(0, 20))
def test_seeds_repeat_differ_and_a_larger_number_keeps_the_first(
    seed: int, n: int
) -> None:
    seeds = spawn_seeds(seed, 20)
    assert spawn_seeds(seed, n) == seeds[:n]
    assert len(set(seeds)) == 20
    assert all(isinstance(s, int) and 0 <= s < 2**31 - 1 for s in seeds)


def test_seeds_of_neighbouring_numbers_have_nothing_in_common() -> None:
    every = [s for seed in range(500) for s in spawn_seeds(seed, 4)]
    assert len(set(every)) == 2000
    # The mean of 2,000 uniform numbers lies within 4 standard errors of the middle.
    assert abs(np.mean(every) / 2**31 - 0.5) < 4 / np.sqrt(12 * 2000)


@pytest.mark.parametrize("kind", [np.random.default_rng, np.random.RandomState])
def test_a_generator_gives_other_seeds_each_time_and_the_same_from_its_start(
    kind: Any,
) -> None:
    one, two = kind(3), kind(3)
    first = spawn_seeds(one, 2)
    assert first == spawn_seeds(two, 2)
    assert first != spawn_seeds(one, 2)


def test_without_a_seed_every_draw_is_another() -> None:
    assert spawn_seeds(None, 3) != spawn_seeds(None, 3)
    assert generator(None).integers(2**60) != generator(None).integers(2**60)


def test_numpy_integers_are_seeds_too() -> None:
    assert spawn_seeds(np.int64(7), 3) == spawn_seeds(7, 3)


def test_a_generator_is_not_the_stream_of_the_seeds() -> None:
    assert generator(5).integers(2**40) == generator(5).integers(2**40)
    assert generator(5).integers(2**40) != generator(6).integers(2**40)


def test_no_global_generator_moves() -> None:
    before = np.random.get_state()  # noqa: NPY002
    for seed in (0, None, np.random.default_rng(0)):
        spawn_seeds(seed, 3)
        generator(seed).normal()
    after = np.random.get_state()  # noqa: NPY002
    assert after[2] == before[2]
    np.testing.assert_array_equal(after[1], before[1])


@pytest.mark.parametrize("seed", [-1, 1.5, "0", np.float64(1), [1]])
def test_what_is_no_seed_is_refused(seed: Any) -> None:
    text = "random_state must be a non-negative integer, .*; got .*. Pass an integer to"
    for draw in (generator, lambda s: spawn_seeds(s, 2)):
        with pytest.raises(ValueError, match=text):
            draw(seed)


def test_a_message_names_constraint_value_and_remedy() -> None:
    full = message("cv", "be an integer", "five", "Pass 5")
    assert full == "cv must be an integer; got 'five'. Pass 5."
    assert message("cv", "be 5", Shown("no folds"), "") == "cv must be 5; got no folds."
    assert message("cv", "be 5", 4, "Did you mean 5").endswith("got 4. Did you mean 5?")
    assert isinstance(invalid("a", "be b", 1), ValueError)
    assert isinstance(wrong_type("a", "be b", 1), TypeError)


def test_a_message_stays_on_one_short_line() -> None:
    for value in (np.arange(500.0).reshape(50, 10), pd.DataFrame(np.eye(30)), "x\ny"):
        text = message("X", "be a name", value, "")
        assert "\n" not in text
        assert len(text) < 200


def test_an_option_is_found_and_the_nearest_name_is_suggested() -> None:
    options = {"orthogonal": 1, "none": 0}
    assert choose("correction", "none", options) == 0
    for value, answer in (
        ("ortogonal", r"got 'ortogonal'\. Did you mean 'orthogonal'\?$"),
        ("None", r"Did you mean 'none'\?$"),
        ("xyz", r"be one of 'orthogonal', 'none'; got 'xyz'\.$"),
        (3, r"got 3\.$"),
        (["none"], r"got \['none'\]\. Did you mean 'none'\?$"),
    ):
        with pytest.raises(ValueError, match=answer):
            choose("correction", value, options)
    assert "Did you mean 'b2'" in str(unknown("a", "b", ["b2", "c"]))


@pytest.mark.parametrize("value", [0, 0.5, 1, np.float32(0.25), np.int8(1)])
def test_a_number_within_its_bounds_is_a_float(value: Any) -> None:
    got = number("level", value, low=0.0, high=1.0)
    assert type(got) is float
    assert got == value


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-0.01, ValueError),
        (1.01, ValueError),
        (np.nan, ValueError),
        (np.inf, ValueError),
        (True, TypeError),
        (np.bool_(True), TypeError),
        ("1", TypeError),
        (None, TypeError),
        (np.ones(1), TypeError),
        (1j, TypeError),
        (np.complex128(0.5), TypeError),
    ],
)
def test_a_number_out_of_bounds_is_refused(value: Any, error: type[Exception]) -> None:
    text = r"level must be a number at least 0 and at most 1; got .*\. Say how sure\."
    with pytest.raises(error, match=text):
        number("level", value, low=0.0, high=1.0, remedy="Say how sure")


def test_an_open_bound_excludes_its_end() -> None:
    assert number("T", 1e-300, low=0.0, open_low=True) == 1e-300
    with pytest.raises(ValueError, match="T must be a number above 0; got 0"):
        number("T", 0, low=0.0, open_low=True)


def test_a_count_is_a_whole_number_from_its_lowest() -> None:
    assert count("cv", np.int32(2), low=2) == 2
    with pytest.raises(ValueError, match="cv must be an integer of at least 2; got 1"):
        count("cv", 1, low=2)
    for value in (2.0, "2", None, True):
        with pytest.raises(TypeError, match="cv must be an integer of at least 2; got"):
            count("cv", value, low=2)


def test_a_finite_array_is_converted_and_its_first_bad_row_named() -> None:
    got = finite_array("y", [[1, 2], [3, 4]], shape=(2, None))
    assert got.dtype == np.float64
    bad = np.ones((4, 2))
    bad[2, 1], bad[3, 0] = np.nan, np.inf
    with pytest.raises(
        ValueError, match=r"y must be finite; got nan in row 2 \(2 such"
    ):
        finite_array("y", bad, shape=(4, 2))
    for values in (["a", "b"], [[1, 2], [3]], [{}, {}]):
        with pytest.raises(TypeError, match="y must hold numbers in equal rows; got"):
            finite_array("y", values, shape=(2,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((3,), r"\(3,\)"), ((2, 3), r"\(2, 3\)"), ((None, 3), r"\(any, 3\)")],
)
def test_a_shape_that_does_not_fit_is_shown(shape: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=rf"p must have shape {wanted}; got \(2, 2\)"):
        check_shape("p", np.ones((2, 2)), shape)


def test_a_shape_that_fits_passes() -> None:
    check_shape("p", np.ones((2, 2)), (2, None))
    check_shape("p", np.ones(0), (None,))


def test_positions_are_integers_within_the_table() -> None:
    assert positions("rows", [2, 0], 3).dtype == np.intp
    assert positions("rows", [], 3).shape == (0,)
    with pytest.raises(ValueError, match="rows must name rows between 0 and 2; got 3"):
        positions("rows", [0, 3], 3)
    with pytest.raises(ValueError, match="rows must name rows between 0 and 2; got -1"):
        positions("rows", np.array([-1, 9]), 3)
    for values in ([0.0], ["0"], [[0]], [True]):
        with pytest.raises(TypeError, match="rows must be a vector of row positions"):
            positions("rows", values, 3)  # type: ignore[arg-type]


def test_weights_are_a_vector_a_number_or_none() -> None:
    assert sample_weights(None, 3) is None
    np.testing.assert_array_equal(sample_weights(2, 3), np.full(3, 2.0))
    np.testing.assert_array_equal(sample_weights(pd.Series([0, 1, 2]), 3), [0, 1, 2])


@pytest.mark.parametrize(
    ("weights", "error", "text"),
    [
        ([1, -0.5, -2], ValueError, "sample_weight must be .*; got -0.5 in row 1"),
        ([0, 0, 0], ValueError, "a positive sum; got only zeros. Leave it out"),
        (0, ValueError, "a positive sum; got only zeros"),
        (-1, ValueError, "sample_weight must be a number at least 0; got -1"),
        ([1, np.inf, 1], ValueError, "sample_weight must be finite; got inf in row 1"),
        ([1, 1], ValueError, r"sample_weight must have shape \(3,\); got \(2,\)"),
        (np.ones((3, 1)), ValueError, r"must have shape \(3,\); got \(3, 1\)"),
        (["a", "b", "c"], TypeError, "sample_weight must hold numbers"),
        (True, TypeError, "sample_weight must be a number at least 0; got True"),
    ],
)
def test_bad_weights_are_refused(
    weights: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        sample_weights(weights, 3)
