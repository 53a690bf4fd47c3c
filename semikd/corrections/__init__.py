r"""How far a row's target moves from the teacher's answer towards the row's own label.

The one formula of the library is ``corrected_target``:

.. math:: \tau_i = \varphi(\hat p_i)
   + \Lambda(x_i)\, J_\varphi(\hat p_i)\,(y_i - \hat p_i)

A correction is a choice of :math:`\Lambda \in [0, 1]`, one number per row that may
depend on the covariates and the teacher's answer, never on the row's label.

Notes
-----
Letters: ``p`` teacher probabilities and ``y`` one-hot labels, both (n, k), or predicted
and observed values (n, m) of a regression; targets are (n, m).

Known methods in this vocabulary: plain distillation is ``NoCorrection``, the paper's
full loss correction is ``OrthogonalCorrection``, Hinton's mix of hard and soft labels
at T = 1 is ``ConstantCorrection``, and the error sets of the paper's released code are
``MinimaxCorrection``.

References
----------
.. [1] T. Dao, G. M. Kamath, V. Syrgkanis and L. Mackey, "Knowledge Distillation as
   Semiparametric Inference", ICLR 2021. The paper adds a linear term to the loss;
   moving the target by the same amount is an equivalent form, reconstructed here.
"""

from semikd.corrections.base import Correction
from semikd.corrections.by_reliability import ReliabilityCorrection
from semikd.corrections.estimated import EstimatedCorrection
from semikd.corrections.family import (
    ConstantCorrection,
    NoCorrection,
    OrthogonalCorrection,
    ShrinkageCorrection,
)
from semikd.corrections.formula import corrected_target, label_noise
from semikd.corrections.minimax import MinimaxCorrection
from semikd.corrections.names import get_correction
from semikd.corrections.reliability import ClassReliability, margins
from semikd.corrections.rowwise import RowwiseCorrection

__all__ = [
    "ClassReliability",
    "ConstantCorrection",
    "Correction",
    "EstimatedCorrection",
    "MinimaxCorrection",
    "NoCorrection",
    "OrthogonalCorrection",
    "ReliabilityCorrection",
    "RowwiseCorrection",
    "ShrinkageCorrection",
    "corrected_target",
    "get_correction",
    "label_noise",
    "margins",
]
