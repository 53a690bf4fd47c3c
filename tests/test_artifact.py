"""A shipped model answers exactly as the fitted one, from arrays, with numpy alone."""

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge
from sklearn.linear_model import Lasso as SparseLinear
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeRegressor,
)

from semikd import DistilledClassifier, DistilledRegressor, LinearStudent, TorchStudent
from semikd.artifact import (
    ForestArrays,
    LinearArrays,
    NetworkArrays,
    ShippedModel,
    TreeArrays,
    load_model,
    save_model,
    ship,
    student_arrays,
)
from semikd.artifact.descent import float32_below
from semikd.encoding import CategoryColumn, Encoder, NumberColumn, Scaling
from semikd.losses import (
    CrossEntropyLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.networks import MLP
from semikd.students import (
    AdversarialStudent,
    FeatureStudent,
    RobustStudent,
    as_student,
)
from semikd.teachers import TorchClassifier

WIDTH = 6
UNCENTRED = LogProbabilityLoss(centered=False)


def encoder(*, filled=False, width=WIDTH):
    """Return an encoder of plain number columns x0, x1 and so on."""
    scaling = Scaling(0.0, 0.0, 1.0) if filled else None
    return Encoder(tuple(NumberColumn(f"x{i}", scaling) for i in range(width)))


def rows(n, *, missing=0.0, seed=0):
    """Return float32 columns, some of them missing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, WIDTH)).astype(np.float32)
    X[rng.random(X.shape) < missing] = np.nan
    return X


def probabilities(X, n_classes):
    """Return class probabilities that depend on some columns."""
    seen = np.nan_to_num(X)
    scores = seen[:, :n_classes] + seen[:, n_classes - 1 : 2 * n_classes - 1] ** 2
    raised = np.exp(scores.astype(np.float64))
    return raised / raised.sum(axis=1, keepdims=True)


def as_table(X):
    """Return the columns by their names."""
    return {f"x{i}": column for i, column in enumerate(X.T)}


def fitted(learner, X, loss, n_classes):
    """Return a student fitted to soft targets."""
    target = loss.phi(probabilities(X, n_classes))
    return as_student(learner).fit_target(X, target, loss=loss)


def shipped(learner, X, loss, n_classes, *, folder=None, **options):
    """Return a student, and the same as a shipped model that went through files."""
    student = fitted(learner, X, loss, n_classes)
    model = SimpleNamespace(
        student_=student.learner,
        loss_=loss,
        classes_=np.array(list("abcdef")[:n_classes]),
    )
    filled = not np.isnan(X).any()
    small = ship(model, encoder(filled=filled), target="y", **options)
    if folder is not None:
        save_model(small, folder)
        small = load_model(folder)
    return student, small


TREES = {
    "tree": DecisionTreeRegressor(max_leaf_nodes=40, random_state=0),
    "grown tree": DecisionTreeRegressor(random_state=0),
    "stump of nothing": DecisionTreeRegressor(min_samples_leaf=400, random_state=0),
    "random tree": ExtraTreeRegressor(max_leaf_nodes=40, random_state=0),
    "forest": RandomForestRegressor(12, max_leaf_nodes=15, random_state=0),
    "random forest": ExtraTreesRegressor(12, max_leaf_nodes=15, random_state=0),
    "a tree for each score": MultiOutputRegressor(
        DecisionTreeRegressor(max_depth=4, random_state=0)
    ),
    "a forest for each score": MultiOutputRegressor(
        RandomForestRegressor(3, max_depth=4, random_state=0)
    ),
}


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize(
    ("loss", "n_classes"),
    [(ProbabilityLoss(), 2), (LogProbabilityLoss(), 3), (UNCENTRED, 2)],
    ids=["probability", "log", "uncentred"],
)
def test_trees_answer_to_the_last_digit(name, missing, loss, n_classes, tmp_path):
    if "each score" in name and n_classes == 2 and loss != UNCENTRED:
        pytest.skip("two classes have one score, and need no learner for each")
    X = rows(600, missing=missing)
    student, small = shipped(TREES[name], X, loss, n_classes, folder=tmp_path)
    new = rows(500, missing=missing, seed=1)
    np.testing.assert_allclose(
        small.scores(new), student.scores(new), rtol=0, atol=1e-12
    )
    want = loss.probabilities(student.scores(new))
    np.testing.assert_allclose(
        small.predict_proba(as_table(new)), want, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(
    ("learner", "loss", "n_classes", "tolerance"),
    [
        (LinearStudent(), CrossEntropyLoss(), 2, 1e-12),
        (LinearStudent(), CrossEntropyLoss(temperature=4.0), 3, 1e-12),
        (LinearStudent(loss="probability"), ProbabilityLoss(), 3, 1e-12),
        (LogisticRegression(), CrossEntropyLoss(), 2, 1e-12),
        (LogisticRegression(), LogProbabilityLoss(), 3, 1e-12),
        (Ridge(), ProbabilityLoss(), 3, 1e-12),
        (LinearRegression(), ProbabilityLoss(), 2, 1e-12),
        (SparseLinear(0.01, random_state=0), LogProbabilityLoss(), 3, 1e-12),
        (ElasticNet(0.01, random_state=0), ProbabilityLoss(), 2, 1e-12),
        (MultiOutputRegressor(Ridge()), ProbabilityLoss(), 3, 1e-12),
        (TorchStudent((16, 8), max_epochs=2), CrossEntropyLoss(), 3, 1e-12),
        (TorchStudent((), max_epochs=2, dtype="float64"), UNCENTRED, 2, 1e-12),
        (
            TorchStudent(MLP((8,), dropout=0.3), max_epochs=2, random_state=0),
            CrossEntropyLoss(),
            2,
            1e-12,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_linear_scores_and_networks_answer_alike(
    learner, loss, n_classes, tolerance, tmp_path
):
    # In float64, as the library trains; the next test is about float32.
    X = rows(400).astype(np.float64)
    student, small = shipped(learner, X, loss, n_classes, folder=tmp_path)
    new = rows(300, seed=1).astype(np.float64)
    np.testing.assert_allclose(
        small.scores(new), student.scores(new), rtol=0, atol=tolerance
    )


def test_a_linear_model_fitted_in_float32_is_answered_for_more_precisely():
    X = rows(400)
    student, small = shipped(Ridge(), X, ProbabilityLoss(), 2)
    assert student.learner.coef_.dtype == np.float32
    exact = X.astype(np.float64) @ student.learner.coef_.astype(np.float64)
    exact += float(student.learner.intercept_)
    np.testing.assert_allclose(small.scores(X)[:, 0], exact, rtol=0, atol=1e-15)
    np.testing.assert_allclose(small.scores(X), student.scores(X), rtol=0, atol=1e-6)


def test_leaves_are_those_of_the_fitted_tree():
    X = rows(600, missing=0.1)
    tree = DecisionTreeRegressor(max_leaf_nodes=50, random_state=0)
    tree.fit(X, probabilities(X, 2)[:, 1], sample_weight=1.0 + (X[:, 0] > 0))
    arrays, fit = student_arrays(tree), tree.tree_
    assert (arrays.apply(X) == tree.apply(X)).all()
    assert (arrays.left == fit.children_left).all()
    assert (arrays.right == fit.children_right).all()
    assert (arrays.n_leaves, arrays.depth) == (50, tree.get_depth())
    # Inner values are means over the leaves, which least squares makes them as well.
    np.testing.assert_allclose(arrays.value, fit.value[:, :, 0], atol=1e-12)
    share = fit.weighted_n_node_samples / fit.weighted_n_node_samples[0]
    np.testing.assert_allclose(arrays.cover, share, rtol=1e-6)


finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(derandomize=True, max_examples=300)
@given(finite32, st.floats(-1e38, 1e38), st.integers(-3, 3))
def test_a_threshold_in_float32_divides_float32_numbers_alike(number, base, steps):
    # Numbers close to the threshold are where rounding could send a row elsewhere.
    threshold = np.array([base])
    near = np.float32(base)
    for _ in range(abs(steps)):
        near = np.nextafter(near, np.float32(np.inf * np.sign(steps)))
    short = float32_below(threshold)[0]
    for x in (np.float32(number), near, np.float32(0.0)):
        assert (float(x) <= base) == bool(x <= short)


def test_rounding_to_the_nearest_threshold_would_send_rows_elsewhere():
    x, threshold = np.float32(0.1), 0.1
    assert float(x) > threshold
    assert x <= np.float32(threshold)
    assert not x <= float32_below(np.array([threshold]))[0]


def test_infinite_thresholds_send_every_number_left_and_missing_ones_right():
    X = np.array([[1.0], [2.0], [np.nan], [np.nan]], dtype=np.float32)
    tree = DecisionTreeRegressor(random_state=0).fit(X, [0.0, 0.0, 1.0, 1.0])
    assert np.isinf(tree.tree_.threshold[0])
    arrays = student_arrays(tree)
    assert np.isfinite(arrays.threshold).all()
    extreme = np.array([[3.4e38], [-3.4e38], [np.nan]], dtype=np.float32)
    assert arrays.scores(extreme)[:, 0].tolist() == [0.0, 0.0, 1.0]


def test_rows_in_chunks_answer_as_rows_alone(monkeypatch):
    X = rows(50, missing=0.1)
    _, small = shipped(TREES["forest"], X, ProbabilityLoss(), 3)
    whole = small.scores(X)
    monkeypatch.setattr("semikd.artifact.descent._TOGETHER", 25)
    assert (small.scores(X) == whole).all()
    alone = np.concatenate([small.scores(X[i : i + 1]) for i in range(50)])
    assert (alone == whole).all()
    assert small.scores(X[:0]).shape == (0, 3)


def test_many_scores_of_many_trees_are_not_all_in_memory_at_once():
    X = rows(3000)
    student = RandomForestRegressor(10, max_leaf_nodes=3, random_state=0)
    forest = student_arrays(student.fit(X[:50], np.zeros((50, 200))))
    forest.scores(X[:1])
    tracemalloc.start()
    answer = forest.scores(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - answer.nbytes < 16e6, "all at once would take 48 MB"


LABELS = {
    "text": (np.array(["no", "yes", "maybe é"]), "<U7"),
    "object": (np.array(["no", "yes"], dtype=object), "object"),
    "int64": (np.array([-3, 0, 2**53 + 1]), "int64"),
    "int8": (np.array([0, 1], dtype=np.int8), "int8"),
    "bool": (np.array([False, True]), "bool"),
    "float64": (np.array([0.1, 2.5]), "float64"),
    "float32": (np.array([0.1, 2.5], dtype=np.float32), "float32"),
    "numbers as objects": (np.array([1, 2], dtype=object), "object"),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_come_back_as_they_were(name, tmp_path):
    classes, dtype = LABELS[name]
    X = rows(300)
    student = fitted(TREES["tree"], X, ProbabilityLoss(), len(classes))
    model = SimpleNamespace(
        student_=student.learner, loss_=ProbabilityLoss(), classes_=np.sort(classes)
    )
    save_model(ship(model, encoder(), target="y"), tmp_path)
    small = load_model(tmp_path)
    answer = small.predict(as_table(X))
    codes = probabilities_of(student, X).argmax(axis=1)
    assert answer.dtype == np.dtype(dtype)
    assert answer.tolist() == np.sort(classes)[codes].tolist()
    assert {type(label) for label in small.classes} <= {str, int, float, bool}


def probabilities_of(student, X):
    """Return the probabilities of a student on the probability scale."""
    return ProbabilityLoss().probabilities(student.scores(X))


@pytest.mark.parametrize(
    ("student", "loss"),
    [
        (DecisionTreeRegressor(max_leaf_nodes=8), "probability"),
        (DecisionTreeRegressor(max_leaf_nodes=8), UNCENTRED),
        (LinearStudent(), "cross_entropy"),
    ],
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_distilled_classifier_and_its_shipped_twin_agree(student, loss, n_classes):
    X = rows(400)
    y = np.array(["a", "b", "c"])[probabilities(X, n_classes).argmax(axis=1)]
    teacher = DecisionTreeClassifier(max_depth=4, random_state=0)
    small = DistilledClassifier(teacher, student, loss=loss, cv=3, random_state=0)
    small.fit(X, y)
    twin = ship(small, encoder(filled=True), target="y")
    table = as_table(rows(500, seed=3))
    features = twin.encode(table)[0]
    assert (twin.predict_proba(table) == small.predict_proba(features)).all()
    assert (twin.predict(table) == small.predict(features)).all()


SMALL = {"max_epochs": 3, "device": "cpu", "dtype": "float64", "random_state": 0}


@pytest.mark.parametrize(
    "student",
    [
        TorchStudent((4,), **SMALL),
        FeatureStudent(TorchStudent((4,), **SMALL), "hint"),
        RobustStudent((4,), **SMALL),
        AdversarialStudent((4,), protected=0, **SMALL),
    ],
    ids=lambda student: type(student).__name__,
)
def test_networks_of_every_kind_agree_with_their_shipped_twins(student, tmp_path):
    X = rows(200)
    y = np.array(["a", "b", "c"])[probabilities(X, 3).argmax(axis=1)]
    X[:, 0] = X[:, 0] > 0
    small = DistilledClassifier(TorchClassifier((4,), **SMALL), student, cv=2)
    small.set_params(random_state=0).fit(X, y)
    save_model(ship(small, encoder(filled=True), target="y"), tmp_path)
    twin, table = load_model(tmp_path), as_table(rows(100, seed=3))
    features = twin.encode(table)[0]
    np.testing.assert_allclose(
        twin.predict_proba(table), small.predict_proba(features), atol=1e-14
    )
    assert (twin.predict(table) == small.predict(features)).all()


@pytest.mark.parametrize("n_outcomes", [1, 2])
def test_a_distilled_regressor_and_its_shipped_twin_agree(n_outcomes, tmp_path):
    X = rows(300)
    y = X[:, 0] if n_outcomes == 1 else X[:, :2]
    small = DistilledRegressor(
        DecisionTreeRegressor(max_depth=5),
        DecisionTreeRegressor(max_leaf_nodes=8),
        cv=3,
        random_state=0,
    ).fit(X, y)
    save_model(ship(small, encoder(), target="price"), tmp_path)
    twin = load_model(tmp_path)
    assert (twin.predict(as_table(X)) == small.predict(X)).all()
    assert twin.classes is None
    with pytest.raises(ValueError, match="model must have classes for probabilities"):
        twin.predict_proba(as_table(X))
    with pytest.raises(ValueError, match="model must have classes; got a regression"):
        _ = twin.labels


def constant(score, link, classes=("no", "yes"), threshold=0.5):
    """Return a model that gives every row one score."""
    student = LinearArrays(np.zeros((1, 1)), np.array([score]))
    columns = encoder(filled=True, width=1)
    return ShippedModel(columns, student, link, classes, threshold)


@pytest.mark.parametrize(
    ("score", "link", "threshold", "answer"),
    [
        (0.5, "probability", 0.5, "no"),
        (np.nextafter(0.5, 1), "probability", 0.5, "yes"),
        (0.0, "cross_entropy", 0.5, "no"),
        (1e-20, "cross_entropy", 0.5, "yes"),
        (1e-20, "log_probability", 0.5, "yes"),
        (0.3, "probability", 0.3, "no"),
        (0.31, "probability", 0.3, "yes"),
        (0.7, "probability", 0.8, "no"),
    ],
)
def test_ties_go_to_the_first_class_at_every_threshold(score, link, threshold, answer):
    model = constant(score, link, threshold=threshold)
    assert model.predict({"x0": [1.0, 2.0]}).tolist() == [answer, answer]


def test_frames_and_mappings_are_read_alike():
    categories = CategoryColumn("colour", ("blue", "red"))
    both = Encoder((NumberColumn("age"), categories))
    X = np.array([[1.0, 0.0], [2.0, 1.0], [3.0, np.nan], [4.0, 0.0]])
    tree = DecisionTreeRegressor(random_state=0).fit(X, [0.0, 0.5, 1.0, 0.25])
    model = ShippedModel(both, student_arrays(tree), "probability", (0, 1))
    table = {"age": [1, 2, 3, None], "colour": ["blue", "red", "green", None]}
    want = model.predict_proba(table)
    assert model.encode(table)[1] == {"colour": 1}
    for other in (
        pd.DataFrame(table),
        pl.DataFrame(table),
        pd.DataFrame(table).astype({"colour": "category"}),
        {"more": [0] * 4} | {k: np.array(v, dtype=object) for k, v in table.items()},
    ):
        np.testing.assert_array_equal(model.predict_proba(other), want)
        np.testing.assert_array_equal(model.predict(other), model.predict(table))


def test_a_pipeline_that_selects_leading_columns_ships_its_learner():
    X = rows(200)
    wide = np.hstack([X, X])

    def leading(table):
        return table[:, :WIDTH]

    tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
    line = make_pipeline(FunctionTransformer(leading), tree).fit(wide, X[:, 0])
    arrays = student_arrays(line)
    assert (arrays.scores(X)[:, 0] == line.predict(wide)).all()
    assert isinstance(student_arrays(Pipeline([("tree", tree)])), TreeArrays)


@pytest.mark.parametrize(
    "head",
    [
        StandardScaler(),
        FunctionTransformer(np.nan_to_num),
        FunctionTransformer(np.flip),
    ],
)
def test_a_pipeline_that_changes_columns_is_refused(head):
    X = rows(200)
    line = make_pipeline(head, DecisionTreeRegressor(max_depth=2, random_state=0)).fit(
        X, X[:, 0]
    )
    with pytest.raises(TypeError, match=r"without transformers.*got a Pipeline"):
        student_arrays(line)


def test_hard_labels_beside_the_loss_do_not_change_the_link():
    X = rows(200)
    loss = HardLabelMix(CrossEntropyLoss(temperature=2.0), 0.5)
    p = probabilities(X, 2)
    target = loss.with_labels(loss.phi(p), np.round(p))
    student = LinearStudent().fit_target(X, target, loss=loss)
    model = SimpleNamespace(student_=student, loss_=loss, classes_=np.array([0, 1]))
    small = ship(model, encoder(filled=True), target="y")
    assert small.link == "cross_entropy"
    table = as_table(X)
    np.testing.assert_allclose(small.predict_proba(table), student.predict_proba(X))


def test_what_has_no_name_in_a_file_is_refused():
    class Doubled(ProbabilityLoss):
        """A scale of the user's own."""

    tree = DecisionTreeRegressor(random_state=0).fit(rows(20), rows(20)[:, 0])
    model = SimpleNamespace(student_=tree, loss_=Doubled(), classes_=["a", "b"])
    with pytest.raises(TypeError, match="loss must be one of the scales identity"):
        ship(model, encoder(), target="y")
    model.loss_, model.classes_ = ProbabilityLoss(), [("a", 1), ("b", 2)]
    with pytest.raises(ValueError, match="classes must be text, numbers or True"):
        ship(model, encoder(), target="y")
    with pytest.raises(TypeError, match="student must be a fitted regressor"):
        student_arrays(StandardScaler())


def test_a_layer_that_is_not_known_is_refused():
    from torch import nn

    student = TorchStudent((3,), max_epochs=1).fit(rows(50), rows(50)[:, 0] > 0)
    student.module_[1] = nn.ReLU()
    with pytest.raises(TypeError, match="SiLU units in turn; got ReLU"):
        student_arrays(student)


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (lambda nn: [nn.Linear(WIDTH, 2), nn.Linear(2, 1)], "another order"),
        (lambda nn: [nn.SiLU(), nn.Linear(WIDTH, 1)], "another order"),
        (lambda nn: [nn.Linear(WIDTH, 1), nn.SiLU()], "another order"),
        (lambda nn: [nn.Linear(WIDTH, 1, bias=False)], "another order"),
        (lambda nn: [nn.Sequential(nn.Linear(WIDTH, 1))], "Sequential"),
    ],
)
def test_known_layers_in_an_order_of_their_own_are_refused(parts, shown):
    from torch import nn

    student = TorchStudent(
        lambda row, m: nn.Sequential(*parts(nn)),
        max_epochs=1,
    ).fit(rows(50), rows(50)[:, 0] > 0)
    with pytest.raises(TypeError, match=f"SiLU units in turn; got {shown}"):
        student_arrays(student)


