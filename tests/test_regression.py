"""The regression twin against loops written by hand."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.multioutput import MultiOutputRegressor
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledRegressor, cross_fit
from semikd.corrections import ShrinkageCorrection
from semikd.teachers import BoostingRegressorTeacher

Floats = NDArray[np.float64]
TEACHER = DecisionTreeRegressor(max_depth=3, random_state=0)
TREE = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)
FOLDS = KFold(4, shuffle=True, random_state=0)


def made(outputs: int | None = None) -> tuple[Floats, Floats]:
    """Return three columns and noisy outcomes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    shape = (120,) if outputs is None else (120, outputs)
    mean = np.sin(X[:, 0]) + X[:, 1]
    return X, (mean if outputs is None else mean[:, None]) + rng.normal(size=shape)


@pytest.mark.parametrize("outputs", [None, 1, 2])
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("student", [TREE, LinearRegression()])
def test_a_fit_is_the_loop_written_by_hand(
    outputs: Any, weight: float, student: Any
) -> None:
    X, y = made(outputs)
    ours = DistilledRegressor(TEACHER, student, correction=weight, cv=FOLDS).fit(X, y)
    mean = cross_val_predict(clone(TEACHER), X, y, cv=FOLDS).reshape(y.shape)
    theirs = clone(student).fit(X, mean + weight * (y - mean)).predict(X)
    assert ours.predict(X).shape == y.shape
    np.testing.assert_allclose(ours.predict(X), theirs.reshape(y.shape), atol=1e-12)


def test_a_full_correction_is_training_on_the_outcomes() -> None:
    X, y = made()
    ours = DistilledRegressor(student=TREE, correction="orthogonal", cv=2).fit(X, y)
    np.testing.assert_allclose(
        ours.predict(X), clone(TREE).fit(X, y).predict(X), atol=1e-12
    )


def test_in_sample_is_vanilla_distillation() -> None:
    X, y = made()
    ours = DistilledRegressor(TEACHER, TREE, cv="in-sample").fit(X, y)
    mean = clone(TEACHER).fit(X, y).predict(X)
    np.testing.assert_allclose(
        ours.predict(X), clone(TREE).fit(X, mean).predict(X), atol=1e-12
    )


def test_shrinkage_needs_the_noise_and_balances_it() -> None:
    X, y = made()
    model = DistilledRegressor(TEACHER, LinearRegression(), cv=FOLDS)
    with pytest.raises(ValueError, match="noise_variance must be given"):
        model.set_params(correction=ShrinkageCorrection(0.1)).fit(X, y)
    model.set_params(correction=ShrinkageCorrection(0.1, noise_variance=2.0))
    weight = 0.1 / (0.1 + 4 / 120 * 2.0)
    constant = clone(model).set_params(correction=weight)
    np.testing.assert_allclose(
        model.fit(X, y).predict(X), constant.fit(X, y).predict(X), atol=1e-12
    )
    # A tree keeps more of the noise than its six leaves say.
    model.set_params(student=TREE).fit(X, y)
    assert model.weight_of_labels_ < 0.1 / (0.1 + 6 / 120 * 2.0)


def test_weights_and_repeats_by_hand() -> None:
    X, y = made()
    w = np.random.default_rng(1).uniform(0.5, 2, 120)
    model = DistilledRegressor(
        Ridge(), LinearRegression(), n_repeats=3, random_state=0
    ).fit(X, y, sample_weight=w)
    assert model.labels_.n_repeats == 3
    mean = model.labels_.prediction[:, :, 0].mean(axis=0)
    theirs = LinearRegression().fit(X, mean, w).predict(X)
    np.testing.assert_allclose(model.predict(X), theirs, atol=1e-10)
    fold = model.labels_.fold[1]
    for t in range(5):
        seen, held = fold != t, fold == t
        alone = Ridge().fit(X[seen], y[seen], w[seen]).predict(X[held])
        np.testing.assert_allclose(model.labels_.prediction[1, held, 0], alone)


def test_labels_made_before_give_the_same_model() -> None:
    X, y = made()
    record = cross_fit(TEACHER, X, y, cv=FOLDS)
    brought = DistilledRegressor(student=TREE, cv=record).fit(X, y)
    direct = DistilledRegressor(TEACHER, TREE, cv=FOLDS).fit(X, y)
    np.testing.assert_array_equal(brought.predict(X), direct.predict(X))


def test_a_booster_for_each_of_several_outcomes() -> None:
    X, y = made(2)
    wrapped = MultiOutputRegressor(BoostingRegressorTeacher(random_state=0))
    model = DistilledRegressor(wrapped, TREE, cv=2, random_state=0).fit(X, y)
    assert model.predict(X).shape == (120, 2)
    assert model.labels_.prediction.shape == (1, 120, 2)


def test_groups_stay_together() -> None:
    X, y = made()
    groups = np.arange(120) // 4
    model = DistilledRegressor(Ridge(), TREE, random_state=0)
    fold = model.fit(X, y, groups=groups).labels_.fold[0].reshape(-1, 4)
    assert (fold == fold[:, :1]).all()
