"""Arms side by side: metrics, size, latency, and whether distilling helped."""

from semikd.evaluation.arms import FittedArm
from semikd.evaluation.calibration import (
    CalibrationBound,
    squared_calibration_error,
)
from semikd.evaluation.comparing import compare, compare_sides
from semikd.evaluation.metrics import (
    calibration_error,
    mean_scores,
    pointwise_brier,
    pointwise_log_loss,
    scores,
)
from semikd.evaluation.powered import powered_risks
from semikd.evaluation.result import ArmComparison
from semikd.evaluation.risks import risks
from semikd.evaluation.scratch import fit_scratch, scratch_settings
from semikd.evaluation.tables import Table
from semikd.evaluation.tasks import Classification, Regression, Task

__all__ = [
    "ArmComparison",
    "CalibrationBound",
    "Classification",
    "FittedArm",
    "Regression",
    "Table",
    "Task",
    "calibration_error",
    "compare",
    "compare_sides",
    "fit_scratch",
    "mean_scores",
    "pointwise_brier",
    "pointwise_log_loss",
    "powered_risks",
    "risks",
    "scores",
    "scratch_settings",
    "squared_calibration_error",
]
