"""Networks as classifiers: scikit-learn's checks, tables of all kinds, and batches."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, cross_fit
from semikd.exceptions import SemikdWarning
from semikd.networks import MLP, Training
from semikd.students import TorchStudent
from semikd.teachers import TorchClassifier

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def quick(**settings):
    """Return a small network that trains in mini-batches."""
    given = {"max_epochs": 15, "random_state": 0, "device": "cpu", **settings}
    return TorchClassifier(given.pop("module", (8,)), **given)


def exact(module=(), **settings):
    """Return a network whose fit is a solution and not a stopped search."""
    given = {"solver": "lbfgs", "dtype": "float64", "max_epochs": 3000, **settings}
    return TorchClassifier(module, **given)


def expected_failures(estimator):
    if estimator.solver == "lbfgs":
        return {}
    reason = "mini-batches and the validation split see a weight as no repeated row"
    return {"check_sample_weight_equivalence_on_dense_data": reason}


@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(
    [exact(), exact((4,), weight_decay=0.1), TorchClassifier()],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learns_estimator_checks(estimator, check):
    check(estimator)


@pytest.fixture
def table():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(600, 4))
    p = 1.0 / (1.0 + np.exp(-2.0 * X[:, 0] - X[:, 1]))
    return X, np.where(draws.random(600) < p, "yes", "no"), p


def test_without_hidden_layers_it_is_a_logistic_regression(table):
    X, y, _ = table
    found = exact(weight_decay=0.0).fit(X, y).predict_proba(X)
    known = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(found, known.predict_proba(X), atol=1e-5)


def test_labels_of_all_folds_are_those_of_teachers_trained_alone(table):
    X, y, _ = table
    teacher = quick(dtype="float64", validation_fraction=0.2)
    record = cross_fit(teacher, X, y, cv=3, n_repeats=2, random_state=0)
    assert record.strategy.startswith("3-fold cross-fitting")
    assert record.labelled.all()
    again = [t.predict_proba(X) for repeat in record.teachers for t in repeat]
    for r in range(2):
        for t in range(3):
            rows = record.fold[r] == t
            own = record.prediction[r][rows]
            np.testing.assert_allclose(own, again[3 * r + t][rows], atol=1e-12)
            others = [again[3 * r + s][rows] for s in range(3) if s != t]
            assert min(np.abs(own - other).max() for other in others) > 1e-3


def test_a_fold_teacher_has_not_seen_the_labels_of_its_rows(table):
    X, y, _ = table
    teacher = quick(dtype="float64")
    record = cross_fit(teacher, X, y, cv=3, random_state=0)
    rows = record.fold[0] == 0
    flipped = np.where(rows, np.where(y == "yes", "no", "yes"), y)
    folds = record.fold[0]
    first = cross_fit(teacher, X, y, cv=folds, random_state=0)
    moved = cross_fit(teacher, X, flipped, cv=folds, random_state=0)
    # When the others leave the batch is their own: it moves the last digits of sums.
    np.testing.assert_allclose(
        first.prediction[0, rows], moved.prediction[0, rows], rtol=1e-12
    )
    assert np.abs(first.prediction[0, ~rows] - moved.prediction[0, ~rows]).max() > 0.01


def folds_of_which_one_has_all_rows_of_a_class(X):
    """Return labels of three classes and folds; the first holds all of the third."""
    fold = np.arange(len(X)) % 4
    y = np.where(fold == 0, "rare", np.where(X[:, 0] > 0.0, "no", "yes"))
    every = np.arange(len(X))
    folds = [(every[fold != t], every[fold == t]) for t in range(4)]
    return y, fold, folds


@pytest.mark.parametrize(
    "weights", [None, "balanced", {"no": 1.0, "rare": 2.0, "yes": 3.0}]
)
def test_a_class_that_a_fold_teacher_never_saw_has_probability_0(table, weights):
    X, _, _ = table
    y, fold, folds = folds_of_which_one_has_all_rows_of_a_class(X)
    teacher = quick(max_epochs=2, class_weight=weights)
    with pytest.warns(SemikdWarning, match=r"1 of 4 fold teachers never saw a class"):
        record = cross_fit(teacher, X, y, cv=folds, random_state=0)
    assert (record.mean[fold == 0, 1] == 0.0).all()
    assert (record.mean[fold != 0] > 0.0).all()
    np.testing.assert_allclose(record.mean.sum(axis=1), 1.0, atol=1e-9)


def test_labels_made_as_a_student_learns_know_which_classes_a_teacher_saw(table):
    X, _, _ = table
    y, _, folds = folds_of_which_one_has_all_rows_of_a_class(X)
    small = TorchStudent((4,), max_epochs=2, device="cpu")
    with pytest.warns(SemikdWarning, match="never saw a class"):
        cached, online = (
            DistilledClassifier(
                quick(max_epochs=2), small, cv=folds, online_labels=on, random_state=0
            )
            .fit(X, y)
            .predict_proba(X)
            for on in (False, True)
        )
    np.testing.assert_allclose(cached, online, atol=1e-5)


def test_a_fold_with_one_class_left_is_refused(table):
    X, _, _ = table
    _, fold, folds = folds_of_which_one_has_all_rows_of_a_class(X)
    with pytest.raises(ValueError, match=r"y must have at least two classes; .*fold 1"):
        cross_fit(quick(), X, fold == 0, cv=folds, random_state=0)


def test_a_seed_of_the_teachers_own_stays(table):
    X, y, _ = table
    _, _, folds = folds_of_which_one_has_all_rows_of_a_class(X)
    one, again, other = (
        cross_fit(quick(max_epochs=1, random_state=seed), X, y, cv=folds).prediction
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
def test_gaps_and_categories_of_a_frame_are_read(table, library):
    X, _, _ = table
    draws = np.random.default_rng(1)
    colour = draws.choice(["red", "green", "blue"], size=600)
    gap = draws.random(600) < 0.3
    # Colour and the gap decide, the numbers do not.
    y = np.where((colour == "red") ^ gap, 1, 0)
    numbers = np.where(gap, np.nan, X[:, 0])
    frame = library({"number": numbers, "colour": colour})
    settings = {"max_epochs": 60, "learning_rate": 0.02, "validation_fraction": 0.0}
    fitted = quick(module=(16,), batch_size=64, **settings).fit(frame, y)
    assert (fitted.predict(frame) == y).mean() > 0.98
    strange = library({"number": [0.0, None], "colour": ["violet", None]})
    assert np.isfinite(fitted.predict_proba(strange)).all()


def test_infinite_numbers_are_refused(table):
    X, y, _ = table
    frame = pd.DataFrame(X)
    frame.iloc[3, 1] = np.inf
    with pytest.raises(ValueError, match="X must be finite or missing; got infinity"):
        quick().fit(frame, y)


def test_settings_of_module_and_training_are_parameters(table):
    X, y, _ = table
    estimator = TorchClassifier(MLP((4,)), training=Training(), max_epochs=2)
    grid = {"module__dropout": [0.0, 0.5], "training__patience": [1, 2]}
    search = GridSearchCV(estimator, grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert clone(search.best_estimator_).get_params()["module__dropout"] in {0.0, 0.5}


def test_settings_are_reached_where_there_is_no_object_for_them_yet(table):
    X, y, _ = table
    grid = {"module__dropout": [0.25], "training__patience": [1, 2]}
    found = GridSearchCV(quick(max_epochs=2), grid, cv=2).fit(X, y).best_estimator_
    assert repr(found.module) == repr(MLP((8,), dropout=0.25))
    assert found.training.patience in {1, 2}
    assert quick().set_params(module="mlp", module__dropout=0.5).module.dropout == 0.5
    with pytest.raises(ValueError, match="Invalid parameter 'patient'"):
        quick().set_params(training__patient=3)


def test_balanced_classes_are_those_of_weights(table):
    X, _, _ = table
    y = (X[:, 0] > 1.0).astype(int)
    factors = len(y) / (2 * np.bincount(y))
    balanced = exact(class_weight="balanced", weight_decay=0.01).fit(X, y)
    weighted = exact(weight_decay=0.01).fit(X, y, sample_weight=factors[y])
    np.testing.assert_allclose(
        balanced.predict_proba(X), weighted.predict_proba(X), atol=1e-6
    )
    plain = exact(weight_decay=0.01).fit(X, y)
    assert np.abs(plain.predict_proba(X) - weighted.predict_proba(X)).max() > 0.05


def test_groups_are_not_divided_by_early_stopping(table):
    X, y, _ = table
    groups = np.repeat(np.arange(60), 10)
    seen = {}

    class Spy(TorchClassifier):
        def _task(self, *args, **kwargs):
            seen["task"] = super()._task(*args, **kwargs)
            return seen["task"]

    Spy((4,), max_epochs=1, device="cpu").fit(X, y, groups=groups)
    task = seen["task"]
    watching = set(groups[task.rows[task.held_out]])
    assert watching
    assert not watching & set(groups[task.rows[~task.held_out]])


def test_partial_fits_go_on_where_the_last_one_ended(table):
    X, y, _ = table
    estimator = quick(max_epochs=1, validation_fraction=0.0)
    first = clone(estimator).partial_fit(X, y)
    before = first.module_.state_dict()["0.weight"].clone()
    losses = [first.partial_fit(X, y).history_[0].train_loss for _ in range(40)]
    assert losses[-1] < losses[0] - 0.05
    assert (first.module_.state_dict()["0.weight"] - before).abs().max() > 0.01
    only_no = y == "no"
    started = clone(estimator).partial_fit(
        X[only_no], y[only_no], classes=["no", "yes"]
    )
    assert started.predict_proba(X).shape == (600, 2)
    with pytest.raises(ValueError, match=r"y must hold the classes .*; got 'maybe'"):
        started.partial_fit(X[:2], ["maybe", "no"])


def test_a_part_without_some_class_is_balanced_among_the_others(table):
    X, _, _ = table
    y = (X[:, 0] > 1.0).astype(int)
    parts = [
        quick(class_weight=weight).partial_fit(X, y, [0, 1, 2])
        for weight in ("balanced", None)
    ]
    mean = [part.predict_proba(X).mean(axis=0)[1] for part in parts]
    assert mean[0] > mean[1] + 0.02


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros((600, 1)), r"y must have shape \(600,\); got \(600, 1\)"),
        (np.zeros(5), r"y must have shape \(600,\); got \(5,\)"),
        (np.full(600, np.nan), "y must have no missing value"),
    ],
)
def test_labels_of_a_part_are_one_for_each_row(table, y, message):
    with pytest.raises(ValueError, match=message):
        quick().partial_fit(table[0], y)


def test_a_warm_start_begins_at_the_present_parameters(table):
    X, y, _ = table
    settings = {"max_epochs": 20, "validation_fraction": 0.0, "learning_rate": 0.01}
    warm = quick(training=Training(warm_start=True), **settings).fit(X, y)
    cold = quick(**settings).fit(X, y)
    assert warm.history_[0].train_loss == cold.history_[0].train_loss
    again = warm.fit(X, y).history_[0].train_loss
    assert again < cold.history_[0].train_loss - 0.1
    assert cold.fit(X, y).history_[0].train_loss > again
    with pytest.raises(ValueError, match=r"y must hold the classes \['no', 'yes'\]"):
        warm.fit(X, np.where(y == "yes", "good", "bad"))


def test_a_fit_to_another_table_that_was_broken_off_leaves_no_wrong_answers(table):
    X, y, _ = table

    def broken(_):
        raise KeyboardInterrupt

    fitted = quick().fit(X, y).set_params(training__callbacks=[broken])
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(np.hstack([X, X]), y)
    with pytest.raises(ValueError, match="have the 4 columns of the network there is"):
        fitted.predict(np.hstack([X, X]))


def test_callbacks_see_every_epoch_and_may_end_the_fit(table):
    X, y, _ = table
    seen = []

    def stop_at_three(end):
        seen.append((end.epoch.epoch, end.n_epochs, end.seconds_left >= 0.0))
        return end.epoch.epoch == 3

    fitted = quick(training=Training(callbacks=[stop_at_three])).fit(X, y)
    assert seen == [(1, 15, True), (2, 15, True), (3, 15, True)]
    assert fitted.n_iter_ == 3


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ({"patience": 0}, "training.patience must be an integer of at least 1"),
        ({"optimizer": "adan"}, "training.optimizer must be one of.*'adam'"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"precision": "half"}, "training.precision must be one of"),
        ({"clip_norm": 0.0}, "training.clip_norm must be a number above 0"),
        ({"time_limit": -1}, "training.time_limit must be a number above 0"),
        ({"compile": 1}, "training.compile must be one of 'off', 'default'"),
        (
            {"compile": "cuda_graphs"},
            "compile must be 'off' or 'default' on cpu, which",
        ),
        ({"callbacks": print}, "training.callbacks must be a sequence of callables"),
    ],
)
def test_options_out_of_range_are_refused(table, training, message):
    X, y, _ = table
    with pytest.raises((ValueError, TypeError), match=message):
        quick(training=Training(**training)).fit(X, y)


def test_options_that_are_none_are_refused(table):
    X, y, _ = table
    with pytest.raises(
        TypeError, match=r"training must be a Training or None; got \{\}"
    ):
        quick(training={}).fit(X, y)
