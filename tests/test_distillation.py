"""The algorithm against loops written by hand with scikit-learn's parts."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import optimize
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.class_weight import compute_class_weight

from semikd import DistilledClassifier, OutOfFold, cross_fit
from semikd.corrections import ShrinkageCorrection
from semikd.crossfit import row_hashes
from semikd.distillation import noise_pair
from semikd.losses import ProbabilityLoss
from semikd.students import LinearStudent

Floats = NDArray[np.float64]
TEACHER = LogisticRegression(C=0.3)
TREE = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)


def made(n: int = 120, k: int = 2, seed: int = 0) -> tuple[Floats, NDArray[Any]]:
    """Return three columns and labels that follow them with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    scores = X @ rng.normal(size=(3, k)) + rng.gumbel(size=(n, k))
    return X, scores.argmax(axis=1)


def folds_of(n: int, seed: int = 3) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return four folds that partition the rows."""
    parts = np.array_split(np.random.default_rng(seed).permutation(n), 4)
    return [(np.setdiff1d(np.arange(n), part), part) for part in parts]


def labelled_by_hand(X: Floats, y: NDArray[Any], folds: Any, teacher: Any) -> Floats:
    """Return the probabilities of teachers that did not see the row."""
    p = np.empty((len(y), len(np.unique(y))))
    for train, test in folds:
        p[test] = clone(teacher).fit(X[train], y[train]).predict_proba(X[test])
    return p


def target_by_hand(p: Floats, y: NDArray[Any], loss: str, weight: Any) -> Floats:
    """Return the written formula of each scale: phi(p) + weight * J (y - p)."""
    k = p.shape[1]
    e, w = np.eye(k)[y], np.broadcast_to(weight, len(y))[:, None]
    if loss == "log_probability":
        # Below 0.001 the logarithm goes on as its tangent.
        above = np.maximum(p, 1e-3)
        moved = np.log(above) + (p - above) / 1e-3 + w * (e - p) / above
        if k == 2:
            return moved[:, 1:] - moved[:, :1]
        return np.asarray(moved - moved.mean(axis=1, keepdims=True))
    mixed = p + w * (e - p)
    return mixed[:, 1:] if k == 2 else mixed


def student_by_hand(X: Floats, target: Floats, loss: str) -> Floats:
    """Return fitted scores: a scikit-learn tree, or the soft-label logistic fit."""
    n, m = target.shape
    if loss != "cross_entropy":
        flat = target[:, 0] if m == 1 else target
        return clone(TREE).fit(X, flat).predict(X).reshape(n, m)
    # A target is one row of each class, weighted by its share.
    shares = np.hstack([1 - target, target]) if m == 1 else target
    k = shares.shape[1]
    model = LogisticRegression(tol=1e-12, max_iter=10_000, solver="newton-cg")
    model.fit(np.tile(X, (k, 1)), np.repeat(np.arange(k), n), shares.T.ravel())
    return model.decision_function(X).reshape(n, m)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("loss", ["probability", "log_probability", "cross_entropy"])
def test_a_fit_is_the_loop_written_by_hand(loss: str, weight: float, k: int) -> None:
    X, y = made(k=k)
    folds = folds_of(len(y))
    student = LinearStudent() if loss == "cross_entropy" else TREE
    ours = DistilledClassifier(
        TEACHER, student, loss=loss, correction=weight, cv=folds
    ).fit(X, y)
    p = labelled_by_hand(X, y, folds, TEACHER)
    theirs = student_by_hand(X, target_by_hand(p, y, loss, weight), loss)
    scores = ours.decision_function(X)
    if k == 2:
        theirs = theirs[:, 0] - (0.5 if loss == "probability" else 0.0)
    np.testing.assert_allclose(scores, theirs, atol=1e-6)


@pytest.mark.parametrize("k", [2, 3])
def test_shrinkage_follows_its_formula_at_the_measured_complexity(k: int) -> None:
    X, y = made(k=k)
    folds, rho2 = folds_of(len(y)), 0.02
    correction = ShrinkageCorrection(squared_error=rho2)
    ours = DistilledClassifier(TEACHER, TREE, correction=correction, cv=folds)
    p = labelled_by_hand(X, y, folds, TEACHER)
    noise = p[:, 0] * p[:, 1] if k == 2 else 1 - (p**2).sum(axis=1)
    # Targets of which half are corrected, and a tree fitted to each.
    pair = noise_pair(p, np.eye(k)[y], loss=ProbabilityLoss(), keys=row_hashes(X))
    fits = [student_by_hand(X, each, "probability") for each in pair]
    moved, apart = (each[0] - each[1] for each in (np.squeeze(fits), np.squeeze(pair)))
    kept = min((moved**2).sum(), (moved * apart).sum()) / (apart**2).sum()
    assert kept > 6 / len(y)
    weight = rho2 / (rho2 + kept * noise)
    target = target_by_hand(p, y, "probability", weight)
    theirs = student_by_hand(X, target, "probability")
    theirs = theirs[:, 0] - 0.5 if k == 2 else theirs
    np.testing.assert_allclose(ours.fit(X, y).decision_function(X), theirs, atol=1e-12)


def test_in_sample_is_vanilla_distillation() -> None:
    X, y = made()
    ours = DistilledClassifier(TEACHER, TREE, cv="in-sample").fit(X, y)
    p = clone(TEACHER).fit(X, y).predict_proba(X)[:, 1]
    theirs = clone(TREE).fit(X, p).predict(X)
    np.testing.assert_allclose(ours.predict_proba(X)[:, 1], theirs, atol=1e-12)
    assert not ours.labels_.honest


def test_repeats_average_the_targets_and_not_the_labels() -> None:
    X, y = made()
    ours = DistilledClassifier(
        TEACHER,
        TREE,
        loss="log_probability",
        correction=0.5,
        n_repeats=3,
        random_state=0,
    ).fit(X, y)
    assert ours.labels_.n_repeats == 3
    targets = [
        target_by_hand(p, y, "log_probability", 0.5) for p in ours.labels_.prediction
    ]
    theirs = student_by_hand(X, np.mean(targets, axis=0), "log_probability")
    np.testing.assert_allclose(ours.decision_function(X), theirs[:, 0], atol=1e-10)
    pooled = target_by_hand(ours.labels_.mean, y, "log_probability", 0.5)
    other = student_by_hand(X, pooled, "log_probability")
    assert np.abs(other[:, 0] - ours.decision_function(X)).max() > 1e-4


def test_a_split_repeated_uses_every_row_that_some_repeat_labelled() -> None:
    X, y = made()
    ours = DistilledClassifier(
        TEACHER, LinearRegression(), cv="split", n_repeats=4, random_state=0
    ).fit(X, y)
    p = ours.labels_.prediction[:, :, 1]
    kept = np.isfinite(p).any(axis=0)
    assert kept.sum() > ours.labels_.labelled.sum()
    theirs = LinearRegression().fit(X[kept], np.nanmean(p[:, kept], axis=0))
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.predict(X) - 0.5, atol=1e-10
    )


@pytest.mark.parametrize("loss", ["cross_entropy", "log_probability"])
def test_the_hard_term_reaches_the_optimum_that_autograd_finds(loss: str) -> None:
    X, y = made()
    h, ridge = 0.7, 0.5
    ours = DistilledClassifier(
        TEACHER, LinearStudent(ridge=ridge), loss=loss, hard_weight=h, random_state=0
    ).fit(X, y)
    p = ours.labels_.mean
    soft = torch.tensor(target_by_hand(p, y, loss, 0.0)[:, 0])
    hard = torch.tensor(y, dtype=torch.float64)
    columns = torch.tensor(np.column_stack([X, np.ones(len(y))]))
    entropy = torch.nn.functional.binary_cross_entropy_with_logits

    def objective(theta: Floats) -> tuple[float, Floats]:
        t = torch.tensor(theta, requires_grad=True)
        f = columns @ t
        if loss == "cross_entropy":
            first = entropy(f, soft, reduction="sum")
        else:
            first = ((f - soft) ** 2).sum() / 4
        penalty = ridge / 2 * (t[:3] ** 2).sum()
        value = first + h * entropy(f, hard, reduction="sum") + penalty
        (slope,) = torch.autograd.grad(value, t)
        return float(value), slope.numpy()

    best = optimize.minimize(objective, np.zeros(4), jac=True, options={"gtol": 1e-9})
    student = ours.student_
    found = np.append(student.coef_[0], student.intercept_[0])
    np.testing.assert_allclose(found, best.x, atol=1e-6)


def test_labels_made_before_give_the_same_model() -> None:
    X, y = made()
    direct = DistilledClassifier(TEACHER, TREE, random_state=0).fit(X, y)
    again = DistilledClassifier(TREE, TREE, cv=direct.labels_).fit(X, y)
    np.testing.assert_array_equal(direct.predict_proba(X), again.predict_proba(X))
    record = cross_fit(TEACHER, X, y, cv=folds_of(len(y)))
    brought = DistilledClassifier(student=TREE, cv=record).fit(X, y)
    folds = DistilledClassifier(TEACHER, TREE, cv=folds_of(len(y))).fit(X, y)
    np.testing.assert_array_equal(brought.predict_proba(X), folds.predict_proba(X))
    assert isinstance(clone(again).cv, OutOfFold)


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 3.0}, "balanced"])
def test_class_weights_shift_labels_and_weigh_rows(class_weight: Any) -> None:
    X, y = made()
    w = np.random.default_rng(1).uniform(0.5, 2, len(y))
    ours = DistilledClassifier(
        TEACHER, LinearRegression(), class_weight=class_weight, random_state=0
    ).fit(X, y, sample_weight=w)
    if class_weight == "balanced":
        total = np.array([w[y == 0].sum(), w[y == 1].sum()])
        factors = w.sum() / (2 * total)
        sklearns = compute_class_weight(
            "balanced", classes=np.array([0, 1]), y=y, sample_weight=w
        )
        np.testing.assert_allclose(factors, sklearns)
    else:
        factors = np.array([1.0, 3.0])
    floor = 1 / (len(y) + 2)
    p = (1 - 2 * floor) * ours.labels_.mean + floor
    shifted = p * factors / (p * factors).sum(axis=1, keepdims=True)
    theirs = LinearRegression().fit(X, shifted[:, 1], w * factors[y])
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.predict(X) - 0.5, atol=1e-10
    )
    plain = cross_fit(TEACHER, X, y, sample_weight=w, cv=ours.labels_.fold[0])
    np.testing.assert_allclose(ours.labels_.mean, plain.mean, atol=1e-12)


@pytest.mark.parametrize("k", [2, 3])
def test_a_full_correction_of_probabilities_is_training_on_the_labels(k: int) -> None:
    X, y = made(k=k)
    ours = DistilledClassifier(TEACHER, TREE, correction="orthogonal").fit(X, y)
    labels = y.astype(float) if k == 2 else np.eye(k)[y]
    theirs = clone(TREE).fit(X, labels).predict(X)
    np.testing.assert_allclose(
        ours.predict_proba(X)[:, 1], theirs if k == 2 else theirs[:, 1], atol=1e-12
    )


def test_a_small_model_carries_no_teacher_unless_a_record_brings_them() -> None:
    X, y = np.arange(40.0)[:, None], np.tile([0, 1], 20)
    model = DistilledClassifier(DummyClassifier(), random_state=0)
    assert model.fit(X, y).labels_.teachers == ()
    with pytest.raises(ValueError, match="teachers must be kept to label new rows"):
        model.labels_.label(X)
    record = cross_fit(DummyClassifier(), X, y, random_state=0)
    assert len(model.set_params(cv=record).fit(X, y).labels_.teachers[0]) == 5
