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
from semikd.distillation import kept_noise, noise_pair
from semikd.losses import ProbabilityLoss
from semikd.simplex import one_hot
from semikd.students import as_student

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

    def counted(self, student: Any) -> float:
        """Return leaves or coefficients over rows."""
        freedom = {"linear": 6, None: len(self.p)}.get(student, student)
        return min(1.0, float(freedom) / len(self.p))

    def complexity(self, student: Any) -> float:
        """Return the share of noise that a student keeps."""
        if student == "linear":
            return self.counted(student)
        tree = DecisionTreeRegressor(max_leaf_nodes=student, random_state=0)
        pair = noise_pair(self.p, self.y, loss=LOSS)
        return kept_noise(as_student(tree), self.X, *pair, loss=LOSS)

    def oracle(self, kappa: float) -> FloatArray:
        """Return the balance of error and noise of one who knows the truth."""
        error = (self.truth - self.p)[:, 1] ** 2
        total = error + kappa * label_noise(LOSS, self.truth)
        return np.asarray(error / np.where(total > 0, total, 1.0))

    def oracles(self, student: Any) -> list[FloatArray]:
        """Return that balance, with more and less noise, and constant weights."""
        shares = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0)
        kappas = [min(1.0, k * self.counted(student)) for k in (1, 2, 4, 8, 16)]
        return [
            self.oracle(self.complexity(student)),
            *(np.full(len(self.p), share) for share in shares),
            *(self.oracle(kappa) for kappa in kappas),
        ]

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


def errors_of(
    n: int, teacher: str, n_worlds: int, students: Any = STUDENTS
) -> dict[Any, dict[str, float]]:
    """Return the errors of students by name of the arm.

    'best' is the best of all oracles in hindsight, one choice for all worlds.
    """
    found: dict[Any, dict[str, float]] = {}
    for student in students:
        totals: dict[str, Any] = {}
        for seed in range(n_worlds):
            world = World(n, teacher, 100 + seed)
            kappa, counted = world.complexity(student), world.counted(student)
            rule, naive = (
                world.fitted(EstimatedCorrection()),
                world.naive(small_boosting()),
            )
            known = np.array([world.error(student, w) for w in world.oracles(student)])
            errors = {
                "estimated": world.error(
                    student, rule.weight(world.p, None, LOSS, kappa)
                ),
                "counted": world.error(
                    student, rule.weight(world.p, None, LOSS, counted)
                ),
                "naive": world.error(student, naive.weight(world.p, None, LOSS, kappa)),
                "plain": world.error(student, np.zeros(n)),
                "oracle": known[0],
                "best": known,
            }
            totals = {k: totals.get(k, 0.0) + v for k, v in errors.items()}
        found[student] = {k: float(np.min(v)) for k, v in totals.items()}
    return found


def test_half_the_rows_know_nothing_of_the_other_half() -> None:
    assert halvings([0, 1, 2]) == [((0,), (1, 2)), ((1,), (0, 2)), ((2,), (0, 1))]
    assert len(halvings([4, 1, 2, 3])) == 3
    assert halvings([7, 9]) == [((7,), (9,))]
    merged = units_of(np.ones(12, dtype=np.uint64), np.arange(12))
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
            keys=np.flatnonzero(there).astype(np.uint64),
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
    own, known, plain = 0.0, np.zeros(13), 0.0
    for seed in range(3):
        world = World(1000, "over-confident", seed)
        found = world.fitted(EstimatedCorrection())
        for student in ("linear", 8):
            kappa = world.complexity(student)
            own += world.error(student, found.weight(world.p, None, LOSS, kappa))
            known += [world.error(student, each) for each in world.oracles(student)]
            plain += world.error(student, np.zeros(1000))
    assert own < 1.1 * known[0]
    assert plain > 1.1 * known[0]
    assert known[0] < 1.15 * known.min()


def test_a_perfect_teacher_is_left_alone_but_not_by_the_naive_square() -> None:
    errors = errors_of(1000, "perfect", 3, students=[32])[32]
    assert 0.95 < errors["estimated"] / errors["plain"] < 1.05
    assert not 0.95 < errors["naive"] / errors["plain"] < 1.05


# What a regression of the residuals cannot see of the error is missing in the weight.
HARD = {
    (1000, "under-fitted", 8): 1.20,
    (4000, "under-fitted", None): 1.25,
    (4000, "over-confident", 128): 1.20,
    (16000, "under-fitted", None): 1.25,
}


@pytest.mark.slow
@pytest.mark.parametrize("teacher", ["under-fitted", "over-confident"])
@pytest.mark.parametrize("n", [1000, 4000, 16000])
def test_the_student_s_error_is_near_that_of_the_oracle(n: int, teacher: str) -> None:
    found = errors_of(n, teacher, {1000: 10, 4000: 6, 16000: 3}[n])
    for student, errors in found.items():
        allowed = HARD.get((n, teacher, student), 1.10)
        assert errors["estimated"] < allowed * errors["oracle"], student
        # The oracle is near the best that any weight could do in hindsight.
        assert errors["oracle"] < 1.15 * errors["best"], student
    # Leaves taken for degrees of freedom, the negative control, are not.
    assert found[128]["counted"] > 1.05 * found[128]["best"]
    assert found[128]["counted"] > found[128]["estimated"]


@pytest.mark.slow
def test_with_a_perfect_teacher_nothing_is_lost_and_weights_vanish() -> None:
    for n, worlds in ((1000, 20), (4000, 6), (16000, 3)):
        for student, errors in errors_of(n, "perfect", worlds).items():
            lost = errors["estimated"] / errors["plain"]
            assert 0.95 < lost < 1.05, (n, student, lost)
            # The naive square, the control, does its harm where rows are few.
            if student == 128 and n == 1000:
                assert errors["naive"] > 1.05 * errors["plain"]
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
