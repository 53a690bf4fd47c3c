"""Reading what others wrote: nothing is opened, parsed or kept before it was measured.

Whatever is wrong with a file becomes one ``ArtifactError`` of one line that names it.
"""

import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from semikd._validation import Shown, counted, message
from semikd.exceptions import ArtifactError

__all__ = ["digest", "parse_json", "read_bytes", "refusal", "to_json"]

_DEEPEST = 32

# A string, or what is left of the text where one does not end. Possessive, so that no
# text makes it search twice.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def refusal(
    path: Path, constraint: str, value: object, remedy: str = ""
) -> ArtifactError:
    """Return the error that names a file and what is wrong with it."""
    said = message("", constraint, value, remedy)
    return ArtifactError(printable(f"{path}{_shortened(said)}"))


def damaged(path: Path, error: BaseException) -> ArtifactError:
    """Return the error for a file whose content was refused for a reason."""
    reason = str(error) or type(error).__name__
    return ArtifactError(printable(f"{path}: {_shortened(reason)}"))


def _shortened(text: str) -> str:
    """Return text without its middle where it is long: names in a file may be."""
    return text if len(text) <= 500 else f"{text[:400]} ... {text[-60:]}"


def printable(text: str) -> str:
    """Return text on one line, without what a terminal could take for a command."""
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most ``limit`` bytes."""
    # No links, and no waiting for the other end of a pipe; Windows has neither flag.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        # Opened by `open` itself, so that it closes what turns out to be a folder.
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise refusal(path, "be a regular file", Shown("something else"))
            if status.st_size > limit:
                shown = Shown(f"{status.st_size:,}")
                raise refusal(path, f"have at most {limit:,} bytes", shown)
            content = file.read(limit + 1)
    except OSError as error:
        constraint = "be a regular file that can be read"
        shown = Shown(error.strerror or type(error).__name__)
        raise refusal(path, constraint, shown) from None
    if len(content) > limit:
        raise refusal(path, f"have at most {limit:,} bytes", Shown("more"))
    return content


def parse_json(path: Path, text: bytes) -> dict[str, Any]:
    """Return the object that a JSON text holds; no deep one, no NaN, no name twice."""
    brackets = np.frombuffer(_STRING.sub(b"", text), dtype=np.uint8)
    steps = np.isin(brackets, list(b"[{")).astype(np.int32)
    steps -= np.isin(brackets, list(b"]}"))
    if steps.cumsum().max(initial=0) > _DEEPEST:
        constraint = f"be nested at most {_DEEPEST} deep"
        raise refusal(path, constraint, Shown("more"))
    try:
        content = json.loads(
            text.decode("utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise refusal(path, "be JSON", Shown(str(error))) from None
    if not isinstance(content, dict):
        raise refusal(path, "be a JSON object", Shown(type(content).__name__))
    return content


def _refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which are no JSON."""
    raise ValueError(f"the number {name}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, refusing a name that comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = counted(len(pairs) - len(found), "repeated name")
        raise ValueError(twice)
    return found


def to_json(content: object) -> str:
    """Return the one JSON text of a content: sorted, compact, in full Unicode."""
    return json.dumps(
        content,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def digest(content: bytes | dict[str, Any]) -> str:
    """Return the SHA-256 of bytes, or of the one JSON text of an object."""
    if isinstance(content, dict):
        content = to_json(content).encode("utf-8")
    return hashlib.sha256(content).hexdigest()
