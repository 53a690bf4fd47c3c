"""Files and folders that appear whole or not at all.

Whatever is written is first written beside its place, under a name that says so, and
then moved. Ctrl-C during the move waits until the move is over.
"""

import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType


def hidden_sibling(path: Path) -> Path:
    """Return a fresh name beside a path, such as .out.semikd-3f9a01bc."""
    return path.with_name(f".{path.name}.semikd-{secrets.token_hex(4)}")


@contextmanager
def interrupts_deferred(done: str = "") -> Iterator[None]:
    """Let Ctrl-C wait for the end of a block, and say then what was done in it."""
    # Only the main thread ever gets it.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        waiting.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        # A handler that was not set from Python cannot be put back.
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
    if waiting:
        raise KeyboardInterrupt(done)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it takes the place of ``path`` when all went well."""
    temporary = hidden_sibling(path)
    try:
        yield temporary
        _flush(temporary)
        with interrupts_deferred(f"{str(path)!r} is complete"):
            os.replace(temporary, path)
            _flush(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def replace_folder(temporary: Path, target: Path) -> None:
    """Put a fresh folder in its place, and the older one back if that fails."""
    if not target.exists():
        temporary.rename(target)
        return
    older = hidden_sibling(target)
    target.rename(older)
    try:
        temporary.rename(target)
    except BaseException:
        older.rename(target)
        raise
    shutil.rmtree(older, ignore_errors=True)


def _flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    # Windows opens no folders, and some file systems cannot flush them.
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
