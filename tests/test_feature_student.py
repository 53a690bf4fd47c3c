"""Students of hidden layers: whose layers, which rows together, what is refused."""

import copy
import re
import textwrap
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from semikd import (
    DistilledClassifier,
    FeatureStudent,
    TorchClassifier,
    TorchStudent,
    cross_fit,
    model_labels,
)
from semikd.distillation import SelfDistilledClassifier
from semikd.exceptions import LeakageWarning
from semikd.features import (
    AttentionTransfer,
    ContrastiveRepresentation,
    Hint,
    RelationalAngle,
    RelationalDistance,
    SimilarityPreserving,
    get_features,
)
from semikd.losses import CrossEntropyLoss
from semikd.nets import Batch, ResidentRows, flip_and_crop
from semikd.networks import (
    FeatureTerm,
    NetworkOptions,
    SmallCNN,
    TeacherFeatures,
    Training,
    prepare,
)
from semikd.networks.comparing import Compared
from semikd.networks.fitting import Task
from semikd.students import as_student

pytestmark = pytest.mark.usefixtures("one_torch_thread")

VECTORS = ["similarity", "distance", "angle", "hint", "contrastive"]


def network(*widths, **settings):
    given = {"max_epochs": 3, "device": "cpu", "random_state": 0, **settings}
    return TorchClassifier(widths, **given)


def student(*widths, **settings):
    given = {"max_epochs": 3, "device": "cpu", "random_state": 0, **settings}
    return TorchStudent(widths, **given)


@pytest.fixture(scope="module")
def table():
    """Return rows of three classes, and labels with the networks of four folds."""
    draws = np.random.default_rng(0)
    X = draws.normal(size=(240, 4))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] + X[:, 2] > 0)
    record = cross_fit(network(12, 8, max_epochs=20), X, y, cv=4, random_state=0)
    return X, y, record


@pytest.fixture(scope="module")
def pictures():
    """Return images with a bright patch, left or right, and labels of folds."""
    draws = np.random.default_rng(0)
    X = draws.integers(0, 120, size=(90, 3, 8, 8)).astype(np.uint8)
    y = draws.integers(0, 2, size=90)
    for image, side in zip(X, y, strict=True):
        image[:, 2:6, 4 * side : 4 * side + 3] += 90
    teacher = TorchClassifier(SmallCNN(), max_epochs=2, device="cpu", random_state=0)
    return X, y, cross_fit(teacher, X, y, cv=3, random_state=0)


def fitted(table, learner, **settings):
    X, y, record = table
    given = {"cv": record, "random_state": 0, **settings}
    return DistilledClassifier(student=learner, **given).fit(X, y)


def view_of(X, record, losses, learner, **settings):
    """Return what compares layers, a batch of all rows and its answers."""
    prepared = prepare(X, np.zeros((len(X), 1)), np.ones(len(X)))
    options = NetworkOptions.of(learner)
    rows, target = np.arange(len(X)), np.zeros((len(X), 1))
    shown = TeacherFeatures.of(record, rows, **settings)
    term = FeatureTerm(get_features(losses), shown)
    nobody = np.zeros(len(X), dtype=bool)
    task = Task(rows, nobody, target, np.ones(len(X)), options, 0)
    task = Task(**{**vars(task), "encoding": prepared.encoding})
    torch_rows = ResidentRows(torch.from_numpy(prepared.inputs).double())
    module = copy.deepcopy(learner.fit(X, X[:, 0] > 0).module_).double()
    view = Compared(module, term, task, torch_rows, 0)
    inputs = torch_rows.take(torch.arange(len(X))[None])
    tensors = {name: t[None] for name, t in view.module.named_parameters()}
    batch = Batch(torch.arange(len(X))[None], torch.zeros(1), inputs, tensors=tensors)
    return view, batch, view.module(inputs[0])[None]


def value_of(*args, **settings):
    view, batch, answers = view_of(*args, **settings)
    ones = torch.ones(1, answers.shape[1]).double()
    return view.losses(answers, batch, ones)[0].detach()


def hidden_of(estimator, X, layer):
    """Return what a layer of a fitted network makes of rows, by hand."""
    module = copy.deepcopy(estimator.module_).double()
    inputs = torch.from_numpy(estimator.encoding_.encode(X)).double()
    return module[: layer + 1](inputs).detach()


