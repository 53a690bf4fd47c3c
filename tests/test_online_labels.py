"""Labels made while a network student learns: for the very pixels that it is shown."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from semikd import DistilledClassifier, cross_fit, model_labels
from semikd.losses import CrossEntropyLoss
from semikd.nets import find_device, flip_and_crop
from semikd.networks import OnlineTargets, SmallCNN, Training
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture(scope="module")
def pictures():
    """Return images of noise with a bright patch, left or right, and which it is."""
    draws = np.random.default_rng(0)
    X = draws.integers(0, 120, size=(120, 3, 8, 8)).astype(np.uint8)
    y = draws.integers(0, 2, size=120)
    for image, side in zip(X, y, strict=True):
        image[:, 2:6, 4 * side : 4 * side + 3] += 90
    return X, y


def teacher(**settings):
    given = {"max_epochs": 2, "device": "cpu", "random_state": 0, **settings}
    return TorchClassifier(SmallCNN(), **given)


def student(augment=None, **settings):
    given = {"max_epochs": 2, "device": "cpu", "random_state": 0, **settings}
    return TorchStudent(SmallCNN(), training=Training(augment=augment), **given)


def test_without_augmentation_online_labels_are_the_cached_ones(pictures):
    X, y = pictures
    record = cross_fit(teacher(), X, y, cv=3, n_repeats=2, random_state=0)
    models = [
        DistilledClassifier(
            student=student(), cv=record, online_labels=online, random_state=0
        ).fit(X, y)
        for online in (False, True)
    ]
    cached, online = (model.predict_proba(X) for model in models)
    np.testing.assert_allclose(cached, online, atol=1e-5)
    assert models[1].labels_.teachers == ()


def test_the_teacher_that_held_a_row_out_labels_what_is_shown(pictures):
    X, y = pictures
    record = cross_fit(teacher(), X, y, cv=3, random_state=0)
    seen = []

    def target(p, rows):
        seen.append((p, rows))
        return p[:, 1:]

    online = OnlineTargets(record.teachers, record.fold, target)
    fitted = student().fit(X, y)
    relabel = online.bound(fitted.encoding_, find_device("cpu"))
    rows = np.array([5, 70, 11, 3])
    mirrored = X[rows, :, :, ::-1].copy()
    inputs = torch.from_numpy(fitted.encoding_.encode(mirrored))
    found = relabel(inputs, torch.from_numpy(rows)).numpy()
    for row, image, p in zip(rows, mirrored, found[:, 0], strict=True):
        by_hand = record.teachers[0][record.fold[0, row]].predict_proba(image[None])
        assert p == pytest.approx(by_hand[0, 1], abs=1e-5)
        other = record.teachers[0][(record.fold[0, row] + 1) % 3].predict_proba(
            image[None]
        )
        assert abs(p - other[0, 1]) > 1e-4
    np.testing.assert_array_equal(seen[0][1], rows)


def test_a_network_that_is_there_labels_as_a_student_learns(pictures):
    X, y = pictures
    brought = model_labels(teacher().fit(X[::-1], y), X)
    cached, online = (
        DistilledClassifier(
            student=student(), cv=brought, online_labels=online, random_state=0
        )
        .fit(X, y)
        .predict_proba(X)
        for online in (False, True)
    )
    np.testing.assert_allclose(cached, online, atol=1e-5)


def test_with_augmentation_online_labels_differ_from_the_cached_ones(pictures):
    X, y = pictures
    record = cross_fit(teacher(max_epochs=5), X, y, cv=3, random_state=0)
    cached, online = (
        DistilledClassifier(
            student=student(flip_and_crop), cv=record, online_labels=online
        )
        .set_params(random_state=0)
        .fit(X, y)
        .predict_proba(X)
        for online in (False, True)
    )
    # A mirrored patch is the other class: the cached label of it is wrong.
    assert np.abs(cached - online).max() > 0.01


def test_a_shown_image_is_one_of_the_images_moved():
    images = torch.arange(2 * 64.0).view(2, 1, 8, 8) + 1
    shown = flip_and_crop(images, torch.Generator().manual_seed(0))
    for image, view in zip(images, shown, strict=True):
        wide = torch.nn.functional.pad(image, (4, 4, 4, 4))
        views = [
            crop.flip(-1) if flipped else crop
            for top in range(9)
            for left in range(9)
            for flipped in (False, True)
            for crop in [wide[:, top : top + 8, left : left + 8]]
        ]
        assert sum(torch.equal(view, known) for known in views) == 1


def test_columns_of_a_table_are_read_by_teachers_with_other_moments():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(90, 3)) * [1.0, 5.0, 0.1] + [0.0, 3.0, 7.0]
    y = (X[:, 0] > 0).astype(int)
    record = cross_fit(
        TorchClassifier((4,), max_epochs=3, device="cpu"), X, y, cv=3, random_state=0
    )
    other = TorchStudent((4,), max_epochs=1, device="cpu").fit(2.0 * X + 1.0, y)
    shifted = other.encoding_
    assert not np.allclose(shifted.mean, record.teachers[0][0].encoding_.mean)
    online = OnlineTargets(record.teachers, record.fold, lambda p, rows: p[:, 1:])
    relabel = online.bound(shifted, find_device("cpu"))
    inputs = torch.from_numpy(shifted.encode(X))
    found = relabel(inputs, torch.arange(90)).numpy()[:, 0]
    np.testing.assert_allclose(found, record.mean[:, 1], atol=1e-5)


def test_a_checkpoint_of_cached_labels_is_none_of_online_ones(pictures, tmp_path):
    X, y = pictures
    record = cross_fit(teacher(), X, y, cv=3, random_state=0)
    small = student(flip_and_crop)
    small.set_params(training__checkpoint=str(tmp_path / "fits"))
    cached, online = (
        DistilledClassifier(
            student=small, cv=record, online_labels=online, random_state=0
        )
        .fit(X, y)
        .predict_proba(X)
        for online in (False, True)
    )
    assert np.abs(cached - online).max() > 1e-4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"student": None}, "student must be a network to be labelled as it learns"),
        ({"teacher": LogisticRegression()}, "teacher must be a network to label as"),
        ({"cv": "in-sample"}, "online_labels must be False for cv='in-sample'"),
        ({"class_weight": "balanced"}, "online_labels must be False with class_weight"),
        (
            {"student": TorchStudent((2,), solver="lbfgs")},
            "online_labels must be False with solver='lbfgs'",
        ),
    ],
)
def test_what_cannot_be_labelled_online_is_refused(settings, message):
    X = np.random.default_rng(0).normal(size=(60, 2))
    given = {
        "teacher": TorchClassifier((2,)),
        "student": TorchStudent((2,)),
        **settings,
    }
    model = DistilledClassifier(online_labels=True, **given)
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(X, X[:, 0] > 0)


def test_records_without_teachers_and_rows_without_folds_are_refused():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = X[:, 0] > 0
    network = TorchClassifier((2,), max_epochs=1, device="cpu")
    bare = cross_fit(network, X, y, cv=3, new_rows="none", random_state=0)
    given = {"student": TorchStudent((2,), max_epochs=1), "online_labels": True}
    with pytest.raises(
        TypeError, match=r"teacher must be networks.*none that was kept"
    ):
        DistilledClassifier(cv=bare, **given).fit(X, y)
    half = cross_fit(network, X, y, cv="split", random_state=0)
    online = OnlineTargets(half.teachers, half.fold[:, half.labelled], lambda p, _: p)
    assert online.fold.min() == 0
    with pytest.raises(ValueError, match="come from folds for every row; got 30 in no"):
        OnlineTargets(half.teachers, half.fold, lambda p, rows: p)


def test_a_student_that_takes_all_rows_at_once_is_shown_none():
    X = np.random.default_rng(0).normal(size=(60, 2))
    network = TorchClassifier((2,), max_epochs=1, device="cpu")
    record = cross_fit(network, X, X[:, 0] > 0, cv=3, random_state=0)
    online = OnlineTargets(record.teachers, record.fold, lambda p, _: p[:, 1:])
    solved = TorchStudent((2,), solver="lbfgs")
    with pytest.raises(ValueError, match="solver must be 'adam' for online labels"):
        solved.fit_target(X, X[:, :1], loss=CrossEntropyLoss(), online=online)


def test_a_student_of_other_columns_is_refused():
    X = np.random.default_rng(0).normal(size=(60, 2))
    record = cross_fit(
        TorchClassifier((2,), max_epochs=1, device="cpu"), X, X[:, 0] > 0, cv=3
    )
    gaps = X.copy()
    gaps[0, 0] = np.nan
    online = OnlineTargets(record.teachers, record.fold, lambda p, rows: p[:, 1:])
    other = TorchStudent((2,), max_epochs=1, device="cpu")
    with pytest.raises(ValueError, match="teacher must read the columns that the"):
        other.fit_target(
            gaps, record.mean[:, 1:], loss=CrossEntropyLoss(), online=online
        )


class SpiedStudent(TorchStudent):
    tasks = []  # noqa: RUF012

    def _task(self, *args, **kwargs):
        self.tasks.append(super()._task(*args, **kwargs))
        return self.tasks[-1]


def test_groups_reach_the_early_stopping_of_the_student():
    draws = np.random.default_rng(0)
    X, groups = draws.normal(size=(300, 2)), np.repeat(np.arange(30), 10)
    spy = SpiedStudent((2,), max_epochs=1, device="cpu", validation_fraction=0.3)
    model = DistilledClassifier(LogisticRegression(), spy, random_state=0)
    model.fit(X, X[:, 0] > 0, groups=groups)
    task = SpiedStudent.tasks[-1]
    watching = set(groups[task.rows[task.held_out]])
    assert len(watching) == 9
    assert not watching & set(groups[task.rows[~task.held_out]])
