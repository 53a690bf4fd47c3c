"""A JSON file that names the others of its folder, with their hashes and its own.

It is written last and read first, so that a folder is either as it was written or is
refused. A hash tells damage, not who wrote the file.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from semikd._files.checks import (
    damaged,
    digest,
    parse_json,
    read_bytes,
    refusal,
    to_json,
)
from semikd._validation import Shown

__all__ = ["built", "file_entry", "read_named", "read_signed", "signed_json"]

Built = TypeVar("Built")


def signed_json(content: dict[str, Any]) -> bytes:
    """Return the text of a JSON file, one entry a line, its own hash at the end."""
    signed = {**content, "sha256": digest(content)}
    lines = [f"{to_json(name)}:{to_json(value)}" for name, value in signed.items()]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8")


def file_entry(data: bytes) -> dict[str, Any]:
    """Return what a signed file says of another one: its size and hash."""
    return {"bytes": len(data), "sha256": digest(data)}


def read_signed(path: Path, form: str, version: int, limit: int) -> dict[str, Any]:
    """Return the entries of a signed file; format, version and hash must be right.

    Parameters
    ----------
    path : Path
        The file.
    form : str
        Name of its format.
    version : int
        Newest version that can be read.
    limit : int
        Most bytes.

    Returns
    -------
    dict
        All entries but format, version and hash.

    Raises
    ------
    ArtifactError
        If the file cannot be read, or is not what was written.
    """
    content = parse_json(path, read_bytes(path, limit))
    if content.pop("format", None) != form:
        raise refusal(path, f"be of the format {form!r}", Shown("another"))
    stated_version = content.pop("version", None)
    if type(stated_version) is not int or stated_version < 1:
        raise refusal(path, "have a version", stated_version)
    if stated_version > version:
        constraint = f"be of format version {version} at most"
        raise refusal(path, constraint, stated_version, "Install a newer semikd")
    stated = content.pop("sha256", None)
    body = {"format": form, "version": stated_version, **content}
    if stated != built(path, lambda: digest(body)):
        raise refusal(path, "agree with its hash", Shown("changed content"))
    return content


def read_named(path: Path, name: str, files: Mapping[str, Any], limit: int) -> bytes:
    """Return the one other file that a signed file names, of stated size and hash.

    Parameters
    ----------
    path : Path
        The signed file.
    name : str
        The other file, in the same folder.
    files : mapping
        What the signed file says of other files.
    limit : int
        Most bytes.

    Returns
    -------
    bytes

    Raises
    ------
    ArtifactError
        If the file is not the one that is named.
    """
    other, stated = path.with_name(name), files.get(name)
    if set(files) != {name} or not isinstance(stated, dict):
        raise refusal(path, f"name the one file {name}", list(files))
    data = read_bytes(other, limit)
    if len(data) != stated.get("bytes"):
        constraint = f"have the {stated.get('bytes')} bytes that {path.name} states"
        raise refusal(other, constraint, len(data))
    if digest(data) != stated.get("sha256"):
        raise refusal(other, f"agree with {path.name}", Shown("another hash"))
    return data


def built(path: Path, build: Callable[[], Built]) -> Built:
    """Return what is built of checked parts; any failure is the file's."""
    try:
        # Numbers that overflow or signal are refused as such, without a warning before.
        with np.errstate(all="ignore"):
            return build()
    except Exception as error:
        # Whatever a hostile file provokes here is one line about this file.
        raise damaged(path, error) from None
