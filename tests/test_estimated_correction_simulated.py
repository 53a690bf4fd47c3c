"""An estimated correction against one that knows the truth, where the truth is known.

The process, the teachers and the students are those of ``benchmarks/corrections.py``.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from semikd.corrections import EstimatedCorrection, RowwiseCorrection, label_noise
from semikd.corrections._levels import error_level
from semikd.corrections._residuals import ResidualFits, halvings, units_of
from semikd.datasets import make_smooth_process
from semikd.losses import ProbabilityLoss
from semikd.simplex import one_hot

FloatArray = NDArray[np.float64]
LOSS = ProbabilityLoss()
STUDENTS = ("linear", 8, 32, 128, None)


class World:
    """Rows with known probabilities, and what a teacher says of them."""

    def __init__(self, n: int, teacher: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.X, self.truth, self.y = self.draw(n, seed)
        self.X_test, self.truth_test, _ = self.draw(4000, 10_000 + seed)
        self.fold = rng.permutation(n) % 5
        self.p = self.truth.copy()
        if teacher == "over-confident":
            self.p = self.truth**2 / (self.truth**2).sum(axis=1, keepdims=True)
        if teacher == "under-fitted":
            for own in range(5):
                out = self.fold == own
                forest = RandomForestClassifier(50, max_depth=2, random_state=own)
                forest.fit(self.X[~out], self.y[~out, 1])
                self.p[out] = forest.predict_proba(self.X[out])

    @staticmethod
    def draw(n: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return covariates, probabilities and one-hot labels."""
        data = make_smooth_process(n, random_state=seed)
        truth = data.true_proba
        assert truth is not None
        return data.X.to_numpy(), truth, one_hot(data.y.to_numpy(), 2)

    def error(self, student: Any, weight: FloatArray) -> float:
        """Return the mean squared error to the truth of a student taught so."""
        learner = LinearRegression()
        if student != "linear":
            learner = DecisionTreeRegressor(max_leaf_nodes=student, random_state=0)
        target = self.p[:, 1] + weight * (self.y - self.p)[:, 1]
        said = learner.fit(self.X, target).predict(self.X_test)
        return float(((said - self.truth_test[:, 1]) ** 2).mean())

    def complexity(self, student: Any) -> float:
        """Return declared degrees of freedom over rows."""
        freedom = {"linear": 6, None: len(self.p)}.get(student, student)
        return min(1.0, float(freedom) / len(self.p))

    def oracle(self, kappa: float) -> FloatArray:
        """Return the weight of one who knows the truth."""
        error = (self.truth - self.p)[:, 1] ** 2
        noise = kappa * label_noise(LOSS, self.truth)
        return np.asarray(error / (error + noise))

    def fitted(self, rule: EstimatedCorrection) -> RowwiseCorrection:
        """Return the rule for these rows."""
        found = rule.fit(self.p, self.y, X=self.X, loss=LOSS, fold=self.fold)
        assert isinstance(found, RowwiseCorrection)
        return found

    def naive(self, regressor: Any) -> RowwiseCorrection:
        """Return the rule that takes the square of one residual fit as the error."""
        columns, fit = np.column_stack([self.X, self.p[:, 1]]), np.empty(len(self.p))
        for own in range(5):
            out = self.fold == own
            left = (self.y - self.p)[~out, 1]
            fit[out] = regressor.fit(columns[~out], left).predict(columns[out])
        return RowwiseCorrection(fit**2, label_noise(LOSS, self.p))


def small_boosting() -> Any:
    """Return the regression that the estimate uses by default."""
    return HistGradientBoostingRegressor(
        max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=0
    )


def ratios(
    n: int, teacher: str, n_worlds: int, rule: EstimatedCorrection, base: str
) -> dict[Any, tuple[float, float]]:
    """Return errors of estimated and naive as multiples of those of the base."""
    totals = {student: np.zeros(3) for student in STUDENTS}
    for seed in range(n_worlds):
        world = World(n, teacher, 100 + seed)
        found = world.fitted(rule)
        naive = world.naive(rule.regressor or small_boosting())
        for student in STUDENTS:
            kappa = world.complexity(student)
            plain = np.zeros(n) if base == "plain" else world.oracle(kappa)
            own, wrong = (r.weight(world.p, None, LOSS, kappa) for r in (found, naive))
            totals[student] += [world.error(student, w) for w in (own, wrong, plain)]
    return {s: (t[0] / t[2], t[1] / t[2]) for s, t in totals.items()}


