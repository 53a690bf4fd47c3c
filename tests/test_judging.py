"""What judges a candidate, against estimators fitted by hand and against leaks."""

import pickle
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from semikd import DistilledClassifier, LinearStudent, TorchStudent
from semikd.corrections import EstimatedCorrection
from semikd.evaluation import Classification, Table, pointwise_log_loss
from semikd.selection import Candidate
from semikd.selection.judging import Judge
from semikd.selection.leaks import leak_test
from semikd.selection.sources import LabelBank
from semikd.selection.winner import fit_winner, made_choice
from semikd.simplex import FloatArray

TREE = DecisionTreeRegressor(max_leaf_nodes=6, random_state=0)


def noisy_table(n: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    y = (X[:, 0] - X[:, 1] + 1.5 * rng.normal(size=n) > 0).astype(int)
    return Table(X, y, None, None)


def judge_of(
    table: Table, teacher: Any, student: Any = TREE, seed: int = 0, **options: Any
) -> Judge:
    bank = LabelBank(table, {"teacher": teacher}, cv=4, seed=seed, **options)
    return Judge(table, Classification(), {"student": student}, bank, seed=seed)


@pytest.fixture
def table() -> Table:
    return noisy_table(160, 0)


@pytest.mark.parametrize("correction", ["none", 0.3, "orthogonal"])
@pytest.mark.parametrize(
    ("labels", "student"),
    [
        ("in-sample", TREE),
        ("cross-fitted", TREE),
        ("half in-sample", TREE),
        ("one fit", TREE),
        ("cross-fitted", LinearStudent()),
    ],
)
def test_losses_are_those_of_the_estimator_fitted_without_each_part(
    table: Table, labels: str, student: Any, correction: Any
) -> None:
    judge = judge_of(table, LogisticRegression(), student)
    candidate = Candidate("student", labels, "teacher", correction=correction)
    judge.judge([candidate])
    folds = judge.bank.folds
    for part, (rows, held) in enumerate(
        zip(folds.learning, folds.judging, strict=True)
    ):
        record = judge.bank.inner(labels, "teacher", part)
        model = DistilledClassifier(
            student=clone(student), correction=correction, cv=record, random_state=0
        )
        model.fit(table.X[rows], table.y[rows])
        by_hand = pointwise_log_loss(model.predict_proba(table.X[held]), table.y[held])
        np.testing.assert_allclose(
            judge.losses[candidate][held], by_hand, rtol=1e-6, atol=1e-9
        )


def test_in_sample_labels_come_from_a_teacher_without_the_judging_rows(
    table: Table,
) -> None:
    judge = judge_of(table, GaussianNB())
    rows = judge.bank.folds.learning[1]
    alone = GaussianNB().fit(table.X[rows], table.y[rows])
    record = judge.bank.inner("in-sample", "teacher", 1)
    np.testing.assert_allclose(record.mean, alone.predict_proba(table.X[rows]))
    assert not record.honest


def test_a_student_from_scratch_learns_the_outcomes(table: Table) -> None:
    judge = judge_of(table, GaussianNB())
    candidate = Candidate("student", "scratch", settings=(("min_samples_leaf", 9),))
    judge.judge([candidate])
    rows, held = judge.bank.folds.learning[0], judge.bank.folds.judging[0]
    tree = clone(TREE).set_params(min_samples_leaf=9)
    tree.fit(table.X[rows], table.y[rows].astype(float))
    p = tree.predict(table.X[held])
    by_hand = pointwise_log_loss(np.column_stack([1 - p, p]), table.y[held])
    np.testing.assert_allclose(judge.losses[candidate][held], by_hand, rtol=1e-9)
    assert judge.bank.folds.n_fitted == 0


def test_the_winner_is_fitted_to_all_rows_by_honest_labels(table: Table) -> None:
    judge = judge_of(table, GaussianNB())
    candidate = Candidate("student", "cross-fitted", "teacher", correction=0.2)
    judge.judge([candidate])
    model = fit_winner(judge, candidate)
    nested = judge.bank.nested("teacher")
    np.testing.assert_array_equal(model.labels_.prediction, nested.outer.prediction)
    assert model.predict_proba(table.X).shape == (160, 2)


def test_the_winner_carries_no_teacher_of_the_search(table: Table) -> None:
    judge = judge_of(table, GaussianNB(), keep_teachers=True)
    model = fit_winner(judge, Candidate("student", "cross-fitted", "teacher"))
    assert judge.bank.outer("cross-fitted", "teacher").teachers
    assert b"theta_" not in pickle.dumps(model)


def test_labels_of_one_fit_are_not_tried_where_a_part_holds_all_of_a_class() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 2)), np.arange(90) % 3
    folds = np.where(y == 2, 0, np.arange(90) // 3 % 3)
    judge = judge_of(Table(X, y, None, None), LogisticRegression())
    assert judge.bank.has_one_fit("teacher")
    bank = LabelBank(judge.table, {"teacher": LogisticRegression()}, cv=folds)
    assert not bank.has_one_fit("teacher")


def test_copies_of_judging_rows_teach_nobody_who_is_judged_on_them(
    table: Table,
) -> None:
    class Deep(DecisionTreeRegressor):
        seen: ClassVar[list[Any]] = []

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            Deep.seen.append(X.copy())
            return super().fit(X, y, sample_weight)

    new = np.random.default_rng(5).normal(size=(20, 4))
    bank = LabelBank(table, {"teacher": GaussianNB()}, cv=4, keep_teachers=True)
    unlabelled = np.vstack([table.X, new])
    judge = Judge(
        table, Classification(), {"student": Deep()}, bank, unlabelled=unlabelled
    )
    judge.judge([Candidate("student", "cross-fitted", "teacher", unlabelled=True)])
    assert len(Deep.seen) == 4
    for rows, held in zip(Deep.seen, bank.folds.judging, strict=True):
        # The other rows, their copies, and what is new.
        assert len(rows) == 2 * (160 - len(held)) + 20
        assert not np.isin(table.X[held, 0], rows[:, 0]).any()


def test_networks_of_many_candidates_are_trained_as_one_batch(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    student = TorchStudent((4,), max_epochs=3, random_state=0, dtype="float64")
    candidates = [
        Candidate("student", "cross-fitted", "teacher", correction=weight)
        for weight in (0.0, 0.3)
    ]
    candidates.append(Candidate("student", "scratch"))
    sizes = []
    plain = TorchStudent.fit_many

    def spied(self: Any, X: Any, targets: Any, **options: Any) -> Any:
        sizes.append(len(targets))
        return plain(self, X, targets, **options)

    monkeypatch.setattr(TorchStudent, "fit_many", spied)
    together = judge_of(table, GaussianNB(), student)
    together.judge(candidates)
    assert sizes == [3] * 4
    for each in candidates:
        alone = judge_of(table, GaussianNB(), student)
        alone.judge([each])
        np.testing.assert_allclose(alone.losses[each], together.losses[each], rtol=1e-9)


def test_a_correction_is_estimated_once_for_all_students_of_the_same_labels(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    students = {f"{n}": DecisionTreeRegressor(max_leaf_nodes=n) for n in (2, 4, 8)}
    candidates = [
        Candidate(name, "cross-fitted", "teacher", correction="estimated", loss=loss)
        for name in students
        for loss in ("probability", "log_probability")
    ]

    def losses(*, shared: bool) -> tuple[list[FloatArray], int]:
        """Return the losses of all candidates, and how often a rule was fitted."""
        counted = []
        with monkeypatch.context() as patched:
            fit = EstimatedCorrection.fit

            def spy(self: Any, *arrays: Any, **more: Any) -> Any:
                counted.append(self)
                return fit(self, *arrays, **more)

            patched.setattr(EstimatedCorrection, "fit", spy)
            if not shared:
                patched.setattr(LabelBank, "keep_rules", lambda *_: None)
            bank = LabelBank(table, {"teacher": GaussianNB()}, cv=4, seed=0)
            judge = Judge(table, Classification(), students, bank, seed=0)
            judge.judge(candidates)
        return [judge.losses[each] for each in candidates], len(counted)

    together, once = losses(shared=True)
    apart, often = losses(shared=False)
    # Four parts on two scales; without sharing, for each of three students.
    assert (once, often) == (8, 24)
    for mine, theirs in zip(together, apart, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_candidate_that_is_named_twice_is_judged_once(table: Table) -> None:
    fits = 0

    class Counted(DecisionTreeRegressor):
        def fit(self, *args: Any, **options: Any) -> Any:
            nonlocal fits
            fits += 1
            return super().fit(*args, **options)

    judge = judge_of(table, GaussianNB(), Counted(max_leaf_nodes=6))
    candidate = Candidate("student", "cross-fitted", "teacher")
    judge.judge([candidate, candidate])
    judge.judge([candidate])
    assert fits == len(judge.bank.folds.judging)


def test_workers_change_nothing(table: Table) -> None:
    candidates = [
        Candidate("student", "cross-fitted", "teacher", correction=weight)
        for weight in (0.0, 0.5)
    ]
    found = []
    for n_jobs in (None, 2):
        judge = judge_of(table, RandomForestClassifier(5, random_state=0))
        judge.n_jobs = n_jobs
        judge.judge(candidates)
        found.append([judge.losses[each] for each in candidates])
    np.testing.assert_array_equal(*found)


def test_a_holdout_judges_alone(table: Table) -> None:
    judge = judge_of(table, GaussianNB(), holdout=0.25)
    candidate = Candidate("student", "cross-fitted", "teacher")
    judge.judge([candidate])
    (held,) = judge.bank.folds.judging
    np.testing.assert_array_equal(
        np.flatnonzero(np.isfinite(judge.losses[candidate])), held
    )
    with pytest.raises(ValueError, match="holdout must be None to look for leaks"):
        judge.leaking_losses(candidate)


def test_leaking_labels_have_teachers_of_the_same_size_that_saw_the_judges(
    table: Table,
) -> None:
    judge = judge_of(table, GaussianNB())
    folds = judge.bank.folds
    record = judge.bank.leaking("teacher", 0)
    rows = folds.learning[0]
    b, c = folds.judging[1], folds.judging[3]
    kept = np.setdiff1d(np.arange(160), np.union1d(b, c))
    teacher = GaussianNB().fit(table.X[kept], table.y[kept])
    assert np.isin(folds.judging[0], kept).all()
    at = np.searchsorted(rows, b)
    np.testing.assert_allclose(record.mean[at], teacher.predict_proba(table.X[b]))


class JudgeWithoutLeak(Judge):
    """A judge whose naive labels are honest ones, of teachers with another seed."""

    def leaking_losses(self, candidate: Candidate) -> Any:
        other = RandomForestClassifier(10, random_state=self.seed + 1000)
        bank = LabelBank(self.table, {"teacher": other}, cv=4, seed=self.seed)
        found = np.full(len(self.table.y), np.nan)
        for part, rows in enumerate(bank.folds.judging):
            record = bank.inner("cross-fitted", "teacher", part)
            (found[rows],) = self._part([candidate], part, [record])
        return found


def rejections(kind: type[Judge], n_sets: int) -> int:
    """How often a leak is found at the level of 5 % in tables of 200 rows."""
    found = 0
    student = DecisionTreeRegressor(min_samples_leaf=2, random_state=0)
    for seed in range(n_sets):
        table = noisy_table(200, seed)
        teacher = RandomForestClassifier(10, random_state=seed)
        bank = LabelBank(table, {"teacher": teacher}, cv=4, seed=seed)
        judge = kind(table, Classification(), {"student": student}, bank, seed=seed)
        judge.judge([Candidate("student", "cross-fitted", "teacher")])
        test = leak_test(judge, made_choice(judge))
        assert test is not None
        found += test.p_value < 0.05
    return found


def test_a_forest_leaks_into_a_student_that_copies_it() -> None:
    # The gap is some 0.16 nats with a standard deviation of 0.03 over tables; five of
    # eight come by chance once in 60,000.
    assert rejections(Judge, 8) >= 5


@pytest.mark.slow
def test_without_a_leak_there_is_an_alarm_in_five_of_a_hundred() -> None:
    # Exact two-sided band of 200 draws at 5 %, one in ten thousand outside; a level of
    # 15 % would leave it 19 times in 20.
    low, high = stats.binom.ppf([5e-5, 1.0 - 5e-5], 200, 0.05)
    assert low <= rejections(JudgeWithoutLeak, 200) <= high


def test_without_a_leak_alarms_are_few() -> None:
    # 8 draws at 5 %: more than 4 come once in 60,000, and half the time at 55 %.
    assert rejections(JudgeWithoutLeak, 8) <= 4


def test_the_error_of_a_leak_is_that_of_its_clusters(table: Table) -> None:
    """By hand: the gap of each cluster, and Student's law of as many less one."""
    units = np.arange(len(table.y)) // 2
    grouped = replace(table, groups=units)
    judge = judge_of(grouped, DecisionTreeClassifier(random_state=0))
    candidate = Candidate("student", "cross-fitted", "teacher")
    judge.judge([candidate])
    found = leak_test(judge, made_choice(judge))
    assert found is not None
    gaps = judge.losses[candidate] - judge.leaking_losses(candidate)
    n_units = int(units.max()) + 1
    moves = np.bincount(units, gaps - gaps.mean()) / len(gaps)
    error = np.sqrt(n_units / (n_units - 1) * (moves**2).sum())
    assert found.std_error == pytest.approx(error)
    assert found.p_value == pytest.approx(stats.t.sf(gaps.mean() / error, n_units - 1))


def test_the_leak_test_says_what_it_found(table: Table) -> None:
    judge = judge_of(table, DecisionTreeClassifier(random_state=0))
    judge.judge([Candidate("student", "cross-fitted", "teacher")])
    found = leak_test(judge, made_choice(judge))
    assert found is not None
    assert found.gap == pytest.approx(found.honest - found.naive)
    words = "flatter" if found.p_value < 0.05 else "no leak is shown"
    assert words in str(found)
    judge = judge_of(table, GaussianNB())
    judge.judge([Candidate("student", "scratch")])
    assert leak_test(judge, made_choice(judge)) is None
