"""Generations: against loops by hand, honest through all, shared by cross-fits."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, LinearStudent, TorchClassifier, cross_fit
from semikd.distillation import SelfDistilledClassifier
from semikd.simplex import project
from semikd.students import TorchStudent

Floats = NDArray[np.float64]


def made(n: int = 120, k: int = 2) -> tuple[Floats, NDArray[np.intp]]:
    """Return rows whose class is a noisy function of one column."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    score = X[:, 0] + X[:, 1] ** 2 + rng.normal(size=n)
    return X, np.searchsorted(np.quantile(score, np.arange(1, k) / k), score)


def tree(leaves: int = 6) -> Any:
    return DecisionTreeRegressor(max_leaf_nodes=leaves)


def model(**settings: Any) -> SelfDistilledClassifier:
    teacher = DecisionTreeClassifier(max_leaf_nodes=12)
    return SelfDistilledClassifier(
        **{"teacher": teacher, "student": tree(), "random_state": 0, **settings}
    )


@pytest.mark.usefixtures("generator_of_the_checks")
@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@parametrize_with_checks(
    [SelfDistilledClassifier(GaussianNB(), Ridge(), cv=2, random_state=0)]
)
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def by_hand(
    X: Floats, y: NDArray[np.intp], fold: NDArray[np.intp], n_generations: int, k: int
) -> Floats:
    """Return the last student's scores, every model fitted by naive recursion."""
    outputs = slice(1, 2) if k == 2 else slice(None)

    def said(g: int, left_out: frozenset[int], rows: Floats) -> Floats:
        keep = ~np.isin(fold, list(left_out))
        if g == 0:
            return np.asarray(GaussianNB().fit(X[keep], y[keep]).predict_proba(rows))
        target = np.zeros((len(X), k))
        for t in set(range(fold.max() + 1)) - left_out:
            target[fold == t] = said(g - 1, left_out | {t}, X[fold == t])
        student = Ridge().fit(X[keep], target[keep][:, outputs])
        found = np.asarray(student.predict(rows)).reshape(len(rows), -1)
        if k == 2:
            found = np.clip(found, 0.0, 1.0)
            return np.hstack([1.0 - found, found])
        return np.asarray(project(found))

    return said(n_generations, frozenset(), X)


@pytest.mark.parametrize("n_generations", [1, 2, 3])
@pytest.mark.parametrize("k", [2, 3])
def test_generations_are_those_of_a_naive_recursion(n_generations: int, k: int) -> None:
    X, y = made(k=k)
    fold = np.arange(120) % 4
    found = SelfDistilledClassifier(
        GaussianNB(), Ridge(), n_generations=n_generations, cv=fold
    ).fit(X, y)
    oracle = by_hand(X, y, fold, n_generations, k)
    np.testing.assert_allclose(found.predict_proba(X), oracle, atol=1e-10)


def test_one_generation_is_distillation() -> None:
    X, y = made()
    fold = np.arange(120) % 4
    for correction in ("none", "orthogonal", 0.3):
        one = SelfDistilledClassifier(
            LogisticRegression(), LinearStudent(), cv=fold, correction=correction
        )
        other = DistilledClassifier(
            LogisticRegression(), LinearStudent(), cv=fold, correction=correction
        )
        np.testing.assert_allclose(
            one.fit(X, y).predict_proba(X), other.fit(X, y).predict_proba(X), atol=1e-10
        )


def test_in_sample_generations_are_the_published_loop() -> None:
    X, y = made()
    found = SelfDistilledClassifier(
        GaussianNB(), Ridge(), n_generations=3, cv="in-sample"
    ).fit(X, y)
    p = GaussianNB().fit(X, y).predict_proba(X)[:, 1]
    for _ in range(3):
        p = np.clip(Ridge().fit(X, p).predict(X), 0.0, 1.0)
    np.testing.assert_allclose(found.predict_proba(X)[:, 1], p, atol=1e-10)


