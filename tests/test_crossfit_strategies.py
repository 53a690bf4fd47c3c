"""Who labels which row when nobody says how: shortcuts, batches, and their refusals."""

import pickle
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
)
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, DistilledRegressor, OutOfFold, cross_fit
from semikd._progress import Step
from semikd.crossfit.shortcuts import FallBack, split_pipeline
from semikd.exceptions import SemikdWarning
from semikd.label_aware import ReferenceCorrection
from semikd.teachers import SquaresTeacher

Floats = NDArray[np.float64]
N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
X[-6:] = X[:6]
Y = (X[:, 0] + np.random.default_rng(1).normal(size=N) > 0).astype(int)
FOREST = RandomForestClassifier(150, random_state=0)
TREE = DecisionTreeRegressor(max_leaf_nodes=4)


class BaseRate(ClassifierMixin, BaseEstimator):
    """Gives every row the shares of the classes, and knows them without a row."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.rows_ = len(X)
        total = np.bincount(codes, sample_weight)
        self.share_ = total / total.sum()
        return self

    def predict_proba(self, X: Any) -> Floats:
        return np.tile(self.share_, (len(X), 1))

    def leave_one_out(
        self, X: Any, y: Any, *, units: Any, sample_weight: Any = None
    ) -> Floats:
        self.fit(X, y, sample_weight)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return np.asarray(self.answer)
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        mass = weights[:, None] * (np.asarray(y)[:, None] == self.classes_)
        own = np.zeros((units.max() + 1, len(self.classes_)))
        np.add.at(own, units, mass)
        rest = mass.sum(axis=0) - own[units]
        return rest / rest.sum(axis=1, keepdims=True)


def loo(teacher: Any, y: Any = Y, table: Any = X, **options: Any) -> OutOfFold:
    """Return leave-one-out labels."""
    return cross_fit(teacher, table, y, cv="loo", random_state=0, **options)


@pytest.mark.parametrize(
    "teacher", [BaseRate(), SquaresTeacher(Ridge(alpha=1e12))], ids=["shares", "ridge"]
)
def test_leave_one_out_base_rates_rank_every_row_wrongly(teacher: Any) -> None:
    rows = np.arange(N)[:, None] / N
    labels = loo(teacher, table=rows)
    assert roc_auc_score(Y, labels.mean[:, 1]) == 0.0
    by_folds = cross_fit(teacher, rows, Y, cv=5, random_state=0).mean[:, 1]
    # Folds stratified by class know the shares without a row to within one row.
    assert 0.2 < roc_auc_score(Y, by_folds) < 0.8
    with pytest.raises(ValueError, match="labels must come from folds for calibration"):
        labels.require_folds("calibration")


def test_labels_that_lean_are_refused_where_outcomes_are_compared() -> None:
    labels = cross_fit(FOREST, X, Y, cv="oob")
    match = "come from folds for stacking; got out-of-bag labels of one fit: median of "
    with pytest.raises(ValueError, match=match) as caught:
        labels.require_folds("stacking")
    assert str(caught.value).endswith("members a row. Cross-fit with an integer cv.")
    for cv in (3, "split", "in-sample"):
        record = cross_fit(GaussianNB(), X, Y, cv=cv)
        assert not record.leans
        record.require_folds("stacking")


def test_a_record_that_leans_stays_so_through_reordering_and_a_pickle() -> None:
    labels = loo(BaseRate())
    order = np.random.default_rng(0).permutation(N)
    assert labels.align(X[order]).leans
    assert pickle.loads(pickle.dumps(labels)).leans  # noqa: S301


def test_each_distinct_row_is_a_fold_of_leave_one_out() -> None:
    weights = np.ones(N)
    weights[10] = 0.0
    labels = loo(BaseRate(), sample_weight=weights)
    fold = labels.fold[0]
    assert fold[10] == -1
    assert np.isnan(labels.mean[10]).all()
    np.testing.assert_array_equal(fold[-6:], fold[:6])
    assert len(np.unique(fold)) == 1 + (N - 6) - 1
    kept = np.delete(np.arange(N), 10)
    for i in (0, 20):
        rest = kept[fold[kept] != fold[i]]
        np.testing.assert_allclose(labels.mean[i, 1], Y[rest].mean(), rtol=1e-12)


def test_a_group_leaves_whole_where_the_teacher_can() -> None:
    groups = np.arange(N) // 4
    labels = loo(BaseRate(), groups=groups)
    for i in (0, 33):
        expected = Y[groups != groups[i]].mean()
        np.testing.assert_allclose(labels.mean[i, 1], expected, rtol=1e-12)


@pytest.mark.parametrize("new_rows", ["mean", "refit", "none"])
def test_the_one_teacher_labels_new_rows_unless_nobody_is_kept(new_rows: str) -> None:
    labels = loo(BaseRate(), new_rows=new_rows)
    assert labels.teachers == ()
    if new_rows == "none":
        with pytest.raises(ValueError, match="leave-one-out labels of one fit"):
            labels.label(X[:2])
        return
    np.testing.assert_allclose(labels.label(X[:2])[:, 1], Y.mean())
    with pytest.raises(ValueError, match="with an integer cv and new_rows='mean'"):
        labels.label(X[:2], exclude=[0, 1])


def test_a_method_behind_a_pipeline_sees_the_rows_as_transformed() -> None:
    teacher = make_pipeline(StandardScaler(), BaseRate())
    labels = loo(teacher, new_rows="mean")
    np.testing.assert_array_equal(labels.mean, loo(BaseRate()).mean)
    assert labels.strategy.endswith(
        "teacher's own; the steps before the learner saw the covariates of all"
    )
    assert labels.label(X[:2]).shape == (2, 2)


AUTO = [
    (FOREST, "out-of-bag labels of one fit (auto): median of "),
    (BaseRate(), "leave-one-out labels of one fit (auto): by a method of the teac"),
    (SquaresTeacher(), "leave-one-out labels of one fit (auto): by a method"),
    (GaussianNB(), "5-fold cross-fitting (auto: GaussianNB has no shortcut)"),
    (make_pipeline(GaussianNB()), "5-fold cross-fitting (auto: GaussianNB has no"),
    (
        GridSearchCV(FOREST, {"max_depth": [2]}, cv=2),
        "5-fold cross-fitting (auto: GridSearchCV has no shortcut)",
    ),
    (
        make_pipeline(SelectKBest(k=1), BaseRate()),
        "5-fold cross-fitting (auto: the step SelectKBest of the Pipeline may use y)",
    ),
    (
        RandomForestClassifier(5),
        "5-fold cross-fitting (auto: about 1.8 of its 5 members would not see a row",
    ),
    (
        BaseRate(FallBack("3 of 60 rows were off")),
        "5-fold cross-fitting (auto: 3 of 60 rows were off)",
    ),
]


@pytest.mark.parametrize(("teacher", "words"), AUTO)
def test_auto_takes_the_cheapest_valid_way_and_says_which_and_why(
    teacher: Any, words: str
) -> None:
    if isinstance(teacher, GridSearchCV):
        teacher.estimator = RandomForestClassifier(2)
    labels = cross_fit(teacher, X, Y, cv="auto", random_state=0)
    assert labels.strategy.startswith(words)
    assert labels.leans == ("labels of one fit" in words)
    assert labels.labelled.all()


def test_auto_without_a_shortcut_gives_the_labels_of_five_folds() -> None:
    five = cross_fit(GaussianNB(), X, Y, cv=5, n_repeats=2, random_state=0)
    auto = cross_fit(GaussianNB(), X, Y, cv="auto", n_repeats=2, random_state=0)
    np.testing.assert_array_equal(auto.prediction, five.prediction)
    np.testing.assert_array_equal(auto.fold, five.fold)


def test_repeats_are_of_folds() -> None:
    match = "n_repeats must be 1 with cv='loo'; got 3. Repeats are of folds: use an int"
    with pytest.raises(ValueError, match=match):
        loo(BaseRate(), n_repeats=3)
    labels = cross_fit(BaseRate(), X, Y, cv="auto", n_repeats=3)
    assert labels.strategy == (
        "5-fold cross-fitting, 3 repeats (auto: n_repeats=3 asks for folds)"
    )


class NeverFitted(HistGradientBoostingClassifier):
    """Fails the test if anything reaches its fit."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        raise AssertionError("a fit started before the strategy was checked")


