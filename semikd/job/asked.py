"""The teacher that was asked for; a user's own code runs, and is answered for.

Whatever that code raises ends the job in one line that names the teacher.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from semikd._validation import Shown, is_refusal
from semikd.evaluation import Table
from semikd.exceptions import UsageError
from semikd.job._refusals import nearest, refusal
from semikd.job.learners import named_teacher

__all__ = ["AskedTeacher", "answering_for", "asked_teacher", "imported_teacher"]

_TRIAL_ROWS = 300
# What a user's own code may raise; one that calls exit() would end the job in silence.
_RAISED = (Exception, SystemExit)


@dataclass(frozen=True)
class AskedTeacher:
    """The teacher that was asked for.

    Parameters
    ----------
    estimator : estimator
        Unfitted.
    reads_table : bool
        Whether it reads the raw table, and not what the encoder makes of it.
    """

    estimator: Any
    reads_table: bool


def asked_teacher(name: str, train: Table) -> AskedTeacher:
    """Return the teacher of a name or an import path, tried on a few raw rows.

    Parameters
    ----------
    name : str
        One of the names that ``named_teacher`` knows, or ``package.module:object``.
    train : Table
        Training rows with a raw frame as covariates.

    Returns
    -------
    AskedTeacher

    Raises
    ------
    UsageError
        If the import path names no estimator, or one that cannot learn from the table.
    """
    if ":" not in name:
        kind = named_teacher(name, classification=train.classification)
        return AskedTeacher(kind, reads_table=False)
    estimator = imported_teacher(name)
    reads_table = _reads_tables(estimator)
    if reads_table:
        with answering_for(name):
            _try(estimator, train)
    return AskedTeacher(estimator, reads_table)


def _reads_tables(teacher: Any) -> bool:
    """Return whether a teacher is made for raw tables.

    A Pipeline, or an estimator from anywhere but the usual libraries, is; a plain one
    of these reads numbers only.
    """
    package = type(teacher).__module__.partition(".")[0]
    plain = package in {"sklearn", "semikd", "xgboost", "lightgbm"}
    return not plain or hasattr(teacher, "steps")


def _try(teacher: Any, train: Table) -> None:
    """Let a user's own teacher learn from a few rows, before the work begins."""
    from sklearn.base import clone

    # Spread over the table, which may be sorted by its target.
    n_rows = len(train.y)
    few = train.take(np.arange(0, n_rows, -(-n_rows // _TRIAL_ROWS)))
    if few.classification and len(np.unique(few.y)) < 2:
        return
    fitted = clone(teacher).fit(few.X, few.y)
    answer = fitted.predict if not few.classification else fitted.predict_proba
    answer(few.X)


@contextmanager
def answering_for(name: str) -> Iterator[None]:
    """Turn what a user's own teacher raises into one line that names it."""
    try:
        yield
    except _RAISED as error:
        if ":" not in name or is_refusal(error):
            raise
        text = " ".join(f"{type(error).__name__}: {error}".split())
        constraint = "be able to learn from the table"
        remedy = (
            "A Pipeline, or an estimator of your own, gets it as a pandas frame, the "
            "target left out; a plain one gets numbers, missing cells as NaN"
        )
        raise refusal("--teacher", constraint, Shown(text[:200]), remedy) from error


def imported_teacher(path: str) -> Any:
    """Return the estimator that an import path names; its code runs.

    The working directory is looked in too, as Python itself does for scripts.

    Parameters
    ----------
    path : str
        ``package.module:object``: an estimator, or a function or class that returns one
        when called without arguments.

    Returns
    -------
    estimator

    Raises
    ------
    UsageError
        If the module cannot be imported, has no such object, or that is no estimator.

    Examples
    --------
    >>> from semikd.job.asked import imported_teacher
    >>> imported_teacher("sklearn.naive_bayes:GaussianNB")
    GaussianNB()
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        shape = "have the form package.module:object"
        raise refusal("--teacher", shape, path)
    found = _attribute(_module(module_name, path), name, path)
    if isinstance(found, type) or not hasattr(found, "fit"):
        found = _called(found, path)
    if not (hasattr(found, "fit") and hasattr(found, "get_params")):
        constraint = "name an estimator, or a function that returns one"
        shown = Shown(f"{type(found).__name__} from {path!r}")
        raise refusal("--teacher", constraint, shown)
    return found


def _module(name: str, path: str) -> Any:
    """Return the imported module, or one line on why there is none."""
    home = os.getcwd()
    if home not in sys.path:
        sys.path.insert(0, home)
    try:
        return importlib.import_module(name)
    except _RAISED as error:
        raise _failed(path, "be importable", error) from error


def _attribute(module: Any, name: str, path: str) -> Any:
    """Return the object of that (dotted) name in a module."""
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = [known for known in vars(found) if not known.startswith("_")]
            constraint = f"name something in {module.__name__!r}"
            raise refusal("--teacher", constraint, path, nearest(part, public))
        found = getattr(found, part)
    return found


def _called(found: Any, path: str) -> Any:
    """Return what a function or class gives when called without arguments."""
    if not callable(found):
        return found
    try:
        return found()
    except _RAISED as error:
        constraint = "be callable without arguments where it is no estimator"
        raise _failed(path, constraint, error) from error


def _failed(path: str, constraint: str, error: BaseException) -> UsageError:
    """Return the refusal that names what the user's own code raised."""
    shown = Shown(f"{path!r}, which raised {type(error).__name__}: {error}")
    return refusal("--teacher", constraint, Shown(" ".join(shown.split())))
