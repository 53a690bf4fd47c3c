"""Teachers by name, for whoever takes one."""

from typing import Any

from semikd._validation import choose
from semikd.distillation.generations import SelfDistilledClassifier
from semikd.teachers import (
    BoostingTeacher,
    CalibratedTeacher,
    EnsembleTeacher,
    MetaTeacher,
    ResidualTeacher,
    StackedTeacher,
    TorchClassifier,
)

__all__ = ["TEACHERS", "named_teacher"]

TEACHERS: dict[str, type[Any]] = {
    "boosting": BoostingTeacher,
    "calibrated": CalibratedTeacher,
    "ensemble": EnsembleTeacher,
    "meta": MetaTeacher,
    "network": TorchClassifier,
    "residual": ResidualTeacher,
    "self-distilled": SelfDistilledClassifier,
    "stacked": StackedTeacher,
}


def named_teacher(teacher: Any) -> Any:
    """Return the classifier of a name; None is boosting, a classifier is itself.

    Parameters
    ----------
    teacher : str, classifier or None
        'boosting', 'calibrated', 'ensemble', 'meta', 'network', 'residual',
        'self-distilled' or 'stacked', each with its own defaults.

    Returns
    -------
    classifier

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from semikd.distillation import named_teacher
    >>> named_teacher("ensemble")
    EnsembleTeacher()
    """
    if teacher is None:
        return BoostingTeacher()
    return (
        choose("teacher", teacher, TEACHERS)() if isinstance(teacher, str) else teacher
    )
