"""Who labelled which row: spies, scikit-learn's own cross-fitting, and closed forms."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from semikd import OutOfFold, cross_fit

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


class Witness(ClassifierMixin, BaseEstimator):
    """Says 1 of a row that it learned from and 0 of any other."""

    def __init__(self, random_state: int | None = None) -> None:
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Witness":
        self.classes_ = np.unique(y)
        self.rows_ = {tuple(row) for row in X}
        self.weights_ = sample_weight
        return self

    def predict_proba(self, X: Any) -> FloatArray:
        known = np.array([tuple(row) in self.rows_ for row in X], dtype=float)
        return np.stack([1.0 - known, known], axis=1)


def table(n: int = 60, seed: int = 0) -> tuple[FloatArray, Any]:
    """Return a table with copies and two classes."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    X[n // 2 :] = X[rng.integers(0, n // 2, size=n - n // 2)]
    return X, (X[:, 0] + rng.normal(size=n) > 0).astype(int)


def same(one: OutOfFold, two: OutOfFold, tolerance: float = 0.0) -> None:
    """Assert that two records hold the same folds and labels."""
    np.testing.assert_array_equal(one.fold, two.fold)
    np.testing.assert_allclose(one.prediction, two.prediction, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(one.row_hash, two.row_hash)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_row_is_labelled_by_a_teacher_that_saw_it_or_a_copy(n_jobs: int) -> None:
    X, y = table()
    labels = cross_fit(Witness(), X, y, n_repeats=3, n_jobs=n_jobs, random_state=0)
    assert (labels.prediction[:, :, 1] == 0.0).all()
    assert labels.honest


def test_in_sample_labels_come_from_a_teacher_that_saw_the_row_and_say_so() -> None:
    X, y = table()
    labels = cross_fit(Witness(), X, y, cv="in-sample")
    assert (labels.mean[:, 1] == 1.0).all()
    assert not labels.honest
    assert labels.strategy == "in-sample"
    assert (labels.fold == -1).all()


def test_a_sample_split_labels_the_half_that_its_teacher_did_not_see() -> None:
    X, y = np.arange(60.0)[:, None], np.arange(60) % 2
    labels = cross_fit(Witness(), X, y, cv="split", random_state=0)
    held_out = labels.labelled
    assert held_out.sum() == 30
    assert y[held_out].sum() == 15
    assert (labels.mean[held_out, 1] == 0.0).all()
    assert np.isnan(labels.mean[~held_out]).all()
    assert labels.teachers[0][0].rows_ == {tuple(row) for row in X[~held_out]}
    assert labels.strategy == "sample split"


def test_the_spy_sees_a_leak_where_there_is_one() -> None:
    X, y = table()
    with pytest.warns(UserWarning, match="share their covariates"):
        labels = cross_fit(Witness(), X, y, cv=KFold(5))
    assert labels.mean[:, 1].sum() > 10


TEACHERS = [
    LogisticRegression(),
    RandomForestClassifier(5, random_state=3),
    make_pipeline(
        StandardScaler(), DecisionTreeClassifier(max_depth=3, random_state=0)
    ),
    Ridge(),
    RandomForestRegressor(5, random_state=3),
]


@pytest.mark.parametrize("teacher", TEACHERS, ids=lambda t: type(t).__name__)
def test_given_folds_reproduce_cross_val_predict(teacher: Any) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(90, 3)), rng.integers(0, 3, size=90)
    folds = list(KFold(4, shuffle=True, random_state=2).split(X))
    method = "predict_proba" if hasattr(teacher, "predict_proba") else "predict"
    expected = cross_val_predict(teacher, X, y, cv=folds, method=method)
    got = cross_fit(teacher, X, y, cv=folds).mean
    np.testing.assert_allclose(got, expected.reshape(got.shape), rtol=1e-14, atol=0)


def test_several_outcomes_are_several_outputs() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 2))
    folds = list(KFold(5).split(X))
    labels = cross_fit(LinearRegression(), X, y, cv=folds)
    expected = cross_val_predict(LinearRegression(), X, y, cv=folds)
    np.testing.assert_allclose(labels.mean, expected, rtol=1e-14)
    assert labels.outputs == ("output 0", "output 1")
    assert labels.classes is None


@pytest.mark.parametrize("cv", [4, "split"])
def test_the_result_does_not_depend_on_the_number_of_workers(cv: Any) -> None:
    X, y = table()
    forest = RandomForestClassifier(5)
    one, two = (
        cross_fit(forest, X, y, cv=cv, n_repeats=2, n_jobs=n_jobs, random_state=0)
        for n_jobs in (1, 2)
    )
    same(one, two)


def test_every_fold_teacher_has_a_seed_of_its_own_and_a_fixed_one_stays() -> None:
    X, y = table()
    teachers = cross_fit(Witness(), X, y, n_repeats=2, random_state=0).teachers
    seeds = {teacher.random_state for repeat in teachers for teacher in repeat}
    assert len(seeds) == 10
    fixed = make_pipeline(StandardScaler(), Witness(random_state=7))
    record = cross_fit(fixed, X, y, random_state=0)
    kept = {t[-1].random_state for t in record.teachers[0]}
    assert kept == {7}


