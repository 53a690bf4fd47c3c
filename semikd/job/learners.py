"""Teachers and students by name."""

from collections.abc import Sequence
from typing import Any

__all__ = ["named_student", "named_teacher"]

_FOREST_TREES = 10
_TEACHER_TREES = 300


def named_teacher(name: str, *, classification: bool) -> Any:
    """Return an unfitted teacher that reads encoded tables, missing cells too.

    Parameters
    ----------
    name : str
        'boosting', 'forest', 'extra-trees' or 'linear'; or, of classes alone,
        'network', 'ensemble', 'meta' or 'self-distilled'.
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

    from semikd.distillation.names import TEACHERS
    from semikd.teachers import BoostingRegressorTeacher, BoostingTeacher

    if name == "boosting":
        return BoostingTeacher() if classification else BoostingRegressorTeacher()
    if name == "linear":
        return _linear_teacher(classification)
    if name in TEACHERS:
        return TEACHERS[name]()
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


def named_student(
    name: str, *, leaves: int, total_weight: float, layers: Sequence[str] = ()
) -> Any:
    """Return an unfitted student.

    Parameters
    ----------
    name : {'tree', 'forest', 'linear', 'network'}
        Which one.
    leaves : int
        Most leaves of a tree.
    total_weight : float
        Sum of the weights of the training rows.
    layers : sequence of str
        What of its teacher's hidden layers a network learns from too.

    Returns
    -------
    estimator

    Examples
    --------
    >>> from semikd.job.learners import named_student
    >>> named_student("tree", leaves=16, total_weight=1e3).max_leaf_nodes
    16
    """
    from semikd.students import FeatureStudent, named_student
    from semikd.students.default import readable_tree

    if name in {"linear", "network"}:
        found = named_student(name)
        return FeatureStudent(found, list(layers)) if layers else found
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
