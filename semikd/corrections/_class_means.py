"""Means over the rows of a class, fold by fold from the others, and drawn together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd.simplex import FloatArray

__all__ = ["class_means"]

# Units beyond one a class, below which no variance within is known.
_LEAST_FREEDOM = 0.5


def class_means(
    values: FloatArray,
    code: NDArray[np.intp],
    *,
    n_classes: int,
    fold: NDArray[np.intp],
    weights: FloatArray | None = None,
    groups: NDArray[Any] | None = None,
    shrink: bool = True,
) -> FloatArray:
    """Return the mean of each class over the other folds of each fold.

    Parameters
    ----------
    values : ndarray of shape (n,)
        What is averaged; NaN where a row has no value.
    code : ndarray of int of shape (n,)
        Class of each row.
    n_classes : int
        Number of classes.
    fold : ndarray of int of shape (n,)
        Fold of each row, numbered from 0; with one fold all rows speak for all.
    weights : ndarray of shape (n,), optional
        Weights of the rows.
    groups : ndarray of shape (n,), optional
        Units of evidence; by default rows.
    shrink : bool, default=True
        Whether means are drawn towards that of all classes, the more the less evidence
        a class has.

    Returns
    -------
    ndarray of shape (n_folds, n_classes)
        A class without rows has the mean of all classes.
    """
    known = np.isfinite(values)
    weight = np.where(known, 1.0 if weights is None else weights, 0.0)
    value = np.where(known, values, 0.0)
    unit = np.arange(len(value))
    if groups is not None:
        unit = np.unique(groups, return_inverse=True)[1].ravel()
    n_folds = int(fold.max()) + 1
    found = np.empty((n_folds, n_classes))
    for own in range(n_folds):
        kept = np.where(fold != own, weight, 0.0) if n_folds > 1 else weight
        found[own] = _drawn(value, code, unit, kept, n_classes, shrink)
    return found


def _drawn(
    value: FloatArray,
    code: NDArray[np.intp],
    unit: NDArray[np.intp],
    weight: FloatArray,
    n_classes: int,
    shrink: bool,
) -> FloatArray:
    """Return the means of the classes over weighted rows, shape (n_classes,)."""
    mass = np.bincount(code, weight, minlength=n_classes)
    sums = np.bincount(code, weight * value, minlength=n_classes)
    present = mass > 0
    mean = np.divide(sums, mass, out=np.zeros(n_classes), where=present)
    # Every class counts alike: what is to be known is how classes differ.
    middle = float(mean[present].mean()) if present.any() else 0.0
    mean = np.where(present, mean, middle)
    if not shrink:
        return mean
    size, within = _evidence(value - mean[code], code, unit, weight, n_classes)
    if np.isnan(within):
        # One unit a class: nothing tells chance from what classes differ by.
        return np.full(n_classes, middle)
    error = np.divide(within, size, out=np.zeros(n_classes), where=present)
    spread = float(((mean - middle)[present] ** 2).sum()) / max(present.sum() - 1, 1)
    between = max(spread - float(error[present].mean()), 0.0) if present.any() else 0.0
    total = between + error
    kept = np.divide(between, total, out=np.ones(n_classes), where=total > 0)
    return middle + kept * (mean - middle)


def _evidence(
    residual: FloatArray,
    code: NDArray[np.intp],
    unit: NDArray[np.intp],
    weight: FloatArray,
    n_classes: int,
) -> tuple[FloatArray, float]:
    """Return the effective units of each class, and the variance of one within.

    The variance is NaN where every class has one unit.
    """
    cells, which = np.unique(np.column_stack([code, unit]), axis=0, return_inverse=True)
    which = which.ravel()
    mass = np.bincount(which, weight)
    moved = np.bincount(which, weight * residual)
    of_class = cells[:, 0]
    masses = np.bincount(of_class, mass, minlength=n_classes)
    squares = np.bincount(of_class, mass**2, minlength=n_classes)
    size = np.divide(masses**2, squares, out=np.zeros(n_classes), where=squares > 0)
    # The mean of a unit, weighed by its mass, with the freedom that means have taken.
    mean = np.divide(moved, mass, out=np.zeros(len(mass)), where=mass > 0)
    freedom = float(size.sum() - (size > 0).sum())
    if freedom < _LEAST_FREEDOM:
        return size, float("nan")
    share = mass / max(float(mass.sum()), np.finfo(np.float64).tiny)
    within = float(share @ mean**2) * float(size.sum()) / freedom
    return size, within
