"""How a user's table enters an estimator: frames as they came, arrays checked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils import (
    assert_all_finite,
    check_array,
    check_consistent_length,
    column_or_1d,
    get_tags,
)
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from semikd._validation import Shown, invalid, unknown, wrong_type
from semikd.simplex import FloatArray


def checked_table(estimator: Any, X: Any, *, reset: bool = True) -> Any:
    """Return the table, its columns noted (or compared with the noted ones).

    Frames keep their kind, since a Pipeline may select columns by name, and missing
    values pass, since some learners use them.
    """
    refuse_equal_names(X)
    if hasattr(X, "columns"):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
        if not len(X):
            raise invalid("X", "have at least one row", Shown("0 sample(s)"))
        return X
    table = validate_data(
        estimator,
        X,
        accept_sparse=get_tags(estimator).input_tags.sparse,
        dtype=None,
        # Images have four axes.
        allow_nd=getattr(X, "ndim", 2) == 4,
        ensure_all_finite=False,
        reset=reset,
        ensure_min_samples=2 if reset else 1,
    )
    if table.dtype.kind == "O":
        strange = next((v for v in table.flat if isinstance(v, dict | list | set)), "")
        if not isinstance(strange, str):
            # The words that scikit-learn's own checks look for.
            kind = type(strange).__name__
            raise TypeError(f"X: argument must be a string or a number; got a {kind}.")
    return table


def refuse_equal_names(X: Any, name: str = "X") -> None:
    """Refuse a frame two of whose columns have one name: no name could tell them."""
    if not nw.dependencies.is_into_dataframe(X):
        return
    # The columns of an Arrow table are the values themselves.
    names = Counter(X.column_names if hasattr(X, "column_names") else X.columns)
    twice = [column for column, times in names.items() if times > 1]
    if twice:
        shown = Shown(f"{twice[0]!r} {names[twice[0]]} times")
        if len(twice) > 1:
            shown = Shown(f"{shown} ({len(twice)} such names)")
        remedy = "Rename all but one, or leave them out"
        raise invalid(name, "name every column differently", shown, remedy)


def reads_plainly(X: Any) -> bool:
    """Return whether boosting reads a table as it is: dense numbers and categories."""
    if nw.dependencies.is_into_dataframe(X):
        return all(
            column.dtype in {nw.Categorical, nw.Enum}
            or column.to_numpy().dtype.kind in "biuf"
            for column in nw.from_native(X, eager_only=True).iter_columns()
        )
    if sparse.issparse(X):
        return False
    table = np.asarray(X)
    return table.ndim == 2 and table.dtype.kind in "biuf"


def checked_labels(X: Any, y: ArrayLike) -> NDArray[Any]:
    """Return class labels, one for each row and at least two different ones."""
    labels = column_or_1d(y, warn=True)
    check_consistent_length(X, labels)
    if labels.dtype.kind == "f":
        # The words that scikit-learn's own checks look for.
        assert_all_finite(labels, input_name="y")
    refuse_missing("y", labels)
    kinds = sorted({type(v).__name__ for v in labels} if labels.dtype == object else ())
    if "str" in kinds and len(kinds) > 1:
        shown = Shown(" and ".join(kinds))
        raise invalid("y", "hold labels of one kind", shown, "Make all text")
    check_classification_targets(labels)
    if len(classes := np.unique(labels)) < 2:
        shown = Shown(f"only the class {classes.tolist()[0]!r}")
        raise invalid("y", "have at least two classes", shown)
    return np.asarray(labels)


def checked_outcomes(X: Any, y: ArrayLike) -> FloatArray:
    """Return finite outcomes of shape (n,) or (n, m), one row for each of X."""
    if y is None:
        # The words that scikit-learn's own checks look for.
        raise ValueError("requires y to be passed, but the target y is None.")
    if any(isinstance(value, str | bytes) for value in np.ravel(np.asarray(y))[:1]):
        remedy = "Use DistilledClassifier for classes"
        raise invalid("y", "hold numbers", Shown("text"), remedy)
    outcomes = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
    check_consistent_length(X, outcomes)
    return np.asarray(outcomes)


def class_factors(
    class_weight: Any,
    y: NDArray[Any],
    classes: NDArray[Any],
    weights: FloatArray | None,
) -> FloatArray:
    """Return the factor of each class, shape (k,); 'balanced' counts by weight."""
    if isinstance(class_weight, str) and class_weight != "balanced":
        raise unknown("class_weight", class_weight, ["balanced"])
    if not isinstance(class_weight, str | Mapping | None):
        constraint = "be a dict of class: factor, 'balanced' or None"
        raise wrong_type("class_weight", constraint, class_weight)
    if isinstance(class_weight, Mapping):
        known = classes.tolist()
        strange = [key for key in class_weight if key not in known]
        if strange:
            constraint = f"name classes of y, {known}"
            raise invalid("class_weight", constraint, strange[0])
    factors = compute_class_weight(
        class_weight, classes=classes, y=y, sample_weight=weights
    )
    bad = ~(np.isfinite(factors) & (factors > 0))
    if bad.any():
        shown = Shown(f"{factors[bad][0]:g} for class {classes[bad].tolist()[0]!r}")
        remedy = "Leave rows of a class out by sample_weight instead"
        raise invalid("class_weight", "be positive for every class", shown, remedy)
    return np.asarray(factors, dtype=np.float64)


def label_positions(labels: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.intp]:
    """Return the position of each label among sorted classes, refusing any other."""
    strange = np.setdiff1d(labels, classes)
    if len(strange):
        constraint = f"hold the classes {classes.tolist()}"
        raise invalid("y", constraint, strange.tolist()[0])
    return np.searchsorted(classes, labels)


def refuse_missing(name: str, values: NDArray[Any]) -> None:
    """Refuse NaN, infinity and None where each row needs a label or group."""
    if values.dtype.kind == "f":
        missing = ~np.isfinite(values)
    elif values.dtype.kind == "O":
        missing = missing_values(values)
    else:
        return
    if missing.any():
        shown = Shown(f"{int(missing.sum())} missing (first: row {missing.argmax()})")
        raise invalid(name, "have no missing value", shown, "Leave those rows out")


def missing_values(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a column of Python objects has none: None, NaN, NaT or NA."""
    # Imported here because numeric tables never need it.
    from pandas import isna

    return np.asarray(isna(values))


def object_numbers(values: NDArray[Any]) -> FloatArray | None:
    """Return a column of Python objects as numbers, NaN for gaps.

    None if it holds anything else. Truth values are two categories, no numbers.
    """
    missing = missing_values(values)
    known = values[~missing]
    if any(isinstance(v, bool) or not isinstance(v, Real | Decimal) for v in known):
        return None
    numbers = np.full(len(values), np.nan)
    numbers[~missing] = known.astype(np.float64)
    return numbers


def stacked_tables(tables: Sequence[Any]) -> Any:
    """Return tables of one kind as one, row after row."""
    if nw.dependencies.is_into_dataframe(tables[0]):
        frames = [nw.from_native(table, eager_only=True) for table in tables]
        return nw.concat(frames, how="vertical").to_native()
    if sparse.issparse(tables[0]):
        return sparse.vstack(tables, format="csr")
    return np.concatenate(tables)
