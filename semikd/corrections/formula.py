"""The one formula that computes a target, and the noise a correction costs."""

import numpy as np

from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray, one_hot


def corrected_target(
    loss: DistillationLoss, p: FloatArray, y: FloatArray, weight: FloatArray
) -> FloatArray:
    r"""Return the target: the teacher's answer, moved towards the label.

    .. math:: \tau = \varphi(\hat p) + J_\varphi(\hat p)\,\Lambda\,(y - \hat p)

    Parameters
    ----------
    loss : DistillationLoss
        The scale.
    p : ndarray of shape (n, k)
        Teacher probabilities from teachers that did not see the row.
    y : ndarray of shape (n, k)
        One-hot labels.
    weight : ndarray of shape (n,) or (n, k)
        :math:`\Lambda`; 0 gives plain distillation and 1 a target whose mean has no
        first-order error in p. One weight for each class is for label-aware forms only:
        it pushes targets off the plane on which centred scales live.

    Returns
    -------
    ndarray of shape (n, m)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import corrected_target
    >>> from semikd.losses import LogProbabilityLoss
    >>> p, y = np.array([[0.5, 0.5]]), np.array([[0.0, 1.0]])
    >>> corrected_target(LogProbabilityLoss(), p, y, np.array([1.0]))
    array([[2.]])
    """
    moved = weight[:, None] if weight.ndim == 1 else weight
    return np.asarray(loss.phi(p) + loss.jvp(p, moved * (y - p)))


def label_noise(
    loss: DistillationLoss, p: FloatArray, truth: FloatArray | None = None
) -> FloatArray:
    r"""Return the variance that a full correction adds to each target, shape (n,).

    .. math:: \operatorname{tr}\bigl[J_\varphi(p)\,
       (\operatorname{diag} q - qq^\top)\,J_\varphi(p)^\top\bigr]
       = \sum_j q_j \|J_\varphi(p)(e_j - p)\|^2 - \|J_\varphi(p)(q - p)\|^2

    With q = p, as by default, this is :math:`1 - \|p\|^2` for three or more
    probabilities, :math:`p_1 p_2` for one probability of two, and :math:`1/(p_1 p_2)`
    for log-odds.

    Parameters
    ----------
    loss : DistillationLoss
        The scale.
    p : ndarray of shape (n, k)
        Probabilities, where the correction is taken.
    truth : ndarray of shape (n, k), optional
        Probabilities q that labels are drawn from; by default p itself.

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.corrections import label_noise
    >>> from semikd.losses import LogProbabilityLoss
    >>> label_noise(LogProbabilityLoss(), np.array([[0.5, 0.5]]))
    array([4.])
    """
    n_classes = p.shape[1]
    q = p if truth is None else truth
    noise = np.zeros(len(p))
    for j, vertex in enumerate(one_hot(np.arange(n_classes), n_classes)):
        noise += q[:, j] * (np.asarray(loss.jvp(p, vertex - p)) ** 2).sum(axis=1)
    if truth is None:
        return noise
    # Rounding must not leave a negative variance where labels are certain.
    shift = (np.asarray(loss.jvp(p, truth - p)) ** 2).sum(axis=1)
    return np.asarray(np.maximum(noise - shift, 0.0))
