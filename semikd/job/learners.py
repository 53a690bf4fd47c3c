"""Teachers and students by name, and the user's own teacher by its import path."""

import importlib
import os
import sys
from typing import Any

from semikd._validation import Shown
from semikd.exceptions import UsageError
from semikd.job._refusals import nearest, refusal

__all__ = ["imported_teacher", "named_student", "named_teacher"]

_FOREST_TREES = 10
_TEACHER_TREES = 300


def named_teacher(name: str, *, classification: bool) -> Any:
    """Return an unfitted teacher that reads encoded tables, missing cells too.

    Parameters
    ----------
    name : {'boosting', 'forest', 'extra-trees', 'linear'}
        Which one.
    classification : bool
        Whether it predicts classes.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from semikd.job.learners import named_teacher
    >>> named_teacher("forest", classification=True).n_estimators
    300
    """
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        ExtraTreesRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )

    from semikd.teachers import BoostingRegressorTeacher, BoostingTeacher

    if name == "boosting":
        return BoostingTeacher() if classification else BoostingRegressorTeacher()
    if name == "linear":
        return _linear_teacher(classification)
    kinds: dict[str, tuple[Any, Any]] = {
        "forest": (RandomForestClassifier, RandomForestRegressor),
        "extra-trees": (ExtraTreesClassifier, ExtraTreesRegressor),
    }
    kind = kinds[name][not classification]
    return kind(_TEACHER_TREES, min_samples_leaf=5, max_features=0.4, n_jobs=-1)


def _linear_teacher(classification: bool) -> Any:
    """Return a linear model of standardised columns, missing cells at their median."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    last = LogisticRegression(max_iter=1000) if classification else Ridge()
    return make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), last)


def named_student(name: str, *, leaves: int, total_weight: float) -> Any:
    """Return an unfitted student.

    Parameters
    ----------
    name : {'tree', 'forest', 'linear', 'network'}
        Which one.
    leaves : int
        Most leaves of a tree.
    total_weight : float
        Sum of the weights of the training rows.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from semikd.job.learners import named_student
    >>> named_student("tree", leaves=16, total_weight=1e3).max_leaf_nodes
    16
    """
    from semikd.students import LinearStudent, TorchStudent
    from semikd.students.default import readable_tree

    if name == "linear":
        return LinearStudent()
    if name == "network":
        return TorchStudent()
    tree = readable_tree(total_weight, leaves)
    if name == "tree":
        return tree
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(
        _FOREST_TREES,
        max_leaf_nodes=leaves,
        min_weight_fraction_leaf=tree.min_weight_fraction_leaf,
        max_features=0.5,
    )


def imported_teacher(path: str) -> Any:
    """Return the estimator that an import path names; its code runs.

    The working directory is looked in too, as Python itself does for scripts.

    Parameters
    ----------
    path : str
        ``package.module:object``: an estimator, or a function or class that returns one
        when called without arguments.

    Returns
    -------
    estimator

    Raises
    ------
    UsageError
        If the module cannot be imported, has no such object, or that is no estimator.

    Examples
    --------
    >>> from semikd.job.learners import imported_teacher
    >>> imported_teacher("sklearn.naive_bayes:GaussianNB")
    GaussianNB()
    """
    module_name, _, name = path.partition(":")
    if not module_name or not name:
        shape = "have the form package.module:object"
        raise refusal("--teacher", shape, path)
    found = _attribute(_module(module_name, path), name, path)
    if isinstance(found, type) or not hasattr(found, "fit"):
        found = _called(found, path)
    if not (hasattr(found, "fit") and hasattr(found, "get_params")):
        constraint = "name an estimator, or a function that returns one"
        shown = Shown(f"{type(found).__name__} from {path!r}")
        raise refusal("--teacher", constraint, shown)
    return found


def _module(name: str, path: str) -> Any:
    """Return the imported module, or one line on why there is none."""
    home = os.getcwd()
    if home not in sys.path:
        sys.path.insert(0, home)
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise _failed(path, "be importable", error) from error


def _attribute(module: Any, name: str, path: str) -> Any:
    """Return the object of that (dotted) name in a module."""
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = [known for known in vars(found) if not known.startswith("_")]
            constraint = f"name something in {module.__name__!r}"
            raise refusal("--teacher", constraint, path, nearest(part, public))
        found = getattr(found, part)
    return found


def _called(found: Any, path: str) -> Any:
    """Return what a function or class gives when called without arguments."""
    if not callable(found):
        return found
    try:
        return found()
    except Exception as error:
        constraint = "be callable without arguments where it is no estimator"
        raise _failed(path, constraint, error) from error


def _failed(path: str, constraint: str, error: Exception) -> UsageError:
    """Return the refusal that names what the user's own code raised."""
    shown = Shown(f"{path!r}, which raised {type(error).__name__}: {error}")
    return refusal("--teacher", constraint, Shown(" ".join(shown.split())))
