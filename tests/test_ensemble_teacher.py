"""Ensembles of copies: their mean by hand, seeds of their own, folds as one batch."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import ExtraTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, TorchClassifier, cross_fit
from semikd.crossfit import NestedFolds
from semikd.exceptions import SemikdWarning
from semikd.teachers import EnsembleTeacher

Floats = NDArray[np.float64]


def made(n: int = 240, k: int = 2) -> tuple[Floats, NDArray[np.intp]]:
    """Return rows whose class is a noisy function of one column."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    score = X[:, 0] + X[:, 1] ** 2 + rng.normal(size=n)
    return X, np.searchsorted(np.quantile(score, np.arange(1, k) / k), score)


def tree(**settings: Any) -> Any:
    return ExtraTreeClassifier(max_depth=4, **settings)


def network(**settings: Any) -> TorchClassifier:
    return TorchClassifier(
        (4,), max_epochs=3, device="cpu", dtype="float64", **settings
    )


@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks([EnsembleTeacher(tree(), n_members=2, random_state=0)])
def test_it_passes_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("member", [tree(), network()], ids=["tree", "network"])
def test_the_mean_of_probabilities_is_that_of_soft_voting(member: Any, k: int) -> None:
    X, y = made(k=k)
    teacher = EnsembleTeacher(member, n_members=3, random_state=0).fit(X, y)
    oracle = VotingClassifier([(str(m), m) for m in teacher.members_], voting="soft")
    # What scikit-learn averages are members that are fitted already.
    oracle.estimators_, oracle.classes_ = list(teacher.members_), teacher.classes_
    np.testing.assert_allclose(
        teacher.predict_proba(X), oracle.predict_proba(X), atol=1e-12
    )


def test_the_mean_of_log_probabilities_is_that_of_log_odds() -> None:
    X, y = made()
    settings: dict[str, Any] = {"n_members": 4, "random_state": 0, "floor": 1e-12}
    teacher = EnsembleTeacher(network(), mean="log_probability", **settings).fit(X, y)
    each = [logit(member.predict_proba(X)[:, 1]) for member in teacher.members_]
    oracle = expit(np.mean(each, axis=0))
    np.testing.assert_allclose(teacher.predict_proba(X)[:, 1], oracle, atol=1e-9)
    plain = clone(teacher).set_params(mean="probability").fit(X, y)
    assert np.abs(plain.predict_proba(X)[:, 1] - oracle).max() > 1e-4


@pytest.mark.parametrize("member", [tree(), network(), tree(random_state=7)], ids=str)
def test_members_differ_and_a_seed_brings_them_back(member: Any) -> None:
    X, y = made()
    first, again = (
        EnsembleTeacher(member, n_members=3, random_state=1).fit(X, y) for _ in "ab"
    )
    other = EnsembleTeacher(member, n_members=3, random_state=2).fit(X, y)
    each = [one.predict_proba(X) for one in first.members_]
    assert not np.allclose(each[0], each[1])
    assert not np.allclose(each[0], each[2])
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.allclose(first.predict_proba(X), other.predict_proba(X))
    # Growing an ensemble keeps its first members.
    more = EnsembleTeacher(member, n_members=4, random_state=1).fit(X, y)
    np.testing.assert_allclose(more.members_[0].predict_proba(X), each[0], atol=1e-12)


def test_one_member_is_the_teacher() -> None:
    X, y = made()
    one = EnsembleTeacher(GaussianNB(), n_members=1).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(one, GaussianNB().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("mean", ["probability", "log_probability"])
def test_folds_of_networks_are_one_batch_and_as_good_as_alone(mean: str) -> None:
    X, y = made(120)
    fold = np.arange(120) % 3
    teacher = EnsembleTeacher(network(), n_members=2, mean=mean)
    record = cross_fit(teacher, X, y, cv=fold, random_state=0)
    assert "in one batch" in record.strategy
    for t, one in enumerate(record.teachers[0]):
        assert len(one.members_) == 2
        own = fold == t
        np.testing.assert_allclose(
            record.mean[own], one.predict_proba(X[own]), atol=1e-12
        )
        assert not np.allclose(*(m.predict_proba(X[own]) for m in one.members_))


@pytest.mark.parametrize("member", [tree(), network()], ids=["tree", "network"])
def test_a_rows_own_outcome_does_not_move_its_label(member: Any) -> None:
    X, y = made(90)
    fold = np.arange(90) % 3
    flipped = y.copy()
    flipped[4] = 1 - y[4]
    teacher = EnsembleTeacher(member, n_members=2)
    one, two = (
        cross_fit(teacher, X, labels, cv=fold, random_state=0).mean
        for labels in (y, flipped)
    )
    same = fold == fold[4]
    np.testing.assert_allclose(one[same], two[same], atol=1e-12)
    # The flip is seen by the members of other folds.
    assert np.abs(one[~same] - two[~same]).max() > 1e-6


def test_an_ensemble_averages_out_what_seeds_decide() -> None:
    # Variance over seeds, with M members, is that of one over M: here 1/5, and the
    # ratio of two variances of 30 draws is below 1/2 but once in 10,000.
    X, y = made(200)
    one, five = (
        np.array(
            [
                EnsembleTeacher(tree(), n_members=m, random_state=seed)
                .fit(X, y)
                .predict_proba(X[:40])[:, 1]
                for seed in range(30)
            ]
        ).var(axis=0)
        for m in (1, 5)
    )
    assert five.mean() < 0.5 * one.mean()
    np.testing.assert_allclose(five.mean() / one.mean(), 0.2, atol=0.08)


def test_it_teaches_and_is_searched() -> None:
    X, y = made(90)
    teacher = EnsembleTeacher(tree(), n_members=2)
    model = DistilledClassifier(teacher, random_state=0)
    assert model.fit(X, y).predict_proba(X).shape == (90, 2)
    nested = NestedFolds(X, y, cv=3, random_state=0)
    assert np.isfinite(nested.cross_fit(teacher).outer.mean).all()


def test_weights_pipelines_and_lost_classes_pass() -> None:
    X, y = made(90)
    y = np.where(np.arange(90) < 3, 2, y)
    fold, weight = np.minimum(np.arange(90) // 3, 2), np.linspace(0.5, 2.0, 90)
    for member in (network(), make_pipeline(StandardScaler(), tree())):
        teacher = EnsembleTeacher(member, n_members=2)
        with pytest.warns(SemikdWarning, match="never saw a class"):
            record = cross_fit(teacher, X, y, cv=fold, sample_weight=weight)
        assert record.mean[:3, 2].max() == 0.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_members": 0}, "n_members must be"),
        ({"mean": "median"}, "mean must be one of"),
        ({"floor": 0.0}, "floor must be"),
        ({"teacher": GaussianNB()}, "teacher must have a random_state; got GaussianNB"),
    ],
)
def test_what_makes_no_ensemble_is_refused(settings: Any, words: str) -> None:
    X, y = made(30)
    with pytest.raises(ValueError, match=words):
        EnsembleTeacher(**{"teacher": tree(), **settings}).fit(X, y)


def test_forests_and_linear_models_keep_what_they_read() -> None:
    forest = RandomForestClassifier(3)
    X, y = made(60)
    X[0, 0] = np.nan
    assert EnsembleTeacher(forest, n_members=2).fit(X, y).predict(X).shape == (60,)
    with pytest.raises(ValueError, match="NaN"):
        EnsembleTeacher(LogisticRegression(), n_members=2).fit(X, y)
