"""Networks and records on disk: whole or not at all, and read without trust."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from semikd import nets
from semikd._files.npz import write_arrays
from semikd._files.records import (
    RecordKind,
    has_record,
    read_record,
    write_record,
)
from semikd._files.signed import file_entry, signed_json
from semikd.exceptions import ArtifactError
from semikd.networks import (
    MLP,
    CustomFactory,
    InputShape,
    ResNet,
    SmallCNN,
    load_network,
    save_network,
)
from semikd.networks.saving import NETWORK

TABLE = InputShape.table(3, (4, 6))
IMAGES = InputShape.images(1, 8, 8)
THING = RecordKind("thing", "a thing")


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def tied(row, n_outputs):
    first = nn.Linear(row[0], row[0])
    module = nn.Sequential(first, nn.Tanh(), nn.Linear(row[0], row[0]))
    module[2].weight = first.weight
    return nn.Sequential(module, nn.BatchNorm1d(row[0]), nn.Linear(row[0], n_outputs))


NETWORKS = {
    "plain": (MLP((8,), dropout=0.1), InputShape.table(3)),
    "linear": (MLP(()), TABLE),
    "waves": (MLP((8, 8), numeric="periodic", residual=True), TABLE),
    "resnet": (ResNet(8), IMAGES),
    "cnn": (SmallCNN(dropout=0.5), IMAGES),
    "custom": (CustomFactory(tied), TABLE),
}


def moved(architecture, inputs, dtype=torch.float32):
    """Return a network whose every number, statistics included, was drawn."""
    module = nets.seeded(lambda: architecture.build(inputs, 2, dtype), 0)
    draws = torch.Generator().manual_seed(1)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=draws, dtype=dtype))
        else:
            tensor.fill_(7)
    return module.eval()


def rows(inputs, dtype=torch.float32):
    draws = torch.Generator().manual_seed(2)
    return torch.randint(0, 4, (5, *inputs.row), generator=draws).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_to_the_last_bit(name, dtype, tmp_path):
    architecture, inputs = NETWORKS[name]
    module = moved(architecture, inputs, dtype)
    extra = {"classes": ["no", "yes"], "epochs": 3}
    arrays = {"mean": np.arange(3.0), "counts": np.array([[1, 2]])}
    n_bytes = save_network(
        tmp_path / "net", module, architecture, inputs, 2, extra=extra, arrays=arrays
    )
    files = list((tmp_path / "net").iterdir())
    assert n_bytes == sum(file.stat().st_size for file in files)
    global_state = torch.get_rng_state()
    again = load_network(tmp_path / "net", factory=tied)
    assert torch.equal(torch.get_rng_state(), global_state)
    assert torch.equal(again.module(rows(inputs, dtype)), module(rows(inputs, dtype)))
    for key, tensor in module.state_dict().items():
        assert torch.equal(again.module.state_dict()[key], tensor)
    assert not again.module.training
    assert str(again.architecture) == str(architecture)
    assert (again.inputs, again.n_outputs, again.extra) == (inputs, 2, extra)
    assert again.about["torch"] == str(torch.__version__)
    for key, array in arrays.items():
        np.testing.assert_array_equal(again.arrays[key], array)
        assert again.arrays[key].dtype == array.dtype


def test_nothing_in_the_files_is_pickled(tmp_path):
    save_network(tmp_path, moved(MLP(), TABLE), MLP(), TABLE, 2)
    words, numbers = sorted(tmp_path.iterdir(), key=lambda path: path.suffix)
    assert json.loads(words.read_bytes())["format"] == "semikd-network"
    with np.load(numbers, allow_pickle=False) as arrays:
        assert arrays["weight.5.bias"].shape == (2,)
    for path in (words, numbers):
        with pytest.raises((pickle.UnpicklingError, ValueError)):
            pickle.loads(path.read_bytes())  # noqa: S301 - it is our own file


def test_a_fitted_network_can_be_trained_on(tmp_path):
    spec, inputs = NETWORKS["plain"]
    save_network(tmp_path, moved(spec, inputs), spec, inputs, 2)
    x = rows(inputs)
    member = nets.Member(load_network(tmp_path).module, torch.arange(5), max_epochs=2)
    found = nets.train([member], x, lambda f, b: ((f - x[b.rows, :2]) ** 2).mean(2))
    assert len(found[0].history) == 2


def test_the_second_save_takes_the_place_of_the_first_and_sweeps_up(tmp_path):
    spec, inputs = MLP((4,)), InputShape.table(3)
    save_network(tmp_path, moved(spec, inputs), spec, inputs, 2)
    left = tmp_path / ".network.json.semikd-0123abcd"
    left.write_text("half")
    wider = MLP((5,))
    save_network(tmp_path, moved(wider, inputs), wider, inputs, 2)
    assert load_network(tmp_path).architecture.hidden_layer_sizes == (5,)
    assert len(list(tmp_path.iterdir())) == 2


# Saves networks of growing width until it is killed.
WRITER = """
import sys, numpy as np
from semikd._files.records import RecordKind, write_record
thing = RecordKind("thing", "a thing")
for i in range(10**6):
    content = {"i": i}
    write_record(sys.argv[1], thing, content, {"i": np.full(20_000 + i, i)})
    print(i, flush=True)
