"""Tables and figures on photographs: three numbers in a row, and their errors."""

import numpy as np
import pytest

from semikd.reproduction.images.figures import image_figure
from semikd.reproduction.images.honest import ARMS
from semikd.reproduction.images.photographs import Photographs
from semikd.reproduction.images.published import published_scores
from semikd.reproduction.images.reference import TEACHER, TEACHERS, arm_names
from semikd.reproduction.images.results import Findings, Level
from semikd.reproduction.images.study import CIFAR, STRENGTH, ImageStudy
from semikd.reproduction.images.tables import (
    SAME,
    image_tables,
    image_tidy,
    sentences,
)
from semikd.reproduction.images.training import METRICS, Scores
from semikd.reproduction.images.words import remarks

MAIN = "The figure: published, reproduced, honest"
DIFFERENCES = "Differences that the paper is about"
# 45,000 images to learn from would share none of those that judge.
RATIO = 0.0


def scores(at: float) -> Scores:
    """Return scores that all stand at one number, better on test images."""
    own = {}
    for part, more in (("validation", 0.0), ("test", 0.01)):
        for metric in METRICS:
            own[f"{part} {metric}"] = at + more
            own[f"{part} {metric} error"] = 0.005
    return own


def found(study: ImageStudy) -> Findings:
    """Return findings by arm: fits that differ by a hundredth."""
    fits = {TEACHER: 1, TEACHERS: 3}
    reproduced, honest = {}, {}
    for depth in study.depths:
        for place, arm in enumerate([TEACHER, TEACHERS, *arm_names(study)]):
            every = range(fits.get(arm, study.fits))
            reproduced[arm, depth] = [
                scores(0.8 + 0.02 * place + 0.01 * j) for j in every
            ]
        for place, arm in enumerate(ARMS):
            honest[arm, depth] = [
                scores(0.7 + 0.01 * place + 0.01 * j) for j in range(3)
            ]
    own = honest if study.has_honest else {}
    return Findings(study, published_scores(study), reproduced, own, RATIO)


def test_the_published_numbers_are_those_of_the_figures() -> None:
    means = {key: cell.mean for key, cell in published_scores(CIFAR).items()}
    assert means["KD", 14, "accuracy"] == 0.8457
    assert means["Cross-fit KD", 56, "loss"] == 0.5285
    assert means["Teacher", 56, "accuracy"] == 0.879
    strengths = {key: cell.mean for key, cell in published_scores(STRENGTH).items()}
    best = strengths["Enhanced KD, c = 0.01", 20, "accuracy"]
    # The point of the one figure is the best column of the other.
    assert best == pytest.approx(
        means["Enhanced KD, c = 0.01", 20, "accuracy"], abs=5e-5
    )
    assert best == max(
        v for (arm, _, m), v in strengths.items() if m == "accuracy" and "=" in arm
    )


def test_the_cell_in_both_figures_has_three_fits_and_one_error() -> None:
    place = ("Enhanced KD, c = 0.01", 20, "loss")
    typed, computed = (published_scores(s)[place] for s in (CIFAR, STRENGTH))
    assert (typed.n, typed.ddof, computed.n, computed.ddof) == (3, 1, 3, 0)
    fits = np.array([0.493672, 0.49562, 0.465533])
    assert typed.sd == round(fits.std(ddof=1), 3)
    assert computed.sd == pytest.approx(fits.std(), abs=1e-6)
    assert typed.standard_error == pytest.approx(computed.standard_error, rel=0.02)


@pytest.mark.parametrize("study", [CIFAR, STRENGTH], ids=lambda study: study.name)
def test_every_arm_of_a_figure_has_a_published_number(study: ImageStudy) -> None:
    known = published_scores(study)
    for arm in [TEACHER, TEACHERS, *arm_names(study)]:
        for depth in study.depths:
            assert (arm, depth, "accuracy") in known
            assert (arm, depth, "loss") in known
    assert published_scores(study.shortened()) == {}


def test_a_distance_counts_the_images_of_both_sides() -> None:
    cell = published_scores(CIFAR)["Teacher", 20, "accuracy"]
    single = Level(0.86, 0.0, 0.005)
    by_hand = (0.86 - 0.8715) / np.sqrt(2 * 0.005**2 + 0.004**2 / 5)
    assert single.distance(cell) == pytest.approx(by_hand)
    several = Level(0.86, 0.003, 0.005)
    assert abs(several.distance(cell) or 0.0) < abs(by_hand)
    assert single.distance(None) is None


