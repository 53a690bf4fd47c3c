"""What a student's fit is given beside rows, targets and weights: decided here alone.

A network that holds rows out keeps groups together, one with an opponent may need the
outcomes, one of features the teachers' layers. Whoever fits a student offers what there
is; the student's ``fit_options`` say what it takes.
"""

from collections.abc import Callable
from typing import Any

from semikd.students.base import Student

__all__ = ["taken_by"]


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
