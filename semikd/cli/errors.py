"""How a command ends: well, or with one line on stderr that says why not.

A refusal (exit code 2) is something the user can put right; what is nobody's mistake
but ours (exit code 1) says so. Neither shows a traceback, unless ``SEMIKD_DEBUG`` is
set.
"""

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from semikd._text import for_stream
from semikd.cli.interrupts import interrupted, interrupts_noted

__all__ = ["note_written", "run"]

REFUSED, INTERRUPTED, UNREAD, MISTAKEN = 2, 130, 141, 1
# What the system refuses wherever it is asked, and a user can put right.
_SYSTEM = {errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EROFS}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}

# What a command has already put in its place, for a word about it on Ctrl-C.
_written: list[str] = []


def note_written(what: str) -> None:
    """Note that something is in its place, whatever happens from now on."""
    _written.append(what)


def run(
    argv: Sequence[str] | None = None, load: Callable[[], Any] | None = None
) -> int:
    """Run a command and return its exit code, whatever happens.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the name of the program; those of the process by default.
    load : callable, optional
        Returns the typer application; it may take its time.

    Returns
    -------
    int
        The exit code.
    """
    _written.clear()
    try:
        with _warnings_on_one_line(), interrupts_noted():
            code = _invoke(sys.argv[1:] if argv is None else list(argv), load or _app)
        # What is still in the buffer is written while it can be answered for.
        sys.stdout.flush()
    except BaseException as error:
        return _answer(error)
    return code


def _app() -> Any:
    """Return the application."""
    from semikd.cli.app import app

    return app


def _invoke(argv: list[str], load: Callable[[], Any]) -> int:
    """Run the command that the arguments name."""
    app = load()
    import typer

    command = typer.main.get_command(app)
    # Typer's own way to run a command prints boxes and ends the process.
    try:
        with command.make_context("semikd", argv) as context:
            result = command.invoke(context)
    except typer.Exit as ended:
        return int(ended.exit_code)
    except typer.Abort as aborted:
        raise KeyboardInterrupt from aborted
    return result if isinstance(result, int) and not isinstance(result, bool) else 0


def _answer(error: BaseException) -> int:
    """Return the exit code of what ended a command, having said what it was."""
    if os.environ.get("SEMIKD_DEBUG"):
        with suppress(OSError, ValueError):
            traceback.print_exception(error)
    interrupt = _interrupt(error)
    if interrupt is not None:
        _say(f"interrupted; {_what_stands(interrupt)}")
        return INTERRUPTED
    if isinstance(error, SystemExit):
        return _of_exit(error)
    if isinstance(error, BrokenPipeError):
        _close_output()
        return UNREAD
    refused = _refusal(error)
    _say(_mistake(error) if refused is None else refused)
    return MISTAKEN if refused is None else REFUSED


def _mistake(error: BaseException) -> str:
    """Return the line of what the user cannot put right, or only with less to do."""
    if isinstance(error, MemoryError):
        return "out of memory. Use fewer --jobs or a smaller table."
    what = f"{type(error).__name__}: {error}".rstrip(" .:")
    return f"{what}. This is a bug; set SEMIKD_DEBUG=1 to see where."


def _interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """Return the Ctrl-C behind an error.

    Imports fail of it, and compiled ones raise an error of theirs in its place that
    says nothing of it; what comes after Ctrl-C is therefore taken to come of it.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return seen
        seen = seen.__cause__ or seen.__context__
    return KeyboardInterrupt() if interrupted() else None


def _what_stands(interrupt: KeyboardInterrupt) -> str:
    """Return what was written before Ctrl-C."""
    if interrupt.args and interrupt.args[0]:
        return str(interrupt.args[0])
    return f"{_written[-1]} is complete" if _written else "nothing was written"


def _refusal(error: BaseException) -> str | None:
    """Return the line of a refusal, or None if the error is a mistake of ours."""
    from semikd import exceptions
    from semikd._validation import is_refusal

    if type(error).__name__ == "NoArgsIsHelpError":
        return "a command is needed. See semikd --help."
    if hasattr(error, "format_message"):
        return str(error.format_message())
    if isinstance(error, OSError) and error.errno in _SYSTEM | _NO_ROOM:
        return _of_system(error)
    text = str(error)
    if isinstance(error, ValueError) and hasattr(exceptions, type(error).__name__):
        return text
    return text if is_refusal(error) else None


def _of_system(error: OSError) -> str:
    """Return the line of what the system does not allow."""
    from semikd._validation import Shown, message

    known = error.filename is not None
    name = "a path" if known else "the output"
    where = f"{os.fspath(error.filename)!r} ({error.strerror})" if known else ""
    room = error.errno in _NO_ROOM
    remedy = "Make room, or name another place" if room else "Name another place"
    shown = Shown(where or str(error.strerror))
    return message(name, "be one that the system allows", shown, remedy)


def _of_exit(error: SystemExit) -> int:
    """Return the exit code of a call to exit."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    _say(str(error.code))
    return MISTAKEN


def _say(text: str) -> None:
    """Write one line to stderr, if anybody is there to read it."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"semikd: {for_stream(text, sys.stderr)}\n")
        sys.stderr.flush()


def _close_output() -> None:
    """Let the end of the process find nothing to write to a pipe that is closed."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def _warnings_on_one_line() -> Iterator[None]:
    """Show warnings without the line of code that they come from."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,  # noqa: ARG001
        lineno: int,  # noqa: ARG001
        file: TextIO | None = None,  # noqa: ARG001
        line: str | None = None,  # noqa: ARG001
    ) -> None:
        ours = category.__module__.startswith("semikd.")
        _say(f"warning: {message}" if ours else f"{category.__name__}: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
