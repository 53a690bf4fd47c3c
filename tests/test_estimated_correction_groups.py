"""Rows of a group are one piece of evidence for a correction, however many they are."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import AutoDistiller, DistilledClassifier, DistilledRegressor, cross_fit
from semikd.corrections import Correction, EstimatedCorrection
from semikd.evaluation import compare
from semikd.losses import ProbabilityLoss
from semikd.selection import size_curve
from semikd.simplex import one_hot

Floats = NDArray[np.float64]
# Cheap, and linear in what the rows of a group have in common.
PLAIN = EstimatedCorrection(LinearRegression())
COIN = DummyClassifier(strategy="uniform")


def clustered(
    seed: int, *, n_groups: int = 40, size: int = 25, effect: float = 2.0
) -> tuple[Floats, NDArray[Any], NDArray[Any]]:
    """Return rows alike in each group, classes that are even overall, and groups.

    The classes of a group share a deviation on the logit, of which x says nothing: one
    half is the probability given x, and a teacher that says so is perfect.
    """
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), size)
    X = rng.normal(size=(n_groups, 3))[group]
    X += 0.05 * rng.normal(size=X.shape)
    logit = effect * rng.normal(size=n_groups)[group]
    y = (rng.uniform(size=len(group)) < 1 / (1 + np.exp(-logit))).astype(int)
    return X, y, group


def weight(X: Floats, y: Any, groups: Any, fold: Any, rule: Any = PLAIN) -> Floats:
    """Return the weights of the labels beside the perfect teacher."""
    p, loss = np.full((len(y), 2), 0.5), ProbabilityLoss()
    fitted = rule.fit(p, one_hot(y, 2), X=X, loss=loss, fold=fold, groups=groups)
    return np.asarray(fitted.weight(p, X, loss, 0.02))


def shares_corrected(n_worlds: int, **world: Any) -> tuple[float, float]:
    """Return in what share of data sets labels count, with groups named and not."""
    found = []
    for seed in range(n_worlds):
        X, y, group = clustered(seed, **world)
        found.append(
            [weight(X, y, given, group % 5).max() > 0 for given in (group, None)]
        )
    named, unnamed = np.mean(found, axis=0)
    return float(named), float(unnamed)


def test_a_perfect_teacher_is_left_alone_where_groups_are_named() -> None:
    # On 400 other data sets the shares were 0.0625 and 0.45: each bound is then missed
    # less than once in 10,000 times.
    named, unnamed = shares_corrected(120)
    assert named <= 20 / 120 < unnamed


def test_groups_of_one_row_are_rows() -> None:
    X, y, _ = clustered(0, effect=0.0)
    fold = np.random.default_rng(1).permutation(len(y)) % 5
    y = np.where(X[:, 0] > 0, y, 0)
    alone = weight(X, y, None, fold)
    assert alone.mean() > 0.3
    named = weight(X, y, np.arange(len(y)), fold)
    np.testing.assert_allclose(named, alone, atol=1e-12)


def test_a_real_error_is_found_in_groups_too() -> None:
    X, y, group = clustered(0, n_groups=200, size=5, effect=0.5)
    y = np.where(X[:, 0] > 0, y, 0)
    assert weight(X, y, group, group % 5).mean() > 0.3


def test_names_of_groups_do_not_matter_and_copies_are_a_group() -> None:
    X, y, group = clustered(0)
    y = np.where(X[:, 0] > 0, y, 0)
    number = weight(X, y, group, group % 5)
    word = weight(X, y, np.array([f"patient {g}" for g in group]), group % 5)
    np.testing.assert_allclose(number, word, atol=1e-12)
    X = X[np.unique(group, return_index=True)[1]][group]
    np.testing.assert_allclose(
        weight(X, y, None, group % 5), weight(X, y, group, group % 5), atol=1e-12
    )


def test_labels_of_one_fold_are_divided_by_groups() -> None:
    X, y, group = clustered(3)
    y = np.where(X[:, 0] > 0, y, 0)
    whole, other = np.zeros(len(y), dtype=int), y.copy()
    # What weighs a group does not know the classes of that group.
    own = group == 7
    other[own] = 1 - other[own]
    before, after = (weight(X, each, group, whole) for each in (y, other))
    np.testing.assert_array_equal(before[own], after[own])
    assert not np.array_equal(before, after)


def test_parts_with_few_groups_have_the_mean_of_all() -> None:
    X, y, group = clustered(0)
    y = np.where(X[:, 0] > 0, y, 0)
    site = np.column_stack([X, group % 2])
    rule = EstimatedCorrection(LinearRegression(), local=False, group_by=3)
    everyone = EstimatedCorrection(LinearRegression(), local=False)
    # 20 groups of a site: too few, though its rows are 500.
    np.testing.assert_array_equal(
        weight(site, y, group, group % 5, rule),
        weight(site, y, group, group % 5, everyone),
    )
    by_rows = weight(site, y, None, group % 5, rule)
    assert abs(by_rows - weight(site, y, None, group % 5, everyone)).max() > 0.01


def test_distillation_tells_the_correction_of_groups() -> None:
    shares = []
    for seed in range(40):
        X, y, group = clustered(seed)
        labels = cross_fit(COIN, X, y, cv=5, groups=group, random_state=0)
        model = DistilledClassifier(
            student=LinearRegression(), correction=PLAIN, cv=labels
        )
        named = model.fit(X, y, groups=group).weight_of_labels_
        shares.append([named, model.fit(X, y).weight_of_labels_])
    named, unnamed = (np.array(shares) > 0).mean(axis=0)
    # At the shares above each bound is missed less than once in 1,000 times.
    assert named <= 8 / 40 < unnamed


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what estimated corrections are told: first column and group of rows."""
    seen, original = [], EstimatedCorrection.fit

    def fit(self: Any, p: Any, y: Any, **given: Any) -> Correction:
        seen.append((np.asarray(given["X"])[:, 0], given["groups"]))
        return original(self, p, y, **given)

    monkeypatch.setattr(EstimatedCorrection, "fit", fit)
    return seen


TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
PATHS = {
    "classifier": lambda X, y, **more: DistilledClassifier(
        GaussianNB(), LinearRegression(), correction=PLAIN, random_state=0
    ).fit(X, y, **more),
    "regressor": lambda X, y, **more: DistilledRegressor(
        LinearRegression(), LinearRegression(), correction=PLAIN, random_state=0
    ).fit(X, y.astype(float), **more),
    "automatic": lambda X, y, **more: AutoDistiller(
        GaussianNB(), LinearRegression(), preset="balanced", random_state=0
    ).fit(X, y, **more),
    "size curve": lambda X, y, **more: size_curve(
        DistilledClassifier(GaussianNB(), TREE, correction=PLAIN),
        X,
        y,
        random_state=0,
        **more,
    ),
    "comparison": lambda X, y, **more: compare(
        X,
        y,
        DistilledClassifier(GaussianNB(), LinearRegression()),
        corrections={"estimated": PLAIN},
        n_refits=1,
        random_state=0,
        **more,
    ),
}


@pytest.mark.parametrize("path", list(PATHS))
def test_every_path_tells_the_correction_of_groups(path: str, told: list[Any]) -> None:
    X, y, group = clustered(0, n_groups=60, size=4)
    X[:, 0] = group + 0.001 * np.arange(len(y)) / len(y)
    weights = np.where(np.arange(len(y)) % 9 == 0, 0.0, 1.0)
    PATHS[path](X, y, groups=group, sample_weight=weights)
    assert told
    for column, groups in told:
        np.testing.assert_array_equal(np.floor(column), groups)
