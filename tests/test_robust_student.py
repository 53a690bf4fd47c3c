"""Robust students: the loss by hand, the trust by hand, and what they withstand."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch.nn import functional

from semikd import DistilledClassifier, DistilledRegressor, cross_fit
from semikd.artifact.shipping import student_arrays
from semikd.diagnostics import robust_accuracy
from semikd.exceptions import ArtifactError
from semikd.losses import CrossEntropyLoss
from semikd.networks import MLP, Attack, ResNet, Training
from semikd.networks.robust import balls, divergence, surprise, trust
from semikd.simplex import one_hot
from semikd.students import RobustStudent, TorchStudent
from semikd.teachers import TorchClassifier

Floats = NDArray[np.float64]
pytestmark = pytest.mark.usefixtures("one_torch_thread")


def made(n: int = 120, k: int = 3, seed: int = 0) -> tuple[Floats, NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    scores = np.column_stack([X[:, j] + X[:, j - 1] ** 2 for j in range(k)])
    return X, (scores + rng.gumbel(size=(n, k))).argmax(axis=1)


def student(**settings: Any) -> RobustStudent:
    given = {"attack": 0.3, "warmup_epochs": 1, "max_epochs": 3, "device": "cpu"}
    return RobustStudent((8,), **{**given, "random_state": 0, **settings})


def soft(n: int = 120, k: int = 3) -> Floats:
    return np.random.default_rng(7).dirichlet(np.ones(k), size=n)


@parametrize_with_checks(
    # Copies of a row would start at random each for itself, a weight only once.
    [
        RobustStudent(
            (8,),
            attack=Attack(0.05, random_start=False),
            learning_rate=0.02,
            max_epochs=30,
            device="cpu",
            dtype="float64",
            random_state=0,
        )
    ]
)
@pytest.mark.usefixtures("generator_of_the_checks")
def test_robust_students_follow_the_conventions_of_scikit_learn(
    estimator: Any, check: Any
) -> None:
    check(estimator)


@pytest.mark.parametrize("warmup", [0, 2, 9])
def test_training_is_the_algorithm_by_hand(warmup: int) -> None:
    X, y = made()
    p, w = soft(), np.random.default_rng(3).uniform(0.5, 2.0, size=len(y))
    outcome = one_hot(y, 3)
    outcome[::5] = np.nan
    one = student(
        attack=Attack(0.3, step=0.1, n_steps=3, random_start=False),
        trust_power=0.7,
        warmup_epochs=warmup,
        weight_decay=0.0,
        batch_size=None,
        dtype="float64",
        learning_rate=0.02,
        training=Training(warm_start=True),
    )
    given: dict[str, Any] = {"outcome": outcome, "labels": p, "sample_weight": w}
    target = 0.8 * p + 0.2 * one_hot(y, 3)
    one.set_params(max_epochs=1).fit_target(X, target, loss=CrossEntropyLoss(), **given)
    net = copy.deepcopy(one.module_)
    one.set_params(max_epochs=5).fit_target(X, target, loss=CrossEntropyLoss(), **given)

    x = torch.from_numpy(one.encoding_.encode(X))
    tau, weight = torch.from_numpy(target), torch.from_numpy(w / w.mean())
    belief = torch.from_numpy(np.where(np.isnan(outcome), p, outcome))
    a = torch.tensor(
        [
            (p[i] ** 1.7).sum() if i % 5 == 0 else p[i, y[i]] ** 0.7
            for i in range(len(y))
        ]
    )
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in range(5):
        moved = x.clone()
        for _ in range(3):
            moved.requires_grad_()
            risk = functional.cross_entropy(net(moved), belief, reduction="sum")
            (slope,) = torch.autograd.grad(risk, moved)
            moved = (moved + 0.1 * slope.sign()).detach()
            moved = x + (moved - x).clamp(-0.3, 0.3)
        log_moved, log_own = (
            functional.log_softmax(net(each), dim=1) for each in (moved, x)
        )
        taught = -(tau * log_moved).sum(dim=1)
        own = functional.kl_div(log_moved, log_own, log_target=True, reduction="none")
        far = torch.ones_like(a) if epoch < warmup else a
        rows = far * taught + (1.0 - far) * own.sum(dim=1)
        adam.zero_grad()
        (weight * rows).mean().backward()
        adam.step()
    for ours, oracle in zip(one.module_.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, oracle, rtol=1e-7, atol=1e-9)
    last = float((weight * rows).mean().detach())
    assert one.history_[-1].train_loss == pytest.approx(last, rel=1e-9)


@pytest.mark.parametrize("power", [0.0, 0.1, 1.0, 3.0])
def test_trust_is_a_loop_over_rows(power: float) -> None:
    p, y = soft(), np.random.default_rng(0).integers(3, size=120)
    p[4] = [1.0, 0.0, 0.0]
    q = one_hot(y, 3)
    q[60:] = p[60:]
    found = trust(torch.from_numpy(p), torch.from_numpy(q), power).numpy()
    for i in range(120):
        by_hand = p[i, y[i]] ** power
        if i >= 60:
            by_hand = sum(p[i, j] * p[i, j] ** power for j in range(3))
        assert found[i] == pytest.approx(by_hand)
    if power == 0.0:
        np.testing.assert_allclose(found, 1.0)


def test_divergence_and_surprise_are_those_of_torch_for_two_classes_too() -> None:
    draw = torch.Generator().manual_seed(0)
    for m in (1, 4):
        f, other = torch.randn((2, 9, m), generator=draw, dtype=torch.float64)
        wide = [f, other]
        if m == 1:
            wide = [torch.cat([torch.zeros_like(each), each], dim=1) for each in wide]
        logs = [functional.log_softmax(each, dim=1) for each in wide]
        oracle = functional.kl_div(logs[1], logs[0], log_target=True, reduction="none")
        torch.testing.assert_close(divergence(f, other), oracle.sum(dim=1))
        q = torch.softmax(wide[1], dim=1)
        hard = functional.cross_entropy(wide[0], q, reduction="none")
        torch.testing.assert_close(surprise(f, q), hard)


@pytest.mark.parametrize("module", [MLP((8,), dropout=0.3), (8,), ()])
def test_at_epsilon_and_power_zero_it_is_the_plain_student(module: Any) -> None:
    X, _ = made()
    settings: dict[str, Any] = {"max_epochs": 3, "device": "cpu", "random_state": 0}
    plain = TorchStudent(module, validation_fraction=0.0, **settings)
    plain.fit_target(X, soft(), loss=CrossEntropyLoss())
    for power in (0.0, 0.5):
        ours = RobustStudent(
            module, attack=0.0, trust_power=power, warmup_epochs=0, **settings
        ).fit_target(X, soft(), loss=CrossEntropyLoss())
        assert np.array_equal(ours.scores(X), plain.scores(X)) == (power == 0.0)
    moved = RobustStudent(module, attack=0.2, trust_power=0.0, **settings)
    moved.fit_target(X, soft(), loss=CrossEntropyLoss())
    assert not np.array_equal(moved.scores(X), plain.scores(X))


def test_from_scratch_the_trust_is_one_and_its_power_of_no_matter() -> None:
    X, y = made()
    fits = [student(trust_power=power).fit(X, y).scores(X) for power in (0.0, 2.0)]
    np.testing.assert_array_equal(*fits)


class Spy(RobustStudent):
    """Notes what it is told beside the target."""

    told: Any = None

    def fit_target(self, X: Any, target: Floats, **given: Any) -> Any:
        type(self).told = {"X": X, "target": target, **given}
        return super().fit_target(X, target, **given)


def test_the_teacher_is_trusted_by_its_labels_whatever_the_target() -> None:
    X, y = made()
    new, _ = made(30, seed=1)
    settings: dict[str, Any] = {"max_epochs": 1, "device": "cpu", "random_state": 0}
    record = cross_fit(LogisticRegression(), X, y, cv=4, n_repeats=2, random_state=0)
    for correction in ("none", 0.3):
        DistilledClassifier(
            student=Spy((4,), **settings), cv=record, correction=correction
        ).fit(X, y, unlabelled=new)
        told = Spy.told
        np.testing.assert_allclose(told["labels"][:120], record.mean)
        np.testing.assert_array_equal(told["outcome"][:120], one_hot(y, 3))
        assert np.isnan(told["outcome"][120:]).all()
        np.testing.assert_allclose(told["labels"][120:], told["target"][120:])
        same = np.allclose(told["labels"], told["target"])
        assert same == (correction == "none")


def test_online_the_teacher_answers_at_the_moved_row() -> None:
    X, y = made()
    teacher = TorchClassifier((6,), max_epochs=5, device="cpu", random_state=0)
    record = cross_fit(teacher, X, y, cv=3, random_state=0)

    def said(online: bool, **settings: Any) -> Floats:
        model = DistilledClassifier(
            student=student(warmup_epochs=0, **settings),
            cv=record,
            online_labels=online,
            random_state=0,
        )
        return model.fit(X, y).predict_proba(X)

    still = [said(online, attack=0.0, trust_power=1.0) for online in (False, True)]
    np.testing.assert_allclose(*still, atol=1e-5)
    # Where rows move, both the target and the trust are others.
    moved = [said(online, trust_power=0.0) for online in (False, True)]
    assert np.abs(moved[0] - moved[1]).max() > 1e-4
    powers = [said(True, trust_power=power) for power in (0.0, 1.0)]
    assert np.abs(powers[0] - powers[1]).max() > 1e-4


def test_categories_gaps_and_what_is_missing_stay() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)})
    X.loc[::4, "a"] = np.nan
    X["who"] = rng.choice(list("xyz"), size=60)
    y = rng.integers(2, size=60)
    one = student().fit(X, y)
    inputs = torch.from_numpy(one.encoding_.encode(X))
    ball = balls(Attack(0.3), one.encoding_, inputs)(inputs)
    # The numbers a and b, whether a is missing, and who.
    wanted = np.zeros((60, 4))
    wanted[:, :2] = 0.3
    wanted[::4, 0] = 0.0
    np.testing.assert_allclose(ball.radius.numpy(), wanted)
    assert robust_accuracy(one, X, y, epsilon=0.3, random_state=0).n_rows == 60


def test_of_images_epsilon_and_range_are_in_the_scale_of_pixels() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(24, 2, 8, 8)).astype(np.uint8)
    images[:, 1] //= 3
    y = rng.integers(2, size=24)
    one = RobustStudent(ResNet(8), attack=0.1, max_epochs=2, device="cpu")
    one.set_params(random_state=0, warmup_epochs=0).fit(images, y)
    encoding = one.encoding_
    radius, low, high = Attack(0.1).box(encoding)
    mean, scale = (part[:, None, None] for part in (encoding.mean, encoding.scale))
    np.testing.assert_allclose(radius * scale, np.full((2, 1, 1), 0.1))
    np.testing.assert_allclose(low * scale + mean, np.zeros((2, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(high * scale + mean, np.ones((2, 1, 1)))
    # Statistics of batches are those of two forward passes a step, not of the attack.
    layers = [m for m in one.module_.modules() if hasattr(m, "num_batches_tracked")]
    assert {int(layer.num_batches_tracked) for layer in layers} == {4}


def pixels_first(shape: Any, n_outputs: int) -> torch.nn.Module:
    """Return a small network of 8 by 8 pixels, quicker than convolutions."""
    return torch.nn.Sequential(
        torch.nn.Flatten(),
        torch.nn.Linear(int(np.prod(shape)), 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, n_outputs),
    )


def noisy(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return images of which each pixel is 0.1 brighter or darker, at random."""
    sides = (torch.rand(x.shape, generator=generator) - 0.5).sign()
    # The standard deviation of all pixels of these images is 0.376.
    return x + 0.1 / 0.376 * sides


