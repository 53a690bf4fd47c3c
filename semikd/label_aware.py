r"""Corrections whose strength depends on the row's own label, kept apart by name.

Such a weight correlates with the residual it multiplies, so that the mean target is
wrong even when the teacher is perfect. They are here to reproduce published results,
not to be recommended.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semikd._validation import number
from semikd.corrections import Correction, corrected_target
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = ["LabelAwareCorrection", "ReferenceCorrection"]


class LabelAwareCorrection(Correction):
    """A rule that looks at the label: biased for a perfect teacher, and said so.

    Examples
    --------
    >>> from semikd.label_aware import LabelAwareCorrection, ReferenceCorrection
    >>> issubclass(ReferenceCorrection, LabelAwareCorrection)
    True
    """

    needs_folds: ClassVar[bool] = True

    @abstractmethod
    def label_weight(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return the weight of each row and class, shape (n, k)."""

    def weight(
        self,
        p: FloatArray,
        X: Any,
        loss: DistillationLoss,
        complexity: float,
    ) -> FloatArray:
        """Return the weight of each row, averaged over the teacher's labels, (n,)."""
        vertices = np.eye(p.shape[1])
        each = [
            p[:, j] * self.label_weight(p, np.broadcast_to(e, p.shape)).mean(axis=1)
            for j, e in enumerate(vertices)
        ]
        return np.asarray(np.sum(each, axis=0))

    def target(
        self,
        p: FloatArray,
        y: FloatArray,
        *,
        loss: DistillationLoss,
        complexity: float,
        X: Any = None,
    ) -> FloatArray:
        """Return the target with the weight of each row's own label, shape (n, m)."""
        return corrected_target(loss, p, y, self.label_weight(p, y))


@dataclass(frozen=True)
class ReferenceCorrection(LabelAwareCorrection):
    r"""The correction of the paper's published experiments, which depends on the label.

    .. math:: \Lambda_j = \frac{c}{c + (y_j - \hat p_j)^2}

    With a perfect teacher and two classes its mean target on the probability scale is
    off by

    .. math:: c\,p(1-p)\left[\frac{1}{c + (1-p)^2} - \frac{1}{c + p^2}\right],

    which sharpens probabilities towards 0 and 1: by up to 0.015, 0.044 and 0.093 at
    c = 0.001, 0.01 and 0.1. Ranking metrics hide this; log-loss and Brier score do not.

    Parameters
    ----------
    strength : float
        c > 0. Towards 0 this is plain distillation, towards infinity the orthogonal
        correction, and both limits are unbiased for a perfect teacher.

    Raises
    ------
    ValueError
        If ``strength`` is not positive.

    References
    ----------
    .. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
       Semiparametric Inference", ICLR 2021: the rule of the released code, not of the
       theory, which asks for a weight that depends on x alone.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.label_aware import ReferenceCorrection
    >>> p, y = np.array([[0.8, 0.2]]), np.array([[0.0, 1.0]])
    >>> ReferenceCorrection(strength=0.1).label_weight(p, y).round(3)
    array([[0.135, 0.135]])
    """

    strength: float

    def __post_init__(self) -> None:
        number("strength", self.strength, low=0.0, open_low=True)

    def label_weight(self, p: FloatArray, y: FloatArray) -> FloatArray:
        """Return c / (c + (y - p)²) of each class, shape (n, k)."""
        return self.strength / (self.strength + (y - p) ** 2)
