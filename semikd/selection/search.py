"""A search that ends in time: what a round costs is known before it starts."""

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semikd._progress import Reporter, Step
from semikd.crossfit import content_split, fit_learner, seeded_clone, take_rows
from semikd.exceptions import SemikdWarning
from semikd.selection.candidates import SCRATCH, Candidate
from semikd.selection.judging import Judge
from semikd.selection.plans import Round
from semikd.selection.sources import taken
from semikd.simplex import FloatArray

__all__ = ["Found", "search"]

# The share of the rows, and the fewest, on which a teacher is timed beforehand.
_TRIAL, _FEWEST = 0.05, 300
# The fewest rows of a class, as long as it has so many.
_FEWEST_OF_CLASS = 10
# What is kept back of the time for what is not foreseen.
_SPARE = 0.1


@dataclass(frozen=True)
class Found:
    """What a search did.

    Parameters
    ----------
    done : tuple of str
        Rounds that were judged, with the seconds they took.
    left_out : tuple of str
        Rounds that the time did not allow, with the seconds they would have taken.

    Examples
    --------
    >>> from semikd.selection.search import Found
    >>> Found(("students from scratch: 0.1 s",), ()).left_out
    ()
    """

    done: tuple[str, ...]
    left_out: tuple[str, ...]


def search(
    judge: Judge,
    rounds: Sequence[Round],
    *,
    seconds: float | None = None,
    progress: Reporter,
) -> Found:
    """Judge what the rounds hold, as far as the time goes.

    Parameters
    ----------
    judge : Judge
        Who judges.
    rounds : sequence of Round
        What is tried, in this order.
    seconds : float, optional
        The time there is; None has no end.
    progress : callable
        Called with a ``Step`` as each round starts.

    Returns
    -------
    Found

    Warns
    -----
    SemikdWarning
        If the time does not allow a single round: the first candidate of the first
        round, the simplest, is judged all the same.
    """
    clock = _Clock(judge, seconds)
    done, left_out = [], []
    for number, each in enumerate(rounds):
        progress(Step("round", each.name, number, len(rounds)))
        candidates = each.candidates(_best(judge))
        expected = clock.cost(each, candidates)
        if not clock.allows(expected):
            left_out.append(f"{each.name}: about {expected:.0f} s")
            continue
        start = time.perf_counter()
        judge.judge(candidates)
        done.append(f"{each.name}: {time.perf_counter() - start:.1f} s")
    if not judge.losses:
        simplest = rounds[0].candidates({})[:1]
        warnings.warn(
            f"A time budget of {seconds:g} seconds is too short for a single round of "
            f"the search: only '{simplest[0]}' was fitted.",
            SemikdWarning,
            stacklevel=4,
        )
        judge.judge(simplest)
    progress(Step("round", "search", len(rounds), len(rounds)))
    return Found(tuple(done), tuple(left_out))


def _best(judge: Judge) -> Mapping[str, Candidate]:
    """Return the best candidate that has a teacher, of each student."""
    best: dict[str, Candidate] = {}
    for each, losses in judge.losses.items():
        if each.labels == SCRATCH:
            continue
        known = best.get(each.student)
        if known is None or _mean(judge, losses) < _mean(judge, judge.losses[known]):
            best[each.student] = each
    return best


def _mean(judge: Judge, losses: FloatArray) -> float:
    """Return the weighted mean loss of the rows that judge."""
    seen = np.isfinite(losses)
    weights = judge.table.weights
    return float(
        np.average(losses[seen], weights=None if weights is None else weights[seen])
    )


class _Clock:
    """What rounds will cost, by trials beforehand and by what has been measured."""

    def __init__(self, judge: Judge, seconds: float | None) -> None:
        self.judge, self.seconds = judge, seconds
        self.start = time.perf_counter()

    def allows(self, expected: float) -> bool:
        """Return whether there is time for this, and for the student that is kept."""
        if self.seconds is None:
            return True
        spent = time.perf_counter() - self.start
        kept = max(self.judge.seconds.values(), default=0.0) + self._last_teacher()
        left = self.seconds * (1.0 - _SPARE) - spent - kept
        return expected <= left

    def _last_teacher(self) -> float:
        """Return the seconds of a teacher on all rows, should in-sample labels win."""
        bank, n_rows = self.judge.bank, len(self.judge.table.y)
        fits = {
            # Teachers of stages cross-fit their first ones once more.
            name: 6.0 if hasattr(bank.teachers[name], "second_stage") else 1.0
            for name in bank.seconds
        }
        of_one = {
            name: spent * n_rows / bank.folds.n_row_fits
            for name, spent in bank.seconds.items()
        }
        return max((fits[name] * of_one[name] for name in of_one), default=0.0)

    def cost(self, each: Round, candidates: Sequence[Candidate]) -> float:
        """Return the seconds that a round will take, 0 where there is no limit."""
        if self.seconds is None:
            return 0.0
        new = [one for one in candidates if one not in self.judge.losses]
        students = sum(self._student(one) for one in new)
        return students + (self._teacher(each.teacher) if each.teacher else 0.0)

    def _student(self, candidate: Candidate) -> float:
        """Return the seconds of one candidate: as much as others of its student."""
        known = [
            seconds
            for one, seconds in self.judge.seconds.items()
            if one.student == candidate.student
        ]
        if known:
            return float(np.median(known))
        start = time.perf_counter()
        judge, rows = self.judge, self._trial()
        record = taken(judge.bank.outer(SCRATCH, ""), rows)
        simple = Candidate(candidate.student, SCRATCH)
        student, lesson = judge.lesson(simple, record, rows)
        lesson.teach(student)
        spent = time.perf_counter() - start
        parts = len(judge.bank.folds.judging)
        return spent * parts * len(judge.table.y) / len(rows)

    def _teacher(self, name: str) -> float:
        """Return the seconds of all fits of a teacher that nested labels need."""
        bank, total = self.judge.bank, 0.0
        rows = self.judge.table.take(self._trial())
        for each in bank.new_first_teachers(name):
            start = time.perf_counter()
            fit_learner(seeded_clone(each, 0), rows.X, rows.y, rows.weights)
            spent = time.perf_counter() - start
            total += spent * bank.folds.n_row_fits / max(1, len(rows.y))
        return total

    def _trial(self) -> NDArray[np.intp]:
        """Return positions of the rows on which something is timed.

        A teacher may refuse rows that lack a class, or that hold it once or twice.
        """
        table, active = self.judge.table, self.judge.bank.folds.rows.active
        codes = table.codes[active]
        share = content_split(
            take_rows(table.X, active),
            fraction=min(1.0, max(_TRIAL, _FEWEST / len(active))),
            random_state=0,
            strata=codes if table.classification else None,
        )
        if table.classification:
            for code in np.unique(codes):
                share[np.flatnonzero(codes == code)[:_FEWEST_OF_CLASS]] = True
        return active[share]