def test_robust_accuracy_rises_on_digits_and_not_by_noise() -> None:
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        (X / 16).reshape(-1, 1, 8, 8), y, test_size=0.5, random_state=0, stratify=y
    )
    settings: dict[str, Any] = {"max_epochs": 25, "batch_size": 64, "device": "cpu"}
    teacher = TorchClassifier(pixels_first, **settings)
    record = cross_fit(teacher, X, y, cv=3, random_state=0)
    plain: dict[str, Any] = {"validation_fraction": 0.0, **settings}
    attack = Attack(0.1, n_steps=5, step=0.04)
    found: dict[str, list[Any]] = {"plain": [], "noise": [], "robust": []}
    for seed in (0, 1, 2):
        for name, one in {
            "plain": TorchStudent(pixels_first, **plain),
            "noise": TorchStudent(
                pixels_first, training=Training(augment=noisy), **plain
            ),
            "robust": RobustStudent(
                pixels_first, attack=attack, warmup_epochs=3, **settings
            ),
        }.items():
            model = DistilledClassifier(student=one, cv=record, random_state=seed)
            model.fit(X, y)
            held = robust_accuracy(
                model, X_test, y_test, epsilon=0.1, n_starts=2, random_state=0
            )
            found[name].append((held.accuracy, held.natural))
    # Measured: 0.726 to 0.729 against 0.591 to 0.616 plain and 0.611 to 0.625 with
    # noise; a share has a standard error of 0.015 over these rows.
    held, natural = np.min(found["robust"], axis=0)
    assert held > np.max(found["plain"], axis=0)[0] + 0.06
    # The control: images that were changed as much, but not against the network.
    assert held > np.max(found["noise"], axis=0)[0] + 0.06
    assert natural > np.max(found["plain"], axis=0)[1] - 0.05