NETWORK: dict[str, Any] = {
    "max_epochs": 4,
    "batch_size": 8,
    "learning_rate": 0.05,
    "device": "cpu",
    "dtype": "float64",
}
KINDS: dict[str, dict[str, Any]] = {
    "trees": {"teacher": DecisionTreeClassifier(), "student": tree(30)},
    "networks": {
        "teacher": TorchClassifier((3,), **NETWORK),
        "student": TorchStudent((3,), **NETWORK),
    },
    "corrected": {"correction": "orthogonal", "student": tree(30)},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_generations", [1, 2])
def test_a_rows_own_outcome_does_not_move_its_label(
    kind: str, n_generations: int
) -> None:
    X, y = made(80)
    fold = np.arange(80) % 4
    teacher = model(**KINDS[kind], n_generations=n_generations, cv=3)
    flipped = y.copy()
    flipped[5] = 1 - y[5]
    one, two = (
        cross_fit(teacher, X, each, cv=fold, random_state=0).mean
        for each in (y, flipped)
    )
    same = fold == fold[5]
    np.testing.assert_allclose(one[same], two[same], atol=1e-12)
    # A control: the outcome is heard by those who may hear it.
    assert np.abs(one[~same] - two[~same]).max() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_no_generation_of_a_fit_hears_a_row_that_it_labels(kind: str) -> None:
    X, y = made(80)
    fold = np.arange(80) % 4
    flipped = y.copy()
    flipped[5] = 1 - y[5]
    one, two = (
        model(**KINDS[kind], n_generations=3, cv=fold).fit(X, each).generations_
        for each in (y, flipped)
    )
    assert len(one) == 3
    for before, after in zip(one, two, strict=True):
        np.testing.assert_allclose(before[5], after[5], atol=1e-12)
        assert np.abs(before - after).max() > 1e-9


def test_labels_in_sample_hear_their_rows() -> None:
    # The control of the two tests above: they would see it.
    X, y = made(80)
    flipped = y.copy()
    flipped[5] = 1 - y[5]
    one, two = (
        model(teacher=DecisionTreeClassifier(), student=tree(80), cv="in-sample")
        .fit(X, each)
        .generations_[0]
        for each in (y, flipped)
    )
    assert np.abs(one[5] - two[5]).max() > 0.9


class Counting(GaussianNB):
    """Naive Bayes that notes the size of every fit."""

    fits: list[int] = []  # noqa: RUF012 - shared on purpose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        self.fits.append(len(X))
        return super().fit(X, y, sample_weight)


def test_sets_of_folds_are_fitted_once_and_shared_with_a_cross_fit() -> None:
    X, y = made()
    fold = np.arange(120) % 5
    for n_generations in (1, 2, 3):
        teacher = SelfDistilledClassifier(
            Counting(), Ridge(), n_generations=n_generations, cv=fold
        )
        Counting.fits.clear()
        teacher.fit(X, y)
        sets = list(combinations(range(5), n_generations))
        assert Counting.fits == [24 * (5 - n_generations)] * len(sets)
        Counting.fits.clear()
        cross_fit(teacher.set_params(cv=5), X, y, cv=fold, random_state=0)
        sets = list(combinations(range(5), n_generations + 1))
        assert Counting.fits == [24 * (4 - n_generations)] * len(sets)


def test_folds_too_few_to_share_are_fitted_alone() -> None:
    X, y = made()
    fold = np.arange(120) % 2
    teacher = SelfDistilledClassifier(GaussianNB(), Ridge(), cv=4, random_state=3)
    record = cross_fit(teacher, X, y, cv=fold, random_state=0)
    for t in (0, 1):
        train, test = fold != t, fold == t
        assert np.isfinite(record.mean[test]).all()
        alone = record.teachers[0][t]
        again = clone(teacher).set_params(random_state=alone.random_state)
        oracle = again.fit(X[train], y[train]).predict_proba(X[test])
        np.testing.assert_allclose(record.mean[test], oracle, atol=1e-12)
    repeated = cross_fit(teacher, X, y, cv=4, n_repeats=2, random_state=0)
    assert np.isfinite(repeated.prediction).all()


def test_models_of_a_lineage_have_seeds_of_their_own() -> None:
    X, y = made(80)
    teacher = TorchClassifier((3,), **NETWORK, random_state=1)
    student = TorchStudent((3,), **NETWORK, random_state=1)
    found = SelfDistilledClassifier(teacher, student, random_state=0).fit(X, y)
    again = SelfDistilledClassifier(teacher, student, random_state=0).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), again.predict_proba(X))
    assert found.student_.random_state != 1


def test_weights_are_copies_and_groups_stay_together() -> None:
    X, y = made(90)
    weight = np.where(np.arange(90) % 7 == 0, 2.0, 1.0)
    weight[3] = 0.0
    twice = np.repeat(np.arange(90), weight.astype(int))
    settings: dict[str, Any] = {"n_generations": 2, "cv": 4, "random_state": 0}
    one, two = (
        SelfDistilledClassifier(GaussianNB(), Ridge(), **settings) for _ in "ab"
    )
    one.fit(X, y, sample_weight=weight)
    two.fit(X[twice], y[twice])
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-9)
    assert np.isnan(one.generations_[0][3]).all()
    groups = np.arange(90) // 6
    found = clone(one).fit(X, y, groups=groups)
    assert np.isfinite(found.generations_[0]).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_generations": 0}, "n_generations must be"),
        ({"cv": 2, "n_generations": 2}, "cv must have more folds than generations"),
        ({"cv": "oob"}, "cv must be folds or 'in-sample'; got 'oob'"),
        ({"correction": "nonsense"}, "correction must be"),
        ({"cv": "in-sample", "correction": "estimated"}, "cv must"),
    ],
)
def test_what_cannot_be_raised_is_refused(settings: Any, words: str) -> None:
    X, y = made(40)
    with pytest.raises(ValueError, match=words):
        model(**settings).fit(X, y)


def test_folds_that_do_not_divide_the_rows_are_refused() -> None:
    X, y = made(40)
    growing = [(np.arange(10), np.arange(10, 40)), (np.arange(10, 40), np.arange(10))]
    gap = [(np.arange(12, 40), np.arange(10)), (np.arange(10), np.arange(10, 40))]
    model(cv=growing).fit(X, y)
    with pytest.raises(ValueError, match="cv must divide the rows into folds"):
        model(cv=gap).fit(X, y)
