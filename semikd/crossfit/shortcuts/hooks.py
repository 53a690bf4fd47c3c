"""Shortcuts that a teacher offers itself, by the methods that ``labels`` describes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import check_shape
from semikd.crossfit.copies import seeded_clone
from semikd.crossfit.folds import Rows
from semikd.crossfit.learners import finite_or_missing
from semikd.crossfit.rows import take_rows
from semikd.crossfit.shortcuts.distinct import distinct_units
from semikd.crossfit.shortcuts.labels import (
    FallBack,
    Shortcut,
    split_pipeline,
)

__all__ = ["Hook"]


@dataclass(frozen=True)
class Hook:
    """A strategy made of a method of the teacher's own.

    Parameters
    ----------
    method : {'leave_one_out', 'out_of_bag'}
        Its name.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.crossfit.shortcuts.hooks import Hook
    >>> Hook("leave_one_out").handles(Ridge())
    False
    """

    method: str

    def handles(self, learner: Any) -> bool:
        """Return whether the learner has the method."""
        return callable(getattr(learner, self.method, None))

    def why_not(self, teacher: Any, X: Any, rows: Rows) -> str | None:
        """Return why the method cannot be used here, or None."""
        parts = split_pipeline(teacher)
        return parts if isinstance(parts, str) else None

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
        """Let a seeded copy of the teacher fit itself and label its rows.

        Parameters
        ----------
        teacher : estimator
            Unfitted; a Pipeline that ``split_pipeline`` takes apart, or a learner.
        X, y : array-like
            All rows.
        rows : Rows
            Identity, group and weight of each row.
        seed : int
            For the open seeds of the copy.
        n_jobs : int or None
            Not used: the method has settings of its own.

        Returns
        -------
        Shortcut

        Raises
        ------
        ValueError
            If the method's answer has another shape, or is no probability.
        """
        copy = seeded_clone(teacher, seed)
        active, (_, unit) = rows.active, distinct_units(rows)
        table, parts = take_rows(X, active), split_pipeline(copy)
        if isinstance(parts, str):
            raise FallBack(parts)
        transformer, learner = parts
        if transformer is not None:
            # The steps are the copy's own, so that the copy is fitted with them.
            table = transformer.fit_transform(table)
        settings: dict[str, Any] = {"units": unit}
        if rows.weights is not None:
            settings["sample_weight"] = rows.weights[active]
        answer = getattr(learner, self.method)(table, y[active], **settings)
        said = np.asarray(answer, dtype=np.float64)
        said = said[:, None] if said.ndim == 1 else said
        width = None if rows.classes is None else len(rows.classes)
        check_shape(f"labels by {self.method}", said, (len(active), width))
        prediction = np.full((len(rows.hashes), said.shape[1]), np.nan)
        prediction[active] = finite_or_missing(
            said, classification=rows.classes is not None
        )
        return Shortcut(prediction, copy, "by a method of the teacher's own")
