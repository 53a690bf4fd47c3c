"""Simulations of the reproduction: errors known in closed form, rates, pages."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from semikd.datasets import make_gaussian_mixture
from semikd.reproduction.asked import Asked
from semikd.reproduction.experiments import reproduce
from semikd.reproduction.simulations import trials
from semikd.reproduction.simulations.panels import PANELS, cell_name, extent
from semikd.reproduction.simulations.tables import (
    FORMULAS,
    Rate,
    Simulated,
    best_shares,
    rates,
)
from semikd.reproduction.simulations.trials import FULL, Size

FEW = Size(rows=1_000, many=100_000, trees=10)


@pytest.mark.parametrize("delta", [0.3, 1.0])
def test_without_correction_a_linear_student_repeats_its_teacher(delta: float) -> None:
    found = PANELS["perturbed"].trial(delta, 0, FEW)
    fresh = make_gaussian_mixture(trials._FRESH, 2, trials._CLOUDS, random_state=10_000)
    truth = np.asarray(fresh.true_proba)[:, 1]
    said = expit(logit(truth) + delta * np.asarray(fresh.X)[:, 0])
    by_hand = np.mean((said - truth) ** 2)
    # The student has a small penalty, and logarithms a floor.
    assert found["no correction"] == pytest.approx(by_hand, rel=2e-4)
    # Neither half nor all of a correction leaves that much.
    assert found["full correction"] < 0.2 * found["half"] < 0.2 * by_hand


def test_only_the_full_correction_leaves_the_square_of_the_error() -> None:
    places = (0.0, 0.3, 0.45, 0.6)
    found = [
        [PANELS["perturbed"].trial(d, seed, FEW) for seed in (0, 1)] for d in places
    ]
    slopes = {}
    for arm in found[0][0]:
        means = np.array([np.mean([e[arm] for e in each]) for each in found])
        slopes[arm] = np.polyfit(np.log(places[1:]), np.log(means[1:] - means[0]), 1)[0]
    assert slopes["no correction"] == pytest.approx(2.0, abs=0.3)
    # The control: a correction of half is no correction of first order.
    assert slopes["half"] == pytest.approx(2.0, abs=0.5)
    assert slopes["full correction"] > 3.0


def test_the_formula_of_the_best_share_is_that_of_its_parts() -> None:
    found = PANELS["complexity"].trial(4, 0, FULL)
    formulas = {arm: found.pop(arm) for arm in FORMULAS}
    shares = {float(arm): error for arm, error in found.items()}
    assert sorted(shares) == pytest.approx(np.linspace(0, 1, 11))
    # A forest of depth three is far from the truth, beside the noise of four leaves.
    assert 0.9 < formulas["measured"] < formulas["by leaves"] < 1.0
    assert shares[1.0] < shares[0.0]


def test_the_formula_finds_the_best_share_by_measured_noise_and_not_by_leaves() -> None:
    found = PANELS["complexity"].trial(128, 0, FULL)
    shares = [float(arm) for arm in found if arm not in FORMULAS]
    errors = [found[f"{share:g}"] for share in shares]
    own, counted = (np.interp(found[arm], shares, errors) for arm in FORMULAS[::-1])
    assert own < 1.15 * min(errors)
    assert counted > 1.4 * min(errors)


def made(places: tuple[float, ...], errors: dict[str, list[list[float]]]) -> Simulated:
    """Return errors that were made up."""
    return Simulated(
        "perturbed", places, {arm: np.array(own) for arm, own in errors.items()}
    )


def powers(exponent: float) -> list[list[float]]:
    """Return errors that are a power of the place, on a level of noise."""
    return [[1.0 + x**exponent] * 3 for x in (0.0, 0.5, 1.0, 2.0)]


def test_slopes_are_those_of_powers_with_the_noise_taken_off() -> None:
    places = (0.0, 0.5, 1.0, 2.0)
    arms = {"no correction": 2.0, "half": 2.0, "full correction": 4.0}
    own = made(places, {arm: powers(exponent) for arm, exponent in arms.items()})
    floor = Simulated(
        "floor",
        (1.0, 10.0),
        {
            "in-sample": np.array([[0.1, 0.1], [0.1, 0.1]]),
            "cross-fitted": np.array([[0.1, 0.1], [0.01, 0.01]]),
        },
    )
    control = Simulated("floor-control", floor.places, floor.errors)
    found = {rate.what: rate for rate in rates([own, floor, control])}
    assert found["perturbed: full correction"].slope == pytest.approx(4.0)
    assert found["perturbed: no correction"].slope == pytest.approx(2.0)
    assert found["floor: in-sample"].slope == pytest.approx(0.0, abs=1e-12)
    assert found["floor: cross-fitted"].slope == pytest.approx(-1.0)
    assert found["floor: cross-fitted"].half_width == pytest.approx(0.0, abs=1e-9)


def test_an_error_below_its_noise_has_no_slope() -> None:
    places = (0.0, 1.0, 2.0)
    own = made(places, {arm: [[2.0] * 2, [1.0] * 2, [3.0] * 2] for arm in "a"})
    from semikd.reproduction.simulations.tables import _slope

    assert math.isnan(_slope(own, "a")[0])
    assert str(Rate("a", *_slope(own, "a"), "2", None)) == "hidden by noise"


def test_the_best_share_is_that_of_the_mean_and_its_error_that_of_the_other_half() -> (
    None
):
    errors = {"0": [[3.0, 3.0]], "0.5": [[1.0, 1.5]], "1": [[0.5, 4.0]]}
    own = made((8.0,), errors | {formula: [[0.7, 0.7]] for formula in FORMULAS})
    # The first data set says 1, whose error in the second is 4; the second says 0.5.
    assert best_shares(own) == [(0.5, (4.0 + 1.0) / 2)]


def test_every_place_of_every_panel_has_a_name_of_its_own() -> None:
    names = [
        cell_name(name, place)
        for name, panel in PANELS.items()
        for place in extent(panel, small=False)[0]
    ]
    assert len(names) == len(set(names))


def test_a_trial_leaves_all_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The panels with forests have their own tests above; here one stands for all.
    kept = {"perturbed": PANELS["perturbed"]}
    for module in (
        "panels.PANELS",
        "tables.PANELS",
        "figures.PANELS",
        "run.PANELS",
    ):
        monkeypatch.setattr(f"semikd.reproduction.simulations.{module}", kept)
    monkeypatch.setattr(
        "semikd.reproduction.simulations.tables._RATES",
        (("perturbed", "no correction", "2"),),
    )
    outcome = reproduce("synthetic", Asked(small=True), tmp_path)
    assert {path.name for path in outcome.paths} == {
        "results.csv",
        "results.md",
        "origin.json",
        "figure.svg",
    }
    page = (tmp_path / "synthetic-small" / "results.md").read_text()
    assert "## Rates" in page
    assert PANELS["perturbed"].title in page


@pytest.mark.parametrize(
    ("panel", "arm", "slope", "half", "expected"),
    [
        ("floor", "cross-fitted", -0.6, 0.1, False),
        ("floor", "cross-fitted", -0.1, 0.2, True),
        ("floor", "in-sample", -0.2, 0.05, False),
        ("floor", "in-sample", -0.5, 0.1, True),
        ("floor-control", "in-sample", -0.5, 0.1, False),
        ("floor-control", "in-sample", -0.1, 0.1, True),
        ("perturbed", "no correction", 2.6, 0.2, False),
        ("perturbed", "no correction", 2.8, 0.2, True),
        ("perturbed", "full correction", 3.4, 0.2, False),
        ("perturbed", "full correction", 2.0, 0.2, True),
        ("perturbed", "full correction", math.nan, math.nan, None),
    ],
)
def test_what_contradicts_the_theory_is_what_the_plan_says(
    panel: str, arm: str, slope: float, half: float, *, expected: bool | None
) -> None:
    # Cross-fitted labels fall like n to the -0.6.
    slopes = {
        (each, "cross-fitted"): (-0.6, 0.1) for each in ("floor", "floor-control")
    }
    slopes[panel, arm] = (slope, half)
    from semikd.reproduction.simulations.tables import _contradicts

    assert _contradicts(panel, arm, slopes) is expected
