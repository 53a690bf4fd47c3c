"""Comparisons: the same rows for all arms, differences by hand, and honest words."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from semikd import (
    DistilledClassifier,
    LinearStudent,
    compare,
)
from semikd.corrections import ConstantCorrection, ShrinkageCorrection
from semikd.datasets import make_gaussian_mixture, make_multiclass_process
from semikd.evaluation import (
    pointwise_log_loss,
    scratch_settings,
)
from semikd.evaluation.recipes import named_corrections
from semikd.evaluation.tables import Table, resampled, split_table
from semikd.exceptions import LeakageWarning
from semikd.losses import CrossEntropyLoss
from semikd.students import as_student

ARMS = ["teacher", "scratch", "scratch, tuned", "in-sample", "cross-fitted"]


@pytest.fixture(scope="module")
def result(mixture, recipe):
    return compare(mixture.X, mixture.y, recipe(), n_refits=3, random_state=0)


def test_every_baseline_has_its_row_whoever_wins(result) -> None:
    assert list(result.table.index) == [*ARMS, "corrected", "constant mix"]
    assert result.reference == "scratch, tuned"


def test_the_table_is_the_mean_over_refits(result) -> None:
    codes = np.unique(result.test.y, return_inverse=True)[1]
    at = result.names.index("cross-fitted")
    each = [pointwise_log_loss(fit[at], codes).mean() for fit in result.predictions]
    shown = result.table.loc["cross-fitted", "log_loss"]
    assert shown == pytest.approx(np.mean(each), rel=1e-12)


def test_differences_are_the_differences_of_the_table(result) -> None:
    for metric in ("log_loss", "brier"):
        column = result.table[metric]
        procedure = result.procedure(metric)
        by_hand = [column[name] - column[result.reference] for name in procedure.names]
        np.testing.assert_allclose(procedure.estimate, by_hand, atol=1e-12)


def test_the_areas_of_one_fit_are_scikit_learns(result) -> None:
    one = result.one_fit("auc", refit=1)
    assert one.greater_is_better
    areas = [roc_auc_score(result.test.y, p[:, 1]) for p in result.predictions[1]]
    at = result.names.index(result.reference)
    by_hand = np.delete(np.array(areas) - areas[at], at)
    np.testing.assert_allclose(one.estimate, by_hand, atol=1e-12)


def test_the_procedure_counts_refits_beside_rows(result) -> None:
    procedure = result.procedure()
    fits = np.array(
        [result.one_fit(refit=at).estimate for at in range(result.n_refits)]
    )
    of_refits = fits.var(axis=0, ddof=1) / result.n_refits
    np.testing.assert_allclose(procedure.refit_variance, of_refits, atol=1e-15)
    assert "on these training rows" in procedure.estimand


def test_tuning_never_leaves_out_the_student_as_it_is() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 60))
    y = (rng.uniform(size=600) < 1 / (1 + np.exp(-0.6 * X[:, 0]))).astype(int)
    strong = DistilledClassifier(LogisticRegression(C=0.001), Ridge(alpha=5000.0))
    found = compare(X, y, strong, test=0.5, n_refits=2, random_state=1)
    assert found.table["setting"]["scratch, tuned"] == "as given"
    assert not found.verdict.startswith("Distilling helps")


def test_the_same_seed_gives_the_same_comparison(mixture, result, recipe) -> None:
    again = compare(mixture.X, mixture.y, recipe(), n_refits=3, random_state=0)
    np.testing.assert_array_equal(again.predictions, result.predictions)
    other = compare(mixture.X, mixture.y, recipe(), n_refits=1, random_state=1)
    assert not np.array_equal(other.predictions[0], result.predictions[0])


def test_distilling_a_good_teacher_helps_and_the_words_say_so(mixture, recipe) -> None:
    result = compare(mixture.X, mixture.y, recipe(), n_refits=3, random_state=3)
    assert result.verdict.startswith("Distilling helps here: ")
    assert "cross-fitted" in result.verdict.splitlines()[0]


def test_distilling_a_useless_teacher_does_not_and_the_words_say_so(recipe) -> None:
    data = make_gaussian_mixture(1500, 4, 0.8, random_state=0)
    useless = recipe(teacher=DummyClassifier())
    lost = compare(
        data.X, data.y, useless, corrections={"half": 0.0}, n_refits=5, random_state=0
    )
    assert lost.verdict.splitlines()[0] == (
        "Scratch wins here: every distilled arm is worse."
    )
    assert "'scratch, tuned' wins" in lost.verdict


def test_equal_arms_are_not_called_a_success(mixture) -> None:
    equal = DistilledClassifier(
        LogisticRegression(), LinearStudent(), loss="cross_entropy"
    )
    same = compare(mixture.X, mixture.y, equal, n_refits=2, random_state=0)
    first = same.verdict.splitlines()[0]
    assert first.startswith("Distilling is not shown to help here")


def test_the_summary_names_arms_intervals_floor_and_settings(result) -> None:
    text = result.summary()
    for words in (
        *ARMS,
        "no probability counts as less than 0.001",
        "Does the procedure help?",
        "Estimand",
    ):
        assert words in text
    assert "min_samples_leaf=" in text
    assert "<table" in result._repr_html_()


def test_the_plot_shows_every_arm(result) -> None:
    figure = result.plot()
    left, right = figure.axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == [
        name for name in result.names if name != result.reference
    ]
    shown = [text.get_text() for text in right.get_legend().get_texts()]
    assert shown == list(result.names)


class CountingTeacher(ClassifierMixin, BaseEstimator):
    """Counts its fits and remembers the rows it saw."""

    fits: list = []  # noqa: RUF012 - shared by clones on purpose

    def fit(self, X, y):
        type(self).fits.append(np.asarray(X))
        self.classes_ = np.unique(y)
        self.share_ = np.mean(y == self.classes_[1])
        return self

    def predict_proba(self, X):
        return np.tile([1 - self.share_, self.share_], (len(X), 1))


def test_arms_share_the_teachers_and_no_teacher_sees_a_test_row(
    mixture, recipe
) -> None:
    CountingTeacher.fits.clear()
    counted = compare(
        mixture.X,
        mixture.y,
        recipe(teacher=CountingTeacher()),
        n_refits=2,
        random_state=0,
    )
    assert len(CountingTeacher.fits) == 2 * (5 + 1)
    tested = {tuple(row) for row in np.asarray(counted.test.X)}
    for seen in CountingTeacher.fits:
        assert tested.isdisjoint(tuple(row) for row in seen)


def test_copies_and_groups_stay_on_one_side() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))[np.repeat(np.arange(50), 2)]
    y = rng.integers(2, size=100)
    train, test = split_table(X, y, 0.3, None, None, 0)
    assert {tuple(r) for r in train.X}.isdisjoint(tuple(r) for r in test.X)
    groups = np.repeat(np.arange(20), 5)
    train, test = split_table(rng.normal(size=(100, 2)), y, 0.3, None, groups, 0)
    assert set(train.groups).isdisjoint(test.groups)


def test_groups_become_clusters_of_the_intervals(mixture, recipe) -> None:
    groups = np.repeat(np.arange(100), 6)
    grouped = compare(
        mixture.X, mixture.y, recipe(), groups=groups, n_refits=2, random_state=0
    )
    n_groups = len(np.unique(grouped.test.groups))
    assert any(f"{n_groups}" in words for words in grouped.procedure().conditions)


def test_a_bootstrap_refit_draws_rows_or_whole_groups() -> None:
    table = Table(np.arange(60.0)[:, None], np.tile([0, 1], 30), None, None)
    drawn = resampled(table, 0)
    assert drawn.weights.sum() == 60
    assert len(drawn.y) < 60
    groups = np.repeat(np.arange(12), 5)
    grouped = resampled(Table(table.X, table.y, None, groups), 0)
    for group in np.unique(grouped.groups):
        weights = grouped.weights[grouped.groups == group]
        assert len(weights) == 5
        assert len(set(weights)) == 1


def test_resampling_the_training_rows_widens_the_uncertainty(mixture, recipe) -> None:
    same = compare(mixture.X, mixture.y, recipe(), n_refits=4, random_state=0)
    drawn = compare(
        mixture.X,
        mixture.y,
        recipe(),
        n_refits=4,
        resample_training=True,
        random_state=0,
    )
    arm = same.procedure().names.index("cross-fitted")
    assert drawn.procedure().refit_variance[arm] > same.procedure().refit_variance[arm]
    assert "bootstrap samples of the training rows" in drawn.procedure().estimand


def test_held_out_rows_may_be_brought(mixture, recipe) -> None:
    X, y = np.asarray(mixture.X), np.asarray(mixture.y)
    brought = compare(
        X[:400], y[:400], recipe(), test=(X[400:], y[400:]), n_refits=1, random_state=0
    )
    np.testing.assert_array_equal(brought.test.X, X[400:])
    assert "Does the procedure help?" not in brought.summary()
    assert "in this one fit" in brought.verdict.splitlines()[0]


def test_more_than_two_classes_have_everything_but_an_area_difference() -> None:
    data = make_multiclass_process(400, 3, 4, random_state=0)
    three = compare(
        data.X,
        data.y,
        DistilledClassifier(LogisticRegression(), LinearStudent()),
        n_refits=2,
        random_state=0,
    )
    assert three.table["auc"].between(0.5, 1.0).all()
    with pytest.raises(ValueError, match="got 'auc' with 3 classes"):
        three.one_fit("auc")
    with pytest.raises(ValueError, match="metric must be one of 'log_loss', 'brier'"):
        three.procedure("loglos")
    with pytest.raises(ValueError, match="refit must be below 2"):
        three.one_fit(refit=2)
    with pytest.raises(ValueError, match="arm must be one of 'teacher', 'scratch'"):
        three.one_fit(arm="student")
    with pytest.raises(ValueError, match="reference must be one of 'teacher', 'scrat"):
        three.one_fit(arm="teacher", reference="student")
    with pytest.raises(ValueError, match="arm must be another one than the reference"):
        three.one_fit(arm="teacher", reference="teacher")
    with pytest.raises(ValueError, match="groups must be None for 'auc'; got groups"):
        three.one_fit("auc", groups=np.zeros(len(three.test.y)))
    sides = np.where(np.asarray(three.test.X)[:, 0] > 0, "right", "left")
    found = three.one_fit(arm="cross-fitted", reference="teacher", groups=sides)
    parts = ["", ", group left", ", group right"]
    assert list(found.names) == [f"cross-fitted{part}" for part in parts]
    shares = np.array([(sides == side).mean() for side in ("left", "right")])
    np.testing.assert_allclose(shares @ found.estimate[1:], found.estimate[0])
    whole = three.one_fit(reference="teacher")
    at = whole.names.index("cross-fitted")
    np.testing.assert_allclose(found.std_error[0], whole.std_error[at])


def test_rows_of_zero_weight_play_no_part(mixture, recipe) -> None:
    weights = np.ones(600)
    weights[::3] = 0.0
    settings = {"n_refits": 1, "random_state": 0}
    # Of equally good splits of a tree the last digit of a label decides.
    smooth = recipe(student=LinearStudent())
    weighed = compare(mixture.X, mixture.y, smooth, sample_weight=weights, **settings)
    X, y = np.asarray(mixture.X)[weights > 0], np.asarray(mixture.y)[weights > 0]
    without = compare(X, y, smooth, sample_weight=np.ones(400), **settings)
    np.testing.assert_allclose(weighed.predictions, without.predictions, atol=1e-6)


def test_models_equal_but_for_rounding_are_not_told_apart(result) -> None:
    twins = np.repeat(result.predictions[:, :1], 3, axis=1)
    twins[:, 1:] *= 1 + 1e-15
    same = replace(
        result,
        names=("scratch", "scratch, tuned", "in-sample"),
        predictions=twins,
        details={},
    )
    assert (same.procedure().estimate == 0).all()
    assert same.verdict.startswith("Distilling is not shown to help here")


def test_helping_means_better_than_both_students_from_scratch(result) -> None:
    good, bad = (result.names.index(name) for name in ("cross-fitted", "scratch"))
    order = {"scratch": good, "scratch, tuned": bad, "cross-fitted": good}
    fooled = replace(
        result,
        names=tuple(order),
        predictions=result.predictions[:, list(order.values())],
        details={},
    )
    assert {v.verdict for v in fooled.procedure().verdicts()} == {"better"}
    assert fooled.verdict.startswith("Distilling is not shown to help here")


def test_scratch_is_tuned_by_what_the_student_has() -> None:
    students = {
        DecisionTreeRegressor(max_leaf_nodes=64): {
            "min_samples_leaf",
            "max_leaf_nodes",
        },
        LinearStudent(): {"ridge"},
        LogisticRegression(): {"C"},
        Ridge(alpha=1): {"alpha"},
        make_pipeline(StandardScaler(), Ridge()): {"ridge__alpha"},
    }
    for student, names in students.items():
        own, *tried = scratch_settings(as_student(student))
        assert own == {}
        assert all(set(setting) == names for setting in tried)
    assert scratch_settings(as_student(KNeighborsRegressor())) == []


def test_a_student_without_settings_is_compared_with_scratch_as_it_is(mixture) -> None:
    plain = DistilledClassifier(LogisticRegression(), KNeighborsRegressor())
    untuned = compare(mixture.X, mixture.y, plain, n_refits=1, random_state=0)
    assert untuned.reference == "scratch"
    assert untuned.verdict.startswith(
        "Distilling helps in this one fit, against scratch as it is (no setting"
    )


def test_a_bootstrap_sample_keeps_every_class_fit_for_cross_fitting() -> None:
    y = np.r_[np.zeros(57), 1, 1, 1]
    table = Table(np.arange(60.0)[:, None], y, None, None)
    for seed in range(30):
        assert np.bincount(resampled(table, seed).y.astype(int))[1] >= 2
    hopeless = Table(table.X, np.r_[np.zeros(59), 1], None, None)
    with pytest.raises(ValueError, match="resample_training must leave two distinct"):
        resampled(hopeless, 0)


def test_test_rows_that_were_trained_on_are_counted(mixture, recipe) -> None:
    X, y = np.asarray(mixture.X), np.asarray(mixture.y)
    with pytest.warns(LeakageWarning, match="150 of 200 test rows have a copy"):
        compare(X[:400], y[:400], recipe(), test=(X[250:450], y[250:450]), n_refits=1)


def test_the_estimators_own_correction_becomes_an_arm(recipe) -> None:
    named = named_corrections(recipe(correction=0.3), None, 2)
    assert named["corrected"] == ConstantCorrection(0.3)
    both = named_corrections(recipe(correction=0.3), {"half": 0.5}, 2)
    assert list(both) == ["corrected", "half"]


@pytest.mark.parametrize(
    ("loss", "squared_error"),
    [
        ("probability", 0.01),
        # At even odds log-odds have slope 4, and annealed probabilities slope 1 / T.
        ("log_probability", 0.16),
        (CrossEntropyLoss(temperature=4.0), 0.01 / 16),
    ],
)
def test_the_assumed_error_of_the_teacher_is_on_the_scale_in_use(
    loss, squared_error
) -> None:
    recipe_on = DistilledClassifier(LogisticRegression(), Ridge(), loss=loss)
    corrected = named_corrections(recipe_on, None, 2)["corrected"]
    assert isinstance(corrected, ShrinkageCorrection)
    assert corrected.squared_error == pytest.approx(squared_error)
