"""Distillation as the paper states it: teachers label, targets move, students learn."""

from semikd.distillation.algorithm import Distilled
from semikd.distillation.classifier import DistilledClassifier
from semikd.distillation.complexity import kept_noise, noise_pair

__all__ = ["Distilled", "DistilledClassifier", "kept_noise", "noise_pair"]
