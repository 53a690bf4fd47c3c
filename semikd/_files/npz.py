"""Arrays in a file that numpy can read, and that is read without trusting it.

Sizes in the directory of the archive, headers and checksums are compared with each
other and with caps before an array is made; only plain numbers are known.
"""

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._files.checks import refusal
from semikd._validation import Shown, counted
from semikd.exceptions import ArtifactError

__all__ = ["MAX_ARRAYS", "Arrays", "open_archive", "read_arrays", "write_arrays"]

Arrays = dict[str, NDArray[Any]]

# All arrays of one small model, unpacked.
MAX_ARRAYS = 1 << 27

_MAX_MEMBERS = 256
_MAX_DIRECTORY = 1 << 16
_END = struct.Struct("<4s4H2LH")
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)

# The only header that this library and numpy write for an array of plain numbers.
_HEADER = re.compile(
    rb"\{'descr': '(\|[uib]1|<[ui][248]|<f[48])', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,10}, ?){0,5}(?:\d{1,10})?)\), \} *\n"
)


def write_arrays(arrays: Mapping[str, NDArray[Any]], *, packed: bool = True) -> bytes:
    """Return the bytes of an ``.npz``, the same for the same arrays.

    ``packed=False`` leaves the compression out: trained weights hardly shrink by it.
    """
    file = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", kind, compresslevel=9) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            # Unlike ascontiguousarray, this keeps a single number without axes.
            plain = np.asarray(arrays[name], order="C")
            plain = plain.astype(plain.dtype.newbyteorder("<"))
            np.lib.format.write_array(member, plain, version=(1, 0), allow_pickle=False)
            # No clock: the date is that of the format's beginning.
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = kind
            archive.writestr(info, member.getvalue())
    return file.getvalue()


def read_arrays(
    path: Path,
    data: bytes,
    axes: Mapping[str, tuple[str, int]],
    *,
    limit: int = MAX_ARRAYS,
    max_members: int = _MAX_MEMBERS,
) -> Arrays:
    """Return the arrays of an ``.npz``: exactly these names, kinds and numbers of axes.

    Parameters
    ----------
    path : Path
        Name of the file, for messages.
    data : bytes
        Its content.
    axes : mapping of str to tuple of str and int
        For each name the letter of the kind, such as 'f', and the number of axes.
    limit : int
        Most bytes of all arrays together.
    max_members : int
        Most arrays.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    ArtifactError
        If anything is not as it was written.
    """
    try:
        archive = open_archive(path, data, limit, max_members=max_members)
        names = {f"{name}.npy" for name in axes}
        if {info.filename for info in archive.infolist()} != names:
            others = {info.filename for info in archive.infolist()} ^ names
            shown = Shown(f"{sorted(others)[0]!r} missing or too many")
            raise refusal(path, f"hold {counted(len(names), 'array')}", shown)
        return {
            info.filename.removesuffix(".npy"): _array(path, archive, info, axes)
            for info in archive.infolist()
        }
    except ArtifactError:
        raise
    except _BROKEN as error:
        shown = Shown(f"{type(error).__name__}: {error}"[:200])
        raise refusal(path, "be an archive of arrays", shown) from None


def open_archive(
    path: Path, data: bytes, limit: int, *, max_members: int = _MAX_MEMBERS
) -> zipfile.ZipFile:
    """Return a zip archive whose members are few, distinct, plain and not too large."""
    _check_end(path, data, max_members)
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    if len({info.filename for info in members}) != len(members):
        raise refusal(path, "name each member once", Shown("a name twice"))
    plain = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    kinds = {(info.flag_bits & ~0x800, info.compress_type) for info in members}
    if not kinds <= {(0, kind) for kind in plain}:
        raise refusal(path, "be a plain archive", Shown("another"))
    total = sum(info.file_size for info in members)
    if total > limit:
        constraint = f"unpack to at most {limit:,} bytes"
        raise refusal(path, constraint, Shown(f"{total:,}"))
    return archive


def _check_end(path: Path, data: bytes, max_members: int) -> None:
    """Refuse an archive whose own count of members is large, or in another place."""
    end = data[-_END.size :]
    if len(data) < _END.size or not end.startswith(b"PK\5\6"):
        raise refusal(path, "be a zip archive", Shown(f"{len(data):,} other bytes"))
    _, _, _, here, members, size, start, comment = _END.unpack(end)
    # A second, 64-bit, end would be believed instead of this one.
    other_end = data[-_END.size - 20 :].startswith(b"PK\6\7")
    placed = start + size + _END.size == len(data)
    if comment or other_end or here != members or not placed:
        raise refusal(path, "end as a plain archive does", Shown("another end"))
    if members > max_members or size > _MAX_DIRECTORY * max(1, max_members >> 8):
        raise refusal(path, f"have at most {max_members} members", Shown(str(members)))


def read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a member that is as large as it says, never unpacking more."""
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        shown = Shown(f"{len(content):,} in {info.filename!r}")
        raise refusal(path, f"unpack to {info.file_size:,} bytes", shown)
    return content


def _array(
    path: Path,
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    axes: Mapping[str, tuple[str, int]],
) -> NDArray[Any]:
    """Return the array of one member, whose header must say what its length is."""
    content = read_member(path, archive, info)
    shown = repr(info.filename)
    length = int.from_bytes(content[8:10], "little")
    header = _HEADER.fullmatch(content[10 : 10 + length])
    if content[:8] != b"\x93NUMPY\x01\x00" or header is None:
        constraint = "hold arrays of plain numbers"
        raise refusal(path, constraint, Shown(f"another header in {shown}"))
    dtype = np.dtype(header[1].decode("ascii"))
    shape = tuple(int(axis) for axis in header[2].replace(b",", b" ").split())
    if (dtype.kind, len(shape)) != axes[info.filename.removesuffix(".npy")]:
        constraint = "hold arrays of the expected kinds"
        raise refusal(path, constraint, Shown(f"{dtype} of {shape} in {shown}"))
    if math.prod(shape) * dtype.itemsize != len(content) - 10 - length:
        constraint = "hold arrays as long as their headers say"
        raise refusal(path, constraint, Shown(f"shape {shape} in {shown}"))
    return np.frombuffer(content, dtype, offset=10 + length).reshape(shape)
