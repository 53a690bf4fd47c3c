"""Ctrl-C, remembered: compiled code sometimes swallows the exception that it raises.

A module that is imported from C, for instance, may take any failure of another import
for its absence, and a destructor reports it and goes on. The job would then go on as if
nothing had been asked.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interrupted", "interrupts_noted", "stop_if_interrupted"]

_asked: list[int] = []


@contextmanager
def interrupts_noted() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` on Ctrl-C, as ever, and remember it for later."""
    _asked.clear()
    is_main = threading.current_thread() is threading.main_thread()
    # Whoever answers Ctrl-C otherwise, or ignores it, keeps doing so.
    if not is_main or signal.getsignal(signal.SIGINT) != signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _note)
    hook, sys.unraisablehook = sys.unraisablehook, _unless_interrupted
    try:
        yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, signal.default_int_handler)


def interrupted() -> bool:
    """Return whether Ctrl-C came since the command began, swallowed or not."""
    return bool(_asked)


def stop_if_interrupted() -> None:
    """Raise ``KeyboardInterrupt`` if Ctrl-C came and was swallowed."""
    if interrupted():
        raise KeyboardInterrupt


def _note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """Answer Ctrl-C."""
    _asked.append(number)
    raise KeyboardInterrupt


def _unless_interrupted(unraisable: "sys.UnraisableHookArgs") -> None:
    """Report what a destructor could not raise, but for a Ctrl-C, which is noted."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
