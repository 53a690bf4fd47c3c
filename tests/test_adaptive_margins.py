"""Margins by class, and adaptive rules end to end."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from semikd import (
    DistilledClassifier,
    DistilledRegressor,
    compare,
    external_labels,
)
from semikd.corrections import ClassReliability, ReliabilityCorrection
from semikd.label_aware import (
    AdaptiveAlpha,
    AdaptiveMargin,
    ClassTable,
    LogitAdjustment,
)
from semikd.losses import CrossEntropyLoss, ProbabilityLoss, ShiftedLoss
from semikd.simplex import one_hot
from semikd.students import LinearStudent

FloatArray = NDArray[np.float64]
SHARES = np.array([0.7, 0.2, 0.1])


def imbalanced(n: int, seed: int) -> tuple[FloatArray, NDArray[np.intp], FloatArray]:
    """Return rows of three normal classes of these shares, and the probabilities."""
    rng = np.random.default_rng(seed)
    centre = np.array([[1.0, 0.0], [-0.5, 0.8], [-0.5, -0.8]])
    y = rng.choice(3, n, p=SHARES)
    X = centre[y] + rng.normal(size=(n, 2))
    scores = X @ centre.T - (centre**2).sum(axis=1) / 2
    return X, y, scores


def distilled(correction: Any, labels: Any, **options: Any) -> DistilledClassifier:
    """Return an unfitted linear classifier."""
    return DistilledClassifier(
        student=LinearStudent(ridge=1e-6), correction=correction, cv=labels, **options
    )


def test_an_adjusted_student_answers_for_equally_common_classes() -> None:
    X, y, scores = imbalanced(40_000, 0)
    even = special.softmax(scores, axis=1)
    p = special.softmax(scores + np.log(SHARES), axis=1)
    labels = external_labels(X, p, classes=[0, 1, 2])
    for share, near in ((0.0, 0.005), (1.0, 0.02)):
        model = distilled(LogitAdjustment(outcome_share=share), labels).fit(X, y)
        assert np.abs(model.predict_proba(X) - even).mean() < near
    plain = distilled("none", labels).fit(X, y)
    assert np.abs(plain.predict_proba(X) - even).mean() > 0.1
    assert model.loss_ == CrossEntropyLoss()


def test_half_an_adjustment_takes_the_root_of_the_shares() -> None:
    X, y, scores = imbalanced(40_000, 1)
    p = special.softmax(scores + np.log(SHARES), axis=1)
    labels = external_labels(X, p, classes=[0, 1, 2])
    model = distilled(LogitAdjustment(strength=0.5), labels).fit(X, y)
    expected = special.softmax(scores + 0.5 * np.log(SHARES), axis=1)
    assert np.abs(model.predict_proba(X) - expected).mean() < 0.005


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
def test_the_shift_of_a_rare_class_is_not_cut_off(strength: float) -> None:
    y = one_hot(np.repeat([0, 1, 2], [99_000, 980, 20]), 3)
    p, fold = np.full(y.shape, 1 / 3), np.zeros(len(y), dtype=np.intp)
    rule = LogitAdjustment(strength).fit(p, y, X=p, loss=CrossEntropyLoss(), fold=fold)
    shift = rule.logit_shift()
    assert shift is not None
    expected = strength * np.log([0.99, 0.0098, 0.0002])
    np.testing.assert_allclose(shift - shift[0], expected - expected[0])


@pytest.mark.parametrize("hard_weight", [0.0, 0.5])
def test_adaptive_margins_are_a_shift_by_reliabilities(hard_weight: float) -> None:
    X, y, scores = imbalanced(600, 2)
    p = special.softmax(scores + np.log(SHARES), axis=1)
    labels = external_labels(X, p, classes=[0, 1, 2])
    rule = AdaptiveMargin(ClassReliability("probability", shrink=False))
    model = distilled(rule, labels, hard_weight=hard_weight).fit(X, y)
    nu = np.array([p[y == j, j].mean() for j in range(3)])
    shifted = ShiftedLoss(CrossEntropyLoss(), tuple(np.log(nu)))
    hard, target = CrossEntropyLoss(), one_hot(y, 3)
    f = model.decision_function(X)
    # Where the sum of both losses is least its derivative is 0, but for the ridge.
    slope = shifted.gradient(f, p) + hard_weight * hard.gradient(f, target)
    np.testing.assert_allclose(slope.T @ X / len(X), 0.0, atol=1e-6)
    # The plain fit is somewhere else.
    plain = distilled("none", labels, hard_weight=hard_weight).fit(X, y)
    assert np.abs(plain.predict_proba(X) - model.predict_proba(X)).max() > 0.02


def test_an_interpolating_teacher_is_believed_unless_it_labels_unseen_rows() -> None:
    X, y = load_digits(return_X_y=True)
    # Half of the labels of two classes are wrong: nobody can be sure of them.
    rng = np.random.default_rng(0)
    hard = np.flatnonzero((y == 3) | (y == 8))
    wrong = rng.choice(hard, len(hard) // 2, replace=False)
    y = np.where(np.isin(np.arange(len(y)), wrong), 11 - y, y)
    forest = RandomForestClassifier(30, bootstrap=False, random_state=0)
    found = {}
    for source in ("in-sample", 5):
        model = DistilledClassifier(
            forest,
            DecisionTreeRegressor(max_leaf_nodes=40, random_state=0),
            correction=AdaptiveAlpha(),
            cv=source,
            random_state=0,
        ).fit(X, y)
        found[source] = model.weight_of_labels_
    assert found["in-sample"] < 1e-6
    assert found[5] > 0.1


def test_rules_by_name_pass_through_a_whole_fit() -> None:
    X, y, _ = imbalanced(400, 3)
    for name in ("adaptive_alpha", "adaptive_margin", "confidence", "reliability"):
        model = DistilledClassifier(
            LogisticRegression(),
            LinearStudent(),
            correction=name,
            n_repeats=2,
            random_state=0,
        ).fit(X, y)
        assert model.score(X, y) > 0.6
    with pytest.raises(ValueError, match="anti-correlated"):
        DistilledClassifier(
            RandomForestClassifier(20), correction="adaptive_alpha", cv="oob"
        ).fit(X, y)


class Counting(LogisticRegression):
    """Counts its fits."""

    fits = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Counting":
        """Fit, and count it."""
        type(self).fits += 1
        return super().fit(X, y, sample_weight)


def test_students_of_squares_are_refused_before_any_teacher_is_fitted() -> None:
    X, y, _ = imbalanced(100, 4)
    for name in ("adaptive_margin", "logit_adjustment"):
        tree = DistilledClassifier(
            Counting(), DecisionTreeRegressor(max_leaf_nodes=4), correction=name
        )
        with pytest.raises(TypeError, match="cross-entropy where scores are shifted"):
            tree.fit(X, y)
    assert Counting.fits == 0


def test_wrong_columns_and_tables_are_refused_before_any_teacher_is_fitted() -> None:
    X, y, _ = imbalanced(100, 4)
    tree = DecisionTreeRegressor(max_leaf_nodes=4)
    for rule, words in (
        (AdaptiveAlpha(ClassReliability(group_by="nope")), "name a column of X"),
        (ReliabilityCorrection(ClassReliability(group_by=7)), "name a column of X"),
        (ClassTable(np.eye(2)), "2 classes where there are 3"),
    ):
        with pytest.raises(ValueError, match=words):
            DistilledClassifier(Counting(), tree, correction=rule).fit(X, y)
    model = DistilledClassifier(Counting(), tree)
    with pytest.raises(TypeError, match="cross-entropy where scores are shifted"):
        compare(X, y, model, corrections={"adjusted": "logit_adjustment"})
    assert Counting.fits == 0


def test_numbers_have_no_classes() -> None:
    X, y, _ = imbalanced(100, 5)
    for name in ("adaptive_alpha", "confidence", "logit_adjustment", "reliability"):
        model = DistilledRegressor(correction=name)
        with pytest.raises((ValueError, TypeError), match="numbers"):
            model.fit(X, y.astype(float))


def test_shares_and_strengths_are_checked() -> None:
    with pytest.raises(ValueError, match="outcome_share"):
        AdaptiveMargin(outcome_share=1.5)
    with pytest.raises(ValueError, match="strength"):
        LogitAdjustment(strength=-1.0)
    with pytest.raises(TypeError, match="cross-entropy"):
        AdaptiveMargin().require(ProbabilityLoss())
