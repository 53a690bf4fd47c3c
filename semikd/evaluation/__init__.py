"""Arms side by side: metrics, size, latency, and whether distilling helped."""

from semikd.evaluation.arms import FittedArm
from semikd.evaluation.comparing import compare
from semikd.evaluation.metrics import (
    calibration_error,
    pointwise_brier,
    pointwise_log_loss,
    scores,
)
from semikd.evaluation.result import ArmComparison
from semikd.evaluation.scratch import fit_scratch, scratch_settings
from semikd.evaluation.tables import Table

__all__ = [
    "ArmComparison",
    "FittedArm",
    "Table",
    "calibration_error",
    "compare",
    "fit_scratch",
    "pointwise_brier",
    "pointwise_log_loss",
    "scores",
    "scratch_settings",
]