def test_a_linear_network_of_somebody_elses_is_shipped():
    from torch import nn

    student = TorchStudent(lambda row, m: nn.Linear(row[0], m), max_epochs=1)
    student.fit(rows(50), rows(50)[:, 0] > 0)
    found = student_arrays(student).scores(rows(9))
    np.testing.assert_allclose(found, student.scores(rows(9)), atol=1e-12)


STUMP = TreeArrays.of_leaves(
    (np.array([1, -1, -1]), np.array([2, -1, -1])),
    (np.array([0]), np.array([0.5]), np.array([True])),
    np.array([[0.2], [0.9]]),
    np.array([0.25, 0.75]),
    1,
)


def test_an_inner_value_is_the_mean_over_its_leaves():
    assert STUMP.value[:, 0].tolist() == pytest.approx([0.725, 0.2, 0.9])
    assert STUMP.cover.tolist() == [1.0, 0.25, 0.75]
    nobody = TreeArrays.of_leaves(
        (STUMP.left, STUMP.right),
        (np.array([0]), np.array([0.5]), np.array([True])),
        np.array([[0.0], [1.0]]),
        np.zeros(2),
        1,
    )
    assert nobody.value[0, 0] == 0.5


def changed(**arrays):
    """Return the stump with some arrays exchanged."""
    return replace(STUMP, **arrays)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"left": np.array([0, -1, -1])},
            "child of node 0 must be above 0 and",
        ),
        (
            {"left": np.array([10**9, -1, -1])},
            "below 3, or -1 for .* got 1000000000",
        ),
        ({"left": np.array([2, -1, -1])}, "children must reach each node once"),
        ({"left": np.array([-1, -1, -1])}, "child of node 0 .* got 2"),
        ({"left": np.array([1, -1])}, "left must have one entry for each of 3 nodes"),
        (
            {"feature": np.array([1, -1, -1])},
            "feature must name columns between 0",
        ),
        ({"feature": np.array([0, 0, -1])}, "feature must name columns"),
        ({"feature": np.array([0, -1])}, "tree must have an odd number of nodes"),
        ({"threshold": np.full(3, np.nan)}, "threshold must hold finite numbers"),
        ({"value": np.full((3, 1), np.inf)}, "value must hold finite numbers"),
        ({"value": np.zeros((3, 0))}, "tree must have scores and covers"),
        ({"cover": np.array([2.0, 1.0, 1.0])}, "cover must hold finite numbers"),
        ({"cover": np.array([0.0, -1.0, 1.0])}, "covers that are not negative"),
    ],
)
def test_arrays_that_make_no_tree_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        changed(**arrays)


