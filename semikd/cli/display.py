"""What a long command shows while it runs: a bar in a terminal, lines anywhere else."""

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from semikd._progress import Step
from semikd._text import for_stream, visible
from semikd.cli.pace import Pace, duration

if TYPE_CHECKING:
    from semikd.cli.live import LiveBar

__all__ = ["Display"]

# A step of many that took fewer seconds is not worth a line.
_AT_ONCE = 0.05


class Display:
    """A listener to the steps of a job, for a human.

    In a terminal, a bar with the present step, the time it has taken and the time that
    is left; it disappears at the end, and leaves the cursor as it was even after
    Ctrl-C. Elsewhere, a line for each stage that is done.

    Parameters
    ----------
    stream : text file, optional
        Where to; stderr by default.
    clock : callable, optional
        Returns the time in seconds.

    Examples
    --------
    >>> import io
    >>> from semikd._progress import Step
    >>> from semikd.cli.display import Display
    >>> out, seconds = io.StringIO(), iter([0.0, 2.5, 4.0, 5.0])
    >>> with Display(stream=out, clock=lambda: next(seconds)) as display:
    ...     display.start("reading", "reading the table")
    ...     display.progress(Step("fold", "fold 1 of 2", 0, 2))
    ...     display.progress(Step("fold", "fold 2 of 2", 1, 2))
    ...     display.progress(Step("done", "", 2, 2))
    >>> print(out.getvalue(), end="")
    semikd: reading the table: 2.5 s
    semikd: fold, 2 steps: 2.5 s
    """

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._pace = Pace()
        self._lines = _StageLines(self._stream)
        self._bar: LiveBar | None = None
        # Steps may be reported from the threads of a pool.
        self._lock = threading.Lock()

    def __enter__(self) -> "Display":
        if self._stream.isatty():
            from semikd.cli.live import live_bar

            began = self._clock()
            self._bar = live_bar(self._stream, lambda: self._times(began))
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            self._lines.end(self._clock)

    def start(self, stage: str, label: str) -> None:
        """Show that something starts of which nobody knows how many steps it has."""
        self.progress(Step(stage, label, 0, 0))

    def progress(self, step: Step) -> None:
        """Show that a step starts."""
        with self._lock:
            now = self._clock()
            self._pace.start(step, now)
            if self._bar is not None:
                self._bar.show(visible(step.label or step.stage), step.done, step.total)
            else:
                self._lines.start(step, now)

    def _times(self, began: float) -> str:
        """Return the time taken and the time left."""
        now = self._clock()
        left = self._pace.left(now)
        taken = duration(now - began)
        return taken if left is None else f"{taken}, {duration(left)} left"


class _StageLines:
    """Lines of the stages that are done, each a run of steps of one stage."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._first: Step | None = None
        self._last = ""
        self._began = 0.0
        self._n_steps, self._done = 0, -1

    def start(self, step: Step, now: float) -> None:
        """Note a step, and write the line of the stage that it ends."""
        is_last = 0 < step.total <= step.done
        if self._first is not None and (is_last or step.stage != self._first.stage):
            self.end(lambda: now)
        if is_last:
            return
        if self._first is None:
            self._first, self._began, self._n_steps = step, now, 0
            self._done = -1
        # A step may say more than once how far it is.
        self._n_steps += self._done != step.done
        self._done, self._last = step.done, step.label

    def end(self, clock: Callable[[], float]) -> None:
        """Write the line of the present stage, if there is one."""
        first, self._first = self._first, None
        if first is None:
            return
        seconds = clock() - self._began
        if first.total and seconds < _AT_ONCE:
            return
        what = first.label or first.stage
        if self._n_steps > 1:
            what = f"{self._common(first)}{first.stage}, {self._n_steps} steps"
        line = f"semikd: {for_stream(what, self._stream)}: {seconds:.1f} s\n"
        self._stream.write(line)
        self._stream.flush()

    def _common(self, first: Step) -> str:
        """Return what the labels of a stage have in common, up to a comma."""
        whole, comma, _ = first.label.rpartition(", ")
        return whole + comma if self._last.startswith(whole + comma) else ""
