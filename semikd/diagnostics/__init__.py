"""What is wrong with a teacher: over-fit, under-fit, calibration, and where.

Whatever is found here was found on labels that the teacher gave to rows it did not see.
"""

from semikd.diagnostics.diagnosis import TeacherDiagnosis
from semikd.diagnostics.findings import Finding
from semikd.diagnostics.grouping import crossed_groups, frequency_groups
from semikd.diagnostics.knowledge import class_geometry, gradient_rescaling
from semikd.diagnostics.levels import knowledge_levels, mean_labels
from semikd.diagnostics.linearity import (
    LinearAgreement,
    WeightClusters,
    linear_agreement,
    weight_clusters,
)
from semikd.diagnostics.procedure import diagnose
from semikd.diagnostics.robustness import RobustAccuracy, robust_accuracy
from semikd.diagnostics.specification_result import SpecificationCurve
from semikd.diagnostics.specifications import specification_curve
from semikd.diagnostics.subgroup_result import SubgroupReport
from semikd.diagnostics.subgroups import subgroup_report

__all__ = [
    "Finding",
    "LinearAgreement",
    "ParityGaps",
    "RobustAccuracy",
    "SpecificationCurve",
    "SubgroupReport",
    "TeacherDiagnosis",
    "WeightClusters",
    "class_geometry",
    "crossed_groups",
    "diagnose",
    "frequency_groups",
    "gradient_rescaling",
    "knowledge_levels",
    "linear_agreement",
    "mean_labels",
    "parity_gaps",
    "robust_accuracy",
    "specification_curve",
    "subgroup_report",
    "weight_clusters",
]

from semikd.diagnostics.parity import ParityGaps, parity_gaps
