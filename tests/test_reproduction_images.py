"""Photographs: the released loss in the library's units, divisions, arms, pages."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch.nn import functional
from torch.utils.data import TensorDataset, random_split

from semikd.cli import main
from semikd.corrections import NoCorrection, OrthogonalCorrection, ShrinkageCorrection
from semikd.losses import LogProbabilityLoss
from semikd.nets.optimizers import SCHEDULES
from semikd.networks import SmallCNN
from semikd.reproduction.asked import PAPER_SEED, Asked
from semikd.reproduction.cells import Run
from semikd.reproduction.experiments import reproduce
from semikd.reproduction.images import honest, reference, training
from semikd.reproduction.images.honest import ARMS, _chosen, _Repetition, moved_target
from semikd.reproduction.images.photographs import Photographs, read_photographs
from semikd.reproduction.images.reference import _Protocol
from semikd.reproduction.images.released import (
    corrected_scores,
    loss_of_share,
    step_factor,
)
from semikd.reproduction.images.study import CIFAR, Grids, ImageStudy
from semikd.reproduction.images.training import Fit, Networks, row_scores
from semikd.simplex import one_hot, softmax

pytestmark = pytest.mark.usefixtures("one_torch_thread", "_no_folder_of_files")

K = 10
TINY = replace(CIFAR.shortened(), rows=(60, 40, 50), epochs=1, fits=2)
TINY = replace(TINY, recipe=replace(TINY.recipe, batch_size=30))


@pytest.fixture
def _no_folder_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the real data."""
    monkeypatch.delenv("SEMIKD_DATA", raising=False)


@pytest.fixture
def digits() -> Photographs:
    """A few digits in the place of photographs."""
    return read_photographs(TINY)


def drawn(n: int = 6) -> tuple[Any, Any, Any]:
    """Return scores of a student, logits of a teacher and classes."""
    draws = np.random.default_rng(0)
    z = draws.normal(size=(n, K))
    # Rows of a teacher that is very sure, once right and once wrong.
    z[0, 0], z[1, 0] = 60.0, 60.0
    y = draws.integers(1, K, n)
    y[0] = 0
    return draws.normal(size=(n, K)), z, y


def released(f: Any, z: Any, y: Any, *, share: float, c: float) -> torch.Tensor:
    """Return the loss of the released code, from its formula."""
    z, y = torch.from_numpy(z), torch.from_numpy(y)
    p, label = torch.softmax(z, dim=1), functional.one_hot(y, K).double()
    gamma = c / p.clamp(min=1e-3) / (c + (label - p) ** 2) if c else 0.0
    squares = functional.mse_loss(f, z + gamma * (label - p))
    return share * functional.cross_entropy(f, y) + (1.0 - share) * squares


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("c", [0.0, 0.01, 0.1])
def test_a_step_on_the_loss_is_a_step_on_the_released_one(
    share: float, c: float, digits: Photographs
) -> None:
    f, z, y = drawn()
    scores = torch.from_numpy(f).requires_grad_()
    released(scores, z, y, share=share, c=c).backward()
    assert scores.grad is not None
    loss, label = loss_of_share(K, share), one_hot(y, K)
    target = np.asarray(loss.with_labels(corrected_scores(z, label, c, 1e-3), label))
    gradient = loss.gradient(f, target) / len(y)
    student = Networks(CIFAR, digits, "cpu").taught(share, 0)
    np.testing.assert_allclose(
        student.learning_rate * gradient, 0.1 * scores.grad.numpy(), rtol=1e-10
    )
    # The pull of the penalty is the same, too.
    pull = student.learning_rate * student.weight_decay
    assert pull == pytest.approx(0.1 * 5e-4)
    assert loss.value(f, target).mean() == pytest.approx(
        step_factor(K, share) * released(scores, z, y, share=share, c=c).item()
    )


def test_the_targets_of_a_sure_teacher_are_floored_nowhere() -> None:
    _, z, y = drawn()
    p, label = softmax(z), one_hot(y, K)
    assert p[0, 1:].max() < 1e-20
    for target in (
        corrected_scores(z, label, 0.0, 1e-3),
        moved_target(p, label, NoCorrection(), 1e-3),
    ):
        apart = target - target.mean(axis=1, keepdims=True)
        np.testing.assert_allclose(apart, z - z.mean(axis=1, keepdims=True), atol=1e-9)
    # What a floor would make of it.
    assert np.ptp(LogProbabilityLoss().phi(p)[0]) < 10.0 < np.ptp(z[0])


