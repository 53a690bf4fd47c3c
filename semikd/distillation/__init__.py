"""Distillation as the paper states it: teachers label, targets move, students learn."""

from semikd.distillation.algorithm import Distilled
from semikd.distillation.classifier import DistilledClassifier

__all__ = ["Distilled", "DistilledClassifier"]
