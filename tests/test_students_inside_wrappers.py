"""What a wrapped regressor fits, and how large it may become, is seen through."""

from typing import Any

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostRegressor,
    BaggingRegressor,
    HistGradientBoostingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.feature_selection import RFE
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
)
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from semikd.losses import IdentityLoss, ProbabilityLoss
from semikd.students import LinearStudent, TorchStudent, as_student

MEDIAN = QuantileRegressor(alpha=0.0)
TREE = DecisionTreeRegressor(max_leaf_nodes=8)
BOOSTER = HistGradientBoostingRegressor()


class RenamedSVR(SVR):
    """A regressor that inherits its aim."""


@pytest.mark.parametrize(
    "learner",
    [
        VotingRegressor([("a", Ridge()), ("b", MEDIAN)]),
        StackingRegressor([("a", Ridge())], final_estimator=MEDIAN),
        TransformedTargetRegressor(MEDIAN),
        TransformedTargetRegressor(MEDIAN, transformer=StandardScaler()),
        BaggingRegressor(MEDIAN),
        BaggingRegressor(make_pipeline(StandardScaler(), MEDIAN)),
        MultiOutputRegressor(BaggingRegressor(MEDIAN)),
        RegressorChain(MEDIAN),
        RFE(MEDIAN),
        GridSearchCV(MEDIAN, {"alpha": [0.0, 1.0]}),
        RandomizedSearchCV(MEDIAN, {"alpha": [0.0, 1.0]}),
        make_pipeline(StandardScaler(), BaggingRegressor(MEDIAN)),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_a_median_is_refused_however_it_is_wrapped(learner: Any) -> None:
    with pytest.raises(TypeError, match="QuantileRegressor fits quantiles, not means"):
        as_student(learner).require(ProbabilityLoss())


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV])
def test_a_search_over_losses_is_refused(search: Any) -> None:
    losses = {"loss": ["squared_error", "absolute_error"]}
    with pytest.raises(TypeError, match="loss='absolute_error'"):
        as_student(search(BOOSTER, losses)).require(ProbabilityLoss())
    harmless = search(BOOSTER, {"max_leaf_nodes": [4, 8]})
    as_student(harmless).require(ProbabilityLoss())


@pytest.mark.parametrize(
    "settings",
    [
        {"func": np.log1p, "inverse_func": np.expm1},
        {"inverse_func": np.exp},
        {"transformer": QuantileTransformer()},
        {"transformer": PowerTransformer()},
    ],
)
def test_means_of_a_transformed_target_are_refused(settings: Any) -> None:
    learner = TransformedTargetRegressor(Ridge(), **settings)
    with pytest.raises(TypeError, match="means of a transformed target"):
        as_student(learner).require(IdentityLoss())


def test_a_rescaled_target_has_the_rescaled_mean() -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    target = X[:, :1] ** 2
    learner = TransformedTargetRegressor(
        LinearRegression(), transformer=StandardScaler()
    )
    student = as_student(learner)
    student.require(IdentityLoss())
    plain = as_student(LinearRegression()).fit_target(X, target, loss=IdentityLoss())
    scaled = student.fit_target(X, target, loss=IdentityLoss())
    np.testing.assert_allclose(scaled.scores(X), plain.scores(X))


@pytest.mark.parametrize(
    "learner",
    [
        VotingRegressor([("a", Ridge()), ("b", "drop")]),
        # What is stacked is only an input of the final estimator.
        StackingRegressor([("a", SVR())], final_estimator=Ridge()),
        StackingRegressor([("a", SVR())]),
        BaggingRegressor(),
        MultiOutputRegressor(BOOSTER),
        TransformedTargetRegressor(),
    ],
    ids=lambda learner: type(learner).__name__,
)
def test_wrappers_of_means_are_students(learner: Any) -> None:
    as_student(learner).require(ProbabilityLoss())


