"""The probability simplex, for numpy arrays and torch tensors alike.

A probability row ``p`` has shape (k,), is non-negative and sums to one; functions act
on the last axis and keep the array library, dtype and device of what they are given.

Notes
-----
Letters: ``p`` probabilities and ``y`` one-hot labels, both (n, k); ``z`` any scores;
``beta`` the inverse temperature 1/T.
"""

import sys
from functools import reduce
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Array",
    "FloatArray",
    "center",
    "clip",
    "last_column",
    "log_softmax",
    "namespace",
    "one_hot",
    "power",
    "project",
    "reweight",
    "row_max",
    "row_sum",
    "softmax",
    "two_scores",
]

# A numpy array or a torch tensor; no common static type covers both.
Array: TypeAlias = Any

# Up to this length, rows are reduced one column at a time.
_SHORT = 8
FloatArray: TypeAlias = NDArray[np.float64]


def namespace(x: Array) -> ModuleType:
    """Return ``torch`` for a tensor and ``numpy`` for anything else.

    Torch is looked up, never imported: a tensor proves that it is already there.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import namespace
    >>> namespace(np.ones(2)).__name__
    'numpy'
    """
    torch = sys.modules.get("torch")
    is_tensor = torch is not None and isinstance(x, torch.Tensor)
    return torch if torch is not None and is_tensor else np


def one_hot(codes: ArrayLike, n_classes: int) -> NDArray[np.float64]:
    r"""Return the vertices of the simplex that integer codes name.

    .. math:: y_i = e_{\text{codes}_i} \in \{0, 1\}^k

    Parameters
    ----------
    codes : array-like of int of shape (n,)
        Positions in ``0 .. n_classes - 1``.
    n_classes : int
        Number of classes k.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> from semikd.simplex import one_hot
    >>> one_hot([1, 0], 2)
    array([[0., 1.],
           [1., 0.]])
    """
    return np.eye(n_classes)[np.asarray(codes, dtype=np.intp)]


def clip(p: Array, floor: float) -> Array:
    r"""Mix with the uniform distribution until no probability is below ``floor``.

    .. math:: (1 - k\,\text{floor})\, p + \text{floor}

    The rows still sum to one, unlike after cutting entries off; ``floor=0`` returns
    the input and ``floor=1/k`` the uniform distribution.

    Parameters
    ----------
    p : array of shape (n, k)
        Probabilities.
    floor : float
        Smallest probability afterwards, in [0, 1/k].

    Returns
    -------
    array of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import clip
    >>> clip(np.array([[0.0, 1.0]]), 0.01)
    array([[0.01, 0.99]])
    """
    return (1.0 - p.shape[-1] * floor) * p + floor


def power(p: Array, beta: float) -> Array:
    r"""Anneal probabilities to :math:`p^\beta / \sum_l p_l^\beta`, where β is 1/T.

    ``beta=1`` returns the input, ``beta`` towards 0 the uniform distribution over the
    classes of positive probability, and a large ``beta`` the most likely class.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import power
    >>> power(np.array([[0.2, 0.8]]), 0.5).round(3)
    array([[0.333, 0.667]])
    """
    # In units of the largest, or a large beta would leave only zeros.
    raised = (p / row_max(p)) ** beta
    return raised / row_sum(raised)


def center(z: Array) -> Array:
    r"""Subtract the mean of each row, so that it sums to zero.

    Applied to log-probabilities this is the centred log-ratio
    :math:`\operatorname{clr}(p) = \log p - \tfrac1k \sum_l \log p_l`.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import center
    >>> center(np.array([[1.0, 3.0]]))
    array([[-1.,  1.]])
    """
    return z - z.mean(axis=-1, keepdims=True)


