"""A fit that was killed ends with the networks of one that was not, bit for bit."""

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from semikd import nets
from semikd.exceptions import ArtifactError, SemikdWarning

# What is fitted, as text: a process that is killed runs the same lines.
PROBLEM = """
import time

import numpy as np
import torch
from torch import nn

from semikd import nets

torch.set_num_threads(1)
draws = np.random.default_rng(0)
X = torch.from_numpy(draws.normal(size=(90, 4)))
Y = torch.from_numpy(draws.normal(size=(6, 90, 2)))
OPTIONS = nets.TrainingOptions(
    batch_size=16, patience=9, schedule="cosine", max_members=4
)


def build(kind):
    layers = [nn.Linear(4, 8), nn.SiLU(), nets.Dropout(0.2)]
    layers += [nn.BatchNorm1d(8)] if kind else []
    return nn.Sequential(*layers, nn.Linear(8, 2)).double()


def members():
    own = []
    for m in range(6):
        order = torch.from_numpy(np.random.default_rng(m).permutation(90))
        own.append(
            nets.Member(
                nets.seeded(lambda m=m: build(m == 5), m),
                training=order[: 60 - 4 * m],
                validation=order[70:] if m % 2 else None,
                seed=m,
                learning_rate=0.002 * (m + 1),
                max_epochs=12 + m,
            )
        )
    return own


def objective(f, batch):
    return ((f - Y[batch.members[:, None], batch.rows]) ** 2).mean(dim=2)


def fit(folder=None, pause=0.0, every_s=0.0, **settings):
    def slowly(f, batch):
        time.sleep(pause)
        return objective(f, batch)

    checkpoint = None
    if folder is not None:
        checkpoint = nets.Checkpoint(folder, every_s=every_s)
    return nets.train(
        members(), X, slowly, options=OPTIONS, checkpoint=checkpoint, **settings
    )
"""

problem: dict = {}
exec(PROBLEM, problem)  # noqa: S102


@pytest.fixture(scope="module")
def undisturbed():
    return problem["fit"]()


def same(found, expected):
    """Whether networks and histories are equal to the last bit."""
    return all(
        one.history == other.history
        and one.mode == other.mode
        and not one.module.training
        and all(
            torch.equal(left, right)
            for left, right in zip(
                one.module.state_dict().values(),
                other.module.state_dict().values(),
                strict=True,
            )
        )
        for one, other in zip(found, expected, strict=True)
    )


def stop_after(n_epochs):
    """Return a listener that raises in some epoch, as a kill would end a fit."""
    heard = []

    def listen(member, epoch):
        heard.append((member, epoch.epoch))
        if len(heard) == n_epochs:
            raise KeyboardInterrupt

    return listen


def killed_fit(folder, seconds):
    """Start the fit in a process and kill it some seconds after its next state."""
    code = PROBLEM + f"\nfit({str(folder)!r}, pause=0.01)\n"
    before = state_of(folder)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code], stderr=subprocess.PIPE
    )
    until = time.monotonic() + 120
    while state_of(folder) == before and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode in (0, -signal.SIGKILL), said


def state_of(folder):
    path = folder / "checkpoint.json"
    return path.read_text() if path.exists() else None


