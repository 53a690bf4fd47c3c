"""Feature-based distillation: losses that set hidden layers beside hidden layers.

Notes
-----
A loss of features stands *beside* the loss of the answers, which stays that of the
library: its scale, its correction, its cross-fitted labels. Letters of the kernels: s
and t are what a layer of the student and of the teacher make of a row, b rows of one
teacher with weights w.

The layers of two teachers are not aligned: each network is trained from its own first
weights, and its units come in any order and basis. So relations between rows are taken
among rows of *one* teacher, and whatever maps one layer onto another is learned for
each teacher apart.
"""

from semikd.features.attention import AttentionTransfer
from semikd.features.base import FeatureLoss
from semikd.features.contrast import ContrastiveRepresentation
from semikd.features.family import get_features
from semikd.features.hints import Hint
from semikd.features.relations import RelationalAngle, RelationalDistance
from semikd.features.similarity import SimilarityPreserving

__all__ = [
    "AttentionTransfer",
    "ContrastiveRepresentation",
    "FeatureLoss",
    "Hint",
    "RelationalAngle",
    "RelationalDistance",
    "SimilarityPreserving",
    "get_features",
]
