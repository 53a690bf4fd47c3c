"""Damaged, foreign and hostile folders: one line each, in a process of little memory.

The attacker knows the format: whatever is changed is signed anew, unless the test is
about damage.
"""

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from semikd.artifact import (
    LinearArrays,
    NetworkArrays,
    ShippedModel,
    load_model,
    save_model,
    ship,
)
from semikd.encoding import CategoryColumn, Encoder, NumberColumn, Scaling
from semikd.losses import ProbabilityLoss

WIDTH = 4
MEMORY = 1 << 30
SECONDS = 120

# Loads one folder after the other and says what came of each; a model must answer.
CHILD = """
import json, resource, sys, traceback
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
import numpy as np
from semikd.artifact import load_model
for folder in json.load(open(sys.argv[1])):
    try:
        model = load_model(folder)
        table = {column.name: [0, 1.5, None, "red"] for column in model.encoder.columns}
        answers = model.scores(model.encode(table)[0])
        if model.classes is not None:
            answers = model.predict_proba(table)
            model.predict(table)
        said = ["model", bool(np.isfinite(answers).all()), ""]
    except Exception as error:
        said = [type(error).__name__, False, str(error)]
    print(json.dumps([folder, *said]), flush=True)
print(json.dumps(sorted({"sklearn", "torch", "pandas", "skops"} & set(sys.modules))))
"""


def load_all(folders, tmp_path, *, memory=MEMORY):
    """Return what loading each folder said, in one process with a memory limit."""
    listed = tmp_path / "folders.json"
    listed.write_text(json.dumps([str(folder) for folder in folders]))
    run = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", CHILD, str(listed), str(memory)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stderr == ""
    *lines, heavy = [json.loads(line) for line in run.stdout.splitlines()]
    assert heavy == []
    return {Path(folder).name: answer for folder, *answer in lines}


def is_refused(answer):
    """Return whether loading ended in one printable line of ours."""
    kind, _, line = answer
    return kind == "ArtifactError" and line.isprintable() and 10 < len(line) < 1500


def encoder():
    """Return an encoder of numbers and one category."""
    numbers = [NumberColumn(f"x{i}", Scaling(0.0, 0.5, 2.0)) for i in range(WIDTH - 1)]
    return Encoder((*numbers, CategoryColumn("colour", ("blue", "red"))))


def model(kind):
    """Return a small model of each kind."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, WIDTH)).astype(np.float32)
    X[:20, 0] = np.nan
    p = rng.dirichlet(np.ones(3), size=300)
    trees = {
        "tree": DecisionTreeRegressor(max_leaf_nodes=12, random_state=0),
        "forest": RandomForestRegressor(4, max_leaf_nodes=6, random_state=0),
    }
    if kind in trees:
        fitted = SimpleNamespace(
            student_=trees[kind].fit(X, p),
            loss_=ProbabilityLoss(),
            classes_=list("abc"),
        )
        return ship(fitted, encoder(), target="y", about={"created": "2026-01-02"})
    columns = Encoder(encoder().columns[: WIDTH - 1])
    if kind == "linear":
        student = LinearArrays(rng.normal(size=(1, WIDTH - 1)), np.array([0.1]))
        return ShippedModel(columns, student, "cross_entropy", ("no", "yes"))
    student = NetworkArrays(
        np.zeros(WIDTH - 1),
        np.ones(WIDTH - 1),
        (rng.normal(size=(5, WIDTH - 1)).astype(np.float32), rng.normal(size=(1, 5))),
        (np.zeros(5), np.zeros(1)),
    )
    return ShippedModel(columns, student, "identity", None)


KINDS = ["tree", "forest", "linear", "network"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One good folder of each kind."""
    root = tmp_path_factory.mktemp("good")
    for kind in KINDS:
        (root / kind).mkdir()
        save_model(model(kind), root / kind)
    return root


