"""Teachers and students by name."""

from typing import Any

from semikd.encoding import Encoder
from semikd.job._refusals import not_a_column
from semikd.job.settings import Settings

__all__ = ["asked_student", "named_teacher"]

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


def asked_student(settings: Settings, encoder: Encoder, total_weight: float) -> Any:
    """Return the unfitted student that was asked for.

    Parameters
    ----------
    settings : Settings
        Its name, and what goes with it.
    encoder : Encoder
        The columns that it reads.
    total_weight : float
        Sum of the weights of the training rows.

    Returns
    -------
    estimator

    Raises
    ------
    UsageError
        If the protected column is none that it reads.

    Examples
    --------
    >>> from semikd.encoding import Encoder, NumberColumn
    >>> from semikd.job import Settings
    >>> from semikd.job.learners import asked_student
    >>> columns = Encoder((NumberColumn("age"),))
    >>> asked_student(Settings(leaves=16), columns, 1e3).max_leaf_nodes
    16
    """
    from semikd.students import AdversarialStudent, FeatureStudent, named_student

    if settings.protected is not None:
        return AdversarialStudent(protected=_places(settings.protected, encoder))
    if settings.shown_layers:
        return FeatureStudent(named_student("network"), list(settings.shown_layers))
    if settings.student in {"linear", "network"}:
        return named_student(settings.student)
    return _sized_student(settings, total_weight)


def _places(column: str, encoder: Encoder) -> list[int]:
    """Return the positions of the features of a column."""
    at, known = 0, list[str]()
    for own in encoder.columns:
        n_features = len(own.feature_names)
        if own.name == column:
            return list(range(at, at + n_features))
        at, known = at + n_features, [*known, own.name]
    raise not_a_column("--protected", column, known)


def _sized_student(settings: Settings, total_weight: float) -> Any:
    """Return an unfitted tree, or a forest, of so many leaves."""
    from semikd.students.default import readable_tree

    tree = readable_tree(total_weight, settings.leaves)
    if settings.student == "tree":
        return tree
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(
        _FOREST_TREES,
        max_leaf_nodes=settings.leaves,
        min_weight_fraction_leaf=tree.min_weight_fraction_leaf,
        max_features=0.5,
    )
