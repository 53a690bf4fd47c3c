"""What every rule that looks at the row's own label can be asked."""

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from semikd.corrections import Correction, corrected_target
from semikd.losses import DistillationLoss
from semikd.simplex import FloatArray

__all__ = ["LabelAwareCorrection"]


class LabelAwareCorrection(Correction):
    """A rule that looks at the label: biased for a perfect teacher, and said so.

    Examples
    --------
    >>> from semikd.label_aware import LabelAwareCorrection, ReferenceCorrection
    >>> issubclass(ReferenceCorrection, LabelAwareCorrection)
    True
    """

    needs_folds: ClassVar[bool] = True
    weighs_noise: ClassVar[bool] = False

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
