"""scikit-learn's own checks of estimators, on distillation and on its teachers."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, DistilledRegressor, SyntheticRows
from semikd.students import LinearStudent
from semikd.teachers import BoostingRegressorTeacher, BoostingTeacher

EXACT = [
    DistilledClassifier(
        LogisticRegression(tol=1e-12, max_iter=10_000), LinearStudent()
    ),
    DistilledClassifier(
        DecisionTreeClassifier(max_depth=3, random_state=0),
        DecisionTreeRegressor(max_depth=3, random_state=0),
    ),
    DistilledRegressor(Ridge(), Ridge()),
    DistilledClassifier(
        LogisticRegression(tol=1e-12, max_iter=10_000), LinearStudent(), cv="auto"
    ),
    DistilledRegressor(Ridge(), Ridge(), cv="loo"),
    DistilledClassifier(
        LogisticRegression(tol=1e-12, max_iter=10_000),
        LinearStudent(),
        synthetic=SyntheticRows("bootstrap", ratio=2),
    ),
    DistilledRegressor(Ridge(), Ridge(), synthetic="neighbours"),
]
DEFAULTS = [
    DistilledClassifier(),
    DistilledRegressor(),
    BoostingTeacher(),
    BoostingRegressorTeacher(),
]
N = 400


# scikit-learn brings tiny tables and leaking folds, of which the library warns.
@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(EXACT + DEFAULTS)
def test_every_check_passes_without_exception(estimator: Any, check: Any) -> None:
    check(estimator)


def made(seed: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return columns, labels, and weights 0, 1 or 2 that go with the second class."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, 3))
    y = (rng.random(N) < 1 / (1 + np.exp(X[:, 1] - 2 * X[:, 0]))).astype(int)
    w = rng.integers(0, 2, N) + (rng.random(N) < 0.2 + 0.6 * y)
    return X, y, w.astype(float)


def fit_pair(estimator: Any, seed: int, *, weighted: bool = True) -> NDArray[Any]:
    """Return by how much a weighted fit and a fit on repeated rows differ, by row."""
    X, y, w = made(seed)
    rows = np.repeat(np.arange(N), w.astype(int))
    new, _, _ = made(seed + 10_000)
    own = clone(estimator).set_params(random_state=seed)
    repeated = clone(own).fit(X[rows], y[rows])
    own.fit(X, y, sample_weight=w if weighted else None)
    answer = "predict_proba" if is_classifier(own) else "predict"
    return np.abs(getattr(own, answer)(new) - getattr(repeated, answer)(new))


@pytest.mark.parametrize("estimator", DEFAULTS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("seed", range(3))
def test_beyond_255_values_the_defaults_still_see_a_weight_as_copies(
    estimator: Any, seed: int
) -> None:
    # More distinct values than bins: a plain booster's bins would move here.
    assert fit_pair(estimator, seed).max() < 1e-10


@pytest.mark.parametrize("estimator", DEFAULTS, ids=lambda e: type(e).__name__)
def test_ignored_weights_would_be_noticed(estimator: Any) -> None:
    assert fit_pair(estimator, 0, weighted=False).mean() > 0.01
