"""The student that distillation uses: the one given, or a tree of readable size."""

import warnings
from typing import Any

from sklearn.tree import DecisionTreeRegressor

from semikd.crossfit import seeded_clone
from semikd.exceptions import SemikdWarning
from semikd.simplex import FloatArray
from semikd.students.adapt import as_student
from semikd.students.base import Student
from semikd.students.names import named_student

__all__ = ["new_student", "readable_tree"]

_LEAVES = 128
# A minimum in weight, not in rows: a weight of 2 is a repeated row.
_LEAF_WEIGHT = 5.0


def new_student(
    estimator: Any, n_samples: int, weights: FloatArray | None, seed: int
) -> Student:
    """Return an unfitted student, its open seeds set.

    Parameters
    ----------
    estimator : estimator, str or None
        What the user gave, or its name; None is a tree of at most 128 leaves of weight
        5 or more.
    n_samples : int
        Number of rows.
    weights : ndarray of shape (n_samples,) or None
        Weights of the rows.
    seed : int
        Seed for what is random in the student and not fixed by the user.

    Returns
    -------
    Student

    Warns
    -----
    SemikdWarning
        If the weights sum to less than two leaves need.

    Examples
    --------
    >>> from semikd.students import new_student
    >>> new_student(None, 1000, None, seed=0).learner.max_leaf_nodes
    128
    """
    estimator = named_student(estimator)
    if estimator is None:
        total = n_samples if weights is None else float(weights.sum())
        _warn_of_small_weights(total, weights)
        estimator = readable_tree(total)
    if hasattr(estimator, "get_params") and not isinstance(estimator, type):
        estimator = seeded_clone(estimator, seed)
    return as_student(estimator)


def readable_tree(total_weight: float, n_leaves: int = _LEAVES) -> Any:
    """Return an unfitted tree of that many leaves, each of weight 5 or more.

    Parameters
    ----------
    total_weight : float
        Sum of the weights of the rows, or their number.
    n_leaves : int, default=128
        Most leaves.

    Returns
    -------
    DecisionTreeRegressor

    Examples
    --------
    >>> from semikd.students.default import readable_tree
    >>> readable_tree(1000.0, n_leaves=8).min_weight_fraction_leaf
    0.005
    """
    smallest = min(0.5, _LEAF_WEIGHT / total_weight)
    return DecisionTreeRegressor(
        max_leaf_nodes=n_leaves, min_weight_fraction_leaf=smallest
    )


def _warn_of_small_weights(total: float, weights: FloatArray | None) -> None:
    """Warn where weights that sum to one, say, leave the default tree a stump."""
    if weights is None:
        return
    n_rows = int((weights > 0).sum())
    if total < 2 * _LEAF_WEIGHT <= n_rows:
        warnings.warn(
            f"sample_weight sums to {total:.3g} over {n_rows} rows, and the default "
            f"student needs a weight of {_LEAF_WEIGHT:g} in each leaf. Scale the "
            "weights so that 1 is one row, or pass a student.",
            SemikdWarning,
            stacklevel=3,
        )
