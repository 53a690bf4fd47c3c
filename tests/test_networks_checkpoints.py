"""Fits of estimators that were cut off go on from their checkpoints, to the bit."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from semikd import DistilledClassifier, cross_fit
from semikd.nets import Checkpoint
from semikd.networks import MLP, Training
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(200, 3))
Y = (X[:, 0] + DRAWS.normal(size=200) > 0).astype(int)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def network(folder=None, kind=TorchClassifier, stop=None, **settings):
    """Return a network that is written down at each epoch, and may be stopped."""
    callbacks = () if stop is None else (stop_after(stop),)
    checkpoint = None if folder is None else Checkpoint(folder, every_s=0.0)
    training = Training(checkpoint=checkpoint, callbacks=callbacks, patience=50)
    given = {"max_epochs": 12, "batch_size": 32, "device": "cpu", "random_state": 3}
    return kind(MLP((8,), dropout=0.1), training=training, **{**given, **settings})


def stop_after(n):
    """Return a callback that breaks a fit off after so many epochs, as a kill does."""

    def callback(end):
        if end.epoch.epoch > n:
            raise KeyboardInterrupt

    return callback


def interrupted(fit):
    with pytest.raises(KeyboardInterrupt):
        fit()


@pytest.mark.parametrize("kind", [TorchClassifier, TorchStudent])
@pytest.mark.parametrize("settings", [{}, {"validation_fraction": 0.0}])
def test_a_fit_that_was_broken_off_goes_on_to_the_same_bits(kind, settings, tmp_path):
    expected = network(kind=kind, **settings).fit(X, Y)
    interrupted(lambda: network(tmp_path, kind, stop=7, **settings).fit(X, Y))
    seen = []
    resumed = network(tmp_path, kind, **settings)
    resumed.training.callbacks = [lambda end: seen.append(end.epoch.epoch)]
    resumed.fit(X, Y)
    # The eighth epoch was not written down: it ended with the interruption.
    assert seen == list(range(8, 13))
    np.testing.assert_array_equal(expected.predict_proba(X), resumed.predict_proba(X))
    assert expected.history_ == resumed.history_


def test_a_finished_fit_gives_its_model_without_training(tmp_path):
    first = network(tmp_path).fit(X, Y)
    again = network(tmp_path, stop=0).fit(X, Y)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert len(list(tmp_path.iterdir())) == 1


def test_another_fit_has_a_folder_of_its_own(tmp_path):
    network(tmp_path).fit(X, Y)
    fits = [
        network(tmp_path, random_state=4),
        network(tmp_path, learning_rate=0.01),
        network(tmp_path, max_epochs=13),
        network(tmp_path, validation_fraction=0.2),
        network(tmp_path).set_params(module__dropout=0.2),
    ]
    for other in fits:
        alone = network(
            None,
            **{
                k: v
                for k, v in other.get_params(deep=False).items()
                if k not in {"module", "training", "class_weight"}
            },
        ).set_params(module=other.module)
        np.testing.assert_array_equal(
            other.fit(X, Y).predict_proba(X), alone.fit(X, Y).predict_proba(X)
        )
    weight = np.where(Y, 2.0, 1.0)
    network(tmp_path).fit(X, Y, sample_weight=weight)
    network(tmp_path).fit(X, 1 - Y)
    network(tmp_path).fit(X + 1e-3 * X**2, Y)
    assert len(list(tmp_path.iterdir())) == 1 + len(fits) + 3


def test_all_folds_of_a_cross_fit_go_on_together(tmp_path):
    def ask(teacher):
        return cross_fit(teacher, X, Y, cv=3, n_repeats=2, random_state=0)

    expected = ask(network())
    interrupted(lambda: ask(network(tmp_path, stop=6)))
    found = ask(network(tmp_path))
    np.testing.assert_array_equal(expected.prediction, found.prediction)
    # The six networks of the folds are one fit.
    again = ask(network(tmp_path, stop=0))
    np.testing.assert_array_equal(expected.prediction, again.prediction)


def test_teacher_and_student_of_a_distillation_may_share_a_folder(tmp_path):
    def model(folder):
        return DistilledClassifier(
            teacher=network(folder),
            student=network(folder, TorchStudent),
            cv=3,
            random_state=0,
        )

    expected = model(None).fit(X, Y).predict_proba(X)
    for _ in range(2):
        found = model(tmp_path).fit(X, Y).predict_proba(X)
        np.testing.assert_array_equal(expected, found)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    network(tmp_path).fit(X, Y)
    (folder,) = tmp_path.iterdir()
    numbers = next(folder.glob("*.npz"))
    numbers.write_bytes(numbers.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"npz must have the \d+ bytes that"):
        network(tmp_path).fit(X, Y)


def test_the_deterministic_mode_is_on_for_the_time_of_the_fit():
    seen = []

    def callback(_):
        seen.append(torch.are_deterministic_algorithms_enabled())

    training = Training(deterministic=True, callbacks=[callback])
    exact = TorchClassifier((4,), training=training, max_epochs=2, device="cpu")
    exact.set_params(random_state=0).fit(X, Y)
    assert seen == [True, True]
    assert not torch.are_deterministic_algorithms_enabled()
    plain = TorchClassifier((4,), max_epochs=2, device="cpu", random_state=0).fit(X, Y)
    np.testing.assert_array_equal(exact.predict_proba(X), plain.predict_proba(X))


FIT = """
import sys
import numpy as np
import torch
from semikd import cross_fit
from semikd.nets import Checkpoint
from semikd.networks import MLP, Training
from semikd.teachers import TorchClassifier

torch.set_num_threads(1)
draws = np.random.default_rng(0)
X = draws.normal(size=(400, 5))
y = (X[:, 0] + draws.normal(size=400) > 0).astype(int)
told = lambda end: print(end.epoch.epoch, flush=True)
checkpoint = Checkpoint(sys.argv[1], every_s=0.0) if sys.argv[1] else None
training = Training(checkpoint=checkpoint, callbacks=[told], patience=100)
teacher = TorchClassifier(
    MLP((16,), dropout=0.2), training=training, max_epochs=60, batch_size=32,
    device="cpu", random_state=0,
)
if sys.argv[3] == "fit":
    found = teacher.fit(X, y).predict_proba(X)
else:
    found = cross_fit(teacher, X, y, cv=3, random_state=0).prediction
np.save(sys.argv[2], found)
"""


def run(folder, result, how):
    return subprocess.Popen(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", FIT, str(folder), str(result), how],
        stdout=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize(
    ("how", "waits"),
    [("fit", [0.02]), pytest.param("folds", [0.0, 0.05], marks=pytest.mark.slow)],
)
def test_a_fit_that_was_killed_ends_with_the_model_of_one_that_was_not(
    how, waits, tmp_path
):
    expected, found = tmp_path / "expected.npy", tmp_path / "found.npy"
    whole = run("", expected, how)
    whole.communicate()
    assert whole.returncode == 0
    kills = 0
    for wait in waits:
        process = run(tmp_path / "state", found, how)
        for _ in range(8):
            process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert kills == len(waits)
    assert not found.exists()
    last = run(tmp_path / "state", found, how)
    epochs = [int(line) for line in last.communicate()[0].split()]
    assert min(epochs) > 4
    np.testing.assert_array_equal(np.load(expected), np.load(found))
