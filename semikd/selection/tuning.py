"""Settings of students that a search tries: their sizes, and what smooths them."""

import math
from collections.abc import Mapping
from typing import Any

from semikd.evaluation import scratch_settings
from semikd.selection.judging import Judge
from semikd.students import Student, new_student

__all__ = ["Settings", "student_settings"]

Settings = tuple[tuple[str, Any], ...]


def student_settings(learner: Any, judge: Judge, *, smaller: bool) -> list[Settings]:
    """Return settings of a student, its own first.

    Parameters
    ----------
    learner : estimator
        The student.
    judge : Judge
        Who knows the rows.
    smaller : bool
        Whether it may have fewer leaves too.

    Returns
    -------
    list of tuple
        Pairs of a parameter and its value; an empty tuple is the student as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from semikd.evaluation import Classification, Table
    >>> from semikd.selection.judging import Judge
    >>> from semikd.selection.sources import LabelBank
    >>> from semikd.selection.tuning import student_settings
    >>> table = Table(np.arange(12.0)[:, None], np.arange(12) // 6, None, None)
    >>> bank = LabelBank(table, {"bayes": GaussianNB()}, cv=3, seed=0)
    >>> tree = DecisionTreeRegressor(max_leaf_nodes=2)
    >>> judge = Judge(table, Classification(), {"tree": tree}, bank, seed=0)
    >>> student_settings(tree, judge, smaller=False)[0]
    ()
    """
    student = new_student(learner, len(judge.table.y), judge.table.weights, 0)
    cap = student.learner.get_params().get("max_leaf_nodes")
    settings = [
        _by_weight(each, student, judge)
        for each in scratch_settings(student) or [{}]
        if smaller or each.get("max_leaf_nodes", cap) == cap
    ]
    return list(dict.fromkeys(settings))


def _by_weight(setting: Mapping[str, Any], student: Student, judge: Judge) -> Settings:
    """Return a setting that treats a weight of two as a row twice."""
    table, own = judge.table, student.learner.get_params(deep=True)
    total = len(table.y) if table.weights is None else float(table.weights.sum())
    found = {}
    for name, value in setting.items():
        fraction = name.replace("min_samples_leaf", "min_weight_fraction_leaf")
        if fraction != name and fraction in own:
            share = float(f"{min(0.5, value / total):.3g}")
            if not math.isclose(share, own[fraction], rel_tol=0.01):
                found[fraction] = share
        elif own.get(name) != value:
            found[name] = value
    return tuple(found.items())
