"""What distillation refuses of teachers, students and labels before anything is fitted.

A teacher may take hours: whatever can be known to fail after it is said before it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import get_tags

from semikd._validation import Shown, counted, invalid, number, wrong_type
from semikd.corrections import Correction, EstimatedCorrection
from semikd.crossfit import OutOfFold
from semikd.crossfit.learners import check_settings, check_teacher, is_estimator
from semikd.losses import CrossEntropyLoss, DistillationLoss, HardLabelMix, get_loss
from semikd.networks import NetworkEstimator
from semikd.simplex import FloatArray
from semikd.students import Student

# Parameters in which one learner holds others, whose columns it may choose.
_HOLDS_LEARNERS = {"classifier", "estimator", "estimators", "regressor", "steps"}


def resolved_loss(
    loss: str | DistillationLoss, hard_weight: float, student: Student
) -> DistillationLoss:
    """Return the loss of that name; a student that takes no labels is refused first."""
    if number("hard_weight", hard_weight, low=0.0):
        student.require(HardLabelMix(CrossEntropyLoss(), hard_weight))
    return get_loss(loss, auto=student.default_loss, hard_weight=hard_weight)


def check_learners(
    X: Any,
    teacher: Any,
    student: Student,
    weights: FloatArray | None,
    *,
    cv: Any,
    classification: bool,
    name: str = "X",
) -> None:
    """Refuse a teacher of the wrong kind, settings out of range, and unread cells."""
    learners = {"student": student.learner}
    if not isinstance(cv, OutOfFold):
        _check_kind(teacher, classification=classification)
        learners["teacher"] = teacher
    for learner in learners.values():
        check_settings(learner)
    _check_missing(X, learners, weights, name)
    columns = list(_text_columns(X))
    for role, learner in learners.items():
        readers = _readers(learner)
        if hasattr(X, "columns"):
            # A network reads the text of a frame as categories.
            readers = [r for r in readers if not isinstance(r, NetworkEstimator)]
        refused = [
            name
            for name, coded in columns
            if any(_needs_numbers(reader, coded) for reader in readers)
        ]
        if refused:
            what = f"text or categories in column {refused[0]!r}"
            shown = Shown(f"{what} ({len(refused)} such)")
            constraint = f"hold numbers for the {role} {type(learner).__name__}"
            remedy = "Encode it first, or put an encoder in a Pipeline"
            raise invalid(name, constraint, shown, remedy)


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


def refuse_shown(student: Any, name: str = "student") -> None:
    """Refuse a student of hidden layers, where no teacher is kept to show them."""
    if getattr(student, "shown_by", None) is not None:
        shown = Shown(type(student).__name__)
        remedy = "Fit a DistilledClassifier with it, and score that"
        constraint = "learn from labels alone where no teacher is kept"
        raise wrong_type(name, constraint, shown, remedy)


def check_online(teacher: Any, student: Student, cv: Any, class_weight: Any) -> None:
    """Refuse labels that are made as the student learns, where they cannot be."""
    name, value = "online_labels", True
    if "online" not in student.fit_options:
        shown = Shown(type(student.learner).__name__)
        constraint = "be a network to be labelled as it learns (online_labels=True)"
        raise wrong_type("student", constraint, shown, "Use TorchStudent")
    if getattr(student.learner, "solver", "adam") == "lbfgs":
        remedy = "It takes rows as they are: labels made beforehand are the same"
        raise invalid(name, "be False with solver='lbfgs'", value, remedy)
    if not isinstance(cv, OutOfFold) and not isinstance(teacher, NetworkEstimator):
        shown = Shown(type(teacher).__name__)
        constraint = "be a network to label as a student learns (online_labels=True)"
        raise wrong_type("teacher", constraint, shown, "Use TorchClassifier")
    if isinstance(cv, str):
        constraint = f"be False for cv={cv!r}"
        remedy = "Use a number of folds, each row being held out by one of them"
        raise invalid(name, constraint, value, remedy)
    if class_weight is not None:
        remedy = "Use sample_weight for the student's rows"
        raise invalid(name, "be False with class_weight", value, remedy)


def suited_source(cv: Any, correction: Correction, *, by_folds: bool = False) -> Any:
    """Return who labels: folds, where the correction or synthetic rows need them."""
    is_auto = isinstance(cv, str) and cv == "auto"
    if not correction.needs_folds:
        return 5 if is_auto and by_folds else cv
    purpose = f"the correction {type(correction).__name__}"
    _refuse_seen(cv, correction)
    if isinstance(cv, OutOfFold):
        cv.require_folds(purpose)
    if isinstance(cv, str) and cv in {"oob", "loo"}:
        remedy = "Use an integer: these labels are anti-correlated with the outcomes"
        raise invalid("cv", f"be of folds for {purpose}", cv, remedy)
    return 5 if is_auto else cv


def _refuse_seen(cv: Any, correction: Correction) -> None:
    """Refuse to estimate from labels of rows that their teachers saw."""
    if not isinstance(correction, EstimatedCorrection):
        return
    remedy = "Use an integer cv: what a teacher misses shows on rows it did not see"
    if isinstance(cv, str) and cv == "in-sample":
        raise invalid("cv", "be of folds for an estimated correction", cv, remedy)
    if isinstance(cv, OutOfFold) and not cv.honest:
        shown = Shown(cv.strategy)
        raise invalid(
            "labels", "come from folds for an estimated correction", shown, remedy
        )


def with_reason(
    record: OutOfFold, asked: Any, used: Any, correction: Correction
) -> OutOfFold:
    """Return the record, saying why folds made it where 'auto' was asked for."""
    if asked is used or isinstance(asked, OutOfFold):
        return record
    why = "synthetic rows are labelled by folds"
    if correction.needs_folds:
        why = "the correction compares labels with outcomes"
    return replace(record, strategy=f"{record.strategy} (auto: {why})")


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


def _check_missing(
    X: Any, learners: dict[str, Any], weights: FloatArray | None, name: str
) -> None:
    """Refuse missing values in rows that count, where a learner says it reads none."""
    unable = [role for role, learner in learners.items() if _needs_values(learner)]
    if not unable:
        return
    counts = True if weights is None else weights > 0
    holes = {column: mask & counts for column, mask in _missing(X)}
    holes = {column: mask for column, mask in holes.items() if mask.any()}
    if holes:
        rows = counted(int(np.logical_or.reduce(list(holes.values())).sum()), "row")
        columns = counted(len(holes), "column")
        shown = Shown(f"NaN in {rows} and {columns} (first: {next(iter(holes))!r})")
        learner = type(learners[unable[0]]).__name__
        constraint = f"have no missing value for the {unable[0]} {learner}"
        remedy = "Put an imputer before it in a Pipeline"
        raise invalid(name, constraint, shown, remedy)


def _missing(X: Any) -> Iterator[tuple[Any, NDArray[np.bool_]]]:
    """Yield columns that may have missing values, by name or position, and where."""
    if nw.dependencies.is_into_dataframe(X):
        for column in nw.from_native(X, eager_only=True).iter_columns():
            mask = column.is_null().to_numpy()
            if column.dtype.is_float():
                mask = mask | column.is_nan().fill_null(True).to_numpy()
            yield column.name, mask.astype(bool)
    elif sparse.issparse(X):
        cells = X.tocoo()
        rows, columns = (at[np.isnan(cells.data)] for at in (cells.row, cells.col))
        for position in np.unique(columns).tolist():
            yield position, np.isin(np.arange(X.shape[0]), rows[columns == position])
    elif np.asarray(X).dtype.kind in "fO":
        # Imported here because frames and integers do not need it.
        from pandas import isna

        yield from enumerate(np.asarray(isna(np.asarray(X))).T)


def _readers(learner: Any) -> list[Any]:
    """Return the learners that read the rows: itself, or those that it is made of."""
    if hasattr(learner, "first_stage"):
        parts = learner.first_stage()
    elif callable(getattr(learner, "_parts", None)):
        parts = learner._parts()
    else:
        return [learner]
    return [reader for part in parts for reader in _readers(part)]


def _needs_values(learner: Any) -> bool:
    """Return whether this is a learner of scikit-learn or ours that reads no NaN."""
    if hasattr(learner, "first_stage"):
        own = learner.get_params(deep=False).values()
        parts = [*learner.first_stage(), *(each for each in own if is_estimator(each))]
        return any(_needs_values(each) for each in parts)
    return _is_plain(learner) and not get_tags(learner).input_tags.allow_nan


def _is_plain(learner: Any) -> bool:
    """Return whether a learner is scikit-learn's or ours, and holds no others.

    Other libraries know best what they read, and a learner that holds others may
    encode, impute or select its columns.
    """
    package = type(learner).__module__.partition(".")[0]
    if package not in {"sklearn", "semikd"} or not is_estimator(learner):
        return False
    return not _HOLDS_LEARNERS & set(learner.get_params(deep=False))


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
    """Return whether a learner reads no text; some read it where it is categorical."""
    if not _is_plain(learner) or get_tags(learner).no_validation:
        return False
    settings = learner.get_params(deep=False)
    reads_categories = (
        get_tags(learner).input_tags.categorical or "categorical_features" in settings
    )
    return not (coded and reads_categories)
