"""Distillation among scikit-learn's tools, data frames and labels of any kind."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor
from semikd.losses import LogProbabilityLoss
from semikd.students import LinearStudent

Floats = NDArray[np.float64]
TEACHER = LogisticRegression(C=0.3)
TREE = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)


def made(n: int = 120, k: int = 2, seed: int = 0) -> tuple[Floats, NDArray[Any]]:
    """Return three columns and labels that follow them with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    scores = X @ rng.normal(size=(3, k)) + rng.gumbel(size=(n, k))
    return X, scores.argmax(axis=1)


def test_inside_a_pipeline_and_around_pipelines() -> None:
    X, y = made()
    inner = DistilledClassifier(TEACHER, LinearStudent(), random_state=0)
    outside = make_pipeline(StandardScaler(), inner).fit(X, y)
    by_hand = clone(inner).fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_allclose(
        outside.predict_proba(X),
        by_hand.predict_proba(StandardScaler().fit_transform(X)),
        atol=1e-12,
    )
    around = DistilledClassifier(
        make_pipeline(StandardScaler(), TEACHER),
        make_pipeline(StandardScaler(), TREE),
        random_state=0,
    ).fit(X, y, sample_weight=np.ones(len(y)))
    np.testing.assert_allclose(
        around.student_.predict(X), around.predict_proba(X)[:, 1]
    )
    assert around.size_.leaves == 6


