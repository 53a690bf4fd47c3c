"""Teachers tuned by pilots: the gradient by hand, quizzes apart, and what it is for."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, TorchClassifier, TorchStudent, cross_fit
from semikd.distillation import named_teacher
from semikd.exceptions import SemikdWarning
from semikd.losses import CrossEntropyLoss
from semikd.nets import mlp, seeded
from semikd.nets.pilots import pilot_gradient
from semikd.teachers import MetaTeacher

Floats = NDArray[np.float64]


def made(n: int = 300, k: int = 2, seed: int = 0) -> tuple[Floats, NDArray[np.intp]]:
    """Return rows whose class is a noisy function of two columns."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    score = X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=n)
    return X, np.searchsorted(np.quantile(score, np.arange(1, k) / k), score)


def network(**settings: Any) -> TorchClassifier:
    settings = {"max_epochs": 3, "dtype": "float64", **settings}
    return TorchClassifier((4,), device="cpu", **settings)


def tuned(**settings: Any) -> MetaTeacher:
    settings = {"n_epochs": 2, "random_state": 0, **settings}
    return MetaTeacher(network(), network(), **settings)


@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(
    [
        MetaTeacher(
            network(max_epochs=100, learning_rate=0.05), n_epochs=2, random_state=0
        )
    ]
)
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("m", [1, 3])
def test_the_gradient_is_that_of_finite_differences(m: int) -> None:
    rng = np.random.default_rng(0)
    X = torch.tensor(rng.normal(size=(12, 2)))
    y = torch.tensor(rng.uniform(size=(12, m)))
    teacher, pupil = (
        seeded(lambda: mlp(2, (3,), m, dtype=torch.float64), seed) for seed in (0, 1)
    )
    batch, quiz, rate = torch.arange(7), torch.arange(7, 12), 0.3
    loss = CrossEntropyLoss()

    def taught(s: Any, t: Any, rows: Any) -> Any:
        p = loss.probabilities(t)
        soft = loss.value(s, p if m > 1 else p[:, 1:])
        return (soft * (1.0 + rows)).mean()

    def judged(s: Any, rows: Any) -> Any:
        return loss.value(s, y[rows]).mean()

    gradient, _ = pilot_gradient(
        teacher, pupil, X, batch, quiz, taught=taught, judged=judged, rate=rate
    )

    def by_hand() -> float:
        """Return the quiz of a copy that took the step, with no graph to follow."""
        copied = seeded(lambda: mlp(2, (3,), m, dtype=torch.float64), 1)
        lesson = taught(copied(X[batch]), teacher(X[batch]).detach(), batch)
        moves = torch.autograd.grad(lesson, list(copied.parameters()))
        with torch.no_grad():
            for parameter, move in zip(copied.parameters(), moves, strict=True):
                parameter -= rate * move
            return float(judged(copied(X[quiz]), quiz))

    for parameter, found in zip(teacher.parameters(), gradient, strict=True):
        for at in np.ndindex(*parameter.shape):
            told = []
            for sign in (1.0, -2.0):
                with torch.no_grad():
                    parameter[at] += sign * 1e-5
                told.append(by_hand())
            with torch.no_grad():
                parameter[at] += 1e-5
            assert found[at].item() == pytest.approx(
                (told[0] - told[1]) / 2e-5, rel=1e-4, abs=1e-9
            )


def test_without_a_step_of_the_pupil_the_teacher_has_nothing_to_go_by() -> None:
    X = torch.ones((2, 1), dtype=torch.float64)
    teacher, pupil = (mlp(1, (), 1, dtype=torch.float64) for _ in "ab")
    gradient, _ = pilot_gradient(
        teacher,
        pupil,
        X,
        torch.tensor([0]),
        torch.tensor([1]),
        taught=lambda s, t, rows: (s - t).square().mean(),
        judged=lambda s, rows: (s - 1.0).square().mean(),
        rate=0.0,
    )
    assert all(not own.any() for own in gradient)


@pytest.mark.parametrize("k", [2, 3])
def test_no_epochs_leave_the_network_that_learned_the_other_rows(k: int) -> None:
    X, y = made(k=k)
    plain = tuned(n_epochs=0).fit(X, y)
    assert plain.history_ == ()
    # A vote of every row: those of the quiz change nothing before the tuning.
    moved = [
        not np.array_equal(
            tuned(n_epochs=0)
            .fit(X, np.where(np.arange(len(y)) == i, (y + 1) % k, y))
            .predict_proba(X),
            plain.predict_proba(X),
        )
        for i in range(0, len(y), 25)
    ]
    assert any(moved)
    assert not np.array_equal(
        tuned().fit(X, y).predict_proba(X), plain.predict_proba(X)
    )


