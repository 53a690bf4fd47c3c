"""Rules of the released code, each against loops or a formula that owes it nothing."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.label_aware import SlowReferenceCorrection
from semikd.reproduction.forests import rules
from semikd.reproduction.forests.rules import RULES, SCALES, answer, reference_target

FloatArray = NDArray[np.float64]

CUT = 1 / 500
MINIMAX = ("kd_relerr", "kd_abserr", "kd_power")
FOURTH = np.linspace(-100.0, 100.0, 1000)
STEP = 200.0 / 999.0
WEIGHTS = [-10.0 + 0.05 * k for k in range(400)]
TEACHERS = (0.003, 0.05, 0.3, 0.5, 0.8, 0.997)


def target(rule: str, p: float, y: float, scale: str, c: float | None = None) -> float:
    """Return the target of one row."""
    pair = np.array([p]), np.array([y])
    return float(reference_target(rule, *pair, scale=scale, value=c)[0])


def weight(rule: str, p: float, y: float, scale: str, c: float) -> float:
    """Return the weight of one residual, read off the target."""
    start = p if scale == "p" else math.log(max(p, CUT))
    return (target(rule, p, y, scale, c) - start) / (y - p)


def known(rule: str) -> list[tuple[str, float]]:
    """Return the scales and settings of a rule."""
    return [(scale, c) for scale in RULES[rule].scales for c in RULES[rule].values]


def bounds(rule: str, p: float, c: float) -> tuple[float, float]:
    """Return the ends of a set of truths, before they are cut."""
    return {
        "kd_relerr": (p / (1 + c), p * (1 + c)),
        "kd_abserr": (p - c, p + c),
        "kd_power": (p, p ** (1 / c)),
    }[rule]


def error(g: float, truth: float, p: float, scale: str) -> float:
    """Return squared bias plus variance of a target, were this the truth."""
    full = truth - p if scale == "p" else math.log(truth) - math.log(p)
    return (g * (truth - p) - full) ** 2 + g**2 * truth * (1 - truth)


def truths(rule: str, p: float, scale: str, c: float, n: int) -> list[float]:
    """Return n truths of a set from end to end."""
    low, high = bounds(rule, p, c)
    low, high = max(low, 0.0 if scale == "p" else 1e-3), min(high, 1.0)
    return [low + (high - low) * k / (n - 1) for k in range(n)]


def test_settings_and_scales_are_those_that_were_released() -> None:
    decades = [10.0**k for k in range(-5, 4)]
    expected = {
        "kd_mse": [],
        "kd_boundfast": decades,
        "kd_boundslow": decades,
        "kd_mixed": [k / 10 for k in range(11)],
        "kd_ortholoss": [],
        "kd_relerr": [0.25, 0.5, 1, 2, 4, 8],
        "kd_abserr": [0.01, 0.02, 0.05, 0.1, 0.2, 0.4],
        "kd_power": [0.25, 0.5, 1, 2, 4, 8, 16],
    }
    assert set(RULES) == set(expected)
    for key, values in expected.items():
        assert RULES[key].key == key
        assert RULES[key].values == pytest.approx(values)
    assert RULES["kd_mixed"].scales == ("p",)
    assert RULES["kd_ortholoss"].scales == ("logp",)
    assert all(RULES[key].scales == SCALES for key in (*MINIMAX, "kd_mse"))


CLOSED: dict[tuple[str, str], Callable[[float, float, float], float]] = {
    ("kd_mse", "p"): lambda p, y, c: p,
    ("kd_mse", "logp"): lambda p, y, c: math.log(max(p, CUT)),
    ("kd_mixed", "p"): lambda p, y, c: (1 - c) * y + c * p,
    ("kd_boundfast", "p"): lambda p, y, c: p + c * (y - p) / (c + (y - p) ** 2),
    ("kd_boundfast", "logp"): lambda p, y, c: (
        math.log(max(p, CUT)) + c / max(p, CUT) * (y - p) / (c + (y - p) ** 2)
    ),
    ("kd_ortholoss", "logp"): lambda p, y, c: (
        math.log(max(p, CUT)) + y / max(p, CUT) - 1
    ),
}


@pytest.mark.parametrize(("rule", "scale"), CLOSED)
def test_targets_with_a_closed_form_are_it(rule: str, scale: str) -> None:
    p = np.array([0.0, 0.0004, CUT, 0.1, 0.5, 0.93, 1.0] * 2)
    y = np.repeat([0.0, 1.0], 7)
    for c in RULES[rule].values or (None,):
        form = CLOSED[rule, scale]
        expected = [form(*row, c or 0.0) for row in zip(p, y, strict=True)]
        got = reference_target(rule, p, y, scale=scale, value=c)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("scale", "c"), known("kd_boundslow"))
def test_the_fourth_power_is_the_best_point_of_its_grid(scale: str, c: float) -> None:
    for p in (0.001, *TEACHERS):
        cut = p if scale == "p" else max(p, CUT)
        full = 1.0 if scale == "p" else 1.0 / cut
        for y in (0.0, 1.0):
            risks = [g**2 * (y - cut) ** 2 + c * (g - full) ** 4 for g in FOURTH]
            expected = FOURTH[risks.index(min(risks))]
            got = weight("kd_boundslow", p, y, scale, c)
            assert got == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("scale", "c"), known("kd_boundslow"))
def test_the_fourth_power_is_a_neighbour_of_the_root_of_the_cubic(
    scale: str, c: float
) -> None:
    rule, off = SlowReferenceCorrection(c, relative=scale == "logp"), []
    # A weight of 1/p is on the grid, which ends at 100.
    for p in np.linspace(0.02, 0.98, 49):
        for y in (0.0, 1.0):
            pair = np.array([[1 - p, p]]), np.array([[1 - y, y]])
            root = rule.label_weight(*pair)[0, 1] / (1.0 if scale == "p" else p)
            off.append(abs(weight("kd_boundslow", p, y, scale, c) - root))
    # The best point is one of the two around the root; a risk that is steeper on one
    # side may prefer the one that is not nearer.
    assert max(off) < STEP
    assert np.median(off) < STEP / 2


@pytest.mark.parametrize("rule", MINIMAX)
def test_on_logarithms_the_weight_is_the_best_against_ten_truths(rule: str) -> None:
    for scale, c in known(rule):
        for p in TEACHERS if scale == "logp" else ():
            tried = truths(rule, p, scale, c, 10)
            worst = [max(error(g, t, p, scale) for t in tried) for g in WEIGHTS]
            got = weight(rule, p, 1.0, scale, c)
            assert got == pytest.approx(WEIGHTS[worst.index(min(worst))], abs=1e-9)


@pytest.mark.parametrize("rule", MINIMAX)
def test_on_probabilities_no_weight_is_better_against_any_truth(rule: str) -> None:
    g = np.array(WEIGHTS)[:, None]
    for c in RULES[rule].values:
        for p in TEACHERS:
            t = np.array(truths(rule, p, "p", c, 1001))
            risk = (g * (t - p) - (t - p)) ** 2 + g**2 * t * (1 - t)
            worst = risk.max(axis=1)
            got = weight(rule, p, 1.0, "p", c)
            at = int(np.abs(g[:, 0] - got).argmin())
            assert got == pytest.approx(WEIGHTS[at], abs=1e-9)
            # Between two of these truths a risk differs by less than this.
            assert worst[at] <= worst.min() + 1e-5


def test_a_set_that_is_wider_asks_for_more_of_the_label() -> None:
    for rule in ("kd_relerr", "kd_abserr"):
        found = [weight(rule, 0.8, 0.0, "p", c) for c in RULES[rule].values]
        assert found == sorted(found)
        assert found[-1] > found[0] + 0.3


@pytest.mark.parametrize("rule", ["kd_relerr", "kd_power"])
def test_of_equally_good_weights_the_smallest_is_taken(rule: str) -> None:
    # A set that holds nothing but 0 leaves no weight better than another.
    for c in RULES[rule].values:
        every = [error(g, 0.0, 0.0, "p") for g in WEIGHTS]
        assert set(every) == {0.0}
        assert weight(rule, 0.0, 1.0, "p", c) == pytest.approx(0.0, abs=1e-9)


def test_weights_leave_the_unit_interval_as_they_did() -> None:
    # In units of the full correction, 1/p on the scale of logarithms.
    assert 0.9 * weight("kd_relerr", 0.9, 0.0, "logp", 8.0) > 1.2
    assert 0.99 * weight("kd_boundslow", 0.99, 1.0, "logp", 1e3) > 1.05
    assert weight("kd_abserr", CUT, 1.0, "logp", 0.4) > 1.0


@pytest.mark.parametrize(("rule", "c"), [("kd_boundfast", 0.1), ("kd_relerr", 2.0)])
def test_on_logarithms_the_residual_keeps_the_probability_that_is_not_cut(
    rule: str, c: float
) -> None:
    g = {"kd_boundfast": c / CUT / (c + 0.0005**2)}
    own = g.get(rule) or weight(rule, CUT, 1.0, "logp", c)
    said = target(rule, 0.0005, 0.0, "logp", c)
    assert said == pytest.approx(math.log(CUT) - own * 0.0005, rel=1e-12)
    assert said != pytest.approx(math.log(CUT) - own * CUT, rel=1e-6)


def test_the_full_correction_cuts_the_residual_too() -> None:
    for p in (0.0, 0.0005, CUT):
        assert target("kd_ortholoss", p, 0.0, "logp") == math.log(CUT) - 1.0


@pytest.mark.parametrize("c", RULES["kd_boundfast"].values)
def test_a_weight_of_the_label_biases_a_perfect_teacher(c: float) -> None:
    p = np.linspace(0.01, 0.99, 99)
    expected = c * p * (1 - p) * (1 / (c + (1 - p) ** 2) - 1 / (c + p**2))
    np.testing.assert_allclose(bias("kd_boundfast", p, c), expected, atol=1e-14)
    assert (expected[p < 0.49] < 0).all()


def test_a_weight_that_does_not_see_the_label_leaves_it_unbiased() -> None:
    p = np.linspace(0.01, 0.99, 99)
    assert np.abs(bias("kd_boundfast", p, 0.1)).max() > 0.09
    for rule in ("kd_mse", "kd_mixed", *MINIMAX):
        for c in RULES[rule].values or (0.0,):
            np.testing.assert_allclose(bias(rule, p, c), 0.0, atol=1e-14)


def bias(rule: str, p: FloatArray, c: float) -> FloatArray:
    """Return the error of the mean target where the teacher is right, shape (n,)."""
    no, yes = (
        reference_target(rule, p, np.full_like(p, y), scale="p", value=c)
        for y in (0.0, 1.0)
    )
    return (1 - p) * no + p * yes - p


@pytest.mark.parametrize("rule", RULES)
def test_rows_do_not_depend_on_their_neighbours(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    p, y = rng.integers(0, 9, 40) / 8, rng.integers(0, 2, 40).astype(float)
    c = RULES[rule].values[-1] if RULES[rule].values else None
    for scale in RULES[rule].scales:
        whole = reference_target(rule, p, y, scale=scale, value=c)
        alone = [target(rule, *row, scale, c) for row in zip(p, y, strict=True)]
        np.testing.assert_array_equal(whole, alone)
        with monkeypatch.context() as few:
            few.setattr(rules, "_ROWS", 7)
            parts = reference_target(rule, p, y, scale=scale, value=c)
        np.testing.assert_array_equal(whole, parts)


def test_arguments_stay_as_they_are() -> None:
    p, y = np.array([0.0, 0.4, 1.0]), np.array([1.0, 0.0, 1.0])
    for rule in RULES:
        for scale in RULES[rule].scales:
            reference_target(rule, p, y, scale=scale, value=0.5)
    assert p.tolist() == [0.0, 0.4, 1.0]
    assert y.tolist() == [1.0, 0.0, 1.0]


def test_an_answer_may_exceed_one() -> None:
    scores = np.array([-1.0, 0.0, 0.5])
    np.testing.assert_allclose(answer(scores, "logp"), np.exp(scores))
    assert answer(scores, "logp")[2] > 1
    np.testing.assert_array_equal(answer(scores, "p"), scores)


@pytest.mark.parametrize(
    ("rule", "scale", "words"),
    [
        ("kd_boundfats", "p", r"rule must be one of .*Did you mean 'kd_boundfast'\?$"),
        ("kd_mse", "log", r"scale must be one of 'p', 'logp'; got 'log'"),
        ("kd_mixed", "logp", r"scale must be one of 'p'; got 'logp'"),
        ("kd_ortholoss", "p", r"scale must be one of 'logp'; got 'p'"),
    ],
)
def test_an_unknown_rule_or_scale_is_refused(rule: str, scale: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        target(rule, 0.5, 1.0, scale, 1.0)
    assert "\n" not in str(refused.value)