def test_parts_of_a_tree_that_do_not_fit_are_refused():
    sides = (STUMP.left, STUMP.right)
    split = (np.array([0]), np.array([0.5]), np.array([True]))
    value, cover = np.array([[0.2], [0.9]]), np.array([0.25, 0.75])
    with pytest.raises(ValueError, match="splits must have 1 entries"):
        TreeArrays.of_leaves(sides, (*split[:2], np.ones(2)), value, cover, 1)
    with pytest.raises(ValueError, match="leaf_value and leaf_cover must have 2 rows"):
        TreeArrays.of_leaves(sides, split, value[:1], cover, 1)
    with pytest.raises(ValueError, match="right must have 3 entries; got 2"):
        TreeArrays.of_leaves((sides[0], sides[1][:2]), split, value, cover, 1)


def test_forests_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="forest must have between 1 and 10,000 trees"):
        ForestArrays(())
    two = changed(value=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="trees must agree in columns and scores"):
        ForestArrays((STUMP, two))
    with pytest.raises(ValueError, match="output must name one score for each of 1"):
        ForestArrays((STUMP,), (0, 1))
    with pytest.raises(ValueError, match="output must name one score"):
        ForestArrays((STUMP, STUMP), (0, 2))
    with pytest.raises(ValueError, match="one score each where output is given"):
        ForestArrays((two,), (0,))


