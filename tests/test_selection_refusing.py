"""What a search refuses before it fits anything, in one line each."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeRegressor

from semikd import AutoDistiller

TREE = DecisionTreeRegressor(max_leaf_nodes=4, random_state=0)


def rows(n: int = 60, classes: int = 2) -> tuple[Any, Any]:
    """Return rows of which the first column says something of the class."""
    X = np.random.default_rng(0).normal(size=(n, 3))
    return X, np.argsort(np.argsort(X[:, 0])) * classes // n


def refused(
    error: type[Exception], match: str, data: Any, fitting: Any = None, **options: Any
) -> str:
    """Return the one line in which a search is refused before its first round."""
    steps: list[Any] = []
    given = {"teacher": GaussianNB(), "student": TREE, "preset": "fast", **options}
    model = AutoDistiller(**given, random_state=0)
    with pytest.raises(error, match=match) as caught:
        model.fit(*data, **(fitting or {}), progress=steps.append)
    assert "\n" not in str(caught.value)
    assert not steps
    return str(caught.value)


@pytest.mark.parametrize("preset", ["fast", "balanced", "thorough"])
@pytest.mark.parametrize("strange", [["nope"], [3], [True], [["a"]]])
def test_a_column_that_is_not_there_is_no_category(preset: str, strange: Any) -> None:
    match = "categorical_features must name columns of X; got"
    X, y = rows()
    frame = pd.DataFrame(X, columns=list("abc"))
    for table in (X, frame):
        options = {"categorical_features": strange, "preset": preset}
        refused(ValueError, match, (table, y), **options)


def test_categories_are_named_in_a_list() -> None:
    match = "categorical_features must be a list of column names or positions; got 'a'"
    refused(TypeError, match, rows(), categorical_features="a")