class Turned(nn.Module):
    """A layer, and a rotation behind it."""

    def __init__(self, layer, rotation):
        super().__init__()
        self.layer, self.rotation = layer, rotation

    def forward(self, x):
        return self.layer(x) @ self.rotation.to(x.dtype)


def turned(record, layer="3", fold=1):
    """Return the record with one fold's network in another basis: same answers."""
    rotation = np.linalg.qr(np.random.default_rng(5).normal(size=(8, 8)))[0]
    rotation = torch.from_numpy(rotation)
    teachers = [copy.copy(each) for each in record.teachers[0]]
    moved = copy.deepcopy(teachers[fold].module_)
    head = moved[-1]
    moved[int(layer)] = Turned(moved[int(layer)], rotation)
    with torch.no_grad():
        head.weight.copy_(head.weight @ rotation.to(head.weight.dtype))
    teachers[fold].module_ = moved
    return replace(record, teachers=(tuple(teachers),))


def test_each_row_is_set_beside_the_network_of_its_own_fold(table):
    X, _, record = table
    learner = student(6)
    found = value_of(X, record, SimilarityPreserving(weight=1.0), learner)
    own, ones = hidden_of(learner, X, 1), torch.ones(len(X)).double()
    by_hand = torch.zeros(len(X)).double()
    for t, teacher in enumerate(record.teachers[0]):
        at = np.flatnonzero(record.fold[0] == t)
        other = hidden_of(teacher, X[at], 3)
        by_hand[at] = SimilarityPreserving().value(own[at], other, ones[at], {})
    torch.testing.assert_close(found, by_hand, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("loss", ["similarity", "distance", "angle"])
def test_another_basis_of_one_folds_network_changes_no_relation(table, loss):
    X, _, record = table
    other = turned(record)
    at = np.flatnonzero(record.fold[0] == 1)
    one, two = record.teachers[0][1], other.teachers[0][1]
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-6)
    assert not torch.allclose(hidden_of(one, X[at], 3), hidden_of(two, X[at], 3))
    before, after = (value_of(X, each, loss, student(6)) for each in (record, other))
    assert float(before.mean()) > 1e-4
    torch.testing.assert_close(before, after, rtol=1e-3, atol=1e-7)


def test_relations_across_networks_would_depend_on_the_basis(table):
    # The control: one group of all rows, whoever taught them, is another loss.
    X, _, record = table
    found = []
    for each in (record, turned(record)):
        layers = torch.zeros(len(X), 8).double()
        for t, teacher in enumerate(each.teachers[0]):
            at = np.flatnonzero(each.fold[0] == t)
            layers[at] = hidden_of(teacher, X[at], 3)
        learner = student(6)
        learner.fit(X, X[:, 0] > 0)
        own, ones = hidden_of(learner, X, 1), torch.ones(len(X)).double()
        found.append(float(SimilarityPreserving().value(own, layers, ones, {}).mean()))
    assert abs(found[1] / found[0] - 1.0) > 0.02


def test_one_connector_for_all_folds_fails_where_each_has_its_own(table):
    """Least squares from known layers to those of networks in bases of their own."""
    X, _, record = table
    layer = hidden_of(record.teachers[0][0], X, 3)
    draws = np.random.default_rng(0)
    turns = [np.linalg.qr(draws.normal(size=(8, 8)))[0] for _ in range(4)]
    wanted = torch.stack(
        [
            row @ torch.from_numpy(turns[t])
            for row, t in zip(layer, record.fold[0], strict=True)
        ]
    )
    ones = torch.ones(len(X), 1).double()
    inputs = torch.cat([layer, ones], dim=1)

    def least(at):
        weights = torch.linalg.lstsq(inputs[at], wanted[at]).solution
        own = {"weight": weights[:-1], "bias": weights[-1]}
        return float(Hint().value(layer[at], wanted[at], ones[at, 0], own).mean())

    shared = least(np.arange(len(X)))
    apart = [least(np.flatnonzero(record.fold[0] == t)) for t in range(4)]
    assert max(apart) < 1e-12
    # What a constant leaves is half the variance; one map for all leaves most of it.
    variance = 0.5 * float(wanted.var(dim=0, correction=0).mean())
    assert shared > 0.3 * variance