def test_seeds_do_not_move_when_rows_do() -> None:
    X, y = table()
    order = np.random.default_rng(0).permutation(len(y))
    tree = DecisionTreeClassifier(max_depth=3)
    one = cross_fit(tree, X, y, random_state=0)
    two = cross_fit(tree, X[order], y[order], random_state=0)
    np.testing.assert_array_equal(one.fold[:, order], two.fold)
    np.testing.assert_allclose(one.prediction[:, order], two.prediction)


def test_teacher_data_and_global_generator_are_left_alone() -> None:
    X, y = table()
    teacher = RandomForestClassifier(3)
    before = repr(teacher), X.copy(), y.copy(), np.random.get_state()  # noqa: NPY002
    cross_fit(teacher, X, y, cv=3, new_rows="refit", sample_weight=np.ones(len(y)))
    cross_fit(teacher, X, y, cv="split", random_state=None)
    state = np.random.get_state()  # noqa: NPY002
    assert repr(teacher) == before[0]
    assert not hasattr(teacher, "estimators_")
    np.testing.assert_array_equal(X, before[1])
    np.testing.assert_array_equal(y, before[2])
    assert state[2] == before[3][2]
    np.testing.assert_array_equal(state[1], before[3][1])


FORMS: dict[str, Callable[[FloatArray], Any]] = {
    "list": lambda X: X.tolist(),
    "float32": lambda X: X.astype(np.float32),
    "fortran": np.asfortranarray,
    "pandas": pd.DataFrame,
    "polars": lambda X: pl.DataFrame(X, schema=["a", "b", "c"]),
    "csr": sparse.csr_array,
    "csc": sparse.csc_array,
    "coo": sparse.coo_array,
    "bsr": sparse.bsr_array,
    "dia matrix": sparse.dia_matrix,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_every_kind_of_table_gives_the_same_folds_and_labels(form: str) -> None:
    rng = np.random.default_rng(0)
    # Eighths are exact in every precision.
    X = rng.integers(-2, 3, size=(60, 3)) / 8.0
    y = rng.integers(0, 2, size=60)
    teacher = LogisticRegression(tol=1e-10)
    expected = cross_fit(teacher, X, y, random_state=0)
    tolerance = 1e-3 if form == "float32" else 1e-8
    same(cross_fit(teacher, FORMS[form](X), y, random_state=0), expected, tolerance)


@pytest.mark.parametrize("kind", ["str", "category", "polars", "polars categories"])
def test_tables_with_words_go_through_a_pipeline(kind: str) -> None:
    rng = np.random.default_rng(0)
    frame: Any = pd.DataFrame(
        {"size": rng.integers(0, 9, size=60), "town": rng.choice(["a", "b"], size=60)}
    )
    y = np.where(rng.uniform(size=60) < 0.5, "no", "yes")
    teacher = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["town"]), remainder="passthrough"
        ),
        LogisticRegression(tol=1e-10),
    )
    expected = cross_fit(
        teacher, frame.astype({"town": object}), y, cv=2, random_state=0
    )
    if kind.startswith("polars"):
        dtype = pl.Categorical if kind.endswith("categories") else pl.String
        frame = pl.DataFrame({c: frame[c].tolist() for c in frame}).with_columns(
            pl.col("town").cast(dtype)
        )
    else:
        frame = frame.astype({"town": kind})
    got = cross_fit(teacher, frame, y, cv=2, random_state=0)
    same(got, expected, 1e-9)
    assert got.outputs == ("no", "yes")


def weighted_learners() -> list[tuple[Any, Any]]:
    """Return learners beside plain ones that are the same."""
    return [
        (
            make_pipeline(StandardScaler(with_mean=False, with_std=False), Ridge()),
            Ridge(),
        ),
        (make_pipeline(make_pipeline(Ridge())), Ridge()),
        (GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=2), Ridge()),
        (GridSearchCV(make_pipeline(Ridge()), {"ridge__alpha": [1.0]}, cv=2), Ridge()),
        (TransformedTargetRegressor(Ridge()), Ridge()),
        (TransformedTargetRegressor(), LinearRegression()),
    ]


@pytest.mark.parametrize(("wrapped", "plain"), weighted_learners())
def test_weights_reach_the_learner_inside(wrapped: Any, plain: Any) -> None:
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(40, 2)), rng.normal(size=40), rng.uniform(size=40)
    ours, expected, unweighted = (
        cross_fit(learner, X, y, sample_weight=weights, random_state=0).mean
        for learner, weights in ((wrapped, w), (plain, w), (plain, None))
    )
    np.testing.assert_allclose(ours, expected, atol=1e-12)
    assert np.abs(ours - unweighted).max() > 1e-3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_weights_reach_a_pipeline_under_metadata_routing(n_jobs: int) -> None:
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(40, 2)), rng.normal(size=40), rng.uniform(size=40)
    expected = cross_fit(Ridge(), X, y, sample_weight=w, random_state=0).mean
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(clone(Ridge()).set_fit_request(sample_weight=True))
        got = cross_fit(routed, X, y, sample_weight=w, n_jobs=n_jobs, random_state=0)
    np.testing.assert_allclose(got.mean, expected, rtol=1e-12)
