"""Words and arrays in a folder that is replaced in one step, or not at all.

A record is a signed JSON file and one archive of arrays, whose name ends in its hash.
The archive is written first and the JSON file takes the place of an older one in a
single move, so that whoever is killed in between leaves the older record.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._files.checks import damaged, refusal
from semikd._files.npz import Arrays, read_arrays, write_arrays
from semikd._files.signed import (
    built,
    file_entry,
    read_named,
    read_signed,
    signed_json,
)
from semikd._files.whole import whole_file
from semikd._validation import Shown, invalid

__all__ = ["RecordKind", "has_record", "read_record", "write_record"]

_MAX_JSON = 1 << 23
# Beyond this an archive has another end, which is not read.
_MAX_ARCHIVE = (1 << 31) - 1
_MAX_MEMBERS = 1 << 14
_MOST_AXES = 6
_NAME = re.compile(r"[^/\\\x00-\x1f]{1,200}")


@dataclass(frozen=True)
class RecordKind:
    """What is kept in a folder, and how it is told from anything else.

    Parameters
    ----------
    stem : str
        Name of the files: ``<stem>.json`` and ``<stem>-<hash>.npz``.
    what : str
        The thing in words, for messages: 'a saved network'.
    version : int, default=1
        Newest version of the format that can be read.
    max_bytes : int, default=1 GiB
        Most bytes of all arrays together; below 2 GiB.
    """

    stem: str
    what: str
    version: int = 1
    max_bytes: int = 1 << 30

    @property
    def form(self) -> str:
        """The format by the name that the file gives."""
        return f"semikd-{self.stem}"

    @property
    def file(self) -> str:
        """The name of the signed file."""
        return f"{self.stem}.json"

    def owns(self, name: str) -> bool:
        """Return whether a file of that name is of such a record, or of its writing."""
        stem = re.escape(self.stem)
        own = rf"{stem}\.json|{stem}-[0-9a-f]{{16}}\.npz"
        return bool(re.fullmatch(rf"({own})|\.({own})\.semikd-[0-9a-f]{{8}}", name))


def write_record(
    folder: str | os.PathLike[str],
    kind: RecordKind,
    content: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> int:
    """Write a record, in the place of an older one of its kind if there is one.

    Parameters
    ----------
    folder : path
        A folder that is new or empty, or holds a record of the kind.
    kind : RecordKind
        What is written.
    content : mapping
        JSON values by name.
    arrays : mapping of ndarray
        Plain numbers of at most six axes by name.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ValueError
        If the folder holds anything else, or the record could not be read again.
    OSError
        If nothing can be written there.

    Notes
    -----
    Both files are on the disk, not only in its cache, before the older record goes.
    """
    place = Path(folder)
    _refuse_foreign(place, kind)
    files = _record_files(kind, content, arrays)
    place.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        with whole_file(place / name) as path:
            path.write_bytes(data)
    for name in os.listdir(place):
        if name not in files and kind.owns(name):
            # What is left of an older record, or of a writer that was killed.
            with suppress(OSError):
                (place / name).unlink()
    return sum(len(data) for data in files.values())


def has_record(folder: str | os.PathLike[str], kind: RecordKind) -> bool:
    """Return whether a folder holds a record of that kind, whole or damaged."""
    return os.path.lexists(Path(folder) / kind.file)


def read_record(
    folder: str | os.PathLike[str], kind: RecordKind
) -> tuple[dict[str, Any], Arrays]:
    """Return what ``write_record`` wrote, or say in one line what is wrong with it.

    Parameters
    ----------
    folder : path
        The folder.
    kind : RecordKind
        What is expected there.

    Returns
    -------
    tuple of dict and dict of ndarray
        Content and arrays. The arrays cannot be written to.

    Raises
    ------
    ArtifactError
        If there is no such record, or a newer or damaged one.
    """
    place = Path(folder)
    path = place / kind.file
    # Unlike the method of a path, this raises nothing for names too long to exist.
    if not os.path.isdir(place) or not os.path.lexists(path):
        found = "none" if os.path.lexists(place) else "nothing of that name"
        raise refusal(place, f"be a folder with {kind.what}", Shown(found))
    entries = read_signed(path, kind.form, kind.version, _MAX_JSON)
    wanted = {"arrays": dict, "content": dict, "files": dict}
    if {name: type(value) for name, value in entries.items()} != wanted:
        constraint = f"have the entries of {kind.what}"
        raise refusal(path, constraint, Shown("others"))
    axes = built(path, lambda: _axes(entries["arrays"]))
    name = built(path, lambda: _archive_name(kind, entries["files"]))
    limit = kind.max_bytes + (1 << 12) * (len(axes) + 1)
    data = read_named(path, name, entries["files"], limit)
    arrays = read_arrays(
        place / name, data, axes, limit=limit, max_members=_MAX_MEMBERS
    )
    return entries["content"], arrays


def _record_files(
    kind: RecordKind, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> dict[str, bytes]:
    """Return the files of a record by name, the one that names the other last."""
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    axes = {name: [_letter(array.dtype), array.ndim] for name, array in plain.items()}
    try:
        _axes(axes)
        total = sum(array.nbytes for array in plain.values())
        if total > kind.max_bytes:
            constraint = f"take at most {kind.max_bytes:,} bytes"
            raise invalid("arrays", constraint, Shown(f"{total:,}"))
        data = write_arrays(plain, packed=False)
        if len(data) > _MAX_ARCHIVE:
            constraint = f"take at most {_MAX_ARCHIVE:,} bytes with their headers"
            raise invalid("arrays", constraint, Shown(f"{len(data):,}"))
        entry = file_entry(data)
        name = f"{kind.stem}-{entry['sha256'][:16]}.npz"
        named = signed_json(
            {
                "format": kind.form,
                "version": kind.version,
                "content": dict(content),
                "arrays": axes,
                "files": {name: entry},
            }
        )
        if len(named) > _MAX_JSON:
            constraint = f"take at most {_MAX_JSON:,} bytes"
            raise invalid("content", constraint, Shown(f"{len(named):,}"))
    except (TypeError, ValueError) as error:
        # Half of a surrogate pair in a name, or an infinite number.
        raise damaged(Path(kind.file), error) from None
    return {name: data, kind.file: named}


def _letter(dtype: np.dtype[Any]) -> str:
    """Return the kind of plain numbers, or another letter for those without a place."""
    short = dtype.kind == "f" and dtype.itemsize not in {4, 8}
    return "?" if short else dtype.kind


def _axes(stated: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Return kinds and numbers of axes of arrays; ``ValueError`` for what is none."""
    if len(stated) > _MAX_MEMBERS:
        raise invalid("arrays", f"be at most {_MAX_MEMBERS:,}", Shown(str(len(stated))))
    for name, entry in stated.items():
        if not _NAME.fullmatch(name):
            raise invalid("arrays", "have plain names", name)
        kinds = [[letter, n] for letter in "biuf" for n in range(_MOST_AXES + 1)]
        if entry not in kinds or any(type(part) is bool for part in entry):
            constraint = f"hold plain numbers on at most {_MOST_AXES} axes"
            raise invalid(f"array {name!r}", constraint, entry)
    return {name: (entry[0], entry[1]) for name, entry in stated.items()}


def _archive_name(kind: RecordKind, files: Mapping[str, Any]) -> str:
    """Return the name of the archive, which is one that is written here."""
    name = next(iter(files), "")
    if name == kind.file or name.startswith(".") or not kind.owns(name):
        raise invalid("files", f"name one {kind.stem}-....npz", list(files))
    return str(name)


def _refuse_foreign(place: Path, kind: RecordKind) -> None:
    """Refuse a place that is somebody's own."""
    if os.path.islink(place) or (os.path.lexists(place) and not place.is_dir()):
        shown = Shown(f"{str(place)!r}, a link or a file")
        raise invalid("folder", "be a folder, new or empty", shown)
    held = sorted(os.listdir(place)) if place.is_dir() else []
    foreign = [name for name in held if not kind.owns(name)]
    if foreign:
        shown = Shown(f"{str(place)!r}, which holds {foreign[0]!r}")
        constraint = f"be new, empty or hold {kind.what}"
        raise invalid("folder", constraint, shown, "Name another place")