@pytest.mark.parametrize("loss", ["hint", "contrastive"])
def test_every_fold_has_connectors_of_its_own(table, loss):
    X, _, record = table
    view, batch, answers = view_of(X, record, loss, student(6))
    ones = torch.ones(1, len(X)).double()
    total = view.losses(answers, batch, ones)[0]
    names = [n for n in batch.tensors if not n.startswith("network.")]
    n_each = {"hint": 2, "contrastive": 4}[loss]
    assert len(names) == 4 * n_each
    for t in range(4):
        own = [
            batch.tensors[n]
            for n in names
            if f"_{t}_" in n.removeprefix("features_0_0")
        ]
        assert len(own) == n_each
        at = np.flatnonzero(record.fold[0] == t)
        rest = np.flatnonzero(record.fold[0] != t)
        for part, moved in ((at, True), (rest, False)):
            slopes = torch.autograd.grad(
                total[part].sum(), own, retain_graph=True, materialize_grads=True
            )
            assert any(bool((slope != 0).any()) for slope in slopes) == moved


def test_rows_that_fill_a_batch_up_or_have_no_network_cost_nothing(table):
    X, _, record = table
    view, batch, answers = view_of(X, record, "similarity", student(6), n_added=0)
    counts = torch.ones(1, len(X), dtype=torch.bool)
    counts[0, 100:] = False
    fewer = Batch(batch.rows, batch.members, batch.inputs, counts, batch.tensors)
    ones = torch.ones(1, len(X)).double()
    padded = view.losses(answers, fewer, ones)[0]
    assert not padded[100:].any()
    short = Batch(batch.rows[:, :100], batch.members, batch.inputs[:, :100])
    alone = view.losses(answers[:, :100], short, ones[:, :100])[0]
    torch.testing.assert_close(padded[:100], alone)
    shown = TeacherFeatures.of(record, np.arange(5), n_added=3)
    assert shown.fold[0, 5:].tolist() == [-1, -1, -1]


def test_two_repeats_are_averaged(table):
    X, y, _ = table
    twice = cross_fit(network(5), X, y, cv=3, n_repeats=2, random_state=0)
    both = value_of(X, twice, "distance", student(6))
    each = [
        value_of(
            X,
            replace(
                twice,
                prediction=twice.prediction[r : r + 1],
                fold=twice.fold[r : r + 1],
                teachers=twice.teachers[r : r + 1],
            ),
            "distance",
            student(6),
        )
        for r in range(2)
    ]
    torch.testing.assert_close(both, (each[0] + each[1]) / 2)
    # A repeat that left rows out has no say of them.
    fold = twice.fold.copy()
    fold[1] = -1
    once = value_of(X, replace(twice, fold=fold), "distance", student(6))
    torch.testing.assert_close(once, each[0])


@pytest.mark.parametrize("name", VECTORS)
def test_a_weight_of_zero_is_the_student_without_features(table, name):
    (loss,) = get_features(name)
    nothing = type(loss)(weight=0.0)
    plain = fitted(table, student(6)).predict_proba(table[0])
    alike = fitted(table, FeatureStudent(student(6), nothing)).predict_proba(table[0])
    np.testing.assert_allclose(plain, alike, atol=1e-5)
    moved = fitted(table, FeatureStudent(student(6), name)).predict_proba(table[0])
    assert np.abs(plain - moved).max() > 1e-5


@pytest.mark.parametrize("name", VECTORS)
def test_training_brings_the_layers_together(table, name):
    X, _, record = table
    kind = type(get_features(name)[0])
    small = student(
        3, max_epochs=60, learning_rate=1e-2, batch_size=60, validation_fraction=0.0
    )
    losses = []
    for weight in (0.0, {"hint": 100.0, "similarity": 3000.0}.get(name, 10.0)):
        learned = fitted(table, FeatureStudent(small, kind(weight=weight))).student_
        own = hidden_of(learned, X, 1)
        folds = [np.flatnonzero(record.fold[0] == t) for t in range(4)]
        pairs = [
            (own[at], hidden_of(teacher, X[at], 3))
            for at, teacher in zip(folds, record.teachers[0], strict=True)
        ]
        losses.append(sum(float(unexplained(kind(), *pair)) for pair in pairs))
    assert losses[1] < 0.8 * losses[0]


