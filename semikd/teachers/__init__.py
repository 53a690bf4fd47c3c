"""Teachers: estimates of the class probabilities that a student learns from."""

from semikd.teachers.boosting import BoostingRegressorTeacher, BoostingTeacher
from semikd.teachers.network import TorchClassifier
from semikd.teachers.squares import SquaresTeacher

__all__ = [
    "BoostingRegressorTeacher",
    "BoostingTeacher",
    "SquaresTeacher",
    "TorchClassifier",
]
