"""Every answer says what it is of, of which class it is, and what must hold."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from semikd.inference import (
    HypothesisTest,
    fixed_sequence,
    likelihood_coefficients,
    model_confidence_set,
    paired_differences,
    score_test,
)

N = 200
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 2))
Y = (RNG.random(N) < 0.5).astype(np.intp)
LOSSES = RNG.normal([0.5, 0.6, 0.9], 1.0, size=(N, 3))
CLUSTERS = np.arange(N) // 4
ARMS = {"names": ["a", "b", "c"], "clusters": CLUSTERS, "random_state": 0}
UNITS = "  - the 50 clusters of 200 rows are independent and many (about 40 or more; "
BEST = "the model with the smallest mean loss on new rows"


def compared() -> Any:
    return paired_differences(LOSSES, reference="a", **ARMS)


def inferred() -> Any:
    return likelihood_coefficients(X, Y, clusters=CLUSTERS, random_state=0)


ANSWERS: dict[str, tuple[Callable[[], Any], str, str]] = {
    "set": (
        lambda: model_confidence_set(LOSSES, **ARMS),
        BEST,
        "95 % confidence set, for all models together, if",
    ),
    "sequence": (
        lambda: fixed_sequence(compared(), level=0.9, margin=0.25),
        "which arms are better than 'a', or worse by less than 0.25, by the difference "
        "in mean loss (arm - 'a') of these fitted models",
        "Rejections at 90 %, for all hypotheses together, if",
    ),
    "wald": (
        lambda: inferred().wald_test([[1.0, -2.0, 0.0], [0.0, 1.0, 0.0]], [0.5, 0.0]),
        "whether x0 - 2 * x1 = 0.5, x1 = 0, of: the logistic model of largest mean "
        "likelihood, log-odds of 1 against 0",
        "Test of 2 combinations together, two-sided, by Fisher's law, if",
    ),
    "score": (
        lambda: score_test(X, Y, ["x1"], clusters=CLUSTERS),
        "whether the logistic model of largest mean likelihood, log-odds of 1 against "
        "0, needs none of 'x1'",
        "Test of 1 combination together, two-sided, by the chi-squared law, if",
    ),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_an_answer_says_of_what_it_is_of_which_class_and_if_what(kind: str) -> None:
    make, estimand, claim = ANSWERS[kind]
    found = make()
    first, second, *others = found.summary().splitlines()
    assert first.startswith(f"Estimand: {estimand}")
    assert second == claim
    listed = [line for line in others if line.startswith("  - ")]
    assert listed == [f"  - {condition}" for condition in found.conditions]
    assert any(line.startswith(UNITS) for line in listed)
    # The answer itself stands below.
    assert found.summary().endswith(f"\n{found}")


def test_orders_are_conditions_and_so_are_the_levels_of_p_values() -> None:
    order = "the order, and any margin, were fixed before the data were seen"
    assert fixed_sequence(compared()).conditions[-1] == order
    assert fixed_sequence([0.01, 0.2]).conditions == (
        "each p-value holds its level by itself",
        order,
    )
    assert "which hypotheses are false" in fixed_sequence([0.01, 0.2]).summary()


def test_many_hypotheses_are_counted_and_what_is_not_known_is_not_said() -> None:
    many = np.eye(3)[[0, 1, 2]]
    assert " and " not in inferred().wald_test(many).estimand.split(", of: ")[0]
    wide = likelihood_coefficients(RNG.normal(size=(N, 7)), Y, random_state=0)
    said = wide.wald_test(wide.names).estimand
    assert "x4 = 0 and 3 more, of: " in said
    assert "x5" not in said
    bare = HypothesisTest(3.0, 2, 97.0, 0.0544).summary().splitlines()
    assert bare[1] == "Test of 2 combinations together, two-sided, by Fisher's law."
    assert bare[2:] == ["F(2, 97) = 3, p = 0.0544"]
