"""Learned residuals: by hand, honest, and a rescue for a biased teacher only."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import ResidualTeacher, cross_fit
from semikd.simplex import one_hot
from semikd.teachers import BoostingRegressorTeacher, SquaresTeacher

Floats = NDArray[np.float64]


def truth(X: Floats) -> Floats:
    """Return the probability of class 1: an interaction and a wave."""
    score = 1.5 * X[:, 0] * X[:, 1] + 2.0 * np.sin(2.0 * X[:, 2]) + X[:, 3] - 1.5
    return np.asarray(expit(score))


def drawn(n: int, seed: int) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Return covariates, labels and their probabilities."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5))
    p = truth(X)
    return X, (rng.random(n) < p).astype(int), p


def excess(p0: Floats, p: Floats) -> float:
    """Return the mean divergence from the truth, in nats."""
    q = np.clip(p, 1e-6, 1 - 1e-6)
    return float(np.mean(p0 * np.log(p0 / q) + (1 - p0) * np.log((1 - p0) / (1 - q))))


class Perfect(ClassifierMixin, BaseEstimator):
    """A teacher that knows the truth."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Perfect":
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Floats:
        p = truth(np.asarray(X))
        return np.column_stack([1 - p, p])


def shallow() -> RandomForestClassifier:
    """Return a forest of stumps, which is biased whatever the number of rows."""
    return RandomForestClassifier(30, max_depth=1, random_state=0)


def test_one_round_by_hand() -> None:
    X, y, _ = drawn(200, 0)
    teacher = ResidualTeacher(step=0.5, floor=0.0, corrector=LinearRegression())
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.ones(2), 200)
    stage = teacher.second_stage([p], X, one_hot(y, 2), random_state=3)
    correctors = stage.rounds[0].correctors
    assert [len(each) for each in correctors] == [5]
    gap = np.mean([each.predict(X) for each in correctors[0]], axis=0)
    oracle = np.clip(p[:, 1] + 0.5 * gap, 0, 1)
    np.testing.assert_allclose(stage([p], X)[:, 1], oracle, atol=1e-12)
    # Each corrector is least squares on the residuals of four fifths of the rows.
    whole = LinearRegression().fit(X, y - p[:, 1]).coef_
    mean = np.mean([each.coef_ for each in correctors[0]], axis=0)
    np.testing.assert_allclose(mean, whole, atol=0.02)


