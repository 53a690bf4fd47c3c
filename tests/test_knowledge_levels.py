"""What a student gains from each level of knowledge, where the truth is known."""

import numpy as np
import pytest

from semikd import external_labels
from semikd.datasets import make_class_hierarchy
from semikd.diagnostics import knowledge_levels, mean_labels
from semikd.evaluation import pointwise_log_loss
from semikd.losses import CrossEntropyLoss
from semikd.simplex import one_hot
from semikd.students import LinearStudent

LEVELS = [
    "labels alone",
    "smoothed labels",
    "likeness of classes",
    "confidence and likeness",
    "teachers' answers",
]


def rows(n: int, seed: int):  # type: ignore[no-untyped-def]
    """Return rows of few classes whose log-odds are nearly linear, and the truth."""
    data = make_class_hierarchy(n, 6, 2, 12, n_waves=0, noise=0.7, random_state=seed)
    assert data.true_proba is not None
    return data.X.to_numpy(), data.y.to_numpy(), data.true_proba


def test_every_level_is_the_student_of_its_own_target() -> None:
    X, y, p = rows(1300, 0)
    train, test = slice(300), slice(300, None)
    labels = external_labels(X[train], p[train], classes=np.arange(6))
    student, loss = LinearStudent(ridge=1.0), CrossEntropyLoss()
    found = knowledge_levels(
        student, labels, X[train], y[train], X[test], y[test], random_state=0
    )
    assert found.index.tolist() == LEVELS
    hard = one_hot(y[train], 6)
    table = np.array([p[train][y[train] == j].mean(axis=0) for j in range(6)])
    np.testing.assert_allclose(mean_labels(labels, y[train]), table)
    for name, target in (
        ("labels alone", hard),
        ("smoothed labels", 0.9 * hard + 0.1 / 6),
        ("likeness of classes", hard @ table),
        ("teachers' answers", p[train]),
    ):
        own = LinearStudent(ridge=1.0).fit_target(X[train], target, loss=loss)
        said = loss.probabilities(own.scores(X[test]))
        expected = pointwise_log_loss(said, y[test]).mean()
        assert found.loc[name, "log_loss"] == pytest.approx(expected, rel=1e-6)
        right = (said.argmax(axis=1) == y[test]).mean()
        assert found.loc[name, "accuracy"] == pytest.approx(right)
    # A teacher that knows the truth is worth more than anything said of classes alone.
    best = found.loc["teachers' answers"]
    assert best["upper"] < 0.0
    assert best["log_loss"] < found["log_loss"].drop(LEVELS[-1]).min()


def test_a_class_without_rows_is_refused() -> None:
    X, _, p = rows(30, 1)
    labels = external_labels(X, p, classes=np.arange(6))
    with pytest.raises(ValueError, match="none for class 5"):
        mean_labels(labels, np.arange(30) % 5)


def test_classes_that_teachers_do_not_know_and_curved_scales_are_refused() -> None:
    X, y, p = rows(60, 2)
    labels = external_labels(X, p, classes=np.arange(6))
    student = LinearStudent(ridge=1.0)
    with pytest.raises(ValueError, match="y_test must hold the classes 0, 1"):
        knowledge_levels(student, labels, X, y, X, np.where(y == 5, 6, y))
    with pytest.raises(ValueError, match="y must hold the classes"):
        mean_labels(labels, np.where(y == 5, 7, y))
    with pytest.raises(ValueError, match="be linear in the probabilities"):
        knowledge_levels(student, labels, X, y, X, y, loss="log_probability")
