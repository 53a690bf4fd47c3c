"""A search that ends in time: round by round, as far as the clock allows."""

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semikd._progress import Reporter, Step
from semikd.exceptions import SemikdWarning
from semikd.selection.candidates import SCRATCH, Candidate
from semikd.selection.clock import Clock, OutOfTimeError
from semikd.selection.judging import Judge
from semikd.selection.plans import Round
from semikd.simplex import FloatArray

__all__ = ["Found", "search"]

# Of the time there is, from which on it is said that it was too little.
_LATE = 1.1


@dataclass(frozen=True)
class Found:
    """What a search did.

    Parameters
    ----------
    done : tuple of str
        Rounds that were judged, whole or in part, with the seconds they took.
    left_out : tuple of str
        Rounds that the rows did not allow, with the reason, or the time: with the
        seconds they would have taken, or after which, or after how many candidates,
        they were given up.

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
    start: float | None = None,
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
    start : float, optional
        When it began, by ``time.perf_counter``; by default now.
    progress : callable
        Called with a ``Step`` as each round starts.

    Returns
    -------
    Found

    Warns
    -----
    SemikdWarning
        If the time does not allow a single round: the first candidate of the first
        round, the simplest, is judged all the same. If the search took more than 1.1
        times its seconds.
    """
    clock = Clock(judge, seconds, start)
    done: list[str] = []
    left_out: list[str] = []
    for number, each in enumerate(rounds):
        progress(Step("round", each.name, number, len(rounds)))
        found = _tried(each, judge, clock)
        done += found.done
        left_out += found.left_out
    if not judge.losses:
        simplest = rounds[0].candidates({})[:1]
        warnings.warn(
            f"A time budget of {seconds:g} seconds is too short for a single round of "
            f"the search: only '{simplest[0]}' was fitted.",
            SemikdWarning,
            stacklevel=4,
        )
        judge.judge(simplest)
    else:
        _warn_of_late(time.perf_counter() - clock.start, seconds)
    progress(Step("round", "search", len(rounds), len(rounds)))
    return Found(tuple(done), tuple(left_out))


def _warn_of_late(spent: float, seconds: float | None) -> None:
    """Warn of a search that took longer than it had."""
    if seconds is None or spent <= _LATE * seconds:
        return
    warnings.warn(
        f"The search took {spent:.2g} seconds of a time budget of {seconds:g}: a fit "
        "that has begun is ended.",
        SemikdWarning,
        stacklevel=5,
    )


def _tried(each: Round, judge: Judge, clock: Clock) -> Found:
    """Judge what a round holds, as far as the rows and the time allow."""
    if each.unable:
        return Found((), (f"{each.name}: {each.unable}",))
    candidates = [
        one for one in each.candidates(_best(judge)) if one not in judge.losses
    ]
    if not candidates:
        return Found((), ())
    if (expected := clock.lacks(each, candidates)) is not None:
        return Found((), (f"{each.name}: about {expected:.2g} s",))
    began, known = time.perf_counter(), len(judge.losses)
    try:
        with clock.watching():
            judge.judge(candidates)
    except OutOfTimeError:
        spent = f"{time.perf_counter() - began:.1f} s"
        judged = len(judge.losses) - known
        if not judged:
            return Found((), (f"{each.name}: more than {spent}",))
        part = f"{judged} of {len(candidates)} candidates"
        left_out = f"{each.name}: more than {part}"
        return Found((f"{each.name}: {part}, {spent}",), (left_out,))
    return Found((f"{each.name}: {time.perf_counter() - began:.1f} s",), ())


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