@pytest.mark.parametrize("several", [True, False])
def test_more_classes_are_centred_and_projected(several: bool) -> None:
    from semikd.simplex import project

    class Alone(LinearRegression):
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.target_tags.multi_output = several
            return tags

    rng = np.random.default_rng(0)
    X, p = rng.normal(size=(150, 2)), rng.dirichlet(np.ones(3), 150)
    y = one_hot(rng.integers(0, 3, 150), 3)
    teacher = ResidualTeacher(corrector=Alone(), step=1.0, floor=0.0)
    stage = teacher.second_stage([p], X, y, random_state=0)
    found = stage([p], X)
    assert len(stage.rounds[0].correctors) == (1 if several else 3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    # Residuals sum to zero, and least squares keeps that.
    other = ResidualTeacher(corrector=LinearRegression(), step=1.0, floor=0.0)
    oracle = other.second_stage([p], X, y, random_state=0)
    gap = np.mean([one.predict(X) for one in oracle.rounds[0].correctors[0]], axis=0)
    np.testing.assert_allclose(found, project(p + gap), atol=1e-10)


def test_a_biased_teacher_is_rescued_beyond_what_the_corrector_knows_alone() -> None:
    X, y, p0 = drawn(2_500, 0)
    corrector = BoostingRegressorTeacher(random_state=0)
    said = {
        name: cross_fit(teacher, X, y, cv=5, random_state=0).mean[:, 1]
        for name, teacher in {
            "biased": shallow(),
            "rescued": ResidualTeacher(shallow(), corrector),
            "control": SquaresTeacher(corrector),
        }.items()
    }
    loss = {name: excess(p0, p) for name, p in said.items()}
    assert loss["biased"] > 0.15
    assert loss["rescued"] < loss["biased"] / 3
    assert loss["rescued"] < 0.8 * loss["control"]
    # Between means of squares the corrector is nearly all there is.
    square = {name: float(np.mean((p0 - p) ** 2)) for name, p in said.items()}
    assert square["rescued"] < square["biased"] / 3
    assert square["rescued"] < 1.1 * square["control"]


def test_a_perfect_teacher_is_left_alone() -> None:
    X, y, p0 = drawn(2_500, 0)
    corrector = BoostingRegressorTeacher(random_state=0)
    kept = cross_fit(ResidualTeacher(Perfect(), corrector), X, y, cv=5, random_state=0)
    assert excess(p0, kept.mean[:, 1]) < 0.001
    # A full step, taken whatever it brings, is not so kind.
    forced = ResidualTeacher(Perfect(), DecisionTreeRegressor(random_state=0), step=1.0)
    moved = cross_fit(forced, X, y, cv=5, random_state=0).mean[:, 1]
    assert excess(p0, moved) > 0.05
    asked = ResidualTeacher(Perfect(), DecisionTreeRegressor(random_state=0))
    again = cross_fit(asked, X, y, cv=5, random_state=0).mean[:, 1]
    assert excess(p0, again) < 0.01


def test_the_step_has_the_least_loss_out_of_fold() -> None:
    from sklearn.metrics import log_loss

    X, y, _ = drawn(1_000, 0)
    p = np.full((1_000, 2), 0.5)
    corrector = DecisionTreeRegressor(min_samples_leaf=5, random_state=0)
    teacher = ResidualTeacher(corrector=corrector, floor=0.02)
    stage = teacher.second_stage([p], X, one_hot(y, 2), random_state=0)
    chosen = stage.rounds[0].step
    assert 0.0 < chosen < 1.0
    losses = {}
    for step in (0.05, chosen, 1.0):
        fixed = ResidualTeacher(corrector=corrector, floor=0.02, step=step)
        said = np.full((1_000, 2), np.nan)
        for t in range(5):
            held = np.arange(1_000) % 5 == t
            part = fixed.second_stage(
                [p[~held]], X[~held], one_hot(y, 2)[~held], random_state=0
            )
            said[held] = part([p[held]], X[held])
        losses[step] = log_loss(y, said)
    assert losses[chosen] < min(losses[0.05], losses[1.0])


def test_rounds_go_on_where_one_does_not_reach() -> None:
    X, y, p0 = drawn(2_500, 0)
    corrector = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
    start = DummyClassifier(strategy="prior")
    losses = [
        excess(
            p0,
            cross_fit(
                ResidualTeacher(start, corrector, n_rounds=n), X, y, random_state=0
            ).mean[:, 1],
        )
        for n in (1, 4)
    ]
    assert losses[1] < losses[0] - 0.02


def test_rounds_end_where_no_step_helps() -> None:
    X, y, _ = drawn(400, 0)
    p = np.column_stack([1 - truth(X), truth(X)])
    noise = DecisionTreeRegressor(random_state=0)
    teacher = ResidualTeacher(corrector=noise, n_rounds=5)
    stage = teacher.second_stage([p], X, one_hot(y, 2), random_state=0)
    assert len(stage.rounds) < 5
    if not stage.rounds:
        np.testing.assert_array_equal(stage([p], X), p)


def test_no_correction_goes_below_the_floor() -> None:
    X = np.linspace(-3, 3, 400)[:, None]
    y = (X[:, 0] > 0).astype(int)
    p = np.full((400, 2), 0.5)
    p[:4] = [0.999, 0.001]
    p[-4:] = [0.0, 1.0]
    for floor in (0.05, 0.0):
        teacher = ResidualTeacher(
            corrector=DecisionTreeRegressor(max_depth=1), floor=floor, step=1.0
        )
        found = teacher.second_stage([p], X, one_hot(y, 2), random_state=0)([p], X)
        lowest = found[4:-4].min()
        assert lowest >= floor - 1e-12
        assert lowest < floor + 0.02
        # What is below it already is neither raised nor lowered.
        np.testing.assert_allclose(found[-4:], p[-4:], atol=1e-12)
        np.testing.assert_allclose(found.sum(axis=1), 1.0)
        assert found[0, 1] <= 0.001 + 1e-9


def test_many_classes_still_move() -> None:
    rng = np.random.default_rng(0)
    X, p = rng.normal(size=(400, 1)), np.full((400, 150), 1 / 150)
    y = one_hot(np.where(X[:, 0] > 0, 0, 149), 150)
    teacher = ResidualTeacher(corrector=DecisionTreeRegressor(max_depth=1), floor=0.1)
    found = teacher.second_stage([p], X, y, random_state=0)([p], X)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert found.min() >= 0.5 / 150 - 1e-12
    assert (found.argmax(axis=1) == y.argmax(axis=1)).mean() > 0.95


def test_weights_reach_the_correctors_and_the_step() -> None:
    X, y, _ = drawn(300, 0)
    p = np.random.default_rng(0).dirichlet(np.ones(2), 300)
    w = np.random.default_rng(1).integers(0, 3, 300).astype(float)
    rows = np.repeat(np.arange(300), w.astype(int))
    kept = np.flatnonzero(w > 0)
    teacher = ResidualTeacher(corrector=LinearRegression(), n_rounds=2)
    y = one_hot(y, 2)
    weighted = teacher.second_stage(
        [p[kept]], X[kept], y[kept], sample_weight=w[kept], random_state=0
    )
    repeated = teacher.second_stage([p[rows]], X[rows], y[rows], random_state=0)
    plain = teacher.second_stage([p], X, y, random_state=0)
    ours = weighted([p], X)
    np.testing.assert_allclose(ours, repeated([p], X), atol=1e-9)
    assert np.abs(ours - plain([p], X)).max() > 1e-3


def test_the_default_corrector_repeats_with_a_seed() -> None:
    X, y, _ = drawn(300, 0)
    first, again, other = (
        ResidualTeacher(GaussianNB(), random_state=seed).fit(X, y).predict_proba(X)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.0


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"n_rounds": 0}, ValueError, "n_rounds must be an integer of at least 1"),
        ({"step": "best"}, ValueError, "step must be 'auto' or a number in"),
        ({"step": 0.0}, ValueError, "step must be a number above 0 and at most 1"),
        ({"step": 1.5}, ValueError, "step must be a number above 0 and at most 1"),
        ({"floor": 0.5}, ValueError, "floor must be a number at least 0 and at mos"),
        (
            {"corrector": LogisticRegression()},
            TypeError,
            "corrector must be a regressor; got LogisticRegression",
        ),
    ],
)
def test_wrong_settings_are_refused_before_any_fit(
    settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    X, y, _ = drawn(30, 0)
    with pytest.raises(error, match=words):
        ResidualTeacher(GaussianNB(), **settings).fit(X, y)
