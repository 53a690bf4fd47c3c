"""The baseline that distilling must beat: the same student, tuned on the labels.

A student trained from scratch has settings of its own that suit noisy labels; comparing
with its defaults flatters distillation.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from numbers import Real
from typing import Any

import numpy as np

from semikd.crossfit.folds import integer_folds
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Task
from semikd.students import Student
from semikd.students.beside import taken_by

__all__ = ["fit_scratch", "scratch_settings", "tune_scratch"]

_LEAF_MINIMA = (1, 5, 20, 50, 100, 200)
_PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
_TUNING_FOLDS = 5
# From here on one fold alone decides between settings as well as five do.
_MANY_ROWS = 200_000

# Students whose fit to noisy labels is governed by one parameter.
_OF_ONE_PARAMETER: dict[str, Sequence[Any]] = {
    "ridge": _PENALTIES,
    "C": _PENALTIES,
    "weight_decay": (1e-5, 1e-4, 1e-3, 1e-2),
    "num_leaves": (4, 8, 16, 31),
    "min_child_weight": (1.0, 5.0, 20.0, 100.0),
}


def scratch_settings(student: Student) -> list[dict[str, Any]]:
    """Return the settings among which a student from scratch is tuned.

    The student as it is, and: for trees, forests and boosting the smallest leaf and,
    below the student's own cap, the number of leaves; for linear students the penalty;
    for networks the weight decay. Others have none, and an empty list says so.

    Parameters
    ----------
    student : Student
        The unfitted student.

    Returns
    -------
    list of dict
        Parameters for ``Student.configure``.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import scratch_settings
    >>> from semikd.students import as_student
    >>> scratch_settings(as_student(Ridge()))[:2]
    [{}, {'alpha': 0.01}]
    >>> len(scratch_settings(as_student(DecisionTreeRegressor(max_leaf_nodes=8))))
    7
    """
    own = student.learner.get_params(deep=True)
    steps = getattr(student.learner, "steps", None)
    prefix = f"{steps[-1][0]}__" if steps else ""
    grid = _grid({name.removeprefix(prefix): value for name, value in own.items()})
    if not grid:
        return []
    tried = [
        {f"{prefix}{name}": value for name, value in zip(grid, values, strict=True)}
        for values in product(*grid.values())
    ]
    # The student as it is stays a candidate: tuning must not make the baseline worse.
    return [{}, *tried]


def fit_scratch(student: Student, table: Table, task: Task) -> Student:
    """Fit a student to the labels themselves, on the scale that suits it.

    Parameters
    ----------
    student : Student
        The unfitted student; it is fitted in place.
    table : Table
        The training rows.
    task : Task
        What is predicted.

    Returns
    -------
    Student

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import Classification, Table, fit_scratch
    >>> from semikd.students import as_student
    >>> table = Table(np.array([[0.0], [1.0]]), np.array(["a", "b"]), None, None)
    >>> student = as_student(DecisionTreeRegressor())
    >>> fit_scratch(student, table, Classification(0.001)).scores(table.X)
    array([[0.],
           [1.]])
    """
    loss = task.scratch_loss(student)
    target, more = loss.phi(task.outcome(table)), _beside(student, table, task)
    return student.fit_target(
        table.features, target, loss=loss, sample_weight=table.weights, **more
    )


def tune_scratch(
    student: Student,
    table: Table,
    task: Task,
    *,
    settings: Sequence[Mapping[str, Any]],
    seed: int,
) -> Mapping[str, Any]:
    """Return the settings of least cross-validated loss.

    Five folds judge them, and only the first of them beyond 200,000 rows.

    Parameters
    ----------
    student : Student
        The unfitted student.
    table : Table
        The training rows.
    task : Task
        What is predicted, and the loss that judges.
    settings : sequence of mappings
        Candidates.
    seed : int
        Seed of the folds.

    Returns
    -------
    mapping
    """
    loss = task.scratch_loss(student)
    target = loss.phi(task.outcome(table))
    rows, total = table.rows(), np.zeros(len(settings))
    ((*folds,),) = integer_folds(_TUNING_FOLDS, rows, n_repeats=1, random_state=seed)
    for fold in folds[:1] if len(table.y) > _MANY_ROWS else folds:
        train, test = table.take(fold.train), table.take(fold.test)
        candidates = student.fit_many(
            train.features,
            [target[fold.train]] * len(settings),
            loss=loss,
            sample_weight=train.weights,
            settings=settings,
            **_beside(student, train, task),
        )
        counts = 1.0 if test.weights is None else test.weights
        for at, candidate in enumerate(candidates):
            predicted = np.asarray(loss.probabilities(candidate.scores(test.features)))
            total[at] += float((counts * task.loss(None)(predicted, test)).sum())
    return settings[int(total.argmin())]


def _beside(student: Student, table: Table, task: Task) -> dict[str, Any]:
    """Return what else the student's fit takes of what is known of the rows."""
    return taken_by(
        student, groups=lambda: table.groups, outcome=lambda: task.outcome(table)
    )


def _grid(own: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """Return the values to try of each parameter that a student has."""
    if "min_samples_leaf" in own:
        grid: dict[str, Sequence[Any]] = {"min_samples_leaf": _LEAF_MINIMA}
        cap = own.get("max_leaf_nodes")
        sizes = [n for n in (8, 16, 32, 64) if cap and n < cap]
        return grid | ({"max_leaf_nodes": [*sizes, cap]} if cap else {})
    if isinstance(own.get("alpha"), Real):
        return {"alpha": _PENALTIES}
    for name, values in _OF_ONE_PARAMETER.items():
        if name in own:
            return {name: values}
    return {}
