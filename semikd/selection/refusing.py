"""What a search refuses of learners and rows before it fits anything."""

from collections.abc import Mapping
from typing import Any

from semikd._learners import check_learners
from semikd.evaluation import Table
from semikd.evaluation.tasks import Task
from semikd.students import new_student
from semikd.synthetic.columns import category_places

__all__ = ["check_search"]


def check_search(
    table: Table,
    task: Task,
    teachers: Mapping[str, Any],
    students: Mapping[str, Any],
    *,
    cv: Any,
    unlabelled: Any = None,
) -> None:
    """Refuse learners that cannot do what is asked, and rows that they cannot read.

    Parameters
    ----------
    table : Table
        All rows.
    task : Task
        What is predicted.
    teachers, students : mapping from str to estimator
        Unfitted learners by name; each teacher is checked with each student.
    cv : int or folds
        The folds.
    unlabelled : array-like, optional
        Rows without outcomes.

    Raises
    ------
    ValueError, TypeError
        With what has to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection.refusing import check_search
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) // 6, None, None)
    >>> teachers, students = {"bayes": GaussianNB()}, {"tree": DecisionTreeRegressor()}
    >>> check_search(table, Classification(), teachers, students, cv=3)
    """
    category_places(table.X, table.categorical)
    for learner in students.values():
        student = new_student(learner, len(table.y), table.weights, 0)
        student.require(
            task.scratch_loss(student),
            weighted=table.weights is not None,
            n_classes=None if table.classes is None else len(table.classes),
        )
        kind = {"cv": cv, "classification": table.classification}
        for teacher in teachers.values():
            check_learners(table.X, teacher, student, table.weights, **kind)
            if unlabelled is not None:
                check_learners(
                    unlabelled, teacher, student, None, name="unlabelled", **kind
                )