def test_the_floor_bounds_what_a_label_moves() -> None:
    _, z, y = drawn()
    p, label = softmax(z), one_hot(y, K)
    still = moved_target(p, label, NoCorrection(), 1e-2)
    step = moved_target(p, label, OrthogonalCorrection(), 1e-2) - still
    by_hand = (label - p) / np.maximum(p, 1e-2)
    np.testing.assert_allclose(
        step, by_hand - by_hand.mean(axis=1, keepdims=True), atol=1e-9
    )
    assert step.max() < 100.0


def test_the_honest_weight_does_not_see_the_label() -> None:
    _, z, y = drawn()
    p, rule = softmax(z), ShrinkageCorrection(10.0)
    still = moved_target(p, one_hot(y, K), NoCorrection(), 1e-3)
    shares = []
    for label in (one_hot(y, K), one_hot((y + 1) % K, K)):
        full = moved_target(p, label, OrthogonalCorrection(), 1e-3) - still
        step = moved_target(p, label, rule, 1e-3) - still
        # A row whose teacher knows its label has nothing that could be moved.
        size = np.maximum((full**2).sum(axis=1), 1e-12)
        shares.append((step * full).sum(axis=1) / size)
        np.testing.assert_allclose(step, shares[-1][:, None] * full, atol=1e-8)
    np.testing.assert_allclose(shares[0][1:], shares[1][1:], rtol=1e-6)


def test_the_step_size_falls_to_a_fifth_three_times() -> None:
    fifths = SCHEDULES["fifths"]
    shares = [0.0, 0.399, 0.4, 0.599, 0.6, 0.8, 0.999]
    expected = [1.0, 1.0, 0.2, 0.2, 0.04, 0.008, 0.008]
    assert [fifths(share) for share in shares] == pytest.approx(expected)


def blank(n_pool: int, n_test: int, sizes: tuple[int, int, int]) -> Photographs:
    """Return images of which only the number matters."""
    n = n_pool + n_test
    X, y = np.zeros((n, 1, 1, 1), np.uint8), np.arange(n) % K
    test = np.arange(n_pool, n)
    return Photographs("blank", "", X, y, np.arange(n_pool), test, sizes)


def test_division_and_folds_are_those_of_the_released_calls() -> None:
    n = 1_000
    images = blank(n, 100, (900, 100, 100))
    lot = [torch.Generator().manual_seed(PAPER_SEED) for _ in range(2)]
    train, validation = random_split(
        TensorDataset(torch.arange(n)), [900, 100], generator=lot[0]
    )
    random_indices = torch.randperm(n, generator=lot[1])
    sides = images.sides(PAPER_SEED)
    assert sides.train.tolist() == list(train.indices)
    assert sides.validation.tolist() == list(validation.indices)
    assert sides.test.tolist() == list(range(n, n + 100))
    own = [int(random_indices[i]) % 10 for i in train.indices]
    assert (sides.draw % 10).tolist() == own


def test_fold_teachers_are_given_the_released_folds(
    digits: Photographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def stop(*_: Any, cv: Any, **__: Any) -> None:
        given.append(cv)
        raise KeyboardInterrupt

    monkeypatch.setattr(reference, "cross_fit", stop)
    with pytest.raises(KeyboardInterrupt):
        _Protocol(TINY, digits, "cpu").folds(8, Run(Path("nowhere"), {}))
    draw = digits.sides(PAPER_SEED).draw
    np.testing.assert_array_equal(given[0], draw % TINY.n_folds)


@pytest.mark.parametrize("n_test", [0, 30])
def test_every_repetition_has_its_own_parts_that_do_not_meet(n_test: int) -> None:
    images = blank(200, n_test, (100, 50, 30))
    one, two = images.sides(0), images.sides(1)
    for sides in (one, two):
        rows = np.concatenate([sides.train, sides.validation, sides.test])
        assert len(rows) == len(set(rows.tolist())) == 180
    assert set(one.train.tolist()) != set(two.train.tolist())
    shared = set(one.test.tolist()) == set(two.test.tolist())
    assert shared is images.shares_test is (n_test > 0)
    # Rows that judge are drawn with the others, or not: the variance knows it.
    assert images.ratio == (0.0 if shared else 30 / 100)


def test_scores_of_rows_are_those_of_their_means() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4), size=50)
    y = np.random.default_rng(1).integers(0, 4, 50)
    found = row_scores(p, y)
    assert found["loss"].mean() == pytest.approx(log_loss(y, p, labels=range(4)))
    assert found["accuracy"].mean() == np.mean(p.argmax(axis=1) == y)
    squares = ((p - np.eye(4)[y]) ** 2).sum(axis=1)
    np.testing.assert_allclose(found["Brier score"], squares)


