"""The classifier made of a regressor: probabilities, checks, and leaving rows out."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier, RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import cross_fit
from semikd.crossfit.indicators import indicator_probabilities
from semikd.crossfit.shortcuts import FallBack
from semikd.exceptions import SemikdWarning
from semikd.teachers import SquaresTeacher

Floats = NDArray[np.float64]


@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(
    [
        SquaresTeacher(),
        SquaresTeacher(KernelRidge(kernel="rbf")),
        SquaresTeacher(DecisionTreeRegressor(random_state=0)),
    ]
)
def test_every_check_passes_without_exception(estimator: Any, check: Any) -> None:
    check(estimator)


def made(k: int = 3, n: int = 80) -> tuple[Floats, NDArray[Any]]:
    """Return rows with copies, and classes that follow them with noise."""
    rng = np.random.default_rng(k)
    X = rng.normal(size=(n, 4))
    y = (X @ rng.normal(size=(4, k)) + rng.gumbel(size=(n, k))).argmax(axis=1)
    again = np.r_[np.arange(n), np.arange(10)]
    return X[again], np.array(["a", "b", "c", "d"])[y[again]]


def units(X: Floats) -> NDArray[np.intp]:
    """Return which rows are copies of each other."""
    return np.unique(X, axis=0, return_inverse=True)[1].ravel()


def refits(teacher: Any, X: Any, y: Any, unit: Any, weights: Any = None) -> Floats:
    """Return what refits without each unit say of it."""
    table = np.full((len(y), len(np.unique(y))), np.nan)
    for one in np.unique(unit):
        own, rest = unit == one, unit != one
        settings = {} if weights is None else {"sample_weight": weights[rest]}
        fitted = clone(teacher).fit(X[rest], y[rest], **settings)
        table[own] = fitted.predict_proba(X[own])
    return table


def test_two_classes_with_ridge_are_ridge_regression_cut_off() -> None:
    X, y = made(2)
    expected = np.clip(Ridge(0.1).fit(X, y == "b").predict(X), 0, 1)
    teacher = SquaresTeacher(Ridge(0.1)).fit(X, y)
    np.testing.assert_allclose(teacher.predict_proba(X)[:, 1], expected)
    np.testing.assert_array_equal(teacher.predict(X) == "b", expected > 0.5)
    assert (expected == 0).any()


@pytest.mark.parametrize("k", [2, 3])
def test_with_an_intercept_it_says_what_a_ridge_classifier_says(k: int) -> None:
    X, y = made(k)
    decision = RidgeClassifier(0.5).fit(X, y).decision_function(X)
    proba = SquaresTeacher(Ridge(0.5)).fit(X, y).predict_proba(X)
    expected = indicator_probabilities(decision, signed=True)
    np.testing.assert_allclose(proba, expected, atol=1e-12)


def test_neighbours_of_indicators_are_the_shares_of_a_classifier() -> None:
    X, y = made()
    proba = SquaresTeacher(KNeighborsRegressor(7)).fit(X, y).predict_proba(X)
    expected = KNeighborsClassifier(7).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(proba, expected, atol=1e-12)


def test_a_regressor_of_one_output_is_fitted_once_for_each_class() -> None:
    X, y = made()
    boosted = GradientBoostingRegressor(n_estimators=5, random_state=0)
    teacher = SquaresTeacher(boosted).fit(X, y)
    assert len(teacher.regressors_) == 3
    said = [clone(boosted).fit(X, y == label).predict(X) for label in "abc"]
    np.testing.assert_allclose(
        teacher.predict_proba(X), indicator_probabilities(np.stack(said, axis=1))
    )
    assert (
        len(
            SquaresTeacher(RandomForestRegressor(2, random_state=0))
            .fit(X, y)
            .regressors_
        )
        == 1
    )


def test_frames_and_sparse_rows_go_to_the_regressor_as_they_are() -> None:
    X, y = made()
    frame = pd.DataFrame({"x": X[:, 0], "word": np.where(X[:, 1] > 0, "up", "down")})
    encoder = make_column_transformer((OneHotEncoder(), ["word"]), remainder="drop")
    teacher = SquaresTeacher(make_pipeline(encoder, Ridge())).fit(frame, y)
    assert teacher.feature_names_in_.tolist() == ["x", "word"]
    up = frame["word"] == "up"
    assert len(np.unique(teacher.predict_proba(frame[up]), axis=0)) == 1
    thin = SquaresTeacher().fit(sparse.csr_array(X), y)
    dense = SquaresTeacher().fit(X, y)
    np.testing.assert_allclose(thin.predict_proba(X), dense.predict_proba(X), atol=1e-3)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize(
    ("regressor", "weighted"),
    [
        (None, True),
        (LinearRegression(), True),
        (KernelRidge(kernel="rbf", alpha=0.3), True),
        (KNeighborsRegressor(4, weights="distance"), False),
        (make_pipeline(Ridge(0.2)), False),
    ],
    ids=str,
)
def test_leaving_rows_out_equals_refits(k: int, regressor: Any, weighted: bool) -> None:
    X, y = made(k)
    weights = np.linspace(0.2, 2.0, len(y)) if weighted else None
    teacher = SquaresTeacher(regressor)
    for unit in (units(X), units(X) % 20, np.arange(len(y)) if k == 2 else units(X)):
        labels = clone(teacher).leave_one_out(X, y, units=unit, sample_weight=weights)
        expected = refits(teacher, X, y, unit, weights)
        np.testing.assert_allclose(labels, expected, atol=1e-8)


def test_after_leaving_rows_out_the_teacher_is_fitted_to_all() -> None:
    X, y = made()
    teacher = SquaresTeacher(KernelRidge(kernel="rbf"))
    plain = clone(teacher).fit(X, y)
    teacher.leave_one_out(X, y, units=units(X))
    np.testing.assert_allclose(teacher.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(teacher.classes_, plain.classes_)


def test_only_regressors_with_a_shortcut_offer_to_leave_rows_out() -> None:
    assert not hasattr(SquaresTeacher(DecisionTreeRegressor()), "leave_one_out")
    assert hasattr(SquaresTeacher(make_pipeline(StandardScaler(), Ridge())), "fit")
    assert hasattr(SquaresTeacher(Ridge()), "leave_one_out")


def test_a_regressor_with_a_way_of_its_own_is_asked() -> None:
    class Mean(RegressorMixin, BaseEstimator):
        """The mean of the other rows."""

        def fit(self, X: Any, y: Any) -> Any:
            self.mean_ = np.mean(y, axis=0)
            return self

        def predict(self, X: Any) -> Any:
            return np.full(len(X), self.mean_)

        def leave_one_out(self, X: Any, y: Any, *, units: Any) -> Any:
            self.fit(X, y)
            return (y.sum() - y) / (len(y) - 1)

    X, y = made(2)
    X, y = X[:80], y[:80]
    labels = SquaresTeacher(Mean()).leave_one_out(X, y, units=np.arange(80))
    share = (y == "b").mean()
    expected = (80 * share - (y == "b")) / 79
    np.testing.assert_allclose(labels[:, 1], expected)


def test_settings_that_rule_exact_labels_out_fall_back_with_the_reason() -> None:
    X, y = made()
    with pytest.raises(FallBack, match="RidgeCV chooses alpha on the outcomes"):
        SquaresTeacher(RidgeCV()).leave_one_out(X, y, units=np.arange(len(y)))


def test_one_class_and_weights_that_nobody_takes_are_refused() -> None:
    X, y = made()
    with pytest.raises(ValueError, match="y must have at least two classes; got 1"):
        SquaresTeacher().fit(X, np.zeros(len(X)))
    with pytest.raises(TypeError, match="regressor must accept sample_weight"):
        SquaresTeacher(KNeighborsRegressor()).fit(X, y, np.ones(len(X)))


def test_cross_fitting_takes_its_labels_from_one_fit() -> None:
    X, y = made()
    weights = np.linspace(0.0, 2.0, len(y))
    teacher = SquaresTeacher(Ridge(0.3))
    labels = cross_fit(teacher, X, y, cv="loo", sample_weight=weights)
    kept = weights > 0
    expected = refits(teacher, X[kept], y[kept], units(X[kept]), weights[kept])
    np.testing.assert_allclose(labels.mean[kept], expected, atol=1e-10)
    assert np.isnan(labels.mean[~kept]).all()
    assert labels.leans
    new = clone(teacher).fit(X, y, weights).predict_proba(X[:5] + 0.1)
    np.testing.assert_allclose(labels.label(X[:5] + 0.1), new)


def test_without_any_signal_labels_rank_the_classes_backwards() -> None:
    X, y = made(2)
    X, y = X[:80], y[:80]
    labels = cross_fit(SquaresTeacher(Ridge(1e9)), X, y, cv="loo").mean[:, 1]
    assert roc_auc_score(y == "b", labels) == 0.0
    folds = cross_fit(SquaresTeacher(Ridge(1e9)), X, y, cv=5, random_state=0)
    assert roc_auc_score(y == "b", folds.mean[:, 1]) > 0.3


def test_a_regressor_that_is_tuned_on_all_rows_falls_back_to_folds() -> None:
    X, y = made()
    with pytest.warns(SemikdWarning, match="RidgeCV chooses alpha on the outcomes"):
        labels = cross_fit(SquaresTeacher(RidgeCV()), X, y, cv="loo", random_state=0)
    assert not labels.leans
    quiet = cross_fit(SquaresTeacher(RidgeCV()), X, y, cv="auto", random_state=0)
    assert "RidgeCV" in quiet.strategy


def test_rows_of_leverage_one_are_counted() -> None:
    X, y = made(2)
    X = np.column_stack([X, np.arange(len(X)) == 40])
    teacher = SquaresTeacher(LinearRegression())
    with pytest.warns(SemikdWarning, match="1 of 90 rows"):
        labels = cross_fit(teacher, X, y, cv="loo")
    assert np.flatnonzero(~labels.labelled).tolist() == [40]
