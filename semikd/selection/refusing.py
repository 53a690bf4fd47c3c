"""What a search refuses of learners and rows before it fits anything."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from scipy import sparse

from semikd._learners import check_learners
from semikd._validation import Shown, counted, invalid
from semikd.crossfit.learners import is_estimator, require_weights
from semikd.evaluation import Table
from semikd.evaluation.recipes import refuse_other_view
from semikd.evaluation.tasks import Task
from semikd.networks import NetworkEstimator
from semikd.selection.scoring import Metric, row_losses
from semikd.students import new_student
from semikd.students.beside import check_given
from semikd.synthetic.columns import category_places

__all__ = ["check_metric", "check_search"]


def check_metric(metric: Metric, task: Task, table: Table) -> None:
    """Refuse a scorer that cannot score these labels, or weights, of all rows at once.

    What it cannot do for a part of them alone is its own refusal, later.

    Parameters
    ----------
    metric : str, callable or None
        See :func:`~semikd.selection.scoring.row_losses`.
    task : Task
        What is predicted.
    table : Table
        All rows.

    Raises
    ------
    ValueError
        In the scorer's own words.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection.refusing import check_metric
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) // 4, None, None)
    >>> check_metric("roc_auc_ovr", Classification(), table)
    """
    losses = row_losses(metric, task)
    if metric is None or (isinstance(metric, str) and metric in task.losses()):
        return
    weights = table.weights
    rows = table if weights is None else table.take(np.flatnonzero(weights))
    # In one group they are one block, of which there is one score.
    whole = replace(rows, groups=np.zeros(len(rows.y), dtype=np.intp))
    # Every class is predicted, and with doubts: no part of a score is undefined.
    truth = task.outcome(whole)
    try:
        losses(0.8 * truth + 0.2 / truth.shape[1], whole)
    except ValueError as error:
        raise _unscored(metric, error, weighted=weights is not None) from error


def _unscored(metric: Metric, error: ValueError, *, weighted: bool) -> ValueError:
    """Return the refusal of a scorer that failed."""
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", metric)
    words = " ".join(str(error.__cause__ or "no finite score").split())
    remedy = "Choose a scorer for these labels, or a loss of rows such as 'log_loss'"
    if weighted and "sample_weight" in words:
        remedy = "Let the scorer take sample_weight, or leave the weights out"
    shown = Shown(f"{str(name)!r}: {words.rstrip('.')}")
    return invalid("metric", "score a made-up answer for all rows", shown, remedy)


def check_search(
    table: Table,
    task: Task,
    teachers: Mapping[str, Any],
    students: Mapping[str, Any],
    *,
    cv: Any,
    unlabelled: Any = None,
    added: str = "",
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
    added : str, default=""
        What rows without outcomes will be tried, in words.

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
    if table.weights is not None:
        for teacher in teachers.values():
            _require_weights(teacher)
    if unlabelled is not None:
        _refuse_infinite(unlabelled, table.X)
    for learner in students.values():
        refuse_other_view(learner, table)
        student = new_student(learner, len(table.y), table.weights, 0)
        student.require(
            task.scratch_loss(student),
            weighted=table.weights is not None,
            n_classes=None if table.classes is None else len(table.classes),
        )
        for teacher in _showing(teachers):
            check_given(
                student, table.features, table.weights, teacher=teacher, added=added
            )
        kind = {"cv": cv, "classification": table.classification}
        for teacher in teachers.values():
            check_learners(table.X, teacher, student, table.weights, **kind)
            if unlabelled is not None:
                check_learners(
                    unlabelled, teacher, student, None, name="unlabelled", **kind
                )


def _showing(teachers: Mapping[str, Any]) -> list[Any]:
    """Return the teachers whose layers students could be shown; any, if there are none.

    A search leaves the others out for students of layers.
    """
    each = list(teachers.values())
    return [one for one in each if isinstance(one, NetworkEstimator)] or each[:1]


def _require_weights(teacher: Any) -> None:
    """Refuse a teacher that takes no weights; one of stages, if its first ones do not.

    What is no estimator is refused elsewhere.
    """
    if hasattr(teacher, "first_stage"):
        for each in teacher.first_stage():
            _require_weights(each)
    elif is_estimator(teacher):
        require_weights(teacher, "teacher")


def _refuse_infinite(unlabelled: Any, X: Any) -> None:
    """Refuse infinite numbers among added rows alone; in X its readers judge them."""
    found = list(_infinite(unlabelled))
    if found and not list(_infinite(X)):
        number = counted(len(found), "such column")
        shown = Shown(f"inf in column {found[0]!r} ({number})")
        constraint = "be finite, as X is"
        raise invalid("unlabelled", constraint, shown, "Leave those rows out")


def _infinite(X: Any) -> Iterator[Any]:
    """Yield the columns with an infinite number, by name or position."""
    if nw.dependencies.is_into_dataframe(X):
        for column in nw.from_native(X, eager_only=True).iter_columns():
            is_float = column.dtype.is_float()
            if is_float and np.isinf(column.cast(nw.Float64).to_numpy()).any():
                yield column.name
    elif sparse.issparse(X):
        cells = X.tocoo()
        yield from np.unique(cells.col[np.isinf(cells.data)]).tolist()
    elif np.asarray(X).dtype.kind == "f":
        cells = np.isinf(np.asarray(X))
        others = tuple(axis for axis in range(cells.ndim) if axis != 1)
        yield from np.flatnonzero(cells.any(axis=others)).tolist()