def test_the_error_of_an_accuracy_is_binomial(digits: Photographs) -> None:
    networks, sides = Networks(TINY, digits, "cpu"), digits.sides(0)
    found = networks.student_scores(None, loss_of_share(K, 0.0), sides)
    share, n = found["test accuracy"], len(sides.test)
    by_hand = np.sqrt(share * (1.0 - share) / (n - 1))
    assert found["test accuracy error"] == pytest.approx(by_hand)
    assert found["test loss"] == pytest.approx(np.log(K))
    assert found["chosen"] == "diverged"


def test_a_fit_that_diverges_takes_no_other_with_it(digits: Photographs) -> None:
    networks, sides = Networks(TINY, digits, "cpu"), digits.sides(0)
    part, loss = digits.part(sides.train), loss_of_share(K, 0.0)
    good = one_hot(part.y, K)
    fits = [Fit(good, {}), Fit(1e30 * good, {}), Fit(good, {})]
    student = networks.taught(0.0, 0)
    one, none, other = networks.fitted(student, part.X, fits, loss)
    assert none is None
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.scores(part.X), other.scores(part.X))
    with pytest.raises(ValueError, match="target must be finite"):
        networks.fitted(student, part.X, [Fit(np.nan * good, {})], loss)


def test_settings_are_chosen_on_validation_and_reported_on_test() -> None:
    tried = {
        0.2: {"validation loss": 1.0, "test loss": 3.0},
        0.5: {"validation loss": 2.0, "test loss": 1.0, "chosen": "diverged"},
    }
    assert _chosen(tried) == {**tried[0.2], "chosen": "0.2"}
    assert _chosen({0.5: tried[0.5]})["chosen"] == "0.5, diverged"