def test_a_fit_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    X, _ = made()

    def fitted(folder: str, last: int) -> Floats:
        def cut(end: Any) -> None:
            if end.epoch.epoch == last:
                raise KeyboardInterrupt

        from semikd.nets import Checkpoint

        kept = Checkpoint(tmp_path / folder, every_s=0.0)
        one = student(training=Training(checkpoint=kept, callbacks=[cut]))
        return one.fit_target(X, soft(), loss=CrossEntropyLoss()).scores(X)

    with pytest.raises(KeyboardInterrupt):
        fitted("cut", 2)
    np.testing.assert_array_equal(fitted("cut", 99), fitted("whole", 99))


@pytest.mark.parametrize("attack", [0.2, Attack(0.2, step=0.1, input_range=(-2, 2.5))])
def test_it_is_cloned_pickled_saved_and_shipped(tmp_path: Path, attack: Any) -> None:
    X, y = made()
    one = student(attack=attack).fit(X, y)
    other = clone(one)
    assert str(other.get_params()) == str(one.get_params())
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 - made here
    np.testing.assert_array_equal(again.scores(X), one.scores(X))
    one.save(tmp_path / "net")
    loaded = RobustStudent.load(tmp_path / "net")
    np.testing.assert_array_equal(loaded.predict_proba(X), one.predict_proba(X))
    for name in ("attack", "trust_power", "warmup_epochs", "max_epochs"):
        assert str(getattr(loaded, name)) == str(getattr(one, name))
    arrays = student_arrays(one)
    np.testing.assert_allclose(arrays.scores(X), one.scores(X), rtol=1e-5, atol=1e-6)