def project(z: Array) -> Array:
    r"""Return the nearest probability row in Euclidean distance.

    .. math:: \max(z - \theta, 0), \qquad
       \theta = \max_j \tfrac1j \Bigl(\sum_{i \le j} z_{(i)} - 1\Bigr)

    with :math:`z_{(1)} \ge z_{(2)} \ge \dots`; a row on the simplex is left alone.

    References
    ----------
    .. [1] J. Duchi, S. Shalev-Shwartz, Y. Singer and T. Chandra, "Efficient Projections
       onto the l1-Ball for Learning in High Dimensions", ICML 2008, Figure 1.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import project
    >>> project(np.array([[1.5, 0.0], [0.5, 0.5]]))
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    xp = namespace(z)
    descending = -(xp.sort(-z).values if xp is not np else np.sort(-z, axis=-1))
    rank = xp.cumsum(xp.ones_like(z), axis=-1)
    threshold = (xp.cumsum(descending, axis=-1) - 1.0) / rank
    return xp.clip(z - xp.amax(threshold, axis=-1, keepdims=True), 0.0, None)


def reweight(p: Array, factors: Array) -> Array:
    r"""Return the probabilities where each class counts by a factor (a prior shift).

    .. math:: \tilde p_j = a_j p_j / \textstyle\sum_l a_l p_l

    These are the class probabilities of a population in which rows of class j are
    :math:`a_j` times as frequent; equal factors change nothing.

    Parameters
    ----------
    p : array of shape (n, k)
        Probabilities.
    factors : array of shape (k,)
        Positive factors.

    Returns
    -------
    array of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import reweight
    >>> reweight(np.array([[0.5, 0.5]]), np.array([1.0, 3.0]))
    array([[0.25, 0.75]])
    """
    weighted = p * factors
    return weighted / weighted.sum(axis=-1, keepdims=True)


def log_softmax(z: Array) -> Array:
    r"""Return :math:`z - \log \sum_l e^{z_l}` without overflow.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import log_softmax
    >>> np.exp(log_softmax(np.array([[1000.0, 1000.0]])))
    array([[0.5, 0.5]])
    """
    shifted = z - row_max(z)
    return shifted - namespace(z).log(row_sum(namespace(z).exp(shifted)))


def softmax(z: Array) -> Array:
    """Return the probabilities of scores; a common shift of a row changes nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import softmax
    >>> softmax(np.array([[0.0, 0.0]]))
    array([[0.5, 0.5]])
    """
    raised = namespace(z).exp(z - row_max(z))
    return raised / row_sum(raised)


def row_sum(z: Array) -> Array:
    """Return the sum of each row, kept as a column.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import row_sum
    >>> row_sum(np.array([[1.0, 3.0]]))
    array([[4.]])
    """
    if namespace(z) is np:
        return _reduce_rows(np.add, z)
    return z.sum(axis=-1, keepdims=True)


def row_max(z: Array) -> Array:
    """Return the largest entry of each row, kept as a column.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import row_max
    >>> row_max(np.array([[1.0, 3.0]]))
    array([[3.]])
    """
    if namespace(z) is np:
        return _reduce_rows(np.maximum, z)
    return z.amax(dim=-1, keepdim=True)


def _reduce_rows(operation: np.ufunc, z: Array) -> Array:
    """Combine the columns of each row; short rows faster than numpy's reductions."""
    if z.shape[-1] > _SHORT:
        return operation.reduce(z, axis=-1, keepdims=True)
    return reduce(operation, [z[..., j : j + 1] for j in range(z.shape[-1])])


def two_scores(f: Array) -> Array:
    """Return one log-odds as the scores (0, f) of two classes; wider scores as is.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import two_scores
    >>> two_scores(np.array([[2.0]]))
    array([[0., 2.]])
    """
    if f.shape[-1] > 1:
        return f
    return namespace(f).concatenate([namespace(f).zeros_like(f), f], axis=-1)


def last_column(p: Array, width: int = 1) -> Array:
    """Return the second of two columns where one is wanted; other arrays as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.simplex import last_column
    >>> last_column(np.array([[0.3, 0.7]]))
    array([[0.7]])
    """
    return p[..., 1:] if p.shape[-1] == 2 and width == 1 else p
