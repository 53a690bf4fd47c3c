"""The noise that students keep: closed forms, brute force, and when it is measured."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from semikd import LinearStudent, external_labels
from semikd.corrections import (
    ConstantCorrection,
    MinimaxCorrection,
    NoCorrection,
    OrthogonalCorrection,
    ShrinkageCorrection,
    corrected_target,
)
from semikd.crossfit import row_hashes
from semikd.distillation import kept_noise, noise_pair
from semikd.distillation.added import AddedRows
from semikd.distillation.lessons import Lesson, make_lesson
from semikd.label_aware import ReferenceCorrection
from semikd.losses import (
    CrossEntropyLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.simplex import one_hot
from semikd.students import as_student
from semikd.students.regressor import RegressorStudent

Floats = NDArray[np.float64]


def noise(n: int, m: int = 1, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Return rows of three columns and two targets that are noise alone."""
    rng = np.random.default_rng(seed)
    return rng.uniform(size=(n, 3)), *rng.normal(size=(2, n, m))


def kept(learner: Any, X: Floats, first: Floats, second: Floats, **more: Any) -> float:
    """Return what a learner of means keeps."""
    return kept_noise(
        as_student(learner), X, first, second, loss=IdentityLoss(), **more
    )


def hat(X: Floats, weights: Floats | None = None) -> Floats:
    """Return the matrix that takes targets to fitted values of least squares."""
    A = np.column_stack([np.ones(len(X)), X])
    W = np.eye(len(X)) if weights is None else np.diag(weights)
    return np.asarray(A @ np.linalg.solve(A.T @ W @ A, A.T @ W))


def test_a_projection_keeps_its_coefficients_over_rows() -> None:
    X, first, second = noise(50, m=2000)
    # 4 degrees of freedom for each of 2,000 scores: the band is five standard errors.
    found = kept(LinearRegression(), X, first, second)
    assert found == pytest.approx(4 / 50, abs=5 * (8 / 2000) ** 0.5 / 50)


def test_weights_and_added_rows_enter_as_the_matrix_of_the_fit_says() -> None:
    X, first, second = noise(40, m=3)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, 40)
    moved = hat(X, weights) @ (first - second)
    expected = np.average((moved**2).sum(axis=1), weights=weights)
    expected /= np.average(((first - second) ** 2).sum(axis=1), weights=weights)
    found = kept(LinearRegression(), X, first, second, sample_weight=weights)
    assert found == pytest.approx(expected, rel=1e-9)
    # Ten rows without outcome have one target, whatever the noise of the others.
    second[30:] = first[30:]
    moved = hat(X) @ (first - second)
    expected = (moved**2).sum() / 40 / ((first - second) ** 2).sum() * 30
    found = kept(LinearRegression(), X, first, second, n_outcomes=30)
    assert found == pytest.approx(expected, rel=1e-9)


def test_neighbours_and_fully_grown_trees_keep_what_they_must() -> None:
    X, first, second = noise(60, m=2000)
    assert kept(KNeighborsRegressor(4), X, first, second) == pytest.approx(
        0.25, rel=0.05
    )
    alone = first[:, :1], second[:, :1]
    grown = DecisionTreeRegressor(random_state=0)
    assert kept(grown, X, *alone) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("learner", "leaves", "squares_are_less"),
    [
        (DecisionTreeRegressor(max_leaf_nodes=4, random_state=0), 4, False),
        (DecisionTreeRegressor(max_leaf_nodes=16, random_state=0), 16, False),
        (RandomForestRegressor(10, max_leaf_nodes=16, random_state=0), 16, True),
    ],
    ids=["4 leaves", "16 leaves", "forest"],
)
def test_learners_that_search_keep_what_many_refits_say_and_more_than_their_leaves(
    learner: Any, leaves: int, squares_are_less: bool
) -> None:
    n, refits = 300, 200
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(n, 3))
    means = np.sin(6 * X[:, 0])
    noises = rng.normal(size=(refits, n))
    fits = np.array([learner.fit(X, means + each).predict(X) for each in noises])
    # The noise has variance 1: what is left of it, and its product with the fit.
    squares = float(fits.var(axis=0, ddof=1).mean())
    products = float(((fits - fits.mean(axis=0)) * noises).mean())
    assert (squares < products) == squares_are_less
    found = [
        kept(learner, X, *(means[:, None] + rng.normal(size=(2, n, 1))))
        for _ in range(60)
    ]
    error, brute = float(np.std(found, ddof=1)) / 60**0.5, min(squares, products)
    assert abs(np.mean(found) - brute) < 4 * error + 0.05 * brute
    # Leaves over rows, the negative control, is far outside.
    assert abs(leaves / n - brute) > 5 * error + 0.2 * brute


