"""Tables in: a file becomes a data frame of plain columns, or one line says why not."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from semikd._validation import Shown
from semikd.job._columns import to_frame
from semikd.job._csv import check_names, no_rows, read_delimited
from semikd.job._refusals import nearest, path_shown, refusal

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".parquet")
_PARQUET = (".parquet", ".pq")


def read_table(
    path: str | PathLike[str],
    *,
    text_columns: Sequence[str] = (),
    name: str = "TABLE",
) -> "pd.DataFrame":
    r"""Return the table of a file, of plain column types, or refuse it in one line.

    Cells become int64, float64, bool, datetime64 (in UTC) or text. A word that stands
    for a missing cell, such as ``NA``, ``?`` or nothing, is missing in every column;
    a column of integers or of true and false is float64 where cells are missing.

    Parameters
    ----------
    path : path-like
        A file that ends in .csv, .tsv, .txt (each also with .gz) or .parquet. Text is
        UTF-8 with a header line; commas, semicolons or tabs separate the cells,
        whichever the header has most of (.tsv: tabs). With semicolons, decimal commas
        are understood.
    text_columns : sequence of str, default=()
        Columns of delimited text that stay as they are written, so that "01" is not 1.
        In Parquet every column has a type of its own already.
    name : str, default='TABLE'
        What messages call the table.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    UsageError
        If there is no such file, or it is no such table: the message names what was
        expected, what came (with its line) and the remedy.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from semikd.job import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "ages.csv"
    ...     _ = path.write_text("age,code\n31,01\n?,02\n")
    ...     frame = read_table(path, text_columns=["code"])
    >>> frame["age"].tolist(), frame["code"].tolist()
    ([31.0, nan], ['01', '02'])
    """
    file = Path(path)
    _refuse_what_is_no_file(file, name)
    # No name is held on to the columns here: they are freed one by one.
    return to_frame(_read_columns(file, name, text_columns), name)


def _read_columns(
    file: Path, name: str, text: Sequence[str]
) -> "dict[str, pa.ChunkedArray]":
    """Return the columns of a file by name."""
    if file.suffix.lower() in _PARQUET:
        table = _read_parquet(file, name)
    else:
        table = read_delimited(file, name, text)
    if not table.num_rows:
        raise no_rows(name)
    return dict(zip(table.column_names, table.columns, strict=True))


def _refuse_what_is_no_file(file: Path, name: str) -> None:
    """Refuse a path at which no readable file of a known ending stands."""
    constraint = "be a file of a table"
    if file.is_dir():
        remedy = "Name a file in it"
        shown = Shown(f"the folder {path_shown(file)}")
        raise refusal(name, constraint, shown, remedy)
    if not file.exists():
        raise refusal(name, constraint, path_shown(file), _nearby(file))
    if not file.name.lower().endswith((*ENDINGS, *_PARQUET)):
        constraint = f"end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise refusal(name, constraint, path_shown(file), "Save it as one of these")
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        shown = Shown(f"{path_shown(file)} ({error.strerror})")
        remedy = "Give yourself the right to read it"
        raise refusal(name, "be a file that can be read", shown, remedy) from None


def _nearby(file: Path) -> str:
    """Return the remedy for a file that is not there."""
    try:
        known = sorted(entry.name for entry in file.parent.iterdir())
    except OSError:
        return f"There is no folder {path_shown(file.parent)}"
    remedy = nearest(file.name, known)
    if not remedy.startswith("Did you mean"):
        return "There is no such file"
    found = remedy.removeprefix("Did you mean ")
    return remedy if file.parent == Path() else f"Did you mean {found} in that folder"


def _read_parquet(file: Path, name: str) -> "pa.Table":
    """Return the arrow table of a Parquet file, without the index pandas stored."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # A single file: a data set would add columns named by the folders above it.
        with parquet.ParquetFile(file) as handle:
            schema = handle.schema_arrow
            names = [known for known in schema.names if known not in _index(schema)]
            check_names(names, name)
            return handle.read(columns=names)
    except (OSError, pa.ArrowException) as error:
        shown = Shown(" ".join(str(error).split()).rstrip("."))
        remedy = "Write or copy it again"
        raise refusal(name, "be a whole Parquet file", shown, remedy) from None


def _index(schema: "pa.Schema") -> set[str]:
    """Return the columns in which pandas stored an index that had no name."""
    return {column for column in schema.names if column.startswith("__index_level_")}
