"""Which part of a teacher's knowledge reaches a student: gradients and geometry."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semikd._validation import Shown, finite_array, invalid, number
from semikd.label_aware.tables import class_cosines
from semikd.simplex import FloatArray

__all__ = ["class_geometry", "gradient_rescaling"]


def gradient_rescaling(
    student: FloatArray,
    teacher: FloatArray,
    codes: NDArray[np.intp],
    *,
    share: float = 1.0,
) -> FloatArray:
    r"""Return by how much distillation rescales each row's gradient, shape (n,).

    .. math:: \omega_i = \frac{\partial L^{\text{KD}} / \partial z_t}
       {\partial L / \partial z_t} = (1 - \lambda) + \lambda\,\frac{q_t - p_t}
       {1 - p_t}

    with t the row's class, p the student's probabilities, q the teacher's, and
    :math:`L^{\text{KD}} = (1 - \lambda) L + \lambda H(q, p)` at T = 1. Rows of which
    the teacher is less sure pull less; with :math:`\lambda` = 1 those of which it is
    less sure than the student already is pull the other way. A teacher that is sure of
    every row rescales nothing.

    Parameters
    ----------
    student, teacher : ndarray of shape (n, k)
        Probabilities; use labels that the teacher did not see, see the reference.
    codes : ndarray of int of shape (n,)
        Position of each row's class.
    share : float, default=1.0
        :math:`\lambda` in [0, 1], the share of distillation.

    Returns
    -------
    ndarray of shape (n,)
        NaN where the student gives the class a probability of 1: it has no gradient.

    Raises
    ------
    ValueError
        If shapes disagree or the share is outside [0, 1].

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       whose level of the instance this is: reconstructed from descriptions of the
       paper; the identity itself is checked by differentiation.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.diagnostics import gradient_rescaling
    >>> p, q = np.array([[0.5, 0.5], [0.5, 0.5]]), np.array([[0.9, 0.1], [0.4, 0.6]])
    >>> gradient_rescaling(p, q, np.array([0, 0])).round(2)
    array([ 0.8, -0.2])
    """
    number("share", share, low=0.0, high=1.0)
    own = finite_array("student", student, shape=(len(codes), None))
    other = finite_array("teacher", teacher, shape=own.shape)
    if ((codes < 0) | (codes >= own.shape[1])).any():
        constraint = f"be positions of {own.shape[1]} classes"
        raise invalid("codes", constraint, Shown(f"{codes.min()} to {codes.max()}"))
    rows = np.arange(len(codes))
    p, q = own[rows, codes], other[rows, codes]
    left = np.where(p < 1.0, 1.0 - p, np.nan)
    return np.asarray((1.0 - share) + share * (q - p) / left)


def class_geometry(
    vectors: ArrayLike, groups: ArrayLike | None = None
) -> dict[str, Any]:
    r"""Return the cosines between the vectors of classes, and how they group.

    Parameters
    ----------
    vectors : array of shape (k, d)
        A vector for each class: rows of a network's last layer.
    groups : array of shape (k,), optional
        The group of each class.

    Returns
    -------
    dict
        ``cosine``, shape (k, k); with groups also ``within`` and ``between``, the mean
        cosine of two classes of one group and of different groups (NaN without such
        pairs), and ``order``, the classes group by group, for a picture.

    Raises
    ------
    ValueError
        If a class has no direction, or there are other classes than groups.

    References
    ----------
    .. [1] J. Tang et al., "Understanding and Improving Knowledge Distillation", 2020,
       whose pictures of class geometry this is after.

    Examples
    --------
    >>> from semikd.diagnostics import class_geometry
    >>> found = class_geometry([[1, 0], [1, 0], [0, 1]], ["a", "a", "b"])
    >>> found["within"], found["between"]
    (1.0, 0.0)
    """
    cosine = class_cosines("vectors", vectors)
    if groups is None:
        return {"cosine": cosine}
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    if group.shape != (len(cosine),):
        shown = Shown(f"{group.size} groups for {len(cosine)} classes")
        raise invalid("groups", "name the group of each class", shown)
    same = group[:, None] == group
    pairs = ~np.eye(len(cosine), dtype=bool)
    return {
        "cosine": cosine,
        "within": _mean(cosine[same & pairs]),
        "between": _mean(cosine[~same]),
        "order": np.argsort(group, kind="stable"),
    }


def _mean(values: FloatArray) -> float:
    """Return the mean, NaN of nothing."""
    return float(values.mean()) if values.size else float("nan")
