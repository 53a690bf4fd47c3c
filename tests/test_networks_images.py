"""Images end to end: teachers, folds, students, online labels and distillation."""

import os
import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

from semikd import DistilledClassifier, cross_fit
from semikd.datasets import load_dataset
from semikd.losses import CrossEntropyLoss, LogProbabilityLoss
from semikd.nets import flip_and_crop
from semikd.networks import ResNet, SmallCNN, Training
from semikd.networks.tables import ImageEncoding
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture(scope="module")
def digits():
    """Handwritten zeros, ones and twos where they are at hand, else bright patches."""
    if os.environ.get("SEMIKD_DATA"):
        data = load_dataset("mnist")
        kept = np.flatnonzero(data.y < 3)[:210]
        return np.ascontiguousarray(data.X[kept][:, None, ::2, ::2]), data.y[kept]
    draws = np.random.default_rng(0)
    y = draws.integers(0, 3, 210)
    X = draws.integers(0, 200, (210, 1, 14, 14)).astype(np.uint8)
    for image, place in zip(X, y, strict=True):
        image[0, 3:11, 4 * place : 4 * place + 4] += 50
    return X, y


def teacher(module=None, **settings):
    given = {"max_epochs": 2, "batch_size": 32, "device": "cpu", "random_state": 0}
    return TorchClassifier(module or SmallCNN(), **{**given, **settings})


def student(module=None, **settings):
    given = {"max_epochs": 2, "batch_size": 32, "device": "cpu", "random_state": 0}
    return TorchStudent(module or SmallCNN(), **{**given, **settings})


@pytest.mark.parametrize("make", [teacher, student])
def test_digits_are_learned(make, digits):
    X, y = digits
    fitted = make(max_epochs=10, learning_rate=3e-3).fit(X[:140], y[:140])
    assert (fitted.predict(X[140:]) == y[140:]).mean() > 0.9
    assert fitted.n_features_in_ == 1
    assert fitted.mean_.shape == fitted.scale_.shape == (1,)
    pixels = X[:140] / 255.0
    assert fitted.mean_[0] == pytest.approx(pixels.mean(), rel=1e-5)
    assert fitted.scale_[0] == pytest.approx(pixels.std(), rel=1e-5)


@pytest.mark.parametrize("module", [SmallCNN(), ResNet(8)])
def test_labels_of_a_cross_fit_are_those_of_the_fold_teachers(module, digits):
    X, y = digits
    record = cross_fit(teacher(module), X, y, cv=3, n_repeats=2, random_state=0)
    assert "in one batch" in record.strategy
    for r in range(2):
        for t in range(3):
            rows = record.fold[r] == t
            own = record.teachers[r][t].predict_proba(X[rows])
            np.testing.assert_allclose(record.prediction[r][rows], own, atol=1e-12)
            other = record.teachers[r][(t + 1) % 3].predict_proba(X[rows])
            assert np.abs(other - own).max() > 1e-3


@pytest.mark.parametrize("module", [SmallCNN(), ResNet(8)])
@pytest.mark.parametrize("sizes", [(30, 30, 30), (17, 40, 33)], ids=str)
def test_a_fold_teacher_of_a_batch_is_the_one_trained_alone(module, sizes, digits):
    X, y = digits[0][:90], digits[1][:90]
    ends = np.cumsum(sizes)
    tests = [np.arange(end - n, end) for end, n in zip(ends, sizes, strict=True)]
    folds = [(np.setdiff1d(np.arange(90), test), test) for test in tests]
    # 'sgd' keeps a difference in the last digit that small; 'adam' divides by it.
    settings = {"dtype": "float64", "training": Training(optimizer="sgd")}
    network = teacher(module, **settings, learning_rate=1e-2)
    together, teachers = network.cross_fit_proba(X, y, folds, random_state=5)
    alone, (first,) = network.cross_fit_proba(X, y, folds[:1], random_state=5)
    np.testing.assert_allclose(together[0], alone[0], atol=1e-9)
    for name, tensor in first.module_.state_dict().items():
        same = teachers[0].module_.state_dict()[name]
        torch.testing.assert_close(tensor, same, atol=1e-9, rtol=1e-9)
    assert np.abs(teachers[1].predict_proba(X) - first.predict_proba(X)).max() > 1e-3


def test_a_held_out_image_does_not_reach_its_teacher(digits):
    X, y = digits
    folds = np.arange(210) % 3
    first = cross_fit(teacher(), X, y, cv=folds, random_state=0)
    flipped = np.where(folds == 0, (y + 1) % 3, y)
    moved = cross_fit(teacher(), X, flipped, cv=folds, random_state=0)
    held_out = folds == 0
    for record in (first, moved):
        assert record.prediction.shape == (1, 210, 3)
    np.testing.assert_array_equal(
        first.prediction[0, held_out], moved.prediction[0, held_out]
    )
    apart = first.prediction[0, ~held_out] - moved.prediction[0, ~held_out]
    assert np.abs(apart).max() > 1e-3


