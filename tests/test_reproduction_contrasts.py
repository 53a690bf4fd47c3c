"""Reproduced means and differences beside published ones, by hand and simulated."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.reproduction.forests.contrasts import Contrast, contrasts
from semikd.reproduction.forests.draws import Draw
from semikd.reproduction.forests.findings import Findings
from semikd.reproduction.forests.measured import CLOSE, Level, Scores, levels
from semikd.reproduction.forests.published import Place, published_cells
from semikd.reproduction.forests.study import DEPTH
from semikd.reproduction.forests.tables import agreement
from semikd.reproduction.forests.variances import between_units
from semikd.reproduction.numbers import PublishedCell

FloatArray = NDArray[np.float64]

PLACE = Place("kd_mse", "p", "crossfit", 1)
Z = np.array([[-math.sqrt(2), -math.sqrt(0.5), 0.0, math.sqrt(0.5), math.sqrt(2)]])


def drawn(*rows: list[float], split: int = 2357) -> dict[Draw, FloatArray]:
    """Return scores by draw of teachers."""
    return {Draw(split, at): np.array(row) for at, row in enumerate(rows)}


def test_means_and_errors_are_by_hand() -> None:
    cells = {PLACE: PublishedCell(0.90, 0.002, 5, None)}
    (one,) = levels({PLACE: drawn([0.90, 0.91, 0.92])}, cells)
    assert one.mean == pytest.approx(0.91)
    assert one.standard_error == pytest.approx(0.01 / math.sqrt(3))
    assert (one.draw_sd, one.draws) == (None, 1)
    assert one.difference == pytest.approx(0.01)
    assert one.in_errors == pytest.approx(0.01 / math.sqrt(1e-6 + 1e-4 / 3))
    (two,) = levels({PLACE: drawn([0.90, 0.92], [0.94, 0.96])}, cells)
    assert (two.mean, two.draws) == (pytest.approx(0.93), 2)
    # Means of 0.91 and 0.95 vary by 8e-4, of which refits explain 2e-4 / 2.
    assert two.draw_sd == pytest.approx(math.sqrt(7e-4))
    assert two.standard_error == pytest.approx(0.02)
    # The published mean is of one draw, too: its error has the spread over draws.
    assert two.in_errors == pytest.approx(0.03 / math.sqrt(1e-6 + 4e-4 + 7e-4))
    (bare,) = levels({PLACE: drawn([0.9])}, {})
    assert bare == Level(PLACE, 0.9, 0.0, None, 1, None)
    assert bare.difference is bare.in_errors is None


def test_variances_are_pooled_over_a_curve_and_never_negative() -> None:
    other = replace(PLACE, x=2)
    scores = {
        PLACE: drawn([0.90, 0.92], [0.94, 0.96]),
        other: drawn([0.90, 0.90], [0.90, 0.90]),
    }
    for level in levels(scores, {}):
        assert level.draw_sd == pytest.approx(math.sqrt(7e-4 / 2))
    assert between_units([np.array([4.0, 4.0])], [8.0]) == 0.0


def test_without_any_error_a_difference_has_no_number_of_errors() -> None:
    exact = PublishedCell(0.90, 0.0, 5, None)
    assert Level(PLACE, 0.91, 0.0, None, 1, exact).in_errors is None


def test_contrasts_are_by_hand() -> None:
    seen = replace(PLACE, labels="none")
    better = replace(PLACE, method="kd_boundfast")
    cells = {
        seen: PublishedCell(0.92, 0.006, 5, None),
        PLACE: PublishedCell(0.91, 0.008, 5, None),
        better: PublishedCell(0.95, 0.0, 5, None),
    }
    one: Scores = {seen: drawn([0.90, 0.90]), PLACE: drawn([0.91, 0.93])}
    (found,) = contrasts(DEPTH, one, cells)
    assert (found.name, found.scale, found.x) == ("cross-fitted less in-sample", "p", 1)
    assert (found.mean, found.published) == pytest.approx((0.02, -0.01))
    # 0.003 and 0.004, and 0.01 of the two scores here.
    assert found.noise == pytest.approx(0.005)
    assert found.combined == pytest.approx(math.sqrt(0.005**2 + 0.01**2))
    assert found.units == 1
    two: Scores = {
        PLACE: drawn([0.90], [0.92]),
        better: drawn([0.94], [0.98]),
    }
    (found,) = contrasts(DEPTH, two, cells)
    assert found.name == "corrected less cross-fitted"
    assert (found.mean, found.published) == pytest.approx((0.05, 0.04))
    # Differences of 0.04 and 0.06: their spread, and the error of their mean.
    parts = (0.004**2, 0.01**2, 0.01**2 * 2)
    assert found.combined == pytest.approx(math.sqrt(sum(parts)))
    assert found.units == 2


def test_splits_are_the_units_where_there_are_several() -> None:
    better = replace(PLACE, method="kd_boundfast")
    cells = {p: PublishedCell(0.9, 0.004, 5, None) for p in (PLACE, better)}
    plain = drawn([0.80, 0.80], [0.82, 0.82]) | drawn([0.90, 0.90], split=0)
    high = drawn([0.84, 0.84], [0.88, 0.88]) | drawn([0.97, 0.97], split=0)
    (found,) = contrasts(DEPTH, {PLACE: plain, better: high}, cells)
    # 0.05 in the first split, whose draws are averaged, and 0.07 in the second.
    assert (found.mean, found.units) == (pytest.approx(0.06), 2)
    parts = (2 * 0.002**2, 2e-4, 2e-4 / 2)
    assert found.combined == pytest.approx(math.sqrt(sum(parts)))


@pytest.mark.parametrize("teachers", [0.0, 0.004])
def test_combined_errors_are_those_of_the_difference(teachers: float) -> None:
    # 400 published numbers and reproductions of the same truth. The mean square of the
    # distance in errors is 1, and with 14 degrees of freedom for the errors 14/12; the
    # band is four of its own errors around both. One place by itself, with the refits
    # counted once more, is the negative control.
    rng, refits, n_draws = np.random.default_rng(0), 0.002, 3
    places = [replace(PLACE, x=x) for x in DEPTH.places()]
    squares, crude = [], []
    for _ in range(400):
        cells, scores = {}, {}
        for place in places:
            for method in ("kd_mse", "kd_boundfast"):
                own = 0.9 + teachers * rng.normal(size=(n_draws + 1, 1))
                own = own + refits * rng.normal(size=(n_draws + 1, 5))
                at = replace(place, method=method)
                cells[at] = PublishedCell(own[0].mean(), own[0].std(), 5, None)
                scores[at] = drawn(*own[1:].tolist())
        found = contrasts(DEPTH, scores, cells)
        squares.append(np.mean([each.in_errors**2 for each in found]))
        for each in found:
            ahead, behind = (
                np.array(list(scores[Place(m, "p", "crossfit", each.x)].values()))
                for m in ("kd_boundfast", "kd_mse")
            )
            spread = (ahead.mean(axis=1) - behind.mean(axis=1)).std(ddof=1)
            error = math.hypot(each.noise, spread, spread / math.sqrt(n_draws))
            crude.append(((each.mean - each.published) / error) ** 2)
    error = np.std(squares) / math.sqrt(len(squares))
    assert 1.0 - 4 * error < np.mean(squares) < 14 / 12 + 4 * error
    assert not 0.8 < np.mean(crude) < 2.0


@pytest.mark.parametrize(
    ("mean", "published", "counts", "agrees"),
    [
        (0.010, 0.021, True, True),
        (0.010, 0.019, False, True),
        (-0.001, 0.021, True, False),
        (0.062, 0.021, True, False),
        (-0.060, -0.021, True, True),
        (0.0, -0.021, True, False),
    ],
)
def test_a_contrast_agrees_in_sign_and_within_four_errors(
    mean: float, published: float, counts: bool, agrees: bool
) -> None:
    found = Contrast("a less b", "p", 1, mean, published, 0.01, 0.01, 3)
    assert (found.counts, found.agrees) == (counts, agrees)


def reached(scores: Scores) -> dict[str, bool]:
    """Return which criteria scores reach against the published numbers of MAGIC."""
    cells = published_cells("depth", "magic")
    own, both = levels(scores, cells), contrasts(DEPTH, scores, cells)
    found = Findings(DEPTH, "magic", "AUC", cells, own, both, {})
    return {row["what"].split()[0]: row["reached"] == "yes" for row in agreement(found)}


def test_in_sample_labels_in_the_place_of_honest_ones_are_noticed() -> None:
    cells = published_cells("depth", "magic")
    right: Scores = {
        place: drawn(*(cell.mean + cell.sd * Z.repeat(2, axis=0)).tolist())
        for place, cell in cells.items()
    }
    assert reached(right) == {"contrasts": True, "levels": True}
    # All means stay as close as is asked: contrasts are there for this.
    wrong = dict(right)
    for place in cells:
        if place.method == "kd_mse" and place.labels == "crossfit" and place.x != 1:
            wrong[place] = right[replace(place, labels="none")]
            mean = np.mean(list(wrong[place].values()))
            assert abs(mean - cells[place].mean) <= CLOSE
    assert reached(wrong) == {"contrasts": False, "levels": True}


def test_one_draw_of_teachers_is_no_verdict() -> None:
    cells = published_cells("depth", "magic")
    once: Scores = {
        place: drawn((cell.mean + cell.sd * Z[0]).tolist())
        for place, cell in cells.items()
    }
    found = Findings(
        DEPTH, "magic", "AUC", cells, [], contrasts(DEPTH, once, cells), {}
    )
    (line,) = agreement(found)
    assert line["reached"] == "not judged: teachers were drawn once (--draws)"