def test_published_reproduced_and_honest_stand_in_one_row() -> None:
    rows = image_tables(found(CIFAR))[MAIN]
    assert len(rows) == 5 * 5 * 2
    (row,) = [
        row
        for row in rows
        if (row["arm"], row["teacher"], row["metric"])
        == ("KD", "ResNet-20, primary", "accuracy")
    ]
    assert row["published"] == "0.8367 ± 0.0010"
    # Fits at 0.84, 0.85, ... 0.88, and half a hundredth over images.
    error = np.hypot(0.01 * np.sqrt(2.5 / 5), 0.005)
    assert row["reproduced"] == f"0.8600 ± {error:.4f}"
    away = (0.86 - 0.8367) / np.sqrt(error**2 + 0.005**2 + 0.001**2 / 5)
    assert row["difference, in errors"] == f"{away:+.1f}"
    # The fourth arm: 0.73, 0.74, 0.75, a hundredth more on test images, and
    # Student's quantile of two degrees of freedom.
    assert row["honest arm"] == "in-sample"
    assert row["honest"] == f"0.7500 ± {4.30265 * 0.01 / np.sqrt(3):.4f}"


def test_strengths_are_judged_on_test_images_beside_validation() -> None:
    rows = image_tables(found(STRENGTH))[MAIN]
    by_arm = {row["arm"]: row for row in rows if row["metric"] == "accuracy"}
    row = by_arm["Enhanced KD, c = 0.01"]
    assert row["published"] == "0.8461 ± 0.0027"
    assert row["honest arm"] == SAME
    validation, test = (
        float(row[side].split()[0]) for side in ("reproduced", "honest")
    )
    assert test == pytest.approx(validation + 0.01)
    (said,) = sentences(found(STRENGTH))
    assert said.startswith("Validation images choose c = 1e-05 by their loss")


def test_the_effect_of_folds_is_measured_three_times() -> None:
    rows = image_tables(found(CIFAR))[DIFFERENCES]
    assert len(rows) == 5 * 2 * 2
    row = rows[0]
    assert row["contrast"] == "Cross-fit KD less KD"
    noise = np.hypot(0.002, 0.001) / np.sqrt(5)
    assert row["published"] == f"-0.0113 ± {noise:.4f}"
    # Fits and repetitions are paired: what they have in common drops out.
    assert row["reproduced"] == "+0.0200 ± 0.0000"
    assert row["honest"] == "+0.0100 ± 0.0000"
    assert {line.split(",")[0] for line in sentences(found(CIFAR))} == {
        "ResNet-20",
        "ResNet-56",
    }


@pytest.mark.parametrize(
    ("study", "titles"),
    [
        (
            CIFAR,
            ["published", "reproduced, validation images", "honest protocol, test"],
        ),
        (STRENGTH, ["published", "reproduced, validation images", SAME]),
    ],
    ids=["cifar", "strength"],
)
def test_the_figure_has_the_three_side_by_side(
    study: ImageStudy, titles: list[str]
) -> None:
    axes = image_figure(found(study)).axes
    assert len(axes) == 6
    shown = [each.get_title() for each in axes[:3]]
    assert all(a.startswith(b) for a, b in zip(shown, titles, strict=True))
    own = found(study)
    arm = "KD" if study is CIFAR else "Enhanced KD"
    for panel, part in ((axes[1], "validation"), (axes[4], "validation")):
        metric = "accuracy" if panel is axes[1] else "loss"
        (line,) = [each for each in panel.lines if each.get_label() == arm]
        keys = (
            [(arm, depth) for depth in study.depths]
            if study is CIFAR
            else [(name, 20) for name in arm_names(study)[2:]]
        )
        levels = [own.level(*key, metric, part) for key in keys]
        expected = [level.mean for level in levels if level is not None]
        np.testing.assert_allclose(np.asarray(line.get_ydata()), expected)
    # The right panels are of test images: a hundredth above.
    assert axes[2].lines[0].get_ydata() is not None


def test_only_what_was_run_is_shown() -> None:
    own = found(CIFAR)
    bare = Findings(CIFAR, {}, {}, own.honest)
    tables = image_tables(bare)
    assert not tables["Published protocol: validation and test images"]
    assert {row["reproduced"] for row in tables[MAIN]} == {"–"}
    assert len(image_figure(bare).axes) == 2
    assert {row["protocol"] for row in image_tidy(bare)} == {"honest"}


@pytest.mark.parametrize("shared", [True, False])
def test_the_page_says_what_its_intervals_are_over(shared: bool) -> None:
    test = np.arange(2) if shared else np.arange(0)
    X, rows = np.zeros((4, 1, 1, 1), np.uint8), np.arange(2, 4)
    images = Photographs("few", "Few images.", X, np.arange(4), rows, test, (1, 1, 2))
    said = "\n".join(remarks(CIFAR, images, "cpu", honest=True))
    assert ("official test images judge all repetitions" in said) is shared
    assert "Primary cells: teachers of 20 and 56 layers." in said
    assert "Few images." in said
    assert "stand in" not in said
    small = "\n".join(remarks(CIFAR.shortened(), images, "cpu", honest=True))
    assert "stand in for the primary cells" in small