@pytest.mark.parametrize("loss", [CrossEntropyLoss(2.0), LogProbabilityLoss()])
@pytest.mark.parametrize("online", [False, True])
def test_networks_of_images_are_distilled(loss, online, digits):
    X, y = digits
    slow = {"max_epochs": 10, "learning_rate": 3e-3}
    model = DistilledClassifier(
        teacher=teacher(**slow),
        student=student(**slow),
        loss=loss,
        cv=3,
        online_labels=online,
        random_state=0,
    ).fit(X[:140], y[:140])
    assert model.predict_proba(X[140:]).shape == (70, 3)
    assert model.score(X[140:], y[140:]) > 0.85


def test_floats_and_integers_are_the_same_images(digits):
    X, y = digits
    # Rows that watch the loss are drawn from the content, which differs.
    whole = teacher(validation_fraction=0.0)
    fitted, again = (clone(whole).fit(given, y) for given in (X, X / 255.0))
    np.testing.assert_allclose(
        fitted.predict_proba(X), again.predict_proba(X / 255.0), atol=1e-4
    )


def test_images_of_weight_zero_leave_no_trace(digits):
    X, y = digits
    weight = np.where(np.arange(210) < 180, 1.0, 0.0)
    strange = X.copy()
    strange[180:] = 255
    fits = [teacher().fit(given, y, sample_weight=weight) for given in (X, strange)]
    np.testing.assert_array_equal(*(f.predict_proba(X) for f in fits))
    assert fits[0].mean_[0] == pytest.approx((X[:180] / 255.0).mean(), rel=1e-5)


def test_groups_of_images_are_not_divided(digits):
    X, y = digits
    groups = np.arange(210) // 7
    record = cross_fit(teacher(), X, y, cv=3, groups=groups, random_state=0)
    for group in range(30):
        assert len(set(record.fold[0][groups == group])) == 1


def test_parts_of_many_images_are_learned_one_after_the_other(digits):
    X, y = digits
    fitted = teacher(max_epochs=3, learning_rate=3e-3, validation_fraction=0.0)
    losses = []
    for _ in range(3):
        fitted.partial_fit(X, y, classes=[0, 1, 2])
        losses.append(fitted.history_[-1].train_loss)
    assert losses[2] < 0.7 * losses[0]


def test_augmented_images_are_drawn_from_the_seed(digits):
    X, y = digits
    training = Training(augment=flip_and_crop)
    first, again = (teacher(training=training).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    plain = teacher().fit(X, y)
    assert np.abs(plain.predict_proba(X) - first.predict_proba(X)).max() > 1e-4


def test_many_students_of_images_are_one_batch(digits):
    X, y = digits
    targets = [np.eye(3)[y], np.full((210, 3), 1 / 3)]
    loss = CrossEntropyLoss()
    many = student().fit_many(X, targets, loss=loss)
    for fitted, target in zip(many, targets, strict=True):
        alone = student().fit_target(X, target, loss=loss)
        np.testing.assert_allclose(fitted.scores(X), alone.scores(X), atol=1e-3)
    assert np.abs(many[0].scores(X) - many[1].scores(X)).max() > 0.05


class Branching(nn.Module):
    """A network whose way depends on its numbers, which no program of many can."""

    def __init__(self, n_inputs, n_outputs):
        super().__init__()
        self.layer = nn.Linear(n_inputs, n_outputs)

    def forward(self, x):
        return self.layer(x) if float(x.sum()) < 1e9 else self.layer(-x)


@pytest.mark.parametrize(
    ("module", "mode"),
    [
        ((4,), "native"),
        (lambda row, m: nn.Sequential(nn.Linear(*row, 4), nn.Linear(4, m)), "native"),
        (ResNet(8), "vmap"),
        (lambda row, m: Branching(*row, m), "one by one"),
    ],
    ids=["perceptron", "factory", "residual", "branching"],
)
def test_how_the_networks_of_a_batch_were_run_is_said(module, mode, digits):
    X, y = digits
    rows = X if isinstance(module, ResNet) else X.reshape(len(X), -1)[:, 60:70]
    network = teacher(module, max_epochs=1)
    record = cross_fit(network, rows, y, cv=3, random_state=0)
    assert [one.mode_ for one in record.teachers[0]] == [mode] * 3
    own = record.teachers[0][0].predict_proba(rows[record.fold[0] == 0])
    np.testing.assert_allclose(record.prediction[0][record.fold[0] == 0], own)


def test_channels_are_standardised_by_weight_in_little_memory():
    draws = np.random.default_rng(0)
    X = draws.integers(0, 256, (600, 3, 16, 16)).astype(np.uint8)
    X[:, 2] = 7
    weight = draws.integers(0, 3, 600).astype(float)
    tracemalloc.start()
    found = ImageEncoding.learned(X, weight)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * X.nbytes
    copies = np.repeat(X, weight.astype(int), axis=0) / 255.0
    np.testing.assert_allclose(found.mean, copies.mean(axis=(0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(found.scale[:2], copies.std(axis=(0, 2, 3))[:2], 1e-5)
    assert found.scale[2] == 1.0
