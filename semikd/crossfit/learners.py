"""How any scikit-learn learner is fitted with weights and asked."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from semikd._validation import Shown, check_shape, invalid, wrong_type
from semikd.crossfit.indicators import fits_indicators, indicator_probabilities
from semikd.crossfit.rows import n_rows
from semikd.simplex import FloatArray

__all__ = ["fit_learner", "predict_outputs"]


# Parameters of a search over the parameters of another learner.
_SEARCHES = {"param_distributions", "param_grid"}


def fit_learner(
    learner: Any, X: Any, y: NDArray[Any], sample_weight: FloatArray | None = None
) -> Any:
    """Fit a learner, with weights where there are any, and return it.

    Parameters
    ----------
    learner : estimator
        Any scikit-learn estimator; a Pipeline weighs its last step, a search the
        estimator it tunes.
    X : array-like of shape (n, d)
        Covariates.
    y : ndarray
        Labels or targets.
    sample_weight : ndarray of shape (n,), optional
        Weights of the rows.

    Returns
    -------
    estimator
        The fitted learner.

    Raises
    ------
    TypeError
        If there are weights and the learner takes none.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyRegressor
    >>> from semikd.crossfit.learners import fit_learner
    >>> X, y = np.zeros((2, 1)), np.array([0.0, 3.0])
    >>> fit_learner(DummyRegressor(), X, y, np.array([2.0, 1.0])).predict(X[:1])
    array([1.])
    """
    if sample_weight is None:
        return learner.fit(X, y)
    return learner.fit(X, y, **{require_weights(learner): sample_weight})


def require_weights(learner: Any, name: str = "teacher or student") -> str:
    """Return the name by which a learner's fit takes weights, or refuse the learner."""
    key = _weight_name(learner)
    if key is None:
        shown = Shown(type(learner).__name__)
        remedy = "Leave sample_weight out, or use a learner whose fit has it"
        raise wrong_type(name, "accept sample_weight", shown, remedy)
    # With metadata routing only the plain name is known.
    return "sample_weight" if get_config()["enable_metadata_routing"] else key


def _weight_name(learner: Any) -> str | None:
    """Return the name of the weights in a fit without routing; None if it has none."""
    if has_fit_parameter(learner, "sample_weight"):
        return "sample_weight"
    if isinstance(learner, Pipeline):
        name, last = learner.steps[-1]
        inner = _weight_name(last)
        return None if inner is None else f"{name}__{inner}"
    if isinstance(learner, BaseSearchCV):
        return _weight_name(learner.estimator)
    if isinstance(learner, TransformedTargetRegressor):
        return (
            "sample_weight"
            if learner.regressor is None
            else _weight_name(learner.regressor)
        )
    return None


def predict_outputs(
    teacher: Any, X: Any, classes: NDArray[Any] | None
) -> tuple[FloatArray, list[Any]]:
    """Return predicted probabilities or means, and the classes never seen.

    Parameters
    ----------
    teacher : estimator
        A fitted classifier, or a regressor where ``classes`` is None.
    X : array-like of shape (n, d)
        Rows to label.
    classes : ndarray of shape (k,) or None
        Classes of the columns; one that the teacher never saw has probability 0.

    Returns
    -------
    prediction : ndarray of shape (n, k) or (n, m)
    unseen : list
        Classes that the teacher does not know.

    Raises
    ------
    ValueError
        If a prediction is not finite, or not a probability.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from semikd.crossfit.learners import predict_outputs
    >>> teacher = DummyClassifier().fit(np.zeros((2, 1)), ["a", "b"])
    >>> predict_outputs(teacher, np.zeros((1, 1)), np.array(["a", "b", "c"]))
    (array([[0.5, 0.5, 0. ]]), ['c'])
    """
    n = n_rows(X)
    if classes is None:
        return means(teacher.predict(X), n), []
    if fits_indicators(teacher):
        said = indicator_probabilities(teacher.decision_function(X), signed=True)
    else:
        said = teacher.predict_proba(X)
    return over_classes(said, teacher.classes_, classes, n)


