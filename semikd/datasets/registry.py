"""The list of data sets and the one door through which they are loaded by name."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from semikd._validation import invalid, unknown
from semikd.datasets import (
    _brought,
    _bundled,
    _effects,
    _images,
    _openml,
    _tables,
)
from semikd.datasets._files import DataFolder
from semikd.datasets.record import Dataset

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Entry:
    """What is known of a data set before it is loaded; 0 classes mean a number."""

    load: Callable[[DataFolder], Dataset]
    where: str
    n_samples: int
    shape: tuple[int, ...]
    n_classes: int = 0
    task: str = "classification"


def _bundle(load: Callable[[], Dataset], where: str, n: int, d: int, k: int) -> _Entry:
    """Return the entry of a set that needs no folder."""
    task = "classification" if k else "regression"
    return _Entry(lambda _: load(), where, n, (d,), k, task)


def _table(load: Callable[[DataFolder], Dataset], n: int, d: int, k: int) -> _Entry:
    """Return the entry of a classification table read from files."""
    return _Entry(load, f"{load.__name__}/", n, (d,), k)


def _effect(
    load: Callable[[DataFolder], Dataset], where: str, n: int, d: int
) -> _Entry:
    """Return the entry of a treatment-effect table read from files."""
    return _Entry(load, f"{where}/", n, (d,), task="effect")


_ENTRIES = {
    "breast_cancer": _bundle(_bundled.breast_cancer, "scikit-learn", 569, 30, 2),
    "wine": _bundle(_bundled.wine, "scikit-learn", 178, 13, 3),
    "iris": _bundle(_bundled.iris, "scikit-learn", 150, 4, 3),
    "digits": _bundle(_bundled.digits, "scikit-learn", 1797, 64, 10),
    "diabetes": _bundle(_bundled.diabetes, "scikit-learn", 442, 10, 0),
    "fair": _bundle(_bundled.fair, "statsmodels", 6366, 8, 2),
    "randhie": _bundle(_bundled.randhie, "statsmodels", 20190, 9, 2),
    "spector": _bundle(_bundled.spector, "statsmodels", 32, 3, 2),
    "anes96": _bundle(_bundled.anes96, "statsmodels", 944, 5, 7),
    "adult": _table(_tables.adult, 48842, 14, 2),
    "magic": _table(_tables.magic, 19020, 10, 2),
    "bank_marketing": _table(_tables.bank_marketing, 41188, 19, 2),
    "spambase": _table(_tables.spambase, 4601, 57, 2),
    "letter": _table(_tables.letter, 20000, 16, 26),
    "covertype_15k": _table(_tables.covertype_15k, 15120, 54, 7),
    "electricity": _table(_tables.electricity, 45312, 6, 2),
    "heloc": _table(_brought.heloc, 10459, 23, 2),
    "higgs": _table(_brought.higgs, 98050, 28, 2),
    "stumbleupon": _Entry(_brought.stumbleupon, "stumbleupon/", 0, (), 2),
    "mnist": _Entry(_images.mnist, "mnist/", 70000, (28, 28), 10),
    "cifar10": _Entry(_images.cifar10, "cifar10/", 60000, (32, 32, 3), 10),
    "lalonde": _effect(_effects.lalonde, "lalonde", 445, 8),
    "lalonde_cps": _effect(_effects.lalonde_cps, "lalonde", 16177, 8),
    "pension401k": _effect(_effects.pension401k, "pension401k", 9915, 9),
    "penn_bonus": _effect(_effects.penn_bonus, "penn_bonus", 5099, 19),
    "ihdp": _effect(_effects.ihdp, "ihdp", 747, 25),
    "ihdp_2": _effect(partial(_effects.ihdp, replication=2), "ihdp", 747, 25),
    "ihdp_3": _effect(partial(_effects.ihdp, replication=3), "ihdp", 747, 25),
}


def load_dataset(
    name: str,
    *,
    data_home: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    verify: bool = True,
) -> Dataset:
    """Return a data set by name.

    Rows keep the order of the source; nothing is shuffled, split or imputed.

    Parameters
    ----------
    name : str
        A name of :func:`semikd.datasets.list_datasets`, or ``openml:NAME`` or
        ``openml:NAME@VERSION``; only the latter two use the network.
    data_home : path or None, default=None
        Folder with one folder per data set that is read from files; None takes the
        environment variable ``SEMIKD_DATA``. It is only read.
    cache : path or None, default=None
        Folder for decoded images and OpenML downloads; None takes ``semikd`` under
        ``$XDG_CACHE_HOME`` or ``~/.cache`` for images and scikit-learn's own folder
        for OpenML.
    verify : bool, default=True
        Whether files must have the known SHA-256; False takes them as they are, e.g.
        the original MNIST files, whose content is equal but compressed otherwise.

    Returns
    -------
    Dataset
        The data, with its description and licence.

    Raises
    ------
    ValueError
        If the name is unknown, a file has another checksum, or its content is not
        what the name promises.
    FileNotFoundError
        If a file is missing; the message says which, and where it belongs.

    Examples
    --------
    >>> from semikd.datasets import load_dataset
    >>> data = load_dataset("fair")
    >>> data
    Dataset('fair', classification, 6366 x 8)
    >>> int(data.y.sum())
    2053
    """
    if isinstance(name, str) and name.startswith(_openml.PREFIX):
        if name == _openml.PREFIX:
            raise invalid("name", "name a data set after 'openml:'", name)
        return _openml.from_openml(name, cache)
    if not isinstance(name, str) or name not in _ENTRIES:
        raise unknown("name", name, _ENTRIES)
    return _ENTRIES[name].load(DataFolder(data_home, cache, verify))


def list_datasets() -> "pd.DataFrame":
    """Return what can be loaded by name, one row each, without loading any of it.

    Returns
    -------
    pandas DataFrame
        Indexed by name, with ``task``, ``n_samples`` (0 where it depends on the file
        that is brought), ``shape`` (of one row), ``n_classes`` (0 for a numeric
        outcome) and ``where`` (the library that carries it, or its folder under
        ``data_home``).

    Examples
    --------
    >>> from semikd.datasets import list_datasets
    >>> table = list_datasets()
    >>> table.loc["fair", ["task", "where"]].tolist()
    ['classification', 'statsmodels']
    """
    import pandas as pd

    columns = ("task", "n_samples", "shape", "n_classes", "where")
    rows = [[getattr(entry, name) for name in columns] for entry in _ENTRIES.values()]
    index = pd.Index(list(_ENTRIES), name="name")
    return pd.DataFrame(rows, index=index, columns=list(columns))
