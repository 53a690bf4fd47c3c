"""What is saved is small, quick, the same each time, and refused where it cannot be."""

import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBClassifier

from semikd import LinearStudent, TorchStudent, load_dataset
from semikd.artifact import (
    ForeignStudent,
    LinearArrays,
    ShippedModel,
    load_model,
    save_model,
    ship,
)
from semikd.encoding import CategoryColumn, Encoder, NumberColumn, Scaling
from semikd.exceptions import ArtifactError
from semikd.losses import CrossEntropyLoss, ProbabilityLoss
from semikd.students import as_student

SPARE = 8192


def plain_encoder(table, *, one_hot):
    """Return an encoder of all columns, its categories in order."""
    columns = []
    for name in table:
        cells = table[name]
        if pd.api.types.is_numeric_dtype(cells):
            moments = (cells.median(), cells.mean(), max(cells.std(), 1e-9))
            scaling = Scaling(*map(float, moments)) if one_hot else None
            columns.append(NumberColumn(name, scaling))
        else:
            kinds = tuple(sorted(set(cells.dropna().astype(str))))
            columns.append(CategoryColumn(name, kinds, one_hot=one_hot))
    return Encoder(tuple(columns))


@pytest.fixture(scope="module")
def adult():
    """The columns and labels of Adult."""
    if not os.environ.get("SEMIKD_DATA"):
        pytest.skip("SEMIKD_DATA does not name a folder with the data files")
    data = load_dataset("adult")
    return data.X.reset_index(drop=True), np.asarray(data.y)


STUDENTS = {
    "a tree of 128 leaves": DecisionTreeRegressor(max_leaf_nodes=128, random_state=0),
    "50 trees of 31 leaves": RandomForestRegressor(
        50, max_leaf_nodes=31, max_samples=4000, random_state=0
    ),
    "linear scores": LinearStudent(),
    "a network": TorchStudent((64, 64), max_epochs=1, random_state=0),
}


@pytest.mark.parametrize("name", STUDENTS)
def test_a_model_of_adult_is_small_and_exact(name, adult, tmp_path, record_property):
    table, y = adult
    linear = name in {"linear scores", "a network"}
    encoder = plain_encoder(table, one_hot=linear)
    features, unknown = encoder.encode(table)
    assert unknown == {}
    loss = CrossEntropyLoss() if linear else ProbabilityLoss()
    classes, codes = np.unique(y, return_inverse=True)
    p = 0.02 + 0.96 * np.eye(2)[codes]
    rows = np.arange(8000)
    student = as_student(STUDENTS[name])
    student.fit_target(features[rows], loss.phi(p[rows]), loss=loss)
    fitted = SimpleNamespace(student_=student.learner, loss_=loss, classes_=classes)
    n_bytes = save_model(ship(fitted, encoder, target="income"), tmp_path)
    model = load_model(tmp_path)

    files = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert n_bytes == files
    told = model.describe()
    assert n_bytes <= 2 * told["bare_bytes"] + told["category_bytes"] + SPARE
    want = loss.probabilities(student.scores(features))
    for frame in (table, pl.from_pandas(table)):
        got = model.predict_proba(frame)
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-9)
    record_property("bytes", n_bytes)
    row = {column: [table[column].iloc[0]] for column in table}
    np.testing.assert_allclose(model.predict_proba(row), want[:1], rtol=0, atol=1e-9)


def small_model(target="price", **options):
    """Return a model of one column."""
    encoder = Encoder((NumberColumn("x", Scaling(0.0, 0.0, 1.0)),))
    student = LinearArrays(np.array([[0.5]]), np.array([1.0]))
    return ShippedModel(encoder, student, "identity", None, target=target, **options)