def unexplained(loss, own, other):
    """Return the loss, of connectors that fit best where there are any."""
    ones = torch.ones(len(own)).double()
    if loss.name in ("hint", "contrastive"):
        # What a linear map of the student's layer leaves of the teacher's.
        inputs = torch.cat([own, ones[:, None]], dim=1)
        weights = torch.linalg.lstsq(inputs, other).solution
        return (
            Hint()
            .value(own, other, ones, {"weight": weights[:-1], "bias": weights[-1]})
            .mean()
        )
    return loss.value(own[:60], other[:60], ones[:60], {}).mean()


def test_what_is_left_is_an_ordinary_network(table):
    record = table[2]
    losses = ["hint", RelationalDistance(student_layer="0", teacher_layer="1")]
    model = fitted(table, FeatureStudent(student(6), losses))
    assert type(model.student_) is TorchStudent
    assert [name for name, _ in model.student_.module_.named_parameters()] == [
        "0.weight",
        "0.bias",
        "2.weight",
        "2.bias",
    ]
    assert model.size_.coefficients == 4 * 6 + 6 + 6 * 3 + 3
    assert model.student_.mode_ == "native"
    assert model.labels_.strategy.endswith("; hidden layers of the teachers that label")
    # A record that was brought keeps its networks.
    assert len(model.labels_.teachers[0]) == 4
    assert record.strategy in model.labels_.strategy


def test_the_watching_rows_watch_the_loss_of_the_answers(table):
    learner = FeatureStudent(student(6, max_epochs=1), Hint(weight=1e3))
    model = fitted(table, learner)
    (epoch,) = model.student_.history_
    assert epoch.train_loss > 10.0 > epoch.validation_loss


def test_it_is_combined_with_any_scale_correction_and_label_aware_rule(table):
    X, y, record = table
    for settings in (
        {"loss": "log_probability", "correction": "orthogonal"},
        {"hard_weight": 0.5, "correction": 0.3},
        {"correction": "adaptive_margin"},
        {"loss": "probability", "sample_weight": np.linspace(0.5, 2.0, len(X))},
    ):
        weights = settings.pop("sample_weight", None)
        learner = FeatureStudent(student(6), "similarity")
        model = DistilledClassifier(
            student=learner, cv=record, random_state=0, **settings
        )
        p = model.fit(X, y, sample_weight=weights).predict_proba(X)
        assert np.isfinite(p).all()


def test_it_is_fitted_from_scratch_with_unlabelled_rows_and_the_same_each_time(table):
    X, y, _ = table
    learner = FeatureStudent(TorchStudent((6,), max_epochs=2, device="cpu"), "angle")
    models = [
        DistilledClassifier(network(5), learner, cv=3, random_state=3).fit(
            X, y, unlabelled=X[:20] + 0.1
        )
        for _ in range(2)
    ]
    one, two = (model.predict_proba(X) for model in models)
    np.testing.assert_array_equal(one, two)
    assert models[0].n_added_ == 20
    assert models[0].labels_.teachers == ()


def test_without_a_teacher_it_is_the_network_from_scratch(table):
    X, y, _ = table
    alone = FeatureStudent(student(6), "hint").fit(X, y)
    np.testing.assert_array_equal(
        alone.predict_proba(X), student(6).fit(X, y).predict_proba(X)
    )
    np.testing.assert_array_equal(alone.predict(X), student(6).fit(X, y).predict(X))


def test_one_teacher_of_all_rows_is_asked_for_and_said(table):
    X, y, record = table
    seen = FeatureStudent(student(6), "similarity", taught_by="all")
    model = DistilledClassifier(network(5), seen, cv=3, random_state=0).fit(X, y)
    assert model.labels_.honest
    assert "hidden layers of a teacher that saw the rows" in model.labels_.strategy
    vanilla = FeatureStudent(student(6), "similarity")
    model = DistilledClassifier(network(5), vanilla, cv="in-sample", random_state=0)
    model.fit(X, y)
    assert model.labels_.strategy == (
        "in-sample; hidden layers of a teacher that saw the rows"
    )
    with pytest.raises(ValueError, match=r"must be fitted to all rows for taught_by"):
        fitted((X, y, record), seen)
    with pytest.raises(
        ValueError, match="taught_by must be 'folds' with online labels"
    ):
        DistilledClassifier(network(5), seen, online_labels=True).fit(X, y)


