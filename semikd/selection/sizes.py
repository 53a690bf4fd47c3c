"""Which sizes of a student are worth fitting, and what they are called."""

from collections.abc import Mapping, Sequence
from typing import Any

from semikd._validation import Shown, invalid, wrong_type
from semikd.students import Student, StudentSize

__all__ = ["checked_sizes", "different_sizes", "size_in_words", "sizes_to_try"]

_SMALLEST_TREE = 4


def sizes_to_try(student: Student) -> list[dict[str, Any]]:
    """Return settings of a student from small to as large as it is, doubling.

    Parameters
    ----------
    student : Student
        The unfitted student.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError
        If nothing bounds its size by a number of leaves or trees.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from semikd.selection.sizes import sizes_to_try
    >>> from semikd.students import as_student
    >>> sizes_to_try(as_student(RandomForestRegressor(4)))
    [{'n_estimators': 1}, {'n_estimators': 2}, {'n_estimators': 4}]
    """
    own = student.learner.get_params()
    for name, smallest in (("max_leaf_nodes", _SMALLEST_TREE), ("n_estimators", 1)):
        if own.get(name):
            cap = int(own[name])
            powers = [smallest * 2**k for k in range(20)]
            return [{name: size} for size in powers if size < cap] + [{name: cap}]
    shown = Shown(type(student.learner).__name__)
    remedy = "Pass settings=[{...}, ...] from small to large"
    raise invalid("student", "have a number of leaves or trees", shown, remedy)


def checked_sizes(settings: Any) -> list[dict[str, Any]]:
    """Return the settings that were given, if they are a list of mappings.

    Parameters
    ----------
    settings : object
        What was given.

    Returns
    -------
    list of dict

    Raises
    ------
    ValueError, TypeError
        If there is none, or one is no mapping from names.

    Examples
    --------
    >>> from semikd.selection.sizes import checked_sizes
    >>> checked_sizes([{"max_depth": 1}])
    [{'max_depth': 1}]
    """
    remedy = "For instance [{'max_leaf_nodes': 8}, {'max_leaf_nodes': 16}]"
    is_list = isinstance(settings, Sequence) and not isinstance(settings, str)
    if not is_list or not all(isinstance(each, Mapping) for each in settings):
        constraint = "be a list of parameters of the student"
        raise wrong_type("settings", constraint, settings, remedy)
    if not settings:
        raise invalid("settings", "hold a size at least", Shown("none"), remedy)
    return [dict(each) for each in settings]


def different_sizes(sizes: Sequence[StudentSize]) -> list[int]:
    """Return the places of students of different sizes, smallest first.

    A table may not allow a tree of as many leaves as it is given: two settings then
    lead to the same tree.

    Parameters
    ----------
    sizes : sequence of StudentSize
        Of each student.

    Returns
    -------
    list of int

    Examples
    --------
    >>> from semikd.selection.sizes import different_sizes
    >>> from semikd.students import StudentSize
    >>> grown = [StudentSize(leaves, None, 1000) for leaves in (4, 8, 11, 11)]
    >>> different_sizes(grown)
    [0, 1, 2]
    """
    first: dict[str, int] = {}
    for at, size in enumerate(sizes):
        first.setdefault(size_in_words(size), at)
    return sorted(first.values(), key=lambda at: _amount(sizes[at]))


def _amount(size: StudentSize) -> int:
    """Return leaves, else coefficients, else bytes."""
    return int(size.leaves or size.coefficients or size.bytes)


def size_in_words(size: StudentSize) -> str:
    """Return leaves, else coefficients, else bytes.

    Parameters
    ----------
    size : StudentSize
        The size.

    Returns
    -------
    str

    Examples
    --------
    >>> from semikd.selection.sizes import size_in_words
    >>> from semikd.students import StudentSize
    >>> size_in_words(StudentSize(8, None, 1000))
    '8 leaves'
    """
    return str(size).split(", ")[0]