"""


def test_who_is_killed_while_writing_leaves_a_whole_record(tmp_path):
    seen = set()
    for wait in np.linspace(0.0, 0.03, 6):
        writer = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", WRITER, str(tmp_path / "thing")],
            stdout=subprocess.PIPE,
        )
        writer.stdout.readline()
        time.sleep(0.05 + wait)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        content, arrays = read_record(tmp_path / "thing", THING)
        assert (arrays["i"] == content["i"]).all()
        assert len(arrays["i"]) == 20_000 + content["i"]
        seen.add(content["i"])
    assert max(seen) > 0


def test_a_failed_write_leaves_the_older_record(tmp_path, monkeypatch):
    write_record(tmp_path, THING, {"i": 1}, {"x": np.ones(2)})
    before = sorted(os.listdir(tmp_path))

    def fail(self, data):  # noqa: ARG001 - stands in for a full disk
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        write_record(tmp_path, THING, {"i": 2}, {"x": np.zeros(2)})
    assert sorted(os.listdir(tmp_path)) == before
    assert read_record(tmp_path, THING)[0] == {"i": 1}


def test_plain_arrays_of_every_kind_come_back(tmp_path):
    arrays = {
        "flag": np.array([True, False]),
        "tiny": np.array([-1, 1], dtype=np.int8),
        "long": np.array([2**62]),
        "bytes": np.arange(5, dtype=np.uint8),
        "single": np.float32([1.5, np.nan, np.inf]),
        "one": np.float64(3.5),
        "none": np.empty((0, 4)),
        "six": np.ones((1, 2, 1, 2, 1, 2)),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "big-endian": np.arange(3, dtype=">i4"),
        "ünicode name.0": np.zeros(1),
    }
    assert not has_record(tmp_path, THING)
    write_record(tmp_path / "a" / "b", THING, {}, arrays)
    assert has_record(tmp_path / "a" / "b", THING)
    again = read_record(tmp_path / "a" / "b", THING)[1]
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype.newbyteorder("=")
        assert again[name].shape == array.shape


@pytest.mark.parametrize(
    ("content", "arrays", "message"),
    [
        ({"a": float("nan")}, {}, "not JSON compliant"),
        ({"a": object()}, {}, "not JSON serializable"),
        ({"a": "\ud800"}, {}, "surrogates not allowed"),
        ({"a": "x" * (1 << 23)}, {}, "content must take at most 8,388,608 bytes"),
        ({}, {"a/b": np.ones(1)}, "arrays must have plain names; got 'a/b'"),
        ({}, {"a": np.ones(1, "f2")}, r"'a' must hold plain numbers on at most 6 axes"),
        ({}, {"a": np.ones(1, "c16")}, "'a' must hold plain numbers"),
        ({}, {"a": np.array([None])}, "'a' must hold plain numbers"),
        ({}, {"a": np.ones((1,) * 7)}, "'a' must hold plain numbers"),
        ({}, {"a": np.ones(200)}, "arrays must take at most 1,000 bytes; got 1,600"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    content, arrays, message, tmp_path
):
    small = RecordKind("thing", "a thing", max_bytes=1000)
    with pytest.raises(ValueError, match=message):
        write_record(tmp_path / "thing", small, content, arrays)
    assert not (tmp_path / "thing").exists()


def test_an_archive_that_could_not_be_read_again_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("semikd._files.records._MAX_ARCHIVE", 200)
    with pytest.raises(ValueError, match="at most 200 bytes with their headers; got"):
        write_record(tmp_path / "thing", THING, {}, {"a": np.ones(1)})
    assert not (tmp_path / "thing").exists()


def test_a_folder_of_somebody_elses_is_not_written_to(tmp_path):
    spec, inputs = NETWORKS["plain"]
    module = moved(spec, inputs)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"hold a saved network; .*'notes.txt'\. Name"):
        save_network(tmp_path, module, spec, inputs, 2)
    with pytest.raises(ValueError, match=r"folder, new or empty; got '.*a link or a"):
        save_network(tmp_path / "notes.txt", module, spec, inputs, 2)
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="a link or a file"):
        save_network(tmp_path / "link", module, spec, inputs, 2)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_module_that_could_not_be_built_again_is_not_saved(tmp_path):
    inputs = InputShape.table(3)
    other = moved(MLP((5,)), inputs)
    with pytest.raises(ValueError, match=r"as MLP\(.*'0.weight' of \(5, 3\) instead"):
        save_network(tmp_path, other, MLP((4,)), inputs, 2)
    with pytest.raises(ValueError, match=r"builds it; got '0\.bias' missing"):
        save_network(tmp_path, nn.Linear(3, 2), MLP((4,)), inputs, 2)
    half = moved(MLP((4,)), inputs).to(torch.float16)
    with pytest.raises(ValueError, match="dtype must be one of 'float32', 'float64'"):
        save_network(tmp_path, half, MLP((4,)), inputs, 2)
    mixed = moved(MLP((4,)), inputs)
    mixed[0].double()
    with pytest.raises(ValueError, match="dtype must be one for all parameters"):
        save_network(tmp_path, mixed, MLP((4,)), inputs, 2)

    class Odd(nn.Linear):
        def get_extra_state(self):
            return "words"

        def set_extra_state(self, state):
            pass

    odd = CustomFactory(lambda row, m: Odd(row[0], m))
    with pytest.raises(TypeError, match=r"made of tensors; got str in '_extra_state'"):
        save_network(tmp_path, odd.build(inputs, 2), odd, inputs, 2)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def saved(tmp_path):
    """A saved network with something beside it."""
    spec, inputs = MLP((4,)), InputShape.table(3)
    module = moved(spec, inputs)
    arrays = {"mean": np.zeros(3)}
    save_network(tmp_path / "net", module, spec, inputs, 2, arrays=arrays)
    return tmp_path / "net"


def refused(folder, message):
    """Check that a folder is refused in one printable line."""
    with pytest.raises(ArtifactError, match=message) as raised:
        load_network(folder)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000


def test_every_flipped_byte_is_noticed(saved):
    for path in saved.iterdir():
        whole = path.read_bytes()
        for at in range(0, len(whole), 1 + len(whole) // 60):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(ArtifactError):
                load_network(saved)
        path.write_bytes(whole)
    load_network(saved)


def test_a_folder_without_its_files_is_refused(saved, tmp_path):
    refused(tmp_path / "none", "be a folder with a saved network; got nothing of that")
    refused(tmp_path, "be a folder with a saved network; got none")
    numbers = next(saved.glob("*.npz"))
    data = numbers.read_bytes()
    numbers.write_bytes(data[:-1])
    refused(saved, r"npz must have the \d+ bytes that network.json states")
    numbers.unlink()
    refused(saved, "npz must be a regular file that can be read; got No such file")
    os.mkfifo(numbers)
    refused(saved, "npz must be a regular file; got something else")


def forge(folder, change=None, *, rename=None, **arrays):
    """Change a saved network and sign it anew, as somebody who knows the format."""
    path = folder / "network.json"
    entries = json.loads(path.read_bytes())
    del entries["sha256"]
    numbers = next(folder.glob("*.npz"))
    with np.load(numbers) as found:
        kept = dict(found)
    for name, array in arrays.items():
        key = name.replace("__", ".")
        kept.pop(key, None)
        if array is not None:
            kept[key] = array
    entries["arrays"] = {k: [a.dtype.kind, a.ndim] for k, a in kept.items()}
    data = write_arrays(kept, packed=False)
    entry = file_entry(data)
    name = rename or f"network-{entry['sha256'][:16]}.npz"
    entries["files"] = {name: entry}
    if change:
        change(entries)
    numbers.unlink()
    if "/" not in name:
        (folder / name).write_bytes(data)
    path.write_bytes(signed_json(entries))


def in_content(**changes):
    """Return what changes the content of a saved network."""
    return lambda entries: entries["content"].update(changes)


def in_settings(**changes):
    """Return what changes the settings of its architecture."""
    return lambda e: e["content"]["architecture"]["settings"].update(changes)


SHAPE = {"numeric": 3, "categories": [], "image": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda e: e.update(format="semikd-model"),
            "be of the format 'semikd-network'",
        ),
        (lambda e: e.update(version=2), "version 1 at most; got 2. Install a newer"),
        (lambda e: e.update(version=True), "have a version"),
        (lambda e: e.update(arrays=[]), "have the entries of a saved network"),
        (lambda e: e.update(more=1), "have the entries of a saved network"),
        (
            lambda e: e["arrays"].update(odd=["f", 1]),
            "arrays; got 'odd.npy' missing",
        ),
        (lambda e: e["arrays"].update(odd=["O", 1]), "'odd' must hold plain numbers"),
        (
            lambda e: e["arrays"].update(odd=["f", True]),
            "'odd' must hold plain numbers",
        ),
        (lambda e: e["arrays"].update(odd="f1"), "'odd' must hold plain numbers"),
        (lambda e: e["content"].pop("dtype"), "'dtype' missing or too many"),
        (in_content(dtype="float16"), "dtype must be one of 'float32', 'float64'"),
        (
            in_content(dtype="float64"),
            "be of the format torch.float64; got torch.float3",
        ),
        (in_content(n_outputs=3), r"'2.bias' of \(2,\) instead of \(3,\)"),
        (in_content(n_outputs=0), "n_outputs must be an integer of at least 1"),
        (in_content(n_outputs="2"), "n_outputs must be an integer"),
        (
            in_content(n_outputs=1 << 40),
            "at most 16,777,216 inputs and 1,048,576 scores",
        ),
        (in_content(extra=[1]), "network.json: "),
        (in_content(about=5), "network.json: "),
        (in_content(inputs=[]), "network.json: "),
        (in_content(inputs=SHAPE | {"numeric": 4}), r"'0.weight' of \(4, 3\) instead"),
        (in_content(inputs=SHAPE | {"numeric": 1 << 40}), "at most 16,777,216 inputs"),
        (
            in_content(inputs=SHAPE | {"numeric": -1}),
            "numeric must be an integer of at",
        ),
        (
            in_content(inputs=SHAPE | {"categories": [1 << 50]}),
            "be those of MLP.*too many",
        ),
        (in_content(inputs=SHAPE | {"image": [3, 8, 8]}), "module must read images"),
        (in_content(architecture={"name": "vgg"}), "architecture must be one of 'mlp'"),
        (in_content(architecture=[]), "network.json: "),
        (
            in_content(architecture={"name": "custom", "factory": "os:system"}),
            r"factory must be passed .*got none for 'os:system'. Pass that function as",
        ),
        (in_settings(hidden_layer_sizes=[1 << 40]), "instead of"),
        (in_settings(hidden_layer_sizes=[4] * 1000), "name at most 256 layers"),
        (in_settings(hidden_layer_sizes={}), "be a sequence of integers"),
        (in_settings(width=1), "'mlp' must have the settings dropout, embedding_size"),
        (in_settings(dropout=None), "dropout must be a number"),
    ],
)
def test_a_forged_description_is_refused_in_one_line(change, message, saved):
    forge(saved, change)
    refused(saved, message)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"weight__0__weight": None}, "be those of MLP.*; got '0.weight' missing"),
        ({"weight__odd": np.ones(1)}, "be those of MLP.*; got 'odd' too many"),
        (
            {"weight__2__bias": np.ones(3, "f4")},
            r"'2.bias' of \(3,\) instead of \(2,\)",
        ),
        ({"weight__2__bias": np.ones((2, 1), "f4")}, r"'2.bias' of \(2, 1\) instead"),
        (
            {"weight__2__bias": np.ones(2)},
            "'2.bias' must be of the format torch.float32",
        ),
        ({"weight__2__bias": np.ones(2, "i4")}, "'2.bias' must be of the format"),
        (
            {"weight__2__bias": np.float32([1, np.nan])},
            "'2.bias' must hold finite numb",
        ),
        (
            {"weight__2__bias": np.float32([1, np.inf])},
            "'2.bias' must hold finite numb",
        ),
        ({"other": np.ones(1)}, "name weights and extra arrays"),
    ],
)
def test_forged_arrays_are_refused_in_one_line(arrays, message, saved):
    forge(saved, **arrays)
    refused(saved, message)


@pytest.mark.parametrize(
    "name", ["../net.npz", "network.json", ".network-0123456789abcdef.npz", "a.npz"]
)
def test_an_archive_by_another_name_is_refused(name, saved):
    forge(saved, rename=name if "/" in name else None)
    entries = json.loads((saved / "network.json").read_bytes())
    del entries["sha256"]
    entries["files"] = {name: next(iter(entries["files"].values()))}
    (saved / "network.json").write_bytes(signed_json(entries))
    refused(saved, r"files must name one network-\.\.\.\.npz")


def test_a_signed_change_of_nothing_is_read(saved):
    forge(saved)
    assert load_network(saved).arrays["mean"].tolist() == [0.0] * 3


def test_arrays_larger_than_a_record_may_be_are_refused_unread(tmp_path):
    write_record(tmp_path, THING, {}, {"x": np.ones(2000)})
    small = RecordKind("thing", "a thing", max_bytes=100)
    with pytest.raises(ArtifactError, match="have at most 8,292 bytes; got 16,"):
        read_record(tmp_path, small)


def test_a_network_that_a_function_built_needs_that_function(tmp_path):
    spec = CustomFactory(tied)
    save_network(tmp_path, moved(spec, TABLE), spec, TABLE, 2)
    refused(tmp_path, r"factory must be passed .*none for '.*:tied'. Pass that")
    with pytest.raises(ArtifactError, match="arrays must be those of CustomFactory"):
        load_network(tmp_path, factory=lambda row, m: nn.Linear(row[0], m))
    with pytest.raises(ArtifactError, match=r"network\.json: no network today"):
        load_network(tmp_path, factory=fail)


def fail(row, n_outputs):  # noqa: ARG001 - it fails at once
    raise RuntimeError("no network today")


def test_a_kind_knows_its_own_files_only():
    kind = NETWORK
    own = ["network.json", "network-0123456789abcdef.npz"]
    own += [f".{name}.semikd-0123abcd" for name in own]
    assert all(kind.owns(name) for name in own)
    others = [
        "model.json",
        "network.npz",
        "network-0123456789ABCDEF.npz",
        "xnetwork.json",
    ]
    assert not any(kind.owns(name) for name in [*others, "network.json\n", ""])
