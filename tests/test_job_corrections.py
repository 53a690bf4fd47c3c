"""Corrections by name on the command line: what ships, and what is refused first."""

import numpy as np
import pandas as pd
import pytest

from semikd.exceptions import UsageError
from semikd.job import Settings, distil
from semikd.job.names import CORRECTIONS
from semikd.job.sides import raw_sides
from semikd.label_aware import named_correction
from semikd.label_aware.margins import ShiftingCorrection
from semikd.label_aware.names import LABEL_AWARE

SHIFTS = ("adaptive_margin", "logit_adjustment")


def frame(*, numbers: bool = False) -> pd.DataFrame:
    """Return a small table."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200) if numbers else (x + rng.normal(size=200) > 0)
    return pd.DataFrame({"x": x, "y": y})


def test_the_names_are_those_of_the_rules() -> None:
    assert set(CORRECTIONS) == {"none", "orthogonal", "reliability", *LABEL_AWARE}
    for name in CORRECTIONS:
        rule = named_correction(name)
        assert isinstance(rule, ShiftingCorrection) == (name in SHIFTS)
        assert rule.needs_classes == (name not in ("none", "orthogonal"))
        settings = Settings("y", correction=name, student="linear")
        assert settings.strength == name


@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("student", ["tree", "forest"])
def test_trees_have_no_scores_to_shift(name: str, student: str) -> None:
    with pytest.raises(UsageError, match="Use --student linear or network"):
        Settings("y", correction=name, student=student)


@pytest.mark.parametrize("name", ["reliability", "adaptive_alpha", "confidence"])
def test_numbers_have_no_classes(name: str) -> None:
    with pytest.raises(UsageError, match="--correction must be a share"):
        Settings("y", correction=name, task="regression")
    settings = Settings("y", correction=name)
    with pytest.raises(UsageError, match="--correction must be a share"):
        raw_sides(frame(numbers=True), settings)
    assert raw_sides(frame(), settings).train.classification


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'adaptive_alpha'"):
        Settings("y", correction="adaptive_alfa")


def test_a_student_of_shifted_scores_ships() -> None:
    settings = Settings(
        "y",
        teacher="linear",
        student="linear",
        correction="logit_adjustment",
        refits=1,
        cv=3,
    )
    outcome = distil(frame(), settings)
    assert outcome.shipped == "corrected"
    said = outcome.model.predict_proba(frame()[["x"]])
    np.testing.assert_allclose(said.sum(axis=1), 1.0)
    assert (
        outcome.model.predict(frame()[["x"]]).tolist() == said.argmax(axis=1).tolist()
    )