def test_trees_that_are_deep_together_are_refused_before_all_are_built(monkeypatch):
    X = rows(50)
    forest = student_arrays(RandomForestRegressor(9, random_state=0).fit(X, X[:, 0]))
    arrays = forest.to_arrays()
    first = forest.trees[0].depth
    monkeypatch.setattr("semikd.artifact.forests._MAX_LEVELS", first)
    with pytest.raises(ValueError, match="levels together; got more"):
        ForestArrays(forest.trees)
    assert ForestArrays(forest.trees[:1]).n_outputs == 1
    built = []
    whole = TreeArrays.of_leaves
    monkeypatch.setattr(
        TreeArrays,
        "of_leaves",
        lambda *parts: built.append(1) or whole(*parts),
    )
    with pytest.raises(ValueError, match="levels together; got more"):
        ForestArrays.from_arrays(arrays, forest.n_features)
    assert len(built) == 2


ONE = np.ones(1)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((ONE, ONE, (), ()), "weights and biases must be as many"),
        ((ONE, 0 * ONE, (ONE[None],), (ONE,)), "scale must be positive"),
        ((ONE, ONE, (np.ones((1, 2)),), (ONE,)), r"weight_0 must have shape \(1, 1\)"),
        ((ONE, ONE, (np.ones((0, 1)),), (ONE[:0],)), "weight_0 must not be empty"),
        ((ONE * np.nan, ONE, (ONE[None],), (ONE,)), "mean must hold finite numbers"),
        ((ONE, ONE, (ONE[None] * np.inf,), (ONE,)), "weight_0 must hold finite"),
        ((ONE, ONE, (ONE[None],), (ONE * np.nan,)), "bias_0 must hold finite"),
        (
            (ONE, ONE, (ONE[None] * 1e150,) * 3, (ONE,) * 3),
            "weight_1 must keep every score finite",
        ),
    ],
)
def test_layers_that_make_no_network_are_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        NetworkArrays(*parts)


