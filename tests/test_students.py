"""Any estimator becomes a student with its own answers, or is refused by name."""

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from sklearn.svm import SVC, SVR, LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd.losses import CrossEntropyLoss, LogProbabilityLoss, ProbabilityLoss
from semikd.simplex import one_hot
from semikd.students import (
    LinearStudent,
    PipelineStudent,
    TorchStudent,
    as_student,
    measured_size,
)

Floats = NDArray[np.float64]
CE, P = CrossEntropyLoss(), ProbabilityLoss()


def made(k: int = 2, n: int = 120) -> tuple[Floats, NDArray[Any], Floats]:
    """Return three columns, labels and weights."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    y = (X @ rng.normal(size=(3, k)) + rng.gumbel(size=(n, k))).argmax(axis=1)
    return X, y, rng.uniform(0.5, 2, n)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    "settings", [{"C": 0.3}, {"fit_intercept": False}, {"C": np.inf}, {}]
)
def test_logistic_regression_is_adapted_exactly(k: int, settings: Any) -> None:
    X, y, w = made(k)
    ours = as_student(LogisticRegression(**settings))
    ours.fit_target(X, CE.phi(one_hot(y, k)), loss=CE, sample_weight=w)
    theirs = LogisticRegression(
        **settings, tol=1e-12, max_iter=10_000, solver="newton-cg"
    ).fit(X, y, w)
    np.testing.assert_allclose(
        ours.learner.predict_proba(X), theirs.predict_proba(X), atol=1e-6
    )
    assert ours.learner.coef_.shape == theirs.coef_.shape
    assert ours.size().coefficients == ours.n_coefficients()


@pytest.mark.parametrize("k", [2, 3])
def test_soft_targets_are_weighted_copies_of_each_class(k: int) -> None:
    X, _, w = made(k)
    p = np.random.default_rng(1).dirichlet(np.ones(k), len(X))
    ours = as_student(LogisticRegression(C=2.0))
    ours.fit_target(X, CE.phi(p), loss=CE, sample_weight=w)
    theirs = LogisticRegression(C=2.0, tol=1e-12, max_iter=10_000, solver="newton-cg")
    theirs.fit(np.tile(X, (k, 1)), np.repeat(np.arange(k), len(X)), (w * p.T).ravel())
    np.testing.assert_allclose(ours.learner.coef_, theirs.coef_, atol=1e-6)
    flat = theirs.decision_function(X).reshape(len(X), -1)
    np.testing.assert_allclose(ours.scores(X), flat, atol=1e-6)


@pytest.mark.parametrize(
    ("classifier", "instead"),
    [
        (AdaBoostClassifier(), "GradientBoostingRegressor"),
        (DecisionTreeClassifier(), "DecisionTreeRegressor"),
        (ExtraTreesClassifier(), "ExtraTreesRegressor"),
        (HistGradientBoostingClassifier(), "HistGradientBoostingRegressor"),
        (KNeighborsClassifier(), "KNeighborsRegressor"),
        (LogisticRegressionCV(), "LogisticRegression"),
        (MLPClassifier(), "TorchStudent"),
        (RandomForestClassifier(), "RandomForestRegressor"),
        (RidgeClassifier(), "LinearStudent"),
        (SGDClassifier(), "LinearStudent"),
        (SVC(), "KernelRidge"),
        (KMeans(), "a regressor, such as DecisionTreeRegressor"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_classifier_is_refused_and_its_replacement_named(
    classifier: Any, instead: str, inside: bool
) -> None:
    name = type(classifier).__name__
    given = make_pipeline(StandardScaler(), classifier) if inside else classifier
    match = f"student must take soft targets; got {name}. Use {instead} instead"
    with pytest.raises(TypeError, match=match):
        as_student(given)


@pytest.mark.parametrize("thing", [None, "tree", DecisionTreeRegressor, 3])
def test_what_is_no_estimator_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match=r"fit method; got .*Pass an instance"):
        as_student(thing)


@pytest.mark.parametrize(
    ("learner", "match"),
    [
        (SVR(), "SVR fits a tube around the median, not means; use KernelRidge"),
        (LinearSVR(), "LinearSVR fits a tube around the median, not means; use Ridge"),
        (HuberRegressor(), "a robust centre, not means; use Ridge"),
        (QuantileRegressor(), "quantiles, not means; use Ridge"),
        (PoissonRegressor(), "positive means on a log link, not means; use Linear"),
        (DecisionTreeRegressor(criterion="absolute_error"), "criterion='absolute_er"),
        (RandomForestRegressor(criterion="poisson"), "leave criterion at its default"),
        (HistGradientBoostingRegressor(loss="gamma"), "loss='gamma'"),
        (GradientBoostingRegressor(loss="quantile"), "loss='quantile'"),
        (SGDRegressor(loss="huber"), "loss='huber'"),
        (MultiOutputRegressor(SVR()), "use KernelRidge"),
        (BaggingRegressor(DecisionTreeRegressor(criterion="poisson")), "'poisson'"),
        (make_pipeline(StandardScaler(), SVR()), "use KernelRidge"),
        (make_pipeline(TargetEncoder(), Ridge()), "step 'targetencoder'"),
        (LogisticRegression(C=0.0), "needs a positive C"),
        (LogisticRegression(class_weight="balanced"), "give class_weight to the"),
        (LogisticRegression(l1_ratio=0.5), "set l1_ratio=0"),
    ],
)
def test_a_learner_with_another_aim_is_refused(learner: Any, match: str) -> None:
    student = as_student(learner)
    loss = CE if isinstance(learner, LogisticRegression) else P
    with pytest.raises(TypeError, match=match):
        student.require(loss)


@pytest.mark.parametrize(
    "alias",
    [
        {"objective": "regression_l1"},
        {"objective": "poisson"},
        {"app": "l1"},
        {"application": "l1"},
        {"objective_type": "huber"},
        {"loss": "mae"},
        {"reg_sqrt": True},
    ],
)
def test_each_name_lightgbm_has_for_its_objective_is_seen(alias: Any) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    student = as_student(lightgbm.LGBMRegressor(**alias))
    with pytest.raises(TypeError, match=f"leave {next(iter(alias))} at its default"):
        student.require(P)
    as_student(lightgbm.LGBMRegressor(objective="regression")).require(P)


def test_a_student_is_a_copy_and_its_learner_is_left_alone() -> None:
    X, y, _ = made()
    for learner in (Ridge(), LogisticRegression(), LinearStudent()):
        student = as_student(learner)
        loss = P if isinstance(learner, Ridge) else CE
        student.fit_target(X, y[:, None].astype(float), loss=loss)
        assert not hasattr(learner, "coef_")
        assert not hasattr(student.copy().learner, "coef_")


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("last", [Ridge(), LogisticRegression(), LinearStudent()])
def test_a_pipeline_fits_its_head_to_the_table_and_its_end_to_targets(
    last: Any, memory: bool, tmp_path: Any
) -> None:
    X, y, w = made()
    place = str(tmp_path) if memory else None
    student = as_student(make_pipeline(StandardScaler(), last, memory=place))
    assert isinstance(student, PipelineStudent)
    loss, target = (P if isinstance(last, Ridge) else CE), y[:, None].astype(float)
    student.fit_target(X, target, loss=loss, sample_weight=w)
    Z = StandardScaler().fit_transform(X)
    alone = as_student(last).fit_target(Z, target, loss=loss, sample_weight=w)
    np.testing.assert_allclose(student.scores(X), alone.scores(Z), atol=1e-12)
    np.testing.assert_allclose(
        student.learner.predict(X), alone.learner.predict(Z), atol=1e-12
    )
    assert student.size().coefficients == 4
    assert student.size().bytes == len(pickle.dumps(student.learner))


def test_many_pipelines_are_fitted_with_settings_by_name() -> None:
    X, y, _ = made()
    student = as_student(make_pipeline(StandardScaler(), Ridge()))
    target = y[:, None].astype(float)
    weak, strong = student.fit_many(
        X, [target] * 2, loss=P, settings=[{"ridge__alpha": a} for a in (0.1, 1e3)]
    )
    norms = [np.abs(s.learner[-1].coef_).sum() for s in (weak, strong)]
    assert norms[1] < 0.5 * norms[0]
    by_hand = make_pipeline(StandardScaler(), Ridge(alpha=1e3)).fit(X, y)
    np.testing.assert_allclose(strong.scores(X)[:, 0], by_hand.predict(X))


@pytest.mark.parametrize("loss", [P, LogProbabilityLoss()])
def test_a_regressor_of_one_output_is_fitted_once_for_each_class(loss: Any) -> None:
    X, y, w = made(3)
    target = loss.phi(0.8 * one_hot(y, 3) + 0.2 / 3)
    learner = HistGradientBoostingRegressor(max_iter=5, random_state=0)
    student = as_student(learner).fit_target(X, target, loss=loss, sample_weight=w)
    assert isinstance(student.learner, MultiOutputRegressor)
    for j in range(3):
        alone = HistGradientBoostingRegressor(max_iter=5, random_state=0).fit(
            X, target[:, j], w
        )
        np.testing.assert_allclose(student.scores(X)[:, j], alone.predict(X))
    members = student.learner.estimators_
    leaves = sum(
        tree.get_n_leaf_nodes() for member in members for (tree,) in member._predictors
    )
    assert student.size().leaves == leaves


def test_sizes_count_leaves_coefficients_and_bytes() -> None:
    X, y, _ = made()
    tree = DecisionTreeRegressor(max_leaf_nodes=7, random_state=0).fit(X, y)
    forest = RandomForestRegressor(5, max_leaf_nodes=4).set_params(random_state=0)
    forest.fit(X, y)
    booster = GradientBoostingRegressor(
        n_estimators=3, max_depth=1, random_state=0
    ).fit(X, y)
    linear = LinearRegression().fit(X, y)
    both = MultiOutputRegressor(LinearRegression()).fit(X, np.c_[y, y])
    pipe = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    expected = [
        (tree, 7, None),
        (forest, sum(t.get_n_leaves() for t in forest.estimators_), None),
        (booster, 6, None),
        (linear, None, 4),
        (both, None, 8),
        (pipe, None, 4),
    ]
    for learner, leaves, coefficients in expected:
        size = measured_size(learner)
        assert (size.leaves, size.coefficients) == (leaves, coefficients)
        assert size.bytes == len(pickle.dumps(learner))
    assert str(measured_size(tree)).startswith("7 leaves, ")


@pytest.mark.parametrize(
    ("learner", "complexity"),
    [
        (DecisionTreeRegressor(max_leaf_nodes=8), None),
        (RandomForestRegressor(50, max_leaf_nodes=8), None),
        (GradientBoostingRegressor(n_estimators=5, max_depth=2), None),
        (HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=7), None),
        (TorchStudent((8,)), None),
        (Ridge(), 4 / 200),
        (LinearStudent(), 4 / 200),
        (LinearStudent(fit_intercept=False), 3 / 200),
        (LogisticRegression(), 4 / 200),
        (make_pipeline(StandardScaler(), Ridge()), 4 / 200),
    ],
)
def test_complexity_is_counted_unless_the_targets_choose_what_is_fitted(
    learner: Any, complexity: float | None
) -> None:
    assert as_student(learner).complexity(200, 3, 1) == complexity
