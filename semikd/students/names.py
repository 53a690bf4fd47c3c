"""Students by name, for whoever takes one."""

from collections.abc import Callable
from functools import partial
from typing import Any

from semikd._validation import choose
from semikd.students.features import FeatureStudent
from semikd.students.linear import LinearStudent
from semikd.students.network import TorchStudent

__all__ = ["STUDENTS", "named_student"]

_LAYERS = ("angle", "attention", "contrastive", "distance", "hint", "similarity")


def _shown(feature: str) -> FeatureStudent:
    """Return a network that is shown hidden layers."""
    return FeatureStudent(TorchStudent(), feature)


STUDENTS: dict[str, Callable[[], Any]] = {
    "tree": lambda: None,
    "linear": LinearStudent,
    "network": TorchStudent,
    **{f"network+{name}": partial(_shown, name) for name in _LAYERS},
}


def named_student(student: Any) -> Any:
    """Return the learner of a name; an estimator, or None, is itself.

    Parameters
    ----------
    student : str, estimator or None
        'tree' (None, a tree of at most 128 leaves), 'linear', 'network'; or a network
        that is shown its teacher's hidden layers, 'network+angle',
        'network+attention', 'network+contrastive', 'network+distance', 'network+hint'
        or 'network+similarity', whose teacher is a network. Each has its defaults.

    Returns
    -------
    estimator or None

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from semikd.students import named_student
    >>> named_student("network+hint")
    FeatureStudent(features='hint', student=TorchStudent())
    """
    if isinstance(student, str):
        return choose("student", student, STUDENTS)()
    return student
