"""Out-of-fold labels as a file, tied to their rows, so that they outlive the job.

A table with one line for each labelled row: ``row``, its position among the rows of the
table, counted from 0; ``row_hash``, the hash of its covariates; ``fold``; and a column
``p(<class>)`` for each class, or ``mean`` for a regression.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit import OutOfFold
from semikd.job._label_rows import (
    UNLABELLED,
    hex_hashes,
    is_text,
    numbers,
    refuse_improper,
    refuse_key,
    refuse_missing_columns,
    refuse_other_rows,
    refuse_twice,
    rows_of_key,
    rows_of_position,
    whole,
)
from semikd.job.reading import read_table
from semikd.job.writing import write_table

if TYPE_CHECKING:
    import pandas as pd

FloatArray = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class BroughtLabels:
    """Labels from a file, in the order of the table's rows.

    Attributes
    ----------
    prediction : ndarray of shape (n, k)
        Class probabilities, or the mean of a regression (k = 1); NaN where the file
        has no label.
    fold : ndarray of int of shape (n,)
        Fold in which each row was held out; -1 where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.job import BroughtLabels
    >>> BroughtLabels(np.array([[0.25, 0.75]]), np.array([0])).fold
    array([0])
    """

    prediction: FloatArray
    fold: Indices

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Whether each row has no label in the file, shape (n,)."""
        return np.asarray(np.isnan(self.prediction).any(axis=1))


def write_labels(
    path: str | PathLike[str],
    labels: OutOfFold,
    *,
    rows: NDArray[Any],
    covariates: Any,
) -> None:
    """Write labels with their rows; rows without a label are left out.

    Parameters
    ----------
    path : path-like
        Where to, such as ``labels.csv.gz``.
    labels : OutOfFold
        Labels of n rows. Of several repeats the mean label is written, with the folds
        of the first.
    rows : ndarray of int of shape (n,)
        Positions of these rows in the table they come from.
    covariates : array-like of shape (n, d)
        Their covariates as the table has them, for the hash.

    Raises
    ------
    UsageError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.job import write_labels
    >>> X = np.array([[0.0], [0.0]])
    >>> labels = external_labels(X, [0.75, 0.5], classes=["no", "yes"], fold=[0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels.csv"
    ...     write_labels(path, labels, rows=np.array([3, 4]), covariates=X)
    ...     print(path.read_text())
    row,row_hash,fold,p(no),p(yes)
    3,0000000000000000,0,0.25,0.75
    4,0000000000000000,1,0.5,0.5
    <BLANKLINE>
    """
    import pandas as pd

    has = labels.labelled
    columns = {
        "row": rows[has],
        "row_hash": hex_hashes(covariates)[has],
        "fold": labels.fold[0, has],
    }
    classes = None if labels.classes is None else labels.classes.tolist()
    for at, column in enumerate(_columns(classes)):
        columns[column] = labels.mean[has, at]
    write_table(pd.DataFrame(columns), path)


def read_labels(
    path: str | PathLike[str],
    frame: "pd.DataFrame",
    *,
    classes: Sequence[Any] | None,
    key: str | None = None,
    covariates: Any = None,
) -> BroughtLabels:
    r"""Return the labels of a file, put beside the rows of a table.

    Parameters
    ----------
    path : path-like
        A file with a key, the column ``fold``, and ``p(<class>)`` for each class or
        ``mean``. What ``write_labels`` writes is such a file.
    frame : pandas.DataFrame
        The table, of n rows.
    classes : sequence or None
        Class labels of the table; None for a regression.
    key : str, optional
        A column of both tables that tells each row from the others. Without it the
        column ``row`` of the file holds positions of rows, counted from 0.
    covariates : array-like of shape (n, d), optional
        The table's covariates. If the file has hashes of them, they must agree.

    Returns
    -------
    BroughtLabels

    Raises
    ------
    UsageError
        If the file is no such table, names rows that the table does not have or names
        one twice, lacks a class, holds anything but probabilities, or was made for
        other rows.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from semikd.job import read_labels
    >>> frame = pd.DataFrame({"id": ["a", "b"], "x": [1, 2]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels.csv"
    ...     _ = path.write_text("id,fold,p(no),p(yes)\nb,0,0.25,0.75\n")
    ...     read_labels(path, frame, classes=["no", "yes"], key="id").prediction
    array([[ nan,  nan],
           [0.25, 0.75]])
    """
    if key:
        refuse_key(frame, key)
    # Keys that are words in the table stay words, and a hash is never a number.
    text = ["row_hash", *([key] if key and is_text(frame, key) else [])]
    given = read_table(path, text_columns=text, name="--labels")
    wanted = _columns(classes)
    refuse_missing_columns(given, [key or "row", "fold", *wanted])
    rows = rows_of_key(given, frame, key) if key else rows_of_position(given, frame)
    refuse_twice(rows, given, key or "row")
    if covariates is not None and "row_hash" in given.columns:
        refuse_other_rows(given, rows, hex_hashes(covariates))
    labels = numbers(given, wanted)
    if classes is not None:
        refuse_improper(labels, wanted)
    prediction = np.full((len(frame), len(wanted)), np.nan)
    fold = np.full(len(frame), UNLABELLED, dtype=np.intp)
    prediction[rows], fold[rows] = labels, whole(given, "fold", low=UNLABELLED)
    return BroughtLabels(prediction, fold)


def _columns(classes: Sequence[Any] | None) -> list[str]:
    """Return the names of the columns that hold the labels."""
    return ["mean"] if classes is None else [f"p({label})" for label in classes]
