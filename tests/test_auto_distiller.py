"""AutoDistiller as a user meets it: what it chooses, tells, refuses and keeps to."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import AutoDistiller, LinearStudent, SyntheticRows
from semikd.exceptions import SemikdWarning

TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
NAIVE = GaussianNB()


class FitsSeen(GaussianNB):
    """A teacher that counts its fits."""

    count = 0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        FitsSeen.count += 1
        return super().fit(X, y, sample_weight)


def auto(**options: Any) -> AutoDistiller:
    given = {
        "teacher": NAIVE,
        "student": TREE,
        "preset": "fast",
        "random_state": 0,
        **options,
    }
    return AutoDistiller(**given)


@pytest.fixture(scope="module")
def table() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = (X[:, 0] - X[:, 1] + 1.5 * rng.normal(size=400) > 0).astype(int)
    return X, y


@pytest.fixture(scope="module")
def fitted(table: Any) -> AutoDistiller:
    return auto().fit(*table)


CHECKED = auto(
    teacher=DecisionTreeClassifier(max_depth=3, random_state=0),
    student=DecisionTreeRegressor(max_depth=3, random_state=0),
    cv=3,
)


# scikit-learn brings tiny tables and leaking folds, of which the library warns.
@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks([CHECKED])
def test_scikit_learns_estimator_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_winner_has_the_smallest_honest_loss(fitted: Any) -> None:
    board = fitted.leaderboard()
    assert board.index[0] == str(fitted.chosen_)
    assert board["chosen"].tolist() == [True] + [False] * (len(board) - 1)
    assert board["loss"].is_monotonic_increasing
    kinds = {each.labels for each in fitted.choice_.candidates}
    assert kinds == {"scratch", "in-sample", "cross-fitted", "half in-sample"}


def test_fifteen_teachers_and_one_for_in_sample_labels_are_fitted(table: Any) -> None:
    FitsSeen.count = 0
    found = auto(teacher=FitsSeen()).fit(*table)
    inside = found.chosen_.labels in {"in-sample", "half in-sample"}
    assert FitsSeen.count == 15 + inside


def test_the_score_is_worse_than_the_best_of_many(fitted: Any) -> None:
    loss, error = fitted.score_
    assert loss > fitted.choice_.means.min()
    # Fresh rows of the same process agree with it within four standard errors of both.
    rng = np.random.default_rng(1)
    X = rng.normal(size=(20_000, 4))
    y = (X[:, 0] - X[:, 1] + 1.5 * rng.normal(size=20_000) > 0).astype(int)
    p = fitted.predict_proba(X)
    fresh = -np.log(np.clip(p[np.arange(len(y)), y], 1e-3, 1.0))
    assert abs(fresh.mean() - loss) < 4 * np.hypot(error, fresh.std() / len(y) ** 0.5)


def test_the_same_seed_gives_the_same_student_with_any_workers(table: Any) -> None:
    one, two = (auto(n_jobs=n).fit(*table) for n in (None, 2))
    np.testing.assert_array_equal(one.choice_.losses, two.choice_.losses)
    np.testing.assert_array_equal(
        one.predict_proba(table[0]), two.predict_proba(table[0])
    )


def test_a_smaller_student_is_taken_where_the_larger_is_no_better(table: Any) -> None:
    sizes = {
        f"{n} leaves": clone(TREE).set_params(max_leaf_nodes=n) for n in (2, 16, 17)
    }
    found = auto(student=sizes).fit(*table)
    assert found.size_.leaves < 17
    board = found.leaderboard()
    chosen = board[board["chosen"]].iloc[0]
    assert chosen["behind"] <= chosen["std_error"]


def test_several_teachers_compete_by_name(table: Any) -> None:
    teachers = {"bayes": NAIVE, "logistic": LogisticRegression()}
    found = auto(teacher=teachers).fit(*table)
    assert {each.teacher for each in found.choice_.candidates} == {"", *teachers}
    assert found.chosen_.teacher in {"", *teachers}


def test_a_teacher_of_one_fit_has_its_own_candidates(table: Any) -> None:
    found = auto(teacher=LogisticRegression()).fit(*table)
    assert "one fit" in {each.labels for each in found.choice_.candidates}


def test_a_useless_teacher_loses_to_the_outcomes(table: Any) -> None:
    X, y = table

    class Contrary(GaussianNB):
        def predict_proba(self, X: Any) -> Any:
            return super().predict_proba(X)[:, ::-1]

    assert auto(teacher=Contrary()).fit(X, y).chosen_.labels == "scratch"


def test_rows_without_outcomes_are_tried_and_must_have_the_columns(table: Any) -> None:
    X, y = table
    new = np.random.default_rng(3).normal(size=(300, 4))
    found = auto().fit(X, y, unlabelled=new)
    assert any(each.unlabelled for each in found.choice_.candidates)
    with pytest.raises(ValueError, match="unlabelled must have"):
        auto().fit(X, y, unlabelled=new[:, :3])


@pytest.mark.slow
def test_thorough_tries_everything_and_ends(table: Any) -> None:
    found = auto(preset="thorough").fit(*table)
    words = " ".join(str(each) for each in found.choice_.candidates)
    for part in ("estimated", "log-probability", "labelled by all", "corrected"):
        assert part in words
    synthetic = [each.synthetic for each in found.choice_.candidates]
    assert any(isinstance(each, SyntheticRows) for each in synthetic)


def columns(kind: str, n: int) -> pd.Series:
    """Return a column that boosting cannot read as it is."""
    rng = np.random.default_rng(3)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(900, size=n), "D")
    return pd.Series(
        {
            "text": [f"txt {i}" for i in range(n)],
            "words": rng.choice(["a", "b", None], size=n),
            "date": days,
            "gaps": pd.array(rng.choice([1, 2, None], size=n), dtype="Int64"),
            "period": pd.PeriodIndex(days, freq="M"),
        }[kind]
    )


def thorough_with(kind: str, table: Any) -> tuple[Any, pd.DataFrame]:
    """Return a search beside such a column, which teacher and student leave out."""
    frame = pd.DataFrame(table[0][:200], columns=list("abcd"))
    frame["odd"] = columns(kind, 200)
    reads = ColumnTransformer([("numbers", "passthrough", list("abcd"))])
    found = auto(
        teacher=make_pipeline(reads, GaussianNB()),
        student=make_pipeline(reads, DecisionTreeRegressor(max_leaf_nodes=4)),
        preset="thorough",
    ).fit(frame, table[1][:200])
    return found, frame


@pytest.mark.parametrize("kind", ["text", "words", "date", "period"])
def test_thorough_leaves_out_what_the_columns_do_not_allow(
    table: Any, kind: str
) -> None:
    found, frame = thorough_with(kind, table)
    assert any(
        each.startswith("labels of corrected: X must") for each in found.left_out_
    )
    assert all("more than" not in each for each in found.left_out_)
    tried = [each for each in found.choice_.candidates if each.synthetic is not None]
    said = any(each.startswith("synthetic rows: ") for each in found.left_out_)
    assert bool(tried) != said
    assert found.predict_proba(frame).shape == (200, 2)


def test_thorough_reads_numbers_with_gaps_that_the_teacher_never_sees(
    table: Any,
) -> None:
    found, _ = thorough_with("gaps", table)
    assert found.left_out_ == ()


def test_strings_frames_weights_and_groups_pass(table: Any) -> None:
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcd"))
    words = np.where(y, "yes", "no")
    weights = np.ones(400)
    weights[:40] = 0.0
    found = auto().fit(frame, words, weights, groups=np.arange(400) // 4)
    assert found.classes_.tolist() == ["no", "yes"]
    assert set(found.predict(frame)) <= {"no", "yes"}
    assert found.feature_names_in_.tolist() == list("abcd")


def test_weights_that_leave_the_default_tree_a_stump_are_told(table: Any) -> None:
    X, y = table
    with pytest.warns(SemikdWarning, match="sample_weight sums to 1 over 400 rows"):
        found = auto(student=None).fit(X, y, np.full(400, 1 / 400))
    assert found.size_.leaves <= 2


def test_sparse_rows_where_teacher_and_student_read_them(table: Any) -> None:
    X, y = np.where(np.abs(table[0]) < 0.5, 0.0, table[0]), table[1]
    options = {"teacher": LogisticRegression(), "student": LinearStudent()}
    rows = sparse.csr_array(X)
    found = auto(**options).fit(rows, y, unlabelled=rows[:40])
    dense = auto(**options).fit(X, y, unlabelled=X[:40])
    assert found.chosen_ == dense.chosen_
    assert any(each.unlabelled for each in found.choice_.candidates)
    np.testing.assert_allclose(
        found.predict_proba(rows), dense.predict_proba(X), atol=1e-6
    )
    thorough = auto(**options, preset="thorough").fit(rows, y)
    assert [each.split(":")[0] for each in thorough.left_out_] == [
        "labels of corrected",
        "synthetic rows",
    ]
    # Teachers of the presets, and Gaussian densities, cannot.
    for cannot in ({"teacher": None}, {"teacher": NAIVE}):
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            auto(**cannot).fit(rows, y)


def test_rows_with_other_columns_are_refused_in_its_own_name(
    fitted: Any, table: Any
) -> None:
    for predict in (fitted.predict, fitted.predict_proba, fitted.decision_function):
        with pytest.raises(ValueError, match="but AutoDistiller is expecting 4 feat"):
            predict(table[0][:, :3])


def test_unlabelled_rows_that_a_teacher_cannot_read_are_refused_first(
    table: Any,
) -> None:
    new = table[0][:50].copy()
    new[3, 1] = np.nan
    rounds: list[Any] = []
    with pytest.raises(ValueError, match="unlabelled must have no missing value") as no:
        auto().fit(*table, unlabelled=new, progress=rounds.append)
    assert "\n" not in str(no.value)
    assert not rounds


def test_a_leak_is_told_where_it_was_asked_for(table: Any) -> None:
    grown = DecisionTreeRegressor(min_samples_leaf=2)
    forest = RandomForestClassifier(20, random_state=0)
    options = {"teacher": forest, "student": grown, "check_leak": True}
    leak = auto(**options).fit(*table).leak_
    assert leak.gap > 0.0
    assert leak.p_value < 0.05
    assert "naive scores flatter" in str(leak)
    assert auto(teacher=NAIVE).fit(*table).leak_ is None
    with pytest.raises(ValueError, match="check_leak must be False with a holdout"):
        auto(**options, holdout=0.3).fit(*table)


@pytest.mark.parametrize("preset", ["fast", "thorough"])
def test_a_leak_is_looked_for_among_candidates_without_added_rows(
    table: Any, preset: str
) -> None:
    X, y = table[0][:120], table[1][:120]
    found = auto(preset=preset, check_leak=True, cv=3).fit(
        X, y, unlabelled=table[0][120:200]
    )
    added = [each.unlabelled for each in found.choice_.candidates]
    made_up = [each.synthetic is not None for each in found.choice_.candidates]
    assert any(added)
    assert any(made_up) == (preset == "thorough")
    assert not found.leak_.candidate.unlabelled
    assert found.leak_.candidate.synthetic is None


def test_a_holdout_in_place_of_folds(table: Any) -> None:
    found = auto(holdout=0.3).fit(*table)
    assert len(found.choice_.losses) == 120


def test_a_linear_student_on_its_own_scale() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    found = auto(student=LinearStudent(ridge=0.01)).fit(X, y)
    assert found.model_.loss_.name == "cross_entropy"


def test_what_the_time_does_not_allow_is_left_out_and_told(table: Any) -> None:
    class Slow(GaussianNB):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            time.sleep(0.3)
            return super().fit(X, y, sample_weight)

    start = time.perf_counter()
    found = auto(teacher=Slow(), time_budget=2.5).fit(*table)
    assert time.perf_counter() - start < 2.5 * 1.5
    assert any(each.startswith("labels of teacher") for each in found.left_out_)
    assert found.chosen_.labels == "scratch"


def test_a_rare_class_can_be_timed() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 2)), np.ones(3000, dtype=int)
    y[:7] = 0
    # It needs two rows of a class, and some of the class at all.
    teacher = CalibratedClassifierCV(GaussianNB(), cv=2)
    found = auto(teacher=teacher, cv=3, time_budget=60.0).fit(X, y)
    assert found.left_out_ == ()


def test_no_time_at_all_gives_the_simplest_student_with_a_warning(table: Any) -> None:
    with pytest.warns(SemikdWarning, match="budget of 1e-06 seconds is too short"):
        found = auto(time_budget=1e-6).fit(*table)
    assert found.chosen_.labels == "scratch"
    assert found.predict_proba(table[0]).shape == (400, 2)


@pytest.mark.parametrize("why", ["rows", "groups"])
def test_with_two_folds_only_students_from_scratch_are_judged_and_it_is_told(
    table: Any, why: str
) -> None:
    X, y = table[0][:60], np.arange(60) % 2
    if why == "rows":
        y = np.where(np.arange(60) < 2, 1, 0)
    groups = np.arange(60) // 2 % 2 if why == "groups" else None
    student = DecisionTreeRegressor(max_leaf_nodes=64, random_state=0)
    model = auto(student=student, preset="balanced", check_leak=True)
    with pytest.warns(SemikdWarning) as told:
        found = model.fit(X, y, groups=groups, unlabelled=table[0][60:90])
    words = {str(each.message)[:34]: each.filename for each in told}
    assert "cv was lowered from 5 to 2: class " in words
    assert words["Only students from scratch are tri"] == __file__
    assert {each.labels for each in found.choice_.candidates} == {"scratch"}
    assert [each.split(":")[0] for each in found.rounds_] == [
        "students from scratch",
        "smaller students from scratch",
    ]
    left_out = [each.partition(": ") for each in found.left_out_]
    assert {reason for _, _, reason in left_out} == {
        "two folds leave no teacher that saw neither the judges nor the row"
    }
    assert [name for name, _, _ in left_out] == [
        "labels of teacher",
        "labels of calibrated",
        "weights of the outcome",
        "settings of the student",
        "other scales",
        "unlabelled rows",
    ]
    assert found.leak_ is None


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"preset": "quick"}, ValueError, "preset must be one of 'fast', 'balanced'"),
        ({"metric": "auc"}, ValueError, "metric must be 'log_loss' or 'brier', or a"),
        ({"metric": ["brier"]}, ValueError, "metric must be 'log_loss' or 'brier'"),
        ({"cv": 2}, ValueError, "cv must be an integer of at least 3"),
        ({"cv": "oob"}, ValueError, "cv must be folds where students are chosen"),
        ({"holdout": 2.0}, ValueError, "holdout must be a number above 0"),
        ({"time_budget": 0}, ValueError, "time_budget must be a number above 0"),
        ({"n_jobs": 0}, ValueError, "n_jobs must be an integer other than 0"),
        ({"teacher": {}}, TypeError, "teacher must be an estimator, or estimators by"),
        ({"teacher": {1: NAIVE}}, TypeError, "teacher must be an estimator, or est"),
        ({"student": {}}, TypeError, "student must be an estimator, or estimators by"),
        ({"teacher": LinearRegression()}, TypeError, "teacher must be a classifier"),
        ({"student": DecisionTreeClassifier()}, TypeError, "student must"),
    ],
)
def test_bad_settings_are_refused_in_one_line_before_any_fit(
    table: Any, options: Any, error: Any, match: str
) -> None:
    FitsSeen.count = 0
    model = auto(**{"teacher": FitsSeen(), **options})
    with pytest.raises(error, match=match) as caught:
        model.fit(*table)
    assert "\n" not in str(caught.value)
    assert FitsSeen.count == 0
    with pytest.raises(NotFittedError):
        model.predict(table[0])


def test_rules_by_name_are_tried_where_they_fit() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    X, y = X[::3], y[::3]
    students = {
        "tree": DecisionTreeRegressor(max_leaf_nodes=6),
        "linear": LinearStudent(ridge=1.0),
    }
    auto = AutoDistiller(
        LogisticRegression(max_iter=5000),
        students,
        preset="fast",
        corrections=("adaptive_alpha", "logit_adjustment"),
        random_state=0,
    ).fit(StandardScaler().fit_transform(X), y)
    tried = {(c.student, str(c.correction), c.labels) for c in auto.choice_.candidates}
    alpha, shift = auto.corrections
    for student in students:
        # Labels of teachers that saw the rows say nothing of classes.
        assert (student, alpha, "cross-fitted") in tried
        assert (student, alpha, "in-sample") not in tried
    assert ("linear", shift, "cross-fitted") in tried
    assert not any(student == "tree" and rule == shift for student, rule, _ in tried)


def test_rules_that_fit_no_student_are_refused() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeRegressor(max_leaf_nodes=6)
    with pytest.raises(TypeError, match="cross-entropy where scores are shifted"):
        AutoDistiller(student=tree, corrections=["adaptive_margin"]).fit(X, y)
    with pytest.raises(ValueError, match="Did you mean 'confidence'"):
        AutoDistiller(student=tree, corrections=["confidense"]).fit(X, y)
    for wrong in ("confidence", 0.3):
        with pytest.raises(TypeError, match="corrections must be a list"):
            AutoDistiller(student=tree, corrections=wrong).fit(X, y)