@pytest.mark.parametrize(
    "loss",
    [
        CrossEntropyLoss(),
        HardLabelMix(CrossEntropyLoss(), 0.5),
        ProbabilityLoss(),
        LogProbabilityLoss(),
    ],
    ids=str,
)
@pytest.mark.parametrize("k", [2, 3])
def test_a_constant_keeps_one_row_of_noise_on_every_scale(loss: Any, k: int) -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(k, 5.0), 40)
    y = one_hot(rng.integers(0, k, 40), k)
    first, second = noise_pair(p, y, loss=loss, random_state=3)
    X = np.zeros((40, 1))
    found = kept_noise(LinearStudent(ridge=1.0), X, first, second, loss=loss)
    if isinstance(loss, HardLabelMix):
        # Its slope has both parts of the target.
        m = first.shape[1] // 2
        first, second = (z[:, :m] + 0.5 * z[:, m:] for z in (first, second))
    mean = ((first - second).mean(axis=0) ** 2).sum()
    share = mean / ((first - second) ** 2).sum(axis=1).mean()
    assert found == pytest.approx(max(share, 1 / 40), rel=1e-4)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("loss", [ProbabilityLoss(), LogProbabilityLoss()], ids=str)
def test_each_target_is_corrected_in_full_in_one_of_a_pair_and_not_in_the_other(
    loss: Any, k: int
) -> None:
    n = 40_000
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.full(k, 3.0), n), one_hot(rng.integers(0, k, n), k)
    plain, full = loss.phi(p), corrected_target(loss, p, y, np.ones(n))
    first, second = noise_pair(p, y, loss=loss)
    heads = (first == full).all(axis=1)
    np.testing.assert_allclose(first[~heads], plain[~heads], atol=1e-12)
    np.testing.assert_array_equal(second[~heads], full[~heads])
    np.testing.assert_allclose(second[heads], plain[heads], atol=1e-12)
    # A fair coin, within five standard errors.
    assert abs(heads.mean() - 0.5) < 5 * 0.5 / n**0.5


def test_pairs_stay_in_the_simplex_and_means_go_wherever_outcomes_are() -> None:
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet([0.5, 0.5], 500), one_hot(rng.integers(0, 2, 500), 2)
    for each in noise_pair(p, y, loss=ProbabilityLoss(), random_state=1):
        assert ((each >= 0) & (each <= 1)).all()
    p, y = rng.normal(size=(2, 500, 1))
    for each in noise_pair(p, y, loss=IdentityLoss(), random_state=1):
        assert (np.isclose(each, p) | np.isclose(each, y)).all()


def test_coins_belong_to_rows_and_not_to_places() -> None:
    rng = np.random.default_rng(0)
    # Twenty rows in ten copies each, every copy with an outcome of its own.
    X = rng.normal(size=(20, 3))[rng.integers(0, 20, 200)]
    p, y = rng.normal(size=(2, 200, 1))
    order = rng.permutation(200)
    moved = p[order], y[order]
    loss, keys = IdentityLoss(), row_hashes(X)
    pair = noise_pair(p, y, loss=loss, keys=keys, random_state=5)
    turned = noise_pair(*moved, loss=loss, keys=keys[order], random_state=5)
    for each, other in zip(pair, turned, strict=True):
        np.testing.assert_array_equal(each[order], other)
    # Another seed tosses again, and without keys it is the place that counts.
    again = noise_pair(p, y, loss=loss, keys=keys, random_state=6)
    assert not np.array_equal(pair[0], again[0])
    placed = noise_pair(p, y, loss=loss), noise_pair(*moved, loss=loss)
    assert not np.array_equal(placed[0][0][order], placed[1][0])


