"""Photographs: the released loss in the library's units, the numbers, a small run."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from semikd.losses import LogProbabilityLoss
from semikd.nets.optimizers import SCHEDULES
from semikd.reproduction.asked import Asked
from semikd.reproduction.experiments import reproduce
from semikd.reproduction.images.results import _in_errors, published_of
from semikd.reproduction.images.study import (
    CIFAR,
    IMAGE_STUDIES,
    STRENGTH,
    Photographs,
    read_photographs,
)
from semikd.reproduction.images.training import _Experiment, arm_names

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture
def _no_folder_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the real data."""
    monkeypatch.delenv("SEMIKD_DATA", raising=False)


@pytest.fixture(scope="module")
def small() -> Photographs:
    """Digits in the place of photographs."""
    return read_photographs(CIFAR.shortened(), data="no/such/folder")


def test_a_step_on_the_loss_is_a_step_on_the_released_one(small: Photographs) -> None:
    own = _Experiment(CIFAR.shortened(), small, "cpu")
    n_classes, share = 10, 0.5
    draws = np.random.default_rng(0)
    f = torch.from_numpy(draws.normal(size=(6, n_classes))).requires_grad_()
    p = draws.dirichlet(np.ones(n_classes), size=6)
    y = np.eye(n_classes)[draws.integers(0, n_classes, 6)]
    # As released, but on centred log-probabilities: half of a mean over classes, half
    # of the cross-entropy, and a penalty of half the weight decay.
    tau = torch.from_numpy(LogProbabilityLoss().phi(p))
    squares = ((f - tau) ** 2).mean(dim=1)
    labels = -(torch.log_softmax(f, dim=1) * torch.from_numpy(y)).sum(dim=1)
    released = (share * labels + (1.0 - share) * squares).mean()
    released.backward()
    loss, student = own._loss(), own._student()
    target = np.asarray(loss.with_labels(np.asarray(tau), y))
    gradient = loss.gradient(f.detach().numpy(), target) / len(y)
    assert f.grad is not None
    np.testing.assert_allclose(
        student.learning_rate * gradient, 0.1 * f.grad.numpy(), rtol=1e-12
    )
    # The pull of the penalty is the same, too.
    pull = student.learning_rate * student.weight_decay
    assert pull == pytest.approx(0.1 * 5e-4)


def test_the_step_size_falls_to_a_fifth_three_times() -> None:
    fifths = SCHEDULES["fifths"]
    shares = [0.0, 0.399, 0.4, 0.599, 0.6, 0.8, 0.999]
    expected = [1.0, 1.0, 0.2, 0.2, 0.04, 0.008, 0.008]
    assert [fifths(share) for share in shares] == pytest.approx(expected)


def test_the_published_numbers_are_those_of_the_figures() -> None:
    means = {key: cell.mean for key, cell in published_of(CIFAR).items()}
    assert means["KD", 14, "accuracy"] == 0.8457
    assert means["Cross-fit KD", 56, "loss"] == 0.5285
    assert means["Teacher", 56, "accuracy"] == 0.879
    strengths = {key: cell.mean for key, cell in published_of(STRENGTH).items()}
    best = strengths["Enhanced KD, c = 0.01", 20, "accuracy"]
    # The point of the one figure is the best column of the other.
    assert best == pytest.approx(
        means["Enhanced KD, c = 0.01", 20, "accuracy"], abs=5e-5
    )
    assert best == max(v for (_, _, m), v in strengths.items() if m == "accuracy")


def test_every_strength_of_the_study_has_a_published_number() -> None:
    known = published_of(STRENGTH)
    for arm in arm_names(STRENGTH)[2:]:
        assert (arm, 20, "accuracy") in known
    assert set(IMAGE_STUDIES) == {"cifar", "strength"}


@pytest.mark.usefixtures("_no_folder_of_files")
def test_without_files_only_a_trial_goes_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="cifar10"):
        reproduce("cifar", Asked(), tmp_path)
    assert not any(tmp_path.iterdir())


def test_an_honest_protocol_of_strengths_is_refused(tmp_path: Path) -> None:
    asked = Asked(small=True, protocol="honest")
    with pytest.raises(ValueError, match="--protocol must be published for strength"):
        reproduce("strength", asked, tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_published_mean_stands_beside_its_distance() -> None:
    cell = published_of(CIFAR)["KD", 14, "accuracy"]
    own = np.array([0.85, 0.87])
    # 0.86 and 0.8457; errors of 0.01 and of 0.001 over the root of four.
    by_hand = (0.86 - 0.8457) / np.hypot(0.01, 0.001 / 2)
    assert _in_errors(own, cell) == f"{by_hand:+.1f}"
    assert _in_errors(own, None) == "–"


def test_the_parts_of_the_images_do_not_meet(small: Photographs) -> None:
    parts = (small.train, small.validation, small.test)
    rows = np.concatenate(parts)
    assert len(rows) == len(set(rows.tolist()))
    assert tuple(len(part) for part in parts) == CIFAR.shortened().rows


@pytest.mark.usefixtures("_no_folder_of_files")
def test_a_trial_of_each_leaves_its_pages_and_goes_on(tmp_path: Path) -> None:
    asked = Asked(small=True, protocol="published")
    for name in IMAGE_STUDIES:
        first = reproduce(name, asked, tmp_path)
        cells = sorted((tmp_path / f"{name}-small/published/cells").iterdir())
        written = [path.stat().st_mtime_ns for path in cells]
        assert reproduce(name, asked, tmp_path) == first
        assert [path.stat().st_mtime_ns for path in cells] == written
    folder = tmp_path / "cifar-small"
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    students = [row for row in rows if row["arm"] == "Cross-fit KD"]
    # Two fits, accuracy and loss, on validation and on test images.
    assert len(students) == 2 * 2 * 2
    origin = json.loads((folder / "origin.json").read_text())
    assert origin["published"]["configuration"]["images"] == "digits"


def test_fold_teachers_label_images_that_they_did_not_see(small: Photographs) -> None:
    own = _Experiment(CIFAR.shortened(), small, "cpu")
    found = own.folds(8, None)  # type: ignore[arg-type]
    labels = np.array(found["labels"])
    assert labels.shape == (len(small.train), 10)
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, atol=1e-5)
    assert len(found["scores"]) == CIFAR.shortened().n_folds
