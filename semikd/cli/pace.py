"""How long the rest of a job takes, told by the steps that are already done."""

from semikd._progress import Step

__all__ = ["Pace", "duration"]


class Pace:
    """Seconds that steps took, by stage, and what they foretell.

    The present step takes the mean of its stage so far, and those to come the mean of
    all. Steps that count to another total are another count, which starts afresh.

    Examples
    --------
    >>> from semikd._progress import Step
    >>> from semikd.cli.pace import Pace
    >>> pace = Pace()
    >>> pace.start(Step("fold", "fold 1 of 3", 0, 3), now=0.0)
    >>> pace.left(now=1.0) is None
    True
    >>> pace.start(Step("fold", "fold 2 of 3", 1, 3), now=2.0)
    >>> pace.left(now=3.0)
    3.0
    """

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}
        self._step: Step | None = None
        self._began = 0.0

    def start(self, step: Step, now: float) -> None:
        """Note that a step starts, and that the one before it is done."""
        before, self._step = self._step, step
        if before is None or step.total != before.total or step.done < before.done:
            self._seconds, self._began = {}, now
            return
        n_done = step.done - before.done
        if n_done:
            # Steps that are reported together took the same share each.
            share = (now - self._began) / n_done
            self._seconds.setdefault(before.stage, []).extend([share] * n_done)
            self._began = now

    def left(self, now: float) -> float | None:
        """Return the seconds that are left, or None before anything was measured."""
        if self._step is None or not self._seconds:
            return None
        step = self._step
        n_ahead = step.total - step.done - 1
        if n_ahead < 0:
            return 0.0
        every = [one for seconds in self._seconds.values() for one in seconds]
        alike = self._seconds.get(step.stage, every)
        return max(0.0, _mean(alike) - (now - self._began)) + n_ahead * _mean(every)


def _mean(seconds: list[float]) -> float:
    """Return the mean of some durations."""
    return sum(seconds) / len(seconds)


def duration(seconds: float) -> str:
    """Return a time such as 0:07 or 1:02:03."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}"