def test_what_a_teacher_misses_of_copies_is_not_taken_for_their_noise() -> None:
    rng = np.random.default_rng(0)
    n_cells, copies = 400, 10
    X = np.repeat(np.arange(n_cells, dtype=float), copies)[:, None]
    y = one_hot((rng.uniform(size=len(X)) < 0.9).astype(int), 2)
    p = np.full((len(X), 2), 0.5)
    pair = noise_pair(p, y, loss=ProbabilityLoss(), keys=row_hashes(X))
    grown = as_student(DecisionTreeRegressor(random_state=0))
    found = kept_noise(grown, X, *pair, loss=ProbabilityLoss())
    # A tree of one leaf for each cell is a projection, the noise here has one size, and
    # its mean over a cell a known variance: the band is five standard errors. One coin
    # for all copies of a row would let it keep the square of 0.4 over 0.5 instead.
    assert found == pytest.approx(1 / copies, abs=5 * (2 / n_cells) ** 0.5 / copies)


def test_labels_without_noise_bound_nothing() -> None:
    p = one_hot([0, 1, 1, 0], 2)
    X = np.arange(4.0)[:, None]
    tree = DecisionTreeRegressor(max_leaf_nodes=2, random_state=0)
    pair = noise_pair(p, p, loss=ProbabilityLoss())
    assert kept_noise(as_student(tree), X, *pair, loss=ProbabilityLoss()) == 1.0


class Counting(RegressorStudent):
    """A student that counts its fits and those of its copies."""

    fits = 0

    def fit_target(self, *args: Any, **given: Any) -> "Counting":
        """Count, then fit."""
        type(self).fits += 1
        super().fit_target(*args, **given)
        return self


def lesson(learner: Any, correction: Any, **given: Any) -> tuple[Lesson, int, Any]:
    """Return what a student learns of 80 rows, its fits before, and the labels."""
    rng = np.random.default_rng(0)
    X, p = rng.uniform(size=(80, 3)), rng.dirichlet([3.0, 3.0], 80)
    y = one_hot((rng.uniform(size=80) < p[:, 1]).astype(int), 2)
    Counting.fits = 0
    made = make_lesson(
        external_labels(X, p, classes=[0, 1]),
        p[None],
        y,
        X,
        student=Counting(learner),
        loss=ProbabilityLoss(),
        correction=correction,
        **given,
    )
    return made, Counting.fits, (X, p, y)


@pytest.mark.parametrize(
    ("correction", "fits"),
    [
        (NoCorrection(), 0),
        (ConstantCorrection(0.3), 0),
        (OrthogonalCorrection(), 0),
        (ReferenceCorrection(0.1), 0),
        (ShrinkageCorrection(0.01), 2),
        (MinimaxCorrection("relative", 0.5), 2),
    ],
    ids=str,
)
def test_a_tree_is_fitted_twice_where_its_noise_counts(
    correction: Any, fits: int
) -> None:
    tree = DecisionTreeRegressor(max_leaf_nodes=4, random_state=0)
    assert lesson(tree, correction)[1] == fits
    assert lesson(LinearRegression(), correction)[1] == 0


def test_a_lesson_weighs_outcomes_by_the_noise_that_is_kept() -> None:
    tree = DecisionTreeRegressor(max_leaf_nodes=4, random_state=0)
    rule = ShrinkageCorrection(0.01)
    made, _, (X, p, y) = lesson(tree, rule)
    loss = ProbabilityLoss()
    pair = noise_pair(p, y, loss=loss, keys=row_hashes(X))
    kappa = kept_noise(as_student(tree), X, *pair, loss=loss)
    assert made.weight_of_labels == pytest.approx(
        rule.weight(p, X, loss, kappa).mean(), rel=1e-12
    )
    assert kappa > 4 / 80
    alike, _, _ = lesson(tree, rule)
    np.testing.assert_array_equal(alike.target, made.target)


def test_rows_without_outcome_leave_less_noise_to_keep() -> None:
    tree = DecisionTreeRegressor(max_leaf_nodes=4, random_state=0)
    rng = np.random.default_rng(1)
    added = AddedRows(rng.uniform(size=(400, 3)), np.full((400, 2), 0.5), np.ones(400))
    alone = lesson(tree, ShrinkageCorrection(0.01))[0].weight_of_labels
    more = lesson(tree, ShrinkageCorrection(0.01), added=[added])[0].weight_of_labels
    assert more > alone
