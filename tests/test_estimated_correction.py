"""An estimated correction: what it reads, what it must not see, what it refuses."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor
from semikd.corrections import EstimatedCorrection, RowwiseCorrection
from semikd.corrections._columns import codes
from semikd.losses import (
    CrossEntropyLoss,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.simplex import one_hot

FloatArray = NDArray[np.float64]
N = 600
PLAIN = EstimatedCorrection(LinearRegression())


def drawn(n: int = N, k: int = 2, seed: int = 0) -> tuple[FloatArray, ...]:
    """Return covariates, answers that see none of them, and labels that follow one."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(n, 3))
    label = (X[:, 0] * k + rng.normal(scale=0.3, size=n)).clip(0, k - 1).astype(int)
    return X, np.full((n, k), 1.0 / k), one_hot(label, k)


def folds(n: int, n_folds: int = 5) -> NDArray[np.intp]:
    """Return folds in a fixed random order."""
    return np.random.default_rng(9).permutation(n) % n_folds


def weights(
    rule: EstimatedCorrection,
    X: Any,
    p: FloatArray,
    y: FloatArray,
    *,
    loss: Any = None,
    fold: Any = None,
    sample_weight: Any = None,
) -> FloatArray:
    """Return the weights of a rule that is fitted to rows."""
    loss = loss or ProbabilityLoss()
    fold = folds(len(p)) if fold is None else fold
    fitted = rule.fit(p, y, X=X, loss=loss, fold=fold, sample_weight=sample_weight)
    return fitted.weight(p, X, loss, 0.05)


def test_the_weight_of_a_fold_does_not_depend_on_its_labels() -> None:
    X, p, y = drawn()
    fold = folds(N)
    for loss in (ProbabilityLoss(), LogProbabilityLoss(), IdentityLoss()):
        for own in range(5):
            turned = y.copy()
            turned[fold == own] = y[fold == own][:, ::-1]
            before, after = (
                weights(PLAIN, X, p, labels, loss=loss, fold=fold)
                for labels in (y, turned)
            )
            np.testing.assert_array_equal(before[fold == own], after[fold == own])
            assert not np.array_equal(before, after)


@pytest.mark.parametrize("n_folds", [1, 2, 3, 4, 5, 10])
def test_any_number_of_folds_will_do(n_folds: int) -> None:
    X, p, y = drawn()
    found = weights(PLAIN, X, p, y, fold=folds(N, n_folds))
    assert found.mean() > 0.4
    assert ((found >= 0) & (found <= 1)).all()


def test_too_few_rows_get_no_correction() -> None:
    X, p, y = drawn(4)
    fold = np.array([0, 0, 1, 1])
    X[:] = X[0]
    np.testing.assert_array_equal(weights(PLAIN, X, p, y, fold=fold), 0.0)
    X, p, y = drawn(12)
    found = weights(EstimatedCorrection(), X, p, y, fold=folds(12, 3))
    assert np.isfinite(found).all()


