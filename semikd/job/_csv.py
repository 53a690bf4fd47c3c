"""Delimited text, read whole or refused with the line at which it breaks.

The fast reader tells neither the line of a ragged row nor that an open quotation mark
swallowed the rest of the file. So it reads, and where something is off a slow and
strict one says what.
"""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from semikd._validation import Shown
from semikd.encoding._values import NULL_WORDS
from semikd.exceptions import UsageError
from semikd.job._refusals import refusal

if TYPE_CHECKING:
    import pyarrow as pa

# The fast reader compares whole cells, so that blank ones are listed by their length.
_BLANKS = (" ", "  ", "   ", "    ")
DELIMITERS = (",", ";", "\t")
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_SAVE = "Save the file as UTF-8"
_QUOTE = "Close every quotation mark, and double those inside a quoted cell"
# Bytes read at a time where a file is only looked through.
_BLOCK = 1 << 20


def read_delimited(path: Path, name: str, text: Sequence[str]) -> "pa.Table":
    """Return the arrow table of a delimited file, every cell of it accounted for."""
    try:
        return _read(path, name, text)
    except UnicodeDecodeError:
        _refuse_undecodable(path, name)
        raise
    except csv.Error as error:
        raise refusal(name, "be well quoted", Shown(str(error)), _QUOTE) from None
    except (OSError, EOFError, zlib.error) as error:
        shown = Shown(" ".join(str(error).split()))
        remedy = "Pack or copy it again"
        raise refusal(name, "be a file that can be read", shown, remedy) from None


def _read(path: Path, name: str, text: Sequence[str]) -> "pa.Table":
    """Read fast, and once more slowly where the fast reader may have been misled."""
    _refuse_other_encodings(path, name)
    delimiter = _delimiter(path)
    header = next(_records(path, delimiter))
    _refuse_other_delimiters(header, name)
    check_names(header, name)
    table = _arrow(path, name, delimiter, text)
    clocks = [field.name for field in table.schema if str(field.type)[:6] == "time32"]
    clocks = [column for column in clocks if column not in text]
    if clocks:
        # A time of day is no number and no date: it stays as it is written.
        table = _arrow(path, name, delimiter, [*text, *clocks])
    if table.num_rows != _n_lines(path) - 1:
        # Some cells hold line breaks, or one quotation mark too many or too few.
        _refuse_another_count(table.num_rows, _scan(path, name, delimiter) - 1, name)
    return table


def no_rows(name: str) -> UsageError:
    """Return the refusal of a table without rows."""
    remedy = "Give a table with rows below the header"
    return refusal(name, "have rows", Shown("a header only"), remedy)


def _refuse_another_count(fast: int, slow: int, name: str) -> None:
    """Refuse a file whose quotation marks are read in two ways."""
    if fast != slow:
        shown = Shown(f"{slow} or {fast} rows, as its quotation marks are read")
        raise refusal(name, "be well quoted", shown, _QUOTE)


def check_names(names: Sequence[str], name: str) -> None:
    """Refuse column names that are empty or occur twice."""
    if "" in names:
        at = Shown(f"no name for column {list(names).index('') + 1}")
        raise refusal(name, "name every column", at, "Name it in the header line")
    twice = sorted({column for column in names if list(names).count(column) > 1})
    if twice:
        remedy = "Rename one of them, or add a header line if there is none"
        shown = Shown(f"{', '.join(map(repr, twice[:5]))} more than once")
        raise refusal(name, "name every column differently", shown, remedy)