@pytest.mark.parametrize(
    ("teacher", "cv", "message"),
    [
        (NeverFitted(), "loo", "NeverFitted has no leave-one-out shortcut. Use an int"),
        (
            NeverFitted(),
            "oob",
            "NeverFitted has no out-of-bag shortcut. Use an integer",
        ),
        (make_pipeline(NeverFitted()), "oob", "'oob', but NeverFitted has no out-of-b"),
        (NeverFitted(), "looo", "got 'looo'. Did you mean 'loo'?"),
        (FOREST, "loo", "RandomForestClassifier has no leave-one-out shortcut"),
        (Ridge(), "oob", "Ridge has no out-of-bag shortcut"),
    ],
)
def test_a_shortcut_that_the_teacher_lacks_is_refused_before_any_fit(
    teacher: Any, cv: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        cross_fit(teacher, X, Y, cv=cv)
    assert "\n" not in str(caught.value)


def test_a_check_that_fails_is_told_with_its_count_and_folds_stand_in() -> None:
    teacher = BaseRate(FallBack("3 of 60 rows were off"))
    match = "cv='loo' fell back to 5 folds: 3 of 60 rows were off."
    with pytest.warns(SemikdWarning, match=match) as caught:
        labels = loo(teacher)
    assert caught[0].filename == __file__
    five = cross_fit(teacher, X, Y, cv=5, random_state=0)
    np.testing.assert_array_equal(labels.prediction, five.prediction)
    assert labels.strategy == (
        "5-fold cross-fitting (not 'loo': 3 of 60 rows were off)"
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.ones((N, 1)), r"labels by leave_one_out must have shape \(60, 2\); got"),
        (np.ones((N - 1, 2)), r"must have shape \(60, 2\); got \(59, 2\)"),
        (np.ones((N, 2)), "must be non-negative and sum to one; got"),
    ],
)
def test_the_answer_of_a_teachers_own_method_is_checked(
    answer: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        loo(BaseRate(answer))


def test_rows_that_a_method_gives_no_label_are_counted() -> None:
    answer = np.full((N, 2), 0.5)
    answer[[3, 7]] = np.nan
    with pytest.warns(SemikdWarning, match="2 of 60 rows have no honest label: they"):
        labels = loo(BaseRate(answer))
    assert np.flatnonzero(~labels.labelled).tolist() == [3, 7]


def test_a_class_of_one_distinct_row_is_refused_also_without_folds() -> None:
    y = np.zeros(N, dtype=int)
    y[20] = 1
    match = "y must have at least two distinct rows of positive weight in every class"
    with pytest.raises(ValueError, match=match):
        loo(BaseRate(), y)


def test_one_fit_is_one_step_of_progress() -> None:
    steps: list[Step] = []
    loo(BaseRate(), progress=steps.append)
    assert [(step.done, step.total) for step in steps] == [(0, 1), (1, 1)]


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (make_pipeline(TargetEncoder(), Ridge()), "TargetEncoder"),
        (make_pipeline(make_pipeline(SelectKBest(), Ridge())), "SelectKBest"),
        (
            make_pipeline(
                make_column_transformer((TargetEncoder(), [0])),
                StandardScaler(),
                Ridge(),
            ),
            "TargetEncoder",
        ),
        (
            make_pipeline(
                FeatureUnion([("a", StandardScaler()), ("b", SelectKBest())]), Ridge()
            ),
            "SelectKBest",
        ),
        (make_pipeline(type("Derived", (StandardScaler,), {})(), Ridge()), "Derived"),
    ],
)
def test_a_step_that_may_use_the_outcome_keeps_a_pipeline_whole(
    pipeline: Any, expected: str
) -> None:
    assert split_pipeline(pipeline) == (
        f"the step {expected} of the Pipeline may use y"
    )


