"""Teachers: estimates of the class probabilities that a student learns from."""

from semikd.teachers.boosting import BoostingRegressorTeacher, BoostingTeacher
from semikd.teachers.calibrated import CalibratedTeacher
from semikd.teachers.coded import CodedTeacher
from semikd.teachers.ensemble import EnsembleTeacher
from semikd.teachers.meta import MetaTeacher
from semikd.teachers.network import TorchClassifier
from semikd.teachers.residual import ResidualTeacher
from semikd.teachers.squares import SquaresTeacher
from semikd.teachers.stacked import StackedTeacher
from semikd.teachers.staged import StagedTeacher

__all__ = [
    "BoostingRegressorTeacher",
    "BoostingTeacher",
    "CalibratedTeacher",
    "CodedTeacher",
    "EnsembleTeacher",
    "MetaTeacher",
    "ResidualTeacher",
    "SquaresTeacher",
    "StackedTeacher",
    "StagedTeacher",
    "TorchClassifier",
]
