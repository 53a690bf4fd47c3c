"""Tables in files through the estimators: the models of the same tables in memory."""

import numpy as np
import pytest

from semikd import cross_fit
from semikd.losses import ProbabilityLoss
from semikd.nets import MappedRows
from semikd.networks import Training, prepare
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

N = 400
# The order of the rows of a file is that of the file, in memory it is one of content:
# without mini-batches, and with no row to watch, the order only shows in the rounding.
WHOLE = {
    "max_epochs": 30,
    "batch_size": None,
    "validation_fraction": 0.0,
    "learning_rate": 0.02,
    "device": "cpu",
    "dtype": "float64",
    "random_state": 0,
}


pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture(scope="module")
def table():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(N, 4)) * [1.0, 50.0, 1e-3, 1.0] + [0.0, 900.0, 1.0, 0.0]
    X[:, 3] = 7.0
    X = X.astype(np.float32)
    return X, (X[:, 0] > 0).astype(int)


@pytest.fixture
def mapped(table, tmp_path):
    np.save(tmp_path / "table.npy", table[0])
    found = np.load(tmp_path / "table.npy", mmap_mode="r")
    assert isinstance(found, np.memmap)
    return found


@pytest.fixture
def in_parts(monkeypatch):
    """Read tables in parts of 37 rows, and note the largest read."""
    monkeypatch.setattr("semikd.networks.prepared._PART", 37)
    monkeypatch.setattr("semikd.networks.estimator._PART", 37)


@pytest.mark.usefixtures("in_parts")
def test_moments_in_parts_are_those_of_the_whole(table, mapped):
    draws = np.random.default_rng(1)
    weight = draws.integers(0, 3, N) * draws.random(N)
    target = np.zeros((N, 1))
    one, other = (prepare(X, target, weight).encoding for X in (table[0], mapped))
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-13)
    np.testing.assert_allclose(one.scale, other.scale, rtol=1e-12)
    assert other.scale[3] == 1.0
    unweighted = prepare(mapped, target, np.ones(N)).encoding
    assert np.abs(unweighted.mean - other.mean).max() > 1e-3


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("weighted", [False, True])
def test_the_model_of_a_table_in_a_file_is_that_of_memory(weighted, table, mapped):
    X, y = table
    weight = np.random.default_rng(2).random(N) if weighted else None
    known = TorchClassifier((8,), **WHOLE).fit(X, y, sample_weight=weight)
    found = TorchClassifier((8,), **WHOLE).fit(mapped, y, sample_weight=weight)
    np.testing.assert_allclose(
        known.predict_proba(X), found.predict_proba(X), atol=1e-9
    )
    # Rows of a file are standardised as they are read.
    np.testing.assert_array_equal(found.predict_proba(X), found.predict_proba(mapped))
    assert (found.predict(mapped) == y).mean() > 0.9


def test_a_student_of_a_table_in_a_file_is_that_of_memory(table, mapped):
    X, _ = table
    target = 1.0 / (1.0 + np.exp(-3.0 * X[:, :1].astype(float)))
    loss = ProbabilityLoss()
    known = TorchStudent((8,), **WHOLE).fit_target(X, target, loss=loss)
    found = TorchStudent((8,), **WHOLE).fit_target(mapped, target, loss=loss)
    np.testing.assert_allclose(known.scores(X), found.scores(mapped), atol=1e-9)
    many = TorchStudent((8,), **WHOLE).fit_many(mapped, [target, 1 - target], loss=loss)
    np.testing.assert_allclose(many[0].scores(X), known.scores(X), atol=1e-9)


def test_mini_batches_of_a_file_learn_as_well_as_those_of_memory(table, mapped):
    X, y = table
    settings = {"max_epochs": 30, "batch_size": 32, "device": "cpu", "random_state": 0}
    losses = [
        TorchClassifier((8,), **settings).fit(given, y).history_[-1].train_loss
        for given in (X, mapped)
    ]
    assert max(losses) < 0.4
    assert abs(losses[0] - losses[1]) < 0.05


