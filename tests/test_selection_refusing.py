"""What a search refuses before it fits anything, in one line each."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeRegressor

from semikd import AutoDistiller, LinearStudent
from semikd.teachers import StackedTeacher

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


@pytest.mark.parametrize("preset", ["fast", "thorough"])
@pytest.mark.parametrize(
    "teacher",
    [
        KNeighborsClassifier(3),
        {"bayes": GaussianNB(), "near": KNeighborsClassifier(3)},
        StackedTeacher([GaussianNB(), KNeighborsClassifier(3)]),
    ],
)
def test_weights_need_a_teacher_that_takes_them(teacher: Any, preset: str) -> None:
    match = "^teacher must accept sample_weight; got KNeighborsClassifier"
    weights = {"sample_weight": np.arange(60) + 1.0}
    refused(TypeError, match, rows(), weights, teacher=teacher, preset=preset)


def test_a_name_without_an_estimator_is_refused() -> None:
    for name in ("teacher", "student"):
        match = f"{name} must be an estimator under every name; got None for 'a'"
        refused(TypeError, match, rows(), **{name: {"a": None}})


def unweighted(model: Any, X: Any, y: Any) -> float:
    """Return a score that knows no weights."""
    return float((model.predict(X) == y).mean())


def endless(model: Any, X: Any, y: Any) -> float:
    """Return a score that is none."""
    return float("inf") * (model.predict(X) == y).mean()


def test_a_scorer_that_cannot_score_the_labels_says_so_in_its_own_words() -> None:
    match = r"metric must score .* got 'roc_auc': multi_class must be in"
    said = refused(ValueError, match, rows(classes=3), metric="roc_auc")
    assert "folds" not in said
    X, y = rows()
    words = np.array(["no", "yes"])[y]
    said = refused(ValueError, "got 'r2': ", (X, words), metric="r2")
    assert "folds" not in said
    said = refused(ValueError, "'endless': no finite score", (X, y), metric=endless)
    assert "folds" not in said


def test_a_scorer_without_weights_is_refused_where_there_are_some() -> None:
    match = "'unweighted': .*sample_weight.* Let the scorer take sample_weight, or"
    weights = {"sample_weight": np.arange(60) + 1.0}
    refused(ValueError, match, rows(), weights, metric=unweighted)
    AutoDistiller(GaussianNB(), TREE, preset="fast", metric=unweighted).fit(*rows())


def test_the_trial_of_a_scorer_is_one_call_with_rows_that_count() -> None:
    seen: list[Any] = []

    def spy(model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
        seen.append((len(y), sample_weight, model.predict_proba(X)))
        raise ValueError("enough")

    X, y = rows()
    weights = np.arange(60) % 3.0
    refused(ValueError, "'spy': enough", (X, y), {"sample_weight": weights}, metric=spy)
    ((n, counted, p),) = seen
    assert n == 40
    np.testing.assert_array_equal(counted, weights[weights > 0])
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    np.testing.assert_array_equal(p.argmax(axis=1), y[weights > 0])


@pytest.mark.parametrize("kind", ["array", "frame", "sparse"])
def test_infinite_numbers_in_unlabelled_rows_are_theirs(kind: str) -> None:
    X, y = rows()
    new = X[:20].copy()
    new[3, 1] = -np.inf
    made = {
        "array": np.asarray,
        "frame": lambda table: pd.DataFrame(table, columns=["0", "1", "2"]),
        "sparse": sparse.csr_array,
    }[kind]
    match = "unlabelled must be finite, as X is; got inf in column '?1'? \\(1 such col"
    learners = {"teacher": LogisticRegression(), "student": LinearStudent()}
    refused(ValueError, match, (made(X), y), {"unlabelled": made(new)}, **learners)
