"""Shares of classes elsewhere: Bayes' rule, EM against an optimiser, students."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from semikd import DistilledClassifier, LinearStudent
from semikd.simplex import softmax
from semikd.transfer import ClassPriors, estimated_priors, known_priors

Floats = NDArray[np.float64]
MEANS = np.array([[0.0, 0.0], [1.5, 0.5], [0.0, 2.0]])


def drawn(
    n: int, shares: list[float], seed: int = 0
) -> tuple[Floats, NDArray[np.intp]]:
    """Return normal rows around the means of classes with these shares."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(shares), size=n, p=shares)
    return rng.normal(size=(n, 2)) + MEANS[y], y


def truth(X: Floats, shares: list[float]) -> Floats:
    """Return the class probabilities in a population with these shares."""
    means = MEANS[: len(shares)]
    scores = X @ means.T - (means**2).sum(axis=1) / 2 + np.log(shares)
    return np.asarray(softmax(scores))


def test_known_shares_are_bayes_rule() -> None:
    X, y = drawn(500, [0.7, 0.2, 0.1])
    priors = ClassPriors(
        np.arange(3), np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.3, 0.5])
    )
    there = truth(X, [0.2, 0.3, 0.5])
    np.testing.assert_allclose(
        priors.shifted(truth(X, [0.7, 0.2, 0.1])), there, atol=1e-12
    )
    same = known_priors(y, np.bincount(y) / 500)
    np.testing.assert_allclose(same.factors, 1.0)


def test_two_classes_shift_by_the_difference_of_log_odds() -> None:
    y, w = np.array(["a", "b", "b"]), np.array([1.0, 2.0, 1.0])
    priors = known_priors(y, {"a": 0.6, "b": 0.4}, sample_weight=w)
    np.testing.assert_allclose(priors.source, [0.25, 0.75])
    p = np.array([0.1, 0.5, 0.95])
    found = priors.shifted(np.column_stack([1 - p, p]))[:, 1]
    np.testing.assert_allclose(found, expit(logit(p) + logit(0.4) - logit(0.75)))


@pytest.mark.parametrize("shares", [[0.15, 0.85], [0.2, 0.3, 0.5]])
@pytest.mark.parametrize("weighted", [False, True])
def test_em_ends_at_the_maximum_of_the_likelihood(
    shares: list[float], weighted: bool
) -> None:
    k = len(shares)
    X, _ = drawn(400, shares, seed=1)
    p, y = truth(X, [1 / k] * k), np.arange(k)
    w = np.random.default_rng(2).exponential(size=400) if weighted else np.ones(400)
    found = estimated_priors(p, y, sample_weight=w, tolerance=1e-13)

    def loss(theta: Floats) -> float:
        # Free numbers whose softmax are the shares.
        target = softmax(np.r_[0.0, theta][None])[0]
        return float(-w @ np.log(p @ (target * k)) / w.sum())

    oracle = minimize(loss, np.zeros(k - 1), tol=1e-12)
    best = softmax(np.r_[0.0, oracle.x][None])[0]
    np.testing.assert_allclose(found.target, best, atol=1e-5)
    ours = np.log(found.target[1:] / found.target[0])
    assert loss(ours) <= oracle.fun + 1e-12
    assert found.n_iter > 1


def test_estimated_shares_are_found_within_their_error() -> None:
    # With 20,000 rows and these overlaps a standard error is below 0.006: five of them.
    X, _ = drawn(20_000, [0.2, 0.3, 0.5])
    p = truth(X, [0.6, 0.3, 0.1])
    y = np.repeat([0, 1, 2], [6, 3, 1])
    np.testing.assert_allclose(
        estimated_priors(p, y).target, [0.2, 0.3, 0.5], atol=0.03
    )
    # The negative control: shares of what is said most do not correct themselves.
    naive = np.bincount(p.argmax(axis=1), minlength=3) / 20_000
    assert np.abs(naive - [0.2, 0.3, 0.5]).max() > 0.1


def test_no_shift_is_found_where_there_is_none() -> None:
    X, y = drawn(20_000, [0.6, 0.3, 0.1])
    found = estimated_priors(truth(X, [0.6, 0.3, 0.1]), y)
    np.testing.assert_allclose(found.factors, 1.0, atol=0.1)


