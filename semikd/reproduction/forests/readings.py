"""The data sets of the paper, read, coded and divided as its released code does it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from semikd._validation import Shown, invalid, unknown
from semikd.datasets import Dataset, load_dataset
from semikd.datasets._categories import ADULT, declare
from semikd.simplex import FloatArray

__all__ = ["OPENML", "READINGS", "PaperTable", "Sides", "divided", "read_table"]

# In place of a folder: from openml.org, where the paper had three of its sets from.
OPENML = "openml"
TEST_SHARE = 0.3
_UNKNOWN_CODES = (-7, -8, -9)


@dataclass(frozen=True)
class Reading:
    """What is known of a data set of the paper.

    Parameters
    ----------
    metric : {'AUC', 'accuracy'}
        The published metric.
    openml : str, default=''
        Its name and version at openml.org, if the paper had it from there.
    order : str, default=''
        What is known of the order of rows, on which a seeded split depends.
    same_split : bool, default=True
        Whether a seed splits these rows as it split the paper's.
    n_test, n_columns : int or None, default=None
        Test rows and columns of the paper, where they are known.

    Examples
    --------
    >>> from semikd.reproduction.forests.readings import READINGS
    >>> READINGS["higgs"].metric
    'accuracy'
    """

    metric: str
    openml: str = ""
    order: str = ""
    same_split: bool = True
    n_test: int | None = None
    n_columns: int | None = None


_SAME_ORDER = "test file first, then the training file, as at openml.org"
_LIKELY_ORDER = "that of the UCI file; whether openml.org keeps it is not confirmed"
_OF_THE_FILE = "that of the file"
READINGS: Mapping[str, Reading] = {
    "adult": Reading("AUC", "openml:adult@2", _SAME_ORDER, True, 14_653, 14),
    "magic": Reading("AUC", "openml:MagicTelescope", _LIKELY_ORDER, False, 5_706, 10),
    "heloc": Reading("AUC", "", _OF_THE_FILE, True, 2_962, 23),
    "higgs": Reading("accuracy", "openml:higgs@2", _OF_THE_FILE, True, 29_415, 28),
    "stumbleupon": Reading("accuracy", "", "the split is the file's", True, 2_160),
    "fair": Reading("AUC", "", "not of the paper: for trials without files"),
}


@dataclass(frozen=True, eq=False)
class PaperTable:
    """A data set as numbers, before it is divided.

    Parameters
    ----------
    name : str
        Its name.
    metric : {'AUC', 'accuracy'}
        The published metric.
    X : ndarray of shape (n, d)
        Covariates: categories coded in declared order, gaps as NaN.
    y : ndarray of shape (n,)
        Classes 0 and 1, in the order of their names.
    fixed : tuple of ndarray, optional
        Training and test rows, where the file brings the split.
    """

    name: str
    metric: str
    X: FloatArray
    y: NDArray[np.intp]
    fixed: tuple[NDArray[np.intp], NDArray[np.intp]] | None = None

    def filled(self, rows: NDArray[np.intp] | None = None) -> FloatArray:
        """Return the covariates with gaps at the means of some rows, or of all."""
        known = self.X if rows is None else self.X[rows]
        gaps = np.isnan(self.X)
        return np.where(gaps, np.nanmean(known, axis=0), self.X)

    def unlike(self) -> str | None:
        """Return in what this is not the table of the paper, None if in nothing."""
        known, n = READINGS[self.name], len(self.y)
        n_test = len(self.fixed[1]) if self.fixed else math.ceil(TEST_SHARE * n)
        found = {"test rows": n_test, "columns": self.X.shape[1]}
        paper = {"test rows": known.n_test, "columns": known.n_columns}
        apart = [
            f"{found[what]:,} {what}, where the paper has {wanted:,}"
            for what, wanted in paper.items()
            if wanted not in (None, found[what])
        ]
        return "; ".join(apart) or None


@dataclass(frozen=True, eq=False)
class Sides:
    """Training and test rows of one split.

    Parameters
    ----------
    metric : {'AUC', 'accuracy'}
        The published metric.
    X, y : ndarray of shape (n, d) and (n,)
        Training rows.
    X_test, y_test : ndarray of shape (n_test, d) and (n_test,)
        Test rows.
    """

    metric: str
    X: FloatArray
    y: NDArray[np.intp]
    X_test: FloatArray
    y_test: NDArray[np.intp]


def read_table(name: str, data: Any = None) -> PaperTable:
    """Return a data set in the paper's reading.

    Parameters
    ----------
    name : str
        One of ``READINGS``.
    data : path, 'openml' or None, default=None
        The folder that holds one folder for each data set; None takes the environment
        variable ``SEMIKD_DATA``. 'openml' downloads the three sets that the paper had
        from there.

    Returns
    -------
    PaperTable

    Raises
    ------
    ValueError
        If the name is unknown, or openml.org does not have it.
    FileNotFoundError
        If its file is missing; the message says which file belongs where.

    Examples
    --------
    >>> from semikd.reproduction.forests.readings import read_table
    >>> read_table("fair").X.shape
    (6366, 8)
    """
    if name not in READINGS:
        raise unknown("--dataset", name, READINGS)
    dataset = _loaded(name, data)
    rows = np.arange(len(dataset.y))
    fixed = None
    if name == "heloc":
        rows = _with_content(dataset)
    if name == "stumbleupon":
        fixed = dataset.extra["train_index"], dataset.extra["test_index"]
    X = dataset.numeric()[rows]
    if name == "heloc":
        X = np.where(np.isin(X, _UNKNOWN_CODES), -9.0, X)
    classes, y = np.unique(np.asarray(dataset.y)[rows], return_inverse=True)
    if len(classes) != 2:
        raise invalid(name, "have two classes", Shown(f"{len(classes)}"))
    return PaperTable(name, READINGS[name].metric, X, y, fixed)


def divided(
    table: PaperTable, seed: int, n_rows: int | None = None, *, honest: bool = False
) -> Sides:
    """Return one split: 70/30 at random, not stratified, scaled by training rows.

    Parameters
    ----------
    table : PaperTable
        All rows.
    seed : int
        Seed of the split; a table with a split of its own has only that.
    n_rows : int, optional
        Training rows to keep, the first of them, for a trial.
    honest : bool, default=False
        Whether gaps are filled with means of training rows. The released code takes
        those of all rows, so that test rows have a say in them.

    Returns
    -------
    Sides

    Examples
    --------
    >>> from semikd.reproduction.forests.readings import divided, read_table
    >>> len(divided(read_table("fair"), 2357).y_test)
    1910
    """
    train, test = table.fixed or train_test_split(
        np.arange(len(table.y)), test_size=TEST_SHARE, random_state=seed
    )
    train = train[:n_rows]
    filled = table.filled(train if honest else None)
    X, X_test = filled[train], filled[test]
    if table.fixed is None:
        scaler = StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    return Sides(table.metric, X, table.y[train], X_test, table.y[test])


def _loaded(name: str, data: Any) -> Dataset:
    """Return the data set from a folder, from openml.org, or from a library."""
    if data != OPENML:
        return load_dataset(name, data_home=data)
    source = READINGS[name].openml
    if not source:
        remedy = "Pass the folder that holds its file"
        raise invalid("--data", f"be a folder for {name!r}", OPENML, remedy)
    try:
        dataset = load_dataset(source)
    except OSError as error:
        remedy = "Download the file, and pass its folder"
        shown = Shown(f"{type(error).__name__}: {error}")
        raise invalid("--data openml", "be reachable", shown, remedy) from None
    if name != "adult":
        return dataset
    frame: Any = dataset.X
    # Codes follow the declaration, whatever order the download has them in.
    return replace(dataset, X=declare(frame, ADULT))


def _with_content(dataset: Dataset) -> NDArray[np.intp]:
    """Return the rows in which anything at all is known."""
    unknown_all = np.isin(dataset.numeric(), _UNKNOWN_CODES).all(axis=1)
    return np.flatnonzero(~unknown_all)