def test_the_same_model_gives_the_same_bytes_and_comes_back(tmp_path):
    model = small_model(target="prix é \u202e </script>", about={"created": None})
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_model(model, tmp_path / name)
    a, b = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in "ab")
    assert a == b
    assert set(a) == {"model.json", "model.npz"}
    back = load_model(tmp_path / "a")
    assert (back.target, back.about) == (model.target, {"created": None})
    assert back.encoder == model.encoder
    assert json.loads(a["model.json"])["format"] == "semikd-model"
    # numpy reads the arrays as they are.
    assert np.load(tmp_path / "a" / "model.npz")["coef"].tolist() == [[0.5]]


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    with pytest.raises(ValueError, match="directory must be an existing folder; got"):
        save_model(small_model(), tmp_path / "none")
    save_model(small_model(), tmp_path)
    before = (tmp_path / "model.json").read_bytes()
    with pytest.raises(ValueError, match=r"directory must hold no model.json yet"):
        save_model(small_model(target="other"), tmp_path)
    assert (tmp_path / "model.json").read_bytes() == before


def test_a_model_that_could_not_be_read_again_is_not_written(tmp_path, monkeypatch):
    with pytest.raises(ArtifactError, match=r"model.json: .*surrogates not allowed"):
        save_model(small_model(target="\ud800"), tmp_path)
    monkeypatch.setattr("semikd.artifact.saving.MAX_ARRAYS", 100)
    with pytest.raises(ValueError, match="model must have arrays of at most 100 bytes"):
        save_model(small_model(), tmp_path)
    monkeypatch.undo()
    caps = {"model.json": 10, "model.npz": 10_000}
    monkeypatch.setattr("semikd.artifact.saving.MAX_BYTES", caps)
    with pytest.raises(ValueError, match=r"at most 10 bytes in model.json; got"):
        save_model(small_model(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "none", "empty"])
def test_what_is_no_model_folder_is_refused_in_one_line(name, tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="must be a folder with a saved model") as e:
        load_model(tmp_path / name)
    assert "\n" not in str(e.value)
    assert name in str(e.value)


def test_a_path_that_cannot_exist_is_no_model_folder():
    with pytest.raises(ArtifactError, match="got nothing of that name"):
        load_model("x" * 5000)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are unknown")
def test_a_refused_file_is_not_left_open(tmp_path):
    (tmp_path / "model.json").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(ArtifactError, match="regular file"):
            load_model(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def rows(n=300, seed=0):
    """Return float32 columns."""
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


FOREIGN = {
    "neighbours": (KNeighborsRegressor(), ProbabilityLoss(), 3),
    "boosting": (
        HistGradientBoostingRegressor(max_iter=5, random_state=0),
        ProbabilityLoss(),
        2,
    ),
    "boosting for each": (
        HistGradientBoostingRegressor(max_iter=5, random_state=0),
        ProbabilityLoss(),
        3,
    ),
    "LightGBM regressor": (
        LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1, random_state=0),
        ProbabilityLoss(),
        2,
    ),
    "LightGBM": (
        LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1, random_state=0),
        CrossEntropyLoss(),
        3,
    ),
    "XGBoost": (
        XGBClassifier(n_estimators=5, n_jobs=1, random_state=0),
        CrossEntropyLoss(),
        2,
    ),
}


def foreign(learner, loss, n_classes):
    """Return a fitted student of another library, and the model that is shipped."""
    X = rows()
    p = np.random.default_rng(1).dirichlet(np.ones(n_classes), size=len(X))
    student = as_student(learner).fit_target(X, loss.phi(p), loss=loss)
    fitted = SimpleNamespace(
        student_=student.learner, loss_=loss, classes_=np.arange(n_classes)
    )
    encoder = Encoder(tuple(NumberColumn(f"x{i}") for i in range(3)))
    return student, ship(fitted, encoder, target="y")