def test_arms_differ_in_who_labels_and_what_is_moved(
    digits: Photographs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def taught(_: Any, labels: Any, rule: Any = None, floor: Any = None, **more: Any):
        asked.append((len(labels.teachers), type(rule).__name__, floor, more))
        return {"validation loss": 0.0, "test loss": 0.0}

    monkeypatch.setattr(_Repetition, "taught", taught)
    told: list[str] = []
    run = Run(Path("nowhere"), {}, lambda step: told.append(step.label))
    found = honest._repetition(TINY, digits, "cpu", 8, 0, run)
    assert told[-len(ARMS) + 2 :] == list(ARMS)[2:]
    assert list(found) == list(ARMS)
    folds = TINY.n_folds
    assert sorted(asked, key=str) == sorted(
        [
            (1, "NoneType", None, {}),
            (folds, "NoneType", None, {}),
            (folds, "OrthogonalCorrection", 1e-2, {}),
            (folds, "NoneType", None, {"share": 0.2}),
            (folds, "NoneType", None, {"share": 0.5}),
            (folds, "ShrinkageCorrection", None, {}),
        ],
        key=str,
    )
    # A residual network of 8 layers on labels is the same as teacher and as student.
    assert found["scratch, tuned"]["chosen"].startswith("step ")
    same = TINY.grids.steps[-1], TINY.grids.decays[0]
    assert same == (TINY.recipe.step, TINY.recipe.decay)


def test_an_in_sample_student_learns_what_its_teacher_says_of_its_images(
    digits: Photographs,
) -> None:
    study = replace(TINY, augmented=True)
    own = _Repetition(study, digits, "cpu", 0)
    teacher = own.networks.teacher(8, 0).fit(own.X, own.y)
    n, p = len(own.y), teacher.predict_proba(own.X)
    labels = honest._Labels((teacher,), np.zeros((1, n), dtype=int), p)
    plain, moved = own.taught(labels), own.taught(labels, OrthogonalCorrection())
    mixed = own.taught(labels, share=0.5)
    losses = {each["test loss"] for each in (plain, moved, mixed)}
    assert len(losses) == 3
    assert all(np.isfinite(list(losses)))


@pytest.mark.parametrize("small", [False, True])
def test_a_folder_that_is_not_there_is_refused(small: bool, tmp_path: Path) -> None:
    asked = Asked(small=small, data=str(tmp_path / "typo"))
    with pytest.raises(ValueError, match=r"^--data must be a folder for cifar; got "):
        reproduce("cifar", asked, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_refuses_a_folder_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["reproduce", "strength", "--small", "--data", str(tmp_path / "typo")]
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("semikd: --data must be a folder for strength; got '")
    assert shown.out == ""


@pytest.mark.parametrize("small", [False, True])
def test_a_folder_without_the_files_is_refused(small: bool, tmp_path: Path) -> None:
    asked = Asked(small=small, data=str(tmp_path))
    said = r"^--data must hold the file cifar10/.*; got no such file.* pass --data or"
    with pytest.raises(ValueError, match=said):
        reproduce("strength", asked, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_any_folder_only_a_trial_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^--data must hold the file cifar10/"):
        reproduce("cifar", Asked(), tmp_path)
    assert not any(tmp_path.iterdir())
    assert read_photographs(CIFAR.shortened()).name == "digits"


def test_an_honest_protocol_of_strengths_is_refused(tmp_path: Path) -> None:
    asked = Asked(small=True, protocol="honest")
    with pytest.raises(ValueError, match="--protocol must be published for strength"):
        reproduce("strength", asked, tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("protocol", ["published", "honest"])
def test_a_run_names_what_its_cells_depend_on_and_no_words(protocol: str) -> None:
    own = CIFAR.configuration(protocol)
    named = replace(CIFAR, title="Other", axis="words").configuration(protocol)
    assert named == own
    other = replace(CIFAR, epochs=7).configuration(protocol)
    assert other != own
    floor = replace(CIFAR, recipe=replace(CIFAR.recipe, floor=1e-2))
    assert floor.configuration(protocol) != own
    grids = replace(CIFAR, grids=replace(CIFAR.grids, shares=(0.3,)))
    assert (grids.configuration(protocol) != own) is (protocol == "honest")
    strengths = replace(CIFAR, strengths=(0.1,)).configuration(protocol)
    assert (strengths != own) is (protocol == "published")


@pytest.fixture
def _cheap_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let networks of a trial be as small as they can be."""

    def shortened(study: ImageStudy) -> ImageStudy:
        own = {name: getattr(study, name) for name in named}
        return replace(TINY, **own, student="small_cnn", grids=grids)

    named = ("name", "title", "axis", "has_honest")
    grids = Grids(steps=(0.1,), decays=(5e-4,), shares=(0.2,), squared_errors=(10.0,))
    monkeypatch.setattr(training, "ResNet", lambda depth: SmallCNN())
    monkeypatch.setattr(ImageStudy, "shortened", shortened)


@pytest.mark.usefixtures("_cheap_trials")
@pytest.mark.parametrize("name", ["cifar", "strength"])
def test_a_trial_leaves_its_pages(name: str, tmp_path: Path) -> None:
    reproduce(name, Asked(small=True), tmp_path)
    folder = tmp_path / f"{name}-small"
    with (folder / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    arms = {"published": "Cross-fit KD", "honest": "in-sample"}
    for protocol in ("published", "honest") if name == "cifar" else ("published",):
        own = [
            r for r in rows if (r["protocol"], r["arm"]) == (protocol, arms[protocol])
        ]
        # Two fits or repetitions, three metrics, on validation and on test images.
        assert len(own) == 2 * 3 * 2
        origin = json.loads((folder / "origin.json").read_text())
        assert origin[protocol]["configuration"]["images"] == "digits"
        assert "title" not in str(origin[protocol]["configuration"])
    page = (folder / "results.md").read_text()
    assert "stand in for photographs" in page
    assert "stand in for the primary cells" in page
    assert "| published | reproduced | difference, in errors | honest arm | hon" in page


@pytest.mark.usefixtures("_cheap_trials")
def test_a_second_run_does_no_cell_again(tmp_path: Path) -> None:
    asked = Asked(small=True, protocol="published")
    first = reproduce("strength", asked, tmp_path)
    cells = sorted((tmp_path / "strength-small").rglob("cells/*.json"))
    written = [path.stat().st_mtime_ns for path in cells]
    assert reproduce("strength", asked, tmp_path) == first
    assert [path.stat().st_mtime_ns for path in cells] == written


@pytest.mark.usefixtures("_cheap_trials")
def test_a_page_holds_all_that_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-small"
    for protocol in ("published", "honest"):
        reproduce("cifar", Asked(small=True, protocol=protocol), tmp_path)
    with (folder / "results.csv").open() as file:
        assert {row["protocol"] for row in csv.DictReader(file)} == {
            "published",
            "honest",
        }
    # A repetition behind a gap is none, and a depth without students neither.
    seeds = sorted((folder / "honest/cells").iterdir(), key=lambda path: path.name)
    assert [path.stem for path in seeds] == ["repetition-8-0", "repetition-8-2357"]
    seeds[1].unlink()
    study, run = TINY, Run(folder / "honest", {})
    assert honest.honest_scores(study, run) == {}
    (folder / "published/cells/students-8.json").unlink()
    assert reference.reference_scores(study, Run(folder / "published", {})) == {}