def test_coefficients_that_make_no_scores_are_refused():
    with pytest.raises(ValueError, match="coef must have shape"):
        LinearArrays(np.ones((2, 1)), np.ones(1))
    with pytest.raises(ValueError, match="at least one score and column"):
        LinearArrays(np.ones((1, 0)), np.ones(1))
    with pytest.raises(ValueError, match="coef must hold finite numbers"):
        LinearArrays(np.array([[1e250]]), np.ones(1))
    with pytest.raises(ValueError, match=r"features must have shape \(any, 1\)"):
        LinearArrays(np.ones((1, 1)), np.ones(1)).scores(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"link": "logit"},
            ValueError,
            "link must be one of 'identity', ",
        ),
        ({"classes": None}, ValueError, "classes must be given for every scale but"),
        (
            {"classes": ("a",)},
            ValueError,
            "classes must be between 2 and 10,0",
        ),
        ({"classes": tuple("abc")}, ValueError, "classes must fit to 1 scores"),
        ({"classes": ("a", "a")}, ValueError, "classes must be different"),
        ({"classes": ("a", None)}, ValueError, "classes must be labels of the format"),
        (
            {"classes": (0.0, np.nan)},
            ValueError,
            "classes must be labels of the format",
        ),
        ({"class_format": "V8"}, ValueError, "class_format must be one of 'object'"),
        ({"class_format": "int8"}, ValueError, "format 'int8'; got 'no'"),
        (
            {"classes": (1, 300), "class_format": "int8"},
            ValueError,
            "classes must fit into int8",
        ),
        ({"threshold": 0.0}, ValueError, "threshold must be above 0 and below 1"),
        ({"threshold": 1.5}, ValueError, "threshold must be a number"),
        ({"threshold": "half"}, TypeError, "threshold must be a number"),
        ({"target": 3}, TypeError, "target must be the name of a column"),
        ({"about": {"made": [1]}}, ValueError, "about must hold short text, numbers"),
        ({"about": {"made": np.inf}}, ValueError, "about must hold finite numbers"),
        (
            {"about": dict.fromkeys(map(str, range(101)))},
            ValueError,
            "at most 100",
        ),
        ({"encoder": encoder(width=2)}, ValueError, "student must have 2 columns"),
        (
            {"encoder": encoder(width=1)},
            ValueError,
            "student must answer to missing values with finite numbers",
        ),
    ],
)
def test_a_model_that_cannot_answer_is_refused(options, error, message):
    parts = vars(constant(0.5, "probability"))
    parts = {name: value for name, value in parts.items() if name != "labels"}
    with pytest.raises(error, match=message):
        ShippedModel(**{**parts, **options})