@pytest.mark.parametrize("k", [2, 3])
def test_tuning_teaches_a_pupil_that_is_shown_no_label(k: int) -> None:
    # A network that has hardly learned, and a pupil that hears of nothing else: what
    # the quizzes tell reaches it through the teacher alone.
    X, y = made(600, k)
    new, labels = made(2000, k, seed=1)
    settings = {"hard_weight": 0.0, "n_epochs": 30, "temperature": 1.0}
    ignorant = network(max_epochs=1, learning_rate=1e-6)
    quick, stuck = (
        MetaTeacher(
            ignorant,
            network(),
            learning_rate=0.2,
            teacher_learning_rate=rate,
            random_state=0,
            **settings,
        ).fit(X, y)
        for rate in (0.5, 1e-9)
    )
    first, last = quick.history_[0].quiz, quick.history_[-1].quiz
    assert last < first - 0.15
    assert log_loss(labels, quick.predict_proba(new)) < np.log(k) - 0.15
    # Negative control: a teacher that does not step teaches nothing.
    assert stuck.history_[-1].quiz > np.log(k) - 0.05
    assert log_loss(labels, stuck.predict_proba(new)) > np.log(k) - 0.05


def test_a_fold_that_is_labelled_is_in_no_quiz_of_its_teacher() -> None:
    X, y = made(120)
    record = cross_fit(tuned(), X, y, cv=3, random_state=0)
    own = record.fold[0] == 0
    other = np.where(own, 1 - y, y)
    again = cross_fit(
        tuned(), X, other, cv=list(_pairs(record.fold[0])), random_state=0
    )
    first = cross_fit(tuned(), X, y, cv=list(_pairs(record.fold[0])), random_state=0)
    np.testing.assert_array_equal(again.prediction[0, own], first.prediction[0, own])
    assert not np.array_equal(again.prediction[0, ~own], first.prediction[0, ~own])


def _pairs(fold: NDArray[np.intp]) -> Any:
    for t in np.unique(fold):
        yield np.flatnonzero(fold != t), np.flatnonzero(fold == t)


def test_weights_of_zero_are_rows_that_are_not_there() -> None:
    X, y = made(200)
    weights = np.where(np.arange(200) < 150, 1.0, 0.0)
    whole = tuned().fit(X, y, weights).predict_proba(X)
    part = tuned().fit(X[:150], y[:150]).predict_proba(X)
    np.testing.assert_allclose(whole, part, atol=1e-12)


def test_groups_are_not_divided() -> None:
    X, y = made(200)
    groups = np.arange(200) // 5
    teacher = tuned()
    teacher.classes_ = np.unique(y)
    taught, quiz = teacher._sides(X, y, np.ones(200), groups, 0)
    assert not set(groups[taught]) & set(groups[quiz])
    assert len(taught) + len(quiz) == 200


def test_a_seed_brings_it_back_and_torch_keeps_its_own() -> None:
    X, y = made(200)
    before = torch.get_rng_state()
    first, again = (tuned().fit(X, y).predict_proba(X) for _ in "ab")
    np.testing.assert_array_equal(first, again)
    assert torch.equal(before, torch.get_rng_state())
    other = tuned(random_state=1).fit(X, y).predict_proba(X)
    assert not np.array_equal(first, other)


def test_dropout_draws_from_its_own_generator() -> None:
    X, y = made(200)
    thinned = network().set_params(module__dropout=0.5)
    before = torch.get_rng_state()
    said = [
        MetaTeacher(thinned, thinned, n_epochs=2, random_state=0)
        .fit(X, y)
        .predict_proba(X)
        for _ in "ab"
    ]
    np.testing.assert_array_equal(*said)
    assert torch.equal(before, torch.get_rng_state())


def test_it_teaches_by_name() -> None:
    X, y = made(200)
    student = TorchStudent((2,), max_epochs=2, device="cpu")
    assert isinstance(named_teacher("meta"), MetaTeacher)
    labels = cross_fit(tuned(), X, y, cv=2, random_state=0)
    taught = DistilledClassifier(student=student, cv=labels, random_state=0).fit(X, y)
    assert taught.predict_proba(X).shape == (200, 2)


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"quiz_fraction": 0.0}, ValueError, "quiz_fraction must"),
        ({"temperature": 0.0}, ValueError, "temperature must"),
        ({"hard_weight": 1.5}, ValueError, "hard_weight must"),
        ({"n_epochs": -1}, ValueError, "n_epochs must"),
        ({"teacher_learning_rate": 0.0}, ValueError, "teacher_learning_rate must"),
        ({"teacher": DecisionTreeClassifier()}, TypeError, "teacher must be a network"),
        ({"pupil": DecisionTreeClassifier()}, TypeError, "pupil must be a network"),
        ({"learning_rate": 1e300}, ValueError, "training loss must stay finite"),
    ],
)
def test_wrong_settings(settings: Any, kind: Any, said: str) -> None:
    X, y = made(80)
    with pytest.raises(kind, match=said):
        tuned().set_params(**settings).fit(X, y)


def test_too_few_rows_for_a_quiz_are_said() -> None:
    X = np.array([[0.0], [1.0], [1.0]])
    with pytest.warns(SemikdWarning, match="3 rows leave none for quizzes"):
        teacher = tuned().fit(X, [0, 1, 1])
    assert teacher.history_ == ()


def test_a_class_in_the_groups_of_quizzes_alone() -> None:
    X, y = made(60, 3)
    teacher = tuned(quiz_fraction=0.5)
    with pytest.raises(ValueError, match="hold every class in more than the groups"):
        teacher.fit(X, y, groups=y)