def tables() -> dict[str, Any]:
    """Return tables of many kinds in which something tells the label."""
    X, _, _ = drawn()
    frame = pd.DataFrame(X, columns=list("abc"))
    frame["word"] = np.where(X[:, 0] > 0.5, "high", "low")
    frame["word"] = frame["word"].where(X[:, 1] > 0.1, None)
    frame["kind"] = pd.Categorical(np.where(X[:, 0] > 0.3, "x", "y"))
    frame["when"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(X[:, 0], unit="D")
    gaps = frame.copy()
    gaps.loc[::3, ["a", "when"]] = None
    return {
        "array": X,
        "frame": frame,
        "gaps": gaps,
        "polars": pl.from_pandas(frame.drop(columns="kind")),
        "objects": frame[["a", "word"]].to_numpy(dtype=object),
        "words alone": frame[["word"]],
        "sparse": sparse.csr_array(X),
    }


@pytest.mark.parametrize("kind", list(tables()))
def test_tables_of_any_kind_are_read(kind: str) -> None:
    _, p, y = drawn()
    assert weights(EstimatedCorrection(), tables()[kind], p, y).mean() > 0.4


@pytest.mark.parametrize("kind", ["images", "wide", "texts"])
def test_what_is_not_read_is_judged_by_the_answers_alone(kind: str) -> None:
    X, p, y = drawn()
    truth = np.column_stack([1 - X[:, 0], X[:, 0]])
    opposite = truth[:, ::-1]
    table = {
        "images": np.random.default_rng(0).uniform(size=(N, 1, 4, 4)),
        "wide": sparse.random(N, 2000, density=0.01, format="csr", random_state=0),
        "texts": np.array([f"text {i}" for i in range(N)], dtype=object),
    }[kind]
    assert weights(PLAIN, table, opposite, y).mean() > 0.8
    np.testing.assert_array_equal(weights(PLAIN, table, p, y), 0.0)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize(
    "loss",
    [ProbabilityLoss(), LogProbabilityLoss(), CrossEntropyLoss(3.0)],
    ids=repr,
)
def test_every_scale_and_number_of_classes_has_weights(k: int, loss: Any) -> None:
    X, p, y = drawn(k=k)
    found = weights(PLAIN, X, p, y, loss=loss)
    assert ((found >= 0) & (found <= 1)).all()
    assert found.mean() > 0.3


def test_two_classes_weigh_alike_whichever_is_called_first() -> None:
    X, p, y = drawn()
    p = np.column_stack([0.7 + 0.2 * X[:, 1], 0.3 - 0.2 * X[:, 1]])
    for loss in (ProbabilityLoss(), LogProbabilityLoss(), CrossEntropyLoss(2.0)):
        one = weights(PLAIN, X, p, y, loss=loss)
        other = weights(PLAIN, X, p[:, ::-1], y[:, ::-1], loss=loss)
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_rows_without_labels_or_weight_take_no_part() -> None:
    X, p, y = drawn()
    fold, kept = folds(N), np.arange(N) % 7 != 0
    part = weights(PLAIN, X[kept], p[kept], y[kept], fold=fold[kept])
    missing = np.where(kept[:, None], p, np.nan)
    found = weights(PLAIN, X, missing, y, fold=fold)
    np.testing.assert_array_equal(found[kept], part)
    assert np.isnan(found[~kept]).all()
    weightless = weights(PLAIN, X, p, y, fold=fold, sample_weight=kept.astype(float))
    np.testing.assert_allclose(weightless[kept], part, atol=1e-12)


def test_a_weight_of_two_is_a_repeated_row_and_order_does_not_matter() -> None:
    X, p, y = drawn()
    fold, twice = folds(N), np.arange(N) % 3 == 0
    rows = np.concatenate([np.arange(N), np.flatnonzero(twice)])
    found = weights(PLAIN, X, p, y, fold=fold, sample_weight=1.0 + twice)
    repeated = weights(PLAIN, X[rows], p[rows], y[rows], fold=fold[rows])
    np.testing.assert_allclose(found, repeated[:N], atol=1e-9)
    order = np.random.default_rng(1).permutation(N)
    turned = weights(PLAIN, X[order], p[order], y[order], fold=fold[order])
    np.testing.assert_allclose(weights(PLAIN, X, p, y)[order], turned, atol=1e-9)


def test_a_regression_has_its_error_and_its_noise_estimated() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(4000, 2))
    p = np.zeros((4000, 1))
    y = X[:, :1] + rng.normal(scale=0.5, size=(4000, 1))
    fitted = PLAIN.fit(p, y, X=X, loss=IdentityLoss(), fold=folds(4000))
    assert isinstance(fitted, RowwiseCorrection)
    # The teacher is off by x, of variance 1/3, and the noise has variance 1/4.
    assert fitted.squared_error.mean() == pytest.approx(1 / 3, rel=0.15)
    assert fitted.noise.mean() == pytest.approx(1 / 4, rel=0.1)
    near, far = np.abs(X[:, 0]) < 0.1, np.abs(X[:, 0]) > 0.9
    assert fitted.squared_error[near].mean() < 0.05
    assert fitted.squared_error[far].mean() > 0.7


