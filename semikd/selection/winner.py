"""From losses to a winner, and the winner fitted to all rows."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from semikd.distillation import DistilledClassifier
from semikd.evaluation import Classification
from semikd.regression import DistilledRegressor
from semikd.selection.candidates import Candidate
from semikd.selection.choice import Choice
from semikd.selection.judging import Judge

__all__ = ["fit_winner", "made_choice"]


def made_choice(judge: Judge, student: str | None = None) -> Choice:
    """Return all candidates with the rows that judged them.

    Parameters
    ----------
    judge : Judge
        Who judged.
    student : str, optional
        Name of a student, to choose among its candidates alone.

    Returns
    -------
    Choice
    """
    rows = np.concatenate(judge.bank.folds.judging)
    order = list(judge.students)
    candidates = tuple(each for each in judge.losses if student in (None, each.student))
    table, units = judge.table, judge.table.rows().units
    return Choice(
        candidates,
        np.column_stack([judge.losses[each][rows] for each in candidates]),
        tuple(order.index(each.student) for each in candidates),
        None if table.weights is None else table.weights[rows],
        np.unique(units[rows], return_inverse=True)[1],
        seed=judge.seed,
    )


def fit_winner(
    judge: Judge, candidate: Candidate
) -> DistilledClassifier | DistilledRegressor:
    """Return the estimator that a candidate stands for, fitted to all rows.

    Parameters
    ----------
    judge : Judge
        Who knows rows, students and labels.
    candidate : Candidate
        What is fitted.

    Returns
    -------
    DistilledClassifier or DistilledRegressor
    """
    table, student = judge.table, clone(judge.students[candidate.student])
    options: dict[str, Any] = {
        "student": student.set_params(**candidate.setting),
        "correction": candidate.correction,
        "synthetic": candidate.synthetic,
        "cv": judge.bank.outer(candidate.labels, candidate.teacher),
        "n_jobs": judge.n_jobs,
        "random_state": judge.seed,
    }
    if isinstance(judge.task, Classification):
        model = DistilledClassifier(loss=candidate.loss, **options)
    else:
        model = DistilledRegressor(**options)
    model.fit(
        table.features,
        table.y,
        sample_weight=table.weights,
        groups=table.groups,
        unlabelled=judge.unlabelled if candidate.unlabelled else None,
    )
    # Those that labelled added rows are the search's: a small model carries no teacher.
    model.labels_ = model.cv = replace(model.labels_, teachers=(), refitted=None)
    return model