def test_half_the_rows_know_nothing_of_the_other_half() -> None:
    assert halvings([0, 1, 2]) == [((0,), (1, 2)), ((1,), (0, 2)), ((2,), (0, 1))]
    assert len(halvings([4, 1, 2, 3])) == 3
    assert halvings([7, 9]) == [((7,), (9,))]
    merged = units_of(np.ones((12, 1)), np.arange(12))
    assert np.bincount(merged).tolist() == [3, 3, 2, 2, 2]
    rng = np.random.default_rng(0)
    X, left, unit = rng.normal(size=(50, 2)), rng.normal(size=(50, 1)), folds(50)
    fits = ResidualFits.of(X, left, unit, None, LinearRegression(), 0)
    assert len(fits.said) == 10
    for part, said in fits.said.items():
        assert (np.isnan(said[:, 0]) == np.isin(unit, part)).all()


def folds(n: int) -> NDArray[np.intp]:
    """Return five folds in turn."""
    return np.arange(n) % 5


def test_products_count_no_noise_as_error_and_evidence_is_rarely_found() -> None:
    # 80 worlds without any error: the mean product is within four standard errors of
    # zero, which a bias of a third of the naive square would leave.
    products, squares, levels = [], [], []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        X, left, unit = rng.normal(size=(250, 8)), rng.normal(size=(250, 1)), folds(250)
        fits = ResidualFits.of(X, left, unit, None, LinearRegression(), 0)
        fit, product = fits.products(0)
        here, there = unit == 0, unit != 0
        products.append(product[here].mean())
        squares.append((fit[here] ** 2).mean())
        ones = np.ones(250)
        level = error_level(
            product[here],
            fit[here],
            fits.matches(0)[there],
            weights=(ones[here], ones[there]),
            copies=np.flatnonzero(there).astype(np.uint64),
        )
        levels.append(level.squared_error)
    error = np.std(products) / np.sqrt(80)
    assert abs(np.mean(products)) < 4 * error
    assert np.mean(squares) / 3 > 4 * error
    assert np.mean(np.array(levels) > 0) < 0.04


def test_a_real_error_is_found_at_its_size() -> None:
    rng = np.random.default_rng(0)
    X, unit = rng.normal(size=(2000, 3)), folds(2000)
    left = 0.3 * X[:, :1] + rng.normal(size=(2000, 1))
    fits = ResidualFits.of(X, left, unit, None, LinearRegression(), 0)
    _, product = fits.products(2)
    assert product[unit == 2].mean() == pytest.approx(0.09, rel=0.25)
    assert np.nanmean(fits.matches(2)) == pytest.approx(0.09, rel=0.25)


def test_a_wrong_teacher_is_corrected_nearly_as_by_one_who_knows() -> None:
    own = best = plain = 0.0
    for seed in range(3):
        world = World(1000, "over-confident", seed)
        found = world.fitted(EstimatedCorrection())
        for student in ("linear", 8):
            kappa = world.complexity(student)
            own += world.error(student, found.weight(world.p, None, LOSS, kappa))
            best += world.error(student, world.oracle(kappa))
            plain += world.error(student, np.zeros(1000))
    assert own < 1.1 * best
    assert plain > 1.1 * best


def test_a_perfect_teacher_is_left_alone_but_not_by_the_naive_square() -> None:
    world = World(1500, "perfect", 0)
    kappa = world.complexity(32)
    plain = world.error(32, np.zeros(1500))
    own, wrong = (
        world.error(32, rule.weight(world.p, None, LOSS, kappa)) / plain
        for rule in (
            world.fitted(EstimatedCorrection()),
            world.naive(small_boosting()),
        )
    )
    assert 0.95 < own < 1.05
    assert not 0.95 < wrong < 1.05


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["under-fitted", "over-confident"])
@pytest.mark.parametrize("n", [1000, 4000, 16000])
def test_the_student_s_error_is_near_that_of_the_oracle(n: int, teacher: str) -> None:
    worlds = {1000: 10, 4000: 6, 16000: 3}[n]
    found = ratios(n, teacher, worlds, EstimatedCorrection(), "oracle")
    # A fully grown student of an under-fitted teacher is the hardest: what a smooth
    # regression cannot see of the error is missing in its weight.
    for student, (own, _) in found.items():
        allowed = 1.25 if student is None and teacher == "under-fitted" else 1.10
        assert own < allowed, (student, own)


@pytest.mark.slow
def test_with_a_perfect_teacher_nothing_is_lost_and_weights_vanish() -> None:
    for n, worlds in ((1000, 20), (4000, 6), (16000, 3)):
        found = ratios(n, "perfect", worlds, EstimatedCorrection(), "plain")
        for student, (own, wrong) in found.items():
            assert 0.95 < own < 1.05, (n, student, own)
            if student == 128:
                assert wrong > 1.05, (n, student, wrong)
    means = [
        np.mean(
            [
                world.fitted(EstimatedCorrection())
                .weight(world.p, None, LOSS, world.complexity(8))
                .mean()
                for world in (World(n, "perfect", 100 + s) for s in range(worlds))
            ]
        )
        for n, worlds in ((1000, 20), (16000, 3))
    ]
    assert means[0] < 0.05
    assert means[1] < 0.01