class Forger:
    """Somebody who knows the format and changes a saved model."""

    def __init__(self, folder):
        self.folder = folder
        self.npz, self.json = folder / "model.npz", folder / "model.json"
        self.content = json.loads(self.json.read_bytes())
        with np.load(self.npz) as arrays:
            self.arrays = dict(arrays)

    def sign(self):
        """Write model.json with the size and hash of the arrays and of itself."""
        if self.npz.is_file() and self.npz.stat().st_size < 1 << 30:
            data = self.npz.read_bytes()
            stated = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            self.content["files"] = {"model.npz": stated}
        self.content.pop("sha256", None)
        text = json.dumps(
            self.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        signed = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self.json.write_text(json.dumps({**self.content, "sha256": signed}))

    def exchange(self, **arrays):
        """Write other arrays, as numpy itself does."""
        np.savez_compressed(self.npz, **{**self.arrays, **arrays})
        self.sign()

    def members(self, extra, *, without=()):
        """Write raw members beside the arrays, some of them left out."""
        with (
            warnings.catch_warnings(),
            zipfile.ZipFile(self.npz, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            warnings.filterwarnings("ignore", "Duplicate name")
            for name, array in self.arrays.items():
                if name not in without:
                    file = io.BytesIO()
                    np.lib.format.write_array(file, array, version=(1, 0))
                    archive.writestr(f"{name}.npy", file.getvalue())
            for name, content in extra:
                archive.writestr(name, content)
        self.sign()

    def entry(self, **entries):
        """Exchange entries of model.json."""
        self.content |= entries
        self.sign()

    def student(self, **entries):
        """Exchange entries about the student."""
        self.entry(student={**self.content["student"], **entries})


def header(text, payload=b"", version=b"\x01\x00"):
    """Return an array file with this header."""
    body = text.encode() + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(body)) + body + payload


def shaped(shape, descr="<f4", payload=b"1234"):
    """Return an array file that says it has this shape."""
    return header(
        f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}", payload
    )


class Evil:
    """What a pickle would run."""

    def __reduce__(self):
        return (os.system, ("touch /tmp/semikd-was-here",))


def put(array, at, value, dtype=None):
    """Return a copy with one entry changed."""
    copy = array.astype(dtype or array.dtype)
    copy[at] = value
    return copy


def _child(value):
    return lambda f: f.exchange(left=put(f.arrays["left"], 0, value, np.uint32))


def _cycle(f):
    last = np.flatnonzero(f.arrays["left"])[-1]
    f.exchange(left=put(f.arrays["left"], last, 1))


def _self_loop(f):
    inner = np.flatnonzero(f.arrays["left"])[1]
    f.exchange(left=put(f.arrays["left"], inner, inner))


def _two_parents(f):
    f.exchange(right=put(f.arrays["right"], 0, f.arrays["left"][0]))


def _chain(f):
    n = 2 * 20_000 + 1
    left, right = np.zeros(n, dtype=np.uint32), np.zeros(n, dtype=np.uint32)
    at = np.arange(0, n - 2, 2)
    left[at], right[at] = at + 1, at + 2
    inner = len(at)
    f.exchange(
        left=left,
        right=right,
        feature=np.zeros(inner, dtype=np.uint8),
        threshold=np.zeros(inner, dtype=np.float32),
        missing_left=np.zeros(-(-inner // 8), dtype=np.uint8),
        leaf_value=np.zeros((inner + 1, 3)),
        leaf_cover=np.zeros(inner + 1, dtype=np.float32),
    )


def _pickled(f):
    array = np.array([Evil()], dtype=object)
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    f.members([("left.npy", file.getvalue())], without=["left"])


def _not_an_array(f):
    f.members([("left.npy", pickle.dumps(Evil()))], without=["left"])


def _long_size(f):
    data = f.npz.read_bytes()
    f.npz.unlink()
    f.entry(files={"model.npz": {"bytes": "k" * 10**6, "sha256": ""}})
    f.npz.write_bytes(data)


def _bomb(f):
    zeros = bytes(1 << 20)
    with zipfile.ZipFile(f.npz, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in f.arrays:
            with archive.open(f"{name}.npy", "w") as member:
                member.write(shaped(f"({1 << 27},)", "|u1", b""))
                for _ in range(128 if name == "left" else 1):
                    member.write(zeros)
    f.sign()


def _lying_bomb(f):
    """A member of 64 MiB that says it has 100 bytes, in both places."""
    f.members(
        [("left.npy", shaped("(67108864,)", "|u1", bytes(1 << 26)))], without=["left"]
    )
    data = bytearray(f.npz.read_bytes())
    size = struct.pack("<L", len(shaped("(67108864,)", "|u1", b"")) + (1 << 26))
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = struct.pack("<L", 100)
    f.npz.write_bytes(data)
    f.sign()


def _central(f, offset, value, form="<L"):
    """Change a field of the first entry of the directory."""
    data = bytearray(f.npz.read_bytes())
    at = data.find(b"PK\1\2") + offset
    data[at : at + struct.calcsize(form)] = struct.pack(form, value)
    f.npz.write_bytes(data)
    f.sign()


def _end(f, change):
    """Change the end of the archive."""
    f.npz.write_bytes(change(f.npz.read_bytes()))
    f.sign()


def _other_end(f):
    """A 64-bit end of the directory, hidden in the comment of the last member."""
    with zipfile.ZipFile(f.npz, "w") as archive:
        info = zipfile.ZipInfo("left.npy")
        info.comment = b"PK\6\7" + bytes(16)
        archive.writestr(info, b"")
    f.sign()


def _many_members(f):
    f.members([(f"{i}", b"") for i in range(5000)])


def _sparse(name):
    def attack(f):
        with open(f.folder / name, "r+b") as file:
            file.truncate(10_000_000_000)

    return attack


def _link(name, to):
    def attack(f):
        (f.folder / name).unlink()
        (f.folder / name).symlink_to(to)

    return attack


def _pipe(f):
    f.json.unlink()
    os.mkfifo(f.json)


def _folder_as_file(f):
    f.json.unlink()
    f.json.mkdir()


def _text(text):
    def attack(f):
        f.json.write_bytes(text if isinstance(text, bytes) else text.encode())

    return attack


def _swap(old, new):
    """Change the text of model.json, unsigned."""
    return lambda f: f.json.write_text(f.json.read_text().replace(old, new, 1))


def _unsigned(f):
    f.json.write_text(json.dumps({**f.content, "sha256": None}))


def _arrays(**arrays):
    return lambda f: f.exchange(**arrays)


def _entry(**entries):
    return lambda f: f.entry(**entries)


def _student(**entries):
    return lambda f: f.student(**entries)


def _shape(shape, descr="<f4", payload=b"1234"):
    content = shaped(shape, descr, payload)
    return lambda f: f.members([("threshold.npy", content)], without=["threshold"])


def _column(**entries):
    def attack(f):
        f.content["encoder"]["columns"][0] |= entries
        f.sign()

    return attack


# Name -> kind of the model, the attack, and words of the one line that follows.
ATTACKS = {
    # Trees.
    "child of a billion": ("tree", _child(10**9), "must be above 0 and below 23"),
    "child of minus one": ("tree", _child(2**32 - 1), "got 4294967295"),
    "self-loop": ("tree", _self_loop, "child of node"),
    "cycle": ("tree", _cycle, "child of node"),
    "two parents": ("tree", _two_parents, "each node once"),
    "no child": ("tree", _child(0), "must have 10 entries"),
    "chain": ("tree", _chain, "10,000 levels deep"),
    "huge children": (
        "tree",
        _arrays(left=np.full(23, 2**64 - 2, dtype=np.uint64)),
        "entries",
    ),
    "many nodes": (
        "tree",
        _arrays(left=np.zeros(10_000_000, dtype=np.uint8)),
        "left must hold at most",
    ),
    "column": ("tree", _arrays(feature=np.full(11, 200, dtype=np.uint8)), "feature"),
    "nan threshold": (
        "tree",
        _arrays(threshold=np.full(11, np.nan, dtype=np.float32)),
        "threshold must hold finite",
    ),
    "signalling nan": (
        "tree",
        _arrays(
            leaf_value=np.full(36, 0x7F800001, np.uint32).view("f4").reshape(12, 3)
        ),
        "leaf_value must hold finite",
    ),
    "half precision": (
        "tree",
        _arrays(threshold=np.zeros(11, dtype=np.float16)),
        "plain numbers",
    ),
    "infinite value": (
        "tree",
        _arrays(leaf_value=np.full((12, 3), np.inf)),
        "leaf_value must hold finite",
    ),
    "negative cover": (
        "tree",
        _arrays(leaf_cover=np.full(12, -0.5, dtype=np.float32)),
        "cover must hold",
    ),
    "few bits": (
        "tree",
        _arrays(missing_left=np.zeros(1, dtype=np.uint8)),
        "2 entries",
    ),
    "no scores": ("tree", _arrays(leaf_value=np.zeros((12, 0))), "scores"),
    "two scores": ("tree", _arrays(leaf_value=np.zeros((12, 2))), "fit to 2 scores"),
    "wide leaves": (
        "tree",
        _arrays(leaf_value=np.zeros((12, 1_000_000), dtype=np.float32)),
        "leaf_value must hold at most",
    ),
    # Forests.
    "sizes": ("forest", _arrays(sizes=np.array([1, 43], dtype=np.uint8)), "node"),
    "sizes sum": (
        "forest",
        _arrays(sizes=np.full(4, 200, dtype=np.uint8)),
        "sum to 44",
    ),
    "sizes overflow": (
        "forest",
        _arrays(sizes=np.full(4, 2**63 + 11, dtype=np.uint64)),
        "sum to 44",
    ),
    "no sizes": ("forest", _arrays(sizes=np.zeros(0, dtype=np.uint8)), "sum to 44"),
    "many sizes": ("forest", _arrays(sizes=np.ones(20_000, np.uint16)), "10,000"),
    # Linear scores and networks.
    "infinite slope": ("linear", _arrays(coef=np.full((1, 3), np.inf)), "finite"),
    "huge slope": ("linear", _arrays(coef=np.full((1, 3), 1e300)), "finite"),
    "one slope less": ("linear", _arrays(coef=np.zeros((1, 2))), "have shape"),
    "two intercepts": ("linear", _arrays(intercept=np.zeros(2)), "have shape"),
    "zero scale": ("network", _arrays(scale=np.zeros(3)), "scale must be positive"),
    "tiny scale": ("network", _arrays(scale=np.full(3, 5e-324)), "every score finite"),
    "huge weights": ("network", _arrays(weight_0=np.full((5, 3), 1e299)), "finite"),
    "other widths": ("network", _arrays(weight_1=np.zeros((1, 4))), "have shape"),
    # Archives.
    "absurd shape": ("tree", _shape(f"({10**9}, {10**9})"), "expected kinds"),
    "absurd length": ("tree", _shape(f"({10**9},)"), "as long as their headers"),
    "negative length": ("tree", _shape("(-1,)"), "plain numbers"),
    "long header": ("tree", _shape("(" + "1, " * 9000 + ")"), "plain numbers"),
    "nested header": ("tree", _shape("(" * 9000), "another header"),
    "object header": ("tree", _shape("(1,)", "|O"), "plain numbers"),
    "other format": ("tree", _shape("(1,)", "<f8", bytes(8)), "1 entries"),
    "text header": ("tree", _shape("(1,)", "<U1"), "plain numbers"),
    "bytes of void": ("tree", _shape("(1,)", "|V4"), "plain numbers"),
    "integers for floats": ("tree", _shape("(1,)", "<u4"), "expected kinds"),
    "newer header": (
        "tree",
        lambda f: f.members(
            [("threshold.npy", header("{}", version=b"\x02\x00"))],
            without=["threshold"],
        ),
        "another header",
    ),
    "empty member": (
        "tree",
        lambda f: f.members([("threshold.npy", b"")], without=["threshold"]),
        "another header",
    ),
    "pickled objects": ("tree", _pickled, "plain numbers"),
    "pickle": ("tree", _not_an_array, "plain numbers"),
    "bomb": ("tree", _bomb, "unpack to at most"),
    "lying bomb": ("tree", _lying_bomb, "archive of arrays"),
    "ten gigabytes declared": (
        "tree",
        lambda f: _central(f, 24, 4_000_000_000),
        "unpack to at most",
    ),
    "wrong checksum": ("tree", lambda f: _central(f, 16, 7), "Bad CRC-32"),
    "encrypted": ("tree", lambda f: _central(f, 8, 1, "<H"), "plain archive"),
    "other method": ("tree", lambda f: _central(f, 10, 14, "<H"), "plain archive"),
    "wrong place": ("tree", lambda f: _central(f, 42, 2_000_000_000), "archive of"),
    "extra member": ("tree", lambda f: f.members([("more.npy", b"")]), "more.npy"),
    "missing member": ("tree", lambda f: f.members([], without=["left"]), "left.npy"),
    "path as name": (
        "tree",
        lambda f: f.members([("../../evil.npy", b"")]),
        "evil.npy",
    ),
    "many members": ("tree", _many_members, "at most 256 members"),
    "twice": (
        "tree",
        lambda f: f.members([("left.npy", b"")]),
        "each member once",
    ),
    "other end": ("tree", _other_end, "end as a plain archive"),
    "comment": (
        "tree",
        lambda f: _end(f, lambda data: data[:-2] + b"\x01\x00x"),
        "zip archive",
    ),
    "something before": ("tree", lambda f: _end(f, lambda data: b"x" + data), "plain"),
    "cut archive": ("tree", lambda f: _end(f, lambda data: data[:-30]), "zip archive"),
    "empty archive": ("tree", lambda f: _end(f, lambda _: b""), "zip archive"),
    "not an archive": ("tree", lambda f: _end(f, lambda _: bytes(500)), "zip archive"),
    # Files.
    "large arrays": ("tree", _sparse("model.npz"), "have at most 67,108,864 bytes"),
    "large text": ("tree", _sparse("model.json"), "have at most 8,388,608 bytes"),
    "linked text": ("tree", _link("model.json", "/etc/passwd"), "be a regular file"),
    "linked arrays": ("tree", _link("model.npz", "/dev/zero"), "be a regular file"),
    "device": ("tree", _link("model.json", "/dev/zero"), "be a regular file"),
    "pipe": ("tree", _pipe, "be a regular file; got something else"),
    "folder as file": ("tree", _folder_as_file, "be a regular file"),
    "no arrays": ("tree", lambda f: f.npz.unlink(), "got No such file"),
    "no text": ("tree", lambda f: f.json.unlink(), "model.json is missing"),
    "nothing": ("tree", lambda f: shutil.rmtree(f.folder), "got nothing of that name"),
    # Text.
    "empty text": ("tree", _text(""), "must be JSON"),
    "no JSON": ("tree", _text("format = semikd-model"), "must be JSON"),
    "a list": ("tree", _text("[]"), "must be a JSON object; got list"),
    "no UTF-8": ("tree", _text(b'{"a": "\xff"}'), "must be JSON"),
    "deep": ("tree", _text("[" * 1_000_000), "nested at most 32 deep"),
    "deep and closed": ("tree", _text("[" * 50_000 + "]" * 50_000), "at most 32 deep"),
    "deep objects": ("tree", _text('{"a":' * 1_000_000), "nested at most 32 deep"),
    "deep after a quote": ("tree", _text('"' + '\\"' * 1_000_000), "must be JSON"),
    "quotes": ("tree", _text('"' * 3_000_001), "must be JSON"),
    "many lists": ("tree", _text("[" + "[]," * 2_000_000 + "[]]"), "JSON object"),
    "long number": ("tree", _text('{"version": ' + "9" * 10_000 + "}"), "must be JSON"),
    "nan": ("tree", _swap('"threshold":0.5', '"threshold":NaN'), "the number NaN"),
    "infinity": (
        "tree",
        _swap('"threshold":0.5', '"threshold":1e999'),
        "Out of range float",
    ),
    "name twice": ("tree", _swap("{", '{"format":"x",'), "1 repeated name"),
    "changed target": ("tree", _swap('"y"', '"z"'), "agree with its hash"),
    "not ours": ("tree", _text('{"format": "other"}'), "of the format 'semikd-model'"),
    "a foreign file": ("tree", _text('{"nodes": []}'), "of the format"),
    "newer": ("tree", _entry(version=2), "Install a newer semikd"),
    "version of text": ("tree", _entry(version="1"), "have a version; got '1'"),
    "version true": ("tree", _entry(version=True), "have a version; got True"),
    "no version": ("tree", _entry(version=None), "have a version"),
    "extra entry": ("tree", _entry(code="import os"), "'code' missing or too many"),
    "no hash": (
        "tree",
        lambda f: f.json.write_text(json.dumps(f.content | {"sha256": None})),
        "agree with its hash",
    ),
    "surrogate": ("tree", _entry(target="\ud800"), "surrogates not allowed"),
    "files of a path": (
        "tree",
        lambda f: (
            f.content.__setitem__("files", {"../x": {}}),
            f.npz.unlink(),
            f.sign(),
        ),
        "name the one file model.npz",
    ),
    # Entries.
    "kind": ("tree", _student(kind="pickle"), "student must be one of"),
    "kind of a list": ("tree", _student(kind=["tree"]), "student must be one of"),
    "another kind": (
        "tree",
        _student(kind="linear"),
        "arrays must be those of a linear",
    ),
    "no columns": ("tree", _student(n_features=0), "between 1 and 1,000,000"),
    "true columns": ("tree", _student(n_features=True), "between 1 and 1,000,000"),
    "other columns": ("tree", _student(n_features=9), "student must have 4 columns"),
    "many arrays": ("tree", _student(arrays=["left"] * 100_000), "those of a tree"),
    "many layers": ("network", _student(arrays=["w"] * 100_000), "those of a network"),
    "arrays of text": ("tree", _student(arrays="left"), "those of a tree"),
    "foreign": ("tree", _student(kind="foreign"), "name the one file student.skops"),
    "link": ("tree", _entry(link="logit"), "link must be one of"),
    "other link": ("tree", _entry(link="identity"), "classes must be given for"),
    "two classes": ("tree", _entry(classes=["a", "b"]), "fit to 3 scores"),
    "no classes": ("tree", _entry(classes=None), "classes must be given for"),
    "equal classes": ("tree", _entry(classes=["a", "a", "b"]), "classes must be diff"),
    "classes of lists": ("tree", _entry(classes=[[], [], []]), "labels of the format"),
    "many classes": (
        "tree",
        _entry(classes=list(range(10**6))),
        "between 2 and 10,000",
    ),
    "long class": ("tree", _entry(classes=["a", "b", "c" * 10**6]), "labels of the"),
    "class format": ("tree", _entry(class_format="<U999999999"), "class_format must"),
    "other format of classes": ("tree", _entry(class_format="int8"), "labels of the"),
    "threshold": ("tree", _entry(threshold=1.0), "above 0 and below 1"),
    "threshold of text": ("tree", _entry(threshold="0.5"), "kind of 'threshold'"),
    "about": ("tree", _entry(about={"a": [[]]}), "hold short text"),
    "about a list": ("tree", _entry(about=[]), "another kind of 'about'"),
    "no encoder": ("tree", _entry(encoder=None), "another kind of 'encoder'"),
    "empty encoder": ("tree", _entry(encoder={}), "model.json: "),
    "column of a number": ("tree", _column(name=3), "model.json: "),
    "column kind": ("tree", _column(kind="code"), "model.json: "),
    "column of lists": ("tree", _column(scaling=[[], [], []]), "model.json: "),
    "column of zero": ("tree", _column(scaling=[0, 0, 0]), "scale must be positive"),
    "infinite fill": (
        "linear",
        _column(scaling=[3e38, -3e38, 1.0]),
        "fill must be at most 3.4e+38 units",
    ),
    "long entry": ("tree", _entry(**{"k" * 10**6: 1}), "missing or too many"),
    "long size": ("tree", _long_size, "bytes that model.json states"),
}


@pytest.fixture(scope="module")
def answers(saved, tmp_path_factory):
    """What loading each attacked folder said."""
    root = tmp_path_factory.mktemp("attacked")
    folders = []
    for name, (kind, attack, _) in ATTACKS.items():
        folder = root / name
        shutil.copytree(saved / kind, folder)
        attack(Forger(folder))
        folders.append(folder)
    marker = Path("/tmp/semikd-was-here")  # noqa: S108 - what the attack would write
    marker.unlink(missing_ok=True)
    found = load_all(folders, root)
    assert not marker.exists()
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_answered_with_one_line(name, answers):
    _, _, words = ATTACKS[name]
    assert is_refused(answers[name]), answers[name]
    line = answers[name][2]
    assert words in line
    assert name in line, "the line names the folder"


def test_a_model_signed_anew_without_a_change_is_loaded(saved, tmp_path):
    folders = []
    for kind in KINDS:
        shutil.copytree(saved / kind, tmp_path / kind)
        forger = Forger(tmp_path / kind)
        forger.exchange()
        folders.append(forger.folder)
    found = load_all(folders, tmp_path)
    assert {tuple(answer) for answer in found.values()} == {("model", True, "")}


def flipped(data, rng, n_bits):
    """Return bytes with some bits turned round."""
    changed = bytearray(data)
    for at in rng.integers(0, 8 * len(data), size=n_bits):
        changed[at // 8] ^= 1 << (at % 8)
    return bytes(changed)


@pytest.mark.parametrize("kind", KINDS)
def test_every_flipped_bit_is_found(kind, saved, tmp_path):
    rng = np.random.default_rng(0)
    folders = []
    for number in range(60):
        folder = tmp_path / f"flip {number}"
        shutil.copytree(saved / kind, folder)
        path = folder / ["model.json", "model.npz"][number % 2]
        path.write_bytes(flipped(path.read_bytes(), rng, 1))
        folders.append(folder)
    found = load_all(folders, tmp_path)
    assert all(is_refused(answer) for answer in found.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_file_is_found(kind, saved, tmp_path):
    folders = []
    for name in ("model.json", "model.npz"):
        for share in (0.0, 0.1, 0.5, 0.9, 0.99):
            folder = tmp_path / f"{name} {share}"
            shutil.copytree(saved / kind, folder)
            data = (folder / name).read_bytes()
            (folder / name).write_bytes(data[: int(share * len(data))])
            folders.append(folder)
    found = load_all(folders, tmp_path)
    assert all(is_refused(answer) for answer in found.values())


def mutated(forger, rng):
    """Change a signed model at random: the archive, an array or the text."""
    way = rng.integers(3)
    if way == 0:
        forger.npz.write_bytes(
            flipped(forger.npz.read_bytes(), rng, rng.integers(1, 9))
        )
        forger.sign()
    elif way == 1:
        name = rng.choice(sorted(forger.arrays))
        array = forger.arrays[name]
        data = flipped(array.tobytes(), rng, rng.integers(1, 4))
        exchanged = np.frombuffer(data, array.dtype).reshape(array.shape)
        forger.exchange(**{name: exchanged})
    else:
        text = json.dumps(forger.content)
        changed = flipped(text.encode(), rng, rng.integers(1, 3))
        try:
            forger.content = json.loads(changed)
            forger.sign()
        except (ValueError, AttributeError, TypeError):
            forger.json.write_bytes(changed)


def test_random_changes_that_are_signed_are_refused_or_answer(saved, tmp_path):
    rng = np.random.default_rng(1)
    folders = []
    for number in range(400):
        folder = tmp_path / f"{number}"
        shutil.copytree(saved / KINDS[number % len(KINDS)], folder)
        mutated(Forger(folder), rng)
        folders.append(folder)
    found = load_all(folders, tmp_path)
    assert len(found) == 400
    models = [answer for answer in found.values() if answer[0] == "model"]
    others = [answer for answer in found.values() if answer[0] != "model"]
    assert all(is_refused(answer) for answer in others), others
    assert all(finite for _, finite, _ in models)
    # Both must happen, or the test would show nothing.
    assert len(models) > 40
    assert len(others) > 100


def test_a_model_of_the_largest_size_needs_no_endless_memory(saved, tmp_path):
    shutil.copytree(saved / "linear", tmp_path / "large")
    forger = Forger(tmp_path / "large")
    forger.exchange(coef=np.zeros((10_000_000, 3), dtype=np.float32))
    (answer,) = load_all([forger.folder], tmp_path).values()
    assert is_refused(answer)
    assert "MemoryError" not in answer[2]


def test_names_that_a_terminal_would_obey_are_shown_as_text(saved, tmp_path):
    folder = tmp_path / "a\x1b[31mb\nc"
    shutil.copytree(saved / "tree", folder)
    Forger(folder).entry(link="\x1b]0;title\x07\n\u202e")
    (answer,) = load_all([folder], tmp_path).values()
    assert is_refused(answer)
    assert "\\x1b[31mb" in answer[2]


def test_a_checksum_is_no_secret():
    # The tests above would show nothing if the forger's archives were not valid.
    assert zlib.crc32(b"123456789") == 0xCBF43926
    with pytest.raises(ValueError, match="must be a folder with a saved model"):
        load_model("no-such-folder")
