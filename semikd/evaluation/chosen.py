"""An arm that a search chose: which labels it learns from, made anew for each refit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from sklearn.base import clone

from semikd.crossfit import OutOfFold, row_hashes
from semikd.crossfit.record import OUTCOMES
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task
from semikd.losses import DistillationLoss
from semikd.students import new_student

__all__ = ["ChosenArm", "chosen_recipe", "half_in_sample", "outcome_labels"]


class ChosenArm(Protocol):
    """What was chosen: ``semikd.selection.Candidate`` is such a record.

    Examples
    --------
    >>> from semikd.evaluation.chosen import ChosenArm
    >>> from semikd.selection import Candidate
    >>> arm: ChosenArm = Candidate("tree", "in-sample", "boosting")
    >>> arm.labels
    'in-sample'
    """

    @property
    def labels(self) -> str:
        """Who labels: 'scratch', 'in-sample', 'cross-fitted', 'one fit' or a half."""

    @property
    def loss(self) -> str | DistillationLoss:
        """The scale."""

    @property
    def correction(self) -> Any:
        """The weight of the outcome."""

    @property
    def synthetic(self) -> Any:
        """Synthetic rows that are added."""

    @property
    def setting(self) -> Mapping[str, Any]:
        """Parameters of the student that differ, by name."""


def chosen_recipe(recipe: Any, chosen: ChosenArm, train: Table, seed: int) -> Any:
    """Return the recipe with what was chosen for it.

    Parameters
    ----------
    recipe : DistilledClassifier or DistilledRegressor
        Teacher and student.
    chosen : ChosenArm
        Scale, correction, synthetic rows, and settings of the student.
    train : Table
        The training rows, by which the default student is made.
    seed : int
        Seed of a student that is made here.

    Returns
    -------
    DistilledClassifier or DistilledRegressor

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import DistilledClassifier
    >>> from semikd.evaluation import Table
    >>> from semikd.evaluation.chosen import chosen_recipe
    >>> from semikd.selection import Candidate
    >>> table = Table(np.zeros((40, 1)), np.arange(40) % 2, None, None)
    >>> mixed = Candidate("tree", "cross-fitted", "boosting", correction=0.2)
    >>> chosen_recipe(DistilledClassifier(), mixed, table, seed=0).correction
    0.2
    """
    own = clone(recipe).set_params(
        correction=chosen.correction, synthetic=chosen.synthetic
    )
    if train.classification:
        own.set_params(loss=chosen.loss)
    if chosen.setting and own.student is None:
        student = new_student(None, len(train.y), train.weights, seed)
        own.set_params(student=student.learner)
    return own.set_params(**{f"student__{k}": v for k, v in chosen.setting.items()})


def outcome_labels(train: Table, task: Task) -> OutOfFold:
    """Return the outcomes themselves as labels: what a student from scratch learns.

    Parameters
    ----------
    train : Table
        The training rows.
    task : Task
        What is predicted.

    Returns
    -------
    OutOfFold

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.evaluation.chosen import outcome_labels
    >>> table = Table(np.zeros((2, 1)), np.array(["a", "b"]), None, None)
    >>> outcome_labels(table, Classification()).prediction
    array([[[1., 0.],
            [0., 1.]]])
    """
    said = np.array(task.outcome(train), dtype=np.float64)
    if train.weights is not None:
        said[train.weights == 0] = np.nan
    return OutOfFold(
        prediction=said[None],
        fold=np.full((1, len(said)), -1, dtype=np.intp),
        classes=train.classes,
        strategy=OUTCOMES,
        row_hash=row_hashes(train.features),
        honest=False,
    )


def half_in_sample(inside: OutOfFold, outside: OutOfFold) -> OutOfFold:
    """Return the mean of in-sample and out-of-fold labels.

    Parameters
    ----------
    inside, outside : OutOfFold
        Labels of the same rows.

    Returns
    -------
    OutOfFold

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.evaluation.chosen import half_in_sample
    >>> X = np.arange(2.0)[:, None]
    >>> inside, outside = (external_labels(X, [p, p]) for p in (0.5, 0.75))
    >>> half_in_sample(inside, outside).prediction[0, :, 0]
    array([0.625, 0.625])
    """
    said = (inside.mean + outside.mean) / 2.0
    return replace(
        outside,
        prediction=said[None],
        fold=np.full((1, len(said)), -1, dtype=np.intp),
        strategy="the mean of in-sample and honest labels",
        honest=False,
        teachers=(),
        refitted=None,
    )
