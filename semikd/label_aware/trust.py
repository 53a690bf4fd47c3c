"""A weight of the outcome for each row: how far the teacher was right about it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semikd._validation import number
from semikd.label_aware.base import LabelAwareCorrection
from semikd.simplex import FloatArray

__all__ = ["TrustGate"]


@dataclass(frozen=True)
class TrustGate(LabelAwareCorrection):
    r"""The teacher counts as much as it believed in the row's own class.

    .. math:: \tau_i = \varphi(\hat p_i) + (1 - \hat p_{y_i}^{\,\beta})\,
       J_\varphi(\hat p_i)(y_i - \hat p_i)

    With a perfect teacher the mean target of class j is off by

    .. math:: p_{0j}\,(\bar a - p_{0j}^{\,\beta}), \qquad
       \bar a = \sum_l p_{0l}^{1 + \beta},

    which raises what is unlikely: by up to 0.020, 0.072 and 0.096 for two classes at
    :math:`\beta` = 0.1, 0.5 and 1.

    Parameters
    ----------
    power : float, default=0.1
        :math:`\beta`, at least 0. 0 is plain distillation; the larger, the sooner the
        row's label takes the teacher's place.

    Raises
    ------
    ValueError
        If the power is negative.

    References
    ----------
    .. [1] J. Zhu et al., "Reliable Adversarial Distillation with Unreliable Teachers",
       ICLR 2022: the weight of its released code, there of adversarial images and with
       the student's own answer in the place of the label.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import TrustGate
    >>> p, y = np.array([[0.8, 0.2], [0.8, 0.2]]), np.eye(2)
    >>> TrustGate(power=1.0).label_weight(p, y)[:, 0].round(2)
    array([0.2, 0.8])
    """

    needs_classes: ClassVar[bool] = True

    power: float = 0.1

    def __post_init__(self) -> None:
        number("power", self.power, low=0.0)

    def __str__(self) -> str:
        return f"teacher trusted where it was right, power {self.power:g}"

    def label_weight(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return what the outcome counts in each row, for all classes alike."""
        own = np.clip((p * y).sum(axis=1, keepdims=True), 0.0, 1.0)
        return np.broadcast_to(1.0 - own**self.power, p.shape)
