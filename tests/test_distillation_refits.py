"""A fit that fails leaves the model as it was, and equal class weights are none."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, external_labels
from semikd.corrections import ConstantCorrection, NoCorrection, OrthogonalCorrection
from semikd.students import LinearStudent

Floats = NDArray[np.float64]
N = 90
TREE = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)


class FailingClassifier(LogisticRegression):
    """A teacher that fails where it is told to."""

    fails = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        if FailingClassifier.fails:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


class FailingRegressor(Ridge):
    """A regression teacher that fails where it is told to."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        if FailingClassifier.fails:
            raise KeyboardInterrupt
        return super().fit(X, y, sample_weight)


def made(k: int = 2) -> tuple[Floats, NDArray[Any]]:
    """Return three columns and labels."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, 3))
    return X, (X[:, :k] + rng.gumbel(size=(N, k))).argmax(axis=1)


def test_an_interrupted_refit_leaves_the_first_classifier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = made()
    model = DistilledClassifier(FailingClassifier(), LinearStudent(), random_state=0)
    before = model.fit(X, y).predict_proba(X)
    kept = {k: v for k, v in vars(model).items() if k.endswith("_")}
    monkeypatch.setattr(FailingClassifier, "fails", True)
    other = made(3)[1] + 5
    model.set_params(loss="probability", correction="orthogonal")
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, other)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    np.testing.assert_array_equal(model.predict(X), before.argmax(axis=1))
    assert {k: v for k, v in vars(model).items() if k.endswith("_")} == kept
    monkeypatch.setattr(FailingClassifier, "fails", False)
    assert set(model.fit(X, other).predict(X)) <= {5, 6, 7}
    assert model.correction_ == OrthogonalCorrection()


def test_an_interrupted_refit_leaves_the_first_regressor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, _ = made()
    model = DistilledRegressor(FailingRegressor(), TREE, random_state=0)
    before = model.fit(X, X[:, 0]).predict(X)
    monkeypatch.setattr(FailingClassifier, "fails", True)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(correction=0.5).fit(X, X[:, :2])
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.correction_ == NoCorrection()
    monkeypatch.setattr(FailingClassifier, "fails", False)
    assert model.fit(X, X[:, :2]).predict(X).shape == (N, 2)
    assert model.correction_ == ConstantCorrection(0.5)


def test_a_student_that_fails_leaves_the_first_model() -> None:
    X, y = made()
    model = DistilledClassifier(LogisticRegression(), LinearStudent(), random_state=0)
    before = model.fit(X, y).predict_proba(X)
    # Without a penalty, corrected targets far outside [0, 1] have no minimum.
    model.set_params(student=LinearStudent(ridge=0.0), correction="orthogonal")
    certain = np.where(np.arange(N)[:, None] % 2, [[1.0, 0.0]], [[0.0, 1.0]])
    labels = external_labels(X, certain, classes=[0, 1])
    separable = (X[:, 0] > 0).astype(int)
    with pytest.raises(ValueError, match="target must"):
        model.set_params(cv=labels).fit(X, separable)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert model.correction_ == NoCorrection()


# A tree that is sure, so that a floor would move its labels.
SURE = DecisionTreeClassifier(random_state=0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("student", [TREE, LinearStudent()])
@pytest.mark.parametrize("loss", ["log_probability", "auto"])
def test_equal_factors_are_no_class_weight_at_all(
    student: Any, loss: str, weighted: bool
) -> None:
    X, y = made()
    w = np.random.default_rng(1).uniform(0.5, 2.0, N) if weighted else None
    plain = DistilledClassifier(SURE, student, loss=loss, random_state=0)
    factors = DistilledClassifier(
        SURE, student, loss=loss, random_state=0, class_weight={0: 1, 1: 1}
    )
    np.testing.assert_array_equal(
        factors.fit(X, y, sample_weight=w).predict_proba(X),
        plain.fit(X, y, sample_weight=w).predict_proba(X),
    )


def test_balanced_classes_need_no_weights_and_others_do() -> None:
    X, _ = made()
    balanced = np.arange(N) % 2
    student = KNeighborsRegressor(3)
    model = DistilledClassifier(
        SURE, student, class_weight="balanced", cv=3, random_state=0
    )
    model.fit(X, balanced)
    with pytest.raises(TypeError, match="student must accept sample_weight"):
        model.fit(X, (np.arange(N) % 3 == 0).astype(int))


def test_twice_the_weight_for_every_class_shifts_no_label() -> None:
    X, y = made()
    doubled = DistilledClassifier(
        SURE, TREE, loss="log_probability", random_state=0, class_weight={0: 2, 1: 2}
    )
    weighted = DistilledClassifier(SURE, TREE, loss="log_probability", random_state=0)
    np.testing.assert_allclose(
        doubled.fit(X, y).predict_proba(X),
        weighted.fit(X, y, sample_weight=np.full(N, 2.0)).predict_proba(X),
    )


def test_the_floor_of_shifted_labels_is_one_over_rows_plus_classes() -> None:
    X, y = made()
    certain = np.eye(2)[y]
    labels = external_labels(X, certain, classes=[0, 1])
    model = DistilledClassifier(
        student=LinearRegression(), loss="probability", cv=labels, class_weight={0: 3}
    )
    floor = 1.0 / (N + 2)
    p = np.where(certain == 0, floor, 1.0 - floor) * [3.0, 1.0]
    p = p[:, 1] / p.sum(axis=1)
    theirs = LinearRegression().fit(X, p, np.where(y, 1.0, 3.0)).predict(X)
    got = model.fit(X, y)._scores(X)[:, 0]
    np.testing.assert_allclose(got, theirs, atol=1e-12)
    flat = LinearRegression().fit(X, y, np.where(y, 1.0, 3.0)).predict(X)
    assert np.abs(got - flat).max() > 1e-3


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_default_teacher_has_a_booster_for_each_outcome(
    outputs: int, weighted: bool
) -> None:
    X, _ = made()
    y = np.stack([X[:, 0], -3 * X[:, 0]], axis=1)[:, :outputs]
    w = np.ones(N) if weighted else None
    model = DistilledRegressor(student=TREE, cv=2, random_state=0)
    prediction = model.fit(X, y, sample_weight=w).predict(X)
    assert prediction.shape == (N, outputs)
    assert model.labels_.mean.shape == (N, outputs)
    assert model.score(X, y) > 0.7
