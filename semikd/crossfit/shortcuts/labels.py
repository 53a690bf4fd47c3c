"""What every shortcut shares: the labels it hands back, and how a Pipeline comes apart.

A teacher of one's own may offer a shortcut itself, as a method of this form, where
``name`` is ``leave_one_out`` or ``out_of_bag``::

    name(X, y, *, units, sample_weight=None) -> ndarray of shape (n, k) or (n, m)

It is called on an unfitted, seeded copy; it fits the copy to all rows and returns the
label of each row from a fit that saw no row of the same unit (an integer for each row;
copies of a row, or the rows of a group, share one). Columns are the copy's ``classes_``
or the outputs; NaN is no honest label. A method that the settings rule out should hide
itself (``sklearn.utils.metaestimators.available_if``), and one that finds out while
fitting raises ``FallBack``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from semikd.crossfit.copies import seeded_clone
from semikd.crossfit.folds import Rows
from semikd.crossfit.learners import fit_learner
from semikd.crossfit.rows import take_rows
from semikd.simplex import FloatArray

__all__ = [
    "FallBack",
    "FittedParts",
    "Shortcut",
    "fit_parts",
    "last_step",
    "split_pipeline",
]

# Transformers that do the same whatever y is. A class derived from one may not.
_BLIND_TO_Y = {
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    KNNImputer,
    MaxAbsScaler,
    MinMaxScaler,
    MissingIndicator,
    Normalizer,
    Nystroem,
    OneHotEncoder,
    OrdinalEncoder,
    PCA,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RBFSampler,
    RobustScaler,
    SimpleImputer,
    SplineTransformer,
    StandardScaler,
    TruncatedSVD,
    VarianceThreshold,
}


@dataclass(frozen=True)
class Shortcut:
    """Labels of all rows at the price of about one fit.

    Parameters
    ----------
    prediction : ndarray of shape (n, m)
        Class probabilities, in the order of the classes of the rows, or means. NaN
        where a row has no honest label.
    teacher : estimator
        The one teacher, fitted to all rows of positive weight; it labels new rows.
    note : str
        How the labels came about, as one clause in words.
    missing : str
        What is wrong with the rows that have no label, to follow "12 of 100 rows".

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.crossfit.shortcuts import Shortcut
    >>> Shortcut(np.ones((2, 1)), None, "exact").note
    'exact'
    """

    prediction: FloatArray
    teacher: Any
    note: str
    missing: str = "have no honest label"


class FallBack(Exception):  # noqa: N818 - a way on, not an error
    """A shortcut whose own check failed after the fit; the message is the reason.

    Cross-fitting then warns, with the reason, and uses folds.

    Examples
    --------
    >>> from semikd.crossfit.shortcuts import FallBack
    >>> str(FallBack("12 of 100 checked rows were off"))
    '12 of 100 checked rows were off'
    """


@dataclass(frozen=True)
class FittedParts:
    """A teacher fitted to all rows that count, and what its learner saw.

    Parameters
    ----------
    teacher : estimator
        The whole fitted teacher.
    learner : estimator
        Its last step, or the teacher itself.
    X : array-like of shape (n_active, d)
        The rows of positive weight, as the learner saw them.

    Examples
    --------
    >>> from semikd.crossfit.shortcuts.labels import FittedParts
    >>> FittedParts(None, None, [[1.0]]).X
    [[1.0]]
    """

    teacher: Any
    learner: Any
    X: Any


def last_step(teacher: Any) -> Any:
    """Return the learner at the end of a Pipeline, or the teacher itself.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from semikd.crossfit.shortcuts.labels import last_step
    >>> last_step(make_pipeline(Ridge()))
    Ridge()
    """
    while isinstance(teacher, Pipeline):
        teacher = teacher.steps[-1][1]
    return teacher


def split_pipeline(teacher: Any) -> tuple[Any | None, Any] | str:
    """Return what transforms the rows and what learns from them, or why they stay one.

    A Pipeline comes apart only if no step before the learner can use y: its transform
    of a row, learned from the covariates of all rows, then tells nothing of the row's
    outcome.

    Parameters
    ----------
    teacher : estimator
        Fitted or not; its steps are returned, not copied.

    Returns
    -------
    tuple of (estimator or None, estimator), or str
        The transformer (None where there is none) and the learner; or the reason.

    Examples
    --------
    >>> from sklearn.feature_selection import SelectKBest
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from semikd.crossfit.shortcuts import split_pipeline
    >>> split_pipeline(make_pipeline(SelectKBest(), Ridge()))
    'the step SelectKBest of the Pipeline may use y'
    """
    steps: list[Any] = []
    while isinstance(teacher, Pipeline):
        if type(teacher) is not Pipeline:
            return f"{type(teacher).__name__} is not scikit-learn's Pipeline itself"
        steps += [step for _, step in teacher.steps[:-1]]
        teacher = teacher.steps[-1][1]
    steps = [step for step in steps if step is not None and step != "passthrough"]
    for step in steps:
        if (culprit := _may_use_y(step)) is not None:
            return f"the step {culprit} of the Pipeline may use y"
    return (make_pipeline(*steps) if steps else None), teacher


def fit_parts(
    teacher: Any, X: Any, y: NDArray[Any], rows: Rows, seed: int
) -> FittedParts:
    """Fit a seeded copy of the teacher to all rows that count, and take it apart.

    Parameters
    ----------
    teacher : estimator
        A teacher that ``split_pipeline`` takes apart.
    X, y : array-like
        All rows.
    rows : Rows
        Which of them count, and their weights.
    seed : int
        For the open seeds of the copy.

    Returns
    -------
    FittedParts

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from semikd.crossfit.folds import Rows
    >>> from semikd.crossfit.shortcuts.labels import fit_parts
    >>> rows = Rows(np.arange(2, dtype=np.uint64), np.zeros(2, int), None, None, None)
    >>> X, teacher = np.array([[1.0], [3.0]]), make_pipeline(StandardScaler(), Ridge())
    >>> fit_parts(teacher, X, np.array([0.0, 1.0]), rows, seed=0).X
    array([[-1.],
           [ 1.]])
    """
    active = rows.active
    weights = None if rows.weights is None else rows.weights[active]
    # All rows need no copy of the table.
    table = X if len(active) == len(rows.hashes) else take_rows(X, active)
    fitted = fit_learner(seeded_clone(teacher, seed), table, y[active], weights)
    parts = split_pipeline(fitted)
    if isinstance(parts, str):
        raise FallBack(parts)
    transformer, learner = parts
    seen = table if transformer is None else transformer.transform(table)
    # What has rows and columns; a list of lists does not know how many.
    seen = seen if hasattr(seen, "shape") else np.asarray(seen)
    return FittedParts(fitted, learner, seen)


def _may_use_y(step: Any) -> str | None:
    """Return the name of the first part of a transformer that may use y."""
    if isinstance(step, str) or step is None or type(step) in _BLIND_TO_Y:
        return None
    inside = {
        Pipeline: lambda: [part for _, part in step.steps],
        ColumnTransformer: lambda: [
            *(part for _, part, *_ in step.transformers),
            step.remainder,
        ],
        FeatureUnion: lambda: [part for _, part in step.transformer_list],
    }.get(type(step))
    if inside is None:
        return type(step).__name__
    culprits = (_may_use_y(part) for part in inside())
    return next((culprit for culprit in culprits if culprit is not None), None)
