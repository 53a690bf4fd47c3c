"""How far a teacher is believed in each class: by brute force, and with known truth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from semikd.corrections import (
    ClassReliability,
    ConstantCorrection,
    ReliabilityCorrection,
    margins,
)
from semikd.label_aware import AdaptiveAlpha
from semikd.losses import CrossEntropyLoss, IdentityLoss, ProbabilityLoss
from semikd.simplex import one_hot

FloatArray = NDArray[np.float64]
K, N = 4, 120
LOSS = ProbabilityLoss()


def drawn(seed: int = 0) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Return probabilities, one-hot labels and folds."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(K), N)
    return p, one_hot(rng.integers(0, K, N), K), rng.integers(0, 3, N)


def test_margins_are_those_of_their_definition() -> None:
    p, y, _ = drawn()
    for row, label, found in zip(p, y, margins(p, y), strict=True):
        own = int(label.argmax())
        assert found == row[own] - max(row[j] for j in range(K) if j != own)


MEASURES = {
    "margin": lambda own, other: own - other,
    "probability": lambda own, other: own,
    "accuracy": lambda own, other: float(own > other),
    "log_margin": lambda own, other: np.log(own / other),
}


@pytest.mark.parametrize("measure", MEASURES)
def test_means_are_of_the_class_and_of_other_folds(measure: str) -> None:
    p, y, fold = drawn()
    weights = np.random.default_rng(1).uniform(0.0, 2.0, N)
    rule = ClassReliability(measure, shrink=False)
    found = rule.estimate(p, y, fold=fold, sample_weight=weights)
    for i in (0, 7, 50):
        for j in range(K):
            rows = np.flatnonzero((fold != fold[i]) & (y[:, j] == 1))
            each = [MEASURES[measure](p[r, j], np.delete(p[r], j).max()) for r in rows]
            mean = np.average(each, weights=weights[rows])
            mean = np.tanh(mean / 2) if measure == "log_margin" else mean
            assert found[i, j] == pytest.approx(np.clip(mean, 0.0, 1.0))


def test_a_whole_weight_is_so_many_rows() -> None:
    p, y, fold = drawn()
    times = np.random.default_rng(2).integers(0, 4, N)
    rows = np.repeat(np.arange(N), times)
    rule = ClassReliability(shrink=True)
    weighed = rule.estimate(p, y, fold=fold, sample_weight=times.astype(float))
    copied = rule.estimate(
        p[rows], y[rows], fold=fold[rows], groups=rows.astype(np.int64)
    )
    np.testing.assert_allclose(copied, weighed[rows], atol=1e-12)


def test_rows_without_a_label_say_nothing() -> None:
    p, y, fold = drawn()
    gone = p.copy()
    gone[::3] = np.nan
    rule = ClassReliability("accuracy")
    kept = np.ones(N)
    kept[::3] = 0.0
    found = rule.estimate(gone, y, fold=fold)
    expected = rule.estimate(p, y, fold=fold, sample_weight=kept)
    np.testing.assert_allclose(found, expected)


def test_a_class_without_rows_has_the_mean_of_the_others() -> None:
    p, y, _ = drawn()
    two = one_hot(y[:, :2].argmax(axis=1), K)
    one = np.zeros(N, dtype=np.intp)
    found = ClassReliability("probability").estimate(p, two, fold=one)[0]
    np.testing.assert_allclose(found[2:], found[:2].mean())


def test_one_unit_a_class_tells_nothing_of_classes() -> None:
    k = 20
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(k), 5 * k), one_hot(np.repeat(np.arange(k), 5), k)
    one = np.zeros(5 * k, dtype=np.intp)
    rule = ClassReliability("probability")
    together = rule.estimate(p, y, fold=one, groups=np.repeat(np.arange(k), 5))
    assert np.ptp(together) < 1e-12
    apart = rule.estimate(p, y, fold=one)
    assert np.ptp(
        ClassReliability("probability", shrink=False).estimate(p, y, fold=one)
    ) > np.ptp(apart)


def test_bounds_are_kept() -> None:
    p, y, fold = drawn()
    found = ClassReliability("probability", floor=0.3, cap=0.3).estimate(
        p, y, fold=fold
    )
    np.testing.assert_array_equal(found, 0.3)


def test_groups_of_a_column_are_taken_apart() -> None:
    p, y, _ = drawn()
    X = np.random.default_rng(3).integers(0, 2, (N, 1)).astype(float)
    one = np.zeros(N, dtype=np.intp)
    rule = ClassReliability("probability", shrink=False, group_by=0)
    found = rule.estimate(p, y, fold=one, X=X)
    for value in (0.0, 1.0):
        rows = X[:, 0] == value
        for j in range(K):
            mean = p[rows & (y[:, j] == 1), j].mean()
            np.testing.assert_allclose(found[rows, j], mean)


def test_shrunk_means_are_nearer_to_the_truth_and_alike_where_classes_are() -> None:
    """Of 40 classes of 4 rows, over 30 tables: the raw means err more in every one."""
    rng = np.random.default_rng(4)
    classes, rows = 40, 4
    wins, alike = 0, []
    for _ in range(30):
        truth = np.clip(rng.normal(0.5, 0.05, classes), 0, 1)
        code = np.repeat(np.arange(classes), rows)
        own = np.clip(truth[code] + rng.normal(0, 0.15, len(code)), 0.01, 0.99)
        p = np.repeat(((1 - own) / (classes - 1))[:, None], classes, axis=1)
        p[np.arange(len(code)), code] = own
        fold = np.zeros(len(code), dtype=np.intp)
        raw, shrunk = (
            ClassReliability("probability", shrink=s).estimate(
                p, one_hot(code, classes), fold=fold
            )[0]
            for s in (False, True)
        )
        wins += int(((shrunk - truth) ** 2).mean() < ((raw - truth) ** 2).mean())
        alike.append(shrunk.std() / raw.std())
    assert wins >= 29
    # 0.05² / (0.05² + 0.15² / 4) = 0.31, which estimates miss by about 0.015.
    assert 0.25 < np.mean(alike) < 0.37


def test_many_rows_are_not_shrunk() -> None:
    rng = np.random.default_rng(5)
    code = np.repeat([0, 1], 20_000)
    own = np.where(code == 0, 0.9, 0.6) + rng.normal(0, 0.05, len(code))
    p = np.column_stack([np.where(code == 0, own, 1 - own)] * 2)
    p[:, 1] = 1 - p[:, 0]
    fold = np.zeros(len(code), dtype=np.intp)
    found = ClassReliability("probability").estimate(p, one_hot(code, 2), fold=fold)
    np.testing.assert_allclose(found[0], [0.9, 0.6], atol=0.002)


def mean_target(alpha: FloatArray, p: FloatArray) -> FloatArray:
    """Return the mean target of AdaptiveAlpha of a perfect teacher, (k,)."""
    total = np.zeros(len(p))
    for j, label in enumerate(np.eye(len(p))):
        weight = 1.0 - alpha[j]
        total += p[j] * (weight * label + (1.0 - weight) * p)
    return total


def test_the_bias_for_a_perfect_teacher_is_that_of_the_docstring() -> None:
    p, alpha = np.array([0.8, 0.2]), np.array([0.9, 0.3])
    np.testing.assert_allclose(mean_target(alpha, p), [0.704, 0.296])
    bias = p * (alpha @ p - alpha)
    np.testing.assert_allclose(mean_target(alpha, p) - p, bias, atol=1e-15)


def test_targets_are_the_mix_of_the_row_s_own_class() -> None:
    p, y, fold = drawn()
    rule = AdaptiveAlpha(ClassReliability("probability"))
    alpha = rule.reliability.estimate(p, y, fold=fold)
    own = (alpha * y).sum(axis=1, keepdims=True)
    fitted = rule.fit(p, y, X=p, loss=LOSS, fold=fold)
    found = fitted.target(p, y, loss=LOSS, complexity=1.0)
    np.testing.assert_allclose(found, (1 - own) * y + own * p)
    half = fitted.take(np.arange(10)).target(p[:10], y[:10], loss=LOSS, complexity=1.0)
    np.testing.assert_array_equal(half, found[:10])


@pytest.mark.parametrize("loss", [LOSS, CrossEntropyLoss(temperature=2.0)], ids=repr)
def test_equal_reliabilities_are_a_constant_mix(loss: CrossEntropyLoss) -> None:
    p, y, fold = drawn()
    even = ClassReliability(floor=0.7, cap=0.7)
    constant = ConstantCorrection(0.3).target(p, y, loss=loss, complexity=1.0)
    for rule in (AdaptiveAlpha(even), ReliabilityCorrection(even)):
        fitted = rule.fit(p, y, X=p, loss=loss, fold=fold)
        found = fitted.target(p, y, loss=loss, complexity=1.0)
        np.testing.assert_allclose(found, constant, atol=1e-12)


def test_the_weight_of_x_alone_is_the_mean_of_the_other_and_unbiased() -> None:
    p, y, fold = drawn()
    options = {"X": p, "loss": LOSS, "fold": fold}
    aware = AdaptiveAlpha().fit(p, y, **options)
    alone = ReliabilityCorrection().fit(p, y, **options)
    weight = alone.weight(p, p, LOSS, 1.0)
    np.testing.assert_allclose(weight, aware.weight(p, p, LOSS, 1.0), atol=1e-12)
    mean = np.zeros_like(p)
    for j, label in enumerate(np.eye(K)):
        each = alone.target(p, np.broadcast_to(label, p.shape), loss=LOSS, complexity=1)
        mean += p[:, [j]] * each
    np.testing.assert_allclose(mean, p, atol=1e-12)


def test_rules_are_refused_before_their_fit_for_numbers_and_for_other_rows() -> None:
    p, y, fold = drawn()
    for rule in (AdaptiveAlpha(), ReliabilityCorrection()):
        with pytest.raises(ValueError, match="be fitted before it weighs rows"):
            rule.weight(p, p, LOSS, 1.0)
        with pytest.raises(ValueError, match="be one for numbers"):
            rule.require(IdentityLoss())
        fitted = rule.fit(p, y, X=p, loss=LOSS, fold=fold)
        with pytest.raises(ValueError, match="120 fitted rows"):
            fitted.target(p[:3], y[:3], loss=LOSS, complexity=1.0)
    with pytest.raises(ValueError, match="measure"):
        ClassReliability("margins")
    with pytest.raises(ValueError, match="cap"):
        ClassReliability(floor=0.5, cap=0.2)
    with pytest.raises(TypeError, match="shrink"):
        ClassReliability(shrink="no")  # type: ignore[arg-type]
