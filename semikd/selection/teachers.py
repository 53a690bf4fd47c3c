"""The teachers and students that a search starts from, by name."""

from collections.abc import Mapping
from typing import Any

from semikd._tables import reads_plainly
from semikd._validation import Shown, wrong_type
from semikd.distillation import named_teacher
from semikd.simplex import FloatArray
from semikd.students import named_student, new_student
from semikd.teachers import (
    BoostingTeacher,
    CalibratedTeacher,
    ResidualTeacher,
    StackedTeacher,
)

__all__ = [
    "GIVEN",
    "learners",
    "named_students",
    "named_teachers",
    "with_calibrated",
    "without_unreadable",
]

# What a teacher is called that was given without a name.
GIVEN = "teacher"


def named_teachers(teacher: Any, preset: str, name: str = GIVEN) -> dict[str, Any]:
    """Return teachers by name: those that were given, or the preset's own.

    Beside one that was given stands the same one calibrated, which costs no fit of it.

    Parameters
    ----------
    teacher : classifier, mapping from str to classifier, or None
        What was given.
    preset : str
        How much is tried.
    name : str, default='teacher'
        What one is called that was given without a name.

    Returns
    -------
    dict from str to classifier
        Cheapest first. Those of stages hold the very objects of the others.

    Examples
    --------
    >>> from semikd.selection.teachers import named_teachers
    >>> from semikd.teachers import BoostingTeacher
    >>> list(named_teachers(None, "thorough"))
    ['boosting', 'stacked', 'corrected']
    >>> list(named_teachers(BoostingTeacher(), "balanced"))
    ['teacher', 'calibrated']
    """
    if isinstance(teacher, Mapping):
        return _checked("teacher", teacher)
    if isinstance(teacher, str):
        name, teacher = teacher, named_teacher(teacher)
    if preset == "fast":
        return {"boosting": BoostingTeacher()} if teacher is None else {name: teacher}
    if teacher is None:
        first, *others = StackedTeacher().first_stage()
        best = StackedTeacher([first, *others])
        found = {"boosting": first, "stacked": best}
    else:
        best, found = teacher, with_calibrated(name, teacher)
    if preset == "thorough":
        found["corrected"] = ResidualTeacher(best)
    return found


def with_calibrated(name: str, teacher: Any) -> dict[str, Any]:
    """Return a teacher, and the same one calibrated unless it is so by itself.

    Parameters
    ----------
    name : str
        Its name.
    teacher : classifier
        Unfitted.

    Returns
    -------
    dict from str to classifier

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd.selection.teachers import with_calibrated
    >>> with_calibrated("bayes", GaussianNB())
    {'bayes': GaussianNB(), 'calibrated': CalibratedTeacher(teacher=GaussianNB())}
    """
    if isinstance(teacher, CalibratedTeacher | StackedTeacher):
        return {name: teacher}
    return {name: teacher, "calibrated": CalibratedTeacher(teacher)}


def without_unreadable(
    teachers: Mapping[str, Any], given: Any, X: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the teachers that can read a table, and why others were left out.

    A teacher that was given may read anything; what corrects its residuals is boosting,
    which reads dense numbers, truth values and categories.

    Parameters
    ----------
    teachers : mapping from str to classifier
        Teachers by name.
    given : classifier, mapping or None
        What they come from; those that somebody named are kept.
    X : array-like of shape (n, d)
        The table.

    Returns
    -------
    dict from str to classifier, tuple of str

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.selection.teachers import named_teachers, without_unreadable
    >>> found = named_teachers(given := object(), "thorough")
    >>> kept, _ = without_unreadable(found, given, np.array([["a"], ["b"]]))
    >>> list(kept)
    ['teacher', 'calibrated']
    """
    named = isinstance(given, Mapping | None)
    if named or "corrected" not in teachers or reads_plainly(X):
        return dict(teachers), ()
    kept = {name: each for name, each in teachers.items() if name != "corrected"}
    why = "X must hold dense numbers and categories to learn residuals from"
    return kept, (f"labels of corrected: {why}",)


def named_students(
    student: Any, n_rows: int, weights: FloatArray | None
) -> dict[str, Any]:
    """Return unfitted students by name, smallest first.

    Parameters
    ----------
    student : estimator, str, mapping or list of these, or None
        What was given; None is a tree of at most 128 leaves. Strings are names, under
        which the students of a list go; a mapping has names of its own.
    n_rows : int
        Number of rows.
    weights : ndarray of shape (n_rows,) or None
        Weights of the rows.

    Returns
    -------
    dict from str to estimator

    Warns
    -----
    SemikdWarning
        If the default tree is asked for, and the weights sum to less than two of its
        leaves need.

    Examples
    --------
    >>> from semikd.selection.teachers import named_students
    >>> list(named_students(None, 100, None))
    ['tree']
    >>> named_students(["linear", "network"], 100, None)
    {'linear': LinearStudent(), 'network': TorchStudent()}
    """
    if student is None or isinstance(student, str):
        student = [student or "tree"]
    if isinstance(student, list | tuple):
        student = {name: name for name in student}
    elif not isinstance(student, Mapping):
        student = {"student": student}
    return {
        name: _of_name(each, n_rows, weights) if isinstance(each, str) else each
        for name, each in _checked("student", student).items()
    }


def _of_name(name: str, n_rows: int, weights: FloatArray | None) -> Any:
    """Return the student of a name; a tree as it would become by itself."""
    found = named_student(name)
    if found is None:
        # With its warning, and its seed left open.
        found = new_student(None, n_rows, weights, 0).learner
        found.set_params(random_state=None)
    return found


def learners(given: Any) -> list[Any]:
    """Return the learners that were given, whether they have names or not.

    Examples
    --------
    >>> from semikd.selection.teachers import learners
    >>> learners({"one": 1, "two": 2}), learners(None)
    ([1, 2], [])
    """
    if isinstance(given, Mapping):
        return list(given.values())
    if isinstance(given, list | tuple):
        return list(given)
    return [] if given is None else [given]


def _checked(name: str, given: Mapping[Any, Any]) -> dict[str, Any]:
    """Return learners by name, refusing what has no name or is not there."""
    if not given or not all(isinstance(key, str) for key in given):
        constraint = "be an estimator, or estimators by name"
        remedy = "For instance {'tree': DecisionTreeRegressor(max_leaf_nodes=32)}"
        raise wrong_type(name, constraint, given, remedy)
    absent = [key for key, each in given.items() if each is None]
    if absent:
        shown = Shown(f"None for {absent[0]!r}")
        raise wrong_type(name, "be an estimator under every name", shown, "Pass one")
    return dict(given)
