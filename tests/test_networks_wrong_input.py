"""What no network can be fitted to, or asked: one clear line, before any training."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from torch import nn

import semikd.nets
from semikd import cross_fit
from semikd.losses import CrossEntropyLoss, HardLabelMix, ProbabilityLoss
from semikd.nets import find_precision
from semikd.networks import MLP, ResNet, SmallCNN, Training
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
IMAGES = DRAWS.integers(0, 256, (30, 3, 8, 8)).astype(np.uint8)
Z = np.arange(30) % 2
ONE = nn.Linear(3, 1)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture
def untrained(monkeypatch):
    """Fail if anything is trained."""

    def train(*_args, **_kwargs):
        raise AssertionError("something was trained")

    monkeypatch.setattr(semikd.nets, "train", train)
    monkeypatch.setattr(semikd.nets, "minimize", train)


def teacher(module=(2,), **settings):
    given = {"max_epochs": 1, "device": "cpu", "random_state": 0, **settings}
    return TorchClassifier(module, **given)


def student(module=(2,), **settings):
    given = {"max_epochs": 1, "device": "cpu", "random_state": 0, **settings}
    return TorchStudent(module, **given)


def refused(message, ask, kind=(ValueError, TypeError)):
    """Check that what is asked is refused in one line."""
    with pytest.raises(kind, match=message) as raised:
        ask()
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"device": "tpu"}, "device must be one of 'auto', 'cpu'.*; got 'tpu'"),
        ({"device": "cuda:99"}, "device must be one of 'auto', 'cpu'.*; got 'cuda:99'"),
        ({"device": 0}, "device must be one of 'auto', 'cpu'.*; got 0"),
        ({"dtype": "float16"}, "dtype must be one of 'float32', 'float64'"),
        ({"solver": "sgd"}, "solver must be one of 'adam', 'lbfgs'; got 'sgd'"),
        ({"training": Training(precision="float16")}, "Did you mean 'bfloat16'"),
        ({"training": Training(checkpoint=5)}, "checkpoint must be a folder, a semikd"),
        (
            {"training": Training(checkpoint="x"), "random_state": None},
            "random_state must be given with training.checkpoint; got None. A fit that",
        ),
        ({"module": "vgg"}, "module must be one of 'mlp', 'resnet', 'small_cnn'"),
        ({"module": ONE}, "module must be built anew for each fit; got a Linear"),
        (
            {"module": MLP((2,), dropout=0.1), "solver": "lbfgs"},
            "dropout must be 0 for",
        ),
    ],
)
@pytest.mark.parametrize("make", [teacher, student])
def test_settings_are_refused(make, settings, message):
    refused(message, lambda: make(**settings).fit(X, Y))


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_unknown_devices_are_refused_in_cross_fitting(device):
    message = f"device must be one of 'auto', 'cpu'.*; got '{device}'"
    refused(message, lambda: cross_fit(teacher(device=device), X, Y, cv=3))


@pytest.mark.usefixtures("untrained")
def test_half_precision_where_the_device_lacks_it_is_refused(monkeypatch):
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    monkeypatch.setattr(semikd.nets, "find_device", lambda _: cuda)
    message = "precision must be 'full' on cuda, which has no products in half"
    refused(message, lambda: find_precision("bfloat16", cuda))
    half = teacher(training=Training(precision="bfloat16"))
    refused(message, lambda: half.fit(X, Y))
    refused(message, lambda: cross_fit(half, X, Y, cv=3))


def wide(row, m):
    return nn.Linear(row[0], m + 1)


def flat(row, m):
    return nn.Sequential(nn.Linear(row[0], m), nn.Flatten(0))


def deaf(row, m):
    return nn.Linear(row[0] + 1, m)


def tuples(row, m):
    return nn.LSTM(row[0], m)


def shared_whole(row, m):  # noqa: ARG001 - asks for nothing
    return ONE


def shared_layer(row, m):  # noqa: ARG001 - asks for nothing
    return nn.Sequential(nn.Linear(row[0], 3), ONE)


def no_module(row, m):  # noqa: ARG001 - asks for nothing
    return lambda x: x


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (
            wide,
            r"give scores of shape \(2, 1\) for two rows; got \(2, 2\). Its last la",
        ),
        (flat, r"give scores of shape \(2, 1\) for two rows; got \(2,\)"),
        (tuples, "give scores of shape .*; got tuple"),
        (deaf, r"take rows of shape \(2, 3\); got RuntimeError: mat1 and mat2"),
        (shared_whole, "build new layers in each call; got the same parameters twice"),
        (shared_layer, "build new layers in each call; got the same parameters twice"),
        (no_module, "return a torch.nn.Module; got function"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_factories_that_build_no_such_network_are_refused(factory, message):
    refused(message, lambda: teacher(factory).fit(X, Y))
    refused(message, lambda: cross_fit(teacher(factory), X, Y, cv=3))
    refused(message, lambda: student(factory).fit(X, Y))


MIX = HardLabelMix(CrossEntropyLoss(), 0.5)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("target", "loss", "message"),
    [
        (np.zeros(60), ProbabilityLoss(), r"shape \(60, any\); got \(60,\)"),
        (np.zeros((59, 1)), ProbabilityLoss(), r"shape \(60, any\); got \(59, 1\)"),
        (np.zeros((60, 1, 1)), ProbabilityLoss(), r"got \(60, 1, 1\)"),
        (np.zeros((60, 0)), ProbabilityLoss(), "have at least one column; got"),
        (np.zeros((60, 3)), MIX, r"as many columns of labels as of targets; got \(60,"),
        (np.full((60, 1), np.nan), ProbabilityLoss(), "target must be finite; got nan"),
        ([["a"]] * 60, ProbabilityLoss(), "target must hold numbers in equal rows"),
    ],
)
def test_targets_of_another_shape_are_refused(target, loss, message):
    refused(message, lambda: student().fit_target(X, target, loss=loss))
    refused(message, lambda: student().fit_many(X, [target] * 2, loss=loss))


@pytest.mark.usefixtures("untrained")
def test_targets_of_two_widths_are_no_batch():
    targets = [np.zeros((60, 1)), np.zeros((60, 2))]
    message = "targets must have one number of columns; got 1 and 2"
    refused(message, lambda: student().fit_many(X, targets, loss=ProbabilityLoss()))


LAYOUT = r"X must hold images of shape \(n, channels, height, width\); got "
RANGE = "integers from 0 to 255 or floats from 0 to 1 as pixels; got "


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            IMAGES.transpose(0, 2, 3, 1),
            LAYOUT + r"\(30, 8, 8, 3\). X.transpose\(0, 3, 1, 2\) moves channels",
        ),
        (IMAGES.transpose(0, 2, 1, 3), LAYOUT + r"\(30, 8, 3, 8\)\.$"),
        (IMAGES[:, :, :4], LAYOUT),
        (IMAGES.astype(float), RANGE + "float64 from 0 to 255. Rescale the pixels"),
        (IMAGES / 255 - 0.5, RANGE + "float64 from -0.5 to 0.5"),
        (IMAGES.astype(int) - 1, RANGE + "int64 from -1 to 254"),
        (IMAGES.astype(int) * 2, RANGE + "int64 from 0 to 510"),
        (np.where(IMAGES > 99, np.nan, 0.5), RANGE + "float64 from nan to nan"),
        (IMAGES.astype(str), "hold numbers|bytes/strings"),
        (IMAGES[:, 0], r"dim 3, while|got \(30, 8, 8\). X\[:, None\] gives images"),
        (IMAGES[:, None], "dim 5, while dim <= 2"),
    ],
    ids=range(11),
)
def test_images_of_another_layout_or_range_are_refused(images, message):
    for make in (teacher, student):
        refused(message, lambda make=make: make(SmallCNN()).fit(images, Z))
    refused(message, lambda: cross_fit(teacher(SmallCNN()), images, Z, cv=3))


@pytest.mark.usefixtures("untrained")
def test_images_and_tables_need_networks_of_their_own():
    pictures = "module must read images; got MLP.* Use an architecture .* ResNet"
    table = r"module must read rows of a table; got ResNet\(.* such as MLP"
    lbfgs = "solver must be 'adam' for images; got 'lbfgs'. Images are trained in"
    for make in (teacher, student):
        refused(pictures, lambda make=make: make().fit(IMAGES, Z))
        refused(table, lambda make=make: make(ResNet(8)).fit(X, Y))
        solving = make(SmallCNN(), solver="lbfgs")
        refused(lbfgs, lambda solving=solving: solving.fit(IMAGES, Z))
    refused(pictures, lambda: cross_fit(teacher(), IMAGES, Z, cv=3))
    refused(table, lambda: cross_fit(teacher(ResNet(8)), X, Y, cv=3))


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csr_array])
def test_sparse_tables_are_refused_with_what_to_do(kind):
    message = r"Sparse data was passed for X, but dense .* Use '\.toarray\(\)' to conv"
    refused(message, lambda: teacher().fit(kind(X), Y), TypeError)
    refused(message, lambda: student().fit(kind(X), Y), TypeError)
    refused(message, lambda: cross_fit(teacher(), kind(X), Y, cv=3), TypeError)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    "text",
    [
        np.array([["1.5", "b"]] * 60),
        np.array([[1.5, "b"]] * 60, dtype=object),
        [["1", "b"]] * 60,
    ],
    ids=["text", "objects", "lists"],
)
def test_text_in_arrays_is_refused(text):
    message = "X must hold numbers; got 'b'. Pass a data frame, whose columns of text"
    refused(message, lambda: teacher().fit(text, Y), TypeError)
    refused(message, lambda: student().fit(text, Y), TypeError)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("make", [teacher, student])
def test_empty_and_infinite_tables_are_refused(make):
    shape = "X must have at least one row and column; got"
    refused(shape, lambda: make().fit(pd.DataFrame(index=range(60)), Y))
    refused(shape, lambda: make().fit(FRAME[:0], Y[:0]))
    refused("a minimum of 1 is required", lambda: make().fit(X[:, :0], Y))
    refused("contains infinity", lambda: make().fit(np.where(X > 1, np.inf, X), Y))


@pytest.mark.parametrize("make", [teacher, student])
def test_other_columns_at_predict_are_refused(make):
    fitted = make().fit(FRAME, Y)
    refused(
        "X has 2 features, but .* is expecting 3 features",
        lambda: make().fit(X, Y).predict_proba(X[:, :2]),
    )
    with pytest.raises(ValueError, match="names unseen at fit time:\n- z"):
        fitted.predict_proba(FRAME.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="must be in the same order"):
        fitted.predict_proba(FRAME[["b", "a", "c"]])
    refused("hold numbers; got 'x'", lambda: fitted.predict([["x", 1.0, 2.0]]))
    refused(
        r"X must be a table, as in the fit; got images \(30, 3, 8, 8\)",
        lambda: fitted.predict_proba(IMAGES),
    )
    refused("at least one row", lambda: fitted.predict_proba(FRAME[:0]))


@pytest.mark.parametrize("make", [teacher, student])
def test_other_images_at_predict_are_refused(make):
    fitted = make(SmallCNN()).fit(IMAGES, Z)
    as_fitted = r"X must hold images of shape \(3, 8, 8\), as in the fit; got "
    refused(as_fitted + r"\(3, 6, 6\)", lambda: fitted.predict(IMAGES[:, :, :6, :6]))
    refused(as_fitted + r"an array of shape \(60, 3\)", lambda: fitted.predict(X))
    refused(as_fitted + "an array of shape", lambda: fitted.predict(FRAME))
    flat = IMAGES.reshape(30, -1)
    refused(as_fitted + r"an array of shape \(30, 192\)", lambda: fitted.predict(flat))
    refused(as_fitted + "an array", lambda: fitted.predict(IMAGES[:, 0]))
    refused("1 features, but .* 3 feat", lambda: fitted.predict(IMAGES[:, :1]))
    refused(RANGE, lambda: fitted.predict(IMAGES.astype(float)))
    # On the scale 0 to 1 floats are the same images.
    np.testing.assert_allclose(
        fitted.predict_proba(IMAGES / 255.0),
        fitted.predict_proba(IMAGES),
        atol=1e-5,
    )


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(59), r"sample_weight must have shape \(60,\); got \(59,\)"),
        (np.ones((60, 1)), r"sample_weight must have shape \(60,\); got \(60, 1\)"),
        (-np.ones(60), "sample_weight must be non-negative; got -1 in row 0"),
        (np.full(60, np.nan), "sample_weight must be finite; got nan in row 0"),
        (np.zeros(60), "sample_weight must have a positive sum; got only zeros"),
        ("heavy", "sample_weight must hold numbers in equal rows; got 'heavy'"),
    ],
)
def test_weights_of_another_shape_are_refused(weight, message):
    refused(message, lambda: teacher().fit(X, Y, sample_weight=weight))
    refused(message, lambda: teacher().partial_fit(X, Y, sample_weight=weight))
    refused(message, lambda: student().fit(X, Y, sample_weight=weight))
    refused(message, lambda: cross_fit(teacher(), X, Y, cv=3, sample_weight=weight))


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.ones(59), r"groups must have shape \(60,\); got \(59,\)"),
        (np.ones((60, 2)), r"groups must have shape \(60,\); got \(60, 2\)"),
        (5, r"groups must have shape \(60,\); got \(\)"),
        (np.where(Y, np.nan, 1.0), "groups must have no missing value; got"),
        (np.array([None, "a"] * 30), "groups must have no missing value; got 30 miss"),
    ],
)
def test_groups_of_another_shape_are_refused(groups, message):
    refused(message, lambda: teacher().fit(X, Y, groups=groups))
    refused(message, lambda: cross_fit(teacher(), X, Y, cv=3, groups=groups))


@pytest.mark.usefixtures("untrained")
def test_labels_that_do_not_fit_are_refused():
    refused("inconsistent numbers of samples", lambda: teacher().fit(X, Y[:50]))
    refused("at least two classes", lambda: teacher().fit(X, np.zeros(60)))
    refused(r"hold the classes \[1, 2\]; got 0", partial_fit([1, 2]))
    refused(r"(y|target) must have shape \(60.*; got \(50,", partial_fit(None, Y[:50]))
    message = "y must have at least two classes; got 1 class: 0"
    lone = np.zeros(60, dtype=int)
    refused(message, lambda: student().partial_fit(X, lone))


def partial_fit(classes, y=Y):
    """Return a first partial fit of a teacher."""
    return lambda: teacher().partial_fit(X, y, classes=classes)


def test_labels_and_columns_of_later_parts_are_those_of_the_first():
    fitted = teacher().partial_fit(X, Y)
    refused(r"hold the classes \[0, 1\]; got 2", lambda: fitted.partial_fit(X, Y + 1))
    refused("X has 2 features", lambda: fitted.partial_fit(X[:, :2], Y))
    refused("be a table, as in the fit", lambda: fitted.partial_fit(IMAGES, Z))


@pytest.mark.parametrize("make", [teacher, student])
def test_a_warm_start_needs_what_the_fit_before_had(make):
    warm = make(training=Training(warm_start=True)).fit(X, Y)
    anew = "Begin anew with fit, without training.warm_start"
    columns = f"X must have the 3 columns of the fit before; got 2. {anew}"
    refused(columns, lambda: warm.fit(X[:, :2], Y))
    scores = f"y must need 1 score a row, as in the fit before; got 3. {anew}"
    refused(scores, lambda: warm.fit(X, np.arange(60) % 3))
    refused("X must be a table, as in the fit", lambda: warm.fit(IMAGES, Z))
    warm.fit(X, Y)
    module = r"module must be that of the fit before; got another: MLP\(hidden_layer_si"
    refused(module, lambda: warm.set_params(module=(5,)).fit(X, Y))
    refused(module, lambda: warm.partial_fit(X, Y))


def test_parameters_are_gone_on_from_in_another_format():
    settings = {"validation_fraction": 0.0, "learning_rate": 1e-12, "weight_decay": 0.0}
    fitted = teacher(**settings).partial_fit(X, Y)
    before = fitted.predict_proba(X)
    fitted.set_params(dtype="float64").partial_fit(X, Y)
    assert next(fitted.module_.parameters()).dtype == torch.float64
    np.testing.assert_allclose(fitted.predict_proba(X), before, atol=1e-6)


def test_a_part_that_is_broken_off_leaves_the_network_there_was():
    fitted = teacher(max_epochs=5).partial_fit(X, Y)
    before = fitted.predict_proba(X)

    def stop(end):
        if end.epoch.epoch == 3:
            raise KeyboardInterrupt

    fitted.training = Training(callbacks=[stop])
    with pytest.raises(KeyboardInterrupt):
        fitted.partial_fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("callbacks", [5, None, "print", print, [print, 5]])
def test_callbacks_that_cannot_be_called_are_refused(callbacks):
    message = "training.callbacks must be a sequence of callables; got"
    network = teacher(training=Training(callbacks=callbacks))
    refused(message, lambda: network.fit(X, Y), TypeError)
