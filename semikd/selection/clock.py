"""What rounds of a search cost, and whether there is time: known before and watched.

Trials on few rows say what a round will cost. Where they were wrong, the steps that are
done foretell the others, and a round that would not end in time is given up.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray

from semikd._progress import Reporter, Step
from semikd.crossfit import content_split, fit_learner, seeded_clone, take_rows
from semikd.selection.candidates import SCRATCH, Candidate
from semikd.selection.judging import Judge
from semikd.selection.plans import Round
from semikd.selection.sources import taken

__all__ = ["Clock", "OutOfTimeError"]

# The share of the rows, and the fewest, on which a learner is timed beforehand; it is
# timed on three times as many, too.
_TRIAL, _FEWEST = 0.03, 300
# The fewest rows of a class, as long as it has so many.
_FEWEST_OF_CLASS = 10
# What is kept back of the time for what is not foreseen.
_SPARE = 0.1
Fit = Callable[[NDArray[np.intp]], None]


class OutOfTimeError(Exception):
    """Raised by a step of a round that would not end in time."""


class Clock:
    """The time of a search.

    Parameters
    ----------
    judge : Judge
        Who judges, and knows what was spent on students and teachers.
    seconds : float or None
        The time there is; None has no end.
    start : float, optional
        When it began, as ``time.perf_counter`` says it; by default now.

    Examples
    --------
    >>> from semikd.selection.clock import Clock
    >>> Clock(None, None).allows(1e9)
    True
    """

    def __init__(
        self, judge: Judge, seconds: float | None, start: float | None = None
    ) -> None:
        self.judge, self.seconds = judge, seconds
        self._began = time.perf_counter()
        self.start = self._began if start is None else start
        # By the identity of a learner, which is kept so that no other takes its place.
        self._trials: dict[int, tuple[Any, float, float]] = {}

    def allows(self, expected: float) -> bool:
        """Return whether there is time for this, and for the student that is kept."""
        return self.seconds is None or expected <= self._left()

    def lacks(self, each: Round, candidates: Sequence[Candidate]) -> float | None:
        """Return the seconds that a round would take if there is no time for it.

        Where no teacher must be fitted, time for one candidate is enough.
        """
        expected = self.cost(each, candidates)
        least = expected if each.teacher else self.cost(each, candidates[:1])
        return None if self.allows(least) else expected

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Raise ``OutOfTimeError`` from steps that would not end in time."""
        if self.seconds is None:
            yield
            return
        judge, folds = self.judge, self.judge.bank.folds
        known = folds.progress, judge.progress

        def heard(reporter: Reporter) -> Reporter:
            def listen(step: Step) -> None:
                self._check(step)
                reporter(step)

            return listen

        folds.progress, judge.progress = (heard(each) for each in known)
        try:
            yield
        finally:
            folds.progress, judge.progress = known

    def _check(self, step: Step) -> None:
        """Give up if steps to come, each as long as those done, end too late."""
        now, to_come = time.perf_counter(), step.total - step.done
        # The first step of its kind is slow: modules are loaded, workers start.
        if step.done <= 1:
            self._began = now
        each = (now - self._began) / max(1, step.done - 1)
        if step.stage == "student":
            # Of candidates those that are done are kept: time for the next is enough.
            to_come = min(to_come, len(self.judge.bank.folds.judging))
        # A few steps foretell little, and the last ones nearly all.
        each /= 1.0 + 0.5 * to_come / max(1, step.total)
        # What is done is kept, even where it took too long.
        if to_come and to_come * each > self._left():
            raise OutOfTimeError

    def _left(self) -> float:
        """Return the seconds left, less what the student that is kept will take."""
        assert self.seconds is not None  # noqa: S101 - asked where there is an end
        spent = time.perf_counter() - self.start
        kept = max(self.judge.seconds.values(), default=0.0) + self._last_teacher()
        return self.seconds * (1.0 - _SPARE) - spent - kept

    def _last_teacher(self) -> float:
        """Return the seconds of a teacher on all rows, should in-sample labels win."""
        bank, n_rows = self.judge.bank, len(self.judge.table.y)
        share = n_rows / sum(bank.folds.rows_of_fits)
        return float(share * max(bank.seconds.values(), default=0.0))

    def cost(self, each: Round, candidates: Sequence[Candidate]) -> float:
        """Return the seconds that a round will take, 0 where there is no limit."""
        if self.seconds is None:
            return 0.0
        new = [one for one in candidates if one not in self.judge.losses]
        students = sum(self._student(one.student) for one in new)
        workers = int(effective_n_jobs(self.judge.n_jobs))
        teachers = self._teacher(each.teacher) if each.teacher else 0.0
        # Teachers that use all cores by themselves gain less: they are watched.
        return (students + teachers) / workers

    def _student(self, student: str) -> float:
        """Return the seconds of one candidate: as much as others of its student."""
        judge = self.judge
        known = [s for one, s in judge.seconds.items() if one.student == student]
        if known:
            return float(np.median(known))
        simple = Candidate(student, SCRATCH)

        def fit(rows: NDArray[np.intp]) -> None:
            record = taken(judge.bank.outer(SCRATCH, ""), rows)
            judge.try_out(simple, record, rows)

        sizes = [len(rows) for rows in judge.bank.folds.learning]
        return self._foretold(judge.students[student], fit, sizes)

    def _teacher(self, name: str) -> float:
        """Return the seconds of all fits of a teacher that nested labels need."""
        bank, total = self.judge.bank, 0.0
        for each in bank.new_first_teachers(name):

            def fit(at: NDArray[np.intp], each: Any = each) -> None:
                rows = self.judge.table.take(at)
                fit_learner(seeded_clone(each, 0), rows.X, rows.y, rows.weights)

            total += self._foretold(each, fit, bank.folds.rows_of_fits)
        return total

    def _foretold(
        self,
        learner: Any,
        fit: Callable[[NDArray[np.intp]], None],
        sizes: Sequence[int],
    ) -> float:
        """Return the seconds of fits to so many rows, by a line through two trials."""
        if id(learner) not in self._trials:
            self._trials[id(learner)] = (learner, *self._line(fit))
        _, start, slope = self._trials[id(learner)]
        return sum(start + slope * n for n in sizes)

    def _line(self, fit: Fit) -> tuple[float, float]:
        """Return the seconds of a fit to no rows, and of each row more."""
        small, large = self._trial(1), self._trial(3)
        first = _seconds(fit, small)
        if not self.allows(first):
            # Another fit of as many rows would end too late.
            return first, 0.0
        # The first fit loads modules.
        few = min(first, _seconds(fit, small))
        if len(large) < 2 * len(small):
            # No fit has many more rows, and a slope would be noise.
            return few, 0.0
        if not self.allows(few * len(large) / len(small)):
            return 0.0, few / len(small)
        slope = max(0.0, _seconds(fit, large) - few) / (len(large) - len(small))
        return max(0.0, few - slope * len(small)), slope

    def _trial(self, times: int) -> NDArray[np.intp]:
        """Return positions of the rows on which something is timed.

        A teacher may refuse rows that lack a class, or that hold it once or twice.
        """
        table, active = self.judge.table, self.judge.bank.folds.rows.active
        codes = table.codes[active]
        share = content_split(
            take_rows(table.X, active),
            fraction=min(1.0, times * max(_TRIAL, _FEWEST / len(active))),
            random_state=0,
            strata=codes if table.classification else None,
        )
        if table.classification:
            for code in np.unique(codes):
                share[np.flatnonzero(codes == code)[:_FEWEST_OF_CLASS]] = True
        return active[share]


def _seconds(fit: Fit, rows: NDArray[np.intp]) -> float:
    """Return the seconds that a fit takes."""
    start = time.perf_counter()
    fit(rows)
    return time.perf_counter() - start
