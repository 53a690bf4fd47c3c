"""How a correction is named, and which names and numbers are refused."""

from typing import Any

import numpy as np
import pytest

from semikd.corrections import (
    ConstantCorrection,
    Correction,
    EstimatedCorrection,
    MinimaxCorrection,
    NoCorrection,
    OrthogonalCorrection,
    ShrinkageCorrection,
    get_correction,
)
from semikd.losses import IdentityLoss
from semikd.selection import Candidate


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", NoCorrection()),
        ("orthogonal", OrthogonalCorrection()),
        ("estimated", EstimatedCorrection()),
        (0.25, ConstantCorrection(0.25)),
        (np.float32(0.5), ConstantCorrection(0.5)),
        (1, ConstantCorrection(1.0)),
        (ShrinkageCorrection(0.1), ShrinkageCorrection(0.1)),
    ],
)
def test_a_correction_is_found_by_name_number_or_as_it_is(
    name: Any, expected: Correction
) -> None:
    assert get_correction(name) == expected


@pytest.mark.parametrize(
    ("correction", "words"),
    [
        (NoCorrection(), "no correction"),
        (OrthogonalCorrection(), "orthogonal"),
        (ConstantCorrection(1 / 3), "constant 0.3333"),
        (ShrinkageCorrection(0.010000000000000002), "shrinkage 0.01"),
        (ShrinkageCorrection(0.01, 2.5), "shrinkage 0.01, noise 2.5"),
        (MinimaxCorrection("relative", 0.5), "minimax relative 0.5"),
    ],
)
def test_tables_show_a_correction_in_words(correction: Any, words: str) -> None:
    assert str(correction) == words
    candidate = Candidate("tree", "cross-fitted", "forest", correction=correction)
    assert str(candidate) == f"tree: forest, cross-fitted, {words}"
    # Code shows it as what makes it again.
    assert repr(correction).startswith(f"{type(correction).__name__}(")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: get_correction("ortho"),
            ValueError,
            "got 'ortho'. Did you mean 'orthog",
        ),
        (
            lambda: get_correction("constant"),
            ValueError,
            "Pass an .*Constant.*value=0.5",
        ),
        (
            lambda: get_correction("shrinkage"),
            ValueError,
            "such as Shrinkage.*error=0.01",
        ),
        (
            lambda: get_correction("minimax"),
            ValueError,
            "such as Minimax.*'relative', size=1.0",
        ),
        (lambda: get_correction(1.5), ValueError, "at least 0 and at most 1; got 1.5"),
        (lambda: get_correction(np.nan), ValueError, "correction must be .*; got nan"),
        (lambda: get_correction(True), TypeError, "correction must be .*; got True"),
        (
            lambda: get_correction(None),
            TypeError,
            "be a name, a number .*; got None. Pass",
        ),
        (
            lambda: get_correction(NoCorrection),
            TypeError,
            "or a Correction; got <class",
        ),
        (lambda: ConstantCorrection(-0.1), ValueError, "value must be a .*; got -0.1"),
        (
            lambda: ConstantCorrection("a"),
            TypeError,
            "value must be a number .*; got 'a'",
        ),
        (lambda: ShrinkageCorrection(-1), ValueError, "squared_error must .*; got -1"),
        (
            lambda: ShrinkageCorrection(np.inf),
            ValueError,
            "squared_error must .*; got inf",
        ),
        (
            lambda: ShrinkageCorrection(1, -1),
            ValueError,
            "noise_variance must .*; got -1",
        ),
    ],
)
def test_bad_corrections_are_refused(
    call: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_regression_without_a_variance_is_told_to_give_one() -> None:
    message = "noise_variance must be given for a regression; got None. Pass Shrinkage"
    with pytest.raises(ValueError, match=message):
        ShrinkageCorrection(0.1).weight(np.zeros((2, 1)), None, IdentityLoss(), 0.1)
