"""How small a student may be: loss by size, and the smallest that is good enough."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, cross_fit
from semikd.evaluation import Classification, Table, pointwise_log_loss
from semikd.exceptions import LeakageWarning
from semikd.selection import SizeCurve, size_curve
from semikd.selection.sizes import sizes_to_try
from semikd.students import LinearStudent, StudentSize, as_student

TREE = DecisionTreeRegressor(max_leaf_nodes=32, random_state=0)
TEACHER = LogisticRegression()


def noisy(n: int, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = (X @ [2.0, -1.0, 0.5] + rng.logistic(size=n) > 0).astype(int)
    return X, y


@pytest.fixture(scope="module")
def curve() -> SizeCurve:
    X, y = noisy(4000, 0)
    test = noisy(3000, 1)
    return size_curve(
        DistilledClassifier(TEACHER, TREE), X, y, test=test, random_state=0
    )


def test_each_student_is_the_estimator_of_that_size(curve: SizeCurve) -> None:
    X, y = noisy(4000, 0)
    X_test, y_test = noisy(3000, 1)
    assert curve.names == ("4 leaves", "8 leaves", "16 leaves", "32 leaves")
    teacher = LogisticRegression().fit(X, y).predict_proba(X_test)
    np.testing.assert_allclose(
        curve.teacher_losses, pointwise_log_loss(teacher, y_test)
    )
    # Folds differ, so that students agree as estimates of one thing do.
    alone = DistilledClassifier(
        TEACHER, DecisionTreeRegressor(max_leaf_nodes=8, random_state=0), random_state=3
    ).fit(X, y)
    losses = pointwise_log_loss(alone.predict_proba(X_test), y_test)
    assert curve.losses[:, 1].mean() == pytest.approx(losses.mean(), abs=0.01)


def test_the_loss_falls_with_size_and_the_frame_says_so(curve: SizeCurve) -> None:
    frame = curve.to_frame()
    assert frame["leaves"].tolist() == [4, 8, 16, 32]
    assert frame["loss"].is_monotonic_decreasing
    paired = curve.losses - curve.teacher_losses[:, None]
    np.testing.assert_allclose(frame["behind_teacher"], paired.mean(axis=0))
    assert (frame["low"] < frame["behind_teacher"]).all()
    assert (frame["high"] > frame["behind_teacher"]).all()


def test_the_smallest_within_a_margin_is_found_from_the_largest_down(
    curve: SizeCurve,
) -> None:
    paired = curve.losses - curve.teacher_losses[:, None]
    errors = paired.std(axis=0, ddof=1) / np.sqrt(len(paired))
    bounds = paired.mean(axis=0) + stats.t.ppf(0.95, len(paired) - 1) * errors
    for margin in (0.0, 0.02, 0.05, 0.1, 0.3):
        passed = []
        for name, bound in zip(curve.names[::-1], bounds[::-1], strict=True):
            if bound > margin:
                break
            passed.append(name)
        found = curve.within(margin)
        assert list(found.rejected) == passed
        assert found.last == (passed[-1] if passed else None)


@pytest.mark.slow
def test_no_student_that_is_worse_by_more_passes_more_often_than_promised() -> None:
    # Each student is worse by the margin itself: any pass is an error. 300 draws at
    # 5 % and the exact band, one in ten thousand outside; testing each size on its own
    # passes some size about 17 times in a hundred, the control.
    errors, loose = 0, 0
    sizes = tuple(StudentSize(leaves, None, 1) for leaves in (4, 8, 16, 32))
    for seed in range(300):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(100, 1)), rng.integers(0, 2, size=100)
        losses = 0.1 + rng.normal(size=(100, 4))
        table = Table(X, y, None, None)
        found = SizeCurve(sizes, losses, np.zeros(100), table, Classification())
        errors += found.within(0.1).last is not None
        p = found.comparison.non_inferior(0.1, adjust="none")["p_value"]
        loose += bool((p < 0.05).any())
    low, high = stats.binom.ppf([5e-5, 1.0 - 5e-5], 300, 0.05)
    assert low <= errors <= high
    assert loose > high


def test_forests_grow_by_trees_and_others_must_be_told() -> None:
    forest = as_student(RandomForestRegressor(5))
    assert sizes_to_try(forest) == [{"n_estimators": n} for n in (1, 2, 4, 5)]
    with pytest.raises(ValueError, match="student must have a number of leaves or"):
        sizes_to_try(LinearStudent())


def test_settings_are_honoured_and_so_are_weights_and_groups() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    recipe = DistilledClassifier(
        DecisionTreeClassifier(max_depth=3, random_state=0), TREE
    )
    settings = [{"max_leaf_nodes": 3}, {"max_leaf_nodes": 6}]
    found = size_curve(
        recipe,
        X,
        y,
        settings=settings,
        sample_weight=np.ones(len(y)),
        groups=np.arange(len(y)) // 2,
        random_state=0,
    )
    assert [size.leaves for size in found.sizes] == [3, 6]


def test_a_regression_has_a_curve_too() -> None:
    X, _ = noisy(600, 0)
    y = X[:, 0] ** 2 + np.random.default_rng(0).normal(size=600)
    found = size_curve(DistilledRegressor(Ridge(), TREE), X, y, random_state=0)
    assert found.task.metric == "squared_error"
    assert np.isfinite(found.losses).all()


def test_sizes_come_in_order_whatever_the_order_of_the_settings() -> None:
    X, y = noisy(600, 3)
    recipe = DistilledClassifier(TEACHER, TREE)
    settings = [{"max_leaf_nodes": n} for n in (16, 4, 8)]
    found = size_curve(recipe, X, y, settings=settings, random_state=0)
    assert [size.leaves for size in found.sizes] == [4, 8, 16]
    assert [each.size().leaves for each in found.students] == [4, 8, 16]


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ([], ValueError, "settings must hold a size at least; got none"),
        ({"max_leaf_nodes": 4}, TypeError, "settings must be a list of parameters"),
        ([4, 8], TypeError, "settings must be a list of parameters"),
        ("small", TypeError, "settings must be a list of parameters"),
    ],
)
def test_settings_that_are_no_sizes_are_refused(
    settings: Any, error: Any, match: str
) -> None:
    recipe = DistilledClassifier(TEACHER, TREE)
    with pytest.raises(error, match=match):
        size_curve(recipe, *noisy(100, 4), settings=settings)


def test_copies_that_tests_would_count_are_told() -> None:
    X, y = noisy(200, 5)
    recipe = DistilledClassifier(TEACHER, TREE)
    many = np.tile(X, (4, 1)), np.tile(y, 4)
    with pytest.warns(LeakageWarning, match="held-out rows equal another one") as said:
        size_curve(recipe, *many, random_state=0)
    assert said[0].filename == __file__
    # Groups that name the source of each row are clusters, and nothing is to be said.
    size_curve(recipe, *many, groups=np.tile(np.arange(200), 4), random_state=0)


@pytest.mark.parametrize(
    ("cv", "correction", "match"),
    [
        ("oob", "estimated", "cv must be of folds for the correction Estimated"),
        ("in-sample", "estimated", "cv must be of folds for an estimated correction"),
    ],
)
def test_a_correction_is_not_estimated_from_labels_that_its_fit_refuses(
    cv: Any, correction: Any, match: str
) -> None:
    forest = RandomForestClassifier(5, random_state=0)
    recipe = DistilledClassifier(forest, TREE, cv=cv, correction=correction)
    X, y = noisy(100, 6)
    with pytest.raises(ValueError, match=match):
        recipe.fit(X, y)
    with pytest.raises(ValueError, match=match):
        size_curve(recipe, X, y, random_state=0)


def test_labels_are_those_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}

    def noted(*args: Any, **options: Any) -> Any:
        record = cross_fit(*args, **options)
        found[options["cv"]] = record.strategy
        return record

    monkeypatch.setattr("semikd.selection.curve.cross_fit", noted)
    forest = RandomForestClassifier(40, random_state=0)
    X, y = noisy(150, 7)
    for cv, correction in (("auto", "estimated"), ("auto", "none"), ("in-sample", 0.5)):
        recipe = DistilledClassifier(forest, TREE, cv=cv, correction=correction)
        size_curve(recipe, X, y, random_state=0)
    # Folds stand in for 'auto' where the correction is estimated, and only there.
    assert list(found) == [5, "auto", "in-sample"]


def test_labels_that_cannot_be_made_of_the_training_rows_are_refused() -> None:
    X, y = noisy(100, 8)
    record = cross_fit(TEACHER, X, y, random_state=0)
    for cv in (record, np.arange(100) % 5):
        recipe = DistilledClassifier(TEACHER, TREE, cv=cv)
        with pytest.raises(ValueError, match=r"estimator\.cv must label any training"):
            size_curve(recipe, X, y, random_state=0)
    recipe = DistilledClassifier(TEACHER, TREE, cv=record)
    with pytest.raises(ValueError, match=r"got an OutOfFold \(5-fold") as refused:
        size_curve(recipe, X, y, random_state=0)
    assert "array" not in str(refused.value)


def test_what_the_fit_refuses_is_refused_before_a_teacher_is_fitted() -> None:
    X, y = noisy(100, 9)
    online = DistilledClassifier(TEACHER, TREE, online_labels=True)
    with pytest.raises(ValueError, match=r"estimator\.online_labels must be False"):
        size_curve(online, X, y, random_state=0)
    hard = DistilledClassifier(TEACHER, TREE, hard_weight=0.5)
    with pytest.raises(TypeError, match="where hard_weight is positive"):
        size_curve(hard, X, y, random_state=0)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="no missing value for the teacher Logistic"):
        size_curve(DistilledClassifier(TEACHER, TREE), X, y, random_state=0)