def test_a_model_says_what_it_is():
    X = rows(300)
    _, small = shipped(
        TREES["forest"], X, ProbabilityLoss(), 3, about={"created": "2026-01-02"}
    )
    told = small.describe()
    assert (told["kind"], told["trees"], told["leaves"]) == ("forest", 12, 180)
    assert (told["features"], told["columns"], told["classes"]) == (WIDTH, WIDTH, 3)
    nodes = sum(2 * 15 - 1 for _ in range(12))
    assert told["bare_bytes"] == nodes * (20 + 8 * 3)
    assert small.about["created"] == "2026-01-02"
    assert {"semikd", "numpy", "scikit_learn", "python"} <= set(small.about)
    assert constant(0.5, "probability").describe()["coefficients"] == 2
    network = NetworkArrays(ONE, ONE, (ONE[None], ONE[None]), (ONE, ONE))
    assert network.describe() == {"coefficients": 4, "hidden_layers": [1]}
    identity = IdentityLoss()
    tree = SimpleNamespace(student_=fitted(TREES["tree"], X, identity, 2).learner)
    tree.loss_ = identity
    assert ship(tree, encoder(), target="y").describe()["classes"] is None


def test_loading_and_answering_import_numpy_and_nothing_heavy(tmp_path):
    X = rows(300, missing=0.1)
    shipped(TREES["forest"], X, ProbabilityLoss(), 3, folder=tmp_path)
    code = f"""
import sys
from semikd.artifact import load_model
model = load_model({str(tmp_path)!r})
table = {{name: [1.0, None] for name in model.encoder.feature_names}}
assert model.predict_proba(table).shape == (2, 3)
assert model.predict(table).shape == (2,)
heavy = {{"sklearn", "scipy", "torch", "pandas", "polars", "narwhals", "skrub",
          "joblib", "skops", "matplotlib"}}
print(sorted(heavy & set(sys.modules)), "numpy" in sys.modules)
"""
    found = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[] True"