@pytest.mark.parametrize("name", FOREIGN)
def test_students_of_other_libraries_come_back(name, tmp_path):
    student, model = foreign(*FOREIGN[name])
    n_bytes = save_model(model, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model.json", "student.skops"}
    assert n_bytes == sum(path.stat().st_size for path in tmp_path.iterdir())
    back = load_model(tmp_path)
    assert isinstance(back.student, ForeignStudent)
    X = rows(seed=2)
    np.testing.assert_allclose(back.scores(X), student.scores(X), rtol=0, atol=1e-9)
    table = {f"x{i}": X[:, i] for i in range(3)}
    assert (back.predict(table) == model.predict(table)).all()
    assert back.describe()["learner"] == type(model.student.learner).__name__
    assert n_bytes <= 2 * back.student.bare_bytes + SPARE


def test_students_of_other_libraries_can_be_declined(tmp_path):
    save_model(foreign(*FOREIGN["neighbours"])[1], tmp_path)
    with pytest.raises(ArtifactError, match=r"plain arrays; .*foreign=True if you"):
        load_model(tmp_path, foreign=False)


class Own(RegressorMixin, BaseEstimator):
    """A regressor that only its author knows."""

    def fit(self, X, y):
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X):
        return np.zeros(len(X))


def test_types_that_are_not_known_are_neither_written_nor_read(tmp_path):
    import skops.io

    X = rows()
    own = ForeignStudent.of(Own().fit(X, X[:, 0]))
    encoder = Encoder(tuple(NumberColumn(f"x{i}") for i in range(3)))
    model = ShippedModel(encoder, own, "identity", None)
    with pytest.raises(TypeError, match=r"types that are known to be safe; got .*Own"):
        save_model(model, tmp_path)
    assert list(tmp_path.iterdir()) == []
    resign(tmp_path, skops.io.dumps(own.learner))
    with pytest.raises(ArtifactError, match=r"hold known types only; got '.*Own'"):
        load_model(tmp_path)


def resign(folder, data, **entries):
    """Write a model folder with these bytes as its student, signed as an attacker."""
    from semikd._files.checks import digest
    from semikd._files.signed import signed_json

    learner = KNeighborsRegressor(1).fit(rows(), rows()[:, 0])
    encoder = Encoder(tuple(NumberColumn(f"x{i}") for i in range(3)))
    model = ShippedModel(encoder, ForeignStudent.of(learner), "identity", None)
    for path in folder.iterdir():
        path.unlink()
    save_model(model, folder)
    content = json.loads((folder / "model.json").read_bytes())
    del content["sha256"]
    stated = {"bytes": len(data), "sha256": digest(data)}
    content["files"] = {"student.skops": stated}
    content["student"] |= entries
    (folder / "student.skops").write_bytes(data)
    (folder / "model.json").write_bytes(signed_json(content))


def test_a_hostile_skops_file_is_one_line(tmp_path):
    import skops.io

    good = skops.io.dumps(DummyRegressor().fit(rows(), rows()[:, 0]))
    for data, entries, message in [
        (b"", {}, "must be a zip archive"),
        (b"PK" + bytes(500), {}, "must be a zip archive"),
        (good[:-30], {}, "must be a zip archive"),
        (good, {"adapter": "eval"}, "read by one of lightgbm, regressor, xgboost"),
        (good, {"n_outputs": 0}, "be a student that skops can read"),
        (good, {"n_features": 4}, "have 4 columns"),
        (bytes(0) + good.replace(b"schema.json", b"schemb.json"), {}, "can read; got"),
    ]:
        resign(tmp_path, data, **entries)
        with pytest.raises(ArtifactError, match=message) as raised:
            load_model(tmp_path)
        assert "\n" not in str(raised.value)


def test_without_skops_one_line_says_what_to_install(tmp_path, monkeypatch):
    model = foreign(*FOREIGN["neighbours"])[1]
    save_model(model, tmp_path)
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"run `pip install 'semikd\[skops\]'`"):
        load_model(tmp_path)
    (tmp_path / "other").mkdir()
    with pytest.raises(ImportError, match="saved and loaded by skops"):
        save_model(model, tmp_path / "other")