def test_a_file_with_another_attack_in_it_is_refused(tmp_path: Path) -> None:
    X, y = made()
    student(attack=Attack(0.2)).fit(X, y).save(tmp_path / "net")
    paths = [p for p in (tmp_path / "net").rglob("*.json") if "attack" in p.read_text()]
    words = json.loads(paths[0].read_text())
    assert "attack" in json.dumps(words)
    paths[0].write_text(paths[0].read_text().replace('"n_steps"', '"n_stepz"'))
    with pytest.raises(ArtifactError):
        RobustStudent.load(tmp_path / "net")


def test_settings_of_the_attack_are_reached_by_name() -> None:
    one = student().set_params(attack__n_steps=3, attack__epsilon=0.1)
    assert one.attack.get_params()["n_steps"] == 3
    assert one.attack.epsilon == 0.1
    assert student().set_params(attack__n_steps=2).attack.epsilon == 0.3
    assert one.set_params(attack=0.5, trust_power=1.0).attack == 0.5
    assert Attack(0.1, step=0.05).stride == pytest.approx(0.5)
    assert Attack(0.0, step=0.05).stride == 0.25


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attack": -0.1}, "epsilon must be a number at least 0"),
        ({"attack": Attack(0.1, step=0.0)}, "step must be a number above 0"),
        ({"attack": Attack(0.1, n_steps=0)}, "n_steps must be an integer"),
        (
            {"attack": Attack(0.1, input_range=(1, 0))},
            "input_range must be two numbers",
        ),
        ({"trust_power": -1.0}, "trust_power must be a number at least 0"),
        ({"warmup_epochs": -1}, "warmup_epochs must be an integer of at least 0"),
    ],
)
def test_numbers_out_of_range_are_refused(settings: Any, words: str) -> None:
    X, y = made(60)
    with pytest.raises(ValueError, match=words):
        student(**settings).fit(X, y)
    with pytest.raises(ValueError, match=words):
        DistilledClassifier(student=student(**settings)).fit(X, y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"attack": "pgd"}, "attack must be a number or an Attack"),
        ({"attack": True}, "attack must be a number or an Attack"),
        ({"attack": Attack(0.1, random_start=1)}, "random_start must be True or False"),
        ({"attack": Attack(0.1, input_range=3)}, "input_range must be two numbers"),
        ({"warmup_epochs": 0.2}, "warmup_epochs must be an integer"),
    ],
)
def test_settings_of_another_kind_are_refused(settings: Any, words: str) -> None:
    X, y = made(60)
    with pytest.raises(TypeError, match=words):
        student(**settings).fit(X, y)


