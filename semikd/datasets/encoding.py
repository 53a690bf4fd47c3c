"""Tables as numbers, without looking at a target, for learners that take only numbers.

Codes follow the declared order of the categories and never the values at hand, so a
training and a test table that share a declaration are coded alike.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, wrong_type

if TYPE_CHECKING:
    import pandas as pd


def ordinal_matrix(X: "pd.DataFrame | NDArray[Any]") -> NDArray[np.float64]:
    """Return a table as one float64 matrix; categories become their declared codes.

    Category number ``j`` of a column becomes ``float(j)``, a missing value becomes NaN,
    booleans become 0 and 1, numbers stay as they are. Arrays of more than two axes
    (images) are flattened to one row each. No target is seen.

    Parameters
    ----------
    X : pandas DataFrame, or array of shape (n_samples, ...)
        Columns are numbers, booleans or pandas categoricals.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Codes and numbers as float64. Trees take it as it is; for a linear model the
        order of nominal categories means nothing, so encode them otherwise.

    Raises
    ------
    TypeError
        If a column is text, dates or other objects: codes made from the values at hand
        would differ between two tables.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.datasets import ordinal_matrix
    >>> size = pd.Categorical(["large", None, "small"], categories=["small", "large"])
    >>> ordinal_matrix(pd.DataFrame({"size": size, "age": [3, 5, 8]}))
    array([[ 1.,  3.],
           [nan,  5.],
           [ 0.,  8.]])
    """
    if isinstance(X, np.ndarray):
        return X.astype(np.float64).reshape(len(X), -1)
    matrix = np.empty(X.shape, dtype=np.float64)
    for position, name in enumerate(X.columns):
        matrix[:, position] = _column(name, X.iloc[:, position])
    return matrix


def _column(name: object, values: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return one column as float64, or refuse it by name."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = values.cat.codes.to_numpy(dtype=np.float64)
        return np.where(codes < 0, np.nan, codes)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    raise wrong_type(
        f"column {name!r}",
        "hold numbers, booleans or categories",
        Shown(f"dtype {values.dtype}"),
        "Declare its categories, e.g. with pandas.Categorical(values, categories)",
    )