def over_classes(
    answer: ArrayLike, own: NDArray[Any], classes: NDArray[Any], n: int
) -> tuple[FloatArray, list[Any]]:
    """Return n rows of probabilities over all classes, and the classes never seen."""
    known = np.asarray(answer, dtype=np.float64)
    check_shape("teacher probabilities", known, (n, len(own)))
    prediction = np.zeros((n, len(classes)))
    prediction[:, np.searchsorted(classes, own)] = known
    return probabilities(prediction), np.setdiff1d(classes, own).tolist()


def means(answer: ArrayLike, n: int) -> FloatArray:
    """Return n rows of the means of a regressor, one column for each output."""
    table = np.asarray(answer, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    check_shape("teacher predictions", table, (n, None))
    return _finite(table)


def probabilities(p: ArrayLike, name: str = "teacher probabilities") -> FloatArray:
    """Return rows that are probabilities, normalised to the last digit."""
    p = _finite(np.asarray(p, dtype=np.float64), name)
    check_shape(name, p, (None, None))
    total = p.sum(axis=1, keepdims=True)
    bad = (p < -1e-6).any(axis=1) | (np.abs(total[:, 0] - 1.0) > 1e-3)
    if bad.any():
        row = int(np.argmax(bad))
        shown = Shown(
            f"{p[row].round(4).tolist()} in row {row} ({bad.sum()} such rows)"
        )
        raise invalid(name, "be non-negative and sum to one", shown)
    positive = np.maximum(p, 0.0)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True))


def finite_or_missing(table: FloatArray, *, classification: bool) -> FloatArray:
    """Return labels of which some rows may be NaN, the others checked."""
    kept = ~np.isnan(table).any(axis=1)
    checked = np.full(table.shape, np.nan)
    known = table[kept]
    checked[kept] = probabilities(known) if classification else _finite(known)
    return checked


def is_estimator(learner: Any) -> bool:
    """Return whether this is an instance of an estimator of scikit-learn's kind."""
    return hasattr(learner, "__sklearn_tags__") and not isinstance(learner, type)


def check_settings(learner: Any) -> None:
    """Let learners refuse parameters now that their own fits would refuse later."""
    settings = learner.get_params(deep=True) if hasattr(learner, "get_params") else {}
    # A search replaces the parameters of what is inside it.
    inside = [] if _SEARCHES & set(settings) else settings.values()
    for part in (learner, *inside):
        if is_estimator(part) and hasattr(part, "_parameter_constraints"):
            part._validate_params()


def check_instance(learner: Any, name: str = "teacher") -> None:
    """Refuse what is no estimator that can be fitted and copied."""
    if isinstance(learner, type) or not hasattr(learner, "fit"):
        constraint = "be an estimator with a fit method"
        raise wrong_type(name, constraint, learner, "Pass an instance")
    if not hasattr(learner, "get_params"):
        remedy = "Derive it from sklearn.base.BaseEstimator"
        raise wrong_type(name, "have get_params, to be copied", learner, remedy)


def check_teacher(teacher: Any, *, classification: bool, name: str = "teacher") -> None:
    """Refuse a teacher that cannot give what is asked of it, before any fit."""
    check_instance(teacher)
    shown = Shown(type(teacher).__name__)
    if not classification:
        if is_classifier(teacher):
            remedy = "Use DistilledClassifier, or a regressor as teacher"
            raise wrong_type(name, "be a regressor", shown, remedy)
        return
    if not (hasattr(teacher, "predict_proba") or fits_indicators(teacher)):
        remedy = "Wrap it, for instance in sklearn.calibration.CalibratedClassifierCV"
        if not is_classifier(teacher):
            remedy = (
                "Use a classifier, or encode y as numbers for a regression; "
                "semikd.teachers.SquaresTeacher makes a classifier of a regressor"
            )
        raise wrong_type(name, "offer predict_proba", shown, remedy)


def _finite(prediction: FloatArray, name: str = "teacher predictions") -> FloatArray:
    """Return predictions, refusing NaN and infinity with the first such row."""
    bad = ~np.isfinite(prediction)
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        shown = Shown(f"{prediction[bad][0]} in row {row}")
        raise invalid(name, "be finite", shown)
    return prediction