def test_other_scales_and_wrong_labels_are_refused() -> None:
    X, y = made(60)
    for loss in ("probability", "log_probability"):
        with pytest.raises(TypeError, match="a divergence of probabilities"):
            DistilledClassifier(student=student(), loss=loss).fit(X, y)
    with pytest.raises(TypeError, match="identity scale"):
        DistilledRegressor(student=student()).fit(X, X[:, 0])
    with pytest.raises(TypeError, match="use a smaller correction"):
        student().require(CrossEntropyLoss(), np.array([[1.2, -0.2, 0.0]]))
    p, loss = soft(60), CrossEntropyLoss()
    with pytest.raises(ValueError, match="labels must"):
        student().fit_target(X, p, loss=loss, labels=p[:, :2])
    with pytest.raises(ValueError, match="labels must be finite"):
        student().fit_target(X, p, loss=loss, labels=np.full((60, 3), np.nan))
    with pytest.raises(ValueError, match="outcome must"):
        student().fit_target(X, p, loss=loss, outcome=p[:50])


def test_many_students_and_further_epochs_are_moved_against_too() -> None:
    X, y = made()
    targets = [soft(), one_hot(y, 3)]
    many = student().fit_many(X, targets, loss=CrossEntropyLoss())
    for one, target in zip(many, targets, strict=True):
        alone = student().fit_target(X, target, loss=CrossEntropyLoss())
        np.testing.assert_array_equal(one.scores(X), alone.scores(X))
    fits = [student(attack=eps).fit(X, y).partial_fit(X, y) for eps in (0.3, 0.0)]
    start = copy.deepcopy(fits[0])
    start.set_params(attack=0.0).partial_fit(X, y)
    assert not np.allclose(start.scores(X), fits[0].partial_fit(X, y).scores(X))


def test_weights_of_zero_and_hard_labels_are_as_for_any_student() -> None:
    X, y = made()
    w = np.ones(120)
    w[100:] = 0.0
    dropped = [
        DistilledClassifier(
            LogisticRegression(), student(), hard_weight=0.5, random_state=0
        )
        .fit(table, labels, sample_weight=weight)
        .predict_proba(X)
        for table, labels, weight in ((X[:100], y[:100], None), (X, y, w))
    ]
    assert dropped[0].shape == dropped[1].shape
    assert np.isfinite(dropped[1]).all()
