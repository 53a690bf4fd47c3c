"""What a student is taught, row by row, against the formula."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from semikd import external_labels
from semikd.corrections import ConstantCorrection, Correction, NoCorrection
from semikd.crossfit import hash_values, row_hashes
from semikd.distillation.added import AddedRows
from semikd.distillation.lessons import Lesson, make_lesson
from semikd.losses import CrossEntropyLoss, LogProbabilityLoss, ProbabilityLoss
from semikd.simplex import one_hot
from semikd.students import as_student
from semikd.students.regressor import RegressorStudent

Floats = NDArray[np.float64]
N = 30


def made(k: int = 2, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return rows, probabilities and one-hot labels."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(k, 2.0), N)
    return rng.normal(size=(N, 2)), p, one_hot(rng.integers(0, k, N), k)


def lesson(X: Any, p: Floats, y: Floats, **given: Any) -> Lesson:
    """Return the lesson of labels from elsewhere, in one repeat."""
    settings = {
        "student": as_student(DecisionTreeRegressor(max_leaf_nodes=4)),
        "loss": ProbabilityLoss(),
        "correction": NoCorrection(),
        **given,
    }
    record = external_labels(X, p, classes=np.arange(p.shape[1]))
    return make_lesson(record, p[None], y, X, **settings)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("loss", [ProbabilityLoss(), LogProbabilityLoss()])
def test_added_rows_are_taught_what_teachers_say_and_no_outcome(
    loss: Any, k: int
) -> None:
    X, p, y = made(k)
    new, q, _ = made(k, seed=1)
    added = AddedRows(new, q, np.full(N, 2.0))
    got = lesson(X, p, y, loss=loss, correction=ConstantCorrection(0.3), added=[added])
    alone = lesson(X, p, y, loss=loss, correction=ConstantCorrection(0.3))
    np.testing.assert_array_equal(got.target[:N], alone.target)
    if loss.name == "probability":
        expected = q[:, 1:] if k == 2 else q
        corrected = p + 0.3 * (y - p)
        np.testing.assert_allclose(
            alone.target, corrected[:, 1:] if k == 2 else corrected
        )
    else:
        centred = np.log(q) - np.log(q).mean(axis=1, keepdims=True)
        expected = np.diff(np.log(q)) if k == 2 else centred
    np.testing.assert_allclose(got.target[N:], expected, atol=1e-12)
    np.testing.assert_array_equal(got.X, np.vstack([X, new]))
    np.testing.assert_array_equal(got.weights, [1.0] * N + [2.0] * N)
    assert got.weight_of_labels == alone.weight_of_labels == pytest.approx(0.3)


def test_rows_that_all_count_alike_have_no_weights() -> None:
    X, p, y = made()
    added = AddedRows(X + 1, p, np.ones(N))
    assert lesson(X, p, y, added=[added]).weights is None
    weighted = lesson(X, p, y, weights=np.full(N, 3.0), added=[added])
    np.testing.assert_array_equal(weighted.weights, [3.0] * N + [1.0] * N)
    assert lesson(X, p, y).weights is None


def test_rows_without_label_or_weight_are_not_taught() -> None:
    X, p, y = made()
    p = p.copy()
    p[3] = np.nan
    weights = np.ones(N)
    weights[7] = 0.0
    kept = np.setdiff1d(np.arange(N), [3, 7])
    got = lesson(X, p, y, weights=weights)
    np.testing.assert_array_equal(got.X, X[kept])
    np.testing.assert_array_equal(got.target, p[kept, 1:])


class Watching(Correction):
    """A rule that remembers the complexity it was asked with."""

    asked: list[float]

    def __init__(self) -> None:
        self.asked = []

    def weight(self, p: Floats, X: Any, loss: Any, complexity: float) -> Floats:
        self.asked.append(complexity)
        return np.zeros(len(p))


@pytest.mark.parametrize("n_new", [0, 10])
def test_the_complexity_is_over_all_rows_of_the_lesson(n_new: int) -> None:
    X, p, y = made()
    rule = Watching()
    added = [AddedRows(X[:n_new], p[:n_new], np.ones(n_new))] if n_new else []
    student = as_student(LinearRegression())
    lesson(X, p, y, student=student, correction=rule, added=added)
    assert set(rule.asked) == {3 / (N + n_new)}


@pytest.mark.parametrize("kind", [pd.DataFrame, sparse.csr_array, np.asarray])
def test_tables_of_every_kind_are_stacked(kind: Any) -> None:
    X, p, y = made()
    added = [AddedRows(kind(X[:4] + c), p[:4], np.ones(4)) for c in (1, 2)]
    got = lesson(kind(X), p, y, added=added).X
    assert type(got) is type(kind(X))
    dense = got.toarray() if sparse.issparse(got) else np.asarray(got)
    np.testing.assert_array_equal(dense, np.vstack([X, X[:4] + 1, X[:4] + 2]))


def test_units_are_groups_rows_or_those_that_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RegressorStudent, "fit_options", ("groups",))
    X, p, y = made()
    own = AddedRows(X + 1, p, np.ones(N))
    parents = row_hashes(X)[::-1]
    named = AddedRows(X + 2, p, np.ones(N), parents)
    units = lesson(X, p, y, added=[own, named]).options["groups"]
    np.testing.assert_array_equal(units[:N], row_hashes(X))
    np.testing.assert_array_equal(units[N : 2 * N], row_hashes(X + 1))
    np.testing.assert_array_equal(units[2 * N :], parents)
    groups = np.arange(N) % 3
    grouped = lesson(X, p, y, groups=groups, added=[own]).options["groups"]
    np.testing.assert_array_equal(grouped[:N], hash_values(groups))
    assert lesson(X, p, y).options == {}


def test_targets_that_a_student_cannot_take_are_refused() -> None:
    X, p, y = made()
    with pytest.raises(TypeError, match="student must take targets on the cross_ent"):
        lesson(X, p, y, loss=CrossEntropyLoss())


def test_a_lesson_without_labels_is_refused() -> None:
    X, p, y = made()
    with pytest.raises(ValueError, match="labels must exist for rows of positive wei"):
        lesson(X, np.full_like(p, np.nan), y)


def test_rows_are_repeated_by_whole_weights_only() -> None:
    X, p, _ = made()
    rows = AddedRows(X[:3], p[:3], np.array([1.0, 3.0, 0.0]), row_hashes(X[:3]))
    got = rows.repeated()
    np.testing.assert_array_equal(got.X, X[[0, 1, 1, 1]])
    np.testing.assert_array_equal(got.labels, p[[0, 1, 1, 1]])
    np.testing.assert_array_equal(got.weights, np.ones(4))
    assert got.units is not None
    np.testing.assert_array_equal(got.units, row_hashes(got.X))
    other = AddedRows(X[:2], p[:2], np.array([2.0, 0.5]))
    assert other.repeated() is other