def test_boosting_by_medians_is_refused_and_so_is_a_renamed_one() -> None:
    match = "AdaBoostRegressor fits a weighted median, not means; use GradientBoosting"
    with pytest.raises(TypeError, match=match):
        as_student(AdaBoostRegressor()).require(ProbabilityLoss())
    with pytest.raises(TypeError, match="RenamedSVR fits a tube around the median"):
        as_student(RenamedSVR()).require(ProbabilityLoss())


@pytest.mark.parametrize("k", [1, 3])
def test_linear_students_are_equally_complex_whatever_solves_them(k: int) -> None:
    learners = [
        Ridge(),
        LinearStudent(),
        LogisticRegression(),
        TorchStudent(()),
        MultiOutputRegressor(Ridge()),
    ]
    for learner in learners:
        assert as_student(learner).complexity(100, 4, k) == 5 / 100, learner
    for learner in (Ridge(fit_intercept=False), LinearStudent(fit_intercept=False)):
        assert as_student(learner).complexity(100, 4, k) == 4 / 100, learner


def test_complexity_is_the_noise_that_one_fitted_score_keeps() -> None:
    # Fitted to pure noise of variance 1, a projection keeps its degrees of freedom.
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(50, 4)), rng.normal(size=(50, 2000))
    student = as_student(LinearRegression())
    fitted = student.fit_target(X, noise, loss=IdentityLoss()).scores(X)
    kappa = student.complexity(50, 4, 2000)
    # 5 degrees of freedom per score: the band is five standard errors.
    assert (fitted**2).mean() == pytest.approx(kappa, abs=5 * (10 / 2000) ** 0.5 / 50)


@pytest.mark.parametrize(
    ("learner", "freedom"),
    [
        (BaggingRegressor(TREE, n_estimators=50), None),
        (MultiOutputRegressor(BaggingRegressor(TREE)), None),
        (BaggingRegressor(make_pipeline(PCA(2), TREE)), None),
        (BaggingRegressor(make_pipeline(StandardScaler(), Ridge())), 5),
        (BaggingRegressor(make_pipeline(PolynomialFeatures(), Ridge())), None),
        (BaggingRegressor(), None),
        (VotingRegressor([("a", TREE), ("b", Ridge())]), None),
        (VotingRegressor([("a", Ridge()), ("b", Ridge(fit_intercept=False))]), 5),
        (StackingRegressor([("a", Ridge())]), None),
        (TransformedTargetRegressor(Ridge()), 5),
        (GridSearchCV(KNeighborsRegressor(), {"n_neighbors": [4, 16]}), 50),
        (GridSearchCV(TREE, {"max_leaf_nodes": [4, None]}), None),
        (RandomizedSearchCV(Ridge(), {"alpha": [4]}), None),
        (KNeighborsRegressor(5), 40),
        (MultiOutputRegressor(KNeighborsRegressor(5)), 40),
        (KNeighborsRegressor(5, weights="distance"), None),
        (make_pipeline(StandardScaler(), Ridge()), 5),
        (make_pipeline("passthrough", Ridge()), 5),
        (make_pipeline(PolynomialFeatures(3), Ridge()), None),
        (make_pipeline(PolynomialFeatures(3), LinearStudent()), None),
        (make_pipeline(PolynomialFeatures(3), TREE), None),
        (make_pipeline(PolynomialFeatures(3), KNeighborsRegressor(5)), None),
    ],
    ids=str,
)
def test_a_wrapper_counts_what_is_inside_it(learner: Any, freedom: int | None) -> None:
    expected = None if freedom is None else pytest.approx(freedom / 200)
    assert as_student(learner).complexity(200, 4, 3) == expected


def test_nearest_neighbours_keep_the_noise_that_they_declare() -> None:
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(60, 2)), rng.normal(size=(60, 2000))
    student = as_student(KNeighborsRegressor(4))
    fitted = student.fit_target(X, noise, loss=IdentityLoss()).scores(X)
    kappa = student.complexity(60, 2, 2000)
    assert kappa == 0.25
    assert (fitted**2).mean() == pytest.approx(kappa, rel=0.05)