@pytest.mark.parametrize("taught_by", ["folds", "all"])
@pytest.mark.parametrize("seen", [0, 30])
def test_a_network_that_is_there_shows_its_layers_of_rows_it_did_not_see(
    table, taught_by, seen
):
    X, y, _ = table
    teacher = network(5).fit(X[:90], y[:90])
    rows, outcomes = X[90 - seen :], y[90 - seen :]
    learner = FeatureStudent(student(6), "hint", taught_by=taught_by)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)
        record = model_labels(teacher, rows, seen=X[:90] if seen else None)
    model = fitted((rows, outcomes, record), learner)
    kept = np.arange(seen, len(rows))
    shown = TeacherFeatures([[teacher]], np.zeros((1, len(kept)), dtype=int))
    oracle = clone(learner).fit_target(
        rows[kept], record.mean[kept], loss=CrossEntropyLoss(), features=shown
    )
    np.testing.assert_array_equal(model.predict_proba(X), oracle.predict_proba(X))
    assert "hidden layers of the teachers that label" in model.labels_.strategy
    assert "a fitted model on rows" in model.labels_.strategy
    plain = fitted((rows, outcomes, record), student(6))
    assert not np.allclose(model.predict_proba(X), plain.predict_proba(X))


def test_copies_and_settings_are_those_of_scikit_learn():
    losses = (Hint(2.0), "similarity")
    learner = FeatureStudent(student(6), losses, taught_by="all")
    twin = clone(learner)
    assert twin.get_params(deep=False)["features"] == losses
    assert twin.student is not learner.student
    twin.set_params(student__module=(4,), features="angle")
    assert (twin.student.module, learner.student.module) == ((4,), (6,))
    copy = as_student(learner)
    assert copy is not learner
    assert copy.configure({"max_epochs": 7}).learner.max_epochs == 7
    model = clone(DistilledClassifier(network(3), learner))
    model.set_params(student__student__max_epochs=1, student__features="distance")
    assert model.student.student.max_epochs == 1


def test_images_are_compared_by_maps_and_by_vectors(pictures):
    X = pictures[0]
    small = TorchStudent(SmallCNN(), max_epochs=2, device="cpu", random_state=0)
    plain = fitted(pictures, small).predict_proba(X)
    for features in (
        "attention",
        ["hint", Hint(student_layer="2", teacher_layer="5")],
        ContrastiveRepresentation(dimension=8),
    ):
        model = fitted(pictures, FeatureStudent(small, features))
        assert np.abs(model.predict_proba(X) - plain).max() > 1e-6


def test_layers_of_augmented_images_are_made_as_they_are_shown(pictures, monkeypatch):
    counted = []
    original = Compared._taught

    def counting(self, r, fold, rows, inputs):
        counted.append(self._kept is None)
        return original(self, r, fold, rows, inputs)

    monkeypatch.setattr(Compared, "_taught", counting)
    for augment in (None, flip_and_crop):
        counted.clear()
        learner = TorchStudent(
            SmallCNN(),
            max_epochs=1,
            batch_size=30,
            device="cpu",
            random_state=0,
            training=Training(augment=augment),
        )
        online = augment is not None
        fitted(pictures, FeatureStudent(learner, "attention"), online_labels=online)
        # Kept: made once, and looked up for each batch.
        assert counted[-1] is online


def test_layers_that_are_kept_are_those_made_anew(table, monkeypatch):
    X, _, record = table
    kept = value_of(X, record, "hint", student(6))
    monkeypatch.setattr("semikd.networks.comparing._MOST_KEPT", 0)
    torch.testing.assert_close(value_of(X, record, "hint", student(6)), kept)


def test_a_checkpoint_of_one_loss_is_none_of_another(table, tmp_path):
    small = student(6)
    small.set_params(training__checkpoint=str(tmp_path / "fits"))
    found = [
        fitted(table, FeatureStudent(small, features)).predict_proba(table[0])
        for features in ("similarity", "hint", "similarity")
    ]
    assert np.abs(found[0] - found[1]).max() > 1e-5
    np.testing.assert_allclose(found[0], found[2], atol=1e-6)


