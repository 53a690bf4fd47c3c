"""From any estimator to a student, or one line that says what to use instead."""

from typing import Any

from sklearn.base import clone, is_regressor
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.pipeline import Pipeline

from semikd._validation import Shown, wrong_type
from semikd.students.base import Student
from semikd.students.boosters import BoosterStudent, LightGBMStudent, XGBoostStudent
from semikd.students.logistic import LogisticStudent
from semikd.students.pipeline import PipelineStudent
from semikd.students.regressor import RegressorStudent

__all__ = ["as_student"]

# By package and class, so that neither library is imported to look.
_BOOSTERS: dict[tuple[str, str], type[BoosterStudent]] = {
    ("lightgbm", "LGBMClassifier"): LightGBMStudent,
    ("xgboost", "XGBClassifier"): XGBoostStudent,
}

# Classifiers take labels only, or take soft targets and ruin them; their regressors do
# what is meant.
_INSTEAD = {
    "AdaBoostClassifier": "GradientBoostingRegressor",
    "BaggingClassifier": "BaggingRegressor",
    "CatBoostClassifier": "CatBoostRegressor",
    "DecisionTreeClassifier": "DecisionTreeRegressor",
    "ExtraTreeClassifier": "ExtraTreeRegressor",
    "ExtraTreesClassifier": "ExtraTreesRegressor",
    "GradientBoostingClassifier": "GradientBoostingRegressor",
    "HistGradientBoostingClassifier": "HistGradientBoostingRegressor",
    "KNeighborsClassifier": "KNeighborsRegressor",
    "LinearSVC": "LinearStudent",
    "LogisticRegressionCV": "LogisticRegression",
    "MLPClassifier": "TorchStudent",
    "RandomForestClassifier": "RandomForestRegressor",
    "RidgeClassifier": "LinearStudent",
    "SGDClassifier": "LinearStudent",
    "SVC": "KernelRidge",
    "XGBRFClassifier": "XGBRFRegressor",
}


def as_student(estimator: Any) -> Student:
    """Return the estimator as a student; it is copied, never changed.

    Parameters
    ----------
    estimator : estimator or Student
        A scikit-learn regressor, ``LogisticRegression``, a LightGBM or XGBoost model,
        a Pipeline that ends in one of them, or a student of this library.

    Returns
    -------
    Student

    Raises
    ------
    TypeError
        If it cannot take soft or corrected targets; the message names what can.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from semikd.students import as_student
    >>> as_student(Ridge()).complexity(80, 3, 1)
    0.05
    """
    name = type(estimator).__name__
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        constraint = "be an estimator with a fit method"
        raise wrong_type("student", constraint, estimator, "Pass an instance")
    if isinstance(estimator, Student):
        return estimator.copy()
    if isinstance(estimator, Pipeline):
        copy = clone(estimator)
        return PipelineStudent(copy, as_student(copy.steps[-1][1]))
    if isinstance(estimator, LogisticRegression) and not isinstance(
        estimator, LogisticRegressionCV
    ):
        return LogisticStudent(clone(estimator))
    booster = _BOOSTERS.get((type(estimator).__module__.partition(".")[0], name))
    if booster is not None:
        return booster(clone(estimator))
    if is_regressor(estimator):
        return RegressorStudent(clone(estimator))
    instead = _INSTEAD.get(name, "a regressor, such as DecisionTreeRegressor")
    constraint = "take soft targets"
    raise wrong_type("student", constraint, Shown(name), f"Use {instead} instead")
