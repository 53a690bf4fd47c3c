"""Changes of target and shifted scores: against formulas, autograd and a whole fit."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import optimize, special
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier
from semikd.losses import (
    ChangedLoss,
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
    ShiftedLoss,
    SmoothedLoss,
    TopClassesLoss,
)
from semikd.simplex import one_hot
from semikd.students import LinearStudent

FloatArray = NDArray[np.float64]
NU = np.array([0.2, 0.5, 0.3])


def drawn(k: int, n: int = 20) -> tuple[FloatArray, FloatArray]:
    """Return probabilities and scores."""
    rng = np.random.default_rng(k)
    return rng.dirichlet(np.ones(k), n), rng.normal(size=(n, 1 if k == 2 else k))


@pytest.mark.parametrize("n_top", [1, 2, 4, 5, 9])
def test_the_top_stays_and_the_rest_is_even(n_top: int) -> None:
    p, _ = drawn(5)
    found = TopClassesLoss(CrossEntropyLoss(), n_top=n_top).change(p)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    for row, said in zip(p, found, strict=True):
        order = np.argsort(-row)
        top, rest = order[:n_top], order[n_top:]
        np.testing.assert_array_equal(said[top], row[top])
        if len(rest):
            np.testing.assert_allclose(said[rest], (1 - row[top].sum()) / len(rest))
    if n_top >= 4:
        # One class alone has nobody to share with.
        np.testing.assert_allclose(found, p, atol=1e-15)


def test_classes_that_tie_are_in_the_top_together() -> None:
    p = np.array([[0.4, 0.2, 0.2, 0.15, 0.05]])
    found = TopClassesLoss(CrossEntropyLoss(), n_top=2).change(p)
    np.testing.assert_allclose(found, [[0.4, 0.2, 0.2, 0.1, 0.1]])
    even = np.full((1, 4), 0.25)
    np.testing.assert_array_equal(
        TopClassesLoss(CrossEntropyLoss(), n_top=1).change(even), even
    )


def test_a_full_correction_of_smoothed_probabilities_is_the_smoothed_label() -> None:
    p, _ = drawn(4)
    y = one_hot(np.arange(len(p)) % 4, 4)
    loss = SmoothedLoss(CrossEntropyLoss(), share=0.2)
    target = loss.phi(p) + loss.jvp(p, y - p)
    np.testing.assert_allclose(target, 0.8 * y + 0.05, atol=1e-12)


def test_a_shift_is_the_softmax_with_margins() -> None:
    _, f = drawn(3)
    loss = ShiftedLoss(CrossEntropyLoss(), tuple(np.log(NU)))
    for j in range(3):
        others = [i for i in range(3) if i != j]
        terms = [NU[i] / NU[j] * np.exp(f[:, i] - f[:, j]) for i in others]
        expected = np.log1p(np.sum(terms, axis=0))
        label = np.broadcast_to(np.eye(3)[j], f.shape)
        np.testing.assert_allclose(loss.value(f, label), expected, rtol=1e-12)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_slopes_of_shifted_scores_are_those_of_autograd(
    k: int, temperature: float
) -> None:
    p, f = drawn(k)
    loss = ShiftedLoss(CrossEntropyLoss(temperature), tuple(np.log(NU[:k])))
    target = loss.phi(p)
    tensor = torch.tensor(f, requires_grad=True)
    value = loss.value(tensor, torch.tensor(target))
    np.testing.assert_allclose(value.detach().numpy(), loss.value(f, target))
    (slope,) = torch.autograd.grad(value.sum(), tensor, create_graph=True)
    np.testing.assert_allclose(
        loss.gradient(f, target), slope.detach().numpy(), atol=1e-12
    )
    for j in range(f.shape[1]):
        (row,) = torch.autograd.grad(slope[:, j].sum(), tensor, retain_graph=True)
        np.testing.assert_allclose(loss.curvature(f)[:, j], row.numpy(), atol=1e-12)
    single = loss.value(torch.tensor(f).float(), torch.tensor(target).float())
    assert single.dtype == torch.float32


@pytest.mark.parametrize("k", [2, 3])
def test_a_student_of_shifted_scores_divides_its_odds(k: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    p = special.softmax(X @ rng.normal(size=(2, k)), axis=1)
    loss = ShiftedLoss(CrossEntropyLoss(), tuple(np.log(NU[:k])))
    student = LinearStudent(ridge=0.0).fit_target(X, loss.phi(p), loss=loss)
    said = loss.probabilities(student.scores(X))
    expected = p / NU[:k]
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(said, expected, atol=1e-5)


def test_an_equal_shift_changes_nothing() -> None:
    p, f = drawn(3)
    plain = CrossEntropyLoss()
    shifted = ShiftedLoss(plain, (2.0, 2.0, 2.0))
    np.testing.assert_allclose(shifted.value(f, p), plain.value(f, p))
    np.testing.assert_allclose(shifted.probabilities(f), plain.probabilities(f))


def test_hard_labels_stand_beside_shifted_scores_unshifted() -> None:
    p, f = drawn(3)
    y = one_hot(np.arange(len(p)) % 3, 3)
    shifted = ShiftedLoss(CrossEntropyLoss(), tuple(np.log(NU)))
    mix = HardLabelMix(shifted, 0.5)
    expected = shifted.value(f, p) + 0.5 * CrossEntropyLoss().value(f, y)
    np.testing.assert_allclose(mix.value(f, mix.with_labels(p, y)), expected)
    assert mix.scale == CrossEntropyLoss()


def test_the_minimum_of_a_changed_loss_is_the_changed_probability() -> None:
    p = np.array([[0.5, 0.3, 0.15, 0.05]])
    loss = TopClassesLoss(LogProbabilityLoss(), n_top=2)
    goal = loss.phi(p)
    found = optimize.minimize(lambda f: loss.value(f[None], goal)[0], np.zeros(4)).x
    said = loss.probabilities(found[None])
    np.testing.assert_allclose(said, [[0.5, 0.3, 0.1, 0.1]], atol=1e-4)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        SmoothedLoss(ProbabilityLoss(), share=1.5)
    with pytest.raises(ValueError, match="n_top"):
        TopClassesLoss(ProbabilityLoss(), n_top=0)
    with pytest.raises(TypeError, match="cross-entropy where scores are shifted"):
        ShiftedLoss(ProbabilityLoss(), (0.0, 1.0))
    with pytest.raises(ValueError, match="shift"):
        ShiftedLoss(CrossEntropyLoss(), (0.0, np.nan))


TWO_CLASSES = [
    SmoothedLoss(ProbabilityLoss(), 0.2),
    TopClassesLoss(ProbabilityLoss(), 1),
    SmoothedLoss(LogProbabilityLoss(), 0.2),
    ProbabilityLoss(),
]


@pytest.mark.parametrize("loss", TWO_CLASSES, ids=repr)
def test_two_classes_are_predicted_as_their_probabilities_say(
    loss: DistillationLoss,
) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
    model = DistilledClassifier(GaussianNB(), tree, loss=loss, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X).argmax(1))
    assert model.score(X, y) > 0.9
    assert loss.even == loss.scale.even


def test_scales_of_log_odds_are_told_apart_under_a_change() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = DistilledClassifier(
        GaussianNB(), LogisticRegression(), loss=SmoothedLoss(ProbabilityLoss(), 0.1)
    )
    with pytest.raises(TypeError, match="its scores are log-odds"):
        model.fit(X, y)


@pytest.mark.parametrize(
    "loss",
    [TopClassesLoss(ProbabilityLoss(), 1), SmoothedLoss(ProbabilityLoss(), 0.2)],
    ids=repr,
)
def test_what_is_linear_is_linear(loss: ChangedLoss) -> None:
    p, q = (np.random.default_rng(s).dirichlet(np.ones(4), 50) for s in (0, 1))
    straight = np.allclose(loss.phi((p + q) / 2), (loss.phi(p) + loss.phi(q)) / 2)
    assert straight == loss.is_linear


def test_bases_and_numbers_of_classes_are_checked() -> None:
    with pytest.raises(TypeError, match="be a scale of probabilities"):
        SmoothedLoss(IdentityLoss())
    with pytest.raises(TypeError, match="be a scale of probabilities"):
        TopClassesLoss("probability")  # type: ignore[arg-type]
    for shift in ((0.0, 1.0), (0.0, 1.0, 2.0, 3.0)):
        with pytest.raises(ValueError, match="have a number for each class"):
            ShiftedLoss(CrossEntropyLoss(), shift).n_outputs(3)