def test_mini_batches_of_a_sorted_file_are_those_of_memory(table, tmp_path):
    X, y = table
    # The order that a table in memory is put into.
    order = prepare(X, y[:, None].astype(float), np.ones(N)).order
    np.save(tmp_path / "sorted.npy", X[order])
    mapped = np.load(tmp_path / "sorted.npy", mmap_mode="r")
    settings = {"max_epochs": 10, "batch_size": 32, "device": "cpu", "random_state": 0}
    known, found = (
        TorchClassifier((8,), **settings, dtype="float64").fit(given, y[order])
        for given in (X[order], mapped)
    )
    np.testing.assert_allclose(
        known.predict_proba(X), found.predict_proba(X), atol=1e-9
    )
    assert known.n_iter_ == found.n_iter_


def test_folds_of_a_table_in_a_file_are_those_of_memory(table, mapped):
    X, y = table
    teacher = TorchClassifier((8,), **WHOLE)
    known, found = (
        cross_fit(teacher, given, y, cv=3, random_state=0) for given in (X, mapped)
    )
    np.testing.assert_array_equal(known.fold, found.fold)
    np.testing.assert_allclose(known.prediction, found.prediction, atol=1e-9)


def test_all_rows_at_once_are_read_into_memory(table, mapped):
    X, y = table
    settings = {"solver": "lbfgs", "dtype": "float64", "weight_decay": 0.01}
    known, found = (
        TorchClassifier((), **settings, random_state=0).fit(given, y).predict_proba(X)
        for given in (X, mapped)
    )
    np.testing.assert_array_equal(known, found)


def test_a_fit_reads_no_more_than_a_batch_at_a_time(mapped, table, monkeypatch):
    reads = []
    original = MappedRows.take

    def take(self, index):
        reads.append(index.numel())
        return original(self, index)

    monkeypatch.setattr(MappedRows, "take", take)
    TorchClassifier((4,), max_epochs=2, batch_size=50, device="cpu").fit(
        mapped, table[1]
    )
    batches = [n for n in reads if n > 2]
    assert len(batches) > 10
    # Beside the batches, only the rows that watch the loss.
    assert max(batches) <= 50


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [TorchClassifier, TorchStudent])
def test_a_gap_in_a_file_is_refused_in_one_line(value, kind, table, tmp_path):
    X, y = table[0].copy(), table[1]
    X[390, 2] = value
    np.save(tmp_path / "gap.npy", X)
    mapped = np.load(tmp_path / "gap.npy", mmap_mode="r")
    message = "X must be finite where it is memory-mapped; got NaN or infinity in col"
    with pytest.raises(ValueError, match=message + "umn 2. Fill the gaps, or load"):
        kind((4,), device="cpu").fit(mapped, y)
    # A row of weight zero may hold anything.
    weight = np.where(np.arange(N) == 390, 0.0, 1.0)
    settings = {"max_epochs": 1, "device": "cpu", "random_state": 0}
    fitted = kind((4,), **settings).fit(mapped, y, sample_weight=weight)
    assert np.isfinite(fitted.predict_proba(table[0])).all()


def test_later_parts_with_gaps_are_refused(table, mapped, tmp_path):
    X, y = table
    fitted = TorchClassifier((4,), max_epochs=1, device="cpu").partial_fit(mapped, y)
    gap = X.copy()
    gap[0, 1] = np.nan
    np.save(tmp_path / "gap.npy", gap)
    later = np.load(tmp_path / "gap.npy", mmap_mode="r")
    with pytest.raises(ValueError, match="X must be finite where it is memory-mapped"):
        fitted.partial_fit(later, y)


def test_a_file_of_images_or_whole_numbers_is_read(table, tmp_path):
    X, y = table
    whole = np.round(X * 10).astype(np.int32)
    np.save(tmp_path / "whole.npy", whole)
    mapped = np.load(tmp_path / "whole.npy", mmap_mode="r")
    known, found = (
        TorchClassifier((4,), **WHOLE).fit(given, y).predict_proba(whole)
        for given in (whole, mapped)
    )
    np.testing.assert_array_equal(known, found)


def test_checkpoints_of_a_file_are_those_of_that_file(table, mapped, tmp_path):
    _, y = table
    training = Training(checkpoint=tmp_path / "state")
    teacher = TorchClassifier((4,), **{**WHOLE, "max_epochs": 2}, training=training)
    first, again = (teacher.fit(mapped, y).predict_proba(mapped) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.save(tmp_path / "other.npy", np.asarray(mapped) * 2.0)
    teacher.fit(np.load(tmp_path / "other.npy", mmap_mode="r"), y)
    assert len(list((tmp_path / "state").iterdir())) == 2
