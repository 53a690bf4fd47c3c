"""Who judges a search, once everything that can be refused early has been."""

from collections.abc import Mapping
from typing import Any

from semikd._progress import Reporter
from semikd._random import RandomState, spawn_seeds
from semikd.evaluation import Table
from semikd.evaluation.tasks import Task
from semikd.selection.judging import Judge
from semikd.selection.refusing import check_metric, check_search
from semikd.selection.scoring import Metric
from semikd.selection.sources import LabelBank

__all__ = ["prepared_judge"]


def prepared_judge(
    table: Table,
    task: Task,
    teachers: Mapping[str, Any],
    students: Mapping[str, Any],
    *,
    metric: Metric = None,
    cv: Any = 5,
    holdout: float | None = None,
    unlabelled: Any = None,
    keep_teachers: bool = False,
    n_jobs: int | None = None,
    random_state: RandomState = None,
    progress: Reporter | None = None,
) -> Judge:
    """Return a judge of these students and teachers, refusing what cannot be fitted.

    Parameters
    ----------
    table : Table
        All rows.
    task : Task
        What is predicted.
    teachers, students : mapping from str to estimator
        Unfitted learners by name, smallest student first.
    metric : str or scorer, optional
        See :func:`~semikd.selection.scoring.row_losses`; by default the task's own.
    cv : int or folds, default=5
        The folds.
    holdout : float, optional
        Share of the rows that judges alone.
    unlabelled : array-like, optional
        Rows without outcomes.
    keep_teachers : bool, default=False
        Whether rows will be made up, which teachers have to label.
    n_jobs : int, optional
        Workers.
    random_state : int, generator or None
        Seed of everything.
    progress : callable, optional
        Called with a ``Step`` as each teacher starts.

    Returns
    -------
    Judge

    Raises
    ------
    ValueError, TypeError
        If a learner is of the wrong kind, or cannot read these rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection.preparing import prepared_judge
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) // 6, None, None)
    >>> teachers, students = {"bayes": GaussianNB()}, {"tree": DecisionTreeRegressor()}
    >>> judge = prepared_judge(
    ...     table, Classification(), teachers, students, cv=3, random_state=0
    ... )
    >>> [len(part) for part in judge.bank.folds.judging]
    [4, 4, 4]
    """
    label_seed, student_seed = spawn_seeds(random_state, 2)
    added = "synthetic rows" if keep_teachers else ""
    added = added if unlabelled is None else "unlabelled rows"
    more = {"unlabelled": unlabelled, "added": added}
    check_search(table, task, teachers, students, cv=cv, **more)
    check_metric(metric, task, table)
    bank = LabelBank(
        table,
        teachers,
        cv=cv,
        holdout=holdout,
        keep_teachers=keep_teachers
        or unlabelled is not None
        or any(getattr(each, "shown_by", None) for each in students.values()),
        n_jobs=n_jobs,
        seed=label_seed,
        progress=progress,
    )
    return Judge(
        table,
        task,
        students,
        bank,
        unlabelled=unlabelled,
        metric=metric,
        n_jobs=n_jobs,
        seed=student_seed,
    )
