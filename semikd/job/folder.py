"""The folder of a result, which appears whole or not at all.

A job works in a hidden folder beside the place of its result, which is moved there in
one step at the end. A run that was killed leaves at most that hidden folder, whose name
says what it is; it is in nobody's way.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from semikd._files.whole import hidden_sibling, interrupts_deferred, replace_folder
from semikd._validation import Shown
from semikd.exceptions import UsageError
from semikd.job._refusals import path_shown, refusal

# Everything a result may hold: a folder with anything else in it is somebody's own.
OUR_FILES = frozenset(
    {
        "labels.csv.gz",
        "metrics.json",
        "model.json",
        "model.npz",
        "report.html",
        "student.skops",
    }
)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def result_folder(
    path: str | PathLike[str], *, force: bool = False, name: str = "--out"
) -> Iterator[Path]:
    """Yield a fresh folder to write to; it becomes ``path`` if all goes well.

    If anything is raised, Ctrl-C included, the fresh folder is removed and whatever
    stood at ``path`` stays as it was. Everything that can be refused is refused on
    entry, before any work is done.

    Parameters
    ----------
    path : path-like
        The place of the result. Folders above it are made, and removed again if the
        work fails.
    force : bool, default=False
        Whether an earlier result at that place may be replaced. A folder with any file
        that is not a result's is never replaced.
    name : str, default='--out'
        What messages call the path.

    Yields
    ------
    pathlib.Path
        The folder to write to, beside ``path``.

    Raises
    ------
    UsageError
        If something stands at ``path`` already, or nothing can be written there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from semikd.job import result_folder
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with result_folder(Path(home) / "out") as folder:
    ...         _ = (folder / "metrics.json").write_text("{}")
    ...     [file.name for file in (Path(home) / "out").iterdir()]
    ['metrics.json']
    """
    target = Path(os.path.abspath(path))
    _refuse_what_stands(target, path, force, name)
    temporary = hidden_sibling(target)
    made: list[Path] = []
    try:
        with interrupts_deferred():
            _make(temporary, made, path, name)
        yield temporary
        with interrupts_deferred(f"{path_shown(path)} is complete"):
            _refuse_what_stands(target, path, force, name)
            _place(temporary, target, path, name)
    except BaseException as error:
        with interrupts_deferred():
            _remove(temporary, made)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise _unwritable(path, error, name) from None
        raise


def _refuse_what_stands(
    target: Path, path: str | PathLike[str], force: bool, name: str
) -> None:
    """Refuse a place where something stands that is not to be replaced."""
    shown, constraint = path_shown(path), "be a folder that is new or empty"
    if target.is_symlink():
        what = Shown(f"{shown}, a symbolic link")
        raise refusal(name, constraint, what, "Name the folder itself, or another")
    if not target.exists():
        return
    if not target.is_dir():
        raise refusal(name, constraint, Shown(f"{shown}, a file"), "Name another place")
    if target in (Path.cwd(), *Path.cwd().parents) or os.path.ismount(target):
        remedy = "Name a new folder in it"
        raise refusal(name, constraint, Shown(f"{shown}, a folder in use"), remedy)
    try:
        held = sorted(entry.name for entry in target.iterdir())
    except OSError as error:
        raise _unwritable(path, error, name) from None
    foreign = [file for file in held if not _is_ours(target / file)]
    if foreign:
        what = Shown(f"{shown}, which holds {foreign[0]!r}")
        raise refusal(name, constraint, what, "Name another place")
    if held and not force:
        what = Shown(f"{shown}, which holds an earlier result")
        raise refusal(name, constraint, what, "Add --force to replace it")


def _is_ours(file: Path) -> bool:
    """Return whether a file is one that a result holds."""
    return file.name in OUR_FILES and file.is_file() and not file.is_symlink()


def _make(
    temporary: Path, made: list[Path], path: str | PathLike[str], name: str
) -> None:
    """Make the fresh folder and those above it, noting those that were not there."""
    missing = [folder for folder in temporary.parents if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        temporary.mkdir()
        # Some places let folders be made and nothing be put into them.
        (temporary / "metrics.json").touch()
        (temporary / "metrics.json").unlink()
    except OSError as error:
        raise _unwritable(path, error, name) from None


def _unwritable(path: str | PathLike[str], error: OSError, name: str) -> UsageError:
    """Return the refusal of a place where nothing can be written."""
    why = error.strerror or type(error).__name__
    full = error.errno in _FULL
    remedy = "Make room, or name another place" if full else "Name another place"
    shown = Shown(f"{path_shown(path)} ({why})")
    return refusal(name, "be a folder that can be written", shown, remedy)


def _place(temporary: Path, target: Path, path: str | PathLike[str], name: str) -> None:
    """Put the fresh folder in its place, or say why it cannot stand there."""
    try:
        replace_folder(temporary, target)
    except OSError as error:
        raise _unwritable(path, error, name) from None


def _remove(temporary: Path, made: list[Path]) -> None:
    """Remove the fresh folder, and those above it that were made for it."""
    shutil.rmtree(temporary, ignore_errors=True)
    for folder in reversed(made):
        with suppress(OSError):
            folder.rmdir()
