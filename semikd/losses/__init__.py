r"""The scales on which a student is fitted, each as one small object.

A scale is a map :math:`\varphi` from the simplex to the space of the student's scores,
with a loss that is affine in :math:`\varphi(p)`,

.. math:: \ell(f; p) = A(f) - \langle B(f), \varphi(p) \rangle + C(p),

so that correcting a wrong ``p`` to first order only moves the target: a loss is
evaluated at a *target* :math:`\tau`, which is :math:`\varphi(\hat p)` for plain
distillation. Every function is pointwise (one number or row per sample, never a mean)
and takes numpy arrays and torch tensors alike.

Notes
-----
Letters: ``f`` scores and ``target``, both (n, m); ``p`` probabilities, ``v`` a
direction and ``y`` one-hot labels, all (n, k). Two classes need one number, so m = 1
there (the uncentred log scale keeps two); otherwise m = k.

Known methods in this vocabulary: logit regression (Ba and Caruana) is the
log-probability scale, Hinton's distillation is cross-entropy at a temperature, and
regressing on soft labels is the probability scale. With ``temperature=1`` cross-entropy
corrected in full is training on the labels.

References
----------
.. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
   Semiparametric Inference", ICLR 2021. The losses are the paper's squared logit loss
   and annealed cross-entropy; continuing the logarithm below a floor is this library's.
"""

from semikd.losses.around import LossAround
from semikd.losses.base import DistillationLoss
from semikd.losses.changed import ChangedLoss, SmoothedLoss, TopClassesLoss
from semikd.losses.cross_entropy import CrossEntropyLoss
from semikd.losses.family import get_loss
from semikd.losses.hard_label import HardLabelMix
from semikd.losses.shifted import ShiftedLoss, with_shift
from semikd.losses.squared import (
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
    SquaredLoss,
)

__all__ = [
    "ChangedLoss",
    "CrossEntropyLoss",
    "DistillationLoss",
    "HardLabelMix",
    "IdentityLoss",
    "LogProbabilityLoss",
    "LossAround",
    "ProbabilityLoss",
    "ShiftedLoss",
    "SmoothedLoss",
    "SquaredLoss",
    "TopClassesLoss",
    "get_loss",
    "with_shift",
]
