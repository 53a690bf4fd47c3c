"""Learners that can be students: any regressor, linear models, trees and networks."""

from semikd.students.adapt import as_student
from semikd.students.adversarial import AdversarialStudent
from semikd.students.base import Student, StudentSize
from semikd.students.boosters import LightGBMStudent, XGBoostStudent
from semikd.students.classifier import StudentClassifier
from semikd.students.default import new_student
from semikd.students.features import FeatureStudent
from semikd.students.linear import LinearStudent
from semikd.students.logistic import LogisticStudent
from semikd.students.names import named_student
from semikd.students.network import TorchStudent
from semikd.students.pipeline import PipelineStudent
from semikd.students.regressor import LearnerStudent, RegressorStudent
from semikd.students.robust import RobustStudent
from semikd.students.sizes import measured_size

__all__ = [
    "AdversarialStudent",
    "FeatureStudent",
    "LearnerStudent",
    "LightGBMStudent",
    "LinearStudent",
    "LogisticStudent",
    "PipelineStudent",
    "RegressorStudent",
    "RobustStudent",
    "Student",
    "StudentClassifier",
    "StudentSize",
    "TorchStudent",
    "XGBoostStudent",
    "as_student",
    "measured_size",
    "named_student",
    "new_student",
]
