"""The form of the shortcuts that are exact: one fit, and algebra on what it saw."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit.folds import Rows
from semikd.crossfit.shortcuts.labels import (
    FallBack,
    FittedParts,
    Shortcut,
    fit_parts,
    split_pipeline,
)
from semikd.simplex import FloatArray

__all__ = ["OneFit"]

_NOTE = "the exact fit without each row"


@dataclass(frozen=True)
class OneFit:
    """A strategy made of what is said of a kind of learner.

    Parameters
    ----------
    handles : callable(learner) -> bool
        Whether the learner is of this kind.
    refusal : callable(learner, rows) -> str or None
        Why its settings, or these rows, rule exact labels out.
    without : callable(parts, y, rows) -> ndarray of shape (n, m)
        What the learner, fitted to all rows that count, would say of each row from a
        fit to the others; NaN where there is no honest label.
    missing : str
        What is wrong with the rows that have no label, to follow "12 of 100 rows".

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.crossfit.shortcuts.ridge import RIDGE
    >>> RIDGE.handles(Ridge())
    True
    """

    handles: Callable[[Any], bool]
    refusal: Callable[[Any, Rows], str | None]
    without: Callable[[FittedParts, NDArray[Any], Rows], FloatArray]
    missing: str

    def why_not(self, teacher: Any, X: Any, rows: Rows) -> str | None:
        """Return why the teacher cannot say what it would without a row.

        Parameters
        ----------
        teacher : estimator
            A learner, or a Pipeline that ends in one.
        X : array-like of shape (n, d)
            All rows.
        rows : Rows
            Identity, class, group and weight of each row.

        Returns
        -------
        str or None
            One clause in words; None if nothing stands against it.
        """
        parts = split_pipeline(teacher)
        if isinstance(parts, str):
            return parts
        learner = parts[1]
        if not self.handles(learner):
            return f"{type(learner).__name__} has other algebra"
        return self.refusal(learner, rows)

    def labels(
        self,
        teacher: Any,
        X: Any,
        y: NDArray[Any],
        rows: Rows,
        *,
        seed: int,
        n_jobs: int | None,
    ) -> Shortcut:
        """Fit once, and label each row as a fit to the rows that stay would.

        Parameters
        ----------
        teacher : estimator
            What ``why_not`` has nothing against.
        X : array-like of shape (n, d)
            All rows.
        y : ndarray of shape (n,) or (n, m)
            Class labels or outcomes.
        rows : Rows
            Identity, class, group and weight of each row.
        seed : int
            For the open seeds of the teacher.
        n_jobs : int or None
            Not used: the algebra takes what threads there are.

        Returns
        -------
        Shortcut

        Raises
        ------
        FallBack
            If only the fit shows that the labels cannot be had.
        """
        parts = fit_parts(teacher, X, y, rows, seed)
        return self._answer(self.without(parts, y, rows), parts.teacher)

    def _answer(self, said: FloatArray, fitted: Any) -> Shortcut:
        """Return the labels and the one teacher, if there are any labels."""
        if np.isnan(said).any(axis=1).all():
            raise FallBack(f"all rows {self.missing}")
        return Shortcut(said, fitted, _NOTE, self.missing)
