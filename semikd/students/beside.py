"""What a student's fit is given beside rows and targets: decided, and checked, here.

A network that holds rows out keeps groups together, one with an opponent may need the
outcomes, one of features the teachers' layers. Whoever fits a student offers what there
is; the student's ``fit_options`` say what it takes.
"""

from collections.abc import Callable
from typing import Any

from semikd.simplex import FloatArray
from semikd.students.base import Student

__all__ = ["check_given", "taken_by"]


def taken_by(student: Student, **offers: Callable[[], Any]) -> dict[str, Any]:
    """Return what a student's fit takes of all that it could be given.

    Parameters
    ----------
    student : Student
        Who is to be fitted.
    **offers : callables
        By the name of the option, what makes it. Called only where it is taken; None
        stands for nothing.

    Returns
    -------
    dict
        Options of ``fit_target`` and ``fit_many``; empty for most students.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.students import TorchStudent, as_student
    >>> from semikd.students.beside import taken_by
    >>> taken_by(TorchStudent(), groups=lambda: [0, 0, 1], outcome=lambda: None)
    {'groups': [0, 0, 1]}
    >>> taken_by(as_student(Ridge()), groups=lambda: [0, 0, 1])
    {}
    """
    names = [name for name in offers if name in student.fit_options]
    made = {name: offers[name]() for name in names}
    return {name: value for name, value in made.items() if value is not None}


def check_given(
    student: Student,
    X: Any,
    weights: FloatArray | None = None,
    *,
    teacher: Any = None,
    unlabelled: Any = None,
    added: str = "",
) -> None:
    """Refuse, before any teacher is fitted, what the student's fit could not use.

    Parameters
    ----------
    student : Student
        Who is to be fitted.
    X : array-like of shape (n, d)
        Rows with outcomes.
    weights : ndarray of shape (n,), optional
        Weights of these rows.
    teacher : estimator, optional
        Unfitted; whose hidden layers it could be shown.
    unlabelled : array-like of shape (n_new, d), optional
        Rows without outcomes that it learns from too.
    added : str, default=""
        What rows without outcomes there will be, in words; none if empty.

    Raises
    ------
    ValueError, TypeError
        With what has to be changed.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.students import AdversarialStudent
    >>> from semikd.students.beside import check_given
    >>> try:
    ...     check_given(AdversarialStudent(protected=7), np.zeros((4, 2)))
    ... except ValueError as error:
    ...     print(error)
    protected must name a column of X; got 7. X has positions 0 to 1.
    """
    student._check_given(
        X, weights, teacher=teacher, unlabelled=unlabelled, added=added
    )
