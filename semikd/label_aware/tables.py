"""Tables of how like classes are: from vectors, or from groups that are known."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._tables import missing_values
from semikd._validation import Shown, finite_array, invalid, number
from semikd.simplex import FloatArray, softmax

__all__ = [
    "class_cosines",
    "hierarchy_table",
    "probability_table",
    "similarity_table",
]

_SUM = 1e-8


def similarity_table(
    features: ArrayLike, *, power: float = 1.0, temperature: float = 1.0
) -> FloatArray:
    r"""Return how like classes are by the directions of their weights, shape (k, k).

    .. math:: S_{t\cdot} = \operatorname{softmax}\bigl(\max(0, \cos(w_t, w_j))^a / T
       \bigr)_j

    Parameters
    ----------
    features : array of shape (k, d)
        A vector for each class: rows of a network's last layer, or any other.
    power : float, default=1.0
        a, positive; larger tells near classes further from others.
    temperature : float, default=1.0
        T, positive; towards 0 each class is like itself alone.

    Returns
    -------
    ndarray of shape (k, k)
        Rows of sum 1.

    Raises
    ------
    ValueError
        If a class has no direction, or a number is not positive.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       KD-sim: reconstructed from descriptions of the paper.

    Examples
    --------
    >>> from semikd.label_aware import similarity_table
    >>> similarity_table([[1, 0], [1, 0], [0, 1]], temperature=0.5).round(2)
    array([[0.47, 0.47, 0.06],
           [0.47, 0.47, 0.06],
           [0.11, 0.11, 0.79]])
    """
    number("power", power, low=0.0, open_low=True)
    number("temperature", temperature, low=0.0, open_low=True)
    cosine = class_cosines("features", features)
    return np.asarray(softmax(np.maximum(cosine, 0.0) ** power / temperature))


def class_cosines(name: str, vectors: ArrayLike) -> FloatArray:
    """Return the cosines between the vectors of classes, shape (k, k)."""
    table = finite_array(name, vectors, shape=(None, None))
    length = np.linalg.norm(table, axis=1, keepdims=True)
    if (length == 0.0).any():
        shown = Shown(f"zeros for class {int(np.argmin(length))}")
        raise invalid(name, "have a direction for each class", shown)
    return np.asarray((table / length) @ (table / length).T)


def hierarchy_table(
    groups: ArrayLike, *, own: float = 0.8, siblings: float = 0.15
) -> FloatArray:
    r"""Return a table that knows which classes belong together, shape (k, k).

    .. math:: S_{tt} = \beta_1, \qquad S_{tj} = \begin{cases}
       \beta_2 / (\text{siblings of } t) & \text{same group}\\
       (1 - \beta_1 - \beta_2) / (\text{others}) & \text{otherwise}\end{cases}

    A class without siblings, or without others, gives their share to those there are.

    Parameters
    ----------
    groups : array of shape (k,)
        The group that each class belongs to: a partition of the classes.
    own : float, default=0.8
        :math:`\beta_1`, for the class itself.
    siblings : float, default=0.15
        :math:`\beta_2`, shared by the other classes of its group.

    Returns
    -------
    ndarray of shape (k, k)
        Rows of sum 1.

    Raises
    ------
    ValueError
        If a class has no group, or the shares are no probabilities.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       KD-rel: reconstructed from descriptions of the paper, the least certain of its
       forms.

    Examples
    --------
    >>> from semikd.label_aware import hierarchy_table
    >>> hierarchy_table(["cat", "cat", "car"], own=0.7, siblings=0.2).round(2)
    array([[0.7 , 0.2 , 0.1 ],
           [0.2 , 0.7 , 0.1 ],
           [0.15, 0.15, 0.7 ]])
    """
    number("own", own, low=0.0, high=1.0)
    number("siblings", siblings, low=0.0, high=1.0 - own)
    names = _checked_groups(groups)
    same = names[:, None] == names
    itself = np.eye(len(names), dtype=bool)
    others = np.zeros(same.shape)
    for members, share in ((same & ~itself, siblings), (~same, 1.0 - own - siblings)):
        size = members.sum(axis=1, keepdims=True)
        others += np.where(members, share / np.maximum(size, 1), 0.0)
    # What a missing kind of class would have had goes to those there are.
    total = others.sum(axis=1, keepdims=True)
    even = ~itself / (len(names) - 1)
    shared = np.divide(others, total, out=even, where=total > 0)
    return np.asarray(own * itself + (1.0 - own) * shared)


def _checked_groups(groups: ArrayLike) -> NDArray[Any]:
    """Return the groups of the classes, refusing what is no partition."""
    names = np.asarray(groups, dtype=object)
    if names.ndim != 1 or len(names) < 2:
        shown = Shown(f"shape {names.shape}")
        raise invalid("groups", "name one group for each of two or more classes", shown)
    missing = missing_values(names)
    if missing.any():
        shown = Shown(f"no group for class {int(np.argmax(missing))}")
        constraint = "partition the classes: every class in one group"
        raise invalid("groups", constraint, shown, "Name a group of its own for it")
    return names


def probability_table(name: str, table: ArrayLike) -> FloatArray:
    """Return a square table of probabilities."""
    found = np.array(finite_array(name, table, shape=(None, None)))
    if found.shape[0] != found.shape[1] or len(found) < 2:
        shown = Shown(f"shape {found.shape}")
        raise invalid(name, "have a row and a column for each class", shown)
    if (found < 0).any() or (np.abs(found.sum(axis=1) - 1.0) > _SUM).any():
        worst = found.sum(axis=1)[np.argmax(np.abs(found.sum(axis=1) - 1.0))]
        negative = (found < 0).any()
        shown = Shown("a negative number" if negative else f"a row of sum {worst:g}")
        raise invalid(name, "have rows of probabilities", shown, "Divide by the sums")
    return found
