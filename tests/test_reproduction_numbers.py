"""How numbers are written on every page, and what a published spread is worth."""

import math

import numpy as np
import pytest

from semikd.reproduction.numbers import (
    NOTHING,
    PublishedCell,
    in_errors,
    interval,
    measured,
    published,
    signed,
    whole,
)
from semikd.reproduction.repeated import Repeated


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_error_of_a_published_mean_is_that_of_its_fits(ddof: int) -> None:
    fits = np.array([0.834736, 0.835737, 0.829327])
    cell = PublishedCell(fits.mean(), fits.std(ddof=ddof), len(fits), ddof=ddof)
    assert cell.standard_error == pytest.approx(fits.std(ddof=1) / math.sqrt(3))


def test_what_is_not_there_is_a_dash() -> None:
    absent = (published(None), measured(None), signed(None, 2), interval(None))
    assert {*absent, whole(None)} == {NOTHING}


def test_an_error_that_is_not_there_is_not_written() -> None:
    assert measured(0.5, math.nan) == measured(0.5) == "0.5000"
    assert measured(0.5, 0.0) == "0.5000 ± 0.0000"
    assert interval(Repeated((0.5,), 0.0)) == "0.5000"
    assert signed(0.5, 1, math.nan) == "+0.5"


@pytest.mark.parametrize("error", [0.0, math.nan])
def test_a_number_without_an_error_has_no_distance(error: float) -> None:
    assert in_errors(0.1, error) is None
    assert in_errors(None, 0.1) is None
