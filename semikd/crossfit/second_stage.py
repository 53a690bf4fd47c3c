"""Teachers that improve what other teachers say, so that nothing is fitted twice.

Calibration, stacking and regressions of residuals have one shape: a *second stage* that
learns, from honest labels of other teachers, how to make better labels of them. A
teacher that has one offers::

    first_stage() -> sequence of teachers
    second_stage(answers, X, outcome, *, sample_weight=None, random_state=None) -> stage
    stage(answers, X) -> labels of shape (n, m)

where ``answers`` holds the labels of each first teacher, shape (n, m), and ``outcome``
the one-hot labels, or values, of the same rows. A second stage that divides the rows
again may ask for their ``groups`` by a keyword of that name. The stage of a fold learns
from the labels of the other folds: the first teachers are fitted once for each fold.

Notes
-----
No stage is shown the outcome of a row that it labels. The labels it learned from come
from teachers that were: what a stage fits carries a row's own outcome in the second
order only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.crossfit.fold_teachers import FoldLabels
from semikd.crossfit.folds import Rows
from semikd.crossfit.learners import finite_or_missing, predict_outputs
from semikd.crossfit.record import UNLABELLED
from semikd.crossfit.rows import Indices, take_rows
from semikd.simplex import FloatArray, one_hot

__all__ = [
    "Stage",
    "StagedModel",
    "apply_stage",
    "fit_stage",
    "outcomes",
    "stage_folds",
]

Stage = Callable[[list[FloatArray], Any], FloatArray]


@dataclass(frozen=True)
class StagedModel:
    """A fitted teacher of two stages.

    Parameters
    ----------
    first : tuple of estimators
        The fitted first teachers.
    stage : callable
        What makes labels of their answers.
    classes_ : ndarray of shape (k,) or None
        Class labels; None for a regression.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd.crossfit.second_stage import StagedModel
    >>> first = DummyRegressor().fit([[0.0]], [2.0])
    >>> StagedModel((first,), lambda answers, X: 2 * answers[0], None).predict([[1.0]])
    array([4.])
    """

    first: tuple[Any, ...]
    stage: Stage
    classes_: NDArray[Any] | None

    def predict_proba(self, X: Any) -> FloatArray:
        """Return the labels of new rows, shape (n, m)."""
        answers = [predict_outputs(each, X, self.classes_)[0] for each in self.first]
        return np.asarray(self.stage(answers, X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most likely class of each row, or its mean."""
        labels = self.predict_proba(X)
        if self.classes_ is None:
            return labels[:, 0] if labels.shape[1] == 1 else labels
        return np.asarray(self.classes_[labels.argmax(axis=1)])


def stage_folds(
    teacher: Any,
    said: Sequence[FoldLabels],
    X: Any,
    outcome: FloatArray,
    rows: Rows,
    seed: int,
) -> FoldLabels:
    """Return labels of the second stage, each fold's learned from the other folds.

    Parameters
    ----------
    teacher : estimator
        A teacher with a second stage.
    said : sequence of FoldLabels
        What each first teacher said, by the same folds.
    X : array-like of shape (n, d)
        All rows.
    outcome : ndarray of shape (n, m)
        One-hot labels, or values.
    rows : Rows
        Classes and weights.
    seed : int
        For what is random in the stages.

    Returns
    -------
    FoldLabels

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.fold_teachers import FoldLabels
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.second_stage import stage_folds
    >>> class Shift:
    ...     def second_stage(self, answers, X, outcome, **options):
    ...         off = (outcome - answers[0]).mean(axis=0)
    ...         return lambda answers, X: answers[0] + off
    >>> rows = Rows(np.arange(4, dtype=np.uint64), np.zeros(4, int), None, None, None)
    >>> said = FoldLabels(np.zeros((1, 4, 1)), np.array([[0, 0, 1, 1]]), ())
    >>> outcome = np.array([[1.0], [1.0], [2.0], [2.0]])
    >>> found = stage_folds(Shift(), [said], np.ones((4, 1)), outcome, rows, 0)
    >>> found.prediction[0, :, 0]
    array([2., 2., 1., 1.])
    """
    fold = said[0].fold
    prediction = np.full_like(said[0].prediction, np.nan)
    kept: list[tuple[Any, ...]] = []
    for r, own in enumerate(fold):
        answers = [each.prediction[r] for each in said]
        teachers = []
        for t in range(own.max() + 1):
            learn, label = (own != UNLABELLED) & (own != t), np.flatnonzero(own == t)
            stage = fit_stage(
                teacher, answers, X, outcome, rows, np.flatnonzero(learn), seed
            )
            held = [answer[label] for answer in answers]
            prediction[r, label] = apply_stage(stage, held, take_rows(X, label), rows)
            first = tuple(each.teachers[r][t] for each in said if each.teachers)
            teachers.append(StagedModel(first, stage, rows.classes))
        kept.append(tuple(teachers))
    if not all(each.teachers for each in said):
        kept = []
    return FoldLabels(
        prediction, fold, tuple(kept), all(each.in_a_batch for each in said)
    )


def fit_stage(
    teacher: Any,
    answers: Sequence[FloatArray],
    X: Any,
    outcome: FloatArray,
    rows: Rows,
    at: Indices,
    seed: int,
) -> Stage:
    """Return the second stage of a teacher, learned from the rows at these positions.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.second_stage import fit_stage
    >>> class Mean:
    ...     def second_stage(self, answers, X, outcome, **options):
    ...         return lambda answers, X: np.mean(answers, axis=0)
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> X, two = np.ones((2, 1)), [np.zeros((2, 1)), np.ones((2, 1))]
    >>> stage = fit_stage(Mean(), two, X, two[1], rows, np.arange(2), seed=0)
    >>> stage(two, X)[:, 0]
    array([0.5, 0.5])
    """
    labelled = np.isfinite(np.hstack([answer[at] for answer in answers])).all(axis=1)
    at = at[labelled]
    more: dict[str, Any] = {}
    if (
        rows.groups is not None
        and "groups" in signature(teacher.second_stage).parameters
    ):
        more["groups"] = rows.groups[at]
    stage: Stage = teacher.second_stage(
        [answer[at] for answer in answers],
        take_rows(X, at),
        outcome[at],
        sample_weight=None if rows.weights is None else rows.weights[at],
        random_state=seed,
        **more,
    )
    return stage


def apply_stage(
    stage: Stage, answers: list[FloatArray], X: Any, rows: Rows
) -> FloatArray:
    """Return the labels that a stage makes of these answers, checked.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.second_stage import apply_stage
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> apply_stage(lambda answers, X: answers[0], [np.ones((2, 1))], None, rows)
    array([[1.],
           [1.]])
    """
    said = np.asarray(stage(answers, X), dtype=np.float64)
    return finite_or_missing(said, classification=rows.classes is not None)


def outcomes(y: NDArray[Any], rows: Rows) -> FloatArray:
    """Return one-hot labels, or the values of a regression, shape (n, m).

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.second_stage import outcomes
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> outcomes(np.array([3.0, 5.0]), rows)
    array([[3.],
           [5.]])
    """
    if rows.classes is not None:
        return one_hot(rows.codes, len(rows.classes))
    values = np.asarray(y, dtype=np.float64)
    return values[:, None] if values.ndim == 1 else values