@pytest.mark.parametrize(
    ("learner", "teacher", "message"),
    [
        (
            FeatureStudent(student(6), Hint(teacher_layer="body.2")),
            network(8),
            r"teacher_layer must name a layer of the network; got 'body.2'; there are "
            "'0', '1', '2'",
        ),
        (
            FeatureStudent(student(6), Hint(student_layer="9")),
            network(8),
            "student_layer must name a layer of the network; got '9'",
        ),
        (
            FeatureStudent(student(6), "attention"),
            network(8),
            "a layer must give maps of several pixels",
        ),
        (
            FeatureStudent(student(6), AttentionTransfer(1.0, "0", "0")),
            network(8),
            r"student_layer must give maps.*got \(6,\)",
        ),
        (
            FeatureStudent(student(), "hint"),
            network(8),
            "the network must have a last hidden layer",
        ),
        (
            FeatureStudent(student(6), "hint"),
            LogisticRegression(),
            "teacher must be a network to show its hidden layers.*LogisticRegression",
        ),
        (
            FeatureStudent(LogisticRegression(), "hint"),
            network(8),
            "student of FeatureStudent must be a TorchStudent",
        ),
        (
            FeatureStudent(student(6, solver="lbfgs"), "hint"),
            network(8),
            "solver must be 'adam' for losses of hidden layers",
        ),
        (
            FeatureStudent(student(6, training=Training(compile="default")), "hint"),
            network(8),
            "training.compile must be 'off'",
        ),
        (FeatureStudent(student(6), "hints"), network(8), "features must be one of"),
        (
            FeatureStudent(student(6), taught_by="fold"),
            network(8),
            "taught_by must be one of",
        ),
        (
            make_pipeline(StandardScaler(), FeatureStudent(student(6))),
            network(8),
            "its last step is shown hidden layers",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused_before_any_teacher_is_fitted(
    table, learner, teacher, message, monkeypatch
):
    X, y, _ = table

    # Whoever gets as far as fitting a teacher fails by another message.
    monkeypatch.setattr("semikd.distillation.algorithm.cross_fit", None)
    with pytest.raises((TypeError, ValueError), match=message):
        DistilledClassifier(teacher, learner, cv=3).fit(X, y)


def test_a_record_without_networks_is_refused(table):
    X, y, _ = table
    bare = cross_fit(network(5), X, y, cv=3, new_rows="none", random_state=0)
    trees = cross_fit(LogisticRegression(), X, y, cv=3, random_state=0)
    for given in (bare, trees):
        with pytest.raises(TypeError, match="teacher must be networks to show their"):
            fitted((X, y, given), FeatureStudent(student(6)))


def test_generations_refuse_it_before_they_begin(table):
    X, y, _ = table
    line = SelfDistilledClassifier(network(5), FeatureStudent(student(6)))
    with pytest.raises(TypeError, match=r"student must learn from labels alone"):
        line.fit(X, y)


def test_targets_without_teachers_are_learned_alone(table):
    X, _, record = table
    loss = CrossEntropyLoss()
    learner = FeatureStudent(student(6), "hint")
    learner.fit_target(X, record.mean, loss=loss)
    plain = student(6).fit_target(X, record.mean, loss=loss)
    np.testing.assert_array_equal(learner.scores(X), plain.scores(X))


def test_angles_are_taken_among_sixty_four_rows_at_a_time(table):
    X, _, record = table
    shown = TeacherFeatures([[record.teachers[0][0]]], np.zeros((1, len(X)), int))
    assert RelationalAngle.most_rows == 64
    view, batch, _ = view_of(X, record, "angle", student(6))
    one = shown.fold[0]
    parts = [
        len(at)
        for at, _ in view._parts(view._layers.pairs[0], 0, torch.from_numpy(one), batch)
    ]
    assert parts == [64, 64, 64, 48]


def test_the_example_of_the_page_runs():
    page = Path(__file__).parents[1] / "docs" / "siblings.rst"
    if not page.exists():
        pytest.skip("an installed package has no docs beside it")
    section = page.read_text().split("Hidden layers\n-------------")[1]
    block = re.search(r"code-block:: python\n\n((?:   .*\n|\n)+)", section)
    names = {}
    exec(textwrap.dedent(block[1]), names)  # noqa: S102 - our own page
    assert type(names["small"].student_) is TorchStudent
