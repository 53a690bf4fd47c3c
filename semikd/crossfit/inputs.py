"""What cross-fitting is given, checked before any teacher is fitted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.multiclass import type_of_target

from semikd._tables import refuse_missing
from semikd._validation import (
    Shown,
    check_shape,
    finite_array,
    invalid,
    sample_weights,
    wrong_type,
)
from semikd.crossfit.folds import Rows
from semikd.crossfit.learners import check_instance, check_teacher, require_weights
from semikd.crossfit.rows import Indices, n_rows, row_hashes

__all__ = ["check_workers", "describe_rows"]


def describe_rows(
    X: Any, y: NDArray[Any], teacher: Any, *, groups: Any, sample_weight: Any
) -> Rows:
    """Return identity, class, group and weight of each row, all checked.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Covariates.
    y : ndarray of shape (n,) or (n, m)
        Class labels, or the outcomes of a regression.
    teacher : estimator
        The learner that is to be fitted to them.
    groups, sample_weight : array-like of shape (n,) or None
        Groups and weights.

    Returns
    -------
    Rows

    Raises
    ------
    ValueError
        If a shape or a value does not fit.
    TypeError
        If the teacher cannot do what is asked of it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from semikd.crossfit.inputs import describe_rows
    >>> X, y = np.array([[1.0], [2.0]]), np.array(["b", "a"])
    >>> teacher = DummyClassifier()
    >>> describe_rows(X, y, teacher, groups=None, sample_weight=None).codes
    array([1, 0])
    """
    n = n_rows(X)
    if y.ndim == 0 or len(y) != n:
        shown = Shown("None" if y.ndim == 0 else str(y.shape))
        raise invalid("y", f"have one entry for each of {n} rows", shown)
    check_instance(teacher)
    classification = is_classifier(teacher) or y.dtype.kind in "OUSb"
    check_teacher(teacher, classification=classification)
    classes, codes = None, np.zeros(n, dtype=np.intp)
    if classification:
        classes, codes = _classes(y)
    else:
        finite_array("y", y, shape=(n,) if y.ndim == 1 else (n, None))
    if groups is not None:
        groups = np.asarray(groups)
        check_shape("groups", groups, (n,))
        refuse_missing("groups", groups)
    weights = sample_weights(sample_weight, n)
    if weights is not None:
        require_weights(teacher, "teacher")
    return Rows(row_hashes(X), codes, classes, groups, weights)


def check_workers(n_jobs: int | None) -> int | None:
    """Return a number of workers, as joblib counts them, or None."""
    whole = isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (whole and n_jobs):
        remedy = "Use -1 for all cores"
        raise invalid("n_jobs", "be an integer other than 0, or None", n_jobs, remedy)
    return n_jobs


def _classes(y: NDArray[Any]) -> tuple[NDArray[Any], Indices]:
    """Return the classes and the position of each row's, refusing what is no label."""
    check_shape("y", y, (len(y),))
    refuse_missing("y", y)
    try:
        classes, codes = np.unique(y, return_inverse=True)
    except TypeError:
        kinds = ", ".join(sorted({type(label).__name__ for label in y}))
        raise wrong_type("y", "hold labels of one type", Shown(kinds)) from None
    if len(classes) < 2:
        shown = Shown(
            f"only the class {classes.tolist()[0]!r}" if len(y) else "no rows"
        )
        raise invalid("y", "have at least two classes", shown)
    if (kind := type_of_target(y)) not in {"binary", "multiclass"}:
        remedy = "For numbers use a regressor as teacher"
        raise invalid("y", "hold class labels", Shown(f"{kind} values"), remedy)
    return classes, codes
