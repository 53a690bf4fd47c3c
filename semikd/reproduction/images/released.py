r"""The released loss of the image experiments, in the units of the library.

Notes
-----
The released code weighs the cross-entropy of the labels by a and the mean squared
difference of K scores by 1 - a:

.. math:: a\,\mathrm{CE}(f, y) + (1 - a)\,\tfrac1K \|f - \tau\|^2
   = \frac{2 (1 - a)}{K} \Bigl[\tfrac12 \|f - \tau\|^2 + h\,\mathrm{CE}(f, y)\Bigr],
   \qquad h = \frac{a}{1 - a}\,\frac K2

The library's loss is the bracket. Its minimum is the same; its steps are the same where
the step size is divided, and the weight decay multiplied, by K / (2 (1 - a)), which
without labels (a = 0) is K / 2.

Targets are the teacher's own scores z, floored nowhere; the corrected ones

.. math:: \tau_j = z_j + \frac{1}{\max(\hat p_j, \varepsilon)}\,
   \frac{c}{c + (y_j - \hat p_j)^2}\,(y_j - \hat p_j)

have the floor ε in the weight of the residual alone.
"""

import numpy as np

from semikd.label_aware import ReferenceCorrection
from semikd.losses import DistillationLoss, HardLabelMix, LogProbabilityLoss
from semikd.simplex import FloatArray, softmax

__all__ = ["corrected_scores", "loss_of_share", "step_factor"]


def step_factor(n_classes: int, share: float) -> float:
    """Return the library's loss over the released one.

    Parameters
    ----------
    n_classes : int
        K.
    share : float
        a, the share of the labels, in [0, 1).

    Returns
    -------
    float

    Examples
    --------
    >>> from semikd.reproduction.images.released import step_factor
    >>> step_factor(10, 0.5), step_factor(10, 0.0)
    (10.0, 5.0)
    """
    return n_classes / (2.0 * (1.0 - share))


def loss_of_share(n_classes: int, share: float) -> DistillationLoss:
    """Return the library's form of the released loss; its targets come from elsewhere.

    Parameters
    ----------
    n_classes : int
        K.
    share : float
        a, the share of the labels, in [0, 1).

    Returns
    -------
    DistillationLoss

    Examples
    --------
    >>> from semikd.reproduction.images.released import loss_of_share
    >>> loss_of_share(10, 0.5).hard_weight
    5.0
    """
    squares = LogProbabilityLoss()
    if share == 0.0:
        return squares
    return HardLabelMix(squares, share * step_factor(n_classes, share))


def corrected_scores(
    z: FloatArray, y: FloatArray, strength: float, floor: float
) -> FloatArray:
    """Return the released correction of a teacher's scores, shape (n, k).

    Parameters
    ----------
    z : ndarray of shape (n, k)
        Scores of teachers, any offset.
    y : ndarray of shape (n, k)
        One-hot labels.
    strength : float
        c; 0 leaves the scores as they are.
    floor : float
        Least probability that a residual is divided by.

    Returns
    -------
    ndarray of shape (n, k)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.reproduction.images.released import corrected_scores
    >>> z, y = np.array([[40.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> corrected_scores(z, y, 0.01, 1e-3).round(3)
    array([[39.99 ,  9.901]])
    """
    if strength == 0.0:
        return z
    p = softmax(z)
    weight = ReferenceCorrection(strength).label_weight(p, y) / np.maximum(p, floor)
    return np.asarray(z + weight * (y - p))
