"""The AUC as an estimate with influence, so that it is compared like any mean loss."""

import numpy as np
from numpy.typing import ArrayLike

from semikd._tables import refuse_missing
from semikd._validation import (
    FloatArray,
    Shown,
    check_shape,
    finite_array,
    invalid,
    sample_weights,
)


def auc_influence(
    y: ArrayLike, score: ArrayLike, sample_weight: ArrayLike | None = None
) -> tuple[float, FloatArray]:
    r"""Area under the ROC curve and the influence of every row on it.

    .. math:: A = \sum_{i: y_i = 1} \sum_{j: y_j = 0} p_i q_j\,
        \bigl(1[s_i > s_j] + \tfrac12 1[s_i = s_j]\bigr)

    with p and q the shares of the rows within their class. The influence of a positive
    row is :math:`n p_i (V_i - A)`, with :math:`V_i` its share of negatives below it
    (DeLong's component, ties counted half), and likewise for a negative row.

    Parameters
    ----------
    y : array of shape (n,)
        Labels of two values; the larger one (1, True, or the later string) is positive.
    score : array of shape (n,)
        Score that is to be larger for positives.
    sample_weight : array of shape (n,), optional
        Sampling weights; a row of weight zero has no influence.

    Returns
    -------
    auc : float
        The area, between 0 and 1.
    influence : array of shape (n,)
        Influence of each row; its mean is 0.

    Raises
    ------
    ValueError
        If only one class has positive weight, there are more than two labels, or one
        is missing.

    Notes
    -----
    The sum of squares of the influence over n² is DeLong's variance but for factors
    m / (m - 1) for each class of m rows. Cost n log n.

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas
       under two or more correlated receiver operating characteristic curves",
       Biometrics 44, 1988, Section 2.

    Examples
    --------
    >>> from semikd.inference import auc_influence
    >>> auc, influence = auc_influence([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> auc
    0.75
    >>> influence
    array([ 0.5, -0.5, -0.5,  0.5])
    """
    labels = np.asarray(y)
    check_shape("y", labels, (None,))
    refuse_missing("y", labels)
    scores = finite_array("score", score, shape=(len(labels),))
    given = sample_weights(sample_weight, len(labels))
    weights = np.ones(len(labels)) if given is None else given / given.max()
    classes = np.unique(labels[weights > 0])
    if len(classes) != 2:
        shown = Shown(f"{len(classes)} class{'es' * (len(classes) != 1)}")
        remedy = "The AUC is defined for two classes only"
        raise invalid("y", "hold two classes of positive weight", shown, remedy)
    positive = labels == classes[1]
    p = np.where(positive, weights, 0.0) / weights[positive].sum()
    q = np.where(positive, 0.0, weights)
    q = q / q.sum()
    positives_above = 1.0 - _mass_below(scores, p)
    component = np.where(positive, _mass_below(scores, q), positives_above)
    auc = float(p @ component)
    return auc, len(labels) * (p + q) * (component - auc)


def _mass_below(scores: FloatArray, mass: FloatArray) -> FloatArray:
    """Return the mass of rows with a lower score, ties counted half, shape (n,)."""
    distinct, rank = np.unique(scores, return_inverse=True)
    at = np.bincount(rank, weights=mass, minlength=len(distinct))
    return np.asarray((np.cumsum(at) - at / 2)[rank])
