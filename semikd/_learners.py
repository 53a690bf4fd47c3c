"""What distillation refuses of teachers, students and labels before anything is fitted.

A teacher may take hours: whatever can be known to fail after it is said before it.
"""

from collections.abc import Iterator
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags

from semikd._validation import Shown, invalid, wrong_type
from semikd.crossfit import OutOfFold
from semikd.crossfit.learners import check_teacher
from semikd.simplex import FloatArray, clip, reweight

# Parameters in which one learner holds others, whose columns it may choose.
_HOLDS_LEARNERS = {"classifier", "estimator", "estimators", "regressor", "steps"}


def is_estimator(learner: Any) -> bool:
    """Return whether this is an instance of an estimator of scikit-learn's kind."""
    return hasattr(learner, "__sklearn_tags__") and not isinstance(learner, type)


def check_learners(
    X: Any, teacher: Any, student: Any, *, cv: Any, classification: bool
) -> None:
    """Refuse a teacher of the wrong kind, and text where learners need numbers."""
    learners = {"student": student}
    if not isinstance(cv, OutOfFold):
        _check_kind(teacher, classification=classification)
        learners["teacher"] = teacher
    columns = list(_text_columns(X))
    for role, learner in learners.items():
        refused = [name for name, coded in columns if _needs_numbers(learner, coded)]
        if refused:
            shown = Shown(f"text in column {refused[0]!r} ({len(refused)} such)")
            constraint = f"hold numbers for the {role} {type(learner).__name__}"
            remedy = "Encode it first, or put an encoder in a Pipeline"
            raise invalid("X", constraint, shown, remedy)


def check_outputs(teacher: Any, cv: Any, n_outputs: int) -> None:
    """Refuse several outcomes where the teacher, or the labels brought, have others."""
    if isinstance(cv, OutOfFold):
        if cv.classes is not None:
            shown = Shown(f"probabilities of the classes {cv.classes.tolist()}")
            raise invalid("labels", "be means of a regression", shown)
        if cv.prediction.shape[2] != n_outputs:
            constraint = f"have the {n_outputs} outputs of y"
            raise invalid("labels", constraint, cv.prediction.shape[2])
    elif n_outputs > 1 and not get_tags(teacher).target_tags.multi_output:
        shown = Shown(type(teacher).__name__)
        remedy = "Wrap it in sklearn.multioutput.MultiOutputRegressor"
        raise wrong_type("teacher", f"predict {n_outputs} outputs", shown, remedy)


def check_record(labels: OutOfFold, X: Any, classes: NDArray[Any] | None) -> None:
    """Refuse labels from elsewhere for other rows or, in classification, classes."""
    labels.check_rows(X)
    if classes is None:
        return
    known = [] if labels.classes is None else labels.classes.tolist()
    if known != classes.tolist():
        constraint = f"have the classes of y, {classes.tolist()}"
        raise invalid("labels", constraint, known)


def labelled_rows(labels: FloatArray, weights: FloatArray | None) -> NDArray[np.intp]:
    """Return the rows with a label in some repeat and, with weights, a positive one."""
    kept = np.asarray(np.isfinite(labels).all(axis=2).any(axis=0))
    if weights is not None:
        kept &= weights > 0
    if not kept.any():
        shown = Shown(f"none for {len(kept)} rows")
        remedy = "Label some of them, or pass another cv"
        raise invalid("labels", "exist for rows of positive weight", shown, remedy)
    return np.flatnonzero(kept)


def shifted_labels(
    labels: OutOfFold, factors: FloatArray, weights: FloatArray | None
) -> FloatArray:
    """Return labels for a population in which classes count by factors, (r, n, k).

    The teacher stays a model of the population at hand, so that its record can be
    reused and judged. A probability of zero is only known to be small: the floor is
    what n distinct rows cannot tell from zero, whatever the scale of their weights.
    """
    kept = labels.row_hash if weights is None else labels.row_hash[weights > 0]
    floor = 1.0 / (len(np.unique(kept)) + len(factors))
    return np.asarray(reweight(clip(labels.prediction, floor), factors))


def _check_kind(teacher: Any, *, classification: bool) -> None:
    """Refuse what is no estimator, and a regressor for classes or the reverse."""
    if not is_estimator(teacher):
        constraint = "be an estimator with a fit method"
        raise wrong_type("teacher", constraint, teacher, "Pass an instance")
    if classification and not is_classifier(teacher):
        shown = Shown(type(teacher).__name__)
        remedy = "Use a classifier that has predict_proba"
        if is_regressor(teacher):
            remedy += ", or DistilledRegressor"
        raise wrong_type("teacher", "be a classifier", shown, remedy)
    check_teacher(teacher, classification=classification)


def _text_columns(X: Any) -> Iterator[tuple[Any, bool]]:
    """Yield each column with text: name or position, and whether it is categorical."""
    if nw.dependencies.is_into_dataframe(X):
        for column in nw.from_native(X, eager_only=True).iter_columns():
            coded = column.dtype in {nw.Categorical, nw.Enum}
            words = coded or column.dtype in {nw.String, nw.Object}
            if words and _has_text(column.drop_nulls().unique().to_numpy()):
                yield column.name, coded
    elif not sparse.issparse(X) and np.asarray(X).dtype.kind in "OUS":
        for position, values in enumerate(np.asarray(X).T):
            if _has_text(values):
                yield position, False


def _has_text(values: NDArray[Any]) -> bool:
    """Return whether any value is a string."""
    return any(isinstance(value, str | bytes) for value in values)


def _needs_numbers(learner: Any, coded: bool) -> bool:
    """Return whether this is a learner of scikit-learn or ours that reads no text.

    Other libraries know best what they read, and a learner that holds others may
    encode or select its columns.
    """
    package = type(learner).__module__.partition(".")[0]
    if package not in {"sklearn", "semikd"} or not is_estimator(learner):
        return False
    tags, settings = get_tags(learner), learner.get_params(deep=False)
    if tags.no_validation or _HOLDS_LEARNERS & set(settings):
        return False
    reads_categories = tags.input_tags.categorical or "categorical_features" in settings
    return not (coded and reads_categories)
