"""Candidates judged by rows that neither their student nor any teacher of it saw."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from semikd._progress import Reporter, Step, silent
from semikd.crossfit import OutOfFold, row_hashes, take_rows
from semikd.distillation.added import AddedRows
from semikd.distillation.lessons import Lesson
from semikd.distillation.more_rows import MoreRows
from semikd.evaluation import Table
from semikd.evaluation.tasks import Task
from semikd.label_aware import named_correction
from semikd.losses import DistillationLoss, get_loss
from semikd.selection.candidates import Candidate
from semikd.selection.scoring import Metric, row_losses
from semikd.selection.sources import LabelBank
from semikd.selection.teaching import predicted, table_lesson, taught
from semikd.simplex import FloatArray
from semikd.students import Student, new_student

__all__ = ["Judge"]


class Judge:
    r"""The loss of every candidate on every row, each as if the row were new.

    .. math:: L_{ic} = \ell\bigl(y_i, \hat f_c^{(-a(i))}(x_i)\bigr)

    with :math:`\hat f_c^{(-a)}` the student of candidate c that learned from the rows
    outside part a, labelled by teachers that saw neither the row they label nor part a.

    Parameters
    ----------
    table : Table
        All rows.
    task : Task
        What is predicted.
    students : mapping from str to estimator
        Unfitted students by name.
    bank : LabelBank
        The labels.
    unlabelled : array-like of shape (n_new, d), optional
        Rows without outcomes, for candidates that learn from them.
    metric : str or scorer, optional
        See :func:`~semikd.selection.scoring.row_losses`; by default the task's own.
    n_jobs : int, optional
        Workers over students.
    seed : int
        Seed of the students.

    Attributes
    ----------
    losses : dict from Candidate to ndarray of shape (n,)
        NaN for rows that judge nobody.
    seconds : dict from Candidate to float
        Time spent on the students of each candidate.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection import Candidate
    >>> from semikd.selection.judging import Judge
    >>> from semikd.selection.sources import LabelBank
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) // 6, None, None)
    >>> bank = LabelBank(table, {"bayes": GaussianNB()}, cv=3, seed=0)
    >>> students = {"tree": DecisionTreeRegressor(max_depth=1)}
    >>> judge = Judge(table, Classification(), students, bank, seed=0)
    >>> judge.judge([Candidate("tree", "cross-fitted", "bayes")])
    >>> [losses.shape for losses in judge.losses.values()]
    [(12,)]
    """

    def __init__(
        self,
        table: Table,
        task: Task,
        students: Mapping[str, Any],
        bank: LabelBank,
        *,
        unlabelled: Any = None,
        metric: Metric = None,
        n_jobs: int | None = None,
        seed: int = 0,
    ) -> None:
        self.table, self.task, self.bank = table, task, bank
        self.students, self.n_jobs, self.seed = dict(students), n_jobs, seed
        self.unlabelled, self._loss = unlabelled, row_losses(metric, task)
        # Called with a ``Step`` as the students of each part start.
        self.progress: Reporter = silent
        self.losses: dict[Candidate, FloatArray] = {}
        self.seconds: dict[Candidate, float] = {}

    def judge(self, candidates: Sequence[Candidate]) -> None:
        """Judge candidates that were not judged before, each once."""
        new = [each for each in dict.fromkeys(candidates) if each not in self.losses]
        for each in new:
            for part in range(len(self.bank.folds.judging)):
                # Teachers are fitted here, one after the other.
                self.bank.inner(each.labels, each.teacher, part)
        # Kept one by one: what is done outlives a round that is given up.
        for each, losses, seconds in self._all_losses(new):
            self.losses[each] = losses
            self.seconds[each] = seconds

    def leaking_losses(self, candidate: Candidate) -> FloatArray:
        """Return what a search that is not nested would find of a candidate, (n,).

        Its students learn from labels of teachers that saw the rows that judge.
        """
        found = np.full(len(self.table.y), np.nan)
        for part, rows in enumerate(self.bank.folds.judging):
            record = self.bank.leaking(candidate.teacher, part)
            (found[rows],) = self._part([candidate], part, [record])
        return found

    def try_out(
        self, candidate: Candidate, record: OutOfFold, rows: NDArray[np.intp]
    ) -> None:
        """Teach a candidate some rows and score it on a quarter of them, to time it."""
        pair = self.lesson(candidate, record, rows)
        pair[1].teach(pair[0])
        by_outcome = np.argsort(self.table.y[rows], kind="stable")
        some = self.table.take(rows[by_outcome[::4]])
        said = predicted(pair, some)
        # What cannot score so few rows may well score those that judge.
        with suppress(ValueError):
            self._loss(said, some)

    def _all_losses(
        self, candidates: Sequence[Candidate]
    ) -> Iterator[tuple[Candidate, FloatArray, float]]:
        """Yield the losses of candidates on all rows that judge, and the seconds."""
        judging, together = self.bank.folds.judging, self._together(candidates)
        jobs = [(some, part) for some in together for part in range(len(judging))]
        # Trees and linear algebra leave Python's lock; nothing is copied to threads.
        dealt = Parallel(n_jobs=self.n_jobs, prefer="threads", return_as="generator")(
            delayed(self._timed)(some, part, Step("student", "", done, len(jobs)))
            for done, (some, part) in enumerate(jobs)
        )
        for some in together:
            losses, seconds = np.full((len(some), len(self.table.y)), np.nan), 0.0
            for rows in judging:
                found, spent = next(dealt)
                losses[:, rows], seconds = found, seconds + spent
            for each, own in zip(some, losses, strict=True):
                yield each, own, seconds / len(some)

    def _together(self, candidates: Sequence[Candidate]) -> list[list[Candidate]]:
        """Return candidates whose students are trained as one batch, side by side."""
        alone: list[list[Candidate]] = []
        batches: dict[str, list[Candidate]] = {}
        for each in candidates:
            student = new_student(self.students[each.student], 2, None, 0)
            if student.trains_in_batches:
                batches.setdefault(each.student, []).append(each)
            else:
                alone.append([each])
        return [*alone, *batches.values()]

    def _timed(
        self, some: Sequence[Candidate], part: int, step: Step
    ) -> tuple[list[FloatArray], float]:
        """Return the losses of candidates on one part, and the seconds."""
        self.progress(step)
        start = time.perf_counter()
        records = [self.bank.inner(each.labels, each.teacher, part) for each in some]
        losses = self._part(some, part, records)
        return losses, time.perf_counter() - start

    def _part(
        self, some: Sequence[Candidate], part: int, records: Sequence[OutOfFold]
    ) -> list[FloatArray]:
        """Return the losses of candidates on the rows of one part."""
        folds = self.bank.folds
        rows, held_out = folds.learning[part], self.table.take(folds.judging[part])
        lessons = [
            self.lesson(each, record, rows)
            for each, record in zip(some, records, strict=True)
        ]
        return [
            self._loss(predicted(pair, held_out), held_out) for pair in taught(lessons)
        ]

    def scale(self, candidate: Candidate, student: Student) -> DistillationLoss:
        """Return the scale on which a candidate's student is fitted."""
        if isinstance(candidate.loss, str) and candidate.loss == "auto":
            return self.task.scratch_loss(student)
        return get_loss(candidate.loss, auto=student.default_loss)

    def lesson(
        self, candidate: Candidate, record: OutOfFold, rows: Any
    ) -> tuple[Student, Lesson]:
        """Return an unfitted student, and what it learns of these rows."""
        own = self.table.take(rows)
        learner = self.students[candidate.student]
        student = new_student(learner, len(own.y), own.weights, self.seed)
        student.configure(candidate.setting)
        loss = self.scale(candidate, student)
        correction = named_correction(candidate.correction)
        lesson = table_lesson(
            own,
            self.task,
            student,
            record,
            loss=loss,
            correction=correction,
            added=self._added(candidate, record, own, rows),
            rules=self.bank.rules(record, correction, loss),
        )
        self.bank.keep_rules(record, correction, loss, lesson.rules)
        return student, lesson

    def _added(
        self, candidate: Candidate, record: OutOfFold, own: Table, rows: Any
    ) -> tuple[AddedRows, ...]:
        """Return rows without outcomes, made of the rows that learn and no others."""
        unlabelled = self._unlabelled_for(rows) if candidate.unlabelled else None
        return MoreRows.of(candidate.synthetic, unlabelled).label(
            record,
            own.X,
            weights=own.weights,
            groups=own.groups,
            random_state=self.seed,
        )

    def _unlabelled_for(self, rows: Any) -> Any:
        """Return the rows without outcomes that are copies of no row that judges.

        A student that met a row judges what it says of new ones too kindly.
        """
        known = self.bank.folds.rows
        judging = known.hashes[np.setdiff1d(known.active, rows)]
        kept = ~np.isin(row_hashes(self.unlabelled), judging)
        return take_rows(self.unlabelled, np.flatnonzero(kept))