def test_steps_that_cannot_use_the_outcome_come_off() -> None:
    columns = make_column_transformer(
        (make_pipeline(StandardScaler(), PolynomialFeatures()), [0, 1]),
        ("drop", [2]),
        remainder="passthrough",
    )
    pipeline = make_pipeline(columns, "passthrough", make_pipeline(None, Ridge()))
    transformer, learner = split_pipeline(pipeline)
    assert isinstance(learner, Ridge)
    expected = pipeline[0].fit_transform(X)
    np.testing.assert_array_equal(transformer.fit_transform(X), expected)
    assert split_pipeline(learner) == (None, learner)


class Batch(BaseEstimator):
    """Labels all folds at once, and notes what it was told."""

    told: dict[str, Any]

    def __init__(self, spoil: str = "", random_state: int | None = None) -> None:
        self.spoil = spoil
        self.random_state = random_state

    def _batch(self, X: Any, y: Any, folds: Any, told: dict[str, Any]) -> Any:
        Batch.told = told
        teachers, labels = [], []
        for train, test in folds:
            weights = told["sample_weight"]
            own = None if weights is None else weights[train]
            teachers.append(self._one().fit(X[train], y[train], own))
            labels.append(self._ask(teachers[-1], X[test]))
        if self.spoil == "short":
            labels[0] = labels[0][1:]
        return (labels[1:] if self.spoil == "fold" else labels), teachers

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        self.inner_ = self._one().fit(X, y, sample_weight)
        self.classes_ = getattr(self.inner_, "classes_", None)
        return self


