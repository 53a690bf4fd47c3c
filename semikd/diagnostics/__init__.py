"""What is wrong with a teacher: over-fit, under-fit, calibration, and where.

Whatever is found here was found on labels that the teacher gave to rows it did not see.
"""

from semikd.diagnostics.diagnosis import TeacherDiagnosis
from semikd.diagnostics.findings import Finding
from semikd.diagnostics.knowledge import class_geometry, gradient_rescaling
from semikd.diagnostics.procedure import diagnose
from semikd.diagnostics.specification_result import SpecificationCurve
from semikd.diagnostics.specifications import specification_curve

__all__ = [
    "Finding",
    "SpecificationCurve",
    "TeacherDiagnosis",
    "class_geometry",
    "diagnose",
    "gradient_rescaling",
    "specification_curve",
]
