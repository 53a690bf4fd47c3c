"""The student that distillation uses: the one given, or a tree of readable size."""

from typing import Any

from sklearn.tree import DecisionTreeRegressor

from semikd.crossfit import seeded_clone
from semikd.simplex import FloatArray
from semikd.students.adapt import as_student
from semikd.students.base import Student

__all__ = ["new_student"]

_LEAVES = 128
# A minimum in weight, not in rows: a weight of 2 is a repeated row.
_LEAF_WEIGHT = 5.0


def new_student(
    estimator: Any, n_samples: int, weights: FloatArray | None, seed: int
) -> Student:
    """Return an unfitted student, its open seeds set.

    Parameters
    ----------
    estimator : estimator or None
        What the user gave; None is a tree of at most 128 leaves of weight 5 or more.
    n_samples : int
        Number of rows.
    weights : ndarray of shape (n_samples,) or None
        Weights of the rows.
    seed : int
        Seed for what is random in the student and not fixed by the user.

    Returns
    -------
    Student

    Examples
    --------
    >>> from semikd.students import new_student
    >>> new_student(None, 1000, None, seed=0).learner.max_leaf_nodes
    128
    """
    if estimator is None:
        total = n_samples if weights is None else float(weights.sum())
        estimator = DecisionTreeRegressor(
            max_leaf_nodes=_LEAVES,
            min_weight_fraction_leaf=min(0.5, _LEAF_WEIGHT / total),
        )
    if hasattr(estimator, "get_params") and not isinstance(estimator, type):
        estimator = seeded_clone(estimator, seed)
    return as_student(estimator)
