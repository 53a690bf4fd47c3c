"""Text without an encoder, and labels of other rows, are refused in one line."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, external_labels

N = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 3))
Y = (X[:, 0] + RNG.normal(size=N) > 0).astype(int)
TREE = DecisionTreeRegressor(max_depth=2)
IDS = np.arange(N)


class Spy(LogisticRegression):
    """A teacher that counts its fits."""

    fits = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Spy.fits += 1
        return super().fit(X, y, sample_weight)


class RegressorSpy(Ridge):
    """A regression teacher that counts its fits."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Spy.fits += 1
        return super().fit(X, y, sample_weight)


@pytest.fixture(autouse=True)
def _nothing_is_fitted() -> Iterator[None]:
    """Fail any test of this module in which a spied teacher was fitted."""
    Spy.fits = 0
    yield
    assert Spy.fits == 0


def distil(**settings: Any) -> DistilledClassifier:
    """Return a classifier whose teacher tells."""
    return DistilledClassifier(
        **{"teacher": Spy(), "student": TREE, "random_state": 0, **settings}
    )


def refused(model: Any, *args: Any, error: Any, match: str, **kwargs: Any) -> None:
    """Check that a fit is refused in one line, and leaves no fitted model."""
    with pytest.raises(error, match=match) as caught:
        model.fit(*args, **kwargs)
    assert "\n" not in str(caught.value)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("dtype", [object, "category", "string"])
def test_text_is_to_be_encoded_first(dtype: Any) -> None:
    table = pd.DataFrame(X, columns=list("abc"))
    table["word"] = pd.Series(np.where(Y, "u", "v")).astype(dtype)
    match = "X must hold numbers for the student DecisionTreeRegressor; got text or "
    refused(distil(student=None), table, Y, error=ValueError, match=match + ".*'word'")
    match = "Encode it first, or put an encoder in a Pipeline"
    refused(distil(), table.to_numpy(), Y, error=ValueError, match=match)
    # The teacher too: a booster reads categories, but no words.
    booster = DistilledClassifier(
        HistGradientBoostingClassifier(max_iter=2),
        HistGradientBoostingRegressor(max_iter=2),
    )
    if dtype == "category":
        assert booster.fit(table, Y).score(table, Y) > 0.4
    else:
        refused(
            booster, table, Y, error=ValueError, match="categories in column 'word'"
        )


def test_cells_that_are_neither_text_nor_numbers() -> None:
    table = X.astype(object)
    table[0, 0] = {"a": 1}
    match = "argument must be a string or a number; got a dict"
    refused(distil(), table, Y, error=TypeError, match=match)


def test_labels_brought_for_something_else() -> None:
    record = external_labels(X, np.full((N, 2), 0.5), classes=[0, 1])
    three = np.arange(N) % 3
    refused(distil(cv=record), X[::-1], Y, error=ValueError, match="labels.align")
    refused(distil(cv=record), X[1:], Y[1:], error=ValueError, match="40 labels for 39")
    refused(distil(cv=record), X + 1, Y, error=ValueError, match="other values in 40")
    match = r"have the classes of y, \[0, 1, 2\]; got \[0, 1\]"
    refused(distil(cv=record), X, three, error=ValueError, match=match)
    means = external_labels(X, X[:, 0])
    match = r"have the classes of y, \[0, 1\]; got \[\]"
    refused(distil(cv=means), X, Y, error=ValueError, match=match)
    model = DistilledRegressor(RegressorSpy(), TREE, cv=record)
    match = r"means of a regression; got probabilities of the classes \[0, 1\]"
    refused(model, X, X[:, 0], error=ValueError, match=match)
    model = DistilledRegressor(RegressorSpy(), TREE, cv=means)
    match = "have the 2 outputs of y; got 1"
    refused(model, X, X[:, :2], error=ValueError, match=match)


def test_labels_for_no_row_at_all() -> None:
    record = external_labels(X, np.full((N, 2), np.nan), classes=[0, 1])
    refused(distil(cv=record), X, Y, error=ValueError, match="got none for 40 rows")
    half = np.where(IDS[:, None] < 20, 0.5, np.nan) * np.ones((N, 2))
    record = external_labels(X, half, classes=[0, 1])
    weights = np.where(IDS < 20, 0.0, 1.0)
    match = "labels must exist for rows of positive weight"
    model = distil(cv=record)
    refused(model, X, Y, sample_weight=weights, error=ValueError, match=match)
