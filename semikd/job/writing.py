"""Tables out: a file appears whole or not at all."""

import errno
import gzip
import io
import os
import sys
from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import IO, TYPE_CHECKING

from semikd._files.whole import whole_file
from semikd._validation import Shown
from semikd.job._refusals import path_shown, refusal

if TYPE_CHECKING:
    import pandas as pd


def write_table(
    frame: "pd.DataFrame",
    path: str | PathLike[str] | None,
    *,
    name: str = "--out",
) -> None:
    """Write a table without its index, as the ending of the path says.

    The file is written beside its place and then moved there, so that an older file
    stays as it was if anything goes wrong.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table. Missing cells are written empty.
    path : path-like or None
        A path that ends in .csv, .csv.gz, .tsv, .tsv.gz or .parquet; "-" or None
        writes comma-separated text to the standard output.
    name : str, default='--out'
        What messages call the path.

    Raises
    ------
    UsageError
        If the ending is another one, or the file cannot be written.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.job import write_table
    >>> write_table(pd.DataFrame({"row": [0, 1], "p(yes)": [0.25, 0.5]}), None)
    row,p(yes)
    0,0.25
    1,0.5
    """
    if path is None or fspath(path) == "-":
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    file = Path(path)
    write = _writer(frame, file, name)
    try:
        _write_whole(file, write)
    except OSError as error:
        remedy = _remedy(error)
        shown = Shown(f"{path_shown(file)} ({error.strerror or error})")
        raise refusal(name, "be a file that can be written", shown, remedy) from None


def _write_whole(file: Path, write: Callable[[Path], None]) -> None:
    """Write beside the file and move it; what is no plain file is written at once."""
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, "a folder")
    if file.exists() and not file.is_file():
        write(file)
        return
    # A link keeps leading to the file; one that leads to itself is replaced.
    with whole_file(Path(os.path.realpath(file))) as temporary:
        write(temporary)


def _writer(frame: "pd.DataFrame", file: Path, name: str) -> Callable[[Path], None]:
    """Return the function that writes the table to a path in the form of the file."""
    ending = file.name.lower()
    if ending.endswith(".parquet"):
        return lambda path: frame.to_parquet(path, index=False)
    mark = "\t" if ".tsv" in ending[-7:] else ","
    if ending.endswith((".csv", ".tsv")):
        return lambda path: _write_text(frame, path, mark)
    if ending.endswith((".csv.gz", ".tsv.gz")):
        return lambda path: _write_packed(frame, path, mark)
    constraint = "end in .csv, .csv.gz, .tsv, .tsv.gz or .parquet"
    raise refusal(
        name, constraint, path_shown(file), "Name it so, or '-' for the screen"
    )


def _write_text(frame: "pd.DataFrame", path: Path, mark: str) -> None:
    """Write delimited text."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        _write_lines(frame, handle, mark)


def _write_packed(frame: "pd.DataFrame", path: Path, mark: str) -> None:
    """Write packed text, the same bytes for the same table: no name and no time."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as handle,
    ):
        _write_lines(frame, handle, mark)


def _write_lines(frame: "pd.DataFrame", handle: IO[str], mark: str) -> None:
    """Write the lines of a table."""
    frame.to_csv(handle, index=False, sep=mark, lineterminator="\n")


def _remedy(error: OSError) -> str:
    """Return what to do about a file that cannot be written."""
    if error.errno == errno.ENOENT:
        return "Make the folder first"
    if error.errno == errno.ENOSPC:
        return "Make room on the disk, or name another place"
    return "Name another place"