def test_a_fit_killed_at_any_moment_goes_on(tmp_path, undisturbed):
    folder = tmp_path / "fit"
    delays = np.random.default_rng(0).uniform(0.0, 0.25, size=3)
    behind = []
    for delay in delays:
        killed_fit(folder, delay)
        behind.append(state_of(folder))
    assert len(set(behind)) == 3
    heard = []
    found = problem["fit"](folder, listen=lambda m, e: heard.append((m, e.epoch)))
    assert same(found, undisturbed)
    # It went on: fewer epochs were heard of than there are.
    assert 0 < len(heard) < sum(len(one.history) for one in found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_many_kills_at_random_moments_change_nothing(tmp_path, undisturbed, seed):
    folder = tmp_path / "fit"
    for delay in np.random.default_rng(seed).exponential(0.3, size=5):
        killed_fit(folder, delay)
    assert same(problem["fit"](folder), undisturbed)


@pytest.mark.parametrize("n_epochs", [1, 2, 7, 30, 49, 60, 70])
def test_a_fit_that_ends_in_an_epoch_goes_on_from_the_one_before(
    tmp_path, undisturbed, n_epochs
):
    with pytest.raises(KeyboardInterrupt):
        problem["fit"](tmp_path / "fit", listen=stop_after(n_epochs))
    assert same(problem["fit"](tmp_path / "fit"), undisturbed)


def test_a_state_that_is_left_out_would_be_seen(tmp_path, undisturbed):
    # The control: dropout that starts anew gives other networks.
    folder = tmp_path / "fit"
    with pytest.raises(KeyboardInterrupt):
        problem["fit"](folder, listen=stop_after(7))
    restore = nets.checkpoints.restore

    def forgetful(loop, *state):
        restore(loop, *state)
        for generator in loop.noise:
            generator.manual_seed(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nets.checkpoints, "restore", forgetful)
        assert not same(problem["fit"](folder), undisturbed)


def test_a_finished_fit_is_read_and_not_trained_again(tmp_path, undisturbed):
    problem["fit"](tmp_path / "fit", every_s=1e9)

    def refuse(*_):
        raise AssertionError("trained again")

    assert same(problem["fit"](tmp_path / "fit", listen=refuse), undisturbed)


def test_nothing_is_pickled_and_numpy_reads_it(tmp_path):
    problem["fit"](tmp_path / "fit")
    archive, words = sorted((tmp_path / "fit").iterdir())
    assert archive.suffix == ".npz"
    assert json.loads(words.read_text())["content"]["queue"] == []
    with np.load(archive, allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays} <= set("uf")


def test_seconds_before_a_kill_count(tmp_path):
    folder, checkpoint = tmp_path / "fit", nets.Checkpoint(tmp_path / "fit", every_s=0)
    options = replace(problem["OPTIONS"], time_limit=30.0, max_members=None)
    arguments = problem["members"](), problem["X"], problem["objective"]

    def slow(_, epoch):
        time.sleep(0.05)
        if epoch.epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nets.train(*arguments, options=options, checkpoint=checkpoint, listen=slow)
    content = json.loads((folder / "checkpoint.json").read_text())["content"]
    assert 0.1 < content["spent"] < 30
    # A limit that has passed ends each member with the epoch it goes on with.
    options = replace(options, time_limit=0.05)
    found = nets.train(*arguments, options=options, checkpoint=checkpoint)
    assert {len(one.history) for one in found} <= {1, 2, 3}


def with_member(fit, m, **changes):
    fit["members"][m] = replace(fit["members"][m], **changes)


def moved_start(fit):
    fit["members"][0].module[0].weight.data[0, 0] += 1e-9


# What may differ, by the name that the refusal gives it.
OTHERS = {
    "inputs": lambda fit: fit.update(X=fit["X"] + 1e-9),
    "rows of the members": lambda fit: with_member(
        fit, 2, training=fit["members"][2].training.flip(0)
    ),
    "settings of the members": lambda fit: with_member(fit, 1, learning_rate=0.5),
    "first parameters": moved_start,
    "networks": lambda fit: with_member(fit, 0, module=nn.Linear(4, 2).double()),
    "batch_size": lambda fit: fit.update(
        options=replace(fit["options"], batch_size=17)
    ),
    "augment": lambda fit: fit.update(
        options=replace(fit["options"], augment=lambda x, _: x)
    ),
    "objective": lambda fit: fit.update(Y=fit["Y"] + 0.1),
    "identity": lambda fit: fit.update(identity="other targets"),
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_a_checkpoint_of_another_fit_is_refused(tmp_path, name):
    folder = tmp_path / "fit"
    with pytest.raises(KeyboardInterrupt):
        problem["fit"](folder, listen=stop_after(9))
    fit = {name: problem[name] for name in ("X", "Y")}
    fit |= {"members": problem["members"](), "options": problem["OPTIONS"]}
    OTHERS[name](fit)
    before = sorted(path.read_bytes() for path in folder.iterdir())
    with pytest.raises(
        ValueError, match=rf"be of this fit; got .* other .*{name}.*Name"
    ):
        nets.train(
            fit["members"],
            fit["X"],
            lambda f, b: ((f - fit["Y"][b.members[:, None], b.rows]) ** 2).mean(dim=2),
            options=fit["options"],
            checkpoint=nets.Checkpoint(folder, identity=fit.get("identity", "")),
        )
    assert sorted(path.read_bytes() for path in folder.iterdir()) == before


def test_more_time_is_no_other_fit(tmp_path, undisturbed):
    folder = tmp_path / "fit"
    with pytest.raises(KeyboardInterrupt):
        problem["fit"](folder, listen=stop_after(9))
    found = nets.train(
        problem["members"](),
        problem["X"],
        problem["objective"],
        options=replace(problem["OPTIONS"], time_limit=1e6),
        checkpoint=nets.Checkpoint(folder),
    )
    assert same(found, undisturbed)


def torn(folder):
    path = next(folder.glob("*.npz"))
    path.write_bytes(path.read_bytes()[:-100])


def flipped(folder):
    path = next(folder.glob("*.npz"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edited(folder):
    path = folder / "checkpoint.json"
    path.write_text(path.read_text().replace('"n_steps":', '"n_steps":1'))


def lost(folder):
    next(folder.glob("*.npz")).unlink()


def emptied(folder):
    (folder / "checkpoint.json").write_bytes(b"")


@pytest.mark.parametrize("harm", [torn, flipped, edited, lost, emptied])
def test_damaged_files_are_refused_in_one_line(tmp_path, harm):
    folder = tmp_path / "fit"
    with pytest.raises(KeyboardInterrupt):
        problem["fit"](folder, listen=stop_after(9))
    harm(folder)
    with pytest.raises(ArtifactError, match="checkpoint") as caught:
        problem["fit"](folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("queue", [[0, 1], [2]]),
        ("queue", "none"),
        ("done", [0, 0]),
        ("modes", []),
        ("spent", "x"),
        ("loop", {}),
        ("loop", {"alive": [9]}),
    ],
)
def test_states_that_make_no_sense_are_refused(tmp_path, name, value):
    # Signed anew, so that only their meaning is wrong.
    folder, kind = tmp_path / "fit", nets.checkpoints._KIND
    with pytest.raises(KeyboardInterrupt):
        problem["fit"](folder, listen=stop_after(55))
    content, arrays = nets.checkpoints.read_record(folder, kind)
    before = content["loop"]
    value = {**before, **value} if isinstance(value, dict) and value else value
    nets.checkpoints.write_record(folder, kind, {**content, name: value}, arrays)
    with pytest.raises(ArtifactError, match=r"checkpoint\.json"):
        problem["fit"](folder)


def test_a_folder_of_somebody_else_is_refused_before_training(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")

    def refuse(*_):
        raise AssertionError("trained")

    with pytest.raises(ValueError, match=r"folder must be new, empty or hold a check"):
        problem["fit"](tmp_path, listen=refuse)
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_halves_of_a_chunk_are_kept_apart(tmp_path):
    # A fit that ran out of memory, and then was killed, goes on with the same halves.
    def objective(f, batch):
        if len(batch.members) > 2:
            raise torch.OutOfMemoryError
        return problem["objective"](f, batch)

    def fit(folder, listen=None):
        checkpoint = folder and nets.Checkpoint(folder, every_s=0)
        with pytest.warns(SemikdWarning) if listen or not folder else nullcontext():
            return nets.train(
                problem["members"](),
                problem["X"],
                objective,
                options=problem["OPTIONS"],
                checkpoint=checkpoint,
                listen=listen,
            )

    folder = tmp_path / "fit"
    with pytest.raises(KeyboardInterrupt):
        fit(folder, stop_after(20))
    shutil.copytree(folder, tmp_path / "copy")
    assert same(fit(folder), fit(None))


def test_numbers_of_half_precision_come_back():
    tensors = [torch.arange(3).bfloat16(), torch.tensor(2.5), torch.empty(0)]
    packed = nets.snapshots.packed_bytes(tensors)
    into = [torch.zeros_like(tensor) for tensor in tensors]
    nets.snapshots.overwrite(into, packed)
    assert all(torch.equal(a, b) for a, b in zip(into, tensors, strict=True))
    with pytest.raises(ValueError, match="state must have 10 bytes; got 9 bytes"):
        nets.snapshots.overwrite(into, packed[:-1])
