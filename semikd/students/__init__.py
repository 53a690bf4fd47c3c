"""Learners that can be students: any regressor, linear models, trees and networks."""

from semikd.students.base import Student, StudentSize
from semikd.students.classifier import StudentClassifier
from semikd.students.linear import LinearStudent

__all__ = ["LinearStudent", "Student", "StudentClassifier", "StudentSize"]
