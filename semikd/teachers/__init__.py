"""Teachers: estimates of the class probabilities that a student learns from."""

from semikd.teachers.boosting import BoostingRegressorTeacher, BoostingTeacher

__all__ = ["BoostingRegressorTeacher", "BoostingTeacher"]
