"""Groups of rows that are fixed before anybody looks at an answer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import Shown, count, invalid
from semikd.inference._inputs import numbered

__all__ = ["crossed_groups", "frequency_groups"]


def frequency_groups(
    y: ArrayLike, trained_on: ArrayLike, n_groups: int = 10
) -> NDArray[np.str_]:
    """Return groups of classes by how frequent they were in the training rows.

    Parameters
    ----------
    y : array-like of shape (n,)
        Class labels of the rows to be grouped.
    trained_on : array-like of shape (n_train,)
        Class labels of the training rows.
    n_groups : int, default=10
        Groups of about as many classes each, from the rarest on; at most one a class.

    Returns
    -------
    ndarray of str of shape (n,)
        Names that sort from rare to frequent, with the range of counts.

    Raises
    ------
    ValueError
        If there are fewer than two classes.

    Examples
    --------
    >>> from semikd.diagnostics import frequency_groups
    >>> frequency_groups(["a", "b"], ["a", "a", "a", "b"], n_groups=2).tolist()
    ['2 of 2: 3 rows', '1 of 2: 1 row']
    """
    count("n_groups", n_groups)
    names, codes = np.unique(np.asarray(y), return_inverse=True)
    trained = np.asarray(trained_on)
    counts = np.array([int((trained == name).sum()) for name in names])
    if len(names) < 2:
        raise invalid("y", "have at least two classes", Shown(f"{len(names)}"))
    order = np.argsort(counts, kind="stable")
    parts = np.array_split(order, min(n_groups, len(names)))
    label = np.empty(len(names), dtype=object)
    width = len(str(len(parts)))
    for at, part in enumerate(parts, start=1):
        low, high = counts[part].min(), counts[part].max()
        span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        what = "row" if span == "1" else "rows"
        label[part] = f"{at:{width}d} of {len(parts)}: {span} {what}"
    return np.asarray(label[codes.ravel()], dtype=str)


def crossed_groups(*ways: ArrayLike) -> NDArray[np.str_]:
    """Return the groups that several ways to group rows make together.

    Parameters
    ----------
    *ways : array-like of shape (n,)
        Group of each row, such as an attribute and the class.

    Returns
    -------
    ndarray of str of shape (n,)

    Raises
    ------
    ValueError
        If lengths differ, or a row has no group.

    Examples
    --------
    >>> from semikd.diagnostics import crossed_groups
    >>> crossed_groups(["men", "women"], [0, 1]).tolist()
    ['men, 0', 'women, 1']
    """
    if not ways:
        raise invalid("ways", "be at least one", Shown("none"))
    n = len(np.asarray(ways[0]))
    found = []
    for at, way in enumerate(ways):
        names, which = numbered(f"ways[{at}]", way, n)
        found.append(np.asarray(names, dtype=str)[which])
    rows = list(zip(*found, strict=True))
    joined = {row: ", ".join(row) for row in set(rows)}
    if len(set(joined.values())) < len(joined):
        # Names that hold commas themselves are told apart by quotation.
        joined = {row: ", ".join(map(repr, row)) for row in joined}
    return np.array([joined[row] for row in rows])
