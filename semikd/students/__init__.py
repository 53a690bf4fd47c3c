"""Learners that can be students: any regressor, linear models, trees and networks."""

from semikd.students.base import Student, StudentSize
from semikd.students.classifier import StudentClassifier

__all__ = ["Student", "StudentClassifier", "StudentSize"]