def _arrow(
    path: Path,
    name: str,
    delimiter: str,
    text: Sequence[str],
) -> "pa.Table":
    """Return what the fast reader makes of the file, its complaints explained."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    convert = arrow_csv.ConvertOptions(
        null_values=[*sorted(NULL_WORDS), *_BLANKS],
        strings_can_be_null=True,
        column_types=dict.fromkeys(text, pa.string()),
        decimal_point=_decimal_point(path, delimiter),
    )
    parse = arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    try:
        table = arrow_csv.read_csv(path, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as error:
        _refuse_undecodable(path, name)
        if _scan(path, name, delimiter) < 2:
            raise no_rows(name) from None
        shown = Shown(" ".join(str(error).split()))
        raise refusal(name, "be a table of delimited text", shown) from None
    if any(pa.types.is_binary(field.type) for field in table.schema):
        _refuse_undecodable(path, name)
    return table


def _open(path: Path) -> BinaryIO:
    """Return the bytes of a file, unpacked if they are packed."""
    packed = path.suffix.lower() == ".gz"
    return cast("BinaryIO", gzip.open(path)) if packed else path.open("rb")


def _refuse_other_encodings(path: Path, name: str) -> None:
    """Refuse an empty file, and text that begins with the mark of another code."""
    with _open(path) as handle:
        head = handle.read(_BLOCK)
    for mark, code in _MARKS:
        if head.startswith(mark):
            raise refusal(name, "be UTF-8 text", Shown(f"{code} text"), _SAVE)
    if b"\x00" in head:
        line = head[: head.index(b"\x00")].count(b"\n") + 1
        raise refusal(
            name, "be UTF-8 text", Shown(f"a zero byte in line {line}"), _SAVE
        )
    if not head.removeprefix(codecs.BOM_UTF8).strip():
        remedy = "Give a table with a header line and rows below it"
        raise refusal(name, "have a header and rows", Shown("an empty file"), remedy)


def _refuse_undecodable(path: Path, name: str) -> None:
    """Refuse a file with bytes that are no UTF-8, naming the line and the byte."""
    with _open(path) as handle:
        for number, line in enumerate(handle, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                byte = f"byte 0x{line[error.start]:02x} in line {number}"
                raise refusal(name, "be UTF-8 text", Shown(byte), _SAVE) from None


def _records(path: Path, delimiter: str, strict: bool = False) -> Iterator[list[str]]:
    """Yield the records of a file that are not blank, the slow way."""
    for _, record in _numbered(path, delimiter, strict):
        yield record


def _numbered(
    path: Path, delimiter: str, strict: bool
) -> Iterator[tuple[int, list[str]]]:
    """Yield records with the number of the line on which they end."""
    with io.TextIOWrapper(_open(path), encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, delimiter=delimiter, strict=strict)
        for record in reader:
            if record:
                yield reader.line_num, record


def _delimiter(path: Path) -> str:
    """Return what separates the cells: a tab by name, else what the header has most."""
    if ".tsv" in (suffix.lower() for suffix in path.suffixes[-2:]):
        return "\t"
    widths = {mark: len(next(_records(path, mark))) for mark in DELIMITERS}
    return max(widths, key=lambda mark: widths[mark])


def _refuse_other_delimiters(header: list[str], name: str) -> None:
    """Refuse one column whose name holds what looks like another delimiter."""
    marks = [mark for mark in (*DELIMITERS, "|") if mark in header[0]]
    if len(header) == 1 and marks:
        constraint = "have its cells separated as its ending says"
        shown = Shown(f"one column, {header[0]!r}")
        remedy = "Separate cells by tabs in .tsv, by commas or semicolons in .csv"
        raise refusal(name, constraint, shown, remedy)


def _decimal_point(path: Path, delimiter: str) -> str:
    """Return the decimal point: a comma where semicolons separate and it looks so."""
    if delimiter != ";":
        return "."
    point, comma = 0, 0
    for at, record in enumerate(_records(path, delimiter)):
        bare = [cell.strip().lstrip("+-") for cell in record]
        point += sum(_is_decimal(cell, ".") for cell in bare)
        comma += sum(_is_decimal(cell, ",") for cell in bare)
        if at == 1000:
            break
    return "," if comma and not point else "."


def _is_decimal(cell: str, point: str) -> bool:
    """Return whether a cell is a number with this decimal point."""
    return cell.count(point) == 1 and cell.replace(point, "").isdecimal()


def _n_lines(path: Path) -> int:
    """Return the number of lines that are not blank."""
    n, ended = 0, True
    with _open(path) as handle:
        while block := handle.read(_BLOCK):
            codes = np.frombuffer(block, dtype=np.uint8)
            breaks = (codes == ord("\n")) | (codes == ord("\r"))
            # A line begins where anything else follows a line break.
            n += int(np.count_nonzero(breaks[:-1] & ~breaks[1:]))
            n += int(ended and not breaks[0])
            ended = bool(breaks[-1])
    return n


def _scan(path: Path, name: str, delimiter: str) -> int:
    """Count records the slow way, refusing the first line that breaks the table."""
    n, width, line = 0, 0, 0
    try:
        for line, record in _numbered(path, delimiter, strict=True):
            n += 1
            width = width or len(record)
            if len(record) != width:
                shown = Shown(f"{len(record)} in line {line}")
                remedy = "Put a cell that holds a separator in quotation marks"
                raise refusal(name, f"have {width} cells in every row", shown, remedy)
    except csv.Error as error:
        shown = Shown(f"{error} in the row that begins in line {line + 1}")
        raise refusal(name, "be well quoted", shown, _QUOTE) from None
    return n