class BatchClassifier(ClassifierMixin, Batch):
    def _one(self) -> Any:
        return GaussianNB()

    def _ask(self, teacher: Any, X: Any) -> Any:
        return teacher.predict_proba(X)

    def predict_proba(self, X: Any) -> Any:
        return self.inner_.predict_proba(X)

    def cross_fit_proba(self, X: Any, y: Any, folds: Any, **told: Any) -> Any:
        return self._batch(X, y, folds, told)


class BatchRegressor(RegressorMixin, Batch):
    def _one(self) -> Any:
        return LinearRegression()

    def _ask(self, teacher: Any, X: Any) -> Any:
        return teacher.predict(X)

    def predict(self, X: Any) -> Any:
        return self.inner_.predict(X)

    def cross_fit_predict(self, X: Any, y: Any, folds: Any, **told: Any) -> Any:
        return self._batch(X, y, folds, told)


@pytest.mark.parametrize(
    ("batch", "plain"),
    [(BatchClassifier(), GaussianNB()), (BatchRegressor(), LinearRegression())],
)
@pytest.mark.parametrize("cv", [3, "auto", "split", KFold(4)])
@pytest.mark.filterwarnings("ignore:.*share their covariates")
def test_a_batch_of_fold_teachers_labels_like_one_after_the_other(
    batch: Any, plain: Any, cv: Any
) -> None:
    weights = np.random.default_rng(0).uniform(0.5, 2.0, size=N)
    options: dict[str, Any] = {"sample_weight": weights, "random_state": 0}
    if cv == 3:
        options |= {"n_repeats": 2, "groups": np.arange(N) // 2}
    ours = cross_fit(batch, X, Y, cv=cv, **options)
    if cv == "auto" and plain.__class__ is LinearRegression:
        cv = 5
    expected = cross_fit(plain, X, Y, cv=cv, **options)
    np.testing.assert_allclose(ours.prediction, expected.prediction, rtol=1e-12)
    np.testing.assert_array_equal(ours.fold, expected.fold)
    np.testing.assert_allclose(ours.label(X[:3]), expected.label(X[:3]), rtol=1e-12)
    told = Batch.told
    np.testing.assert_array_equal(told["sample_weight"], weights)
    assert (told["groups"] is None) == (cv != 3)
    assert isinstance(told["random_state"], int)
    assert callable(told["progress"])


def test_a_batch_says_so_and_its_teachers_are_kept_only_for_the_mean() -> None:
    labels = cross_fit(BatchClassifier(), X, Y, cv="auto", random_state=0)
    assert labels.strategy == (
        "5-fold cross-fitting in one batch (auto: BatchClassifier has no shortcut)"
    )
    assert [len(repeat) for repeat in labels.teachers] == [5]
    for option in ("refit", "none"):
        assert cross_fit(BatchClassifier(), X, Y, new_rows=option).teachers == ()


def test_in_sample_labels_need_no_batch() -> None:
    Batch.told = {}
    labels = cross_fit(BatchClassifier(), X, Y, cv="in-sample")
    expected = GaussianNB().fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(labels.mean, expected, rtol=1e-12)
    assert Batch.told == {}


def test_a_class_that_a_fold_of_a_batch_never_saw_has_probability_zero() -> None:
    y = np.repeat([0, 1, 2], N // 3)
    rows = np.random.default_rng(0).normal(size=(N, 3))
    with pytest.warns(
        SemikdWarning, match="3 of 3 fold teachers never saw a"
    ) as caught:
        labels = cross_fit(BatchClassifier(), rows, y, cv=y)
    assert caught[0].filename == __file__
    assert (labels.mean[np.arange(N), y] == 0.0).all()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            "fold",
            "cross_fit_proba must return labels and a teacher for each fold; got 4",
        ),
        ("short", r"teacher probabilities must have shape \(\d+, 2\); got"),
    ],
)
def test_the_answer_of_a_batch_is_checked(spoil: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cross_fit(BatchClassifier(spoil), X, Y)


def distilled(cv: Any, correction: Any = "none") -> DistilledClassifier:
    """Return an unfitted distiller of a forest."""
    return DistilledClassifier(
        RandomForestClassifier(150), TREE, cv=cv, correction=correction, random_state=0
    )


def test_estimators_take_the_shortcuts() -> None:
    model = distilled("auto").fit(X, Y)
    assert model.labels_.strategy.startswith("out-of-bag labels of one fit (auto): med")
    model = DistilledRegressor(Ridge(), TREE, cv="loo", random_state=0).fit(X, X[:, 1])
    assert model.labels_.strategy.startswith("leave-one-out labels of one fit: ")
    record = loo(Ridge(), X[:, 1])
    np.testing.assert_allclose(model.labels_.mean, record.mean, atol=1e-12)


@pytest.mark.parametrize("cv", ["oob", "loo"])
def test_a_correction_that_looks_at_the_label_refuses_labels_that_lean(
    cv: str,
) -> None:
    match = (
        "cv must be of folds for the correction ReferenceCorrection; "
        f"got '{cv}'. Use an integer: these labels are anti-correlated with the out"
    )
    with pytest.raises(ValueError, match=match):
        distilled(cv, ReferenceCorrection(0.1)).fit(X, Y)
    record = cross_fit(FOREST, X, Y, cv="oob")
    match = (
        "labels must come from folds for the correction ReferenceCorrection; got out"
    )
    with pytest.raises(ValueError, match=match):
        distilled(record, ReferenceCorrection(0.1)).fit(X, Y)
    distilled(record, "orthogonal").fit(X, Y)


def test_nothing_is_estimated_from_labels_of_rows_that_the_teacher_saw() -> None:
    match = "cv must be of folds for an estimated correction; got 'in-sample'. Use an"
    with pytest.raises(ValueError, match=match):
        distilled("in-sample", "estimated").fit(X, Y)
    record = cross_fit(FOREST, X, Y, cv="in-sample")
    match = "labels must come from folds for an estimated correction; got in-sample"
    with pytest.raises(ValueError, match=match):
        distilled(record, "estimated").fit(X, Y)
    # The published rule, which is not estimated, was published with such labels too.
    distilled(record, ReferenceCorrection(0.1)).fit(X, Y)


def test_auto_takes_folds_for_a_correction_that_looks_at_the_label() -> None:
    auto = DistilledClassifier(
        BaseRate(), TREE, cv="auto", correction=ReferenceCorrection(0.1), random_state=0
    ).fit(X, Y)
    assert auto.labels_.strategy == (
        "5-fold cross-fitting (auto: the correction compares labels with outcomes)"
    )
    assert not auto.labels_.leans


def test_dummies_have_no_shortcut() -> None:
    for teacher in (DummyClassifier(), DummyRegressor()):
        with pytest.raises(ValueError, match="has no leave-one-out shortcut"):
            loo(teacher)


def test_auto_passes_by_a_shortcut_that_costs_more_than_folds():
    X = np.random.default_rng(0).normal(size=(60, 450))
    y = (X[:, 0] > 0).astype(int)
    labels = cross_fit(LogisticRegression(), X, y, cv="auto", random_state=0)
    assert labels.strategy == (
        "5-fold cross-fitting (auto: five folds are cheaper with 451 coefficients)"
    )
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    assert "451 coefficients" in cross_fit(scaled, X, y, cv="auto").strategy
    asked = cross_fit(LogisticRegression(), X, y, cv="loo", random_state=0)
    assert asked.strategy.startswith("leave-one-out")
    # What the learner gets of a Pipeline may be few columns.
    few = make_pipeline(PCA(3), LogisticRegression())
    assert cross_fit(few, X, y, cv="auto").strategy.startswith("leave-one-out")


def test_documents_that_a_pipeline_turns_into_numbers_have_no_width_of_their_own():
    words = np.array(["a" * (i % 7 + 1) + str(i) for i in range(60)])
    lengths = FunctionTransformer(lambda X: np.char.str_len(X)[:, None])
    teacher = make_pipeline(lengths, LogisticRegression())
    labels = cross_fit(teacher, words, Y, cv="auto")
    assert labels.strategy.startswith("leave-one-out labels of one fit (auto)")


@pytest.mark.parametrize(
    "teacher", [Ridge(), LinearRegression(), RidgeClassifier(), LogisticRegression()]
)
def test_rows_may_be_a_list_of_lists(teacher: Any) -> None:
    listed = cross_fit(teacher, X.tolist(), Y, cv="loo", random_state=0)
    np.testing.assert_allclose(listed.mean, loo(teacher, y=Y).mean, atol=1e-9)


def test_a_derived_pipeline_that_may_say_otherwise_stays_whole() -> None:
    class Doubled(Pipeline):
        def predict(self, X: Any) -> Any:
            return 2.0 * super().predict(X)

    doubled = Doubled([("learner", Ridge())])
    reason = "Doubled is not scikit-learn's Pipeline itself"
    assert split_pipeline(doubled) == reason
    with pytest.raises(ValueError, match=reason):
        cross_fit(doubled, X, X[:, 0], cv="loo")


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (RandomForestClassifier("ten"), "The 'n_estimators' parameter of RandomForest"),
        (RandomForestClassifier(max_samples="all"), "The 'max_samples' parameter of"),
        (GaussianProcessRegressor("rbf", optimizer=None), "The 'kernel' parameter of"),
    ],
)
def test_settings_are_refused_in_the_words_of_the_learner(
    teacher: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        cross_fit(teacher, X, Y, cv="auto")


def test_what_only_has_the_name_of_a_shortcut_is_none() -> None:
    class Flagged(DummyRegressor):
        leave_one_out = True

    assert cross_fit(Flagged(), X, X[:, 0], cv="auto").strategy == (
        "5-fold cross-fitting (auto: Flagged has no shortcut)"
    )


def test_a_ridge_classifier_labels_rows_and_new_rows_alike():
    draws = np.random.default_rng(0)
    X = draws.normal(size=(80, 3))
    y = np.where(X[:, 0] + draws.normal(size=80) > 0, "yes", "no")
    labels = cross_fit(RidgeClassifier(), X, y, cv="loo", random_state=0)
    by_hand = []
    for row in range(80):
        rest = np.arange(80) != row
        fitted = RidgeClassifier().fit(X[rest], y[rest])
        by_hand.append(np.clip((1 + fitted.decision_function(X[[row]])) / 2, 0, 1)[0])
    np.testing.assert_allclose(labels.mean[:, 1], by_hand, atol=1e-8)
    whole = RidgeClassifier().fit(X, y).decision_function(X)
    np.testing.assert_allclose(
        labels.label(X)[:, 1], np.clip((1 + whole) / 2, 0, 1), atol=1e-8
    )