def test_the_mean_alone_is_one_error_for_all_rows() -> None:
    X, p, y = drawn()
    rule = EstimatedCorrection(LinearRegression(), local=False)
    fold = folds(N)
    fitted = rule.fit(p, y, X=X, loss=IdentityLoss(), fold=fold)
    assert isinstance(fitted, RowwiseCorrection)
    for own in range(5):
        assert len(np.unique(fitted.squared_error[fold == own])) == 1
    local = PLAIN.fit(p, y, X=X, loss=IdentityLoss(), fold=fold)
    assert isinstance(local, RowwiseCorrection)
    spread = local.squared_error.std() / fitted.squared_error.mean()
    assert spread > 0.5
    assert local.squared_error.mean() == pytest.approx(
        fitted.squared_error.mean(), rel=1e-6
    )


@pytest.mark.parametrize("column", ["site", 3])
def test_groups_have_errors_of_their_own(column: Any) -> None:
    X, p, y = drawn(2000)
    right = np.arange(2000) % 2 == 0
    truth = np.column_stack([1 - X[:, 0], X[:, 0]])
    y = one_hot((np.random.default_rng(1).uniform(size=2000) < X[:, 0]).astype(int), 2)
    p = np.where(right[:, None], truth, p)
    frame = pd.DataFrame(X, columns=list("abc")).assign(
        site=np.where(right, "good", "bad")
    )
    tree = DecisionTreeRegressor(max_leaf_nodes=16, random_state=0)
    rule = EstimatedCorrection(tree, local=False, group_by=column)
    found = weights(rule, frame, p, y)
    assert found[right].mean() < 0.05
    assert found[~right].mean() > 0.4
    # A group too small for a mean of its own has that of all.
    frame.loc[:9, "site"] = "new"
    everyone = weights(EstimatedCorrection(tree, local=False), frame, p, y)
    few = weights(rule, frame, p, y)
    np.testing.assert_allclose(few[:10], everyone[:10], atol=1e-9)


def test_some_rows_of_a_fitted_rule_keep_their_weights() -> None:
    X, p, y = drawn()
    loss = ProbabilityLoss()
    fitted = PLAIN.fit(p, y, X=X, loss=loss, fold=folds(N))
    at = np.array([5, 1, 599])
    part = fitted.take(at).weight(p[at], X[at], loss, 0.05)
    np.testing.assert_array_equal(part, fitted.weight(p, X, loss, 0.05)[at])


def test_seeds_decide_and_nothing_else() -> None:
    X, p, y = drawn(200)
    one, same = (weights(EstimatedCorrection(), X, p, y) for _ in range(2))
    np.testing.assert_array_equal(one, same)


def test_students_are_taught_by_name() -> None:
    X, _, y = drawn(300)
    labels = y[:, 1].astype(int)
    model = DistilledClassifier(
        DummyClassifier(), correction="estimated", random_state=0
    )
    model.fit(X, labels)
    assert model.weight_of_labels_ > 0.2
    regression = DistilledRegressor(correction="estimated", random_state=0)
    assert np.isfinite(regression.fit(X, X[:, 0]).predict(X)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: EstimatedCorrection().weight(
                np.ones((1, 2)), None, ProbabilityLoss(), 1.0
            ),
            "correction must be fitted before .*; got Estimated.* Use the rule",
        ),
        (
            lambda: weights(EstimatedCorrection(group_by="site"), *drawn()),
            "group_by must name a column of X; got 'site'. X has positions 0 to 2",
        ),
        (
            lambda: weights(EstimatedCorrection(group_by=7), *drawn()),
            "group_by must name a column of X; got 7. X has positions",
        ),
        (
            lambda: weights(
                EstimatedCorrection(group_by="d"), tables()["frame"], *drawn()[1:]
            ),
            "group_by must name a column of X; got 'd'. X has 'a', 'b'",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("regressor", ["ridge", LogisticRegression()])
def test_what_is_no_regressor_is_refused_where_it_is_given(regressor):
    with pytest.raises(TypeError, match="must be"):
        EstimatedCorrection(regressor=regressor)


def test_groups_are_taken_from_a_frame_whose_names_are_numbers() -> None:
    frame = pd.DataFrame({1: [1, 1, 2, 2], 0: [5, 6, 7, 8]})
    assert codes(frame, 0).tolist() == [0, 0, 1, 1]
    assert codes(frame, 1).tolist() == [0, 1, 2, 3]
