"""Labels made elsewhere: a table of probabilities, or a model that is already there.

They enter as the same record as cross-fitted ones, tied to the content of the rows they
were made for.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import Shown, check_shape, finite_array, invalid, wrong_type
from semikd.crossfit.learners import predict_outputs, probabilities
from semikd.crossfit.record import UNLABELLED, OutOfFold
from semikd.crossfit.rows import Hashes, Indices, n_rows, row_hashes
from semikd.exceptions import LeakageWarning
from semikd.simplex import FloatArray

__all__ = ["external_labels", "model_labels", "rows_of"]

_UNSEEN = "a fitted model on rows it did not see"
_ASSUMED = "a fitted model on rows that it is assumed not to have seen"
# Where estimators of scikit-learn keep the table that they were fitted on.
_KEPT = ("_fit_X", "X_fit_", "X_train_")
# Where teachers of this library keep models that were fitted to the same table.
_INSIDE = ("members_", "regressors_", "first")


def external_labels(
    X: Any,
    prediction: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    fold: ArrayLike | None = None,
    honest: bool = True,
) -> OutOfFold:
    """Return a record of labels that were made elsewhere, for these rows.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The rows that the labels belong to; the record keeps their hashes, not them.
    prediction : array-like of shape (n, k), (n, m) or (n,)
        Class probabilities, or means of a regression. NaN marks a row without a label.
    classes : array-like of shape (k,), optional
        Class labels of the columns, sorted as scikit-learn sorts them; for two classes
        one column may give the probability of the second. None for a regression.
    fold : array-like of int of shape (n,), optional
        Fold in which each row was held out, where the labels came from folds.
    honest : bool, default=True
        Whether you vouch that no labelling model saw the row it labelled.

    Returns
    -------
    OutOfFold

    Raises
    ------
    ValueError
        If shapes do not fit, or rows are not probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> X = np.array([[1.0], [2.0]])
    >>> external_labels(X, [0.9, 0.4], classes=["no", "yes"]).mean
    array([[0.1, 0.9],
           [0.6, 0.4]])
    """
    n = n_rows(X)
    table = np.asarray(prediction, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    check_shape("prediction", table, (n, None))
    labels = None if classes is None else _sorted_classes(classes)
    missing = np.asarray(np.isnan(table).any(axis=1))[:, None]
    # Zeros stand in for missing rows, so that messages count the rows of the table.
    if labels is None:
        table = finite_array(
            "prediction", np.where(missing, 0.0, table), shape=(n, None)
        )
    else:
        table = _probability_table(table, labels, missing)
    return OutOfFold(
        prediction=np.where(missing, np.nan, table)[None],
        fold=_given_folds(fold, n)[None],
        classes=labels,
        strategy="labels from elsewhere",
        row_hash=row_hashes(X),
        honest=honest,
    )


def model_labels(model: Any, X: Any, *, seen: Any = None) -> OutOfFold:
    """Return a record of what a fitted model says of rows that it did not see.

    Parameters
    ----------
    model : estimator
        A fitted classifier with ``predict_proba``, or a regressor. It is not refitted.
    X : array-like of shape (n, d)
        Rows outside the model's training table.
    seen : array-like of shape (n_seen, d), optional
        The model's training table. Rows of X whose content is in it get no label, and
        are counted in a warning.

        A model that was distilled here, from a teacher or from itself, knows its rows,
        and so do those that keep them (nearest neighbours, kernel ridge and Gaussian
        process regression) and teachers of this library made of such: these get no
        label, whether or not they are given. Of others it is assumed that they saw none
        of the rows, and the record says so.

    Returns
    -------
    OutOfFold
        New rows are labelled by the same model.

    Raises
    ------
    TypeError
        If the model cannot predict what is asked of it.

    Warns
    -----
    LeakageWarning
        If the model saw some of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd import model_labels
    >>> model = LogisticRegression().fit(np.array([[0.0], [1.0]]), [0, 1])
    >>> model_labels(model, np.array([[0.5], [2.0]])).mean.shape
    (2, 2)
    """
    classes = getattr(model, "classes_", None)
    method = "predict" if classes is None else "predict_proba"
    if isinstance(model, type) or not hasattr(model, method):
        constraint = f"be a fitted estimator with {method}"
        raise wrong_type("model", constraint, model)
    prediction, _ = predict_outputs(model, X, classes)
    hashes = row_hashes(X)
    n = len(hashes)
    tables = [*rows_of(model), *([] if seen is None else [row_hashes(seen)])]
    if tables:
        known = np.isin(hashes, np.concatenate(tables))
        prediction = np.where(known[:, None], np.nan, prediction)
        _warn_of_known(int(known.sum()), n)
    return OutOfFold(
        prediction=prediction[None],
        fold=np.full((1, n), UNLABELLED, dtype=np.intp),
        classes=None if classes is None else np.asarray(classes),
        strategy=_UNSEEN if tables else _ASSUMED,
        row_hash=hashes,
        refitted=model,
    )


def rows_of(model: Any) -> list[Hashes]:
    """Return the hashes of the rows that a model knows it was fitted on.

    Parameters
    ----------
    model : estimator
        Any fitted model.

    Returns
    -------
    list of ndarray of uint64
        Of a distilled model those of its labels, of generations those they keep, of
        others the table that they, or models inside them, keep; empty where nothing is
        known.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from semikd.crossfit.external import rows_of
    >>> X, y = np.array([[0.0], [1.0]]), [0, 1]
    >>> len(rows_of(KNeighborsClassifier(1).fit(X, y))[0])
    2
    """
    # A choice among distilled models keeps the one that it made.
    inner = getattr(model, "model_", model)
    labels = getattr(inner, "labels_", None)
    if isinstance(labels, OutOfFold):
        return [labels.row_hash]
    if isinstance(own := getattr(inner, "row_hash_", None), np.ndarray):
        return [own]
    kept = (getattr(inner, name, None) for name in _KEPT)
    found = [row_hashes(table) for table in kept if getattr(table, "ndim", 0) == 2]
    inside = (getattr(inner, name, None) for name in _INSIDE)
    parts = [part for models in inside if isinstance(models, tuple) for part in models]
    return [*found, *(table for part in parts for table in rows_of(part))]


def _sorted_classes(classes: ArrayLike) -> NDArray[Any]:
    """Return class labels, refusing an order that scikit-learn would not use."""
    labels = np.asarray(classes)
    if not np.array_equal(labels, np.unique(labels)):
        remedy = "Sort them, and the columns of the prediction with them"
        raise invalid("classes", "be sorted and distinct", labels.tolist(), remedy)
    return labels


def _given_folds(fold: ArrayLike | None, n: int) -> Indices:
    """Return the fold of each row, -1 where there is none."""
    if fold is None:
        return np.full(n, UNLABELLED, dtype=np.intp)
    folds = np.asarray(fold)
    check_shape("fold", folds, (n,))
    if folds.dtype.kind not in "iu" or (folds < UNLABELLED).any():
        remedy = "Use -1 for rows in no fold"
        raise invalid("fold", "hold integers of at least -1", fold, remedy)
    return folds.astype(np.intp)


def _probability_table(
    table: FloatArray, classes: NDArray[Any], missing: NDArray[np.bool_]
) -> FloatArray:
    """Return probabilities with one column for each class, missing rows uniform."""
    if table.shape[1] == 1 and len(classes) == 2:
        table = np.concatenate([1.0 - table, table], axis=1)
    if table.shape[1] != len(classes):
        constraint = f"have a column for each of {len(classes)} classes"
        raise invalid("prediction", constraint, Shown(f"{table.shape[1]} columns"))
    uniform = 1.0 / len(classes)
    return probabilities(np.where(missing, uniform, table), "prediction")


def _warn_of_known(n_known: int, n: int) -> None:
    """Count the rows that the model saw."""
    if n_known:
        warnings.warn(
            f"{n_known} of {n} rows are in the model's training table: no label.",
            LeakageWarning,
            stacklevel=3,
        )