@pytest.mark.parametrize("correction", ["none", "orthogonal"])
def test_a_student_answers_for_the_unlabelled_rows(correction: str) -> None:
    X, y = drawn(3_000, [0.8, 0.2])
    new, _ = drawn(3_000, [0.3, 0.7], seed=1)
    test, outcome = drawn(5_000, [0.3, 0.7], seed=2)
    settings: dict[str, Any] = {"correction": correction, "random_state": 0}
    parts = LogisticRegression(), LinearStudent()
    plain = DistilledClassifier(*parts, **settings).fit(X, y, unlabelled=new)
    model = DistilledClassifier(*parts, class_weight="label-shift", **settings)
    model.fit(X, y, unlabelled=new)
    assert plain.priors_ is None
    # Some six standard errors of a share of 3,000 rows, both known and unknown.
    np.testing.assert_allclose(model.priors_.target, [0.3, 0.7], atol=0.06)
    oracle = log_loss(outcome, truth(test, [0.3, 0.7]))
    ours, theirs = (
        log_loss(outcome, each.predict_proba(test)) for each in (model, plain)
    )
    assert ours - oracle < 0.01
    assert theirs - oracle > 0.1


def test_known_shares_teach_a_student_as_estimated_ones_do() -> None:
    X, y = drawn(1_000, [0.8, 0.2])
    priors = known_priors(y, [0.3, 0.7])
    model = DistilledClassifier(
        LogisticRegression(),
        LinearStudent(),
        class_weight=priors.class_weight,
        random_state=0,
    ).fit(X, y)
    shift = np.mean(np.abs(model.predict_proba(X) - truth(X, [0.3, 0.7])))
    plain = np.mean(np.abs(truth(X, [0.8, 0.2]) - truth(X, [0.3, 0.7])))
    assert shift < 0.05
    assert plain > 0.15


class Watching(LinearStudent):
    """A student that keeps the weights of its rows."""

    seen: list[Floats] = []  # noqa: RUF012 - shared on purpose

    def fit_target(self, X: Any, target: Any, **options: Any) -> Any:
        self.seen.append(options["sample_weight"])
        return super().fit_target(X, target, **options)


def test_unlabelled_rows_of_the_population_count_as_they_are() -> None:
    X, y = drawn(300, [0.7, 0.3])
    new, _ = drawn(300, [0.3, 0.7], seed=1)
    Watching.seen.clear()
    DistilledClassifier(
        LogisticRegression(), Watching(), class_weight="label-shift", random_state=0
    ).fit(X, y, unlabelled=new)
    weight = Watching.seen[-1]
    np.testing.assert_allclose(weight[300:], 1.0)
    assert len(np.unique(weight[:300].round(9))) == 2


def test_steps_that_end_too_early_are_told_of() -> None:
    p = np.array([[0.6, 0.4], [0.5, 0.5], [0.35, 0.65]])
    with pytest.warns(ConvergenceWarning, match="still move by"):
        estimated_priors(p, [0, 1], max_iter=2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: known_priors([0, 1], [0.5, 0.6]), "target must hold shares that sum"),
        (lambda: known_priors([0, 1], [1.0, 0.0]), "target must give every class"),
        (lambda: known_priors([0, 1], {0: 1.0}), "target must have a share for each"),
        (lambda: known_priors([0, 0], [1.0]), "y must have at least two classes"),
        (lambda: estimated_priors([[0.2, 0.9]], [0, 1]), "p must be non-negative and"),
        (lambda: estimated_priors([[1.0]], [0, 1]), "p must have shape"),
        (lambda: estimated_priors(np.ones((0, 2)), [0, 1]), "p must have at least one"),
    ],
)
def test_what_are_no_shares_is_refused(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_a_shift_needs_rows_that_tell_of_it() -> None:
    X, y = drawn(60, [0.6, 0.4])
    model = DistilledClassifier(LogisticRegression(), class_weight="label-shift")
    with pytest.raises(ValueError, match="class_weight must come with unlabelled rows"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="Did you mean 'label-shift'"):
        model.set_params(class_weight="labelshift").fit(X, y)