def test_a_grid_search_over_size_and_correction() -> None:
    X, y = made(200)
    grid = {"student__max_leaf_nodes": [2, 8], "correction": [0.0, "orthogonal"]}
    search = GridSearchCV(
        DistilledClassifier(TEACHER, TREE, random_state=0),
        grid,
        cv=3,
        scoring="neg_log_loss",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    best = search.best_params_
    assert (
        search.best_estimator_.student_.max_leaf_nodes
        == (best["student__max_leaf_nodes"])
    )
    assert np.isfinite(search.best_score_)
    assert TREE.max_leaf_nodes == 6


def test_parameters_are_set_by_name_and_copies_are_unfitted() -> None:
    model = DistilledClassifier(TEACHER, TREE).set_params(
        teacher__C=5.0, student__max_leaf_nodes=3, correction=0.25, cv=4
    )
    params = model.get_params()
    assert (params["teacher__C"], params["correction"], params["cv"]) == (5.0, 0.25, 4)
    X, y = made()
    model.fit(X, y)
    copy = clone(model)
    assert not hasattr(copy, "student_")
    assert copy.get_params()["student__max_leaf_nodes"] == 3
    assert not hasattr(model.student, "tree_")
    assert not hasattr(model.teacher, "coef_")


@pytest.mark.parametrize(
    "student",
    [
        TREE,
        LinearStudent(),
        LogisticRegression(),
        make_pipeline(StandardScaler(), Ridge()),
        HistGradientBoostingRegressor(max_iter=3),
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_pickled_model_answers_the_same(student: Any) -> None:
    X, y = made(k=3)
    model = DistilledClassifier(TEACHER, student, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    assert again.size_ == model.size_


def test_a_search_routes_weights_and_groups() -> None:
    X, y = made(150)
    groups, w = np.arange(150) // 3, np.linspace(0.5, 2, 150)
    seen: list[Any] = []

    class Spy(LogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            seen.append((X, sample_weight))
            return super().fit(X, y, sample_weight)

    with config_context(enable_metadata_routing=True):
        model = DistilledClassifier(Spy(), TREE, random_state=0)
        model.set_fit_request(sample_weight=True, groups=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"correction": [0.0, 1.0]}, cv=GroupKFold(3))
        search.fit(X, y, sample_weight=w, groups=groups)
    # Two settings on three splits and one refit, five fold teachers each.
    assert len(seen) == 35
    assert all(weight is not None for _, weight in seen)
    group_of = dict(zip(X[:, 0], groups, strict=True))
    last = search.best_estimator_.labels_
    for table, _ in seen[-5:]:
        inside = {group_of[value] for value in table[:, 0]}
        assert len(table) == 3 * len(inside)
    fold_of_group = last.fold[0].reshape(-1, 3)
    assert (fold_of_group == fold_of_group[:, :1]).all()


def test_several_scores_take_weights_under_routing() -> None:
    X, y = made(k=3)
    booster = HistGradientBoostingRegressor(max_iter=3)
    model = DistilledClassifier(TEACHER, booster, random_state=0)
    w = np.linspace(0.5, 2, len(y))
    plain = clone(model).fit(X, y, sample_weight=w).predict_proba(X)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).fit(X, y, sample_weight=w).predict_proba(X)
    np.testing.assert_array_equal(plain, routed)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("student", [None, LinearStudent(), LogisticRegression()])
def test_frames_give_the_model_of_their_array(frame: Any, student: Any) -> None:
    X, y = made()
    table = frame(dict(zip("abc", X.T, strict=True)))
    model = DistilledClassifier(TEACHER, student, random_state=0)
    named = clone(model).fit(table, y)
    assert list(named.feature_names_in_) == ["a", "b", "c"]
    assert named.n_features_in_ == 3
    plain = clone(model).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(named.predict_proba(table), plain, atol=1e-12)
    with pytest.raises(ValueError, match="feature names should match"):
        named.predict(frame(dict(zip("abd", X.T, strict=True))))


def test_a_frame_with_text_goes_through_an_encoder() -> None:
    X, y = made()
    table = pd.DataFrame({"a": X[:, 0], "s": np.where(X[:, 1] > 0, "u", "v")})
    encode = make_column_transformer((OneHotEncoder(), ["s"]), remainder="passthrough")
    model = DistilledClassifier(
        make_pipeline(encode, TEACHER), make_pipeline(encode, TREE), random_state=0
    ).fit(table, y)
    assert model.score(table, y) > 0.5


@pytest.mark.parametrize(
    "form", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_a_sparse_table_gives_the_model_of_its_dense_form(form: Any) -> None:
    X, y = made()
    X = np.where(np.abs(X) > 0.5, X, 0.0)
    model = DistilledClassifier(
        LogisticRegression(tol=1e-12, max_iter=10_000), LinearStudent(), random_state=0
    )
    thin = clone(model).fit(form(X), y)
    full = clone(model).fit(X, y)
    np.testing.assert_array_equal(thin.labels_.fold, full.labels_.fold)
    np.testing.assert_allclose(
        thin.predict_proba(form(X)), full.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize(
    "names",
    [["no", "yes"], [False, True], [-1, 1], [2.0, 7.0], np.array(["b", "c"], object)],
)
def test_labels_of_any_kind_come_back(names: Any) -> None:
    X, y = made()
    labels = np.asarray(names)[y]
    model = DistilledClassifier(TEACHER, TREE, random_state=0).fit(X, labels)
    assert model.classes_.tolist() == list(names)
    assert set(model.predict(X)) <= set(names)
    coded = DistilledClassifier(TEACHER, TREE, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), np.asarray(names)[coded.predict(X)])


@pytest.mark.parametrize(
    ("student", "loss"),
    [
        (TREE, "probability"),
        (TREE, "log_probability"),
        (TREE, LogProbabilityLoss(centered=False)),
        (LinearStudent(), "cross_entropy"),
        (LinearStudent(), "probability"),
        (LinearStudent(), LogProbabilityLoss(centered=False)),
    ],
)
def test_of_two_classes_the_sign_of_the_decision_is_the_class(
    student: Any, loss: Any
) -> None:
    X, y = made()
    model = DistilledClassifier(TEACHER, student, loss=loss, random_state=0).fit(X, y)
    decision = model.decision_function(X)
    assert decision.shape == (len(y),)
    np.testing.assert_array_equal(decision > 0, model.predict(X) == 1)
    np.testing.assert_array_equal(decision > 0, model.predict_proba(X)[:, 1] > 0.5)


def test_logarithms_of_probabilities_are_minus_infinity_at_zero_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    X, y = made()
    tree = DecisionTreeRegressor(random_state=0)
    model = DistilledClassifier(TEACHER, tree, correction="orthogonal").fit(X, y)
    p = model.predict_proba(X)
    assert (p == 0).any()
    recwarn.clear()
    log_p = model.predict_log_proba(X)
    assert not recwarn
    np.testing.assert_array_equal(np.isneginf(log_p), p == 0)
    np.testing.assert_allclose(np.exp(log_p), p)


def test_a_regressor_takes_frames_too() -> None:
    X, _ = made()
    table, y = pd.DataFrame(X, columns=list("abc")), X[:, 0] ** 2
    model = DistilledRegressor(Ridge(), TREE, random_state=0)
    named = clone(model).fit(table, y).predict(table)
    np.testing.assert_allclose(named, clone(model).fit(X, y).predict(X), atol=1e-12)
