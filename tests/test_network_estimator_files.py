"""Estimators that are networks, on disk: the same bits again, or one line why not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from torch import nn

from semikd._files.records import read_record, write_record
from semikd.exceptions import ArtifactError
from semikd.losses import (
    ChangedLoss,
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    LossAround,
    ProbabilityLoss,
    ShiftedLoss,
    SmoothedLoss,
    SquaredLoss,
    TopClassesLoss,
)
from semikd.networks import MLP, ResNet, SmallCNN, Training, save_network
from semikd.networks.saving import NETWORK
from semikd.networks.words import loss_of, loss_words
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

QUICK = {"max_epochs": 2, "device": "cpu", "random_state": 0}


pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture(scope="module")
def table():
    draws = np.random.default_rng(0)
    colour = draws.choice(["red", "ünï", ""], size=80).astype(object)
    colour[:5] = None
    number = np.where(draws.random(80) < 0.2, np.nan, draws.normal(size=80))
    X = pd.DataFrame({"n": number, "colour": colour, "flag": draws.random(80) < 0.5})
    return X, np.where(X["flag"], "yes", "no")


@pytest.fixture(scope="module")
def images():
    draws = np.random.default_rng(1)
    return draws.integers(0, 256, (40, 3, 8, 8)).astype(np.uint8), np.arange(40) % 3


def linear(row, n_outputs):
    """Return a network as a user would write one."""
    return nn.Sequential(nn.Linear(row[0], 3), nn.Tanh(), nn.Linear(3, n_outputs))


def same_state(one, other):
    """Check that two fitted estimators are the same in all that was learned."""
    assert type(one) is type(other)
    np.testing.assert_array_equal(one.classes_, other.classes_)
    assert one.classes_.dtype.kind == other.classes_.dtype.kind
    assert one.history_ == other.history_
    assert one.mode_ == other.mode_
    assert (one.n_iter_, one.n_features_in_) == (other.n_iter_, other.n_features_in_)
    assert getattr(one, "loss_", None) == getattr(other, "loss_", None)
    names = [getattr(e, "feature_names_in_", None) for e in (one, other)]
    np.testing.assert_array_equal(*names)
    ours, theirs = (e.get_params(deep=False) for e in (one, other))
    skipped = {"module", "training"}
    assert {k: ours[k] for k in ours if k not in skipped} == {
        k: theirs[k] for k in theirs if k not in skipped
    }


@pytest.mark.parametrize(
    "module",
    [(), (4,), "mlp", MLP((4,), numeric="periodic", dropout=0.2, layer_norm=True)],
)
@pytest.mark.parametrize("kind", [TorchClassifier, TorchStudent])
def test_an_estimator_of_a_table_comes_back_with_the_same_bits(
    kind, module, table, tmp_path
):
    X, y = table
    fitted = kind(module, **QUICK, training=Training(patience=3)).fit(X, y)
    assert fitted.save(tmp_path) > 0
    again = kind.load(tmp_path)
    same_state(fitted, again)
    assert again.training.patience == 3
    np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))
    np.testing.assert_array_equal(fitted.predict(X), again.predict(X))
    strange = pd.DataFrame({"n": [np.nan], "colour": ["new"], "flag": [True]})
    np.testing.assert_array_equal(
        fitted.predict_proba(strange), again.predict_proba(strange)
    )
    assert again.module_.training is False
    # It can be fitted again, and saved again in the same place.
    clone(again).fit(X, y).save(tmp_path)


@pytest.mark.parametrize("module", [SmallCNN(), ResNet(8)])
def test_an_estimator_of_images_comes_back_with_the_same_bits(module, images, tmp_path):
    X, y = images
    fitted = TorchClassifier(module, **QUICK).fit(X, y)
    fitted.save(tmp_path)
    again = TorchClassifier.load(tmp_path)
    same_state(fitted, again)
    np.testing.assert_array_equal(fitted.predict_proba(X), again.predict_proba(X))
    with pytest.raises(ValueError, match=r"shape \(3, 8, 8\), as in the fit"):
        again.predict(X[:, :, :6])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "ccc"]),
        np.array(["b", "a", "ccc"], dtype=object),
        np.array([3, -1, 2**40]),
        np.array([3, 1, 2], dtype=np.uint8),
        np.array([1.5, 0.1, -2.0]),
        np.array([1.5, 0.1, -2.0], dtype=np.float32),
        np.array([True, False]),
    ],
    ids=lambda labels: labels.dtype.name,
)
def test_labels_of_every_kind_come_back(labels, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = labels[np.arange(60) % len(labels)]
    if labels.dtype.kind == "f":
        # Labels with a fraction are refused by scikit-learn's checks; these are not.
        y = y.astype(labels.dtype).round()
    fitted = TorchClassifier((2,), **QUICK).fit(X, y)
    fitted.save(tmp_path)
    again = TorchClassifier.load(tmp_path)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.classes_.dtype.kind == fitted.classes_.dtype.kind
    assert again.classes_.tolist() == fitted.classes_.tolist()


LOSSES = [
    CrossEntropyLoss(),
    CrossEntropyLoss(temperature=3.0, min_proba=0.01),
    ProbabilityLoss(),
    LogProbabilityLoss(),
    LogProbabilityLoss(centered=False, min_proba=1e-5),
    HardLabelMix(CrossEntropyLoss(temperature=2.0), 0.25),
    HardLabelMix(LogProbabilityLoss(), 1.5),
    SmoothedLoss(CrossEntropyLoss(), 0.2),
    TopClassesLoss(LogProbabilityLoss(), 1),
]
# For a given number of classes.
SHIFTED = ShiftedLoss(CrossEntropyLoss(), (0.0, 1.0, -0.5))
WITH_CLASSES = [(loss, k) for loss in LOSSES for k in (2, 3)]
WITH_CLASSES += [(SHIFTED, 3), (HardLabelMix(SHIFTED, 0.5), 3)]


@pytest.mark.parametrize(("loss", "k"), WITH_CLASSES, ids=repr)
def test_every_loss_of_a_student_comes_back(loss, k, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    fitted = TorchStudent((2,), loss=loss, **QUICK).fit(X, np.arange(60) % k)
    fitted.save(tmp_path)
    again = TorchStudent.load(tmp_path)
    same_state(fitted, again)
    assert again.loss == loss
    np.testing.assert_array_equal(again.scores(X), fitted.scores(X))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("m", [1, 2, 3])
def test_a_student_of_a_regression_comes_back(m, tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    target = np.column_stack([X, X[:, 0]])[:, :m]
    fitted = TorchStudent((2,), **QUICK).fit_target(X, target, loss=IdentityLoss())
    fitted.save(tmp_path)
    again = TorchStudent.load(tmp_path)
    np.testing.assert_array_equal(again.scores(X), fitted.scores(X))
    assert again.loss_ == IdentityLoss()


def test_no_loss_of_the_library_is_without_a_form_in_a_file():
    families = (DistillationLoss, SquaredLoss, LossAround, ChangedLoss)
    kinds = {kind for family in families for kind in family.__subclasses__()}
    own = {k for k in kinds if k.__module__.startswith("semikd")} - set(families)
    assert own == {type(loss) for loss in [*LOSSES, IdentityLoss(), SHIFTED]}
    for loss in [*LOSSES, IdentityLoss(), SHIFTED]:
        assert loss_of(loss_words(loss)) == loss

    class Odd(IdentityLoss):
        pass

    with pytest.raises(TypeError, match="loss must be one of the scales identity, "):
        loss_words(Odd())


def test_a_solution_by_lbfgs_comes_back_in_full_precision(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    settings = {"solver": "lbfgs", "dtype": "float64", "class_weight": {0: 1.0, 1: 3.0}}
    fitted = TorchClassifier((2,), **settings, weight_decay=0.1, random_state=0)
    fitted.fit(X, (X[:, 0] > 0).astype(int)).save(tmp_path)
    again = TorchClassifier.load(tmp_path)
    same_state(fitted, again)
    assert again.mode_ == "all rows at once"
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_functions_are_left_out_and_passed_again(table, tmp_path):
    X, y = table
    X = X[["n", "flag"]].fillna(0.0)
    training = Training(callbacks=[lambda end: None], augment=lambda x, _: x)
    settings = {**QUICK, "random_state": np.random.RandomState(0)}
    fitted = TorchClassifier(linear, training=training, **settings).fit(X, y)
    fitted.save(tmp_path)
    with pytest.raises(ArtifactError, match=r"got none for '.*:linear'. Pass that"):
        TorchClassifier.load(tmp_path)
    again = TorchClassifier.load(tmp_path, factory=linear)
    assert again.module is linear
    assert again.training.callbacks == ()
    assert again.training.augment is None
    assert again.random_state is None
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_a_loaded_estimator_goes_on_as_the_saved_one_would(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    fitted = TorchClassifier((4,), validation_fraction=0.0, **QUICK).partial_fit(X, y)
    fitted.save(tmp_path)
    again = TorchClassifier.load(tmp_path)
    for estimator in (fitted, again):
        estimator.partial_fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_what_was_fitted_on_another_device_answers_here(table, tmp_path):
    X, y = table
    fitted = TorchClassifier((2,), **QUICK).fit(X, y)
    fitted.save(tmp_path)
    forge(tmp_path, settings(device="cuda:7"))
    again = TorchClassifier.load(tmp_path)
    assert again.device == "cuda:7"
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_what_cannot_be_saved_is_refused(table, tmp_path):
    X, y = table
    with pytest.raises(Exception, match="not fitted yet"):
        TorchClassifier().save(tmp_path / "new")
    fitted = TorchClassifier((2,), **QUICK).fit(X, y)
    with pytest.raises(ValueError, match=r"module must be as MLP\(.*3.*builds it"):
        fitted.set_params(module=(3,)).save(tmp_path / "new")
    fitted.set_params(module=(2,))
    fitted.classes_ = np.array(["2020-01-01", "2021-01-01"], dtype="M8[D]")
    with pytest.raises(TypeError, match=r"classes must be text.*; got datetime64\[D\]"):
        fitted.save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.fixture
def saved(table, tmp_path):
    """A saved student of a table with gaps and categories."""
    X, y = table
    mix = HardLabelMix(CrossEntropyLoss(), 0.5)
    TorchStudent((2,), loss=mix, training=Training(), **QUICK).fit(X, y).save(tmp_path)
    return tmp_path


def forge(folder, change=None, **arrays):
    """Change a saved estimator and sign it anew, as who knows the format can."""
    content, found = read_record(folder, NETWORK)
    found |= {f"extra.{name}": array for name, array in arrays.items()}
    if change:
        change(content["extra"])
    kept = {name: array for name, array in found.items() if array is not None}
    write_record(folder, NETWORK, content, kept)


def refused(kind, folder, message):
    """Check that a folder is refused in one printable line."""
    with pytest.raises(ArtifactError, match=message) as raised:
        kind.load(folder)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000


def settings(**changes):
    return lambda extra: extra["settings"].update(changes)


def within(part, **changes):
    return lambda extra: extra[part].update(changes)


def no_mix(**changes):
    return lambda extra: extra["loss"]["settings"].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.clear(), "network must be that of a TorchStudent; got one alone"),
        (lambda e: e.update(more=1), "network must be that of a TorchStudent"),
        (lambda e: e.update(estimator="Os"), "TorchStudent; got a Os. Use Os.load"),
        (lambda e: e.update(estimator=["x" * 9999]), "be that of a TorchStudent; got"),
        (lambda e: e.update(settings=None), r"network\.json: "),
        (lambda e: e["settings"].pop("device"), "of a TorchStudent; got 'device'"),
        (settings(more=1), "settings must be those of a TorchStudent; got 'more'"),
        (settings(module=[3]), "settings must be those of a TorchStudent; got 'modul"),
        (settings(device=5), r"network\.json: "),
        (settings(device="cuda\n"), r"device must be a name; got 'cuda\\n'"),
        (settings(device="x" * 99), "device must be a name"),
        (settings(dtype="float16"), "dtype must be one of 'float32', 'float64'"),
        (settings(solver="sgd"), "solver must be one of 'adam', 'lbfgs'"),
        (settings(learning_rate=-1), "learning_rate must be a number above 0"),
        (settings(learning_rate="a"), "learning_rate must be a number above 0"),
        (settings(weight_decay=[]), "weight_decay must be a number"),
        (settings(batch_size=0), "batch_size must be an integer of at least 1"),
        (settings(max_epochs=1.5), "max_epochs must be an integer"),
        (settings(validation_fraction=1), "validation_fraction must be a number"),
        (settings(random_state=-1), "random_state must be an integer of at least 0"),
        (settings(random_state="a"), "random_state must be an integer of at least 0"),
        (settings(loss="hinge"), "loss must be one of"),
        (settings(loss={"name": "hinge"}), "loss must be one of 'identity'"),
        (settings(loss=[1]), "loss must be"),
        (lambda e: e.update(mode="fast"), "mode must be one of 'native', 'vmap', 'one"),
        (lambda e: e.update(mode=[]), "mode must be one of 'native', 'vmap', 'one"),
        (lambda e: e.update(training=[]), r"network\.json: training must have the op"),
        (within("training", more=1), "training must have the options known"),
        (within("training", augment="os:system"), "must have the options known"),
        (within("training", patience=True), "training.patience must be an integer"),
        (within("training", precision="half"), "training.precision must be one of"),
        (within("training", compile="yes"), "training.compile must be one of"),
        (within("training", clip_norm="1"), "training.clip_norm must be a number"),
        (lambda e: e.update(loss=None), r"network\.json: "),
        (within("loss", name="hinge"), "loss must be one of 'identity'"),
        (within("loss", settings={}), "'hard_label_mix' must have the settings base,"),
        (no_mix(hard_weight=-1), "hard_weight must be a number of|at least 0"),
        (no_mix(base={"name": "identity", "settings": {}}), "be on a log scale"),
        (
            no_mix(base={"name": "cross_entropy", "settings": {"temperature": 1}}),
            "'cross_entropy' must have the settings temperature, min_proba",
        ),
        (
            no_mix(
                base={
                    "name": "log_probability",
                    "settings": {"centered": 1, "min_proba": 0.1},
                }
            ),
            "centered must be True or False; got 1",
        ),
        (lambda e: e.update(classes=[1, 2]), r"network\.json: "),
        (within("classes", format="M8[D]"), "classes must be text.*got M8"),
        (within("classes", format="U1000000000"), "classes must be text, whole"),
        (within("classes", format=["text"]), "classes must be text, whole"),
        (within("classes", values=["no"]), "classes must be a list of 2 to"),
        (within("classes", values="no"), "classes must be a list of 2 to"),
        (within("classes", values=["no", 5], format="text"), "labels of the kind text"),
        (within("classes", values=["no", []]), r"labels of the kind \w+; got \[\]"),
        (within("classes", values=["no", None]), r"labels of the kind \w+; got None"),
        (within("classes", values=["yes", "no"]), "be different, and in order"),
        (within("classes", values=["no", "no"]), "be different, and in order"),
        (within("classes", values=["a", "b", "c"]), "of the scores; got 3 for 1 scor"),
        (within("classes", values=[1, 300], format="int8"), r"network\.json: "),
        (within("classes", values=[1, True], format="int8"), "labels of the kind int8"),
        (lambda e: e.update(encoding=3), r"network\.json: "),
        (within("encoding", kind="words"), "encoding must be one of 'images', 'table'"),
        (within("encoding", kind="images"), "'size'"),
        (within("encoding", kind="images", size=[3, 8]), r"network\.json: "),
        (
            within("encoding", kind="images", size=[2, 8, 8]),
            r"arrays must be history|got .*what the network reads",
        ),
        (within("encoding", categorical=[3]), "numeric or categorical, each once"),
        (within("encoding", numeric=[2, 0]), "numeric or categorical, each once"),
        (within("encoding", numeric=[-1, 2]), "numeric must be a list of whole"),
        (within("encoding", numeric="02"), "numeric must be a list of whole numbers"),
        (within("encoding", categorical=[1, 1]), "categorical, each once"),
        (within("encoding", gaps=[2]), "gaps must name numeric columns"),
        (within("encoding", gaps=[]), "encoding must give what the network reads"),
        (within("encoding", gaps=[True]), "gaps must be a list of whole numbers"),
        (within("encoding", n_values=[2]), r"lengths must have shape \(2,\)"),
        (within("encoding", n_values=[2, 1]), "values must be those of the columns"),
        (within("encoding", n_values=[1 << 62]), "lengths must have shape"),
        (within("encoding", n_values=[True]), "n_values must be a list of whole"),
        (lambda e: e.update(feature_names="nc"), "feature_names must be a list of te"),
        (lambda e: e.update(feature_names=["n", 1]), "feature_names must be a list"),
        (lambda e: e.update(feature_names=["n"]), "feature_names must be 3 names"),
        (
            lambda e: e.update(feature_names=["n", "c", "x" * 99_999]),
            "feature_names must be 3 names",
        ),
    ],
)
def test_forged_words_are_refused_in_one_line(change, message, saved):
    forge(saved, change)
    refused(TorchStudent, saved, message)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mean": None}, r"network\.json: 'mean'"),
        ({"mean": np.zeros(3)}, r"mean must have shape \(2,\); got \(3,\)"),
        ({"mean": np.zeros(2, "f4")}, "mean must hold finite numbers"),
        ({"mean": np.array([0.0, np.nan])}, "mean must hold finite numbers"),
        ({"scale": np.array([1.0, np.inf])}, "scale must hold finite numbers"),
        ({"scale": np.array([1.0, 0.0])}, r"scale must be positive; got 0\.0"),
        ({"scale": np.array([1.0, -1.0])}, "scale must be positive"),
        ({"history": np.zeros((2, 2))}, r"history must have shape \(any, 3\)"),
        ({"history": np.full((2, 3), np.inf)}, "history must hold finite numbers"),
        ({"history": np.zeros((2, 3), bool)}, "history must hold finite numbers"),
        ({"lengths": np.array([0, 3])}, r"lengths must have shape \(3,\)"),
        ({"lengths": np.array([0, -1, 11])}, "values must have the lengths stated"),
        ({"lengths": np.array([0, 3, 99])}, "values must have the lengths stated"),
        ({"lengths": np.zeros(3)}, "values must have the lengths stated"),
        ({"values": np.zeros(10, "i1")}, "values must have the lengths stated"),
        ({"values": np.full(11, 255, "u1")}, r"network\.json: "),
        ({"values": np.zeros((1, 11), "u1")}, "values must have the lengths stated"),
        ({"odd": np.zeros(1)}, "arrays must be history, lengths, mean, scale, values"),
    ],
)
def test_forged_arrays_are_refused_in_one_line(arrays, message, saved):
    if "values" in arrays and arrays["values"].dtype == np.uint8:
        found = read_record(saved, NETWORK)[1]
        n = len(found["extra.values"])
        arrays = {
            "values": np.resize(arrays["values"], (*arrays["values"].shape[:-1], n))
        }
    forge(saved, **arrays)
    refused(TorchStudent, saved, message)


def test_values_out_of_order_are_refused(saved):
    found = read_record(saved, NETWORK)[1]
    lengths = found["extra.lengths"]
    forge(saved, lengths=lengths[::-1].copy())
    refused(TorchStudent, saved, r"values must be different|network\.json: ")
    twice = np.frombuffer(b"redred", dtype=np.uint8)
    forge(saved, values=twice, lengths=np.array([0, 3, 3]))
    refused(TorchStudent, saved, "values must be different, and in order")


@pytest.mark.parametrize(
    "weights", ["heavy", [["no", -1]], [["no"]], [[["no"], 1.0]], 5, {"no": 1}]
)
def test_forged_class_weights_are_refused(weights, table, tmp_path):
    X, y = table
    TorchClassifier((2,), **QUICK).fit(X, y).save(tmp_path)
    forge(tmp_path, settings(class_weight=weights))
    refused(TorchClassifier, tmp_path, r"network\.json: ")


def test_other_estimators_and_networks_alone_are_refused(saved, tmp_path):
    refused(TorchClassifier, saved, "got a TorchStudent. Use TorchStudent.load")
    student = TorchStudent.load(saved)
    spec, shape = MLP((2,)), student.encoding_.shape
    save_network(tmp_path / "alone", student.module_, spec, shape, 1)
    refused(TorchStudent, tmp_path / "alone", "TorchStudent; got one alone")
    refused(TorchStudent, tmp_path / "none", "be a folder with a saved network")


def test_every_flipped_byte_of_an_estimator_is_noticed(saved):
    for path in saved.iterdir():
        whole = path.read_bytes()
        for at in range(0, len(whole), 1 + len(whole) // 40):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(ArtifactError):
                TorchStudent.load(saved)
        path.write_bytes(whole)
    TorchStudent.load(saved)


def test_a_signed_change_of_nothing_is_read(saved):
    forge(saved)
    assert TorchStudent.load(saved).n_features_in_ == 3
