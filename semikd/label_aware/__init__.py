r"""Rules that look at the row's own label, kept apart by name.

A weight that depends on the label correlates with the residual it multiplies, so that
the mean target is wrong even when the teacher is perfect; each class says by how much.
They are here because papers use them: to reproduce results, and to be compared with
rules of x alone.

Notes
-----
Letters: ``p`` teacher probabilities and ``y`` one-hot labels, both (n, k).
"""

from semikd.label_aware.adaptive import AdaptiveAlpha
from semikd.label_aware.base import LabelAwareCorrection
from semikd.label_aware.levels import (
    ClassTable,
    ConfidenceTarget,
    LabelAwareTarget,
)
from semikd.label_aware.margins import AdaptiveMargin, LogitAdjustment
from semikd.label_aware.names import named_correction
from semikd.label_aware.reference import ReferenceCorrection, SlowReferenceCorrection
from semikd.label_aware.tables import hierarchy_table, similarity_table
from semikd.label_aware.trust import TrustGate

__all__ = [
    "AdaptiveAlpha",
    "AdaptiveMargin",
    "ClassTable",
    "ConfidenceTarget",
    "LabelAwareCorrection",
    "LabelAwareTarget",
    "LogitAdjustment",
    "ReferenceCorrection",
    "SlowReferenceCorrection",
    "TrustGate",
    "hierarchy_table",
    "named_correction",
    "similarity_table",
]
